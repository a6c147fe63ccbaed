#include "agent/tools/common.h"

static void run(const struct tool_place *place, struct arena *arena, const cJSON *arguments,
	struct tool_result *result)
{
	struct text wanted = text_of(json_string(arguments, "path", ""));
	struct text content = text_of(json_string(arguments, "content", ""));
	struct text path;
	struct error error;
	if (!tool_path(arena, wanted, &path, &error)) {
		tool_fail_error(result, arena, &error);
		return;
	}
	const char *name = text_string(arena, path);
	if (path.length == 0 || text_ends(wanted, "/")) {
		tool_fail(result, arena,
			"'%s' names a folder; give the path of a file. Folders are made with it.",
			name[0] ? name : "/");
		return;
	}
	if (content.length > TOOL_FILE_LIMIT) {
		tool_fail(result, arena, "The content for '%s' is larger than %d MiB.", name,
			TOOL_FILE_LIMIT >> 20);
		return;
	}
	struct folder_stat old = sandbox_stat(place->sandbox, path);
	bool exists = old.kind == FOLDER_FILE;
	if (!sandbox_write(place->sandbox, path, content, exists ? old.mode & 0777 : 0, &error)) {
		tool_fail_error(result, arena, &error);
		return;
	}
	tool_expect_paths(result, arena, 1);
	tool_wrote(result, path);
	const char *answer = arena_printf(
		arena, "%s %s (%zu bytes)", exists ? "Updated" : "Created", name, content.length);
	tool_answer(result, arena, text_of(answer));
}

static const struct key parameters[] = {
	{"path", KEY_PATH, "The file, from the workspace's root. Folders are made where needed.",
		.required = true, .minimum = 1, .maximum = INT64_MAX},
	{"content", KEY_STRING, "The whole new content of the file.", .required = true},
	{0},
};

const struct tool tool_write_file = {
	.name = "write_file",
	.help = "Writes a file, and the folders it needs.",
	.description =
		"Writes a file of the workspace: a new one, or a new content for one that is "
		"there. For small changes of a large file use apply_patch.",
	.parameters = parameters,
	.effectful = true,
	.repeatable = true,
	.run = run,
};
