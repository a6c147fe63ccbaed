#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/units.h"
#include "team/loader.h"

const char *string_at(const struct loader *loader, const struct yaml_node *node, const char *key)
{
	const struct yaml_node *value = yaml_get(node, key);
	return value && value->kind == YAML_STRING ? text_string(loader->arena, value->text) : NULL;
}

int64_t integer_at(const struct yaml_node *node, const char *key, int64_t otherwise)
{
	const struct yaml_node *value = yaml_get(node, key);
	return value && value->kind == YAML_INTEGER ? value->integer : otherwise;
}

double number_at(const struct yaml_node *node, const char *key, double otherwise)
{
	const struct yaml_node *value = yaml_get(node, key);
	bool number = value && (value->kind == YAML_INTEGER || value->kind == YAML_NUMBER);
	return number ? value->number : otherwise;
}

bool boolean_at(const struct yaml_node *node, const char *key, bool otherwise)
{
	const struct yaml_node *value = yaml_get(node, key);
	return value && value->kind == YAML_BOOLEAN ? value->boolean : otherwise;
}

static int64_t unit_at(const struct yaml_node *node, const char *key,
	bool (*parse)(struct text, int64_t *), int64_t otherwise)
{
	const struct yaml_node *value = yaml_get(node, key);
	int64_t number;
	bool scalar = value && (value->kind == YAML_INTEGER || value->kind == YAML_STRING);
	return scalar && parse(value->text, &number) ? number : otherwise;
}

int64_t duration_at(const struct yaml_node *node, const char *key, int64_t otherwise)
{
	return unit_at(node, key, units_duration, otherwise);
}

int64_t size_at(const struct yaml_node *node, const char *key, int64_t otherwise)
{
	return unit_at(node, key, units_size, otherwise);
}

struct team_strings strings_at(
	const struct loader *loader, const struct yaml_node *node, const char *key)
{
	struct team_strings strings = {0};
	const struct yaml_node *value = yaml_get(node, key);
	if (!value) {
		return strings;
	}
	bool list = value->kind == YAML_LIST;
	size_t count = list ? value->count : 1;
	strings.items = arena_new_array(loader->arena, count + 1, const char *);
	for (size_t i = 0; i < count; i++) {
		const struct yaml_node *item = list ? &value->items[i] : value;
		if (item->kind == YAML_STRING) {
			strings.items[strings.count++] = text_string(loader->arena, item->text);
		}
	}
	return strings;
}

void *grown(struct arena *arena, void *items, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0) {
		return items;
	}
	void *larger = arena_array(arena, count ? count * 2 : 1, size);
	if (count) {
		memcpy(larger, items, count * size);
	}
	return larger;
}

bool name_is(struct text name, const char *also, size_t limit)
{
	if (name.length == 0 || name.length > limit || name.data[0] < 'a' || name.data[0] > 'z') {
		return false;
	}
	for (size_t i = 1; i < name.length; i++) {
		char byte = name.data[i];
		bool plain = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
		if (!plain && (byte == '\0' || !strchr(also, byte))) {
			return false;
		}
	}
	return true;
}

static void load_names(struct loader *loader)
{
	const struct yaml_node *document = loader->team->document;
	const struct yaml_node *name = yaml_get(document, "name");
	if (name && name->kind == YAML_STRING && !name_is(name->text, "-", 64)) {
		mistake(loader, name->position,
			"use small letters, digits and '-', a letter first, at most 64",
			"'%s' is no name for a team", shown(loader, name->text));
	}
	const struct yaml_node *metadata = yaml_get(document, "metadata");
	if (metadata && metadata->kind != YAML_NULL) {
		expect_kind(loader, metadata, YAML_MAP, "metadata");
	}
	loader->team->name = string_at(loader, document, "name");
	loader->team->description = string_at(loader, document, "description");
	loader->team->name = loader->team->name ? loader->team->name : "";
	loader->team->description = loader->team->description ? loader->team->description : "";
}

bool load_document(struct loader *loader, const char *path)
{
	struct team *team = loader->team;
	struct text source;
	struct error error = {0};
	team->path = arena_string(&team->arena, path);
	team->manager = TEAM_NONE;
	loader->folder = path_folder(&team->arena, path);
	struct yaml_position start = {team->path, 1, 1};
	if (!pull_file(loader, start, team->path, &source)) {
		return false;
	}
	struct yaml_node *document = yaml_parse(&team->arena, team->path, source, &error);
	if (!document) {
		mistake_from_yaml(loader, team->path, &error);
		return false;
	}
	team->document = document;
	if (document->kind != YAML_MAP) {
		mistake(loader, document->position,
			"it starts with 'version: 1'; 'muster new' writes one",
			"this is no team file: it holds %s", yaml_kind_name(document->kind));
		return false;
	}
	struct place place = {"", loader->folder, false};
	check_table(loader, document, team_keys, &place);
	load_names(loader);
	load_inputs(loader, yaml_get(document, "inputs"));
	load_defaults(loader);
	load_secrets(loader, yaml_get(document, "secrets"));
	load_models(loader, yaml_get(document, "models"));
	load_limits(loader, yaml_get(document, "limits"), yaml_get(loader->defaults, "limits"),
		&team->limits);
	team->limits.max_concurrency =
		team->limits.max_concurrency ? team->limits.max_concurrency : 4;
	team->limits.max_depth = team->limits.max_depth ? team->limits.max_depth : 8;
	load_sandbox(loader, yaml_get(document, "sandbox"), yaml_get(loader->defaults, "sandbox"));
	load_permissions(loader, yaml_get(document, "permissions"), &team->permissions);
	load_gates(loader, yaml_get(document, "gates"));
	load_agents(loader, document);
	choose_models(loader);
	load_manifest(loader, yaml_get(document, "manifest"));
	check_references(loader, document);
	check_prices(loader);
	check_links(loader);
	return loader->report->mistakes == 0;
}

struct team *team_load(
	const char *path, const struct vocabulary *vocabulary, struct team_report *report)
{
	return team_load_chosen(path, vocabulary, NULL, report);
}

struct team *team_load_chosen(const char *path, const struct vocabulary *vocabulary,
	const struct team_choices *choices, struct team_report *report)
{
	struct team *team = memory_alloc(sizeof(*team));
	struct loader loader = {
		.team = team, .arena = &team->arena, .vocabulary = vocabulary, .report = report};
	*report = (struct team_report){0};
	keep_choices(team, choices);
	bool good = load_document(&loader, path);
	report_sort(report, path);
	if (!good) {
		team_destroy(team);
		return NULL;
	}
	return team;
}

void team_destroy(struct team *team)
{
	if (team) {
		struct arena arena = team->arena;
		arena_finish(&arena);
		free(team);
	}
}

int team_agent_index(const struct team *team, const char *name)
{
	for (size_t i = 0; i < team->agent_count; i++) {
		if (strcmp(team->agents[i].name, name) == 0) {
			return (int)i;
		}
	}
	return TEAM_NONE;
}

int team_gate_index(const struct team *team, const char *name)
{
	for (size_t i = 0; i < team->gate_count; i++) {
		if (!team->gates[i].anonymous && strcmp(team->gates[i].name, name) == 0) {
			return (int)i;
		}
	}
	return TEAM_NONE;
}
