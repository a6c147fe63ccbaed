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

// Makes `to`, a new repository, of `from` up to one of its commits ("": of nothing). Objects are
// shared as links where the file system has them: nobody ever changes one.
bool history_fork(const char *from, const char *to, const char *commit, struct error *error);

/*
 * Reading what was recorded: by any process, also while another one drives the run. A step is one
 * commit: what one author wrote in one record. Turns are those of the messages, "Turn N: ...".
 */

enum { HISTORY_COMPARE_LIMIT = 8 * 1024 * 1024 }; // bytes of a file whose lines are compared

// Changes nothing. Only for the functions below, history_blob() and history_close().
struct history *history_open_read(const char *path, struct error *error);

struct history_step {
	const char *commit; // 40 digits
	const char *author; // an agent's name, "several", "user", "unknown", "manifest"
	int64_t turn, when; // when: milliseconds since 1970
};

struct history_steps {
	struct history_step *steps; // oldest first
	size_t count;
};

bool history_steps(struct history *history, struct arena *arena, struct history_steps *steps,
	struct error *error);
// The newest ones, at most so many.
bool history_last_steps(struct history *history, struct arena *arena, size_t most,
	struct history_steps *steps, struct error *error);
// The newest step that belongs to `turn` or one before; NULL: nothing was recorded until then.
const struct history_step *history_step_at(const struct history_steps *steps, int64_t turn);
// What the manifest put there; NULL: nothing.
const struct history_step *history_start(const struct history_steps *steps);

struct history_file {
	struct text path; // with a zero byte behind it
	const char *blob; // 40 digits
	bool executable, link;
};

struct history_files {
	struct history_file *files; // in order of paths
	size_t count;
};

// All files as of a step; none for NULL.
bool history_files(struct history *history, struct arena *arena, const struct history_step *step,
	struct history_files *files, struct error *error);

struct history_side {
	const char *blob; // 40 digits; "" when the file is not there
	unsigned mode;    // as git has it: 0100644, 0100755, 0120000; 0 when the file is not there
	int64_t size;
};

// How one path differs. What was a file and is a link now (or the reverse) is told as two.
struct history_difference {
	const char *path;
	enum history_status status;
	struct history_side before, after;
	bool binary, large;    // then there are no hunks
	size_t added, removed; // lines
	struct text hunks;     // as in a unified diff, from the first "@@"; bytes as they are
};

// What differs between two steps (NULL: the empty workspace), in order of paths. `each` returns
// false to stop; what it gets is gone afterwards.
bool history_diff(struct history *history, const struct history_step *from,
	const struct history_step *to,
	bool (*each)(void *data, const struct history_difference *difference), void *data,
	struct error *error);

struct history_line {
	struct text text; // without its line feed
	const struct history_step *step;
};

struct history_lines {
	struct history_line *lines;
	size_t count;
};

// Who wrote which line of a file, as of the last of the steps. Fails for a path that is not there,
// and for what is no text (ERROR_USAGE).
bool history_blame(struct history *history, struct arena *arena, const struct history_steps *steps,
	const char *path, struct history_lines *lines, struct error *error);
