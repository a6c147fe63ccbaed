/* Sessions: begun, found again, ended. They have folders of their own beside the suite's session. */
#include "drivers.h"

#include <sys/wait.h>
#include <unistd.h>

// A session of this test's own.
struct own {
	char folder[sizeof("/tmp/muster-test-session-XXXXXX")];
	struct sandbox_settings settings;
	struct sandbox *sandbox;
};

static struct own begin(void)
{
	struct own own = {
		.folder = "/tmp/muster-test-session-XXXXXX", .settings = usual_settings()};
	assert_non_null(mkdtemp(own.folder));
	return own;
}

static void create(struct own *own)
{
	struct error problem = {0};
	own->settings.folder = own->folder;
	own->sandbox = sandbox_create(subject->driver, &own->settings, &problem);
	must(own->sandbox != NULL, &problem);
}

static void end(struct own *own)
{
	struct error problem = {0};
	if (own->sandbox) {
		must(sandbox_destroy(own->sandbox, &problem), &problem);
	}
	must(file_remove_tree(own->folder, &problem), &problem);
}

static struct text output_of(struct sandbox *handle, const char *shell)
{
	struct error problem = {0};
	struct sandbox_command command = {.shell = shell, .timeout = 60000};
	must(sandbox_exec(handle, &arena, &command, &result, &problem), &problem);
	assert_int_equal(result.status, 0);
	return result.out;
}

static void a_fresh_session_is_empty(void **state)
{
	(void)state;
	struct own own = begin();
	struct folder_list list;
	struct error problem = {0};
	create(&own);
	must(sandbox_scan(own.sandbox, &arena, TEXT(""), 100, &list, &problem), &problem);
	assert_int_equal(list.count, 0);
	assert_text(output_of(own.sandbox, "ls -A; pwd"), "/workspace\n");
	end(&own);
}

static void sessions_do_not_see_each_other(void **state)
{
	(void)state;
	struct own own = begin();
	create(&own);
	says("echo mine >mine", "");
	assert_text(output_of(own.sandbox, "test -e mine || echo none"), "none\n");
	end(&own);
}

// The other process of the next test: argv is PROGRAM SUBJECT --another FOLDER STATE OPTIONS.
int be_another(char **argv)
{
	arena_cleanup memory = {0};
	struct error problem = {0};
	struct text content;
	struct process_result how;
	struct sandbox_command command = {.shell = "echo $COLOUR; cat kept", .timeout = 60000};
	struct sandbox_settings settings = usual_settings();
	settings.folder = argv[3];
	settings.options = argv[5][0] ? argv[5] : NULL;
	struct sandbox *again =
		sandbox_attach(subject->driver, &settings, text_of(argv[4]), &problem);
	bool fine = again && sandbox_read(again, &memory, TEXT("kept"), 100, &content, &problem) &&
		text_is(content, "kept\n") &&
		sandbox_write(again, TEXT("from/another"), TEXT("told"), 0, &problem) &&
		sandbox_exec(again, &memory, &command, &how, &problem) &&
		text_is(how.out, "blue\nkept\n");
	if (!fine) {
		fprintf(stderr, "in another process: %s; %s\n", problem.message, problem.hint);
	}
	sandbox_detach(again);
	arena_finish(&memory);
	return fine ? 0 : 1;
}

static int run_another(const struct own *own, const char *saved)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "drivers", subject->name, "--another", own->folder, saved,
			subject->options ? subject->options : "", NULL);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void a_session_is_found_again_by_another_process(void **state)
{
	(void)state;
	struct own own = begin();
	buffer_cleanup saved = {0};
	struct error problem = {0};
	create(&own);
	output_of(own.sandbox, "echo kept >kept");
	sandbox_state(own.sandbox, &saved);
	sandbox_detach(own.sandbox);
	own.sandbox = NULL;
	assert_int_equal(run_another(&own, saved.data), 0);
	own.sandbox = sandbox_attach(subject->driver, &own.settings, buffer_text(&saved), &problem);
	must(own.sandbox != NULL, &problem);
	assert_text(output_of(own.sandbox, "cat from/another"), "told");
	end(&own);
}

static void a_state_holds_no_secrets(void **state)
{
	(void)state;
	static const char *const environment[] = {"TOKEN=secret-canary", NULL};
	struct own own = begin();
	buffer_cleanup saved = {0};
	own.settings.environment = environment;
	create(&own);
	sandbox_state(own.sandbox, &saved);
	assert_int_equal(text_find(buffer_text(&saved), TEXT("canary")), saved.length);
	end(&own);
}

static void a_session_that_is_gone_is_not_found(void **state)
{
	(void)state;
	struct own own = begin();
	buffer_cleanup saved = {0};
	struct error problem = {0};
	create(&own);
	sandbox_state(own.sandbox, &saved);
	must(sandbox_destroy(own.sandbox, &problem), &problem);
	own.sandbox = NULL;
	must(file_remove_tree(arena_printf(&arena, "%s/workspace", own.folder), &problem),
		&problem);
	refused(sandbox_attach(subject->driver, &own.settings, buffer_text(&saved), &error) != NULL,
		ERROR_FAILED, "suite-1");
	end(&own);
}

static void a_state_that_makes_no_sense_is_refused(void **state)
{
	(void)state;
	static const char *const states[] = {"", "{", "[]", "{}", "{\"provider\":\"other\"}",
		"{\"provider\":3,\"container\":[]}"};
	struct own own = begin();
	own.settings.folder = own.folder;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		assert_null(
			sandbox_attach(subject->driver, &own.settings, text_of(states[i]), &error));
		assert_true(error.message[0]);
		error = (struct error){0};
	}
	end(&own);
}

static void wrong_options_are_refused(void **state)
{
	(void)state;
	struct own own = begin();
	own.settings.folder = own.folder;
	own.settings.options = "{";
	assert_null(sandbox_create(subject->driver, &own.settings, &error));
	assert_non_null(strstr(error.message, "options"));
	error = (struct error){0};
	end(&own);
}

static void limits_are_kept_or_refused(void **state)
{
	(void)state;
	struct own own = begin();
	struct error problem = {0};
	own.settings.folder = own.folder;
	own.settings.processes = 20;
	create(&own);
	struct sandbox_command command = {
		.shell = "i=0; while [ $i -lt 60 ]; do sleep 5 & i=$((i + 1)); done; wait",
		.timeout = 60000};
	must(sandbox_exec(own.sandbox, &arena, &command, &result, &problem), &problem);
	assert_true(result.err.length > 0); // "cannot fork", as its shell says it
	assert_text(output_of(own.sandbox, "echo on"), "on\n");
	must(sandbox_destroy(own.sandbox, &problem), &problem);
	own.sandbox = NULL;
	own.settings.processes = 0;
	own.settings.memory = 64 * 1024 * 1024;
	create(&own);
	command.shell =
		"head -c 300000000 /dev/zero | tail -c 200000000 | wc -c; echo \"ended ${?}\"";
	must(sandbox_exec(own.sandbox, &arena, &command, &result, &problem), &problem);
	assert_int_equal(text_find(result.out, TEXT("200000000\n")), result.out.length);
	assert_text(output_of(own.sandbox, "echo on"), "on\n");
	end(&own);
}

static void what_a_driver_lacks_is_refused_by_name(void **state)
{
	(void)state;
	const struct sandbox_driver *driver = subject->driver;
	buffer_cleanup text = {0};
	if (!driver->keep_alive) {
		lacking(sandbox_keep_alive(sandbox, 60000, &error));
	}
	if (!driver->pause) {
		assert_false(has(SANDBOX_PAUSE));
		lacking(sandbox_pause(sandbox, &error));
	}
	if (!driver->snapshot) {
		assert_false(has(SANDBOX_SNAPSHOT));
		lacking(sandbox_snapshot(sandbox, &text, &error));
	}
	if (!driver->expose_port) {
		assert_false(has(SANDBOX_PORTS));
		lacking(sandbox_expose_port(sandbox, 8080, &text, &error));
	}
	refused(sandbox_expose_port(sandbox, 0, &text, &error), ERROR_USAGE, "no port");
	refused(sandbox_expose_port(sandbox, 65536, &text, &error), ERROR_USAGE, "no port");
}

static void flags_and_functions_agree(void **state)
{
	(void)state;
	const struct sandbox_driver *driver = subject->driver;
	assert_true(driver->name && driver->help && driver->create && driver->attach);
	assert_true(driver->state && driver->detach && driver->destroy && driver->exec);
	assert_int_equal(has(SANDBOX_PROCESS | SANDBOX_TERMINAL), driver->open_process != NULL);
	assert_int_equal(has(SANDBOX_SCAN), driver->scan != NULL);
	assert_int_equal(has(SANDBOX_ARCHIVE), driver->put_archive && driver->get_archive);
	assert_int_equal(has(SANDBOX_HOST_FOLDER), driver->host_folder != NULL);
	assert_int_equal(has(SANDBOX_HOST_FOLDER), sandbox_host_folder(sandbox) >= 0);
	assert_int_equal(has(SANDBOX_PORTS), driver->expose_port != NULL);
	assert_int_equal(has(SANDBOX_PAUSE), driver->pause != NULL);
	assert_int_equal(has(SANDBOX_SNAPSHOT), driver->snapshot != NULL);
}

static void a_session_lives_on_when_asked(void **state)
{
	(void)state;
	struct error problem = {0};
	if (subject->driver->keep_alive) {
		must(sandbox_keep_alive(sandbox, 60 * 60 * 1000, &problem), &problem);
		says("echo alive", "alive\n");
	}
}

static void a_paused_session_goes_on_when_it_is_used(void **state)
{
	(void)state;
	struct error problem = {0};
	if (!has(SANDBOX_PAUSE)) {
		return;
	}
	struct own own = begin();
	buffer_cleanup saved = {0};
	create(&own);
	output_of(own.sandbox, "echo kept >kept");
	must(sandbox_pause(own.sandbox, &problem), &problem);
	must(sandbox_pause(own.sandbox, &problem), &problem);
	assert_text(output_of(own.sandbox, "cat kept"), "kept\n");
	must(sandbox_pause(own.sandbox, &problem), &problem);
	sandbox_state(own.sandbox, &saved);
	sandbox_detach(own.sandbox);
	own.sandbox = sandbox_attach(subject->driver, &own.settings, buffer_text(&saved), &problem);
	must(own.sandbox != NULL, &problem);
	assert_text(output_of(own.sandbox, "cat kept"), "kept\n");
	end(&own);
}

static void a_session_can_begin_with_a_snapshot(void **state)
{
	(void)state;
	struct error problem = {0};
	if (!has(SANDBOX_SNAPSHOT)) {
		return;
	}
	struct own own = begin(), again = begin();
	buffer_cleanup image = {0};
	create(&own);
	output_of(
		own.sandbox, "mkdir sub && echo kept >sub/kept && chmod 750 sub && ln -s sub link");
	must(sandbox_snapshot(own.sandbox, &image, &problem), &problem);
	output_of(own.sandbox, "rm -r sub");
	again.settings.options =
		arena_printf(&arena, "{\"image\": \"%s\", \"pull\": \"never\"}", image.data);
	create(&again);
	assert_text(output_of(again.sandbox, "cat link/kept; stat -c '%a %u' sub; echo x >sub/new"),
		"kept\n750 1000\n");
	end(&again);
	end(&own);
}

static bool is_listed(const char *run)
{
	struct error problem = {0};
	buffer_cleanup lines = {0};
	must(sandbox_orphans(subject->driver, &lines, &problem), &problem);
	return lines.length && strstr(lines.data, run);
}

static void a_session_whose_run_is_gone_is_listed_as_an_orphan(void **state)
{
	(void)state;
	struct error problem = {0};
	if (!subject->driver->orphans) {
		return;
	}
	struct own own = begin();
	own.settings.run = "orphan-7";
	create(&own);
	assert_false(is_listed("orphan-7")); // its run is there
	buffer_cleanup saved = {0};
	sandbox_state(own.sandbox, &saved);
	sandbox_detach(own.sandbox);
	must(file_remove_tree(own.folder, &problem), &problem);
	assert_true(is_listed("orphan-7"));
	own.sandbox = sandbox_attach(subject->driver, &own.settings, buffer_text(&saved), &problem);
	must(own.sandbox != NULL, &problem);
	must(sandbox_destroy(own.sandbox, &problem), &problem);
	assert_false(is_listed("orphan-7"));
}

const struct CMUnitTest session_tests[] = {
	cmocka_unit_test(a_fresh_session_is_empty),
	cmocka_unit_test(sessions_do_not_see_each_other),
	cmocka_unit_test(a_session_is_found_again_by_another_process),
	cmocka_unit_test(a_state_holds_no_secrets),
	cmocka_unit_test(a_session_that_is_gone_is_not_found),
	cmocka_unit_test(a_state_that_makes_no_sense_is_refused),
	cmocka_unit_test(wrong_options_are_refused),
	cmocka_unit_test(limits_are_kept_or_refused),
	cmocka_unit_test(what_a_driver_lacks_is_refused_by_name),
	cmocka_unit_test(flags_and_functions_agree),
	cmocka_unit_test(a_session_lives_on_when_asked),
	cmocka_unit_test(a_paused_session_goes_on_when_it_is_used),
	cmocka_unit_test(a_session_can_begin_with_a_snapshot),
	cmocka_unit_test(a_session_whose_run_is_gone_is_listed_as_an_orphan),
	{NULL},
};
