#include "agent/instructions.h"

static void add_gates(struct buffer *text, const struct team *team, const int *gates, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct team_gate *gate = &team->gates[gates[i]];
		buffer_printf(text, "%s%s", i ? ", " : "", gate->name);
		if (gate->description && gate->description[0]) {
			buffer_printf(text, " (%s)", gate->description);
		}
	}
}

static void add_handoffs(struct buffer *text, const struct team *team, int agent)
{
	bool first = true;
	for (size_t i = 0; i < team->edge_count; i++) {
		const struct team_edge *edge = &team->edges[i];
		const struct team_agent *target = &team->agents[edge->to];
		const char *description =
			edge->description ? edge->description : target->description;
		if (edge->from != agent) {
			continue;
		}
		if (first) {
			buffer_add_string(text,
				"\n## Handing work on\n\n"
				"A handoff goes through only when what it needs is in the "
				"workspace; it is checked, and a refusal says what is missing. "
				"Several delegations in one answer run side by side.\n\n");
			first = false;
		}
		buffer_printf(text, "- `%s_%s`: %s",
			edge->kind == EDGE_DELEGATE ? "delegate_to" : "transfer_to", target->name,
			description ? description : target->name);
		if (edge->need_count) {
			buffer_add_string(text, " Needs: ");
			add_gates(text, team, edge->needs, edge->need_count);
			buffer_add_string(text, ".");
		}
		buffer_add_string(text, "\n");
	}
}

void instructions_build(
	struct buffer *text, const struct team *team, const struct team_values *values, int agent)
{
	arena_cleanup arena = {0};
	const struct team_agent *self = &team->agents[agent];
	struct text own = text_of(self->instructions ? self->instructions : "");
	struct text substituted = team_substitute(&arena, team, values, own);
	buffer_add_text(text, text_trim(substituted));
	buffer_printf(text,
		"\n\n# How this team works\n\n"
		"You are `%s` in the team `%s`. All agents share one workspace; paths are relative "
		"to its root. Only files in the workspace count as work done.\n",
		self->name, team->name);
	if (self->output_count) {
		buffer_add_string(text, "\nYour work counts as done only when these hold: ");
		add_gates(text, team, self->outputs, self->output_count);
		buffer_add_string(text,
			". `check_outputs` tells you how they stand. When all is done, answer with "
			"a short report and no call.\n");
	}
	if (self->writes_declared) {
		buffer_add_string(text, "\nYou may write only: ");
		for (size_t i = 0; i < self->writes.count; i++) {
			buffer_printf(text, "%s%s", i ? ", " : "", self->writes.items[i]);
		}
		buffer_add_string(text, self->writes.count ? ".\n" : "nothing.\n");
	}
	add_handoffs(text, team, agent);
}
