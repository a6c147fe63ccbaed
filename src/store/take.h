/*
 * Taking the work of a run out of its history into a folder of the user's. First a plan, which
 * changes nothing: what the run made of each path, and whether the folder still has what the run
 * started with. What exists with other content is a conflict; it is overwritten only when that is
 * asked for. Then the plan is performed, file by file, each whole or not at all.
 *
 * Links of the folder are followed as long as they stay inside. What an agent wrote must not reach
 * beyond it either: links that lead out, and names that belong to git or to muster, are left out.
 */
#pragma once

#include "store/history.h"
#include "store/store.h"

enum take_verdict {
	TAKE_DUE,      // will be written, or deleted
	TAKE_DONE,     // the folder has it like this already
	TAKE_CONFLICT, // the folder has something else: only by force
	TAKE_BLOCKED,  // something is in the way that no force removes
	TAKE_LEFT_OUT, // not taken: the reason says why
	TAKE_TAKEN,    // was written, or deleted
};

// One state of a path: as the run found it, or as it left it.
struct take_side {
	const char *blob;   // NULL: it is not there
	const char *sha256; // of the content; NULL: not known
	int64_t size;       // of the content; -1: not known
	bool executable, link;
	bool whole; // the history has the content, not a pointer
};

struct take_item {
	const char *path;
	enum history_status status; // what the run did
	bool given;                 // nothing: it is as the run found it
	const char *agent;          // who wrote it last; "" if the journal does not say
	struct take_side before, after;
	enum take_verdict verdict;
	const char *reason; // why, for conflicts, what is blocked and what is left out; or NULL
};

struct take {
	struct history *history; // for reading
	int folder;              // where it goes; -1: it is not there yet (for a plan)
	int workspace;           // the run's, for what the history has only a pointer to; or -1
	struct take_item *items; // in order of paths
	size_t count;
	struct arena *arena;
};

// Fills in the items; the other members are the caller's. `all` takes in what the run did not
// change.
bool take_plan(
	struct take *take, struct store *store, const char *run, bool all, struct error *error);
size_t take_count(const struct take *take, enum take_verdict verdict);
// Refuses a plan with conflicts (without force) or something blocked.
bool take_check(const struct take *take, bool force, struct error *error);
// Writes what is due, and with `force` over conflicts; checks the plan first, and each file again
// before it is touched. Stops at the first failure.
bool take_perform(struct take *take, bool force, struct error *error);

// The same as a branch of the git repository that a folder lies in: one commit on top of what is
// checked out there. The user's files and index stay as they are.
struct take_branch;

// NULL (ERROR_USAGE) if the folder is in no repository or the branch is there already.
struct take_branch *take_branch_open(const char *folder, const char *name, struct error *error);
void take_branch_close(struct take_branch *branch); // NULL is fine
// As take_plan, compared with the commit that is checked out.
bool take_branch_plan(struct take *take, struct take_branch *branch, struct store *store,
	const char *run, struct error *error);
bool take_branch_perform(struct take *take, struct take_branch *branch, bool force,
	const char *message, struct error *error);
