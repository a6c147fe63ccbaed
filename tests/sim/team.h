/* A random team, as numbers (run/rules.h). */
#pragma once

#include "choices.h"
#include "run/rules.h"

enum { SIM_AGENTS = 12, SIM_EDGES = 48, SIM_GATES = 10, SIM_GATES_EACH = 3 };

struct sim_team {
	struct run_rules rules;
	struct run_agent agents[SIM_AGENTS];
	struct run_edge edges[SIM_EDGES];
	struct run_gate gates[SIM_GATES];
	uint32_t outputs[SIM_AGENTS][SIM_GATES_EACH];
	uint32_t needs[SIM_EDGES][SIM_GATES_EACH];
};

void sim_team_make(struct sim_team *team, struct choices *choices);
// The arrays of the copy are its own.
void sim_team_copy(struct sim_team *to, const struct sim_team *from);
