/* What a warm session of the Unix-local sandbox adds to what test_sandbox.c proves of both kinds. */
#include "test.h"

#include <dirent.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

static char folder[] = "/tmp/muster-test-warm-XXXXXX";
static struct sandbox *sandbox;
static struct arena arena;

static int open_session(void **state)
{
	(void)state;
	struct error error = {0};
	struct sandbox_settings settings = {
		.run = "test", .folder = folder, .options = "{\"session\": \"warm\"}"};
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
	arena_finish(&arena);
	return file_remove_tree(folder, &error) ? 0 : -1;
}

struct job {
	const char *shell;
	struct arena arena;
	struct process_result result;
	struct error error;
	bool fine;
};

static void *run_job(void *data)
{
	struct job *job = data;
	struct sandbox_command command = {.shell = job->shell, .timeout = 30000};
	job->fine = sandbox_exec(sandbox, &job->arena, &command, &job->result, &job->error);
	return NULL;
}

static struct process_result run(const char *shell)
{
	struct job job = {.shell = shell};
	run_job(&job);
	if (!job.fine) {
		fail_msg("%s", job.error.message);
	}
	job.result.out = text_copy(&arena, job.result.out);
	arena_finish(&job.arena);
	return job.result;
}

static void wait_a_little(void)
{
	nanosleep(&(struct timespec){0, 10000000}, NULL);
}

static void wait_for_file(const char *name)
{
	for (int i = 0; i < 1000 && sandbox_stat(sandbox, text_of(name)).kind != FOLDER_FILE; i++) {
		wait_a_little();
	}
	assert_int_equal(sandbox_stat(sandbox, text_of(name)).kind, FOLDER_FILE);
}

// A process of this machine whose parent is `parent`; 0: none.
static pid_t child_of(pid_t parent)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;
	while ((entry = readdir(processes)) && !found) {
		struct error ignored = {0};
		struct text stat;
		int of = 0;
		char *path = arena_printf(&arena, "/proc/%s/stat", entry->d_name);
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
			file_read(&arena, path, 4096, &stat, &ignored) &&
			sscanf(strrchr(stat.data, ')'), ") %*c %d", &of) == 1 && of == parent) {
			found = (pid_t)atoi(entry->d_name);
		}
	}
	closedir(processes);
	return found;
}

// bubblewrap outside, the runner inside, as this machine sees them.
static pid_t runner(void)
{
	pid_t found = child_of(child_of(getpid()));
	assert_true(found > 1);
	return found;
}

static void commands_share_one_bubblewrap(void **state)
{
	(void)state;
	pid_t before = runner();
	run("true");
	run("true");
	assert_int_equal(runner(), before);
}

static void a_killed_runner_is_told_and_the_next_command_gets_a_new_one(void **state)
{
	(void)state;
	pthread_t thread;
	struct job job = {.shell = "touch begun; while :; do echo x >>alive; sleep 0.01; done"};
	pid_t before = runner();
	assert_int_equal(pthread_create(&thread, NULL, run_job, &job), 0);
	wait_for_file("begun");
	assert_int_equal(kill(before, SIGKILL), 0);
	pthread_join(thread, NULL);
	assert_false(job.fine);
	assert_int_equal(job.error.kind, ERROR_UNAVAILABLE);
	assert_non_null(strstr(job.error.message, "runner was killed"));
	arena_finish(&job.arena);
	wait_a_little();
	int64_t size = sandbox_stat(sandbox, TEXT("alive")).size;
	assert_text(run("sleep 0.1; echo again").out, "again\n");
	assert_int_equal(sandbox_stat(sandbox, TEXT("alive")).size, size);
	assert_int_not_equal(runner(), before);
	kill(runner(), SIGKILL); // between commands nobody notices
	wait_a_little();
	assert_text(run("echo and again").out, "and again\n");
}

static void a_session_outlives_the_thread_that_began_it(void **state)
{
	(void)state;
	pthread_t thread;
	struct job job = {.shell = "true"};
	kill(runner(), SIGKILL);
	wait_a_little();
	assert_int_equal(pthread_create(&thread, NULL, run_job, &job), 0);
	pthread_join(thread, NULL);
	assert_true(job.fine);
	arena_finish(&job.arena);
	pid_t begun = runner();
	wait_a_little();
	run("true");
	assert_int_equal(runner(), begun);
}

static void commands_at_the_same_time_do_not_see_each_other(void **state)
{
	(void)state;
	pthread_t thread;
	struct job job = {.shell = "echo secret >/tmp/note; touch up; sleep 1; cat /tmp/note"};
	assert_int_equal(pthread_create(&thread, NULL, run_job, &job), 0);
	wait_for_file("up");
	assert_text(run("ls /tmp; ls /proc | grep -c '^[0-9]'").out, "4\n"); // init, sh, ls, grep
	run("kill -9 -1");
	pthread_join(thread, NULL);
	assert_text(job.result.out, "secret\n");
	arena_finish(&job.arena);
}

enum { AT_ONCE = 30 };

static void many_commands_run_at_once(void **state)
{
	(void)state;
	pthread_t threads[AT_ONCE];
	struct job jobs[AT_ONCE] = {{0}};
	for (int i = 0; i < AT_ONCE; i++) {
		jobs[i].shell = "head -c 100000 /dev/zero | wc -c";
		assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
	}
	for (int i = 0; i < AT_ONCE; i++) {
		pthread_join(threads[i], NULL);
		assert_true(jobs[i].fine);
		assert_text(jobs[i].result.out, "100000\n");
		arena_finish(&jobs[i].arena);
	}
}

static void a_long_text_is_refused_with_a_remedy(void **state)
{
	(void)state;
	char *shell = arena_alloc(&arena, 200 * 1024 + 1);
	memset(shell, ' ', 200 * 1024);
	struct job job = {.shell = shell};
	run_job(&job);
	assert_false(job.fine);
	assert_non_null(strstr(job.error.message, "Argument list too long"));
	assert_non_null(strstr(job.error.hint, "file of the workspace"));
	arena_finish(&job.arena);
}

static void a_file_has_a_largest_size(void **state)
{
	(void)state;
	struct error error = {0};
	struct sandbox_settings settings = {
		.folder = folder, .options = "{\"session\": \"warm\", \"file_size\": 4096}"};
	struct sandbox *small =
		sandbox_create(sandbox_driver_find("unix-local"), &settings, &error);
	struct sandbox_command command = {
		.shell = "head -c 4096 /dev/zero >fits && head -c 4097 /dev/zero >does-not"};
	struct process_result result;
	assert_non_null(small);
	assert_true(sandbox_exec(small, &arena, &command, &result, &error));
	assert_int_equal(result.status, 128 + SIGXFSZ);
	sandbox_detach(small);
}

// A machine that lets no namespaces be made inside of others, as some do with AppArmor.
static void where_it_cannot_be_warm_each_command_gets_a_fresh_bubblewrap(void **state)
{
	(void)state;
	static const char *const hosts[] = {"example.org", NULL};
	struct error error = {0};
	struct process_result result;
	char *path = arena_string(&arena, getenv("PATH"));
	char *fake = arena_printf(&arena, "%s/fake", folder);
	char *text = arena_printf(
		&arena, "#!/bin/sh\nPATH='%s' exec bwrap --disable-userns \"$@\"\n", path);
	assert_true(file_make_folders(fake, 0755, &error));
	assert_int_equal(chmod(folder, 0755), 0);
	assert_true(
		file_replace(arena_printf(&arena, "%s/bwrap", fake), text_of(text), 0755, &error));
	setenv("PATH", fake, 1);
	struct sandbox_settings settings = {.folder = folder, .options = "{\"session\": \"warm\"}"};
	const struct sandbox_driver *driver = sandbox_driver_find("unix-local");
	struct sandbox *refused = sandbox_create(driver, &settings, &error);
	settings.options = NULL;
	settings.hosts = hosts; // needs the runner
	struct error other = {0};
	struct sandbox *without_proxy = sandbox_create(driver, &settings, &other);
	settings.hosts = NULL;
	struct error third = {0};
	struct sandbox *plain = sandbox_create(driver, &settings, &third);
	struct sandbox_command command = {.shell = "tr '\\0' ' ' </proc/1/cmdline",
		.read_only_folders = (const char *const[]){"folder", NULL}};
	bool fine = plain && sandbox_exec(plain, &arena, &command, &result, &third);
	setenv("PATH", path, 1);
	sandbox_detach(plain);
	assert_null(refused);
	assert_non_null(strstr(error.message, "its namespaces"));
	assert_non_null(strstr(error.hint, "per-command"));
	assert_null(without_proxy);
	if (!fine) {
		fail_msg("%s", third.message);
	}
	assert_true(text_starts(result.out, "bwrap "));
}

// With the argument "user": as an ordinary user, also when started by root.
int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1 && geteuid() == 0 &&
		(setgroups(0, NULL) < 0 || setgid(12345) < 0 || setuid(12345) < 0)) {
		return 99;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_share_one_bubblewrap),
		cmocka_unit_test(a_killed_runner_is_told_and_the_next_command_gets_a_new_one),
		cmocka_unit_test(a_session_outlives_the_thread_that_began_it),
		cmocka_unit_test(commands_at_the_same_time_do_not_see_each_other),
		cmocka_unit_test(many_commands_run_at_once),
		cmocka_unit_test(a_long_text_is_refused_with_a_remedy),
		cmocka_unit_test(a_file_has_a_largest_size),
		cmocka_unit_test(where_it_cannot_be_warm_each_command_gets_a_fresh_bubblewrap),
	};
	return cmocka_run_group_tests(tests, open_session, close_session);
}
