#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/path.h"
#include "team/loader.h"

static const struct team_file *find_file(
	const struct team_file *files, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(files[i].path, path) == 0) {
			return &files[i];
		}
	}
	return NULL;
}

static bool read_file(
	const struct loader *loader, const char *path, struct text *content, struct error *error)
{
	if (!loader->frozen) {
		return file_read(loader->arena, path, LOADER_FILE, content, error);
	}
	const struct team_file *kept = find_file(loader->kept, loader->kept_count, path);
	if (!kept) {
		return error_set(
			error, ERROR_USAGE, "'%s' is not among the files of the run", path);
	}
	*content = text_copy(loader->arena, kept->content);
	return true;
}

// Text that can be kept in JSON and shown to a model: UTF-8 without zero bytes.
static bool check_bytes(const struct loader *loader, struct text content, const char *path)
{
	struct yaml_position position = {path, 1, 1};
	size_t valid = text_utf8_length(content);
	const char *zero = valid ? memchr(content.data, '\0', valid) : NULL;
	size_t good = zero ? (size_t)(zero - content.data) : valid;
	if (good == content.length) {
		return true;
	}
	for (size_t i = 0; i < good; i++) {
		bool line = content.data[i] == '\n';
		bool starts = ((unsigned char)content.data[i] & 0xc0) != 0x80;
		position.line += line;
		position.column = line ? 1 : position.column + starts;
	}
	mistake(loader, position, "save the file as UTF-8",
		zero ? "a zero byte is no text" : "this byte is not valid UTF-8");
	return false;
}

bool pull_file(const struct loader *loader, struct yaml_position position, const char *path,
	struct text *content)
{
	struct team *team = loader->team;
	struct error error = {0};
	const struct team_file *known = find_file(team->files, team->file_count, path);
	if (known) {
		*content = known->content;
		return true;
	}
	if (!file_is_there(loader, path, false)) {
		bool named = strcmp(position.file, path) != 0; // not the team file itself
		if (access(path, F_OK) == 0 && !file_is_there(loader, path, true)) {
			mistake(loader, position, "copy what it holds into a file",
				"'%s' is a pipe or a device, not a file",
				shown(loader, text_of(path)));
			return false;
		}
		mistake(loader, position,
			named ? "the path is relative to the file that names it" : NULL,
			"there is no file '%s'", shown(loader, text_of(path)));
		return false;
	}
	if (!read_file(loader, path, content, &error)) {
		mistake(loader, position, error.hint[0] ? error.hint : NULL, "%s", error.message);
		return false;
	}
	if (!check_bytes(loader, *content, path)) {
		return false;
	}
	struct hash hash = hash_text(*content);
	team->files = grown(loader->arena, team->files, team->file_count, sizeof(*team->files));
	team->files[team->file_count++] =
		(struct team_file){.path = arena_string(loader->arena, path),
			.content = *content,
			.sha256 = arena_string(loader->arena, hash.hex)};
	return true;
}

bool file_is_there(const struct loader *loader, const char *path, bool folder)
{
	struct stat status;
	if (loader->frozen) {
		return true;
	}
	return stat(path, &status) == 0 &&
		(folder ? S_ISDIR(status.st_mode) : S_ISREG(status.st_mode));
}

struct expansion {
	const char **paths;
	size_t count;
};

static void add_path(
	const struct loader *loader, struct expansion *found, const char *folder, const char *name)
{
	found->paths = grown(loader->arena, found->paths, found->count, sizeof(char *));
	found->paths[found->count++] = path_join(loader->arena, folder, name);
}

static void match_folder(const struct loader *loader, const char *folder, const char *pattern,
	struct expansion *found)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		if (name[0] != '.' && found->count < LOADER_USE &&
			glob_match(text_of(pattern), text_of(name))) {
			add_path(loader, found, folder, name);
		}
		free(entries[i]);
	}
	free(entries);
}

static bool is_defaults(const struct loader *loader, const char *path)
{
	const char *defaults = loader->team->choices.defaults;
	return defaults && strcmp(path, defaults) == 0;
}

static void match_kept(const struct loader *loader, const char *folder, const char *pattern,
	struct expansion *found)
{
	for (size_t i = 0; i < loader->kept_count; i++) {
		const char *path = loader->kept[i].path;
		const char *slash = strrchr(path, '/');
		const char *name = slash ? slash + 1 : path;
		if (strcmp(path_folder(loader->arena, path), folder) == 0 && name[0] != '.' &&
			strcmp(path, loader->team->path) != 0 && !is_defaults(loader, path) &&
			glob_match(text_of(pattern), text_of(name))) {
			add_path(loader, found, folder, name);
		}
	}
}

static int compare_strings(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

size_t expand_files(const struct loader *loader, struct yaml_position position, const char *path,
	const char *const **paths)
{
	struct expansion found = {0};
	const char *folder = path_folder(loader->arena, path);
	const char *slash = strrchr(path, '/');
	const char *pattern = slash ? slash + 1 : path;
	if (path_is_glob(text_of(folder))) {
		mistake(loader, position, "write one entry for each folder",
			"only the last part of '%s' may hold wildcards",
			shown(loader, text_of(path)));
	} else if (!path_is_glob(text_of(pattern))) {
		found.paths = grown(loader->arena, NULL, 0, sizeof(char *));
		found.paths[found.count++] = path;
	} else {
		if (loader->frozen) {
			match_kept(loader, folder, pattern, &found);
		} else {
			match_folder(loader, folder, pattern, &found);
		}
		if (found.count == 0) {
			mistake(loader, position, "the path is relative to the file that names it",
				"no file matches '%s'", shown(loader, text_of(path)));
		} else {
			qsort(found.paths, found.count, sizeof(char *), compare_strings);
		}
	}
	*paths = found.paths;
	return found.count;
}
