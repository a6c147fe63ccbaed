#include "manifest/kind.h"

const struct entry_kind entry_git_repo = {
	.owner = {.name = "git_repo",
		.help = "A git repository at a ref.",
		.later = "git_repo entries"},
	.folder = true,
	.tree = true,
};
