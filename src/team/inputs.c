#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "team/loader.h"

// The text of a scalar, or NULL.
static const char *scalar_at(
	const struct loader *loader, const struct yaml_node *node, const char *key)
{
	const struct yaml_node *value = yaml_get(node, key);
	bool scalar = value && value->kind != YAML_LIST && value->kind != YAML_MAP &&
		value->kind != YAML_NULL;
	return scalar ? text_string(loader->arena, value->text) : NULL;
}

static bool is_number(const char *value)
{
	char *end;
	strtod(value, &end);
	// strtod takes more than a person would call a number: "nan", "0x1p3", " 1".
	return *value && *end == '\0' && strspn(value, "0123456789+-.eE") == strlen(value);
}

// NULL, or what the value should be.
static const char *misfit(enum team_input_type type, const char *value)
{
	if (type == INPUT_NUMBER && !is_number(value)) {
		return "a number";
	}
	if (type == INPUT_BOOLEAN && strcmp(value, "true") != 0 && strcmp(value, "false") != 0) {
		return "true or false";
	}
	return NULL;
}

static void check_fits(const struct loader *loader, const struct team_input *input,
	const struct yaml_node *node, const char *what)
{
	const char *value = text_string(loader->arena, node->text);
	const char *wanted = misfit(input->type, value);
	if (node->kind == YAML_LIST || node->kind == YAML_MAP) {
		mistake(loader, node->position, NULL,
			"the %s of input '%s' must be a scalar, not %s", what, input->name,
			yaml_kind_name(node->kind));
	} else if (wanted) {
		mistake(loader, node->position, NULL, "the %s of input '%s' must be %s, not '%s'",
			what, input->name, wanted, shown(loader, node->text));
	}
}

static void load_choices(
	const struct loader *loader, struct team_input *input, const struct yaml_node *node)
{
	if (!node) {
		return;
	}
	if (node->kind != YAML_LIST || node->count == 0) {
		mistake(loader, node->position, "write [one, two]",
			"the 'enum' of input '%s' must be a list of values", input->name);
		return;
	}
	input->choices = arena_new_array(loader->arena, node->count + 1, const char *);
	for (size_t i = 0; i < node->count; i++) {
		check_fits(loader, input, &node->items[i], "enum");
		input->choices[i] = text_string(loader->arena, node->items[i].text);
	}
}

static size_t choice_count(const struct team_input *input)
{
	size_t count = 0;
	while (input->choices && input->choices[count]) {
		count++;
	}
	return count;
}

static bool is_choice(const struct team_input *input, const char *value)
{
	for (size_t i = 0; input->choices && input->choices[i]; i++) {
		if (strcmp(input->choices[i], value) == 0) {
			return true;
		}
	}
	return !input->choices;
}

// The default of a file input names a file; its content is the value.
static void load_default(const struct loader *loader, struct team_input *input,
	const struct yaml_node *node, const struct yaml_node *parent)
{
	const char *value = scalar_at(loader, parent, "default");
	if (!node || !value) {
		return;
	}
	check_fits(loader, input, node, "default");
	if (input->required) {
		mistake(loader, node->position, "leave one of them out",
			"input '%s' is required and has a default", input->name);
	}
	if (input->type == INPUT_FILE) {
		struct text content;
		const char *path = path_join(loader->arena, loader->folder, value);
		if (pull_file(loader, node->position, path, &content)) {
			input->default_value = text_string(loader->arena, content);
		}
		return;
	}
	if (input->type == INPUT_FOLDER) {
		value = path_join(loader->arena, loader->folder, value);
		if (!file_is_there(loader, value, true)) {
			mistake(loader, node->position,
				"the path is relative to the file that names it",
				"there is no folder '%s'", shown(loader, text_of(value)));
		}
	}
	input->default_value = value;
	if (!is_choice(input, value)) {
		mistake(loader, node->position, one_of(loader, input->choices, choice_count(input)),
			"the default of input '%s' is not in its 'enum'", input->name);
	}
}

static void load_example(const struct loader *loader, struct team_input *input,
	const struct yaml_node *node, const struct yaml_node *parent)
{
	const char *value = scalar_at(loader, parent, "example");
	if (!node || !value) {
		return;
	}
	input->example = value;
	if (input->type == INPUT_FILE || input->type == INPUT_FOLDER) {
		input->example = path_join(loader->arena, loader->folder, value);
		if (!file_is_there(loader, input->example, input->type == INPUT_FOLDER)) {
			warning(loader, node->position,
				"the path is relative to the file that names it",
				"the example of input '%s' is not there: '%s'", input->name,
				shown(loader, text_of(input->example)));
		}
	} else {
		check_fits(loader, input, node, "example");
	}
}

static enum team_input_type type_of(const struct yaml_node *node)
{
	static const char *const names[] = {[INPUT_STRING] = "string",
		[INPUT_FILE] = "file",
		[INPUT_NUMBER] = "number",
		[INPUT_BOOLEAN] = "boolean",
		[INPUT_FOLDER] = "folder"};
	const struct yaml_node *type = yaml_get(node, "type");
	for (size_t i = 0; type && i < sizeof(names) / sizeof(names[0]); i++) {
		if (text_is(type->text, names[i])) {
			return (enum team_input_type)i;
		}
	}
	return INPUT_STRING;
}

static void load_input(struct loader *loader, const struct yaml_pair *pair)
{
	struct team *team = loader->team;
	struct team_input *input = &team->inputs[team->input_count++];
	const struct yaml_node *node = &pair->value;
	*input = (struct team_input){.name = text_string(loader->arena, pair->key),
		.type = type_of(node),
		.required = boolean_at(node, "required", false),
		.description = string_at(loader, node, "description"),
		.position = pair->position};
	if (!name_is(pair->key, "_", 64)) {
		mistake(loader, pair->position,
			"use small letters, digits and '_', a letter first, at most 64",
			"'%s' is no name for an input", shown(loader, pair->key));
	}
	load_choices(loader, input, yaml_get(node, "enum"));
	load_default(loader, input, yaml_get(node, "default"), node);
	load_example(loader, input, yaml_get(node, "example"), node);
}

void load_inputs(struct loader *loader, const struct yaml_node *node)
{
	if (!node || node->kind != YAML_MAP) {
		return;
	}
	if (node->count > LOADER_INPUTS) {
		mistake(loader, node->position, NULL, "a team has at most %d inputs",
			LOADER_INPUTS);
		return;
	}
	loader->team->inputs = arena_new_array(loader->arena, node->count, struct team_input);
	for (size_t i = 0; i < node->count; i++) {
		load_input(loader, &node->pairs[i]);
	}
}

// --- The values of one run ---

static const struct team_input *find_input(
	const struct team *team, struct text name, struct error *error)
{
	const char **names = memory_alloc((team->input_count + 1) * sizeof(char *));
	const struct team_input *found = NULL;
	for (size_t i = 0; i < team->input_count; i++) {
		names[i] = team->inputs[i].name;
		if (text_is(name, names[i])) {
			found = &team->inputs[i];
		}
	}
	if (!found) {
		buffer_cleanup line = {0};
		buffer_add_line(&line, name, 80);
		error_set(error, ERROR_USAGE, "the team has no input '%s'",
			line.data ? line.data : "");
		const char *near = text_nearest(name, names, team->input_count);
		if (near) {
			error_hint(error, "did you mean '%s'?", near);
		}
	}
	free(names);
	return found;
}

static bool read_value(struct arena *arena, const struct team_input *input, const char *path,
	const char **value, struct error *error)
{
	struct text content;
	if (!file_read(arena, path, LOADER_FILE, &content, error)) {
		return error_wrap(error, "input '%s'", input->name);
	}
	if (!text_is_utf8(content) || memchr(content.data, '\0', content.length)) {
		return error_set(error, ERROR_USAGE, "input '%s': '%s' is no text in UTF-8",
			input->name, path);
	}
	*value = text_string(arena, content);
	return true;
}

// Absolute, so that it means the same wherever it is used.
static bool read_folder(struct arena *arena, const struct team_input *input, const char *path,
	const char **value, struct error *error)
{
	struct stat status;
	char *real = realpath(path, NULL);
	if (!real || stat(real, &status) != 0) {
		free(real);
		return error_errno(error, ERROR_USAGE, "input '%s': cannot look into folder '%s'",
			input->name, path);
	}
	*value = arena_string(arena, real);
	free(real);
	return S_ISDIR(status.st_mode) ||
		error_set(error, ERROR_USAGE, "input '%s': '%s' is no folder", input->name, path);
}

static bool check_given(const struct team_input *input, const char *value, struct error *error)
{
	const char *wanted = misfit(input->type, value);
	if (wanted) {
		return error_set(error, ERROR_USAGE, "input '%s' must be %s", input->name, wanted);
	}
	if (!text_is_utf8(text_of(value))) {
		return error_set(error, ERROR_USAGE, "input '%s' is no text in UTF-8", input->name);
	}
	if (!is_choice(input, value)) {
		buffer_cleanup choices = {0};
		for (size_t i = 0; input->choices[i]; i++) {
			buffer_printf(&choices, "%s%s", i ? ", " : "", input->choices[i]);
		}
		error_set(error, ERROR_USAGE, "input '%s' has a value that is not allowed",
			input->name);
		return error_hint(error, "it is one of: %s", choices.data);
	}
	return true;
}

static bool take_given(struct arena *arena, const struct team *team, const char *given,
	struct team_values *values, struct error *error)
{
	const char *equals = strchr(given, '=');
	if (!equals) {
		error_set(error, ERROR_USAGE, "'%s' gives no value to an input", given);
		return error_hint(error, "write name=value or name=@file");
	}
	struct text name = {given, (size_t)(equals - given)};
	const struct team_input *input = find_input(team, name, error);
	if (!input) {
		return false;
	}
	const char **value = &values->values[input - team->inputs];
	if (*value) {
		return error_set(error, ERROR_USAGE, "input '%s' is given twice", input->name);
	}
	const char *text = equals + 1;
	if (text[0] == '@' && text[1] != '@' && input->type != INPUT_FOLDER) {
		if (!read_value(arena, input, text + 1, value, error)) {
			return false;
		}
	} else if (input->type == INPUT_FILE) {
		if (!read_value(arena, input, text + (text[0] == '@'), value, error)) {
			return false;
		}
	} else if (input->type == INPUT_FOLDER) {
		if (!read_folder(arena, input, text + (text[0] == '@'), value, error)) {
			return false;
		}
	} else {
		*value = arena_string(arena, text + (text[0] == '@'));
	}
	return check_given(input, *value, error);
}

bool team_inputs(struct arena *arena, const struct team *team, const char *const *given,
	size_t given_count, struct team_values *values, struct error *error)
{
	values->values = arena_new_array(arena, team->input_count + 1, const char *);
	for (size_t i = 0; i < given_count; i++) {
		if (!take_given(arena, team, given[i], values, error)) {
			return false;
		}
	}
	for (size_t i = 0; i < team->input_count; i++) {
		const struct team_input *input = &team->inputs[i];
		if (values->values[i]) {
			continue;
		}
		if (input->required) {
			error_set(error, ERROR_USAGE, "the input '%s' is missing", input->name);
			return error_hint(error, "give it with -i %s=%s%s", input->name,
				input->type == INPUT_FILE ? "@" : "",
				input->example                        ? input->example
					: input->type == INPUT_FILE   ? "FILE"
					: input->type == INPUT_FOLDER ? "FOLDER"
								      : "VALUE");
		}
		values->values[i] = input->default_value;
		if (input->type == INPUT_FOLDER && input->default_value &&
			!read_folder(
				arena, input, input->default_value, &values->values[i], error)) {
			return false;
		}
	}
	return true;
}
