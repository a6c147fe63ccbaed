#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "sandbox/tar.h"

enum { COMPONENT_LIMIT = 255 };

struct member {
	struct text path; // without "./" and a slash at its end
	char type;
	size_t place; // in the archive
};

struct tar_check {
	struct arena arena;
	struct member *members;
	size_t count, capacity;
};

struct tar_check *tar_check_create(void)
{
	return memory_alloc(sizeof(struct tar_check));
}

void tar_check_destroy(struct tar_check *check)
{
	if (check) {
		arena_finish(&check->arena);
		free(check->members);
		free(check);
	}
}

static bool refuse(struct error *error, struct text path, const char *why)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, path.length ? path : TEXT("."), 200);
	return error_set(error, ERROR_FAILED, "the archive is refused: '%s' %s", shown.data, why);
}

static bool next_component(struct text *rest, struct text *component)
{
	const char *slash = memchr(rest->data, '/', rest->length);
	size_t length = slash ? (size_t)(slash - rest->data) : rest->length;
	if (rest->length == 0) {
		return false;
	}
	*component = (struct text){rest->data, length};
	rest->data += length + (slash != NULL);
	rest->length -= length + (slash != NULL);
	return true;
}

static bool check_name(struct text path, struct error *error)
{
	struct text rest = path, component;
	if (path.length > PATH_LIMIT) {
		return refuse(error, path, "is longer than a path may be");
	}
	if (text_starts(path, "/")) {
		return refuse(error, path, "is an absolute path");
	}
	while (next_component(&rest, &component)) {
		if (text_is(component, "..")) {
			return refuse(error, path, "could lead out of the folder");
		}
		if (component.length > COMPONENT_LIMIT) {
			return refuse(error, path, "has a name that is too long");
		}
	}
	return true;
}

bool tar_link_stays(struct text path, struct text target)
{
	size_t depth = 0;
	bool below = false;
	struct text component;
	const char *slash = path.length ? memrchr(path.data, '/', path.length) : NULL;
	struct text parent = {path.data, slash ? (size_t)(slash - path.data) : 0};
	while (next_component(&parent, &component)) {
		depth += component.length && !text_is(component, ".");
	}
	if (target.length == 0 || target.data[0] == '/') {
		return false;
	}
	while (next_component(&target, &component)) {
		if (!text_is(component, "..")) {
			below = below || (component.length && !text_is(component, "."));
		} else if (below || depth-- == 0) {
			return false;
		}
	}
	return true;
}

// Without "." and empty components.
static struct text normal(struct arena *arena, struct text path)
{
	char *bytes = arena_alloc(arena, path.length + 1);
	size_t length = 0;
	struct text component;
	while (next_component(&path, &component)) {
		if (component.length && !text_is(component, ".")) {
			if (length) {
				bytes[length++] = '/';
			}
			memcpy(bytes + length, component.data, component.length);
			length += component.length;
		}
	}
	return (struct text){bytes, length};
}

bool tar_check_entry(void *data, const struct tar_entry *entry, struct error *error)
{
	struct tar_check *check = data;
	if (!check_name(entry->path, error)) {
		return false;
	}
	struct text path = normal(&check->arena, entry->path);
	if (entry->type != TAR_FILE && entry->type != TAR_FOLDER && entry->type != TAR_LINK) {
		return refuse(error, path, "is neither a file, a folder nor a symbolic link");
	}
	if (path.length == 0 && entry->type != TAR_FOLDER) {
		return refuse(error, path, "is no folder");
	}
	if (entry->type == TAR_LINK && !tar_link_stays(path, entry->target)) {
		return refuse(error, path, "is a link that leaves the folder");
	}
	if (check->count == check->capacity) {
		check->capacity = check->capacity * 2 + 256;
		check->members =
			memory_resize(check->members, check->capacity * sizeof(*check->members));
	}
	check->members[check->count] = (struct member){path, entry->type, check->count};
	check->count++;
	return true;
}

// As if '/' were the first of all bytes: what is in a folder comes right behind it.
static int compare_paths(struct text a, struct text b)
{
	size_t least = a.length < b.length ? a.length : b.length, i = 0;
	while (i < least && a.data[i] == b.data[i]) {
		i++;
	}
	if (i == least) {
		return (a.length > b.length) - (a.length < b.length);
	}
	int x = a.data[i] == '/' ? 0 : (unsigned char)a.data[i];
	int y = b.data[i] == '/' ? 0 : (unsigned char)b.data[i];
	return x - y;
}

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = compare_paths(x->path, y->path);
	return order ? order : x->place < y->place ? -1 : x->place > y->place;
}

static bool is_below(struct text path, struct text folder)
{
	return path.length > folder.length && path.data[folder.length] == '/' &&
		memcmp(path.data, folder.data, folder.length) == 0;
}

bool tar_check_whole(struct tar_check *check, struct error *error)
{
	if (check->count == 0) {
		return true;
	}
	qsort(check->members, check->count, sizeof(*check->members), compare_members);
	for (size_t i = 1; i < check->count; i++) {
		const struct member *before = &check->members[i - 1], *member = &check->members[i];
		bool folders = before->type == TAR_FOLDER && member->type == TAR_FOLDER;
		if (text_equal(before->path, member->path) && !folders) {
			return refuse(error, member->path, "is there twice");
		}
		if (before->type != TAR_FOLDER && is_below(member->path, before->path)) {
			return refuse(
				error, member->path, "lies below something that is no folder");
		}
	}
	return true;
}
