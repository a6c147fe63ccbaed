/*
 * Repositories of other machines, fetched with libgit2 into bare ones of the user's cache: outside of
 * any sandbox, with credentials that stay there. One folder per URL; several processes may use it at
 * once. What was fetched once is not fetched again; a commit by its whole id needs no network then.
 *
 * Nothing of the user's git configuration is looked at, and no program is started.
 */
#pragma once

#include "base/error.h"
#include "manifest/sink.h"

#define GIT_CACHE_BYTES (INT64_C(8) << 30) // of one fetch

struct git_source {
	const char *cache; // a folder of this machine, made if missing
	const char *url;
	const char *ref;          // a branch, tag, "refs/..." or commit; NULL: the server's default
	const char *user, *token; // NULL: none
	bool loopback;            // no proxy
	const atomic_bool *cancel;                                    // may be NULL
	void (*progress)(void *data, int64_t objects, int64_t bytes); // may be NULL
	void *progress_data;
};

// A URL without user and password, for people and for the folder's name.
bool git_cache_fetch(const struct git_source *source, struct error *error);
// Puts the files at the ref, as it was fetched last, into the sink: below `name` in the folder in which
// it stands ("": right there). `subpath` NULL: all of them. `mode` of the folder; 0: 0755.
bool git_cache_put(const struct git_source *source, const char *subpath, struct sink *sink,
	const char *name, mode_t mode, struct error *error);
