#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "manifest/git_parts.h"
#include "manifest/kind.h"

// What `git clone --depth 1` would leave in .git: one commit with its files, and an index, so that git
// in the sandbox knows what was changed since.

static bool write_text(struct arena *arena, const char *folder, const char *name, const char *text,
	struct error *error)
{
	return file_replace(path_join(arena, folder, name), text_of(text), 0644, error);
}

static bool write_texts(struct arena *arena, const char *folder, const struct git_source *source,
	const char *id, struct error *error)
{
	const char *line = arena_printf(arena, "%s\n", id);
	const char *config = arena_printf(arena,
		"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"
		"[remote \"origin\"]\n\turl = %s\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n",
		source->url);
	return write_text(arena, folder, "HEAD", line, error) &&
		write_text(arena, folder, "shallow", line, error) &&
		write_text(arena, folder, "config", config, error);
}

static bool write_pack(
	git_repository *repository, git_commit *commit, const char *folder, struct error *error)
{
	git_packbuilder *builder = NULL;
	bool fine = git.packbuilder_new(&builder, repository) == 0 &&
		git.packbuilder_insert_commit(builder, git.commit_id(commit)) == 0 &&
		git.packbuilder_write(builder, folder, 0644, NULL, NULL) == 0;
	git.packbuilder_free(builder);
	return fine || git_fail(error, "cannot pack the repository");
}

static bool write_index(git_commit *commit, const char *path, struct error *error)
{
	git_index *index = NULL;
	git_tree *tree = NULL;
	bool fine = git.commit_tree(&tree, commit) == 0 && git.index_open(&index, path) == 0 &&
		git.index_read_tree(index, tree) == 0 && git.index_write(index) == 0;
	git.index_free(index);
	git.tree_free(tree);
	return fine || git_fail(error, "cannot list the repository's files");
}

static bool is_there(struct arena *arena, const char *folder)
{
	return access(path_join(arena, folder, "index"), F_OK) == 0;
}

// In a folder of its own, renamed when it is whole. One process at a time; what one that was killed
// left is made anew.
static bool make(struct arena *arena, git_repository *repository, git_commit *commit,
	const struct git_source *source, const char *folder, struct error *error)
{
	char id[41];
	const char *fresh = arena_printf(arena, "%s.new", folder);
	const char *packs = path_join(arena, fresh, "objects/pack");
	git.oid_tostr(id, sizeof(id), git.commit_id(commit));
	return file_remove_tree(fresh, error) && file_make_folders(packs, 0755, error) &&
		file_make_folders(path_join(arena, fresh, "refs"), 0755, error) &&
		write_texts(arena, fresh, source, id, error) &&
		write_pack(repository, commit, packs, error) &&
		write_index(commit, path_join(arena, fresh, "index"), error) &&
		(rename(fresh, folder) == 0 ||
			error_errno(error, ERROR_UNAVAILABLE, "cannot make '%s'", folder));
}

bool git_dot_put(git_repository *repository, git_commit *commit, const struct git_source *source,
	struct sink *sink, struct error *error)
{
	arena_cleanup arena = {0};
	char id[41];
	git.oid_tostr(id, sizeof(id), git.commit_id(commit));
	const char *cache = git_cache_folder(&arena, source);
	const char *folder = arena_printf(&arena, "%s.%s", cache, id);
	struct walk_settings settings = {.source = folder};
	file_cleanup held = is_there(&arena, folder) ? -1 : git_cache_lock(cache, error);
	if (held < 0 && error->kind != ERROR_NONE) {
		return false;
	}
	return (is_there(&arena, folder) ||
		       make(&arena, repository, commit, source, folder, error)) &&
		walk_folder(&settings, sink, ".git", error);
}
