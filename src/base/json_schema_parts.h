/* The parts of a compiled schema. Private to src/base/json_schema*.c. */
#pragma once

#include "base/json_schema.h"
#include "base/pattern.h"

struct schema_node;
struct evaluation;

// How schemas lie in the value of a keyword.
enum schema_nesting { NEST_NONE, NEST_ONE, NEST_LIST, NEST_MAP };

enum schema_value {
	VALUE_ANY,
	VALUE_STRING,
	VALUE_BOOLEAN,
	VALUE_NUMBER,
	VALUE_POSITIVE, // a number above 0
	VALUE_COUNT,    // an integer from 0
	VALUE_ARRAY,
	VALUE_STRINGS, // each once
	VALUE_STRING_LISTS,
	VALUE_TYPES,
	VALUE_PATTERN,
	VALUE_SCHEMA,
	VALUE_SCHEMAS, // at least one
	VALUE_SCHEMA_MAP,
	VALUE_PATTERN_MAP,
	VALUE_DIALECT,
};

// One keyword in one schema.
struct schema_entry {
	const struct schema_keyword *keyword;
	const cJSON *value;
	struct schema_node **nodes; // in the order of the value
	struct pattern **patterns;  // VALUE_PATTERN, VALUE_PATTERN_MAP
	size_t count;
};

struct schema_keyword {
	const char *name;
	enum schema_value value;
	enum schema_nesting nesting;
	// Does the document's value fit? NULL: the keyword checks nothing by itself. `marks` says
	// which members or items were looked at; NULL: nobody wants to know.
	bool (*check)(struct evaluation *evaluation, const struct schema_node *node,
		const struct schema_entry *entry, const cJSON *document, bool *marks);
	const char *refused; // not NULL: why, and what to write instead
};

// In the order in which they are checked: those that look at what others left out come last.
extern const struct schema_keyword schema_keywords[]; // ends with a row without name

// A schema with a URI of its own, and what lies in it up to the next one.
struct schema_resource {
	const char *uri; // without fragment; "" for a file without $id
	struct schema_node *root;
};

struct schema_anchor {
	const struct schema_resource *resource;
	const char *name;
	struct schema_node *node;
	bool dynamic;
};

struct schema_node {
	const cJSON *source;
	const struct schema_resource *resource;
	struct schema_entry *entries;
	size_t count;
	struct schema_node *target;  // of $ref
	struct schema_node *dynamic; // of $dynamicRef
	const char *dynamic_name;    // its anchor, if the dynamic scope decides
	bool looks_at_rest;          // has unevaluatedItems or unevaluatedProperties
};

struct json_schema {
	struct arena arena;
	cJSON *tree;
	struct schema_node *root;
	struct schema_node **nodes; // all, by source
	size_t node_count, node_capacity;
	struct schema_resource **resources;
	size_t resource_count;
	struct schema_anchor *anchors;
	size_t anchor_count;
	struct pattern **patterns; // to be freed
	size_t pattern_count;
};

const struct schema_entry *schema_entry_of(const struct schema_node *node, const char *name);
// The URI that a reference means beside a base (RFC 3986, 5.2), in the arena; its fragment,
// percent-decoded, is split off into *fragment.
const char *schema_uri_resolve(
	struct arena *arena, const char *base, const char *reference, const char **fragment);
