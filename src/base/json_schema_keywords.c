/* The table of keywords, and those that apply schemas to a value, its members and its items. */
#include <stdio.h>
#include <string.h>

#include "base/json_schema_evaluation.h"

// --- To the same value ---

static bool check_reference(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	(void)entry;
	return evaluation_fits_beside(evaluation, node->target, document, marks);
}

// The outermost resource on the way here that has the dynamic anchor decides.
static const struct schema_node *dynamic_target(
	const struct evaluation *evaluation, const struct schema_node *node)
{
	const struct json_schema *schema = evaluation->schema;
	const struct schema_node *target = node->dynamic;
	for (const struct dynamic_scope *at = evaluation->scope; node->dynamic_name && at;
		at = at->outer) {
		for (size_t i = 0; i < schema->anchor_count; i++) {
			const struct schema_anchor *anchor = &schema->anchors[i];
			if (anchor->dynamic && anchor->resource == at->resource &&
				strcmp(anchor->name, node->dynamic_name) == 0) {
				target = anchor->node;
			}
		}
	}
	return target;
}

static bool check_dynamic_reference(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	(void)entry;
	return evaluation_fits_beside(
		evaluation, dynamic_target(evaluation, node), document, marks);
}

static bool check_all(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	bool fits = true;
	(void)node;
	for (size_t i = 0; i < entry->count; i++) {
		fits = evaluation_fits_beside(evaluation, entry->nodes[i], document, marks) && fits;
	}
	return fits;
}

// How many of the schemas fit; `enough` of them end the counting, if nobody wants the marks.
static size_t count_fits(struct evaluation *evaluation, const struct schema_entry *entry,
	const cJSON *document, bool *marks, size_t enough)
{
	size_t count = 0;
	for (size_t i = 0; i < entry->count && (marks || count < enough); i++) {
		count += evaluation_fits_quietly(evaluation, entry->nodes[i], document, marks);
	}
	return count;
}

static bool check_any(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	(void)node;
	return count_fits(evaluation, entry, document, marks, 1) > 0 ||
		evaluation_fails(evaluation, "a value that fits none",
			"a value that fits one of %zu alternatives", entry->count);
}

static bool check_one(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	(void)node;
	size_t count = count_fits(evaluation, entry, document, marks, 2);
	return count == 1 ||
		evaluation_fails(evaluation,
			count ? "a value that fits several" : "a value that fits none",
			"a value that fits exactly one of %zu alternatives", entry->count);
}

static bool check_not(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	(void)node;
	(void)marks;
	return !evaluation_fits_quietly(evaluation, entry->nodes[0], document, NULL) ||
		evaluation_fails(evaluation, "one that does", "a value that does not fit a schema");
}

static bool check_if(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	bool fits = evaluation_fits_quietly(evaluation, entry->nodes[0], document, marks);
	const struct schema_entry *next = schema_entry_of(node, fits ? "then" : "else");
	return !next || evaluation_fits_beside(evaluation, next->nodes[0], document, marks);
}

static bool check_dependent_schemas(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	const cJSON *item = entry->value->child;
	bool fits = true;
	(void)node;
	for (size_t i = 0; cJSON_IsObject(document) && i < entry->count; i++, item = item->next) {
		if (cJSON_GetObjectItemCaseSensitive(document, item->string)) {
			fits = evaluation_fits_beside(
				       evaluation, entry->nodes[i], document, marks) &&
				fits;
		}
	}
	return fits;
}

// --- To items ---

static void mark(bool *marks, size_t index)
{
	if (marks) {
		marks[index] = true;
	}
}

static bool check_prefix_items(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	const cJSON *item = cJSON_IsArray(document) ? document->child : NULL;
	bool fits = true;
	(void)node;
	for (size_t i = 0; item && i < entry->count; i++, item = item->next) {
		fits = evaluation_fits_below(evaluation, entry->nodes[i], item, i) && fits;
		mark(marks, i);
	}
	return fits;
}

static bool check_items(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	const struct schema_entry *prefix = schema_entry_of(node, "prefixItems");
	const cJSON *item = cJSON_IsArray(document) ? document->child : NULL;
	bool fits = true;
	for (size_t i = 0; item && !evaluation->costly; i++, item = item->next) {
		if (prefix && i < prefix->count) {
			continue;
		}
		fits = evaluation_fits_below(evaluation, entry->nodes[0], item, i) && fits;
		mark(marks, i);
	}
	return fits;
}

static double limit_of(const struct schema_node *node, const char *name, double otherwise)
{
	const struct schema_entry *entry = schema_entry_of(node, name);
	return entry ? entry->value->valuedouble : otherwise;
}

static bool check_contains(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	double least = limit_of(node, "minContains", 1), most = limit_of(node, "maxContains", -1);
	const cJSON *item = cJSON_IsArray(document) ? document->child : NULL;
	size_t count = 0;
	char found[64];
	for (size_t i = 0; item && !evaluation->costly; i++, item = item->next) {
		if (evaluation_fits_quietly(evaluation, entry->nodes[0], item, NULL)) {
			count++;
			mark(marks, i);
		}
	}
	if (!cJSON_IsArray(document) ||
		((double)count >= least && (most < 0 || (double)count <= most))) {
		return true;
	}
	bool few = (double)count < least;
	snprintf(found, sizeof(found), "%zu that %s", count, count == 1 ? "does" : "do");
	return evaluation_fails(evaluation, found, "at %s %.0f item%s that fit a schema",
		few ? "least" : "most", few ? least : most, (few ? least : most) > 1 ? "s" : "");
}

static bool check_rest_of_items(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	const cJSON *item = cJSON_IsArray(document) ? document->child : NULL;
	bool fits = true;
	(void)node;
	for (size_t i = 0; item && !evaluation->costly; i++, item = item->next) {
		if (!marks[i]) {
			fits = evaluation_fits_below(evaluation, entry->nodes[0], item, i) && fits;
			marks[i] = true;
		}
	}
	return fits;
}

// --- To members ---

// The member's schema under `properties`, or NULL.
static const struct schema_node *property_of(const struct schema_entry *entry, const char *name)
{
	const cJSON *item = entry ? entry->value->child : NULL;
	for (size_t i = 0; item; i++, item = item->next) {
		if (strcmp(item->string, name) == 0) {
			return entry->nodes[i];
		}
	}
	return NULL;
}

static const cJSON *first_member(const cJSON *document)
{
	return cJSON_IsObject(document) ? document->child : NULL;
}

static bool check_properties(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	const cJSON *member = first_member(document);
	bool fits = true;
	(void)node;
	for (size_t i = 0; member && !evaluation->costly; i++, member = member->next) {
		evaluation_step(evaluation, (int64_t)entry->count / 16 + 1);
		const struct schema_node *schema = property_of(entry, member->string);
		if (schema) {
			fits = evaluation_fits_below(evaluation, schema, member, i) && fits;
			mark(marks, i);
		}
	}
	return fits;
}

static bool check_pattern_properties(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	const cJSON *member = first_member(document);
	bool fits = true;
	(void)node;
	for (size_t i = 0; member && !evaluation->costly; i++, member = member->next) {
		for (size_t j = 0; j < entry->count && !evaluation->costly; j++) {
			if (evaluation_matches(
				    evaluation, entry->patterns[j], text_of(member->string))) {
				fits = evaluation_fits_below(
					       evaluation, entry->nodes[j], member, i) &&
					fits;
				mark(marks, i);
			}
		}
	}
	return fits;
}

static bool is_additional(
	struct evaluation *evaluation, const struct schema_node *node, const char *name)
{
	const struct schema_entry *patterns = schema_entry_of(node, "patternProperties");
	if (property_of(schema_entry_of(node, "properties"), name)) {
		return false;
	}
	for (size_t i = 0; patterns && i < patterns->count; i++) {
		if (evaluation_matches(evaluation, patterns->patterns[i], text_of(name))) {
			return false;
		}
	}
	return true;
}

// A member that may not be there is told as such.
static bool check_extra(struct evaluation *evaluation, const struct schema_node *schema,
	const cJSON *member, size_t index)
{
	if (!cJSON_IsFalse(schema->source)) {
		return evaluation_fits_below(evaluation, schema, member, index);
	}
	struct document_place place = {evaluation->place, member->string, index};
	evaluation->place = &place;
	evaluation_fails(evaluation, "one", "no member of this name");
	evaluation->place = place.above;
	return false;
}

static bool check_additional(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	const cJSON *member = first_member(document);
	bool fits = true;
	for (size_t i = 0; member && !evaluation->costly; i++, member = member->next) {
		evaluation_step(evaluation, 1);
		if (is_additional(evaluation, node, member->string)) {
			fits = check_extra(evaluation, entry->nodes[0], member, i) && fits;
			mark(marks, i);
		}
	}
	return fits;
}

static bool check_names(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	const cJSON *member = first_member(document);
	bool fits = true;
	(void)node;
	(void)marks;
	for (size_t i = 0; member && !evaluation->costly; i++, member = member->next) {
		cJSON name = {.type = cJSON_String, .valuestring = member->string};
		struct document_place place = {evaluation->place, member->string, i};
		if (evaluation_fits_quietly(evaluation, entry->nodes[0], &name, NULL)) {
			continue;
		}
		evaluation->place = &place;
		fits = evaluation_fails(
			evaluation, "another one", "a name that fits the schema of names");
		evaluation->place = place.above;
	}
	return fits;
}

static bool check_rest_of_members(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	const cJSON *member = first_member(document);
	bool fits = true;
	(void)node;
	for (size_t i = 0; member && !evaluation->costly; i++, member = member->next) {
		if (!marks[i]) {
			fits = check_extra(evaluation, entry->nodes[0], member, i) && fits;
			marks[i] = true;
		}
	}
	return fits;
}

#define ANNOTATION(name, value)                                                                    \
	{                                                                                          \
		name, value, NEST_NONE, NULL, NULL                                                 \
	}
#define ASSERTION(name, value, check)                                                              \
	{                                                                                          \
		name, value, NEST_NONE, check, NULL                                                \
	}
#define REFUSED(name, reason)                                                                      \
	{                                                                                          \
		name, VALUE_ANY, NEST_NONE, NULL, reason                                           \
	}

const struct schema_keyword schema_keywords[] = {
	ANNOTATION("$schema", VALUE_DIALECT),
	ANNOTATION("$id", VALUE_STRING),
	ANNOTATION("$anchor", VALUE_STRING),
	ANNOTATION("$dynamicAnchor", VALUE_STRING),
	ANNOTATION("$comment", VALUE_STRING),
	{"$defs", VALUE_SCHEMA_MAP, NEST_MAP, NULL, NULL},
	{"definitions", VALUE_SCHEMA_MAP, NEST_MAP, NULL, NULL},
	ANNOTATION("title", VALUE_STRING),
	ANNOTATION("description", VALUE_STRING),
	ANNOTATION("default", VALUE_ANY),
	ANNOTATION("examples", VALUE_ARRAY),
	ANNOTATION("deprecated", VALUE_BOOLEAN),
	ANNOTATION("readOnly", VALUE_BOOLEAN),
	ANNOTATION("writeOnly", VALUE_BOOLEAN),
	ANNOTATION("format", VALUE_STRING),
	ANNOTATION("contentEncoding", VALUE_STRING),
	ANNOTATION("contentMediaType", VALUE_STRING),
	{"contentSchema", VALUE_SCHEMA, NEST_ONE, NULL, NULL},
	ASSERTION("type", VALUE_TYPES, check_type),
	ASSERTION("enum", VALUE_ARRAY, check_enum),
	ASSERTION("const", VALUE_ANY, check_const),
	ASSERTION("multipleOf", VALUE_POSITIVE, check_multiple_of),
	ASSERTION("maximum", VALUE_NUMBER, check_range),
	ASSERTION("exclusiveMaximum", VALUE_NUMBER, check_range),
	ASSERTION("minimum", VALUE_NUMBER, check_range),
	ASSERTION("exclusiveMinimum", VALUE_NUMBER, check_range),
	ASSERTION("maxLength", VALUE_COUNT, check_text_length),
	ASSERTION("minLength", VALUE_COUNT, check_text_length),
	ASSERTION("pattern", VALUE_PATTERN, check_text_pattern),
	ASSERTION("maxItems", VALUE_COUNT, check_array_length),
	ASSERTION("minItems", VALUE_COUNT, check_array_length),
	ASSERTION("uniqueItems", VALUE_BOOLEAN, check_unique_items),
	ANNOTATION("maxContains", VALUE_COUNT), // said to `contains`
	ANNOTATION("minContains", VALUE_COUNT),
	ASSERTION("maxProperties", VALUE_COUNT, check_object_size),
	ASSERTION("minProperties", VALUE_COUNT, check_object_size),
	ASSERTION("required", VALUE_STRINGS, check_required),
	ASSERTION("dependentRequired", VALUE_STRING_LISTS, check_dependent_required),
	ASSERTION("$ref", VALUE_STRING, check_reference),
	ASSERTION("$dynamicRef", VALUE_STRING, check_dynamic_reference),
	{"allOf", VALUE_SCHEMAS, NEST_LIST, check_all, NULL},
	{"anyOf", VALUE_SCHEMAS, NEST_LIST, check_any, NULL},
	{"oneOf", VALUE_SCHEMAS, NEST_LIST, check_one, NULL},
	{"not", VALUE_SCHEMA, NEST_ONE, check_not, NULL},
	{"if", VALUE_SCHEMA, NEST_ONE, check_if, NULL},
	{"then", VALUE_SCHEMA, NEST_ONE, NULL, NULL}, // said to `if`
	{"else", VALUE_SCHEMA, NEST_ONE, NULL, NULL},
	{"dependentSchemas", VALUE_SCHEMA_MAP, NEST_MAP, check_dependent_schemas, NULL},
	{"prefixItems", VALUE_SCHEMAS, NEST_LIST, check_prefix_items, NULL},
	{"items", VALUE_SCHEMA, NEST_ONE, check_items, NULL},
	{"contains", VALUE_SCHEMA, NEST_ONE, check_contains, NULL},
	{"properties", VALUE_SCHEMA_MAP, NEST_MAP, check_properties, NULL},
	{"patternProperties", VALUE_PATTERN_MAP, NEST_MAP, check_pattern_properties, NULL},
	{"additionalProperties", VALUE_SCHEMA, NEST_ONE, check_additional, NULL},
	{"propertyNames", VALUE_SCHEMA, NEST_ONE, check_names, NULL},
	{"unevaluatedItems", VALUE_SCHEMA, NEST_ONE, check_rest_of_items, NULL},
	{"unevaluatedProperties", VALUE_SCHEMA, NEST_ONE, check_rest_of_members, NULL},
	REFUSED("$vocabulary", "leave it out; all vocabularies of the draft are known"),
	REFUSED("$recursiveRef", "use '$dynamicRef'"),
	REFUSED("$recursiveAnchor", "use '$dynamicAnchor'"),
	REFUSED("dependencies", "use 'dependentSchemas' or 'dependentRequired'"),
	REFUSED("additionalItems", "use 'items' beside 'prefixItems'"),
	{0},
};
