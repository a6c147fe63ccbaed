#include "test.h"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attacker.h"
#include "sandbox/sandbox.h"

static char folder[] = "/tmp/muster-test-sandbox-XXXXXX";
static struct sandbox *sandbox;
static struct arena arena;
static struct process_result result;
static bool warm = true; // one bubblewrap for all commands, or a fresh one for each

static const char *session_options(void)
{
	return warm ? "{\"session\": \"warm\"}" : "{\"session\": \"per-command\"}";
}

static int open_session(void **state)
{
	(void)state;
	struct error error = {0};
	if (!mkdtemp(folder)) {
		return -1;
	}
	static const char *const environment[] = {"COLOUR=blue", NULL};
	struct sandbox_settings settings = {.run = "test",
		.folder = folder,
		.environment = environment,
		.options = session_options()};
	sandbox = sandbox_create(sandbox_driver_find("unix-local"), &settings, &error);
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
	run_command((struct sandbox_command){.argv = (const char *const[]){"no-such", NULL}});
	assert_int_equal(result.status, 127);
	run("whoami; hostname 2>/dev/null || uname -n");
	assert_text(result.out, "agent\nsandbox\n");
}

static void a_working_folder_that_is_not_there_is_refused(void **state)
{
	(void)state;
	static const char *const folders[] = {"no/such", "file", "leaving", "../.."};
	run("echo >file; ln -s / leaving");
	for (size_t i = 0; i < 4; i++) {
		struct error error = {0};
		struct sandbox_command command = {.shell = "pwd", .folder = folders[i]};
		assert_false(sandbox_exec(sandbox, &arena, &command, &result, &error));
		assert_int_not_equal(error.kind, ERROR_UNAVAILABLE);
	}
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
	// Whoever lists the machine's processes sees no values.
	run("tr '\\0' ' ' </proc/1/cmdline");
	assert_true(text_starts(result.out, warm ? "/run/runner " : "bwrap --args "));
	assert_int_equal(text_find(result.out, TEXT("blue")), result.out.length);
	run("ls /proc/1/fd/ /proc/1/root/ || cat /proc/1/environ /proc/1/mem /proc/1/maps");
	assert_int_not_equal(warm ? result.status : 1, 0);
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
	// An ordinary user could not write there anyway; root of the machine could.
	run("grep -E '^[^ ]+ (/|/dev|/usr|/proc/sys) ' /proc/mounts | grep -vE '^[^ ]+ [^ ]+ "
	    "[^ ]+ ro,'; grep -c ' /proc/sys ' /proc/mounts");
	assert_text(result.out, "1\n");
}

// This program as a file of the workspace, to be run inside with what it shall attack.
static void copy_ourselves(void)
{
	struct error error = {0};
	struct text program;
	assert_true(file_read(&arena, "/proc/self/exe", 64 * 1024 * 1024, &program, &error));
	assert_true(sandbox_write(sandbox, TEXT("attacker"), program, 0755, &error));
}

static void there_is_no_network_but_loopback(void **state)
{
	(void)state;
	struct error error = {0};
	int port = 0, fd = listen_on(&port);
	char shell[64];
	assert_true(fd >= 0);
	copy_ourselves();
	run("cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '");
	assert_text(result.out, "lo\n");
	snprintf(shell, sizeof(shell), "./attacker connect %d", port);
	run(shell);
	assert_text(result.out, "Connection refused\n");
	run("./attacker loopback"); // a server of the command's own can be reached
	assert_text(result.out, "Success\n");
	// Asked for, it is there.
	struct sandbox_settings settings = {
		.run = "test", .folder = folder, .network = true, .options = session_options()};
	struct sandbox *open = sandbox_create(sandbox_driver_find("unix-local"), &settings, &error);
	struct sandbox_command command = {.shell = shell};
	assert_true(sandbox_exec(open, &arena, &command, &result, &error));
	assert_text(result.out, "Success\n");
	sandbox_detach(open);
	close(fd);
}

static void system_calls_that_reach_out_are_denied(void **state)
{
	(void)state;
	copy_ourselves();
	run("./attacker calls");
	assert_text(result.out, ""); // it names what was not denied
	assert_text(result.err, "");
	assert_int_equal(result.status, 0);
	run("./attacker x32");
	assert_int_equal(result.status, 128 + SIGSYS);
}

static void the_private_folders_have_a_size(void **state)
{
	(void)state;
	run("head -c 100M /dev/zero >/dev/shm/x; ls /dev/shm; df -k --output=size /dev/shm /tmp");
	assert_non_null(strstr(result.err.data, "No space left"));
	assert_text(result.out, "x\n1K-blocks\n    65536\n   262144\n");
	run("ls /dev/shm /tmp; touch /dev/x"); // and are gone with the command
	assert_text(result.out, "/dev/shm:\n\n/tmp:\n");
	assert_non_null(strstr(result.err.data, "Read-only"));
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

static void others_folders_are_read_only_for_a_command(void **state)
{
	(void)state;
	static const char *const folders[] = {
		"theirs", "deep/theirs", "leading", "not-there", "deep/file/none", NULL};
	run("mkdir -p theirs deep/theirs ours; echo kept >theirs/file; ln -s / leading; "
	    "echo >deep/file");
	run_command((struct sandbox_command){
		.shell = "echo x >theirs/file; echo x >deep/theirs/new; rm -rf theirs; mv theirs "
			 "moved; cat theirs/file; echo y >ours/file; echo z >deep/new; "
			 "cat ours/file deep/new; ls leading | grep -c proc",
		.read_only_folders = folders});
	assert_text(result.out, "kept\ny\nz\n1\n");
	run("echo changed >theirs/file; cat theirs/file");
	assert_text(result.out, "changed\n");
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

static void nothing_writes_any_more_when_a_command_has_ended(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		run("for i in 1 2 3 4; do (setsid sh -c 'while :; do echo x >>log; done' "
		    ">/dev/null 2>&1 &); done; until test -s log; do :; done");
		int64_t size = sandbox_stat(sandbox, TEXT("log")).size;
		nanosleep(&(struct timespec){0, 20000000}, NULL);
		assert_int_equal(sandbox_stat(sandbox, TEXT("log")).size, size);
		run_command((struct sandbox_command){
			.shell = "while :; do echo x >>log; done & sleep 60", .timeout = 50});
		assert_true(result.timed_out);
		size = sandbox_stat(sandbox, TEXT("log")).size;
		nanosleep(&(struct timespec){0, 20000000}, NULL);
		assert_int_equal(sandbox_stat(sandbox, TEXT("log")).size, size);
	}
}

static void *cancel_soon(void *data)
{
	nanosleep(&(struct timespec){0, 200000000}, NULL);
	atomic_store((atomic_bool *)data, true);
	return NULL;
}

static void a_cancelled_command_ends(void **state)
{
	(void)state;
	pthread_t thread;
	atomic_bool cancel = false;
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
	run_command((struct sandbox_command){.shell = "trap '' TERM; sleep 60", .cancel = &cancel});
	pthread_join(thread, NULL);
	assert_true(result.cancelled);
	assert_true(result.milliseconds < 5000);
}

static void commands_die_with_the_harness(void **state)
{
	(void)state;
	pid_t harness = fork();
	if (harness == 0) {
		run("touch started; while :; do echo x >>alive; sleep 0.01; done");
		_exit(0);
	}
	for (int i = 0; i < 500 && sandbox_stat(sandbox, TEXT("started")).kind != FOLDER_FILE;
		i++) {
		nanosleep(&(struct timespec){0, 10000000}, NULL);
	}
	assert_int_equal(kill(harness, SIGKILL), 0);
	waitpid(harness, NULL, 0);
	nanosleep(&(struct timespec){0, 300000000}, NULL);
	int64_t size = sandbox_stat(sandbox, TEXT("alive")).size;
	assert_int_equal(sandbox_stat(sandbox, TEXT("started")).kind, FOLDER_FILE);
	nanosleep(&(struct timespec){0, 300000000}, NULL);
	assert_int_equal(sandbox_stat(sandbox, TEXT("alive")).size, size);
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

static void processes_cannot_be_bred_without_end(void **state)
{
	(void)state;
	run("for i in $(seq 700); do sleep 5 & done; echo all");
	assert_int_not_equal(result.status, 0);
	assert_text(result.out, "");
	assert_non_null(strstr(result.err.data, "fork"));
	run("ulimit -p 5000 && echo raised");
	assert_text(result.out, "");
	run("echo alive");
	assert_text(result.out, "alive\n");
}

static void a_command_can_hurt_itself_only(void **state)
{
	(void)state;
	run("kill -9 -1; kill -STOP 1; kill -9 1; echo survived");
	assert_text(result.out, "survived\n");
	assert_int_equal(result.status, 0);
	run("grep -E '^(Seccomp|NoNewPrivs|CapEff|CapBnd):' /proc/self/status | tr -d '\t'");
	assert_text(result.out,
		"CapEff:0000000000000000\nCapBnd:0000000000000000\nNoNewPrivs:1\nSeccomp:2\n");
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

static void a_hostile_tree_can_be_removed(void **state)
{
	(void)state;
	struct error error = {0};
	run("mkdir -p tree/a/b/c && ln -s / tree/a/root && chmod 0 tree/a/b tree/a && chmod 0 "
	    "tree");
	assert_false(sandbox_remove(sandbox, TEXT("tree"), false, &error));
	assert_true(sandbox_remove(sandbox, TEXT("tree"), true, &error));
	assert_int_equal(sandbox_stat(sandbox, TEXT("tree")).kind, FOLDER_MISSING);
}

static struct sandbox *another(const struct sandbox_settings *settings, struct error *error)
{
	*error = (struct error){0};
	return sandbox_create(sandbox_driver_find("unix-local"), settings, error);
}

static void limits_that_cannot_be_kept_are_refused(void **state)
{
	(void)state;
	const struct sandbox_settings settings[] = {
		{.disk = 1 << 30}, {.options = "{\"user\": 0}"}, {.options = "{\"user\": -1}"}};
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		struct error error;
		struct sandbox_settings one = settings[i];
		one.folder = folder;
		assert_null(another(&one, &error));
		assert_true(error.message[0]);
	}
	struct error error;
	struct sandbox_settings few = {
		.folder = folder, .processes = 4, .options = session_options()};
	struct sandbox *small = another(&few, &error);
	struct sandbox_command command = {.shell = "for i in 1 2 3 4 5; do sleep 1 & done; echo x"};
	assert_true(sandbox_exec(small, &arena, &command, &result, &error));
	assert_text(result.out, "");
	sandbox_detach(small);
}

// Root can make control groups where the machine has them, others in a group that is their own.
static bool can_limit_processors(void)
{
	struct error error;
	struct sandbox_settings settings = {
		.folder = folder, .cpu = 0.5, .options = session_options()};
	struct sandbox *made = another(&settings, &error);
	if (!made && (!strstr(error.message, "cannot limit processors") || !error.hint[0])) {
		fail_msg("%s", error.message);
	}
	sandbox_detach(made);
	return made != NULL;
}

// Takes `megabytes` of memory and keeps it.
static const char *hog(int megabytes)
{
	return arena_printf(
		&arena, "head -c %dM /dev/zero | tail -c %dM | wc -c", megabytes, megabytes);
}

static void memory_has_a_limit(void **state)
{
	(void)state;
	struct error error;
	struct sandbox_settings settings = {
		.folder = folder, .memory = 64 * 1024 * 1024, .options = session_options()};
	struct sandbox *small = another(&settings, &error);
	struct sandbox_command command = {.shell = hog(20)};
	if (!small) {
		fail_msg("%s", error.message);
	}
	assert_true(sandbox_exec(small, &arena, &command, &result, &error));
	assert_text(result.out, "20971520\n");
	command.shell = hog(100);
	assert_true(sandbox_exec(small, &arena, &command, &result, &error));
	assert_text(result.out, "0\n");
	// A control group kills and is told of; an address space is what programs tell of themselves.
	assert_non_null(strstr(result.err.data,
		can_limit_processors() ? "the sandbox's memory, 64 MiB, is used up" : "memory"));
	command.shell = "echo alive";
	assert_true(sandbox_exec(small, &arena, &command, &result, &error));
	assert_text(result.out, "alive\n");
	sandbox_detach(small);
}

static void processors_have_a_limit_where_the_machine_lets_us(void **state)
{
	(void)state;
	struct error error;
	struct sandbox_settings settings = {
		.folder = folder, .cpu = 0.1, .options = session_options()};
	struct sandbox_command command = {
		.shell = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; times"};
	double minutes = 0, seconds = 0;
	if (!can_limit_processors()) {
		return;
	}
	struct sandbox *made = another(&settings, &error);
	assert_true(sandbox_exec(made, &arena, &command, &result, &error));
	sandbox_detach(made);
	assert_int_equal(sscanf(result.out.data, "%lfm%lfs", &minutes, &seconds), 2);
	if ((double)result.milliseconds < 3000 * (minutes * 60 + seconds)) {
		fail_msg("%.2f s of work in %lld ms", seconds, (long long)result.milliseconds);
	}
}

// A program called bwrap that only says what the real one would.
static void expect_refusal(const char *says, const char *message, const char *hint)
{
	struct error error;
	struct sandbox_settings settings = {.folder = folder, .options = session_options()};
	char *path = arena_string(&arena, getenv("PATH"));
	char *fake = arena_printf(&arena, "%s/fake", folder);
	char *program = arena_printf(&arena, "%s/bwrap", fake);
	char *text = arena_printf(&arena, "#!/bin/sh\necho '%s' >&2\nexit 1\n", says ? says : "");
	assert_true(file_make_folders(fake, 0755, &error));
	assert_int_equal(chmod(folder, 0755), 0);
	if (says) {
		assert_true(file_replace(program, text_of(text), 0755, &error));
	}
	setenv("PATH", fake, 1);
	struct sandbox *made = another(&settings, &error);
	setenv("PATH", path, 1);
	assert_true(file_remove_tree(fake, &(struct error){0}));
	assert_null(made);
	assert_int_equal(error.kind, ERROR_UNAVAILABLE);
	if (!strstr(error.message, message) || !strstr(error.hint, hint)) {
		fail_msg("'%s', '%s'", error.message, error.hint);
	}
}

static void without_bubblewrap_or_namespaces_it_refuses_and_says_what_to_do(void **state)
{
	(void)state;
	expect_refusal(NULL, "cannot start 'bwrap': No such file", "install the package");
	expect_refusal("bwrap: Unknown option --disable-userns", "Unknown option",
		"bubblewrap 0.8 or newer");
	expect_refusal("bwrap: No permissions to create new namespace",
		"No permissions to create new namespace", "use");
}

static void a_session_is_found_again(void **state)
{
	(void)state;
	struct error error = {0};
	buffer_cleanup json = {0};
	struct sandbox_settings settings = {.run = "test", .folder = folder};
	run("echo kept >kept");
	sandbox_state(sandbox, &json);
	struct sandbox *again = sandbox_attach(
		sandbox_driver_find("unix-local"), &settings, buffer_text(&json), &error);
	struct sandbox_command command = {.shell = "cat kept && echo more >>kept"};
	assert_true(sandbox_exec(again, &arena, &command, &result, &error));
	assert_text(result.out, "kept\n");
	sandbox_detach(again);
	settings.folder = "/no/such/folder";
	assert_null(sandbox_attach(
		sandbox_driver_find("unix-local"), &settings, buffer_text(&json), &error));
	assert_int_equal(error.kind, ERROR_FAILED);
}

static void a_folder_that_is_not_ours_keeps_its_owner(void **state)
{
	(void)state;
	struct error error;
	struct stat status;
	char *theirs = arena_printf(&arena, "%s/theirs", folder);
	char *file = arena_printf(&arena, "%s/file", theirs);
	assert_true(file_make_folders(theirs, 0755, &error));
	assert_true(file_replace(file, TEXT("content"), 0644, &error));
	struct sandbox_settings settings = {
		.folder = folder, .workspace = theirs, .options = session_options()};
	struct sandbox *other = another(&settings, &error);
	struct sandbox_command command = {.shell = "cat file; echo x >file", .read_only = true};
	assert_true(sandbox_exec(other, &arena, &command, &result, &error));
	assert_text(result.out, "content");
	sandbox_detach(other);
	assert_int_equal(stat(theirs, &status), 0);
	assert_int_equal(status.st_uid, geteuid());
}

static void root_gives_the_workspace_to_whom_commands_become(void **state)
{
	(void)state;
	struct error error;
	struct stat status;
	char *run_folder = arena_printf(&arena, "%s/run", folder);
	char *file = arena_printf(&arena, "%s/workspace/made", run_folder);
	assert_true(file_make_folders(run_folder, 0700, &error)); // not to be reached by its path
	struct sandbox_settings settings = {.folder = run_folder,
		.options = warm ? "{\"user\": 4242, \"session\": \"warm\"}"
				: "{\"user\": 4242, \"session\": \"per-command\"}"};
	struct sandbox *other = another(&settings, &error);
	assert_true(sandbox_write(other, TEXT("given"), TEXT("x"), 0, &error));
	struct sandbox_command command = {.shell = "echo y >>given && cat given >made"};
	assert_true(sandbox_exec(other, &arena, &command, &result, &error));
	assert_int_equal(result.status, 0);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_uid, geteuid() == 0 ? 4242 : geteuid());
	sandbox_detach(other);
}

static bool become_user(void)
{
	return geteuid() != 0 ||
		(setgroups(0, NULL) == 0 && setgid(12345) == 0 && setuid(12345) == 0);
}

// Arguments: "user": as an ordinary user, also when started by root; "per-command": with a fresh
// bubblewrap for each command.
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "per-command") == 0) {
			warm = false;
		} else if (strcmp(argv[i], "user") != 0) {
			return attack(argv + i);
		} else if (!become_user()) {
			return 99;
		}
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_has_its_arguments_input_folder_and_status),
		cmocka_unit_test(a_working_folder_that_is_not_there_is_refused),
		cmocka_unit_test(the_environment_is_built_from_nothing),
		cmocka_unit_test(files_go_both_ways_and_belong_to_the_agent),
		cmocka_unit_test(nothing_outside_the_workspace_is_there_or_writable),
		cmocka_unit_test(there_is_no_network_but_loopback),
		cmocka_unit_test(system_calls_that_reach_out_are_denied),
		cmocka_unit_test(the_private_folders_have_a_size),
		cmocka_unit_test(a_read_only_command_cannot_write_the_workspace),
		cmocka_unit_test(others_folders_are_read_only_for_a_command),
		cmocka_unit_test(time_outs_and_left_over_processes_end),
		cmocka_unit_test(nothing_writes_any_more_when_a_command_has_ended),
		cmocka_unit_test(a_cancelled_command_ends),
		cmocka_unit_test(commands_die_with_the_harness),
		cmocka_unit_test(a_gigabyte_of_output_is_counted_not_kept),
		cmocka_unit_test(processes_cannot_be_bred_without_end),
		cmocka_unit_test(a_command_can_hurt_itself_only),
		cmocka_unit_test(a_special_file_is_told_and_never_opened),
		cmocka_unit_test(a_command_inherits_its_three_streams_only),
		cmocka_unit_test(a_hostile_tree_can_be_removed),
		cmocka_unit_test(limits_that_cannot_be_kept_are_refused),
		cmocka_unit_test(memory_has_a_limit),
		cmocka_unit_test(processors_have_a_limit_where_the_machine_lets_us),
		cmocka_unit_test(without_bubblewrap_or_namespaces_it_refuses_and_says_what_to_do),
		cmocka_unit_test(a_session_is_found_again),
		cmocka_unit_test(a_folder_that_is_not_ours_keeps_its_owner),
		cmocka_unit_test(root_gives_the_workspace_to_whom_commands_become),
	};
	return cmocka_run_group_tests(tests, open_session, close_session);
}
