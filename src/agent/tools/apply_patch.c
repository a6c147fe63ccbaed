#include <string.h>

#include "agent/patch.h"
#include "agent/tools/common.h"

/*
 * All files are read and all results computed before the first is written; if writing fails half
 * way, what was written is taken back. A patch is applied as a whole or not at all.
 */

// A file that the patch touches, as it was and as it will be.
struct file {
	struct text path;
	bool existed, exists;
	struct text old, content;
	mode_t mode;
	bool written; // or removed
};

struct change {
	const struct tool_place *place;
	struct arena *arena;
	struct patch patch;
	struct text *paths, *targets; // of each operation, clean; targets: of moves
	struct file *files;
	size_t file_count;
	const char *problem; // for the model, without the path
	struct text where;   // the path it is about
};

static bool fail(struct change *change, struct text path, const char *problem)
{
	change->where = path;
	change->problem = problem;
	return false;
}

static bool clean_path(struct change *change, struct text path, struct text *clean)
{
	struct error error;
	if (!tool_path(change->arena, path, clean, &error)) {
		const char *problem =
			arena_printf(change->arena, "%s. %s", error.message, error.hint);
		return fail(change, (struct text){0}, problem); // it names the path itself
	}
	if (clean->length == 0) {
		return fail(change, path, "this is the workspace itself, no file");
	}
	return true;
}

static bool clean_paths(struct change *change)
{
	size_t count = change->patch.count;
	change->paths = arena_new_array(change->arena, count, struct text);
	change->targets = arena_new_array(change->arena, count, struct text);
	for (size_t i = 0; i < count; i++) {
		const struct patch_operation *operation = &change->patch.operations[i];
		if (!clean_path(change, operation->path, &change->paths[i])) {
			return false;
		}
		if (operation->move_to.length &&
			!clean_path(change, operation->move_to, &change->targets[i])) {
			return false;
		}
	}
	return true;
}

// The file as the operations so far leave it; read when it is first named. NULL: it cannot be used.
static struct file *open_file(struct change *change, struct text path)
{
	for (size_t i = 0; i < change->file_count; i++) {
		if (text_equal(change->files[i].path, path)) {
			return &change->files[i];
		}
	}
	struct file *file = &change->files[change->file_count];
	*file = (struct file){.path = path};
	struct sandbox *sandbox = change->place->sandbox;
	struct folder_stat found = sandbox_stat(sandbox, path);
	if (found.kind != FOLDER_MISSING && found.kind != FOLDER_FILE) {
		const char *what = found.kind == FOLDER_FOLDER ? "a folder"
			: found.what                           ? found.what
							       : "no regular file";
		fail(change, path, arena_printf(change->arena, "this is %s", what));
		return NULL;
	}
	if (found.kind == FOLDER_FILE) {
		struct error error;
		if (!sandbox_read(
			    sandbox, change->arena, path, TOOL_FILE_LIMIT, &file->old, &error)) {
			fail(change, path, arena_string(change->arena, error.message));
			return NULL;
		}
		file->existed = file->exists = true;
		file->content = file->old;
		file->mode = found.mode & 0777;
	}
	change->file_count++;
	return file;
}

static bool create(struct change *change, const struct patch_operation *operation, size_t index)
{
	struct file *file = open_file(change, change->paths[index]);
	struct text content;
	const char *problem;
	if (!file) {
		return false;
	}
	if (file->exists) {
		return fail(change, file->path,
			"the file exists already; change it with '*** Update File:'");
	}
	if (!patch_create(change->arena, operation, &content, &problem)) {
		return fail(change, file->path, problem);
	}
	// A text file ends with a newline, though the form of the patch leaves that open.
	if (content.length) {
		const char *newline = operation->diff_has_crlf ? "\r\n" : "\n";
		content = text_of(arena_printf(change->arena, "%s%s", content.data, newline));
	}
	file->exists = true;
	file->content = content;
	return true;
}

static bool move(struct change *change, struct file *file, struct text target)
{
	struct file *other = open_file(change, target);
	if (!other) {
		return false;
	}
	if (other->exists) {
		return fail(change, target, "the file to move to exists already");
	}
	other->exists = true;
	other->content = file->content;
	other->mode = file->mode;
	file->exists = false;
	return true;
}

static bool update(struct change *change, const struct patch_operation *operation, size_t index)
{
	struct file *file = open_file(change, change->paths[index]);
	const char *problem;
	if (!file) {
		return false;
	}
	if (!file->exists) {
		return fail(change, file->path, "there is no such file in the workspace");
	}
	if (!text_is_utf8(file->content)) {
		return fail(change, file->path, "the file is no UTF-8 text");
	}
	if (!patch_update(change->arena, operation, file->content, &file->content, &problem)) {
		return fail(change, file->path, problem);
	}
	struct text target = change->targets[index];
	if (target.length && !text_equal(target, file->path)) {
		return move(change, file, target);
	}
	return true;
}

static bool delete (struct change *change, const struct patch_operation *operation, size_t index)
{
	(void)operation;
	struct file *file = open_file(change, change->paths[index]);
	if (!file) {
		return false;
	}
	if (!file->exists) {
		return fail(change, file->path, "there is no such file in the workspace");
	}
	file->exists = false;
	return true;
}

static const struct {
	bool (*compute)(struct change *, const struct patch_operation *, size_t index);
	const char *done;
} kinds[] = {
	[PATCH_CREATE] = {create, "Created"},
	[PATCH_UPDATE] = {update, "Updated"},
	[PATCH_DELETE] = {delete, "Deleted"},
};

static bool compute(struct change *change)
{
	change->files = arena_new_array(change->arena, 2 * change->patch.count, struct file);
	for (size_t i = 0; i < change->patch.count; i++) {
		const struct patch_operation *operation = &change->patch.operations[i];
		if (!kinds[operation->kind].compute(change, operation, i)) {
			return false;
		}
	}
	return true;
}

static bool put(struct change *change, struct file *file, bool exists, struct text content,
	struct error *error)
{
	struct sandbox *sandbox = change->place->sandbox;
	return exists ? sandbox_write(sandbox, file->path, content, file->mode, error)
		      : sandbox_remove(sandbox, file->path, false, error);
}

// Takes back what was written. False if the workspace is left with a part of the patch.
static bool take_back(struct change *change)
{
	bool all = true;
	for (size_t i = change->file_count; i-- > 0;) {
		struct file *file = &change->files[i];
		struct error error;
		if (file->written && put(change, file, file->existed, file->old, &error)) {
			file->written = false;
		}
		all = all && !file->written;
	}
	return all;
}

// Removes only after all is written, so that a moved file is never in neither place.
static bool write_all(struct change *change)
{
	for (int removing = 0; removing < 2; removing++) {
		for (size_t i = 0; i < change->file_count; i++) {
			struct file *file = &change->files[i];
			struct error error;
			if (file->exists == (bool)removing || (!file->exists && !file->existed)) {
				continue;
			}
			if (put(change, file, file->exists, file->content, &error)) {
				file->written = true;
				continue;
			}
			const char *end = take_back(change)
				? "nothing was changed"
				: "a part of the patch stays applied: look at its files";
			return fail(change, file->path,
				arena_printf(change->arena, "%s; %s", error.message, end));
		}
	}
	return true;
}

static void report(struct change *change, struct tool_result *result)
{
	buffer_cleanup text = {0};
	for (size_t i = 0; i < change->patch.count; i++) {
		const struct patch_operation *operation = &change->patch.operations[i];
		const char *path = text_string(change->arena, change->paths[i]);
		buffer_printf(&text, "%s%s %s", i ? "\n" : "", kinds[operation->kind].done, path);
		if (change->targets[i].length) {
			buffer_printf(&text, "\nMoved %s to %s", path,
				text_string(change->arena, change->targets[i]));
		}
	}
	tool_answer(result, change->arena, buffer_text(&text));
}

static void run(const struct tool_place *place, struct arena *arena, const cJSON *arguments,
	struct tool_result *result)
{
	struct change change = {.place = place, .arena = arena};
	struct text input = text_of(json_string(arguments, "input", ""));
	bool done = patch_parse(arena, input, &change.patch, &change.problem) &&
		clean_paths(&change) && compute(&change) && write_all(&change);
	tool_expect_paths(result, arena, change.file_count);
	for (size_t i = 0; i < change.file_count; i++) {
		if (change.files[i].written) {
			tool_wrote(result, change.files[i].path);
		}
	}
	if (done) {
		report(&change, result);
	} else if (change.where.length) {
		tool_fail(result, arena, "apply_patch failed: %.*s: %s", (int)change.where.length,
			change.where.data, change.problem);
	} else {
		tool_fail(result, arena, "apply_patch failed: %s", change.problem);
	}
}

static const struct key parameters[] = {
	{"input", KEY_STRING, "The patch, from '*** Begin Patch' to '*** End Patch'.",
		.required = true, .minimum = 1, .maximum = INT64_MAX},
	{0},
};

const struct tool tool_apply_patch = {
	.name = "apply_patch",
	.help = "Creates, changes, moves and deletes files by one patch, as a whole or not at all.",
	.description =
		"Creates, changes, moves and deletes text files of the workspace with one patch, "
		"applied as a whole or not at all. Form:\n"
		"*** Begin Patch\n"
		"*** Add File: new.txt\n"
		"+every line of the new file\n"
		"*** Update File: old.txt\n"
		"*** Move to: renamed.txt\n"
		"@@ a line above the change, when the context alone is not unique\n"
		" an unchanged line before\n"
		"-a line to remove\n"
		"+a line to put in its place\n"
		" an unchanged line after\n"
		"*** Delete File: gone.txt\n"
		"*** End Patch\n"
		"'*** Move to:' and '@@' are optional; each further part of an update starts with "
		"'@@'. Paths are taken from the workspace's root.",
	.parameters = parameters,
	.effectful = true,
	.run = run,
};
