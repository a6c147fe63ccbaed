#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "store/history_parts.h"

static const char branch[] = HISTORY_BRANCH;

bool history_fail(struct error *error, const char *what)
{
	const git_error *reason = git.error_last();
	return error_set(error, ERROR_FAILED, "cannot %s the workspace's history: %s", what,
		reason ? reason->message : "unknown reason");
}

static bool load_last_commit(struct history *history, struct error *error)
{
	git_commit *commit = NULL;
	int code = git.reference_name_to_id(&history->commit, history->repository, branch);
	history->has_commit = false;
	if (code == GIT_ENOTFOUND) {
		return true; // nothing was recorded yet
	}
	bool fine = code == 0 &&
		git.commit_lookup(&commit, history->repository, &history->commit) == 0 &&
		tree_load(history->tree, &history->objects, git.commit_tree_id(commit));
	git.commit_free(commit);
	history->has_commit = fine;
	return fine || history_fail(error, "read");
}

bool history_refresh(struct history *history, struct error *error)
{
	if (!history->stale) {
		return true;
	}
	tree_destroy(history->tree);
	history->tree = tree_create();
	history->stale = !load_last_commit(history, error);
	return !history->stale;
}

// Whoever opens a history drives its run: a lock file that is there, or a branch's next value under
// a temporary name, was left by a process that was killed.
static void remove_leftovers(const char *path)
{
	static const char *const locks[] = {"config.lock", "HEAD.lock"};
	arena_cleanup arena = {0};
	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		unlink(arena_printf(&arena, "%s/%s", path, locks[i]));
	}
	file_remove_temporary(path_join(&arena, path, "refs/heads"));
}

static bool open_repository(struct history *history, struct error *error)
{
	git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
	options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH;
	options.initial_head = "main";
	remove_leftovers(history->objects.folder);
	if (git.repository_open_bare(&history->repository, history->objects.folder) < 0 &&
		git.repository_init_ext(&history->repository, history->objects.folder, &options) <
			0) {
		return history_fail(error, "open");
	}
	return git.repository_odb(&history->objects.database, history->repository) == 0 ||
		history_fail(error, "open");
}

struct history *history_open(const char *path, const char *const *untracked, struct error *error)
{
	if (!git_load(error)) {
		return NULL;
	}
	struct history *history = memory_alloc(sizeof(*history));
	size_t count = 0;
	history->objects.folder = memory_string(path);
	history->tree = tree_create();
	while (untracked && untracked[count]) {
		count++;
	}
	history->untracked = memory_alloc((count + 1) * sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		history->untracked[i] = memory_string(untracked[i]);
	}
	if (!open_repository(history, error) || !load_last_commit(history, error)) {
		history_close(history);
		return NULL;
	}
	return history;
}

void history_close(struct history *history)
{
	if (!history) {
		return;
	}
	history_forget(history);
	for (size_t i = 0; history->untracked[i]; i++) {
		free(history->untracked[i]);
	}
	free(history->untracked);
	tree_destroy(history->tree);
	objects_finish(&history->objects);
	git.repository_free(history->repository);
	free(history);
}

static void change_tree(struct history *history, const struct history_changes *changes)
{
	arena_cleanup arena = {0};
	struct tree_file *files = arena_new_array(&arena, changes->count, struct tree_file);
	for (size_t i = 0; i < changes->count; i++) {
		const struct history_change *change = &changes->changes[i];
		files[i].path = text_string(&arena, change->path);
		files[i].mode = change->status == HISTORY_DELETED ? TREE_GONE
			: change->link                            ? TREE_LINK
			: change->executable                      ? TREE_EXECUTABLE
								  : TREE_FILE;
		if (change->blob[0]) {
			git.oid_fromstr(&files[i].id, change->blob);
		}
	}
	tree_change(history->tree, files, changes->count);
}

// All objects are on disk before the branch names them, and the branch is replaced whole: a power
// loss leaves the last commit or this one, each complete.
static bool move_branch(struct history *history, const git_oid *commit, struct error *error)
{
	arena_cleanup arena = {0};
	char line[GIT_OID_HEXSZ + 2];
	git.oid_tostr(line, GIT_OID_HEXSZ + 1, commit);
	line[GIT_OID_HEXSZ] = '\n';
	objects_note(&history->objects, commit);
	return objects_sync(&history->objects, error) &&
		file_replace(path_join(&arena, history->objects.folder, branch),
			(struct text){line, GIT_OID_HEXSZ + 1}, 0644, error);
}

static bool write_commit(struct history *history, const git_signature *signature,
	const char *message, git_oid *commit)
{
	git_oid root;
	git_tree *tree = NULL;
	git_commit *parent = NULL;
	bool fine = tree_write(history->tree, &history->objects, &root) &&
		git.tree_lookup(&tree, history->repository, &root) == 0 &&
		(!history->has_commit ||
			git.commit_lookup(&parent, history->repository, &history->commit) == 0);
	if (fine) {
		const git_commit *parents[] = {parent};
		fine = git.commit_create(commit, history->repository, NULL, signature, signature,
			       "UTF-8", message, tree, parent ? 1 : 0, parents) == 0;
	}
	git.tree_free(tree);
	git.commit_free(parent);
	return fine;
}

bool history_commit(struct history *history, struct arena *arena, const char *author,
	const char *message, int64_t when, const struct history_changes *changes,
	const char **commit, struct error *error)
{
	git_oid id;
	git_signature *signature = NULL;
	const char *email = arena_printf(arena, "%s@muster", author);
	if (!history_refresh(history, error)) {
		return false;
	}
	if (git.signature_new(&signature, author, email, when / 1000, 0) < 0) {
		return history_fail(error, "write");
	}
	change_tree(history, changes);
	// Until the branch has moved, the tree is ahead of the last commit.
	history->stale = true;
	bool fine = write_commit(history, signature, message, &id)
		? move_branch(history, &id, error)
		: history_fail(error, "write");
	git.signature_free(signature);
	if (!fine) {
		return false;
	}
	history->stale = false;
	history->has_commit = true;
	history->commit = id;
	char *digits = arena_alloc(arena, GIT_OID_HEXSZ + 1);
	git.oid_tostr(digits, GIT_OID_HEXSZ + 1, &id);
	*commit = digits;
	return true;
}

bool history_blob(struct history *history, struct arena *arena, const char *blob,
	struct text *content, struct error *error)
{
	git_oid id;
	git_odb_object *object = NULL;
	if (git.oid_fromstr(&id, blob) < 0 ||
		git.odb_read(&object, history->objects.database, &id) < 0) {
		return history_fail(error, "read");
	}
	*content = text_copy(
		arena, (struct text){git.odb_object_data(object), git.odb_object_size(object)});
	git.odb_object_free(object);
	return true;
}
