/*
 * Deliberate faults. Each falsifies what passes between the core and the world (what the core is told
 * about the team, the facts it gets, the decisions it gives, the state it keeps), as a mistake in
 * the core would. The shadow sees the truth and has to notice. The core itself stays as it is.
 */
#pragma once

#include "run/state.h"
#include "team.h"

struct mutant {
	const char *name; // a sentence: what is wrong
	void (*team)(struct sim_team *told);
	void (*fact)(struct run_event *event, struct run_call_facts *calls);
	void (*decision)(const struct run_state *state, struct run_event *event);
	void (*after)(struct run_state *state, const struct run_event *event);
	void (*loaded)(struct run_state *state);
	bool takes_everything; // late and doubled facts, too
};

extern const struct mutant mutants[];
extern const size_t mutant_count;

// The core as the mutant leaves it; NULL: as it is.
void mutant_tells(const struct mutant *mutant, struct sim_team *told);
bool mutant_apply(const struct mutant *mutant, struct run_state *state,
	const struct run_rules *rules, const struct run_event *event);
bool mutant_decide(const struct mutant *mutant, const struct run_state *state,
	const struct run_rules *rules, struct run_event *event);
void mutant_loaded(const struct mutant *mutant, struct run_state *state);
