#include "manifest/manifest.h"

#include <stdlib.h>

#include "base/path.h"
#include "manifest/accounts.h"
#include "manifest/grants.h"
#include "manifest/kind.h"

const struct entry_kind *const entry_kinds[] = {&entry_file, &entry_dir, &entry_local_file,
	&entry_local_dir, &entry_git_repo, &entry_s3_mount, &entry_gcs_mount, &entry_r2_mount,
	&entry_azure_blob_mount, &entry_box_mount, &entry_s3_files_mount, NULL};

static const struct key permission_keys[] = {
	{"owner", KEY_INTEGER, "Of the owner: 4 to read, 2 to write, 1 to execute, added up.",
		.maximum = 7},
	{"group", KEY_INTEGER, "Of the group.", .maximum = 7},
	{"other", KEY_INTEGER, "Of all others.", .maximum = 7},
	{"directory", KEY_BOOLEAN, "Whether it is a folder; follows from the entry's type."},
	{0},
};

const struct key manifest_entry_keys[] = {
	{"type", KEY_STRING, "The kind of entry.", .required = true},
	{"description", KEY_STRING, "What it is, for people."},
	{"ephemeral", KEY_BOOLEAN, "Left out of snapshots, and put in anew each time."},
	{"group", KEY_ANY, "The group that owns it: a name, or {name: NAME}."},
	{"permissions", KEY_TABLE, "Its access rights.", .keys = permission_keys},
	{0},
};

enum { KINDS_MOST = 32 };

struct owner_list manifest_vocabulary(void)
{
	static struct key_owner owners[KINDS_MOST];
	struct owner_list list = {owners, 0};
	while (entry_kinds[list.count] && list.count < KINDS_MOST) {
		owners[list.count] = entry_kinds[list.count]->owner;
		list.count++;
	}
	return list;
}

const char *manifest_cache(struct arena *arena, const char *folder)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	return cache && cache[0] == '/'  ? path_join(arena, cache, "muster")
		: home && home[0] == '/' ? path_join(arena, home, ".cache/muster")
					 : path_join(arena, folder, "cache");
}

const struct entry_kind *entry_kind_of(const struct yaml_node *node)
{
	const struct yaml_node *type = yaml_get(node, "type");
	for (size_t i = 0; type && entry_kinds[i]; i++) {
		if (text_is(type->text, entry_kinds[i]->owner.name)) {
			return entry_kinds[i];
		}
	}
	return NULL;
}

const struct yaml_node *entry_string(const struct yaml_node *node, const char *key)
{
	const struct yaml_node *value = yaml_get(node, key);
	return value && value->kind == YAML_STRING && value->text.length ? value : NULL;
}

bool entry_boolean(const struct yaml_node *node, const char *key, bool otherwise)
{
	const struct yaml_node *value = yaml_get(node, key);
	return value && value->kind == YAML_BOOLEAN ? value->boolean : otherwise;
}

const char *entry_source(
	const struct manifest_place *place, const struct manifest_entry *entry, struct error *error)
{
	const struct yaml_node *src = entry_string(entry->node, "src");
	if (!src) {
		return NULL;
	}
	struct text named = team_substitute(place->arena, place->team, place->values, src->text);
	if (named.length == 0) {
		error_set(error, ERROR_USAGE, "the input '%.*s' names no folder",
			(int)src->text.length, src->text.data);
		return NULL;
	}
	return path_join(place->arena, place->team->manifest.folder, named.data);
}

// The name of a group or user: a string or {name: NAME}; NULL if it is none.
static const struct yaml_node *name_in(const struct yaml_node *node)
{
	return node && node->kind == YAML_STRING ? node : entry_string(node, "name");
}

bool manifest_check_entry(const struct yaml_node *node, struct error *error)
{
	const struct entry_kind *kind = entry_kind_of(node);
	const struct yaml_node *group = yaml_get(node, "group");
	if (group && group->kind != YAML_NULL &&
		(!name_in(group) || !account_name_check(name_in(group)->text, error))) {
		return error->kind != ERROR_NONE
			? false
			: error_set(error, ERROR_USAGE, "'group' names no group") ||
				error_hint(error, "write group: NAME");
	}
	return !kind || !kind->check_keys || kind->check_keys(node, error);
}

static unsigned bits(const struct yaml_node *permissions, const char *whose, unsigned otherwise)
{
	const struct yaml_node *value = yaml_get(permissions, whose);
	return value && value->kind == YAML_INTEGER ? (unsigned)value->integer & 7 : otherwise;
}

struct reading {
	struct arena *arena;
	struct manifest manifest;
	size_t capacity;
};

static void read_entry(
	struct reading *reading, struct text path, const struct yaml_node *node, bool ephemeral)
{
	struct manifest *manifest = &reading->manifest;
	const struct yaml_node *permissions = yaml_get(node, "permissions");
	const struct yaml_node *children = yaml_get(node, "children");
	const struct yaml_node *group = name_in(yaml_get(node, "group"));
	const struct entry_kind *kind = entry_kind_of(node);
	if (!kind) {
		return; // the loader has said so
	}
	if (manifest->count == reading->capacity) {
		struct manifest_entry *old = manifest->entries;
		reading->capacity = reading->capacity * 2 + 16;
		manifest->entries =
			arena_new_array(reading->arena, reading->capacity, struct manifest_entry);
		for (size_t i = 0; i < manifest->count; i++) {
			manifest->entries[i] = old[i];
		}
	}
	ephemeral = ephemeral || entry_boolean(node, "ephemeral", kind->mount);
	manifest->entries[manifest->count++] = (struct manifest_entry){.path = path,
		.kind = kind,
		.node = node,
		.has_mode = permissions && permissions->kind == YAML_MAP,
		.mode = bits(permissions, "owner", 7) << 6 | bits(permissions, "group", 0) << 3 |
			bits(permissions, "other", 0),
		.ephemeral = ephemeral,
		.group = group ? text_string(reading->arena, group->text) : NULL};
	for (size_t i = 0; children && i < children->count; i++) {
		struct text inner;
		struct error ignored = {0}; // the loader has said so
		if (team_entry_path(
			    reading->arena, path, children->pairs[i].key, &inner, &ignored)) {
			read_entry(reading, inner, &children->pairs[i].value, ephemeral);
		}
	}
}

struct manifest manifest_read(struct arena *arena, const struct team *team)
{
	struct reading reading = {.arena = arena};
	for (size_t i = 0; i < team->manifest.entry_count; i++) {
		const struct team_entry *entry = &team->manifest.entries[i];
		read_entry(&reading, text_of(entry->path), entry->node, false);
	}
	return reading.manifest;
}

bool entry_error(const struct manifest_entry *entry, struct error *error)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, entry->path.length ? entry->path : TEXT("."), 256);
	return error_wrap(error, "%s:%u:%u: manifest entry '%s'", entry->node->position.file,
		entry->node->position.line, entry->node->position.column, shown.data);
}

static bool check_group(
	const struct manifest_place *place, const struct manifest_entry *entry, struct error *error)
{
	return !entry->group || account_available(place->driver, entry->group, error);
}

bool manifest_check(const struct manifest_place *place, struct error *error)
{
	struct manifest manifest = manifest_read(place->arena, place->team);
	for (size_t i = 0; i < manifest.count; i++) {
		const struct manifest_entry *entry = &manifest.entries[i];
		if (!check_group(place, entry, error) ||
			(entry->kind->check && !entry->kind->check(place, entry, error))) {
			return entry_error(entry, error);
		}
	}
	return accounts_check(place, error) && grants_check(place, error);
}

bool manifest_prepare(const struct manifest_place *place, struct error *error)
{
	struct manifest manifest = manifest_read(place->arena, place->team);
	for (size_t i = 0; i < manifest.count; i++) {
		const struct manifest_entry *entry = &manifest.entries[i];
		if (entry->kind->prepare && (entry->ephemeral || !place->ephemeral_only) &&
			!entry->kind->prepare(place, entry, error)) {
			return entry_error(entry, error);
		}
	}
	return true;
}
