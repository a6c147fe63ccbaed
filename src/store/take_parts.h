/* What the files of the taking share. Private to src/store/. */
#pragma once

#include "store/take.h"

// The items without their verdicts: what differs between the start and now, or everything.
bool take_list(
	struct take *take, struct store *store, const char *run, bool all, struct error *error);
// What the run left at the path. False without a message: nobody has it any more, and it is left out.
bool take_content(struct take *take, struct arena *arena, struct take_item *item,
	struct text *content, struct error *error);
// Why a name, or a link, is not taken; NULL: it is.
const char *take_unsafe_name(const char *path);
const char *take_unsafe_link(const char *path, struct text target);
