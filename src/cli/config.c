#include "cli/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "cli/verb.h"
#include "cli/vocabulary.h"

static const char *find_path(struct arena *arena)
{
	const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (folder && folder[0] == '/') { // a relative one counts for nothing (XDG)
		return path_join(arena, folder, "muster/config.yaml");
	}
	return home && home[0] == '/' ? path_join(arena, home, ".config/muster/config.yaml") : NULL;
}

// It names commands and addresses for keys: nobody else may write it.
static bool check_owner(const char *path, const struct stat *status, struct error *error)
{
	arena_cleanup arena = {0};
	const char *shown = arguments_shown(&arena, path);
	if (status->st_uid != geteuid() && status->st_uid != 0) {
		error_set(error, ERROR_USAGE, "'%s' belongs to somebody else", shown);
		return error_hint(error, "muster reads the configuration of its own user only");
	}
	if (status->st_mode & S_IWOTH) {
		error_set(error, ERROR_USAGE, "everybody may write to '%s'", shown);
		return error_hint(error, "chmod o-w it");
	}
	return true;
}

bool config_read(struct arena *arena, struct config *config, struct error *error)
{
	const char *path = find_path(arena);
	struct stat status;
	*config = (struct config){0};
	if (!path || (stat(path, &status) != 0 && (errno == ENOENT || errno == ENOTDIR))) {
		return true;
	}
	if (stat(path, &status) == 0 && !check_owner(path, &status, error)) {
		return false;
	}
	struct team *team = defaults_open(path, error);
	if (!team) {
		return false;
	}
	config->path = path;
	config->colours = team->colours ? arena_string(arena, team->colours) : NULL;
	config->progress = team->progress ? arena_string(arena, team->progress) : NULL;
	team_destroy(team);
	return true;
}

bool config_colours(const struct config *config, int fd)
{
	const char *refused = getenv("NO_COLOR");
	const char *said = config->colours ? config->colours : "auto";
	if (strcmp(said, "always") == 0) {
		return !(refused && refused[0]);
	}
	return strcmp(said, "never") != 0 && output_colours(fd);
}

static const char *from_environment(const char *name)
{
	const char *value = getenv(name);
	return value && value[0] ? value : NULL;
}

struct team_choices config_choices(struct arguments *arguments, const struct config *config)
{
	size_t count;
	const char **given = arguments_values(arguments, "model", &count);
	const char *everywhere = from_environment("MUSTER_MODEL");
	const char **models = arena_new_array(&arguments->arena, count + 2, const char *);
	struct team_choices choices = {.models = models, .defaults = config->path};
	if (everywhere) { // what is given later goes before it
		models[choices.model_count++] = everywhere;
	}
	for (size_t i = 0; i < count; i++) {
		models[choices.model_count++] = given[i];
	}
	return choices;
}

const char *config_sandbox(const struct arguments *arguments)
{
	const char *given = arguments_value(arguments, "sandbox");
	return given ? given : from_environment("MUSTER_SANDBOX");
}
