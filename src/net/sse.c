#include "net/sse.h"

#include <string.h>

void sse_finish(struct sse *sse)
{
	buffer_finish(&sse->line);
	buffer_finish(&sse->type);
	buffer_finish(&sse->content);
}

static bool dispatch(struct sse *sse, struct text data)
{
	struct sse_event event = {buffer_text(&sse->type), data};
	bool more = sse->event(sse->data, &event);
	buffer_clear(&sse->type);
	buffer_clear(&sse->content);
	sse->has_data = false;
	return more;
}

static bool is_field(struct text line, const char *name, size_t length, struct text *value)
{
	if (line.length < length || memcmp(line.data, name, length) != 0 ||
		(line.length > length && line.data[length] != ':')) {
		return false;
	}
	size_t start = line.length > length ? length + 1 : length;
	start += start < line.length && line.data[start] == ' ';
	*value = (struct text){line.data + start, line.length - start};
	return true;
}

// One line without its end. `alone`: an empty line follows at once, so that the data need not be kept.
static enum sse_result take_line(struct sse *sse, struct text line, bool alone, bool *used)
{
	struct text value;
	*used = false;
	if (line.length == 0) {
		if (sse->has_data) {
			return dispatch(sse, buffer_text(&sse->content)) ? SSE_MORE : SSE_ENDED;
		}
		buffer_clear(&sse->type);
		return SSE_MORE;
	}
	if (is_field(line, "data", 4, &value)) {
		if (alone && !sse->has_data) {
			*used = true;
			return dispatch(sse, value) ? SSE_MORE : SSE_ENDED;
		}
		if (sse->content.length + value.length > SSE_EVENT_LIMIT) {
			return SSE_TOO_BIG;
		}
		if (sse->has_data) {
			buffer_add_char(&sse->content, '\n');
		}
		buffer_add_text(&sse->content, value);
		sse->has_data = true;
	} else if (is_field(line, "event", 5, &value)) {
		buffer_clear(&sse->type);
		buffer_add_text(&sse->type, value);
	}
	return SSE_MORE; // comments, id, retry and what is not known
}

// The end of a line: LF, CR, or CR LF. Returns NULL if it is not there yet.
static const char *find_end(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));
	const char *stop = newline ? newline : end;
	const char *carriage = memchr(at, '\r', (size_t)(stop - at));
	return carriage ? carriage : newline;
}

// Drops the byte order mark in front of the stream, whose bytes may come one by one.
static bool skip_mark(struct sse *sse, const char **at, const char *end)
{
	static const char mark[] = "\xef\xbb\xbf";
	while (!sse->begun && *at < end) {
		if (**at != mark[sse->line.length]) {
			sse->begun = true;
			return true;
		}
		buffer_add_char(&sse->line, *(*at)++);
		if (sse->line.length == 3) {
			buffer_clear(&sse->line);
			sse->begun = true;
		}
	}
	return sse->begun;
}

enum sse_result sse_feed(struct sse *sse, struct text bytes)
{
	const char *at = bytes.data, *end = bytes.data + bytes.length;
	if (bytes.length == 0 || !skip_mark(sse, &at, end)) {
		return SSE_MORE;
	}
	while (at < end) {
		if (sse->after_cr) {
			sse->after_cr = false;
			if (*at == '\n') {
				at++;
				continue;
			}
		}
		const char *stop = find_end(at, end);
		size_t length = (size_t)((stop ? stop : end) - at);
		if (sse->line.length + length > SSE_LINE_LIMIT) {
			return SSE_TOO_BIG;
		}
		if (!stop) {
			buffer_add(&sse->line, at, length);
			return SSE_MORE;
		}
		struct text line = {at, length};
		if (sse->line.length) {
			buffer_add(&sse->line, at, length);
			line = buffer_text(&sse->line);
		}
		bool alone = *stop == '\n' && stop + 1 < end && stop[1] == '\n';
		bool used;
		enum sse_result result = take_line(sse, line, alone, &used);
		buffer_clear(&sse->line);
		if (result != SSE_MORE) {
			return result;
		}
		sse->after_cr = *stop == '\r';
		at = stop + 1 + used;
	}
	return SSE_MORE;
}
