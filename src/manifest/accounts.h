/*
 * The manifest's users and groups: made in the sandbox before the first entry is put there, where the
 * driver has more than one user (SANDBOX_USERS). Elsewhere only the driver's own user can be named.
 */
#pragma once

#include "manifest/manifest.h"

// [a-z_][a-z0-9_-]*, at most 32 bytes, as useradd(8) has it.
bool account_name_check(struct text name, struct error *error);
// Can commands and files of this driver belong to this user or group?
bool account_available(const struct sandbox_driver *driver, const char *name, struct error *error);
// Users and groups of the manifest, and those of agents (run_as).
bool accounts_check(const struct manifest_place *place, struct error *error);
// Makes them; those that are there already are fine.
bool accounts_make(const struct manifest_place *place, struct error *error);
// Gives what lies at the path to the group.
bool account_give(const struct manifest_place *place, struct text path, const char *group,
	struct error *error);
