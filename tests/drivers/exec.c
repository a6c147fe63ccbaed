/* Commands that run to their end. */
#include "drivers.h"

#include <pthread.h>
#include <unistd.h>

static void arguments_arrive_as_they_are(void **state)
{
	(void)state;
	static const char *const argv[] = {
		"printf", "%s|", "a b", "", "$HOME", "new\nline", "'\"\\`", "-n", "\xc3\xbc", NULL};
	run_command((struct sandbox_command){.argv = argv});
	assert_int_equal(result.status, 0);
	assert_text(result.out, "a b||$HOME|new\nline|'\"\\`|-n|\xc3\xbc|");
}

static void an_argument_may_be_long(void **state)
{
	(void)state;
	enum { LONG = 100 * 1024 };
	char *word = arena_alloc(&arena, LONG + 1);
	memset(word, 'x', LONG);
	const char *const argv[] = {
		"sh", "-c", "printf %s \"$1\" | wc -c | tr -d ' '", "-", word, NULL};
	run_command((struct sandbox_command){.argv = argv});
	assert_text(result.out, "102400\n");
}

static void a_shell_takes_text(void **state)
{
	(void)state;
	says("for i in 1 2; do echo $i; done; echo \"$((40 + 2))\"", "1\n2\n42\n");
}

static void output_and_errors_are_apart(void **state)
{
	(void)state;
	run("echo out; echo err >&2");
	assert_text(result.out, "out\n");
	assert_text(result.err, "err\n");
	assert_int_equal(result.out_bytes, 4);
	assert_int_equal(result.err_bytes, 4);
}

static void a_command_starts_in_the_folder_that_was_named(void **state)
{
	(void)state;
	says("mkdir -p exec/sub; pwd", "/workspace\n");
	run_command((struct sandbox_command){.shell = "pwd", .folder = "exec/sub"});
	assert_text(result.out, "/workspace/exec/sub\n");
	run_command((struct sandbox_command){.shell = "pwd", .folder = "/workspace/exec"});
	assert_text(result.out, "/workspace/exec\n");
}

static void a_folder_that_is_not_there_is_the_commands_fault(void **state)
{
	(void)state;
	static const char *const folders[] = {"exec/no/such", "exec/file", "exec/leaving", "../.."};
	says("mkdir -p exec; echo >exec/file; ln -s / exec/leaving", "");
	for (size_t i = 0; i < 4; i++) {
		struct sandbox_command command = {.shell = "pwd", .folder = folders[i]};
		assert_false(sandbox_exec(sandbox, &arena, &command, &result, &error));
		assert_true(error.message[0]);
		assert_int_not_equal(error.kind, ERROR_UNAVAILABLE);
		error = (struct error){0};
	}
}

static void the_environment_is_the_sessions_and_the_commands(void **state)
{
	(void)state;
	setenv("SUITE_SECRET", "canary", 1);
	static const char *const more[] = {"EXTRA=1 2", "COLOUR=red", NULL};
	says("echo $COLOUR $EXTRA", "blue\n");
	run_command((struct sandbox_command){
		.shell = "echo \"$COLOUR\" \"$EXTRA\"", .environment = more});
	assert_text(result.out, "red 1 2\n");
	says("env | grep -c canary || true", "0\n");
	says("test -n \"$PATH\" && test \"$HOME\" = /workspace && echo home", "home\n");
}

static void input_is_given_and_ends(void **state)
{
	(void)state;
	run_command((struct sandbox_command){.shell = "cat; echo end", .input = TEXT("given\n")});
	assert_text(result.out, "given\nend\n");
	says("cat", ""); // nothing is an input, too
	enum { MUCH = 8 * 1024 * 1024 };
	char *input = arena_alloc(&arena, MUCH);
	run_command((struct sandbox_command){.shell = "wc -c | tr -d ' '", .input = {input, MUCH}});
	assert_text(result.out, "8388608\n");
	// Who does not read it misses nothing.
	run_command((struct sandbox_command){.shell = "echo fine", .input = {input, MUCH}});
	assert_text(result.out, "fine\n");
	run_command((struct sandbox_command){
		.shell = "cat | od -An -tx1 | tr -d ' '", .input = TEXT("\0\xff\r\n\x04")});
	assert_text(result.out, "00ff0d0a04\n");
}

static void exit_codes_and_signals_are_told(void **state)
{
	(void)state;
	static const struct {
		const char *shell;
		int status;
	} rows[] = {{"exit 0", 0}, {"exit 7", 7}, {"exit 255", 255}, {"kill -TERM $$", 143},
		{"kill -KILL $$", 137}, {"kill -SEGV $$", 139}, {"no-such-program", 127}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run(rows[i].shell);
		assert_int_equal(result.status, rows[i].status);
		assert_false(result.timed_out);
		assert_false(result.cancelled);
	}
	run_command(
		(struct sandbox_command){.argv = (const char *const[]){"no-such-program", NULL}});
	assert_int_equal(result.status, 127);
	says("mkdir -p exec && echo x >exec/plain && chmod 644 exec/plain", "");
	run_command((struct sandbox_command){
		.argv = (const char *const[]){"/workspace/exec/plain", NULL}});
	assert_int_equal(result.status, 126);
}

static void what_takes_too_long_is_ended_with_all_that_it_started(void **state)
{
	(void)state;
	int64_t began = milliseconds();
	run_command((struct sandbox_command){.shell = "mkdir -p exec; echo begun; (while :; do "
						      "echo x >>exec/slow; sleep 0.05; done) & "
						      "sleep 60",
		.timeout = 1000});
	assert_true(result.timed_out);
	assert_true(milliseconds() - began < 20000);
	assert_text(result.out, "begun\n");
	says("a=$(wc -c <exec/slow); sleep 0.5; test $a -eq $(wc -c <exec/slow) && echo still",
		"still\n");
}

static void nothing_is_left_of_a_command_that_ended(void **state)
{
	(void)state;
	int64_t began = milliseconds();
	run("mkdir -p exec; (while :; do echo x >>exec/left; sleep 0.05; done) & "
	    "until test -s exec/left; do sleep 0.05; done; echo done");
	assert_text(result.out, "done\n");
	assert_true(milliseconds() - began < 20000);
	says("a=$(wc -c <exec/left); sleep 0.5; test $a -eq $(wc -c <exec/left) && echo still",
		"still\n");
	if (system("command -v setsid >/dev/null") == 0) {
		run("(setsid sh -c 'trap \"\" TERM HUP; while :; do echo x >>exec/far; sleep 0.05; "
		    "done' &) >/dev/null 2>&1; until test -s exec/far; do sleep 0.05; done");
		says("a=$(wc -c <exec/far); sleep 0.5; test $a -eq $(wc -c <exec/far) && echo "
		     "still",
			"still\n");
	}
}

static atomic_bool wanted_end;

static void *end_it(void *data)
{
	usleep(500000);
	atomic_store(&wanted_end, true);
	return data;
}

static void a_command_can_be_cancelled(void **state)
{
	(void)state;
	pthread_t thread;
	atomic_store(&wanted_end, false);
	int64_t began = milliseconds();
	assert_int_equal(pthread_create(&thread, NULL, end_it, NULL), 0);
	run_command((struct sandbox_command){.shell = "sleep 60", .cancel = &wanted_end});
	pthread_join(thread, NULL);
	assert_true(result.cancelled);
	assert_true(milliseconds() - began < 20000);
}

static void count_bytes(void *data, int stream, struct text bytes)
{
	int64_t *counts = data;
	counts[stream] += (int64_t)bytes.length;
}

static void much_output_is_kept_up_to_the_limit_only(void **state)
{
	(void)state;
	const char *wanted = getenv("MUSTER_LARGE"); // MiB
	int64_t large = (int64_t)(wanted ? atoi(wanted) : 64) * 1024 * 1024, counts[3] = {0};
	const char *shell = arena_printf(
		&arena, "echo start; head -c %lld /dev/zero; echo; echo end", (long long)large);
	run_command((struct sandbox_command){.shell = shell,
		.output_limit = 10000,
		.timeout = 300000,
		.output = count_bytes,
		.output_data = counts});
	assert_int_equal(result.status, 0);
	assert_int_equal(result.out_bytes, large + 11);
	assert_int_equal(counts[1], large + 11);
	assert_true(result.out.length < 11000);
	assert_true(text_starts(result.out, "start\n"));
	assert_true(text_ends(result.out, "\nend\n"));
}

static void output_may_be_any_bytes(void **state)
{
	(void)state;
	run("i=0; while [ $i -lt 256 ]; do printf \"\\\\$(printf %o $i)\"; i=$((i + 1)); done");
	assert_int_equal(result.out.length, 256);
	for (size_t i = 0; i < 256; i++) {
		assert_int_equal((unsigned char)result.out.data[i], i);
	}
}

struct one_of_many {
	int number;
	bool fine;
};

static void *run_beside_others(void *data)
{
	struct one_of_many *one = data;
	arena_cleanup memory = {0};
	struct process_result how;
	struct error problem = {0};
	char text[32];
	snprintf(text, sizeof(text), "%d\n", one->number);
	struct sandbox_command command = {.shell = "read n; sleep 0.3; echo $n; exit $n",
		.input = text_of(text),
		.timeout = 60000};
	one->fine = sandbox_exec(sandbox, &memory, &command, &how, &problem) &&
		how.status == one->number && text_is(how.out, text);
	if (!one->fine) {
		print_error("%d: status %d, '%.*s' %s\n", one->number, how.status,
			(int)how.out.length, how.out.data, problem.message);
	}
	return NULL;
}

static void commands_run_beside_each_other(void **state)
{
	(void)state;
	enum { MANY = 12 };
	struct one_of_many many[MANY];
	pthread_t threads[MANY];
	for (int i = 0; i < MANY; i++) {
		many[i] = (struct one_of_many){.number = i + 1};
		assert_int_equal(pthread_create(&threads[i], NULL, run_beside_others, &many[i]), 0);
	}
	for (int i = 0; i < MANY; i++) {
		pthread_join(threads[i], NULL);
	}
	for (int i = 0; i < MANY; i++) {
		assert_true(many[i].fine);
	}
}

static void a_read_only_command_changes_nothing(void **state)
{
	(void)state;
	struct sandbox_command command = {
		.shell = "cat exec/kept; echo x 2>/dev/null >exec/new || echo refused",
		.read_only = true,
		.timeout = 60000};
	says("mkdir -p exec && echo kept >exec/kept", "");
	if (!has(SANDBOX_READ_ONLY_COMMANDS)) {
		lacking(sandbox_exec(sandbox, &arena, &command, &result, &error));
		return;
	}
	run_command(command);
	assert_text(result.out, "kept\nrefused\n");
	says("test -e exec/new || echo none", "none\n");
}

static void folders_can_be_read_only_for_a_command(void **state)
{
	(void)state;
	static const char *const folders[] = {"exec/theirs", "exec/not-there", NULL};
	says("mkdir -p exec/theirs exec/ours", "");
	run_command((struct sandbox_command){.shell = "echo x 2>/dev/null >exec/theirs/new || echo "
						      "refused; echo x >exec/ours/new",
		.read_only_folders = folders});
	assert_int_equal(result.status, 0);
	assert_text(result.out, has(SANDBOX_READ_ONLY_FOLDERS) ? "refused\n" : "");
}

static void commands_can_be_another_users(void **state)
{
	(void)state;
	struct sandbox_command command = {.shell = "id -u", .user = "4321", .timeout = 60000};
	if (!has(SANDBOX_USERS)) {
		lacking(sandbox_exec(sandbox, &arena, &command, &result, &error));
		return;
	}
	run_command(command);
	assert_text(result.out, "4321\n");
	command.user = "nobody-of-that-name";
	assert_false(sandbox_exec(sandbox, &arena, &command, &result, &error));
	assert_non_null(strstr(error.message, "nobody-of-that-name"));
	error = (struct error){0};
}

static void there_is_no_network(void **state)
{
	(void)state;
	if (has(SANDBOX_NETWORK_OFF)) {
		says("grep -c : /proc/net/dev", "1\n"); // loopback
	}
}

static void commands_have_no_rights(void **state)
{
	(void)state;
	says("grep -E '^(CapEff|CapPrm|CapAmb|NoNewPrivs):' /proc/self/status | tr -d '\\t'",
		"CapPrm:0000000000000000\nCapEff:0000000000000000\nCapAmb:0000000000000000\n"
		"NoNewPrivs:1\n");
	says("test $(id -u) -ne 0 && echo ordinary", "ordinary\n");
	says("grep Seccomp: /proc/self/status | tr -d '\\t'", "Seccomp:2\n");
	says("echo x 2>/dev/null >/etc/passwd || echo refused", "refused\n");
	says("echo x >/tmp/x && cat /tmp/x && rm /tmp/x", "x\n");
}

const struct CMUnitTest exec_tests[] = {
	cmocka_unit_test(arguments_arrive_as_they_are),
	cmocka_unit_test(an_argument_may_be_long),
	cmocka_unit_test(a_shell_takes_text),
	cmocka_unit_test(output_and_errors_are_apart),
	cmocka_unit_test(a_command_starts_in_the_folder_that_was_named),
	cmocka_unit_test(a_folder_that_is_not_there_is_the_commands_fault),
	cmocka_unit_test(the_environment_is_the_sessions_and_the_commands),
	cmocka_unit_test(input_is_given_and_ends),
	cmocka_unit_test(exit_codes_and_signals_are_told),
	cmocka_unit_test(what_takes_too_long_is_ended_with_all_that_it_started),
	cmocka_unit_test(nothing_is_left_of_a_command_that_ended),
	cmocka_unit_test(a_command_can_be_cancelled),
	cmocka_unit_test(much_output_is_kept_up_to_the_limit_only),
	cmocka_unit_test(output_may_be_any_bytes),
	cmocka_unit_test(commands_run_beside_each_other),
	cmocka_unit_test(a_read_only_command_changes_nothing),
	cmocka_unit_test(folders_can_be_read_only_for_a_command),
	cmocka_unit_test(commands_can_be_another_users),
	cmocka_unit_test(there_is_no_network),
	cmocka_unit_test(commands_have_no_rights),
	{NULL},
};
