#include "manifest/grants.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "manifest/kind.h"

// What is of the sandbox itself, or of each command alone.
static const char *const taken[] = {"workspace", "bin", "dev", "etc", "lib", "lib32", "lib64",
	"libx32", "proc", "run", "sbin", "sys", "tmp", "usr", NULL};

static const struct yaml_node *list_of(const struct manifest_place *place)
{
	const struct yaml_node *grants = yaml_get(place->team->manifest.node, "extra_path_grants");
	return grants && grants->kind == YAML_LIST && grants->count ? grants : NULL;
}

static bool refuse(struct text path, const char *why, const char *remedy, struct error *error)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, path, 200);
	error_set(error, ERROR_USAGE, "the path grant '%s' %s", shown.data ? shown.data : "", why);
	return error_hint(error, "%s", remedy);
}

// "/a/b" from an absolute path; NULL if it is none.
static const char *clean_path(struct arena *arena, struct text path)
{
	struct text clean;
	struct error ignored = {0}; // the caller says it better
	// path_clean() takes the root of the workspace off the front; here it stays.
	struct text rest = {path.data + (path.length > 0), path.length - (path.length > 0)};
	if (path.length == 0 || path.data[0] != '/' || !path_clean(arena, rest, &clean, &ignored) ||
		text_starts(rest, "/workspace")) {
		return NULL;
	}
	return arena_printf(arena, "/%.*s", (int)clean.length, clean.data);
}

static bool is_taken(const char *path)
{
	for (size_t i = 0; taken[i]; i++) {
		size_t length = strlen(taken[i]);
		if (strncmp(path + 1, taken[i], length) == 0 &&
			(path[length + 1] == '/' || path[length + 1] == '\0')) {
			return true;
		}
	}
	return path[1] == '\0';
}

static bool read_grant(const struct manifest_place *place, const struct yaml_node *node,
	struct sandbox_grant *grant, struct error *error)
{
	struct arena *arena = place->arena;
	const struct yaml_node *path = entry_string(node, "path"),
			       *host = entry_string(node, "host_path");
	if (!path) {
		return refuse(TEXT(""), "has no path", "write path: /data", error);
	}
	struct text source =
		team_substitute(arena, place->team, place->values, host ? host->text : path->text);
	grant->read_only = entry_boolean(node, "read_only", false);
	grant->path = clean_path(arena, path->text);
	grant->source = clean_path(arena, source);
	if (!grant->path || !grant->source) {
		return refuse(grant->path ? source : path->text, "is no absolute path",
			"write it from the root, without '..'", error);
	}
	if (is_taken(grant->path)) {
		return refuse(path->text, "lies where the sandbox has folders of its own",
			"show it elsewhere: {path: /data, host_path: ...}", error);
	}
	char *real = realpath(grant->source, NULL);
	if (!real) {
		return error_errno(error, ERROR_USAGE, "the path grant '%s'", grant->source);
	}
	grant->source = arena_string(arena, real);
	free(real);
	return strcmp(grant->source, "/") != 0 ||
		refuse(source, "is the whole machine", "name a folder", error);
}

bool manifest_grants(const struct manifest_place *place, const struct sandbox_grant **grants,
	struct error *error)
{
	const struct yaml_node *list = list_of(place);
	*grants = NULL;
	if (!list) {
		return true;
	}
	struct sandbox_grant *all =
		arena_new_array(place->arena, list->count + 1, struct sandbox_grant);
	for (size_t i = 0; i < list->count; i++) {
		const struct yaml_node *node = &list->items[i];
		if (!read_grant(place, node, &all[i], error)) {
			return error_wrap(error, "%s:%u:%u", node->position.file,
				node->position.line, node->position.column);
		}
	}
	*grants = all;
	return true;
}

bool grants_check(const struct manifest_place *place, struct error *error)
{
	const struct yaml_node *list = list_of(place);
	const struct sandbox_grant *grants;
	if (!list) {
		return true;
	}
	if (strcmp(list->position.file, place->team->path) != 0) {
		error_set(error, ERROR_USAGE,
			"%s:%u:%u: a manifest in a file of its own cannot grant paths",
			list->position.file, list->position.line, list->position.column);
		return error_hint(error, "write the manifest into the team file");
	}
	if (!(place->driver->flags & SANDBOX_GRANTS)) {
		error_set(error, ERROR_UNAVAILABLE,
			"%s:%u:%u: sandbox '%s' cannot carry out path grants", list->position.file,
			list->position.line, list->position.column, place->driver->name);
		return error_hint(error, "copy what is needed with 'local_dir'");
	}
	return manifest_grants(place, &grants, error);
}
