#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"

static struct arena arena;
static struct process_result result;

static int tear_down(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

static void run_process(struct process process)
{
	struct error error = {0};
	process.timeout = process.timeout ? process.timeout : 60000;
	if (!process_run(&arena, &process, &result, &error)) {
		fail_msg("%s", error.message);
	}
}

#define SHELL(text) ((const char *const[]){"/bin/sh", "-c", text, NULL})

static void run(const char *shell)
{
	run_process((struct process){.argv = SHELL(shell)});
}

static void a_program_has_its_arguments_input_folder_and_environment(void **state)
{
	(void)state;
	static const char *const environment[] = {"ONE=1", "TWO=a b", NULL};
	setenv("MUSTER_CANARY", "secret", 1);
	run_process((struct process){
		.argv = (const char *const[]){"/usr/bin/env", NULL}, .environment = environment});
	assert_text(result.out, "ONE=1\nTWO=a b\n");
	run_process((struct process){.argv = (const char *const[]){"env", NULL}});
	assert_text(result.out, "");
	run_process(
		(struct process){.argv = SHELL("cat; pwd"), .input = TEXT("in"), .folder = "/usr"});
	assert_text(result.out, "in/usr\n");
	run("read x; echo \"$?\"; umask"); // no input: the end at once
	assert_text(result.out, "1\n0022\n");
}

static void the_status_says_how_it_ended(void **state)
{
	(void)state;
	run("echo out; echo err >&2; exit 42");
	assert_int_equal(result.status, 42);
	assert_text(result.out, "out\n");
	assert_text(result.err, "err\n");
	run("kill -SEGV $$");
	assert_int_equal(result.status, 128 + SIGSEGV);
	assert_false(result.timed_out);
}

static bool refuse(const void *data)
{
	(void)data;
	errno = EXDEV;
	return false;
}

static void a_program_that_cannot_start_says_why(void **state)
{
	(void)state;
	struct error error = {0};
	struct process process = {.argv = (const char *const[]){"no-such-program", NULL}};
	assert_false(process_run(&arena, &process, &result, &error));
	assert_string_equal(
		error.message, "cannot start 'no-such-program': No such file or directory");
	assert_int_equal(error.kind, ERROR_UNAVAILABLE);
	process = (struct process){.argv = SHELL("true"), .folder = "/no/such"};
	assert_false(process_run(&arena, &process, &result, &error));
	assert_non_null(strstr(error.message, "its folder: No such file"));
	process = (struct process){.argv = SHELL("true"), .prepare = refuse};
	assert_false(process_run(&arena, &process, &result, &error));
	assert_non_null(strstr(error.message, strerror(EXDEV)));
}

static void signals_and_descriptors_of_ours_are_not_handed_on(void **state)
{
	(void)state;
	sigset_t blocked, old;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &old);
	int leaking = open("/etc/passwd", O_RDONLY); // not close-on-exec
	int passed = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	char shell[128];
	snprintf(shell, sizeof(shell),
		"grep -E '^Sig(Blk|Ign)' /proc/self/status; test -e "
		"/proc/self/fd/%d || echo closed; read x </proc/self/fd/%d && echo open",
		leaking, passed);
	run_process(
		(struct process){.argv = SHELL(shell), .pass_fds = &passed, .pass_fd_count = 1});
	assert_text(result.out,
		"SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nclosed\n"
		"open\n");
	assert_true(fcntl(passed, F_GETFD) & FD_CLOEXEC);
	close(leaking);
	close(passed);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
}

static void it_works_without_standard_streams_of_our_own(void **state)
{
	(void)state;
	int saved[3];
	for (int i = 0; i < 3; i++) {
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
		close(i);
	}
	struct error error = {0};
	struct process process = {.argv = SHELL("cat; echo err >&2"), .input = TEXT("in")};
	bool fine = process_run(&arena, &process, &result, &error);
	for (int i = 0; i < 3; i++) {
		dup2(saved[i], i);
		close(saved[i]);
	}
	assert_true(fine);
	assert_text(result.out, "in");
	assert_text(result.err, "err\n");
}

static long resident(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss; // KiB
}

static void a_gigabyte_of_output_keeps_head_and_tail_in_bounded_memory(void **state)
{
	(void)state;
	long before = resident();
	run_process((struct process){
		.argv = SHELL("echo first; head -c 1000000000 /dev/zero; echo; echo last"),
		.output_limit = 1000});
	assert_int_equal(result.out_bytes, 1000000012);
	assert_true(result.out.length < 1100);
	assert_true(text_starts(result.out, "first\n"));
	assert_true(text_ends(result.out, "\nlast\n"));
	assert_true(text_find(result.out, TEXT("\n... 999999010 bytes left out ...\n")) <
		result.out.length);
	assert_true(resident() - before < 16 * 1024);
}

static void output_within_the_limit_is_kept_as_it_is(void **state)
{
	(void)state;
	for (int size = 95; size <= 102; size++) {
		char shell[64];
		snprintf(shell, sizeof(shell), "seq -w 1000 | head -c %d", size);
		run_process((struct process){.argv = SHELL(shell), .output_limit = 100});
		assert_int_equal(result.out_bytes, size);
		assert_int_equal(result.out.length, size);
		assert_true(text_starts(result.out, "0001\n0002\n"));
	}
	run_process((struct process){.argv = SHELL("printf 0123456789abcdefghij; sleep 0.05; "
						   "printf KLM; sleep 0.05; printf NOPQR"),
		.output_limit = 10});
	assert_text(result.out, "012345\n... 16 bytes left out ...\nMNOPQR");
}

static void collect(void *data, int stream, struct text bytes)
{
	struct buffer *streams = data;
	buffer_add_text(&streams[stream - 1], bytes);
}

static void output_is_told_as_it_comes(void **state)
{
	(void)state;
	struct buffer streams[2] = {{0}, {0}};
	run_process((struct process){.argv = SHELL("echo a; echo b >&2; echo c"),
		.output = collect,
		.output_data = streams,
		.output_limit = 2});
	assert_text(buffer_text(&streams[0]), "a\nc\n");
	assert_text(buffer_text(&streams[1]), "b\n");
	buffer_finish(&streams[0]);
	buffer_finish(&streams[1]);
}

// Gone, or dead and only waiting for whoever collects orphans here.
static bool is_dead(pid_t pid)
{
	char path[64];
	struct text status;
	struct error error = {0};
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	return !file_read(&arena, path, 64 * 1024, &status, &error) ||
		text_find(status, TEXT("State:\tZ")) < status.length;
}

static void expect_gone(pid_t pid)
{
	for (int i = 0; i < 200 && !is_dead(pid); i++) {
		nanosleep(&(struct timespec){0, 10000000}, NULL);
	}
	assert_true(is_dead(pid));
}

static void a_time_out_kills_the_whole_group(void **state)
{
	(void)state;
	run_process((struct process){
		.argv = SHELL("trap '' TERM HUP INT; sleep 600 & echo $!; echo kept; sleep 600"),
		.timeout = 300});
	assert_true(result.timed_out);
	assert_false(result.cancelled);
	assert_int_equal(result.status, 128 + SIGKILL);
	assert_true(result.milliseconds >= 300 && result.milliseconds < 5000);
	assert_true(text_ends(result.out, "kept\n"));
	expect_gone((pid_t)atoi(result.out.data));
}

static void what_is_left_in_the_background_does_not_keep_us(void **state)
{
	(void)state;
	run("sleep 600 & echo $!");
	assert_int_equal(result.status, 0);
	assert_true(result.milliseconds < 5000);
	expect_gone((pid_t)atoi(result.out.data));
	run("setsid sleep 30 & echo $!"); // left the group, holds our pipes
	assert_true(result.milliseconds < 5000);
	kill((pid_t)atoi(result.out.data), SIGKILL);
}

static void *cancel_soon(void *data)
{
	nanosleep(&(struct timespec){0, 200000000}, NULL);
	atomic_store((atomic_bool *)data, true);
	return NULL;
}

static void a_cancelled_process_is_killed(void **state)
{
	(void)state;
	pthread_t thread;
	atomic_bool cancel = false;
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
	run_process((struct process){.argv = SHELL("sleep 600"), .cancel = &cancel});
	pthread_join(thread, NULL);
	assert_true(result.cancelled);
	assert_false(result.timed_out);
	assert_true(result.milliseconds < 5000);
}

static void limits_hold_and_are_never_raised(void **state)
{
	(void)state;
	struct rlimit ours;
	getrlimit(RLIMIT_NOFILE, &ours);
	const struct process_limit limits[] = {{RLIMIT_NOFILE, 64}, {RLIMIT_FSIZE, RLIM_INFINITY}};
	run_process((struct process){
		.argv = SHELL("ulimit -n; ulimit -Hn"), .limits = limits, .limit_count = 2});
	assert_text(result.out, "64\n64\n");
	const struct process_limit more[] = {{RLIMIT_NOFILE, ours.rlim_max + 1}};
	run_process((struct process){.argv = SHELL("true"), .limits = more, .limit_count = 1});
	assert_int_equal(result.status, 0);
}

static void root_becomes_the_user_without_any_groups(void **state)
{
	(void)state;
	struct error error = {0};
	struct process process = {.argv = SHELL("id -u; id -G"),
		.timeout = 60000,
		.drop = true,
		.user = 12345,
		.group = 12346};
	if (geteuid() != 0) { // refused, never run as who we are
		assert_false(process_run(&arena, &process, &result, &error));
		assert_non_null(strstr(error.message, "its user"));
		return;
	}
	assert_true(process_run(&arena, &process, &result, &error));
	assert_text(result.out, "12345\n12346\n");
	assert_int_equal(geteuid(), 0);
}

static void *run_many(void *data)
{
	int *wrong = data;
	arena_cleanup own = {0};
	for (int i = 0; i < 20; i++) {
		struct process_result mine;
		struct error error = {0};
		struct process process = {
			.argv = SHELL("cat"), .input = TEXT("mine"), .timeout = 60000};
		if (!process_run(&own, &process, &mine, &error) || !text_is(mine.out, "mine") ||
			mine.milliseconds > 30000) {
			++*wrong;
		}
	}
	return NULL;
}

static void several_threads_run_processes_at_once(void **state)
{
	(void)state;
	pthread_t threads[4];
	int wrong[4] = {0};
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, run_many, &wrong[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(wrong[i], 0);
	}
}

int main(void)
{
	setenv("PATH", "/usr/bin:/bin", 1); // the caller's may name folders that we may not enter
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_has_its_arguments_input_folder_and_environment),
		cmocka_unit_test(the_status_says_how_it_ended),
		cmocka_unit_test(a_program_that_cannot_start_says_why),
		cmocka_unit_test(signals_and_descriptors_of_ours_are_not_handed_on),
		cmocka_unit_test(it_works_without_standard_streams_of_our_own),
		cmocka_unit_test(a_gigabyte_of_output_keeps_head_and_tail_in_bounded_memory),
		cmocka_unit_test(output_within_the_limit_is_kept_as_it_is),
		cmocka_unit_test(output_is_told_as_it_comes),
		cmocka_unit_test(a_time_out_kills_the_whole_group),
		cmocka_unit_test(what_is_left_in_the_background_does_not_keep_us),
		cmocka_unit_test(a_cancelled_process_is_killed),
		cmocka_unit_test(limits_hold_and_are_never_raised),
		cmocka_unit_test(root_becomes_the_user_without_any_groups),
		cmocka_unit_test(several_threads_run_processes_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
