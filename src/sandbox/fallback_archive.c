#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/path.h"
#include "sandbox/fallback.h"
#include "sandbox/tar.h"

enum {
	CHUNK = 256 * 1024,
	PATHS_AT_ONCE = 1000,
	BYTES_AT_ONCE = 64 * 1024, // of paths on one command line
	ARCHIVE_TIME = 60 * 60 * 1000,
};

// A file without a name on this machine's disk.
static int spool_open(struct error *error)
{
	const char *folder = getenv("TMPDIR");
	folder = folder && folder[0] == '/' ? folder : "/tmp";
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) {
		arena_cleanup arena = {0};
		char *path = arena_printf(&arena, "%s/muster-XXXXXX", folder);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0) {
			unlink(path);
		} else {
			error_errno(error, ERROR_FAILED, "cannot make a file in '%s'", folder);
		}
	}
	return fd;
}

static bool write_whole(int fd, struct text bytes)
{
	while (bytes.length) {
		ssize_t written = write(fd, bytes.data, bytes.length);
		if (written < 0 && errno != EINTR) {
			return false;
		}
		bytes.data += written > 0 ? written : 0;
		bytes.length -= written > 0 ? (size_t)written : 0;
	}
	return true;
}

// Takes the archive in, looks at all of it, and keeps it where it cannot change any more.
static bool spool_fill(int spool, int fd, struct tar_reader *reader, struct error *error)
{
	buffer_cleanup room = {0};
	char *bytes = buffer_reserve(&room, CHUNK);
	ssize_t got;
	while ((got = read(fd, bytes, CHUNK)) != 0) {
		struct text part = {bytes, got > 0 ? (size_t)got : 0};
		if (got < 0 && errno != EINTR) {
			return error_errno(error, ERROR_FAILED, "cannot read the archive");
		}
		if (!tar_feed(reader, part, error)) {
			return false;
		}
		if (!write_whole(spool, part)) {
			return error_errno(error, ERROR_FAILED, "cannot keep the archive");
		}
	}
	return tar_end(reader, error);
}

static bool checked(int spool, int fd, struct error *error)
{
	struct tar_check *check = tar_check_create();
	struct tar_reader reader = {.entry = tar_check_entry, .data = check};
	bool fine = spool_fill(spool, fd, &reader, error) && tar_check_whole(check, error);
	tar_finish(&reader);
	tar_check_destroy(check);
	return fine;
}

static bool unpack(
	struct sandbox *sandbox, struct text folder, struct text archive, struct error *error)
{
	static const char script[] = "umask 022\n"
				     "folder \"$1\" || exit $?\n"
				     "cd -P -- \"$p\" || exit 94\n"
				     "umask 0\n" // busybox's tar keeps to it in spite of -p
				     "tar -xpof - || exit 94\n";
	arena_cleanup arena = {0};
	struct process_result result;
	const char *const arguments[] = {text_string(&arena, folder), NULL};
	struct sandbox_command command = {.input = archive, .timeout = ARCHIVE_TIME};
	return fallback_run(sandbox, &arena, script, arguments, command, &result, error) &&
		fallback_judge(&result, "unpack the archive in", folder, error);
}

bool fallback_put_archive(struct sandbox *sandbox, struct text folder, int fd, struct error *error)
{
	file_cleanup spool = spool_open(error);
	if (spool < 0 || !checked(spool, fd, error)) {
		return false;
	}
	off_t size = lseek(spool, 0, SEEK_END);
	void *bytes =
		size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, spool, 0) : MAP_FAILED;
	if (bytes == MAP_FAILED) {
		return error_errno(error, ERROR_FAILED, "cannot look at the archive");
	}
	bool fine = unpack(sandbox, folder, (struct text){bytes, (size_t)size}, error);
	munmap(bytes, (size_t)size);
	return fine;
}

// What comes of archives: all of it but the marks of their ends, as they go on in one another.
struct taking {
	int fd;
	struct tar_reader reader;
	struct buffer part; // of a block
	int64_t written;    // of the reader's
	struct error problem;
};

static void take(void *data, int stream, struct text bytes)
{
	struct taking *taking = data;
	if (stream != 1 || taking->problem.kind != ERROR_NONE) {
		return;
	}
	buffer_add_text(&taking->part, bytes);
	struct text blocks = buffer_text(&taking->part);
	blocks.length -= blocks.length % TAR_BLOCK;
	if (!tar_feed(&taking->reader, blocks, &taking->problem)) {
		return;
	}
	// In whole blocks, what the reader does not count is the end.
	size_t more = (size_t)(taking->reader.whole - taking->written);
	if (!write_whole(taking->fd, (struct text){blocks.data, more})) {
		error_errno(&taking->problem, ERROR_FAILED, "cannot write the archive");
	}
	taking->written += (int64_t)more;
	memmove(taking->part.data, blocks.data + blocks.length,
		taking->part.length - blocks.length);
	taking->part.length -= blocks.length;
}

static bool pack(struct sandbox *sandbox, struct arena *arena, const char *const *paths, int fd,
	struct error *error)
{
	static const char script[] = "cd -P -- \"$root\" || exit 94\n"
				     "for path; do\n"
				     "	parent \"$path\"\n"
				     "	follow \"$up\" || exit $?\n"
				     "	[ -e \"$p/$name\" ] || [ -L \"$p/$name\" ] || { echo "
				     "\"$path\" >&2; exit 95; }\n"
				     "done\n"
				     "[ $# -gt 0 ] || set .\n"
				     "tar -cf - -- \"$@\" || exit 94\n";
	enum { NOT_THERE = 95 };
	struct process_result result;
	struct taking taking = {.fd = fd};
	struct sandbox_command command = {.output_limit = 4096,
		.output = take,
		.output_data = &taking,
		.timeout = ARCHIVE_TIME};
	bool fine = fallback_run(sandbox, arena, script, paths, command, &result, error);
	if (fine && taking.problem.kind != ERROR_NONE) {
		*error = taking.problem;
		fine = false;
	}
	if (fine && result.status == NOT_THERE) {
		buffer_cleanup shown = {0};
		buffer_add_line(&shown, text_trim(result.err), 256);
		fine = error_set(error, ERROR_FAILED, "'%s' does not exist", shown.data);
	}
	fine = fine && fallback_judge(&result, "pack", TEXT("."), error) &&
		tar_end(&taking.reader, error);
	tar_finish(&taking.reader);
	buffer_finish(&taking.part);
	return fine;
}

bool fallback_get_archive(
	struct sandbox *sandbox, const char *const *paths, int fd, struct error *error)
{
	static const char end[2 * TAR_BLOCK];
	size_t at = 0;
	do {
		arena_cleanup arena = {0};
		const char **some = arena_new_array(&arena, PATHS_AT_ONCE + 1, const char *);
		size_t bytes = 0;
		for (size_t i = 0; paths && paths[at] && i < PATHS_AT_ONCE && bytes < BYTES_AT_ONCE;
			i++) {
			bytes += strlen(paths[at]) + 1;
			some[i] = paths[at++];
		}
		if (!pack(sandbox, &arena, some, fd, error)) {
			return false;
		}
	} while (paths && paths[at]);
	return write_whole(fd, (struct text){end, sizeof(end)}) ||
		error_errno(error, ERROR_FAILED, "cannot write the archive");
}
