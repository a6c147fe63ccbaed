#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "store/history_parts.h"

enum {
	READ_SIZE = 256 * 1024,
	OPEN_TRIES = 50,
	READ_TRIES = 3,
	MANY = 200, // files that are new go into packs
};

// A file touched this short before a scan may change again without its times changing: a few ticks
// of the kernel's clock, or what the coarsest file systems round to. Nanoseconds.
static const int64_t tick = INT64_C(50) * 1000 * 1000;
static const int64_t coarse_tick = INT64_C(2) * 1000 * 1000 * 1000;

// A larger file is told by its size and time: a file with holes may have any size.
static const int64_t hash_limit = INT64_C(1) << 30;

struct scan {
	struct history *history;
	struct sandbox *sandbox;
	int folder;                 // -1: the workspace is not on this machine
	int64_t started, monotonic; // nanoseconds
	char *bytes;                // READ_SIZE
	struct error *error;
};

enum outcome { TAKEN, GONE, FAILED };

// Some file systems do not see these in a name (U+200C to U+200F, U+202A to U+202E, U+206A to
// U+206F, U+FEFF).
static size_t unseen_length(const unsigned char *at, size_t left)
{
	if (left < 3) {
		return 0;
	}
	bool unseen =
		(at[0] == 0xe2 && at[1] == 0x80 &&
			((at[2] >= 0x8c && at[2] <= 0x8f) || (at[2] >= 0xaa && at[2] <= 0xae))) ||
		(at[0] == 0xe2 && at[1] == 0x81 && at[2] >= 0xaa && at[2] <= 0xaf) ||
		(at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf);
	return unseen ? 3 : 0;
}

// The name as such a file system sees it.
static struct text seen_part(struct text name, char part[256])
{
	size_t length = 0;
	if (!name.length ||
		(!memchr(name.data, 0xe2, name.length) && !memchr(name.data, 0xef, name.length))) {
		return name;
	}
	for (size_t i = 0; i < name.length && length < 256;) {
		size_t unseen =
			unseen_length((const unsigned char *)name.data + i, name.length - i);
		if (!unseen) {
			part[length++] = name.data[i++];
		}
		i += unseen;
	}
	return (struct text){part, length};
}

static bool starts_like(struct text name, const char *start)
{
	size_t length = strlen(start);
	return name.length >= length && strncasecmp(name.data, start, length) == 0;
}

// Does some file system take the name for the other one? Trailing dots and spaces go away, a colon
// begins the name of a stream, a backslash that of another file.
static bool is_alias(struct text name, const char *of)
{
	size_t at = strlen(of);
	if (!starts_like(name, of)) {
		return false;
	}
	while (at < name.length && (name.data[at] == ' ' || name.data[at] == '.')) {
		at++;
	}
	return at == name.length || name.data[at] == ':' || name.data[at] == '\\';
}

static bool is_git_name(struct text name, bool link)
{
	char part[256];
	name = seen_part(name, part);
	return is_alias(name, ".git") || is_alias(name, "git~1") ||
		(link &&
			(is_alias(name, ".gitmodules") || starts_like(name, "gitmod~") ||
				starts_like(name, "gi7eba~")));
}

// Names that git keeps out of trees, or would not check out: with one of them in it, the history
// could not be cloned any more.
static bool git_refuses(struct text name, bool link)
{
	for (;;) {
		if (is_git_name(name, link)) {
			return true;
		}
		const char *behind = name.length ? memchr(name.data, '\\', name.length) : NULL;
		if (!behind) {
			return false;
		}
		name.length -= (size_t)(behind - name.data) + 1;
		name.data = behind + 1;
	}
}

static bool is_left_out(const struct history *history, struct text path, enum folder_kind kind)
{
	while (path.length) {
		const char *slash = memchr(path.data, '/', path.length);
		struct text name = {path.data, slash ? (size_t)(slash - path.data) : path.length};
		bool folder = slash || kind == FOLDER_FOLDER;
		if (git_refuses(name, !slash && kind == FOLDER_LINK)) {
			return true;
		}
		for (size_t i = 0; folder && history->untracked[i]; i++) {
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

static bool skip_folder(void *data, struct text path)
{
	return is_left_out(data, path, FOLDER_FOLDER);
}

static bool take_bytes(struct scan *scan, struct seen *seen, struct text content)
{
	struct hash hash = hash_text(content);
	memcpy(seen->sha256, hash.hex, sizeof(hash.hex));
	return objects_write(&scan->history->objects, content, GIT_OBJECT_BLOB, &seen->file.id) ||
		history_fail(scan->error, "write");
}

// What stands for a file whose content the history does not hold. Its last word is the content's
// hash, or, if that is not known, when the file was last written.
static bool take_pointer(struct scan *scan, struct seen *seen, const char *reason)
{
	arena_cleanup arena = {0};
	char hash[HASH_HEX_SIZE];
	memcpy(hash, seen->sha256, sizeof(hash));
	char *text = arena_printf(
		&arena, "muster: a file of %lld bytes that %s\n", (long long)seen->size, reason);
	text = hash[0] ? arena_printf(&arena, "%ssha256 %s\n", text, hash)
		       : arena_printf(&arena, "%smodified %lld\n", text, (long long)seen->modified);
	bool fine = take_bytes(scan, seen, text_of(text));
	memcpy(seen->sha256, hash, sizeof(hash));
	return fine;
}

static bool too_large(struct scan *scan, struct seen *seen)
{
	return take_pointer(scan, seen, "is too large for the history");
}

static bool finish_blob(struct scan *scan, struct seen *seen, git_odb_stream *stream)
{
	if (git.odb_stream_finalize_write(&seen->file.id, stream) < 0) {
		return history_fail(scan->error, "write");
	}
	objects_note(&scan->history->objects, &seen->file.id);
	return true;
}

static enum outcome changing(struct scan *scan, const struct seen *seen)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text_of(seen->path), 256);
	error_set(scan->error, ERROR_FAILED, "cannot record '%s': it changes while it is read",
		shown.data);
	error_hint(scan->error, "end the program that writes it");
	return FAILED;
}

// Reads until `size` bytes are there or the file ends; -1 with errno.
static ssize_t read_up_to(int fd, char *bytes, size_t size)
{
	size_t length = 0;
	while (length < size) {
		ssize_t got = read(fd, bytes + length, size - length);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return -1;
		}
		if (got == 0) {
			break;
		}
		length += (size_t)got;
	}
	return (ssize_t)length;
}

// Where the bytes of a long file go: into the hash, and into the stream if there is one. What is
// written behind the size while we read belongs to the next scan.
static enum outcome copy_file(
	struct scan *scan, int fd, struct seen *seen, int64_t size, git_odb_stream *stream)
{
	struct hash_stream *hashing = hash_begin();
	int64_t done = 0;
	ssize_t got = 1;
	bool written = true;
	while (done < size && got > 0 && written) {
		size_t most = size - done < READ_SIZE ? (size_t)(size - done) : READ_SIZE;
		got = read_up_to(fd, scan->bytes, most);
		if (got > 0) {
			hash_add(hashing, scan->bytes, (size_t)got);
			written = !stream ||
				git.odb_stream_write(stream, scan->bytes, (size_t)got) == 0;
			done += got;
		}
	}
	int reason = errno;
	struct hash hash = hash_end(hashing);
	memcpy(seen->sha256, hash.hex, sizeof(hash.hex));
	if (!written) {
		history_fail(scan->error, "write");
		return FAILED;
	}
	if (got < 0) {
		buffer_cleanup shown = {0};
		buffer_add_line(&shown, text_of(seen->path), 256);
		errno = reason;
		error_errno(scan->error, ERROR_FAILED, "cannot read '%s'", shown.data);
		return FAILED;
	}
	return done == size ? TAKEN : GONE; // gone: its end
}

static enum outcome take_long_file(struct scan *scan, int fd, struct seen *seen)
{
	struct stat status;
	git_odb_stream *stream = NULL;
	seen->sha256[0] = '\0';
	if (fstat(fd, &status) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		return changing(scan, seen);
	}
	seen->size = status.st_size;
	if (seen->size > hash_limit) {
		return too_large(scan, seen) ? TAKEN : FAILED;
	}
	if (seen->size <= HISTORY_FILE_LIMIT &&
		git.odb_open_wstream(&stream, scan->history->objects.database,
			(git_object_size_t)seen->size, GIT_OBJECT_BLOB) < 0) {
		history_fail(scan->error, "write");
		return FAILED;
	}
	enum outcome outcome = copy_file(scan, fd, seen, seen->size, stream);
	if (outcome == TAKEN &&
		!(stream ? finish_blob(scan, seen, stream) : too_large(scan, seen))) {
		outcome = FAILED;
	}
	git.odb_stream_free(stream);
	return outcome;
}

// The content of a file of this machine as it is now: in one piece if it is short, as a stream
// otherwise.
static enum outcome take_own_file(struct scan *scan, struct seen *seen)
{
	struct text path = text_of(seen->path);
	errno = 0;
	file_cleanup fd = folder_open_file(scan->folder, path, scan->error);
	// What is no file when we open it and one when we look is being exchanged by somebody.
	for (int i = 0; fd < 0 && errno != EACCES && errno != EPERM; i++) {
		struct folder_stat now = folder_stat(scan->folder, path);
		if (!now.unknown && now.kind != FOLDER_FILE) {
			return GONE;
		}
		if (now.unknown || i == OPEN_TRIES) {
			return FAILED;
		}
		errno = 0;
		fd = folder_open_file(scan->folder, path, scan->error);
	}
	if (fd < 0) {
		return take_pointer(scan, seen, "cannot be read") ? TAKEN : FAILED;
	}
	ssize_t length = read_up_to(fd, scan->bytes, READ_SIZE);
	if (length >= 0 && length < READ_SIZE) {
		seen->size = length;
		struct text content = {scan->bytes, (size_t)length};
		return take_bytes(scan, seen, content) ? TAKEN : FAILED;
	}
	// Cut short while we read it: from the start again.
	for (int i = 0; i < READ_TRIES; i++) {
		enum outcome outcome = take_long_file(scan, fd, seen);
		if (outcome != GONE) {
			return outcome;
		}
	}
	return changing(scan, seen);
}

static enum outcome take_far_file(struct scan *scan, struct seen *seen)
{
	arena_cleanup arena = {0};
	struct text path = text_of(seen->path), content;
	if (seen->size > HISTORY_FILE_LIMIT) {
		return too_large(scan, seen) ? TAKEN : FAILED;
	}
	if (!sandbox_read(scan->sandbox, &arena, path, HISTORY_FILE_LIMIT, &content, scan->error)) {
		return sandbox_stat(scan->sandbox, path).kind == FOLDER_FILE ? FAILED : GONE;
	}
	return take_bytes(scan, seen, content) ? TAKEN : FAILED;
}

static enum outcome take_link(struct scan *scan, struct seen *seen)
{
	arena_cleanup arena = {0};
	struct text target;
	if (scan->folder >= 0) {
		if (!folder_read_link(&arena, scan->folder, text_of(seen->path), &target)) {
			return GONE;
		}
		return take_bytes(scan, seen, target) ? TAKEN : FAILED;
	}
	const char *const argv[] = {"readlink", "-n", "--", seen->path, NULL};
	struct sandbox_command command = {.argv = argv};
	struct process_result result;
	if (!sandbox_exec(scan->sandbox, &arena, &command, &result, scan->error)) {
		return FAILED;
	}
	if (result.status != 0) {
		return GONE;
	}
	return take_bytes(scan, seen, result.out) ? TAKEN : FAILED;
}

static bool same_stat(const struct seen *seen, const struct folder_entry *entry)
{
	return seen->size == entry->size && seen->modified == entry->modified &&
		seen->changed == entry->changed && seen->inode == entry->inode;
}

// May the file change without its times changing? By the clock here, if the file system has it. A
// clock elsewhere may be off: there, the same times must have been seen some time ago.
static bool is_racy(const struct scan *scan, const struct seen *seen)
{
	if (scan->folder < 0) {
		return scan->monotonic - seen->first < coarse_tick;
	}
	int64_t touched = seen->modified > seen->changed ? seen->modified : seen->changed;
	int64_t second = INT64_C(1000000000);
	bool coarse = seen->modified % second == 0 && seen->changed % second == 0;
	return touched > scan->started - (coarse ? coarse_tick : tick);
}

static enum outcome look_at(struct scan *scan, const struct folder_entry *entry,
	const struct seen *before, struct seen *seen)
{
	bool link = entry->kind == FOLDER_LINK;
	bool same = before && same_stat(before, entry);
	*seen = (struct seen){.path = memory_string(entry->path.data),
		.size = entry->size,
		.modified = entry->modified,
		.changed = entry->changed,
		.inode = entry->inode,
		.first = same ? before->first : scan->monotonic};
	seen->file.path = seen->path;
	seen->file.mode = link ? TREE_LINK : entry->mode & S_IXUSR ? TREE_EXECUTABLE : TREE_FILE;
	seen->racy = is_racy(scan, seen);
	if (same && !before->racy) {
		seen->file.id = before->file.id;
		memcpy(seen->sha256, before->sha256, sizeof(seen->sha256));
		return TAKEN;
	}
	enum outcome outcome = link ? take_link(scan, seen)
		: scan->folder >= 0 ? take_own_file(scan, seen)
				    : take_far_file(scan, seen);
	if (outcome != TAKEN) {
		free(seen->path);
	}
	return outcome;
}

static bool is_recorded(const struct scan *scan, const struct folder_entry *entry)
{
	return (entry->kind == FOLDER_FILE || entry->kind == FOLDER_LINK) &&
		!is_left_out(scan->history, entry->path, entry->kind);
}

void history_forget(struct history *history)
{
	for (size_t i = 0; i < history->seen_count; i++) {
		free(history->seen[i].path);
	}
	free(history->seen);
	history->seen = NULL;
	history->seen_count = 0;
}

static bool look_at_all(struct scan *scan, const struct folder_list *list)
{
	struct history *history = scan->history;
	struct seen *seen = memory_alloc((list->count + 1) * sizeof(*seen));
	size_t count = 0, before = 0;
	enum outcome outcome = TAKEN;
	if (list->count > history->seen_count + MANY) {
		objects_begin_many(&history->objects);
	}
	for (size_t i = 0; outcome != FAILED && i < list->count; i++) {
		const struct folder_entry *entry = &list->entries[i];
		const struct seen *known = NULL;
		if (!is_recorded(scan, entry)) {
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
		outcome = look_at(scan, entry, known, &seen[count]);
		count += outcome == TAKEN;
	}
	history_forget(history);
	history->seen = seen;
	history->seen_count = count;
	if (!objects_end_many(&history->objects)) {
		return history_fail(scan->error, "write");
	}
	return outcome != FAILED;
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
		git.oid_tostr(id, GIT_OID_HEXSZ + 1, &seen->file.id);
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
			git.oid_equal(&seen->file.id, &file->id);
		if (!same) {
			add_change(
				arena, changes, order <= 0 ? seen : NULL, order >= 0 ? file : NULL);
		}
		i += order <= 0;
		j += order >= 0;
	}
}

static int64_t nanoseconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// Here, folders that are left out cost nothing and may hold what they like; elsewhere, they are
// listed with the rest.
static bool list_files(struct scan *scan, struct arena *arena, struct folder_list *list)
{
	bool fine = scan->folder >= 0
		? folder_scan(arena, scan->folder, TEXT(""), HISTORY_FILES, skip_folder,
			  scan->history, list, scan->error)
		: sandbox_scan(scan->sandbox, arena, TEXT(""), HISTORY_FILES, list, scan->error);
	if (fine && list->cut) {
		error_set(scan->error, ERROR_FAILED,
			"the workspace has more than %d files, or folders too deep to record",
			HISTORY_FILES);
		error_hint(scan->error, "name large folders under manifest.untracked");
		return false;
	}
	return fine;
}

bool history_scan(struct history *history, struct sandbox *sandbox, struct arena *arena,
	struct history_changes *changes, struct error *error)
{
	arena_cleanup listing = {0};
	struct folder_list list;
	*changes = (struct history_changes){0};
	if (!history_refresh(history, error)) {
		return false;
	}
	struct scan scan = {.history = history,
		.sandbox = sandbox,
		.folder = sandbox_host_folder(sandbox),
		.started = nanoseconds(CLOCK_REALTIME),
		.monotonic = nanoseconds(CLOCK_MONOTONIC),
		.bytes = arena_alloc(&listing, READ_SIZE),
		.error = error};
	if (!list_files(&scan, &listing, &list) || !look_at_all(&scan, &list)) {
		return false;
	}
	compare(history, arena, changes);
	return true;
}
