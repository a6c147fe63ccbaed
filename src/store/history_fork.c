#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "store/history_parts.h"

enum { DEPTH_MOST = 4 }; // objects/pack, objects/ab

static bool failed(struct error *error, const char *path)
{
	return error_errno(error, ERROR_FAILED, "cannot copy the history to '%s'", path);
}

// Where there are no links.
static bool copy(const char *from, const char *to, struct error *error)
{
	struct stat status;
	file_cleanup source = open(from, O_RDONLY | O_CLOEXEC);
	file_cleanup target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (source < 0 || target < 0 || fstat(source, &status) < 0) {
		return failed(error, to);
	}
	off_t done = 0;
	while (done < status.st_size) {
		if (sendfile(target, source, &done, (size_t)(status.st_size - done)) <= 0) {
			return failed(error, to);
		}
	}
	return fsync(target) == 0 || failed(error, to);
}

// What somebody is just writing has another name, and belongs to a later commit.
static bool is_object(const char *name)
{
	return strncmp(name, "tmp_", 4) != 0 && !file_is_temporary(name);
}

static bool copy_objects(const char *from, const char *to, size_t depth, struct error *error)
{
	DIR *folder = opendir(from);
	if (!folder || !file_make_folders(to, 0755, error)) {
		failed(error, to);
		return folder ? closedir(folder) != 0 : false;
	}
	bool fine = true;
	const struct dirent *entry;
	while (fine && (entry = readdir(folder))) {
		arena_cleanup arena = {0};
		const char *source = path_join(&arena, from, entry->d_name);
		const char *target = path_join(&arena, to, entry->d_name);
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			!is_object(entry->d_name)) {
			continue;
		}
		if (entry->d_type == DT_DIR) {
			fine = depth >= DEPTH_MOST ||
				copy_objects(source, target, depth + 1, error);
		} else if (entry->d_type == DT_REG && link(source, target) < 0 && errno != EEXIST) {
			fine = copy(source, target, error);
		}
	}
	closedir(folder);
	return fine;
}

bool history_fork(const char *from, const char *to, const char *commit, struct error *error)
{
	arena_cleanup arena = {0};
	struct history *made = history_open(to, NULL, error);
	if (!made) {
		return false;
	}
	history_close(made);
	return !commit[0] ||
		(copy_objects(path_join(&arena, from, "objects"), path_join(&arena, to, "objects"),
			 0, error) &&
			file_replace(path_join(&arena, to, HISTORY_BRANCH),
				text_of(arena_printf(&arena, "%s\n", commit)), 0644, error));
}
