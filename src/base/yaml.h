/*
 * YAML 1.2 (core schema) and JSON as one tree in which every value knows where it stands.
 * Read with libfyaml: one document, at most YAML_SIZE bytes, YAML_DEPTH deep, YAML_NODES nodes
 * after aliases are expanded (so an alias bomb ends early); duplicate keys are errors. Anchors,
 * aliases and merge keys are resolved here; tags other than the core schema's are refused.
 */
#pragma once

#include "base/error.h"
#include "base/text.h"

enum { YAML_SIZE = 1024 * 1024, YAML_DEPTH = 64, YAML_NODES = 200000, YAML_ANCHORS = 1000 };

enum yaml_kind {
	YAML_NULL,
	YAML_BOOLEAN,
	YAML_INTEGER, // fits int64_t
	YAML_NUMBER,
	YAML_STRING,
	YAML_LIST,
	YAML_MAP,
};

struct yaml_position {
	const char *file; // as given to yaml_parse(); shown in messages
	unsigned line;    // from 1
	unsigned column;  // from 1, in characters
};

struct yaml_node {
	enum yaml_kind kind;
	struct yaml_position position; // of the value
	struct text text; // scalars: the text as written (after unquoting); valid UTF-8
	bool plain;       // a scalar without quotes
	bool boolean;
	int64_t integer;
	double number;           // also set for integers
	size_t count;            // list items, map pairs, in the order of the file
	struct yaml_node *items; // YAML_LIST
	struct yaml_pair *pairs; // YAML_MAP
};

struct yaml_pair {
	struct text key;
	struct yaml_position position; // of the key
	struct yaml_node value;
};

// `file` is used for messages only and must outlive the tree. The error's message starts with
// "file:line:column: ".
struct yaml_node *yaml_parse(
	struct arena *arena, const char *file, struct text source, struct error *error);
// Is this YAML at all? Any number of documents, any tags, any keys; only the size is limited.
bool yaml_check_syntax(const char *file, struct text source, struct error *error);
// The value of a key, or NULL (also when the node is no map).
const struct yaml_node *yaml_get(const struct yaml_node *node, const char *key);
const char *yaml_kind_name(enum yaml_kind kind); // "a list", "a string", ...
// The tree as compact JSON (for the frozen team in the journal).
void yaml_print_json(struct buffer *buffer, const struct yaml_node *node);
