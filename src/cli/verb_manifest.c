#include "cli/verb.h"

#include <stdio.h>

#include "cli/vocabulary.h"
#include "manifest/manifest.h"

static int check(struct arguments *arguments, const struct team *team, struct error *error)
{
	size_t count;
	struct team_values values = {0};
	const char **given = arguments_values(arguments, "input", &count);
	const char *provider = arguments_value(arguments, "sandbox");
	struct manifest_place place = {.team = team,
		.values = &values,
		.arena = &arguments->arena,
		.driver = sandbox_driver_find(provider ? provider : team->sandbox.provider)};
	if (!place.driver) {
		error_set(error, ERROR_USAGE, "there is no sandbox provider '%s'",
			arguments_shown(
				&arguments->arena, provider ? provider : team->sandbox.provider));
		error_hint(error, "'muster providers' lists what there is");
		return EXIT_USAGE;
	}
	if (!team_inputs(&arguments->arena, team, given, count, &values, error) ||
		!manifest_check(&place, error)) {
		return error_exit_code(error);
	}
	if (!arguments_has(arguments, "quiet")) {
		fprintf(stderr, "the workspace can be filled\n");
	}
	return EXIT_OK;
}

static int run(struct arguments *arguments, struct error *error)
{
	bool quiet = arguments_has(arguments, "quiet");
	struct team *team = team_open(arguments->operands[0], NULL, true, quiet, error);
	if (!team) {
		return EXIT_USAGE;
	}
	int code = EXIT_OK;
	if (arguments_has(arguments, "check")) {
		code = check(arguments, team, error);
	} else {
		buffer_cleanup json = {0};
		manifest_print(&json, team);
		buffer_add_char(&json, '\n');
		output_write(&json, error);
	}
	team_destroy(team);
	return code;
}

static const struct option options[] = {
	{"check", 'c', NULL, false, COMPLETE_NOTHING,
		"look whether it can be carried out; print nothing"},
	{"input", 'i', "NAME=VALUE", true, COMPLETE_FILE, "with --check: an input of the team"},
	{"sandbox", 's', "PROVIDER", false, COMPLETE_SANDBOX,
		"with --check: there, not where the team file says"},
	OPTION_END,
};

const struct verb verb_manifest = {
	.name = "manifest",
	.help = "print what lies in a team's workspace at the start",
	.usage = "TEAM [--check [-i NAME=VALUE]... [--sandbox PROVIDER]]",
	.details = "Prints the team's manifest as the OpenAI Agents SDK serialises it\n"
		   "(docs/manifest.md). With --check it looks at all sources instead: missing or\n"
		   "too large files, links that lead out, what the sandbox cannot do.",
	.examples = (const char *const[]){"muster manifest web-app > workspace.json",
		"muster manifest --check team.yaml -i project=shop", NULL},
	.options = options,
	.completion = COMPLETE_TEAM,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
