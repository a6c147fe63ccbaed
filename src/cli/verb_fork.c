/* A fork: a run goes on as another one, from one of its turns, or somewhere else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/config.h"
#include "cli/driving.h"
#include "cli/verb.h"
#include "engine/lock.h"

enum { PAUSE_MOST = 60 /* seconds for calls under way to finish */ };

// RUN or RUN@TURN.
static bool read_point(
	struct arguments *arguments, const char **name, int64_t *turn, struct error *error)
{
	const char *operand = arguments->operands[0], *at = strrchr(operand, '@');
	char *end = NULL;
	*name = operand;
	*turn = -1;
	if (!at) {
		return true;
	}
	*turn = strtoll(at + 1, &end, 10);
	if (!at[1] || *end || *turn < 0) {
		error_set(error, ERROR_USAGE, "'%s' is no turn",
			arguments_shown(&arguments->arena, at + 1));
		return error_hint(error, "as in 'muster fork -1@3'; 0 is before the first");
	}
	*name = arena_copy(&arguments->arena, operand, (size_t)(at - operand));
	return true;
}

// What is to be taken along as it is now must not change meanwhile.
static bool pause_run(
	struct arguments *arguments, struct store *store, const char *run, struct error *error)
{
	static const struct request request = {.kind = REQUEST_PAUSE};
	static const struct timespec moment = {0, 100 * 1000000L};
	const char *folder = store_run_folder(store, &arguments->arena, run, error);
	if (!folder || !run_is_driven(folder)) {
		return folder != NULL;
	}
	struct error ignored = {0}; // it may be parking already
	request_send(store, folder, run, &request, &ignored);
	if (!arguments_has(arguments, "quiet")) {
		fprintf(stderr, "run %s is pausing: what is under way may finish\n", run);
	}
	for (int i = 0; run_is_driven(folder) && i < PAUSE_MOST * 10; i++) {
		nanosleep(&moment, NULL);
	}
	if (run_is_driven(folder)) {
		error_set(error, ERROR_UNAVAILABLE, "run '%s' does not come to rest", run);
		return error_hint(error, "fork it at one of its turns: %s@TURN", run);
	}
	return true;
}

// Somebody has to say what an ended run is to go on with.
static bool check_state(const struct store_run *run, const struct engine_fork *fork,
	const struct request *request, struct error *error)
{
	bool done = strcmp(run->state, "done") == 0;
	if (fork->turn >= 0 || strcmp(run->state, "parked") == 0 ||
		strcmp(run->state, "running") == 0 || (done && request)) {
		return true;
	}
	error_set(error, ERROR_USAGE, "run '%s' is %s", run->id, run->state);
	return error_hint(error, "fork it at a turn, as in %s@%lld%s", run->id,
		(long long)(run->turns > 1 ? run->turns - 1 : 0),
		done ? ", or say with --tell what is to be done now" : "");
}

static int fork_in(struct arguments *arguments, struct store *store, struct engine_fork *fork,
	struct error *error)
{
	struct store_run run;
	struct request told = {.kind = REQUEST_TELL, .agent = ""};
	const char *message = arguments_value(arguments, "tell");
	struct driven driven = {.fork = fork, .stays = arguments_has(arguments, "no-run")};
	if (message) {
		told.text = text_of(message);
		driven.request = &told;
	}
	fork->sandbox = config_sandbox(arguments);
	if (!store_find(store, &arguments->arena, fork->run, &run, error)) {
		return EXIT_USAGE;
	}
	fork->run = run.id;
	if (!check_state(&run, fork, driven.request, error) ||
		!driving_raises(arguments, &driven.raise, error) ||
		!config_sandbox_options(arguments, &fork->sandbox_options, error)) {
		return EXIT_USAGE;
	}
	if (fork->turn < 0 && !pause_run(arguments, store, run.id, error)) {
		return EXIT_UNAVAILABLE;
	}
	int code = drive(arguments, store, &driven, error);
	if (driven.stays && driven.run) {
		printf("%s\n", driven.run);
	}
	return code;
}

static int run(struct arguments *arguments, struct error *error)
{
	struct engine_fork fork = {0};
	if (!read_point(arguments, &fork.run, &fork.turn, error)) {
		return EXIT_USAGE;
	}
	// A folder without runs gets no store from being asked.
	struct store *store = store_open(".", STORE_READ, error);
	store_close(store);
	store = store ? store_open(".", STORE_WRITE, error) : NULL;
	if (!store) {
		return EXIT_USAGE;
	}
	int code = fork_in(arguments, store, &fork, error);
	store_close(store);
	return code;
}

static const struct option options[] = {
	OPTIONS_SANDBOX("go on there"),
	{"tell", 0, "TEXT", false, COMPLETE_NOTHING, "say this to the manager of the fork"},
	{"no-run", 0, NULL, false, COMPLETE_NOTHING,
		"only make it, and print its id; 'muster resume' goes on with it"},
	OPTIONS_RAISE,
	OPTION_VERBOSE,
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_fork = {
	.name = "fork",
	.help = "go on with a run as another one, from a turn of it or somewhere else",
	.usage = "RUN[@TURN] [--sandbox PROVIDER [--sandbox-option NAME=VALUE]...] [--tell TEXT]\n"
		 "                   [--no-run] [--max-turns +N]... [--json]",
	.details =
		"RUN is an id, a unique prefix of one, or -1 for the newest. With a turn, the "
		"fork has\n"
		"the conversations, the workspace and its history as they were after that turn, as "
		"far\n"
		"as the history holds them (docs/snapshots.md); RUN is not touched. Without one, "
		"RUN is\n"
		"paused if it is at work, and the fork goes on with its workspace as it is now, "
		"byte\n"
		"for byte.",
	.examples =
		(const char *const[]){"muster fork -1 --sandbox docker   # go on in a container",
			"muster fork web-app-k3@12          # another try, from turn 12",
			"muster fork -1@4 --tell \"Use SQLite, not files.\"", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
