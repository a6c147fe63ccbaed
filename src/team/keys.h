/*
 * The rows of the team file's own keys. What gates, entries, tools and providers own comes from the
 * vocabulary. For src/team only.
 */
#pragma once

#include "base/key.h"

extern const struct key team_keys[];
extern const struct key config_keys[]; // of the configuration file
extern const struct key input_keys[];
extern const struct key model_keys[];
extern const struct key agent_keys[];
extern const struct key delegate_keys[];  // an entry of `sub_agents`
extern const struct key transfer_keys[];  // an entry of `handoffs`
extern const struct key gate_keys[];      // a gate in the team file
extern const struct key gate_file_keys[]; // a gate in a file of its own
extern const struct key manifest_keys[];
