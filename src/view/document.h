/*
 * Writes the JSON documents of the command line (docs/json.md): members and items in the order in
 * which they are given, commas and escapes done here. A name is NULL inside an array and for the
 * outermost value. Texts from outside may hold any byte.
 */
#pragma once

#include "base/text.h"

enum { DOCUMENT_DEPTH = 32 };

struct document {
	struct buffer *buffer;
	unsigned depth;
	bool filled[DOCUMENT_DEPTH]; // something stands at this depth already
};

// Starts an object {"format": FORMAT, ...; end it with document_end() and a line feed is added.
void document_begin(struct document *document, struct buffer *buffer, const char *format);
void document_object(struct document *document, const char *name);
void document_array(struct document *document, const char *name);
void document_end_object(struct document *document);
void document_end_array(struct document *document);
void document_end(struct document *document);

void document_text(struct document *document, const char *name, struct text value);
void document_string(struct document *document, const char *name, const char *value); // NULL: null
void document_number(struct document *document, const char *name, int64_t value);
void document_real(struct document *document, const char *name, double value);
void document_flag(struct document *document, const char *name, bool value);
void document_null(struct document *document, const char *name);
// Ready-made JSON, for instance from the store.
void document_json(struct document *document, const char *name, struct text json);
