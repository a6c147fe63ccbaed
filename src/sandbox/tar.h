/*
 * Reads tar streams (ustar, pax, GNU's long names) as they come, in pieces of any size, in constant
 * memory. Formats: POSIX pax, and the GNU tar manual. What is in an archive is hostile: tar_check says
 * whether it may be unpacked, before anybody does.
 */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

enum { TAR_BLOCK = 512, TAR_MOST_ENTRIES = 1000000 };

enum tar_type {
	TAR_FILE = '0',
	TAR_HARD_LINK = '1',
	TAR_LINK = '2',
	TAR_CHARACTER_DEVICE = '3',
	TAR_BLOCK_DEVICE = '4',
	TAR_FOLDER = '5',
	TAR_FIFO = '6',
};

struct tar_entry {
	struct text path, target; // as in the archive; valid during the call only
	char type;                // enum tar_type, or what is not known here
	mode_t mode;
	int64_t size;     // bytes that follow
	int64_t modified; // nanoseconds since 1970
};

struct tar_reader {
	bool (*entry)(void *data, const struct tar_entry *entry, struct error *error);
	// What the entry holds, in pieces of any size; may be NULL.
	bool (*content)(void *data, struct text bytes, struct error *error);
	void *data;
	int64_t whole; // bytes up to the mark of the end, without it

	// Private.
	char block[TAR_BLOCK];
	size_t filled;
	int64_t extra_size;         // of a long name or pax header, still to come
	int64_t skip;               // of anything else, with what fills its last block
	int64_t holds;              // of it, what the entry holds
	char header;                // whose content is collected: 'x', 'L' or 'K'; else 0
	struct buffer extra;        // that content
	struct buffer path, target; // what it says of the next entry
	int64_t size, modified;     // the same; -1, INT64_MIN: nothing
	size_t entries;
	bool ended, known;
};

// Set `entry`, `content` and `data` of a zeroed struct first. False: this is no archive (ERROR_FAILED), or
// `entry` said so.
bool tar_feed(struct tar_reader *reader, struct text bytes, struct error *error);
// All has come: was it whole?
bool tar_end(const struct tar_reader *reader, struct error *error);
void tar_finish(struct tar_reader *reader);

/*
 * A checker of archives: entries are files, folders and links, names are relative, stay below the
 * folder and are no longer than a path may be; links lead to what is below it, too; nothing lies below
 * an entry that is no folder. Names may have a leading "./".
 */
struct tar_check;

struct tar_check *tar_check_create(void);
void tar_check_destroy(struct tar_check *check);
// As `entry` of a reader whose `data` is the checker.
bool tar_check_entry(void *check, const struct tar_entry *entry, struct error *error);
// When all entries came.
bool tar_check_whole(struct tar_check *check, struct error *error);
// Does a link at `path` lead to what is below the folder, whatever other such links it leads through?
// Only so, if ".." stands at its beginning alone.
bool tar_link_stays(struct text path, struct text target);
