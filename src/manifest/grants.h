/*
 * The manifest's extra_path_grants: folders of this machine that commands see beside the workspace.
 * They are taken from the team file alone, which a person chose to run; a manifest that came from
 * elsewhere cannot grant itself anything (as in the Agents SDK, where only code can).
 */
#pragma once

#include "manifest/manifest.h"

// May they be carried out, as far as can be told before the start?
bool grants_check(const struct manifest_place *place, struct error *error);
