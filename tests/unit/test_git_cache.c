#include "manifest/git_cache.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "manifest/git_socket.h"
#include "test.h"

// A server that takes connections and says nothing: the kernel takes them, nobody else does.
static int listen_silently(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(listen(fd, 4), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void a_server_that_says_nothing_is_not_waited_for_without_end(void **state)
{
	(void)state;
	int port;
	char url[64], cache[] = "/tmp/test-git-XXXXXX";
	struct error error = {0}, ignored = {0};
	file_cleanup server = listen_silently(&port);
	assert_true(server >= 0);
	assert_non_null(mkdtemp(cache));
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/a/b.git", port);
	struct git_source source = {.cache = cache, .url = url, .loopback = true};
	git_socket_idle(100);
	assert_false(git_cache_fetch(&source, &error));
	git_socket_idle(0);
	assert_int_equal(error.kind, ERROR_UNAVAILABLE);
	assert_non_null(strstr(error.message, "cannot fetch 'http://127.0.0.1:"));
	assert_non_null(strstr(error.message, "nothing more comes from '127.0.0.1'"));
	assert_true(file_remove_tree(cache, &ignored));
}

static void a_cache_that_cannot_be_made_is_told(void **state)
{
	(void)state;
	struct error error = {0};
	struct git_source source = {
		.cache = "/dev/null/cache", .url = "http://127.0.0.1:1/a.git", .loopback = true};
	assert_false(git_cache_fetch(&source, &error));
	assert_non_null(strstr(error.message, "/dev/null"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_says_nothing_is_not_waited_for_without_end),
		cmocka_unit_test(a_cache_that_cannot_be_made_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
