#include <string.h>

#include "base/capture.h"
#include "sandbox/docker.h"

enum {
	SLICE = 50,       // milliseconds between looks at the cancel flag
	END_TIME = 20000, // that what was killed may take to be gone
	PIECE = 32 * 1024,
};

struct running {
	struct docker_stream stream;
	const struct sandbox_command *command;
	struct capture out, err;
	size_t given; // bytes of the input
	bool input_ended, ended, told_to_end;
	struct process_result result;
};

const char *docker_container_for(
	struct docker *docker, const struct sandbox_command *command, struct error *error)
{
	return command->read_only ? docker_checker(docker, error) : docker->container;
}

// As much input as may be under way.
static bool give_input(struct running *running)
{
	struct text input = running->command->input;
	while (running->given < input.length && running->stream.window < GUEST_WINDOW &&
		!running->stream.shut) {
		size_t most = GUEST_WINDOW - running->stream.window;
		struct text piece = {input.data + running->given, input.length - running->given};
		piece.length = piece.length < most ? piece.length : most;
		piece.length = piece.length < PIECE ? piece.length : PIECE;
		if (!docker_stream_send(&running->stream, GUEST_INPUT, piece, END_TIME)) {
			return false;
		}
		running->given += piece.length;
		running->stream.window += (uint32_t)piece.length;
	}
	bool all = running->given == input.length || running->stream.shut;
	if (all && !running->input_ended) {
		running->input_ended = true;
		return docker_stream_send(&running->stream, GUEST_INPUT_END, TEXT(""), END_TIME);
	}
	return true;
}

static uint32_t number_of(struct text bytes)
{
	uint32_t number = 0;
	memcpy(&number, bytes.data, bytes.length < sizeof(number) ? bytes.length : sizeof(number));
	return number;
}

static bool take_frame(
	struct running *running, uint32_t type, struct text bytes, struct error *error)
{
	const struct sandbox_command *command = running->command;
	if (type == GUEST_OUTPUT || type == GUEST_ERRORS) {
		bool out = type == GUEST_OUTPUT;
		capture_add(out ? &running->out : &running->err, bytes);
		if (command->output) {
			command->output(command->output_data, out ? 1 : 2, bytes);
		}
	} else if (type == GUEST_TAKEN) {
		uint32_t taken = number_of(bytes);
		running->stream.window -=
			taken < running->stream.window ? taken : running->stream.window;
	} else if (type == GUEST_SHUT) {
		running->stream.shut = true;
	} else if (type == GUEST_FAILED) {
		return docker_guest_failed(command, bytes, error);
	} else if (type == GUEST_ENDED) {
		running->ended = true;
		running->result.status = (int)(int32_t)number_of(bytes);
	}
	return true;
}

// Looks whether it is time to end it. False when that takes too long.
static bool look_at_time(struct running *running, int64_t *deadline)
{
	const struct sandbox_command *command = running->command;
	bool late = docker_now() >= *deadline;
	bool cancelled = command->cancel && atomic_load(command->cancel);
	if (running->told_to_end) {
		return !late;
	}
	if (late || cancelled) {
		running->told_to_end = true;
		running->result.timed_out = !cancelled;
		running->result.cancelled = cancelled;
		*deadline = docker_now() + END_TIME;
		return docker_stream_send(&running->stream, GUEST_KILL, TEXT(""), END_TIME);
	}
	return true;
}

static bool follow(struct docker *docker, const char *container, const char *user,
	struct running *running, struct error *error)
{
	int64_t deadline = docker_now() + running->command->timeout;
	struct guest_frame frame;
	struct text bytes;
	while (!running->ended) {
		int64_t left = deadline - docker_now();
		int64_t wait = running->command->cancel && !running->told_to_end ? SLICE : 1000;
		enum docker_next next = DOCKER_OVER;
		if ((running->told_to_end || give_input(running)) &&
			look_at_time(running, &deadline)) {
			next = docker_stream_next(
				&running->stream, wait < left ? wait : left, &frame, &bytes, error);
		}
		if (next == DOCKER_BROKEN) {
			return false;
		}
		if (next == DOCKER_OVER) {
			return docker_stream_lost(docker, container, user, &running->stream, error);
		}
		if (next == DOCKER_FRAME && !take_frame(running, frame.type, bytes, error)) {
			return false;
		}
	}
	return true;
}

bool docker_exec(struct sandbox *sandbox, struct arena *arena,
	const struct sandbox_command *command, struct process_result *result, struct error *error)
{
	static const char *const mode[] = {"run", NULL};
	struct docker *docker = (struct docker *)(void *)sandbox;
	struct running running = {.stream.fd = -1, .command = command};
	const struct sandbox_process_settings settings = {.command = *command};
	const char *user = command->user ? command->user : docker->user;
	const char *container = docker_container_for(docker, command, error);
	int64_t began = docker_now();
	if (!container ||
		!docker_stream_open(docker, container, user, mode, &running.stream, error)) {
		return false;
	}
	running.out = capture_start(command->output_limit);
	running.err = capture_start(command->output_limit);
	bool fine = docker_stream_start(docker, &running.stream, &settings, error) &&
		follow(docker, container, user, &running, error);
	*result = running.result;
	result->out_bytes = running.out.total;
	result->err_bytes = running.err.total;
	result->out = capture_finish(&running.out, arena);
	result->err = capture_finish(&running.err, arena);
	result->milliseconds = docker_now() - began;
	docker_stream_close(&running.stream);
	return fine;
}
