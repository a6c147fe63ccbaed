#include "agent/tool_arguments.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAMES_LIMIT = 32 /* parameters that are looked through for the nearest name */ };

// Whole numbers that a double holds exactly.
static const double largest_integer = 9007199254740992.0;

static bool fits_string(const cJSON *value)
{
	return cJSON_IsString(value);
}

static bool fits_integer(const cJSON *value)
{
	return cJSON_IsNumber(value) && value->valuedouble <= largest_integer &&
		value->valuedouble >= -largest_integer &&
		(double)(int64_t)value->valuedouble == value->valuedouble;
}

static bool fits_number(const cJSON *value)
{
	return cJSON_IsNumber(value) && isfinite(value->valuedouble);
}

static bool fits_boolean(const cJSON *value)
{
	return cJSON_IsBool(value);
}

static bool fits_strings(const cJSON *value)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, value)
	{
		if (!cJSON_IsString(item)) {
			return false;
		}
	}
	return cJSON_IsArray(value);
}

static const struct argument_type {
	const char *schema; // members of its JSON Schema
	const char *words;  // for messages: "has to be ..."
	bool (*fits)(const cJSON *value);
} types[] = {
	[KEY_STRING] = {"\"type\":\"string\"", "a string", fits_string},
	[KEY_PATH] = {"\"type\":\"string\"", "a string", fits_string},
	[KEY_CHOICE] = {"\"type\":\"string\"", "a string", fits_string},
	[KEY_INTEGER] = {"\"type\":\"integer\"", "a whole number", fits_integer},
	[KEY_NUMBER] = {"\"type\":\"number\"", "a number", fits_number},
	[KEY_BOOLEAN] = {"\"type\":\"boolean\"", "true or false", fits_boolean},
	[KEY_STRINGS] = {"\"type\":\"array\",\"items\":{\"type\":\"string\"}", "a list of strings",
		fits_strings},
};

static bool has_limits(const struct key *key)
{
	return key->minimum != 0 || key->maximum != 0;
}

static bool is_text(const struct key *key)
{
	return key->type == KEY_STRING || key->type == KEY_PATH;
}

static const struct key *find(const struct key *parameters, const char *name)
{
	for (const struct key *key = parameters; key->name; key++) {
		if (strcmp(key->name, name) == 0) {
			return key;
		}
	}
	return NULL;
}

static bool complain_unknown(struct buffer *problem, const struct key *parameters, const char *name)
{
	const char *names[NAMES_LIMIT];
	size_t count = 0;
	for (const struct key *key = parameters; key->name && count < NAMES_LIMIT; key++) {
		names[count++] = key->name;
	}
	const char *nearest = text_nearest(text_of(name), names, count);
	buffer_add_string(problem, "there is no argument '");
	buffer_add_line(problem, text_of(name), 40);
	buffer_add_string(problem, "'");
	if (nearest) {
		buffer_printf(problem, "; did you mean '%s'?", nearest);
	} else {
		for (size_t i = 0; i < count; i++) {
			buffer_printf(problem, "%s'%s'", i ? ", " : "; possible are ", names[i]);
		}
	}
	return false;
}

static bool check_choice(struct buffer *problem, const struct key *key, const char *value)
{
	for (size_t i = 0; key->choices[i]; i++) {
		if (strcmp(key->choices[i], value) == 0) {
			return true;
		}
	}
	buffer_printf(problem, "'%s' has to be one of", key->name);
	for (size_t i = 0; key->choices[i]; i++) {
		buffer_printf(problem, "%s '%s'", i ? "," : "", key->choices[i]);
	}
	return false;
}

static bool check_limits(struct buffer *problem, const struct key *key, const cJSON *value)
{
	double size = is_text(key) ? (double)strlen(value->valuestring) : value->valuedouble;
	if (size >= (double)key->minimum && size <= (double)key->maximum) {
		return true;
	}
	if (is_text(key) && size < (double)key->minimum) {
		buffer_printf(problem, "'%s' must not be empty", key->name);
	} else if (size < (double)key->minimum) {
		buffer_printf(problem, "'%s' has to be at least %lld", key->name,
			(long long)key->minimum);
	} else {
		buffer_printf(problem, "'%s' has to be at most %lld%s", key->name,
			(long long)key->maximum, is_text(key) ? " bytes" : "");
	}
	return false;
}

static bool check_value(struct buffer *problem, const struct key *key, const cJSON *value)
{
	const struct argument_type *type = &types[key->type];
	if (!type->fits(value)) {
		buffer_printf(problem, "'%s' has to be %s", key->name, type->words);
		return false;
	}
	if (key->type == KEY_CHOICE) {
		return check_choice(problem, key, value->valuestring);
	}
	return !has_limits(key) || cJSON_IsBool(value) || cJSON_IsArray(value) ||
		check_limits(problem, key, value);
}

static bool check(struct buffer *problem, cJSON *tree, const struct key *parameters)
{
	for (cJSON *member = tree->child, *next; member; member = next) {
		next = member->next;
		const struct key *key = find(parameters, member->string);
		if (!key) {
			return complain_unknown(problem, parameters, member->string);
		}
		if (cJSON_IsNull(member)) {
			cJSON_Delete(cJSON_DetachItemViaPointer(tree, member));
		} else if (!check_value(problem, key, member)) {
			return false;
		}
	}
	for (const struct key *key = parameters; key->name; key++) {
		if (key->required && !cJSON_GetObjectItemCaseSensitive(tree, key->name)) {
			buffer_printf(problem, "'%s' is missing", key->name);
			return false;
		}
	}
	return true;
}

// An escaped zero would end a C string early: what is checked would not be what is used.
static bool holds_zero(struct text text)
{
	for (size_t i = 0; i + 5 < text.length; i++) {
		if (text.data[i] != '\\') {
			continue;
		}
		if (memcmp(&text.data[i + 1], "u0000", 5) == 0) {
			return true;
		}
		i++; // the escaped character, maybe a backslash itself
	}
	return false;
}

static cJSON *parse(struct text text, const struct key *parameters, struct buffer *problem)
{
	struct error error;
	struct text trimmed = text_trim(text);
	if (trimmed.length == 0) {
		trimmed = TEXT("{}");
	}
	if (holds_zero(trimmed)) {
		buffer_add_string(problem, "a string holds a zero character (\\u0000)");
		return NULL;
	}
	cJSON *tree = json_parse(trimmed, &error);
	if (!tree) {
		buffer_printf(problem, "the arguments are no JSON: %s", error.message);
		return NULL;
	}
	bool fits = cJSON_IsObject(tree);
	if (!fits) {
		buffer_add_string(problem, "the arguments have to be a JSON object");
	}
	if (!fits || !check(problem, tree, parameters)) {
		cJSON_Delete(tree);
		return NULL;
	}
	return tree;
}

cJSON *tool_arguments_parse(
	struct text text, const struct key *parameters, char *problem, size_t problem_size)
{
	buffer_cleanup said = {0};
	cJSON *tree = parse(text, parameters, &said);
	struct text cut = text_cut(buffer_text(&said), problem_size - 1);
	snprintf(problem, problem_size, "%.*s", (int)cut.length, cut.data ? cut.data : "");
	return tree;
}

// FNV-1a, 64 bits.
static uint64_t hash_bytes(uint64_t hash, struct text text)
{
	for (size_t i = 0; i < text.length; i++) {
		hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001b3);
	}
	return hash;
}

uint64_t tool_arguments_hash(const char *name, struct text arguments, const cJSON *tree)
{
	buffer_cleanup compact = {0};
	if (tree) {
		json_print(&compact, tree);
		arguments = buffer_text(&compact);
	}
	uint64_t hash = hash_bytes(UINT64_C(0xcbf29ce484222325), text_of(name));
	hash = hash_bytes(
		hash, (struct text){"", 1}); // the zero byte keeps name and arguments apart
	return hash_bytes(hash, arguments);
}

static void add_limits(struct buffer *json, const struct key *key)
{
	bool text = is_text(key);
	if (key->minimum != 0 || !text) {
		buffer_printf(json, ",\"%s\":%lld", text ? "minLength" : "minimum",
			(long long)key->minimum);
	}
	if (key->maximum != INT64_MAX) {
		buffer_printf(json, ",\"%s\":%lld", text ? "maxLength" : "maximum",
			(long long)key->maximum);
	}
}

void tool_arguments_schema(struct buffer *json, const struct key *parameters)
{
	buffer_add_string(json, "{\"type\":\"object\",\"properties\":{");
	for (const struct key *key = parameters; key->name; key++) {
		buffer_printf(json, "%s\"%s\":{%s,\"description\":", key == parameters ? "" : ",",
			key->name, types[key->type].schema);
		buffer_add_json(json, text_of(key->help));
		if (has_limits(key)) {
			add_limits(json, key);
		}
		for (size_t i = 0; key->type == KEY_CHOICE && key->choices[i]; i++) {
			buffer_add_string(json, i ? "," : ",\"enum\":[");
			buffer_add_json(json, text_of(key->choices[i]));
			buffer_add_string(json, key->choices[i + 1] ? "" : "]");
		}
		buffer_add_string(json, "}");
	}
	buffer_add_string(json, "},\"required\":[");
	bool first = true;
	for (const struct key *key = parameters; key->name; key++) {
		if (key->required) {
			buffer_printf(json, "%s\"%s\"", first ? "" : ",", key->name);
			first = false;
		}
	}
	buffer_add_string(json, "],\"additionalProperties\":false}");
}
