/* Processes that go on between calls, in the Unix-local sandbox. */
#include "test.h"

#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

static char folder[] = "/tmp/muster-test-process-XXXXXX";
static struct sandbox *sandbox;
static const char *options = "{\"session\": \"warm\"}";

static struct sandbox_process *process; // of the test that runs
static struct buffer output;            // what it said
static bool ended;
static int status;

static int open_session(void **state)
{
	(void)state;
	struct error error = {0};
	struct sandbox_settings settings = {.run = "test", .folder = folder, .options = options};
	sandbox = mkdtemp(folder)
		? sandbox_create(sandbox_driver_find("unix-local"), &settings, &error)
		: NULL;
	if (!sandbox) {
		print_error("%s\n%s\n", error.message, error.hint);
	}
	return sandbox ? 0 : -1;
}

static int close_session(void **state)
{
	(void)state;
	struct error error = {0};
	sandbox_destroy(sandbox, &error);
	return file_remove_tree(folder, &error) ? 0 : -1;
}

static void start(const char *shell, bool terminal)
{
	struct error error = {0};
	struct sandbox_process_settings settings = {
		.command = {.shell = shell}, .terminal = terminal, .columns = 100, .rows = 30};
	process = sandbox_open_process(sandbox, &settings, &error);
	if (!process) {
		fail_msg("%s", error.message);
	}
	ended = false;
}

static int finish(void **state)
{
	(void)state;
	sandbox_process_close(process);
	process = NULL;
	buffer_finish(&output);
	return 0;
}

static void say(const char *text)
{
	struct error error = {0};
	assert_true(sandbox_process_write(process, text_of(text), &error));
}

// Reads on until `text` was said; forgets all of it.
static void expect(const char *text)
{
	struct error error = {0};
	for (int i = 0; i < 100 && !ended; i++) {
		buffer_add(&output, "", 0);
		if (output.length && strstr(output.data, text)) {
			break;
		}
		if (!sandbox_process_read(process, 100, &output, &ended, &status, &error)) {
			fail_msg("%s", error.message);
		}
	}
	if (!output.length || !strstr(output.data, text)) {
		fail_msg("'%s' does not hold '%s'", output.length ? output.data : "", text);
	}
	buffer_clear(&output);
}

static void read_to_the_end(void)
{
	struct error error = {0};
	for (int i = 0; i < 100 && !ended; i++) {
		assert_true(sandbox_process_read(process, 100, &output, &ended, &status, &error));
	}
	assert_true(ended);
}

static void a_process_is_talked_to_by_pipes(void **state)
{
	(void)state;
	start("echo ready; while read line; do echo \"<$line>\"; done; echo bye >&2; exit 3",
		false);
	expect("ready\n");
	say("one\n");
	expect("<one>\n");
	say("two\nthree\n");
	expect("<two>\n<three>\n");
	say(""); // ends the input
	expect("bye\n");
	read_to_the_end();
	assert_int_equal(status, 3);
}

static void a_read_returns_at_once_with_output_and_waits_no_longer_than_asked(void **state)
{
	(void)state;
	struct error error = {0};
	start("echo ready; exec sleep 60", false);
	expect("ready\n");
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_true(sandbox_process_read(process, 100, &output, &ended, &status, &error));
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(output.length, 0);
	assert_false(ended);
	assert_true(after.tv_sec - before.tv_sec < 5);
}

static void a_process_that_ended_says_so_after_its_output(void **state)
{
	(void)state;
	start("echo last; kill -TERM $$", false);
	read_to_the_end();
	assert_string_equal(output.data, "last\n");
	assert_int_equal(status, 128 + SIGTERM);
	struct error error = {0};
	assert_false(sandbox_process_write(process, TEXT("x"), &error));
	assert_false(sandbox_process_resize(process, 10, 10, &error)); // it has no terminal
}

static void a_terminal_is_one(void **state)
{
	(void)state;
	start("stty size; test -t 0 && test -t 1 && test -t 2 && echo terminal; echo $TERM; "
	      "(exec </dev/tty) && echo own; cat; echo over",
		true);
	expect("30 100\r\nterminal\r\nxterm-256color\r\nown\r\n");
	say("typed\n");
	expect("typed\r\ntyped\r\n"); // what the terminal shows, and what cat says
	say("\x04");
	expect("over\r\n");
	read_to_the_end();
	assert_int_equal(status, 0);
}

static void a_terminal_changes_its_size_and_tells(void **state)
{
	(void)state;
	struct error error = {0};
	start("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done", true);
	expect("ready\r\n");
	assert_true(sandbox_process_resize(process, 132, 43, &error));
	expect("43 132\r\n");
	say("\x03"); // Ctrl-C
	read_to_the_end();
	assert_int_equal(status, 128 + SIGINT);
}

static void input_that_nobody_reads_does_not_block_for_ever(void **state)
{
	(void)state;
	struct error error = {0};
	buffer_cleanup much = {0};
	memset(buffer_reserve(&much, 1024 * 1024), 'x', 1024 * 1024);
	start("sleep 1; exec <&-; echo shut; sleep 60", false);
	assert_false(sandbox_process_write(process, (struct text){much.data, 1024 * 1024}, &error));
	assert_non_null(strstr(error.message, "no input any more"));
	expect("shut\n");
}

static int64_t size_of(const char *name)
{
	return sandbox_stat(sandbox, text_of(name)).size;
}

static void nothing_is_left_when_a_process_is_closed(void **state)
{
	(void)state;
	start("(setsid sh -c 'trap \"\" TERM HUP; while :; do echo x >>log; sleep 0.01; done' &) "
	      ">/dev/null 2>&1; until test -s log; do :; done; echo ready; sleep 60",
		true);
	expect("ready");
	finish(NULL);
	int64_t size = size_of("log");
	nanosleep(&(struct timespec){0, 100000000}, NULL);
	assert_true(size > 0);
	assert_int_equal(size_of("log"), size);
}

static void commands_go_on_beside_a_process(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	struct error error = {0};
	struct process_result result;
	struct sandbox_command command = {.shell = "echo from-command >told"};
	start("until test -s told; do sleep 0.02; done; cat told", false);
	assert_true(sandbox_exec(sandbox, &arena, &command, &result, &error));
	expect("from-command\n");
}

static void a_process_has_the_walls_of_a_command(void **state)
{
	(void)state;
	start("id -u; grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; ls /home /root; "
	      "set -- /proc/[0-9]*; echo $#; ls /proc/self/fd | tr '\\n' ' '",
		true);
	read_to_the_end();
	assert_non_null(strstr(output.data, "1000\r\n"));
	assert_non_null(strstr(output.data,
		"CapBnd:\t0000000000000000\r\nNoNewPrivs:\t1\r\n"
		"Seccomp:\t2\r\n"));
	assert_non_null(strstr(output.data, "'/home': No such file"));
	assert_non_null(strstr(output.data, "\n2\r\n0 1 2 3 "));
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
#define PROCESS_TEST(name) cmocka_unit_test_teardown(name, finish)
	const struct CMUnitTest tests[] = {
		PROCESS_TEST(a_process_is_talked_to_by_pipes),
		PROCESS_TEST(a_read_returns_at_once_with_output_and_waits_no_longer_than_asked),
		PROCESS_TEST(a_process_that_ended_says_so_after_its_output),
		PROCESS_TEST(a_terminal_is_one),
		PROCESS_TEST(a_terminal_changes_its_size_and_tells),
		PROCESS_TEST(input_that_nobody_reads_does_not_block_for_ever),
		PROCESS_TEST(nothing_is_left_when_a_process_is_closed),
		PROCESS_TEST(commands_go_on_beside_a_process),
		PROCESS_TEST(a_process_has_the_walls_of_a_command),
	};
	return cmocka_run_group_tests(tests, open_session, close_session);
}
