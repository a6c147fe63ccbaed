/*
 * What the kinds of entries share. For the files of src/manifest only.
 */
#pragma once

#include "manifest/manifest.h"
#include "manifest/sink.h"

struct entry_kind {
	struct key_owner owner; // name, help, keys
	bool folder;            // what it makes is a folder
	bool tree;              // with content of its own, which no one knows beforehand
	bool mount;             // not copied: made visible
	// What its keys alone do not tell; may be NULL.
	bool (*check_keys)(const struct yaml_node *node, struct error *error);
	// Before the start, nothing is changed; may be NULL.
	bool (*check)(const struct manifest_place *place, const struct manifest_entry *entry,
		struct error *error);
	// Gets what other machines have; may be NULL.
	bool (*prepare)(const struct manifest_place *place, const struct manifest_entry *entry,
		struct error *error);
	// Puts it into the sink, which stands in the folder that holds it, or for the root, in it.
	// `name` is the last part of its path, "" for the root. NULL: not carried out.
	bool (*put)(const struct manifest_place *place, const struct manifest_entry *entry,
		struct sink *sink, const char *name, struct error *error);
};

extern const struct entry_kind *const entry_kinds[]; // ends with NULL
extern const struct entry_kind entry_file, entry_dir, entry_local_file, entry_local_dir,
	entry_git_repo, entry_s3_mount, entry_gcs_mount, entry_r2_mount, entry_azure_blob_mount,
	entry_box_mount, entry_s3_files_mount;

const struct entry_kind *entry_kind_of(const struct yaml_node *node); // NULL: none
// A key that is a string with something in it, else NULL.
const struct yaml_node *entry_string(const struct yaml_node *node, const char *key);
bool entry_boolean(const struct yaml_node *node, const char *key, bool otherwise);
// Where `src` leads: relative ones from the manifest's folder, ${inputs.NAME} replaced. NULL with
// *error set if an input has no value; NULL without if there is no `src`.
const char *entry_source(const struct manifest_place *place, const struct manifest_entry *entry,
	struct error *error);

// Puts where the entry stands and its path in front of the message.
bool entry_error(const struct manifest_entry *entry, struct error *error);

// walk.c: a folder of this machine.
struct walk_settings {
	const char *source;
	bool gitignore; // leave out what its .gitignore files name, and .git
	mode_t mode;    // of the folder itself; 0: 0755
};

// Does the link at `path` lead to something in the folder that paths count from? A link is taken as it
// is, never followed; where it leads must come along.
bool link_stays_inside(struct text path, struct text target);
// With `sink` NULL it is only looked at: what could not be put is told, nothing is read.
bool walk_folder(const struct walk_settings *settings, struct sink *sink, const char *name,
	struct error *error);
