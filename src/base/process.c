#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/file.h"

enum {
	POLL_INTERVAL = 50, // milliseconds between looks at the cancel flag
	DRAIN_TIME = 200,   // milliseconds that left-over processes may hold our pipes
	MOST_DESCRIPTORS = 65536,
};

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
	return file_in_memory(input);
}

// What the child needs, and where it tells why the program did not start: it shares our memory.
struct launch {
	const struct process *process;
	const char *const *environment;
	int streams[3];
	volatile int failed; // errno
	const char *volatile failed_step;
};

// Nothing but the standard streams and what is asked for goes on, whoever opened it and however.
static bool pass_descriptors(const struct launch *launch)
{
	const struct process *process = launch->process;
	int moved[3];
	for (int i = 0; i < 3; i++) { // ours may be 0, 1 or 2 themselves, if these were closed
		moved[i] = fcntl(launch->streams[i], F_DUPFD_CLOEXEC, 3);
	}
	for (int i = 0; i < 3; i++) {
		if (moved[i] < 0 || dup2(moved[i], i) != i) {
			return false;
		}
	}
	if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) < 0) {
		struct rlimit limit = {MOST_DESCRIPTORS, 0}; // Linux before 5.11
		getrlimit(RLIMIT_NOFILE, &limit);
		for (int fd = 3; fd < MOST_DESCRIPTORS && (rlim_t)fd < limit.rlim_cur; fd++) {
			fcntl(fd, F_SETFD, FD_CLOEXEC);
		}
	}
	for (size_t i = 0; i < process->pass_fd_count; i++) {
		if (fcntl(process->pass_fds[i], F_SETFD, 0) < 0) {
			return false;
		}
	}
	return true;
}

static void reset_signals(void)
{
	sigset_t none;
	// The kernel's form of SIG_DFL without flags. The library would leave out its own two signals,
	// which some parents (make) pass on ignored.
	static const uint64_t standard[4] = {0};
	for (int signal = 1; signal < NSIG; signal++) {
		syscall(SYS_rt_sigaction, signal, standard, NULL, sizeof(uint64_t));
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool set_limits(const struct process *process)
{
	for (size_t i = 0; i < process->limit_count; i++) {
		__rlimit_resource_t resource = (__rlimit_resource_t)process->limits[i].resource;
		struct rlimit limit;
		if (getrlimit(resource, &limit) < 0) {
			return false;
		}
		rlim_t most = process->limits[i].most;
		limit.rlim_max = most < limit.rlim_max ? most : limit.rlim_max;
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(resource, &limit) < 0) {
			return false;
		}
	}
	return true;
}

// The raw calls change this process only; the library's would change all of our threads.
static bool drop_user(const struct process *process)
{
	return !process->drop ||
		(syscall(SYS_setgroups, 0, NULL) == 0 &&
			syscall(SYS_setresgid, process->group, process->group, process->group) ==
				0 &&
			syscall(SYS_setresuid, process->user, process->user, process->user) == 0);
}

// Runs in the child, which shares our memory until exec: system calls only, nothing is changed here
// but the reason of a failure.
static _Noreturn void start_child(struct launch *launch)
{
	const struct process *process = launch->process;
	setpgid(0, 0);
	reset_signals();
	umask(022);
	if (!pass_descriptors(launch)) {
		launch->failed_step = "its streams";
	} else if (process->prepare && !process->prepare(process->prepare_data)) {
		launch->failed_step = "its surroundings";
	} else if (process->folder && chdir(process->folder) < 0) {
		launch->failed_step = "its folder";
	} else if (!set_limits(process)) {
		launch->failed_step = "its limits";
	} else if (!drop_user(process)) {
		launch->failed_step = "its user";
	} else {
		execvpe(process->argv[0], (char *const *)(uintptr_t)process->argv,
			(char *const *)(uintptr_t)launch->environment);
	}
	launch->failed = errno;
	_exit(127);
}

// With vfork we go on when the program runs or the child has given up.
static __attribute__((noinline)) pid_t spawn(struct launch *launch)
{
	sigset_t all, old;
	sigfillset(&all);
	// No signal handler of ours may run in the child.
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid_t pid = vfork();
	if (pid == 0) {
		start_child(launch);
	}
	int saved = errno;
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
	if (!capture_read(&watch->captures[stream], watch->pipes[stream], stream + 1,
		    watch->process->output, watch->process->output_data)) {
		file_close(&watch->pipes[stream]);
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

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
}

// Starts the program; *process_fd becomes readable when it ends.
static bool start(struct launch *launch, pid_t *pid, int *process_fd, struct error *error)
{
	const char *name = launch->process->argv[0];
	*pid = spawn(launch);
	if (*pid < 0) {
		return error_errno(error, ERROR_UNAVAILABLE, "cannot start '%s'", name);
	}
	if (launch->failed) {
		reap(*pid);
		errno = launch->failed;
		return launch->failed_step
			? error_errno(error, ERROR_UNAVAILABLE, "cannot start '%s': %s", name,
				  launch->failed_step)
			: error_errno(error, ERROR_UNAVAILABLE, "cannot start '%s'", name);
	}
	*process_fd = (int)syscall(SYS_pidfd_open, *pid, 0);
	if (*process_fd < 0) {
		error_errno(error, ERROR_UNAVAILABLE, "cannot watch '%s'", name);
		kill(-*pid, SIGKILL);
		reap(*pid);
		return false;
	}
	return true;
}

static const char *const nothing[] = {NULL};

bool process_start(const struct process *process, const int streams[3], pid_t *pid, int *process_fd,
	struct error *error)
{
	struct launch launch = {.process = process,
		.environment = process->environment ? process->environment : nothing,
		.streams = {streams[0], streams[1], streams[2]}};
	bool fine = start(&launch, pid, process_fd, error);
	if (!fine) {
		errno = launch.failed;
	}
	return fine;
}

bool process_run(struct arena *arena, const struct process *process, struct process_result *result,
	struct error *error)
{
	struct launch launch = {.process = process,
		.environment = process->environment ? process->environment : nothing};
	struct watch watch = {.process = process,
		.result = result,
		.captures = {capture_start(process->output_limit),
			capture_start(process->output_limit)},
		.pipes = {-1, -1},
		.process_fd = -1};
	*result = (struct process_result){0};
	file_cleanup input = open_input(process->input);
	int writes[2] = {-1, -1};
	bool fine = (input >= 0 && open_pipes(watch.pipes, writes)) ||
		error_errno(error, ERROR_UNAVAILABLE, "cannot open the streams of '%s'",
			process->argv[0]);
	if (fine) {
		launch.streams[0] = input;
		launch.streams[1] = writes[0];
		launch.streams[2] = writes[1];
		fine = start(&launch, &watch.pid, &watch.process_fd, error);
	}
	file_close(&writes[0]);
	file_close(&writes[1]);
	if (fine) {
		watch_process(&watch);
		result->out_bytes = watch.captures[0].total;
		result->err_bytes = watch.captures[1].total;
		result->out = capture_finish(&watch.captures[0], arena);
		result->err = capture_finish(&watch.captures[1], arena);
	}
	file_close(&watch.process_fd);
	file_close(&watch.pipes[0]);
	file_close(&watch.pipes[1]);
	if (!fine) {
		errno = launch.failed;
	}
	return fine;
}
