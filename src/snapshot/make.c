/* A workspace becomes an archive on the shelf. A folder of this machine is read as it lies there; any other
 * sandbox hands out an archive, which is put into our form. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "snapshot/parts.h"

enum { CHUNK = 256 * 1024 };

// A file may change twice within one tick of the clock that its times are taken from.
#define TICK (INT64_C(100) * 1000000)

struct making {
	const char *shelf;
	const struct snapshot_source *source;
	struct snapshot_made *made;
	struct snapshot_members list;
	struct snapshot_members again; // further names of files, which the archive has as links
	int folder;                    // of this machine; -1: what they hold lies in `spool`
	int spool;
	char *bytes; // CHUNK
	bool changed;
};

static bool is_excluded(const struct snapshot_source *source, struct text path)
{
	for (size_t i = 0; i < source->excluded_count; i++) {
		struct text left = source->excluded[i];
		if (left.length == 0 || text_equal(path, left) ||
			(path.length > left.length && path.data[left.length] == '/' &&
				memcmp(path.data, left.data, left.length) == 0)) {
			return true;
		}
	}
	const char *slash = memrchr(path.data, '/', path.length);
	return file_is_temporary(slash ? slash + 1 : path.data);
}

// --- What is there, and whether it is the same as before ---

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_REALTIME, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// Two scans that are alike have seen the same files: all that can tell of a change is in it.
static const char *fingerprint(
	const struct making *making, const struct folder_list *scan, int64_t looked)
{
	struct hash_stream *hash = hash_begin();
	bool settled = true;
	buffer_cleanup line = {0};
	for (size_t i = 0; i < scan->count; i++) {
		const struct folder_entry *entry = &scan->entries[i];
		if (is_excluded(making->source, entry->path)) {
			continue;
		}
		buffer_clear(&line);
		buffer_printf(&line, "%d %o %lld %lld %lld %llu ", (int)entry->kind,
			(unsigned)entry->mode, (long long)entry->size, (long long)entry->modified,
			(long long)entry->changed, (unsigned long long)entry->inode);
		buffer_add_text(&line, entry->path);
		hash_add(hash, line.data, line.length + 1);
		settled = settled && entry->changed < looked - TICK;
	}
	struct hash sum = hash_end(hash);
	return settled ? arena_string(making->list.arena, sum.hex) : NULL;
}

static void add_entry(struct making *making, const struct folder_entry *entry)
{
	struct snapshot_member member = {.path = entry->path,
		.mode = entry->mode,
		.size = entry->size,
		.modified = entry->modified};
	switch (entry->kind) {
	case FOLDER_FILE:
		member.type = TAR_FILE;
		break;
	case FOLDER_FOLDER:
		member.type = TAR_FOLDER;
		break;
	case FOLDER_LINK:
		member.type = TAR_LINK;
		if (!folder_read_link(
			    making->list.arena, making->folder, entry->path, &member.target)) {
			return; // gone meanwhile
		}
		break;
	default:
		snapshot_leave_out(&making->list, entry->path, "a special file");
		return;
	}
	snapshot_add(&making->list, &member);
}

static void list_folder(struct making *making, const struct folder_list *scan)
{
	for (size_t i = 0; i < scan->count; i++) {
		if (!is_excluded(making->source, scan->entries[i].path)) {
			add_entry(making, &scan->entries[i]);
		}
	}
}

// --- An archive of the sandbox's own ---

struct taking {
	struct making *making;
	const struct tar_reader *reader;
};

static bool take_entry(void *data, const struct tar_entry *entry, struct error *error)
{
	struct taking *taking = data;
	struct making *making = taking->making;
	struct text path = entry->path;
	while (text_starts(path, "./")) {
		path = (struct text){path.data + 2, path.length - 2};
	}
	while (path.length && path.data[path.length - 1] == '/') {
		path.length--;
	}
	if (path.length == 0 || text_is(path, ".")) {
		return true;
	}
	struct snapshot_member member = {.path = text_copy(making->list.arena, path),
		.target = text_copy(making->list.arena, entry->target),
		.type = entry->type,
		.mode = entry->mode,
		.size = entry->size,
		.modified = entry->modified,
		.offset = taking->reader->whole + TAR_BLOCK};
	if (is_excluded(making->source, member.path)) {
		return true;
	}
	bool again = entry->type == TAR_HARD_LINK;
	if (!again && entry->type != TAR_FILE && entry->type != TAR_FOLDER &&
		entry->type != TAR_LINK) {
		snapshot_leave_out(&making->list, member.path, "a special file");
		return true;
	}
	if (making->list.count >= SNAPSHOT_ENTRIES) {
		return error_set(error, ERROR_FAILED, "the workspace has more than %d files",
			SNAPSHOT_ENTRIES);
	}
	snapshot_add(again ? &making->again : &making->list, &member);
	return true;
}

static int compare_path(const void *key, const void *member)
{
	return strcmp(key, ((const struct snapshot_member *)member)->path.data);
}

// What an archive has as another name of a file is a file of its own here.
static void add_again(struct making *making)
{
	struct snapshot_members *list = &making->list;
	size_t count = list->count;
	for (size_t i = 0; i < making->again.count; i++) {
		struct snapshot_member member = making->again.members[i];
		struct text target = member.target;
		while (text_starts(target, "./")) {
			target = (struct text){target.data + 2, target.length - 2};
		}
		const struct snapshot_member *file = count
			? bsearch(target.data, list->members, count, sizeof(member), compare_path)
			: NULL;
		if (!file || file->type != TAR_FILE) {
			snapshot_leave_out(list, member.path, "another name of what is left out");
			continue;
		}
		struct snapshot_member copy = *file;
		copy.path = member.path;
		snapshot_add(list, &copy);
	}
	snapshot_sort(list);
}

static int spool_open(const char *shelf, struct error *error)
{
	int fd = file_make_folders(shelf, 0700, error)
		? open(shelf, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)
		: -1;
	if (fd < 0 && error->kind == ERROR_NONE) {
		error_errno(error, ERROR_FAILED, "cannot make a file in '%s'", shelf);
	}
	return fd;
}

static bool list_archive(struct making *making, struct error *error)
{
	making->spool = spool_open(making->shelf, error);
	if (making->spool < 0 ||
		!sandbox_get_archive(making->source->sandbox, NULL, making->spool, error) ||
		lseek(making->spool, 0, SEEK_SET) < 0) {
		return false;
	}
	struct taking taking = {.making = making};
	struct tar_reader reader = {.entry = take_entry, .data = &taking};
	taking.reader = &reader;
	bool fine = true;
	ssize_t got;
	while (fine && (got = read(making->spool, making->bytes, CHUNK)) != 0) {
		struct text part = {making->bytes, got > 0 ? (size_t)got : 0};
		fine = (got > 0 || errno == EINTR ||
			       error_errno(error, ERROR_FAILED, "cannot read the archive")) &&
			tar_feed(&reader, part, error);
	}
	fine = fine && tar_end(&reader, error);
	tar_finish(&reader);
	snapshot_sort(&making->list);
	add_again(making);
	return fine;
}

// --- Writing ---

// True, with making->changed, for a file that is not what it was a moment ago.
static bool write_file(struct making *making, struct snapshot_writer *writer,
	const struct snapshot_member *member, int fd, struct error *error)
{
	int64_t done = 0;
	while (done < member->size) {
		int64_t rest = member->size - done;
		ssize_t got = pread(fd, making->bytes, rest < CHUNK ? (size_t)rest : CHUNK,
			member->offset + done);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			buffer_cleanup shown = {0};
			int number = errno;
			buffer_add_line(&shown, member->path, 256);
			errno = number;
			return error_errno(error, ERROR_FAILED, "cannot read '%s'", shown.data);
		}
		if (got == 0) {
			making->changed = true;
			return true;
		}
		if (!snapshot_write_bytes(
			    writer, (struct text){making->bytes, (size_t)got}, error)) {
			return false;
		}
		done += got;
	}
	return true;
}

static int open_member(
	struct making *making, const struct snapshot_member *member, struct error *error)
{
	struct stat status;
	struct error reason = {0};
	int fd = folder_open_file(making->folder, member->path, &reason);
	if (fd < 0) {
		making->changed = reason.kind == ERROR_FAILED && errno != EACCES;
		*error = reason;
		return -1;
	}
	if (fstat(fd, &status) == 0 &&
		(status.st_size != member->size || !S_ISREG(status.st_mode))) {
		making->changed = true;
	}
	return fd;
}

static bool write_members(
	struct making *making, struct snapshot_writer *writer, struct error *error)
{
	for (size_t i = 0; i < making->list.count; i++) {
		const struct snapshot_member *member = &making->list.members[i];
		const atomic_bool *cancel = making->source->cancel;
		if (cancel && atomic_load(cancel)) {
			return error_set(error, ERROR_INTERRUPTED, "the snapshot was cut short");
		}
		if (!snapshot_write_member(writer, member, error)) {
			return false;
		}
		if (member->type != TAR_FILE) {
			continue;
		}
		file_cleanup opened = making->folder >= 0 ? open_member(making, member, error) : -1;
		if ((making->folder >= 0 && opened < 0) || making->changed ||
			!write_file(making, writer, member, opened >= 0 ? opened : making->spool,
				error) ||
			making->changed) {
			return false;
		}
	}
	return true;
}

static bool write_archive(struct making *making, struct error *error)
{
	struct snapshot_writer *writer = snapshot_write_begin(making->shelf, error);
	bool fine = writer && write_members(making, writer, error) &&
		snapshot_write_end(writer, &making->made->snapshot, error);
	snapshot_write_free(writer);
	return fine;
}

// --- The whole ---

static bool list_members(struct making *making, struct error *error)
{
	const struct snapshot_source *source = making->source;
	struct folder_list scan;
	int64_t looked = now();
	if (!sandbox_scan(source->sandbox, making->list.arena, TEXT(""), SNAPSHOT_ENTRIES, &scan,
		    error)) {
		return false;
	}
	if (scan.cut) {
		return error_set(error, ERROR_FAILED,
			"the workspace has more than %d files, or folders that lie too deep",
			SNAPSHOT_ENTRIES);
	}
	making->made->fingerprint = fingerprint(making, &scan, looked);
	making->made->unchanged = source->known && making->made->fingerprint &&
		strcmp(source->known, making->made->fingerprint) == 0;
	if (making->made->unchanged) {
		return true;
	}
	if (making->folder < 0) {
		return list_archive(making, error);
	}
	list_folder(making, &scan);
	return true;
}

static bool make_once(struct making *making, struct arena *arena, struct error *error)
{
	making->list = (struct snapshot_members){.arena = arena, .made = making->made};
	making->again = making->list;
	making->spool = -1;
	making->changed = false;
	*making->made = (struct snapshot_made){0};
	bool fine = list_members(making, error) &&
		(making->made->unchanged || write_archive(making, error));
	file_close(&making->spool);
	snapshot_members_finish(&making->list);
	snapshot_members_finish(&making->again);
	return fine;
}

bool snapshot_make(const char *shelf, const struct snapshot_source *source, struct arena *arena,
	struct snapshot_made *made, struct error *error)
{
	struct making making = {.shelf = shelf,
		.source = source,
		.made = made,
		.folder = sandbox_host_folder(source->sandbox),
		.bytes = memory_alloc(CHUNK)};
	bool fine = make_once(&making, arena, error);
	if (!fine && making.changed) {
		*error = (struct error){0};
		fine = make_once(&making, arena, error);
	}
	if (!fine && making.changed) {
		error_set(error, ERROR_FAILED, "the workspace changes while it is packed");
		error_hint(error, "end the program that writes to it");
	}
	free(making.bytes);
	return fine;
}
