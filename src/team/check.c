#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "base/pattern.h"
#include "base/units.h"
#include "team/loader.h"

// One value, the row that describes it, and where it stands.
struct value {
	const struct loader *loader;
	const struct yaml_node *node;
	const struct key *key;
	const struct place *place;
};

static const char *a(const struct value *value)
{
	return yaml_kind_name(value->node->kind);
}

static void wrong_kind(const struct value *value, const char *wanted, const char *remedy)
{
	mistake(value->loader, value->node->position, remedy, "'%s' must be %s, not %s",
		value->key->name, wanted, a(value));
}

bool expect_kind(const struct loader *loader, const struct yaml_node *node, enum yaml_kind kind,
	const char *name)
{
	if (node->kind == kind) {
		return true;
	}
	mistake(loader, node->position, NULL, "'%s' must be %s, not %s", name, yaml_kind_name(kind),
		yaml_kind_name(node->kind));
	return false;
}

static bool is_scalar(const struct yaml_node *node)
{
	return node->kind != YAML_LIST && node->kind != YAML_MAP;
}

static const char *below(const struct loader *loader, const char *path, struct text name)
{
	const char *text = shown(loader, name);
	return *path ? arena_printf(loader->arena, "%s.%s", path, text) : text;
}

// --- Scalars ---

static void check_string(const struct value *value)
{
	if (value->node->kind != YAML_STRING) {
		wrong_kind(value, "a string", is_scalar(value->node) ? "put it in quotes" : NULL);
	} else if (memchr(value->node->text.data, '\0', value->node->text.length)) {
		mistake(value->loader, value->node->position, "take it out",
			"'%s' holds a zero byte", value->key->name);
	}
}

// Says a limit in the unit of its key.
static const char *limit(const struct value *value, int64_t number)
{
	buffer_cleanup text = {0};
	if (value->key->type == KEY_DURATION) {
		buffer_add_duration(&text, number);
	} else if (value->key->type == KEY_SIZE) {
		buffer_add_size(&text, number);
	} else {
		buffer_printf(&text, "%" PRId64, number);
	}
	return arena_copy(value->loader->arena, text.data, text.length);
}

static void check_range(const struct value *value, double number)
{
	const struct key *key = value->key;
	if (key->minimum == 0 && key->maximum == 0) {
		return;
	}
	if (number < (double)key->minimum) {
		mistake(value->loader, value->node->position, NULL,
			"'%s' must be at least %s, not %s", key->name, limit(value, key->minimum),
			shown(value->loader, value->node->text));
	} else if (key->maximum && number > (double)key->maximum) {
		mistake(value->loader, value->node->position, NULL,
			"'%s' must be at most %s, not %s", key->name, limit(value, key->maximum),
			shown(value->loader, value->node->text));
	}
}

static void check_integer(const struct value *value)
{
	if (value->node->kind != YAML_INTEGER) {
		wrong_kind(value, "an integer", NULL);
	} else {
		check_range(value, value->node->number);
	}
}

static void check_number(const struct value *value)
{
	bool number = value->node->kind == YAML_INTEGER || value->node->kind == YAML_NUMBER;
	if (!number) {
		wrong_kind(value, "a number", NULL);
	} else if (!isfinite(value->node->number)) {
		mistake(value->loader, value->node->position, NULL,
			"'%s' must be a number that is finite", value->key->name);
	} else {
		check_range(value, value->node->number);
	}
}

static void check_boolean(const struct value *value)
{
	if (value->node->kind != YAML_BOOLEAN) {
		wrong_kind(value, "true or false", NULL);
	}
}

static void check_unit(const struct value *value, bool (*parse)(struct text, int64_t *),
	const char *wanted, const char *remedy)
{
	int64_t number;
	bool fits = value->node->kind == YAML_INTEGER || value->node->kind == YAML_STRING;
	if (!fits) {
		wrong_kind(value, wanted, remedy);
	} else if (!parse(value->node->text, &number)) {
		mistake(value->loader, value->node->position, remedy, "'%s' is not %s: '%s'",
			value->key->name, wanted, shown(value->loader, value->node->text));
	} else {
		check_range(value, (double)number);
	}
}

static void check_duration(const struct value *value)
{
	check_unit(
		value, units_duration, "a length of time", "write it like 90s, 60m, 2h or 500ms");
}

static void check_size(const struct value *value)
{
	check_unit(value, units_size, "a size", "write it like 64KB, 10MiB or 2GiB");
}

static size_t count_names(const char *const *names)
{
	size_t count = 0;
	while (names[count]) {
		count++;
	}
	return count;
}

static void check_choice(const struct value *value)
{
	const char *const *choices = value->key->choices;
	if (value->node->kind == YAML_LIST || value->node->kind == YAML_MAP) {
		wrong_kind(value, "a string", one_of(value->loader, choices, count_names(choices)));
		return;
	}
	for (size_t i = 0; choices[i]; i++) {
		if (text_is(value->node->text, choices[i])) {
			return;
		}
	}
	mistake(value->loader, value->node->position,
		one_of(value->loader, choices, count_names(choices)), "'%s' cannot be '%s'",
		value->key->name, shown(value->loader, value->node->text));
}

static void check_compiles(const struct value *value, struct text source)
{
	struct error error = {0};
	struct pattern *pattern = pattern_compile(source, &error);
	if (!pattern) {
		mistake(value->loader, value->node->position, error.hint[0] ? error.hint : NULL,
			"'%s': %s", value->key->name, error.message);
	}
	pattern_destroy(pattern);
}

static void check_pattern(const struct value *value)
{
	if (value->node->kind != YAML_STRING) {
		wrong_kind(value, "a pattern", is_scalar(value->node) ? "put it in quotes" : NULL);
	} else {
		check_compiles(value, value->node->text);
	}
}

static void check_path(const struct value *value)
{
	struct text clean;
	struct error error = {0};
	if (!is_scalar(value->node)) {
		wrong_kind(value, "a path in the workspace", NULL);
	} else if (!path_clean(value->loader->arena, value->node->text, &clean, &error)) {
		mistake(value->loader, value->node->position,
			"write a path from the root of the workspace", "%s", error.message);
	} else if (value->key->type == KEY_PATH && path_is_glob(clean)) {
		mistake(value->loader, value->node->position,
			"name one file, or use a 'glob' check", "'%s' is one path, not a pattern",
			value->key->name);
	}
}

static void check_file(const struct value *value)
{
	bool folder = value->key->type == KEY_FOLDER;
	if (value->node->kind != YAML_STRING || value->node->text.length == 0) {
		wrong_kind(value, folder ? "the path of a folder" : "the path of a file", NULL);
		return;
	}
	if (folder && text_starts(value->node->text, "${inputs.")) {
		return; // known when a run starts
	}
	const char *path = path_join(value->loader->arena, value->place->folder,
		text_string(value->loader->arena, value->node->text));
	if (!file_is_there(value->loader, path, folder)) {
		mistake(value->loader, value->node->position,
			"the path is relative to the file that names it", "there is no %s '%s'",
			folder ? "folder" : "file", shown(value->loader, text_of(path)));
	}
}

// --- Lists and maps ---

static void check_strings(const struct value *value)
{
	struct key one = *value->key;
	one.type = value->key->type == KEY_GLOBS ? KEY_GLOB : KEY_STRING;
	if (value->node->kind != YAML_LIST) {
		if (value->node->kind == YAML_MAP) {
			wrong_kind(value, "a list of strings", NULL);
			return;
		}
		check_value(value->loader, value->node, &one, value->place);
		return;
	}
	for (size_t i = 0; i < value->node->count; i++) {
		check_value(value->loader, &value->node->items[i], &one, value->place);
	}
}

static void check_string_map(const struct value *value)
{
	if (value->node->kind != YAML_MAP) {
		wrong_kind(value, "a map of names to strings", NULL);
		return;
	}
	for (size_t i = 0; i < value->node->count; i++) {
		const struct yaml_pair *pair = &value->node->pairs[i];
		if (!is_scalar(&pair->value) || pair->value.kind == YAML_NULL) {
			mistake(value->loader, pair->value.position, NULL,
				"'%s' must be a string, not %s", shown(value->loader, pair->key),
				yaml_kind_name(pair->value.kind));
		}
	}
}

static void check_map(const struct value *value)
{
	struct place place = *value->place;
	place.path = below(value->loader, place.path, text_of(value->key->name));
	check_table(value->loader, value->node, value->key->keys, &place);
}

static void check_tables(const struct value *value)
{
	if (value->node->kind != YAML_LIST) {
		wrong_kind(value, "a list of maps", NULL);
		return;
	}
	struct place place = *value->place;
	place.path = below(value->loader, place.path, text_of(value->key->name));
	for (size_t i = 0; i < value->node->count; i++) {
		check_table(value->loader, &value->node->items[i], value->key->keys, &place);
	}
}

static void check_table_map(const struct value *value)
{
	if (value->node->kind != YAML_MAP) {
		wrong_kind(value, "a map of names to maps", NULL);
		return;
	}
	const char *path = below(value->loader, value->place->path, text_of(value->key->name));
	for (size_t i = 0; i < value->node->count; i++) {
		const struct yaml_pair *pair = &value->node->pairs[i];
		struct place place = *value->place;
		place.path = below(value->loader, path, pair->key);
		check_table(value->loader, &pair->value, value->key->keys, &place);
	}
}

static void check_pointers(const struct value *value)
{
	if (value->node->kind != YAML_MAP) {
		wrong_kind(value, "a map of JSON pointers to values", "write {/name: value}");
		return;
	}
	for (size_t i = 0; i < value->node->count; i++) {
		const struct yaml_pair *pair = &value->node->pairs[i];
		struct value inner = *value;
		inner.node = &pair->value;
		struct text text = pair->value.text;
		struct error error = {0};
		if (!json_pointer_check(pair->key, &error)) {
			mistake(value->loader, pair->position, error.hint,
				"'%s' is no JSON pointer: %s", shown(value->loader, pair->key),
				error.message);
		}
		if (!is_scalar(&pair->value)) {
			mistake(value->loader, pair->value.position,
				"name each value inside it by a pointer of its own",
				"the value at '%s' must be a scalar or a \"/pattern/\"",
				shown(value->loader, pair->key));
		} else if (pair->value.kind == YAML_STRING && text.length > 1 &&
			text.data[0] == '/' && text.data[text.length - 1] == '/') {
			check_compiles(&inner, (struct text){text.data + 1, text.length - 2});
		}
	}
}

static void check_count(const struct value *value)
{
	static const struct key bounds[] = {
		{"min", KEY_INTEGER, "At least.", .maximum = INT32_MAX},
		{"max", KEY_INTEGER, "At most.", .maximum = INT32_MAX},
		{0},
	};
	if (value->node->kind == YAML_MAP) {
		struct place place = *value->place;
		place.path = below(value->loader, place.path, text_of(value->key->name));
		check_table(value->loader, value->node, bounds, &place);
		int64_t least = integer_at(value->node, "min", 0);
		if (integer_at(value->node, "max", INT32_MAX) < least) {
			mistake(value->loader, value->node->position, NULL,
				"'%s' has a 'max' below its 'min'", value->key->name);
		}
	} else if (value->node->kind != YAML_INTEGER) {
		wrong_kind(value, "an integer or {min, max}", NULL);
	} else if (value->node->integer < 0) {
		mistake(value->loader, value->node->position, NULL, "'%s' must be at least 0",
			value->key->name);
	}
}

// --- Gate checks ---

const struct key_owner *owner_find(const struct owner_list *owners, struct text name)
{
	for (size_t i = 0; i < owners->count; i++) {
		if (text_is(name, owners->owners[i].name)) {
			return &owners->owners[i];
		}
	}
	return NULL;
}

const char *owner_remedy(
	const struct loader *loader, struct text name, const struct owner_list *owners)
{
	const char **names = arena_new_array(loader->arena, owners->count + 1, const char *);
	size_t available = 0;
	for (size_t i = 0; i < owners->count; i++) {
		names[i] = owners->owners[i].name;
	}
	const char *remedy = nearest(loader, name, names, owners->count);
	for (size_t i = 0; i < owners->count; i++) {
		if (!owners->owners[i].later) {
			names[available++] = owners->owners[i].name;
		}
	}
	return remedy ? remedy : one_of(loader, names, available);
}

static const struct key_owner *kind_of_check(
	const struct loader *loader, const struct yaml_node *node)
{
	const struct owner_list *checks = &loader->vocabulary->checks;
	if (node->kind == YAML_STRING) {
		mistake(loader, node->position,
			arena_printf(loader->arena, "write {file: %s}", shown(loader, node->text)),
			"a check must be a map, not a string");
		return NULL;
	}
	if (node->kind != YAML_MAP || node->count == 0) {
		mistake(loader, node->position, "write for example {file: PATH}",
			"a check must be a map, not %s",
			node->kind == YAML_MAP ? "an empty one" : yaml_kind_name(node->kind));
		return NULL;
	}
	for (size_t i = 0; i < node->count; i++) {
		const struct key_owner *owner = owner_find(checks, node->pairs[i].key);
		if (owner) {
			return owner;
		}
	}
	mistake(loader, node->pairs[0].position, owner_remedy(loader, node->pairs[0].key, checks),
		"there is no check '%s'", shown(loader, node->pairs[0].key));
	return NULL;
}

const struct key_owner *check_check(
	const struct loader *loader, const struct yaml_node *node, const struct place *place)
{
	const struct key_owner *owner = kind_of_check(loader, node);
	if (!owner) {
		return NULL;
	}
	if (owner->later) {
		mistake(loader, node->position, "leave it out",
			"the check '%s' is not available yet", owner->name);
		return NULL;
	}
	struct place inside = *place;
	inside.path = arena_printf(loader->arena, "check %s", owner->name);
	check_table(loader, node, owner->keys, &inside);
	return owner;
}

static void check_one_check(const struct value *value)
{
	check_check(value->loader, value->node, value->place);
}

static void check_checks(const struct value *value)
{
	if (value->node->kind != YAML_LIST) {
		check_one_check(value);
		return;
	}
	if (value->node->count == 0) {
		mistake(value->loader, value->node->position, "name at least one check",
			"'%s' is empty", value->key->name);
	}
	for (size_t i = 0; i < value->node->count; i++) {
		check_check(value->loader, &value->node->items[i], value->place);
	}
}

// --- All of them ---

static void (*const checkers[])(const struct value *) = {
	[KEY_STRING] = check_string,
	[KEY_INTEGER] = check_integer,
	[KEY_NUMBER] = check_number,
	[KEY_BOOLEAN] = check_boolean,
	[KEY_DURATION] = check_duration,
	[KEY_SIZE] = check_size,
	[KEY_CHOICE] = check_choice,
	[KEY_PATTERN] = check_pattern,
	[KEY_PATH] = check_path,
	[KEY_GLOB] = check_path,
	[KEY_FILE] = check_file,
	[KEY_FOLDER] = check_file,
	[KEY_STRINGS] = check_strings,
	[KEY_GLOBS] = check_strings,
	[KEY_STRING_MAP] = check_string_map,
	[KEY_TABLE] = check_map,
	[KEY_TABLES] = check_tables,
	[KEY_TABLE_MAP] = check_table_map,
	[KEY_POINTERS] = check_pointers,
	[KEY_COUNT] = check_count,
	[KEY_CHECK] = check_one_check,
	[KEY_CHECKS] = check_checks,
	[KEY_ANY] = NULL,
};

void check_value(const struct loader *loader, const struct yaml_node *node, const struct key *key,
	const struct place *place)
{
	struct value value = {loader, node, key, place};
	if (checkers[key->type]) {
		checkers[key->type](&value);
	}
}

static const struct key *find_key(const struct key *keys, struct text name)
{
	for (; keys->name; keys++) {
		if (text_is(name, keys->name)) {
			return keys;
		}
	}
	return NULL;
}

static void unknown_key(const struct loader *loader, const struct yaml_pair *pair,
	const struct key *keys, const struct place *place)
{
	const char *spelling = report_is_full(loader) ? "" : spelling_of(loader, pair->key, keys);
	if (spelling) {
		mistake(loader, pair->position, NULL, "%s", spelling);
		return;
	}
	size_t count = 0;
	while (keys[count].name) {
		count++;
	}
	const char **names = arena_new_array(loader->arena, count + 1, const char *);
	for (size_t i = 0; i < count; i++) {
		names[i] = keys[i].name;
	}
	const char *remedy = nearest(loader, pair->key, names, count);
	size_t available = 0;
	for (size_t i = 0; i < count; i++) {
		if (!keys[i].later) {
			names[available++] = keys[i].name;
		}
	}
	const char *all = available ? one_of(loader, names, available) : "leave it out";
	mistake(loader, pair->position, remedy ? remedy : all, "unknown key '%s'%s%s%s",
		shown(loader, pair->key), *place->path ? " in '" : "", place->path,
		*place->path ? "'" : "");
}

static void check_pair(const struct loader *loader, const struct yaml_pair *pair,
	const struct key *keys, const struct place *place)
{
	const struct key *key = find_key(keys, pair->key);
	if (!key) {
		unknown_key(loader, pair, keys, place);
		return;
	}
	if (pair->value.kind == YAML_NULL && pair->value.plain) {
		if (!place->nulls || key->required) {
			mistake(loader, pair->position, "give it one, or leave the key out",
				"'%s' has no value", key->name);
		}
		return;
	}
	if (key->later) {
		mistake(loader, pair->position, "leave it out", "'%s' is not available yet",
			key->name);
	}
	check_value(loader, &pair->value, key, place);
}

void check_table(const struct loader *loader, const struct yaml_node *node, const struct key *keys,
	const struct place *place)
{
	if (node->kind != YAML_MAP) {
		mistake(loader, node->position, NULL, "%s%s%s must be a map, not %s",
			*place->path ? "'" : "", *place->path ? place->path : "the file",
			*place->path ? "'" : "", yaml_kind_name(node->kind));
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		check_pair(loader, &node->pairs[i], keys, place);
	}
	for (const struct key *key = keys; key->name; key++) {
		if (key->required && !has_or_means(loader, node, keys, key->name)) {
			mistake(loader, node->position,
				arena_printf(loader->arena, "add '%s: ...'", key->name),
				"the key '%s' is missing%s%s%s", key->name,
				*place->path ? " in '" : "", place->path, *place->path ? "'" : "");
		}
	}
}
