#include "agent/tools/common.h"

// What of a file is wanted, and how it is shown.
struct view {
	int64_t offset, limit; // lines, offset from 1
	bool numbers;
};

// Adds the wanted lines until `budget` bytes are used; says what is left out.
static void show_lines(struct buffer *shown, struct text content, struct view view, size_t budget)
{
	int64_t number = 0, last = 0;
	struct text rest = content;
	bool full = false;
	while (rest.length) {
		const char *start = rest.data;
		struct text line;
		text_next_line(&rest, &line);
		number++;
		line.length = (size_t)(rest.data - start); // with its line end
		if (number < view.offset || number - view.offset >= view.limit || full) {
			continue;
		}
		if (view.numbers) {
			buffer_printf(shown, "%6lld\t", (long long)number);
		}
		size_t room = budget > shown->length ? budget - shown->length : 0;
		if (line.length > room) {
			full = true;
			if (last == 0) {
				buffer_add_text(shown, text_cut(line, room));
				last = number;
			}
			continue;
		}
		buffer_add_text(shown, line);
		last = number;
	}
	if (view.offset > number) {
		buffer_printf(shown, "(the file has %lld lines; there is no line %lld)",
			(long long)number, (long long)view.offset);
	} else if (full) {
		buffer_printf(shown,
			"\n(lines %lld to %lld of %lld, cut at %d KiB; go on with offset %lld)",
			(long long)view.offset, (long long)last, (long long)number,
			TOOL_OUTPUT_LIMIT / 1024, (long long)last + 1);
	} else if (last < number) {
		buffer_printf(shown, "(lines %lld to %lld of %lld)", (long long)view.offset,
			(long long)last, (long long)number);
	}
}

static bool read_text(const struct tool_place *place, struct arena *arena, struct text wanted,
	struct text *content, struct error *error)
{
	struct text path;
	if (!tool_path(arena, wanted, &path, error)) {
		return false;
	}
	const char *name = path.length ? text_string(arena, path) : "/";
	struct folder_stat found = {.kind = FOLDER_FOLDER};
	if (path.length) {
		found = sandbox_stat(place->sandbox, path);
	}
	if (found.kind == FOLDER_MISSING) {
		error_set(error, ERROR_FAILED, "there is no file '%s' in the workspace", name);
		return error_hint(error, "Paths are taken from the workspace's root.");
	}
	if (found.kind == FOLDER_FOLDER) {
		error_set(error, ERROR_FAILED, "'%s' is a folder", name);
		return error_hint(error, "List it with exec_command, like ls -la.");
	}
	if (!sandbox_read(place->sandbox, arena, path, TOOL_FILE_LIMIT, content, error)) {
		return false;
	}
	if (!text_is_utf8(*content)) {
		error_set(error, ERROR_FAILED, "'%s' is no UTF-8 text (%zu bytes)", name,
			content->length);
		return error_hint(error, "Look at it with exec_command, like file or xxd.");
	}
	return true;
}

static void run(const struct tool_place *place, struct arena *arena, const cJSON *arguments,
	struct tool_result *result)
{
	struct text content;
	struct error error;
	struct text path = text_of(json_string(arguments, "path", ""));
	if (!read_text(place, arena, path, &content, &error)) {
		tool_fail_error(result, arena, &error);
		return;
	}
	if (content.length == 0) {
		tool_answer(result, arena, TEXT("(the file is empty)"));
		return;
	}
	struct view view = {
		.offset = (int64_t)json_number(arguments, "offset", 1),
		.limit = (int64_t)json_number(arguments, "limit", INT32_MAX),
		.numbers = json_boolean(arguments, "line_numbers", false),
	};
	buffer_cleanup shown = {0};
	show_lines(&shown, content, view, TOOL_OUTPUT_LIMIT);
	tool_answer(result, arena, buffer_text(&shown));
}

static const struct key parameters[] = {
	{"path", KEY_PATH, "The file, from the workspace's root.", .required = true, .minimum = 1,
		.maximum = INT64_MAX},
	{"offset", KEY_INTEGER, "The first line to show, from 1.", .minimum = 1,
		.maximum = INT32_MAX},
	{"limit", KEY_INTEGER, "How many lines to show.", .minimum = 1, .maximum = INT32_MAX},
	{"line_numbers", KEY_BOOLEAN, "Put its number in front of each line; false by default."},
	{0},
};

const struct tool tool_read_file = {
	.name = "read_file",
	.help = "Shows a text file of the workspace, at most 40 KiB at a time.",
	.description = "Shows a text file of the workspace, at most 40 KiB at a time.",
	.parameters = parameters,
	.quick = true,
	.run = run,
};
