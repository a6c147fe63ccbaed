#include "store/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { FOLDER_MODE = 040000, LOAD_DEPTH = 128 };

struct folder {
	char *path; // "" is the root
	git_oid id;
	bool known; // its tree object is written
};

struct tree {
	struct tree_file *files; // paths are malloc'd
	size_t count;
	struct folder *folders; // in order of paths
	size_t folder_count, folder_capacity;
};

struct tree *tree_create(void)
{
	return memory_alloc(sizeof(struct tree));
}

void tree_destroy(struct tree *tree)
{
	if (!tree) {
		return;
	}
	for (size_t i = 0; i < tree->count; i++) {
		free((char *)(uintptr_t)tree->files[i].path);
	}
	for (size_t i = 0; i < tree->folder_count; i++) {
		free(tree->folders[i].path);
	}
	free(tree->files);
	free(tree->folders);
	free(tree);
}

const struct tree_file *tree_files(const struct tree *tree, size_t *count)
{
	*count = tree->count;
	return tree->files;
}

// The folder's row, made if missing.
static struct folder *folder_row(struct tree *tree, struct text path)
{
	size_t low = 0, high = tree->folder_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *name = tree->folders[middle].path;
		size_t length = strlen(name);
		size_t common = length < path.length ? length : path.length;
		int order = common ? memcmp(name, path.data, common) : 0;
		order = order ? order : (length > path.length) - (length < path.length);
		if (order == 0) {
			return &tree->folders[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (tree->folder_count == tree->folder_capacity) {
		tree->folder_capacity = tree->folder_capacity * 2 + 32;
		tree->folders = memory_resize(
			tree->folders, tree->folder_capacity * sizeof(*tree->folders));
	}
	memmove(&tree->folders[low + 1], &tree->folders[low],
		(tree->folder_count++ - low) * sizeof(*tree->folders));
	char *copy = memory_alloc(path.length + 1);
	if (path.length) {
		memcpy(copy, path.data, path.length);
	}
	tree->folders[low] = (struct folder){.path = copy};
	return &tree->folders[low];
}

// All folders on the way to a path have to be written anew.
static void touch(struct tree *tree, const char *path)
{
	for (const char *at = path; (at = strchr(at, '/')); at++) {
		folder_row(tree, (struct text){path, (size_t)(at - path)})->known = false;
	}
	folder_row(tree, (struct text){0})->known = false;
}

static void merge(struct tree *tree, const struct tree_file *files, size_t count)
{
	struct tree_file *merged = memory_alloc((tree->count + count + 1) * sizeof(*merged));
	size_t i = 0, j = 0, kept = 0;
	while (i < tree->count || j < count) {
		int order = i == tree->count ? 1
			: j == count         ? -1
					     : strcmp(tree->files[i].path, files[j].path);
		if (order < 0) {
			merged[kept++] = tree->files[i++];
			continue;
		}
		touch(tree, files[j].path);
		if (files[j].mode != TREE_GONE) {
			merged[kept] = files[j];
			merged[kept++].path = memory_string(files[j].path);
		}
		if (order == 0) {
			free((char *)(uintptr_t)tree->files[i++].path);
		}
		j++;
	}
	free(tree->files);
	tree->files = merged;
	tree->count = kept;
}

// The first file whose path is not before this one.
static size_t first_from(const struct tree *tree, const char *path)
{
	size_t low = 0, high = tree->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(tree->files[middle].path, path) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

// The first file at or after `from` that does not lie in this folder.
static size_t folder_end(const struct tree *tree, size_t from, struct text prefix)
{
	size_t low = from, high = tree->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strncmp(tree->files[middle].path, prefix.data, prefix.length) == 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static void remove_range(struct tree *tree, size_t first, size_t end)
{
	arena_cleanup arena = {0};
	struct tree_file *gone = arena_new_array(&arena, end - first, struct tree_file);
	for (size_t i = first; i < end; i++) {
		gone[i - first] = (struct tree_file){arena_string(&arena, tree->files[i].path)};
	}
	merge(tree, gone, end - first);
}

// A name is a file or a folder, not both: what stands where the new file has to go is gone, even if
// whoever removed it is another one and is told later.
static void make_way(struct tree *tree, const char *path)
{
	arena_cleanup arena = {0};
	char *prefix = arena_printf(&arena, "%s/", path);
	size_t inner = first_from(tree, prefix);
	size_t end = folder_end(tree, inner, text_of(prefix));
	if (inner < end) {
		remove_range(tree, inner, end);
	}
	for (char *slash = prefix; (slash = strchr(slash, '/')) && slash[1]; slash++) {
		*slash = '\0';
		size_t at = first_from(tree, prefix);
		if (at < tree->count && strcmp(tree->files[at].path, prefix) == 0) {
			remove_range(tree, at, at + 1);
		}
		*slash = '/';
	}
}

void tree_change(struct tree *tree, const struct tree_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (files[i].mode != TREE_GONE) {
			make_way(tree, files[i].path);
		}
	}
	merge(tree, files, count);
}

// One line of a tree object while it is put together.
struct line {
	struct text name;
	unsigned mode;
	git_oid id;
};

// Git's order: folders compare as if their names ended with '/'.
static int compare_lines(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	size_t common = x->name.length < y->name.length ? x->name.length : y->name.length;
	int order = memcmp(x->name.data, y->name.data, common);
	if (order) {
		return order;
	}
	unsigned char next_x = x->name.length > common ? (unsigned char)x->name.data[common]
		: x->mode == FOLDER_MODE               ? '/'
						       : 0;
	unsigned char next_y = y->name.length > common ? (unsigned char)y->name.data[common]
		: y->mode == FOLDER_MODE               ? '/'
						       : 0;
	return (next_x > next_y) - (next_x < next_y);
}

static bool write_lines(struct objects *objects, struct line *lines, size_t count, git_oid *id)
{
	buffer_cleanup bytes = {0};
	if (count) {
		qsort(lines, count, sizeof(*lines), compare_lines);
	}
	for (size_t i = 0; i < count; i++) {
		buffer_printf(&bytes, "%o ", lines[i].mode);
		buffer_add_text(&bytes, lines[i].name);
		buffer_add_char(&bytes, '\0');
		buffer_add(&bytes, lines[i].id.id, GIT_OID_RAWSZ);
	}
	return objects_write(objects, buffer_text(&bytes), GIT_OBJECT_TREE, id);
}

// Writes the folder whose files are [first, end); `length` is that of its path with the slash.
static bool write_folder(struct tree *tree, struct objects *objects, size_t first, size_t end,
	size_t length, git_oid *id)
{
	struct line *lines = NULL;
	size_t count = 0, capacity = 0;
	bool fine = true;
	for (size_t i = first; fine && i < end;) {
		const char *path = tree->files[i].path;
		const char *name = path + length;
		const char *slash = strchr(name, '/');
		if (count == capacity) {
			capacity = capacity * 2 + 64;
			lines = memory_resize(lines, capacity * sizeof(*lines));
		}
		struct line *line = &lines[count++];
		if (!slash) {
			*line = (struct line){
				text_of(name), tree->files[i].mode, tree->files[i].id};
			i++;
			continue;
		}
		struct text prefix = {path, (size_t)(slash - path) + 1};
		struct text folder = {path, prefix.length - 1};
		size_t next = folder_end(tree, i, prefix);
		*line = (struct line){{name, (size_t)(slash - name)}, FOLDER_MODE, {{0}}};
		struct folder *row = folder_row(tree, folder);
		if (row->known) {
			line->id = row->id;
		} else {
			fine = write_folder(tree, objects, i, next, prefix.length, &line->id);
			row = folder_row(tree, folder); // it may have moved
			row->known = true;
			row->id = line->id;
		}
		i = next;
	}
	fine = fine && write_lines(objects, lines, count, id);
	free(lines);
	return fine;
}

bool tree_write(struct tree *tree, struct objects *objects, git_oid *root)
{
	struct folder *row = folder_row(tree, (struct text){0});
	if (!row->known) {
		git_oid id;
		if (!write_folder(tree, objects, 0, tree->count, 0, &id)) {
			return false;
		}
		row = folder_row(tree, (struct text){0});
		row->known = true;
		row->id = id;
	}
	*root = row->id;
	return true;
}

static void add_file(struct tree *tree, const char *path, unsigned mode, const git_oid *id)
{
	if (tree->count % 256 == 0) {
		tree->files =
			memory_resize(tree->files, (tree->count + 256) * sizeof(*tree->files));
	}
	tree->files[tree->count++] = (struct tree_file){memory_string(path), *id, mode};
}

static bool load_folder(
	struct tree *tree, struct objects *objects, const git_oid *id, const char *path, int depth)
{
	git_odb_object *object = NULL;
	if (depth == 0 || git.odb_read(&object, objects->database, id) < 0) {
		return false;
	}
	struct folder *row = folder_row(tree, text_of(path));
	row->known = true;
	row->id = *id;
	const char *at = git.odb_object_data(object);
	const char *end = at + git.odb_object_size(object);
	bool fine = git.odb_object_type(object) == GIT_OBJECT_TREE;
	while (fine && at < end) {
		arena_cleanup arena = {0};
		char *name = NULL;
		unsigned long mode = strtoul(at, &name, 8);
		const char *zero = memchr(name, '\0', (size_t)(end - name));
		if (*name != ' ' || !zero || end - zero <= GIT_OID_RAWSZ) {
			fine = false;
			break;
		}
		git_oid inner;
		git.oid_fromraw(&inner, (const unsigned char *)zero + 1);
		char *full = arena_printf(&arena, "%s%s%s", path, path[0] ? "/" : "", name + 1);
		if (mode == FOLDER_MODE) {
			fine = load_folder(tree, objects, &inner, full, depth - 1);
		} else {
			add_file(tree, full, (unsigned)mode, &inner);
		}
		at = zero + 1 + GIT_OID_RAWSZ;
	}
	git.odb_object_free(object);
	return fine;
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct tree_file *)a)->path, ((const struct tree_file *)b)->path);
}

bool tree_load(struct tree *tree, struct objects *objects, const git_oid *root)
{
	if (!load_folder(tree, objects, root, "", LOAD_DEPTH)) {
		return false;
	}
	if (tree->count) {
		qsort(tree->files, tree->count, sizeof(*tree->files), compare_files);
	}
	return true;
}
