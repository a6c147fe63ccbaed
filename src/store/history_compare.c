/*
 * Lines of two states compared. The trees are compared by the library; the contents are given to it
 * as mere bytes, so that no attribute and no configuration has a say in what is shown.
 */
#include <stdlib.h>
#include <string.h>

#include "store/history_parts.h"

// A byte that no text has makes a file binary; the first ones tell, as with git.
enum { BINARY_LOOK = 64 * 1024 };

bool history_is_binary(struct text content)
{
	size_t look = content.length < BINARY_LOOK ? content.length : BINARY_LOOK;
	return look && memchr(content.data, '\0', look);
}

struct comparing {
	struct history *history;
	bool (*each)(void *data, const struct history_difference *difference);
	void *data;
	struct error *error;
};

// The side's size, and its content unless it is too large.
static bool read_side(struct comparing *comparing, struct arena *arena, const git_diff_file *file,
	struct history_side *side, struct text *content, bool *large)
{
	*content = (struct text){0};
	side->blob = "";
	if (git.oid_is_zero(&file->id)) {
		return true;
	}
	size_t size;
	git_object_t type;
	char *digits = arena_alloc(arena, GIT_OID_HEXSZ + 1);
	git.oid_tostr(digits, GIT_OID_HEXSZ + 1, &file->id);
	side->blob = digits;
	side->mode = file->mode;
	if (git.odb_read_header(&size, &type, comparing->history->objects.database, &file->id) <
		0) {
		return history_fail(comparing->error, "read");
	}
	side->size = (int64_t)size;
	if (size > HISTORY_COMPARE_LIMIT) {
		*large = true;
		return true;
	}
	return history_blob(comparing->history, arena, digits, content, comparing->error);
}

static void add_line(
	struct buffer *hunks, struct history_difference *difference, const git_diff_line *line)
{
	bool plain = line->origin == GIT_DIFF_LINE_CONTEXT ||
		line->origin == GIT_DIFF_LINE_ADDITION || line->origin == GIT_DIFF_LINE_DELETION;
	difference->added += line->origin == GIT_DIFF_LINE_ADDITION;
	difference->removed += line->origin == GIT_DIFF_LINE_DELETION;
	if (plain) {
		buffer_add_char(hunks, line->origin);
	}
	buffer_add(
		hunks, line->content, line->content_len); // else: that no line feed ends the file
}

static bool add_hunks(struct buffer *hunks, struct history_difference *difference, git_patch *patch)
{
	for (size_t i = 0; i < git.patch_num_hunks(patch); i++) {
		const git_diff_hunk *hunk;
		size_t lines;
		if (git.patch_get_hunk(&hunk, &lines, patch, i) < 0) {
			return false;
		}
		buffer_add(hunks, hunk->header, hunk->header_len);
		for (size_t j = 0; j < lines; j++) {
			const git_diff_line *line;
			if (git.patch_get_line_in_hunk(&line, patch, i, j) < 0) {
				return false;
			}
			add_line(hunks, difference, line);
		}
	}
	return true;
}

static bool compare_lines(struct comparing *comparing, struct buffer *hunks,
	struct history_difference *difference, struct text before, struct text after)
{
	git_diff_options options = GIT_DIFF_OPTIONS_INIT;
	git_patch *patch = NULL;
	options.flags = GIT_DIFF_FORCE_TEXT;
	bool fine =
		git.patch_from_buffers(&patch, before.data ? before.data : "", before.length, NULL,
			after.data ? after.data : "", after.length, NULL, &options) == 0 &&
		add_hunks(hunks, difference, patch);
	git.patch_free(patch);
	difference->hunks = buffer_text(hunks);
	return fine || history_fail(comparing->error, "compare");
}

static bool tell(struct comparing *comparing, const git_diff_delta *delta, bool *more)
{
	arena_cleanup arena = {0};
	buffer_cleanup hunks = {0};
	struct text before, after;
	struct history_difference difference = {.path = delta->new_file.path,
		.status = delta->status == GIT_DELTA_ADDED   ? HISTORY_ADDED
			: delta->status == GIT_DELTA_DELETED ? HISTORY_DELETED
							     : HISTORY_CHANGED};
	if (!read_side(comparing, &arena, &delta->old_file, &difference.before, &before,
		    &difference.large) ||
		!read_side(comparing, &arena, &delta->new_file, &difference.after, &after,
			&difference.large)) {
		return false;
	}
	difference.binary =
		!difference.large && (history_is_binary(before) || history_is_binary(after));
	if (!difference.large && !difference.binary &&
		!compare_lines(comparing, &hunks, &difference, before, after)) {
		return false;
	}
	*more = comparing->each(comparing->data, &difference);
	return true;
}

static bool compare_trees(
	struct history *history, git_tree *from, git_tree *to, git_diff **diff, struct error *error)
{
	git_diff_options options = GIT_DIFF_OPTIONS_INIT;
	options.flags = GIT_DIFF_SKIP_BINARY_CHECK;
	*diff = NULL;
	if (!from && !to) {
		return true;
	}
	return git.diff_tree_to_tree(diff, history->repository, from, to, &options) == 0 ||
		history_fail(error, "compare");
}

bool history_diff(struct history *history, const struct history_step *from,
	const struct history_step *to,
	bool (*each)(void *data, const struct history_difference *difference), void *data,
	struct error *error)
{
	struct comparing comparing = {history, each, data, error};
	git_tree *before = NULL, *after = NULL;
	git_diff *diff = NULL;
	bool fine = history_tree(history, from, &before, error) &&
		history_tree(history, to, &after, error) &&
		compare_trees(history, before, after, &diff, error);
	size_t count = fine && diff ? git.diff_num_deltas(diff) : 0;
	bool more = true;
	for (size_t i = 0; fine && more && i < count; i++) {
		fine = tell(&comparing, git.diff_get_delta(diff, i), &more);
	}
	git.diff_free(diff);
	git.tree_free(before);
	git.tree_free(after);
	return fine;
}
