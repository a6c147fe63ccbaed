/* Compiling a schema: the keywords of every schema in the file are found, then references. */
#include "base/json_schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_schema_parts.h"

enum { SHOWN = 160 };

// Where the compiler is.
struct at {
	const struct at *above;
	const char *name; // NULL: `index`
	size_t index;
};

struct compiler {
	struct json_schema *schema;
	struct error *error;
};

static void add_pointer(struct buffer *text, const struct at *at)
{
	if (!at || !at->above) {
		return;
	}
	add_pointer(text, at->above);
	buffer_add_char(text, '/');
	if (!at->name) {
		buffer_printf(text, "%zu", at->index);
		return;
	}
	for (const char *byte = at->name; *byte; byte++) {
		if (*byte == '~' || *byte == '/') {
			buffer_add_string(text, *byte == '~' ? "~0" : "~1");
		} else {
			buffer_add_char(text, *byte);
		}
	}
}

static bool refuse(struct compiler *compiler, const struct at *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool refuse(struct compiler *compiler, const struct at *at, const char *format, ...)
{
	buffer_cleanup pointer = {0}, line = {0}, what = {0};
	arena_cleanup arena = {0};
	va_list arguments;
	add_pointer(&pointer, at);
	buffer_add_line(&line, buffer_text(&pointer), SHOWN);
	va_start(arguments, format);
	buffer_add_line(&what, text_of(arena_vprintf(&arena, format, arguments)), 2 * SHOWN);
	va_end(arguments);
	return error_set(compiler->error, ERROR_USAGE, "%s%s%s", line.length ? line.data : "",
		line.length ? ": " : "", what.data ? what.data : "");
}

const struct schema_entry *schema_entry_of(const struct schema_node *node, const char *name)
{
	for (size_t i = 0; i < node->count; i++) {
		if (strcmp(node->entries[i].keyword->name, name) == 0) {
			return &node->entries[i];
		}
	}
	return NULL;
}

// --- The values of keywords ---

static bool is_count(const cJSON *value)
{
	return cJSON_IsNumber(value) && value->valuedouble >= 0 &&
		value->valuedouble == floor(value->valuedouble);
}

static bool are_strings(const cJSON *value)
{
	const cJSON *item, *other;
	cJSON_ArrayForEach(item, value)
	{
		if (!cJSON_IsString(item)) {
			return false;
		}
		for (other = value->child; other != item; other = other->next) {
			if (strcmp(other->valuestring, item->valuestring) == 0) {
				return false;
			}
		}
	}
	return cJSON_IsArray(value);
}

static bool are_string_lists(const cJSON *value)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, value)
	{
		if (!are_strings(item)) {
			return false;
		}
	}
	return cJSON_IsObject(value);
}

static bool is_type(const cJSON *value)
{
	static const char *const types[] = {
		"null", "boolean", "object", "array", "number", "string", "integer"};
	for (size_t i = 0; cJSON_IsString(value) && i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i], value->valuestring) == 0) {
			return true;
		}
	}
	return false;
}

static bool are_types(const cJSON *value)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, value)
	{
		if (!is_type(item)) {
			return false;
		}
	}
	return is_type(value) || (are_strings(value) && value->child);
}

static bool is_schema(const cJSON *value)
{
	return cJSON_IsObject(value) || cJSON_IsBool(value);
}

static bool are_schemas(const cJSON *value)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, value)
	{
		if (!is_schema(item)) {
			return false;
		}
	}
	return true;
}

static bool is_dialect(const cJSON *value)
{
	static const char known[] = "https://json-schema.org/draft/2020-12/schema";
	struct text text = text_of(cJSON_GetStringValue(value));
	text.length -= text_ends(text, "#");
	return text_is(text, known);
}

// NULL: it fits; else what it has to be.
static const char *unfit(enum schema_value wanted, const cJSON *value)
{
	switch (wanted) {
	case VALUE_ANY:
		return NULL;
	case VALUE_STRING:
	case VALUE_PATTERN:
		return cJSON_IsString(value) ? NULL : "a string";
	case VALUE_BOOLEAN:
		return cJSON_IsBool(value) ? NULL : "true or false";
	case VALUE_NUMBER:
		return cJSON_IsNumber(value) ? NULL : "a number";
	case VALUE_POSITIVE:
		return cJSON_IsNumber(value) && value->valuedouble > 0 ? NULL : "a number above 0";
	case VALUE_COUNT:
		return is_count(value) ? NULL : "an integer from 0";
	case VALUE_ARRAY:
		return cJSON_IsArray(value) ? NULL : "an array";
	case VALUE_STRINGS:
		return are_strings(value) ? NULL : "an array of different strings";
	case VALUE_STRING_LISTS:
		return are_string_lists(value) ? NULL : "an object of arrays of different strings";
	case VALUE_TYPES:
		return are_types(value) ? NULL
					: "null, boolean, object, array, number, string or "
					  "integer, or an array of these";
	case VALUE_SCHEMA:
		return is_schema(value) ? NULL : "a schema: an object, true or false";
	case VALUE_SCHEMAS:
		return cJSON_IsArray(value) && value->child && are_schemas(value)
			? NULL
			: "an array of schemas, at least one";
	case VALUE_SCHEMA_MAP:
	case VALUE_PATTERN_MAP:
		return cJSON_IsObject(value) && are_schemas(value) ? NULL : "an object of schemas";
	case VALUE_DIALECT:
		return is_dialect(value) ? NULL : "https://json-schema.org/draft/2020-12/schema";
	}
	return NULL;
}

// --- Nodes ---

static struct pattern *make_pattern(
	struct compiler *compiler, const struct at *at, const char *source)
{
	struct json_schema *schema = compiler->schema;
	struct error error = {0};
	struct pattern *pattern = pattern_compile_ecma(text_of(source), &error);
	if (!pattern) {
		refuse(compiler, at, "%s", error.message);
		return NULL;
	}
	schema->patterns = memory_resize(
		schema->patterns, (schema->pattern_count + 1) * sizeof(struct pattern *));
	schema->patterns[schema->pattern_count++] = pattern;
	return pattern;
}

static struct schema_resource *add_resource(
	struct json_schema *schema, const char *uri, struct schema_node *root)
{
	struct schema_resource *resource = arena_new(&schema->arena, struct schema_resource);
	*resource = (struct schema_resource){uri, root};
	schema->resources = memory_resize(
		schema->resources, (schema->resource_count + 1) * sizeof(struct schema_resource *));
	schema->resources[schema->resource_count++] = resource;
	return resource;
}

static struct schema_node *add_node(struct compiler *compiler, const struct at *at,
	const cJSON *source, const struct schema_resource *resource);

static bool add_nested(struct compiler *compiler, const struct at *at, struct schema_entry *entry,
	const struct schema_resource *resource)
{
	struct arena *arena = &compiler->schema->arena;
	const cJSON *item = entry->value;
	bool one = entry->keyword->nesting == NEST_ONE;
	struct at below = {.above = at};
	entry->count = one ? 1 : (size_t)cJSON_GetArraySize(entry->value);
	entry->nodes = arena_new_array(arena, entry->count, struct schema_node *);
	item = one ? item : item->child;
	for (size_t i = 0; i < entry->count; i++, item = item->next) {
		below.name = entry->keyword->nesting == NEST_MAP ? item->string : NULL;
		below.index = i;
		entry->nodes[i] = add_node(compiler, one ? at : &below, item, resource);
		if (!entry->nodes[i]) {
			return false;
		}
	}
	return true;
}

static bool add_patterns(struct compiler *compiler, const struct at *at, struct schema_entry *entry)
{
	bool map = entry->keyword->value == VALUE_PATTERN_MAP;
	const cJSON *item = map ? entry->value->child : entry->value;
	size_t count = map ? (size_t)cJSON_GetArraySize(entry->value) : 1;
	entry->patterns = arena_new_array(&compiler->schema->arena, count, struct pattern *);
	for (size_t i = 0; i < count; i++, item = item->next) {
		entry->patterns[i] =
			make_pattern(compiler, at, map ? item->string : item->valuestring);
		if (!entry->patterns[i]) {
			return false;
		}
	}
	return true;
}

static bool check_names(struct compiler *compiler, const struct at *at, const cJSON *source)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, source)
	{
		const struct schema_keyword *keyword = schema_keywords;
		while (keyword->name && strcmp(keyword->name, item->string) != 0) {
			keyword++;
		}
		if (keyword->refused) {
			return refuse(compiler, at, "'%s' is not supported: %s", keyword->name,
				keyword->refused);
		}
		if (keyword->name || strncmp(item->string, "x-", 2) == 0) {
			continue;
		}
		const char *names[128];
		size_t count = 0;
		for (keyword = schema_keywords; keyword->name; keyword++) {
			names[count++] = keyword->name;
		}
		const char *nearest = text_nearest(text_of(item->string), names, count);
		refuse(compiler, at, "'%s' is no keyword of JSON Schema 2020-12", item->string);
		return nearest
			? error_hint(compiler->error, "did you mean '%s'?", nearest)
			: error_hint(compiler->error, "leave it out, or begin its name with 'x-'");
	}
	return true;
}

static bool add_entry(struct compiler *compiler, const struct at *at, struct schema_node *node,
	const struct schema_keyword *keyword, const cJSON *value)
{
	struct at here = {.above = at, .name = keyword->name};
	struct schema_entry *entry = &node->entries[node->count++];
	const char *wanted = unfit(keyword->value, value);
	*entry = (struct schema_entry){.keyword = keyword, .value = value};
	if (strcmp(keyword->name, "items") == 0 && cJSON_IsArray(value)) {
		return refuse(compiler, &here,
			"an array of schemas is called 'prefixItems' in draft 2020-12");
	}
	if (wanted) {
		return refuse(compiler, &here, "it has to be %s", wanted);
	}
	bool patterns = keyword->value == VALUE_PATTERN || keyword->value == VALUE_PATTERN_MAP;
	return (!patterns || add_patterns(compiler, &here, entry)) &&
		(keyword->nesting == NEST_NONE ||
			add_nested(compiler, &here, entry, node->resource));
}

static void add_anchor(
	struct json_schema *schema, struct schema_node *node, const char *name, bool dynamic)
{
	schema->anchors = memory_resize(
		schema->anchors, (schema->anchor_count + 1) * sizeof(*schema->anchors));
	schema->anchors[schema->anchor_count++] =
		(struct schema_anchor){node->resource, name, node, dynamic};
}

static bool add_identity(struct compiler *compiler, const struct at *at, struct schema_node *node)
{
	struct json_schema *schema = compiler->schema;
	const cJSON *source = node->source;
	const char *id = json_string(source, "$id", NULL), *fragment;
	if (id) {
		const char *uri = schema_uri_resolve(
			&schema->arena, node->resource ? node->resource->uri : "", id, &fragment);
		if (fragment[0]) {
			return refuse(compiler, at, "an '$id' has no fragment; use '$anchor'");
		}
		node->resource = add_resource(schema, uri, node);
	} else if (!node->resource) {
		node->resource = add_resource(schema, "", node);
	}
	const char *anchor = json_string(source, "$anchor", NULL);
	const char *dynamic = json_string(source, "$dynamicAnchor", NULL);
	if (anchor) {
		add_anchor(schema, node, anchor, false);
	}
	if (dynamic) {
		add_anchor(schema, node, dynamic, true);
	}
	return true;
}

// Recursion ends: json_parse() bounds the depth.
static struct schema_node *add_node(struct compiler *compiler, const struct at *at,
	const cJSON *source, const struct schema_resource *resource)
{
	struct json_schema *schema = compiler->schema;
	struct schema_node *node = arena_new(&schema->arena, struct schema_node);
	if (schema->node_count == schema->node_capacity) {
		schema->node_capacity = schema->node_capacity * 2 + 64;
		schema->nodes = memory_resize(
			schema->nodes, schema->node_capacity * sizeof(struct schema_node *));
	}
	schema->nodes[schema->node_count++] = node;
	node->source = source;
	node->resource = resource;
	if (!is_schema(source)) {
		refuse(compiler, at, "a schema is an object, true or false");
		return NULL;
	}
	if (!add_identity(compiler, at, node) || !check_names(compiler, at, source)) {
		return NULL;
	}
	node->entries = arena_new_array(
		&schema->arena, (size_t)cJSON_GetArraySize(source), struct schema_entry);
	for (const struct schema_keyword *row = schema_keywords; row->name; row++) {
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(source, row->name);
		if (value && !add_entry(compiler, at, node, row, value)) {
			return NULL;
		}
	}
	node->looks_at_rest = schema_entry_of(node, "unevaluatedItems") ||
		schema_entry_of(node, "unevaluatedProperties");
	return node;
}

// --- References ---

static int by_source(const void *left, const void *right)
{
	const struct schema_node *const *a = left, *const *b = right;
	uintptr_t x = (uintptr_t)(*a)->source, y = (uintptr_t)(*b)->source;
	return (x > y) - (x < y);
}

static struct schema_node *node_of(const struct json_schema *schema, const cJSON *source)
{
	struct schema_node wanted = {.source = source}, *key = &wanted;
	struct schema_node **found = bsearch(
		&key, schema->nodes, schema->node_count, sizeof(struct schema_node *), by_source);
	return found ? *found : NULL;
}

static const struct schema_anchor *anchor_of(
	const struct json_schema *schema, const struct schema_resource *resource, const char *name)
{
	for (size_t i = 0; i < schema->anchor_count; i++) {
		const struct schema_anchor *anchor = &schema->anchors[i];
		if (anchor->resource == resource && strcmp(anchor->name, name) == 0) {
			return anchor;
		}
	}
	return NULL;
}

// What a reference leads to; *anchor is the one that it names, or NULL.
static struct schema_node *follow(struct json_schema *schema, const struct schema_node *node,
	const char *reference, const struct schema_anchor **anchor)
{
	const char *fragment;
	const char *uri =
		schema_uri_resolve(&schema->arena, node->resource->uri, reference, &fragment);
	const struct schema_resource *resource = NULL;
	*anchor = NULL;
	for (size_t i = 0; i < schema->resource_count && !resource; i++) {
		resource =
			strcmp(schema->resources[i]->uri, uri) == 0 ? schema->resources[i] : NULL;
	}
	if (!resource) {
		return NULL;
	}
	if (fragment[0] == '\0' || fragment[0] == '/') {
		const cJSON *place = json_at(resource->root->source, text_of(fragment));
		return place ? node_of(schema, place) : NULL;
	}
	*anchor = anchor_of(schema, resource, fragment);
	return *anchor ? (*anchor)->node : NULL;
}

static bool resolve(struct compiler *compiler, struct schema_node *node)
{
	struct json_schema *schema = compiler->schema;
	const char *reference = json_string(node->source, "$ref", NULL);
	const char *dynamic = json_string(node->source, "$dynamicRef", NULL);
	const struct schema_anchor *anchor;
	const struct at nowhere = {0};
	if (reference) {
		node->target = follow(schema, node, reference, &anchor);
	}
	if (dynamic) {
		node->dynamic = follow(schema, node, dynamic, &anchor);
		node->dynamic_name =
			node->dynamic && anchor && anchor->dynamic ? anchor->name : NULL;
	}
	if ((reference && !node->target) || (dynamic && !node->dynamic)) {
		const char *lost = reference && !node->target ? reference : dynamic;
		refuse(compiler, &nowhere, "'%s' leads to no schema in this file", lost);
		return error_hint(compiler->error,
			"what a schema refers to has to lie in the same file; nothing is fetched");
	}
	return true;
}

struct json_schema *json_schema_compile(struct text source, struct error *error)
{
	struct json_schema *schema = memory_alloc(sizeof(*schema));
	struct compiler compiler = {schema, error};
	const struct at root = {0};
	schema->tree = json_parse(source, error);
	schema->root = schema->tree ? add_node(&compiler, &root, schema->tree, NULL) : NULL;
	bool good = schema->root != NULL;
	if (good) {
		qsort(schema->nodes, schema->node_count, sizeof(struct schema_node *), by_source);
	}
	for (size_t i = 0; good && i < schema->node_count; i++) {
		good = resolve(&compiler, schema->nodes[i]);
	}
	if (!good) {
		json_schema_destroy(schema);
		return NULL;
	}
	return schema;
}

void json_schema_destroy(struct json_schema *schema)
{
	if (!schema) {
		return;
	}
	for (size_t i = 0; i < schema->pattern_count; i++) {
		pattern_destroy(schema->patterns[i]);
	}
	free(schema->patterns);
	free(schema->anchors);
	free(schema->resources);
	free(schema->nodes);
	cJSON_Delete(schema->tree);
	arena_finish(&schema->arena);
	free(schema);
}
