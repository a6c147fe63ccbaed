/* The run core's rules (run/rules.h) from a team and its compiled gates. All in the arena. */
#pragma once

#include "gate/gate.h"
#include "run/rules.h"

const struct run_rules *rules_make(struct arena *arena, const struct team *team,
	struct gate *const *gates, const int64_t *instruction_bytes);
