/*
 * The manifest: what lies in the workspace when a run starts. Entries are those of the OpenAI Agents
 * SDK, whose JSON is read and written as it is. Adding a kind of entry = one file with a struct
 * entry_kind and one row in entry_kinds[].
 *
 * A manifest goes three ways. manifest_check() looks at all that can be known before anything is
 * opened: sources, sizes, links, what the sandbox's driver can do. manifest_prepare() gets what has to
 * come over the network. manifest_apply() puts the entries into a workspace, which it empties first,
 * so that what an earlier attempt left half-made is never used. Errors name the entry.
 *
 * Order: entries are put in as they stand in the file, a folder before what is in it. Where two lie
 * at the same place or one inside the other, the later one is laid over the earlier.
 */
#pragma once

#include "sandbox/sandbox.h"
#include "team/team.h"

enum {
	MANIFEST_FILES = 200000, // of one folder or repository
	MANIFEST_DEPTH = 64,     // folders in folders
};

#define MANIFEST_FILE_LIMIT (INT64_C(16) << 30) // bytes of one file
#define MANIFEST_BLOB_LIMIT (INT64_C(1) << 30)  // of a repository

struct entry_kind;

// An entry as the file has it, with its path from the root of the workspace ("": the root itself).
struct manifest_entry {
	struct text path; // clean
	const struct entry_kind *kind;
	const struct yaml_node *node;
	mode_t mode;       // if has_mode
	bool has_mode;     // `permissions` is given
	bool ephemeral;    // or inside of what is
	const char *group; // NULL: not given
};

// All entries, those inside a `dir` behind it.
struct manifest {
	struct manifest_entry *entries;
	size_t count;
};

// What was put in so far.
struct manifest_progress {
	int64_t files, bytes;
};

// Where a manifest is put, and what with.
struct manifest_place {
	const struct team *team;
	const struct team_values *values; // for ${inputs.NAME}
	struct arena *arena;
	const struct sandbox_driver *driver;
	struct sandbox *sandbox; // manifest_apply()
	// The values of team->manifest.tokens; one that is NULL is not to be had. NULL: nobody looked.
	const char *const *tokens;
	const char *cache; // a folder of this machine for what came over the network
	bool ephemeral_only;
	const atomic_bool *cancel; // may be NULL
	// Called now and then while it lasts, on the calling thread or another; may be NULL.
	void (*progress)(void *data, const struct manifest_progress *progress);
	void *progress_data;
};

// The user's cache; where there is none, one in `folder`.
const char *manifest_cache(struct arena *arena, const char *folder);
struct manifest manifest_read(struct arena *arena, const struct team *team);

// Would it work? Nothing is changed, and nothing is opened over the network.
bool manifest_check(const struct manifest_place *place, struct error *error);
// The folders beside the workspace, for sandbox_settings; *grants is NULL if there are none.
bool manifest_grants(const struct manifest_place *place, const struct sandbox_grant **grants,
	struct error *error);
// Gets what other machines have into the cache; before there is a sandbox.
bool manifest_prepare(const struct manifest_place *place, struct error *error);
// Makes the accounts in a session that is new, and empties its workspace. For those who then put
// something else into it than the manifest's entries.
bool manifest_begin(const struct manifest_place *place, struct error *error);
// Does that, and puts the entries into the workspace. With `ephemeral_only` those alone, over
// what is there.
bool manifest_apply(const struct manifest_place *place, struct error *error);
// Writes the manifest as the Agents SDK serialises it, every field with its value.
void manifest_print(struct buffer *json, const struct team *team);

struct owner_list manifest_vocabulary(void);
extern const struct key manifest_entry_keys[]; // common to all entries
// What the keys alone do not tell (vocabulary.check_entry): false with what is wrong.
bool manifest_check_entry(const struct yaml_node *node, struct error *error);
