#include "cli/verb.h"

#include <string.h>

#include "cli/project.h"
#include "view/summary.h"

// Artifacts are written by agents, and by a few who are none.
static bool check_agent(struct arguments *arguments, const struct team *team, const char *agent,
	struct error *error)
{
	const char *names[TEAM_AGENTS + 3] = {"manifest", "several", "user"};
	size_t count = 3;
	for (size_t i = 0; i < team->agent_count && i < TEAM_AGENTS; i++) {
		names[count++] = team->agents[i].name;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], agent) == 0) {
			return true;
		}
	}
	const char *nearest = text_nearest(text_of(agent), names, count);
	error_set(error, ERROR_USAGE, "there is no agent '%s' in team '%s'",
		arguments_shown(&arguments->arena, agent), team->name);
	return nearest && error_hint(error, "did you mean '%s'?", nearest);
}

static int run(struct arguments *arguments, struct error *error)
{
	struct project_run opened;
	struct summary summary;
	const char *agent = arguments_value(arguments, "agent");
	bool all = arguments_has(arguments, "all");
	buffer_cleanup output = {0};
	if (!project_run_open(&opened, arguments->operands[0], error)) {
		return EXIT_FAILED;
	}
	if ((!agent || check_agent(arguments, opened.team, agent, error)) &&
		summary_read(
			&summary, &opened.arena, opened.store, &opened.run, opened.team, error)) {
		if (arguments_has(arguments, "json")) {
			struct document document;
			document_begin(&document, &output, "muster.artifacts/1");
			document_string(&document, "run", opened.run.id);
			summary_artifacts_json(&document, &summary, agent, all);
			document_end(&document);
		} else {
			summary_print_artifacts(&output, &summary, agent, all);
		}
		output_write(&output, error);
	}
	project_run_close(&opened);
	return EXIT_OK;
}

static const struct option options[] = {
	{"agent", 'a', "NAME", false, COMPLETE_NOTHING, "only those that this agent wrote last"},
	{"all", 0, NULL, false, COMPLETE_NOTHING, "also what the manifest put there"},
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_artifacts = {
	.name = "artifacts",
	.help = "list what a run made: who wrote it, its size, what the gates said",
	.usage = "RUN [--agent NAME] [--all] [--json]",
	.details = "RUN is an id, a unique prefix of one, or -1 for the newest, -2 for the one "
		   "before.",
	.examples = (const char *const[]){"muster artifacts -1",
		"muster artifacts -1 --agent designer", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
