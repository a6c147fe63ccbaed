#include "cli/content.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"
#include "cli/arguments.h"

enum { CONTENT_TEAMS = 1000 };

static bool is_folder(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_file(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static bool has_teams(struct arena *arena, const char *folder)
{
	return folder && is_folder(path_join(arena, folder, "teams"));
}

// The folder of the running program, or NULL.
static const char *program_folder(struct arena *arena)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (length <= 0) {
		return NULL;
	}
	return path_folder(arena, arena_copy(arena, path, (size_t)length));
}

const char *content_folder(struct arena *arena)
{
	const char *program = program_folder(arena);
	const char *candidates[4] = {getenv("MUSTER_DATADIR")};
	if (program && text_ends(text_of(program), "/src")) {
		const char *build = path_folder(arena, program);
		candidates[1] = path_folder(arena, build);
	}
	if (program) {
		candidates[2] = path_join(arena, path_folder(arena, program), "share/muster");
	}
	candidates[3] = MUSTER_DATADIR;
	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		if (has_teams(arena, candidates[i])) {
			return candidates[i];
		}
	}
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(
		((const struct content_team *)a)->name, ((const struct content_team *)b)->name);
}

void content_teams(struct arena *arena, struct content_teams *teams)
{
	const char *content = content_folder(arena);
	*teams = (struct content_teams){
		.teams = arena_new_array(arena, CONTENT_TEAMS, struct content_team)};
	const char *folder = content ? path_join(arena, content, "teams") : NULL;
	DIR *directory = folder ? opendir(folder) : NULL;
	if (!directory) {
		return;
	}
	const struct dirent *entry;
	while (teams->count < CONTENT_TEAMS && (entry = readdir(directory))) {
		struct text name = text_of(entry->d_name);
		if (text_ends(name, ".yaml") && name.data[0] != '.') {
			name.length -= strlen(".yaml");
			teams->teams[teams->count++] =
				(struct content_team){.name = text_string(arena, name),
					.path = path_join(arena, folder, entry->d_name)};
		}
	}
	closedir(directory);
	qsort(teams->teams, teams->count, sizeof(*teams->teams), by_name);
}

static bool looks_like_path(const char *word)
{
	struct text text = text_of(word);
	return strchr(word, '/') || text_ends(text, ".yaml") || text_ends(text, ".yml") ||
		text_ends(text, ".json");
}

static bool no_team(struct arena *arena, const struct content_teams *teams, const char *word,
	struct error *error)
{
	const char **names = arena_new_array(arena, teams->count + 1, const char *);
	for (size_t i = 0; i < teams->count; i++) {
		names[i] = teams->teams[i].name;
	}
	const char *nearest = text_nearest(text_of(word), names, teams->count);
	const char *shown = arguments_shown(arena, word);
	if (looks_like_path(word)) {
		error_set(error, ERROR_USAGE, "there is no team file '%s'", shown);
		return error_hint(error, "'muster new NAME' writes one to start from");
	}
	error_set(error, ERROR_USAGE, "'%s' is neither a file nor a canned team", shown);
	if (nearest) {
		return error_hint(error, "did you mean '%s'?", nearest);
	}
	return error_hint(error, "'muster new --list' lists the canned teams");
}

bool content_team(struct arena *arena, const char *word, const char **path, struct error *error)
{
	if (is_folder(word)) {
		error_set(error, ERROR_USAGE, "'%s' is a folder", arguments_shown(arena, word));
		return error_hint(error, "name the team file in it");
	}
	// Anything else that is there (also a pipe) is for the loader to judge.
	if (access(word, F_OK) == 0 && (looks_like_path(word) || is_file(word))) {
		*path = word;
		return true;
	}
	struct content_teams teams;
	content_teams(arena, &teams);
	for (size_t i = 0; i < teams.count; i++) {
		if (strcmp(teams.teams[i].name, word) == 0) {
			*path = teams.teams[i].path;
			return true;
		}
	}
	return no_team(arena, &teams, word, error);
}
