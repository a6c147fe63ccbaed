#include "base/file.h"
#include "base/path.h"
#include "manifest/manifest.h"

static bool apply(const struct manifest_place *place, struct text path,
	const struct yaml_node *node, struct error *error)
{
	const struct yaml_node *src = yaml_get(node, "src");
	const char *source = path_join(
		place->arena, place->team->manifest.folder, text_string(place->arena, src->text));
	struct stat status;
	struct text content;
	if (!file_read(place->arena, source, MANIFEST_FILE_LIMIT, &content, error)) {
		return false;
	}
	mode_t mode = stat(source, &status) == 0 && status.st_mode & S_IXUSR ? 0755 : 0644;
	return sandbox_write(place->sandbox, path, content, mode, error);
}

static const struct key keys[] = {
	{"src", KEY_FILE, "The file on this machine, relative to the team file.", .required = true},
	{0},
};

const struct entry_kind entry_local_file = {
	.owner = {.name = "local_file", .help = "A copy of a file of this machine.", .keys = keys},
	.apply = apply,
};
