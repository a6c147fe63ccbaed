/*
 * Looks whether what is kept of a run fits together: the journal folds, what its events refer to is
 * there, the history of the workspace agrees with the journal. Changes nothing.
 */
#pragma once

#include "store/history.h"
#include "store/store.h"
#include "team/team.h"

struct examination {
	struct store *store;
	const struct store_run *run;
	const struct team *team; // the run's own
	struct history *history; // NULL: there is none
	// Receives one sentence per thing that is wrong.
	void (*problem)(void *data, const char *text);
	void *data;

	int64_t events, items, changes, files; // what was looked at
};

void run_examine(struct examination *examination);
