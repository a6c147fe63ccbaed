/*
 * Differences between two states of a workspace, as people and other programs (git apply, patch)
 * read them: the headers are those of git, odd names are quoted as git does it, and contents are
 * bytes as they are. Escape them for a terminal.
 */
#pragma once

#include "store/history.h"
#include "view/document.h"

void diff_print(struct buffer *buffer, const struct history_difference *difference, bool colours);
// An item of an array (docs/json.md). `step` is the one that made it; NULL: several may have.
void diff_json(struct document *document, const struct history_difference *difference,
	const struct history_step *step);
