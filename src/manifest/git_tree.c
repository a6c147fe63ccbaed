#include <string.h>

#include "manifest/git_parts.h"
#include "manifest/kind.h"

// The files of a commit, straight from the objects: no checkout, no filters, no hooks.
struct planting {
	git_repository *repository;
	git_odb *odb;
	struct sink *sink;
	struct buffer path; // where it is, from the root of the tree on
	size_t count;
};

static bool plant_tree(
	struct planting *planting, const git_oid *id, size_t depth, struct error *error);

static bool refuse(const struct planting *planting, const char *what, struct error *error)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, buffer_text(&planting->path), 256);
	return error_set(error, ERROR_USAGE, "'%s' %s", shown.data, what);
}

// Names that git itself would not check out: they come from a server.
static bool is_name(const char *name)
{
	return name[0] && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/') &&
		strcasecmp(name, ".git") != 0 && strlen(name) <= 255;
}

static bool plant_blob(struct planting *planting, const char *name, const git_oid *id,
	git_filemode_t mode, struct error *error)
{
	git_odb_object *object;
	size_t size;
	git_object_t type;
	if (git.odb_read_header(&size, &type, planting->odb, id) < 0 || type != GIT_OBJECT_BLOB) {
		return refuse(planting, "is missing in the repository", error);
	}
	if ((int64_t)size > MANIFEST_BLOB_LIMIT) {
		return refuse(planting, "is larger than 1 GiB", error);
	}
	if (git.odb_read(&object, planting->odb, id) < 0) {
		return git_fail(error, "cannot read the repository");
	}
	struct text content = {git.odb_object_data(object), git.odb_object_size(object)};
	struct sink_file file = {.fd = -1,
		.content = content,
		.mode = mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0755 : 0644};
	bool fine = mode != GIT_FILEMODE_LINK ? sink_file(planting->sink, name, &file, error)
		: link_stays_inside(buffer_text(&planting->path), content)
		? sink_link(planting->sink, name, content, error)
		: refuse(planting, "is a link that leads out of the repository", error);
	git.odb_object_free(object);
	return fine;
}

static bool plant_entry(
	struct planting *planting, const git_tree_entry *entry, size_t depth, struct error *error)
{
	const char *name = git.tree_entry_name(entry);
	git_filemode_t mode = git.tree_entry_filemode(entry);
	if (!is_name(name)) {
		return refuse(planting, "has a name that no file can have", error);
	}
	if (++planting->count > MANIFEST_FILES) {
		return error_set(error, ERROR_USAGE, "the repository has more than %d files",
			MANIFEST_FILES);
	}
	if (mode != GIT_FILEMODE_TREE && mode != GIT_FILEMODE_COMMIT) {
		return plant_blob(planting, name, git.tree_entry_id(entry), mode, error);
	}
	// A submodule is a folder with nothing in it, as after a clone.
	return sink_enter(planting->sink, name, 0755, error) &&
		(mode == GIT_FILEMODE_COMMIT ||
			plant_tree(planting, git.tree_entry_id(entry), depth + 1, error)) &&
		sink_leave(planting->sink, error);
}

static bool plant_tree(
	struct planting *planting, const git_oid *id, size_t depth, struct error *error)
{
	git_tree *tree;
	size_t length = planting->path.length;
	if (depth > MANIFEST_DEPTH) {
		return refuse(planting, "lies too deep", error);
	}
	if (git.tree_lookup(&tree, planting->repository, id) < 0) {
		return git_fail(error, "cannot read the repository");
	}
	if (length) {
		buffer_add_char(&planting->path, '/');
	}
	bool fine = true;
	for (size_t i = 0; i < git.tree_entrycount(tree) && fine; i++) {
		const git_tree_entry *entry = git.tree_entry_byindex(tree, i);
		size_t start = planting->path.length;
		buffer_add_string(&planting->path, git.tree_entry_name(entry));
		fine = plant_entry(planting, entry, depth, error);
		planting->path.length = start;
	}
	planting->path.length = length;
	git.tree_free(tree);
	return fine;
}

// The folder in the commit; false if there is none.
static bool find_folder(const struct git_source *source, git_commit *commit, const char *subpath,
	git_oid *id, struct error *error)
{
	git_tree *tree;
	git_tree_entry *entry = NULL;
	if (!subpath) {
		*id = *git.commit_tree_id(commit);
		return true;
	}
	if (git.commit_tree(&tree, commit) < 0) {
		return git_fail(error, "cannot read the repository");
	}
	bool there = git.tree_entry_bypath(&entry, tree, subpath) == 0 &&
		git.tree_entry_type(entry) == GIT_OBJECT_TREE;
	if (there) {
		*id = *git.tree_entry_id(entry);
	}
	git.tree_entry_free(entry);
	git.tree_free(tree);
	return there ||
		error_set(error, ERROR_USAGE, "'%s' has no folder '%s' at '%s'", source->url,
			subpath, source->ref ? source->ref : "HEAD");
}

// A clone of the whole comes with its .git, a folder of it without.
struct wanted {
	const struct git_source *source;
	const char *subpath;
	git_commit *commit;
	git_oid tree;
};

static bool plant(struct planting *planting, const struct wanted *wanted, struct error *error)
{
	return plant_tree(planting, &wanted->tree, 0, error) &&
		(wanted->subpath ||
			git_dot_put(planting->repository, wanted->commit, wanted->source,
				planting->sink, error));
}

static bool plant_below(struct planting *planting, const struct wanted *wanted, const char *name,
	mode_t mode, struct error *error)
{
	if (!*name) {
		return plant(planting, wanted, error) &&
			(!mode || sink_set_mode(planting->sink, mode, error));
	}
	return sink_enter(planting->sink, name, mode ? mode : 0755, error) &&
		plant(planting, wanted, error) && sink_leave(planting->sink, error);
}

bool git_cache_put(const struct git_source *source, const char *subpath, struct sink *sink,
	const char *name, mode_t mode, struct error *error)
{
	arena_cleanup arena = {0};
	struct planting planting = {.sink = sink};
	struct wanted wanted = {.source = source, .subpath = subpath};
	git_oid id;
	if (!git_cache_load(error)) {
		return false;
	}
	bool fine = (git.repository_open_bare(
			     &planting.repository, git_cache_folder(&arena, source)) == 0 &&
			    git.repository_odb(&planting.odb, planting.repository) == 0 &&
			    git.reference_name_to_id(
				    &id, planting.repository, git_cache_ref(&arena, source)) == 0 &&
			    git.commit_lookup(&wanted.commit, planting.repository, &id) == 0) ||
		git_fail(error, "the cached repository cannot be read");
	fine = fine && find_folder(source, wanted.commit, subpath, &wanted.tree, error) &&
		plant_below(&planting, &wanted, name, mode, error);
	git.commit_free(wanted.commit);
	git.odb_free(planting.odb);
	git.repository_free(planting.repository);
	buffer_finish(&planting.path);
	return fine;
}
