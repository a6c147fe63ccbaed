/*
 * The parts of run_decide() that its files share. Private to src/run/. Each looks at the state and
 * either fills in *event (DECIDED), or has to wait for an event (WAIT), or has nothing to say
 * (GO_ON).
 */
#pragma once

#include "run/state.h"

enum decision { GO_ON, WAIT, DECIDED };

bool decide_event(
	struct run_event *event, enum run_event_kind kind, uint32_t branch, uint32_t code);
bool decide_command(const struct run_state *state, struct run_event *event, uint32_t branch,
	enum run_command_kind kind);
// Does this fit into the limits of the run, the branch's agent and its ancestors? DECIDED: no, and
// *event says which limit was reached.
enum decision decide_room(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, const struct run_use *wanted, struct run_event *event);
// Is there a place for this branch to work now (max_concurrency)? RUN_NONE: for one more branch.
bool decide_place(const struct run_state *state, uint32_t branch);
// Works off a list of checks; GO_ON: all are decided, *holds says how.
enum decision decide_checks(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, uint32_t call, bool *holds, struct run_event *event);
// Some checks fail: another attempt, or the policy of the strictest gate.
enum decision decide_refusal(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, uint32_t call, struct run_event *event);
enum decision decide_used_up(const struct run_state *state, enum team_policy policy,
	uint32_t branch, uint32_t call, struct run_event *event);
// The calls of an answer: tools, then the record, then handoffs.
enum decision decide_act(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, struct run_event *event);
