/* The network of a sandbox that may reach chosen hosts only: from inside, against a server here. */
#include "test.h"

#include <arpa/inet.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/proxy.h"
#include "sandbox/sandbox.h"

static char folder[] = "/tmp/muster-test-proxy-XXXXXX";
static struct arena arena;
static struct process_result result;
static const char *options = "{\"session\": \"warm\"}";

// A server that answers each connection with what it was sent, and ends it.
static struct {
	int listener, port;
	pthread_t thread;
} server;

static void *serve(void *data)
{
	(void)data;
	int fd;
	while ((fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		char request[4096];
		ssize_t got = recv(fd, request, sizeof(request), 0);
		static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nserved\n";
		send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL);
		send(fd, request, got > 0 ? (size_t)got : 0, MSG_NOSIGNAL);
		close(fd);
	}
	return NULL;
}

static int start(void **state)
{
	(void)state;
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!mkdtemp(folder) ||
		bind(server.listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(server.listener, 10) < 0 ||
		getsockname(server.listener, (struct sockaddr *)&address, &size) < 0) {
		return -1;
	}
	server.port = ntohs(address.sin_port);
	return pthread_create(&server.thread, NULL, serve, NULL);
}

static int stop(void **state)
{
	(void)state;
	struct error error = {0};
	shutdown(server.listener, SHUT_RDWR);
	pthread_join(server.thread, NULL);
	close(server.listener);
	arena_finish(&arena);
	return file_remove_tree(folder, &error) ? 0 : -1;
}

// A sandbox that may reach `host`, with the server's port.
static struct sandbox *make(const char *host)
{
	struct error error = {0};
	const char *hosts[] = {arena_printf(&arena, "%s:%d", host, server.port), NULL};
	struct sandbox_settings settings = {
		.folder = folder, .network = true, .hosts = hosts, .options = options};
	struct sandbox *sandbox =
		sandbox_create(sandbox_driver_find("unix-local"), &settings, &error);
	if (!sandbox) {
		fail_msg("%s", error.message);
	}
	return sandbox;
}

static const char *run(struct sandbox *sandbox, const char *shell)
{
	struct error error = {0};
	const char *const argv[] = {"bash", "-c", shell, NULL};
	struct sandbox_command command = {.argv = argv, .timeout = 30000};
	if (!sandbox_exec(sandbox, &arena, &command, &result, &error)) {
		fail_msg("%s", error.message);
	}
	return arena_copy(&arena, result.out.data, result.out.length);
}

// Sends bytes to the proxy from inside and gives what comes back. $PORT is the server's.
static const char *ask(struct sandbox *sandbox, const char *request)
{
	return run(sandbox,
		arena_printf(&arena,
			"PORT=%d; exec 3<>/dev/tcp/127.0.0.1/3128 && printf \"%s\" >&3; cat <&3",
			server.port, request));
}

static __attribute__((noinline)) void expect(const char *text, const char *part)
{
	if (!strstr(text, part)) {
		fail_msg("'%s' does not hold '%s'", text, part);
	}
}

static void a_host_of_the_list_is_reached_by_http_and_through_a_tunnel(void **state)
{
	(void)state;
	struct sandbox *sandbox = make("127.0.0.1");
	const char *said =
		ask(sandbox, "GET http://127.0.0.1:$PORT/a?b HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n");
	expect(said, "200 OK");
	expect(said, "GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:");
	said = ask(sandbox,
		"CONNECT 127.0.0.1:$PORT HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nthrough the tunnel");
	expect(said, "200 Connection established\r\n\r\nHTTP/1.1 200 OK");
	expect(said, "served\nthrough the tunnel");
	expect(run(sandbox, "echo $http_proxy $HTTPS_PROXY $no_proxy"),
		"http://127.0.0.1:3128 http://127.0.0.1:3128 localhost");
	sandbox_detach(sandbox);
}

static void a_host_that_is_not_of_the_list_is_refused(void **state)
{
	(void)state;
	static const char *const requests[] = {"GET http://example.org/ HTTP/1.1\\r\\n\\r\\n",
		"CONNECT example.org:443 HTTP/1.1\\r\\n\\r\\n",
		"CONNECT 127.0.0.1:22 HTTP/1.1\\r\\n\\r\\n",
		"CONNECT localhost:$PORT HTTP/1.1\\r\\n\\r\\n",
		"CONNECT [::ffff:127.0.0.1]:$PORT HTTP/1.1\\r\\n\\r\\n",
		"CONNECT 2130706433:$PORT HTTP/1.1\\r\\n\\r\\n",
		"CONNECT 0x7f.1:$PORT HTTP/1.1\\r\\n\\r\\n"};
	struct sandbox *sandbox = make("127.0.0.1");
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		expect(ask(sandbox, requests[i]), "HTTP/1.1 403 Forbidden\r\n");
	}
	sandbox_detach(sandbox);
}

static void what_is_no_clean_request_is_refused(void **state)
{
	(void)state;
	static const char *const requests[] = {"hello\\r\\n\\r\\n", "GET / HTTP/1.1\\r\\n\\r\\n",
		"GET http://127.0.0.1:$PORT/ HTTP/1.1\\nHost: x\\r\\n\\r\\n",
		"GET http://127.0.0.1:$PORT/ HTTP/1.1\\r\\nA: \\0\\r\\n\\r\\n",
		"GET http://127.0.0.1:$PORT@example.org/ HTTP/1.1\\r\\n\\r\\n",
		"CONNECT 127.0.0.1:$PORT/ HTTP/1.1\\r\\n\\r\\n",
		"CONNECT 127.0.0.1:99999 HTTP/1.1\\r\\n\\r\\n", "CONNECT  HTTP/1.1\\r\\n\\r\\n"};
	struct sandbox *sandbox = make("127.0.0.1");
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		expect(ask(sandbox, requests[i]), "HTTP/1.1 400 Bad Request\r\n");
	}
	// The head is bounded.
	expect(run(sandbox,
		       "exec 3<>/dev/tcp/127.0.0.1/3128; head -c 20000 /dev/zero | tr '\\0' x >&3; "
		       "head -c 24 <&3"),
		"HTTP/1.1 400 Bad Request");
	sandbox_detach(sandbox);
}

static void a_request_cannot_be_for_another_host_than_it_says(void **state)
{
	(void)state;
	struct sandbox *sandbox = make("127.0.0.1");
	const char *said = ask(sandbox,
		"GET http://127.0.0.1:$PORT HTTP/1.1\\r\\nHOST : evil.example\\r\\nConnection: "
		"keep-alive\\r\\nProxy-Authorization: secret\\r\\nAccept: all\\r\\n\\r\\n");
	expect(said, "GET / HTTP/1.1\r\nHost: 127.0.0.1:");
	expect(said, "Connection: close\r\nAccept: all\r\n\r\n");
	assert_null(strstr(said, "evil"));
	assert_null(strstr(said, "secret"));
	sandbox_detach(sandbox);
}

static void there_is_no_way_around_the_proxy(void **state)
{
	(void)state;
	struct sandbox *sandbox = make("127.0.0.1");
	run(sandbox, arena_printf(&arena, "exec 3<>/dev/tcp/127.0.0.1/%d", server.port));
	assert_int_not_equal(result.status, 0);
	expect(run(sandbox, "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"), "lo\n");
	assert_int_not_equal(run(sandbox, "ls /etc/resolv.conf") && result.status, 0);
	sandbox_detach(sandbox);
}

static void an_idle_connection_does_not_keep_the_sandbox(void **state)
{
	(void)state;
	struct error error = {0};
	struct timespec before, after;
	struct sandbox *sandbox = make("127.0.0.1");
	struct sandbox_process_settings settings = {
		.command = {.shell = "exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/3128; echo up; "
				     "sleep 60'"}};
	struct sandbox_process *process = sandbox_open_process(sandbox, &settings, &error);
	buffer_cleanup output = {0};
	bool ended = false;
	int status;
	assert_non_null(process);
	assert_true(sandbox_process_read(process, 5000, &output, &ended, &status, &error));
	assert_false(ended);
	clock_gettime(CLOCK_MONOTONIC, &before);
	sandbox_process_close(process);
	sandbox_detach(sandbox);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec < 5);
}

static void names_match_exactly_or_by_their_end(void **state)
{
	(void)state;
	static const char *const hosts[] = {"Example.org", "*.example.net", "odd.example:8080",
		"10.1.2.3", "[::1]:81", "localhost", "::1", NULL};
	static const struct {
		const char *host;
		unsigned port;
		bool allowed, named;
	} cases[] = {{"example.org", 443, true, false}, {"EXAMPLE.ORG.", 80, true, false},
		{"example.org", 22, false, false}, {"www.example.org", 443, false, false},
		{"example.org.evil.net", 443, false, false}, {"xexample.org", 443, false, false},
		{"files.example.net", 443, true, false}, {"a.b.example.net", 443, true, false},
		{"example.net", 443, false, false}, {"evilexample.net", 443, false, false},
		{".example.net", 443, false, false}, {"odd.example", 8080, true, false},
		{"odd.example", 443, false, false}, {"10.1.2.3", 80, true, true},
		{"::1", 81, true, true}, {"[::1]", 443, true, true}, {"localhost", 80, true, true},
		{"", 80, false, false}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool named = false;
		bool allowed =
			proxy_host_allowed(hosts, text_of(cases[i].host), cases[i].port, &named);
		if (allowed != cases[i].allowed || named != cases[i].named) {
			fail_msg("%s %u", cases[i].host, cases[i].port);
		}
	}
}

static void addresses_of_this_machine_and_of_private_networks_are_not_public(void **state)
{
	(void)state;
	static const char *const private[] = {"127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1",
		"172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
		"224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd12::1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "2001::1", "ff02::1",
		"64:ff9b::7f00:1", "2001:db8::1"};
	static const char *const public[] = {"1.1.1.1", "172.32.0.1", "192.169.0.1", "100.128.0.1",
		"223.255.255.255", "2606:4700::1111", "::ffff:1.1.1.1", "2a00:1450::1"};
	for (size_t i = 0;
		i < sizeof(private) / sizeof(private[0]) + sizeof(public) / sizeof(public[0]);
		i++) {
		bool expected = i >= sizeof(private) / sizeof(private[0]);
		const char *text =
			expected ? public[i - sizeof(private) / sizeof(private[0])] : private[i];
		struct sockaddr_in old = {.sin_family = AF_INET};
		struct sockaddr_in6 new = {.sin6_family = AF_INET6};
		bool is_old = inet_pton(AF_INET, text, &old.sin_addr) == 1;
		assert_true(is_old || inet_pton(AF_INET6, text, &new.sin6_addr) == 1);
		if (proxy_address_public(is_old ? (struct sockaddr *)&old
						: (struct sockaddr *)&new) != expected) {
			fail_msg("%s", text);
		}
	}
}

// What a pattern lets through stands for a name whose name server lies.
static void what_leads_to_this_machine_is_refused_unless_named_as_such(void **state)
{
	(void)state;
	struct sandbox *sandbox = make("*.0.0.1");
	const char *said = ask(sandbox, "GET http://127.0.0.1:$PORT/ HTTP/1.1\\r\\n\\r\\n");
	expect(said, "HTTP/1.1 403 Forbidden");
	expect(said, "private network");
	sandbox_detach(sandbox);
	sandbox = make("localhost");
	expect(ask(sandbox, "GET http://localhost:$PORT/ HTTP/1.1\\r\\n\\r\\n"), "200 OK");
	sandbox_detach(sandbox);
}

// Arguments as of test_sandbox.
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "per-command") == 0) {
			options = "{\"session\": \"per-command\"}";
		} else if (geteuid() == 0 &&
			(setgroups(0, NULL) < 0 || setgid(12345) < 0 || setuid(12345) < 0)) {
			return 99;
		}
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_of_the_list_is_reached_by_http_and_through_a_tunnel),
		cmocka_unit_test(a_host_that_is_not_of_the_list_is_refused),
		cmocka_unit_test(what_is_no_clean_request_is_refused),
		cmocka_unit_test(a_request_cannot_be_for_another_host_than_it_says),
		cmocka_unit_test(there_is_no_way_around_the_proxy),
		cmocka_unit_test(an_idle_connection_does_not_keep_the_sandbox),
		cmocka_unit_test(names_match_exactly_or_by_their_end),
		cmocka_unit_test(addresses_of_this_machine_and_of_private_networks_are_not_public),
		cmocka_unit_test(what_leads_to_this_machine_is_refused_unless_named_as_such),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
