#include "cli/driving.h"
#include "cli/verb.h"
#include "cli/vocabulary.h"

static int run(struct arguments *arguments, struct error *error)
{
	bool rehearsal = arguments_has(arguments, "rehearse");
	bool quiet = arguments_has(arguments, "quiet");
	struct team *team = team_open(arguments->operands[0], rehearsal, quiet, error);
	if (!team) {
		return EXIT_USAGE;
	}
	struct store *store = store_open(".", STORE_WRITE, error);
	if (!store) {
		team_destroy(team);
		return EXIT_FAILED;
	}
	size_t input_count;
	const char **inputs = arguments_values(arguments, "input", &input_count);
	struct engine_start start = {.team = team,
		.inputs = inputs,
		.input_count = input_count,
		.rehearsal = arguments_value(arguments, "rehearse"),
		.sandbox = arguments_value(arguments, "sandbox")};
	struct driven driven = {.start = &start};
	int code = drive(arguments, store, &driven, error);
	store_close(store);
	return code;
}

static const struct option options[] = {
	{"input", 'i', "NAME=VALUE", true, COMPLETE_FILE,
		"an input of the team; NAME=@FILE takes it from a file"},
	{"rehearse", 'r', "FILE", false, COMPLETE_FILE,
		"play recorded model answers (docs/rehearsal.md)"},
	{"sandbox", 's', "PROVIDER", false, COMPLETE_SANDBOX,
		"run commands there, not where the team file says"},
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_run = {
	.name = "run",
	.help = "run a team",
	.usage = "TEAM [-i NAME=VALUE]... [--rehearse FILE] [--sandbox PROVIDER] [--json]",
	.details = "TEAM is a file or the name of a canned team. Progress goes to standard error, "
		   "the\n"
		   "result to standard output. The exit code says how the run ended\n"
		   "(docs/exit-codes.md). Ctrl-C parks the run; a second Ctrl-C ends it at once.\n"
		   "A parked run goes on with 'muster resume'.",
	.examples = (const char *const[]){"muster run team.yaml -i topic=tides",
		"muster run hello --rehearse samples/hello/rehearsal.yaml",
		"muster run web-app -i brief=@brief.md --quiet --json > result.json", NULL},
	.options = options,
	.completion = COMPLETE_TEAM,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
