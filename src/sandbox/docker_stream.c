/* Guests and their streams: the engine's frames around the guest's. */
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/docker.h"

enum {
	ENGINE_HEADER = 8, // bytes before each frame of the engine
	ENGINE_FRAME_MOST = 16 * 1024 * 1024,
	KEPT_MOST = 4 * 1024 * 1024, // bytes that are read on the side
	ODD_MOST = 4096,
	HELLO_TIME = 30000, // milliseconds
};

int64_t docker_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void docker_stream_close(struct docker_stream *stream)
{
	file_close(&stream->fd);
	buffer_finish(&stream->raw);
	buffer_finish(&stream->said);
	buffer_finish(&stream->odd);
	*stream = (struct docker_stream){.fd = -1};
}

static void drop(struct buffer *buffer, size_t length)
{
	memmove(buffer->data, buffer->data + length, buffer->length - length);
	buffer->length -= length;
}

// Takes the engine's frames apart: type (1: output, 2: errors), three zero bytes, length.
static bool take_raw(struct docker_stream *stream)
{
	size_t at = 0;
	while (stream->raw.length - at >= ENGINE_HEADER) {
		const unsigned char *head = (const unsigned char *)stream->raw.data + at;
		size_t length = (size_t)head[4] << 24 | (size_t)head[5] << 16 |
			(size_t)head[6] << 8 | head[7];
		if (head[0] > 3 || head[1] || head[2] || head[3] || length > ENGINE_FRAME_MOST) {
			return false;
		}
		if (stream->raw.length - at < ENGINE_HEADER + length) {
			break;
		}
		struct text bytes = {stream->raw.data + at + ENGINE_HEADER, length};
		if (head[0] == 1) {
			buffer_add_text(&stream->said, bytes);
		} else if (stream->odd.length < ODD_MOST) {
			buffer_add_text(&stream->odd, text_cut(bytes, ODD_MOST));
		}
		at += ENGINE_HEADER + length;
	}
	drop(&stream->raw, at);
	return true;
}

// Reads what is there. False at the end of the stream.
static bool read_some(struct docker_stream *stream)
{
	enum { PIECE = 64 * 1024 };
	char *room = buffer_reserve(&stream->raw, PIECE);
	ssize_t got = read(stream->fd, room, PIECE);
	if (got > 0) {
		stream->raw.length += (size_t)got;
		return take_raw(stream);
	}
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

// The frame that was given out last is done with.
static void forget_frame(struct docker_stream *stream)
{
	enum { MUCH = 1024 * 1024 };
	stream->at += stream->used;
	stream->used = 0;
	if (stream->at == stream->said.length || stream->at > MUCH) {
		drop(&stream->said, stream->at);
		stream->at = 0;
	}
}

// A whole frame of the guest?
static bool has_frame(const struct docker_stream *stream, struct guest_frame *frame, bool *broken)
{
	size_t there = stream->said.length - stream->at;
	*broken = false;
	if (there < sizeof(*frame)) {
		return false;
	}
	memcpy(frame, stream->said.data + stream->at, sizeof(*frame));
	*broken =
		(!stream->hello && frame->type != GUEST_HELLO) || frame->length > GUEST_FRAME_MOST;
	return !*broken && there >= sizeof(*frame) + frame->length;
}

enum docker_next docker_stream_next(struct docker_stream *stream, int64_t wait,
	struct guest_frame *frame, struct text *bytes, struct error *error)
{
	bool broken;
	int64_t deadline = docker_now() + wait;
	forget_frame(stream);
	for (;;) {
		if (has_frame(stream, frame, &broken)) {
			stream->used = sizeof(*frame) + frame->length;
			*bytes = (struct text){
				stream->said.data + stream->at + sizeof(*frame), frame->length};
			return DOCKER_FRAME;
		}
		if (broken) {
			error_set(error, ERROR_UNAVAILABLE,
				"what answers in the container is not muster's guest");
			return DOCKER_BROKEN;
		}
		if (stream->over) {
			return DOCKER_OVER;
		}
		int64_t left = deadline - docker_now();
		struct pollfd poller = {stream->fd, POLLIN, 0};
		if (poll(&poller, 1, left > 0 ? (int)left : 0) == 0) {
			return DOCKER_LATER;
		}
		stream->over = !read_some(stream);
	}
}

static bool send_bytes(struct docker_stream *stream, struct text bytes, int64_t deadline)
{
	while (bytes.length) {
		bool room = stream->said.length - stream->at < KEPT_MOST;
		ssize_t sent = stream->over
			? -1
			: send(stream->fd, bytes.data, bytes.length, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent > 0) {
			bytes.data += sent;
			bytes.length -= (size_t)sent;
			continue;
		}
		int64_t left = deadline - docker_now();
		if (stream->over || (errno != EAGAIN && errno != EINTR) || left <= 0) {
			return false;
		}
		// The guest may wait for us to read.
		struct pollfd poller = {stream->fd, (short)(POLLOUT | (room ? POLLIN : 0)), 0};
		poll(&poller, 1, left > 1000 ? 1000 : (int)left);
		if (room && (poller.revents & POLLIN)) {
			stream->over = !read_some(stream);
		}
	}
	return true;
}

bool docker_stream_send(
	struct docker_stream *stream, uint32_t type, struct text bytes, int64_t wait)
{
	const struct guest_frame frame = {type, (uint32_t)bytes.length};
	int64_t deadline = docker_now() + wait;
	return send_bytes(stream, (struct text){(const char *)&frame, sizeof(frame)}, deadline) &&
		send_bytes(stream, bytes, deadline);
}

// The engine's own words about a program that it could not start.
static bool not_started(struct docker_stream *stream, const char *user, struct error *error)
{
	buffer_cleanup shown = {0};
	buffer_add_text(&stream->odd, (struct text){stream->said.data, stream->said.length});
	buffer_add_line(&shown, text_trim(buffer_text(&stream->odd)), 400);
	bool unknown = shown.length && strstr(shown.data, "unable to find user");
	if (unknown) {
		error_set(error, ERROR_FAILED, "the container's image knows no user '%s'", user);
		return error_hint(error, "use a user of the image, or numbers like 1000:1000");
	}
	return error_set(error, ERROR_UNAVAILABLE, "the container cannot start muster's guest: %s",
		shown.length ? shown.data : "it ended at once");
}

// What the guest says of the walls counts, whatever the engine was asked for.
static bool check_walls(const struct guest_hello *hello, struct error *error)
{
	const uint64_t allowed = 1 << CAP_CHOWN | 1 << CAP_DAC_OVERRIDE | 1 << CAP_FOWNER;
	const char *missing = hello->rights & ~allowed ? "capabilities were not dropped"
		: !hello->no_new_rights                ? "programs could gain rights"
		: hello->filter != 2                   ? "system calls are not filtered"
						       : NULL;
	return !missing ||
		error_set(error, ERROR_UNAVAILABLE, "the container is not walled off as asked: %s",
			missing);
}

static bool wait_for_hello(struct docker_stream *stream, const char *user, struct error *error)
{
	struct guest_frame frame;
	struct text bytes;
	struct error ignored = {0};
	struct guest_hello hello = {0};
	enum docker_next next = docker_stream_next(stream, HELLO_TIME, &frame, &bytes, &ignored);
	if (next == DOCKER_LATER) {
		return error_set(error, ERROR_UNAVAILABLE, "the container does not answer");
	}
	if (next == DOCKER_FRAME && bytes.length == sizeof(hello)) {
		memcpy(&hello, bytes.data, sizeof(hello));
	}
	stream->hello = hello.version == GUEST_VERSION;
	stream->user = hello.user;
	stream->group = hello.group;
	return stream->hello ? check_walls(&hello, error) : not_started(stream, user, error);
}

static void add_strings(struct buffer *json, const char *const *strings)
{
	for (size_t i = 0; strings && strings[i]; i++) {
		buffer_add_string(json, i ? "," : "");
		buffer_add_json(json, text_of(strings[i]));
	}
}

// The id of a new exec, in the arena; *status is the engine's answer.
static const char *create_exec(const struct docker *docker, struct arena *arena,
	const char *container, const char *user, const char *const *mode, long *status,
	struct error *error)
{
	buffer_cleanup body = {0};
	struct engine_answer answer;
	buffer_printf(&body,
		"{\"AttachStdin\":true,\"AttachStdout\":true,\"AttachStderr\":true,\"Tty\":false,"
		"\"WorkingDir\":\"/\",\"User\":");
	buffer_add_json(&body, text_of(user));
	buffer_add_string(&body, ",\"Cmd\":[\"" DOCKER_GUEST "/guest\",");
	add_strings(&body, mode);
	buffer_add_string(&body, "]}");
	struct engine_call call = {.method = "POST",
		.path = arena_printf(arena, "/containers/%s/exec", container),
		.body = buffer_text(&body)};
	*status = 0;
	if (!engine_call(&docker->engine, arena, &call, &answer, error)) {
		return NULL;
	}
	*status = answer.status;
	json_cleanup *tree = answer.status == 201 ? json_parse(answer.body, error) : NULL;
	const char *id = tree ? json_string(tree, "Id", NULL) : NULL;
	if (!id) {
		engine_refused(arena, &answer, error, "start a command in the container");
		return NULL;
	}
	return arena_string(arena, id);
}

bool docker_stream_open(const struct docker *docker, const char *container, const char *user,
	const char *const *mode, struct docker_stream *stream, struct error *error)
{
	arena_cleanup arena = {0};
	long status;
	*stream = (struct docker_stream){.fd = -1};
	const char *id = create_exec(docker, &arena, container, user, mode, &status, error);
	// Stopped with the engine or the machine, or paused: it goes on.
	if (!id && status >= 400) {
		struct error ignored = {0};
		if (!docker_wake(docker, container, status == 404 ? error : &ignored)) {
			return false;
		}
		*error = (struct error){0};
		id = create_exec(docker, &arena, container, user, mode, &status, error);
	}
	if (!id) {
		return false;
	}
	stream->fd = engine_hijack(&docker->engine, arena_printf(&arena, "/exec/%s/start", id),
		TEXT("{\"Detach\":false,\"Tty\":false}"), &stream->raw, error);
	if (stream->fd >= 0 && !take_raw(stream)) {
		error_set(error, ERROR_UNAVAILABLE, "the Docker engine's stream makes no sense");
		file_close(&stream->fd);
	}
	if (stream->fd < 0 || !wait_for_hello(stream, user, error)) {
		docker_stream_close(stream);
		return false;
	}
	return true;
}

static void add_string(struct buffer *body, const char *string)
{
	buffer_add(body, string, strlen(string) + 1);
}

// Those of the session that the command does not have, then the command's; TERM for a terminal.
static uint32_t add_environment(struct buffer *body, const struct docker *docker,
	const struct sandbox_command *command, bool terminal)
{
	uint32_t count = 0;
	const char *const *more = command->environment;
	for (char **old = docker->environment; *old; old++) {
		size_t name = strcspn(*old, "=") + 1;
		bool replaced = terminal && strncmp(*old, "TERM=", 5) == 0;
		for (size_t i = 0; more && more[i]; i++) {
			replaced = replaced || strncmp(more[i], *old, name) == 0;
		}
		if (!replaced) {
			add_string(body, *old);
			count++;
		}
	}
	if (terminal) {
		add_string(body, "TERM=xterm-256color");
		count++;
	}
	for (size_t i = 0; more && more[i]; i++, count++) {
		add_string(body, more[i]);
	}
	return count;
}

bool docker_stream_start(const struct docker *docker, struct docker_stream *stream,
	const struct sandbox_process_settings *settings, struct error *error)
{
	enum { START_TIME = 30000 };
	const struct sandbox_command *command = &settings->command;
	struct guest_command start = {
		.terminal = settings->terminal, .size = {settings->columns, settings->rows}};
	buffer_cleanup strings = {0};
	buffer_cleanup body = {0};
	const char *const shell[] = {"sh", "-c", command->shell, NULL};
	const char *const *argv = command->shell ? shell : command->argv;
	add_string(&strings, command->folder ? command->folder : "");
	for (; argv[start.arguments]; start.arguments++) {
		add_string(&strings, argv[start.arguments]);
	}
	start.environment = add_environment(&strings, docker, command, settings->terminal);
	buffer_add(&body, &start, sizeof(start));
	buffer_add_text(&body, buffer_text(&strings));
	if (body.length > GUEST_FRAME_MOST) {
		return error_set(error, ERROR_FAILED, "the command is too long");
	}
	return docker_stream_send(stream, GUEST_COMMAND, buffer_text(&body), START_TIME) ||
		error_set(error, ERROR_UNAVAILABLE, "the container does not take the command");
}

bool docker_stream_lost(const struct docker *docker, const char *container, const char *user,
	struct docker_stream *stream, struct error *error)
{
	static const char *const mode[] = {"sweep", NULL};
	struct docker_stream sweep = {.fd = -1};
	struct error ignored = {0};
	arena_cleanup arena = {0};
	long status;
	buffer_cleanup said = {0};
	buffer_add_line(&said, text_trim(buffer_text(&stream->odd)), 300);
	const char *id = create_exec(docker, &arena, container, user, mode, &status, &ignored);
	if (id) {
		sweep.fd =
			engine_hijack(&docker->engine, arena_printf(&arena, "/exec/%s/start", id),
				TEXT("{\"Detach\":false,\"Tty\":false}"), &sweep.raw, &ignored);
		struct pollfd poller = {sweep.fd, POLLIN, 0};
		char bytes[256];
		while (sweep.fd >= 0 && poll(&poller, 1, HELLO_TIME) > 0 &&
			read(sweep.fd, bytes, sizeof(bytes)) > 0) {
		}
		docker_stream_close(&sweep);
	}
	error_set(error, ERROR_UNAVAILABLE,
		id ? "the command was lost: muster's guest beside it was ended%s%s"
		   : "the command was lost: its container has stopped%s%s",
		said.length ? ": " : "", said.length ? said.data : "");
	return error_hint(error, "perhaps the container's memory was used up; raise its limit");
}

bool docker_guest_failed(
	const struct sandbox_command *command, struct text bytes, struct error *error)
{
	struct guest_failure failure = {0};
	buffer_cleanup shown = {0};
	if (bytes.length == sizeof(failure)) {
		memcpy(&failure, bytes.data, sizeof(failure));
	}
	failure.step[sizeof(failure.step) - 1] = '\0';
	errno = failure.number;
	if (strcmp(failure.step, "its folder") == 0) {
		const char *folder = command->folder && command->folder[0] ? command->folder : ".";
		buffer_add_line(&shown, text_of(folder), 256);
		bool leaves = failure.number == EXDEV;
		return leaves
			? error_set(error, ERROR_FAILED,
				  "the working folder '%s' is a link that leaves the workspace",
				  shown.data)
			: error_errno(error, ERROR_FAILED,
				  "the working folder '%s' cannot be entered", shown.data);
	}
	buffer_add_line(&shown, text_of(failure.step), 60);
	return error_errno(error, ERROR_UNAVAILABLE, "the command cannot be started (%s)",
		shown.length ? shown.data : "?");
}
