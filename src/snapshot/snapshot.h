/*
 * Snapshots of workspaces: one archive each (POSIX pax, zstd) in a folder of this machine, the shelf.
 * A snapshot's id is the SHA-256 of its archive before compression. The same tree gives the same
 * archive, whatever sandbox it lies in and whoever owns it: files in the order of their paths, whole
 * seconds, no owners, permissions without those that restoring would not give either.
 *
 * Left out are the paths that the caller names (mounts, ephemeral entries), our own temporary files,
 * other file systems, and, told by name, what cannot be restored: sockets and other special files,
 * links that lead out of the workspace, and names with control characters in them.
 *
 * An archive is hostile when it is restored, wherever it came from. It is refused as a whole: entries
 * are files, folders and links with names and targets that stay inside (sandbox/tar.h), nothing is
 * there twice or lies below what is no folder, sizes and numbers are bounded. Permissions are rwx for
 * the owner, r-x for others, no special bits. Memory does not grow with the size of files.
 */
#pragma once

#include <stdatomic.h>

#include "base/hash.h"
#include "sandbox/sandbox.h"
#include "store/history.h"

enum {
	SNAPSHOT_ENTRIES = 500000,
	SNAPSHOT_DEPTH = 256, // folders in folders
	SNAPSHOT_TOLD = 20,   // of what is left out
	// What is not on the shelf may grow by so much when it is expanded, and more for the first bytes.
	SNAPSHOT_RATIO = 200,
};

#define SNAPSHOT_BYTES (INT64_C(64) << 30) // of all files
#define SNAPSHOT_RATIO_FROM (INT64_C(256) << 20)

struct snapshot {
	char id[HASH_HEX_SIZE];
	int64_t entries, bytes, stored; // bytes: of the files; stored: of the archive on the shelf
};

struct snapshot_source {
	struct sandbox *sandbox;
	const struct text *excluded; // clean paths, left out with all that is in them
	size_t excluded_count;
	const char *known;         // the fingerprint of the last snapshot; NULL: there is none
	const atomic_bool *cancel; // may be NULL
};

struct snapshot_made {
	struct snapshot snapshot;
	bool unchanged; // the workspace is as it was with `known`: nothing was packed
	// Of the workspace as it was packed, for the next time; NULL when it may have changed meanwhile
	// without anybody being able to tell.
	const char *fingerprint;
	const char *left_out[SNAPSHOT_TOLD]; // escaped, with the reason
	size_t left_out_count;               // of all
};

// Puts a snapshot of the workspace on the shelf, which is made if missing. Nobody should be at work in
// it: what changes while it is packed is refused after a second try. Texts are in the arena.
bool snapshot_make(const char *shelf, const struct snapshot_source *source, struct arena *arena,
	struct snapshot_made *made, struct error *error);
// The same of what a history holds as of a step (NULL: nothing). What the history has only a pointer
// to is told as left out.
bool snapshot_make_of_history(const char *shelf, struct history *history,
	const struct history_step *step, struct arena *arena, struct snapshot_made *made,
	struct error *error);

struct snapshot_archive {
	int fd;                    // read from where it stands
	const char *id;            // what it must be; NULL: any
	const atomic_bool *cancel; // may be NULL
};

// Unpacks an archive into a workspace that nobody works in and that has nothing in the way. When it
// fails the workspace may hold parts of it: destroy the session. *found (may be NULL) is what it was.
bool snapshot_restore(struct sandbox *sandbox, const struct snapshot_archive *archive,
	struct snapshot *found, struct error *error);
// Looks at all of an archive in the same way, without unpacking it.
bool snapshot_check(
	const struct snapshot_archive *archive, struct snapshot *found, struct error *error);

// --- The shelf: ID.tar.zst, and what is known of it ---

// Opens the snapshot with this id; -1 (ERROR_USAGE) if it is not on the shelf.
int snapshot_open(const char *shelf, const char *id, struct error *error);
// The whole id that begins like this, in the arena; fails (ERROR_USAGE) if there is none or several.
const char *snapshot_find(
	const char *shelf, struct arena *arena, const char *beginning, struct error *error);
// Puts an archive from elsewhere on the shelf, once all of it was looked at.
bool snapshot_import(const char *shelf, const struct snapshot_archive *archive,
	struct snapshot *found, struct error *error);

struct snapshot_row {
	const char *id;
	int64_t stored, made; // made: milliseconds since 1970
};

struct snapshot_rows {
	struct snapshot_row *rows; // newest first
	size_t count;
};

// A shelf that is not there is empty.
bool snapshot_list(
	const char *shelf, struct arena *arena, struct snapshot_rows *rows, struct error *error);
bool snapshot_remove(const char *shelf, const char *id, struct error *error); // missing is fine
