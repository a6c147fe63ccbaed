#include "base/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

struct pattern {
	pcre2_code *code;
};

struct pattern *pattern_compile(struct text source, struct error *error)
{
	int code = 0;
	PCRE2_SIZE offset = 0;
	if (source.length > PATTERN_LIMIT) {
		error_set(error, ERROR_USAGE, "the pattern is longer than %d bytes", PATTERN_LIMIT);
		return NULL;
	}
	pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)(source.data ? source.data : ""),
		source.length, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &code,
		&offset, NULL);
	if (!compiled) {
		PCRE2_UCHAR message[160] = {0};
		pcre2_get_error_message(code, message, sizeof(message));
		error_set(error, ERROR_USAGE, "the pattern does not compile: %s (at offset %zu)",
			(const char *)message, offset);
		return NULL;
	}
	struct pattern *pattern = memory_alloc(sizeof(*pattern));
	pattern->code = compiled;
	return pattern;
}

void pattern_destroy(struct pattern *pattern)
{
	if (pattern) {
		pcre2_code_free(pattern->code);
		free(pattern);
	}
}

enum pattern_result pattern_search(
	const struct pattern *pattern, struct text text, size_t *start, size_t *end)
{
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	pcre2_match_data *match = pcre2_match_data_create(1, NULL);
	enum pattern_result result = PATTERN_TOO_COSTLY;
	if (limits && match) {
		pcre2_set_match_limit(limits, PATTERN_STEPS);
		pcre2_set_depth_limit(limits, PATTERN_DEPTH);
		int count = pcre2_match(pattern->code, (PCRE2_SPTR)(text.data ? text.data : ""),
			text.length, 0, 0, match, limits);
		result = count >= 0                    ? PATTERN_MATCH
			: count == PCRE2_ERROR_NOMATCH ? PATTERN_MISS
						       : PATTERN_TOO_COSTLY;
	}
	if (result == PATTERN_MATCH) {
		const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(match);
		if (start) {
			*start = offsets[0];
		}
		if (end) {
			*end = offsets[1];
		}
	}
	pcre2_match_data_free(match);
	pcre2_match_context_free(limits);
	return result;
}
