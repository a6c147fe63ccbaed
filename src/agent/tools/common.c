#include "agent/tools/common.h"

#include <stdio.h>
#include <string.h>

#include "base/path.h"

static const char replacement[] = "\xef\xbf\xbd"; // U+FFFD

bool tool_path(struct arena *arena, struct text path, struct text *clean, struct error *error)
{
	if (!path_clean(arena, path, clean, error)) {
		return error_hint(error,
			"Only files inside the workspace can be used; give the path from the "
			"workspace's root, like 'docs/plan.md'.");
	}
	return true;
}

void tool_add_text(struct buffer *buffer, struct text text)
{
	while (text.length) {
		const char *zero = memchr(text.data, '\0', text.length);
		size_t length = zero ? (size_t)(zero - text.data) : text.length;
		buffer_add_utf8(buffer, (struct text){text.data, length});
		if (zero) {
			buffer_add_string(buffer, replacement);
			length++;
		}
		text.data += length;
		text.length -= length;
	}
}

void tool_answer(struct tool_result *result, struct arena *arena, struct text output)
{
	buffer_cleanup clean = {0};
	tool_add_text(&clean, output);
	result->output = text_copy(arena, buffer_text(&clean));
}

void tool_fail(struct tool_result *result, struct arena *arena, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	tool_answer(result, arena, text_of(arena_vprintf(arena, format, arguments)));
	va_end(arguments);
	result->failed = true;
}

void tool_fail_error(struct tool_result *result, struct arena *arena, const struct error *error)
{
	if (error->hint[0]) {
		tool_fail(result, arena, "%s. %s", error->message, error->hint);
	} else {
		tool_fail(result, arena, "%s", error->message);
	}
}

void tool_expect_paths(struct tool_result *result, struct arena *arena, size_t room)
{
	result->written = arena_new_array(arena, room, struct text);
}

void tool_wrote(struct tool_result *result, struct text path)
{
	result->written[result->written_count++] = path;
}

static int64_t tokens_of(int64_t bytes)
{
	return (bytes + 3) / 4;
}

// The longest suffix of at most `limit` bytes that starts with a whole character.
static struct text tail_of(struct text text, size_t limit)
{
	size_t skipped = text.length > limit ? text.length - limit : 0;
	while (skipped < text.length && ((unsigned char)text.data[skipped] & 0xc0) == 0x80) {
		skipped++;
	}
	return (struct text){text.data + skipped, text.length - skipped};
}

int64_t tool_truncate(
	struct buffer *buffer, struct text text, int64_t bytes, int64_t lines, size_t budget)
{
	if (bytes <= (int64_t)budget && text.length <= budget) {
		buffer_add_text(buffer, text);
		return 0;
	}
	static const char marker_format[] = "\u2026%lld tokens truncated\u2026";
	long long tokens = tokens_of(bytes);
	char marker[64], prefix[64];
	snprintf(marker, sizeof(marker), marker_format, tokens);
	snprintf(prefix, sizeof(prefix), "Total output lines: %lld\n\n", (long long)lines);
	if (strlen(prefix) + strlen(marker) > budget) {
		prefix[0] = '\0';
	}
	if (strlen(marker) > budget) {
		buffer_add_text(buffer, text_cut(text_of(marker), budget));
		return tokens;
	}
	size_t room = budget - strlen(prefix) - strlen(marker);
	struct text head = text_cut(text, room / 2), tail = tail_of(text, room - room / 2);
	int64_t kept = (int64_t)(head.length + tail.length);
	snprintf(marker, sizeof(marker), marker_format, (long long)tokens_of(bytes - kept));
	buffer_add_string(buffer, prefix);
	buffer_add_text(buffer, head);
	buffer_add_string(buffer, marker);
	buffer_add_text(buffer, tail);
	return tokens;
}
