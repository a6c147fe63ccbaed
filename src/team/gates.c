#include <string.h>

#include "base/path.h"
#include "team/loader.h"

enum { DEFAULT_RETRIES = 3 };

static struct team_gate *add_gate(struct loader *loader, struct yaml_position position)
{
	struct team *team = loader->team;
	if (team->gate_count == TEAM_GATES) {
		mistake(loader, position, NULL, "a team has at most %d gates", TEAM_GATES);
		return NULL;
	}
	team->gates = grown(loader->arena, team->gates, team->gate_count, sizeof(*team->gates));
	struct team_gate *gate = &team->gates[team->gate_count++];
	*gate = (struct team_gate){
		.folder = loader->folder, .retries = DEFAULT_RETRIES, .position = position};
	return gate;
}

static enum team_policy policy_of(const struct yaml_node *node)
{
	const struct yaml_node *then = yaml_get(node, "then");
	if (then && text_is(then->text, "ask")) {
		return POLICY_ASK;
	}
	return then && text_is(then->text, "abort") ? POLICY_ABORT : POLICY_RETURN;
}

// JSON Schemas belong to the team like prompts do: a run goes on with those it was started with.
static void pull_schemas(
	const struct loader *loader, const struct yaml_node *node, const char *folder)
{
	for (size_t i = 0; node->kind == YAML_LIST && i < node->count; i++) {
		pull_schemas(loader, &node->items[i], folder);
	}
	for (size_t i = 0; node->kind == YAML_MAP && i < node->count; i++) {
		const struct yaml_pair *pair = &node->pairs[i];
		struct text content;
		if (!text_is(pair->key, "schema") || pair->value.kind != YAML_STRING) {
			pull_schemas(loader, &pair->value, folder);
			continue;
		}
		const char *path = path_join(
			loader->arena, folder, text_string(loader->arena, pair->value.text));
		if (file_is_there(loader, path, false)) { // else it has been said
			pull_file(loader, pair->value.position, path, &content);
		}
	}
}

static void load_gate(struct loader *loader, const char *name, struct yaml_position position,
	const struct yaml_node *node, const char *folder)
{
	struct text text = text_of(name);
	if (!name_is(text, "-_", 64) || strcmp(name, "use") == 0) {
		mistake(loader, position,
			"use small letters, digits, '-' and '_', a letter first, at most 64",
			"'%s' is no name for a gate", shown(loader, text));
	}
	int other = team_gate_index(loader->team, name);
	if (other != TEAM_NONE) {
		struct yaml_position first = loader->team->gates[other].position;
		mistake(loader, position,
			arena_printf(loader->arena, "the first is in %s, line %u", first.file,
				first.line),
			"there are two gates named '%s'", shown(loader, text));
		return;
	}
	struct team_gate *gate = add_gate(loader, position);
	const struct yaml_node *require = yaml_get(node, "require");
	if (!gate) {
		return;
	}
	gate->name = name;
	gate->folder = folder;
	if (!require) { // that has been said
		return;
	}
	pull_schemas(loader, require, folder);
	gate->description = string_at(loader, node, "description");
	gate->require = require;
	gate->retries = (int)integer_at(node, "retries", DEFAULT_RETRIES);
	gate->then = policy_of(node);
}

static void load_gate_file(struct loader *loader, struct yaml_position position, const char *path)
{
	struct text source;
	struct error error = {0};
	if (!pull_file(loader, position, path, &source)) {
		return;
	}
	path = arena_string(loader->arena, path);
	const struct yaml_node *node = yaml_parse(loader->arena, path, source, &error);
	if (!node) {
		mistake_from_yaml(loader, path, &error);
		return;
	}
	const char *folder = path_folder(loader->arena, path);
	struct place place = {"", folder, false};
	check_table(loader, node, gate_file_keys, &place);
	check_references(loader, node);
	const struct yaml_node *named = yaml_get(node, "name");
	const char *name = string_at(loader, node, "name");
	if (name) {
		load_gate(loader, name, named->position, node, folder);
	}
}

static void load_use(struct loader *loader, const struct yaml_node *node)
{
	bool list = node->kind == YAML_LIST;
	for (size_t i = 0; i < (list ? node->count : 1); i++) {
		const struct yaml_node *item = list ? &node->items[i] : node;
		if (item->kind != YAML_STRING || item->text.length == 0) {
			mistake(loader, item->position, "name a file with a gate",
				"'use' takes paths of files, not %s", yaml_kind_name(item->kind));
			continue;
		}
		const char *const *paths = NULL;
		const char *path = path_join(
			loader->arena, loader->folder, text_string(loader->arena, item->text));
		size_t count = expand_files(loader, item->position, path, &paths);
		for (size_t j = 0; j < count; j++) {
			load_gate_file(loader, item->position, paths[j]);
		}
	}
}

void load_gates(struct loader *loader, const struct yaml_node *node)
{
	if (!node || !expect_kind(loader, node, YAML_MAP, "gates")) {
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_pair *pair = &node->pairs[i];
		if (text_is(pair->key, "use")) {
			load_use(loader, &pair->value);
			continue;
		}
		struct place place = {
			arena_printf(loader->arena, "gates.%s", shown(loader, pair->key)),
			loader->folder, false};
		check_table(loader, &pair->value, gate_keys, &place);
		load_gate(loader, text_string(loader->arena, pair->key), pair->position,
			&pair->value, loader->folder);
	}
}

// --- `outputs` and `needs` ---

// {kind: text} as if it stood in the file where `node` stands.
static const struct yaml_node *make_check(const struct loader *loader, const char *kind,
	const struct yaml_node *node, struct text text)
{
	struct yaml_node *check = arena_new(loader->arena, struct yaml_node);
	check->kind = YAML_MAP;
	check->position = node->position;
	check->count = 1;
	check->pairs = arena_new(loader->arena, struct yaml_pair);
	check->pairs[0].key = text_of(kind);
	check->pairs[0].position = node->position;
	check->pairs[0].value = *node;
	check->pairs[0].value.text = text;
	return check;
}

static int find_anonymous(const struct team *team, const char *name)
{
	for (size_t i = 0; i < team->gate_count; i++) {
		if (team->gates[i].anonymous && strcmp(team->gates[i].name, name) == 0) {
			return (int)i;
		}
	}
	return TEAM_NONE;
}

static int path_gate(struct loader *loader, const struct yaml_node *node)
{
	struct error error = {0};
	struct text clean;
	if (!path_clean(loader->arena, node->text, &clean, &error)) {
		mistake(loader, node->position, "write a path from the root of the workspace", "%s",
			error.message);
		return TEAM_NONE;
	}
	bool folder = text_ends(node->text, "/");
	const char *name = text_string(loader->arena, clean);
	const char *kind = path_is_glob(clean) ? "glob" : folder ? "dir" : "file";
	if (folder) {
		name = arena_printf(loader->arena, "%s/", name);
	}
	int known = find_anonymous(loader->team, name);
	if (known != TEAM_NONE) {
		return known;
	}
	struct team_gate *gate = add_gate(loader, node->position);
	if (!gate) {
		return TEAM_NONE;
	}
	gate->name = name;
	gate->anonymous = true;
	gate->require = make_check(loader, kind, node, clean);
	return (int)loader->team->gate_count - 1;
}

static int named_gate(struct loader *loader, const struct yaml_node *node)
{
	struct team *team = loader->team;
	const char *name = text_string(loader->arena, node->text);
	int index = team_gate_index(team, name);
	if (index != TEAM_NONE) {
		return index;
	}
	// Whatever cannot be the name of a gate is a path; a word that can be one is more likely a
	// gate that was spelled wrong or forgotten than a file without a suffix.
	if (!name_is(node->text, "-_", 64)) {
		return path_gate(loader, node);
	}
	const char **names = arena_new_array(loader->arena, team->gate_count + 1, const char *);
	size_t count = 0;
	for (size_t i = 0; i < team->gate_count; i++) {
		if (!team->gates[i].anonymous) {
			names[count++] = team->gates[i].name;
		}
	}
	const char *remedy = nearest(loader, node->text, names, count);
	mistake(loader, node->position,
		remedy ? remedy
		       : arena_printf(loader->arena,
				 "declare it under 'gates', or write './%s' for the file", name),
		"there is no gate '%s'", name);
	return TEAM_NONE;
}

// What a check is about, in words: the paths of nested checks, the words of a command.
static void add_subject(struct buffer *words, const struct yaml_node *node)
{
	if (node->kind == YAML_MAP && node->count) {
		add_subject(words, &node->pairs[0].value);
		return;
	}
	if (node->kind != YAML_LIST) {
		buffer_add_text(words, node->text);
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		bool nested = node->items[i].kind == YAML_MAP;
		buffer_add_string(words, i == 0 ? "" : nested ? ", " : " ");
		add_subject(words, &node->items[i]);
	}
}

static int written_gate(struct loader *loader, const struct yaml_node *node)
{
	struct place place = {"", loader->folder, false};
	const struct key_owner *owner = check_check(loader, node, &place);
	if (!owner) {
		return TEAM_NONE;
	}
	struct team_gate *gate = add_gate(loader, node->position);
	if (!gate) {
		return TEAM_NONE;
	}
	pull_schemas(loader, node, loader->folder);
	const struct yaml_node *subject = yaml_get(node, owner->name);
	buffer_cleanup name = {0};
	buffer_printf(&name, "%s: ", owner->name);
	buffer_cleanup words = {0};
	add_subject(&words, subject);
	buffer_add_line(&name, buffer_text(&words), 80);
	gate->name = arena_copy(loader->arena, name.data, name.length);
	gate->anonymous = true;
	gate->require = node;
	return (int)loader->team->gate_count - 1;
}

static void add_requirement(struct loader *loader, const struct yaml_node *node, const char *what,
	int **gates, size_t *count)
{
	int gate = TEAM_NONE;
	if (node->kind == YAML_STRING && node->text.length) {
		gate = named_gate(loader, node);
	} else if (node->kind == YAML_MAP) {
		gate = written_gate(loader, node);
	} else {
		mistake(loader, node->position, "name a gate or a path, or write out a check",
			"'%s' cannot hold %s", what,
			node->kind == YAML_STRING ? "an empty text" : yaml_kind_name(node->kind));
	}
	for (size_t i = 0; i < *count; i++) {
		if ((*gates)[i] == gate && gate != TEAM_NONE) {
			warning(loader, node->position, "leave one of them out",
				"'%s' names '%s' twice", what, loader->team->gates[gate].name);
			return;
		}
	}
	if (gate != TEAM_NONE) {
		*gates = grown(loader->arena, *gates, *count, sizeof(int));
		(*gates)[(*count)++] = gate;
	}
}

void load_requirements(struct loader *loader, const struct yaml_node *node, const char *what,
	int **gates, size_t *count)
{
	if (!node || (node->kind == YAML_NULL && node->plain)) {
		return;
	}
	if (node->kind != YAML_LIST) {
		add_requirement(loader, node, what, gates, count);
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		add_requirement(loader, &node->items[i], what, gates, count);
	}
}
