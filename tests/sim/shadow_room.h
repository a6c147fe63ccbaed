/* Room for what is wanted: limits with their reservations, places of max_concurrency, stops. */
#pragma once

#include "shadow.h"

bool shadow_is_handoff(const struct shadow_call *call);
bool shadow_is_stopped(const struct shadow *shadow); // nothing new may be started
uint32_t shadow_commands_open(
	const struct shadow *shadow, uint32_t branch, enum run_command_kind kind);
bool shadow_at_work(const struct shadow *shadow, uint32_t branch);
// Is there a place for this branch, beside the others that are at work?
bool shadow_place_left(const struct shadow *shadow, uint32_t branch);
bool shadow_fits_everywhere(
	const struct shadow *shadow, uint32_t branch, const struct run_use *wanted);
// What the branch's next request has to reserve.
struct run_use shadow_request_use(
	const struct shadow *shadow, uint32_t branch, const struct run_state *state);
// RUN_NONE: the run's own limit.
bool shadow_limit_is_reached(const struct shadow *shadow, uint32_t branch, enum run_limit limit,
	const struct run_use *wanted);
