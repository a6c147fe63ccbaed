#include "gate/gate.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "gate/kind.h"

const struct gate_kind *const gate_kinds[] = {&check_file, &check_dir, &check_glob, &check_json,
	&check_yaml, &check_run, &check_any, &check_not, &check_changed, &check_unchanged,
	&check_fresh, &check_approve, NULL};

// Kinds whose feature comes later are refused by name.
static const struct key_owner later_kinds[] = {
	{.name = "review", .help = "A model judges.", .later = "review checks"},
};

struct owner_list gate_vocabulary(void)
{
	enum { LATER = sizeof(later_kinds) / sizeof(later_kinds[0]) };
	static struct key_owner owners[sizeof(gate_kinds) / sizeof(gate_kinds[0]) + LATER];
	size_t count = 0;
	for (; gate_kinds[count]; count++) {
		owners[count] = gate_kinds[count]->owner;
	}
	memcpy(&owners[count], later_kinds, sizeof(later_kinds));
	return (struct owner_list){owners, count + LATER};
}

struct pattern *gate_pattern(struct gate *gate, struct text source, struct error *error)
{
	struct pattern *pattern = pattern_compile(source, error);
	if (pattern) {
		gate->patterns = memory_resize(
			gate->patterns, (gate->pattern_count + 1) * sizeof(struct pattern *));
		gate->patterns[gate->pattern_count++] = pattern;
	}
	return pattern;
}

struct json_schema *gate_schema_file(struct gate *gate, struct text path, struct error *error)
{
	const struct team *team = gate->team;
	const char *folder = gate->declaration->folder;
	const char *name = text_string(gate->arena, path);
	const char *full = folder ? path_join(gate->arena, folder, name) : name;
	for (size_t i = 0; team && i < team->file_count; i++) {
		if (strcmp(team->files[i].path, full) != 0) {
			continue;
		}
		struct json_schema *schema = json_schema_compile(team->files[i].content, error);
		if (!schema) {
			error_wrap(error, "schema '%s'", name);
			return NULL;
		}
		gate->schemas = memory_resize(
			gate->schemas, (gate->schema_count + 1) * sizeof(struct json_schema *));
		gate->schemas[gate->schema_count++] = schema;
		return schema;
	}
	error_set(error, ERROR_USAGE, "there is no file '%s'", name);
	return NULL;
}

bool gate_compile_path(struct gate *gate, struct gate_check *check, struct error *error)
{
	const struct yaml_node *subject = check->node->kind == YAML_MAP
		? yaml_get(check->node, check->kind->owner.name)
		: check->node;
	if (!path_clean(gate->arena, subject->text, &check->path, error)) {
		return false;
	}
	if (check->kind->owner.keys[0].type == KEY_PATH && path_is_glob(check->path)) {
		error_set(error, ERROR_USAGE, "'%s' is a pattern, not one path", check->subject);
		return error_hint(error, "use a 'glob' check");
	}
	return true;
}

void gate_name_path(struct gate *gate, struct gate_check *check, struct text path)
{
	struct text *paths = arena_new_array(gate->arena, gate->path_count + 1, struct text);
	if (gate->path_count) {
		memcpy(paths, gate->paths, gate->path_count * sizeof(*paths));
	}
	check->names = path;
	paths[gate->path_count++] = path;
	gate->paths = paths;
}

static const struct gate_kind *kind_of(
	const struct yaml_node *node, const struct yaml_node **subject)
{
	for (size_t i = 0; gate_kinds[i]; i++) {
		*subject = yaml_get(node, gate_kinds[i]->owner.name);
		if (*subject) {
			return gate_kinds[i];
		}
	}
	return NULL;
}

bool gate_compile_list(struct gate *gate, const struct yaml_node *node, struct gate_check **checks,
	size_t *count, struct error *error)
{
	bool list = node->kind == YAML_LIST;
	*count = list ? node->count : 1;
	*checks = arena_new_array(gate->arena, *count, struct gate_check);
	// All of nothing would always hold.
	if (*count == 0) {
		return error_set(error, ERROR_USAGE, "%s:%u:%u: there is no check in the list",
			node->position.file, node->position.line, node->position.column);
	}
	for (size_t i = 0; i < *count; i++) {
		if (!gate_compile_check(
			    gate, list ? &node->items[i] : node, &(*checks)[i], error)) {
			return false;
		}
	}
	return true;
}

static bool is_scalar(const struct yaml_node *node)
{
	return node->kind != YAML_LIST && node->kind != YAML_MAP && node->kind != YAML_NULL;
}

// The subject of a kind that has a path or a glob has to be one; others look themselves.
static bool subject_fits(const struct gate_kind *kind, const struct yaml_node *subject)
{
	enum key_type type = kind->owner.keys[0].type;
	return (type != KEY_PATH && type != KEY_GLOB) ||
		(is_scalar(subject) && subject->text.length > 0);
}

bool gate_compile_check(struct gate *gate, const struct yaml_node *node, struct gate_check *check,
	struct error *error)
{
	const struct yaml_node *subject = node;
	check->node = node;
	check->kind = node->kind == YAML_STRING ? &check_file : kind_of(node, &subject);
	if (!check->kind) {
		return error_set(error, ERROR_USAGE, "%s:%u:%u: this is no check",
			node->position.file, node->position.line, node->position.column);
	}
	check->subject = check->kind->owner.name;
	if (is_scalar(subject)) {
		check->subject = text_string(gate->arena, subject->text);
	}
	bool fits = subject_fits(check->kind, subject) ||
		error_set(error, ERROR_USAGE, "it needs a path");
	if (!fits || !conditions_compile(gate, node, &check->conditions, error) ||
		!check->kind->compile(gate, check, error)) {
		return error_wrap(error, "%s:%u:%u: check '%s'", node->position.file,
			node->position.line, node->position.column, check->kind->owner.name);
	}
	return true;
}

struct gate *gate_compile(struct arena *arena, const struct team *team,
	const struct team_gate *declaration, struct error *error)
{
	struct gate *gate = arena_new(arena, struct gate);
	gate->arena = arena;
	gate->team = team;
	gate->declaration = declaration;
	if (!gate_compile_list(gate, declaration->require, &gate->checks, &gate->count, error)) {
		gate_finish(gate);
		return NULL;
	}
	return gate;
}

void gate_finish(struct gate *gate)
{
	if (!gate) {
		return;
	}
	for (size_t i = 0; i < gate->pattern_count; i++) {
		pattern_destroy(gate->patterns[i]);
	}
	for (size_t i = 0; i < gate->schema_count; i++) {
		json_schema_destroy(gate->schemas[i]);
	}
	free(gate->patterns);
	free(gate->schemas);
	gate->patterns = NULL;
	gate->schemas = NULL;
	gate->pattern_count = 0;
	gate->schema_count = 0;
}

bool gate_check_reads(const struct gate_check *check, struct text path)
{
	if (check->kind->reads) {
		return check->kind->reads(check, path);
	}
	// A folder above it may have become a link or a file.
	struct text names = check->names;
	bool above = names.length > path.length && names.data[path.length] == '/' &&
		memcmp(names.data, path.data, path.length) == 0;
	return above || glob_match(names, path);
}

bool gate_reads(const struct gate *gate, struct text path)
{
	for (size_t i = 0; i < gate->count; i++) {
		if (gate_check_reads(&gate->checks[i], path)) {
			return true;
		}
	}
	return false;
}

size_t gate_paths(const struct gate *gate, const struct text **paths)
{
	*paths = gate->paths;
	return gate->path_count;
}

bool gate_names(const struct gate *gate, struct text path)
{
	for (size_t i = 0; i < gate->path_count; i++) {
		if (glob_match(gate->paths[i], path)) {
			return true;
		}
	}
	return gate->path_count == 0;
}

bool gate_compares(const struct gate *gate)
{
	return gate->compares;
}

bool gate_asks(const struct gate *gate)
{
	return gate->asks;
}
