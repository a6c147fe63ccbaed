#include "view/manual.h"

#include <string.h>

#include "view/topics.h"
#include "view/words.h"

enum { MANUAL_CELLS = 12, MANUAL_INDENT = 2, MANUAL_DEEPEST = 40 };

enum span_kind { SPAN_PLAIN, SPAN_STRONG, SPAN_EMPHASIS, SPAN_CODE, SPAN_PAGE };

// Writes one form of a page. Texts of blocks still hold their inline marks.
struct form {
	struct buffer *buffer;
	size_t width;
	bool colours;
	bool man; // links name man pages
	void (*heading)(struct form *form, unsigned level, struct text text);
	void (*paragraph)(struct form *form, struct text text);
	// `mark` is "-" or "1."; `level` from 0.
	void (*item)(struct form *form, struct text mark, unsigned level, struct text text);
	void (*code)(struct form *form, struct text lines);
	void (*row)(struct form *form, struct text term, struct text text);
	size_t column; // of the terminal
};

static struct text rest_of(struct text text, size_t at)
{
	return at < text.length ? (struct text){text.data + at, text.length - at}
				: (struct text){0};
}

// The next stretch of a text that looks one way. False at the end.
static bool next_span(struct text *rest, struct text *span, enum span_kind *kind)
{
	static const struct {
		const char *mark;
		enum span_kind kind;
	} marks[] = {{"**", SPAN_STRONG}, {"`", SPAN_CODE}, {"*", SPAN_EMPHASIS}};
	if (!rest->length) {
		return false;
	}
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t length = strlen(marks[i].mark);
		struct text behind = rest_of(*rest, length);
		size_t end = text_find(behind, text_of(marks[i].mark));
		if (text_starts(*rest, marks[i].mark) && end && end < behind.length) {
			*span = (struct text){behind.data, end};
			*rest = rest_of(behind, end + length);
			*kind = marks[i].kind;
			return true;
		}
	}
	size_t end = 1;
	while (end < rest->length && !strchr("*`[", rest->data[end])) {
		end++;
	}
	*span = (struct text){rest->data, end};
	*rest = rest_of(*rest, end);
	*kind = SPAN_PLAIN;
	return true;
}

// [words](target) at the front of the text.
static bool take_link(struct text *rest, struct text *words, struct text *target)
{
	size_t middle = text_find(*rest, TEXT("]("));
	struct text behind = rest_of(*rest, middle + 2);
	size_t end = text_find(behind, TEXT(")"));
	if (!text_starts(*rest, "[") || middle == rest->length || end == behind.length ||
		text_find((struct text){rest->data, middle}, TEXT("\n\n")) < middle) {
		return false;
	}
	*words = (struct text){rest->data + 1, middle - 1};
	*target = (struct text){behind.data, end};
	*rest = rest_of(behind, end + 1);
	return true;
}

typedef void add_span(struct form *form, enum span_kind kind, struct text text);

static void add_target(struct form *form, struct text words, struct text target, add_span *add)
{
	buffer_cleanup name = {0};
	size_t mark = text_find(target, TEXT("#"));
	struct text page = {target.data, mark};
	if (text_starts(target, "http")) {
		buffer_add_string(&name, " (");
		buffer_add_text(&name, target);
		buffer_add_char(&name, ')');
	} else if (text_ends(page, ".md")) {
		for (size_t slash; (slash = text_find(page, TEXT("/"))) < page.length;) {
			page = rest_of(page, slash + 1);
		}
		const struct topic *topic = topic_of_file(page);
		if (topic && form->man) {
			buffer_printf(&name, " (%s(%u))", topic->page, topic->page_section);
		} else if (topic) {
			buffer_printf(&name, " (muster help %s)", topic->name);
		}
	}
	if (name.length && !text_equal(words, target)) {
		add(form, SPAN_PAGE, buffer_text(&name));
	}
}

static void add_spans(struct form *form, struct text text, add_span *add)
{
	struct text span, words, target;
	enum span_kind kind;
	while (text.length) {
		if (take_link(&text, &words, &target)) {
			add_spans(form, words, add);
			add_target(form, words, target, add);
		} else if (next_span(&text, &span, &kind)) {
			add(form, kind, span);
		}
	}
}

// Reading.

static bool is_list_item(struct text line, struct text *mark, unsigned *level, struct text *text)
{
	size_t indent = 0, end;
	while (indent < line.length && line.data[indent] == ' ') {
		indent++;
	}
	struct text item = rest_of(line, indent);
	if (text_starts(item, "- ") || text_starts(item, "* ")) {
		end = 1;
	} else {
		for (end = 0;
			end < item.length && item.data[end] >= '0' && item.data[end] <= '9';) {
			end++;
		}
		if (!end || !text_starts(rest_of(item, end), ". ")) {
			return false;
		}
		end++;
	}
	*mark = (struct text){item.data, end};
	*level = (unsigned)(indent / 2);
	*text = text_trim(rest_of(item, end));
	return true;
}

static bool is_block(struct text line)
{
	struct text mark, text;
	unsigned level;
	return text_trim(line).length == 0 || text_starts(line, "#") || text_starts(line, "|") ||
		text_starts(line, "```") || text_starts(line, "<!--") ||
		is_list_item(line, &mark, &level, &text);
}

// Adds the lines that go on with a paragraph or an item.
static void join_lines(struct text *rest, struct buffer *text)
{
	struct text line, ahead = *rest;
	while (text_next_line(&ahead, &line) && !is_block(line)) {
		buffer_add_char(text, ' ');
		buffer_add_text(text, text_trim(line));
		*rest = ahead;
	}
}

static size_t split_cells(struct text line, struct text cells[MANUAL_CELLS])
{
	size_t count = 0;
	struct text inside = text_trim(line);
	inside = rest_of(inside, 1); // behind the first bar
	while (inside.length && count < MANUAL_CELLS) {
		size_t end = 0;
		while (end < inside.length &&
			(inside.data[end] != '|' || (end && inside.data[end - 1] == '\\'))) {
			end++;
		}
		cells[count++] = text_trim((struct text){inside.data, end});
		inside = rest_of(inside, end + 1);
	}
	return count;
}

static void add_cell(struct buffer *buffer, struct text cell)
{
	for (size_t i = 0; i < cell.length; i++) {
		bool escape =
			cell.data[i] == '\\' && i + 1 < cell.length && cell.data[i + 1] == '|';
		if (!escape) {
			buffer_add_char(buffer, cell.data[i]);
		}
	}
}

// The first cell is what the row is about; a type stands beside it, other cells behind their heading.
static void write_row(
	struct form *form, const struct text *headings, const struct text *cells, size_t count)
{
	buffer_cleanup term = {0}, text = {0};
	size_t first = 1;
	add_cell(&term, cells[0]);
	if (count > 2 && text_is(headings[1], "type")) {
		buffer_add_string(&term, " (");
		add_cell(&term, cells[1]);
		buffer_add_char(&term, ')');
		first = 2;
	}
	for (size_t i = first; i < count; i++) {
		if (!cells[i].length) {
			continue;
		}
		bool sentence = text_ends(buffer_text(&text), ".");
		buffer_add_string(&text, !text.length ? "" : sentence ? " " : "; ");
		if (i > first && headings[i].length) {
			bool upper = sentence && headings[i].data[0] >= 'a' &&
				headings[i].data[0] <= 'z';
			buffer_add_char(
				&text, (char)(headings[i].data[0] - (upper ? 'a' - 'A' : 0)));
			buffer_add_text(&text, rest_of(headings[i], 1));
			buffer_add_string(&text, ": ");
		}
		add_cell(&text, cells[i]);
	}
	form->row(form, buffer_text(&term), buffer_text(&text));
}

static void read_table(struct form *form, struct text heading, struct text *rest)
{
	struct text headings[MANUAL_CELLS] = {0}, line, ahead = *rest;
	split_cells(heading, headings);
	while (text_next_line(&ahead, &line) && text_starts(line, "|")) {
		struct text cells[MANUAL_CELLS] = {0};
		size_t count = split_cells(line, cells);
		*rest = ahead;
		if (count && !text_starts(cells[0], "--") && !text_starts(cells[0], ":-")) {
			write_row(form, headings, cells, count);
		}
	}
}

static void read_code(struct form *form, struct text *rest)
{
	struct text line;
	const char *start = rest->data;
	while (text_next_line(rest, &line) && !text_starts(line, "```")) {
	}
	form->code(form, (struct text){start, start ? (size_t)(line.data - start) : 0});
}

static void read_line(struct form *form, struct text line, struct text *rest)
{
	struct text mark, text;
	unsigned level = 0;
	if (text_starts(line, "```")) {
		read_code(form, rest);
	} else if (text_starts(line, "#")) {
		while (level < line.length && line.data[level] == '#') {
			level++;
		}
		form->heading(form, level, text_trim(rest_of(line, level)));
	} else if (text_starts(line, "|")) {
		read_table(form, line, rest);
	} else if (text_trim(line).length && !text_starts(line, "<!--")) {
		bool item = is_list_item(line, &mark, &level, &text);
		buffer_cleanup whole = {0};
		buffer_add_text(&whole, item ? text : text_trim(line));
		join_lines(rest, &whole);
		if (item) {
			form->item(form, mark, level, buffer_text(&whole));
		} else {
			form->paragraph(form, buffer_text(&whole));
		}
	}
}

static void read_page(struct form *form, struct text markdown)
{
	struct text line;
	while (text_next_line(&markdown, &line)) {
		read_line(form, line, &markdown);
	}
}

// For a terminal.

static void begin_line(struct form *form, size_t indent)
{
	for (form->column = 0; form->column < indent; form->column++) {
		buffer_add_char(form->buffer, ' ');
	}
}

static enum words_colour colour_of(enum span_kind kind)
{
	static const enum words_colour colours[] = {[SPAN_PLAIN] = COLOUR_PLAIN,
		[SPAN_STRONG] = COLOUR_STRONG,
		[SPAN_EMPHASIS] = COLOUR_PLAIN,
		[SPAN_CODE] = COLOUR_GOOD,
		[SPAN_PAGE] = COLOUR_DIM};
	return colours[kind];
}

// Marks in front of what they colour: a word may consist of several spans.
static void mark_span(struct form *form, enum span_kind kind, struct text text)
{
	words_colour(form->buffer, form->colours && kind != SPAN_PLAIN, colour_of(kind));
	if (!form->colours && kind == SPAN_CODE && text_find(text, TEXT(" ")) < text.length) {
		buffer_add_char(form->buffer, '\'');
		buffer_add_text(form->buffer, text);
		buffer_add_char(form->buffer, '\'');
	} else {
		buffer_add_text(form->buffer, text);
	}
	words_colour(form->buffer, form->colours && kind != SPAN_PLAIN, COLOUR_PLAIN);
}

// How wide the next word is, escape sequences left out, and how long.
static size_t word_length(struct text text, size_t *width)
{
	size_t length = 0;
	*width = 0;
	while (length < text.length && text.data[length] != ' ') {
		if (text.data[length] == '\033') {
			while (length < text.length && text.data[length] != 'm') {
				length++;
			}
			length++;
			continue;
		}
		*width += ((unsigned char)text.data[length] & 0xc0) != 0x80;
		length++;
	}
	return length < text.length ? length : text.length;
}

static void wrap(struct form *form, struct text text, size_t indent)
{
	buffer_cleanup marked = {0};
	struct form inside = *form;
	inside.buffer = &marked;
	add_spans(&inside, text, mark_span);
	struct text rest = buffer_text(&marked);
	bool first = true;
	while (rest.length) {
		size_t width, length = word_length(rest, &width);
		if (!first && form->column + 1 + width > form->width) {
			buffer_add_char(form->buffer, '\n');
			begin_line(form, indent);
		} else if (!first) {
			buffer_add_char(form->buffer, ' ');
			form->column++;
		}
		buffer_add_text(form->buffer, (struct text){rest.data, length});
		form->column += width;
		first = length == 0 && first;
		rest = rest_of(rest, length + 1);
	}
	buffer_add_char(form->buffer, '\n');
}

static void text_gap(struct form *form)
{
	if (form->buffer->length && !text_ends(buffer_text(form->buffer), "\n\n")) {
		buffer_add_char(form->buffer, '\n');
	}
}

static void text_heading(struct form *form, unsigned level, struct text text)
{
	buffer_cleanup upper = {0};
	text_gap(form);
	for (size_t i = 0; i < text.length && level <= 2; i++) {
		bool small = text.data[i] >= 'a' && text.data[i] <= 'z';
		buffer_add_char(&upper, (char)(small ? text.data[i] - 'a' + 'A' : text.data[i]));
	}
	words_colour(form->buffer, form->colours, COLOUR_STRONG);
	begin_line(form, level > 2 ? MANUAL_INDENT / 2 : 0);
	bool colours = form->colours;
	form->colours = false;
	wrap(form, upper.length ? buffer_text(&upper) : text, 0);
	form->colours = colours;
	words_colour(form->buffer, form->colours, COLOUR_PLAIN);
}

static void text_paragraph(struct form *form, struct text text)
{
	text_gap(form);
	begin_line(form, MANUAL_INDENT);
	wrap(form, text, MANUAL_INDENT);
	buffer_add_char(form->buffer, '\n');
}

static void text_item(struct form *form, struct text mark, unsigned level, struct text text)
{
	size_t indent = MANUAL_INDENT * (1 + (size_t)(level < 8 ? level : 8));
	if (text_ends(buffer_text(form->buffer), "\n\n")) {
		form->buffer->length--; // items stand close
		form->buffer->data[form->buffer->length] = '\0';
	}
	begin_line(form, indent);
	buffer_add_text(form->buffer, mark);
	buffer_add_char(form->buffer, ' ');
	form->column += mark.length + 1;
	wrap(form, text, indent + mark.length + 1);
	buffer_add_char(form->buffer, '\n');
}

static void text_code(struct form *form, struct text lines)
{
	struct text line;
	text_gap(form);
	while (text_next_line(&lines, &line)) {
		begin_line(form, line.length ? 2 * MANUAL_INDENT : 0);
		buffer_add_text(form->buffer, line);
		buffer_add_char(form->buffer, '\n');
	}
	buffer_add_char(form->buffer, '\n');
}

static void text_row(struct form *form, struct text term, struct text text)
{
	enum { TERM = 24 };
	begin_line(form, MANUAL_INDENT);
	wrap(form, term, MANUAL_INDENT);
	size_t used = form->column;
	if (used + 2 <= TERM) { // the text goes on in the same line
		form->buffer->length--;
		form->buffer->data[form->buffer->length] = '\0';
		for (; form->column < TERM; form->column++) {
			buffer_add_char(form->buffer, ' ');
		}
	} else {
		begin_line(form, TERM);
	}
	wrap(form, text, TERM);
}

void manual_text(struct buffer *buffer, struct text markdown, size_t width, bool colours)
{
	struct form form = {.buffer = buffer,
		.width = width > MANUAL_DEEPEST ? width : MANUAL_DEEPEST,
		.colours = colours,
		.heading = text_heading,
		.paragraph = text_paragraph,
		.item = text_item,
		.code = text_code,
		.row = text_row};
	read_page(&form, markdown);
	while (text_ends(buffer_text(buffer), "\n\n")) {
		buffer->data[--buffer->length] = '\0';
	}
}

// For scdoc.

void manual_scdoc_escape(struct buffer *buffer, struct text text)
{
	for (size_t i = 0; i < text.length; i++) {
		bool special = strchr("\\_*#`[]|<>~+-:;.", text.data[i]) && text.data[i];
		bool first = i == 0 || text.data[i - 1] == '\n';
		bool always = strchr("\\_*`+", text.data[i]) != NULL;
		if (special && (first || always)) {
			buffer_add_char(buffer, '\\');
		}
		buffer_add_char(buffer, text.data[i]);
	}
}

static void scdoc_span(struct form *form, enum span_kind kind, struct text text)
{
	const char *mark = kind == SPAN_STRONG || kind == SPAN_CODE ? "*"
		: kind == SPAN_EMPHASIS                             ? "_"
								    : "";
	buffer_add_string(form->buffer, mark);
	manual_scdoc_escape(form->buffer, text);
	buffer_add_string(form->buffer, mark);
}

static void scdoc_heading(struct form *form, unsigned level, struct text text)
{
	if (level > 1) { // the page has a title of its own
		buffer_add_string(form->buffer, level == 2 ? "\n# " : "\n## ");
		struct text span;
		enum span_kind kind;
		while (next_span(&text, &span, &kind)) { // headings have no marks in scdoc
			manual_scdoc_escape(form->buffer, span);
		}
		buffer_add_string(form->buffer, "\n\n");
	}
}

static void scdoc_paragraph(struct form *form, struct text text)
{
	add_spans(form, text, scdoc_span);
	buffer_add_string(form->buffer, "\n\n");
}

static void scdoc_item(struct form *form, struct text mark, unsigned level, struct text text)
{
	for (unsigned i = 0; i < level && i < 4; i++) {
		buffer_add_char(form->buffer, '\t');
	}
	buffer_add_string(form->buffer, mark.length > 1 ? ". " : "- ");
	add_spans(form, text, scdoc_span);
	buffer_add_char(form->buffer, '\n');
}

static void scdoc_code(struct form *form, struct text lines)
{
	buffer_add_string(form->buffer, "\n```\n");
	buffer_add_text(form->buffer, lines);
	buffer_add_string(form->buffer, "```\n\n");
}

static void scdoc_row(struct form *form, struct text term, struct text text)
{
	add_spans(form, term, scdoc_span);
	buffer_add_string(form->buffer, "\n\t");
	add_spans(form, text, scdoc_span);
	buffer_add_string(form->buffer, "\n\n");
}

void manual_scdoc(struct buffer *buffer, struct text markdown)
{
	struct form form = {.buffer = buffer,
		.man = true,
		.heading = scdoc_heading,
		.paragraph = scdoc_paragraph,
		.item = scdoc_item,
		.code = scdoc_code,
		.row = scdoc_row};
	read_page(&form, markdown);
}
