/* What the files of the snapshots share. Private to src/snapshot/. */
#pragma once

#include "sandbox/tar_write.h"
#include "snapshot/compress.h"
#include "snapshot/snapshot.h"

// A file of the workspace that is to be packed, as both sources give it.
struct snapshot_member {
	struct text path; // with a zero byte behind it
	char type;        // TAR_FILE, TAR_FOLDER or TAR_LINK
	mode_t mode;
	int64_t size, modified; // modified: nanoseconds since 1970
	struct text target;
	int64_t offset; // of what it holds, in the descriptor of the list
};

struct snapshot_members {
	struct arena *arena;
	struct snapshot_member *members; // malloc'd; in order of paths once all are there
	size_t count, capacity;
	struct snapshot_made *made; // what is left out is told there
};

// Adds a member, or tells that it is left out. Texts are the caller's and live as long.
void snapshot_add(struct snapshot_members *list, const struct snapshot_member *member);
void snapshot_leave_out(struct snapshot_members *list, struct text path, const char *why);
void snapshot_sort(struct snapshot_members *list);
void snapshot_members_finish(struct snapshot_members *list);
// The permissions that are packed and restored.
mode_t snapshot_mode(char type, mode_t mode);
bool snapshot_name_is_plain(struct text path); // without control characters

// An archive that is being written to the shelf.
struct snapshot_writer;

struct snapshot_writer *snapshot_write_begin(const char *shelf, struct error *error);
bool snapshot_write_member(
	struct snapshot_writer *writer, const struct snapshot_member *member, struct error *error);
// What the last member, a file, holds: as many bytes as it said.
bool snapshot_write_bytes(struct snapshot_writer *writer, struct text bytes, struct error *error);
// Bytes of an archive that somebody else made, as they are; instead of the two above.
bool snapshot_write_raw(struct snapshot_writer *writer, struct text bytes, struct error *error);
// It stands on the shelf, under its id, whole and on disk.
bool snapshot_write_end(
	struct snapshot_writer *writer, struct snapshot *snapshot, struct error *error);
void snapshot_write_free(struct snapshot_writer *writer); // with what is not on the shelf

// Where an archive's entries go. They come as they stand in the archive, checked as far as can be by
// then; links come last, when all is known to be fine.
struct unpack_target {
	bool (*entry)(void *data, const struct snapshot_member *member, struct error *error);
	bool (*bytes)(void *data, struct text bytes, struct error *error); // of the last file
	bool (*raw)(void *data, struct text bytes, struct error *error);   // of the archive
	void *data; // each function may be NULL
};

bool snapshot_unpack(const struct snapshot_archive *archive, const struct unpack_target *target,
	struct snapshot *found, struct error *error);

// unpack_folder.c: a target that is a folder of this machine, owned by whoever owns the folder.
struct unpack_folder;
struct unpack_folder *unpack_folder_begin(int folder, struct error *error);
struct unpack_target unpack_folder_target(struct unpack_folder *unpack);
bool unpack_folder_end(struct unpack_folder *unpack, struct error *error); // modes of folders
void unpack_folder_free(struct unpack_folder *unpack);

const char *snapshot_path(struct arena *arena, const char *shelf, const char *id);
bool snapshot_is_id(const char *text);
