/*
 * Runs a program and waits for it: no shell, environment from nothing, standard input from a text
 * or nothing, output kept up to a limit (head and tail), killed when its time is over. It gets no
 * descriptors but its three streams and those named here, standard signals, and umask 022. Started
 * with vfork, so the cost does not grow with our memory.
 */
#pragma once

#include <stdatomic.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

struct process_limit {
	int resource;  // RLIMIT_...
	uint64_t most; // a lower limit of this process is kept
};

struct process {
	const char *const *argv; // ends with NULL; argv[0] is looked up in PATH of this process
	const char *const *environment; // "NAME=value", ends with NULL; NULL: empty
	const char *folder;             // working folder; NULL: ours
	struct text input;              // standard input
	int64_t timeout;                // milliseconds; 0: none
	size_t output_limit; // bytes kept of stdout and of stderr each: half head, half tail
	const int *pass_fds; // descriptors handed on under the same number
	size_t pass_fd_count;
	// Called in the child, which shares our memory: system calls only. False, with errno set, gives
	// up: process_run fails. May be NULL.
	bool (*prepare)(const void *data);
	const void *prepare_data;
	bool drop; // become this user and group, without any others, before the program starts
	uid_t user;
	gid_t group;
	const struct process_limit *limits;
	size_t limit_count;
	const atomic_bool *cancel; // may be NULL; once true the process is killed
	// Called with output as it comes; may be NULL.
	void (*output)(void *data, int stream, struct text bytes);
	void *output_data;
};

struct process_result {
	int status; // exit status; 128 + signal when a signal ended it
	bool timed_out;
	bool cancelled;
	struct text out, err;         // head, a line "... N bytes left out ...", tail
	int64_t out_bytes, err_bytes; // all that came
	int64_t milliseconds;
};

// False, with the reason (also in errno), only if the program could not be started. The whole
// process group is killed at the end (not what left the group; a sandbox does that). Results are in
// the arena.
bool process_run(struct arena *arena, const struct process *process, struct process_result *result,
	struct error *error);

// Starts the program with these streams and leaves it to the caller, who reaps `pid`; *process_fd, to
// be closed by the caller, can be read when it has ended. What process says of input, output, time
// and cancelling is not looked at. False as in process_run.
bool process_start(const struct process *process, const int streams[3], pid_t *pid, int *process_fd,
	struct error *error);
