/*
 * Many objects at once: a file of its own for each would cost a baseline of 20,000 files more than
 * all else. They are gathered in memory and go into the repository as a pack. Objects are stored in
 * it as they are, neither compressed nor as deltas ('git gc' makes up for that): speed counts here.
 * Source of the format: gitformat-pack(5), RFC 1950 and RFC 1951. Private to src/store/.
 */
#pragma once

#include "base/text.h"
#include "store/git.h"

enum { PACK_SIZE = 16 * 1024 * 1024 /* bytes that are gathered before they are written */ };

struct pack;

struct pack *pack_create(void);
void pack_destroy(struct pack *pack); // what was not written is dropped; NULL is fine
// Adds an object unless it is in the pack; at PACK_SIZE the pack is written, and goes on empty.
bool pack_add(struct pack *pack, git_odb *database, struct text content, git_object_t type,
	const git_oid *id);
// Writes what was gathered. The file is not synced.
bool pack_write(struct pack *pack, git_odb *database);
