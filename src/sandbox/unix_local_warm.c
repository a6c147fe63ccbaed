#include "sandbox/unix_local_warm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/proxy.h"
#include "sandbox/seccomp.h"

enum {
	START_TIME = 20000, // milliseconds that the runner may take to be there
	END_TIME = 60000,   // and the kernel to end what was killed (busy disk)
	OPEN_FILES = 1024,
};

struct warm {
	const struct unix_local *local;
	pthread_mutex_t mutex; // for what follows
	int socket;            // -1: no session
	pid_t bubblewrap;      // its parent part, outside; to be reaped
	int process;           // of the same; can be read when it has ended
	int runner;            // pidfd: the first process inside
	struct proxy *proxy;   // NULL: no hosts are allowed
};

struct warm *warm_create(const struct unix_local *local)
{
	struct warm *warm = memory_alloc(sizeof(*warm));
	warm->local = local;
	warm->socket = warm->process = warm->runner = -1;
	pthread_mutex_init(&warm->mutex, NULL);
	return warm;
}

static void await(int fd, int limit)
{
	struct pollfd poller = {fd, POLLIN, 0};
	while (poll(&poller, 1, limit) < 0 && errno == EINTR) {
	}
}

// When the runner is killed the kernel kills all in its namespace; bubblewrap ends after it.
static void end_session(struct warm *warm)
{
	if (warm->socket < 0) {
		return;
	}
	if (warm->runner >= 0) {
		syscall(SYS_pidfd_send_signal, warm->runner, SIGKILL, NULL, 0);
	}
	file_close(&warm->socket); // ends the runner, too, if it is not known yet
	await(warm->process, END_TIME);
	kill(warm->bubblewrap, SIGKILL); // not reaped yet: the number is its own
	while (waitpid(warm->bubblewrap, NULL, 0) < 0 && errno == EINTR) {
	}
	file_close(&warm->process);
	file_close(&warm->runner);
	proxy_destroy(warm->proxy);
	warm->proxy = NULL;
}

void warm_destroy(struct warm *warm)
{
	if (warm) {
		end_session(warm);
		pthread_mutex_destroy(&warm->mutex);
		free(warm);
	}
}

void warm_give_up(struct warm *warm)
{
	pthread_mutex_lock(&warm->mutex);
	end_session(warm);
	pthread_mutex_unlock(&warm->mutex);
}

static bool send_filter(int socket, struct error *error)
{
	char bytes[RUNNER_MOST_FILTER];
	file_cleanup fd = seccomp_filter(error);
	ssize_t got = fd < 0 ? -1 : pread(fd, bytes, sizeof(bytes), 0);
	if (fd < 0) {
		return false;
	}
	return (got > 0 && send(socket, bytes, (size_t)got, MSG_NOSIGNAL) == got) ||
		error_set(error, ERROR_UNAVAILABLE, "the sandbox's runner ended at once");
}

// Why it did not come, as bubblewrap said it.
static bool explain(int messages, struct error *error)
{
	char bytes[4096];
	buffer_cleanup shown = {0};
	ssize_t got = pread(messages, bytes, sizeof(bytes), 0);
	struct text said = text_trim((struct text){bytes, got > 0 ? (size_t)got : 0});
	buffer_add_line(&shown, said, 200);
	error_set(error, ERROR_UNAVAILABLE, "bubblewrap cannot make a sandbox here (%s)",
		shown.length ? shown.data : "no message");
	unix_local_explain(said, error);
	return false;
}

// *listener: the socket that came along; -1: none did.
static bool receive_ready(int socket, int *listener)
{
	struct runner_reply reply;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} space = {0};
	struct iovec vector = {&reply, sizeof(reply)};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &space,
		.msg_controllen = sizeof(space)};
	if (recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof(reply)) {
		return false;
	}
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS &&
		header->cmsg_len == CMSG_LEN(sizeof(int))) {
		memcpy(listener, CMSG_DATA(header), sizeof(int));
	}
	return true;
}

static bool await_runner(struct warm *warm, int status, int messages, struct error *error)
{
	int listener = -1;
	struct pollfd pollers[] = {{warm->socket, POLLIN, 0}, {warm->process, POLLIN, 0}};
	int ready;
	while ((ready = poll(pollers, 2, START_TIME)) < 0 && errno == EINTR) {
	}
	if (ready == 0) {
		return error_set(error, ERROR_UNAVAILABLE,
			"the sandbox did not start in %d seconds", START_TIME / 1000);
	}
	if (!receive_ready(warm->socket, &listener)) {
		await(warm->process, START_TIME); // so that its message is there
		return explain(messages, error);
	}
	pid_t first = unix_local_first_process(status);
	warm->runner = first > 0 ? (int)syscall(SYS_pidfd_open, first, 0) : -1;
	if (listener >= 0) {
		warm->proxy =
			proxy_create(listener, (const char *const *)warm->local->hosts, error);
		if (!warm->proxy) {
			return false;
		}
	}
	return warm->runner >= 0 ||
		error_set(error, ERROR_UNAVAILABLE, "the sandbox's runner ended at once");
}

// With the lock held.
static bool start_session(struct warm *warm, struct error *error)
{
	arena_cleanup arena = {0};
	unix_local_descriptors_cleanup descriptors = {0};
	int ends[2];
	file_cleanup input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	file_cleanup messages = memfd_create("messages", MFD_CLOEXEC);
	struct unix_local_surroundings surroundings = {.warm = true};
	struct process process = {0};
	if (input < 0 || messages < 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		return error_errno(error, ERROR_UNAVAILABLE, "cannot start the sandbox");
	}
	file_cleanup ours = ends[0];
	process.argv = unix_local_warm_arguments(&arena, warm->local, ends[1], &descriptors, error);
	if (!process.argv || !unix_local_prepare(warm->local, &surroundings, &process, error)) {
		return false;
	}
	process.pass_fds = descriptors.fds;
	process.pass_fd_count = descriptors.count;
	const int streams[3] = {input, messages, messages};
	if (!process_start(&process, streams, &warm->bubblewrap, &warm->process, error)) {
		return unix_local_not_started(error);
	}
	warm->socket = ours;
	ours = -1;
	file_cleanup status = fcntl(descriptors.status, F_DUPFD_CLOEXEC, 3);
	unix_local_close(&descriptors); // the runner's end must be its own only
	bool fine = send_filter(warm->socket, error) || explain(messages, error);
	if (!fine || !await_runner(warm, status, messages, error)) {
		end_session(warm);
		return false;
	}
	return true;
}

static void add_strings(struct buffer *body, const char *const *strings, uint32_t *count)
{
	for (size_t i = 0; strings && strings[i]; i++) {
		buffer_add(body, strings[i], strlen(strings[i]) + 1);
		*count += 1;
	}
}

static void add_limit(struct runner_request *request, int resource, uint64_t most)
{
	request->limits[request->limit_count].resource = (uint32_t)resource;
	request->limits[request->limit_count].most = most;
	request->limit_count++;
}

// The request as a file without a name.
static int make_body(const struct unix_local *local, const struct sandbox_command *command,
	bool terminal, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup body = {0};
	const char *const shell[] = {"/bin/sh", "-c", command->shell, NULL};
	struct runner_request request = {.read_only = command->read_only, .terminal = terminal};
	add_limit(&request, RLIMIT_CORE, 0);
	add_limit(&request, RLIMIT_NOFILE, OPEN_FILES);
	add_limit(&request, RLIMIT_NPROC, (uint64_t)local->processes);
	add_limit(&request, RLIMIT_FSIZE, (uint64_t)local->file_size);
	if (local->address_space) {
		add_limit(&request, RLIMIT_AS, (uint64_t)local->address_space);
	}
	buffer_add(&body, &request, sizeof(request));
	const char *folder = command->folder ? command->folder : "";
	buffer_add(&body, folder, strlen(folder) + 1);
	add_strings(&body, command->argv ? command->argv : shell, &request.arguments);
	add_strings(&body, unix_local_environment(&arena, local, command), &request.environment);
	add_strings(&body, command->read_only_folders, &request.read_only_folders);
	request.size = body.length;
	memcpy(body.data, &request, sizeof(request));
	int fd = file_in_memory(buffer_text(&body));
	if (fd < 0) {
		error_errno(error, ERROR_UNAVAILABLE, "cannot start a command in the sandbox");
	}
	return fd;
}

static bool send_request(int socket, const int *descriptors)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * RUNNER_DESCRIPTORS)];
	} space = {0};
	struct iovec vector = {"c", 1};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &space,
		.msg_controllen = sizeof(space)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int) * RUNNER_DESCRIPTORS);
	memcpy(CMSG_DATA(header), descriptors, sizeof(int) * RUNNER_DESCRIPTORS);
	return sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

// A session that was lost since the last command takes no request, so the command was not started,
// and may be in a new one.
static bool send_to_session(struct warm *warm, const int *descriptors, struct error *error)
{
	bool fine = false;
	pthread_mutex_lock(&warm->mutex);
	for (int i = 0; i < 2 && !fine; i++) {
		if (warm->socket < 0 && !start_session(warm, error)) {
			break;
		}
		fine = send_request(warm->socket, descriptors);
		if (!fine) {
			error_errno(
				error, ERROR_UNAVAILABLE, "the sandbox's runner takes no command");
			end_session(warm);
		}
	}
	pthread_mutex_unlock(&warm->mutex);
	return fine;
}

int warm_start(struct warm *warm, const struct sandbox_command *command, bool terminal,
	const int streams[3], struct error *error)
{
	int ends[2];
	file_cleanup body = make_body(warm->local, command, terminal, error);
	if (body < 0) {
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
		error_errno(error, ERROR_UNAVAILABLE, "cannot start a command in the sandbox");
		return -1;
	}
	const int descriptors[RUNNER_DESCRIPTORS] = {
		body, ends[1], streams[0], streams[1], streams[2]};
	bool fine = send_to_session(warm, descriptors, error);
	file_close(&ends[1]);
	if (!fine) {
		file_close(&ends[0]);
	}
	return ends[0];
}

void warm_look(int control, struct warm_state *state)
{
	while (!state->gone) {
		struct runner_reply reply;
		ssize_t got = recv(control, &reply, sizeof(reply), MSG_DONTWAIT);
		if (got < 0 && (errno == ECONNRESET || errno == EINTR)) {
			continue; // it went without reading our wish; what it had said comes next
		}
		if (got < 0 && errno == EAGAIN) {
			return;
		}
		if (got != sizeof(reply)) {
			state->lost = state->gone = true;
		} else if (reply.kind == RUNNER_ENDED) {
			state->ended = true;
			state->status = reply.value;
		} else if (reply.kind == RUNNER_FAILED) {
			reply.step[sizeof(reply.step) - 1] = '\0';
			state->failed = true;
			state->failure = reply;
		} else if (reply.kind == RUNNER_GONE) {
			state->gone = true;
			state->signal = reply.value;
		}
	}
}

void warm_kill(int control)
{
	send(control, "k", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool warm_judge(const struct warm_state *state, bool stopped, const char *name, struct error *error)
{
	if (!state->failed && (state->ended || (stopped && !state->lost))) {
		return true;
	}
	if (state->failed) {
		const struct runner_reply *failure = &state->failure;
		errno = failure->value;
		if (!failure->step[0]) {
			error_errno(error, ERROR_UNAVAILABLE, "cannot start '%s'", name);
			errno = failure->value;
			return unix_local_not_started(error);
		}
		error_errno(error, ERROR_UNAVAILABLE,
			"the sandbox cannot make a place for a command (%s)", failure->step);
		return error_hint(error, "use 'options: {session: per-command}' in 'sandbox'");
	}
	if (state->lost) {
		error_set(error, ERROR_UNAVAILABLE,
			"the sandbox's runner was killed, and the command with it");
		return error_hint(error, "the next command starts a new one");
	}
	return error_set(error, ERROR_UNAVAILABLE,
		"the sandbox was killed by signal %d from outside", state->signal);
}

int64_t warm_now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}
