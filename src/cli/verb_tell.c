#include "cli/driving.h"
#include "cli/project.h"
#include "cli/verb.h"

static int run(struct arguments *arguments, struct error *error)
{
	struct request request = {.kind = REQUEST_TELL};
	struct driven driven = {.request = &request};
	driven.run = project_run_name(arguments, arguments->operands[0], &request.agent);
	if (!said_text(arguments, &request.text, error)) {
		return EXIT_USAGE;
	}
	return go_on(arguments, &driven, error);
}

static const struct option options[] = {
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_tell = {
	.name = "tell",
	.help = "say something to a run, or to one of its agents",
	.usage = "RUN[/AGENT] TEXT|@FILE [--json]",
	.details = "RUN is an id, a unique prefix of one, or -1 for the newest. The manager, or an "
		   "agent that\n"
		   "is at work, gets the message before its next model call; what is under way is "
		   "not\n"
		   "interrupted. A run that waits, was interrupted or is done goes on with it: for "
		   "one\n"
		   "that is done it is a new task of the manager, who knows what was said before.",
	.examples = (const char *const[]){"muster tell -1 \"Now add a dark mode.\"",
		"muster tell web-app-k3/writer @notes.md   # one agent that is at work", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 2,
	.maximum = 2,
	.run = run,
};
