#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file_parts.h"

enum { OPEN_TRIES = 8 };

int folder_open_beneath(int folder, const char *path, int flags)
{
	struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	for (int i = 0; i < OPEN_TRIES; i++) {
		long fd = syscall(SYS_openat2, folder, path[0] ? path : ".", &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) {
			return (int)fd;
		}
	}
	return -1;
}

enum error_kind folder_error_kind(int number)
{
	static const int failing[] = {
		EIO, ENOMEM, EMFILE, ENFILE, EINTR, EAGAIN, ESTALE, ENODEV, ENOSPC};
	for (size_t i = 0; i < sizeof(failing) / sizeof(failing[0]); i++) {
		if (failing[i] == number) {
			return ERROR_UNAVAILABLE;
		}
	}
	return ERROR_FAILED;
}

int folder_open(const char *path, struct error *error)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		error_errno(error, ERROR_USAGE, "cannot open the folder '%s'", path);
		return -1;
	}
	// A container's filter may answer EPERM for calls that it does not know.
	file_cleanup probe = folder_open_beneath(fd, "", O_PATH);
	if (probe < 0 && (errno == ENOSYS || errno == EPERM)) {
		error_set(error, ERROR_UNAVAILABLE,
			"the system call openat2, without which '%s' cannot be kept apart from "
			"other folders, is not available here",
			path);
		error_hint(error, "use Linux 5.6 or newer; in a container, allow openat2");
		file_close(&fd);
	}
	return fd;
}

static const char *special_name(mode_t mode)
{
	return S_ISFIFO(mode)    ? "a FIFO"
		: S_ISSOCK(mode) ? "a socket"
		: S_ISCHR(mode)  ? "a character device"
		: S_ISBLK(mode)  ? "a block device"
				 : "a special file";
}

int64_t folder_nanoseconds(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

static struct folder_stat stat_descriptor(int fd)
{
	struct stat status;
	struct folder_stat result = {.kind = FOLDER_MISSING, .what = "missing"};
	if (fstat(fd, &status) < 0) {
		return result;
	}
	result.mode = status.st_mode & 07777;
	result.size = status.st_size;
	result.modified = folder_nanoseconds(&status.st_mtim);
	if (S_ISREG(status.st_mode)) {
		result.kind = FOLDER_FILE;
		result.what = "a file";
	} else if (S_ISDIR(status.st_mode)) {
		result.kind = FOLDER_FOLDER;
		result.what = "a folder";
	} else {
		result.kind = FOLDER_SPECIAL;
		result.what = special_name(status.st_mode);
	}
	return result;
}

bool folder_path(struct arena *arena, struct text path, char **string)
{
	if (path.length > 4096 || (path.length && memchr(path.data, '\0', path.length))) {
		return false;
	}
	*string = text_string(arena, path);
	return true;
}

struct folder_stat folder_stat(int folder, struct text path)
{
	arena_cleanup arena = {0};
	char *name;
	struct folder_stat missing = {.kind = FOLDER_MISSING, .what = "missing"};
	if (!folder_path(&arena, path, &name)) {
		return missing;
	}
	file_cleanup fd = folder_open_beneath(folder, name, O_PATH);
	if (fd >= 0) {
		return stat_descriptor(fd);
	}
	bool outside = errno == EXDEV;
	bool circle = errno == ELOOP;
	bool unknown = folder_error_kind(errno) == ERROR_UNAVAILABLE;
	bool nowhere = errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG;
	file_cleanup link = folder_open_beneath(folder, name, O_PATH | O_NOFOLLOW);
	if (link < 0 && nowhere) {
		return missing;
	}
	return (struct folder_stat){.kind = FOLDER_LINK,
		.what = outside     ? "a link that leaves the workspace"
			: circle    ? "a link that leads in circles"
			: link >= 0 ? "a link that leads nowhere"
				    : "not reachable",
		.unknown = unknown};
}

static bool not_a_file(struct error *error, const char *shown, const struct folder_stat *found)
{
	return error_set(error, ERROR_FAILED, "'%s' is %s, not a regular file", shown, found->what);
}

int folder_open_file(int folder, struct text path, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup shown = {0};
	char *name;
	buffer_add_line(&shown, path.length ? path : TEXT("."), 256);
	if (!folder_path(&arena, path, &name)) {
		error_set(error, ERROR_FAILED, "'%s' cannot be a path", shown.data);
		return -1;
	}
	struct folder_stat found = folder_stat(folder, path);
	if (found.unknown) {
		error_set(error, ERROR_UNAVAILABLE, "'%s' cannot be looked at", shown.data);
		error_hint(error, "see whether the disk is sound, and not too many files are open");
		return -1;
	}
	if (found.kind == FOLDER_MISSING) {
		error_set(error, ERROR_FAILED, "'%s' does not exist", shown.data);
		return -1;
	}
	if (found.kind != FOLDER_FILE) {
		not_a_file(error, shown.data, &found);
		return -1;
	}
	int fd = folder_open_beneath(folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		error_errno(error, folder_error_kind(errno), "cannot open '%s'", shown.data);
		return -1;
	}
	// What was opened counts, not what was there a moment ago.
	found = stat_descriptor(fd);
	if (found.kind != FOLDER_FILE) {
		close(fd);
		not_a_file(error, shown.data, &found);
		return -1;
	}
	return fd;
}

bool folder_read(struct arena *arena, int folder, struct text path, size_t limit,
	struct text *content, struct error *error)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, path.length ? path : TEXT("."), 256);
	file_cleanup fd = folder_open_file(folder, path, error);
	if (fd < 0 || file_read_all(arena, fd, shown.data, limit, content, error)) {
		return fd >= 0;
	}
	// It was opened as a regular file: if it was not too long, the disk failed.
	error->kind = error->kind == ERROR_FAILED ? ERROR_UNAVAILABLE : error->kind;
	return false;
}

bool folder_read_link(struct arena *arena, int folder, struct text path, struct text *target)
{
	arena_cleanup names = {0};
	char *name, bytes[4097];
	if (!folder_path(&names, path, &name)) {
		return false;
	}
	file_cleanup fd = folder_open_beneath(folder, name, O_PATH | O_NOFOLLOW);
	ssize_t length = fd >= 0 ? readlinkat(fd, "", bytes, sizeof(bytes)) : -1;
	if (length < 0 || length == sizeof(bytes)) {
		return false;
	}
	*target = text_copy(arena, (struct text){bytes, (size_t)length});
	return true;
}

// Opens a folder beneath the folder, making it and its parents as needed.
static int make_beneath(int folder, char *path)
{
	int at = folder_open_beneath(folder, "", O_PATH | O_DIRECTORY);
	char *rest = path;
	while (at >= 0 && *rest) {
		char *slash = strchr(rest, '/');
		if (slash) {
			*slash = '\0';
		}
		int next = -1;
		// The step is taken from the root's point of view, so links inside keep working.
		if (mkdirat(at, rest, 0755) == 0 || errno == EEXIST) {
			next = folder_open_beneath(folder, path, O_PATH | O_DIRECTORY);
		}
		file_close(&at);
		at = next;
		if (!slash) {
			break;
		}
		*slash = '/';
		rest = slash + 1;
	}
	return at;
}

bool folder_make(int folder, struct text path, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup shown = {0};
	char *name;
	buffer_add_line(&shown, path.length ? path : TEXT("."), 256);
	if (!folder_path(&arena, path, &name)) {
		return error_set(error, ERROR_FAILED, "'%s' cannot be a path", shown.data);
	}
	file_cleanup fd = make_beneath(folder, name);
	return fd >= 0 ||
		error_errno(error, ERROR_FAILED, "cannot make the folder '%s'", shown.data);
}

bool folder_write(
	int folder, struct text path, struct text content, mode_t mode, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup shown = {0};
	char *name;
	buffer_add_line(&shown, path.length ? path : TEXT("."), 256);
	if (!folder_path(&arena, path, &name) || name[0] == '\0') {
		return error_set(error, ERROR_FAILED, "'%s' cannot be a file", shown.data);
	}
	char *slash = strrchr(name, '/');
	char *base = slash ? slash + 1 : name;
	char *parent =
		slash ? arena_copy(&arena, name, (size_t)(slash - name)) : arena_string(&arena, "");
	file_cleanup fd = make_beneath(folder, parent);
	if (fd < 0) {
		return error_errno(
			error, ERROR_FAILED, "cannot make the folder of '%s'", shown.data);
	}
	struct stat status;
	if (fstatat(fd, base, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(status.st_mode)) {
		return error_set(error, ERROR_FAILED, "'%s' is %s, not a regular file", shown.data,
			S_ISDIR(status.st_mode)           ? "a folder"
				: S_ISLNK(status.st_mode) ? "a link"
							  : special_name(status.st_mode));
	}
	return file_replace_at(fd, base, content, mode, false) ||
		error_errno(error, ERROR_FAILED, "cannot write '%s'", shown.data);
}

bool folder_link(int folder, struct text path, struct text target, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup shown = {0};
	char *name, *leads;
	buffer_add_line(&shown, path.length ? path : TEXT("."), 256);
	if (!folder_path(&arena, path, &name) || !folder_path(&arena, target, &leads) || !name[0]) {
		return error_set(error, ERROR_FAILED, "'%s' cannot be a link", shown.data);
	}
	char *slash = strrchr(name, '/');
	char *parent = arena_copy(&arena, name, slash ? (size_t)(slash - name) : 0);
	file_cleanup fd = make_beneath(folder, parent);
	return (fd >= 0 && symlinkat(leads, fd, slash ? slash + 1 : name) == 0) ||
		error_errno(error, ERROR_FAILED, "cannot make the link '%s'", shown.data);
}

// The folder that holds `path`, and the name in it; -1 with a message.
static int open_parent(struct arena *arena, int folder, struct text path, const char *shown,
	const char **base, struct error *error)
{
	char *name;
	if (!folder_path(arena, path, &name) || name[0] == '\0') {
		error_set(error, ERROR_FAILED, "'%s' cannot be removed", shown);
		return -1;
	}
	char *slash = strrchr(name, '/');
	char *parent = arena_copy(arena, name, slash ? (size_t)(slash - name) : 0);
	*base = slash ? slash + 1 : name;
	int fd = folder_open_beneath(folder, parent, O_PATH | O_DIRECTORY);
	if (fd < 0) {
		error_errno(error, ERROR_FAILED, "cannot remove '%s'", shown);
	}
	return fd;
}

bool folder_remove(int folder, struct text path, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup shown = {0};
	const char *base;
	buffer_add_line(&shown, path.length ? path : TEXT("."), 256);
	file_cleanup fd = open_parent(&arena, folder, path, shown.data, &base, error);
	return fd >= 0 &&
		(unlinkat(fd, base, 0) == 0 ||
			error_errno(error, ERROR_FAILED, "cannot remove '%s'", shown.data));
}

bool folder_remove_empty(int folder, struct text path)
{
	arena_cleanup arena = {0};
	struct error ignored = {0}; // what is not there, or not to be reached, is not removed
	const char *base;
	file_cleanup fd = open_parent(&arena, folder, path, "", &base, &ignored);
	return fd >= 0 && unlinkat(fd, base, AT_REMOVEDIR) == 0;
}

bool folder_remove_tree(int folder, struct text path, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup shown = {0};
	const char *base;
	buffer_add_line(&shown, path.length ? path : TEXT("."), 256);
	file_cleanup fd = open_parent(&arena, folder, path, shown.data, &base, error);
	return fd >= 0 &&
		(file_remove_at(fd, base) ||
			error_errno(error, ERROR_FAILED, "cannot remove '%s'", shown.data));
}
