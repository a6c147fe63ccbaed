/*
 * A team as a plan, without running it: who may hand work to whom, what each handoff needs and each
 * agent has to leave behind, with which tools, and how much a run can use at most.
 */
#pragma once

#include "team/team.h"

// Upper bounds of a run; 0: nothing bounds it. A limit may be exceeded by the calls that are under
// way when it is hit, at most `concurrency` of them.
struct plan_bounds {
	int64_t turns, tokens, tool_calls, handoffs;
	int64_t nano_usd;
	int64_t milliseconds; // of working time
	int64_t concurrency, depth;
	const char *turns_from, *tokens_from,
		*usd_from; // which key of the team file says so; or NULL
};

void plan_bounds(const struct team *team, struct plan_bounds *bounds);
void plan_print(struct buffer *buffer, const struct team *team);
void plan_json(struct buffer *buffer, const struct team *team);
