/*
 * Numbers, times and names as people read them, and the colours of a terminal: shared by all views
 * that print text.
 */
#pragma once

#include "base/text.h"

void words_add_size(struct buffer *buffer, int64_t bytes);            // "1.2 KB"
void words_add_clock(struct buffer *buffer, int64_t milliseconds);    // "00:01.2", "1:02:03.4"
void words_add_duration(struct buffer *buffer, int64_t milliseconds); // "90 s", "60 min", "1.5 s"
void words_add_number(struct buffer *buffer, int64_t number);         // "1,234,567"
void words_add_money(struct buffer *buffer, int64_t nano_usd);        // "$0.0123"
// "1 gate", "2 gates".
void words_add_count(struct buffer *buffer, int64_t count, const char *one, const char *many);
// Local time, "2026-11-23 14:55".
void words_add_time(struct buffer *buffer, int64_t milliseconds);
// A text from outside in one line, padded with spaces to at least `width` characters.
void words_add_padded(struct buffer *buffer, const char *string, size_t width);
size_t words_width(const char *string); // in characters
// A text from outside as the lines that it has, those behind the first one indented; at most `limit`
// bytes of it, then "...".
void words_add_lines(struct buffer *buffer, struct text text, size_t indent, size_t limit);

enum words_colour { COLOUR_PLAIN, COLOUR_GOOD, COLOUR_BAD, COLOUR_DIM, COLOUR_STRONG };

// Adds the escape sequence; nothing when `colours` is false. COLOUR_PLAIN ends the others.
void words_colour(struct buffer *buffer, bool colours, enum words_colour colour);
