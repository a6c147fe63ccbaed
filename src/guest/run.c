/* One command: started, watched, ended. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest/parts.h"

enum {
	READ_SIZE = 64 * 1024,
	WAITING_MOST = 512 * 1024, // bytes on their way to the harness
	SHORT_WHILE = 20,          // milliseconds
};

// Bytes that wait for somebody to take them.
struct queue {
	char *bytes;
	size_t start, length, capacity;
};

struct run {
	pid_t command;
	bool ended; // the command; what it started may be there
	bool told_to_end;
	int status;
	int signals;         // signalfd
	int input;           // of our side; -1: closed
	int outputs[2];      // the same
	bool input_ends;     // when all of it was given
	struct queue given;  // input for the command
	struct queue going;  // frames for the harness
	struct queue coming; // of the harness, not a whole frame yet
};

static void queue_add(struct queue *queue, const void *bytes, size_t length)
{
	if (queue->start + queue->length + length > queue->capacity) {
		memmove(queue->bytes, queue->bytes + queue->start, queue->length);
		queue->start = 0;
		if (queue->length + length > queue->capacity) {
			queue->capacity = (queue->length + length) * 2;
			queue->bytes = realloc(queue->bytes, queue->capacity);
			if (!queue->bytes) {
				_exit(1);
			}
		}
	}
	memcpy(queue->bytes + queue->start + queue->length, bytes, length);
	queue->length += length;
}

static void queue_drop(struct queue *queue, size_t length)
{
	queue->start += length;
	queue->length -= length;
	queue->start = queue->length ? queue->start : 0;
}

static void tell(struct run *run, uint32_t type, const void *bytes, size_t length)
{
	const struct guest_frame frame = {type, (uint32_t)length};
	queue_add(&run->going, &frame, sizeof(frame));
	if (length) {
		queue_add(&run->going, bytes, length);
	}
}

static void close_one(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
	*fd = -1;
}

static _Noreturn void fail(int number, const char *step)
{
	struct guest_failure failure = {.number = number};
	snprintf(failure.step, sizeof(failure.step), "%s", step);
	guest_send(GUEST_FAILED, &failure, sizeof(failure));
	_exit(0);
}

// The parent of a process, 0 if it is gone. Its name may hold anything: the last ')' ends it.
static pid_t parent_of(const char *pid)
{
	char path[64], bytes[512];
	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd >= 0 ? read(fd, bytes, sizeof(bytes) - 1) : -1;
	if (fd >= 0) {
		close(fd);
	}
	if (length <= 0) {
		return 0;
	}
	bytes[length] = '\0';
	const char *end = strrchr(bytes, ')');
	int parent;
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

// As a subreaper we become the parent of whatever loses its own, so all that is left of the command
// comes to us in the end
static int end_children(void)
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;
	int found = 0;
	while (processes && (entry = readdir(processes))) {
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
			parent_of(entry->d_name) == getpid()) {
			kill((pid_t)atoi(entry->d_name), SIGKILL);
			found++;
		}
	}
	if (processes) {
		closedir(processes);
	}
	return found;
}

void guest_end_all(void)
{
	enum { ROUNDS = 20000 };
	const struct timespec moment = {0, 500000};
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid;
		end_children();
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		}
		if (pid < 0 && errno == ECHILD) {
			return;
		}
		nanosleep(&moment, NULL);
	}
	// They are made faster than they go: all that this user has.
	kill(-1, SIGKILL);
}

static bool take_strings(char **next, const char *end, uint32_t count, char ***list)
{
	*list = calloc((size_t)count + 1, sizeof(**list));
	for (uint32_t i = 0; *list && i < count; i++) {
		size_t length = strnlen(*next, (size_t)(end - *next));
		if (*next + length == end) {
			return false;
		}
		(*list)[i] = *next;
		*next += length + 1;
	}
	return *list != NULL;
}

static bool enter(const char *folder)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	int root = open(GUEST_WORKSPACE, O_PATH | O_DIRECTORY | O_CLOEXEC);
	long fd = root < 0
		? -1
		: syscall(SYS_openat2, root, folder[0] ? folder : ".", &how, sizeof(how));
	return fd >= 0 && fchdir((int)fd) == 0;
}

static _Noreturn void become(
	char **arguments, char **environment, const int streams[3], bool terminal)
{
	sigset_t none;
	sigemptyset(&none);
	setsid();
	if (dup2(streams[0], 0) < 0 || dup2(streams[1], 1) < 0 || dup2(streams[2], 2) < 0 ||
		(terminal && ioctl(0, TIOCSCTTY, 0) < 0)) {
		_exit(126);
	}
	syscall(SYS_close_range, 3U, ~0U, 0);
	for (int number = 1; number < 32; number++) {
		signal(number, SIG_DFL);
	}
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	environ = environment;
	execvp(arguments[0], arguments);
	// As a shell would say it.
	int number = errno;
	dprintf(2, "%s: %s\n", arguments[0], number == ENOENT ? "not found" : strerror(number));
	_exit(number == ENOENT ? 127 : 126);
}

static bool open_streams(struct run *run, const struct guest_command *command, int theirs[3])
{
	int input[2], output[2], errors[2];
	if (command->terminal) {
		const struct winsize size = {
			.ws_col = command->size.columns, .ws_row = command->size.rows};
		int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (ours < 0 || grantpt(ours) < 0 || unlockpt(ours) < 0 ||
			ioctl(ours, TIOCSWINSZ, &size) < 0) {
			return false;
		}
		int slave = ioctl(ours, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
		theirs[0] = theirs[1] = theirs[2] = slave;
		run->outputs[0] = ours;
		run->input = fcntl(ours, F_DUPFD_CLOEXEC, 3);
	} else {
		if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0 ||
			pipe2(errors, O_CLOEXEC) < 0) {
			return false;
		}
		theirs[0] = input[0];
		theirs[1] = output[1];
		theirs[2] = errors[1];
		run->input = input[1];
		run->outputs[0] = output[0];
		run->outputs[1] = errors[0];
		fcntl(run->outputs[1], F_SETFL, O_NONBLOCK);
	}
	return theirs[0] >= 0 && fcntl(run->input, F_SETFL, O_NONBLOCK) == 0 &&
		fcntl(run->outputs[0], F_SETFL, O_NONBLOCK) == 0;
}

static void start(struct run *run)
{
	struct guest_frame frame;
	struct guest_command command;
	char **folder, **arguments, **environment;
	if (!guest_receive_header(&frame) || frame.type != GUEST_COMMAND ||
		frame.length < sizeof(command) || !guest_receive(&command, sizeof(command))) {
		_exit(1);
	}
	size_t size = frame.length - sizeof(command);
	char *body = malloc(size + 1), *next = body;
	if (!body || !guest_receive(body, size)) {
		_exit(1);
	}
	if (command.arguments == 0 || command.arguments > size || command.environment > size ||
		!take_strings(&next, body + size, 1, &folder) ||
		!take_strings(&next, body + size, command.arguments, &arguments) ||
		!take_strings(&next, body + size, command.environment, &environment)) {
		fail(EBADMSG, "the request");
	}
	if (!enter(folder[0])) {
		fail(errno, "its folder");
	}
	int theirs[3];
	if (!open_streams(run, &command, theirs)) {
		fail(errno, "its streams");
	}
	// PATH of the command, not ours, is where it is looked for.
	run->command = fork();
	if (run->command < 0) {
		fail(errno, "its process");
	}
	if (run->command == 0) {
		become(arguments, environment, theirs, command.terminal);
	}
	for (int i = 0; i < 3; i++) {
		if (i == 0 || !command.terminal) {
			close(theirs[i]);
		}
	}
	free(body);
}

static void give_input(struct run *run)
{
	ssize_t count = write(run->input, run->given.bytes + run->given.start, run->given.length);
	if (count > 0) {
		uint32_t taken = (uint32_t)count;
		queue_drop(&run->given, (size_t)count);
		tell(run, GUEST_TAKEN, &taken, sizeof(taken));
	} else if (count < 0 && errno != EAGAIN && errno != EINTR) {
		close_one(&run->input);
	}
}

// Input that nobody takes is let go; the harness is told once.
static void look_at_input(struct run *run)
{
	if (run->input >= 0 && run->given.length) {
		give_input(run);
	}
	if (run->input >= 0 && run->input_ends && !run->given.length) {
		close_one(&run->input);
	} else if (run->input < 0 && run->given.length) {
		run->given.length = run->given.start = 0;
		tell(run, GUEST_SHUT, NULL, 0);
	}
}

static void take_output(struct run *run, int stream)
{
	static char bytes[READ_SIZE];
	ssize_t count = read(run->outputs[stream], bytes, sizeof(bytes));
	if (count > 0) {
		tell(run, stream ? GUEST_ERRORS : GUEST_OUTPUT, bytes, (size_t)count);
	} else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
		close_one(&run->outputs[stream]); // a terminal's end is EIO
	}
}

static void obey(struct run *run, uint32_t type, const char *bytes, size_t length)
{
	struct guest_size size;
	if (type == GUEST_INPUT && run->input >= 0 && !run->input_ends) {
		queue_add(&run->given, bytes, length);
	} else if (type == GUEST_INPUT) {
		tell(run, GUEST_SHUT, NULL, 0);
	} else if (type == GUEST_INPUT_END) {
		run->input_ends = true;
	} else if (type == GUEST_RESIZE && length == sizeof(size) && run->outputs[0] >= 0) {
		memcpy(&size, bytes, sizeof(size));
		const struct winsize window = {.ws_col = size.columns, .ws_row = size.rows};
		ioctl(run->outputs[0], TIOCSWINSZ, &window);
	} else if (type == GUEST_KILL) {
		run->told_to_end = true;
	}
}

static void take_frames(struct run *run)
{
	static char bytes[READ_SIZE];
	ssize_t count = read(0, bytes, sizeof(bytes));
	if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
		guest_end_all(); // nobody is there any more who wants to know
		_exit(0);
	}
	queue_add(&run->coming, bytes, count > 0 ? (size_t)count : 0);
	struct guest_frame frame;
	while (run->coming.length >= sizeof(frame)) {
		memcpy(&frame, run->coming.bytes + run->coming.start, sizeof(frame));
		if (frame.length > 4 * GUEST_WINDOW) {
			guest_end_all();
			_exit(1);
		}
		if (run->coming.length < sizeof(frame) + frame.length) {
			break;
		}
		obey(run, frame.type, run->coming.bytes + run->coming.start + sizeof(frame),
			frame.length);
		queue_drop(&run->coming, sizeof(frame) + frame.length);
	}
}

static void reap(struct run *run)
{
	int status;
	pid_t pid;
	struct signalfd_siginfo ignored;
	while (read(run->signals, &ignored, sizeof(ignored)) > 0) {
	}
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == run->command) {
			run->ended = true;
			run->status =
				WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		}
	}
}

static void send_frames(struct run *run)
{
	ssize_t count = write(1, run->going.bytes + run->going.start, run->going.length);
	if (count > 0) {
		queue_drop(&run->going, (size_t)count);
	} else if (count < 0 && errno != EAGAIN && errno != EINTR) {
		guest_end_all();
		_exit(0);
	}
}

// One round of waiting and doing.
static void step(struct run *run)
{
	bool room = run->going.length < WAITING_MOST;
	struct pollfd pollers[] = {{0, POLLIN, 0}, {run->signals, POLLIN, 0},
		{run->going.length ? 1 : -1, POLLOUT, 0},
		{run->given.length ? run->input : -1, POLLOUT, 0},
		{room ? run->outputs[0] : -1, POLLIN, 0}, {room ? run->outputs[1] : -1, POLLIN, 0}};
	if (poll(pollers, 6, -1) < 0) {
		return;
	}
	if (pollers[0].revents) {
		take_frames(run);
	}
	if (pollers[1].revents) {
		reap(run);
	}
	look_at_input(run);
	for (int i = 0; i < 2; i++) {
		if (pollers[4 + i].revents) {
			take_output(run, i);
		}
	}
	if (run->going.length) {
		send_frames(run);
	}
}

// What a command has left behind holds its streams open: it goes, then the rest of the output comes.
static void finish(struct run *run)
{
	guest_end_all();
	while (run->outputs[0] >= 0 || run->outputs[1] >= 0) {
		bool room = run->going.length < WAITING_MOST;
		struct pollfd pollers[] = {{0, POLLIN, 0}, {run->going.length ? 1 : -1, POLLOUT, 0},
			{room ? run->outputs[0] : -1, POLLIN, 0},
			{room ? run->outputs[1] : -1, POLLIN, 0}};
		int count = poll(pollers, 4, SHORT_WHILE);
		if (pollers[0].revents) {
			take_frames(run);
		}
		for (int i = 0; i < 2; i++) {
			if (run->outputs[i] >= 0 && pollers[2 + i].revents) {
				take_output(run, i);
			}
		}
		if (run->going.length) {
			send_frames(run);
		} else if (count == 0) {
			break; // somebody else holds it, who is none of ours
		}
	}
}

int guest_run(void)
{
	sigset_t children;
	struct run run = {.outputs = {-1, -1}, .input = -1};
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_SETMASK, &children, NULL);
	run.signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run.signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ||
		!guest_say_hello()) {
		return 1;
	}
	start(&run);
	tell(&run, GUEST_STARTED, NULL, 0);
	fcntl(0, F_SETFL, O_NONBLOCK);
	fcntl(1, F_SETFL, O_NONBLOCK);
	while (!run.ended && !run.told_to_end) {
		step(&run);
	}
	if (!run.ended) {
		kill(run.command, SIGKILL);
		run.status = 128 + SIGKILL;
	}
	finish(&run);
	const int32_t status = run.status;
	tell(&run, GUEST_ENDED, &status, sizeof(status));
	fcntl(1, F_SETFL, 0);
	while (run.going.length) {
		send_frames(&run);
	}
	return 0;
}
