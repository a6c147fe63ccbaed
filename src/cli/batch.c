#include "cli/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/driving.h"
#include "cli/taking.h"
#include "cli/verb.h"
#include "view/summary.h"
#include "view/words.h"

enum { FILE_LIMIT = 64 * 1024 * 1024, INTERRUPTED = 130 /* exit code */ };

struct line {
	size_t number; // in the file, from 1
	struct team_values values;
	const char *run; // id; NULL: not started
	int code;        // exit code
	bool rests;      // it ended or parked
};

struct batching {
	const struct batch *batch;
	struct arguments *arguments;
	struct store *store;
	struct engine *engine;
	struct line *lines;
	size_t count, started, working, most;
	bool quiet;
};

// --- The file ---

static bool fail_line(struct error *error, const struct batch *batch, size_t number)
{
	return error_wrap(error, "%s:%zu", batch->path, number);
}

// A member as the text of an input. A text is taken as it is: for what -i would take for a file's
// name there is the doubled '@'; only an input of type file names one.
static bool add_value(
	struct arena *arena, const cJSON *member, const char **given, struct error *error)
{
	buffer_cleanup number = {0};
	const char *value = cJSON_GetStringValue(member);
	if (cJSON_IsBool(member)) {
		value = cJSON_IsTrue(member) ? "true" : "false";
	} else if (cJSON_IsNumber(member)) {
		buffer_add_json_number(&number, member->valuedouble);
		value = number.data;
	} else if (!value) {
		return error_set(error, ERROR_USAGE,
			"input '%s' is neither a text, a number, true nor false",
			arguments_shown(arena, member->string));
	}
	*given = arena_printf(arena, "%s=%s%s", member->string, value[0] == '@' ? "@" : "", value);
	return true;
}

static bool is_named(const cJSON *object, const char *given)
{
	const char *equals = strchr(given, '=');
	size_t length = equals ? (size_t)(equals - given) : strlen(given);
	const cJSON *member;
	cJSON_ArrayForEach(member, object)
	{
		if (strlen(member->string) == length &&
			memcmp(member->string, given, length) == 0) {
			return true;
		}
	}
	return false;
}

static bool read_line(struct arena *arena, const struct batch *batch, struct text text,
	struct line *line, struct error *error)
{
	json_cleanup *object = json_parse(text, error);
	size_t count = 0;
	if (!object) {
		return false;
	}
	if (!cJSON_IsObject(object)) {
		error_set(error, ERROR_USAGE, "this is no JSON object");
		return error_hint(error, "write {\"input\": \"value\"}");
	}
	size_t most = (size_t)cJSON_GetArraySize(object) + batch->given_count;
	const char **given = arena_new_array(arena, most + 1, const char *);
	const cJSON *member;
	cJSON_ArrayForEach(member, object)
	{
		if (!add_value(arena, member, &given[count++], error)) {
			return false;
		}
	}
	for (size_t i = 0; i < batch->given_count; i++) {
		if (!is_named(object, batch->given[i])) {
			given[count++] = batch->given[i];
		}
	}
	return team_inputs(arena, batch->team, given, count, &line->values, error);
}

// All lines but empty ones.
static bool read_lines(struct batching *batching, struct error *error)
{
	struct arena *arena = &batching->arguments->arena;
	const struct batch *batch = batching->batch;
	struct text content;
	if (!file_read(arena, batch->path, FILE_LIMIT, &content, error)) {
		error->kind = ERROR_USAGE;
		return false;
	}
	size_t number = 0, capacity = 0;
	for (size_t at = 0; at < content.length;) {
		const char *start = content.data + at;
		const char *end = memchr(start, '\n', content.length - at);
		size_t length = end ? (size_t)(end - start) : content.length - at;
		struct text text = text_trim((struct text){start, length});
		at += length + 1;
		number++;
		if (text.length == 0) {
			continue;
		}
		if (batching->count == BATCH_MOST) {
			return error_set(error, ERROR_USAGE, "'%s' has more than %d lines",
				batch->path, BATCH_MOST);
		}
		if (batching->count == capacity) {
			capacity = capacity * 2 + 64;
			batching->lines =
				memory_resize(batching->lines, capacity * sizeof(struct line));
		}
		struct line *line = &batching->lines[batching->count++];
		*line = (struct line){.number = number};
		if (!read_line(arena, batch, text, line, error)) {
			error->kind = ERROR_USAGE;
			return fail_line(error, batch, number);
		}
	}
	return batching->count > 0 ||
		error_set(error, ERROR_USAGE, "'%s' has no lines", batch->path);
}

static bool read_concurrency(struct batching *batching, struct error *error)
{
	const char *given = batching->batch->concurrency;
	char *end = NULL;
	long number = given ? strtol(given, &end, 10) : BATCH_CONCURRENCY;
	batching->most = (size_t)number;
	if (given && (!*given || *end || number < 1 || number > BATCH_MOST)) {
		error_set(error, ERROR_USAGE, "'%s' is no number of runs",
			arguments_shown(&batching->arguments->arena, given));
		return error_hint(error, "use a number from 1 to %d", BATCH_MOST);
	}
	return true;
}

// --- The runs ---

static bool start_some(struct batching *batching, struct error *error)
{
	const struct batch *batch = batching->batch;
	while (batching->working < batching->most && batching->started < batching->count &&
		!engine_interrupted(batching->engine)) {
		struct line *line = &batching->lines[batching->started++];
		struct engine_start start = {.team = batch->team,
			.shared = true,
			.values = &line->values,
			.rehearsal = batch->rehearsal,
			.sandbox = batch->sandbox,
			.sandbox_options = batch->sandbox_options};
		struct job *job = engine_add(batching->engine, &start, error);
		if (!job) {
			return fail_line(error, batch, line->number);
		}
		line->run = arena_string(&batching->arguments->arena, job_id(job));
		batching->working++;
	}
	return true;
}

static const char *how(int code)
{
	static const char *const words[] = {[EXIT_OK] = "done",
		[EXIT_FAILED] = "failed",
		[EXIT_GATE] = "a gate failed for good",
		[EXIT_WAITS] = "waits for a person",
		[EXIT_LIMIT] = "a limit was reached",
		[EXIT_UNAVAILABLE] = "a provider is not available"};
	size_t count = sizeof(words) / sizeof(words[0]);
	const char *word = code >= 0 && (size_t)code < count ? words[code] : NULL;
	return word ? word : "interrupted";
}

static void tell(const struct batching *batching, const struct line *line, struct job *job)
{
	buffer_cleanup text = {0};
	const char *reason = line->code == EXIT_OK ? "" : job_reason(job);
	if (batching->quiet && line->code == EXIT_OK) {
		return;
	}
	buffer_printf(&text, "line %zu: %s, %s, ", line->number, line->run, how(line->code));
	words_add_count(&text, job_state(job)->used.turns, "turn", "turns");
	buffer_add_string(&text, reason[0] ? ": " : "");
	buffer_add_line(&text, text_of(reason), 500);
	buffer_add_char(&text, '\n');
	fwrite(text.data, 1, text.length, stderr);
}

static bool rests(void *data, struct job *job, struct error *error)
{
	struct batching *batching = data;
	size_t i = 0;
	while (batching->lines[i].rests || strcmp(batching->lines[i].run, job_id(job)) != 0) {
		i++;
	}
	struct line *line = &batching->lines[i];
	line->rests = true;
	line->code = run_exit_code(job_state(job));
	tell(batching, line, job);
	batching->working--;
	engine_release(batching->engine, job);
	return start_some(batching, error);
}

// A run holds some descriptors open.
static void allow_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit); // what is allowed has to do then
	}
}

static bool drive_all(struct batching *batching, struct error *error)
{
	struct engine_watcher watcher = {.rests = rests, .data = batching};
	batching->engine = engine_create(batching->store, &watcher, error);
	if (!batching->engine) {
		return false;
	}
	allow_descriptors();
	driving_interruptible(batching->engine);
	bool fine = start_some(batching, error) && engine_drive(batching->engine, error);
	driving_interruptible(NULL);
	engine_destroy(batching->engine);
	return fine;
}

// --- What came of it ---

static bool take_all(struct batching *batching, struct error *error)
{
	for (size_t i = 0; batching->batch->out && i < batching->count; i++) {
		const struct line *line = &batching->lines[i];
		struct project_run opened;
		char name[32];
		if (!line->rests || line->code != EXIT_OK) {
			continue;
		}
		snprintf(name, sizeof(name), "%zu", line->number);
		if (!project_run_open(&opened, line->run, error)) {
			return false;
		}
		struct taking taking = {.quiet = true,
			.aside = true,
			.to = path_join(&opened.arena, batching->batch->out, name)};
		bool fine = take_out(&opened, &taking, error);
		project_run_close(&opened);
		if (!fine) {
			return fail_line(error, batching->batch, line->number);
		}
	}
	return true;
}

static bool add_runs(struct batching *batching, struct document *document, struct error *error)
{
	document_array(document, "runs");
	for (size_t i = 0; i < batching->count; i++) {
		arena_cleanup arena = {0};
		struct store_run run;
		const struct line *line = &batching->lines[i];
		document_object(document, NULL);
		document_number(document, "line", (int64_t)line->number);
		if (!line->run) {
			document_null(document, "run");
		} else if (store_find(batching->store, &arena, line->run, &run, error)) {
			document_object(document, "run");
			summary_run_json(document, &run);
			document_end_object(document);
		} else {
			return false;
		}
		document_end_object(document);
	}
	document_end_array(document);
	return true;
}

static size_t count_code(const struct batching *batching, int code)
{
	size_t count = 0;
	for (size_t i = 0; i < batching->count; i++) {
		count += batching->lines[i].rests && batching->lines[i].code == code;
	}
	return count;
}

static void add_counts(const struct batching *batching, struct buffer *output)
{
	static const int codes[] = {EXIT_OK, EXIT_FAILED, EXIT_GATE, EXIT_WAITS, EXIT_LIMIT,
		EXIT_UNAVAILABLE, INTERRUPTED};
	size_t left = batching->count;
	words_add_count(output, (int64_t)batching->count, "run", "runs");
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		size_t count = count_code(batching, codes[i]);
		left -= count;
		if (count) {
			buffer_printf(output, "%s%zu %s",
				left + count == batching->count ? ": " : ", ", count,
				how(codes[i]));
		}
	}
	if (left) {
		buffer_printf(output, ", %zu not started", left);
	}
	buffer_add_char(output, '\n');
}

static bool print(struct batching *batching, struct error *error)
{
	buffer_cleanup output = {0};
	if (arguments_has(batching->arguments, "json")) {
		struct document document;
		document_begin(&document, &output, "muster.batch/1");
		if (!add_runs(batching, &document, error)) {
			return false;
		}
		document_end(&document);
	} else if (!batching->quiet) {
		add_counts(batching, &output);
	}
	return output.length == 0 || output_write(&output, error);
}

static int exit_code(const struct batching *batching)
{
	int code = EXIT_OK;
	for (size_t i = 0; i < batching->count; i++) {
		const struct line *line = &batching->lines[i];
		int this = line->rests ? line->code : (int)INTERRUPTED;
		if (this != EXIT_OK) {
			code = code == EXIT_OK || code == this ? this : EXIT_FAILED;
		}
	}
	return code;
}

int batch_drive(struct arguments *arguments, struct store *store, const struct batch *batch,
	struct error *error)
{
	struct batching batching = {.batch = batch,
		.arguments = arguments,
		.store = store,
		.quiet = arguments_has(arguments, "quiet")};
	int code = EXIT_USAGE;
	if (read_concurrency(&batching, error) && read_lines(&batching, error)) {
		bool fine = drive_all(&batching, error) && take_all(&batching, error) &&
			print(&batching, error);
		code = fine ? exit_code(&batching) : EXIT_FAILED;
	}
	free(batching.lines);
	return code;
}
