#include "runner/command.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/place.h"

enum { CONTROL = 3 }; // the only descriptor that a command's first process keeps

// A request in memory, its strings found.
struct command {
	const struct runner_request *request;
	const char *folder;
	char **arguments, **environment, **read_only_folders; // each ends with NULL
};

static _Noreturn void fail(const char *step)
{
	struct runner_reply reply = {.kind = RUNNER_FAILED, .value = errno};
	strncpy(reply.step, step, sizeof(reply.step) - 1);
	send(CONTROL, &reply, sizeof(reply), MSG_NOSIGNAL);
	_exit(1);
}

// The next `count` strings of the body as a list that ends with NULL.
static char **take(char **next, const char *end, uint32_t count)
{
	char **list = calloc((size_t)count + 1, sizeof(*list));
	for (uint32_t i = 0; list && i < count; i++) {
		size_t length = strnlen(*next, (size_t)(end - *next));
		if (*next + length == end) {
			errno = EBADMSG;
			return NULL;
		}
		list[i] = *next;
		*next += length + 1;
	}
	return list;
}

static bool read_body(int fd, struct command *command)
{
	struct stat status;
	if (fstat(fd, &status) < 0) {
		return false;
	}
	size_t size = (size_t)status.st_size;
	char *body = size < sizeof(struct runner_request)
		? MAP_FAILED
		: mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (body == MAP_FAILED) {
		return false;
	}
	const struct runner_request *request = (const void *)body;
	char *next = body + sizeof(*request);
	command->request = request;
	errno = EBADMSG;
	if (request->size != size || request->limit_count > RUNNER_MOST_LIMITS ||
		request->arguments > RUNNER_MOST_STRINGS ||
		request->environment > RUNNER_MOST_STRINGS ||
		request->read_only_folders > RUNNER_MOST_STRINGS || request->arguments == 0) {
		return false;
	}
	char **folder = take(&next, body + size, 1);
	command->folder = folder ? folder[0] : NULL;
	command->arguments = take(&next, body + size, request->arguments);
	command->environment = take(&next, body + size, request->environment);
	command->read_only_folders = take(&next, body + size, request->read_only_folders);
	return folder && command->arguments && command->environment && command->read_only_folders;
}

// The streams become the standard ones and the control socket CONTROL; everything else of the runner
// is closed, the session socket first of all.
static bool keep_streams(const int *descriptors)
{
	for (int i = 0; i < 3; i++) { // those received are above 2: these are open in the runner
		if (dup2(descriptors[RUNNER_INPUT + i], i) < 0) {
			return false;
		}
	}
	int control = descriptors[RUNNER_CONTROL];
	if (control == CONTROL ? fcntl(CONTROL, F_SETFD, FD_CLOEXEC) < 0
			       : dup3(control, CONTROL, O_CLOEXEC) < 0) {
		return false;
	}
	return syscall(SYS_close_range, CONTROL + 1, ~0U, 0) == 0;
}

static bool drop_privileges(const char *filter, size_t filter_size)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}, {0}};
	struct sock_fprog program = {(unsigned short)(filter_size / sizeof(struct sock_filter)),
		(struct sock_filter *)(uintptr_t)(const void *)filter};
	for (unsigned long capability = 0; capability < 64; capability++) {
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL) {
			return false;
		}
	}
	// Not to be traced or looked into by what it starts.
	return syscall(SYS_capset, &header, none) == 0 &&
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

static bool set_limits(const struct runner_request *request)
{
	for (uint32_t i = 0; i < request->limit_count; i++) {
		__rlimit_resource_t resource = (__rlimit_resource_t)request->limits[i].resource;
		struct rlimit limit;
		if (getrlimit(resource, &limit) < 0) {
			return false;
		}
		rlim_t most = request->limits[i].most;
		limit.rlim_max = most < limit.rlim_max ? most : limit.rlim_max;
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(resource, &limit) < 0) {
			return false;
		}
	}
	return true;
}

static _Noreturn void become(const struct command *command)
{
	sigset_t none;
	sigemptyset(&none);
	setsid();
	if (command->request->terminal && ioctl(0, TIOCSCTTY, 0) < 0) {
		fail("its terminal");
	}
	if (!set_limits(command->request)) {
		fail("its limits");
	}
	sigprocmask(SIG_SETMASK, &none, NULL);
	environ = command->environment;
	execvp(command->arguments[0], command->arguments);
	if (errno == E2BIG || errno == ENOMEM) {
		fail("");
	}
	// As a shell would say it.
	dprintf(2, "%s: %s\n", command->arguments[0],
		errno == ENOENT ? "not found" : strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

// True when the command itself has ended; whoever was left to us is reaped on the way.
static bool reap(pid_t command, int *status)
{
	int found;
	pid_t pid;
	while ((pid = waitpid(-1, &found, WNOHANG)) > 0) {
		if (pid == command) {
			*status = WIFSIGNALED(found) ? 128 + WTERMSIG(found) : WEXITSTATUS(found);
			return true;
		}
	}
	return pid < 0 && errno == ECHILD;
}

static _Noreturn void watch(pid_t command, const sigset_t *children)
{
	int signals = signalfd(-1, children, SFD_CLOEXEC | SFD_NONBLOCK);
	struct runner_reply reply = {.kind = RUNNER_ENDED};
	if (signals < 0) {
		fail("its signals");
	}
	while (!reap(command, &reply.value)) {
		struct pollfd pollers[] = {{CONTROL, POLLIN, 0}, {signals, POLLIN, 0}};
		struct signalfd_siginfo ignored;
		if (poll(pollers, 2, -1) > 0 && pollers[0].revents) {
			_exit(0); // the harness is gone or wants it to end
		}
		while (read(signals, &ignored, sizeof(ignored)) > 0) {
		}
	}
	send(CONTROL, &reply, sizeof(reply), MSG_NOSIGNAL);
	_exit(0);
}

void command_run(const int *descriptors, const char *filter, size_t filter_size)
{
	struct command command = {0};
	sigset_t children;
	bool fine = read_body(descriptors[RUNNER_BODY], &command);
	int saved = errno;
	if (!keep_streams(descriptors)) {
		_exit(1);
	}
	errno = saved;
	if (!fine) {
		fail("its request");
	}
	const char *step = place_make(command.request->read_only, command.read_only_folders);
	if (step) {
		fail(step);
	}
	if (chdir("/workspace") < 0 || (command.folder[0] && chdir(command.folder) < 0)) {
		fail("its folder");
	}
	if (!drop_privileges(filter, filter_size)) {
		fail("its privileges");
	}
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_SETMASK, &children, NULL);
	umask(022);
	pid_t pid = fork();
	if (pid < 0) {
		fail("its process");
	}
	if (pid == 0) {
		become(&command);
	}
	close(0);
	close(1);
	close(2);
	watch(pid, &children);
}
