#include "gate/markdown.h"

#include <string.h>

enum { HEADING_LEVELS = 6, INDENT = 3 /* more spaces make a code block */, FENCE = 3 };

// How often the byte stands at the front.
static size_t run_of(struct text text, char byte)
{
	size_t length = 0;
	while (length < text.length && text.data[length] == byte) {
		length++;
	}
	return length;
}

static struct text behind(struct text text, size_t length)
{
	return (struct text){text.data + length, text.length - length};
}

static struct text plain_title(struct text title)
{
	title = text_trim(title);
	while (title.length > 1 && memchr("*_`", title.data[0], 3) &&
		title.data[title.length - 1] == title.data[0]) {
		title = (struct text){title.data + 1, title.length - 2};
	}
	return text_trim(title);
}

// "## Layout ##" gives "Layout", "# C#" gives "C#".
static bool hash_heading(struct text line, struct text *title)
{
	size_t level = run_of(line, '#');
	if (level == 0 || level > HEADING_LEVELS ||
		(level < line.length && line.data[level] != ' ' && line.data[level] != '\t')) {
		return false;
	}
	struct text text = text_trim(behind(line, level));
	size_t length = text.length;
	while (length && text.data[length - 1] == '#') {
		length--;
	}
	if (length == 0 || text.data[length - 1] == ' ' || text.data[length - 1] == '\t') {
		text.length = length;
	}
	*title = plain_title(text);
	return true;
}

static bool is_underline(struct text line)
{
	line = text_trim(line);
	return line.length && (line.data[0] == '=' || line.data[0] == '-') &&
		run_of(line, line.data[0]) == line.length;
}

// "---", "* * *": a line across the page, which ends a paragraph.
static bool is_break(struct text line)
{
	enum { LEAST = 3 };
	size_t marks = 0;
	for (size_t i = 0; i < line.length; i++) {
		bool mark = line.data[i] == line.data[0] && memchr("-*_", line.data[i], 3);
		if (!mark && line.data[i] != ' ' && line.data[i] != '\t') {
			return false;
		}
		marks += mark;
	}
	return marks >= LEAST;
}

// Lists, quotes and tables are no paragraphs that could be underlined.
static bool starts_paragraph(struct text line)
{
	return line.length && !memchr("-*+>|#=`~<", line.data[0], 10);
}

// Is the line part of a code block or a comment, or does it begin or end one?
static bool set_apart(struct markdown *markdown, struct text line)
{
	if (markdown->in_comment) {
		markdown->in_comment = text_find(line, TEXT("-->")) == line.length;
		return true;
	}
	char fence = line.length && (line.data[0] == '`' || line.data[0] == '~') ? line.data[0] : 0;
	size_t length = fence ? run_of(line, fence) : 0;
	if (markdown->fence) {
		if (fence == markdown->fence && length >= markdown->fence_length &&
			text_trim(behind(line, length)).length == 0) {
			markdown->fence = 0;
		}
		return true;
	}
	// A line of code in backticks is no fence.
	struct text info = behind(line, length);
	if (length >= FENCE && (fence == '~' || text_find(info, TEXT("`")) == info.length)) {
		markdown->fence = fence;
		markdown->fence_length = length;
		return true;
	}
	if (text_starts(line, "<!--")) {
		markdown->in_comment = text_find(line, TEXT("-->")) == line.length;
		return true;
	}
	return false;
}

bool markdown_next_heading(struct markdown *markdown, struct text *title)
{
	struct text line;
	while (text_next_line(&markdown->rest, &line)) {
		size_t spaces = run_of(line, ' ');
		bool indented = spaces > INDENT || (line.length && line.data[0] == '\t');
		struct text before = markdown->before;
		markdown->before = (struct text){0};
		line = behind(line, indented ? 0 : spaces);
		if (set_apart(markdown, line) || text_trim(line).length == 0) {
			markdown->in_paragraph = false;
		} else if (!indented && hash_heading(line, title)) {
			markdown->in_paragraph = false;
			return true;
		} else if (!indented && before.length && is_underline(line)) {
			markdown->in_paragraph = false;
			*title = plain_title(before);
			return true;
		} else if (!indented && is_break(line)) {
			markdown->in_paragraph = false;
		} else {
			if (!markdown->in_paragraph && !indented && starts_paragraph(line)) {
				markdown->before = line;
			}
			markdown->in_paragraph = true;
		}
	}
	return false;
}
