#include "base/yaml_write.h"

#include <string.h>

#include "base/json.h"

enum { BLOCK_LEAST = 2 /* lines of a text that is written as a block */ };

// The length and the number of the character that the text begins with; it is valid UTF-8.
static size_t take_point(const char *at, uint32_t *point)
{
	unsigned char first = (unsigned char)*at;
	size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	*point = length == 1 ? first : first & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		*point = *point << 6 | ((unsigned char)at[i] & 0x3fu);
	}
	return length;
}

// Control characters, line breaks of other kinds, marks of direction, noncharacters: not for the eye.
static bool is_hidden(uint32_t point)
{
	static const uint32_t ranges[][2] = {{0, 0x1f}, {0x7f, 0x9f}, {0x61c, 0x61c},
		{0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff},
		{0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (point >= ranges[i][0] && point <= ranges[i][1]) {
			return true;
		}
	}
	return (point & 0xfffe) == 0xfffe;
}

static void add_escaped(struct buffer *buffer, uint32_t point)
{
	if (point == '\n' || point == '\t' || point == '\r') {
		buffer_printf(buffer, "\\%c", point == '\n' ? 'n' : point == '\t' ? 't' : 'r');
	} else if (point <= 0xff) {
		buffer_printf(buffer, "\\x%02x", point);
	} else if (point <= 0xffff) {
		buffer_printf(buffer, "\\u%04x", point);
	} else {
		buffer_printf(buffer, "\\U%08x", point);
	}
}

static void add_quoted(struct buffer *buffer, struct text text)
{
	buffer_add_char(buffer, '"');
	for (size_t at = 0; at < text.length;) {
		uint32_t point;
		size_t length = take_point(text.data + at, &point);
		if (is_hidden(point)) {
			add_escaped(buffer, point);
		} else {
			if (point == '"' || point == '\\') {
				buffer_add_char(buffer, '\\');
			}
			buffer_add(buffer, text.data + at, length);
		}
		at += length;
	}
	buffer_add_char(buffer, '"');
}

void yaml_write_quoted(struct buffer *buffer, struct text text)
{
	buffer_cleanup valid = {0};
	buffer_add_utf8(&valid, text);
	add_quoted(buffer, buffer_text(&valid));
}

// A block keeps what it shows: no line begins or ends with white space that nobody would see, and one
// line feed at most stands at the end.
static bool fits_block(struct text text)
{
	size_t lines = 1;
	char before = '\n';
	if (!text.length || strchr(" \t\n", text.data[0])) {
		return false;
	}
	for (size_t at = 0; at < text.length;) {
		uint32_t point;
		size_t length = take_point(text.data + at, &point);
		if (point != '\n' && is_hidden(point)) {
			return false;
		}
		if (point == '\n') {
			bool last = at + 1 == text.length;
			if (before == ' ' || (last && before == '\n')) {
				return false;
			}
			lines += !last;
		}
		before = text.data[at + length - 1];
		at += length;
	}
	return lines >= BLOCK_LEAST && before != ' ';
}

static void add_block(struct buffer *buffer, struct text text, size_t indent)
{
	bool ended = text.data[text.length - 1] == '\n';
	struct text rest = text, line;
	buffer_add_string(buffer, ended ? "|" : "|-");
	while (text_next_line(&rest, &line)) {
		buffer_add_char(buffer, '\n');
		for (size_t i = 0; line.length && i < indent; i++) {
			buffer_add_char(buffer, ' ');
		}
		buffer_add_text(buffer, line);
	}
}

void yaml_write_text(struct buffer *buffer, struct text text, size_t indent)
{
	buffer_cleanup valid = {0};
	buffer_add_utf8(&valid, text);
	struct text whole = buffer_text(&valid);
	if (fits_block(whole)) {
		add_block(buffer, whole, indent);
	} else {
		add_quoted(buffer, whole);
	}
}

void yaml_write_key(struct buffer *buffer, struct text key)
{
	static const char *const others[] = {"null", "true", "false"};
	bool plain = key.length && key.data[0] >= 'a' && key.data[0] <= 'z';
	for (size_t i = 0; plain && i < key.length; i++) {
		char byte = key.data[i];
		plain = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
			byte == '_' || byte == '-';
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		plain = plain && !text_is(key, others[i]);
	}
	if (plain) {
		buffer_add_text(buffer, key);
	} else {
		yaml_write_quoted(buffer, key);
	}
}

static void write_members(struct buffer *buffer, const cJSON *value)
{
	bool object = cJSON_IsObject(value);
	const char *separator = "";
	const cJSON *item;
	buffer_add_char(buffer, object ? '{' : '[');
	cJSON_ArrayForEach(item, value)
	{
		buffer_add_string(buffer, separator);
		if (object) {
			yaml_write_key(buffer, text_of(item->string));
			buffer_add_string(buffer, ": ");
		}
		yaml_write_json(buffer, item);
		separator = ", ";
	}
	buffer_add_char(buffer, object ? '}' : ']');
}

void yaml_write_json(struct buffer *buffer, const cJSON *value)
{
	if (cJSON_IsString(value)) {
		yaml_write_quoted(buffer, text_of(value->valuestring));
	} else if (cJSON_IsNumber(value)) {
		buffer_add_json_number(buffer, value->valuedouble);
	} else if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
		write_members(buffer, value);
	} else {
		buffer_add_string(buffer,
			cJSON_IsTrue(value)            ? "true"
				: cJSON_IsFalse(value) ? "false"
						       : "null");
	}
}
