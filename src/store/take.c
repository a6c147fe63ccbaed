#include "store/take.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "store/take_parts.h"

static const int64_t content_limit = INT64_C(1) << 30;

static struct text content_of(
	struct take *take, struct arena *arena, const struct take_side *side, struct error *error)
{
	struct text content = {0};
	history_blob(take->history, arena, side->blob, &content, error);
	return content;
}

// What the folder has there; what is not there yet has nothing.
static struct folder_stat look(const struct take *take, const char *path)
{
	return take->folder >= 0 ? folder_stat(take->folder, text_of(path))
				 : (struct folder_stat){.kind = FOLDER_MISSING, .what = "missing"};
}

// The SHA-256 of a file in the folder, without holding all of it.
static bool hash_file(int folder, struct text path, struct hash *hash)
{
	struct error ignored = {0}; // what cannot be read is not the same
	char bytes[16384];
	ssize_t got = 1;
	file_cleanup fd = folder_open_file(folder, path, &ignored);
	if (fd < 0) {
		return false;
	}
	struct hash_stream *stream = hash_begin();
	while (got > 0) {
		got = read(fd, bytes, sizeof(bytes));
		if (got > 0) {
			hash_add(stream, bytes, (size_t)got);
		}
	}
	*hash = hash_end(stream);
	return got == 0;
}

// Does the folder have the path exactly like this?
static bool has(
	struct take *take, const char *path, const struct take_side *side, struct error *error)
{
	arena_cleanup arena = {0};
	struct text name = text_of(path), target, content;
	struct hash hash;
	struct folder_stat status = look(take, path);
	bool link = folder_read_link(&arena, take->folder, name, &target);
	if (!side->blob) {
		return !link && status.kind != FOLDER_FILE;
	}
	if (side->link) {
		content = content_of(take, &arena, side, error);
		return link && text_equal(content, target);
	}
	bool executable = (status.mode & S_IXUSR) != 0;
	if (link || status.kind != FOLDER_FILE || executable != side->executable ||
		(side->size >= 0 && status.size != side->size)) {
		return false;
	}
	const char *wanted = side->sha256;
	if (!wanted && side->whole) {
		content = content_of(take, &arena, side, error);
		wanted = arena_string(&arena, hash_text(content).hex);
	}
	return wanted && hash_file(take->folder, name, &hash) && strcmp(hash.hex, wanted) == 0;
}

static const struct take_item *find_item(const struct take *take, const char *path)
{
	size_t low = 0, high = take->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(take->items[middle].path, path);
		if (order == 0) {
			return &take->items[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

// What stands where a folder on the way to the path has to be; NULL: nothing does.
static const char *blocked_by(struct take *take, const char *path)
{
	arena_cleanup arena = {0};
	for (const char *at = path; (at = strchr(at, '/')); at++) {
		const char *parent = arena_copy(&arena, path, (size_t)(at - path));
		struct folder_stat status = look(take, parent);
		if (status.kind == FOLDER_FOLDER) {
			continue;
		}
		if (status.kind == FOLDER_MISSING) {
			return NULL;
		}
		const struct take_item *item = find_item(take, parent);
		if (item && !item->after.blob) {
			return NULL; // the run made a folder of it
		}
		return arena_printf(take->arena, "'%s' is %s, not a folder", parent, status.what);
	}
	return NULL;
}

// Did the run make a file of what was a folder?
static bool replaces_folder(const struct take *take, const char *path)
{
	size_t length = strlen(path);
	for (size_t i = 0; i < take->count; i++) {
		const struct take_item *item = &take->items[i];
		if (!item->after.blob && strncmp(item->path, path, length) == 0 &&
			item->path[length] == '/') {
			return true;
		}
	}
	return false;
}

static enum take_verdict compare(
	struct take *take, const struct take_item *item, const char **reason, struct error *error)
{
	struct text path = text_of(item->path), target;
	arena_cleanup arena = {0};
	*reason = blocked_by(take, item->path);
	if (*reason) {
		return item->after.blob ? TAKE_BLOCKED : TAKE_DONE; // what cannot be there is gone
	}
	if (has(take, item->path, &item->after, error)) {
		return TAKE_DONE;
	}
	struct folder_stat status = look(take, item->path);
	bool link = folder_read_link(&arena, take->folder, path, &target);
	if (!link && status.kind == FOLDER_MISSING) {
		return TAKE_DUE;
	}
	if (!link && status.kind != FOLDER_FILE) {
		if (status.kind == FOLDER_FOLDER && replaces_folder(take, item->path)) {
			return TAKE_DUE; // empty by then, or the writing fails
		}
		*reason = arena_printf(take->arena, "%s is in its way", status.what);
		return TAKE_BLOCKED;
	}
	if (item->before.blob && has(take, item->path, &item->before, error)) {
		return TAKE_DUE;
	}
	*reason = link              ? "a link stands there"
		: !item->after.blob ? "the run deleted it, but it differs from what the run had"
		: item->before.blob ? "it differs from what the run started with"
				    : "it exists and differs";
	return TAKE_CONFLICT;
}

static bool judge(struct take *take, struct take_item *item, struct error *error)
{
	struct error problem = {0};
	arena_cleanup arena = {0};
	struct text target = {0};
	if (item->after.link) {
		target = content_of(take, &arena, &item->after, &problem);
	}
	item->reason = take_unsafe_name(item->path);
	if (!item->reason && item->after.link) {
		item->reason = take_unsafe_link(item->path, target);
	}
	item->verdict = item->reason ? TAKE_LEFT_OUT : compare(take, item, &item->reason, &problem);
	if (problem.kind != ERROR_NONE) {
		*error = problem;
	}
	return problem.kind == ERROR_NONE;
}

bool take_plan(
	struct take *take, struct store *store, const char *run, bool all, struct error *error)
{
	if (!take_list(take, store, run, all, error)) {
		return false;
	}
	for (size_t i = 0; i < take->count; i++) {
		if (!judge(take, &take->items[i], error)) {
			return false;
		}
	}
	return true;
}

size_t take_count(const struct take *take, enum take_verdict verdict)
{
	size_t count = 0;
	for (size_t i = 0; i < take->count; i++) {
		count += take->items[i].verdict == verdict;
	}
	return count;
}

static bool find_content(struct take *take, struct arena *arena, const struct take_item *item,
	struct text *content, struct error *error)
{
	struct error gone = {0};
	const struct take_side *side = &item->after;
	if (side->whole) {
		return history_blob(take->history, arena, side->blob, content, error);
	}
	return take->workspace >= 0 && side->sha256 && side->size <= content_limit &&
		folder_read(arena, take->workspace, text_of(item->path), (size_t)content_limit,
			content, &gone) &&
		strcmp(hash_text(*content).hex, side->sha256) == 0;
}

bool take_content(struct take *take, struct arena *arena, struct take_item *item,
	struct text *content, struct error *error)
{
	struct error problem = {0};
	if (find_content(take, arena, item, content, &problem)) {
		return true;
	}
	*error = problem;
	item->verdict = TAKE_LEFT_OUT;
	item->reason = "the history does not hold its content, and the workspace does not have it "
		       "any more";
	return false;
}

static bool write_item(struct take *take, struct take_item *item, mode_t mask, struct error *error)
{
	arena_cleanup arena = {0};
	struct text content, target, path = text_of(item->path);
	if (!take_content(take, &arena, item, &content, error)) {
		return error->kind == ERROR_NONE;
	}
	folder_remove_empty(take->folder, path); // a folder that the run made a file of
	bool there = folder_read_link(&arena, take->folder, path, &target) ||
		(item->after.link && look(take, item->path).kind == FOLDER_FILE);
	if (there && !folder_remove(take->folder, path, error)) {
		return false;
	}
	mode_t mode = (item->after.executable ? 0777 : 0666) & ~mask;
	if (item->after.link ? !folder_link(take->folder, path, content, error)
			     : !folder_write(take->folder, path, content, mode, error)) {
		return false;
	}
	item->verdict = TAKE_TAKEN;
	return true;
}

// With the folders that are empty then.
static bool delete_item(struct take *take, struct take_item *item, struct error *error)
{
	struct text path = text_of(item->path);
	if (!folder_remove(take->folder, path, error)) {
		return false;
	}
	item->verdict = TAKE_TAKEN;
	do {
		while (path.length && path.data[path.length - 1] != '/') {
			path.length--;
		}
		path.length -= path.length > 0;
	} while (path.length && folder_remove_empty(take->folder, path));
	return true;
}

// The folder belongs to others, too: what was there when we looked may not be there now.
static bool still_so(struct take *take, struct take_item *item, struct error *error)
{
	enum take_verdict before = item->verdict;
	buffer_cleanup shown = {0};
	if (!judge(take, item, error)) {
		return false;
	}
	if (item->verdict == before) {
		return true;
	}
	buffer_add_line(&shown, text_of(item->path), 256);
	return error_set(error, ERROR_FAILED,
		"'%s' has changed since a moment ago: it was not touched", shown.data);
}

bool take_check(const struct take *take, bool force, struct error *error)
{
	size_t conflicts = take_count(take, TAKE_CONFLICT);
	size_t blocked = take_count(take, TAKE_BLOCKED);
	if (blocked) {
		error_set(error, ERROR_FAILED,
			"something is in the way of %zu path%s; nothing was written", blocked,
			blocked == 1 ? "" : "s");
		return error_hint(error, "move it, or choose another folder with --to");
	}
	if (conflicts && !force) {
		error_set(error, ERROR_FAILED,
			"%zu path%s would be overwritten; nothing was written", conflicts,
			conflicts == 1 ? "" : "s");
		return error_hint(error, "--force overwrites; --to DIR takes another folder");
	}
	return true;
}

bool take_perform(struct take *take, bool force, struct error *error)
{
	mode_t mask = umask(0);
	umask(mask);
	if (!take_check(take, force, error)) {
		return false;
	}
	// What is deleted makes room for what is written.
	for (int deleting = 1; deleting >= 0; deleting--) {
		for (size_t i = 0; i < take->count; i++) {
			struct take_item *item = &take->items[i];
			bool over = item->verdict == TAKE_CONFLICT;
			if ((item->after.blob == NULL) != (deleting == 1) ||
				(item->verdict != TAKE_DUE && !over)) {
				continue;
			}
			if (!still_so(take, item, error) ||
				!(deleting ? delete_item(take, item, error)
					   : write_item(take, item, mask, error))) {
				return false;
			}
			if (item->verdict == TAKE_TAKEN) {
				item->reason = over ? "what was there is gone" : NULL;
			}
		}
	}
	return true;
}
