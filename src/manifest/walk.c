#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "manifest/ignore.h"
#include "manifest/kind.h"

struct walk {
	const struct walk_settings *settings;
	struct sink *sink;  // NULL: only looked at
	struct buffer path; // where it is, from the source on
	const struct ignore *ignore;
	size_t count;
};

struct found {
	char *name;
	unsigned char type; // DT_...
};

struct names {
	struct found *found;
	size_t count, capacity;
};

static bool walk_inside(struct walk *walk, int fd, size_t depth, struct error *error);

// The path as a person may see it, for one message.
static const char *shown(const struct walk *walk, struct buffer *line)
{
	buffer_clear(line);
	buffer_add_line(line, walk->path.length ? buffer_text(&walk->path) : TEXT("."), 256);
	return line->data;
}

static bool refuse(
	const struct walk *walk, const char *what, const char *remedy, struct error *error)
{
	buffer_cleanup line = {0};
	error_set(error, ERROR_USAGE, "'%s' %s", shown(walk, &line), what);
	return error_hint(error, "%s", remedy);
}

static bool failed(const struct walk *walk, struct error *error)
{
	int number = errno;
	buffer_cleanup line = {0};
	shown(walk, &line);
	errno = number;
	return error_errno(error, ERROR_FAILED, "cannot read '%s'", line.data);
}

static bool check_size(const struct walk *walk, int64_t size, struct error *error)
{
	return size <= MANIFEST_FILE_LIMIT ||
		refuse(walk, "is larger than 16 GiB", "leave it out", error);
}

bool link_stays_inside(struct text path, struct text target)
{
	size_t depth = 0;
	for (size_t i = 0; i < path.length; i++) {
		depth += path.data[i] == '/';
	}
	if (target.length == 0 || target.data[0] == '/') {
		return false;
	}
	while (target.length) {
		size_t length = text_find(target, TEXT("/"));
		struct text component = {target.data, length};
		if (text_is(component, "..")) {
			if (depth-- == 0) {
				return false;
			}
		} else {
			depth += length > 0 && !text_is(component, ".");
		}
		length += length < target.length;
		target = (struct text){target.data + length, target.length - length};
	}
	return true;
}

static bool walk_link(struct walk *walk, int fd, const char *name, struct error *error)
{
	char bytes[4096];
	ssize_t length = readlinkat(fd, name, bytes, sizeof(bytes));
	if (length < 0) {
		return failed(walk, error);
	}
	struct text target = {bytes, (size_t)length};
	if (target.length == sizeof(bytes) ||
		!link_stays_inside(buffer_text(&walk->path), target)) {
		return refuse(walk, "is a link that leads out of the folder",
			"copy a folder whose links lead to what is in it, or leave the link out",
			error);
	}
	return !walk->sink || sink_link(walk->sink, name, target, error);
}

static bool walk_file(struct walk *walk, int fd, const char *name, struct error *error)
{
	struct stat status;
	if (!walk->sink) {
		return (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ||
			       failed(walk, error)) &&
			check_size(walk, status.st_size, error);
	}
	file_cleanup file =
		openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (file < 0 || fstat(file, &status) < 0) {
		return failed(walk, error);
	}
	if (!S_ISREG(status.st_mode)) {
		return refuse(walk, "changed while it was copied",
			"try again when nobody writes to it", error);
	}
	struct sink_file given = {
		.mode = status.st_mode & 0777, .fd = file, .size = status.st_size};
	return check_size(walk, status.st_size, error) &&
		sink_file(walk->sink, name, &given, error);
}

static bool walk_deeper(
	struct walk *walk, int fd, const char *name, size_t depth, struct error *error)
{
	struct stat status;
	if (depth == MANIFEST_DEPTH) {
		return refuse(walk, "lies too deep", "copy a folder less deep", error);
	}
	int inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (inner < 0 || fstat(inner, &status) < 0) {
		failed(walk, error);
		file_close(&inner);
		return false;
	}
	if (walk->sink && !sink_enter(walk->sink, name, status.st_mode & 0777, error)) {
		file_close(&inner);
		return false;
	}
	return walk_inside(walk, inner, depth + 1, error) &&
		(!walk->sink || sink_leave(walk->sink, error));
}

static unsigned char type_of(int fd, const struct found *found)
{
	struct stat status;
	if (found->type != DT_UNKNOWN || fstatat(fd, found->name, &status, AT_SYMLINK_NOFOLLOW)) {
		return found->type;
	}
	return (unsigned char)IFTODT(status.st_mode);
}

// What muster keeps of runs is no content; the workspace that is being filled lies in there, too.
static bool is_left_out(const struct walk *walk, const struct found *found, unsigned char type)
{
	if (type == DT_DIR && strcmp(found->name, ".muster") == 0) {
		return true;
	}
	return walk->settings->gitignore &&
		(strcmp(found->name, ".git") == 0 ||
			ignore_matches(walk->ignore, buffer_text(&walk->path), type == DT_DIR));
}

static bool walk_one(
	struct walk *walk, int fd, const struct found *found, size_t depth, struct error *error)
{
	unsigned char type = type_of(fd, found);
	if (is_left_out(walk, found, type)) {
		return true;
	}
	if (++walk->count > MANIFEST_FILES) {
		return error_set(error, ERROR_USAGE, "'%s' has more than %d files",
			       walk->settings->source, MANIFEST_FILES) ||
			error_hint(error, "copy a smaller folder, or say 'gitignore: true'");
	}
	switch (type) {
	case DT_DIR:
		return walk_deeper(walk, fd, found->name, depth, error);
	case DT_REG:
		return walk_file(walk, fd, found->name, error);
	case DT_LNK:
		return walk_link(walk, fd, found->name, error);
	default:
		return refuse(walk,
			type == DT_FIFO           ? "is a FIFO"
				: type == DT_SOCK ? "is a socket"
						  : "is a special file",
			"copy a folder of plain files, or leave it out", error);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

static bool read_names(DIR *folder, struct names *names)
{
	const struct dirent *entry;
	while (names->count <= MANIFEST_FILES && (errno = 0, entry = readdir(folder))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		if (names->count == names->capacity) {
			names->capacity = names->capacity * 2 + 32;
			names->found = memory_resize(
				names->found, names->capacity * sizeof(*names->found));
		}
		names->found[names->count++] =
			(struct found){memory_string(entry->d_name), entry->d_type};
	}
	if (names->count) {
		qsort(names->found, names->count, sizeof(*names->found), compare);
	}
	return names->count > MANIFEST_FILES || errno == 0;
}

// The rules of the folder's own .gitignore; NULL: it has none. One that is a link is not read, as git
// does not either.
static bool own_rules(const struct walk *walk, int fd, struct ignore **own, struct error *error)
{
	arena_cleanup arena = {0};
	struct text content, folder = buffer_text(&walk->path);
	struct stat status;
	folder.length -= folder.length > 0; // the '/' behind it
	*own = NULL;
	if (!walk->settings->gitignore ||
		fstatat(fd, ".gitignore", &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(status.st_mode)) {
		return true;
	}
	if (!folder_read(&arena, fd, TEXT(".gitignore"), IGNORE_FILE_LIMIT, &content, error)) {
		return false;
	}
	*own = ignore_create(walk->ignore, folder, content);
	return true;
}

static bool walk_names(
	struct walk *walk, DIR *folder, struct names *names, size_t depth, struct error *error)
{
	size_t length = walk->path.length;
	bool fine = read_names(folder, names) || failed(walk, error);
	for (size_t i = 0; i < names->count && fine; i++) {
		buffer_add_string(&walk->path, names->found[i].name);
		fine = walk_one(walk, dirfd(folder), &names->found[i], depth, error);
		walk->path.length = length;
	}
	return fine;
}

// Takes over the descriptor.
static bool walk_inside(struct walk *walk, int fd, size_t depth, struct error *error)
{
	DIR *folder = fdopendir(fd);
	struct names names = {0};
	const struct ignore *outer = walk->ignore;
	size_t length = walk->path.length;
	if (!folder) {
		failed(walk, error);
		close(fd);
		return false;
	}
	if (length) {
		buffer_add_char(&walk->path, '/');
	}
	struct ignore *own;
	bool fine = own_rules(walk, fd, &own, error);
	walk->ignore = own ? own : outer;
	fine = fine && walk_names(walk, folder, &names, depth, error);
	walk->ignore = outer;
	walk->path.length = length;
	ignore_destroy(own);
	for (size_t i = 0; i < names.count; i++) {
		free(names.found[i].name);
	}
	free(names.found);
	closedir(folder);
	return fine;
}

bool walk_folder(const struct walk_settings *settings, struct sink *sink, const char *name,
	struct error *error)
{
	struct walk walk = {.settings = settings, .sink = sink};
	int fd = open(settings->source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return errno == ELOOP || errno == ENOTDIR
			? error_set(error, ERROR_USAGE, "'%s' is no folder", settings->source) ||
				error_hint(error, "name the folder itself, not a link to it")
			: error_errno(error, ERROR_USAGE, "cannot open the folder '%s'",
				  settings->source);
	}
	if (sink && *name &&
		!sink_enter(sink, name, settings->mode ? settings->mode : 0755, error)) {
		file_close(&fd);
		return false;
	}
	bool fine = walk_inside(&walk, fd, 0, error) &&
		(!sink || !*name || sink_leave(sink, error)) &&
		(!sink || *name || !settings->mode || sink_set_mode(sink, settings->mode, error));
	buffer_finish(&walk.path);
	return fine;
}
