#include "cli/verb.h"

#include "cli/driving.h"

static int run(struct arguments *arguments, struct error *error)
{
	struct driven driven = {0};
	if (!driving_raises(arguments, &driven.raise, error)) {
		return EXIT_USAGE;
	}
	return go_on(arguments, &driven, error);
}

static const struct option options[] = {
	OPTIONS_RAISE,
	OPTION_VERBOSE,
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_resume = {
	.name = "resume",
	.help = "go on with a run that parked or was killed",
	.usage = "RUN [--max-turns +N] [--max-tokens +N] [--timeout +TIME]... [--json]",
	.details =
		"RUN is an id, a unique prefix of one, or -1 for the newest. The run goes on with "
		"the\n"
		"team, the inputs and the rehearsal that it was started with. What was under way "
		"is "
		"asked\n"
		"again; a tool call that may have changed something is not repeated: the agent is "
		"told\n"
		"that it was interrupted.",
	.examples = (const char *const[]){"muster resume -1",
		"muster resume web-app-k3 --max-turns +50   # after a limit was reached", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
