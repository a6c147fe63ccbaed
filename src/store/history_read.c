#include <stdlib.h>
#include <string.h>

#include "store/history_parts.h"

struct history *history_open_read(const char *path, struct error *error)
{
	if (!git_load(error)) {
		return NULL;
	}
	struct history *history = memory_alloc(sizeof(*history));
	history->objects.folder = memory_string(path);
	history->untracked = memory_alloc(sizeof(char *));
	if (git.repository_open_bare(&history->repository, path) < 0 ||
		git.repository_odb(&history->objects.database, history->repository) < 0) {
		history_fail(error, "open");
		error_hint(error, "a run has one once its workspace is made");
		history_close(history);
		return NULL;
	}
	return history;
}

// "Turn 12: ..."; what has no number is taken for the beginning.
static int64_t turn_of(const char *message)
{
	static const char prefix[] = "Turn ";
	if (!message || strncmp(message, prefix, strlen(prefix)) != 0) {
		return 0;
	}
	long long turn = strtoll(message + strlen(prefix), NULL, 10);
	return turn > 0 ? turn : 0;
}

static void add_step(struct arena *arena, struct history_steps *steps, const git_commit *commit)
{
	// Doubling at each power of two; the old room stays in the arena.
	if ((steps->count & (steps->count - 1)) == 0) {
		struct history_step *bigger = arena_new_array(
			arena, steps->count ? steps->count * 2 : 1, struct history_step);
		if (steps->count) {
			memcpy(bigger, steps->steps, steps->count * sizeof(*bigger));
		}
		steps->steps = bigger;
	}
	const git_signature *author = git.commit_author(commit);
	char *digits = arena_alloc(arena, GIT_OID_HEXSZ + 1);
	git.oid_tostr(digits, GIT_OID_HEXSZ + 1, git.commit_id(commit));
	steps->steps[steps->count++] = (struct history_step){.commit = digits,
		.author = arena_string(arena, author->name),
		.turn = turn_of(git.commit_message(commit)),
		.when = author->when.time * 1000};
}

bool history_steps(struct history *history, struct arena *arena, struct history_steps *steps,
	struct error *error)
{
	return history_last_steps(history, arena, SIZE_MAX, steps, error);
}

bool history_last_steps(struct history *history, struct arena *arena, size_t most,
	struct history_steps *steps, struct error *error)
{
	git_oid id;
	*steps = (struct history_steps){0};
	int code = git.reference_name_to_id(&id, history->repository, HISTORY_BRANCH);
	if (code == GIT_ENOTFOUND) {
		return true; // nothing was recorded yet
	}
	bool more = code == 0;
	while (more) {
		git_commit *commit = NULL;
		if (git.commit_lookup(&commit, history->repository, &id) < 0) {
			return history_fail(error, "read");
		}
		add_step(arena, steps, commit);
		more = steps->count < most && git.commit_parentcount(commit) > 0;
		if (more) {
			id = *git.commit_parent_id(commit, 0);
		}
		git.commit_free(commit);
	}
	for (size_t i = 0; i < steps->count / 2; i++) {
		struct history_step swapped = steps->steps[i];
		steps->steps[i] = steps->steps[steps->count - 1 - i];
		steps->steps[steps->count - 1 - i] = swapped;
	}
	return code == 0 || history_fail(error, "read");
}

const struct history_step *history_step_at(const struct history_steps *steps, int64_t turn)
{
	for (size_t i = steps->count; i > 0; i--) {
		if (steps->steps[i - 1].turn <= turn) {
			return &steps->steps[i - 1];
		}
	}
	return NULL;
}

const struct history_step *history_start(const struct history_steps *steps)
{
	bool there = steps->count > 0 && steps->steps[0].turn == 0 &&
		strcmp(steps->steps[0].author, "manifest") == 0;
	return there ? &steps->steps[0] : NULL;
}

bool history_tree(struct history *history, const struct history_step *step, git_tree **tree,
	struct error *error)
{
	git_oid id;
	git_commit *commit = NULL;
	*tree = NULL;
	if (!step) {
		return true;
	}
	bool fine = git.oid_fromstr(&id, step->commit) == 0 &&
		git.commit_lookup(&commit, history->repository, &id) == 0 &&
		git.commit_tree(tree, commit) == 0;
	git.commit_free(commit);
	return fine || history_fail(error, "read");
}

bool history_files(struct history *history, struct arena *arena, const struct history_step *step,
	struct history_files *files, struct error *error)
{
	git_tree *root = NULL;
	size_t count = 0;
	*files = (struct history_files){0};
	if (!history_tree(history, step, &root, error) || !root) {
		return !step;
	}
	struct tree *tree = tree_create();
	bool fine = tree_load(tree, &history->objects, git.tree_id(root));
	const struct tree_file *found = tree_files(tree, &count);
	files->files = arena_new_array(arena, count, struct history_file);
	for (size_t i = 0; fine && i < count; i++) {
		char *digits = arena_alloc(arena, GIT_OID_HEXSZ + 1);
		git.oid_tostr(digits, GIT_OID_HEXSZ + 1, &found[i].id);
		files->files[files->count++] =
			(struct history_file){.path = text_copy(arena, text_of(found[i].path)),
				.blob = digits,
				.executable = found[i].mode == TREE_EXECUTABLE,
				.link = found[i].mode == TREE_LINK};
	}
	tree_destroy(tree);
	git.tree_free(root);
	return fine || history_fail(error, "read");
}
