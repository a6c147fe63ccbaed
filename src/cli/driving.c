#include "cli/driving.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/recorded.h"
#include "cli/verb.h"
#include "cli/vocabulary.h"
#include "view/progress.h"
#include "view/summary.h"

// The run that this process drives. Its texts for the progress come from the engine.
struct driving {
	struct job *job;
	struct progress progress;
	const struct config *config;
	bool quiet;
};

static struct engine *volatile interruptible; // for the signal handler; NULL: nothing runs

static void interrupt(int signal)
{
	(void)signal;
	if (interruptible) {
		engine_interrupt(interruptible);
	}
}

// The first signal parks the run; the second ends the process at once, which loses nothing that the
// journal holds.
void driving_interruptible(struct engine *engine)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
	interruptible = engine;
	for (size_t i = 0; engine && i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], &action, NULL);
	}
}

static void verdict(void *data, uint32_t branch, uint32_t command, struct buffer *text)
{
	struct driving *driving = data;
	buffer_add_string(text, job_verdict(driving->job, branch, command));
}

static void call(void *data, uint32_t branch, uint32_t number, struct buffer *text)
{
	struct driving *driving = data;
	job_call_text(driving->job, branch, number, text);
}

static void said(void *data, uint32_t branch, struct buffer *text)
{
	struct driving *driving = data;
	buffer_add_text(text, job_report(driving->job, branch));
}

static void answer(void *data, uint32_t question, struct buffer *text)
{
	struct driving *driving = data;
	job_answer_text(driving->job, question, text);
}

static void message(void *data, struct buffer *text)
{
	struct driving *driving = data;
	buffer_add_string(text, job_message(driving->job));
}

static void reason(void *data, struct buffer *text)
{
	struct driving *driving = data;
	buffer_add_string(text, job_reason(driving->job));
}

static const struct store_change *changes(void *data, size_t *count)
{
	struct driving *driving = data;
	return job_changes(driving->job, count);
}

static void write_line(void *data, struct text line)
{
	(void)data;
	fwrite(line.data, 1, line.length, stderr);
}

static void begin_progress(struct driving *driving)
{
	progress_init(&driving->progress, job_team(driving->job));
	driving->progress.source = (struct progress_source){.data = driving,
		.verdict = verdict,
		.call = call,
		.said = said,
		.message = message,
		.answer = answer,
		.reason = reason,
		.changes = changes};
	driving->progress.colours = config_colours(driving->config, STDERR_FILENO);
	driving->progress.write = write_line;
}

static void watch(void *data, struct job *job, const struct run_event *event)
{
	struct driving *driving = data;
	if (driving->quiet) {
		return;
	}
	if (!driving->job) { // the first events come while the run is being added
		driving->job = job;
		fprintf(stderr, "run %s\n", job_id(job));
		begin_progress(driving);
	}
	progress_event(&driving->progress, event);
}

// On the thread that fills the workspace: one call of stdio, so lines stay whole.
static void filling(void *data, int64_t files, int64_t bytes)
{
	const struct driving *driving = data;
	if (!driving->quiet) {
		fprintf(stderr, "filling the workspace: %lld files, %lld MB so far\n",
			(long long)files, (long long)(bytes / 1000000));
	}
}

static void write_nothing(void *data, struct text line)
{
	(void)data;
	(void)line;
}

// What happened before the run was taken up again: the progress has to know it, but not to tell it.
static void remember(void *data, struct job *job, const struct run_event *event)
{
	struct driving *driving = data;
	if (driving->quiet) {
		return;
	}
	if (!driving->job) {
		driving->job = job;
		fprintf(stderr, "run %s goes on\n", job_id(job));
		begin_progress(driving);
	}
	driving->progress.write = write_nothing;
	progress_event(&driving->progress, event);
	driving->progress.write = write_line;
}

static bool print_summary(struct arguments *arguments, struct store *store,
	const struct config *config, struct job *job, struct error *error)
{
	struct store_run run;
	struct summary summary;
	bool json = arguments_has(arguments, "json");
	buffer_cleanup output = {0};
	if (!json && arguments_has(arguments, "quiet")) {
		return true;
	}
	if (!store_find(store, &arguments->arena, job_id(job), &run, error) ||
		!summary_read(&summary, &arguments->arena, store, &run, job_team(job), error)) {
		return false;
	}
	if (json) {
		struct document document;
		document_begin(&document, &output, "muster.run/1");
		summary_json(&document, &summary);
		document_end(&document);
	} else {
		buffer_add_char(&output, '\n');
		summary_print(&output, &summary, config_colours(config, STDOUT_FILENO));
	}
	return output_write(&output, error);
}

// What went wrong, for those who see nothing else.
static void print_reason(struct arguments *arguments, struct job *job, int code)
{
	if (code != EXIT_OK && arguments_has(arguments, "quiet")) {
		const char *why = job_reason(job);
		struct error error = {0};
		error_set(&error, ERROR_FAILED, "run %s ends with exit code %d%s%s", job_id(job),
			code, why[0] ? ": " : "", why);
		error_hint(&error, "'muster show %s' says more", job_id(job));
		output_error(&error);
	}
}

static void record(struct arguments *arguments, struct store *store, const char *path,
	struct job *job, struct error *error)
{
	struct store_run run;
	buffer_cleanup yaml = {0};
	if (store_find(store, &arguments->arena, job_id(job), &run, error) &&
		recorded(&yaml, store, &run, job_team(job), job, error) &&
		recording_save(path, &yaml, error) && !arguments_has(arguments, "quiet")) {
		fprintf(stderr, "rehearsal saved in %s\n",
			arguments_shown(&arguments->arena, path));
	}
}

int drive(struct arguments *arguments, struct store *store, struct driven *driven,
	struct error *error)
{
	struct config config;
	struct driving driving = {
		.config = driven->config, .quiet = arguments_has(arguments, "quiet")};
	struct engine_watcher watcher = {
		.event = watch, .past = remember, .filling = filling, .data = &driving};
	int code = EXIT_FAILED;
	if (!driving.config) {
		if (!config_read(&arguments->arena, &config, error)) {
			return code;
		}
		driving.config = &config;
	}
	struct engine *engine = engine_create(store, &watcher, error);
	if (!engine) {
		team_destroy(driven->start ? driven->start->team : NULL);
		return code;
	}
	driving_interruptible(engine);
	struct job *job = driven->start ? engine_add(engine, driven->start, error)
					: engine_resume(engine, driven->run, vocabulary(),
						  &driven->raise, driven->request, error);
	if (job && engine_drive(engine, error)) {
		driven->run = arena_string(&arguments->arena, job_id(job));
		code = run_exit_code(job_state(job));
		print_reason(arguments, job, code);
		print_summary(arguments, store, driving.config, job, error);
		if (driven->recording && error->kind == ERROR_NONE) {
			record(arguments, store, driven->recording, job, error);
		}
	}
	if (driving.job) {
		progress_finish(&driving.progress);
	}
	driving_interruptible(NULL);
	engine_destroy(engine);
	return code;
}

// What came of a request that another process took in.
static void say_taken(struct arguments *arguments, const struct driven *driven)
{
	static const char *const said[] = {[REQUEST_TELL] = "was told",
		[REQUEST_ANSWER] = "has its answer",
		[REQUEST_PAUSE] = "is pausing: what is under way may finish",
		[REQUEST_STOP] = "is stopping"};
	if (!arguments_has(arguments, "quiet")) {
		fprintf(stderr, "run %s %s\n", driven->run, said[driven->request->kind]);
	}
}

static int go_on_in(struct arguments *arguments, struct store *store, struct driven *driven,
	struct error *error)
{
	if (driven->request) {
		const char *folder = store_run_folder(store, &arguments->arena, driven->run, error);
		enum request_fate fate = folder
			? request_send(store, folder, driven->run, driven->request, error)
			: REQUEST_UNHEARD;
		if (fate == REQUEST_TAKEN) {
			say_taken(arguments, driven);
			return EXIT_OK;
		}
		if (fate == REQUEST_REFUSED || error->kind != ERROR_NONE) {
			return EXIT_USAGE;
		}
	}
	return drive(arguments, store, driven, error);
}

int go_on(struct arguments *arguments, struct driven *driven, struct error *error)
{
	struct store_run row;
	// A folder without runs gets no store from being asked.
	struct store *store = store_open(".", STORE_READ, error);
	const char *name = driven->run ? driven->run : arguments->operands[0];
	bool found = store && store_find(store, &arguments->arena, name, &row, error);
	store_close(store);
	store = found ? store_open(".", STORE_WRITE, error) : NULL;
	if (!store) {
		return EXIT_USAGE;
	}
	driven->run = row.id;
	int code = go_on_in(arguments, store, driven, error);
	store_close(store);
	return code;
}

bool said_text(struct arguments *arguments, struct text *text, struct error *error)
{
	const char *word = arguments->operands[1];
	*text = text_of(word);
	if (word[0] == '@' &&
		!file_read(&arguments->arena, word + 1, REQUEST_TEXT_LIMIT, text, error)) {
		return false;
	}
	if (text_trim(*text).length == 0) {
		error_set(error, ERROR_USAGE, "the message is empty");
		return error_hint(error, "as in: muster tell -1 \"Keep it short.\"");
	}
	return text->length <= REQUEST_TEXT_LIMIT ||
		error_set(error, ERROR_USAGE, "the message has more than 1 MiB");
}
