/*
 * The headings of a Markdown text, found as CommonMark finds them: "## Title" and underlined ones,
 * but nothing inside code blocks and HTML comments. Emphasis around a title is not part of it.
 */
#pragma once

#include "base/text.h"

struct markdown {
	struct text rest;   // what is still to be read
	struct text before; // a line of its own that an underline would make a heading
	bool in_paragraph, in_comment;
	char fence; // of the code block that it is in; 0: none
	size_t fence_length;
};

// Starts with {.rest = text}. False at the end.
bool markdown_next_heading(struct markdown *markdown, struct text *title);
