/*
 * JSON (RFC 8259), read strictly and with bounds. cJSON builds the trees, but it accepts much that
 * is no JSON, so json_check() stands in front of it: nothing reaches cJSON that is not valid JSON in
 * valid UTF-8 within the limits. Writing is done with struct buffer (buffer_add_json for strings).
 */
#pragma once

#include <cjson/cJSON.h>

#include "base/error.h"
#include "base/text.h"

enum { JSON_DEPTH = 128 };

#define json_cleanup __attribute__((cleanup(json_cleanup_tree))) cJSON

// Exactly one JSON value with white space around it; the error starts with "line:column: ".
// Duplicate member names are refused, too: two readers could see two different documents.
bool json_check(struct text text, struct error *error);
// The same but for duplicate names, which RFC 8259 allows.
bool json_check_grammar(struct text text, struct error *error);
// json_check, then a tree to be freed with cJSON_Delete(); NULL on error. As the tree's strings end
// at a zero byte, "\u0000" in a string is an error here.
cJSON *json_parse(struct text text, struct error *error);
void json_cleanup_tree(cJSON **tree);

// The value at a JSON pointer (RFC 6901), or NULL. json_pointer_check() says whether the text is a
// pointer at all: "" or "/...", with "~" only as "~0" and "~1".
bool json_pointer_check(struct text pointer, struct error *error);
const cJSON *json_at(const cJSON *tree, struct text pointer);

// Members by name; the given value when it is missing or of another type.
const char *json_string(const cJSON *object, const char *name, const char *otherwise);
double json_number(const cJSON *object, const char *name, double otherwise);
bool json_boolean(const cJSON *object, const char *name, bool otherwise);

// Writes a tree as compact JSON.
void json_print(struct buffer *buffer, const cJSON *tree);
// The shortest usual form that reads back as the same number; null for what is no JSON number.
void buffer_add_json_number(struct buffer *buffer, double number);
