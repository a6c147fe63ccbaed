/* Runs written as rehearsals (view/recording.h), without the secrets that this process can know of. */
#pragma once

#include "cli/arguments.h"
#include "engine/engine.h"
#include "store/store.h"

// `job`: the run as it was just driven, with the keys that were used; NULL: it is over. What a command
// prints is known from there only.
bool recorded(struct buffer *yaml, struct store *store, const struct store_run *run,
	const struct team *team, const struct job *job, struct error *error);
// Can a rehearsal be saved there? Said before a run begins; nothing is overwritten.
bool recording_check(const char *path, struct error *error);
bool recording_save(const char *path, const struct buffer *yaml, struct error *error);
