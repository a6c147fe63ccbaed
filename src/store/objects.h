/*
 * The objects of a git repository, and which of them may not be on disk yet. Syncing each as it is
 * written would cost more than all else; syncing none would leave, after a power loss, a branch
 * that names empty files. Private to src/store/.
 */
#pragma once

#include "base/text.h"
#include "store/pack.h"

struct objects {
	git_odb *database;
	char *folder;   // the repository's
	git_oid *fresh; // written since the last sync
	size_t fresh_count, fresh_capacity;
	struct pack *pack; // while many are written: they go into packs; else NULL
	bool packed;       // some did since the last sync
};

void objects_finish(struct objects *objects);
bool objects_write(struct objects *objects, struct text content, git_object_t type, git_oid *id);
void objects_note(struct objects *objects, const git_oid *id); // it was written by other means
// Between the two, objects go into packs, and cannot be read.
void objects_begin_many(struct objects *objects);
bool objects_end_many(struct objects *objects);
// All that was written is on disk when this returns true.
bool objects_sync(struct objects *objects, struct error *error);
