/*
 * Containers of a Docker engine. A session is a container that only waits, with a labelled volume as
 * /workspace, so that it outlives the container; commands are started in it by a guest of ours
 * (guest/guest.h), which comes in a second volume, read-only. Commands for which the workspace is
 * read-only run in a second container, made when the first of them comes, that has the same volume
 * read-only. Files are looked after by a guest that runs as root with the rights that ownership needs
 * and nothing else; commands have no rights at all.
 *
 * This header is shared by the driver's files only.
 */
#pragma once

#include <pthread.h>

#include "guest/guest.h"
#include "sandbox/docker_engine.h"
#include "sandbox/drivers.h"

#define DOCKER_LABEL "org.muster." // of all labels
#define DOCKER_GUEST "/.muster"    // where the guest is mounted

// A guest's streams.
struct docker_stream {
	int fd;             // -1: closed
	struct buffer raw;  // of the engine, not a whole frame of it yet
	struct buffer said; // by the guest
	size_t at;          // of what was said, the next frame starts here
	size_t used;        // bytes of the frame that was given out last
	struct buffer odd;  // what is no frame of a guest: the engine's own words
	bool hello, over;
	uint32_t user, group; // whom the guest is
	uint32_t window;      // bytes of input that were sent and not taken
	bool shut;            // nobody takes input
};

struct docker_options {
	const char *image, *pull, *user;
	int64_t memory, processes, temporary, disk; // bytes, but for processes; disk 0: no limit
	double cpu;
	bool writable; // the image's own files can be written to
	bool network;
	const cJSON *ports, *mounts;
	cJSON *tree; // what some of these are parts of
};

struct docker {
	struct sandbox_session session;
	struct engine engine;
	char *run, *folder; // of settings
	char *name;         // of the container, and with an ending of all else of the session
	char *container;    // its id
	char *image;        // its id
	char *user;         // "1000:1000": whom commands are
	char **environment; // of every command; ends with NULL
	struct docker_options options;
	void (*progress)(void *data, const char *line); // while it is made
	void *progress_data;

	pthread_mutex_t lock; // of what follows
	struct docker_stream files;
	char *checker; // id of the container with a read-only workspace; NULL: not known yet
};

/* docker_options.c */

extern const struct key docker_option_keys[];
bool docker_options_read(struct docker_options *options, const struct engine *engine,
	const struct sandbox_settings *settings, struct error *error);
void docker_options_finish(struct docker_options *options);

/* docker_image.c */

// What an image says of itself, as a tree to be freed; pulled when it is missing. NULL on error.
cJSON *docker_image_get(const struct docker *docker, struct error *error);

/* docker_create.c */

// A container of the session; `ending` is "" or "-checker", whose workspace is read-only. Its id, to be
// freed, or NULL.
char *docker_create_container(const struct docker *docker, const char *ending, struct error *error);
// The volumes of the session: an empty workspace, and the guest.
bool docker_create_volumes(const struct docker *docker, struct error *error);
// What the engine says of a container, as a tree to be freed; NULL, ERROR_UNAVAILABLE if it is gone.
cJSON *docker_inspect(const struct docker *docker, const char *container, struct error *error);
// Starts the container if it does not run, goes on if it is paused, and looks whether it is what was
// asked for. ERROR_UNAVAILABLE if it is gone.
bool docker_wake(const struct docker *docker, const char *container, struct error *error);
// The container for commands with a read-only workspace, made when it is not there.
const char *docker_checker(struct docker *docker, struct error *error);
// Removes a container; one that is gone already is fine.
bool docker_remove_container(const struct docker *docker, const char *name, struct error *error);
// Removes all that is the session's.
bool docker_remove_all(const struct docker *docker, struct error *error);

/* docker_stream.c */

enum docker_next {
	DOCKER_FRAME, // one is there
	DOCKER_LATER, // nothing came in time
	DOCKER_OVER,  // the guest is gone
	DOCKER_BROKEN,
};

// Starts a guest in a container; `mode` ends with NULL: {"run", NULL}. Waits for its GUEST_HELLO.
bool docker_stream_open(const struct docker *docker, const char *container, const char *user,
	const char *const *mode, struct docker_stream *stream, struct error *error);
void docker_stream_close(struct docker_stream *stream); // a zeroed one with fd -1 is fine
// Waits up to `wait` milliseconds. The frame's bytes are valid until the next call.
enum docker_next docker_stream_next(struct docker_stream *stream, int64_t wait,
	struct guest_frame *frame, struct text *bytes, struct error *error);
// Sends a frame; waits up to `wait` milliseconds for room. What comes meanwhile is kept, up to some
// MiB. False: there was no room, or the guest is gone.
bool docker_stream_send(
	struct docker_stream *stream, uint32_t type, struct text bytes, int64_t wait);
// Sends the start of a command.
bool docker_stream_start(const struct docker *docker, struct docker_stream *stream,
	const struct sandbox_process_settings *settings, struct error *error);
// The guest ended before its command: ends what that may have left. Always false.
bool docker_stream_lost(const struct docker *docker, const char *container, const char *user,
	struct docker_stream *stream, struct error *error);
// What a GUEST_FAILED says. Always false.
bool docker_guest_failed(
	const struct sandbox_command *command, struct text bytes, struct error *error);
int64_t docker_now(void); // milliseconds

/* docker_exec.c */

bool docker_exec(struct sandbox *sandbox, struct arena *arena,
	const struct sandbox_command *command, struct process_result *result, struct error *error);
// The container in which the command has to run; NULL on error.
const char *docker_container_for(
	struct docker *docker, const struct sandbox_command *command, struct error *error);

/* docker_process.c: as in struct sandbox_driver */

struct sandbox_process *docker_open_process(struct sandbox *sandbox,
	const struct sandbox_process_settings *settings, struct error *error);
bool docker_process_write(struct sandbox_process *process, struct text bytes, struct error *error);
bool docker_process_read(struct sandbox_process *process, int64_t wait, struct buffer *output,
	bool *ended, int *status, struct error *error);
bool docker_process_resize(struct sandbox_process *process, unsigned short columns,
	unsigned short rows, struct error *error);
void docker_process_close(struct sandbox_process *process);

/* docker_files.c: as in struct sandbox_driver */

bool docker_read(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct text *content, struct error *error);
bool docker_write(struct sandbox *sandbox, struct text path, struct text content, mode_t mode,
	struct error *error);
struct folder_stat docker_stat(struct sandbox *sandbox, struct text path);
bool docker_scan(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct folder_list *list, struct error *error);
bool docker_make_folder(struct sandbox *sandbox, struct text path, struct error *error);
bool docker_remove(struct sandbox *sandbox, struct text path, bool recursive, struct error *error);
// Is the workspace there, and whom it belongs to?
bool docker_files_check(struct docker *docker, struct error *error);

/* docker_more.c: as in struct sandbox_driver */

bool docker_expose_port(struct sandbox *sandbox, int port, struct buffer *url, struct error *error);
bool docker_keep_alive(struct sandbox *sandbox, int64_t duration, struct error *error);
bool docker_pause(struct sandbox *sandbox, struct error *error);
bool docker_orphans(struct buffer *lines, struct error *error);
