#include "store/history.h"

#include <fcntl.h>
#include <git2.h>
#include <git2/sys/repository.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "store/tree.h"

enum {
	// A file touched this short before a scan may change again without its times changing.
	RACY_TIME = 50 * 1000 * 1000, // nanoseconds
	READ_SIZE = 256 * 1024,
};

// What the last scan saw of a file.
struct seen {
	char *path;
	int64_t size, modified, changed;
	uint64_t inode;
	bool racy;
	struct tree_file file; // its path is `path`
	char sha256[HASH_HEX_SIZE];
};

struct history {
	git_repository *repository;
	git_odb *objects;
	struct tree *tree; // as of the last commit
	bool has_commit;
	git_oid commit;
	struct seen *seen; // in order of paths
	size_t seen_count;
	char **untracked; // ends with NULL
};

static pthread_once_t started = PTHREAD_ONCE_INIT;

// The user's and the machine's git configuration must not change what is recorded.
static void start_library(void)
{
	static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
		GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL};
	git_libgit2_init();
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
	}
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
}

static bool git_fail(struct error *error, const char *what)
{
	const git_error *reason = git_error_last();
	return error_set(error, ERROR_FAILED, "cannot %s the workspace's history: %s", what,
		reason ? reason->message : "unknown reason");
}

static bool load_last_commit(struct history *history, struct error *error)
{
	if (git_reference_name_to_id(&history->commit, history->repository, "refs/heads/main") <
		0) {
		return true; // nothing was recorded yet
	}
	git_commit *commit = NULL;
	if (git_commit_lookup(&commit, history->repository, &history->commit) < 0) {
		return git_fail(error, "read");
	}
	history->has_commit = true;
	bool fine = tree_load(history->tree, history->objects, git_commit_tree_id(commit));
	git_commit_free(commit);
	return fine || git_fail(error, "read");
}

// Whoever opens a history drives its run: a lock file that is there was left by a process that was
// killed.
static void remove_locks(const char *path)
{
	static const char *const locks[] = {"config.lock", "HEAD.lock", "refs/heads/main.lock"};
	arena_cleanup arena = {0};
	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		unlink(arena_printf(&arena, "%s/%s", path, locks[i]));
	}
}

static bool open_repository(struct history *history, const char *path, struct error *error)
{
	git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
	git_config *config = NULL;
	options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH;
	options.initial_head = "main";
	remove_locks(path);
	if (git_repository_open_bare(&history->repository, path) < 0 &&
		git_repository_init_ext(&history->repository, path, &options) < 0) {
		return git_fail(error, "open");
	}
	// Packing happens later, if at all: while a run goes on, speed counts.
	if (git_repository_config(&config, history->repository) == 0) {
		git_config_set_int32(config, "core.looseCompression", 1);
		git_config_free(config);
	}
	return git_repository_odb(&history->objects, history->repository) == 0 ||
		git_fail(error, "open");
}

struct history *history_open(const char *path, const char *const *untracked, struct error *error)
{
	struct history *history = memory_alloc(sizeof(*history));
	size_t count = 0;
	pthread_once(&started, start_library);
	history->tree = tree_create();
	while (untracked && untracked[count]) {
		count++;
	}
	history->untracked = memory_alloc((count + 1) * sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		history->untracked[i] = memory_string(untracked[i]);
	}
	if (!open_repository(history, path, error) || !load_last_commit(history, error)) {
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
	for (size_t i = 0; i < history->seen_count; i++) {
		free(history->seen[i].path);
	}
	for (size_t i = 0; history->untracked[i]; i++) {
		free(history->untracked[i]);
	}
	free(history->untracked);
	free(history->seen);
	tree_destroy(history->tree);
	git_odb_free(history->objects);
	git_repository_free(history->repository);
	free(history);
}

// Names that git itself keeps out of trees, in every spelling that some file system folds together.
static bool is_git_name(struct text name)
{
	while (name.length > 1 &&
		(name.data[name.length - 1] == ' ' || name.data[name.length - 1] == '.')) {
		name.length--;
	}
	return (name.length == 4 && strncasecmp(name.data, ".git", 4) == 0) ||
		(name.length == 5 && strncasecmp(name.data, "git~1", 5) == 0);
}

static bool is_left_out(const struct history *history, struct text path)
{
	while (path.length) {
		const char *slash = memchr(path.data, '/', path.length);
		struct text name = {path.data, slash ? (size_t)(slash - path.data) : path.length};
		if (is_git_name(name)) {
			return true;
		}
		for (size_t i = 0; slash && history->untracked[i]; i++) {
			if (text_is(name, history->untracked[i])) {
				return true;
			}
		}
		size_t taken = name.length + (slash ? 1 : 0);
		path.data += taken;
		path.length -= taken;
	}
	return false;
}

static bool write_blob(struct history *history, struct text content, git_oid *id)
{
	return git_odb_write(id, history->objects, content.data ? content.data : "", content.length,
		       GIT_OBJECT_BLOB) == 0;
}

// A file too large for the history: its size and hash stand for it.
static bool write_pointer(struct history *history, int fd, struct seen *seen)
{
	arena_cleanup arena = {0};
	char *bytes = arena_alloc(&arena, READ_SIZE);
	struct hash_stream *stream = hash_begin();
	ssize_t got;
	int64_t size = 0;
	while ((got = read(fd, bytes, READ_SIZE)) > 0) {
		hash_add(stream, bytes, (size_t)got);
		size += got;
	}
	struct hash hash = hash_end(stream);
	memcpy(seen->sha256, hash.hex, sizeof(hash.hex));
	char *text = arena_printf(&arena,
		"muster: a file of %lld bytes that is too large for the history\nsha256 %s\n",
		(long long)size, hash.hex);
	return got == 0 && write_blob(history, text_of(text), &seen->file.id);
}

// The content of a file as the sandbox has it now.
static bool take_file(
	struct history *history, struct sandbox *sandbox, struct seen *seen, struct error *error)
{
	arena_cleanup arena = {0};
	struct text path = text_of(seen->path), content;
	int folder = sandbox_host_folder(sandbox);
	if (seen->size > HISTORY_FILE_LIMIT && folder >= 0) {
		file_cleanup fd = folder_open_file(folder, path, error);
		return fd >= 0 && (write_pointer(history, fd, seen) || git_fail(error, "write"));
	}
	if (!sandbox_read(sandbox, &arena, path, HISTORY_FILE_LIMIT, &content, error)) {
		return false;
	}
	struct hash hash = hash_text(content);
	memcpy(seen->sha256, hash.hex, sizeof(hash.hex));
	return write_blob(history, content, &seen->file.id) || git_fail(error, "write");
}

static bool take_link(struct history *history, struct sandbox *sandbox, struct seen *seen)
{
	arena_cleanup arena = {0};
	struct text target;
	int folder = sandbox_host_folder(sandbox);
	if (folder < 0 || !folder_read_link(&arena, folder, text_of(seen->path), &target)) {
		return false;
	}
	struct hash hash = hash_text(target);
	memcpy(seen->sha256, hash.hex, sizeof(hash.hex));
	return write_blob(history, target, &seen->file.id);
}

static bool same_stat(const struct seen *seen, const struct folder_entry *entry)
{
	return !seen->racy && seen->size == entry->size && seen->modified == entry->modified &&
		seen->changed == entry->changed && seen->inode == entry->inode;
}

static int64_t clock_nanoseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// Fills in one file; false with ERROR_NONE: it went away or is not readable, and is left out.
static bool look_at(struct history *history, struct sandbox *sandbox,
	const struct folder_entry *entry, const struct seen *before, struct seen *seen,
	struct error *error)
{
	bool link = entry->kind == FOLDER_LINK;
	*seen = (struct seen){.path = memory_string(entry->path.data),
		.size = entry->size,
		.modified = entry->modified,
		.changed = entry->changed,
		.inode = entry->inode};
	seen->file.path = seen->path;
	seen->file.mode = link ? TREE_LINK : entry->mode & S_IXUSR ? TREE_EXECUTABLE : TREE_FILE;
	int64_t touched = entry->modified > entry->changed ? entry->modified : entry->changed;
	seen->racy = touched > clock_nanoseconds() - RACY_TIME;
	if (before && same_stat(before, entry)) {
		seen->file.id = before->file.id;
		memcpy(seen->sha256, before->sha256, sizeof(seen->sha256));
		return true;
	}
	error->kind = ERROR_NONE;
	bool fine =
		link ? take_link(history, sandbox, seen) : take_file(history, sandbox, seen, error);
	if (fine) {
		return true;
	}
	// What is there but cannot be read (it changed under our eyes) is a failure; what is gone is not.
	bool gone = link || sandbox_stat(sandbox, entry->path).kind != FOLDER_FILE;
	if (gone) {
		error->kind = ERROR_NONE;
	}
	free(seen->path);
	return false;
}

static bool is_recorded(const struct history *history, const struct folder_entry *entry)
{
	return (entry->kind == FOLDER_FILE || entry->kind == FOLDER_LINK) &&
		!is_left_out(history, entry->path);
}

static void replace_seen(struct history *history, struct seen *seen, size_t count)
{
	for (size_t i = 0; i < history->seen_count; i++) {
		free(history->seen[i].path);
	}
	free(history->seen);
	history->seen = seen;
	history->seen_count = count;
}

static bool look_at_all(struct history *history, struct sandbox *sandbox,
	const struct folder_list *list, struct error *error)
{
	struct seen *seen = memory_alloc((list->count + 1) * sizeof(*seen));
	size_t count = 0, before = 0;
	bool fine = true;
	for (size_t i = 0; fine && i < list->count; i++) {
		const struct folder_entry *entry = &list->entries[i];
		const struct seen *known = NULL;
		if (!is_recorded(history, entry)) {
			continue;
		}
		while (before < history->seen_count &&
			strcmp(history->seen[before].path, entry->path.data) < 0) {
			before++;
		}
		if (before < history->seen_count &&
			strcmp(history->seen[before].path, entry->path.data) == 0) {
			known = &history->seen[before];
		}
		if (look_at(history, sandbox, entry, known, &seen[count], error)) {
			count++;
		} else {
			fine = error->kind == ERROR_NONE;
		}
	}
	replace_seen(history, seen, count);
	return fine;
}

static void add_change(struct arena *arena, struct history_changes *changes,
	const struct seen *seen, const struct tree_file *before)
{
	struct history_change *change = &changes->changes[changes->count++];
	*change = (struct history_change){.status = !before ? HISTORY_ADDED
			: seen                              ? HISTORY_CHANGED
							    : HISTORY_DELETED,
		.blob = "",
		.sha256 = ""};
	change->path = text_copy(arena, text_of(seen ? seen->path : before->path));
	if (seen) {
		char *id = arena_alloc(arena, GIT_OID_HEXSZ + 1);
		git_oid_tostr(id, GIT_OID_HEXSZ + 1, &seen->file.id);
		change->blob = id;
		change->sha256 = arena_string(arena, seen->sha256);
		change->size = seen->size;
		change->executable = seen->file.mode == TREE_EXECUTABLE;
		change->link = seen->file.mode == TREE_LINK;
	}
}

// Both lists are in order of paths.
static void compare(
	const struct history *history, struct arena *arena, struct history_changes *changes)
{
	size_t file_count, i = 0, j = 0;
	const struct tree_file *files = tree_files(history->tree, &file_count);
	changes->changes =
		arena_new_array(arena, history->seen_count + file_count, struct history_change);
	changes->count = 0;
	while (i < history->seen_count || j < file_count) {
		const struct seen *seen = i < history->seen_count ? &history->seen[i] : NULL;
		const struct tree_file *file = j < file_count ? &files[j] : NULL;
		int order = !seen ? 1 : !file ? -1 : strcmp(seen->path, file->path);
		bool same = order == 0 && seen->file.mode == file->mode &&
			git_oid_equal(&seen->file.id, &file->id);
		if (!same) {
			add_change(
				arena, changes, order <= 0 ? seen : NULL, order >= 0 ? file : NULL);
		}
		i += order <= 0;
		j += order >= 0;
	}
}

bool history_scan(struct history *history, struct sandbox *sandbox, struct arena *arena,
	struct history_changes *changes, struct error *error)
{
	arena_cleanup scan = {0};
	struct folder_list list;
	*changes = (struct history_changes){0};
	if (!sandbox_scan(sandbox, &scan, TEXT(""), HISTORY_FILES, &list, error)) {
		return false;
	}
	if (list.cut) {
		return error_set(error, ERROR_FAILED,
			       "the workspace has more than %d files, or folders too deep to "
			       "record",
			       HISTORY_FILES) ||
			error_hint(error, "name large folders under manifest.untracked");
	}
	if (!look_at_all(history, sandbox, &list, error)) {
		return false;
	}
	compare(history, arena, changes);
	return true;
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
			git_oid_fromstr(&files[i].id, change->blob);
		}
	}
	tree_change(history->tree, files, changes->count);
}

bool history_commit(struct history *history, struct arena *arena, const char *author,
	const char *message, int64_t when, const struct history_changes *changes,
	const char **commit, struct error *error)
{
	git_oid root;
	git_tree *tree = NULL;
	git_commit *parent = NULL;
	git_signature *signature = NULL;
	char *email = arena_printf(arena, "%s@muster", author);
	change_tree(history, changes);
	bool fine = tree_write(history->tree, history->objects, &root) &&
		git_tree_lookup(&tree, history->repository, &root) == 0 &&
		git_signature_new(&signature, author, email, when / 1000, 0) == 0 &&
		(!history->has_commit ||
			git_commit_lookup(&parent, history->repository, &history->commit) == 0);
	if (fine) {
		const git_commit *parents[] = {parent};
		fine = git_commit_create(&history->commit, history->repository, "refs/heads/main",
			       signature, signature, "UTF-8", message, tree, parent ? 1 : 0,
			       parents) == 0;
	}
	if (fine) {
		char *id = arena_alloc(arena, GIT_OID_HEXSZ + 1);
		git_oid_tostr(id, GIT_OID_HEXSZ + 1, &history->commit);
		*commit = id;
		history->has_commit = true;
	} else {
		git_fail(error, "write");
	}
	git_tree_free(tree);
	git_commit_free(parent);
	git_signature_free(signature);
	return fine;
}

bool history_blob(struct history *history, struct arena *arena, const char *blob,
	struct text *content, struct error *error)
{
	git_oid id;
	git_odb_object *object = NULL;
	if (git_oid_fromstr(&id, blob) < 0 || git_odb_read(&object, history->objects, &id) < 0) {
		return git_fail(error, "read");
	}
	*content = text_copy(
		arena, (struct text){git_odb_object_data(object), git_odb_object_size(object)});
	git_odb_object_free(object);
	return true;
}
