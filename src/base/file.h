/*
 * Files of this machine. Two families: paths that the user gave (file_*), which are followed like
 * any program would; and names inside a folder that hostile programs write to (folder_*), which are
 * opened beneath the folder's descriptor with openat2 (RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS), so
 * that neither "..", links nor a race leads outside. Links that stay inside the folder work.
 */
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

#define file_cleanup __attribute__((cleanup(file_close))) int

void file_close(int *fd); // -1 is fine; keeps errno
// A descriptor of a file without a name that holds the content, at its start; -1 with errno.
int file_in_memory(struct text content);
bool file_read(struct arena *arena, const char *path, size_t limit, struct text *content,
	struct error *error);
// Writes a temporary file beside it, then renames: the old content or the new, never a half, even
// when the power goes.
bool file_replace(const char *path, struct text content, mode_t mode, struct error *error);
// Is this the name of such a temporary file? What has one outlived the process that wrote it, unless
// somebody is writing to the folder now.
bool file_is_temporary(const char *name);
void file_remove_temporary(const char *folder); // all of them; a folder that is not there is fine
bool file_make_folders(const char *path, mode_t mode, struct error *error); // like mkdir -p
// Not following links; missing is fine. Depth, names and permissions in it do not matter.
bool file_remove_tree(const char *path, struct error *error);

enum folder_kind {
	FOLDER_MISSING,
	FOLDER_FILE,
	FOLDER_FOLDER,
	FOLDER_LINK,    // a symbolic link that leads outside, nowhere, or in circles
	FOLDER_SPECIAL, // a FIFO, socket or device: never opened
};

struct folder_stat {
	enum folder_kind kind;
	mode_t mode;
	int64_t size;     // bytes
	int64_t modified; // nanoseconds since 1970
	const char *what; // "a FIFO", "a socket", "a link that leaves the folder", ... for messages
	bool unknown; // nobody could look, for the disk or this machine fails: kind says nothing
};

// Of the functions that can fail, folder_read(), folder_open_file() and folder_scan() tell what is
// wrong with a file (ERROR_FAILED) from a disk or a machine that fails (ERROR_UNAVAILABLE).
int folder_open(const char *path, struct error *error); // O_PATH descriptor, or -1
// Never fails: what cannot be looked at is FOLDER_LINK or FOLDER_MISSING. Links are followed inside.
struct folder_stat folder_stat(int folder, struct text path);
// Regular files only, never blocks; fails when larger than `limit` bytes.
bool folder_read(struct arena *arena, int folder, struct text path, size_t limit,
	struct text *content, struct error *error);
// Opens a regular file for reading without blocking; -1 with a message otherwise.
int folder_open_file(int folder, struct text path, struct error *error);
// Where a symbolic link points; false if it is none.
bool folder_read_link(struct arena *arena, int folder, struct text path, struct text *target);
// Creates the folders in between; replaces by rename; refuses when a non-file is in the way.
bool folder_write(
	int folder, struct text path, struct text content, mode_t mode, struct error *error);
// Makes a symbolic link and the folders in between; fails when something is there.
bool folder_link(int folder, struct text path, struct text target, struct error *error);
bool folder_remove_empty(int folder, struct text path); // a folder with nothing in it; else false
bool folder_remove(int folder, struct text path, struct error *error); // a file or link
// As file_remove_tree, but never the folder itself.
bool folder_remove_tree(int folder, struct text path, struct error *error);
bool folder_make(int folder, struct text path, struct error *error); // with parents

struct folder_entry {
	struct text path; // relative to the folder
	enum folder_kind kind;
	mode_t mode;
	int64_t size, modified, changed; // bytes, nanoseconds, nanoseconds (ctime)
	uint64_t inode;
};

struct folder_list {
	struct folder_entry *entries; // in strcmp order of paths, folders before what is in them
	size_t count;
	bool cut; // there were more than the limit
};

// Everything below the folder (or below `path` in it), links not followed (kind FOLDER_LINK), at
// most `limit` entries and 64 levels deep. `skip` (may be NULL) leaves out a folder with all in it.
bool folder_scan(struct arena *arena, int folder, struct text path, size_t limit,
	bool (*skip)(void *data, struct text path), void *data, struct folder_list *list,
	struct error *error);
