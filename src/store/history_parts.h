/* What the files of the history share. Private to src/store/. */
#pragma once

#include "base/hash.h"
#include "store/history.h"
#include "store/tree.h"

// What the last scan saw of a file.
struct seen {
	char *path;
	int64_t size, modified, changed;
	uint64_t inode;
	int64_t first;         // when a scan first saw it with these times, nanoseconds (monotonic)
	bool racy;             // it may have changed since without its times changing
	struct tree_file file; // its path is `path`
	char sha256[HASH_HEX_SIZE];
};

struct history {
	git_repository *repository;
	struct objects objects;
	struct tree *tree; // as of the last commit
	bool stale;        // but it is not, and must be read again
	bool has_commit;
	git_oid commit;
	struct seen *seen; // in order of paths
	size_t seen_count;
	char **untracked; // ends with NULL
};

#define HISTORY_BRANCH "refs/heads/main"

void history_set_memory(void); // before the library starts (memory.c)
bool history_fail(struct error *error, const char *what);
// Makes `tree` what the last commit says, if something went wrong since.
bool history_refresh(struct history *history, struct error *error);
void history_forget(struct history *history); // what the last scan saw
// The tree of a step, to be freed; NULL for no step.
bool history_tree(struct history *history, const struct history_step *step, git_tree **tree,
	struct error *error);
bool history_is_binary(struct text content);
