/* Ending the work on a run from outside: pause (it can be resumed) and stop (it cannot). */
#include <stdio.h>
#include <string.h>

#include "cli/driving.h"
#include "cli/project.h"
#include "cli/verb.h"

// Pausing a run that nobody drives is no error if it rests anyway.
static int pause_run(struct arguments *arguments, struct error *error)
{
	struct request request = {.kind = REQUEST_PAUSE};
	struct driven driven = {.request = &request};
	struct project_run opened;
	if (!project_run_open(&opened, arguments->operands[0], error)) {
		return EXIT_USAGE;
	}
	bool works = strcmp(opened.run.state, "running") == 0;
	if (!works && strcmp(opened.run.state, "parked") == 0) {
		if (!arguments_has(arguments, "quiet")) {
			fprintf(stderr, "run %s is parked already\n", opened.run.id);
		}
	} else if (!works) {
		error_set(error, ERROR_USAGE, "run '%s' is %s: there is nothing to pause",
			opened.run.id, opened.run.state);
	}
	project_run_close(&opened);
	return works ? go_on(arguments, &driven, error) : EXIT_OK;
}

static int stop(struct arguments *arguments, struct error *error)
{
	struct request request = {.kind = REQUEST_STOP};
	struct driven driven = {.request = &request};
	return go_on(arguments, &driven, error);
}

static const struct option options[] = {
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_pause = {
	.name = "pause",
	.help = "park a run that another process drives",
	.usage = "RUN",
	.details = "RUN is an id, a unique prefix of one, or -1 for the newest. As the first "
		   "Ctrl-C\n"
		   "there: nothing new is begun, what is under way may finish, nothing is lost.",
	.examples = (const char *const[]){"muster pause -1   # 'muster resume -1' goes on", NULL},
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = pause_run,
};

const struct verb verb_stop = {
	.name = "stop",
	.help = "cancel a run for good",
	.usage = "RUN [--json]",
	.details = "RUN is an id, a unique prefix of one, or -1 for the newest. What is under way "
		   "is\n"
		   "cut short, the workspace is recorded, and the run is cancelled, whether a\n"
		   "process drives it or not. Its journal and its artifacts stay.",
	.examples = (const char *const[]){"muster stop -1", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = stop,
};
