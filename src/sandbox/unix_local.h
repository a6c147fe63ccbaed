/*
 * Commands of this machine in bubblewrap: own user, mount, process, network, IPC and host name
 * namespaces; a read-only system; nothing writable but the workspace and private, sized /tmp and
 * /dev/shm; an environment from nothing; a system call filter. Each command has users, processes,
 * mounts and IPC of its own, so when it ends nothing of it is left, and its limits are its own.
 *
 * There are two ways to that. A warm session is one bubblewrap with a runner of ours in it, which
 * makes a command's namespaces inside the session's: commands of a session share its network and its
 * pseudo-terminals, and cost little more than a fork. Or a fresh bubblewrap for each command.
 *
 * Started by root, commands first become an unprivileged user: as root of the machine, even inside
 * a user namespace, they could write global kernel settings through /proc/sys, which is covered as
 * well. That user is the owner of the workspace if it is not root, else the option `user`.
 *
 * This header is shared by the driver's files only.
 */
#pragma once

#include "base/file.h"
#include "sandbox/cgroup.h"
#include "sandbox/drivers.h"

enum { UNIX_LOCAL_NOBODY = 65534 }; // the option `user`, if it is not given

struct warm; // unix_local_warm.c

struct unix_local {
	struct sandbox_session session;
	int workspace;     // O_PATH
	bool owned;        // the workspace is ours: its files belong to whom commands become
	bool network;      // this machine's
	char **hosts;      // those that can be reached through a proxy; NULL: none; ends with NULL
	uid_t user;        // whom commands become when we are root; the group has the same number
	int64_t processes; // of one command at once
	int64_t file_size; // bytes of the largest file that a command can write
	int64_t memory;    // bytes of all commands together; 0: no limit
	struct cgroup
		*cgroup; // keeps limits of memory and processors; NULL: there are none, or ...
	int64_t address_space; // ... memory is limited for each process by itself; 0: it is not
	char **environment;    // ends with NULL
	struct sandbox_grant *grants; // ends with no path; NULL: none
	struct warm *warm;            // NULL: a fresh bubblewrap for each command
	bool plain;                   // the machine lets no runner work: nothing that needs one
};

// Copies the grants. False when commands would not reach one, or could write to the run's own folder
// through it.
bool unix_local_take_grants(
	struct unix_local *local, const struct sandbox_settings *settings, struct error *error);
void unix_local_free_grants(struct sandbox_grant *grants);

// What bubblewrap inherits; it closes them all before the command starts.
struct unix_local_descriptors {
	int fds[8];
	size_t count;
	int status; // where bubblewrap tells how it went; one of `fds`
};

#define unix_local_descriptors_cleanup                                                             \
	__attribute__((cleanup(unix_local_close))) struct unix_local_descriptors

void unix_local_close(struct unix_local_descriptors *descriptors);

// The folder at which root meets whom commands become (see unix_local_prepare); NULL: none is there.
const char *unix_local_meeting_place(void);

// The whole command line, ends with NULL; NULL on error.
const char *const *unix_local_arguments(struct arena *arena, const struct unix_local *local,
	const struct sandbox_command *command, struct unix_local_descriptors *descriptors,
	struct error *error);
// The same for a session's bubblewrap; `session` is the runner's end of the session socket.
const char *const *unix_local_warm_arguments(struct arena *arena, const struct unix_local *local,
	int session, struct unix_local_descriptors *descriptors, struct error *error);
// The whole environment of a command, each name once; ends with NULL.
const char *const *unix_local_environment(
	struct arena *arena, const struct unix_local *local, const struct sandbox_command *command);

// What happens between fork and exec of bubblewrap.
struct unix_local_surroundings {
	int workspace;
	const char *meeting_place;   // NULL: we are not root
	const struct cgroup *cgroup; // to be entered; may be NULL
	bool warm;
	struct process_limit limits[4];
};

// Fills in how bubblewrap is started: its user, limits and surroundings, which must live as long as
// `process`. False if that cannot be.
bool unix_local_prepare(const struct unix_local *local,
	struct unix_local_surroundings *surroundings, struct process *process, struct error *error);
// Adds what helps when bubblewrap could not be started (errno says why).
bool unix_local_not_started(struct error *error);
// A working folder that is not there is the command's fault, not the sandbox's.
bool unix_local_check_folder(
	const struct unix_local *local, const struct sandbox_command *command, struct error *error);
// Adds why namespaces are not to be had here, as far as it can be seen; `said` is bubblewrap's message.
void unix_local_explain(struct text said, struct error *error);
// The first process of bubblewrap's namespace, as it told; 0: there never was one.
pid_t unix_local_first_process(int status);

bool unix_local_exec(const struct unix_local *local, struct arena *arena,
	const struct sandbox_command *command, struct process_result *result, struct error *error);

// Can commands be run on this machine? False with the reason and the remedy.
bool unix_local_usable(struct error *error);

// Nothing runs before it is needed; `local` outlives it.
struct warm *warm_create(const struct unix_local *local);
void warm_destroy(struct warm *warm); // ends all processes; NULL is fine
// Starts the session if it does not run and has it do nothing once.
bool warm_check(struct warm *warm, struct error *error);
bool warm_exec(struct warm *warm, struct arena *arena, const struct sandbox_command *command,
	struct process_result *result, struct error *error);

// Processes that go on between calls (unix_local_process.c), as in struct sandbox_driver.
struct sandbox_process *unix_local_open_process(struct sandbox *sandbox,
	const struct sandbox_process_settings *settings, struct error *error);
bool unix_local_process_write(
	struct sandbox_process *process, struct text bytes, struct error *error);
bool unix_local_process_read(struct sandbox_process *process, int64_t wait, struct buffer *output,
	bool *ended, int *status, struct error *error);
bool unix_local_process_resize(struct sandbox_process *process, unsigned short columns,
	unsigned short rows, struct error *error);
void unix_local_process_close(struct sandbox_process *process);
