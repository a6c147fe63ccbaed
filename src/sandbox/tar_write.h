/*
 * Writes tar streams: POSIX pax, plain ustar where that suffices. The same entries give the same bytes
 * everywhere: no owner, no time but the one that is given, no number of a process.
 */
#pragma once

#include "sandbox/tar.h"

// What a stream is made of so far and not yet taken over: the caller empties it when he likes.
struct tar_writer {
	struct buffer out;
};

// The header of an entry. Of its mode only the permissions count; of its time whole seconds, and none
// before 1970. `size` bytes and tar_write_end_of_file() follow.
void tar_write_entry(struct tar_writer *writer, const struct tar_entry *entry);
// Fills the last block of a file of this size.
void tar_write_end_of_file(struct tar_writer *writer, int64_t size);
// The mark of the archive's end.
void tar_write_end(struct tar_writer *writer);
