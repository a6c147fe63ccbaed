/*
 * `muster run TEAM --each FILE`: one run for every line of a file (JSON Lines), several at once in one
 * process. Each line is an object with inputs of the team; they go before those of the command line.
 * All lines are checked before the first run starts.
 */
#pragma once

#include "cli/arguments.h"
#include "store/store.h"
#include "team/team.h"

enum { BATCH_CONCURRENCY = 4, BATCH_MOST = 10000 };

struct batch {
	const char *path;         // of the file
	const char *concurrency;  // as given; NULL: BATCH_CONCURRENCY
	struct team *team;        // of all runs; stays the caller's
	const char *const *given; // inputs of the command line
	size_t given_count;
	const char *rehearsal, *sandbox, *sandbox_options; // as in struct engine_start
	const char *out; // the work of line N goes to out/N; NULL: nowhere
};

// The exit code: 0 only if all runs are done; if all others ended alike, theirs; else 1.
int batch_drive(struct arguments *arguments, struct store *store, const struct batch *batch,
	struct error *error);
