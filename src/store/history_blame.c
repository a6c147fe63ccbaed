/* Who wrote which line: from the first step to the last, each new line belongs to its step. */
#include <string.h>

#include "store/history_parts.h"

// The lines of a file as of one step, and the step that each came from.
struct blamed {
	struct arena arena;
	struct text content;
	const struct history_step **steps;
	size_t count;
	bool there, large;
	git_oid blob;
};

struct blaming {
	const struct blamed *before;
	struct blamed *after;
	size_t taken; // lines of `before`
	size_t given; // lines of `after`
};

static size_t count_lines(struct text content)
{
	size_t count = 0;
	struct text line;
	while (text_next_line(&content, &line)) {
		count++;
	}
	return count;
}

static void keep_lines(struct blaming *blaming, size_t until)
{
	while (blaming->taken < until && blaming->taken < blaming->before->count &&
		blaming->given < blaming->after->count) {
		blaming->after->steps[blaming->given++] = blaming->before->steps[blaming->taken++];
	}
}

// What stands before the hunk was there already; its new lines keep the step that they have.
static int take_hunk(const git_diff_delta *delta, const git_diff_hunk *hunk, void *data)
{
	struct blaming *blaming = data;
	(void)delta;
	// A hunk without old lines names the line that it stands behind.
	keep_lines(blaming, (size_t)(hunk->old_lines ? hunk->old_start - 1 : hunk->old_start));
	blaming->taken += (size_t)hunk->old_lines;
	blaming->given += (size_t)hunk->new_lines;
	return 0;
}

static bool compare(const struct blamed *before, struct blamed *after,
	const struct history_step *step, struct error *error)
{
	git_diff_options options = GIT_DIFF_OPTIONS_INIT;
	struct blaming blaming = {.before = before, .after = after};
	struct text old = before->content, new = after->content;
	options.flags = GIT_DIFF_FORCE_TEXT;
	options.context_lines = 0;
	after->count = count_lines(new);
	after->steps = arena_new_array(&after->arena, after->count, const struct history_step *);
	for (size_t i = 0; i < after->count; i++) {
		after->steps[i] = step;
	}
	if (git.diff_buffers(old.data ? old.data : "", old.length, NULL, new.data ? new.data : "",
		    new.length, NULL, &options, NULL, NULL, take_hunk, NULL, &blaming) < 0) {
		return history_fail(error, "compare");
	}
	keep_lines(&blaming, before->count);
	return true;
}

static bool find_blob(struct history *history, const struct history_step *step, const char *path,
	struct blamed *blamed, struct error *error)
{
	git_tree *tree = NULL;
	git_tree_entry *entry = NULL;
	if (!history_tree(history, step, &tree, error)) {
		return false;
	}
	int code = git.tree_entry_bypath(&entry, tree, path);
	blamed->there = code == 0 && git.tree_entry_type(entry) == GIT_OBJECT_BLOB;
	if (blamed->there) {
		blamed->blob = *git.tree_entry_id(entry);
	}
	git.tree_entry_free(entry);
	git.tree_free(tree);
	return code == 0 || code == GIT_ENOTFOUND || history_fail(error, "read");
}

// What is too large to compare has no lines; all are new in the next step that is not.
static bool blame_step(struct history *history, const struct history_step *step,
	const struct blamed *before, struct blamed *after, struct error *error)
{
	size_t size;
	git_object_t type;
	char digits[GIT_OID_HEXSZ + 1];
	git.oid_tostr(digits, sizeof(digits), &after->blob);
	if (git.odb_read_header(&size, &type, history->objects.database, &after->blob) < 0) {
		return history_fail(error, "read");
	}
	after->large = size > HISTORY_COMPARE_LIMIT;
	return after->large ||
		(history_blob(history, &after->arena, digits, &after->content, error) &&
			compare(before, after, step, error));
}

static bool blame_all(struct history *history, const struct history_steps *steps, const char *path,
	struct blamed *blamed, struct error *error)
{
	for (size_t i = 0; i < steps->count; i++) {
		struct blamed now = {0};
		bool fine = find_blob(history, &steps->steps[i], path, &now, error);
		if (fine && now.there && blamed->there && git.oid_equal(&now.blob, &blamed->blob)) {
			continue;
		}
		if (fine && now.there) {
			fine = blame_step(history, &steps->steps[i], blamed, &now, error);
		}
		arena_finish(&blamed->arena);
		*blamed = now;
		if (!fine) {
			return false;
		}
	}
	return true;
}

// Refuses what has no lines to tell of.
static bool check(const struct blamed *blamed, const char *path, struct error *error)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text_of(path), 256);
	if (!blamed->there) {
		error_set(error, ERROR_USAGE, "there is no file '%s' in the workspace's history",
			shown.data);
		return error_hint(error, "'muster artifacts RUN --all' lists those that there are");
	}
	if (blamed->large) {
		return error_set(error, ERROR_USAGE,
			"'%s' is larger than %d bytes: too large to "
			"compare its lines",
			shown.data, HISTORY_COMPARE_LIMIT);
	}
	if (history_is_binary(blamed->content)) {
		return error_set(error, ERROR_USAGE, "'%s' is no text: it has no lines to tell of",
			shown.data);
	}
	return true;
}

bool history_blame(struct history *history, struct arena *arena, const struct history_steps *steps,
	const char *path, struct history_lines *lines, struct error *error)
{
	struct blamed blamed = {0};
	*lines = (struct history_lines){0};
	bool fine = blame_all(history, steps, path, &blamed, error) && check(&blamed, path, error);
	if (fine) {
		struct text rest = text_copy(arena, blamed.content);
		lines->lines = arena_new_array(arena, blamed.count, struct history_line);
		while (lines->count < blamed.count &&
			text_next_line(&rest, &lines->lines[lines->count].text)) {
			lines->lines[lines->count].step = blamed.steps[lines->count];
			lines->count++;
		}
	}
	arena_finish(&blamed.arena);
	return fine;
}
