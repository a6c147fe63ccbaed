/* Taking the work of a run into a git repository as a branch: a commit on top of what is checked out,
 * made of objects alone. Neither the files of the user nor their index are touched. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "store/history_parts.h"
#include "store/take_parts.h"

struct take_branch {
	git_repository *repository;
	git_commit *parent; // NULL: nothing was committed yet
	git_index *index;   // of the parent, in memory
	char *reference;    // "refs/heads/..."
	char *prefix;       // of the project in the repository: "" or "part/"
};

void take_branch_close(struct take_branch *branch)
{
	if (branch) {
		git.index_free(branch->index);
		git.commit_free(branch->parent);
		git.repository_free(branch->repository);
		free(branch->reference);
		free(branch->prefix);
		free(branch);
	}
}

static bool check_name(struct take_branch *branch, const char *name, struct error *error)
{
	arena_cleanup arena = {0};
	git_oid id;
	int valid = 0;
	branch->reference = memory_string(arena_printf(&arena, "refs/heads/%s", name));
	git.reference_name_is_valid(&valid, branch->reference);
	if (!valid || name[0] == '-') {
		buffer_cleanup shown = {0};
		buffer_add_line(&shown, text_of(name), 100);
		return error_set(error, ERROR_USAGE, "'%s' is no name for a branch", shown.data);
	}
	if (git.reference_name_to_id(&id, branch->repository, branch->reference) == 0) {
		error_set(error, ERROR_USAGE, "there is a branch '%s' already", name);
		return error_hint(
			error, "choose another name; 'git branch -D %s' removes it", name);
	}
	return true;
}

static bool find_prefix(struct take_branch *branch, const char *folder, struct error *error)
{
	const char *top = git.repository_workdir(branch->repository);
	char *real = realpath(folder, NULL), *real_top = top ? realpath(top, NULL) : NULL;
	size_t length = real_top ? strlen(real_top) : 0;
	bool inside = real && real_top && strncmp(real, real_top, length) == 0 &&
		(real[length] == '/' || real[length] == '\0');
	if (inside) {
		arena_cleanup arena = {0};
		const char *below = real + length + (real[length] == '/');
		branch->prefix = memory_string(below[0] ? arena_printf(&arena, "%s/", below) : "");
	}
	free(real);
	free(real_top);
	return inside || error_set(error, ERROR_USAGE, "the git repository has no files beside it");
}

static bool read_parent(struct take_branch *branch, struct error *error)
{
	git_oid id;
	git_tree *tree = NULL;
	if (git.index_new(&branch->index) < 0) {
		return history_fail(error, "make an index");
	}
	if (git.reference_name_to_id(&id, branch->repository, "HEAD") < 0) {
		return true;
	}
	bool fine = git.commit_lookup(&branch->parent, branch->repository, &id) == 0 &&
		git.commit_tree(&tree, branch->parent) == 0 &&
		git.index_read_tree(branch->index, tree) == 0;
	git.tree_free(tree);
	return fine || history_fail(error, "read what is checked out in");
}

struct take_branch *take_branch_open(const char *folder, const char *name, struct error *error)
{
	if (!git_load(error)) {
		return NULL;
	}
	struct take_branch *branch = memory_alloc(sizeof(*branch));
	if (git.repository_open_ext(&branch->repository, folder, 0, NULL) < 0) {
		error_set(error, ERROR_USAGE, "the folder is not in a git repository");
		error_hint(error, "'git init' makes one; --to DIR takes the work into a folder");
	} else if (check_name(branch, name, error) && find_prefix(branch, folder, error) &&
		read_parent(branch, error)) {
		return branch;
	}
	take_branch_close(branch);
	return NULL;
}

static const char *place_of(
	struct take_branch *branch, struct arena *arena, const struct take_item *item)
{
	return arena_printf(arena, "%s%s", branch->prefix, item->path);
}

static uint32_t mode_of(const struct take_side *side)
{
	return side->link          ? GIT_FILEMODE_LINK
		: side->executable ? GIT_FILEMODE_BLOB_EXECUTABLE
				   : GIT_FILEMODE_BLOB;
}

// Does the commit have the path like this?
static bool has(const git_index_entry *entry, const struct take_side *side)
{
	char digits[GIT_OID_HEXSZ + 1];
	if (!entry || !side->blob) {
		return !entry && !side->blob;
	}
	git.oid_tostr(digits, sizeof(digits), &entry->id);
	return strcmp(digits, side->blob) == 0 && entry->mode == mode_of(side);
}

bool take_branch_plan(struct take *take, struct take_branch *branch, struct store *store,
	const char *run, struct error *error)
{
	if (!take_list(take, store, run, false, error)) {
		return false;
	}
	for (size_t i = 0; i < take->count; i++) {
		arena_cleanup arena = {0};
		struct take_item *item = &take->items[i];
		struct text target = {0};
		if (item->after.link &&
			!history_blob(take->history, &arena, item->after.blob, &target, error)) {
			return false;
		}
		const git_index_entry *entry =
			git.index_get_bypath(branch->index, place_of(branch, &arena, item), 0);
		item->reason = take_unsafe_name(item->path);
		if (!item->reason && item->after.link) {
			item->reason = take_unsafe_link(item->path, target);
		}
		if (item->reason) {
			item->verdict = TAKE_LEFT_OUT;
		} else if (has(entry, &item->after)) {
			item->verdict = TAKE_DONE;
		} else if (!entry || has(entry, &item->before)) {
			item->verdict = TAKE_DUE;
		} else {
			item->verdict = TAKE_CONFLICT;
			item->reason = "the newest commit has something else there";
		}
	}
	return true;
}

static bool add_item(
	struct take *take, struct take_branch *branch, struct take_item *item, struct error *error)
{
	arena_cleanup arena = {0};
	struct text content;
	const char *place = place_of(branch, &arena, item);
	if (!item->after.blob) {
		return git.index_remove(branch->index, place, 0) == 0 ||
			history_fail(error, "take a path out of");
	}
	if (!take_content(take, &arena, item, &content, error)) {
		return error->kind == ERROR_NONE; // it is left out, with the reason
	}
	git_index_entry entry = {.mode = mode_of(&item->after), .path = place};
	return (git.blob_create_from_buffer(&entry.id, branch->repository,
			content.data ? content.data : "", content.length) == 0 &&
		       git.index_add(branch->index, &entry) == 0) ||
		history_fail(error, "write a file into");
}

static bool commit(struct take_branch *branch, const char *message, struct error *error)
{
	git_oid id;
	git_tree *tree = NULL;
	git_signature *author = NULL;
	const git_commit *parents[] = {branch->parent};
	bool fine = git.index_write_tree_to(&id, branch->index, branch->repository) == 0 &&
		git.tree_lookup(&tree, branch->repository, &id) == 0 &&
		git.signature_now(&author, "muster", "muster@localhost") == 0 &&
		git.commit_create(&id, branch->repository, branch->reference, author, author, NULL,
			message, tree, branch->parent ? 1 : 0, parents) == 0;
	git.signature_free(author);
	git.tree_free(tree);
	return fine || history_fail(error, "make a branch in");
}

bool take_branch_perform(struct take *take, struct take_branch *branch, bool force,
	const char *message, struct error *error)
{
	if (!take_check(take, force, error)) {
		return false;
	}
	for (size_t i = 0; i < take->count; i++) {
		struct take_item *item = &take->items[i];
		if (item->verdict != TAKE_DUE && item->verdict != TAKE_CONFLICT) {
			continue;
		}
		if (!add_item(take, branch, item, error)) {
			return false;
		}
		if (item->verdict != TAKE_LEFT_OUT) {
			item->verdict = TAKE_TAKEN;
			item->reason = NULL;
		}
	}
	return commit(branch, message, error);
}
