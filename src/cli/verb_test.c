#include "cli/verb.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "cli/content.h"
#include "cli/testing.h"
#include "cli/vocabulary.h"
#include "view/document.h"
#include "view/words.h"

enum { TEST_FILES = 256, INTERRUPTED = 130 /* exit code */ };

// --- The files with tests: TEAM/tests/*.yaml beside TEAM.yaml ---

static int is_test_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && text_ends(text_of(entry->d_name), ".yaml");
}

static const char *tests_folder(struct arena *arena, const char *path)
{
	size_t dot = strlen(path), name = dot;
	while (name > 0 && path[name - 1] != '/') {
		name--;
	}
	const char *end = strrchr(path + name, '.');
	dot = end ? (size_t)(end - path) : dot;
	return path_join(arena, arena_copy(arena, path, dot), "tests");
}

static bool find_files(struct arguments *arguments, struct team_strings *files, struct error *error)
{
	struct dirent **entries = NULL;
	const char *path;
	if (!content_team(&arguments->arena, arguments->operands[0], &path, error)) {
		return false;
	}
	const char *folder = tests_folder(&arguments->arena, path);
	int count = scandir(folder, &entries, is_test_file, alphasort);
	files->items = arena_new_array(&arguments->arena, TEST_FILES, const char *);
	for (int i = 0; i < count; i++) {
		if (files->count < TEST_FILES) {
			files->items[files->count++] =
				path_join(&arguments->arena, folder, entries[i]->d_name);
		}
		free(entries[i]);
	}
	free(entries);
	if (files->count == 0) {
		error_set(error, ERROR_USAGE, "team '%s' has no tests",
			arguments_shown(&arguments->arena, arguments->operands[0]));
		return error_hint(error, "put them into %s/*.yaml",
			arguments_shown(&arguments->arena, folder));
	}
	return true;
}

static bool load_files(struct arguments *arguments, const struct team *team,
	const struct team_strings *files, struct tests *tests, struct error *error)
{
	size_t mistakes = 0;
	for (size_t i = 0; i < files->count; i++) {
		struct team_report report;
		buffer_cleanup lines = {0};
		tests_load(tests, team, files->items[i], &report);
		team_report_print(&lines, &report);
		fwrite(lines.length ? lines.data : "", 1, lines.length, stderr);
		mistakes += report.mistakes;
		team_report_finish(&report);
	}
	if (mistakes) {
		return error_set(error, ERROR_USAGE, "the tests of team '%s' have %zu mistake%s",
			arguments_shown(&arguments->arena, arguments->operands[0]), mistakes,
			mistakes == 1 ? "" : "s");
	}
	return tests->count > 0 ||
		error_set(error, ERROR_USAGE, "the tests of team '%s' are empty",
			arguments_shown(&arguments->arena, arguments->operands[0]));
}

// --- What is printed ---

static void print_result(struct buffer *output, const struct test_result *result, size_t number)
{
	buffer_printf(output, "%sok %zu - ", result->problem_count ? "not " : "", number);
	for (const char *at = result->name; *at; at++) { // '#' begins a directive in TAP
		buffer_add_string(output, *at == '#' ? "\\#" : (char[]){*at, '\0'});
	}
	buffer_add_char(output, '\n');
	for (size_t i = 0; i < result->problem_count; i++) {
		buffer_printf(output, "# %s:%u: ", result->position.file, result->position.line);
		buffer_add_line(output, text_of(result->problems[i]), 4096);
		buffer_add_char(output, '\n');
	}
}

static void result_json(struct document *document, const struct test_result *result)
{
	document_object(document, NULL);
	document_string(document, "name", result->name);
	document_flag(document, "passed", result->problem_count == 0);
	document_string(document, "file", result->position.file);
	document_number(document, "line", result->position.line);
	document_number(document, "took_ms", result->milliseconds);
	document_array(document, "problems");
	for (size_t i = 0; i < result->problem_count; i++) {
		document_string(document, NULL, result->problems[i]);
	}
	document_end_array(document);
	document_end_object(document);
}

static void print_json(struct buffer *output, const struct testing *testing)
{
	struct document document;
	document_begin(&document, output, "muster.test/1");
	document_string(&document, "team", testing->team->name);
	document_number(&document, "passed", (int64_t)(testing->count - testing->failed));
	document_number(&document, "failed", (int64_t)testing->failed);
	document_array(&document, "results");
	for (size_t i = 0; i < testing->count; i++) {
		result_json(&document, &testing->results[i]);
	}
	document_end_array(&document);
	document_end(&document);
}

// --- The verb ---

// Lines come as soon as they are known; a document at the end.
static bool play(struct arguments *arguments, struct testing *testing, const struct tests *tests,
	struct error *error)
{
	bool json = arguments_has(arguments, "json"), quiet = arguments_has(arguments, "quiet");
	size_t printed = 0, planned = 0;
	buffer_cleanup output = {0};
	for (size_t i = 0; i < tests->count; i++) {
		planned += 1 + tests->tests[i].variant_count;
	}
	if (!json && !quiet) {
		buffer_printf(&output, "TAP version 13\n1..%zu\n", planned);
	}
	for (size_t i = 0; i < tests->count && !testing->interrupted; i++) {
		if (!testing_play(testing, &tests->tests[i], error)) {
			return error_wrap(error, "%s:%u", tests->tests[i].position.file,
				tests->tests[i].position.line);
		}
		for (; printed < testing->count && !json; printed++) {
			if (!quiet || testing->results[printed].problem_count) {
				print_result(&output, &testing->results[printed], printed + 1);
			}
		}
		if (output.length && !output_write(&output, error)) {
			return false;
		}
		buffer_clear(&output);
	}
	if (json) {
		print_json(&output, testing);
	} else if (!quiet) {
		buffer_printf(&output, "# %zu passed, %zu failed\n",
			testing->count - testing->failed, testing->failed);
	}
	return output.length == 0 || output_write(&output, error);
}

static int play_in(struct arguments *arguments, struct testing *testing, const struct tests *tests,
	struct error *error)
{
	const char *temporary = getenv("TMPDIR");
	char *folder = path_join(&arguments->arena, temporary && temporary[0] ? temporary : "/tmp",
		"muster-test-XXXXXX");
	if (!mkdtemp(folder)) {
		error_errno(error, ERROR_FAILED, "cannot make folder '%s'", folder);
		return EXIT_FAILED;
	}
	testing->folder = folder;
	bool fine = play(arguments, testing, tests, error);
	if (arguments_has(arguments, "keep")) {
		fprintf(stderr, "the runs are kept: muster -C %s list\n", folder);
	} else {
		struct error ignored = {
			0}; // what stays in the folder for temporary files harms nobody
		file_remove_tree(folder, &ignored);
	}
	if (!fine) {
		return EXIT_FAILED;
	}
	return testing->interrupted ? (int)INTERRUPTED : testing->failed ? EXIT_FAILED : EXIT_OK;
}

static int run(struct arguments *arguments, struct error *error)
{
	struct team_strings files = {0};
	struct tests tests = {0};
	struct testing testing = {.sandbox = arguments_value(arguments, "sandbox")};
	int code = EXIT_USAGE;
	if (!find_files(arguments, &files, error)) {
		return code;
	}
	bool quiet = arguments_has(arguments, "quiet") || arguments_has(arguments, "json");
	testing.team = team_open(arguments->operands[0], NULL, true, quiet, error);
	if (testing.team && load_files(arguments, testing.team, &files, &tests, error)) {
		code = play_in(arguments, &testing, &tests, error);
	}
	testing_finish(&testing);
	tests_finish(&tests);
	team_destroy(testing.team);
	return code;
}

static const struct option options[] = {
	{"keep", 'k', NULL, false, COMPLETE_NOTHING, "keep the runs, to look at them"},
	{"sandbox", 's', "PROVIDER", false, COMPLETE_SANDBOX,
		"run commands there, not where the team file says"},
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_test = {
	.name = "test",
	.help = "play a team's tests: rehearsals, and what has to come of them",
	.usage = "TEAM [--keep] [--sandbox PROVIDER] [--json]",
	.details =
		"The tests of TEAM.yaml stand in TEAM/tests/*.yaml (docs/testing-teams.md). They "
		"need\n"
		"neither a model nor a network. Prints TAP; the exit code is 0 only if all "
		"pass.",
	.examples = (const char *const[]){"muster test hello", "muster test my-team.yaml --keep",
		"muster test web-app --json", NULL},
	.options = options,
	.completion = COMPLETE_TEAM,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
