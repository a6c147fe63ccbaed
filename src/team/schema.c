#include <inttypes.h>

#include "team/loader.h"

/* JSON Schema (2020-12) for editors, from the rows that the loader checks files against. It says
 * less than the loader does: references between agents, gates and files are beyond a schema. Keys
 * that are not available yet are left out, so that an editor does not offer them. */

static void add_value(struct buffer *json, const struct key *key);

#define SCALAR "{\"type\":[\"string\",\"number\",\"boolean\"]}"

// What a KEY_ANY looks like; its owner checks it in code.
static const struct {
	const char *key, *schema;
} shapes[] = {
	{"model", "{\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"#/$defs/model\"}]}"},
	{"manifest", "{\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"#/$defs/manifest\"}]}"},
	{"gates",
		"{\"type\":\"object\",\"properties\":{\"use\":{\"anyOf\":[{\"type\":\"string\"},"
		"{\"type\":\"array\",\"items\":{\"type\":\"string\"}}],\"description\":"
		"\"Files with a gate each, or globs of them.\"}},"
		"\"additionalProperties\":{\"$ref\":\"#/$defs/gate\"}}"},
	{"sub_agents",
		"{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\"},"
		"{\"$ref\":\"#/$defs/delegate\"}]}}"},
	{"handoffs",
		"{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\"},"
		"{\"$ref\":\"#/$defs/transfer\"}]}}"},
	{"outputs", "{\"$ref\":\"#/$defs/requirements\"}"},
	{"needs", "{\"$ref\":\"#/$defs/requirements\"}"},
	{"network",
		"{\"anyOf\":[{\"enum\":[\"on\",\"off\"]},"
		"{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]}"},
	{"default", SCALAR},
	{"example", SCALAR},
	{"enum", "{\"type\":\"array\",\"minItems\":1,\"items\":" SCALAR "}"},
	{"entries", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/entry\"}}"},
	{"children", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/entry\"}}"},
	{"environment", "{\"type\":\"object\"}"},
	{"metadata", "{\"type\":\"object\"}"},
	{"options", "{\"type\":\"object\"}"},
	{"users", "{\"type\":\"array\",\"maxItems\":0}"},
	{"groups", "{\"type\":\"array\",\"maxItems\":0}"},
	{"extra_path_grants", "{\"type\":\"array\",\"maxItems\":0}"},
	{"run",
		"{\"anyOf\":[{\"type\":\"string\"},"
		"{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"string\"}}]}"},
};

static void add_any(struct buffer *json, const struct key *key)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (text_is(text_of(key->name), shapes[i].key)) {
			buffer_add_string(json, shapes[i].schema);
			return;
		}
	}
	buffer_add_string(json, "{}");
}

static void add_range(struct buffer *json, const struct key *key, const char *type)
{
	buffer_printf(json, "{\"type\":\"%s\"", type);
	if (key->minimum || key->maximum) {
		buffer_printf(json, ",\"minimum\":%" PRId64, key->minimum);
	}
	if (key->maximum) {
		buffer_printf(json, ",\"maximum\":%" PRId64, key->maximum);
	}
	buffer_add_char(json, '}');
}

static void add_choices(struct buffer *json, const struct key *key)
{
	buffer_add_string(json, "{\"enum\":[");
	for (size_t i = 0; key->choices[i]; i++) {
		buffer_add_string(json, i ? "," : "");
		buffer_add_json(json, text_of(key->choices[i]));
	}
	buffer_add_string(json, "]}");
}

static void add_properties(struct buffer *json, const struct key *keys, bool *first)
{
	for (; keys && keys->name; keys++) {
		if (keys->later) {
			continue;
		}
		buffer_add_string(json, *first ? "" : ",");
		*first = false;
		buffer_add_json(json, text_of(keys->name));
		buffer_add_char(json, ':');
		// The help stands beside the shape: in this draft a $ref may have neighbours.
		buffer_cleanup shape = {0};
		add_value(&shape, keys);
		buffer_add(json, shape.data, shape.length - 1);
		buffer_add_string(
			json, shape.length > 2 ? ",\"description\":" : "\"description\":");
		buffer_add_json(json, text_of(keys->help ? keys->help : ""));
		buffer_add_char(json, '}');
	}
}

static void add_required(struct buffer *json, const struct key *keys, const char *also)
{
	bool first = true;
	buffer_add_string(json, ",\"required\":[");
	if (also) {
		buffer_add_json(json, text_of(also));
		first = false;
	}
	for (; keys && keys->name; keys++) {
		if (keys->required && !keys->later &&
			!(also && text_is(text_of(keys->name), also))) {
			buffer_add_string(json, first ? "" : ",");
			buffer_add_json(json, text_of(keys->name));
			first = false;
		}
	}
	buffer_add_char(json, ']');
}

static void add_table(struct buffer *json, const struct key *keys)
{
	bool first = true;
	buffer_add_string(json, "{\"type\":\"object\",\"properties\":{");
	add_properties(json, keys, &first);
	buffer_add_char(json, '}');
	add_required(json, keys, NULL);
	buffer_add_string(json, ",\"additionalProperties\":false}");
}

// What needs nothing but its type.
static const char *const fixed[] = {
	[KEY_STRING] = "{\"type\":\"string\"}",
	[KEY_BOOLEAN] = "{\"type\":\"boolean\"}",
	[KEY_DURATION] = "{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},{\"type\":\"string\","
			 "\"pattern\":\"^[0-9]+(h|m|s|ms)([0-9]+(m|s|ms))*$\"}]}",
	[KEY_SIZE] = "{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},{\"type\":\"string\","
		     "\"pattern\":\"^[0-9]+ ?([kKMGT]B|[KMGT]iB|B)?$\"}]}",
	[KEY_PATTERN] = "{\"type\":\"string\"}",
	[KEY_PATH] = "{\"type\":\"string\"}",
	[KEY_GLOB] = "{\"type\":\"string\"}",
	[KEY_FILE] = "{\"type\":\"string\"}",
	[KEY_FOLDER] = "{\"type\":\"string\"}",
	[KEY_STRINGS] = "{\"anyOf\":[{\"type\":\"string\"},"
			"{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]}",
	[KEY_GLOBS] = "{\"anyOf\":[{\"type\":\"string\"},"
		      "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]}",
	[KEY_STRING_MAP] = "{\"type\":\"object\",\"additionalProperties\":" SCALAR "}",
	[KEY_POINTERS] = "{\"type\":\"object\",\"propertyNames\":{\"pattern\":"
			 "\"^(/([^~]|~[01])*)?$\"},\"additionalProperties\":"
			 "{\"type\":[\"string\",\"number\",\"boolean\",\"null\"]}}",
	[KEY_COUNT] = "{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},{\"type\":\"object\","
		      "\"properties\":{\"min\":{\"type\":\"integer\"},\"max\":{\"type\":"
		      "\"integer\"}},\"additionalProperties\":false}]}",
	[KEY_CHECK] = "{\"$ref\":\"#/$defs/check\"}",
	[KEY_CHECKS] =
		"{\"anyOf\":[{\"$ref\":\"#/$defs/check\"},"
		"{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/check\"}}]}",
	[KEY_ANY] = NULL,
};

static void add_value(struct buffer *json, const struct key *key)
{
	switch (key->type) {
	case KEY_INTEGER:
		add_range(json, key, "integer");
		break;
	case KEY_NUMBER:
		add_range(json, key, "number");
		break;
	case KEY_CHOICE:
		add_choices(json, key);
		break;
	case KEY_TABLE:
		add_table(json, key->keys);
		break;
	case KEY_TABLES:
		buffer_add_string(json, "{\"type\":\"array\",\"items\":");
		add_table(json, key->keys);
		buffer_add_char(json, '}');
		break;
	case KEY_TABLE_MAP:
		buffer_add_string(json, "{\"type\":\"object\",\"additionalProperties\":");
		add_table(json, key->keys);
		buffer_add_char(json, '}');
		break;
	case KEY_ANY:
		add_any(json, key);
		break;
	default:
		buffer_add_string(json, fixed[key->type]);
		break;
	}
}

// One of several kinds, told apart by the key with the kind's name.
static void add_checks(struct buffer *json, const struct owner_list *checks)
{
	bool first = true;
	buffer_add_string(json, ",\"check\":{\"anyOf\":[");
	for (size_t i = 0; i < checks->count; i++) {
		const struct key_owner *owner = &checks->owners[i];
		bool none = true;
		if (owner->later) {
			continue;
		}
		buffer_printf(json, "%s{\"type\":\"object\",\"description\":", first ? "" : ",");
		buffer_add_json(json, text_of(owner->help ? owner->help : ""));
		buffer_add_string(json, ",\"properties\":{");
		add_properties(json, owner->keys, &none);
		buffer_add_char(json, '}');
		add_required(json, owner->keys, owner->name);
		buffer_add_string(json, ",\"additionalProperties\":false}");
		first = false;
	}
	buffer_add_string(json, "]}");
}

// One of several kinds, told apart by the value of `type`.
static void add_entries(struct buffer *json, const struct vocabulary *vocabulary)
{
	bool first = true;
	buffer_add_string(json, ",\"entry\":{\"anyOf\":[");
	for (size_t i = 0; i < vocabulary->entries.count; i++) {
		const struct key_owner *owner = &vocabulary->entries.owners[i];
		bool none = false;
		if (owner->later) {
			continue;
		}
		buffer_printf(json, "%s{\"type\":\"object\",\"description\":", first ? "" : ",");
		buffer_add_json(json, text_of(owner->help ? owner->help : ""));
		buffer_add_string(json, ",\"properties\":{\"type\":{\"const\":");
		buffer_add_json(json, text_of(owner->name));
		buffer_add_char(json, '}');
		for (const struct key *key = vocabulary->entry_keys; key && key->name; key++) {
			if (!text_is(text_of(key->name), "type")) {
				const struct key one[] = {*key, {0}};
				add_properties(json, one, &none);
			}
		}
		add_properties(json, owner->keys, &none);
		buffer_add_char(json, '}');
		add_required(json, owner->keys, "type");
		buffer_add_string(json, ",\"additionalProperties\":false}");
		first = false;
	}
	buffer_add_string(json, "]}");
}

static void add_providers(struct buffer *json, const struct owner_list *sandboxes)
{
	bool first = true;
	buffer_add_string(json, ",\"provider\":{\"enum\":[");
	for (size_t i = 0; i < sandboxes->count; i++) {
		if (!sandboxes->owners[i].later) {
			buffer_add_string(json, first ? "" : ",");
			buffer_add_json(json, text_of(sandboxes->owners[i].name));
			first = false;
		}
	}
	buffer_add_string(json, "]}");
}

static void add_definition(struct buffer *json, const char *name, const struct key *keys)
{
	buffer_printf(json, ",\"%s\":", name);
	add_table(json, keys);
}

static void add_line(struct buffer *json, size_t depth)
{
	buffer_add_char(json, '\n');
	for (size_t i = 0; i < depth; i++) {
		buffer_add_string(json, "  ");
	}
}

// Breaks compact JSON into lines, so that a change of a row is a change of a few lines.
static void add_indented(struct buffer *json, struct text compact)
{
	size_t depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < compact.length; i++) {
		char byte = compact.data[i];
		char next = i + 1 < compact.length ? compact.data[i + 1] : '\0';
		if (quoted) {
			buffer_add_char(json, byte);
			if (byte == '\\') {
				buffer_add_char(json, compact.data[++i]);
			}
			quoted = byte != '"';
		} else if ((byte == '{' || byte == '[') && next == (byte == '{' ? '}' : ']')) {
			buffer_add_char(json, byte);
			buffer_add_char(json, next);
			i++;
		} else if (byte == '}' || byte == ']') {
			add_line(json, --depth);
			buffer_add_char(json, byte);
		} else {
			buffer_add_char(json, byte);
			quoted = byte == '"';
			if (byte == '{' || byte == '[') {
				add_line(json, ++depth);
			} else if (byte == ',') {
				add_line(json, depth);
			} else if (byte == ':') {
				buffer_add_char(json, ' ');
			}
		}
	}
	buffer_add_char(json, '\n');
}

static void add_head(struct buffer *json, const char *title, const struct key *keys)
{
	bool first = true;
	buffer_printf(json,
		"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"%s\","
		"\"type\":\"object\",\"properties\":{",
		title);
	add_properties(json, keys, &first);
	buffer_add_char(json, '}');
	add_required(json, keys, NULL);
	buffer_add_string(json,
		",\"additionalProperties\":false,\"$defs\":{\"requirements\":"
		"{\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"#/$defs/check\"},"
		"{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\"},"
		"{\"$ref\":\"#/$defs/check\"}]}}]}");
}

void team_schema(struct buffer *json, const struct vocabulary *vocabulary)
{
	buffer_cleanup compact = {0};
	add_head(&compact, "A muster team", team_keys);
	add_definition(&compact, "model", model_keys);
	add_definition(&compact, "manifest", manifest_keys);
	add_definition(&compact, "gate", gate_keys);
	add_definition(&compact, "delegate", delegate_keys);
	add_definition(&compact, "transfer", transfer_keys);
	add_providers(&compact, &vocabulary->sandboxes);
	add_entries(&compact, vocabulary);
	add_checks(&compact, &vocabulary->checks);
	buffer_add_string(&compact, "}}");
	add_indented(json, buffer_text(&compact));
}

void gate_schema(struct buffer *json, const struct vocabulary *vocabulary)
{
	buffer_cleanup compact = {0};
	add_head(&compact, "A muster gate", gate_file_keys);
	add_checks(&compact, &vocabulary->checks);
	buffer_add_string(&compact, "}}");
	add_indented(json, buffer_text(&compact));
}
