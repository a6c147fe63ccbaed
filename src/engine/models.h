/*
 * The models of a team, ready to be asked. Private to src/engine/.
 */
#pragma once

#include "engine/secrets.h"
#include "model/model.h"
#include "team/team.h"

// What is needed to ask the team's models (by their number), with keys from where the team says.
// False, with a remedy, if one that an agent or a fallback uses cannot be asked. `secrets` NULL: a
// rehearsal, nothing has to be there. In the arena.
bool models_prepare(struct arena *arena, const struct team *team, struct secrets *secrets,
	struct model_settings **settings, struct error *error);
