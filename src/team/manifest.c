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

bool team_entry_path(struct arena *arena, struct text parent, struct text key, struct text *clean,
	struct error *error)
{
	char *name = text_string(arena, key);
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, key, 200);
	for (char *at = name; *at; at++) {
		*at = *at == '\\' ? '/' : *at; // as the Agents SDK does
	}
	static const char root[] = "/workspace/";
	if (parent.length == 0 && strncmp(name, root, sizeof(root) - 1) == 0) {
		name += sizeof(root) - 1;
	}
	bool drive = ((name[0] | 32) >= 'a' && (name[0] | 32) <= 'z') && name[1] == ':' &&
		name[2] == '/';
	if (name[0] == '/' || drive) {
		error_set(error, ERROR_USAGE, "the entry '%s' has an absolute path", shown.data);
		return error_hint(error, "write a path from the root of the workspace");
	}
	const char *joined = parent.length
		? arena_printf(arena, "%.*s/%s", (int)parent.length, parent.data, name)
		: name;
	if (key.length && memchr(key.data, '\0', key.length)) {
		return error_set(error, ERROR_USAGE, "the entry '%s' has a zero byte in its path",
			shown.data);
	}
	struct error reason = {0};
	if (!path_clean(arena, text_of(joined), clean, &reason)) {
		error_set(error, ERROR_USAGE, "the path of entry '%s' %s", shown.data,
			strlen(joined) > PATH_LIMIT ? "is too long"
						    : "has a '..' that could leave the workspace");
		return error_hint(error, "write a path from the root of the workspace");
	}
	return true;
}

// The clean path of an entry below its parent, or NULL after a mistake.
static const char *entry_path(
	const struct loader *loader, const struct yaml_pair *pair, const char *parent)
{
	struct error error = {0};
	struct text clean;
	if (!team_entry_path(loader->arena, text_of(parent), pair->key, &clean, &error)) {
		mistake(loader, pair->position, error.hint[0] ? error.hint : NULL, "%s",
			error.message);
		return NULL;
	}
	return text_string(loader->arena, clean);
}

// The workspace itself can be a folder only, and what is inside an entry must lie in it.
static bool check_root(const struct loader *loader, const struct yaml_pair *pair,
	const char *parent, const struct key_owner *owner)
{
	static const char *const folders[] = {"dir", "local_dir", "git_repo"};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && !*parent; i++) {
		if (strcmp(owner->name, folders[i]) == 0) {
			return true;
		}
	}
	mistake(loader, pair->position, "name what lies in it",
		*parent ? "an entry of type '%s' inside another has no name"
			: "an entry of type '%s' cannot be the workspace itself",
		owner->name);
	return false;
}

// What keys alone do not tell.
static void check_sense(const struct loader *loader, const struct yaml_node *node, const char *path)
{
	struct error error = {0};
	if (loader->vocabulary->check_entry && !loader->vocabulary->check_entry(node, &error)) {
		mistake(loader, node->position, error.hint[0] ? error.hint : NULL,
			"the entry '%s': %s", path, error.message);
	}
}

// Taken from the team file alone: a manifest that came from elsewhere has no say in where the secrets of
// the person who runs it go.
static void load_token(struct loader *loader, const struct yaml_node *entry)
{
	struct team_manifest *manifest = &loader->team->manifest;
	const struct yaml_node *token = yaml_get(entry, "token");
	if (!token || token->kind != YAML_MAP) {
		return;
	}
	if (strcmp(token->position.file, loader->team->path) != 0) {
		mistake(loader, token->position, "write the manifest into the team file",
			"a manifest in a file of its own cannot have a 'token'");
		return;
	}
	const struct team_secret *secret = secret_of(loader, NULL, token, "token");
	if (secret) {
		manifest->tokens = grown(loader->arena, manifest->tokens, manifest->token_count,
			sizeof(*manifest->tokens));
		manifest->tokens[manifest->token_count++] = (struct team_token){entry, secret};
	}
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
	if (strcmp(path, parent) == 0 && !check_root(loader, pair, parent, owner)) {
		return;
	}
	size_t mistakes = loader->report->mistakes;
	check_table(loader, &pair->value, keys_of(loader, owner), &place);
	if (loader->report->mistakes == mistakes) {
		check_sense(loader, &pair->value, shown(loader, text_of(path)));
		load_token(loader, &pair->value);
	}
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

static void check_root_name(const struct loader *loader, const struct yaml_node *node)
{
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
	manifest->node = node;
	check_root_name(loader, node);
	load_environment(loader, yaml_get(node, "environment"));
	const struct yaml_node *entries = yaml_get(node, "entries");
	if (entries && entries->kind != YAML_NULL) {
		load_entry_map(loader, entries, "", folder);
	}
}
