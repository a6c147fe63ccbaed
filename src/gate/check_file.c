#include "base/path.h"
#include "gate/kind.h"

static bool compile(struct gate *gate, struct gate_check *check, struct error *error)
{
	return path_clean(gate->arena, text_of(check->subject), &check->path, error) &&
		gate_name_path(gate, check->path);
}

static void look_at(const struct gate_check *check, struct gate_look *look)
{
	conditions_check(check, look, check->path);
}

static const struct key keys[] = {
	{"file", KEY_PATH, "The file.", .required = true},
	CONDITION_KEYS,
	{0},
};

const struct gate_kind check_file = {
	.owner = {.name = "file",
		.help = "A regular file is there; a link counts if it stays inside.",
		.keys = keys},
	.compile = compile,
	.check = look_at,
};
