/* Processes that go on between calls. */
#include "drivers.h"

#include <signal.h>
#include <unistd.h>

static struct sandbox_process *process; // of the test that runs
static struct buffer output;            // what it said
static bool ended;
static int status;

static bool available(bool terminal)
{
	return has(terminal ? SANDBOX_TERMINAL : SANDBOX_PROCESS);
}

// False where the driver cannot do it: then it was refused as it should be.
static bool start(const char *shell, bool terminal)
{
	struct error problem = {0};
	struct sandbox_process_settings settings = {
		.command = {.shell = shell}, .terminal = terminal, .columns = 100, .rows = 30};
	process = sandbox_open_process(sandbox, &settings, &problem);
	ended = false;
	if (!available(terminal)) {
		error = problem;
		lacking(process != NULL);
		return false;
	}
	must(process != NULL, &problem);
	return true;
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
	struct error problem = {0};
	must(sandbox_process_write(process, text_of(text), &problem), &problem);
}

// Reads on until `text` was said; forgets all of it.
static void expect(const char *text)
{
	struct error problem = {0};
	for (int i = 0; i < 200 && !ended; i++) {
		buffer_add(&output, "", 0);
		if (output.length && strstr(output.data, text)) {
			break;
		}
		must(sandbox_process_read(process, 100, &output, &ended, &status, &problem),
			&problem);
	}
	if (!output.length || !strstr(output.data, text)) {
		fail_msg("'%s' does not hold '%s'", output.length ? output.data : "", text);
	}
	buffer_clear(&output);
}

static void read_to_the_end(void)
{
	struct error problem = {0};
	for (int i = 0; i < 200 && !ended; i++) {
		must(sandbox_process_read(process, 100, &output, &ended, &status, &problem),
			&problem);
	}
	assert_true(ended);
}

static void a_process_is_talked_to_by_pipes(void **state)
{
	(void)state;
	if (!start("echo ready; while read line; do echo \"<$line>\"; done; echo bye >&2; exit 3",
		    false)) {
		return;
	}
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
	struct error problem = {0};
	if (!start("echo ready; exec sleep 60", false)) {
		return;
	}
	expect("ready\n");
	int64_t began = milliseconds();
	must(sandbox_process_read(process, 300, &output, &ended, &status, &problem), &problem);
	assert_int_equal(output.length, 0);
	assert_false(ended);
	assert_true(milliseconds() - began >= 250);
	assert_true(milliseconds() - began < 5000);
}

static void a_process_that_ended_says_so_after_its_output(void **state)
{
	(void)state;
	if (!start("echo last; kill -TERM $$", false)) {
		return;
	}
	read_to_the_end();
	assert_string_equal(output.data, "last\n");
	assert_int_equal(status, 128 + SIGTERM);
	assert_false(sandbox_process_write(process, TEXT("x"), &error));
	assert_false(sandbox_process_resize(process, 10, 10, &error)); // it has no terminal
	error = (struct error){0};
}

static void much_output_waits_for_its_reader(void **state)
{
	(void)state;
	struct error problem = {0};
	int64_t total = 0;
	if (!start("head -c 20000000 /dev/zero | tr '\\0' x; echo end", false)) {
		return;
	}
	usleep(300000);
	while (!ended) {
		must(sandbox_process_read(process, 1000, &output, &ended, &status, &problem),
			&problem);
		assert_true(output.length <= 1024 * 1024);
		total += (int64_t)output.length;
		buffer_clear(&output);
	}
	assert_int_equal(total, 20000004);
	assert_int_equal(status, 0);
}

static void bytes_go_through_as_they_are(void **state)
{
	(void)state;
	struct error problem = {0};
	char bytes[256];
	for (int i = 0; i < 256; i++) {
		bytes[i] = (char)i;
	}
	if (!start("exec cat", false)) {
		return;
	}
	must(sandbox_process_write(process, (struct text){bytes, 256}, &problem), &problem);
	say("");
	read_to_the_end();
	assert_int_equal(output.length, 256);
	assert_memory_equal(output.data, bytes, 256);
}

static void a_terminal_is_one(void **state)
{
	(void)state;
	if (!start("stty size; test -t 0 && test -t 1 && test -t 2 && echo terminal; echo $TERM; "
		   "(exec </dev/tty) && echo own; cat; echo over",
		    true)) {
		return;
	}
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
	struct error problem = {0};
	if (!start("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done", true)) {
		return;
	}
	expect("ready\r\n");
	must(sandbox_process_resize(process, 132, 43, &problem), &problem);
	expect("43 132\r\n");
	say("\x03"); // Ctrl-C
	read_to_the_end();
	assert_int_equal(status, 128 + SIGINT);
}

static void input_that_nobody_reads_does_not_block_for_ever(void **state)
{
	(void)state;
	buffer_cleanup much = {0};
	enum { MUCH = 32 * 1024 * 1024 };
	memset(buffer_reserve(&much, MUCH), 'x', MUCH);
	if (!start("exec sleep 60", false)) {
		return;
	}
	int64_t began = milliseconds();
	assert_false(sandbox_process_write(process, (struct text){much.data, MUCH}, &error));
	assert_non_null(strstr(error.message, "did not read"));
	assert_true(milliseconds() - began < 30000);
	error = (struct error){0};
}

static void input_that_was_shut_is_told(void **state)
{
	(void)state;
	buffer_cleanup much = {0};
	enum { MUCH = 1024 * 1024 };
	memset(buffer_reserve(&much, MUCH), 'x', MUCH);
	if (!start("exec <&-; echo shut; exec sleep 60", false)) {
		return;
	}
	expect("shut\n");
	bool fine = true;
	for (int i = 0; i < 20 && fine; i++) { // some may be under way before it is known
		fine = sandbox_process_write(process, (struct text){much.data, MUCH}, &error);
	}
	assert_false(fine);
	assert_non_null(strstr(error.message, "no input any more"));
	error = (struct error){0};
}

static int64_t size_of(const char *name)
{
	return sandbox_stat(sandbox, text_of(name)).size;
}

static void nothing_is_left_when_a_process_is_closed(void **state)
{
	(void)state;
	for (int terminal = 0; terminal < 2; terminal++) {
		if (!start("rm -f log; (setsid sh -c 'trap \"\" TERM HUP; while :; do echo x "
			   ">>log; sleep "
			   "0.01; done' &) >/dev/null 2>&1; until test -s log; do :; done; echo "
			   "ready; "
			   "sleep 60",
			    terminal)) {
			return;
		}
		expect("ready");
		finish(NULL);
		int64_t size = size_of("log");
		usleep(200000);
		assert_true(size > 0);
		assert_int_equal(size_of("log"), size);
	}
}

static void commands_go_on_beside_a_process(void **state)
{
	(void)state;
	if (start("until test -s told; do sleep 0.02; done; cat told", false)) {
		says("echo from-command >told", "");
		expect("from-command\n");
	}
}

static void several_processes_go_on_at_once(void **state)
{
	(void)state;
	enum { SEVERAL = 6 };
	struct sandbox_process *all[SEVERAL];
	if (!available(false)) {
		return;
	}
	for (int i = 0; i < SEVERAL; i++) {
		assert_true(start(arena_printf(&arena, "read line; echo \"%d $line\"", i),
			i % 2 == 1 && available(true)));
		all[i] = process;
	}
	for (int i = SEVERAL - 1; i >= 0; i--) {
		process = all[i];
		ended = false;
		say("hello\n");
		expect(arena_printf(&arena, "%d hello", i));
		read_to_the_end();
		finish(NULL);
	}
}

static void a_process_has_folder_environment_and_user_of_a_command(void **state)
{
	(void)state;
	struct error problem = {0};
	static const char *const environment[] = {"EXTRA=1", NULL};
	struct sandbox_process_settings settings = {
		.command = {
			.argv = (const char *const[]){"sh", "-c", "pwd; echo $COLOUR $EXTRA", NULL},
			.folder = "process/folder",
			.environment = environment}};
	if (!available(false)) {
		return;
	}
	says("mkdir -p process/folder", "");
	process = sandbox_open_process(sandbox, &settings, &problem);
	must(process != NULL, &problem);
	ended = false;
	read_to_the_end();
	assert_string_equal(output.data, "/workspace/process/folder\nblue 1\n");
	finish(NULL);
	settings.command.folder = "process/none";
	process = sandbox_open_process(sandbox, &settings, &error);
	assert_null(process);
	error = (struct error){0};
	if (has(SANDBOX_USERS)) {
		settings.command = (struct sandbox_command){.shell = "id -u", .user = "4321"};
		process = sandbox_open_process(sandbox, &settings, &problem);
		must(process != NULL, &problem);
		ended = false;
		read_to_the_end();
		assert_string_equal(output.data, "4321\n");
	}
}

#define PROCESS_TEST(name) cmocka_unit_test_teardown(name, finish)

const struct CMUnitTest process_tests[] = {
	PROCESS_TEST(a_process_is_talked_to_by_pipes),
	PROCESS_TEST(a_read_returns_at_once_with_output_and_waits_no_longer_than_asked),
	PROCESS_TEST(a_process_that_ended_says_so_after_its_output),
	PROCESS_TEST(much_output_waits_for_its_reader),
	PROCESS_TEST(bytes_go_through_as_they_are),
	PROCESS_TEST(a_terminal_is_one),
	PROCESS_TEST(a_terminal_changes_its_size_and_tells),
	PROCESS_TEST(input_that_nobody_reads_does_not_block_for_ever),
	PROCESS_TEST(input_that_was_shut_is_told),
	PROCESS_TEST(nothing_is_left_when_a_process_is_closed),
	PROCESS_TEST(commands_go_on_beside_a_process),
	PROCESS_TEST(several_processes_go_on_at_once),
	PROCESS_TEST(a_process_has_folder_environment_and_user_of_a_command),
	{NULL},
};
