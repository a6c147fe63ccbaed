/*
 * What the harness and the runner say to each other. The runner is a small program of ours, the
 * first process of a sandbox that lives as long as a session. It starts a command when asked, each
 * in namespaces of its own, and holds no rights that a command could gain by it: commands do not see
 * it, and it gives what it was told by the harness to the kernel and nothing else.
 *
 * The session socket (SOCK_SEQPACKET, its number is the runner's first argument) carries first the
 * system call filter as raw struct sock_filter[], answered by RUNNER_READY; with a second argument,
 * "listen", a socket comes along with it that listens on the sandbox's loopback at RUNNER_PORT, for
 * the harness to accept connections there. Then one byte for each
 * command along with RUNNER_DESCRIPTORS descriptors. When the harness closes it, the runner and all
 * its commands end.
 *
 * A command's control socket carries struct runner_reply to the harness: at most one RUNNER_FAILED,
 * or RUNNER_ENDED; then always RUNNER_GONE, when no process of the command is left. The harness sends
 * one byte, or closes it, to have the command killed.
 *
 * Used by both programs: types of a fixed size only.
 */
#pragma once

#include <stdint.h>

enum {
	RUNNER_USER = 1000, // and group: whom processes are inside
	RUNNER_PORT = 3128,
	RUNNER_MOST_COMMANDS = 200, // at once
	RUNNER_MOST_FILTER = 64 * 1024,
	RUNNER_MOST_LIMITS = 8,
	RUNNER_MOST_STRINGS = 1024 * 1024,
	RUNNER_SHARED_SIZE = 64 * 1024 * 1024,     // bytes of a command's /dev/shm
	RUNNER_TEMPORARY_SIZE = 256 * 1024 * 1024, // and of its /tmp
};

enum runner_descriptor { // of a command, in this order
	RUNNER_BODY,     // a file: struct runner_request and the strings that follow it
	RUNNER_CONTROL,
	RUNNER_INPUT,
	RUNNER_OUTPUT,
	RUNNER_ERROR,
	RUNNER_DESCRIPTORS,
};

struct runner_request {
	uint64_t size; // of all, with the strings
	uint32_t arguments, environment, read_only_folders;
	uint32_t read_only; // the whole workspace
	uint32_t terminal;  // the streams are a terminal that shall be the command's own
	uint32_t limit_count;
	struct {
		uint64_t most;
		uint32_t resource, unused; // RLIMIT_...
	} limits[RUNNER_MOST_LIMITS];
	// Strings, each with its zero byte: the working folder, arguments, environment, read-only
	// folders (workspace paths).
};

enum runner_reply_kind {
	RUNNER_READY,
	RUNNER_FAILED, // `value` is errno, `step` what could not be done
	RUNNER_ENDED,  // `value` is the exit status, or 128 + signal
	RUNNER_GONE,   // `value` is the signal that ended the command's first process; else 0
};

struct runner_reply {
	uint32_t kind;
	int32_t value;
	char step[56]; // ends with a zero byte
};
