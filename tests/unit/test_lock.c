#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "engine/lock.h"

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/muster-test-lock-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	struct error error = {0};
	(void)state;
	return file_remove_tree(folder, &error) ? 0 : -1;
}

// A process that holds the lock until it is killed.
static pid_t start_holder(void)
{
	int ready[2];
	char byte;
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		struct error error = {0};
		if (run_lock(folder, "r", &error) < 0 || write(ready[1], "x", 1) != 1) {
			_exit(1);
		}
		for (;;) {
			pause();
		}
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static void a_second_driver_is_told_who_the_first_is(void **state)
{
	(void)state;
	char expected[64];
	struct error error = {0};
	pid_t holder = start_holder();
	assert_int_equal(run_lock(folder, "r", &error), -1);
	assert_int_equal(error.kind, ERROR_USAGE);
	snprintf(expected, sizeof(expected), "run 'r' is being driven by process %d", (int)holder);
	assert_string_equal(error.message, expected);
	kill(holder, SIGKILL);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
}

static void the_lock_of_a_killed_process_is_free(void **state)
{
	(void)state;
	struct error error = {0};
	pid_t holder = start_holder();
	assert_true(run_is_driven(folder));
	kill(holder, SIGKILL);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	assert_false(run_is_driven(folder));
	int lock = run_lock(folder, "r", &error);
	assert_true(lock >= 0);
	assert_true(run_is_driven(folder));
	file_close(&lock);
	assert_false(run_is_driven(folder));
}

static void who_only_asks_keeps_no_driver_away(void **state)
{
	(void)state;
	char path[96];
	struct error error = {0};
	snprintf(path, sizeof(path), "%s/lock", folder);
	// What run_is_driven() does, slowly.
	int asking = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(flock(asking, LOCK_SH), 0);
	pid_t child = fork();
	if (child == 0) {
		usleep(30000);
		flock(asking, LOCK_UN);
		_exit(0);
	}
	int lock = run_lock(folder, "r", &error);
	assert_true(lock >= 0);
	file_close(&lock);
	file_close(&asking);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_second_driver_is_told_who_the_first_is),
		IN_FOLDER(the_lock_of_a_killed_process_is_free),
		IN_FOLDER(who_only_asks_keeps_no_driver_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
