/*
 * Writes HTML that is well formed and in which nothing from outside is markup: elements are opened
 * and closed here, and every text and every value of an attribute is escaped by the writer, control
 * characters, bidi marks and bytes that are no UTF-8 made visible as on a terminal. Names of elements,
 * attributes and classes are the program's own words, never texts from outside.
 *
 *   html_open(html, "td", "path");
 *   html_attribute(html, "title", text);
 *   html_text(html, text);
 *   html_close(html);
 */
#pragma once

#include "base/text.h"

enum { HTML_DEPTH = 64 };

struct html {
	struct buffer *buffer;
	const char *elements[HTML_DEPTH]; // open ones
	unsigned depth;
	bool pending; // the start tag of the innermost one may still get attributes
};

// `style` (CSS) is the only one that the page's policy lets in; there are no scripts.
void html_begin(struct html *html, struct buffer *buffer, struct text title, struct text style);
void html_end(struct html *html); // closes what is open

void html_open(struct html *html, const char *element, const char *class); // class may be NULL
void html_close(struct html *html);

// For the element that was opened last, before anything is put into it.
void html_attribute(struct html *html, const char *name, struct text value);
void html_attribute_format(struct html *html, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void html_text(struct html *html, struct text text); // with its lines and tabs
void html_string(struct html *html, const char *string);
void html_format(struct html *html, const char *format, ...) __attribute__((format(printf, 2, 3)));
// At most `limit` bytes of it; what is left out is told.
void html_cut(struct html *html, struct text text, size_t limit);
// The same in one line, with "..." for the rest.
void html_line(struct html *html, struct text text, size_t limit);
// A line with the colours of a terminal (view/words.h); everything else in it is escaped already.
void html_coloured(struct html *html, struct text line);

// html_open, html_string, html_close.
void html_element(struct html *html, const char *element, const char *class, const char *string);
