#include "cli/driving.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/recorded.h"
#include "cli/showing.h"
#include "cli/verb.h"
#include "cli/vocabulary.h"
#include "view/summary.h"

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

static void say_fork(struct arguments *arguments, const struct driven *driven)
{
	if (driven->run && !arguments_has(arguments, "quiet")) {
		fprintf(stderr, "run %s is a fork of %s\n", driven->run, driven->fork->run);
	}
}

int drive(struct arguments *arguments, struct store *store, struct driven *driven,
	struct error *error)
{
	struct config read;
	const struct config *config = driven->config;
	struct showing showing;
	int code = EXIT_FAILED;
	if (!config) {
		if (!config_read(&arguments->arena, &read, error)) {
			return code;
		}
		config = &read;
	}
	showing_init(&showing, config, arguments_has(arguments, "quiet"),
		arguments_has(arguments, "verbose"));
	struct engine_watcher watcher = showing_watcher(&showing);
	struct engine *engine = engine_create(store, &watcher, error);
	if (!engine) {
		team_destroy(driven->start ? driven->start->team : NULL);
		showing_finish(&showing);
		return code;
	}
	driving_interruptible(engine);
	if (driven->fork) {
		driven->run =
			engine_fork(engine, driven->fork, vocabulary(), &arguments->arena, error);
		say_fork(arguments, driven);
	}
	struct job *job = driven->fork && (!driven->run || driven->stays) ? NULL
		: driven->start ? engine_add(engine, driven->start, error)
				: engine_resume(engine, driven->run, vocabulary(), &driven->raise,
					  driven->request, error);
	bool driven_to_rest = job && engine_drive(engine, error);
	showing_end(&showing);
	if (driven_to_rest) {
		driven->run = arena_string(&arguments->arena, job_id(job));
		code = run_exit_code(job_state(job));
		print_reason(arguments, job, code);
		print_summary(arguments, store, config, job, error);
		if (driven->recording && error->kind == ERROR_NONE) {
			record(arguments, store, driven->recording, job, error);
		}
	}
	if (driven->stays && driven->run) {
		code = EXIT_OK;
	}
	driving_interruptible(NULL);
	engine_destroy(engine);
	showing_finish(&showing);
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
