/* What the files of the cache of repositories share. */
#pragma once

#include "manifest/git_cache.h"
#include "store/git.h"

bool git_cache_load(struct error *error);
// With libgit2's own message behind `what`.
bool git_fail(struct error *error, const char *what);
const char *git_cache_folder(struct arena *arena, const struct git_source *source);
// git_dot.c: puts a .git with this one commit into the folder in which the sink stands.
bool git_dot_put(git_repository *repository, git_commit *commit, const struct git_source *source,
	struct sink *sink, struct error *error);
// One process at a time writes to a repository's folder; the others find what it brought. A descriptor
// that holds the lock, or -1.
int git_cache_lock(const char *folder, struct error *error);
// The reference in the cache that keeps what the source's ref was when it was fetched last.
const char *git_cache_ref(struct arena *arena, const struct git_source *source);
