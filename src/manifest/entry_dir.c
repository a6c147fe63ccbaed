#include "manifest/kind.h"

// What is in it are entries of their own.
static bool put(const struct manifest_place *place, const struct manifest_entry *entry,
	struct sink *sink, const char *name, struct error *error)
{
	(void)place;
	if (!*name) {
		return !entry->has_mode || sink_set_mode(sink, entry->mode, error);
	}
	return sink_enter(sink, name, entry->has_mode ? entry->mode : 0755, error) &&
		sink_leave(sink, error);
}

static const struct key keys[] = {
	{"children", KEY_ANY, "Entries inside it: a map of names to entries."},
	{0},
};

const struct entry_kind entry_dir = {
	.owner = {.name = "dir", .help = "A folder.", .keys = keys},
	.folder = true,
	.put = put,
};
