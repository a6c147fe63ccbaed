/* Files of the workspace, one request after the other: see guest.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/file.h"
#include "base/file_parts.h"
#include "guest/parts.h"

struct files {
	int workspace;
	uid_t user;
	gid_t group;
	struct arena arena; // of one request
	struct guest_file request;
	struct text path;
	struct error error;
};

static bool fail(struct files *files, const char *what)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, files->path.length ? files->path : TEXT("."), 256);
	return error_errno(
		&files->error, folder_error_kind(errno), "cannot %s '%s'", what, shown.data);
}

static bool done(const void *bytes, size_t length)
{
	return guest_send(GUEST_DONE, bytes, length);
}

static bool stat_path(struct files *files)
{
	struct folder_stat found = folder_stat(files->workspace, files->path);
	const struct guest_stat stat = {.size = found.size,
		.modified = found.modified,
		.kind = (uint32_t)found.kind,
		.mode = found.mode,
		.unknown = found.unknown};
	buffer_cleanup answer = {0};
	buffer_add(&answer, &stat, sizeof(stat));
	buffer_add_string(&answer, found.what ? found.what : "");
	return done(answer.data, answer.length);
}

static bool read_path(struct files *files)
{
	static char bytes[GUEST_PART];
	file_cleanup fd = folder_open_file(files->workspace, files->path, &files->error);
	uint64_t total = 0;
	ssize_t got;
	while (fd >= 0 && (got = read(fd, bytes, sizeof(bytes))) != 0) {
		if (got < 0) {
			return fail(files, "read");
		}
		total += (uint64_t)got;
		if (total > files->request.limit) {
			buffer_cleanup shown = {0};
			buffer_add_line(&shown, files->path, 256);
			return error_set(&files->error, ERROR_USAGE,
				"'%s' is larger than %llu bytes", shown.data,
				(unsigned long long)files->request.limit);
		}
		if (!guest_send(GUEST_BYTES, bytes, (size_t)got)) {
			_exit(0);
		}
	}
	return fd >= 0 && done(NULL, 0);
}

static bool read_link(struct files *files)
{
	struct text target;
	return folder_read_link(&files->arena, files->workspace, files->path, &target)
		? done(target.data, target.length)
		: error_set(&files->error, ERROR_FAILED, "this is no link");
}

static bool scan_path(struct files *files)
{
	struct folder_list list;
	buffer_cleanup answer = {0};
	if (!folder_scan(&files->arena, files->workspace, files->path, files->request.limit, NULL,
		    NULL, &list, &files->error)) {
		return false;
	}
	const struct guest_list head = {.count = list.count, .cut = list.cut};
	buffer_add(&answer, &head, sizeof(head));
	for (size_t i = 0; i < list.count; i++) {
		const struct folder_entry *found = &list.entries[i];
		struct guest_entry entry;
		memset(&entry, 0, sizeof(entry)); // no bytes of ours in the gaps
		entry.size = found->size;
		entry.modified = found->modified;
		entry.changed = found->changed;
		entry.inode = found->inode;
		entry.kind = (uint32_t)found->kind;
		entry.mode = found->mode;
		entry.path = (uint32_t)found->path.length;
		buffer_add(&answer, &entry, sizeof(entry));
		buffer_add_text(&answer, found->path);
		if (answer.length > GUEST_PART) {
			if (!guest_send(GUEST_BYTES, answer.data, answer.length)) {
				_exit(0);
			}
			buffer_clear(&answer);
		}
	}
	return guest_send(GUEST_BYTES, answer.data, answer.length) && done(NULL, 0);
}

// Gives a folder of ours that was made just now to the user.
static bool give_away(struct files *files, const char *path)
{
	file_cleanup fd = folder_open_beneath(files->workspace, path, O_PATH | O_NOFOLLOW);
	struct stat status;
	return fd >= 0 && fstat(fd, &status) == 0 &&
		(status.st_uid != 0 || !S_ISDIR(status.st_mode) ||
			fchownat(fd, "", files->user, files->group, AT_EMPTY_PATH) == 0);
}

static bool make_folder(struct files *files, struct text path)
{
	for (size_t i = 0; i <= path.length; i++) {
		struct text part = {path.data, i};
		if (i == 0 || (i < path.length && path.data[i] != '/')) {
			continue;
		}
		bool there = folder_stat(files->workspace, part).kind != FOLDER_MISSING;
		if (!folder_make(files->workspace, part, &files->error)) {
			return false;
		}
		if (!there && !give_away(files, text_string(&files->arena, part))) {
			return fail(files, "make the folder");
		}
	}
	return true;
}

static bool remove_path(struct files *files, bool tree)
{
	return (tree ? folder_remove_tree : folder_remove)(
		       files->workspace, files->path, &files->error) &&
		done(NULL, 0);
}

// Takes the contents that follow; those of a write that fails, too.
static bool take_contents(int fd, bool *whole)
{
	static char bytes[GUEST_PART];
	struct guest_frame frame = {0};
	bool fine = true;
	int problem = 0;
	while (guest_receive_header(&frame) && frame.type == GUEST_BYTES &&
		frame.length <= sizeof(bytes) && guest_receive(bytes, frame.length)) {
		for (size_t at = 0; fine && at < frame.length;) {
			ssize_t count = fd < 0 ? -1 : write(fd, bytes + at, frame.length - at);
			if (count < 0 && errno != EINTR) {
				problem = fd < 0 ? 0 : errno;
				fine = false;
			}
			at += count > 0 ? (size_t)count : 0;
		}
	}
	*whole = frame.type == GUEST_BYTES_END;
	errno = problem;
	return fine && *whole;
}

// What may be replaced by a file: nothing, or a file.
static bool can_be_written(struct files *files, int folder, const char *name)
{
	struct stat status;
	if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || S_ISREG(status.st_mode)) {
		return true;
	}
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, files->path, 256);
	return error_set(&files->error, ERROR_FAILED, "'%s' is %s, not a regular file", shown.data,
		S_ISDIR(status.st_mode)            ? "a folder"
			: S_ISLNK(status.st_mode)  ? "a link"
			: S_ISFIFO(status.st_mode) ? "a FIFO"
						   : "a special file");
}

// The folder that holds the path, made if missing; *name is what it shall be called there.
static int open_parent(struct files *files, const char **name)
{
	char *path = text_string(&files->arena, files->path);
	char *slash = strrchr(path, '/');
	struct text parent = {path, slash ? (size_t)(slash - path) : 0};
	*name = slash ? slash + 1 : path;
	if (path[0] == '\0') {
		error_set(&files->error, ERROR_FAILED, "'.' cannot be a file");
		return -1;
	}
	if (!make_folder(files, parent)) {
		return -1;
	}
	int fd = folder_open_beneath(
		files->workspace, text_string(&files->arena, parent), O_PATH | O_DIRECTORY);
	if (fd < 0) {
		fail(files, "write");
	} else if (!can_be_written(files, fd, *name)) {
		file_close(&fd);
	}
	return fd;
}

static bool put_in_place(
	struct files *files, int folder, int fd, const char *temporary, const char *name)
{
	return (fchown(fd, files->user, files->group) == 0 &&
		       fchmod(fd, files->request.mode & 07777) == 0 &&
		       renameat(folder, temporary, folder, name) == 0) ||
		fail(files, "write");
}

static bool write_path(struct files *files)
{
	const char *name;
	char temporary[64];
	unsigned long long random = 0;
	bool whole = false;
	file_cleanup folder = open_parent(files, &name);
	file_cleanup fd = -1;
	getrandom(&random, sizeof(random), 0);
	snprintf(temporary, sizeof(temporary), ".muster-%016llx.tmp", random);
	bool fine = folder >= 0;
	if (fine) {
		fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
		fine = fd >= 0 || fail(files, "write");
	}
	// What was refused already still has its contents coming.
	bool written = take_contents(fd, &whole);
	fine = fine && (written || !whole || fail(files, "write")) && whole &&
		put_in_place(files, folder, fd, temporary, name);
	if (!fine && fd >= 0) {
		unlinkat(folder, temporary, 0);
	}
	if (!whole) {
		_exit(1); // what follows is no request
	}
	return fine && done(NULL, 0);
}

static bool answer(struct files *files, uint32_t type)
{
	switch (type) {
	case GUEST_STAT:
		return stat_path(files);
	case GUEST_READ:
		return read_path(files);
	case GUEST_READ_LINK:
		return read_link(files);
	case GUEST_WRITE:
		return write_path(files);
	case GUEST_SCAN:
		return scan_path(files);
	case GUEST_MAKE_FOLDER:
		return make_folder(files, files->path) && done(NULL, 0);
	case GUEST_REMOVE:
	case GUEST_REMOVE_TREE:
		return remove_path(files, type == GUEST_REMOVE_TREE);
	default:
		_exit(1);
	}
}

static void refuse(const struct files *files)
{
	buffer_cleanup message = {0};
	uint32_t kind = files->error.kind;
	buffer_add(&message, &kind, sizeof(kind));
	buffer_add_string(&message, files->error.message);
	guest_send(GUEST_REFUSED, message.data, message.length);
}

int guest_files(const char *user)
{
	static char body[sizeof(struct guest_file) + 8192];
	struct files files = {.workspace = -1};
	struct guest_frame frame;
	unsigned uid, gid;
	if (sscanf(user, "%u:%u", &uid, &gid) != 2) {
		return 2;
	}
	files.user = uid;
	files.group = gid;
	umask(022);
	files.workspace = folder_open(GUEST_WORKSPACE, &files.error);
	// The workspace of a fresh session is nobody's yet.
	if (files.workspace < 0 || !give_away(&files, "")) {
		fprintf(stderr, "%s\n",
			files.workspace < 0 ? files.error.message
					    : "cannot give the workspace away");
		return 1;
	}
	if (!guest_say_hello()) {
		return 1;
	}
	while (guest_receive_header(&frame)) {
		if (frame.length < sizeof(files.request) || frame.length > sizeof(body) ||
			!guest_receive(body, frame.length)) {
			return 1;
		}
		memcpy(&files.request, body, sizeof(files.request));
		files.path = (struct text){
			body + sizeof(files.request), frame.length - sizeof(files.request)};
		files.error = (struct error){0};
		if (!answer(&files, frame.type)) {
			refuse(&files);
		}
		arena_finish(&files.arena);
	}
	return 0;
}
