/* What a run was started with, as its journal keeps it for whoever takes the run up later. Private to
 * src/engine/. */
#pragma once

#include "engine/job.h"

struct restart {
	struct store_run row;      // as store_find() says
	struct engine_start start; // what job_create() is to get
	struct team_values values; // of `start`
};

// Beside the frozen team. Belongs into a transaction.
bool start_save(struct job *job, const struct engine_start *start, struct error *error);
// Reads what belongs to again->row. The team becomes that of the job that is created with it.
bool start_read(struct engine *engine, struct arena *arena, const struct vocabulary *vocabulary,
	struct restart *again, struct error *error);
