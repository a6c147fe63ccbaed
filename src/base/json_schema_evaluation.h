/* What the keywords share while a document is checked. Private to src/base/json_schema*.c. */
#pragma once

#include "base/json_schema_parts.h"

struct document_place {
	const struct document_place *above;
	const char *name; // NULL: `index`
	size_t index;
};

// The resources that were entered, for $dynamicRef.
struct dynamic_scope {
	const struct dynamic_scope *outer;
	const struct schema_resource *resource;
};

struct evaluation {
	const struct json_schema *schema;
	struct arena *arena; // for failures
	struct json_schema_failure *failures;
	size_t failure_count;
	const struct document_place *place;
	const struct dynamic_scope *scope;
	int64_t steps, deadline;
	int depth;
	int quiet; // above 0: only whether it fits, not why not
	bool costly;
};

// False: the bounds are reached.
bool evaluation_step(struct evaluation *evaluation, int64_t steps);
bool evaluation_matches(
	struct evaluation *evaluation, const struct pattern *pattern, struct text text);
// Notes what does not fit; always false.
bool evaluation_fails(struct evaluation *evaluation, const char *found, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// Does the document's value fit? `marks`: of its own children; what a schema that does not fit has
// marked does not count.
bool evaluation_fits(struct evaluation *evaluation, const struct schema_node *node,
	const cJSON *document, bool *marks);
// The same for one schema beside others, which may not fit.
bool evaluation_fits_beside(struct evaluation *evaluation, const struct schema_node *node,
	const cJSON *document, bool *marks);
// The same without saying why not.
bool evaluation_fits_quietly(struct evaluation *evaluation, const struct schema_node *node,
	const cJSON *document, bool *marks);
// A member or an item.
bool evaluation_fits_below(struct evaluation *evaluation, const struct schema_node *node,
	const cJSON *child, size_t index);

// --- json_schema_values.c ---

bool json_values_equal(struct evaluation *evaluation, const cJSON *a, const cJSON *b);
bool json_values_differ(struct evaluation *evaluation, const cJSON *array); // all, pairwise

typedef bool schema_check(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks);

// Those about a value by itself.
schema_check check_type, check_enum, check_const, check_multiple_of, check_range, check_text_length,
	check_text_pattern, check_array_length, check_unique_items, check_object_size,
	check_required, check_dependent_required;
