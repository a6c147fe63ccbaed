#include "cli/verb.h"

#include <time.h>

#include "cli/project.h"
#include "engine/lock.h"
#include "view/log.h"

// The lines are written as they come: a log may be long.
struct writing {
	struct error *error;
	struct buffer pending;
	const char *folder; // of the run
	bool over;          // nobody drives the run any more
};

enum { WRITE_SIZE = 32 * 1024, FOLLOW_PAUSE = 100 /* milliseconds */ };

static bool flush(struct writing *writing)
{
	bool fine = output_write(&writing->pending, writing->error);
	buffer_clear(&writing->pending);
	return fine;
}

static bool write_lines(void *data, struct text lines)
{
	struct writing *writing = data;
	buffer_add_text(&writing->pending, lines);
	return writing->pending.length < WRITE_SIZE || flush(writing);
}

// For --follow: as long as some process drives the run, and once more after that.
static bool wait_for_more(void *data)
{
	static const struct timespec pause = {0, FOLLOW_PAUSE * 1000000L};
	struct writing *writing = data;
	if (!flush(writing) || writing->over) {
		return false;
	}
	writing->over = !run_is_driven(writing->folder);
	if (!writing->over) {
		nanosleep(&pause, NULL);
	}
	return true;
}

static int run(struct arguments *arguments, struct error *error)
{
	struct project_run opened;
	if (!project_run_open(&opened, arguments->operands[0], error)) {
		return EXIT_FAILED;
	}
	bool follows = arguments_has(arguments, "follow");
	struct writing writing = {.error = error,
		.folder = store_run_folder(opened.store, &opened.arena, opened.run.id, error)};
	struct log_settings settings = {.form = arguments_has(arguments, "json") ? LOG_JSON
			: arguments_has(arguments, "events")                     ? LOG_EVENTS
										 : LOG_TOLD,
		.colours = output_colours(1),
		.write = write_lines,
		.wait = follows ? wait_for_more : NULL,
		.data = &writing};
	if (log_print(opened.store, &opened.run, opened.team, &settings, error) &&
		error->kind == ERROR_NONE) {
		flush(&writing);
	}
	buffer_finish(&writing.pending);
	project_run_close(&opened);
	return EXIT_OK;
}

static const struct option options[] = {
	{"follow", 'f', NULL, false, COMPLETE_NOTHING, "go on until the run ends or parks"},
	{"events", 'e', NULL, false, COMPLETE_NOTHING, "every event with its fields"},
	{"json", 0, NULL, false, COMPLETE_NOTHING, "every event as a line of JSON (docs/json.md)"},
	OPTION_END,
};

const struct verb verb_log = {
	.name = "log",
	.help = "tell what happened in a run",
	.usage = "RUN [--follow] [--events|--json]",
	.details = "RUN is an id, a unique prefix of one, or -1 for the newest, -2 for the one "
		   "before.",
	.examples = (const char *const[]){"muster log -1", "muster log -f -1   # as it happens",
		"muster log --events hello-3",
		"muster log --json -1 | jq 'select(.kind == \"gate.checked\")'", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
