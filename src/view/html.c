#include "view/html.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/hash.h"
#include "view/words.h"

// Elements that have no end tag.
static bool is_void(const char *element)
{
	static const char *const names[] = {"meta", "input", "br"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], element) == 0) {
			return true;
		}
	}
	return false;
}

static void add_escaped(struct buffer *buffer, struct text text)
{
	buffer_cleanup shown = {0};
	buffer_add_terminal(&shown, text);
	for (size_t i = 0; i < shown.length; i++) {
		switch (shown.data[i]) {
		case '&':
			buffer_add_string(buffer, "&amp;");
			break;
		case '<':
			buffer_add_string(buffer, "&lt;");
			break;
		case '>':
			buffer_add_string(buffer, "&gt;");
			break;
		case '"':
			buffer_add_string(buffer, "&quot;");
			break;
		case '\'':
			buffer_add_string(buffer, "&#39;");
			break;
		default:
			buffer_add_char(buffer, shown.data[i]);
		}
	}
}

static void finish_tag(struct html *html)
{
	if (html->pending) {
		buffer_add_char(html->buffer, '>');
		html->pending = false;
	}
}

void html_open(struct html *html, const char *element, const char *class)
{
	finish_tag(html);
	buffer_add_char(html->buffer, '<');
	buffer_add_string(html->buffer, element);
	html->pending = true;
	if (html->depth < HTML_DEPTH) {
		html->elements[html->depth] = element;
	}
	html->depth++;
	if (class) {
		html_attribute(html, "class", text_of(class));
	}
}

void html_close(struct html *html)
{
	finish_tag(html);
	html->depth -= html->depth > 0;
	const char *element = html->depth < HTML_DEPTH ? html->elements[html->depth] : "";
	if (!is_void(element)) {
		buffer_printf(html->buffer, "</%s>", element);
	}
}

void html_attribute(struct html *html, const char *name, struct text value)
{
	buffer_printf(html->buffer, " %s=\"", name);
	add_escaped(html->buffer, value);
	buffer_add_char(html->buffer, '"');
}

__attribute__((format(printf, 2, 0))) static void add_format(
	struct buffer *buffer, const char *format, va_list arguments)
{
	arena_cleanup arena = {0};
	buffer_add_string(buffer, arena_vprintf(&arena, format, arguments));
}

void html_attribute_format(struct html *html, const char *name, const char *format, ...)
{
	buffer_cleanup value = {0};
	va_list arguments;
	va_start(arguments, format);
	add_format(&value, format, arguments);
	va_end(arguments);
	html_attribute(html, name, buffer_text(&value));
}

void html_text(struct html *html, struct text text)
{
	finish_tag(html);
	add_escaped(html->buffer, text);
}

void html_string(struct html *html, const char *string)
{
	html_text(html, text_of(string));
}

void html_format(struct html *html, const char *format, ...)
{
	buffer_cleanup value = {0};
	va_list arguments;
	va_start(arguments, format);
	add_format(&value, format, arguments);
	va_end(arguments);
	html_text(html, buffer_text(&value));
}

void html_cut(struct html *html, struct text text, size_t limit)
{
	struct text cut = text_cut(text, limit);
	html_text(html, cut);
	if (cut.length < text.length) {
		buffer_cleanup words = {0};
		buffer_add_string(&words, " ... ");
		words_add_number(&words, (int64_t)(text.length - cut.length));
		buffer_add_string(&words, " more bytes are left out");
		html_element(html, "span", "cut", words.data);
	}
}

void html_line(struct html *html, struct text text, size_t limit)
{
	buffer_cleanup line = {0};
	buffer_add_line(&line, text, limit);
	html_text(html, buffer_text(&line));
}

// Takes a sequence of ours off the front of the line; false: there is none.
static bool take_colour(struct text *line, enum words_colour *colour)
{
	for (int i = COLOUR_PLAIN; i <= COLOUR_STRONG; i++) {
		buffer_cleanup sequence = {0};
		words_colour(&sequence, true, (enum words_colour)i);
		if (text_starts(*line, sequence.data)) {
			*line = (struct text){
				line->data + sequence.length, line->length - sequence.length};
			*colour = (enum words_colour)i;
			return true;
		}
	}
	return false;
}

void html_coloured(struct html *html, struct text line)
{
	static const char *const classes[] = {[COLOUR_GOOD] = "good",
		[COLOUR_BAD] = "bad",
		[COLOUR_DIM] = "dim",
		[COLOUR_STRONG] = "strong"};
	enum words_colour colour = COLOUR_PLAIN;
	while (line.length) {
		enum words_colour before = colour;
		if (take_colour(&line, &colour)) {
			if (before != COLOUR_PLAIN) {
				html_close(html);
			}
			if (colour != COLOUR_PLAIN) {
				html_open(html, "span", classes[colour]);
			}
			continue;
		}
		// What looks like a sequence but is none of ours is shown like any text.
		struct text rest = {line.data + 1, line.length - 1};
		size_t plain = 1 + text_find(rest, TEXT("\033"));
		html_text(html, (struct text){line.data, plain});
		line = (struct text){line.data + plain, line.length - plain};
	}
	if (colour != COLOUR_PLAIN) {
		html_close(html);
	}
}

void html_element(struct html *html, const char *element, const char *class, const char *string)
{
	html_open(html, element, class);
	html_string(html, string);
	html_close(html);
}

// The hash of a style as a policy names it (CSP Level 3, "hash-source"): the digest in base64.
static void add_style_hash(struct buffer *buffer, struct text style)
{
	struct hash hash = hash_text(style);
	char bytes[HASH_HEX_SIZE / 2];
	for (size_t i = 0; i < sizeof(bytes); i++) {
		unsigned byte = 0;
		sscanf(hash.hex + 2 * i, "%2x", &byte);
		bytes[i] = (char)byte;
	}
	buffer_add_string(buffer, "sha256-");
	buffer_add_base64(buffer, (struct text){bytes, sizeof(bytes)});
}

static void add_meta(struct html *html, const char *key, const char *name, const char *content)
{
	html_open(html, "meta", NULL);
	html_attribute(html, key, text_of(name));
	html_attribute(html, "content", text_of(content));
	html_close(html);
}

void html_begin(struct html *html, struct buffer *buffer, struct text title, struct text style)
{
	buffer_cleanup policy = {0};
	*html = (struct html){.buffer = buffer};
	buffer_add_string(buffer, "<!doctype html>\n");
	html_open(html, "html", NULL);
	html_attribute(html, "lang", TEXT("en"));
	html_open(html, "head", NULL);
	html_open(html, "meta", NULL);
	html_attribute(html, "charset", TEXT("utf-8"));
	html_close(html);
	buffer_add_string(&policy, "default-src 'none'; style-src '");
	add_style_hash(&policy, style);
	buffer_add_string(&policy, "'; base-uri 'none'; form-action 'none'");
	add_meta(html, "http-equiv", "Content-Security-Policy", policy.data);
	add_meta(html, "name", "viewport", "width=device-width, initial-scale=1");
	add_meta(html, "name", "color-scheme", "light dark");
	add_meta(html, "name", "referrer", "no-referrer");
	add_meta(html, "name", "generator", "muster " MUSTER_VERSION);
	html_open(html, "title", NULL);
	html_line(html, title, 200);
	html_close(html);
	html_open(html, "style", NULL);
	finish_tag(html);
	buffer_add_text(buffer, style);
	html_close(html);
	html_close(html);
	html_open(html, "body", NULL);
}

void html_end(struct html *html)
{
	while (html->depth) {
		html_close(html);
	}
	buffer_add_char(html->buffer, '\n');
}
