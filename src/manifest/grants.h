/* The manifest's extra_path_grants: folders of this machine that commands see beside the workspace. */
#pragma once

#include "manifest/manifest.h"

bool grants_check(const struct manifest_place *place, struct error *error);
