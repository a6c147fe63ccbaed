#include "cli/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"
#include "cli/verb.h"
#include "cli/vocabulary.h"
#include "sandbox/sandbox.h"

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

static bool unknown_option(
	const struct sandbox_driver *driver, struct text name, struct error *error)
{
	const char *names[64];
	size_t count = 0;
	while (driver->options && driver->options[count].name && count < 64) {
		names[count] = driver->options[count].name;
		count++;
	}
	const char *nearest = text_nearest(name, names, count);
	error_set(error, ERROR_USAGE, "sandbox '%s' has no option '%.*s'", driver->name,
		(int)(name.length < 40 ? name.length : 40), name.data);
	return nearest ? error_hint(error, "did you mean '%s'?", nearest)
		       : error_hint(error, "'muster help sandbox' lists them");
}

// Numbers, lists and the like as JSON has them; anything else is a string.
static bool add_option(cJSON *tree, const struct sandbox_driver *driver, struct arena *arena,
	const char *given, struct error *error)
{
	const char *equals = strchr(given, '=');
	struct error no_json = {0};
	if (!equals || equals == given) {
		error_set(error, ERROR_USAGE, "--sandbox-option takes NAME=VALUE, not '%s'",
			arguments_shown(arena, given));
		return error_hint(error, "as in --sandbox-option image=debian:bookworm");
	}
	const char *name = arena_copy(arena, given, (size_t)(equals - given));
	const struct key *key = driver->options;
	while (key && key->name && strcmp(key->name, name) != 0) {
		key++;
	}
	if (!key || !key->name) {
		return unknown_option(driver, text_of(name), error);
	}
	cJSON *value = key->type == KEY_STRING || key->type == KEY_CHOICE
		? NULL
		: json_parse(text_of(equals + 1), &no_json);
	cJSON_DeleteItemFromObjectCaseSensitive(tree, name);
	cJSON_AddItemToObject(tree, name, value ? value : cJSON_CreateString(equals + 1));
	return true;
}

bool config_sandbox_options(struct arguments *arguments, const char **json, struct error *error)
{
	size_t count;
	const char **given = arguments_values(arguments, "sandbox-option", &count);
	const char *provider = config_sandbox(arguments);
	*json = NULL;
	if (count == 0) {
		return true;
	}
	const struct sandbox_driver *driver = provider ? sandbox_driver_find(provider) : NULL;
	if (!driver) {
		error_set(error, ERROR_USAGE, "--sandbox-option goes with --sandbox PROVIDER");
		return error_hint(error, "'muster providers' lists the providers");
	}
	json_cleanup *tree = cJSON_CreateObject();
	for (size_t i = 0; i < count; i++) {
		if (!add_option(tree, driver, &arguments->arena, given[i], error)) {
			return false;
		}
	}
	buffer_cleanup text = {0};
	json_print(&text, tree);
	*json = arena_string(&arguments->arena, text.data);
	return true;
}
