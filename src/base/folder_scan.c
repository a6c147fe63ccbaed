#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file_parts.h"

enum { SCAN_DEPTH = 64 };

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
		.modified = folder_nanoseconds(&status->st_mtim),
		.changed = folder_nanoseconds(&status->st_ctim),
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
		// Gone meanwhile, or in a folder whose names may be read but not what they stand for.
		return errno == ENOENT || errno == EACCES;
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

struct names {
	char **names;
	size_t count, capacity;
};

// False: the folder could not be read to its end. What is missing then is not gone.
static bool read_names(DIR *folder, size_t limit, struct names *names)
{
	const struct dirent *entry;
	while (names->count <= limit && (errno = 0, entry = readdir(folder))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		if (names->count == names->capacity) {
			names->capacity = names->capacity * 2 + 32;
			names->names = memory_resize(
				names->names, names->capacity * sizeof(*names->names));
		}
		names->names[names->count++] = memory_string(entry->d_name);
	}
	return names->count > limit || errno == 0 || errno == ENOENT;
}

// Takes over the descriptor.
static bool scan_folder(struct scan *scan, int fd, struct text prefix, int depth)
{
	DIR *folder = fdopendir(fd);
	struct names names = {0};
	if (!folder) {
		close(fd);
		return false;
	}
	bool fine = read_names(folder, scan->limit, &names);
	int reason = errno;
	if (names.count) {
		qsort(names.names, names.count, sizeof(*names.names), compare_names);
	}
	for (size_t i = 0; i < names.count; i++) {
		if (fine) {
			fine = scan_entry(scan, dirfd(folder), prefix, names.names[i], depth);
			reason = errno;
		}
		free(names.names[i]);
	}
	free(names.names);
	closedir(folder);
	errno = reason;
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
	errno = ENAMETOOLONG;
	int fd = folder_path(&names, path, &name)
		? folder_open_beneath(folder, name, O_RDONLY | O_DIRECTORY)
		: -1;
	if (fd < 0 || !scan_folder(&scan, fd, path, SCAN_DEPTH)) {
		int reason = errno;
		free(scan.entries);
		errno = reason;
		return error_errno(
			error, folder_error_kind(errno), "cannot look through the workspace");
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
