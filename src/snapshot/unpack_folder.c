#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "snapshot/parts.h"

// The mode of a folder is set when everything is in it.
struct made_folder {
	char *path;
	mode_t mode;
};

struct unpack_folder {
	int root;
	uid_t user; // whom files are given to ...
	gid_t group;
	bool give;          // ... if that is not us anyway
	int folder;         // where the last entry was put
	struct buffer path; // of that folder
	bool open;          // `folder` is `path`
	int file;           // that is being written; -1: none
	struct snapshot_member member;
	struct buffer name; // of that file, whole
	int64_t left;
	struct made_folder *folders;
	size_t count, capacity;
};

static bool failed(struct error *error, const char *what, struct text path)
{
	int number = errno;
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, path, 256);
	errno = number;
	error_errno(error, ERROR_FAILED, "cannot %s '%s' in the workspace", what, shown.data);
	if (number == ENOSPC || number == EDQUOT) {
		error_hint(error, "make room on the disk that holds .muster");
	}
	return false;
}

static int open_beneath(int root, const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static bool give_away(const struct unpack_folder *unpack, int fd)
{
	return !unpack->give || fchown(fd, unpack->user, unpack->group) == 0;
}

// Folders that the archive does not name, because what is in them says it all.
static bool make_between(struct unpack_folder *unpack, char *path)
{
	for (char *slash = path;; slash++) {
		slash = strchr(slash, '/');
		if (slash) {
			*slash = '\0';
		}
		if (mkdirat(unpack->root, path, 0755) == 0) {
			file_cleanup fd = open_beneath(unpack->root, path);
			if (fd < 0 || !give_away(unpack, fd) || fchmod(fd, 0755) < 0) {
				return false;
			}
		} else if (errno != EEXIST) {
			return false;
		}
		if (!slash) {
			return true;
		}
		*slash = '/';
	}
}

// Stands in the folder that holds the path; *name is its last part.
static int folder_of(struct unpack_folder *unpack, struct text path, const char **name)
{
	const char *slash = memrchr(path.data, '/', path.length);
	struct text parent = {path.data, slash ? (size_t)(slash - path.data) : 0};
	*name = slash ? slash + 1 : path.data;
	if (!slash) {
		return unpack->root;
	}
	if (unpack->open && text_equal(parent, buffer_text(&unpack->path))) {
		return unpack->folder;
	}
	file_close(&unpack->folder);
	buffer_clear(&unpack->path);
	buffer_add_text(&unpack->path, parent);
	unpack->folder = open_beneath(unpack->root, unpack->path.data);
	if (unpack->folder < 0 && errno == ENOENT && make_between(unpack, unpack->path.data)) {
		unpack->folder = open_beneath(unpack->root, unpack->path.data);
	}
	unpack->open = unpack->folder >= 0;
	return unpack->folder;
}

static bool make_folder(
	struct unpack_folder *unpack, const struct snapshot_member *member, struct error *error)
{
	const char *name;
	int folder = folder_of(unpack, member->path, &name);
	if (folder < 0 || (mkdirat(folder, name, 0700) < 0 && errno != EEXIST)) {
		return failed(error, "make the folder", member->path);
	}
	if (unpack->count == unpack->capacity) {
		unpack->capacity = unpack->capacity * 2 + 64;
		unpack->folders =
			memory_resize(unpack->folders, unpack->capacity * sizeof(*unpack->folders));
	}
	unpack->folders[unpack->count++] =
		(struct made_folder){memory_string(member->path.data), member->mode};
	return true;
}

static bool make_link(
	struct unpack_folder *unpack, const struct snapshot_member *member, struct error *error)
{
	const char *name;
	int folder = folder_of(unpack, member->path, &name);
	if (folder < 0 || symlinkat(member->target.data, folder, name) < 0 ||
		(unpack->give &&
			fchownat(folder, name, unpack->user, unpack->group, AT_SYMLINK_NOFOLLOW) <
				0)) {
		return failed(error, "make the link", member->path);
	}
	return true;
}

static bool end_file(struct unpack_folder *unpack, struct error *error)
{
	int64_t at = unpack->member.modified;
	struct timespec times[2] = {
		{.tv_nsec = UTIME_OMIT}, {.tv_sec = at > 0 ? at / 1000000000 : 0}};
	bool fine = (give_away(unpack, unpack->file) &&
			    fchmod(unpack->file, unpack->member.mode) == 0 &&
			    futimens(unpack->file, times) == 0) ||
		failed(error, "set the permissions of", buffer_text(&unpack->name));
	file_close(&unpack->file);
	return fine;
}

static bool begin_file(
	struct unpack_folder *unpack, const struct snapshot_member *member, struct error *error)
{
	const char *name;
	int folder = folder_of(unpack, member->path, &name);
	unpack->file = folder < 0
		? -1
		: openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (unpack->file < 0) {
		return failed(error, "make", member->path);
	}
	buffer_clear(&unpack->name);
	buffer_add_text(&unpack->name, member->path);
	unpack->member = *member;
	unpack->left = member->size;
	return unpack->left > 0 || end_file(unpack, error);
}

static bool put_entry(void *data, const struct snapshot_member *member, struct error *error)
{
	struct unpack_folder *unpack = data;
	switch (member->type) {
	case TAR_FOLDER:
		return make_folder(unpack, member, error);
	case TAR_LINK:
		return make_link(unpack, member, error);
	default:
		return begin_file(unpack, member, error);
	}
}

static bool put_bytes(void *data, struct text bytes, struct error *error)
{
	struct unpack_folder *unpack = data;
	unpack->left -= (int64_t)bytes.length;
	while (bytes.length) {
		ssize_t written = write(unpack->file, bytes.data, bytes.length);
		if (written < 0 && errno != EINTR) {
			return failed(error, "write", buffer_text(&unpack->name));
		}
		bytes.data += written > 0 ? written : 0;
		bytes.length -= written > 0 ? (size_t)written : 0;
	}
	return unpack->left > 0 || end_file(unpack, error);
}

struct unpack_folder *unpack_folder_begin(int folder, struct error *error)
{
	struct stat status;
	int root = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || fstat(root, &status) < 0) {
		error_errno(error, ERROR_UNAVAILABLE, "cannot open the workspace");
		file_close(&root);
		return NULL;
	}
	struct unpack_folder *unpack = memory_alloc(sizeof(*unpack));
	unpack->root = root;
	unpack->folder = unpack->file = -1;
	unpack->user = status.st_uid;
	unpack->group = status.st_gid;
	unpack->give = geteuid() == 0 && (status.st_uid != 0 || status.st_gid != 0);
	return unpack;
}

struct unpack_target unpack_folder_target(struct unpack_folder *unpack)
{
	return (struct unpack_target){.entry = put_entry, .bytes = put_bytes, .data = unpack};
}

// The last ones first: a folder comes before what is in it.
bool unpack_folder_end(struct unpack_folder *unpack, struct error *error)
{
	for (size_t i = unpack->count; i-- > 0;) {
		const struct made_folder *made = &unpack->folders[i];
		file_cleanup fd = open_beneath(unpack->root, made->path);
		if (fd < 0 || !give_away(unpack, fd) || fchmod(fd, made->mode) < 0) {
			return failed(error, "set the permissions of", text_of(made->path));
		}
	}
	return true;
}

void unpack_folder_free(struct unpack_folder *unpack)
{
	if (!unpack) {
		return;
	}
	for (size_t i = 0; i < unpack->count; i++) {
		free(unpack->folders[i].path);
	}
	free(unpack->folders);
	buffer_finish(&unpack->path);
	buffer_finish(&unpack->name);
	file_close(&unpack->folder);
	file_close(&unpack->file);
	file_close(&unpack->root);
	free(unpack);
}
