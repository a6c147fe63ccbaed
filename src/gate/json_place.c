/* Finds the place of a value in a JSON text. The text was parsed before, so it is known to be valid. */
#include <string.h>

#include "gate/kind.h"

static size_t skip_space(struct text json, size_t at)
{
	while (at < json.length && memchr(" \t\r\n", json.data[at], 4)) {
		at++;
	}
	return at;
}

// `at` is the opening quote; gives what follows the closing one.
static size_t skip_string(struct text json, size_t at)
{
	for (at++; at < json.length && json.data[at] != '"'; at++) {
		at += json.data[at] == '\\';
	}
	return at + 1;
}

static size_t skip_value(struct text json, size_t at)
{
	size_t depth = 0;
	while (at < json.length) {
		char byte = json.data[at];
		if (byte == '"') {
			at = skip_string(json, at);
		} else if (byte == '{' || byte == '[') {
			depth++;
			at++;
		} else if (depth == 0 && memchr(",]} \t\r\n", byte, 7)) {
			return at; // behind a number or a word
		} else {
			depth -= byte == '}' || byte == ']';
			at++;
		}
		if (depth == 0 && (byte == '"' || byte == '}' || byte == ']')) {
			return at;
		}
	}
	return at;
}

// The start of the child with this number; `at` is the start of its object or array.
static size_t child_start(struct text json, size_t at, size_t number, bool object)
{
	at = skip_space(json, at + 1);
	while (true) {
		if (object) {
			at = skip_space(json, skip_string(json, at)) + 1;
			at = skip_space(json, at);
		}
		if (number-- == 0) {
			return at;
		}
		at = skip_space(json, skip_value(json, at)) + 1;
		at = skip_space(json, at);
	}
}

static size_t number_of(const cJSON *parent, const cJSON *child)
{
	size_t number = 0;
	for (const cJSON *item = parent->child; item != child; item = item->next) {
		number++;
	}
	return number;
}

void json_find_place(
	struct json_place *place, struct text json, const cJSON *tree, struct text pointer)
{
	size_t end = 0;
	*place = (struct json_place){.value = tree, .nearest = tree, .offset = skip_space(json, 0)};
	while (end < pointer.length && place->step_count < JSON_DEPTH) {
		const char *slash = memchr(pointer.data + end + 1, '/', pointer.length - end - 1);
		end = slash ? (size_t)(slash - pointer.data) : pointer.length;
		place->value = json_at(tree, (struct text){pointer.data, end});
		if (!place->value) {
			return;
		}
		size_t number = number_of(place->nearest, place->value);
		place->offset =
			child_start(json, place->offset, number, cJSON_IsObject(place->nearest));
		place->steps[place->step_count++] = number;
		place->nearest = place->value;
		place->pointer_length = end;
	}
}
