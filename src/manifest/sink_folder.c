#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "manifest/sink.h"

enum { CHUNK = 256 * 1024 };

struct level {
	int fd;
	mode_t mode; // to be set when it is left; 0: none
};

struct sink_folder {
	struct sink sink;
	struct level levels[SINK_DEPTH];
	size_t depth;
	uid_t user; // whom files are given to ...
	gid_t group;
	bool give; // ... if that is not us anyway
	char *bytes;
};

static struct sink_folder *folder_of(struct sink *sink)
{
	return (struct sink_folder *)(void *)sink;
}

static int here(const struct sink_folder *folder)
{
	return folder->levels[folder->depth - 1].fd;
}

// With the name as a person may see it.
static bool failed(struct error *error, const char *what, const char *name)
{
	int number = errno;
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text_of(name), 256);
	errno = number;
	error_errno(error, ERROR_UNAVAILABLE, "cannot %s '%s' in the workspace", what, shown.data);
	if (number == ENOSPC || number == EDQUOT) {
		error_hint(error, "make room on the disk that holds .muster");
	}
	return false;
}

static bool in_the_way(
	struct error *error, const char *name, const struct stat *status, const char *wanted)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text_of(name), 256);
	error_set(error, ERROR_USAGE, "'%s' is %s already, so it cannot be %s", shown.data,
		S_ISDIR(status->st_mode)           ? "a folder"
			: S_ISLNK(status->st_mode) ? "a link"
						   : "a file",
		wanted);
	return error_hint(error, "leave out one of the entries that lie there");
}

// The umask has no say: 0755 is what the manifest means.
static bool begin_folder(const struct sink_folder *folder, int fd)
{
	return (!folder->give || fchown(fd, folder->user, folder->group) == 0) &&
		fchmod(fd, 0755) == 0;
}

// One that was made read-only can be written to again until it is left.
static bool reopen_folder(int fd, mode_t *mode)
{
	struct stat status;
	if (fstat(fd, &status) < 0) {
		return false;
	}
	if ((status.st_mode & S_IRWXU) == S_IRWXU) {
		return true;
	}
	*mode = *mode ? *mode : status.st_mode & 0777;
	return fchmod(fd, status.st_mode | S_IRWXU) == 0;
}

static bool enter(struct sink *sink, const char *name, mode_t mode, struct error *error)
{
	struct sink_folder *folder = folder_of(sink);
	struct stat status;
	if (folder->depth == SINK_DEPTH) {
		return error_set(error, ERROR_USAGE, "folders lie more than %d deep", SINK_DEPTH);
	}
	bool fresh = mkdirat(here(folder), name, 0755) == 0;
	if (!fresh && errno != EEXIST) {
		return failed(error, "make the folder", name);
	}
	int fd = openat(here(folder), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		int number = errno;
		if (fstatat(here(folder), name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
			!S_ISDIR(status.st_mode)) {
			return in_the_way(error, name, &status, "a folder");
		}
		errno = number;
		return failed(error, "open the folder", name);
	}
	if (fresh ? !begin_folder(folder, fd) : !reopen_folder(fd, &mode)) {
		failed(error, "set the permissions of", name);
		close(fd);
		return false;
	}
	folder->levels[folder->depth++] = (struct level){fd, mode};
	return true;
}

// Its mode comes last: nothing could be put into a folder that is read-only.
static bool leave(struct sink *sink, struct error *error)
{
	struct sink_folder *folder = folder_of(sink);
	struct level *level = &folder->levels[--folder->depth];
	bool fine = !level->mode || fchmod(level->fd, level->mode) == 0 ||
		failed(error, "set the permissions of", ".");
	file_close(&level->fd);
	return fine;
}

static bool set_mode(struct sink *sink, mode_t mode, struct error *error)
{
	const struct sink_folder *folder = folder_of(sink);
	return fchmod(here(folder), mode) == 0 || failed(error, "set the permissions of", ".");
}

// Makes room for what comes: a file or link goes, a folder stays.
static bool clear(
	const struct sink_folder *folder, const char *name, const char *wanted, struct error *error)
{
	struct stat status;
	if (fstatat(here(folder), name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(status.st_mode)) {
		return in_the_way(error, name, &status, wanted);
	}
	return unlinkat(here(folder), name, 0) == 0 || errno == ENOENT ||
		failed(error, "replace", name);
}

static bool write_whole(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t written = write(fd, bytes, length);
		if (written < 0 && errno != EINTR) {
			return false;
		}
		bytes += written > 0 ? written : 0;
		length -= written > 0 ? (size_t)written : 0;
	}
	return true;
}

enum copied { COPIED, COPIED_CHANGED, COPIED_UNREADABLE, COPIED_UNWRITABLE };

// Within the kernel where it can: then the bytes need not come to us, and file systems that share
// blocks do so.
static enum copied copy_large(int from, int to, int64_t *left)
{
	while (*left > 0) {
		size_t most = *left < (INT64_C(1) << 30) ? (size_t)*left : (size_t)1 << 30;
		ssize_t got = copy_file_range(from, NULL, to, NULL, most, 0);
		if (got == 0) {
			return COPIED; // the end, or a file that says it has no size: read it
		}
		if (got < 0 && errno != EINTR) {
			bool cannot = errno == EXDEV || errno == EINVAL || errno == ENOSYS ||
				errno == EOPNOTSUPP || errno == EPERM;
			return cannot ? COPIED : COPIED_UNWRITABLE;
		}
		*left -= got > 0 ? got : 0;
	}
	return COPIED;
}

static enum copied copy(struct sink_folder *folder, int from, int to, int64_t size)
{
	int64_t left = size;
	if (size > CHUNK) {
		enum copied large = copy_large(from, to, &left);
		if (large != COPIED) {
			return large;
		}
	}
	for (;;) {
		ssize_t got = read(from, folder->bytes, CHUNK);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return COPIED_UNREADABLE;
		}
		if (got == 0 || got > left) {
			return got == left ? COPIED : COPIED_CHANGED;
		}
		if (!write_whole(to, folder->bytes, (size_t)got)) {
			return COPIED_UNWRITABLE;
		}
		left -= got;
	}
}

static bool fill(struct sink_folder *folder, const char *name, const struct sink_file *file, int fd,
	struct error *error)
{
	enum copied copied = COPIED;
	if (file->fd >= 0) {
		copied = copy(folder, file->fd, fd, file->size);
	} else if (!write_whole(fd, file->content.data, file->content.length)) {
		copied = COPIED_UNWRITABLE;
	}
	if (copied == COPIED_CHANGED) {
		buffer_cleanup shown = {0};
		buffer_add_line(&shown, text_of(name), 256);
		return error_set(error, ERROR_FAILED, "'%s' changed while it was copied",
			       shown.data) ||
			error_hint(error, "try again when nobody writes to it");
	}
	if (copied != COPIED) {
		return failed(error, copied == COPIED_UNREADABLE ? "read" : "write", name);
	}
	return ((!folder->give || fchown(fd, folder->user, folder->group) == 0) &&
		       fchmod(fd, file->mode & 0777) == 0) ||
		failed(error, "set the permissions of", name);
}

static bool put_file(
	struct sink *sink, const char *name, const struct sink_file *file, struct error *error)
{
	struct sink_folder *folder = folder_of(sink);
	enum { FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC };
	file_cleanup fd = openat(here(folder), name, FLAGS, 0600);
	if (fd < 0 && errno == EEXIST) {
		if (!clear(folder, name, "a file", error)) {
			return false;
		}
		fd = openat(here(folder), name, FLAGS, 0600);
	}
	return fd >= 0 ? fill(folder, name, file, fd, error) : failed(error, "make", name);
}

static bool put_link(struct sink *sink, const char *name, struct text target, struct error *error)
{
	const struct sink_folder *folder = folder_of(sink);
	arena_cleanup arena = {0};
	const char *leads = text_string(&arena, target);
	if (symlinkat(leads, here(folder), name) < 0 &&
		(errno != EEXIST || !clear(folder, name, "a link", error) ||
			symlinkat(leads, here(folder), name) < 0)) {
		return error->kind == ERROR_NONE ? failed(error, "make the link", name) : false;
	}
	return !folder->give ||
		fchownat(here(folder), name, folder->user, folder->group, AT_SYMLINK_NOFOLLOW) ==
		0 ||
		failed(error, "give away the link", name);
}

static void destroy(struct sink *sink)
{
	struct sink_folder *folder = folder_of(sink);
	while (folder->depth) {
		file_close(&folder->levels[--folder->depth].fd);
	}
	free(folder->bytes);
	free(folder);
}

static const struct sink_kind kind = {
	.enter = enter,
	.leave = leave,
	.set_mode = set_mode,
	.file = put_file,
	.link = put_link,
	.destroy = destroy,
};

struct sink *sink_folder_create(int workspace, struct error *error)
{
	struct stat status;
	int fd = openat(workspace, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0) {
		error_errno(error, ERROR_UNAVAILABLE, "cannot open the workspace");
		file_close(&fd);
		return NULL;
	}
	struct sink_folder *folder = memory_alloc(sizeof(*folder));
	folder->sink.kind = &kind;
	folder->levels[folder->depth++] = (struct level){fd, 0};
	folder->user = status.st_uid;
	folder->group = status.st_gid;
	folder->give = geteuid() == 0 && (status.st_uid != 0 || status.st_gid != 0);
	folder->bytes = memory_alloc(CHUNK);
	return &folder->sink;
}
