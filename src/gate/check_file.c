#include "gate/kind.h"

static bool compile(struct gate *gate, struct gate_check *check, struct error *error)
{
	if (!gate_compile_path(gate, check, error)) {
		return false;
	}
	gate_name_path(gate, check, check->path);
	return true;
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
