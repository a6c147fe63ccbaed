#include "manifest/git_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "store/git.h"

struct git_socket {
	git_stream stream;
	char *host, *port;
	int fd;
};

static _Thread_local int idle;

void git_socket_idle(int milliseconds)
{
	idle = milliseconds;
}

static int fail(const struct git_socket *socket, const char *what)
{
	char message[512];
	snprintf(message, sizeof(message), "%s '%s'", what, socket->host);
	git.error_set_str(GIT_ERROR_NET, message);
	return -1;
}

// Waits for one of `events`; false when nothing came in time.
static bool await(int fd, short events, int milliseconds)
{
	struct pollfd poller = {fd, events, 0};
	int ready;
	while ((ready = poll(&poller, 1, milliseconds)) < 0 && errno == EINTR) {
	}
	return ready > 0;
}

static int open_address(const struct addrinfo *address)
{
	int problem = 0;
	socklen_t size = sizeof(problem);
	int fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
		address->ai_protocol);
	if (fd < 0) {
		return -1;
	}
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
		return fd;
	}
	if (errno == EINPROGRESS) {
		errno = ETIMEDOUT;
		if (await(fd, POLLOUT, GIT_SOCKET_CONNECT) &&
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0) {
			errno = problem;
			if (problem == 0) {
				return fd;
			}
		}
	}
	int number = errno;
	close(fd);
	errno = number;
	return -1;
}

static int connect_to(git_stream *stream)
{
	struct git_socket *socket = (struct git_socket *)(void *)stream;
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list;
	if (getaddrinfo(socket->host, socket->port, &hints, &list) != 0) {
		return fail(socket, "there is no address for");
	}
	for (const struct addrinfo *one = list; one && socket->fd < 0; one = one->ai_next) {
		socket->fd = open_address(one);
	}
	int number = errno;
	freeaddrinfo(list);
	return socket->fd >= 0
		? 0
		: fail(socket, number == ECONNREFUSED ? "nobody answers at" : "cannot connect to");
}

static ssize_t read_from(git_stream *stream, void *data, size_t length)
{
	const struct git_socket *socket = (struct git_socket *)(void *)stream;
	for (;;) {
		ssize_t got = recv(socket->fd, data, length, 0);
		if (got >= 0) {
			return got;
		}
		if (errno != EAGAIN && errno != EINTR) {
			return fail(socket, "the connection broke to");
		}
		if (errno == EAGAIN && !await(socket->fd, POLLIN, idle ? idle : GIT_SOCKET_IDLE)) {
			return fail(socket, "nothing more comes from");
		}
	}
}

static ssize_t write_to(git_stream *stream, const char *data, size_t length, int flags)
{
	const struct git_socket *socket = (struct git_socket *)(void *)stream;
	(void)flags;
	for (;;) {
		ssize_t sent = send(socket->fd, data, length, MSG_NOSIGNAL);
		if (sent >= 0) {
			return sent;
		}
		if (errno != EAGAIN && errno != EINTR) {
			return fail(socket, "the connection broke to");
		}
		if (errno == EAGAIN && !await(socket->fd, POLLOUT, idle ? idle : GIT_SOCKET_IDLE)) {
			return fail(socket, "nothing is taken any more by");
		}
	}
}

static int close_it(git_stream *stream)
{
	struct git_socket *socket = (struct git_socket *)(void *)stream;
	if (socket->fd >= 0) {
		close(socket->fd);
		socket->fd = -1;
	}
	return 0;
}

static void free_it(git_stream *stream)
{
	struct git_socket *socket = (struct git_socket *)(void *)stream;
	close_it(stream);
	free(socket->host);
	free(socket->port);
	free(socket);
}

static int create(git_stream **stream, const char *host, const char *port)
{
	struct git_socket *socket = memory_alloc(sizeof(*socket));
	socket->stream = (git_stream){.version = GIT_STREAM_VERSION,
		.connect = connect_to,
		.read = read_from,
		.write = write_to,
		.close = close_it,
		.free = free_it};
	socket->host = memory_string(host);
	socket->port = memory_string(port);
	socket->fd = -1;
	*stream = &socket->stream;
	return 0;
}

bool git_socket_register(struct error *error)
{
	git_stream_registration registration = {.version = GIT_STREAM_VERSION, .init = create};
	return git.stream_register(GIT_STREAM_STANDARD, &registration) == 0 ||
		error_set(error, ERROR_UNAVAILABLE, "libgit2 takes no connections of ours");
}
