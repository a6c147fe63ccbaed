/*
 * Commands of this machine in bubblewrap: own user, mount, process, network, IPC and host name
 * namespaces; a read-only system; nothing writable but the workspace and private, sized /tmp and
 * /dev/shm; an environment from nothing; a system call filter. Each command has namespaces of its
 * own, so when it ends nothing of it is left, and its limits are its own.
 *
 * Started by root, commands first become an unprivileged user: as root of the machine, even inside
 * a user namespace, they could write global kernel settings through /proc/sys, which is covered as
 * well. That user is the owner of the workspace if it is not root, else the option `user`.
 *
 * This header is shared by the driver's files only.
 */
#pragma once

#include "sandbox/drivers.h"

enum { UNIX_LOCAL_NOBODY = 65534 }; // the option `user`, if it is not given

struct unix_local {
	struct sandbox_session session;
	int workspace; // O_PATH
	bool owned;    // the workspace is ours: its files belong to whom commands become
	bool network;
	uid_t user;         // whom commands become when we are root; the group has the same number
	int64_t processes;  // of one command at once
	char **environment; // ends with NULL
};

// What bubblewrap inherits; it closes them all before the command starts.
struct unix_local_descriptors {
	int fds[8];
	size_t count;
	int status; // where bubblewrap tells how it went; one of `fds`
};

#define unix_local_descriptors_cleanup                                                             \
	__attribute__((cleanup(unix_local_close))) struct unix_local_descriptors

void unix_local_close(struct unix_local_descriptors *descriptors);

// The folder at which root meets whom commands become (see unix_local_exec); NULL: none is there.
const char *unix_local_meeting_place(void);

// The whole command line, ends with NULL; NULL on error.
const char *const *unix_local_arguments(struct arena *arena, const struct unix_local *local,
	const struct sandbox_command *command, struct unix_local_descriptors *descriptors,
	struct error *error);

bool unix_local_exec(const struct unix_local *local, struct arena *arena,
	const struct sandbox_command *command, struct process_result *result, struct error *error);

// Can commands be run on this machine? False with the reason and the remedy.
bool unix_local_usable(struct error *error);
