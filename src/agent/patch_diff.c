#include <string.h>

#include "agent/patch.h"

/*
 * The V4A diff: sections of context (" "), deleted ("-") and inserted ("+") lines, each found in the
 * file by its context and deleted lines, optionally behind anchors ("@@ a line of the file").
 */

enum { SHOWN_LIMIT = 2000 /* bytes of a text in a message */ };

struct section {
	struct text *wanted; // context and deleted lines: what the file has to hold
	size_t wanted_count;
	bool at_end; // "*** End of File"
};

// Replace `deleted` lines from line `at` of the file by lines of the diff.
struct chunk {
	size_t at, deleted;
	struct text *inserted;
	size_t inserted_count;
};

struct update {
	struct arena *arena;
	struct text *lines; // of the file; the last one is empty if the file ends with a newline
	size_t line_count;
	const struct text *diff;
	size_t diff_count;
	size_t at;                      // in the diff
	size_t cursor;                  // in the file
	struct text *wanted, *inserted; // room for all sections and chunks
	size_t wanted_count, inserted_count;
	struct chunk *chunks;
	size_t chunk_count;
	size_t cost;
	const char **problem;
};

static bool fail(struct update *update, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool fail(struct update *update, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	*update->problem = arena_vprintf(update->arena, format, arguments);
	va_end(arguments);
	return false;
}

static struct text trim_nothing(struct text text)
{
	return text;
}

static struct text trim_right(struct text text)
{
	struct text trimmed = text_trim(text);
	return trimmed.length
		? (struct text){text.data, (size_t)(trimmed.data - text.data) + trimmed.length}
		: trimmed;
}

typedef struct text trim_function(struct text text);

static bool same(struct update *update, struct text a, struct text b, trim_function *trim)
{
	update->cost += 1 + (a.length + b.length) / 16;
	return text_equal(trim(a), trim(b));
}

static bool too_costly(const struct update *update)
{
	return update->cost > PATCH_COST;
}

static bool fail_costly(struct update *update)
{
	return fail(update, "the patch is too costly to apply; use smaller patches");
}

static bool is_anchor(struct text line)
{
	return text_is(line, "@@") || text_starts(line, "@@ ");
}

// Moves the cursor behind the first line that equals the anchor. One that stands before the cursor
// is found, too, and moves nothing; only the first of several anchors may do so.
static bool find_anchor(struct update *update, struct text anchor, bool first)
{
	static trim_function *const trims[] = {trim_nothing, text_trim};
	for (size_t t = 0; t < 2; t++) {
		for (size_t i = 0; first && i < update->cursor && !too_costly(update); i++) {
			if (same(update, update->lines[i], anchor, trims[t])) {
				return true;
			}
		}
		for (size_t i = update->cursor; i < update->line_count && !too_costly(update);
			i++) {
			if (same(update, update->lines[i], anchor, trims[t])) {
				update->cursor = i + 1;
				return true;
			}
		}
	}
	return false;
}

static bool invalid_line(struct update *update, struct text line)
{
	struct text shown = text_cut(line, SHOWN_LIMIT);
	return fail(update, "Invalid Line:\n%.*s", (int)shown.length, shown.data ? shown.data : "");
}

static bool read_anchors(struct update *update)
{
	size_t start = update->at, headers = 0;
	while (update->at < update->diff_count && is_anchor(update->diff[update->at])) {
		headers += text_trim(update->diff[update->at]).length > 2;
		update->at++;
	}
	if (update->at == start && update->cursor > 0) {
		struct text line = update->diff[update->at];
		return invalid_line(update, line);
	}
	bool first = true;
	for (size_t i = start; i < update->at; i++) {
		struct text anchor = update->diff[i];
		anchor = anchor.length > 3 ? (struct text){anchor.data + 3, anchor.length - 3}
					   : (struct text){0};
		if (text_trim(anchor).length == 0) {
			continue;
		}
		size_t cursor = update->cursor;
		// A single anchor that is not there is forgiven: the context decides.
		if (!find_anchor(update, anchor, first) && headers > 1) {
			struct text shown = text_cut(anchor, SHOWN_LIMIT);
			return fail(update, "Invalid Anchor %zu:\n%.*s", cursor, (int)shown.length,
				shown.data);
		}
		first = false;
	}
	return too_costly(update) ? fail_costly(update) : true;
}

static bool ends_section(struct text line)
{
	return text_starts(line, "@@") || text_is(line, "***") ||
		text_starts(line, "*** End of File");
}

static void read_line(struct update *update, struct section *section, char sign, struct text line)
{
	struct chunk *chunk = &update->chunks[update->chunk_count - 1]; // unless it is context
	if (sign == '+') {
		chunk->inserted[chunk->inserted_count++] = line;
		update->inserted_count++;
		return;
	}
	section->wanted[section->wanted_count++] = line;
	update->wanted_count++;
	if (sign == '-') {
		chunk->deleted++;
	}
}

// Reads context, deleted and inserted lines up to the section's end. Chunks are noted relative to
// the section's first line.
static bool read_section(struct update *update, struct section *section)
{
	size_t start = update->at;
	bool in_chunk = false;
	section->wanted = &update->wanted[update->wanted_count];
	for (; update->at < update->diff_count; update->at++) {
		struct text line = update->diff[update->at];
		if (ends_section(line)) {
			break;
		}
		char sign = line.length ? line.data[0] : ' ';
		if (!memchr(" +-", sign, 3)) {
			return invalid_line(update, line);
		}
		if (line.length) {
			line = (struct text){line.data + 1, line.length - 1};
		}
		if (sign != ' ' && !in_chunk) {
			update->chunks[update->chunk_count++] =
				(struct chunk){.at = section->wanted_count,
					.inserted = &update->inserted[update->inserted_count]};
		}
		in_chunk = sign != ' ';
		read_line(update, section, sign, line);
	}
	if (update->at == start) {
		return fail(update, "Nothing in this section");
	}
	if (update->at < update->diff_count) {
		section->at_end = text_starts(update->diff[update->at], "*** End of File");
		update->at += !text_starts(update->diff[update->at], "@@");
	}
	return true;
}

static bool matches_at(
	struct update *update, const struct section *section, size_t position, trim_function *trim)
{
	if (position + section->wanted_count > update->line_count) {
		return false;
	}
	for (size_t i = 0; i < section->wanted_count; i++) {
		if (!same(update, update->lines[position + i], section->wanted[i], trim)) {
			return false;
		}
	}
	return true;
}

// The first place from `from` to `last` where the section fits, most exactly first.
static bool find_between(struct update *update, const struct section *section, size_t from,
	size_t last, size_t *found)
{
	static trim_function *const trims[] = {trim_nothing, trim_right, text_trim};
	for (size_t t = 0; t < sizeof(trims) / sizeof(trims[0]); t++) {
		for (size_t i = from; i <= last; i++) {
			if (too_costly(update)) {
				return false;
			}
			if (matches_at(update, section, i, trims[t])) {
				*found = i;
				return true;
			}
		}
	}
	return false;
}

static bool find_section(struct update *update, const struct section *section, size_t *found)
{
	if (section->at_end && section->wanted_count <= update->line_count) {
		size_t end = update->line_count - section->wanted_count;
		if (find_between(update, section, end, end, found)) {
			return true;
		}
	}
	if (find_between(update, section, update->cursor, update->line_count, found)) {
		return true;
	}
	if (too_costly(update)) {
		return fail_costly(update);
	}
	buffer_cleanup context = {0};
	for (size_t i = 0; i < section->wanted_count; i++) {
		buffer_add_string(&context, "\n");
		buffer_add_text(&context, section->wanted[i]);
	}
	struct text shown = text_cut(buffer_text(&context), SHOWN_LIMIT);
	return fail(update, "Invalid %sContext %zu:%.*s", section->at_end ? "EOF " : "",
		update->cursor, (int)shown.length, shown.data ? shown.data : "");
}

static bool read_diff(struct update *update)
{
	while (update->at < update->diff_count) {
		struct section section = {0};
		size_t first = update->chunk_count, found;
		if (!read_anchors(update)) {
			return false;
		}
		if (!read_section(update, &section) || !find_section(update, &section, &found)) {
			return false;
		}
		for (size_t i = first; i < update->chunk_count; i++) {
			update->chunks[i].at += found;
		}
		update->cursor = found + section.wanted_count;
	}
	return true;
}

static void add_line(struct buffer *content, struct text line, const char *newline, bool *first)
{
	if (!*first) {
		buffer_add_string(content, newline);
	}
	*first = false;
	buffer_add_text(content, line);
}

static bool apply_chunks(struct update *update, const char *newline, struct buffer *content)
{
	size_t next = 0;
	bool first = true;
	for (size_t i = 0; i < update->chunk_count; i++) {
		const struct chunk *chunk = &update->chunks[i];
		if (chunk->at < next || chunk->at + chunk->deleted > update->line_count) {
			return fail(update, "overlapping chunk at line %zu", chunk->at + 1);
		}
		while (next < chunk->at) {
			add_line(content, update->lines[next++], newline, &first);
		}
		for (size_t j = 0; j < chunk->inserted_count; j++) {
			add_line(content, chunk->inserted[j], newline, &first);
		}
		next += chunk->deleted;
	}
	while (next < update->line_count) {
		add_line(content, update->lines[next++], newline, &first);
	}
	return true;
}

// All lines, also the empty one behind a last newline; whether the file uses CRLF, or any newline.
static void split_file(struct update *update, struct text old, bool *crlf, bool *any)
{
	size_t count = 1;
	for (size_t i = 0; i < old.length; i++) {
		count += old.data[i] == '\n';
	}
	*any = count > 1;
	update->lines = arena_new_array(update->arena, count, struct text);
	const char *next = old.data ? old.data : "", *end = next + old.length;
	while (update->line_count < count - 1) {
		const char *newline = memchr(next, '\n', (size_t)(end - next));
		bool carriage = newline > next && newline[-1] == '\r';
		*crlf = *crlf || carriage;
		update->lines[update->line_count++] =
			(struct text){next, (size_t)(newline - next) - carriage};
		next = newline + 1;
	}
	update->lines[update->line_count++] = (struct text){next, (size_t)(end - next)};
}

bool patch_update(struct arena *arena, const struct patch_operation *operation, struct text old,
	struct text *content, const char **problem)
{
	struct update update = {
		.arena = arena,
		.diff = operation->diff,
		.diff_count = operation->diff_count,
		.wanted = arena_new_array(arena, operation->diff_count, struct text),
		.inserted = arena_new_array(arena, operation->diff_count, struct text),
		// The first one is for the context before any chunk.
		.chunks = arena_new_array(arena, operation->diff_count + 1, struct chunk),
		.chunk_count = 1,
		.problem = problem,
	};
	bool crlf = false, any = false;
	split_file(&update, old, &crlf, &any);
	buffer_cleanup result = {0};
	if (!read_diff(&update) ||
		!apply_chunks(&update, (any ? crlf : operation->diff_has_crlf) ? "\r\n" : "\n",
			&result)) {
		return false;
	}
	*content = text_copy(arena, buffer_text(&result));
	return true;
}

bool patch_create(struct arena *arena, const struct patch_operation *operation,
	struct text *content, const char **problem)
{
	buffer_cleanup result = {0};
	for (size_t i = 0; i < operation->diff_count; i++) {
		struct text line = operation->diff[i];
		if (!text_starts(line, "+")) {
			line = text_cut(line, SHOWN_LIMIT);
			*problem = arena_printf(arena, "Invalid Add File Line: %.*s",
				(int)line.length, line.data ? line.data : "");
			return false;
		}
		if (i) {
			buffer_add_string(&result, operation->diff_has_crlf ? "\r\n" : "\n");
		}
		buffer_add(&result, line.data + 1, line.length - 1);
	}
	*content = text_copy(arena, buffer_text(&result));
	return true;
}
