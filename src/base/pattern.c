#include "base/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <time.h>

// PCRE2 counts steps anew for each place where a match could start, so a long text could cost its
// length times PATTERN_STEPS. It is searched in windows of starts, and the time is looked at between.
enum { FIRST_WINDOW = 64, FAST = 2, SLOW = 20 /* milliseconds for one window */ };

struct pattern {
	pcre2_code *code;
	bool at_once; // "\\G" means where the search began: no windows
};

static struct pattern *compile(struct text source, uint32_t options, struct error *error)
{
	int code = 0;
	PCRE2_SIZE offset = 0;
	if (source.length > PATTERN_LIMIT) {
		error_set(error, ERROR_USAGE, "the pattern is longer than %d bytes", PATTERN_LIMIT);
		return NULL;
	}
	pcre2_code *compiled =
		pcre2_compile((PCRE2_SPTR)(source.data ? source.data : ""), source.length,
			PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
				PCRE2_USE_OFFSET_LIMIT | options,
			&code, &offset, NULL);
	if (!compiled) {
		PCRE2_UCHAR message[160] = {0};
		pcre2_get_error_message(code, message, sizeof(message));
		error_set(error, ERROR_USAGE, "the pattern does not compile: %s (at offset %zu)",
			(const char *)message, offset);
		return NULL;
	}
	struct pattern *pattern = memory_alloc(sizeof(*pattern));
	pattern->code = compiled;
	pattern->at_once = text_find(source, TEXT("\\G")) < source.length;
	return pattern;
}

struct pattern *pattern_compile(struct text source, struct error *error)
{
	return compile(source, 0, error);
}

struct pattern *pattern_compile_ecma(struct text source, struct error *error)
{
	return compile(source,
		PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF |
			PCRE2_ALLOW_EMPTY_CLASS,
		error);
}

void pattern_destroy(struct pattern *pattern)
{
	if (pattern) {
		pcre2_code_free(pattern->code);
		free(pattern);
	}
}

// Of this thread: another one's work does not make a match too costly.
static int64_t milliseconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static size_t next_window(size_t window, int64_t taken)
{
	return taken < FAST && window < SIZE_MAX / 8 ? window * 8
		: taken > SLOW && window > 1         ? window / 2
						     : window;
}

// The first character at or behind the offset; bytes that continue one are no starts.
static size_t character_start(struct text text, size_t offset)
{
	enum { CONTINUES = 0x80, CONTINUES_MASK = 0xc0 };
	while (offset < text.length &&
		((unsigned char)text.data[offset] & CONTINUES_MASK) == CONTINUES) {
		offset++;
	}
	return offset;
}

static int search(const struct pattern *pattern, struct text text, pcre2_match_data *match,
	pcre2_match_context *limits)
{
	PCRE2_SPTR data = (PCRE2_SPTR)(text.data ? text.data : "");
	int64_t start = milliseconds(), before = start;
	size_t window = FIRST_WINDOW, at = 0;
	while (true) {
		bool last = pattern->at_once || window >= text.length - at;
		size_t limit = last ? text.length : character_start(text, at + window - 1);
		pcre2_set_offset_limit(limits, limit);
		int count = pcre2_match(pattern->code, data, text.length, at, 0, match, limits);
		if (count != PCRE2_ERROR_NOMATCH || limit == text.length) {
			return count;
		}
		int64_t now = milliseconds();
		if (now - start > PATTERN_TIME) {
			return PCRE2_ERROR_MATCHLIMIT;
		}
		window = next_window(window, now - before);
		before = now;
		at = character_start(text, limit + 1);
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
		int count = search(pattern, text, match, limits);
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
