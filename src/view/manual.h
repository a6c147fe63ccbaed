/*
 * The pages of docs/ for a terminal, and as source of man pages (scdoc). Reads as much of Markdown as
 * those pages use: headings, paragraphs, lists, tables, fenced code; strong, emphasised, code, links.
 */
#pragma once

#include "base/text.h"

// Wrapped to `width` columns. A link to another page names it as `muster help` does.
void manual_text(struct buffer *buffer, struct text markdown, size_t width, bool colours);
// In the form of scdoc(5), below a first-level heading: its headings are second-level ones.
void manual_scdoc(struct buffer *buffer, struct text markdown);
// A text that stands for itself in scdoc.
void manual_scdoc_escape(struct buffer *buffer, struct text text);
