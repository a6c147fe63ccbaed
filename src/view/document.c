#include "view/document.h"

#include <inttypes.h>

static void place(struct document *document, const char *name)
{
	struct buffer *buffer = document->buffer;
	if (document->filled[document->depth]) {
		buffer_add_char(buffer, ',');
	}
	document->filled[document->depth] = true;
	if (name) {
		buffer_add_json(buffer, text_of(name));
		buffer_add_char(buffer, ':');
	}
}

static void open(struct document *document, const char *name, char bracket)
{
	place(document, name);
	buffer_add_char(document->buffer, bracket);
	if (document->depth + 1 < DOCUMENT_DEPTH) {
		document->depth++;
	}
	document->filled[document->depth] = false;
}

static void close(struct document *document, char bracket)
{
	document->depth -= document->depth > 0;
	buffer_add_char(document->buffer, bracket);
}

void document_begin(struct document *document, struct buffer *buffer, const char *format)
{
	*document = (struct document){.buffer = buffer};
	document_object(document, NULL);
	document_string(document, "format", format);
}

void document_end(struct document *document)
{
	document_end_object(document);
	buffer_add_char(document->buffer, '\n');
}

void document_object(struct document *document, const char *name)
{
	open(document, name, '{');
}

void document_array(struct document *document, const char *name)
{
	open(document, name, '[');
}

void document_end_object(struct document *document)
{
	close(document, '}');
}

void document_end_array(struct document *document)
{
	close(document, ']');
}

void document_text(struct document *document, const char *name, struct text value)
{
	place(document, name);
	buffer_add_json(document->buffer, value);
}

void document_string(struct document *document, const char *name, const char *value)
{
	if (value) {
		document_text(document, name, text_of(value));
	} else {
		document_null(document, name);
	}
}

void document_number(struct document *document, const char *name, int64_t value)
{
	place(document, name);
	buffer_printf(document->buffer, "%" PRId64, value);
}

void document_real(struct document *document, const char *name, double value)
{
	place(document, name);
	buffer_printf(document->buffer, "%.17g", value);
}

void document_flag(struct document *document, const char *name, bool value)
{
	place(document, name);
	buffer_add_string(document->buffer, value ? "true" : "false");
}

void document_null(struct document *document, const char *name)
{
	place(document, name);
	buffer_add_string(document->buffer, "null");
}

void document_json(struct document *document, const char *name, struct text json)
{
	place(document, name);
	buffer_add_text(document->buffer, json);
}
