#include "view/diff.h"

#include <stdio.h>
#include <string.h>

#include "view/words.h"

// How git writes a name that is not plain: "a/tab\there", in octal what is no ASCII.
// True if it had to be quoted.
static bool add_name(struct buffer *buffer, const char *side, const char *path)
{
	static const char plain[] = "\a\b\t\n\v\f\r\"\\";
	static const char letters[] = "abtnvfr\"\\";
	bool odd = false;
	for (const char *at = path; *at && !odd; at++) {
		odd = (unsigned char)*at < ' ' || (unsigned char)*at > '~' || *at == '"' ||
			*at == '\\';
	}
	if (!odd) {
		buffer_printf(buffer, "%s%s", side, path);
		return false;
	}
	buffer_printf(buffer, "\"%s", side);
	for (const char *at = path; *at; at++) {
		const char *found = strchr(plain, *at);
		if (found) {
			buffer_printf(buffer, "\\%c", letters[found - plain]);
		} else if ((unsigned char)*at < ' ' || (unsigned char)*at > '~') {
			buffer_printf(buffer, "\\%03o", (unsigned)(unsigned char)*at);
		} else {
			buffer_add_char(buffer, *at);
		}
	}
	buffer_add_char(buffer, '"');
	return true;
}

// A name without quotes that has a space is ended by a tab, or it could not be told from a date.
static void add_file_line(
	struct buffer *buffer, const char *mark, const char *side, const char *path, bool there)
{
	buffer_add_string(buffer, mark);
	if (!there) {
		buffer_add_string(buffer, "/dev/null\n");
		return;
	}
	bool quoted = add_name(buffer, side, path);
	buffer_add_string(buffer, !quoted && strchr(path, ' ') ? "\t\n" : "\n");
}

static void add_modes(struct buffer *buffer, const struct history_difference *difference)
{
	unsigned before = difference->before.mode, after = difference->after.mode;
	if (!before) {
		buffer_printf(buffer, "new file mode %06o\n", after);
	} else if (!after) {
		buffer_printf(buffer, "deleted file mode %06o\n", before);
	} else if (before != after) {
		buffer_printf(buffer, "old mode %06o\nnew mode %06o\n", before, after);
	}
}

static void add_index(struct buffer *buffer, const struct history_difference *difference)
{
	static const char none[] = "0000000000000000000000000000000000000000";
	const struct history_side *before = &difference->before, *after = &difference->after;
	if (strcmp(before->blob, after->blob) == 0) {
		return; // only the mode differs
	}
	buffer_printf(buffer, "index %s..%s", before->blob[0] ? before->blob : none,
		after->blob[0] ? after->blob : none);
	if (before->mode == after->mode) {
		buffer_printf(buffer, " %06o", after->mode);
	}
	buffer_add_char(buffer, '\n');
}

static void add_hunks(struct buffer *buffer, struct text hunks, bool colours)
{
	struct text rest = hunks, line;
	if (!colours) {
		buffer_add_text(buffer, hunks);
		return;
	}
	while (text_next_line(&rest, &line)) {
		char first = line.length ? line.data[0] : ' ';
		words_colour(buffer, true,
			first == '+'           ? COLOUR_GOOD
				: first == '-' ? COLOUR_BAD
				: first == '@' ? COLOUR_DIM
					       : COLOUR_PLAIN);
		buffer_add_terminal(buffer, line);
		words_colour(buffer, true, COLOUR_PLAIN);
		buffer_add_char(buffer, '\n');
	}
}

void diff_print(struct buffer *buffer, const struct history_difference *difference, bool colours)
{
	const char *path = difference->path;
	bool before = difference->before.mode != 0, after = difference->after.mode != 0;
	words_colour(buffer, colours, COLOUR_STRONG);
	buffer_add_string(buffer, "diff --git ");
	add_name(buffer, "a/", path);
	buffer_add_char(buffer, ' ');
	add_name(buffer, "b/", path);
	words_colour(buffer, colours, COLOUR_PLAIN);
	buffer_add_char(buffer, '\n');
	add_modes(buffer, difference);
	add_index(buffer, difference);
	if (difference->hunks.length) {
		add_file_line(buffer, "--- ", "a/", path, before);
		add_file_line(buffer, "+++ ", "b/", path, after);
		add_hunks(buffer, difference->hunks, colours);
	} else if ((difference->binary || difference->large) &&
		strcmp(difference->before.blob, difference->after.blob) != 0) {
		buffer_add_string(buffer, difference->binary ? "Binary files " : "Large files ");
		add_name(buffer, before ? "a/" : "", before ? path : "/dev/null");
		buffer_add_string(buffer, " and ");
		add_name(buffer, after ? "b/" : "", after ? path : "/dev/null");
		buffer_add_string(buffer, " differ\n");
	}
}

static void side_json(struct document *document, const char *name, const struct history_side *side)
{
	char mode[16];
	if (!side->mode) {
		document_null(document, name);
		return;
	}
	snprintf(mode, sizeof(mode), "%06o", side->mode);
	document_object(document, name);
	document_string(document, "blob", side->blob);
	document_string(document, "mode", mode);
	document_number(document, "size", side->size);
	document_end_object(document);
}

void diff_json(struct document *document, const struct history_difference *difference,
	const struct history_step *step)
{
	static const char *const statuses[] = {[HISTORY_ADDED] = "added",
		[HISTORY_CHANGED] = "changed",
		[HISTORY_DELETED] = "deleted"};
	document_object(document, NULL);
	document_string(document, "path", difference->path);
	document_string(document, "status", statuses[difference->status]);
	document_string(document, "agent", step ? step->author : NULL);
	if (step) {
		document_number(document, "turn", step->turn);
	} else {
		document_null(document, "turn");
	}
	document_flag(document, "binary", difference->binary);
	document_flag(document, "large", difference->large);
	document_number(document, "added", (int64_t)difference->added);
	document_number(document, "removed", (int64_t)difference->removed);
	side_json(document, "before", &difference->before);
	side_json(document, "after", &difference->after);
	document_end_object(document);
}
