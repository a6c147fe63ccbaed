#include "agent/handoff.h"

#include <string.h>

static const struct key delegate_parameters[] = {
	{"task", KEY_STRING,
		"The task in full: what is to be done, where its inputs are, what counts as done. "
		"The "
		"agent sees nothing else of this conversation.",
		.required = true, .minimum = 1, .maximum = INT64_MAX},
	{0},
};

static const struct key transfer_parameters[] = {
	{"message", KEY_STRING, "What the agent should know and do next.", .required = true,
		.minimum = 1, .maximum = INT64_MAX},
	{0},
};

const struct handoff handoffs[HANDOFFS] = {
	[EDGE_DELEGATE] = {"delegate_to_", "task", delegate_parameters,
		"Delegates a task to the agent ", "; its report comes back as the result."},
	[EDGE_TRANSFER] = {"transfer_to_", "message", transfer_parameters,
		"Hands the conversation over to the agent ", ", which goes on in your place."},
};

bool handoff_target(struct text name, struct text *agent)
{
	for (int i = 0; i < HANDOFFS; i++) {
		if (text_starts(name, handoffs[i].prefix)) {
			size_t length = strlen(handoffs[i].prefix);
			*agent = (struct text){name.data + length, name.length - length};
			return true;
		}
	}
	return false;
}

int handoff_edge(const struct team *team, int from, struct text to)
{
	for (size_t i = 0; i < team->edge_count; i++) {
		const struct team_edge *edge = &team->edges[i];
		if (edge->from == from && text_is(to, team->agents[edge->to].name)) {
			return (int)i;
		}
	}
	return TEAM_NONE;
}
