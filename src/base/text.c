#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text text_of(const char *string)
{
	return (struct text){string, string ? strlen(string) : 0};
}

struct text text_copy(struct arena *arena, struct text text)
{
	return (struct text){arena_copy(arena, text.data, text.length), text.length};
}

char *text_string(struct arena *arena, struct text text)
{
	return arena_copy(arena, text.data, text.length);
}

bool text_equal(struct text a, struct text b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

bool text_is(struct text text, const char *string)
{
	return text_equal(text, text_of(string));
}

bool text_starts(struct text text, const char *prefix)
{
	size_t length = strlen(prefix);
	return text.length >= length && memcmp(text.data, prefix, length) == 0;
}

bool text_ends(struct text text, const char *suffix)
{
	size_t length = strlen(suffix);
	return text.length >= length &&
		memcmp(text.data + text.length - length, suffix, length) == 0;
}

static bool is_space(char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

struct text text_trim(struct text text)
{
	while (text.length && is_space(text.data[0])) {
		text.data++;
		text.length--;
	}
	while (text.length && is_space(text.data[text.length - 1])) {
		text.length--;
	}
	return text;
}

bool text_next_line(struct text *rest, struct text *line)
{
	if (rest->length == 0) {
		return false;
	}
	const char *end = memchr(rest->data, '\n', rest->length);
	size_t length = end ? (size_t)(end - rest->data) : rest->length;
	size_t taken = end ? length + 1 : length;
	*line = (struct text){rest->data, length};
	if (length && rest->data[length - 1] == '\r') {
		line->length--;
	}
	rest->data += taken;
	rest->length -= taken;
	return true;
}

size_t text_find(struct text text, struct text part)
{
	if (part.length == 0) {
		return 0;
	}
	if (text.length == 0) {
		return 0;
	}
	const char *found = memmem(text.data, text.length, part.data, part.length);
	return found ? (size_t)(found - text.data) : text.length;
}

// Length of the valid UTF-8 character at the front, or 0; its code point in *point.
static size_t utf8_character(struct text text, uint32_t *point)
{
	const unsigned char *byte = (const unsigned char *)text.data;
	if (text.length == 0) {
		return 0;
	}
	if (byte[0] < 0x80) {
		*point = byte[0];
		return 1;
	}
	size_t length = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
	if (byte[0] < 0xc2 || byte[0] > 0xf4 || text.length < length) {
		return 0;
	}
	uint32_t value = byte[0] & (0xffU >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((byte[i] & 0xc0) != 0x80) {
			return 0;
		}
		value = value << 6 | (byte[i] & 0x3f);
	}
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
		return 0;
	}
	*point = value;
	return length;
}

// Eight bytes at once: the high bit of a byte is set in the result if the byte is what is looked for
// (and maybe in bytes after that one).
#define EACH_BYTE(byte) (0x0101010101010101U * (uint64_t)(byte))

static uint64_t eight_bytes(const char *data)
{
	uint64_t word;
	memcpy(&word, data, sizeof(word));
	return word;
}

static uint64_t bytes_below(uint64_t word, unsigned char limit)
{
	return (word - EACH_BYTE(limit)) & ~word & EACH_BYTE(0x80);
}

static uint64_t bytes_equal(uint64_t word, unsigned char byte)
{
	return bytes_below(word ^ EACH_BYTE(byte), 1);
}

static size_t ascii_length(struct text text)
{
	size_t offset = 0;
	while (text.length - offset >= sizeof(uint64_t) &&
		!(eight_bytes(text.data + offset) & EACH_BYTE(0x80))) {
		offset += sizeof(uint64_t);
	}
	return offset;
}

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

size_t text_plain_length(struct text text)
{
	size_t offset = 0;
	while (text.length - offset >= sizeof(uint64_t)) {
		uint64_t word = eight_bytes(text.data + offset);
		uint64_t special = (word & EACH_BYTE(0x80)) | bytes_below(word, 0x20) |
			bytes_equal(word, 0x7f) | bytes_equal(word, '"') | bytes_equal(word, '\\');
		if (special && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
			return offset + (size_t)__builtin_ctzll(special) / 8;
		}
		if (special) {
			break;
		}
		offset += sizeof(uint64_t);
	}
	while (offset < text.length && is_plain((unsigned char)text.data[offset])) {
		offset++;
	}
	return offset;
}

size_t text_utf8_length(struct text text)
{
	size_t offset = 0;
	uint32_t point;
	while (offset < text.length) {
		size_t length = utf8_character(
			(struct text){text.data + offset, text.length - offset}, &point);
		if (length == 0) {
			break;
		}
		offset += length;
		offset += ascii_length((struct text){text.data + offset, text.length - offset});
	}
	return offset;
}

bool text_is_utf8(struct text text)
{
	return text_utf8_length(text) == text.length;
}

struct text text_cut(struct text text, size_t limit)
{
	if (text.length <= limit) {
		return text;
	}
	size_t length = limit;
	while (length > 0 && limit - length < 3 &&
		((unsigned char)text.data[length] & 0xc0) == 0x80) {
		length--;
	}
	return (struct text){text.data, length};
}

// Optimal string alignment distance; both at most 63 bytes.
static size_t edit_distance(struct text a, struct text b)
{
	size_t rows[3][64];
	for (size_t j = 0; j <= b.length; j++) {
		rows[0][j] = j;
	}
	for (size_t i = 1; i <= a.length; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b.length; j++) {
			bool same = a.data[i - 1] == b.data[j - 1];
			size_t best = above[j - 1] + !same;
			best = above[j] + 1 < best ? above[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] &&
				a.data[i - 2] == b.data[j - 1] && before[j - 2] + 1 < best) {
				best = before[j - 2] + 1;
			}
			row[j] = best;
		}
	}
	return rows[a.length % 3][b.length];
}

const char *text_nearest(struct text name, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	size_t best = name.length / 3 > 1 ? name.length / 3 + 1 : 2;
	for (size_t i = 0; i < count && name.length < 64; i++) {
		struct text other = text_of(names[i]);
		if (other.length < 64 && edit_distance(name, other) < best) {
			best = edit_distance(name, other);
			nearest = names[i];
		}
	}
	return nearest;
}

void buffer_finish(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){0};
}

void buffer_clear(struct buffer *buffer)
{
	buffer->length = 0;
	if (buffer->data) {
		buffer->data[0] = '\0';
	}
}

struct text buffer_text(const struct buffer *buffer)
{
	return (struct text){buffer->data, buffer->length};
}

char *buffer_reserve(struct buffer *buffer, size_t length)
{
	size_t needed;
	if (__builtin_add_overflow(buffer->length, length, &needed) ||
		__builtin_add_overflow(needed, 1, &needed)) {
		needed = SIZE_MAX; // memory_resize() ends the process
	}
	if (needed > buffer->capacity) {
		size_t capacity = buffer->capacity * 2 > needed ? buffer->capacity * 2 : needed;
		buffer->capacity = capacity < 64 ? 64 : capacity;
		buffer->data = memory_resize(buffer->data, buffer->capacity);
	}
	return buffer->data + buffer->length;
}

char *buffer_steal(struct buffer *buffer)
{
	*buffer_reserve(buffer, 0) = '\0';
	char *data = buffer->data;
	*buffer = (struct buffer){0};
	return data;
}

void buffer_add(struct buffer *buffer, const void *data, size_t length)
{
	char *end = buffer_reserve(buffer, length);
	if (length) {
		memcpy(end, data, length);
	}
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
}

void buffer_add_text(struct buffer *buffer, struct text text)
{
	buffer_add(buffer, text.data, text.length);
}

void buffer_add_string(struct buffer *buffer, const char *string)
{
	buffer_add_text(buffer, text_of(string));
}

void buffer_add_char(struct buffer *buffer, char byte)
{
	buffer_add(buffer, &byte, 1);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0) {
		memory_exhausted(); // our formats are sound
	}
	if (length > 0) {
		char *end = buffer_reserve(buffer, (size_t)length);
		vsnprintf(end, (size_t)length + 1, format, arguments);
		buffer->length += (size_t)length;
	}
	va_end(arguments);
}

// Calls back for each character; invalid bytes come one by one as U+FFFD with valid = false.
struct character {
	struct text bytes;
	uint32_t point;
	bool valid;
};

static bool next_character(struct text *rest, struct character *character)
{
	if (rest->length == 0) {
		return false;
	}
	size_t length = utf8_character(*rest, &character->point);
	character->valid = length > 0;
	if (!character->valid) {
		length = 1;
		character->point = 0xfffd;
	}
	character->bytes = (struct text){rest->data, length};
	rest->data += length;
	rest->length -= length;
	return true;
}

void buffer_add_json(struct buffer *buffer, struct text text)
{
	static const char short_form[0x80] = {['\b'] = 'b',
		['\f'] = 'f',
		['\n'] = 'n',
		['\r'] = 'r',
		['\t'] = 't',
		['"'] = '"',
		['\\'] = '\\'};
	struct character character;
	buffer_add_char(buffer, '"');
	while (text.length) {
		size_t plain = text_plain_length(text);
		buffer_add(buffer, text.data, plain);
		text = (struct text){text.data + plain, text.length - plain};
		if (!next_character(&text, &character)) {
			break;
		}
		uint32_t point = character.point;
		if (!character.valid) {
			buffer_add_string(buffer, "\xef\xbf\xbd");
		} else if (point < 0x80 && short_form[point]) {
			buffer_add_char(buffer, '\\');
			buffer_add_char(buffer, short_form[point]);
		} else if (point < 0x20 || point == 0x7f) {
			buffer_printf(buffer, "\\u%04x", point);
		} else {
			buffer_add_text(buffer, character.bytes);
		}
	}
	buffer_add_char(buffer, '"');
}

void buffer_add_utf8(struct buffer *buffer, struct text text)
{
	struct character character;
	while (text.length) {
		size_t valid = text_utf8_length(text);
		buffer_add(buffer, text.data, valid);
		text = (struct text){text.data + valid, text.length - valid};
		if (next_character(&text, &character)) {
			buffer_add_string(buffer, "\xef\xbf\xbd");
		}
	}
}

// Characters that could make a terminal show something else than what is there.
static bool is_unsafe(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x61c ||
		(point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
		(point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

static void add_visible(struct buffer *buffer, struct character character)
{
	if (!character.valid || (is_unsafe(character.point) && character.point < 0x80)) {
		buffer_printf(buffer, "\\x%02x", (unsigned char)character.bytes.data[0]);
	} else if (is_unsafe(character.point)) {
		buffer_printf(buffer, "\\u{%x}", character.point);
	} else {
		buffer_add_text(buffer, character.bytes);
	}
}

void buffer_add_terminal(struct buffer *buffer, struct text text)
{
	struct character character;
	while (next_character(&text, &character)) {
		if (character.point == '\n' || character.point == '\t') {
			buffer_add_text(buffer, character.bytes);
		} else {
			add_visible(buffer, character);
		}
	}
}

void buffer_add_line(struct buffer *buffer, struct text text, size_t limit)
{
	struct text cut = text_cut(text, limit);
	struct text rest = cut;
	struct character character;
	while (next_character(&rest, &character)) {
		if (character.point == '\n' || character.point == '\t') {
			buffer_add_string(buffer, character.point == '\n' ? "\\n" : "\\t");
		} else {
			add_visible(buffer, character);
		}
	}
	if (cut.length < text.length) {
		buffer_add_string(buffer, "...");
	}
}

void buffer_add_shell(struct buffer *buffer, struct text text)
{
	buffer_add_char(buffer, '\'');
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '\'') {
			buffer_add_string(buffer, "'\\''");
		} else {
			buffer_add_char(buffer, text.data[i]);
		}
	}
	buffer_add_char(buffer, '\'');
}
