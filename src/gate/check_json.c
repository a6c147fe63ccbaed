/* The kinds that parse a file: json and yaml. YAML is looked at as the JSON that it stands for. */
#include <stdio.h>
#include <string.h>

#include "gate/kind.h"

enum { LISTED_NAMES = 12 };

// What has to stand at a pointer.
struct expectation {
	struct text pointer;
	const struct yaml_node *value;
	struct pattern *pattern; // instead of the value: "/.../"
};

struct expectations {
	struct expectation *list;
	size_t count;
	const struct json_schema *schema; // NULL: none
};

static bool is_pattern(const struct yaml_node *value)
{
	return value->kind == YAML_STRING && value->text.length > 2 && value->text.data[0] == '/' &&
		value->text.data[value->text.length - 1] == '/';
}

static bool compile(struct gate *gate, struct gate_check *check, struct error *error)
{
	const struct yaml_node *at = yaml_get(check->node, "at");
	const struct yaml_node *schema = yaml_get(check->node, "schema");
	struct expectations *all = arena_new(gate->arena, struct expectations);
	check->data = all;
	all->count = at ? at->count : 0;
	all->list = arena_new_array(gate->arena, all->count, struct expectation);
	for (size_t i = 0; i < all->count; i++) {
		struct expectation *expectation = &all->list[i];
		expectation->pointer = at->pairs[i].key;
		expectation->value = &at->pairs[i].value;
		if (expectation->value->kind == YAML_LIST || expectation->value->kind == YAML_MAP) {
			return error_set(error, ERROR_USAGE, "a value of 'at' is no scalar");
		}
		if (!json_pointer_check(expectation->pointer, error)) {
			return false;
		}
		if (is_pattern(expectation->value)) {
			struct text source = expectation->value->text;
			source.data++;
			source.length -= 2;
			expectation->pattern = gate_pattern(gate, source, error);
			if (!expectation->pattern) {
				return false;
			}
		}
	}
	if (schema) {
		all->schema = gate_schema_file(gate, schema->text, error);
	}
	if ((schema && !all->schema) || !gate_compile_path(gate, check, error)) {
		return false;
	}
	gate_name_path(gate, check, check->path);
	return true;
}

static const char *print(struct gate_look *look, const cJSON *value)
{
	buffer_cleanup json = {0};
	json_print(&json, value);
	return gate_shown(look, buffer_text(&json));
}

static bool equals(const struct yaml_node *wanted, const cJSON *value)
{
	switch (wanted->kind) {
	case YAML_NULL:
		return cJSON_IsNull(value);
	case YAML_BOOLEAN:
		return cJSON_IsBool(value) && cJSON_IsTrue(value) == wanted->boolean;
	case YAML_INTEGER:
	case YAML_NUMBER:
		return cJSON_IsNumber(value) && value->valuedouble >= wanted->number &&
			value->valuedouble <= wanted->number;
	case YAML_STRING:
		return cJSON_IsString(value) && text_is(wanted->text, value->valuestring);
	default:
		return false;
	}
}

static enum pattern_result fits(const struct expectation *expectation, const cJSON *value)
{
	buffer_cleanup text = {0};
	if (!expectation->pattern) {
		return equals(expectation->value, value) ? PATTERN_MATCH : PATTERN_MISS;
	}
	if (cJSON_IsString(value)) {
		buffer_add_string(&text, value->valuestring);
	} else {
		json_print(&text, value);
	}
	return pattern_search(expectation->pattern, buffer_text(&text), NULL, NULL);
}

// A parsed file. YAML is looked at as the JSON that it stands for.
struct document {
	const struct gate_check *check;
	struct gate_look *look;
	struct artifact artifact;
	struct arena arena; // for its content
	struct text json;
	struct yaml_node *yaml; // NULL: the file is JSON
	cJSON *tree;
};

static void point_at(const struct document *document, const struct json_place *place,
	struct gate_finding *finding)
{
	const struct yaml_node *node = document->yaml;
	if (!node) {
		gate_place(finding, document->json, place->offset);
		return;
	}
	for (size_t i = 0; i < place->step_count; i++) {
		size_t step = place->steps[i];
		node = node->kind == YAML_MAP ? &node->pairs[step].value : &node->items[step];
	}
	finding->line = node->position.line;
	finding->column = node->position.column;
}

// What an object or array has, for somebody who looked for something else in it.
static const char *list_members(struct gate_look *look, const cJSON *value)
{
	buffer_cleanup list = {0};
	size_t count = 0;
	if (cJSON_IsArray(value)) {
		return gate_amount(look, cJSON_GetArraySize(value), "item");
	}
	if (!cJSON_IsObject(value)) {
		return print(look, value);
	}
	for (const cJSON *item = value->child; item; item = item->next, count++) {
		if (count < LISTED_NAMES) {
			buffer_printf(&list, "%s%s", count ? ", " : "",
				gate_shown(look, text_of(item->string)));
		}
	}
	if (count > LISTED_NAMES) {
		buffer_printf(&list, " and %zu more", count - LISTED_NAMES);
	}
	return arena_string(look->arena, count ? list.data : "nothing");
}

// What is asked for at the pointer, for a sentence.
static const char *describe(struct gate_look *look, const struct expectation *expectation)
{
	const struct yaml_node *value = expectation->value;
	if (expectation->pattern && text_is(value->text, "/./")) {
		return "a value that is not empty";
	}
	const char *shown = gate_shown(look, value->text);
	bool quoted = value->kind == YAML_STRING && !expectation->pattern;
	return expectation->pattern ? arena_printf(look->arena, "a match of %s", shown)
		: quoted            ? arena_printf(look->arena, "\"%s\"", shown)
				    : shown;
}

// Adds a finding if what is asked for does not stand there.
static bool expectation_holds(
	const struct document *document, const struct expectation *expectation)
{
	struct gate_look *look = document->look;
	const char *shown = document->artifact.shown;
	struct json_place place;
	struct gate_finding *finding;
	json_find_place(&place, document->json, document->tree, expectation->pointer);
	enum pattern_result result = place.value ? fits(expectation, place.value) : PATTERN_MISS;
	if (result == PATTERN_MATCH) {
		return true;
	}
	const char *pointer = gate_shown(look, expectation->pointer);
	const char *wanted = describe(look, expectation);
	if (result == PATTERN_TOO_COSTLY) {
		finding = gate_fails(look, document->check, shown, wanted,
			"a match that takes too long",
			"Matching %s of %s takes too long; make it simpler.", pointer, shown);
		finding->unclear = true;
	} else if (place.value) {
		const char *found = print(look, place.value);
		finding = gate_fails(look, document->check, shown, wanted, found,
			"%s has %s at %s; it needs %s.", shown, found,
			pointer[0] ? pointer : "its root", wanted);
	} else {
		struct text way = {expectation->pointer.data, place.pointer_length};
		const char *parent = way.length ? gate_shown(look, way) : "its root";
		finding = gate_fails(look, document->check, shown, wanted, "nothing",
			"%s has nothing at %s; it needs %s. At %s it has: %s.", shown, pointer,
			wanted, parent, list_members(look, place.nearest));
	}
	point_at(document, &place, finding);
	return false;
}

static void say_unfit(const struct document *document, const struct json_schema_failure *failure)
{
	struct gate_look *look = document->look;
	const char *shown = document->artifact.shown;
	const char *pointer = gate_shown(look, text_of(failure->pointer));
	struct json_place place;
	json_find_place(&place, document->json, document->tree, text_of(failure->pointer));
	struct gate_finding *finding = gate_fails(look, document->check, shown, failure->wanted,
		failure->found, "%s: at %s its schema asks for %s; found: %s.", shown,
		pointer[0] ? pointer : "the root", failure->wanted, failure->found);
	point_at(document, &place, finding);
}

// Adds a finding for each place that does not fit the schema.
static bool schema_holds(const struct document *document)
{
	const struct expectations *all = document->check->data;
	struct gate_look *look = document->look;
	struct json_schema_failure *failures;
	size_t count;
	if (!all->schema) {
		return true;
	}
	enum json_schema_result result =
		json_schema_check(all->schema, document->tree, look->arena, &failures, &count);
	for (size_t i = 0; i < count; i++) {
		say_unfit(document, &failures[i]);
	}
	if (result == JSON_SCHEMA_TOO_COSTLY) {
		const char *shown = document->artifact.shown;
		gate_fails(look, document->check, shown, "a document that fits its schema",
			"one that takes too long",
			"Checking %s against its schema takes too long; make it smaller or "
			"simpler.",
			shown)
			->unclear = true;
	}
	return result == JSON_SCHEMA_FITS;
}

static bool expectations_hold(const struct document *document)
{
	const struct expectations *all = document->check->data;
	for (size_t i = 0; i < all->count; i++) {
		if (!expectation_holds(document, &all->list[i])) {
			return false;
		}
	}
	return true;
}

// Fills in the tree; false with the reason in *error.
static bool parse(struct document *document, struct error *error)
{
	document->json = document->artifact.content;
	if (document->check->kind == &check_yaml) {
		buffer_cleanup json = {0};
		document->yaml =
			yaml_parse(&document->arena, "", document->artifact.content, error);
		if (!document->yaml) {
			return false;
		}
		yaml_print_json(&json, document->yaml);
		document->json = text_copy(&document->arena, buffer_text(&json));
	}
	document->tree = json_parse(document->json, error);
	return document->tree != NULL;
}

static void say_unparsed(const struct document *document, const char *format, const char *reason)
{
	struct gate_look *look = document->look;
	const char *shown = document->artifact.shown;
	unsigned line = 0, column = 0;
	int length = 0;
	// Readers say where: "line:column: what", with a colon before it for YAML.
	reason += reason[0] == ':';
	if (sscanf(reason, "%u:%u: %n", &line, &column, &length) != 2 || length == 0) {
		gate_fails(look, document->check, shown, format, "text that cannot be parsed",
			"%s is not valid %s: %s.", shown, format,
			gate_shown(look, text_of(reason)));
		return;
	}
	struct gate_finding *finding = gate_fails(look, document->check, shown, format,
		"text that cannot be parsed", "%s is not valid %s: line %u, column %u: %s.", shown,
		format, line, column, gate_shown(look, text_of(reason + length)));
	finding->line = line;
	finding->column = column;
}

static void look_at(const struct gate_check *check, struct gate_look *look)
{
	struct error error = {0};
	struct document document = {.check = check, .look = look};
	size_t first = look->count;
	if (artifact_read(check, look, &document.arena, check->path, &document.artifact)) {
		if (!parse(&document, &error)) {
			say_unparsed(&document, check->kind == &check_json ? "JSON" : "YAML",
				error.message);
		} else if (expectations_hold(&document) && schema_holds(&document)) {
			gate_find(look, check, document.artifact.shown, GATE_HOLDS);
		}
		look->findings[first].size = (int64_t)document.artifact.content.length;
		look->findings[first].sha256 = document.artifact.sha256;
	}
	cJSON_Delete(document.tree);
	arena_finish(&document.arena);
}

#define PARSED_KEYS                                                                                \
	{"at", KEY_POINTERS,                                                                       \
		"What stands at JSON pointers: a value, or \"/pattern/\" for its text."},          \
	{                                                                                          \
		"schema", KEY_FILE, "A file with a JSON Schema (2020-12) that it has to fit."      \
	}

static const struct key json_keys[] = {
	{"json", KEY_PATH, "The file.", .required = true},
	PARSED_KEYS,
	{0},
};

static const struct key yaml_keys[] = {
	{"yaml", KEY_PATH, "The file.", .required = true},
	PARSED_KEYS,
	{0},
};

const struct gate_kind check_json = {
	.owner = {.name = "json", .help = "A file is strictly valid JSON.", .keys = json_keys},
	.compile = compile,
	.check = look_at,
};

const struct gate_kind check_yaml = {
	.owner = {.name = "yaml",
		.help = "A file is valid YAML 1.2, one document.",
		.keys = yaml_keys},
	.compile = compile,
	.check = look_at,
};
