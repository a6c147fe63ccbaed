#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum {
	POLL_INTERVAL = 50, // milliseconds between looks at the cancel flag
	DRAIN_TIME = 200,   // milliseconds that left-over processes may hold our pipes
	READ_SIZE = 64 * 1024,
	DEFAULT_OUTPUT = 1024 * 1024,
};

// The head and the tail of a stream; what lies between is counted and let go.
struct capture {
	struct buffer head;
	char *tail; // a ring of `half` bytes
	size_t half, tail_start, tail_length;
	int64_t total;
};

static void capture_add(struct capture *capture, struct text bytes)
{
	capture->total += (int64_t)bytes.length;
	size_t room = capture->half - capture->head.length;
	size_t taken = bytes.length < room ? bytes.length : room;
	buffer_add(&capture->head, bytes.data, taken);
	bytes.data += taken;
	bytes.length -= taken;
	if (bytes.length == 0) {
		return;
	}
	if (!capture->tail) {
		capture->tail = memory_alloc(capture->half);
	}
	if (bytes.length > capture->half) {
		bytes.data += bytes.length - capture->half;
		bytes.length = capture->half;
	}
	for (size_t i = 0; i < bytes.length; i++) {
		size_t place = (capture->tail_start + capture->tail_length) % capture->half;
		capture->tail[place] = bytes.data[i];
		if (capture->tail_length < capture->half) {
			capture->tail_length++;
		} else {
			capture->tail_start = (capture->tail_start + 1) % capture->half;
		}
	}
}

static struct text capture_finish(struct capture *capture, struct arena *arena)
{
	int64_t left_out = capture->total - (int64_t)(capture->head.length + capture->tail_length);
	if (left_out > 0) {
		buffer_printf(
			&capture->head, "\n... %lld bytes left out ...\n", (long long)left_out);
	}
	for (size_t i = 0; i < capture->tail_length; i++) {
		buffer_add_char(
			&capture->head, capture->tail[(capture->tail_start + i) % capture->half]);
	}
	struct text text = text_copy(arena, buffer_text(&capture->head));
	buffer_finish(&capture->head);
	free(capture->tail);
	return text;
}

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// A descriptor to read the input from.
static int open_input(struct text input)
{
	if (input.length == 0) {
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	int fd = memfd_create("input", MFD_CLOEXEC);
	while (fd >= 0 && input.length) {
		ssize_t written = write(fd, input.data, input.length);
		if (written < 0 && errno != EINTR) {
			close(fd);
			return -1;
		}
		input.data += written > 0 ? written : 0;
		input.length -= written > 0 ? (size_t)written : 0;
	}
	if (fd >= 0) {
		lseek(fd, 0, SEEK_SET);
	}
	return fd;
}

// Runs in the child, which shares our memory until exec: system calls only, nothing is changed here.
static _Noreturn void start_child(
	const struct process *process, const char *const *environment, const int *streams)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;
	setpgid(0, 0);
	for (int signal = 1; signal < NSIG; signal++) {
		sigaction(signal, &standard, NULL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	bool fine =
		dup2(streams[0], 0) == 0 && dup2(streams[1], 1) == 1 && dup2(streams[2], 2) == 2;
	fine = fine && (!process->prepare || process->prepare(process->prepare_data));
	for (size_t i = 0; i < process->pass_fd_count; i++) {
		fine = fine && fcntl(process->pass_fds[i], F_SETFD, 0) == 0;
	}
	fine = fine && (!process->folder || chdir(process->folder) == 0);
	for (size_t i = 0; i < process->limit_count; i++) {
		struct rlimit limit = {process->limits[i].most, process->limits[i].most};
		setrlimit((__rlimit_resource_t)process->limits[i].resource, &limit);
	}
	// The raw calls change this process only; the library's would change all of our threads.
	if (fine && process->drop) {
		fine = syscall(SYS_setgroups, 0, NULL) == 0 &&
			syscall(SYS_setresgid, process->group, process->group, process->group) ==
				0 &&
			syscall(SYS_setresuid, process->user, process->user, process->user) == 0;
	}
	if (fine) {
		execvpe(process->argv[0], (char *const *)(uintptr_t)process->argv,
			(char *const *)(uintptr_t)environment);
	}
	_exit(127);
}

static __attribute__((noinline)) pid_t spawn(
	const struct process *process, const char *const *environment, const int *streams)
{
	sigset_t all, old;
	sigfillset(&all);
	// No signal handler of ours may run in the child.
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid_t pid = vfork();
	if (pid == 0) {
		start_child(process, environment, streams);
	}
	int saved = errno;
	// The child shares our descriptor table's flags only by copy; ours stay close-on-exec.
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return pid;
}

struct watch {
	const struct process *process;
	struct process_result *result;
	struct capture captures[2];
	int pipes[2];
	int process_fd;
	pid_t pid;
	bool ended;
};

static void read_stream(struct watch *watch, int stream)
{
	char bytes[8192];
	for (int i = 0; i < READ_SIZE / (int)sizeof(bytes); i++) {
		ssize_t got = read(watch->pipes[stream], bytes, sizeof(bytes));
		if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
			return;
		}
		if (got <= 0) {
			file_close(&watch->pipes[stream]);
			return;
		}
		struct text text = {bytes, (size_t)got};
		capture_add(&watch->captures[stream], text);
		if (watch->process->output) {
			watch->process->output(watch->process->output_data, stream + 1, text);
		}
	}
}

static void kill_group(const struct watch *watch)
{
	kill(-watch->pid, SIGKILL);
	kill(watch->pid, SIGKILL);
}

// Waits for output, the end, the time-out or the cancel flag; false when all is over.
static bool step(struct watch *watch, int64_t deadline, int64_t *drain)
{
	struct pollfd pollers[3] = {{watch->pipes[0], POLLIN, 0}, {watch->pipes[1], POLLIN, 0},
		{watch->ended ? -1 : watch->process_fd, POLLIN, 0}};
	int64_t left = deadline ? deadline - now() : POLL_INTERVAL;
	left = left < 0 ? 0 : left > POLL_INTERVAL ? POLL_INTERVAL : left;
	bool idle = !watch->process->cancel && !deadline && !watch->ended;
	poll(pollers, 3, idle ? -1 : (int)left);
	for (int stream = 0; stream < 2; stream++) {
		if (pollers[stream].revents) {
			read_stream(watch, stream);
		}
	}
	if (!watch->ended && pollers[2].revents) {
		watch->ended = true;
		*drain = now() + DRAIN_TIME;
	}
	bool cancelled = watch->process->cancel && atomic_load(watch->process->cancel);
	bool late = deadline && now() >= deadline;
	if (!watch->ended && (cancelled || late)) {
		watch->result->cancelled = cancelled;
		watch->result->timed_out = !cancelled;
		kill_group(watch);
		watch->ended = true;
		*drain = now() + DRAIN_TIME;
	}
	bool open = watch->pipes[0] >= 0 || watch->pipes[1] >= 0;
	return watch->ended ? open && now() < *drain : true;
}

static void watch_process(struct watch *watch)
{
	int64_t started = now(), drain = 0;
	int64_t deadline = watch->process->timeout ? started + watch->process->timeout : 0;
	while (step(watch, deadline, &drain)) {
	}
	siginfo_t info = {0};
	// Look before reaping: the group's number is ours as long as its leader is not reaped.
	while (waitid(P_PID, (id_t)watch->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
	}
	kill(-watch->pid, SIGKILL);
	while (waitid(P_PID, (id_t)watch->pid, &info, WEXITED) < 0 && errno == EINTR) {
	}
	watch->result->status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	watch->result->milliseconds = now() - started;
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

bool process_run(struct arena *arena, const struct process *process, struct process_result *result,
	struct error *error)
{
	static const char *const nothing[] = {NULL};
	const char *const *environment = process->environment ? process->environment : nothing;
	size_t limit = process->output_limit ? process->output_limit : DEFAULT_OUTPUT;
	struct watch watch = {.process = process,
		.result = result,
		.captures = {{.half = limit / 2 + 1}, {.half = limit / 2 + 1}},
		.pipes = {-1, -1},
		.process_fd = -1};
	*result = (struct process_result){0};
	file_cleanup input = open_input(process->input);
	int writes[2] = {-1, -1};
	bool ready = input >= 0 && open_pipes(watch.pipes, writes);
	if (ready) {
		int streams[3] = {input, writes[0], writes[1]};
		watch.pid = spawn(process, environment, streams);
	}
	int saved = errno;
	file_close(&writes[0]);
	file_close(&writes[1]);
	errno = saved;
	if (!ready || watch.pid < 0) {
		error_errno(error, ERROR_UNAVAILABLE, "cannot start '%s'", process->argv[0]);
		file_close(&watch.pipes[0]);
		file_close(&watch.pipes[1]);
		return false;
	}
	watch.process_fd = (int)syscall(SYS_pidfd_open, watch.pid, 0);
	watch_process(&watch);
	file_close(&watch.process_fd);
	file_close(&watch.pipes[0]);
	file_close(&watch.pipes[1]);
	result->out_bytes = watch.captures[0].total;
	result->err_bytes = watch.captures[1].total;
	result->out = capture_finish(&watch.captures[0], arena);
	result->err = capture_finish(&watch.captures[1], arena);
	return true;
}
