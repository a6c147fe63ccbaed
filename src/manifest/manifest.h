/*
 * The manifest: what lies in the workspace when a run starts. Entries are those of the OpenAI Agents
 * SDK. Adding a kind of entry = one file with a struct entry_kind and one row in entry_kinds[].
 */
#pragma once

#include "sandbox/sandbox.h"
#include "team/team.h"

enum {
	MANIFEST_FILE_LIMIT = 256 * 1024 * 1024, // bytes of one local file
	MANIFEST_FILES = 200000,                 // of one local folder
};

// Everything an entry needs to put itself into the workspace.
struct manifest_place {
	struct sandbox *sandbox;
	const struct team *team;
	const struct team_values *values; // for ${inputs.NAME}
	struct arena *arena;
};

struct entry_kind {
	struct key_owner owner; // name, help, keys
	// `path` is clean. The error names the entry.
	bool (*apply)(const struct manifest_place *place, struct text path,
		const struct yaml_node *node, struct error *error);
};

extern const struct entry_kind *const entry_kinds[]; // ends with NULL

// Puts all entries into an empty workspace, in the order of the file.
bool manifest_apply(const struct manifest_place *place, struct error *error);
// One entry; used by `dir` for its children.
bool manifest_apply_entry(const struct manifest_place *place, struct text path,
	const struct yaml_node *node, struct error *error);

struct owner_list manifest_vocabulary(void);
extern const struct key manifest_entry_keys[]; // common to all entries

extern const struct entry_kind entry_file, entry_dir, entry_local_file, entry_local_dir;
