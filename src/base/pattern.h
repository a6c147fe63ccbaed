/*
 * Regular expressions (PCRE2, UTF-8) with limits that make hostile patterns and hostile texts end:
 * a match that needs more than PATTERN_STEPS steps or more than PATTERN_DEPTH levels is neither a
 * match nor a miss but PATTERN_TOO_COSTLY. A pattern may be used by several threads at once.
 */
#pragma once

#include "base/error.h"
#include "base/text.h"

enum {
	PATTERN_STEPS = 1000000,
	PATTERN_DEPTH = 1000,
	PATTERN_TIME = 5000,
	PATTERN_LIMIT = 8192, // bytes
};

enum pattern_result {
	PATTERN_MISS,
	PATTERN_MATCH,
	PATTERN_TOO_COSTLY,
};

struct pattern;

// NULL with a message that says what is wrong at which offset; patterns are at most PATTERN_LIMIT
// bytes long.
struct pattern *pattern_compile(struct text source, struct error *error);
// The same for the patterns of JSON Schema, which are those of JavaScript (ECMA-262) as far as they are
// written alike: "$" is the very end, "\\u0041" a character.
struct pattern *pattern_compile_ecma(struct text source, struct error *error);
void pattern_destroy(struct pattern *pattern); // NULL is fine
// Searches the text; bytes that are not UTF-8 never match. *start and *end (may be NULL) are the
// byte offsets of the first match.
enum pattern_result pattern_search(
	const struct pattern *pattern, struct text text, size_t *start, size_t *end);
