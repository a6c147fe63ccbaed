/*
 * JSON Schema, draft 2020-12 (https://json-schema.org/draft/2020-12), for documents from outside. A
 * schema is one file: references lead to places in it, nothing is ever fetched. All keywords of
 * the draft's vocabularies are known; `format`, `contentEncoding` and `contentMediaType` are
 * annotations there and check nothing. What is no keyword is refused, because a schema with a
 * misspelled one would ask for less than it seems to; so are the keywords of older drafts.
 *
 * Checking is bounded: what takes more than JSON_SCHEMA_STEPS steps, JSON_SCHEMA_TIME or
 * JSON_SCHEMA_DEPTH is neither fit nor unfit but too costly. A schema may be used by several threads
 * at once.
 */
#pragma once

#include "base/json.h"

enum {
	JSON_SCHEMA_STEPS = 20000000,
	JSON_SCHEMA_TIME = 5000, // milliseconds
	JSON_SCHEMA_DEPTH = 400, // schemas inside each other, references among them
	JSON_SCHEMA_FAILURES = 20,
};

struct json_schema;

// NULL with a message that begins with the JSON pointer of the place in the schema.
struct json_schema *json_schema_compile(struct text source, struct error *error);
void json_schema_destroy(struct json_schema *schema); // NULL is fine

// What does not fit, and where. Texts are phrases: "a string", "a number".
struct json_schema_failure {
	const char *pointer; // in the document
	const char *wanted, *found;
};

enum json_schema_result { JSON_SCHEMA_FITS, JSON_SCHEMA_UNFIT, JSON_SCHEMA_TOO_COSTLY };

// Failures, at most JSON_SCHEMA_FAILURES, are in the arena.
enum json_schema_result json_schema_check(const struct json_schema *schema, const cJSON *document,
	struct arena *arena, struct json_schema_failure **failures, size_t *count);
