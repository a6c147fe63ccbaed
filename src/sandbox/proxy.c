#include "sandbox/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/file.h"

enum {
	HEAD_LIMIT = 16 * 1024, // bytes of a request's head
	HEAD_TIME = 30000,      // milliseconds to send it in
	CONNECT_TIME = 20000,   // for one address
	IDLE_TIME = 10 * 60000, // without a byte in either direction
	STACK_SIZE = 256 * 1024,
};

struct proxy {
	int listener, stop; // an eventfd that can be read when all shall end
	const char *const *hosts;
	pthread_t thread;
	pthread_mutex_t mutex; // for `running`
	pthread_cond_t fewer;
	int running; // connections
};

struct connection {
	struct proxy *proxy;
	int inside, outside;       // outside is -1 at first
	char head[HEAD_LIMIT + 1]; // of the request, and what came with it
	size_t length, head_length;
};

// Waits for one of the descriptors; false when time or the proxy is over.
static bool await(struct proxy *proxy, struct pollfd *pollers, size_t count, int limit)
{
	pollers[count] = (struct pollfd){proxy->stop, POLLIN, 0};
	int ready;
	while ((ready = poll(pollers, count + 1, limit)) < 0 && errno == EINTR) {
	}
	return ready > 0 && !pollers[count].revents;
}

static bool send_all(struct connection *connection, int fd, struct text bytes)
{
	while (bytes.length) {
		ssize_t sent = send(fd, bytes.data, bytes.length, MSG_NOSIGNAL);
		struct pollfd pollers[2] = {{fd, POLLOUT, 0}};
		if (sent >= 0) {
			bytes.data += sent;
			bytes.length -= (size_t)sent;
		} else if ((errno != EAGAIN && errno != EINTR) ||
			!await(connection->proxy, pollers, 1, IDLE_TIME)) {
			return false;
		}
	}
	return true;
}

// A head that all who read it understand alike: no zero bytes, lines end as they should.
static bool is_plain(struct text head)
{
	for (size_t i = 0; i < head.length; i++) {
		if (!head.data[i] ||
			(head.data[i] == '\n' && (i == 0 || head.data[i - 1] != '\r'))) {
			return false;
		}
	}
	return true;
}

// Reads up to the empty line; false if there is none.
static bool read_head(struct connection *connection)
{
	for (;;) {
		const char *end = memmem(connection->head, connection->length, "\r\n\r\n", 4);
		if (end) {
			connection->head_length = (size_t)(end - connection->head) + 4;
			return is_plain((struct text){connection->head, connection->head_length});
		}
		struct pollfd pollers[2] = {{connection->inside, POLLIN, 0}};
		size_t room = HEAD_LIMIT - connection->length;
		if (room == 0 || !await(connection->proxy, pollers, 1, HEAD_TIME)) {
			return false;
		}
		ssize_t got =
			recv(connection->inside, connection->head + connection->length, room, 0);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
			return false;
		}
		connection->length += got > 0 ? (size_t)got : 0;
	}
}

static void answer(struct connection *connection, const char *status, const char *text)
{
	buffer_cleanup all = {0};
	buffer_printf(&all,
		"HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "
		"%zu\r\nConnection: close\r\n\r\n%s",
		status, strlen(text), text);
	send_all(connection, connection->inside, buffer_text(&all));
}

// What is asked for: the parts of "CONNECT host:port HTTP/1.1" or "GET http://host:port/path HTTP/1.1".
struct target {
	bool tunnel;
	struct text method, authority, host, path;
	unsigned port;
};

static struct text until(struct text *rest, const char *ends)
{
	size_t length = 0;
	while (length < rest->length && !strchr(ends, rest->data[length])) {
		length++;
	}
	struct text part = {rest->data, length};
	rest->data += length;
	rest->length -= length;
	return part;
}

static bool only(struct text text, const char *allowed)
{
	for (size_t i = 0; i < text.length; i++) {
		if (!text.data[i] || !strchr(allowed, text.data[i])) {
			return false;
		}
	}
	return text.length > 0;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool read_authority(struct target *target, unsigned standard_port)
{
	struct text rest = target->authority;
	if (rest.length && rest.data[0] == '[') {
		rest.data++;
		rest.length--;
		target->host = until(&rest, "]");
		if (rest.length == 0 || !only(target->host, "abcdefABCDEF:." DIGITS)) {
			return false;
		}
		rest.data++;
		rest.length--;
	} else {
		target->host = until(&rest, ":");
		if (target->host.length > 255 || !only(target->host, LETTERS DIGITS "-._")) {
			return false;
		}
	}
	target->port = standard_port;
	if (rest.length) {
		struct text port = {rest.data + 1, rest.length - 1};
		if (rest.data[0] != ':' || port.length > 5 || !only(port, DIGITS)) {
			return false;
		}
		target->port = (unsigned)atoi(port.data); // a character that is no digit follows
	}
	return target->port > 0 && target->port < 65536;
}

static bool read_target(const struct connection *connection, struct target *target)
{
	struct text line = {connection->head, strcspn(connection->head, "\r")};
	target->method = until(&line, " ");
	if (!only(target->method, LETTERS "-") || line.length == 0) {
		return false;
	}
	line.data++;
	line.length--;
	struct text place = until(&line, " ");
	bool version = text_is(line, " HTTP/1.1") || text_is(line, " HTTP/1.0");
	target->tunnel = text_is(target->method, "CONNECT");
	if (target->tunnel) {
		target->authority = place;
		return version && read_authority(target, 443);
	}
	if (place.length < 7 || strncasecmp(place.data, "http://", 7) != 0) {
		return false;
	}
	place.data += 7;
	place.length -= 7;
	target->authority = until(&place, "/?#");
	target->path = place;
	return version && read_authority(target, 80);
}

static bool connect_to(struct connection *connection, const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd pollers[2] = {{fd, POLLOUT, 0}};
	int failed = 0;
	socklen_t size = sizeof(failed);
	bool fine = fd >= 0 &&
		(connect(fd, address->ai_addr, address->ai_addrlen) == 0 ||
			(errno == EINPROGRESS &&
				await(connection->proxy, pollers, 1, CONNECT_TIME) &&
				getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 &&
				failed == 0));
	if (fine) {
		connection->outside = fd;
	} else {
		file_close(&fd);
	}
	return fine;
}

// Connects to an address that was looked at, never to a name that may lead elsewhere the next time.
static bool reach(struct connection *connection, const struct target *target, bool named)
{
	arena_cleanup arena = {0};
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	bool refused = false;
	const char *host = text_string(&arena, target->host);
	if (getaddrinfo(host, arena_printf(&arena, "%u", target->port), &hints, &found) != 0) {
		answer(connection, "502 Bad Gateway", "muster: the host's name is not known\n");
		return false;
	}
	for (const struct addrinfo *one = found; one && connection->outside < 0;
		one = one->ai_next) {
		if (!named && !proxy_address_public(one->ai_addr)) {
			refused = true;
		} else if (connect_to(connection, one)) {
			break;
		}
	}
	freeaddrinfo(found);
	if (connection->outside < 0 && refused) {
		answer(connection, "403 Forbidden",
			"muster: the host's name leads into a private network; to allow that, name "
			"its "
			"address in 'network'\n");
	} else if (connection->outside < 0) {
		answer(connection, "502 Bad Gateway", "muster: the host cannot be reached\n");
	}
	return connection->outside >= 0;
}

static bool is_header(struct text line, const char *name)
{
	size_t length = strlen(name);
	if (line.length <= length || strncasecmp(line.data, name, length) != 0) {
		return false;
	}
	struct text rest = {line.data + length, line.length - length};
	until(&rest, ":");
	return rest.length && only((struct text){line.data + length, 1}, ": \t");
}

// The request as the server wants it: for the host that was looked at, and the last on its
// connection, as the next could be for another.
static void rewrite(
	const struct connection *connection, const struct target *target, struct buffer *request)
{
	static const char *const left_out[] = {"Host", "Connection", "Keep-Alive"};
	struct text rest = {connection->head, connection->length};
	buffer_add_text(request, target->method);
	buffer_add_string(request, target->path.length && target->path.data[0] == '/' ? " " : " /");
	struct text path = target->path;
	buffer_add_text(request, until(&path, "#"));
	buffer_add_string(request, " HTTP/1.1\r\nHost: ");
	buffer_add_text(request, target->authority);
	buffer_add_string(request, "\r\nConnection: close\r\n");
	until(&rest, "\n");
	for (;;) {
		rest.data++;
		rest.length--;
		struct text line = until(&rest, "\n");
		if (text_is(line, "\r")) {
			break;
		}
		bool keep = strncasecmp(line.data, "Proxy-", 6) != 0;
		for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
			keep = keep && !is_header(line, left_out[i]);
		}
		if (keep) {
			buffer_add_text(request, line);
			buffer_add_char(request, '\n');
		}
	}
	buffer_add_string(request, "\r\n");
	buffer_add(request, rest.data + 1, rest.length - 1);
}

// Copies what is there; false on error. At the end of one direction the other one goes on.
static bool copy(struct connection *connection, int from, int to, bool *open)
{
	char bytes[32 * 1024];
	ssize_t got = recv(from, bytes, sizeof(bytes), 0);
	if (got < 0) {
		return errno == EAGAIN || errno == EINTR;
	}
	if (got == 0) {
		*open = false;
		shutdown(to, SHUT_WR);
		return true;
	}
	return send_all(connection, to, (struct text){bytes, (size_t)got});
}

static void relay(struct connection *connection)
{
	int ends[2] = {connection->inside, connection->outside};
	bool open[2] = {true, true};
	while (open[0] || open[1]) {
		struct pollfd pollers[3] = {
			{open[0] ? ends[0] : -1, POLLIN, 0}, {open[1] ? ends[1] : -1, POLLIN, 0}};
		if (!await(connection->proxy, pollers, 2, IDLE_TIME)) {
			return;
		}
		for (int i = 0; i < 2; i++) {
			if (pollers[i].revents &&
				!copy(connection, ends[i], ends[1 - i], &open[i])) {
				return;
			}
		}
	}
}

static void serve(struct connection *connection)
{
	struct target target = {0};
	bool named = false;
	buffer_cleanup first = {0};
	if (!read_head(connection) || !read_target(connection, &target)) {
		answer(connection, "400 Bad Request", "muster: this is a proxy for HTTP\n");
		return;
	}
	if (!proxy_host_allowed(connection->proxy->hosts, target.host, target.port, &named)) {
		answer(connection, "403 Forbidden",
			"muster: the host is not among those that the team file allows under "
			"'network'\n");
		return;
	}
	if (!reach(connection, &target, named)) {
		return;
	}
	if (target.tunnel) {
		buffer_add(&first, connection->head + connection->head_length,
			connection->length - connection->head_length);
		if (!send_all(connection, connection->inside,
			    TEXT("HTTP/1.1 200 Connection established\r\n\r\n"))) {
			return;
		}
	} else {
		rewrite(connection, &target, &first);
	}
	if (send_all(connection, connection->outside, buffer_text(&first))) {
		relay(connection);
	}
}

static void *run_connection(void *data)
{
	struct connection *connection = data;
	struct proxy *proxy = connection->proxy;
	serve(connection);
	file_close(&connection->inside);
	file_close(&connection->outside);
	free(connection);
	pthread_mutex_lock(&proxy->mutex);
	proxy->running--;
	pthread_cond_signal(&proxy->fewer);
	pthread_mutex_unlock(&proxy->mutex);
	return NULL;
}

static bool start_thread(pthread_t *thread, bool detached, void *(*run)(void *), void *data)
{
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_attr_setdetachstate(
		&attributes, detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
	bool fine = pthread_create(thread, &attributes, run, data) == 0;
	pthread_attr_destroy(&attributes);
	return fine;
}

static void take(struct proxy *proxy, int inside)
{
	struct connection *connection = memory_alloc(sizeof(*connection));
	pthread_t thread;
	connection->proxy = proxy;
	connection->inside = inside;
	connection->outside = -1;
	pthread_mutex_lock(&proxy->mutex);
	while (proxy->running >= PROXY_MOST) { // those who want in wait
		pthread_cond_wait(&proxy->fewer, &proxy->mutex);
	}
	proxy->running++;
	pthread_mutex_unlock(&proxy->mutex);
	if (!start_thread(&thread, true, run_connection, connection)) {
		file_close(&connection->inside);
		free(connection);
		pthread_mutex_lock(&proxy->mutex);
		proxy->running--;
		pthread_mutex_unlock(&proxy->mutex);
	}
}

static void *run_proxy(void *data)
{
	struct proxy *proxy = data;
	struct pollfd pollers[2] = {{proxy->listener, POLLIN, 0}};
	while (await(proxy, pollers, 1, -1)) {
		int inside = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (inside >= 0) {
			take(proxy, inside);
		} else if (errno == EMFILE || errno == ENFILE) {
			usleep(10000); // those who have descriptors give them back
		}
	}
	return NULL;
}

struct proxy *proxy_create(int listener, const char *const *hosts, struct error *error)
{
	struct proxy *proxy = memory_alloc(sizeof(*proxy));
	proxy->listener = listener;
	proxy->hosts = hosts;
	proxy->stop = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&proxy->mutex, NULL);
	pthread_cond_init(&proxy->fewer, NULL);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	if (proxy->stop >= 0 && start_thread(&proxy->thread, false, run_proxy, proxy)) {
		return proxy;
	}
	error_set(error, ERROR_UNAVAILABLE, "the sandbox's proxy cannot be started");
	file_close(&proxy->stop);
	file_close(&proxy->listener);
	free(proxy);
	return NULL;
}

void proxy_destroy(struct proxy *proxy)
{
	const uint64_t one = 1;
	if (!proxy) {
		return;
	}
	while (write(proxy->stop, &one, sizeof(one)) < 0 && errno == EINTR) {
	}
	pthread_join(proxy->thread, NULL);
	pthread_mutex_lock(&proxy->mutex);
	while (proxy->running > 0) {
		pthread_cond_wait(&proxy->fewer, &proxy->mutex);
	}
	pthread_mutex_unlock(&proxy->mutex);
	file_close(&proxy->stop);
	file_close(&proxy->listener);
	pthread_mutex_destroy(&proxy->mutex);
	pthread_cond_destroy(&proxy->fewer);
	free(proxy);
}
