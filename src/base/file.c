#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OPEN_TRIES = 8, SCAN_DEPTH = 64, TEMPORARY_TRIES = 16 };

void file_close(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		close(*fd);
		errno = saved;
		*fd = -1;
	}
}

// Reads to the end, at most `limit` bytes.
static bool read_all(struct arena *arena, int fd, const char *shown, size_t limit,
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
	return read_all(arena, fd, path, limit, content, error);
}

// A name beside `path` that nobody uses: ".NAME.XXXXXXXX.tmp" in the same folder.
static char *temporary_name(struct arena *arena, const char *path)
{
	uint32_t random = 0;
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
		random = (uint32_t)getpid();
	}
	return arena_printf(arena, "%.*s.muster-%08x.tmp", folder, path, random);
}

// Writes a temporary file beneath `folder` (AT_FDCWD: anywhere) and renames it into place.
static bool replace_at(int folder, const char *path, struct text content, mode_t mode)
{
	arena_cleanup arena = {0};
	char *temporary = NULL;
	file_cleanup fd = -1;
	for (int i = 0; i < TEMPORARY_TRIES && fd < 0; i++) {
		temporary = temporary_name(&arena, path);
		fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			mode);
		if (fd < 0 && errno != EEXIST) {
			return false;
		}
	}
	if (fd < 0) {
		return false;
	}
	if (!write_all(fd, content) || fchmod(fd, mode) < 0 ||
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
	return replace_at(AT_FDCWD, path, content, mode) ||
		error_errno(error, ERROR_FAILED, "cannot write '%s'", path);
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

static bool remove_at(int folder, const char *name, int depth);

static bool empty_folder(int fd, int depth)
{
	DIR *entries = fdopendir(fd);
	if (!entries) {
		close(fd);
		return false;
	}
	bool fine = depth > 0;
	const struct dirent *entry;
	while (fine && (entry = readdir(entries))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			fine = remove_at(dirfd(entries), entry->d_name, depth - 1);
		}
	}
	closedir(entries);
	return fine;
}

static bool remove_at(int folder, const char *name, int depth)
{
	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) {
		return true;
	}
	if (errno != EISDIR && errno != EPERM && errno != EACCES) {
		return false;
	}
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && fchmodat(folder, name, 0700, 0) == 0) {
		fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0) {
		return false;
	}
	if (fchmod(fd, 0700) < 0 && errno != EPERM) {
		close(fd);
		return false;
	}
	return empty_folder(fd, depth) && unlinkat(folder, name, AT_REMOVEDIR) == 0;
}

bool file_remove_tree(const char *path, struct error *error)
{
	return remove_at(AT_FDCWD, path, 512) ||
		error_errno(error, ERROR_FAILED, "cannot remove '%s'", path);
}

int folder_open(const char *path, struct error *error)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		error_errno(error, ERROR_USAGE, "cannot open the folder '%s'", path);
	}
	return fd;
}

// Opens beneath the folder: neither "..", links nor a race lead outside.
static int open_beneath(int folder, const char *path, int flags, mode_t mode)
{
	struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	for (int i = 0; i < OPEN_TRIES; i++) {
		long fd = syscall(SYS_openat2, folder, path[0] ? path : ".", &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) {
			return (int)fd;
		}
	}
	return -1;
}

static const char *special_name(mode_t mode)
{
	return S_ISFIFO(mode)    ? "a FIFO"
		: S_ISSOCK(mode) ? "a socket"
		: S_ISCHR(mode)  ? "a character device"
		: S_ISBLK(mode)  ? "a block device"
				 : "a special file";
}

static int64_t nanoseconds(const struct timespec *time)
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
	result.modified = nanoseconds(&status.st_mtim);
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

// A path from outside as a C string; false when it cannot be one.
static bool path_string(struct arena *arena, struct text path, char **string)
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
	if (!path_string(&arena, path, &name)) {
		return missing;
	}
	file_cleanup fd = open_beneath(folder, name, O_PATH, 0);
	if (fd >= 0) {
		return stat_descriptor(fd);
	}
	bool outside = errno == EXDEV;
	bool circle = errno == ELOOP;
	bool nowhere = errno == ENOENT;
	file_cleanup link = open_beneath(folder, name, O_PATH | O_NOFOLLOW, 0);
	if (link < 0 && nowhere) {
		return missing;
	}
	return (struct folder_stat){.kind = FOLDER_LINK,
		.what = outside     ? "a link that leaves the workspace"
			: circle    ? "a link that leads in circles"
			: link >= 0 ? "a link that leads nowhere"
				    : "not reachable"};
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
	buffer_add_line(&shown, path, 256);
	if (!path_string(&arena, path, &name)) {
		error_set(error, ERROR_FAILED, "'%s' cannot be a path", shown.data);
		return -1;
	}
	struct folder_stat found = folder_stat(folder, path);
	if (found.kind == FOLDER_MISSING) {
		error_set(error, ERROR_FAILED, "'%s' does not exist", shown.data);
		return -1;
	}
	if (found.kind != FOLDER_FILE) {
		not_a_file(error, shown.data, &found);
		return -1;
	}
	int fd = open_beneath(folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0) {
		error_errno(error, ERROR_FAILED, "cannot open '%s'", shown.data);
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
	buffer_add_line(&shown, path, 256);
	file_cleanup fd = folder_open_file(folder, path, error);
	return fd >= 0 && read_all(arena, fd, shown.data, limit, content, error);
}

bool folder_read_link(struct arena *arena, int folder, struct text path, struct text *target)
{
	arena_cleanup names = {0};
	char *name, bytes[4097];
	if (!path_string(&names, path, &name)) {
		return false;
	}
	file_cleanup fd = open_beneath(folder, name, O_PATH | O_NOFOLLOW, 0);
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
	int at = open_beneath(folder, "", O_PATH | O_DIRECTORY, 0);
	char *rest = path;
	while (at >= 0 && *rest) {
		char *slash = strchr(rest, '/');
		if (slash) {
			*slash = '\0';
		}
		int next = -1;
		// The step is taken from the root's point of view, so links inside keep working.
		if (mkdirat(at, rest, 0755) == 0 || errno == EEXIST) {
			next = open_beneath(folder, path, O_PATH | O_DIRECTORY, 0);
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
	buffer_add_line(&shown, path, 256);
	if (!path_string(&arena, path, &name)) {
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
	buffer_add_line(&shown, path, 256);
	if (!path_string(&arena, path, &name) || name[0] == '\0') {
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
	return replace_at(fd, base, content, mode) ||
		error_errno(error, ERROR_FAILED, "cannot write '%s'", shown.data);
}

bool folder_remove(int folder, struct text path, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup shown = {0};
	char *name;
	buffer_add_line(&shown, path, 256);
	if (!path_string(&arena, path, &name)) {
		return error_set(error, ERROR_FAILED, "'%s' cannot be a path", shown.data);
	}
	char *slash = strrchr(name, '/');
	char *parent =
		slash ? arena_copy(&arena, name, (size_t)(slash - name)) : arena_string(&arena, "");
	file_cleanup fd = open_beneath(folder, parent, O_PATH | O_DIRECTORY, 0);
	return (fd >= 0 && unlinkat(fd, slash ? slash + 1 : name, 0) == 0) ||
		error_errno(error, ERROR_FAILED, "cannot remove '%s'", shown.data);
}

struct scan {
	struct arena *arena;
	size_t limit;
	bool (*skip)(void *data, struct text path);
	void *data;
	struct folder_entry *entries;
	size_t count, capacity;
	bool cut;
};

static void add_entry(struct scan *scan, struct text path, const struct stat *status)
{
	if (scan->count == scan->capacity) {
		scan->capacity = scan->capacity * 2 + 256;
		scan->entries =
			memory_resize(scan->entries, scan->capacity * sizeof(*scan->entries));
	}
	scan->entries[scan->count++] = (struct folder_entry){.path = path,
		.kind = S_ISREG(status->st_mode)   ? FOLDER_FILE
			: S_ISDIR(status->st_mode) ? FOLDER_FOLDER
			: S_ISLNK(status->st_mode) ? FOLDER_LINK
						   : FOLDER_SPECIAL,
		.mode = status->st_mode & 07777,
		.size = status->st_size,
		.modified = nanoseconds(&status->st_mtim),
		.changed = nanoseconds(&status->st_ctim),
		.inode = status->st_ino};
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool scan_folder(struct scan *scan, int fd, struct text prefix, int depth);

static bool scan_entry(struct scan *scan, int fd, struct text prefix, const char *name, int depth)
{
	struct stat status;
	struct text path = text_of(name);
	if (prefix.length) {
		char *joined =
			arena_printf(scan->arena, "%.*s/%s", (int)prefix.length, prefix.data, name);
		path = text_of(joined);
	} else {
		path = text_copy(scan->arena, path);
	}
	if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
		return errno == ENOENT; // gone meanwhile
	}
	bool folder = S_ISDIR(status.st_mode);
	if (folder && scan->skip && scan->skip(scan->data, path)) {
		return true;
	}
	if (scan->count >= scan->limit) {
		scan->cut = true;
		return true;
	}
	add_entry(scan, path, &status);
	if (!folder || depth == 0) {
		scan->cut = scan->cut || folder;
		return true;
	}
	int inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (inner < 0) {
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EACCES;
	}
	return scan_folder(scan, inner, path, depth - 1);
}

// Takes over the descriptor.
static bool scan_folder(struct scan *scan, int fd, struct text prefix, int depth)
{
	DIR *folder = fdopendir(fd);
	char **names = NULL;
	size_t count = 0, capacity = 0;
	if (!folder) {
		close(fd);
		return false;
	}
	const struct dirent *entry;
	while ((entry = readdir(folder)) && count <= scan->limit) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		if (count == capacity) {
			capacity = capacity * 2 + 32;
			names = memory_resize(names, capacity * sizeof(*names));
		}
		names[count++] = memory_string(entry->d_name);
	}
	if (count) {
		qsort(names, count, sizeof(*names), compare_names);
	}
	bool fine = true;
	for (size_t i = 0; i < count; i++) {
		fine = fine && scan_entry(scan, dirfd(folder), prefix, names[i], depth);
		free(names[i]);
	}
	free(names);
	closedir(folder);
	return fine;
}

static int compare_entries(const void *a, const void *b)
{
	const struct folder_entry *x = a, *y = b;
	return strcmp(x->path.data, y->path.data);
}

bool folder_scan(struct arena *arena, int folder, struct text path, size_t limit,
	bool (*skip)(void *data, struct text path), void *data, struct folder_list *list,
	struct error *error)
{
	struct scan scan = {.arena = arena, .limit = limit, .skip = skip, .data = data};
	arena_cleanup names = {0};
	char *name;
	*list = (struct folder_list){0};
	int fd = path_string(&names, path, &name)
		? open_beneath(folder, name, O_RDONLY | O_DIRECTORY, 0)
		: -1;
	if (fd < 0 || !scan_folder(&scan, fd, path, SCAN_DEPTH)) {
		free(scan.entries);
		return error_errno(error, ERROR_FAILED, "cannot look through the workspace");
	}
	if (scan.count) {
		qsort(scan.entries, scan.count, sizeof(*scan.entries), compare_entries);
		list->entries = (struct folder_entry *)(void *)arena_copy(
			arena, scan.entries, scan.count * sizeof(*scan.entries));
	}
	list->count = scan.count;
	list->cut = scan.cut;
	free(scan.entries);
	return true;
}
