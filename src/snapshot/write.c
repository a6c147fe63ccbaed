/* An archive on its way to the shelf: tar blocks are hashed, compressed and written to a temporary file,
 * which gets its name when all is there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "snapshot/parts.h"

enum { FULL = 512 * 1024 };

struct snapshot_writer {
	struct arena arena;
	const char *shelf;
	char *path; // of the temporary file
	int fd;
	struct compress *compress;
	struct hash_stream *hash;
	struct tar_writer tar;
	struct snapshot snapshot;
	int64_t size, left; // of the file that is being written
	bool raw;           // its end is there, too
};

static bool pass_on(struct snapshot_writer *writer, struct error *error)
{
	struct text bytes = buffer_text(&writer->tar.out);
	if (bytes.length) {
		hash_add(writer->hash, bytes.data, bytes.length);
	}
	bool fine = compress_add(writer->compress, bytes, error);
	buffer_clear(&writer->tar.out);
	return fine;
}

struct snapshot_writer *snapshot_write_begin(const char *shelf, struct error *error)
{
	struct snapshot_writer *writer = memory_alloc(sizeof(*writer));
	writer->shelf = arena_string(&writer->arena, shelf);
	writer->hash = hash_begin();
	writer->path = arena_printf(&writer->arena, "%s/.new-XXXXXX", shelf);
	writer->fd = -1;
	if (file_make_folders(shelf, 0700, error)) {
		writer->fd = mkostemp(writer->path, O_CLOEXEC);
		if (writer->fd < 0) {
			error_errno(error, ERROR_FAILED, "cannot make a file in '%s'", shelf);
		}
	}
	writer->compress = writer->fd >= 0 ? compress_begin(writer->fd, error) : NULL;
	if (!writer->compress) {
		snapshot_write_free(writer);
		return NULL;
	}
	return writer;
}

bool snapshot_write_member(
	struct snapshot_writer *writer, const struct snapshot_member *member, struct error *error)
{
	bool file = member->type == TAR_FILE;
	struct tar_entry entry = {.path = member->path,
		.target = member->target,
		.type = member->type,
		.mode = snapshot_mode(member->type, member->mode),
		.size = file ? member->size : 0,
		.modified = file ? member->modified : 0};
	tar_write_entry(&writer->tar, &entry);
	writer->size = writer->left = entry.size;
	writer->snapshot.entries++;
	writer->snapshot.bytes += entry.size;
	return writer->tar.out.length < FULL || pass_on(writer, error);
}

bool snapshot_write_bytes(struct snapshot_writer *writer, struct text bytes, struct error *error)
{
	buffer_add_text(&writer->tar.out, bytes);
	writer->left -= (int64_t)bytes.length;
	if (writer->left == 0) {
		tar_write_end_of_file(&writer->tar, writer->size);
	}
	return writer->tar.out.length < FULL || pass_on(writer, error);
}

bool snapshot_write_raw(struct snapshot_writer *writer, struct text bytes, struct error *error)
{
	writer->raw = true;
	buffer_add_text(&writer->tar.out, bytes);
	return writer->tar.out.length < FULL || pass_on(writer, error);
}

static bool settle(struct snapshot_writer *writer, struct error *error)
{
	struct stat status;
	const char *path = snapshot_path(&writer->arena, writer->shelf, writer->snapshot.id);
	// What is there has the same content. Its time is that of the last who needed it.
	if (fsync(writer->fd) < 0 || fchmod(writer->fd, 0600) < 0 ||
		fstat(writer->fd, &status) < 0 || rename(writer->path, path) < 0) {
		return error_errno(error, ERROR_FAILED, "cannot write '%s'", path);
	}
	writer->path[0] = '\0';
	writer->snapshot.stored = status.st_size;
	return true;
}

bool snapshot_write_end(
	struct snapshot_writer *writer, struct snapshot *snapshot, struct error *error)
{
	if (!writer->raw) {
		tar_write_end(&writer->tar);
	}
	if (!pass_on(writer, error) || !compress_end(writer->compress, error)) {
		return false;
	}
	struct hash hash = hash_end(writer->hash);
	writer->hash = NULL;
	memcpy(writer->snapshot.id, hash.hex, sizeof(hash.hex));
	if (!settle(writer, error)) {
		return false;
	}
	*snapshot = writer->snapshot;
	return true;
}

void snapshot_write_free(struct snapshot_writer *writer)
{
	if (!writer) {
		return;
	}
	compress_free(writer->compress);
	if (writer->hash) {
		hash_end(writer->hash);
	}
	if (writer->fd >= 0 && writer->path[0]) {
		unlink(writer->path);
	}
	file_close(&writer->fd);
	buffer_finish(&writer->tar.out);
	arena_finish(&writer->arena);
	free(writer);
}
