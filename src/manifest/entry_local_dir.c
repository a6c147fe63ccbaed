#include "manifest/kind.h"

static struct walk_settings settings_of(const struct manifest_entry *entry, const char *source)
{
	return (struct walk_settings){.source = source,
		.gitignore = entry_boolean(entry->node, "gitignore", false),
		.mode = entry->has_mode ? entry->mode : 0};
}

static bool check(
	const struct manifest_place *place, const struct manifest_entry *entry, struct error *error)
{
	const char *source = entry_source(place, entry, error);
	struct walk_settings settings = settings_of(entry, source);
	return source ? walk_folder(&settings, NULL, "", error) : error->kind == ERROR_NONE;
}

static bool put(const struct manifest_place *place, const struct manifest_entry *entry,
	struct sink *sink, const char *name, struct error *error)
{
	const char *source = entry_source(place, entry, error);
	struct walk_settings settings = settings_of(entry, source);
	if (source) {
		return walk_folder(&settings, sink, name, error);
	}
	// Without a source it is a folder with nothing in it.
	return error->kind == ERROR_NONE && entry_dir.put(place, entry, sink, name, error);
}

static const struct key keys[] = {
	{"src", KEY_FOLDER,
		"The folder on this machine, relative to the team file; or ${inputs.NAME} of a "
		"folder."},
	{"gitignore", KEY_BOOLEAN, "Leave out .git, and what its .gitignore files name."},
	{0},
};

const struct entry_kind entry_local_dir = {
	.owner = {.name = "local_dir", .help = "A copy of a folder of this machine.", .keys = keys},
	.folder = true,
	.tree = true,
	.check = check,
	.put = put,
};
