/* Processes that go on between calls, with pipes or a terminal: commands of a warm session. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sandbox/unix_local_warm.h"

enum {
	WRITE_TIME = 10000, // milliseconds that it may leave its input unread
	END_TIME = 60000,   // that the kernel may take to end what was killed
	DRAIN_TIME = 200,   // that others may hold its output when it is gone
	MOST_AT_ONCE = 1024 * 1024,
};

struct local_process {
	struct sandbox_process_session session;
	struct warm *warm;
	struct warm *own; // its own session, where there is none for all; else NULL
	int control;
	int input, output; // of our side, do not block; -1: closed; the same terminal twice
	bool terminal;
	struct warm_state state;
};

static struct local_process *process_of(struct sandbox_process *process)
{
	return (struct local_process *)(void *)process;
}

// The terminal's two sides. Whom commands become owns it, so that programs can open it anew.
static bool open_terminal(const struct unix_local *local,
	const struct sandbox_process_settings *settings, int *ours, int *theirs)
{
	const struct winsize size = {.ws_col = settings->columns, .ws_row = settings->rows};
	*ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*ours < 0 || grantpt(*ours) < 0 || unlockpt(*ours) < 0 ||
		ioctl(*ours, TIOCSWINSZ, &size) < 0) {
		return false;
	}
	*theirs = ioctl(*ours, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return *theirs >= 0 && (geteuid() != 0 || fchown(*theirs, local->user, (gid_t)-1) == 0) &&
		fcntl(*ours, F_SETFL, O_NONBLOCK) == 0;
}

static bool open_streams(const struct unix_local *local,
	const struct sandbox_process_settings *settings, struct local_process *process, int *theirs)
{
	int input[2], output[2];
	if (settings->terminal) {
		if (!open_terminal(local, settings, &process->output, &theirs[0])) {
			return false;
		}
		process->input = fcntl(process->output, F_DUPFD_CLOEXEC, 3);
		theirs[1] = fcntl(theirs[0], F_DUPFD_CLOEXEC, 3);
		return process->input >= 0 && theirs[1] >= 0;
	}
	if (pipe2(input, O_CLOEXEC) < 0) {
		return false;
	}
	theirs[0] = input[0];
	process->input = input[1];
	if (pipe2(output, O_CLOEXEC) < 0) {
		return false;
	}
	process->output = output[0];
	theirs[1] = output[1];
	return fcntl(process->input, F_SETFL, O_NONBLOCK) == 0 &&
		fcntl(process->output, F_SETFL, O_NONBLOCK) == 0;
}

static struct sandbox_command with_terminal(struct arena *arena, struct sandbox_command command)
{
	size_t count = 0;
	while (command.environment && command.environment[count]) {
		count++;
	}
	const char **all = arena_new_array(arena, count + 2, const char *);
	all[0] = "TERM=xterm-256color";
	for (size_t i = 0; i < count; i++) {
		all[i + 1] = command.environment[i];
	}
	all[count + 1] = NULL;
	command.environment = all;
	return command;
}

struct sandbox_process *unix_local_open_process(struct sandbox *sandbox,
	const struct sandbox_process_settings *settings, struct error *error)
{
	arena_cleanup arena = {0};
	const struct unix_local *local = (const struct unix_local *)(void *)sandbox;
	if (!unix_local_check_folder(local, &settings->command, error)) {
		return NULL;
	}
	struct local_process *process = memory_alloc(sizeof(*process));
	*process = (struct local_process){.session.driver = local->session.driver,
		.own = local->warm ? NULL : warm_create(local),
		.control = -1,
		.input = -1,
		.output = -1,
		.terminal = settings->terminal};
	process->warm = local->warm ? local->warm : process->own;
	int theirs[2] = {-1, -1};
	struct sandbox_command command = settings->command;
	if (settings->terminal) {
		command = with_terminal(&arena, command);
	}
	if (open_streams(local, settings, process, theirs)) {
		const int streams[3] = {theirs[0], theirs[1], theirs[1]};
		process->control =
			warm_start(process->warm, &command, settings->terminal, streams, error);
	} else {
		error_errno(error, ERROR_UNAVAILABLE, "cannot open the streams of a process");
	}
	file_close(&theirs[0]);
	file_close(&theirs[1]);
	if (process->control < 0) {
		unix_local_process_close((struct sandbox_process *)(void *)process);
		return NULL;
	}
	return (struct sandbox_process *)(void *)process;
}

// A process that has gone must not take us with it: the signal of a broken pipe is kept away.
static ssize_t write_quietly(int fd, struct text bytes)
{
	sigset_t pipes, old, waiting;
	sigemptyset(&pipes);
	sigaddset(&pipes, SIGPIPE);
	sigpending(&waiting);
	pthread_sigmask(SIG_BLOCK, &pipes, &old);
	ssize_t written = write(fd, bytes.data, bytes.length);
	int saved = errno;
	if (written < 0 && saved == EPIPE && !sigismember(&waiting, SIGPIPE)) {
		const struct timespec now = {0};
		sigtimedwait(&pipes, NULL, &now);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return written;
}

bool unix_local_process_write(
	struct sandbox_process *handle, struct text bytes, struct error *error)
{
	struct local_process *process = process_of(handle);
	int64_t deadline = warm_now() + WRITE_TIME;
	static const struct text end_of_input = {"\x04", 1};
	if (bytes.length == 0 && !process->terminal) {
		file_close(&process->input);
		return true;
	}
	bytes = bytes.length ? bytes : end_of_input;
	while (bytes.length) {
		ssize_t written = write_quietly(process->input, bytes);
		struct pollfd poller = {process->input, POLLOUT, 0};
		if (written >= 0) {
			bytes.data += written;
			bytes.length -= (size_t)written;
			deadline = warm_now() + WRITE_TIME;
		} else if (errno != EAGAIN && errno != EINTR) {
			return error_set(
				error, ERROR_FAILED, "the process takes no input any more");
		} else if (warm_now() >= deadline) {
			return error_set(error, ERROR_FAILED,
				"the process did not read its input for %d seconds",
				WRITE_TIME / 1000);
		} else {
			poll(&poller, 1, 1000);
		}
	}
	return true;
}

// Adds what is there; closes the output at its end. True if something came.
static bool read_output(struct local_process *process, struct buffer *output, size_t most)
{
	bool came = false;
	while (process->output >= 0 && output->length < most) {
		char bytes[16 * 1024];
		size_t room = most - output->length;
		ssize_t got =
			read(process->output, bytes, room < sizeof(bytes) ? room : sizeof(bytes));
		if (got > 0) {
			buffer_add(output, bytes, (size_t)got);
			came = true;
		} else if (got < 0 && errno == EAGAIN) {
			break;
		} else if (got == 0 || errno != EINTR) { // a terminal's end is EIO
			file_close(&process->output);
		}
	}
	return came;
}

bool unix_local_process_read(struct sandbox_process *handle, int64_t wait, struct buffer *output,
	bool *ended, int *status, struct error *error)
{
	struct local_process *process = process_of(handle);
	int64_t deadline = warm_now() + (wait > 0 ? wait : 0);
	size_t most = output->length + MOST_AT_ONCE;
	bool came;
	*ended = false;
	*status = 0;
	while (!(came = read_output(process, output, most))) {
		warm_look(process->control, &process->state);
		int64_t left = deadline - warm_now();
		if (process->state.gone) {
			// Nobody of its own is left to write; others shall not keep us.
			left = process->output < 0 ? 0 : left > DRAIN_TIME ? DRAIN_TIME : left;
		}
		struct pollfd pollers[] = {{process->output, POLLIN, 0},
			{process->state.gone ? -1 : process->control, POLLIN, 0}};
		if (left <= 0 || poll(pollers, 2, (int)(left > 1000 ? 1000 : left)) < 0 ||
			(process->state.gone && !pollers[0].revents)) {
			came = read_output(process, output, most);
			break;
		}
	}
	if (!process->state.gone || came) {
		return true;
	}
	*ended = true;
	*status = process->state.ended ? process->state.status : 128 + SIGKILL;
	return warm_judge(&process->state, false, "the program", error);
}

bool unix_local_process_resize(struct sandbox_process *handle, unsigned short columns,
	unsigned short rows, struct error *error)
{
	struct local_process *process = process_of(handle);
	const struct winsize size = {.ws_col = columns, .ws_row = rows};
	if (!process->terminal) {
		return error_set(error, ERROR_FAILED, "the process has no terminal");
	}
	return process->input < 0 || ioctl(process->input, TIOCSWINSZ, &size) == 0 ||
		error_errno(error, ERROR_FAILED, "cannot change the terminal's size");
}

void unix_local_process_close(struct sandbox_process *handle)
{
	struct local_process *process = process_of(handle);
	int64_t deadline = warm_now() + END_TIME;
	if (process->control >= 0) {
		warm_kill(process->control);
	}
	while (process->control >= 0 && !process->state.gone && warm_now() < deadline) {
		struct pollfd poller = {process->control, POLLIN, 0};
		poll(&poller, 1, 1000);
		warm_look(process->control, &process->state);
	}
	if (process->control >= 0 && !process->state.gone) {
		warm_give_up(process->warm);
	}
	file_close(&process->control);
	file_close(&process->input);
	file_close(&process->output);
	warm_destroy(process->own);
	free(process);
}
