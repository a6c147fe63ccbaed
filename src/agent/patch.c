#include "agent/patch.h"

#include <string.h>

#include "base/json.h"

static const char begin_line[] = "*** Begin Patch", end_line[] = "*** End Patch";
static const char move_line[] = "*** Move to:";

// The line that opens an operation of each kind.
static const struct {
	const char *line;
	const char *json; // its "type" in the JSON form
	enum patch_kind kind;
} headers[] = {
	{"*** Add File:", "create_file", PATCH_CREATE},
	{"*** Update File:", "update_file", PATCH_UPDATE},
	{"*** Delete File:", "delete_file", PATCH_DELETE},
};
enum { HEADERS = sizeof(headers) / sizeof(headers[0]) };

static bool fail(struct arena *arena, const char **problem, const char *what, struct text line)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, line, 200);
	*problem = arena_printf(arena, "%s%s%s%s", what, line.length ? ": '" : "",
		shown.data ? shown.data : "", line.length ? "'" : "");
	return false;
}

struct lines {
	struct text *items;
	size_t count;
	bool crlf; // at least one ends with CRLF
};

static struct lines split(struct arena *arena, struct text text)
{
	size_t count = 1;
	for (size_t i = 0; i < text.length; i++) {
		count += text.data[i] == '\n';
	}
	struct lines lines = {.items = arena_new_array(arena, count, struct text)};
	const char *end = text.data + text.length;
	for (struct text line; text_next_line(&text, &line);) {
		const char *behind = line.data + line.length;
		lines.crlf = lines.crlf || (behind < end && *behind == '\r');
		lines.items[lines.count++] = line;
	}
	return lines;
}

static int header_of(struct text line)
{
	for (int i = 0; i < HEADERS; i++) {
		if (text_starts(line, headers[i].line)) {
			return i;
		}
	}
	return -1;
}

static struct text after(struct text line, const char *prefix)
{
	size_t length = strlen(prefix);
	return text_trim((struct text){line.data + length, line.length - length});
}

static bool check_body(
	struct arena *arena, const struct patch_operation *operation, const char **problem)
{
	if (operation->kind == PATCH_DELETE && operation->diff_count) {
		return fail(
			arena, problem, "a Delete File section takes no lines", operation->diff[0]);
	}
	if (operation->kind != PATCH_DELETE && operation->diff_count == 0) {
		return fail(arena, problem, "a section has no lines for the file", operation->path);
	}
	return true;
}

// One section, from its header at *at to the next header; *at moves behind it.
static bool parse_section(struct arena *arena, const struct lines *lines, size_t *at, size_t end,
	struct patch_operation *operation, const char **problem)
{
	struct text header = lines->items[*at];
	int index = header_of(header);
	if (index < 0) {
		return fail(arena, problem,
			"expected '*** Add File: ', '*** Update File: ' or '*** Delete File: '",
			header);
	}
	*operation = (struct patch_operation){.kind = headers[index].kind,
		.path = after(header, headers[index].line),
		.diff_has_crlf = lines->crlf};
	if (operation->path.length == 0) {
		return fail(arena, problem, "a file header names no file", header);
	}
	++*at;
	if (operation->kind == PATCH_UPDATE && *at < end &&
		text_starts(lines->items[*at], move_line)) {
		operation->move_to = after(lines->items[*at], move_line);
		if (operation->move_to.length == 0) {
			return fail(arena, problem, "'*** Move to:' names no file", header);
		}
		++*at;
	}
	operation->diff = &lines->items[*at];
	while (*at < end && header_of(lines->items[*at]) < 0) {
		++*at;
		operation->diff_count++;
	}
	return check_body(arena, operation, problem);
}

static bool parse_envelope(
	struct arena *arena, struct text input, struct patch *patch, const char **problem)
{
	struct lines lines = split(arena, input);
	if (lines.count < 2 || !text_is(text_trim(lines.items[0]), begin_line)) {
		return fail(arena, problem, "the first line has to be '*** Begin Patch'",
			lines.count ? lines.items[0] : (struct text){0});
	}
	size_t end = lines.count - 1;
	if (!text_is(text_trim(lines.items[end]), end_line)) {
		return fail(arena, problem, "the last line has to be '*** End Patch'",
			lines.items[end]);
	}
	size_t count = 0;
	for (size_t i = 1; i < end; i++) {
		count += header_of(lines.items[i]) >= 0;
	}
	if (count > PATCH_OPERATIONS) {
		return fail(
			arena, problem, "the patch has more than 1000 sections", (struct text){0});
	}
	patch->operations = arena_new_array(arena, count + 1, struct patch_operation);
	for (size_t at = 1; at < end;) {
		if (!parse_section(
			    arena, &lines, &at, end, &patch->operations[patch->count], problem)) {
			return false;
		}
		patch->count++;
	}
	if (patch->count == 0) {
		return fail(arena, problem, "the patch has no section", (struct text){0});
	}
	return true;
}

static bool parse_json_operation(struct arena *arena, const cJSON *json,
	struct patch_operation *operation, const char **problem)
{
	const char *type = json_string(json, "type", "");
	const char *path = json_string(json, "path", "");
	const char *diff = json_string(json, "diff", NULL);
	int index = 0;
	while (index < HEADERS && strcmp(type, headers[index].json) != 0) {
		index++;
	}
	if (index == HEADERS) {
		return fail(arena, problem,
			"an operation's 'type' has to be create_file, update_file or delete_file",
			text_of(type));
	}
	*operation = (struct patch_operation){.kind = headers[index].kind,
		.path = text_trim(text_of(arena_string(arena, path))),
		.move_to =
			text_trim(text_of(arena_string(arena, json_string(json, "move_to", ""))))};
	if (operation->path.length == 0) {
		return fail(arena, problem, "an operation has no 'path'", text_of(type));
	}
	if (operation->kind == PATCH_DELETE) {
		return true;
	}
	if (!diff) {
		return fail(arena, problem, "an operation has no 'diff'", operation->path);
	}
	struct lines lines = split(arena, text_of(arena_string(arena, diff)));
	operation->diff = lines.items;
	operation->diff_count = lines.count;
	operation->diff_has_crlf = lines.crlf;
	return check_body(arena, operation, problem);
}

static bool parse_json(
	struct arena *arena, struct text input, struct patch *patch, const char **problem)
{
	struct error error;
	json_cleanup *tree = json_parse(input, &error);
	if (!tree) {
		return fail(arena, problem, arena_string(arena, error.message), (struct text){0});
	}
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(tree, "operations");
	const cJSON *single = cJSON_GetObjectItemCaseSensitive(tree, "operation");
	list = list ? list : tree;
	size_t count = cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : 1;
	if (count == 0 || count > PATCH_OPERATIONS) {
		return fail(arena, problem, "a patch has 1 to 1000 operations", (struct text){0});
	}
	patch->operations = arena_new_array(arena, count, struct patch_operation);
	const cJSON *item = cJSON_IsArray(list) ? list->child : single ? single : list;
	for (; patch->count < count; item = item->next) {
		if (!parse_json_operation(arena, item, &patch->operations[patch->count], problem)) {
			return false;
		}
		patch->count++;
	}
	return true;
}

bool patch_parse(struct arena *arena, struct text input, struct patch *patch, const char **problem)
{
	*patch = (struct patch){0};
	if (input.length > PATCH_LIMIT) {
		return fail(arena, problem, "the patch is larger than 4 MiB", (struct text){0});
	}
	struct text text = text_trim(input);
	if (text.length && (text.data[0] == '{' || text.data[0] == '[')) {
		return parse_json(arena, text, patch, problem);
	}
	return parse_envelope(arena, text, patch, problem);
}
