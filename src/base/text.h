/*
 * Text as a length and bytes, and a growing buffer. Text from outside (a model, a tool, a file
 * name) may hold any byte: it is validated once where it comes in (text_is_utf8) and escaped where
 * it goes out (buffer_add_terminal, buffer_add_json, ...). Nothing here owns what a struct text
 * points to.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct text {
	const char *data; // not zero-terminated; NULL only when length is 0
	size_t length;
};

#define TEXT(literal) ((struct text){"" literal, sizeof(literal) - 1})

struct text text_of(const char *string);                      // NULL gives the empty text
struct text text_copy(struct arena *arena, struct text text); // with a zero byte behind it
char *text_string(struct arena *arena, struct text text);     // cut at nothing; zero-terminated
bool text_equal(struct text a, struct text b);
bool text_is(struct text text, const char *string);
bool text_starts(struct text text, const char *prefix);
bool text_ends(struct text text, const char *suffix);
struct text text_trim(struct text text); // without white space at both ends
// Takes one line (without its LF or CRLF) off the front of *rest; false at the end.
bool text_next_line(struct text *rest, struct text *line);
// Byte offset of the first occurrence, or text.length.
size_t text_find(struct text text, struct text part);

// Offset of the first byte that is not valid UTF-8 (RFC 3629), or text.length.
size_t text_utf8_length(struct text text);
bool text_is_utf8(struct text text);
// The leading bytes that stand for themselves in a JSON string: ASCII without control characters,
// quotes and backslashes. Fast: what comes from outside is mostly of that.
size_t text_plain_length(struct text text);
// The longest prefix of at most `limit` bytes that does not cut a UTF-8 character.
struct text text_cut(struct text text, size_t limit);

// The name in `names` nearest to `name` (edit distance with transpositions), if it is near enough
// to be worth suggesting (at most a third of its length, at least 1); else NULL.
const char *text_nearest(struct text name, const char *const *names, size_t count);

struct buffer {
	char *data; // always zero-terminated once something was added
	size_t length;
	size_t capacity;
};

#define buffer_cleanup __attribute__((cleanup(buffer_finish))) struct buffer

void buffer_finish(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); // keeps the memory
struct text buffer_text(const struct buffer *buffer);
char *buffer_steal(struct buffer *buffer); // to be freed by the caller; never NULL
void buffer_add(struct buffer *buffer, const void *data, size_t length);
void buffer_add_text(struct buffer *buffer, struct text text);
void buffer_add_string(struct buffer *buffer, const char *string);
void buffer_add_char(struct buffer *buffer, char byte);
void buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
// Room for `length` more bytes behind the end; the caller then raises buffer->length.
char *buffer_reserve(struct buffer *buffer, size_t length);

// A JSON string with its quotes (RFC 8259); bytes that are not UTF-8 become U+FFFD.
void buffer_add_json(struct buffer *buffer, struct text text);
// The text with bytes that are not UTF-8 replaced by U+FFFD.
void buffer_add_utf8(struct buffer *buffer, struct text text);
// For a terminal: control characters (but LF and TAB), C1 controls, bidi marks and invalid bytes
// are shown as \xNN or \u{NNNN}.
void buffer_add_terminal(struct buffer *buffer, struct text text);
// One line for a terminal: as above, LF and TAB too; at most `limit` bytes, then "...".
void buffer_add_line(struct buffer *buffer, struct text text, size_t limit);
// One word for a POSIX shell.
void buffer_add_shell(struct buffer *buffer, struct text text);
