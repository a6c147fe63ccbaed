#include "drivers.h"

#include <time.h>
#include <unistd.h>

struct subject *subject;
struct sandbox *sandbox;
struct arena arena;
struct process_result result;
struct error error;
char folder[] = "/tmp/muster-test-drivers-XXXXXX";

struct sandbox_settings usual_settings(void)
{
	static const char *environment[] = {"COLOUR=blue", NULL, NULL};
	environment[1] = subject->path;
	return (struct sandbox_settings){.run = "suite-1",
		.folder = folder,
		.environment = environment,
		.options = subject->options};
}

void must(bool fine, const struct error *problem)
{
	if (!fine) {
		fail_msg("%s; %s", problem->message, problem->hint);
	}
}

void run_command(struct sandbox_command command)
{
	struct error problem = {0};
	command.timeout = command.timeout ? command.timeout : 60000;
	must(sandbox_exec(sandbox, &arena, &command, &result, &problem), &problem);
}

void run(const char *shell)
{
	run_command((struct sandbox_command){.shell = shell});
}

void says(const char *shell, const char *output)
{
	run(shell);
	if (result.status != 0) {
		fail_msg("'%s' ended with %d: %.*s", shell, result.status, (int)result.err.length,
			result.err.data ? result.err.data : "");
	}
	assert_text(result.out, output);
}

static void is_sentence(void)
{
	assert_true(error.message[0]);
	assert_null(strchr(error.message, '\n'));
	for (const char *at = error.message; *at; at++) {
		assert_true((unsigned char)*at >= ' ');
	}
}

void refused(bool fine, enum error_kind kind, const char *word)
{
	struct error problem = error;
	assert_false(fine);
	is_sentence();
	if (problem.kind != kind || !strstr(problem.message, word)) {
		fail_msg("kind %d: %s", (int)problem.kind, problem.message);
	}
	error = (struct error){0};
}

void lacking(bool fine)
{
	refused(fine, ERROR_UNAVAILABLE, subject->driver->name);
}

void write_file(const char *path, const char *content)
{
	struct error problem = {0};
	must(sandbox_write(sandbox, text_of(path), text_of(content), 0, &problem), &problem);
}

int64_t milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int open_session(void **state)
{
	(void)state;
	struct sandbox_settings settings = usual_settings();
	sandbox = sandbox_create(subject->driver, &settings, &error);
	if (!sandbox) {
		print_error("%s\n%s\n", error.message, error.hint);
	}
	if (sandbox && subject->opened) {
		subject->opened();
	}
	return sandbox ? 0 : -1;
}

static int close_session(void **state)
{
	(void)state;
	bool fine = !sandbox || sandbox_destroy(sandbox, &error);
	if (!fine) {
		print_error("%s\n%s\n", error.message, error.hint);
	}
	sandbox = NULL;
	arena_finish(&arena);
	// A folder of this machine outlives the session.
	char workspace[sizeof(folder) + 16];
	snprintf(workspace, sizeof(workspace), "%s/workspace", folder);
	struct error ignored = {0};
	return file_remove_tree(workspace, &ignored) && fine ? 0 : -1;
}

static struct subject *find(const char *name)
{
	for (struct subject *row = subjects; row->name; row++) {
		if (strcmp(row->name, name) == 0) {
			return row;
		}
	}
	return NULL;
}

// Left out, with the reason; for those who count it is a test that was skipped.
static int leave_out(const struct buffer *reason)
{
	printf("TAP version 13\n1..1\nok 1 - %s # SKIP %s\n", subject->name, reason->data);
	return 0;
}

// Arguments: the subject's name, and a part of the name of the tests to run no others.
int main(int argc, char **argv)
{
	static const struct CMUnitTest *const groups[] = {exec_tests, file_tests, archive_tests,
		process_tests, session_tests, manifest_tests};
	enum { MOST = 256 };
	struct CMUnitTest tests[MOST];
	size_t count = 0;
	buffer_cleanup reason = {0};
	subject = argc > 1 ? find(argv[1]) : NULL;
	if (!subject) {
		fprintf(stderr, "usage: drivers SUBJECT [PART]\n");
		return 2;
	}
	if (argc > 2 && strcmp(argv[2], "--another") == 0) {
		return be_another(argv);
	}
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		for (const struct CMUnitTest *test = groups[i]; test->name && count < MOST;
			test++) {
			if (argc < 3 || strstr(test->name, argv[2])) {
				tests[count++] = *test;
			}
		}
	}
	if (subject->prepare && !subject->prepare(subject, &reason)) {
		return leave_out(&reason);
	}
	if (!mkdtemp(folder)) {
		return 1;
	}
	int failed =
		_cmocka_run_group_tests(subject->name, tests, count, open_session, close_session);
	if (subject->finish) {
		subject->finish();
	}
	struct error ignored = {0};
	file_remove_tree(folder, &ignored);
	return failed != 0;
}
