/* Processes that go on between calls: a guest's command whose streams stay open. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/docker.h"

enum {
	WRITE_TIME = 10000, // milliseconds that it may leave its input unread
	END_TIME = 20000,   // that what was killed may take to be gone
	MOST_AT_ONCE = 1024 * 1024,
	PIECE = 32 * 1024,
	KEPT_MOST = 16 * 1024 * 1024, // bytes of output that nobody has read
};

struct docker_process {
	struct sandbox_process_session session;
	struct docker *docker;
	struct docker_stream stream;
	const char *container;
	char *user;
	struct buffer output; // that came while something was written
	bool terminal, input_ended, ended;
	int status;
};

static struct docker_process *process_of(struct sandbox_process *process)
{
	return (struct docker_process *)(void *)process;
}

// What a frame says. False, with the reason, when the process is lost.
static bool take_frame(struct docker_process *process, uint32_t type, struct text bytes)
{
	uint32_t number = 0;
	memcpy(&number, bytes.data, bytes.length < sizeof(number) ? bytes.length : sizeof(number));
	if (type == GUEST_OUTPUT || type == GUEST_ERRORS) {
		buffer_add_text(&process->output, bytes);
		return true;
	}
	if (type == GUEST_TAKEN) {
		process->stream.window -=
			number < process->stream.window ? number : process->stream.window;
	} else if (type == GUEST_SHUT) {
		process->stream.shut = true;
	} else if (type == GUEST_ENDED) {
		process->ended = true;
		process->status = (int)(int32_t)number;
	}
	return false;
}

// Waits for one frame and takes it; *output: it was some.
static enum docker_next take_next(
	struct docker_process *process, int64_t wait, bool *output, struct error *error)
{
	struct guest_frame frame;
	struct text bytes;
	*output = false;
	if (process->ended) {
		return DOCKER_LATER;
	}
	enum docker_next next = docker_stream_next(&process->stream, wait, &frame, &bytes, error);
	if (next == DOCKER_FRAME) {
		*output = take_frame(process, frame.type, bytes);
	} else if (next == DOCKER_OVER) {
		docker_stream_lost(process->docker, process->container, process->user,
			&process->stream, error);
		process->ended = true;
		process->status = 128 + 9;
	}
	return next;
}

static bool wait_for_start(
	struct docker_process *process, const struct sandbox_command *command, struct error *error)
{
	struct guest_frame frame;
	struct text bytes;
	enum docker_next next =
		docker_stream_next(&process->stream, END_TIME, &frame, &bytes, error);
	if (next == DOCKER_FRAME && frame.type == GUEST_STARTED) {
		return true;
	}
	process->ended = true;
	return next == DOCKER_FRAME     ? docker_guest_failed(command, bytes, error)
		: next == DOCKER_BROKEN ? false
					: docker_stream_lost(process->docker, process->container,
						  process->user, &process->stream, error);
}

struct sandbox_process *docker_open_process(struct sandbox *sandbox,
	const struct sandbox_process_settings *settings, struct error *error)
{
	static const char *const mode[] = {"run", NULL};
	struct docker *docker = (struct docker *)(void *)sandbox;
	const char *container = docker_container_for(docker, &settings->command, error);
	if (!container) {
		return NULL;
	}
	struct docker_process *process = memory_alloc(sizeof(*process));
	*process = (struct docker_process){.session.driver = docker->session.driver,
		.docker = docker,
		.stream.fd = -1,
		.container = container,
		.user = memory_string(
			settings->command.user ? settings->command.user : docker->user),
		.terminal = settings->terminal};
	if (!docker_stream_open(docker, container, process->user, mode, &process->stream, error) ||
		!docker_stream_start(docker, &process->stream, settings, error) ||
		!wait_for_start(process, &settings->command, error)) {
		docker_process_close((struct sandbox_process *)(void *)process);
		return NULL;
	}
	return (struct sandbox_process *)(void *)process;
}

static bool write_piece(
	struct docker_process *process, struct text piece, int64_t deadline, struct error *error)
{
	int64_t left = deadline - docker_now();
	if (docker_stream_send(&process->stream, GUEST_INPUT, piece, left > 0 ? left : 0)) {
		process->stream.window += (uint32_t)piece.length;
		return true;
	}
	return error_set(error, ERROR_FAILED, "the process takes no input any more");
}

bool docker_process_write(struct sandbox_process *handle, struct text bytes, struct error *error)
{
	struct docker_process *process = process_of(handle);
	int64_t deadline = docker_now() + WRITE_TIME;
	bool output;
	if (bytes.length == 0 && !process->terminal) {
		process->input_ended = true;
		return docker_stream_send(
			       &process->stream, GUEST_INPUT_END, TEXT(""), WRITE_TIME) ||
			error_set(error, ERROR_FAILED, "the process takes no input any more");
	}
	bytes = bytes.length ? bytes : TEXT("\x04");
	while (bytes.length) {
		// What came meanwhile tells whether there is room.
		enum docker_next next = take_next(process, 0, &output, error);
		uint32_t under_way = process->stream.window;
		if (next == DOCKER_BROKEN || next == DOCKER_OVER) {
			return false;
		}
		if (process->ended || process->stream.shut || process->input_ended) {
			return error_set(
				error, ERROR_FAILED, "the process takes no input any more");
		}
		if (under_way < GUEST_WINDOW) {
			size_t room = GUEST_WINDOW - under_way;
			struct text piece = bytes;
			piece.length = piece.length < room ? piece.length : room;
			piece.length = piece.length < PIECE ? piece.length : PIECE;
			if (!write_piece(process, piece, deadline, error)) {
				return false;
			}
			bytes.data += piece.length;
			bytes.length -= piece.length;
		} else if (docker_now() >= deadline || process->output.length > KEPT_MOST) {
			return error_set(error, ERROR_FAILED,
				"the process did not read its input for %d seconds",
				WRITE_TIME / 1000);
		} else if (next != DOCKER_FRAME) {
			take_next(process, 100, &output, error);
		}
		if (process->stream.window < under_way) {
			deadline = docker_now() + WRITE_TIME;
		}
	}
	return true;
}

static void hand_out(struct docker_process *process, struct buffer *output)
{
	size_t length =
		process->output.length < MOST_AT_ONCE ? process->output.length : MOST_AT_ONCE;
	buffer_add(output, process->output.data ? process->output.data : "", length);
	if (length) {
		memmove(process->output.data, process->output.data + length,
			process->output.length - length);
		process->output.length -= length;
	}
}

bool docker_process_read(struct sandbox_process *handle, int64_t wait, struct buffer *output,
	bool *ended, int *status, struct error *error)
{
	struct docker_process *process = process_of(handle);
	int64_t deadline = docker_now() + (wait > 0 ? wait : 0);
	bool some;
	*ended = false;
	*status = 0;
	while (process->output.length < MOST_AT_ONCE && !process->ended) {
		// With output in hand we take what is there and wait no longer.
		int64_t left = process->output.length ? 0 : deadline - docker_now();
		enum docker_next next = take_next(process, left > 0 ? left : 0, &some, error);
		if (next == DOCKER_BROKEN || next == DOCKER_OVER) {
			return false;
		}
		if (next == DOCKER_LATER) {
			break;
		}
	}
	bool came = process->output.length > 0;
	hand_out(process, output);
	if (!came && process->ended) {
		*ended = true;
		*status = process->status;
	}
	return true;
}

bool docker_process_resize(struct sandbox_process *handle, unsigned short columns,
	unsigned short rows, struct error *error)
{
	struct docker_process *process = process_of(handle);
	const struct guest_size size = {columns, rows};
	if (!process->terminal) {
		return error_set(error, ERROR_FAILED, "the process has no terminal");
	}
	return process->ended ||
		docker_stream_send(&process->stream, GUEST_RESIZE,
			(struct text){(const char *)&size, sizeof(size)}, WRITE_TIME) ||
		error_set(error, ERROR_FAILED, "cannot change the terminal's size");
}

void docker_process_close(struct sandbox_process *handle)
{
	struct docker_process *process = process_of(handle);
	struct error ignored = {0};
	bool output;
	int64_t deadline = docker_now() + END_TIME;
	if (process->stream.fd >= 0 && !process->ended) {
		docker_stream_send(&process->stream, GUEST_KILL, TEXT(""), END_TIME);
	}
	while (process->stream.fd >= 0 && !process->ended) {
		buffer_clear(&process->output);
		enum docker_next next = take_next(process, 1000, &output, &ignored);
		if (next == DOCKER_BROKEN || docker_now() > deadline) {
			docker_stream_lost(process->docker, process->container, process->user,
				&process->stream, &ignored);
			break;
		}
	}
	docker_stream_close(&process->stream);
	buffer_finish(&process->output);
	free(process->user);
	free(process);
}
