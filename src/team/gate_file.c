#include <stdlib.h>

#include "team/loader.h"

struct team *team_load_gate(
	const char *path, const struct vocabulary *vocabulary, struct team_report *report)
{
	struct team *team = memory_alloc(sizeof(*team));
	struct loader loader = {.team = team,
		.arena = &team->arena,
		.vocabulary = vocabulary,
		.report = report,
		.folder = "."};
	*report = (struct team_report){0};
	team->path = arena_string(&team->arena, path);
	team->name = "";
	team->manager = TEAM_NONE;
	// As if a team said `gates: {use: PATH}`.
	struct yaml_position start = {team->path, 1, 1};
	struct yaml_pair use = {TEXT("use"), start,
		{.kind = YAML_STRING, .position = start, .text = text_of(team->path)}};
	struct yaml_node gates = {.kind = YAML_MAP, .position = start, .count = 1, .pairs = &use};
	load_gates(&loader, &gates);
	report_sort(report, team->path);
	if (report->mistakes || team->gate_count == 0) {
		team_destroy(team);
		return NULL;
	}
	return team;
}
