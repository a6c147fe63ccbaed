/*
 * The team as the run core needs it: numbers only, no text. Agents, edges and gates have the same
 * indices as in struct team (team/team.h). Whoever fills it in (engine/rules.c from a team file, the
 * simulator at random) owns the arrays and keeps them unchanged while a run uses them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "team/team.h"

enum { RUN_FAULT_RETRIES = 3 }; // of an assignment without outputs: empty, cut, repeated answers

struct run_gate {
	int32_t retries; // further attempts after the first
	enum team_policy then;
	bool per_assignment; // its verdict depends on the assignment and is never reused
	uint64_t writers;    // agents whose declared `writes:` could touch a path that it reads
};

struct run_edge {
	enum team_edge_kind kind;
	uint32_t from, to;
	const uint32_t *needs; // gates
	uint32_t need_count;
	int32_t retries; // -1: the gates' own
};

struct run_agent {
	const uint32_t *outputs; // gates
	uint32_t output_count;
	struct team_limits limits;
	uint64_t overlaps;         // agents (itself too) whose writes may overlap with its own
	int64_t instruction_bytes; // of its instructions and tools, sent with each request
	int64_t max_output_tokens;
	int64_t price_input, price_cached, price_output; // nano-dollars per million tokens
	bool remembers;
};

struct run_rules {
	const struct run_agent *agents; // at most 64: sets of agents are bits of a uint64_t
	uint32_t agent_count;
	const struct run_edge *edges;
	uint32_t edge_count;
	const struct run_gate *gates;
	uint32_t gate_count;
	uint32_t manager;
	struct team_limits limits;
};

static inline uint64_t run_agent_bit(uint32_t agent)
{
	return UINT64_C(1) << agent;
}
