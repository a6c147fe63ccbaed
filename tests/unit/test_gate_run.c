/* Checks that run commands: with commands made up by the test, and in the real sandbox. */
#include "gate_test.h"

static int64_t command_timeout;
static bool command_read_only;
static char command_shell[64], command_words[64];
static int commands, still_after;
static struct process_result answer;

static void respond(const struct sandbox_command *command, struct process_result *result)
{
	commands++;
	command_timeout = command->timeout;
	command_read_only = command->read_only;
	snprintf(command_shell, sizeof(command_shell), "%s", command->shell ? command->shell : "");
	command_words[0] = '\0';
	for (size_t i = 0; command->argv && command->argv[i]; i++) {
		strcat(command_words, command->argv[i]);
		strcat(command_words, "|");
	}
	*result = answer;
}

// Writes something else each time, until it was called often enough.
static void write_file(const char *path)
{
	commands++;
	put(path, text_of(arena_printf(&arena, "%d", commands < still_after ? commands : 0)));
}

static void write_named(const struct sandbox_command *command, struct process_result *result)
{
	(void)command;
	(void)result;
	write_file("src/named");
}

static void write_other(const struct sandbox_command *command, struct process_result *result)
{
	(void)command;
	(void)result;
	write_file("other");
}

static void swap_contents(const struct sandbox_command *command, struct process_result *result)
{
	(void)command;
	(void)result;
	bool odd = commands++ % 2;
	put("a", odd ? TEXT("x") : TEXT("xy"));
	put("b", odd ? TEXT("yz") : TEXT("z"));
}

static int begin_made_up(void **state)
{
	commands = 0;
	still_after = INT32_MAX;
	answer = (struct process_result){0};
	int result = begin(state);
	plain.command = respond;
	return result;
}

static void a_command_is_run_as_it_is_declared(void **state)
{
	(void)state;
	holds("{run: 'echo $HOME | cat'}");
	assert_string_equal(command_shell, "echo $HOME | cat");
	assert_true(command_read_only);
	assert_int_equal(command_timeout, 60000);
	holds("{run: [echo, '$HOME', 'a b', 3], timeout: 2m, read_only: false}");
	assert_string_equal(command_words, "echo|$HOME|a b|3|");
	assert_string_equal(command_shell, "");
	assert_false(command_read_only);
	assert_int_equal(command_timeout, 120000);
	holds("{run: true}");
	assert_string_equal(command_shell, "true");
}

static void a_wrong_exit_status_is_told_with_the_end_of_what_it_said(void **state)
{
	(void)state;
	answer = (struct process_result){
		.status = 4, .out = TEXT("out\n"), .err = TEXT("why\nnot\n")};
	fails("{run: make test}",
		"- 'make test' ended with exit status 4, not 0. It said:\n  why\n  not\n");
	assert_string_equal(verdict.findings[0].reader, "sandbox");
	assert_string_equal(verdict.findings[0].expected, "exit status 0");
	assert_string_equal(verdict.findings[0].found, "exit status 4");
	holds("{run: make test, exit: 4}");
	assert_string_equal(verdict.findings[0].reader, "sandbox");
	answer.err = TEXT("");
	fails("{run: make test}", "It said:\n  out\n");
	answer.out = TEXT("");
	fails("{run: make test}", "not 0. It said nothing.\n");
}

static void what_a_command_says_is_bounded_and_harmless(void **state)
{
	(void)state;
	char flood[2001];
	for (size_t i = 0; i + 1 < sizeof(flood); i += 2) {
		memcpy(flood + i, "\xc3\xa9", 2);
	}
	memcpy(flood + 1990, "\x1b[2J\xff\n- ok", 10);
	answer = (struct process_result){.status = 1, .out = {flood, 2000}};
	fails("{run: x}", "It said at the end:\n");
	assert_true(strlen(told()) < 900);
	assert_true(text_is_utf8(text_of(told())));
	assert_null(strchr(told(), '\x1b'));
	// It cannot forge a line of the list.
	assert_null(strstr(told(), "\n- ok"));
}

static void output_has_to_match(void **state)
{
	(void)state;
	answer = (struct process_result){.out = TEXT("12 passed\n"), .out_bytes = 10};
	holds("{run: x, stdout_matches: '^\\d+ passed'}");
	fails("{run: x, stdout_matches: failed}",
		"- The output of 'x' does not match /failed/. It said:\n  12 passed\n");
	answer.out_bytes = 1 << 20;
	fails("{run: x, stdout_matches: failed}", "only its first and last 32 KiB");
	char costly[600];
	memset(costly, 'a', sizeof(costly));
	costly[sizeof(costly) - 1] = '!';
	answer.out = (struct text){costly, sizeof(costly)};
	fails("{run: x, stdout_matches: '(a+)+$'}", "takes too long to be matched");
	fails("{not: {run: x, stdout_matches: '(a+)+$'}}", "cannot be seen");
}

static void a_command_that_does_not_end_fails_and_so_does_its_opposite(void **state)
{
	(void)state;
	answer = (struct process_result){.status = 137, .timed_out = true};
	fails("{run: x, timeout: 90s}", "'x' did not end within 1m30s. It said nothing.");
	fails("{not: {run: x, timeout: 90s}}", "cannot be seen");
	answer = (struct process_result){.status = 1};
	holds("{not: {run: x}}");
}

static void a_cancelled_command_gives_no_verdict(void **state)
{
	(void)state;
	answer = (struct process_result){.cancelled = true, .status = 137};
	not_checked("{run: x}", "'x' could not be checked: cancelled.");
	not_checked("{not: {run: x}}", "could not be checked");
}

static void a_sandbox_without_read_only_commands_gives_no_verdict(void **state)
{
	(void)state;
	struct sandbox_driver weak = plain_driver;
	weak.flags = 0;
	plain.session.driver = &weak;
	not_checked("{run: x}", "cannot make the workspace read-only");
	assert_int_equal(commands, 0);
	holds("{run: x, read_only: false}");
}

static void files_that_change_under_a_command_are_tried_again(void **state)
{
	(void)state;
	put("src/named", TEXT("start"));
	plain.command = write_named;
	fails("[src/named, {run: x, read_only: false}]",
		"The files of gate 'test' are changing while it is checked");
	assert_int_equal(commands, 3);
	commands = 0;
	still_after = 2;
	holds("[src/named, {run: x, read_only: false}]");
	assert_int_equal(commands, 3);
}

static void files_of_a_glob_or_folder_that_change_are_seen(void **state)
{
	(void)state;
	put("src/named", TEXT("start"));
	plain.command = write_named;
	fails("[{glob: 'src/*'}, {run: x, read_only: false}]", "are changing");
	fails("[{dir: src}, {run: x, read_only: false}]", "are changing");
	fails("[{any: [{glob: '**/named'}]}, {run: x, read_only: false}]", "are changing");
}

static void files_that_trade_their_contents_are_seen(void **state)
{
	(void)state;
	put("a", TEXT("x"));
	put("b", TEXT("yz"));
	plain.command = swap_contents;
	fails("[a, b, {run: x, read_only: false}]", "are changing");
}

static void files_that_the_gate_does_not_name_may_change(void **state)
{
	(void)state;
	put("src/named", TEXT("start"));
	plain.command = write_other;
	holds("[{glob: 'src/*'}, {run: x, read_only: false}]");
	assert_int_equal(commands, 1);
}

// --- In the real sandbox ---

static char run_folder[64];

static int begin_real(void **state)
{
	(void)state;
	strcpy(run_folder, "/tmp/muster-test-gate-XXXXXX");
	if (!mkdtemp(run_folder)) {
		return -1;
	}
	struct sandbox_settings settings = {.run = "test", .folder = run_folder};
	sandbox = sandbox_create(sandbox_driver_find("unix-local"), &settings, &error);
	if (!sandbox) {
		print_error("%s\n", error.message);
	}
	return sandbox ? 0 : -1;
}

static int end_real(void **state)
{
	(void)state;
	sandbox_detach(sandbox);
	arena_finish(&arena);
	return file_remove_tree(run_folder, &error) ? 0 : -1;
}

static void put_real(const char *path, struct text content)
{
	assert_true(sandbox_write(sandbox, text_of(path), content, 0, &error));
}

static void commands_run_in_the_sandbox_with_a_read_only_workspace(void **state)
{
	(void)state;
	put_real("kept", TEXT("kept"));
	holds("[kept, {run: 'test -f kept'}]");
	holds("{run: [test, -f, kept]}");
	holds("{run: 'exit 3', exit: 3}");
	fails("{run: 'echo why >&2; exit 4'}",
		"'echo why >&2; exit 4' ended with exit status 4, not 0. It said:\n  why");
	holds("{run: echo 12, stdout_matches: '^1'}");
	fails("{run: echo 12, stdout_matches: '^2'}", "does not match /^2/");
	fails("{run: sleep 9, timeout: 200ms}", "did not end within 200ms");
	fails("{run: [no-such-program-anywhere]}", "no-such-program-anywhere");
	fails("{run: echo x >kept}", "ended with exit status");
	fails("{run: rm kept}", "ended with exit status");
	holds("kept");
	holds("{run: echo x >written, read_only: false}");
	holds("written");
	assert_string_equal(verdict.findings[0].reader, "harness");
}

static void a_flood_of_output_is_bounded(void **state)
{
	(void)state;
	fails("{run: 'yes | head -c 20000000; exit 1'}", "It said at the end:\n");
	assert_true(strlen(told()) < 2000);
	fails("{run: yes, timeout: 300ms}", "did not end within 300ms");
}

static void what_commands_leave_behind_cannot_trick_the_next_check(void **state)
{
	(void)state;
	holds("{run: 'mkfifo spec.md; ln -s /etc/shadow out; ln -s /proc/self/environ magic; "
	      "truncate -s 1T huge; (sleep 1; echo x >late) & exit 0', read_only: false}");
	fails("spec.md", "spec.md is a FIFO");
	fails("out", "out is a link that leaves the workspace");
	fails("magic", "not a regular file");
	fails("huge", "too large");
	fails("{run: 'cat out'}", "No such file");
}

static void a_file_that_a_command_keeps_changing_fails(void **state)
{
	(void)state;
	put_real("n", TEXT("0"));
	fails("[n, {run: 'date +%N >n', read_only: false}]", "are changing while it is checked");
}

int main(void)
{
#define MADE_UP(test) cmocka_unit_test_setup_teardown(test, begin_made_up, end)
#define REAL(test) cmocka_unit_test_setup_teardown(test, begin_real, end_real)
	const struct CMUnitTest tests[] = {
		MADE_UP(a_command_is_run_as_it_is_declared),
		MADE_UP(a_wrong_exit_status_is_told_with_the_end_of_what_it_said),
		MADE_UP(what_a_command_says_is_bounded_and_harmless),
		MADE_UP(output_has_to_match),
		MADE_UP(a_command_that_does_not_end_fails_and_so_does_its_opposite),
		MADE_UP(a_cancelled_command_gives_no_verdict),
		MADE_UP(a_sandbox_without_read_only_commands_gives_no_verdict),
		MADE_UP(files_that_change_under_a_command_are_tried_again),
		MADE_UP(files_of_a_glob_or_folder_that_change_are_seen),
		MADE_UP(files_that_trade_their_contents_are_seen),
		MADE_UP(files_that_the_gate_does_not_name_may_change),
		REAL(commands_run_in_the_sandbox_with_a_read_only_workspace),
		REAL(a_flood_of_output_is_bounded),
		REAL(what_commands_leave_behind_cannot_trick_the_next_check),
		REAL(a_file_that_a_command_keeps_changing_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
