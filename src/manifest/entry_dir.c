#include "base/path.h"
#include "manifest/manifest.h"

static bool apply(const struct manifest_place *place, struct text path,
	const struct yaml_node *node, struct error *error)
{
	const struct yaml_node *children = yaml_get(node, "children");
	if (!sandbox_make_folder(place->sandbox, path, error)) {
		return false;
	}
	for (size_t i = 0; children && i < children->count; i++) {
		const struct yaml_pair *child = &children->pairs[i];
		const char *joined = path_join(place->arena, text_string(place->arena, path),
			text_string(place->arena, child->key));
		struct text clean;
		if (!path_clean(place->arena, text_of(joined), &clean, error) ||
			!manifest_apply_entry(place, clean, &child->value, error)) {
			return false;
		}
	}
	return true;
}

static const struct key keys[] = {
	{"children", KEY_ANY, "Entries inside it: a map of names to entries."},
	{0},
};

const struct entry_kind entry_dir = {
	.owner = {.name = "dir", .help = "A folder.", .keys = keys},
	.apply = apply,
};
