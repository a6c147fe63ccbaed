#include <string.h>

#include "base/path.h"
#include "team/loader.h"

/* The manifest of the OpenAI Agents SDK has keys that say what is so anyway; as long as they do, its
 * JSON is taken as it is. */
static const struct key derived_keys[] = {
	{"is_dir", KEY_BOOLEAN, "Whether the entry is a folder; follows from its type."},
	{0},
};

static void load_entry_map(struct loader *loader, const struct yaml_node *node, const char *parent,
	const char *folder);

// Common keys, derived ones and the kind's own, in one table.
static const struct key *keys_of(const struct loader *loader, const struct key_owner *owner)
{
	const struct key *const tables[] = {
		loader->vocabulary->entry_keys, derived_keys, owner->keys};
	size_t count = 0;
	for (size_t i = 0; i < 3; i++) {
		for (const struct key *key = tables[i]; key && key->name; key++) {
			count++;
		}
	}
	struct key *keys = arena_new_array(loader->arena, count + 1, struct key);
	count = 0;
	for (size_t i = 0; i < 3; i++) {
		for (const struct key *key = tables[i]; key && key->name; key++) {
			keys[count++] = *key;
		}
	}
	return keys;
}

// {"owner":7,"group":5,"other":5,...}: what every entry has without it.
static bool is_usual_access(const struct yaml_node *node)
{
	return integer_at(node, "owner", -1) == 7 && integer_at(node, "group", -1) == 5 &&
		integer_at(node, "other", -1) == 5;
}

static struct yaml_node without_usual(const struct loader *loader, const struct yaml_node *node)
{
	struct yaml_node rest = *node;
	rest.pairs = arena_new_array(loader->arena, node->count + 1, struct yaml_pair);
	rest.count = 0;
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_pair *pair = &node->pairs[i];
		bool usual = (text_is(pair->key, "permissions") && is_usual_access(&pair->value)) ||
			(text_is(pair->key, "ephemeral") && pair->value.kind == YAML_BOOLEAN &&
				!pair->value.boolean);
		if (!usual) {
			rest.pairs[rest.count++] = *pair;
		}
	}
	return rest;
}

static const struct key_owner *kind_of_entry(
	const struct loader *loader, const struct yaml_node *node, const char *path)
{
	const struct owner_list *known = &loader->vocabulary->entries;
	if (node->kind != YAML_MAP) {
		mistake(loader, node->position, "write {type: file, content: ...}",
			"the entry '%s' must be a map, not %s", path, yaml_kind_name(node->kind));
		return NULL;
	}
	const struct yaml_node *type = yaml_get(node, "type");
	if (!type) {
		mistake(loader, node->position, owner_remedy(loader, TEXT(""), known),
			"the entry \'%s\' has no 'type'", path);
		return NULL;
	}
	const struct key_owner *owner = owner_find(known, type->text);
	if (!owner || type->kind != YAML_STRING) {
		mistake(loader, type->position, owner_remedy(loader, type->text, known),
			"there is no entry type '%s'", shown(loader, type->text));
		return NULL;
	}
	if (owner->later) {
		mistake(loader, type->position, "leave the entry out",
			"entries of type '%s' are not available yet", owner->name);
		return NULL;
	}
	return owner;
}

// The clean path of an entry below its parent, or NULL after a mistake.
static const char *entry_path(
	const struct loader *loader, const struct yaml_pair *pair, const char *parent)
{
	struct error error = {0};
	struct text clean;
	const char *name = text_string(loader->arena, pair->key);
	const char *joined = *parent ? arena_printf(loader->arena, "%s/%s", parent, name) : name;
	if (!path_clean(loader->arena, text_of(joined), &clean, &error)) {
		mistake(loader, pair->position, "write a path from the root of the workspace", "%s",
			error.message);
		return NULL;
	}
	if (clean.length == 0) {
		mistake(loader, pair->position, "name what lies in it",
			"an entry cannot be the workspace itself");
		return NULL;
	}
	return text_string(loader->arena, clean);
}

static void load_entry(
	struct loader *loader, const struct yaml_pair *pair, const char *parent, const char *folder)
{
	struct team_manifest *manifest = &loader->team->manifest;
	const char *path = entry_path(loader, pair, parent);
	const struct key_owner *owner =
		path ? kind_of_entry(loader, &pair->value, shown(loader, text_of(path))) : NULL;
	if (!owner) {
		return;
	}
	struct place place = {
		arena_printf(loader->arena, "manifest.entries.%s", shown(loader, text_of(path))),
		folder, true};
	struct yaml_node rest = without_usual(loader, &pair->value);
	check_table(loader, &rest, keys_of(loader, owner), &place);
	const struct yaml_node *children = yaml_get(&pair->value, "children");
	if (children && children->kind != YAML_NULL) {
		load_entry_map(loader, children, path, folder);
	}
	if (*parent) {
		return;
	}
	for (size_t i = 0; i < manifest->entry_count; i++) {
		if (strcmp(manifest->entries[i].path, path) == 0) {
			mistake(loader, pair->position, "leave one of them out",
				"two entries have the path '%s'", shown(loader, text_of(path)));
			return;
		}
	}
	manifest->entries = grown(loader->arena, manifest->entries, manifest->entry_count,
		sizeof(*manifest->entries));
	manifest->entries[manifest->entry_count++] =
		(struct team_entry){.path = path, .node = &pair->value};
}

static void load_entry_map(
	struct loader *loader, const struct yaml_node *node, const char *parent, const char *folder)
{
	if (!expect_kind(loader, node, YAML_MAP, *parent ? "children" : "entries")) {
		return;
	}
	if (node->count > LOADER_ENTRIES) {
		mistake(loader, node->position, "put them into a folder and use 'local_dir'",
			"a manifest has at most %d entries", LOADER_ENTRIES);
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		load_entry(loader, &node->pairs[i], parent, folder);
	}
}

// --- Environment ---

static bool is_variable_name(struct text name)
{
	for (size_t i = 0; i < name.length; i++) {
		char byte = name.data[i];
		bool letter =
			(byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
		if (!letter && !(i && byte >= '0' && byte <= '9')) {
			return false;
		}
	}
	return name.length > 0 && name.length <= 128;
}

static void load_variable(const struct loader *loader, const struct yaml_pair *pair)
{
	struct team_manifest *manifest = &loader->team->manifest;
	const struct yaml_node *value = &pair->value;
	// The SDK's long form: {"type": "str", "value": ...} or {"value": {...}, "description": ...}.
	while (value->kind == YAML_MAP && yaml_get(value, "value")) {
		value = yaml_get(value, "value");
	}
	if (!is_variable_name(pair->key)) {
		mistake(loader, pair->position, "use letters, digits and '_', no digit first",
			"'%s' is no name for an environment variable", shown(loader, pair->key));
	}
	if (value->kind == YAML_LIST || value->kind == YAML_MAP || value->kind == YAML_NULL) {
		mistake(loader, value->position, "write \"\" for an empty one",
			"the environment variable '%s' must be a string, not %s",
			shown(loader, pair->key), yaml_kind_name(value->kind));
		return;
	}
	manifest->environment = grown(loader->arena, manifest->environment,
		manifest->variable_count, sizeof(*manifest->environment));
	manifest->environment[manifest->variable_count++] =
		(struct team_variable){.name = text_string(loader->arena, pair->key),
			.value = text_string(loader->arena, value->text)};
}

static void load_environment(const struct loader *loader, const struct yaml_node *node)
{
	if (!node || !expect_kind(loader, node, YAML_MAP, "environment")) {
		return;
	}
	// The SDK puts all of it one level down, under "value".
	const struct yaml_node *inner = yaml_get(node, "value");
	if (inner && inner->kind == YAML_MAP && node->count == 1) {
		node = inner;
	}
	for (size_t i = 0; i < node->count; i++) {
		load_variable(loader, &node->pairs[i]);
	}
}

// --- The whole ---

static const struct yaml_node *manifest_file(
	struct loader *loader, const struct yaml_node *node, const char **folder)
{
	struct text source;
	struct error error = {0};
	const char *path =
		path_join(loader->arena, loader->folder, text_string(loader->arena, node->text));
	if (!pull_file(loader, node->position, path, &source)) {
		return NULL;
	}
	const struct yaml_node *document = yaml_parse(loader->arena, path, source, &error);
	if (!document) {
		mistake_from_yaml(loader, path, &error);
		return NULL;
	}
	*folder = path_folder(loader->arena, path);
	check_references(loader, document);
	return document;
}

static void check_not_available(const struct loader *loader, const struct yaml_node *node)
{
	static const char *const names[] = {"users", "groups", "extra_path_grants"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct yaml_node *value = yaml_get(node, names[i]);
		bool empty = !value || value->kind == YAML_NULL ||
			(value->kind == YAML_LIST && value->count == 0);
		if (!empty) {
			mistake(loader, value->position, "leave it out",
				"'%s' is not available yet", names[i]);
		}
	}
	const struct yaml_node *root = yaml_get(node, "root");
	if (root && root->kind == YAML_STRING && !text_is(root->text, "/workspace")) {
		mistake(loader, root->position, "write /workspace, or leave it out",
			"the root of the workspace cannot be '%s'", shown(loader, root->text));
	}
}

void load_manifest(struct loader *loader, const struct yaml_node *node)
{
	static const char *const untracked[] = {"node_modules", ".venv", "target"};
	struct team_manifest *manifest = &loader->team->manifest;
	const char *folder = loader->folder;
	if (node && node->kind == YAML_STRING && node->text.length) {
		node = manifest_file(loader, node, &folder);
	}
	manifest->folder = folder;
	manifest->untracked = strings_at(loader, node, "untracked");
	if (!yaml_get(node, "untracked")) {
		manifest->untracked.items = arena_new_array(loader->arena, 3, const char *);
		memcpy(manifest->untracked.items, untracked, sizeof(untracked));
		manifest->untracked.count = 3;
	}
	if (!node || (node->kind == YAML_NULL && node->plain)) {
		return;
	}
	struct place place = {"manifest", folder, true};
	check_table(loader, node, manifest_keys, &place);
	check_not_available(loader, node);
	load_environment(loader, yaml_get(node, "environment"));
	const struct yaml_node *entries = yaml_get(node, "entries");
	if (entries && entries->kind != YAML_NULL) {
		load_entry_map(loader, entries, "", folder);
	}
}
