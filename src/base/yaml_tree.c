#include <inttypes.h>

#include "base/json.h"
#include "base/yaml.h"

const struct yaml_node *yaml_get(const struct yaml_node *node, const char *key)
{
	if (!node || node->kind != YAML_MAP) {
		return NULL;
	}
	for (size_t i = 0; i < node->count; i++) {
		if (text_is(node->pairs[i].key, key)) {
			return &node->pairs[i].value;
		}
	}
	return NULL;
}

const char *yaml_kind_name(enum yaml_kind kind)
{
	static const char *const names[] = {[YAML_NULL] = "nothing",
		[YAML_BOOLEAN] = "a boolean",
		[YAML_INTEGER] = "an integer",
		[YAML_NUMBER] = "a number",
		[YAML_STRING] = "a string",
		[YAML_LIST] = "a list",
		[YAML_MAP] = "a map"};
	return names[kind];
}

static void print_list(struct buffer *buffer, const struct yaml_node *node)
{
	buffer_add_char(buffer, '[');
	for (size_t i = 0; i < node->count; i++) {
		if (i) {
			buffer_add_char(buffer, ',');
		}
		yaml_print_json(buffer, &node->items[i]);
	}
	buffer_add_char(buffer, ']');
}

static void print_map(struct buffer *buffer, const struct yaml_node *node)
{
	buffer_add_char(buffer, '{');
	for (size_t i = 0; i < node->count; i++) {
		if (i) {
			buffer_add_char(buffer, ',');
		}
		buffer_add_json(buffer, node->pairs[i].key);
		buffer_add_char(buffer, ':');
		yaml_print_json(buffer, &node->pairs[i].value);
	}
	buffer_add_char(buffer, '}');
}

void yaml_print_json(struct buffer *buffer, const struct yaml_node *node)
{
	switch (node->kind) {
	case YAML_NULL:
		buffer_add_string(buffer, "null");
		break;
	case YAML_BOOLEAN:
		buffer_add_string(buffer, node->boolean ? "true" : "false");
		break;
	case YAML_INTEGER:
		buffer_printf(buffer, "%" PRId64, node->integer);
		break;
	case YAML_NUMBER:
		buffer_add_json_number(buffer, node->number);
		break;
	case YAML_STRING:
		buffer_add_json(buffer, node->text);
		break;
	case YAML_LIST:
		print_list(buffer, node);
		break;
	case YAML_MAP:
		print_map(buffer, node);
		break;
	}
}
