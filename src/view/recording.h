/*
 * A run written as a rehearsal (docs/rehearsal.md): what the models answered, in their order, so that
 * it can be played again without them. A projection of the journal; works for a run that is over, and for
 * one that parked, up to there.
 */
#pragma once

#include "store/store.h"
#include "team/team.h"

// A script is read with this limit, so none is written that is longer.
enum { RECORDING_LIMIT = 1024 * 1024 };

struct recording {
	const struct text *secrets; // replaced wherever they occur
	size_t secret_count;
};

bool recording_write(struct buffer *yaml, struct store *store, const struct store_run *run,
	const struct team *team, const struct recording *recording, struct error *error);
