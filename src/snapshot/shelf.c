#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "snapshot/parts.h"

static const char ending[] = ".tar.zst";

enum { ID_LENGTH = HASH_HEX_SIZE - 1 };

static size_t digits_of(const char *text)
{
	return strspn(text, "0123456789abcdef");
}

bool snapshot_is_id(const char *text)
{
	return strlen(text) == ID_LENGTH && digits_of(text) == ID_LENGTH;
}

const char *snapshot_path(struct arena *arena, const char *shelf, const char *id)
{
	return arena_printf(arena, "%s/%s%s", shelf, id, ending);
}

int snapshot_open(const char *shelf, const char *id, struct error *error)
{
	arena_cleanup arena = {0};
	if (!snapshot_is_id(id)) {
		error_set(error, ERROR_USAGE, "this is no id of a snapshot");
		return -1;
	}
	int fd = open(snapshot_path(&arena, shelf, id), O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		error_set(error, ERROR_USAGE, "snapshot '%.12s' is not here any more", id);
	} else if (fd < 0) {
		error_errno(error, ERROR_FAILED, "cannot open snapshot '%.12s'", id);
	}
	return fd;
}

static int compare_rows(const void *a, const void *b)
{
	const struct snapshot_row *x = a, *y = b;
	return x->made != y->made ? (x->made < y->made) - (x->made > y->made)
				  : strcmp(x->id, y->id);
}

static bool take_row(DIR *folder, const char *name, struct arena *arena, struct snapshot_row *row)
{
	struct stat status;
	size_t length = strlen(name);
	if (length != ID_LENGTH + sizeof(ending) - 1 || digits_of(name) != ID_LENGTH ||
		strcmp(name + ID_LENGTH, ending) != 0 ||
		fstatat(dirfd(folder), name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(status.st_mode)) {
		return false;
	}
	row->id = arena_copy(arena, name, ID_LENGTH);
	row->stored = status.st_size;
	row->made = (int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000;
	return true;
}

bool snapshot_list(
	const char *shelf, struct arena *arena, struct snapshot_rows *rows, struct error *error)
{
	struct snapshot_row *found = NULL;
	size_t capacity = 0;
	const struct dirent *entry;
	*rows = (struct snapshot_rows){0};
	DIR *folder = opendir(shelf);
	if (!folder) {
		return errno == ENOENT ||
			error_errno(error, ERROR_FAILED, "cannot look into '%s'", shelf);
	}
	while ((entry = readdir(folder))) {
		if (rows->count == capacity) {
			capacity = capacity * 2 + 16;
			found = memory_resize(found, capacity * sizeof(*found));
		}
		rows->count += take_row(folder, entry->d_name, arena, &found[rows->count]);
	}
	closedir(folder);
	if (rows->count) {
		qsort(found, rows->count, sizeof(*found), compare_rows);
		rows->rows = (struct snapshot_row *)(void *)arena_copy(
			arena, found, rows->count * sizeof(*found));
	}
	free(found);
	return true;
}

const char *snapshot_find(
	const char *shelf, struct arena *arena, const char *beginning, struct error *error)
{
	struct snapshot_rows rows;
	const char *found = NULL;
	size_t matches = 0;
	if (!snapshot_list(shelf, arena, &rows, error)) {
		return NULL;
	}
	for (size_t i = 0; beginning[0] && i < rows.count; i++) {
		if (strncmp(rows.rows[i].id, beginning, strlen(beginning)) == 0) {
			found = rows.rows[i].id;
			matches++;
		}
	}
	if (matches == 1) {
		return found;
	}
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text_of(beginning), 100);
	if (matches) {
		error_set(error, ERROR_USAGE, "'%s' could be %zu snapshots", shown.data, matches);
	} else {
		error_set(error, ERROR_USAGE, "there is no snapshot '%s'",
			shown.data ? shown.data : "");
	}
	error_hint(error, "'muster snapshot' lists what there is");
	return NULL;
}

bool snapshot_remove(const char *shelf, const char *id, struct error *error)
{
	arena_cleanup arena = {0};
	const char *path = snapshot_path(&arena, shelf, id);
	return unlink(path) == 0 || errno == ENOENT ||
		error_errno(error, ERROR_FAILED, "cannot remove '%s'", path);
}
