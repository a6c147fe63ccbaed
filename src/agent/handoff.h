/*
 * The handoff tools that are made from a team's edges: their names and arguments, in one place for
 * whoever lists, understands or explains them.
 */
#pragma once

#include "base/key.h"
#include "base/text.h"
#include "team/team.h"

struct handoff {
	const char *prefix;           // "delegate_to_"
	const char *argument;         // "task"
	const struct key *parameters; // ends with a row without name
	const char *before, *after;   // its description, around the agent's name
};

extern const struct handoff handoffs[]; // by enum team_edge_kind
enum { HANDOFFS = 2 };

// The agent's name in a call of a handoff tool (of either kind); false: the name is of no such tool.
bool handoff_target(struct text name, struct text *agent);
// The edge from an agent to the one with this name; TEAM_NONE: there is none.
int handoff_edge(const struct team *team, int from, struct text to);
