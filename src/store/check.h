/*
 * Is what is kept sound? Looks at the database, at the files beside it, and at the history of a run's
 * workspace, and collects what is wrong as sentences. With `repair` what can be mended without
 * losing anything is: files that a killed process left behind are removed. Nothing else is changed.
 *
 * Whoever repairs holds the lock of the run (engine/lock.h) and a store open for writing.
 */
#pragma once

#include "store/store.h"

enum { CHECK_PROBLEMS = 1000 /* the most that are told */ };

struct check_problem {
	const char *run; // its id; "": the store
	const char *what;
	bool mendable, mended;
};

struct check {
	struct store *store;
	bool repair;
	struct arena arena; // of the problems; freed by check_finish()
	const char *run;    // that is being looked at; NULL: the store
	struct check_problem *problems;
	size_t count, capacity, more; // more: not told
};

void check_finish(struct check *check);
void check_say(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A file that nobody needs: told, and with `repair` removed.
void check_stale(struct check *check, const char *path, const char *why);

// The database itself, rows and files that belong to no run, and half-made files of the store. False
// only when looking was not possible.
bool check_store(struct check *check, struct error *error);
// The rows of a run: numbers without gaps, texts that are there and unchanged.
bool check_run_rows(struct check *check, const char *run, struct error *error);
// Its folder, the objects of its history, and whether the history's last commit is what the changes
// in the journal lead to. `driven`: a process is at work on it: its temporary files are no leftovers.
bool check_run_folder(
	struct check *check, const struct store_run *run, bool driven, struct error *error);
