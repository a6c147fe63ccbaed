/* What stands before a handoff or a completion, and what it means when it fails. */
#pragma once

#include "shadow.h"

// The gates before a call's handoff, or (RUN_NONE) before the branch's completion, as bits.
uint32_t shadow_gates_before(const struct shadow *shadow, uint32_t branch, uint32_t call);
// Do all of them hold, on the newest tree that matters to them, but for what a person has to say?
bool shadow_gates_ask(const struct shadow *shadow, uint32_t branch, uint32_t call);
bool shadow_gates_pass(const struct shadow *shadow, uint32_t branch, uint32_t call);
bool shadow_gates_fail(const struct shadow *shadow, uint32_t branch, uint32_t call); // and decided
bool shadow_still_writing(
	const struct shadow *shadow, uint32_t branch, uint32_t call, uint32_t agent);
bool shadow_any_writing(const struct shadow *shadow, uint32_t branch, uint32_t call);
// May it be tried again, or has this policy to decide?
bool shadow_retry_left(const struct shadow *shadow, uint32_t branch, uint32_t call);
bool shadow_write_retry_left(
	const struct shadow *shadow, uint32_t branch, uint32_t call, uint32_t agent);
bool shadow_used_up(
	const struct shadow *shadow, uint32_t branch, uint32_t call, enum team_policy policy);
// Retries that empty, cut, refused and repeated answers and writes outside spend.
int64_t shadow_own_retries(const struct shadow *shadow, uint32_t branch);
// A handoff (or, RUN_NONE, a completion) is looked at now: may it be? NULL: a rule is broken.
struct shadow_list *shadow_looked_at(struct shadow *shadow, const struct run_event *event);
struct shadow_list *shadow_gate_looked_at(struct shadow *shadow, const struct run_event *event);
