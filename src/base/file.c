#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/file_parts.h"

enum { TEMPORARY_TRIES = 16, REMOVE_PASSES = 1000000 };

void file_close(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		close(*fd);
		errno = saved;
		*fd = -1;
	}
}

bool file_read_all(struct arena *arena, int fd, const char *shown, size_t limit,
	struct text *content, struct error *error)
{
	struct stat status;
	buffer_cleanup bytes = {0};
	size_t expected =
		fstat(fd, &status) == 0 && status.st_size > 0 ? (size_t)status.st_size : 0;
	for (;;) {
		size_t room = expected > bytes.length ? expected - bytes.length + 1 : 4096;
		if (bytes.length > limit || expected > limit) {
			return error_set(
				error, ERROR_USAGE, "'%s' is larger than %zu bytes", shown, limit);
		}
		ssize_t got = read(fd, buffer_reserve(&bytes, room), room);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return error_errno(error, ERROR_FAILED, "cannot read '%s'", shown);
		}
		if (got == 0) {
			break;
		}
		bytes.length += (size_t)got;
	}
	*content = text_copy(arena, buffer_text(&bytes));
	return true;
}

static bool write_all(int fd, struct text content)
{
	while (content.length) {
		ssize_t written = write(fd, content.data, content.length);
		if (written < 0 && errno == EINTR) {
			continue;
		}
		if (written <= 0) {
			return false;
		}
		content.data += written;
		content.length -= (size_t)written;
	}
	return true;
}

int file_in_memory(struct text content)
{
	int fd = memfd_create("content", MFD_CLOEXEC);
	if (fd >= 0 && (!write_all(fd, content) || lseek(fd, 0, SEEK_SET) < 0)) {
		file_close(&fd);
	}
	return fd;
}

bool file_read(struct arena *arena, const char *path, size_t limit, struct text *content,
	struct error *error)
{
	struct stat status;
	file_cleanup fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		return error_errno(error, ERROR_USAGE, "cannot open '%s'", path);
	}
	if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
		return error_set(error, ERROR_USAGE, "'%s' is a folder, not a file", path);
	}
	// Opening must not wait for a FIFO's other end; reading waits for what a pipe's writer has yet
	// to say.
	fcntl(fd, F_SETFL, 0);
	return file_read_all(arena, fd, path, limit, content, error);
}

// A name in the folder of `path` that nobody uses. It is short whatever the file is called: a name
// may have all of the 255 bytes there are.
static char *temporary_name(struct arena *arena, const char *path)
{
	uint64_t random = 0;
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
		random = (uint64_t)getpid();
	}
	return arena_printf(
		arena, "%.*s.muster-%016llx.tmp", folder, path, (unsigned long long)random);
}

// A file without a name in the folder of `path`; -1 where the file system has none.
static int open_unnamed(int folder, const char *path)
{
	arena_cleanup arena = {0};
	const char *slash = strrchr(path, '/');
	const char *parent = slash ? arena_copy(&arena, path, (size_t)(slash - path) + 1) : ".";
	return openat(folder, parent, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
}

static bool give_name(int fd, int folder, const char *name)
{
	char unnamed[64];
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, unnamed, folder, name, AT_SYMLINK_FOLLOW) == 0;
}

static int open_named(int folder, const char *name)
{
	return openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static bool fill(int fd, struct text content, mode_t mode, bool durable)
{
	return write_all(fd, content) && fchmod(fd, mode & 0777) == 0 &&
		(!durable || fsync(fd) == 0);
}

// Gets its name only when it is whole, so a process that is killed while it writes leaves nothing
// behind. Where that cannot be done a temporary name is used all along.
bool file_replace_at(int folder, const char *path, struct text content, mode_t mode, bool durable)
{
	arena_cleanup arena = {0};
	file_cleanup fd = open_unnamed(folder, path);
	if (fd >= 0 && !fill(fd, content, mode, durable)) {
		return false;
	}
	if (fd >= 0 && give_name(fd, folder, path)) {
		return true;
	}
	if (fd >= 0 && errno != EEXIST) {
		file_close(&fd); // no /proc here
	}
	bool whole = fd >= 0;
	char *temporary = NULL;
	bool named = false;
	for (int i = 0; i < TEMPORARY_TRIES && !named; i++) {
		temporary = temporary_name(&arena, path);
		if (whole) {
			named = give_name(fd, folder, temporary);
		} else {
			fd = open_named(folder, temporary);
			named = fd >= 0;
		}
		if (!named && errno != EEXIST) {
			return false;
		}
	}
	if (!named) {
		return false;
	}
	if ((!whole && !fill(fd, content, mode, durable)) ||
		renameat(folder, temporary, folder, path) < 0) {
		int saved = errno;
		unlinkat(folder, temporary, 0);
		errno = saved;
		return false;
	}
	return true;
}

bool file_replace(const char *path, struct text content, mode_t mode, struct error *error)
{
	return file_replace_at(AT_FDCWD, path, content, mode, true) ||
		error_errno(error, ERROR_FAILED, "cannot write '%s'", path);
}

static bool next_name(DIR *folder, const char **name)
{
	const struct dirent *entry;
	do {
		entry = readdir(folder);
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	*name = entry ? entry->d_name : NULL;
	return entry != NULL;
}

bool file_is_temporary(const char *name)
{
	static const char start[] = ".muster-", end[] = ".tmp";
	const char *digits = name + sizeof(start) - 1;
	return strncmp(name, start, sizeof(start) - 1) == 0 &&
		strspn(digits, "0123456789abcdef") == 16 && strcmp(digits + 16, end) == 0;
}

void file_remove_temporary(const char *folder)
{
	DIR *opened = opendir(folder);
	const char *name;
	while (opened && next_name(opened, &name)) {
		if (file_is_temporary(name)) {
			unlinkat(dirfd(opened), name, 0);
		}
	}
	if (opened) {
		closedir(opened);
	}
}

bool file_make_folders(const char *path, mode_t mode, struct error *error)
{
	arena_cleanup arena = {0};
	char *partial = arena_string(&arena, path);
	for (char *at = partial + 1;; at++) {
		bool end = *at == '\0';
		if (*at != '/' && !end) {
			continue;
		}
		*at = '\0';
		if (mkdir(partial, mode) < 0 && errno != EEXIST) {
			return error_errno(
				error, ERROR_FAILED, "cannot make the folder '%s'", partial);
		}
		if (end) {
			break;
		}
		*at = '/';
	}
	struct stat status;
	if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode)) {
		return error_set(error, ERROR_FAILED, "'%s' is in the way: it is no folder", path);
	}
	return true;
}

// Opens a folder to empty it; whoever left it without permissions for its owner does not stop us.
static int open_to_empty(int folder, const char *name)
{
	struct stat status;
	char itself[64];
	file_cleanup path = openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (path < 0 || fstat(path, &status) < 0) {
		return -1;
	}
	if ((status.st_mode & 0700) != 0700) {
		snprintf(itself, sizeof(itself), "/proc/self/fd/%d", path);
		if (chmod(itself, 0700) < 0) {
			return -1;
		}
	}
	return openat(path, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// Moves a folder that is not empty up into `top`, under any free name.
static bool move_up(int from, const char *name, int top, unsigned *number)
{
	file_cleanup inner = open_to_empty(from, name); // moving it takes permission to write it
	while (inner >= 0) {
		char free_name[32];
		snprintf(free_name, sizeof(free_name), "%u", (*number)++);
		if (renameat(from, name, top, free_name) == 0) {
			return true;
		}
		if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR) {
			return false;
		}
	}
	return false;
}

// Takes over the descriptor.
static bool empty_into(int fd, int top, unsigned *number)
{
	DIR *folder = fdopendir(fd);
	const char *name;
	bool fine = folder != NULL;
	while (fine && next_name(folder, &name)) {
		fine = unlinkat(fd, name, 0) == 0 || unlinkat(fd, name, AT_REMOVEDIR) == 0 ||
			errno == ENOENT || move_up(fd, name, top, number);
	}
	int saved = errno;
	if (folder) {
		closedir(folder);
	} else {
		close(fd);
	}
	errno = saved;
	return fine;
}

// One pass over a folder: all that it sees is gone afterwards, or was moved up into it.
static bool empty_once(DIR *top, bool *any, unsigned *number)
{
	const char *name;
	rewinddir(top);
	*any = false;
	while (next_name(top, &name)) {
		*any = true;
		if (unlinkat(dirfd(top), name, 0) == 0 || errno == ENOENT) {
			continue;
		}
		int inner = open_to_empty(dirfd(top), name);
		if (inner < 0 || !empty_into(inner, dirfd(top), number) ||
			(unlinkat(dirfd(top), name, AT_REMOVEDIR) < 0 && errno != ENOENT &&
				errno != ENOTEMPTY)) {
			return false;
		}
	}
	return true;
}

// Inner folders move up instead of being climbed into, so that no depth that a program has left
// takes more than three descriptors or a path that is too long.
bool file_remove_at(int folder, const char *name)
{
	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) {
		return true;
	}
	int saved = errno;
	int fd = open_to_empty(folder, name);
	if (fd < 0) {
		errno = errno == ENOTDIR ? saved : errno;
		return false;
	}
	DIR *top = fdopendir(fd);
	if (!top) {
		file_close(&fd);
		return false;
	}
	bool any = true, fine = true;
	unsigned number = 0;
	for (int i = 0; fine && any; i++) {
		fine = i < REMOVE_PASSES && empty_once(top, &any, &number);
	}
	saved = errno;
	closedir(top);
	errno = saved;
	return fine && unlinkat(folder, name, AT_REMOVEDIR) == 0;
}

bool file_remove_tree(const char *path, struct error *error)
{
	return file_remove_at(AT_FDCWD, path) ||
		error_errno(error, ERROR_FAILED, "cannot remove '%s'", path);
}
