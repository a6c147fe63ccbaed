/*
 * Patches in the form that models write for the Agents SDK's apply_patch ("*** Begin Patch" ... ,
 * each file with a V4A diff), read and applied in memory. No file is touched here; the tool
 * (tools/apply_patch.c) reads all files, computes all results, and only then writes.
 *
 * Lines end with LF or CRLF only; the SDK's other line separators would damage texts that hold
 * them. Blank lines around the patch are forgiven, which the SDK does not do.
 */
#pragma once

#include "base/arena.h"
#include "base/text.h"

enum {
	PATCH_LIMIT = 4 * 1024 * 1024, // bytes of a patch
	PATCH_OPERATIONS = 1000,
	// What one diff may cost, in compared lines and 16-byte pieces of them: a hostile patch makes
	// us search a long file often.
	PATCH_COST = 50 * 1000 * 1000,
};

enum patch_kind { PATCH_CREATE, PATCH_UPDATE, PATCH_DELETE };

struct patch_operation {
	enum patch_kind kind;
	struct text path;
	struct text move_to; // updates; empty: stays
	struct text *diff;   // lines without their ends
	size_t diff_count;
	bool diff_has_crlf;
};

struct patch {
	struct patch_operation *operations;
	size_t count;
};

// All in the arena, pointing into `input`. On failure *problem says what is wrong, for the model.
// Also read: the JSON form, an operation or a list of operations {"type": "create_file" |
// "update_file" | "delete_file", "path", "diff", "move_to"}, alone or under "operations" or
// "operation".
bool patch_parse(struct arena *arena, struct text input, struct patch *patch, const char **problem);

// The content of a file that a patch creates: its lines without their "+", joined, without a
// newline at the end (so the SDK; the tool adds one).
bool patch_create(struct arena *arena, const struct patch_operation *operation,
	struct text *content, const char **problem);
// The content after an update. The file keeps its kind of line end and its last newline.
bool patch_update(struct arena *arena, const struct patch_operation *operation, struct text old,
	struct text *content, const char **problem);
