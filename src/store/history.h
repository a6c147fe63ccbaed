/*
 * The history of a workspace: a bare git repository (.muster/runs/ID/history.git) that plain git can
 * read. Written with libgit2's object interface only: no work tree, no filters, no attributes, no
 * ignore files, so nothing that an agent writes can hide or change an artifact.
 *
 * Not recorded: empty folders, special files, the folders that the team file lists as untracked,
 * names that git would not check out (".git" in all spellings), and what lies in a folder that
 * cannot be read. A pointer stands for the content of a file over HISTORY_FILE_LIMIT or one that
 * cannot be read: its size and its SHA-256, or where that is not known the time of its change.
 *
 * A record costs one stat scan and the files that changed; unchanged ones are known by inode, size
 * and times, and the folders that they lie in are not written again. What went wrong half-way is
 * found again by the next scan. A commit is on disk when history_commit() returns; a power loss
 * leaves a whole one. One thread at a time per history.
 */
#pragma once

#include "base/error.h"
#include "base/text.h"
#include "sandbox/sandbox.h"

enum { HISTORY_FILE_LIMIT = 64 * 1024 * 1024, HISTORY_FILES = 200000 };

struct history;

// Opens or creates the repository, for the one process that drives the run. `untracked` (may be
// NULL) ends with NULL.
struct history *history_open(const char *path, const char *const *untracked, struct error *error);
void history_close(struct history *history); // NULL is fine

enum history_status { HISTORY_ADDED, HISTORY_CHANGED, HISTORY_DELETED };

struct history_change {
	struct text path;
	enum history_status status;
	const char *blob;   // git object id, 40 digits; "" when deleted
	const char *sha256; // of the content; "" when deleted, or when it is not known
	int64_t size;
	bool executable, link;
};

struct history_changes {
	struct history_change *changes; // in order of paths
	size_t count;
};

// What differs from the last commit. The blobs are written; nothing is committed yet.
bool history_scan(struct history *history, struct sandbox *sandbox, struct arena *arena,
	struct history_changes *changes, struct error *error);
// Commits the chosen changes on branch main. `author` is an agent's name; times are milliseconds
// since 1970. *commit is the id, 40 digits, in the arena.
bool history_commit(struct history *history, struct arena *arena, const char *author,
	const char *message, int64_t when, const struct history_changes *changes,
	const char **commit, struct error *error);
// The content of a blob.
bool history_blob(struct history *history, struct arena *arena, const char *blob,
	struct text *content, struct error *error);
