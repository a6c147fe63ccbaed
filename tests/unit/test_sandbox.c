#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

static char folder[] = "/tmp/muster-test-sandbox-XXXXXX";
static struct sandbox *sandbox;
static struct arena arena;
static struct process_result result;

static int open_session(void **state)
{
	(void)state;
	struct error error = {0};
	if (!mkdtemp(folder)) {
		return -1;
	}
	static const char *const environment[] = {"COLOUR=blue", NULL};
	struct sandbox_settings settings = {
		.run = "test", .folder = folder, .environment = environment};
	sandbox = sandbox_create(sandbox_driver_find("unix-local"), &settings, &error);
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

static void run_command(struct sandbox_command command)
{
	struct error error = {0};
	command.timeout = command.timeout ? command.timeout : 30000;
	if (!sandbox_exec(sandbox, &arena, &command, &result, &error)) {
		fail_msg("%s", error.message);
	}
}

static void run(const char *shell)
{
	run_command((struct sandbox_command){.shell = shell});
}

static void a_command_has_its_arguments_input_folder_and_status(void **state)
{
	(void)state;
	static const char *const argv[] = {"printf", "%s|", "a b", "$HOME", NULL};
	run_command((struct sandbox_command){.argv = argv});
	assert_text(result.out, "a b|$HOME|");
	run_command((struct sandbox_command){
		.shell = "cat; echo err >&2; exit 7", .input = TEXT("given")});
	assert_text(result.out, "given");
	assert_text(result.err, "err\n");
	assert_int_equal(result.status, 7);
	run("mkdir -p sub/deep;");
	run_command((struct sandbox_command){.shell = "pwd", .folder = "sub/deep"});
	assert_text(result.out, "/workspace/sub/deep\n");
	run("kill -TERM $$");
	assert_int_equal(result.status, 143);
}

static void the_environment_is_built_from_nothing(void **state)
{
	(void)state;
	setenv("OPENAI_API_KEY", "secret-canary", 1);
	static const char *const more[] = {"EXTRA=1", NULL};
	run_command((struct sandbox_command){.shell = "env | sort", .environment = more});
	assert_text(result.out,
		"COLOUR=blue\nEXTRA=1\nHOME=/workspace\nLANG=C.UTF-8\n"
		"PATH=/usr/local/bin:/usr/bin:/bin\nPWD=/workspace\nTMPDIR=/tmp\n"
		"USER=agent\n");
	run("cat /proc/1/environ /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep canary");
	assert_int_equal(result.status, 1);
}

static void files_go_both_ways_and_belong_to_the_agent(void **state)
{
	(void)state;
	struct error error = {0};
	struct text content;
	assert_true(sandbox_write(sandbox, TEXT("by/harness.txt"), TEXT("one\n"), 0, &error));
	run("echo two >>by/harness.txt && touch by/new && cat by/harness.txt");
	assert_text(result.out, "one\ntwo\n");
	assert_true(sandbox_read(sandbox, &arena, TEXT("by/harness.txt"), 100, &content, &error));
	assert_text(content, "one\ntwo\n");
	run("umask 077; echo secret >private");
	assert_true(sandbox_read(sandbox, &arena, TEXT("private"), 100, &content, &error));
}

static void nothing_outside_the_workspace_is_there_or_writable(void **state)
{
	(void)state;
	static const char *const refused[] = {
		"cat /etc/shadow",
		"ls /root /home /var",
		"echo x >/usr/x",
		"echo x >/x",
		"echo x >/etc/x",
		"echo '|/bin/true' >/proc/sys/kernel/core_pattern",
		"echo b >/proc/sysrq-trigger",
		"cat /proc/kcore",
		"ls /run/docker.sock",
		"mount -t tmpfs none /tmp",
		"unshare -U true",
		"mknod /tmp/null c 1 3",
		"ln /usr/bin/env ./linked",
	};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		run(refused[i]);
		if (result.status == 0) {
			fail_msg("'%s' went through", refused[i]);
		}
	}
}

static void there_is_no_network_but_loopback(void **state)
{
	(void)state;
	run("getent hosts localhost | head -n 1 | tr -s ' ' && id -un");
	assert_text(result.out, "::1 localhost\nagent\n");
	run("cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '");
	assert_text(result.out, "lo\n");
}

static void a_read_only_command_cannot_write_the_workspace(void **state)
{
	(void)state;
	run("echo kept >kept");
	run_command((struct sandbox_command){
		.shell = "echo changed >kept; cat kept; echo t >/tmp/t && cat /tmp/t",
		.read_only = true});
	assert_text(result.out, "kept\nt\n");
}

static void time_outs_and_left_over_processes_end(void **state)
{
	(void)state;
	run_command((struct sandbox_command){.shell = "sleep 60", .timeout = 300});
	assert_true(result.timed_out);
	assert_true(result.milliseconds < 5000);
	run("(setsid sh -c 'sleep 1; touch ghost' >/dev/null 2>&1 &) ; echo started");
	assert_text(result.out, "started\n");
	sleep(2);
	run("test -e ghost");
	assert_int_equal(result.status, 1);
}

static void a_gigabyte_of_output_is_counted_not_kept(void **state)
{
	(void)state;
	run_command((struct sandbox_command){
		.shell = "echo first; head -c 1000000000 /dev/zero; echo; echo last",
		.output_limit = 65536,
		.timeout = 60000});
	assert_int_equal(result.out_bytes, 1000000012);
	assert_true(result.out.length < 70000);
	assert_true(text_starts(result.out, "first\n"));
	assert_true(text_ends(result.out, "last\n"));
}

static void processes_cannot_be_traced_or_bred_without_end(void **state)
{
	(void)state;
	run("for i in $(seq 700); do sleep 5 & done 2>/dev/null; jobs -p | wc -l; kill -9 -1");
	run("echo alive");
	assert_text(result.out, "alive\n");
	run("kill -9 -1; echo survived");
	run("grep Seccomp: /proc/self/status | tr -d '\\t'");
	assert_text(result.out, "Seccomp:2\n");
	run("grep NoNewPrivs: /proc/self/status | tr -d '\\t'");
	assert_text(result.out, "NoNewPrivs:1\n");
}

static void a_special_file_is_told_and_never_opened(void **state)
{
	(void)state;
	struct error error = {0};
	struct text content;
	run("mkfifo design_spec.md; ln -s /etc/passwd out; ln -s loop loop; ln -s nowhere "
	    "dangling");
	assert_false(sandbox_read(sandbox, &arena, TEXT("design_spec.md"), 100, &content, &error));
	assert_non_null(strstr(error.message, "a FIFO"));
	assert_false(sandbox_read(sandbox, &arena, TEXT("out"), 100, &content, &error));
	assert_non_null(strstr(error.message, "leaves the workspace"));
	assert_int_equal(sandbox_stat(sandbox, TEXT("loop")).kind, FOLDER_LINK);
	assert_int_equal(sandbox_stat(sandbox, TEXT("dangling")).kind, FOLDER_LINK);
	assert_false(sandbox_write(sandbox, TEXT("out"), TEXT("x"), 0, &error));
	assert_false(sandbox_write(sandbox, TEXT("../x"), TEXT("x"), 0, &error));
}

static void a_command_inherits_its_three_streams_only(void **state)
{
	(void)state;
	int leaking = open("/", O_RDONLY); // not close-on-exec, as another program may have left it
	run("ls /proc/self/fd");
	assert_text(result.out, "0\n1\n2\n3\n"); // 3 is ls looking
	close(leaking);
}

// With an argument: as an ordinary user, also when started by root.
int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1 && geteuid() == 0 && (setgid(12345) < 0 || setuid(12345) < 0)) {
		return 99;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_has_its_arguments_input_folder_and_status),
		cmocka_unit_test(the_environment_is_built_from_nothing),
		cmocka_unit_test(files_go_both_ways_and_belong_to_the_agent),
		cmocka_unit_test(nothing_outside_the_workspace_is_there_or_writable),
		cmocka_unit_test(there_is_no_network_but_loopback),
		cmocka_unit_test(a_read_only_command_cannot_write_the_workspace),
		cmocka_unit_test(time_outs_and_left_over_processes_end),
		cmocka_unit_test(a_gigabyte_of_output_is_counted_not_kept),
		cmocka_unit_test(processes_cannot_be_traced_or_bred_without_end),
		cmocka_unit_test(a_special_file_is_told_and_never_opened),
		cmocka_unit_test(a_command_inherits_its_three_streams_only),
	};
	return cmocka_run_group_tests(tests, open_session, close_session);
}
