#include <string.h>

#include "team/loader.h"

// References to inputs: ${inputs.NAME}, and $${ for a literal ${.
static const char opening[] = "${inputs.";

// Takes everything up to the next reference off *rest. At a reference: true, its name, and what
// stood before it; at the end: false with the rest in *before. A reference that is not closed on
// its line has the name "".
static bool next_reference(struct text *rest, struct text *before, struct text *name)
{
	for (size_t i = 0; i < rest->length; i++) {
		struct text here = {rest->data + i, rest->length - i};
		if (text_starts(here, "$${")) {
			i += 2;
			continue;
		}
		if (!text_starts(here, opening)) {
			continue;
		}
		size_t start = sizeof(opening) - 1, end = start;
		while (end < here.length && here.data[end] != '}' && here.data[end] != '\n') {
			end++;
		}
		bool closed = end < here.length && here.data[end] == '}';
		*before = (struct text){rest->data, i};
		*name = (struct text){here.data + start, closed ? end - start : 0};
		size_t taken = i + end + closed;
		*rest = (struct text){rest->data + taken, rest->length - taken};
		return true;
	}
	*before = *rest;
	*rest = (struct text){0};
	return false;
}

static int input_index(const struct team *team, struct text name)
{
	for (size_t i = 0; i < team->input_count; i++) {
		if (text_is(name, team->inputs[i].name)) {
			return (int)i;
		}
	}
	return TEAM_NONE;
}

static void check_name(const struct loader *loader, struct text name, struct yaml_position position)
{
	const struct team *team = loader->team;
	if (name.length == 0) {
		mistake(loader, position, "write ${inputs.NAME}",
			"a reference to an input is not closed");
		return;
	}
	if (input_index(team, name) != TEAM_NONE) {
		return;
	}
	const char **names = arena_new_array(loader->arena, team->input_count + 1, const char *);
	for (size_t i = 0; i < team->input_count; i++) {
		names[i] = team->inputs[i].name;
	}
	const char *remedy = nearest(loader, name, names, team->input_count);
	mistake(loader, position, remedy ? remedy : "declare it under 'inputs'",
		"${inputs.%s} refers to an unknown input", shown(loader, name));
}

void check_text_references(
	const struct loader *loader, struct text text, struct yaml_position position)
{
	struct text before, name;
	while (next_reference(&text, &before, &name)) {
		check_name(loader, name, position);
	}
}

void check_prompt_references(const struct loader *loader, struct text text, const char *file)
{
	struct yaml_position position = {file, 1, 1};
	struct text before, name;
	while (next_reference(&text, &before, &name)) {
		for (size_t i = 0; i < before.length; i++) {
			bool line = before.data[i] == '\n';
			bool starts = ((unsigned char)before.data[i] & 0xc0) != 0x80;
			position.line += line;
			position.column = line ? 1 : position.column + starts;
		}
		check_name(loader, name, position);
		position.column += (unsigned)(sizeof(opening) + name.length);
	}
}

// Where references are replaced when a run starts. Elsewhere they would stay as they are written,
// so they are mistakes there; above all in commands, which must not be put together from texts.
static const struct {
	const char *key;
	bool replaced;
	const char *what, *remedy;
} reference_places[] = {
	{"instructions", true, NULL, NULL},
	{"content", true, NULL, NULL},
	{"environment", true, NULL, NULL},
	{"src", true, NULL, NULL},
	{"run", false, "inputs are not put into commands",
		"use the environment variable, like \"$INPUT_NAME\""},
	{NULL, false, "inputs are not replaced here",
		"they are in instructions, in the content of files and in the environment"},
};

// A place on this machine is never put together from texts: it is one input that is a folder.
static void check_source(const struct loader *loader, const struct yaml_node *node)
{
	struct text rest = node->text, before, name;
	if (!next_reference(&rest, &before, &name)) {
		return;
	}
	int index = input_index(loader->team, name);
	if (before.length || rest.length ||
		(index != TEAM_NONE && loader->team->inputs[index].type != INPUT_FOLDER)) {
		mistake(loader, node->position,
			"write ${inputs.NAME} alone, of an input of type folder",
			"'src' is a path, or one input that is a folder");
	}
}

static size_t place_of(struct text key)
{
	size_t place = 0;
	while (reference_places[place].key && !text_is(key, reference_places[place].key)) {
		place++;
	}
	return place;
}

static void check_node(const struct loader *loader, const struct yaml_node *node, size_t place)
{
	struct text text = node->text, before, name;
	if (node->kind == YAML_STRING && reference_places[place].replaced) {
		check_text_references(loader, node->text, node->position);
		if (text_is(text_of(reference_places[place].key), "src")) {
			check_source(loader, node);
		}
	} else if (node->kind == YAML_STRING && next_reference(&text, &before, &name)) {
		mistake(loader, node->position, reference_places[place].remedy, "%s",
			reference_places[place].what);
	}
	for (size_t i = 0; node->kind == YAML_LIST && i < node->count; i++) {
		check_node(loader, &node->items[i], place);
	}
	for (size_t i = 0; node->kind == YAML_MAP && i < node->count; i++) {
		const struct yaml_pair *pair = &node->pairs[i];
		bool inside = reference_places[place].replaced; // environment: {NAME: value}
		if (!text_is(pair->key, "metadata")) {
			check_node(loader, &pair->value, inside ? place : place_of(pair->key));
		}
	}
}

void check_references(const struct loader *loader, const struct yaml_node *node)
{
	check_node(loader, node, place_of(TEXT("")));
}

static void add_unescaped(struct buffer *buffer, struct text text)
{
	size_t at;
	while ((at = text_find(text, TEXT("$${"))) < text.length) {
		buffer_add(buffer, text.data, at);
		buffer_add_string(buffer, "${");
		text.data += at + 3;
		text.length -= at + 3;
	}
	buffer_add_text(buffer, text);
}

struct text team_substitute(struct arena *arena, const struct team *team,
	const struct team_values *values, struct text text)
{
	buffer_cleanup result = {0};
	struct text rest = text, before, name;
	while (next_reference(&rest, &before, &name)) {
		int index = input_index(team, name);
		add_unescaped(&result, before);
		if (index != TEAM_NONE && values->values[index]) {
			buffer_add_string(&result, values->values[index]);
		}
	}
	add_unescaped(&result, before);
	return text_copy(arena, buffer_text(&result));
}
