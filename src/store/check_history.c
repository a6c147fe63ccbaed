/* The folder of a run: the history's objects and what a killed process left there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "store/check.h"
#include "store/history_parts.h"

enum { FILES = 1000000 };

// The changes that the journal knows; then the last of each path, in order of paths.
struct known {
	struct arena arena;
	struct store_change *changes; // `record` is their place in the journal
	size_t count, capacity;
};

static bool take_change(void *data, const struct store_change *change)
{
	struct known *known = data;
	if (known->count == known->capacity) {
		known->capacity = known->capacity * 2 + 64;
		known->changes =
			memory_resize(known->changes, known->capacity * sizeof(*known->changes));
	}
	known->changes[known->count] =
		(struct store_change){.path = arena_string(&known->arena, change->path),
			.blob = arena_string(&known->arena, change->blob),
			.record = (int64_t)known->count};
	known->count++;
	return true;
}

static int compare_changes(const void *a, const void *b)
{
	const struct store_change *x = a, *y = b;
	int order = strcmp(x->path, y->path);
	return order ? order : (x->record > y->record) - (x->record < y->record);
}

static bool read_known(
	struct check *check, const char *run, struct known *known, struct error *error)
{
	size_t count = 0;
	*known = (struct known){0};
	bool fine = store_changes(check->store, run, take_change, known, error);
	if (known->count) {
		qsort(known->changes, known->count, sizeof(*known->changes), compare_changes);
	}
	for (size_t i = 0; i < known->count; i++) {
		bool last = i + 1 == known->count ||
			strcmp(known->changes[i].path, known->changes[i + 1].path) != 0;
		if (last) {
			known->changes[count++] = known->changes[i];
		}
	}
	known->count = count;
	return fine;
}

static void known_finish(struct known *known)
{
	free(known->changes);
	arena_finish(&known->arena);
}

static void say_differs(struct check *check, const char *path)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text_of(path), 256);
	check_say(check,
		"'%s' is not the same in the journal and in the history; a resume takes over what "
		"the history has",
		shown.data ? shown.data : "");
}

// Both are in order of paths.
static void compare(
	struct check *check, const struct known *known, const struct history_files *files)
{
	size_t i = 0, j = 0;
	while (i < known->count || j < files->count) {
		int order = i == known->count ? 1
			: j == files->count
			? -1
			: strcmp(known->changes[i].path, files->files[j].path.data);
		const char *blob = order <= 0 ? known->changes[i].blob : "";
		const char *path = order <= 0 ? known->changes[i].path : files->files[j].path.data;
		if (strcmp(blob, order >= 0 ? files->files[j].blob : "") != 0) {
			say_differs(check, path);
		}
		i += order <= 0;
		j += order >= 0;
	}
}

// Every file of every step can be read: libgit2 compares what it reads with the object's name.
static bool read_steps(struct check *check, struct history *history,
	const struct history_steps *steps, struct history_files *files)
{
	for (size_t i = 0; i < steps->count; i++) {
		struct error error = {0};
		*files = (struct history_files){0};
		if (!history_files(history, &check->arena, &steps->steps[i], files, &error)) {
			check_say(check, "commit %s: %s", steps->steps[i].commit, error.message);
			return false;
		}
		for (size_t j = 0; j < files->count; j++) {
			arena_cleanup arena = {0};
			struct text content;
			if (!history_blob(
				    history, &arena, files->files[j].blob, &content, &error)) {
				check_say(check, "commit %s, '%s': %s", steps->steps[i].commit,
					text_string(&arena, files->files[j].path), error.message);
				return false;
			}
		}
	}
	return true;
}

static bool is_left_over(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t length = strlen(name);
	return file_is_temporary(name) || strncmp(name, "tmp_obj", 7) == 0 ||
		(length > 5 && strcmp(name + length - 5, ".lock") == 0);
}

static bool find_leftovers(struct check *check, const char *folder,
	bool (*is_left)(const char *path), struct error *error)
{
	arena_cleanup arena = {0};
	struct folder_list list;
	file_cleanup fd = folder_open(folder, error);
	if (fd < 0 || !folder_scan(&arena, fd, TEXT(""), FILES, NULL, NULL, &list, error)) {
		return false;
	}
	for (size_t i = 0; i < list.count; i++) {
		const char *path = text_string(&arena, list.entries[i].path);
		if (list.entries[i].kind == FOLDER_FILE && is_left(path)) {
			check_stale(check, path_join(&arena, folder, path),
				"a process ended while it wrote it");
		}
	}
	return true;
}

// The history's last commit is what the changes in the journal lead to.
static bool check_history(struct check *check, const char *path, const struct known *known,
	bool driven, struct error *error)
{
	struct history_steps steps;
	struct history_files files = {0};
	struct error problem = {0};
	struct history *history = history_open_read(path, &problem);
	if (!history || !history_steps(history, &check->arena, &steps, &problem)) {
		check_say(check, "%s", problem.message);
	} else if (read_steps(check, history, &steps, &files) && !driven) {
		// While a process is at work the history is ahead now and then.
		compare(check, known, &files);
	}
	history_close(history);
	return driven || find_leftovers(check, path, is_left_over, error);
}

// What lies in the workspace has names of the agents' own choice: only ours count.
static bool is_ours(const char *path)
{
	const char *slash = strrchr(path, '/');
	return file_is_temporary(slash ? slash + 1 : path);
}

static bool check_workspace(
	struct check *check, const struct store_run *run, const char *folder, struct error *error)
{
	arena_cleanup arena = {0};
	const struct sandbox_driver *driver = sandbox_driver_find(run->sandbox);
	const char *workspace = path_join(&arena, folder, "workspace");
	if (!driver || !(driver->flags & SANDBOX_HOST_FOLDER)) {
		return true;
	}
	if (access(workspace, F_OK) < 0) {
		check_say(check, "its workspace '%s' is gone", workspace);
		return true;
	}
	return find_leftovers(check, workspace, is_ours, error);
}

static bool check_folder(struct check *check, const struct store_run *run, const char *folder,
	bool driven, struct error *error)
{
	arena_cleanup arena = {0};
	struct known known;
	const char *history = path_join(&arena, folder, "history.git");
	bool fine = read_known(check, run->id, &known, error);
	if (fine && access(folder, F_OK) < 0) {
		check_say(check, "its folder '%s' is gone", folder);
	} else if (fine && access(history, F_OK) == 0) {
		fine = check_history(check, history, &known, driven, error) &&
			(driven || check_workspace(check, run, folder, error));
	} else if (fine && known.count) {
		check_say(check, "the history of its workspace, '%s', is gone", history);
	}
	known_finish(&known);
	return fine;
}

bool check_run_folder(
	struct check *check, const struct store_run *run, bool driven, struct error *error)
{
	arena_cleanup arena = {0};
	const char *folder = store_run_folder(check->store, &arena, run->id, error);
	check->run = arena_string(&check->arena, run->id);
	bool fine = folder && check_folder(check, run, folder, driven, error);
	check->run = NULL;
	return fine;
}
