#include "manifest/manifest.h"

static bool apply(const struct manifest_place *place, struct text path,
	const struct yaml_node *node, struct error *error)
{
	const struct yaml_node *content = yaml_get(node, "content");
	struct text text = team_substitute(place->arena, place->team, place->values,
		content ? content->text : (struct text){0});
	return sandbox_write(place->sandbox, path, text, 0, error);
}

static const struct key keys[] = {
	{"content", KEY_STRING, "The file's text; ${inputs.NAME} is replaced.", .required = true},
	{0},
};

const struct entry_kind entry_file = {
	.owner = {.name = "file", .help = "A file with the text given here.", .keys = keys},
	.apply = apply,
};
