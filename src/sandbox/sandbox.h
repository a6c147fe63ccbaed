/*
 * Where commands run: one interface for every provider. A driver is one struct of functions; what a
 * provider lacks stays NULL and is done by a fallback over exec (POSIX sh and tar only) or refused
 * with a clear error; its flags say which. Callers use the sandbox_* functions below, which check
 * arguments and choose fallbacks, never the driver's own.
 *
 * Paths are workspace paths (base/path.h). Output and file contents are bytes. Times are
 * milliseconds. Errors of kind ERROR_UNAVAILABLE mean that the provider could not do it now (it may
 * be tried again); ERROR_FAILED that it did it and the answer is no. A session may be used by
 * several threads at once. The operations are those of the OpenAI Agents SDK's sandbox session.
 */
#pragma once

#include <stdatomic.h>

#include "base/file.h"
#include "base/key.h"
#include "base/process.h"

// What a driver can do natively; the rest goes by fallback or is refused (`muster providers`).
enum sandbox_flag {
	SANDBOX_READ_ONLY_COMMANDS = 1 << 0, // exec with the workspace read-only
	SANDBOX_NETWORK_OFF = 1 << 1,
	SANDBOX_NETWORK_HOSTS = 1 << 2, // only chosen hosts
	SANDBOX_PROCESS = 1 << 3,       // open_process with pipes
	SANDBOX_TERMINAL = 1 << 4,      // open_process with a PTY
	SANDBOX_SCAN = 1 << 5,          // a whole tree in one call
	SANDBOX_ARCHIVE = 1 << 6,
	SANDBOX_PORTS = 1 << 7,
	SANDBOX_PAUSE = 1 << 8,
	SANDBOX_SNAPSHOT = 1 << 9,
	SANDBOX_USERS = 1 << 10,             // run_as
	SANDBOX_HOST_FOLDER = 1 << 11,       // the workspace is a folder of this machine
	SANDBOX_READ_ONLY_FOLDERS = 1 << 12, // exec with some folders read-only
	SANDBOX_GRANTS = 1 << 13,            // folders of this machine beside the workspace
};

// A folder of this machine that commands see at `path`; the functions for files do not.
struct sandbox_grant {
	const char *path;   // absolute, clean, not the root
	const char *source; // on this machine: absolute, without links
	bool read_only;
};

struct sandbox_settings {
	const char *run;    // the run's id: the label by which an orphan is found
	const char *folder; // a folder of this machine that belongs to the run; exists
	// With SANDBOX_HOST_FOLDER: a folder of this machine to be used as the workspace as it is,
	// its owner unchanged (`muster gate --in DIR`); NULL: folder/workspace, made if missing.
	const char *workspace;
	const char *const *environment; // "NAME=value" for every command; ends with NULL
	bool network;
	const char *const *hosts; // allowed hosts; NULL: all (when network is on); ends with NULL
	double cpu;               // processors; 0: the driver's default
	int64_t memory, disk;     // bytes; 0: the driver's default
	int64_t processes;        // 0: the driver's default
	const char *options;      // the driver's own as a JSON object; NULL: none
	// What takes long when a session is made (an image that is fetched), a line each; may be NULL.
	void (*progress)(void *data, const char *line);
	void *progress_data;
	const struct sandbox_grant *grants; // with SANDBOX_GRANTS; NULL: none; ends with no path
};

struct sandbox_command {
	const char *const *argv;        // ends with NULL; or NULL when `shell` is given
	const char *shell;              // text for sh -c
	const char *folder;             // working folder, a workspace path; NULL or "": the root
	const char *const *environment; // added to the session's; may be NULL; ends with NULL
	const char *user;               // NULL: the session's
	struct text input;
	int64_t timeout;     // milliseconds; 0: 10 minutes
	size_t output_limit; // bytes kept of each stream; 0: 1 MiB
	bool read_only;      // the workspace is read-only for this command
	// Folders (workspace paths) that are read-only for this command, as far as the driver can do
	// that (SANDBOX_READ_ONLY_FOLDERS) and they are there; may be NULL; ends with NULL.
	const char *const *read_only_folders;
	const atomic_bool *cancel;                                 // may be NULL
	void (*output)(void *data, int stream, struct text bytes); // as it comes; may be NULL
	void *output_data;
};

struct sandbox;         // a session; the driver's own struct starts with struct sandbox_session
struct sandbox_process; // a process with pipes or a PTY, the driver's own

struct sandbox_process_settings {
	struct sandbox_command command; // input, time, cancel flag, output are not looked at
	bool terminal;
	unsigned short columns, rows; // 0: 80 and 24
};

struct sandbox_driver {
	const char *name;          // "unix-local"
	const char *help;          // one line
	unsigned flags;            // enum sandbox_flag
	const struct key *options; // keys of `sandbox.options`; ends with a row without name
	const char
		*user; // without SANDBOX_USERS: the only one there is, by name; NULL: it has none

	// Can it be used on this machine? False with the reason and the remedy.
	bool (*usable)(struct error *error);
	// What people should know of it on this machine, a sentence on each line; may be NULL.
	void (*notes)(struct buffer *lines);

	// A fresh session with an empty workspace, or NULL. Must be filled in.
	struct sandbox *(*create)(const struct sandbox_settings *settings, struct error *error);
	// The session that `state` describes; ERROR_FAILED: it is gone. Must be filled in.
	struct sandbox *(*attach)(
		const struct sandbox_settings *settings, struct text state, struct error *error);
	// What attach needs, as JSON without secrets. Must be filled in.
	void (*state)(struct sandbox *sandbox, struct buffer *json);
	// Frees the handle; the session lives on. Must be filled in.
	void (*detach)(struct sandbox *sandbox);
	// Ends all processes and removes what belongs to the session (not settings.folder), then
	// detaches. Must be filled in.
	bool (*destroy)(struct sandbox *sandbox, struct error *error);

	// Runs a command to its end. Must be filled in. The result is in the arena.
	bool (*exec)(struct sandbox *sandbox, struct arena *arena,
		const struct sandbox_command *command, struct process_result *result,
		struct error *error);

	// Processes that go on between calls; NULL: not available. One thread at a time uses one.
	// With pipes, standard output and error are one stream.
	struct sandbox_process *(*open_process)(struct sandbox *sandbox,
		const struct sandbox_process_settings *settings, struct error *error);
	// Fails when it does not read for some seconds. An empty text ends the input.
	bool (*process_write)(
		struct sandbox_process *process, struct text bytes, struct error *error);
	// Waits up to `wait` ms for output; adds it (at most 1 MiB in one call); *ended and *status
	// when the process is over and all its output was read.
	bool (*process_read)(struct sandbox_process *process, int64_t wait, struct buffer *output,
		bool *ended, int *status, struct error *error);
	bool (*process_resize)(struct sandbox_process *process, unsigned short columns,
		unsigned short rows, struct error *error);
	// Kills it with all that it started and frees the handle.
	void (*process_close)(struct sandbox_process *process);

	// Files. NULL: fallback over exec.
	bool (*read)(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
		struct text *content, struct error *error);
	bool (*write)(struct sandbox *sandbox, struct text path, struct text content, mode_t mode,
		struct error *error);
	struct folder_stat (*stat)(struct sandbox *sandbox, struct text path);
	bool (*scan)(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
		struct folder_list *list, struct error *error);
	bool (*make_folder)(struct sandbox *sandbox, struct text path, struct error *error);
	bool (*remove)(
		struct sandbox *sandbox, struct text path, bool recursive, struct error *error);
	// A tar stream (pax) from or to a descriptor. `paths` ends with NULL; NULL: everything.
	bool (*put_archive)(
		struct sandbox *sandbox, struct text folder, int fd, struct error *error);
	bool (*get_archive)(
		struct sandbox *sandbox, const char *const *paths, int fd, struct error *error);

	// NULL: refused as not available.
	bool (*expose_port)(
		struct sandbox *sandbox, int port, struct buffer *url, struct error *error);
	bool (*keep_alive)(struct sandbox *sandbox, int64_t duration, struct error *error);
	bool (*pause)(struct sandbox *sandbox, struct error *error);
	bool (*snapshot)(struct sandbox *sandbox, struct buffer *reference, struct error *error);
	// Ends and removes the session that `state` describes, without taking it up; one that is gone is
	// fine. NULL: sessions leave nothing behind but settings.folder.
	bool (*discard)(struct text state, struct error *error);
	// Sessions of ours whose run's folder is not on this machine (any more): one JSON object per
	// line {"run", "folder", "state"}.
	bool (*orphans)(struct buffer *lines, struct error *error);

	// With SANDBOX_HOST_FOLDER: the workspace as an O_PATH descriptor owned by the session.
	int (*host_folder)(struct sandbox *sandbox);
};

// Every driver's session starts with this.
struct sandbox_session {
	const struct sandbox_driver *driver;
};

// And every driver's process with this.
struct sandbox_process_session {
	const struct sandbox_driver *driver;
};

extern const struct sandbox_driver *const sandbox_drivers[]; // ends with NULL
const struct sandbox_driver *sandbox_driver_find(const char *name);

struct sandbox *sandbox_create(const struct sandbox_driver *driver,
	const struct sandbox_settings *settings, struct error *error);
struct sandbox *sandbox_attach(const struct sandbox_driver *driver,
	const struct sandbox_settings *settings, struct text state, struct error *error);
void sandbox_state(struct sandbox *sandbox, struct buffer *json);
void sandbox_detach(struct sandbox *sandbox); // NULL is fine
bool sandbox_destroy(struct sandbox *sandbox, struct error *error);
bool sandbox_exec(struct sandbox *sandbox, struct arena *arena,
	const struct sandbox_command *command, struct process_result *result, struct error *error);
// NULL on error. To be closed before the sandbox is detached or destroyed.
struct sandbox_process *sandbox_open_process(struct sandbox *sandbox,
	const struct sandbox_process_settings *settings, struct error *error);
bool sandbox_process_write(struct sandbox_process *process, struct text bytes, struct error *error);
bool sandbox_process_read(struct sandbox_process *process, int64_t wait, struct buffer *output,
	bool *ended, int *status, struct error *error);
bool sandbox_process_resize(struct sandbox_process *process, unsigned short columns,
	unsigned short rows, struct error *error);
void sandbox_process_close(struct sandbox_process *process); // NULL is fine
bool sandbox_read(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct text *content, struct error *error);
// Creates folders in between; mode 0 means 0644.
bool sandbox_write(struct sandbox *sandbox, struct text path, struct text content, mode_t mode,
	struct error *error);
struct folder_stat sandbox_stat(struct sandbox *sandbox, struct text path);
bool sandbox_scan(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct folder_list *list, struct error *error);
bool sandbox_make_folder(struct sandbox *sandbox, struct text path, struct error *error);
bool sandbox_remove(struct sandbox *sandbox, struct text path, bool recursive, struct error *error);
// Archives are refused whole when something in them would lead out of the workspace, is no file, folder
// or link, or is there twice. `fd` may be a pipe.
bool sandbox_put_archive(struct sandbox *sandbox, struct text folder, int fd, struct error *error);
bool sandbox_get_archive(
	struct sandbox *sandbox, const char *const *paths, int fd, struct error *error);
// Where a port of the sandbox can be reached from this machine.
bool sandbox_expose_port(
	struct sandbox *sandbox, int port, struct buffer *url, struct error *error);
// It shall live at least so many milliseconds more.
bool sandbox_keep_alive(struct sandbox *sandbox, int64_t duration, struct error *error);
// It does nothing and costs little until it is used or attached again.
bool sandbox_pause(struct sandbox *sandbox, struct error *error);
bool sandbox_snapshot(struct sandbox *sandbox, struct buffer *reference, struct error *error);
// Removes the session of a run that is deleted, whatever driver it was of.
bool sandbox_discard(struct text state, struct error *error);
// None where sessions leave nothing behind.
bool sandbox_orphans(
	const struct sandbox_driver *driver, struct buffer *lines, struct error *error);
// The workspace's folder on this machine, or -1.
int sandbox_host_folder(struct sandbox *sandbox);
