/* Checking a document: each schema's keywords in the order of their table, within bounds. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json_schema_evaluation.h"

static int64_t milliseconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

bool evaluation_step(struct evaluation *evaluation, int64_t steps)
{
	enum { LOOKS = 1 << 14 }; // steps between two looks at the clock
	int64_t before = evaluation->steps / LOOKS;
	evaluation->steps += steps;
	if (evaluation->steps > JSON_SCHEMA_STEPS ||
		(evaluation->steps / LOOKS != before && milliseconds() > evaluation->deadline)) {
		evaluation->costly = true;
	}
	return !evaluation->costly;
}

bool evaluation_matches(
	struct evaluation *evaluation, const struct pattern *pattern, struct text text)
{
	enum pattern_result result = pattern_search(pattern, text, NULL, NULL);
	if (result == PATTERN_TOO_COSTLY || milliseconds() > evaluation->deadline) {
		evaluation->costly = true;
	}
	return result == PATTERN_MATCH;
}

static void add_place(struct buffer *text, const struct document_place *place)
{
	if (!place) {
		return;
	}
	add_place(text, place->above);
	buffer_add_char(text, '/');
	if (!place->name) {
		buffer_printf(text, "%zu", place->index);
		return;
	}
	for (const char *byte = place->name; *byte; byte++) {
		if (*byte == '~' || *byte == '/') {
			buffer_add_string(text, *byte == '~' ? "~0" : "~1");
		} else {
			buffer_add_char(text, *byte);
		}
	}
}

bool evaluation_fails(struct evaluation *evaluation, const char *found, const char *format, ...)
{
	if (evaluation->quiet || evaluation->costly ||
		evaluation->failure_count == JSON_SCHEMA_FAILURES) {
		return false;
	}
	buffer_cleanup pointer = {0};
	va_list arguments;
	add_place(&pointer, evaluation->place);
	struct json_schema_failure *failure = &evaluation->failures[evaluation->failure_count++];
	failure->pointer = arena_string(evaluation->arena, pointer.data ? pointer.data : "");
	failure->found = arena_string(evaluation->arena, found);
	va_start(arguments, format);
	failure->wanted = arena_vprintf(evaluation->arena, format, arguments);
	va_end(arguments);
	return false;
}

static size_t child_count(const cJSON *document)
{
	bool has = cJSON_IsArray(document) || cJSON_IsObject(document);
	return has ? (size_t)cJSON_GetArraySize(document) : 0;
}

bool evaluation_fits_beside(struct evaluation *evaluation, const struct schema_node *node,
	const cJSON *document, bool *marks)
{
	size_t count = marks ? child_count(document) : 0;
	bool *own = marks ? memory_alloc(count + 1) : NULL;
	bool fits = evaluation_fits(evaluation, node, document, own);
	for (size_t i = 0; fits && i < count; i++) {
		marks[i] = marks[i] || own[i];
	}
	free(own);
	return fits;
}

bool evaluation_fits_quietly(struct evaluation *evaluation, const struct schema_node *node,
	const cJSON *document, bool *marks)
{
	evaluation->quiet++;
	bool fits = evaluation_fits_beside(evaluation, node, document, marks);
	evaluation->quiet--;
	return fits;
}

bool evaluation_fits_below(struct evaluation *evaluation, const struct schema_node *node,
	const cJSON *child, size_t index)
{
	struct document_place place = {evaluation->place, child->string, index};
	evaluation->place = &place;
	bool fits = evaluation_fits(evaluation, node, child, NULL);
	evaluation->place = place.above;
	return fits;
}

static bool check_entries(struct evaluation *evaluation, const struct schema_node *node,
	const cJSON *document, bool *marks)
{
	bool fits = true;
	for (size_t i = 0; i < node->count && !evaluation->costly; i++) {
		const struct schema_entry *entry = &node->entries[i];
		if (!entry->keyword->check) {
			continue;
		}
		fits = entry->keyword->check(evaluation, node, entry, document, marks) && fits;
		if (!fits && evaluation->quiet) {
			break; // nobody wants to know what else does not fit
		}
	}
	return fits && !evaluation->costly;
}

bool evaluation_fits(struct evaluation *evaluation, const struct schema_node *node,
	const cJSON *document, bool *marks)
{
	if (!evaluation_step(evaluation, 1) || evaluation->depth == JSON_SCHEMA_DEPTH) {
		evaluation->costly = true;
		return false;
	}
	if (cJSON_IsBool(node->source)) {
		return cJSON_IsTrue(node->source) ||
			evaluation_fails(evaluation, "one", "no value at all");
	}
	bool *own = NULL;
	if (node->looks_at_rest && !marks) {
		marks = own = memory_alloc(child_count(document) + 1);
	}
	struct dynamic_scope scope = {evaluation->scope, node->resource};
	bool enters = !evaluation->scope || evaluation->scope->resource != node->resource;
	evaluation->scope = enters ? &scope : evaluation->scope;
	evaluation->depth++;
	bool fits = check_entries(evaluation, node, document, marks);
	evaluation->depth--;
	evaluation->scope = enters ? scope.outer : evaluation->scope;
	free(own);
	return fits;
}

enum json_schema_result json_schema_check(const struct json_schema *schema, const cJSON *document,
	struct arena *arena, struct json_schema_failure **failures, size_t *count)
{
	struct evaluation evaluation = {.schema = schema,
		.arena = arena,
		.failures =
			arena_new_array(arena, JSON_SCHEMA_FAILURES, struct json_schema_failure),
		.deadline = milliseconds() + JSON_SCHEMA_TIME};
	bool fits = evaluation_fits(&evaluation, schema->root, document, NULL);
	*failures = evaluation.failures;
	*count = evaluation.costly ? 0 : evaluation.failure_count;
	return evaluation.costly ? JSON_SCHEMA_TOO_COSTLY
		: fits           ? JSON_SCHEMA_FITS
				 : JSON_SCHEMA_UNFIT;
}
