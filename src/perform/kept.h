/*
 * The snapshot that a run's workspace can be restored from: a file in the run's folder. It holds for
 * one step of the history; once more is recorded, the history is nearer to what was there.
 */
#pragma once

#include "snapshot/snapshot.h"

struct kept_snapshot {
	const char *id;     // NULL: there is none
	const char *commit; // of the history, 40 digits; "": of a run that has recorded nothing
	const char *fingerprint; // see snapshot_make(); NULL: none
};

// A file that is not there is no error.
bool kept_read(
	const char *folder, struct arena *arena, struct kept_snapshot *kept, struct error *error);
bool kept_write(const char *folder, const struct kept_snapshot *kept, struct error *error);
