/* The kinds that parse a file: json and yaml. YAML is looked at as the JSON that it stands for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "gate/kind.h"

// What has to stand at a pointer.
struct expectation {
	struct text pointer;
	const struct yaml_node *value;
	struct pattern *pattern; // instead of the value: "/.../"
};

struct expectations {
	struct expectation *list;
	size_t count;
};

static bool is_pattern(const struct yaml_node *value)
{
	return value->kind == YAML_STRING && value->text.length >= 2 &&
		value->text.data[0] == '/' && value->text.data[value->text.length - 1] == '/';
}

static bool compile(struct gate *gate, struct gate_check *check, struct error *error)
{
	const struct yaml_node *at = yaml_get(check->node, "at");
	struct expectations *all = arena_new(gate->arena, struct expectations);
	check->data = all;
	all->count = at ? at->count : 0;
	all->list = arena_new_array(gate->arena, all->count, struct expectation);
	for (size_t i = 0; i < all->count; i++) {
		struct expectation *expectation = &all->list[i];
		expectation->pointer = at->pairs[i].key;
		expectation->value = &at->pairs[i].value;
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
	return path_clean(gate->arena, text_of(check->subject), &check->path, error) &&
		gate_name_path(gate, check->path);
}

static const char *print(struct gate_look *look, const cJSON *value)
{
	buffer_cleanup json = {0};
	json_print(&json, value);
	return gate_shown(look, buffer_text(&json));
}

static bool equals(const struct expectation *expectation, const cJSON *value)
{
	const struct yaml_node *wanted = expectation->value;
	if (expectation->pattern) {
		buffer_cleanup text = {0};
		if (cJSON_IsString(value)) {
			buffer_add_string(&text, value->valuestring);
		} else {
			json_print(&text, value);
		}
		return pattern_search(expectation->pattern, buffer_text(&text), NULL, NULL) ==
			PATTERN_MATCH;
	}
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

static bool expectations_hold(const struct gate_check *check, struct gate_look *look,
	const cJSON *tree, const char *shown)
{
	const struct expectations *all = check->data;
	for (size_t i = 0; i < all->count; i++) {
		const struct expectation *expectation = &all->list[i];
		const cJSON *value = json_at(tree, expectation->pointer);
		if (value && equals(expectation, value)) {
			continue;
		}
		const char *pointer = gate_shown(look, expectation->pointer);
		const char *wanted = gate_shown(look, expectation->value->text);
		const char *found = value ? print(look, value) : "nothing";
		if (expectation->pattern && strcmp(wanted, "/./") == 0) {
			wanted = "a value that is not empty";
		}
		gate_fails(look, check, shown, wanted, found, "%s has %s at %s; it needs %s.",
			shown, found, pointer, wanted);
		return false;
	}
	return true;
}

// The file as a tree; NULL with the reason in *error.
static cJSON *parse(const struct gate_check *check, struct gate_look *look, struct text content,
	struct error *error)
{
	if (check->kind == &check_json) {
		return json_parse(content, error);
	}
	struct yaml_node *tree = yaml_parse(look->arena, "", content, error);
	if (!tree) {
		return NULL;
	}
	buffer_cleanup json = {0};
	yaml_print_json(&json, tree);
	return json_parse(buffer_text(&json), error);
}

static void look_at(const struct gate_check *check, struct gate_look *look)
{
	struct text content;
	struct error error = {0};
	const char *sha256, *shown = gate_shown(look, check->path);
	const char *format = check->kind == &check_json ? "JSON" : "YAML";
	if (!gate_content(check, look, check->path, &content, &sha256)) {
		return;
	}
	size_t first = look->count;
	json_cleanup *tree = parse(check, look, content, &error);
	if (!tree) {
		const char *reason = error.message;
		unsigned line = 0, column = 0;
		int length = 0;
		// Readers say where: "line:column: what", with a colon before it for YAML.
		reason += reason[0] == ':';
		if (sscanf(reason, "%u:%u: %n", &line, &column, &length) == 2 && length > 0) {
			reason += length;
		}
		gate_fails(look, check, shown, format, "text that cannot be parsed",
			"%s is not valid %s: line %u, column %u: %s.", shown, format, line, column,
			gate_shown(look, text_of(reason)));
		look->findings[first].line = line;
		look->findings[first].column = column;
	} else if (expectations_hold(check, look, tree, shown)) {
		gate_find(look, check, shown, GATE_HOLDS);
	}
	look->findings[first].size = (int64_t)content.length;
	look->findings[first].sha256 = sha256;
}

#define PARSED_KEYS                                                                                \
	{"at", KEY_POINTERS,                                                                       \
		"What stands at JSON pointers: a value, or \"/pattern/\" for its text."},          \
	{                                                                                          \
		"schema", KEY_FILE, "A JSON Schema that it has to fit.", .later = "JSON Schema"    \
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
