#include "base/file.h"
#include "base/path.h"
#include "manifest/manifest.h"

static bool copy_entry(const struct manifest_place *place, int folder, struct text path,
	const struct folder_entry *entry, struct error *error)
{
	arena_cleanup arena = {0};
	struct text content;
	const char *joined =
		path_join(&arena, text_string(&arena, path), text_string(&arena, entry->path));
	if (entry->kind == FOLDER_FOLDER) {
		return sandbox_make_folder(place->sandbox, text_of(joined), error);
	}
	if (entry->kind != FOLDER_FILE) {
		return error_set(error, ERROR_USAGE, "'%.*s' is a link or a special file",
			       (int)entry->path.length, entry->path.data) ||
			error_hint(error, "copy a folder of plain files, or leave it out");
	}
	return folder_read(&arena, folder, entry->path, MANIFEST_FILE_LIMIT, &content, error) &&
		sandbox_write(place->sandbox, text_of(joined), content,
			entry->mode & S_IXUSR ? 0755 : 0644, error);
}

static bool apply(const struct manifest_place *place, struct text path,
	const struct yaml_node *node, struct error *error)
{
	const struct yaml_node *src = yaml_get(node, "src");
	struct folder_list list;
	if (!sandbox_make_folder(place->sandbox, path, error)) {
		return false;
	}
	struct text named = team_substitute(place->arena, place->team, place->values, src->text);
	if (named.length == 0) {
		return error_set(error, ERROR_USAGE, "the input '%.*s' names no folder",
			(int)src->text.length, src->text.data);
	}
	const char *source = path_join(place->arena, place->team->manifest.folder, named.data);
	file_cleanup folder = folder_open(source, error);
	if (folder < 0 ||
		!folder_scan(
			place->arena, folder, TEXT(""), MANIFEST_FILES, NULL, NULL, &list, error)) {
		return false;
	}
	if (list.cut) {
		return error_set(
			error, ERROR_USAGE, "'%s' has more than %d files", source, MANIFEST_FILES);
	}
	for (size_t i = 0; i < list.count; i++) {
		if (!copy_entry(place, folder, path, &list.entries[i], error)) {
			return false;
		}
	}
	return true;
}

static const struct key keys[] = {
	{"src", KEY_FOLDER,
		"The folder on this machine, relative to the team file; or ${inputs.NAME} of a "
		"folder.",
		.required = true},
	{0},
};

const struct entry_kind entry_local_dir = {
	.owner = {.name = "local_dir", .help = "A copy of a folder of this machine.", .keys = keys},
	.apply = apply,
};
