#include "cli/verb.h"

#include <string.h>

#include "cli/vocabulary.h"
#include "view/graph.h"

static const struct graph_format *find_format(
	struct arguments *arguments, const char *name, struct error *error)
{
	for (const struct graph_format *format = graph_formats; format->name; format++) {
		if (strcmp(format->name, name) == 0) {
			return format;
		}
	}
	error_set(error, ERROR_USAGE, "there is no graph format '%s'",
		arguments_shown(&arguments->arena, name));
	error_hint(error, "there are 'mermaid' and 'dot'");
	return NULL;
}

static int run(struct arguments *arguments, struct error *error)
{
	const char *name = arguments_value(arguments, "format");
	const struct graph_format *format =
		name ? find_format(arguments, name, error) : &graph_formats[0];
	if (!format) {
		return EXIT_USAGE;
	}
	bool quiet = arguments_has(arguments, "quiet");
	struct team *team = team_open(arguments->operands[0], NULL, false, quiet, error);
	if (!team) {
		return EXIT_USAGE;
	}
	buffer_cleanup output = {0};
	format->print(&output, team);
	team_destroy(team);
	output_write(&output, error);
	return EXIT_OK;
}

static const struct option options[] = {
	{"format", 'f', "FORMAT", false, COMPLETE_FORMAT, "mermaid (default) or dot"},
	OPTION_END,
};

const struct verb verb_graph = {
	.name = "graph",
	.help = "draw a team: agents, handoffs, and the gates before them",
	.usage = "TEAM [--format mermaid|dot]",
	.examples = (const char *const[]){"muster graph web-app",
		"muster graph --format dot team.yaml | dot -Tsvg > team.svg", NULL},
	.options = options,
	.completion = COMPLETE_TEAM,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
