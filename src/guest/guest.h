/*
 * What the harness and the guest say to each other. The guest is a small program of ours inside a
 * container, for providers whose way in is "start a program and talk to its streams". It needs nothing
 * of the container's image. What it is started as:
 *
 *   guest init   the container's first process: waits, and reaps what is left to it
 *   guest run    starts one command, passes its streams on, and ends all that it started: when it
 *                ends, when it is told to, and when the harness goes away (the end of its input)
 *   guest files  files of the workspace; started as root, makes them for the user that is its argument
 *   guest sweep  ends all processes of its user
 *   guest who    says GUEST_HELLO, and no more
 *
 * `run` and `files` speak frames over their standard input and output, beginning with GUEST_HELLO from
 * the guest. Both are the same machine's: numbers are as it has them.
 */
#pragma once

#include <stdint.h>

#define GUEST_WORKSPACE "/workspace"

enum {
	GUEST_VERSION = 1,
	GUEST_WINDOW = 256 * 1024,           // bytes of input that may be under way
	GUEST_FRAME_MOST = 64 * 1024 * 1024, // bytes of one frame
	GUEST_PART = 64 * 1024,              // of contents that go in parts
};

struct guest_frame {
	uint32_t type, length; // enum guest_type; bytes that follow
};

enum guest_type {
	GUEST_HELLO = 0x4d55, // struct guest_hello

	// To `run`.
	GUEST_COMMAND,   // struct guest_command
	GUEST_INPUT,     // bytes; no more than GUEST_WINDOW that were not taken
	GUEST_INPUT_END, //
	GUEST_RESIZE,    // struct guest_size
	GUEST_KILL,

	// From `run`.
	GUEST_STARTED, // the first one, if not GUEST_FAILED
	GUEST_OUTPUT,  // bytes
	GUEST_ERRORS,  // bytes
	GUEST_TAKEN,   // uint32_t: so many bytes of input were taken
	GUEST_SHUT,    // nobody takes input any more
	GUEST_FAILED,  // struct guest_failure; there is no other one
	GUEST_ENDED,   // int32_t exit status or 128 + signal; the last one: nothing is left of it

	// To `files`: struct guest_file and its path, answered by GUEST_DONE or GUEST_REFUSED.
	GUEST_STAT,        // struct guest_stat and `what`
	GUEST_READ,        // GUEST_BYTES until GUEST_DONE
	GUEST_READ_LINK,   // the target
	GUEST_WRITE,       // GUEST_BYTES follow until GUEST_BYTES_END
	GUEST_SCAN,        // struct guest_list, then for each entry struct guest_entry and its path
	GUEST_MAKE_FOLDER, //
	GUEST_REMOVE,
	GUEST_REMOVE_TREE,

	// Both ways.
	GUEST_BYTES,
	GUEST_BYTES_END,

	// From `files`.
	GUEST_DONE,
	GUEST_REFUSED, // uint32_t enum error_kind, the message
};

// What the walls are like, seen from inside.
struct guest_hello {
	uint32_t version;       // GUEST_VERSION
	uint32_t no_new_rights; // 1: programs cannot gain any
	uint32_t filter;        // 2: system calls are filtered
	uint32_t user, group;   // ours
	uint32_t unused;
	uint64_t rights; // capabilities that anything here could ever have, a bit for each
};

struct guest_size {
	uint16_t columns, rows;
};

// Followed by strings, each with its zero byte: the folder (a workspace path), arguments, environment.
struct guest_command {
	uint32_t arguments, environment, terminal;
	struct guest_size size;
};

struct guest_failure {
	int32_t number; // errno
	char step[60];  // ends with a zero byte
};

struct guest_file {
	uint64_t limit;
	uint32_t mode;
};

struct guest_stat {
	int64_t size, modified;
	uint32_t kind, mode, unknown;
};

struct guest_list {
	uint64_t count;
	uint32_t cut;
};

struct guest_entry {
	int64_t size, modified, changed;
	uint64_t inode;
	uint32_t kind, mode, path; // path: bytes
};
