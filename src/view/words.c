#include "view/words.h"

#include <inttypes.h>
#include <time.h>

enum { WORDS_LIMIT = 512 };

void words_add_size(struct buffer *buffer, int64_t bytes)
{
	static const char *const units[] = {"KB", "MB", "GB", "TB"};
	if (bytes < 1000) {
		buffer_printf(buffer, "%" PRId64 " B", bytes);
		return;
	}
	double value = (double)bytes / 1000;
	size_t unit = 0;
	while (value >= 999.95 && unit < 3) {
		value /= 1000;
		unit++;
	}
	buffer_printf(buffer, "%.1f %s", value, units[unit]);
}

void words_add_clock(struct buffer *buffer, int64_t milliseconds)
{
	int64_t tenths = milliseconds / 100;
	int64_t seconds = tenths / 10;
	if (seconds >= 3600) {
		buffer_printf(buffer, "%" PRId64 ":", seconds / 3600);
	}
	buffer_printf(buffer, "%02" PRId64 ":%02" PRId64 ".%" PRId64, seconds / 60 % 60,
		seconds % 60, tenths % 10);
}

void words_add_duration(struct buffer *buffer, int64_t milliseconds)
{
	if (milliseconds % 60000 == 0 && milliseconds >= 60000) {
		buffer_printf(buffer, "%" PRId64 " min", milliseconds / 60000);
	} else if (milliseconds % 1000 == 0) {
		buffer_printf(buffer, "%" PRId64 " s", milliseconds / 1000);
	} else if (milliseconds < 1000) {
		buffer_printf(buffer, "%" PRId64 " ms", milliseconds);
	} else {
		buffer_printf(buffer, "%.1f s", (double)milliseconds / 1000);
	}
}

static void add_groups(struct buffer *buffer, uint64_t number)
{
	if (number >= 1000) {
		add_groups(buffer, number / 1000);
		buffer_printf(buffer, ",%03u", (unsigned)(number % 1000));
	} else {
		buffer_printf(buffer, "%u", (unsigned)number);
	}
}

void words_add_number(struct buffer *buffer, int64_t number)
{
	if (number < 0) {
		buffer_add_char(buffer, '-');
	}
	add_groups(buffer, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void words_add_money(struct buffer *buffer, int64_t nano_usd)
{
	buffer_printf(buffer, "$%.4f", (double)nano_usd / 1e9);
}

void words_add_count(struct buffer *buffer, int64_t count, const char *one, const char *many)
{
	words_add_number(buffer, count);
	buffer_printf(buffer, " %s", count == 1 ? one : many);
}

void words_add_time(struct buffer *buffer, int64_t milliseconds)
{
	struct tm local = {0};
	char line[32];
	time_t seconds = (time_t)(milliseconds / 1000);
	if (localtime_r(&seconds, &local) && strftime(line, sizeof(line), "%F %R", &local)) {
		buffer_add_string(buffer, line);
	}
}

static size_t characters(struct text text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.length; i++) {
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	}
	return count;
}

size_t words_width(const char *string)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text_of(string), WORDS_LIMIT);
	return characters(buffer_text(&shown));
}

void words_add_padded(struct buffer *buffer, const char *string, size_t width)
{
	size_t start = buffer->length;
	buffer_add_line(buffer, text_of(string), WORDS_LIMIT);
	size_t used = buffer->length - start
		? characters((struct text){buffer->data + start, buffer->length - start})
		: 0;
	for (; used < width; used++) {
		buffer_add_char(buffer, ' ');
	}
}

void words_add_lines(struct buffer *buffer, struct text text, size_t indent, size_t limit)
{
	struct text rest = text_cut(text, limit), line;
	bool cut = rest.length < text.length;
	for (bool first = true; text_next_line(&rest, &line); first = false) {
		buffer_printf(buffer, "%s%*s", first ? "" : "\n", first ? 0 : (int)indent, "");
		buffer_add_line(buffer, line, limit);
	}
	buffer_add_string(buffer, cut ? "..." : "");
}

void words_colour(struct buffer *buffer, bool colours, enum words_colour colour)
{
	static const char *const sequences[] = {[COLOUR_PLAIN] = "\033[0m",
		[COLOUR_GOOD] = "\033[32m",
		[COLOUR_BAD] = "\033[31m",
		[COLOUR_DIM] = "\033[2m",
		[COLOUR_STRONG] = "\033[1m"};
	if (colours) {
		buffer_add_string(buffer, sequences[colour]);
	}
}
