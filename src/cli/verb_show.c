#include "cli/verb.h"

#include <stdio.h>

#include "cli/project.h"
#include "view/summary.h"
#include "view/summary_agent.h"

static bool find_agent(
	struct arguments *arguments, const struct team *team, const char *name, struct error *error)
{
	const char *names[TEAM_AGENTS];
	size_t count = 0;
	if (team_agent_index(team, name) != TEAM_NONE) {
		return true;
	}
	for (size_t i = 0; i < team->agent_count && i < TEAM_AGENTS; i++) {
		names[count++] = team->agents[i].name;
	}
	const char *nearest = text_nearest(text_of(name), names, count);
	error_set(error, ERROR_USAGE, "there is no agent '%s' in team '%s'",
		arguments_shown(&arguments->arena, name), team->name);
	return nearest && error_hint(error, "did you mean '%s'?", nearest);
}

static bool show(struct arguments *arguments, struct project_run *opened, const char *agent,
	struct error *error)
{
	struct summary summary;
	buffer_cleanup output = {0};
	bool json = arguments_has(arguments, "json");
	if ((agent && !find_agent(arguments, opened->team, agent, error)) ||
		!summary_read(&summary, &opened->arena, opened->store, &opened->run, opened->team,
			error)) {
		return false;
	}
	if (json) {
		struct document document;
		document_begin(&document, &output, "muster.run/1");
		summary_json(&document, &summary);
		document_end(&document);
	} else if (agent) {
		if (!summary_print_agent(&output, &summary, opened->store, agent, error)) {
			return false;
		}
	} else {
		summary_print(&output, &summary, output_colours(1));
		summary_print_gates(&output, &summary, output_colours(1));
	}
	return output_write(&output, error);
}

static int run(struct arguments *arguments, struct error *error)
{
	struct project_run opened;
	const char *agent;
	const char *name = project_run_name(arguments, arguments->operands[0], &agent);
	if (project_run_open(&opened, name, error)) {
		show(arguments, &opened, agent[0] ? agent : NULL, error);
		project_run_close(&opened);
	}
	return EXIT_OK;
}

static const struct option options[] = {OPTION_JSON, OPTION_END};

const struct verb verb_show = {
	.name = "show",
	.help = "show a run in short, or what one agent did in it",
	.usage = "RUN[/AGENT] [--json]",
	.details =
		"RUN is an id, a unique prefix of one, or -1 for the newest, -2 for the one "
		"before.\n"
		"Where a gate fails, what it expected and what it found is shown. With --json the\n"
		"whole run is shown in any case.",
	.examples = (const char *const[]){"muster show -1", "muster show -1/designer", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
