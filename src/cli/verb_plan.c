#include "cli/verb.h"

#include "cli/config.h"
#include "cli/vocabulary.h"
#include "view/plan.h"

static int run(struct arguments *arguments, struct error *error)
{
	buffer_cleanup output = {0};
	bool quiet = arguments_has(arguments, "quiet");
	struct config config;
	if (!config_read(&arguments->arena, &config, error)) {
		return EXIT_USAGE;
	}
	struct team_choices choices = config_choices(arguments, &config);
	struct team *team = team_open(arguments->operands[0], &choices, false, quiet, error);
	if (!team) {
		return EXIT_USAGE;
	}
	if (arguments_has(arguments, "json")) {
		plan_json(&output, team);
	} else {
		plan_print(&output, team);
	}
	team_destroy(team);
	output_write(&output, error);
	return EXIT_OK;
}

static const struct option options[] = {OPTION_MODEL, OPTION_JSON, OPTION_END};

const struct verb verb_plan = {
	.name = "plan",
	.help = "show who may hand work to whom, what each handoff needs, and upper bounds",
	.usage = "TEAM [--model NAME]... [--json]",
	.details = "Nothing is run and no model is asked.",
	.examples =
		(const char *const[]){"muster plan web-app", "muster plan --json team.yaml", NULL},
	.options = options,
	.completion = COMPLETE_TEAM,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
