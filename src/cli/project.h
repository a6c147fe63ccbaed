/* The runs of the project folder that the program works in, opened for reading. */
#pragma once

#include "store/store.h"
#include "team/team.h"

struct project_run {
	struct arena arena;
	struct store *store;
	struct store_run run;
	struct team *team; // as it was when the run started
};

// `name` is an id, a unique prefix of one, or "-1". On failure nothing needs to be closed.
bool project_run_open(struct project_run *opened, const char *name, struct error *error);
// A run whose process was killed still says "running" in the store: it is shown as "stopped".
void project_run_state(struct store *store, struct arena *arena, struct store_run *run);
void project_run_close(struct project_run *opened);
