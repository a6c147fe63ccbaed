#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/capture.h"
#include "sandbox/unix_local_warm.h"

enum {
	POLL_INTERVAL = 50, // milliseconds between looks at the cancel flag
	DRAIN_TIME = 200,   // that others may hold a command's pipes when it is gone
	END_TIME = 60000,   // that the kernel may take to end what was killed (busy disk)
};

struct watch {
	const struct sandbox_command *command;
	struct process_result *result;
	struct capture captures[2];
	int pipes[2], control;
	struct warm_state state;
	bool stopped;      // by us
	int64_t deadline;  // for the command; then for its processes to be gone
	int64_t last_read; // when all are gone: no later
};

static void read_streams(struct watch *watch, const struct pollfd *pollers)
{
	for (int i = 0; i < 2; i++) {
		if (pollers[i].revents &&
			!capture_read(&watch->captures[i], watch->pipes[i], i + 1,
				watch->command->output, watch->command->output_data)) {
			file_close(&watch->pipes[i]);
		}
	}
}

// Waits for output, news, the time-out or the cancel flag; false when all is over.
static bool step(struct watch *watch)
{
	struct warm_state *state = &watch->state;
	struct pollfd pollers[3] = {{watch->pipes[0], POLLIN, 0}, {watch->pipes[1], POLLIN, 0},
		{state->gone ? -1 : watch->control, POLLIN, 0}};
	int64_t limit = state->gone ? watch->last_read : watch->deadline;
	int64_t left = limit - warm_now();
	left = left < 0 ? 0 : left;
	left = watch->command->cancel && left > POLL_INTERVAL ? POLL_INTERVAL : left;
	poll(pollers, 3, (int)(left > POLL_INTERVAL * 20 ? POLL_INTERVAL * 20 : left));
	read_streams(watch, pollers);
	if (pollers[2].revents) {
		warm_look(watch->control, state);
		watch->last_read = warm_now() + DRAIN_TIME;
	}
	if (state->gone) {
		return (watch->pipes[0] >= 0 || watch->pipes[1] >= 0) &&
			warm_now() < watch->last_read;
	}
	bool late = warm_now() >= watch->deadline;
	if (watch->stopped || state->ended) {
		return !late;
	}
	bool cancelled = watch->command->cancel && atomic_load(watch->command->cancel);
	if (cancelled || late) {
		watch->result->cancelled = cancelled;
		watch->result->timed_out = !cancelled;
		watch->stopped = true;
		watch->deadline = warm_now() + END_TIME;
		warm_kill(watch->control);
	}
	return true;
}

// A descriptor to read the input from.
static int open_input(struct text input)
{
	return input.length ? file_in_memory(input) : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool open_pipes(int *reads, int *writes)
{
	for (int i = 0; i < 2; i++) {
		int ends[2];
		if (pipe2(ends, O_CLOEXEC) < 0) {
			return false;
		}
		reads[i] = ends[0];
		writes[i] = ends[1];
		fcntl(reads[i], F_SETFL, O_NONBLOCK);
	}
	return true;
}

static bool start(struct warm *warm, struct watch *watch, struct error *error)
{
	file_cleanup input = open_input(watch->command->input);
	int writes[2] = {-1, -1};
	bool fine = (input >= 0 && open_pipes(watch->pipes, writes)) ||
		error_errno(error, ERROR_UNAVAILABLE, "cannot open the streams of a command");
	if (fine) {
		const int streams[3] = {input, writes[0], writes[1]};
		watch->control = warm_start(warm, watch->command, false, streams, error);
	}
	file_close(&writes[0]);
	file_close(&writes[1]);
	return watch->control >= 0;
}

bool warm_exec(struct warm *warm, struct arena *arena, const struct sandbox_command *command,
	struct process_result *result, struct error *error)
{
	struct watch watch = {.command = command,
		.result = result,
		.captures = {capture_start(command->output_limit),
			capture_start(command->output_limit)},
		.pipes = {-1, -1},
		.control = -1};
	int64_t started = warm_now();
	*result = (struct process_result){0};
	watch.deadline = started + command->timeout;
	bool fine = start(warm, &watch, error);
	while (fine && step(&watch)) {
	}
	result->out_bytes = watch.captures[0].total;
	result->err_bytes = watch.captures[1].total;
	result->out = capture_finish(&watch.captures[0], arena);
	result->err = capture_finish(&watch.captures[1], arena);
	result->status = watch.state.ended ? watch.state.status : 128 + SIGKILL;
	result->milliseconds = warm_now() - started;
	file_close(&watch.pipes[0]);
	file_close(&watch.pipes[1]);
	file_close(&watch.control);
	if (fine && !watch.state.gone) {
		warm_give_up(warm);
		return error_set(error, ERROR_UNAVAILABLE,
			"processes of the command go on although they were killed");
	}
	return fine &&
		warm_judge(&watch.state, watch.stopped,
			command->argv ? command->argv[0] : "/bin/sh", error);
}

bool warm_check(struct warm *warm, struct error *error)
{
	arena_cleanup arena = {0};
	static const char *const nothing[] = {"true", NULL};
	struct sandbox_command command = {.argv = nothing, .timeout = 20000, .output_limit = 4096};
	struct process_result result;
	if (!warm_exec(warm, &arena, &command, &result, error)) {
		return false;
	}
	return (!result.timed_out && result.status == 0) ||
		error_set(error, ERROR_UNAVAILABLE,
			"the sandbox cannot run a command that does nothing");
}
