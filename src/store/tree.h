/*
 * A git tree of many folders, kept as one list of files in order of paths. Changing it touches only
 * the folders on the way to what changed: the tree objects of all others are known and stay.
 * Tree objects are written as bytes: the library's own builder refuses names that some other
 * system could not hold. Private to src/store/.
 */
#pragma once

#include "store/objects.h"

enum tree_mode {
	TREE_GONE = 0, // in a change: the file is removed
	TREE_FILE = 0100644,
	TREE_EXECUTABLE = 0100755,
	TREE_LINK = 0120000,
};

struct tree_file {
	const char *path;
	git_oid id;
	enum tree_mode mode;
};

struct tree;

struct tree *tree_create(void);
void tree_destroy(struct tree *tree); // NULL is fine
// Reads all folders of a root tree.
bool tree_load(struct tree *tree, struct objects *objects, const git_oid *root);
// In order of paths (strcmp); valid until the next change.
const struct tree_file *tree_files(const struct tree *tree, size_t *count);
// `files` are in order of paths.
void tree_change(struct tree *tree, const struct tree_file *files, size_t count);
// Writes the folders that changed; *root is the root's id.
bool tree_write(struct tree *tree, struct objects *objects, git_oid *root);
