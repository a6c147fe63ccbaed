/* The first process of a session's sandbox: see runner.h. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/command.h"

static struct {
	pid_t pid; // 0: a free row
	int control;
} commands[RUNNER_MOST_COMMANDS];

static char filter[RUNNER_MOST_FILTER];
static size_t filter_size;

static void reply(int socket, enum runner_reply_kind kind, int value, const char *step)
{
	struct runner_reply reply = {.kind = kind, .value = value};
	strncpy(reply.step, step, sizeof(reply.step) - 1);
	send(socket, &reply, sizeof(reply), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// The descriptors of one request; those that came without being asked for are closed.
static bool receive(int session, int *descriptors)
{
	char byte;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * RUNNER_DESCRIPTORS)];
	} space;
	struct iovec vector = {&byte, 1};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &space,
		.msg_controllen = sizeof(space)};
	ssize_t got = recvmsg(session, &message, MSG_CMSG_CLOEXEC);
	if (got <= 0) {
		_exit(0); // the harness is gone; the kernel ends all that is left
	}
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS ||
		header->cmsg_len != CMSG_LEN(sizeof(int) * RUNNER_DESCRIPTORS)) {
		return false;
	}
	memcpy(descriptors, CMSG_DATA(header), sizeof(int) * RUNNER_DESCRIPTORS);
	return true;
}

// As fork, into namespaces of the command's own. Its users are mapped by itself (command.c).
static pid_t split(void)
{
	unsigned long flags =
		CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | (unsigned long)SIGCHLD;
	return (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
}

static void start(const int *descriptors)
{
	size_t row = 0;
	while (row < RUNNER_MOST_COMMANDS && commands[row].pid) {
		row++;
	}
	errno = EAGAIN;
	pid_t pid = row < RUNNER_MOST_COMMANDS ? split() : -1;
	if (pid == 0) {
		command_run(descriptors, filter, filter_size);
	}
	if (pid > 0) {
		commands[row].pid = pid;
		commands[row].control = descriptors[RUNNER_CONTROL];
	} else {
		reply(descriptors[RUNNER_CONTROL], RUNNER_FAILED, errno, "its namespaces");
		reply(descriptors[RUNNER_CONTROL], RUNNER_GONE, 0, "");
	}
	for (int i = 0; i < RUNNER_DESCRIPTORS; i++) {
		if (i != RUNNER_CONTROL || pid < 0) {
			close(descriptors[i]);
		}
	}
}

// The kernel lets a namespace's first process be waited for only when all the others are gone.
static void reap(void)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		for (size_t i = 0; i < RUNNER_MOST_COMMANDS; i++) {
			if (commands[i].pid == pid) {
				reply(commands[i].control, RUNNER_GONE,
					WIFSIGNALED(status) ? WTERMSIG(status) : 0, "");
				close(commands[i].control);
				commands[i].pid = 0;
			}
		}
	}
}

// A socket of the sandbox's network, which stays of that network wherever it is sent.
static int listen_inside(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(RUNNER_PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, SOMAXCONN) < 0) {
		return -1;
	}
	return fd;
}

static bool tell_ready(int session, int listener)
{
	struct runner_reply ready = {.kind = RUNNER_READY};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} space = {0};
	struct iovec vector = {&ready, sizeof(ready)};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
	if (listener >= 0) {
		message.msg_control = &space;
		message.msg_controllen = sizeof(space);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &listener, sizeof(int));
	}
	bool fine = sendmsg(session, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(ready);
	if (listener >= 0) {
		close(listener);
	}
	return fine;
}

int main(int argument_count, char **arguments)
{
	int session = argument_count > 1 ? atoi(arguments[1]) : -1;
	bool listening = argument_count > 2 && strcmp(arguments[2], "listen") == 0;
	sigset_t children;
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	ssize_t got = session < 3 ? -1 : recv(session, filter, sizeof(filter), 0);
	if (got <= 0 || fcntl(session, F_SETFD, FD_CLOEXEC) < 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
		sigprocmask(SIG_BLOCK, &children, NULL) < 0) {
		return 2; // not started by the harness
	}
	filter_size = (size_t)got;
	int signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	int listener = listening ? listen_inside() : -1;
	if (signals < 0 || (listening && listener < 0) || !tell_ready(session, listener)) {
		return 2;
	}
	for (;;) {
		struct pollfd pollers[] = {{session, POLLIN, 0}, {signals, POLLIN, 0}};
		struct signalfd_siginfo ignored;
		int descriptors[RUNNER_DESCRIPTORS];
		if (poll(pollers, 2, -1) < 0 && errno != EINTR) {
			return 2;
		}
		if (pollers[1].revents && read(signals, &ignored, sizeof(ignored)) > 0) {
			reap();
		}
		if (pollers[0].revents && receive(session, descriptors)) {
			start(descriptors);
		}
	}
}
