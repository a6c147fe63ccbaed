#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/history.h"

static char folder[64];
static struct sandbox *sandbox;
static struct history *writer, *reader;
static struct history_steps steps;
static struct arena arena;
static struct error error;

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/muster-test-read-XXXXXX");
	if (!mkdtemp(folder)) {
		return -1;
	}
	struct sandbox_settings settings = {.run = "test", .folder = folder};
	sandbox = sandbox_create(sandbox_driver_find("unix-local"), &settings, &error);
	writer = history_open(arena_printf(&arena, "%s/history.git", folder), NULL, &error);
	reader = NULL;
	return sandbox && writer ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	history_close(writer);
	history_close(reader);
	sandbox_detach(sandbox);
	arena_finish(&arena);
	return file_remove_tree(folder, &error) ? 0 : -1;
}

static void put_text(const char *path, struct text content)
{
	if (!sandbox_write(sandbox, text_of(path), content, 0, &error)) {
		fail_msg("%s", error.message);
	}
}

static void put(const char *path, const char *content)
{
	put_text(path, text_of(content));
}

static void drop(const char *path)
{
	assert_int_equal(remove(arena_printf(&arena, "%s/workspace/%s", folder, path)), 0);
}

// One step: all that changed, by this author.
static void step(int turn, const char *author)
{
	struct history_changes changes;
	const char *id;
	const char *message = arena_printf(&arena, "Turn %d: something\n", turn);
	if (!history_scan(writer, sandbox, &arena, &changes, &error) ||
		!history_commit(writer, &arena, author, message, 1000000, &changes, &id, &error)) {
		fail_msg("%s", error.message);
	}
}

static void read_steps(void)
{
	history_close(reader);
	reader = history_open_read(arena_printf(&arena, "%s/history.git", folder), &error);
	if (!reader || !history_steps(reader, &arena, &steps, &error)) {
		fail_msg("%s", error.message);
	}
}

static bool note(void *data, const struct history_difference *difference)
{
	static const char *const words[] = {"added", "changed", "deleted"};
	struct buffer *buffer = data;
	buffer_printf(buffer, "%s %s %zu %zu%s%s %o %o\n", words[difference->status],
		difference->path, difference->added, difference->removed,
		difference->binary ? " binary" : "", difference->large ? " large" : "",
		difference->before.mode, difference->after.mode);
	buffer_add_text(buffer, difference->hunks);
	return true;
}

static const char *diff(const struct history_step *from, const struct history_step *to)
{
	buffer_cleanup noted = {0};
	if (!history_diff(reader, from, to, note, &noted, &error)) {
		fail_msg("%s", error.message);
	}
	return arena_string(&arena, noted.data ? noted.data : "");
}

static void a_history_without_commits_has_no_steps(void **state)
{
	(void)state;
	struct history_files files;
	read_steps();
	assert_int_equal(steps.count, 0);
	assert_null(history_start(&steps));
	assert_null(history_step_at(&steps, 7));
	assert_true(history_files(reader, &arena, NULL, &files, &error));
	assert_int_equal(files.count, 0);
	assert_string_equal(diff(NULL, NULL), "");
}

static void reading_makes_no_repository(void **state)
{
	(void)state;
	struct stat status;
	const char *path = arena_printf(&arena, "%s/nowhere.git", folder);
	assert_null(history_open_read(path, &error));
	assert_true(error.message[0] != '\0');
	assert_int_not_equal(stat(path, &status), 0);
	error = (struct error){0};
}

static void steps_tell_turn_and_author_oldest_first(void **state)
{
	(void)state;
	put("a", "1\n");
	step(0, "manifest");
	put("b", "2\n");
	step(3, "writer");
	put("b", "3\n");
	step(12, "editor");
	read_steps();
	assert_int_equal(steps.count, 3);
	assert_string_equal(steps.steps[1].author, "writer");
	assert_int_equal(steps.steps[2].turn, 12);
	assert_int_equal(steps.steps[2].when, 1000000);
	assert_ptr_equal(history_start(&steps), &steps.steps[0]);
	assert_ptr_equal(history_step_at(&steps, 2), &steps.steps[0]);
	assert_ptr_equal(history_step_at(&steps, 3), &steps.steps[1]);
	assert_ptr_equal(history_step_at(&steps, 99), &steps.steps[2]);
}

static void without_a_manifest_a_run_starts_with_nothing(void **state)
{
	(void)state;
	put("a", "1\n");
	step(1, "writer");
	read_steps();
	assert_null(history_start(&steps));
	assert_null(history_step_at(&steps, 0));
	assert_string_equal(
		diff(NULL, &steps.steps[0]), "added a 1 0 0 100644\n@@ -0,0 +1 @@\n+1\n");
}

static void a_difference_has_hunks_like_those_of_git(void **state)
{
	(void)state;
	put("deep/er", "one\ntwo\nthree\n");
	put("gone", "x\n");
	step(1, "writer");
	put("deep/er", "one\n2\nthree");
	drop("gone");
	step(2, "writer");
	read_steps();
	assert_string_equal(diff(&steps.steps[0], &steps.steps[1]),
		"changed deep/er 2 2 100644 100644\n"
		"@@ -1,3 +1,3 @@\n one\n-two\n-three\n+2\n+three\n\\ No newline at end of file\n"
		"deleted gone 0 1 100644 0\n@@ -1 +0,0 @@\n-x\n");
	assert_string_equal(diff(&steps.steps[1], &steps.steps[1]), "");
}

static void binary_and_large_files_are_told_as_such(void **state)
{
	(void)state;
	size_t length = HISTORY_COMPARE_LIMIT + 1;
	char *long_text = arena_alloc(&arena, length);
	memset(long_text, 'a', length);
	put_text("large", (struct text){long_text, length});
	put_text("zero", TEXT("a\0b"));
	step(1, "writer");
	read_steps();
	assert_string_equal(diff(NULL, &steps.steps[0]),
		"added large 0 0 large 0 100644\nadded zero 0 0 binary 0 100644\n");
}

static void attributes_and_configuration_do_not_change_a_difference(void **state)
{
	(void)state;
	put(".gitattributes", "* -diff binary\n");
	put("a", "one\n");
	step(1, "writer");
	put("a", "two\n");
	step(2, "writer");
	assert_true(file_make_folders(
		arena_printf(&arena, "%s/history.git/info", folder), 0755, &error));
	assert_true(file_replace(arena_printf(&arena, "%s/history.git/info/attributes", folder),
		TEXT("* -diff binary\n"), 0644, &error));
	read_steps();
	assert_string_equal(diff(&steps.steps[0], &steps.steps[1]),
		"changed a 1 1 100644 100644\n@@ -1 +1 @@\n-one\n+two\n");
}

static void a_file_that_becomes_a_link_is_two_differences(void **state)
{
	(void)state;
	put("a", "b");
	step(1, "writer");
	drop("a");
	assert_int_equal(symlink("b", arena_printf(&arena, "%s/workspace/a", folder)), 0);
	step(2, "writer");
	read_steps();
	const char *told = diff(&steps.steps[0], &steps.steps[1]);
	assert_non_null(strstr(told, "deleted a 0 1 100644 0\n"));
	assert_non_null(strstr(told, "added a 1 0 0 120000\n"));
}

static const char *blame(const char *path)
{
	struct history_lines lines;
	buffer_cleanup told = {0};
	if (!history_blame(reader, &arena, &steps, path, &lines, &error)) {
		fail_msg("%s", error.message);
	}
	for (size_t i = 0; i < lines.count; i++) {
		buffer_printf(&told, "%s %d %.*s\n", lines.lines[i].step->author,
			(int)lines.lines[i].step->turn, (int)lines.lines[i].text.length,
			lines.lines[i].text.data);
	}
	return arena_string(&arena, told.data ? told.data : "");
}

static void each_line_belongs_to_who_wrote_it(void **state)
{
	(void)state;
	put("a", "one\ntwo\nthree\nfour\n");
	step(0, "manifest");
	put("a", "zero\none\nTWO\nthree\nfour\n");
	step(1, "writer");
	put("other", "x");
	step(2, "editor");
	put("a", "zero\none\nTWO\nfour\nfive");
	step(4, "editor");
	read_steps();
	assert_string_equal(blame("a"),
		"writer 1 zero\nmanifest 0 one\nwriter 1 TWO\nmanifest 0 four\neditor 4 five\n");
	steps.count = 2;
	assert_string_equal(blame("a"),
		"writer 1 zero\nmanifest 0 one\nwriter 1 TWO\nmanifest 0 three\nmanifest 0 four\n");
}

static void a_file_that_was_away_is_new_again(void **state)
{
	(void)state;
	put("a", "one\n");
	step(1, "writer");
	drop("a");
	step(2, "editor");
	put("a", "one\n");
	step(3, "tester");
	put("empty", "");
	step(4, "tester");
	read_steps();
	assert_string_equal(blame("a"), "tester 3 one\n");
	assert_string_equal(blame("empty"), "");
}

static void what_has_no_lines_is_refused(void **state)
{
	(void)state;
	struct history_lines lines;
	put_text("deep/zero", TEXT("a\0b"));
	step(1, "writer");
	read_steps();
	static const char *const paths[] = {"missing", "deep", "deep/zero", "", "deep/zero/x"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		error = (struct error){0};
		if (history_blame(reader, &arena, &steps, paths[i], &lines, &error)) {
			fail_msg("'%s' is not refused", paths[i]);
		}
		assert_int_equal(error.kind, ERROR_USAGE);
	}
	error = (struct error){0};
}

static void all_files_of_a_step_are_known(void **state)
{
	(void)state;
	struct history_files files;
	put("b/c", "2\n");
	put("a", "1\n");
	step(1, "writer");
	drop("a");
	step(2, "writer");
	read_steps();
	assert_true(history_files(reader, &arena, &steps.steps[0], &files, &error));
	assert_int_equal(files.count, 2);
	assert_text(files.files[1].path, "b/c");
	assert_false(files.files[1].executable || files.files[1].link);
	assert_true(history_files(reader, &arena, &steps.steps[1], &files, &error));
	assert_int_equal(files.count, 1);
}

int main(void)
{
#define TEST_CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST_CASE(a_history_without_commits_has_no_steps),
		TEST_CASE(reading_makes_no_repository),
		TEST_CASE(steps_tell_turn_and_author_oldest_first),
		TEST_CASE(without_a_manifest_a_run_starts_with_nothing),
		TEST_CASE(a_difference_has_hunks_like_those_of_git),
		TEST_CASE(binary_and_large_files_are_told_as_such),
		TEST_CASE(attributes_and_configuration_do_not_change_a_difference),
		TEST_CASE(a_file_that_becomes_a_link_is_two_differences),
		TEST_CASE(each_line_belongs_to_who_wrote_it),
		TEST_CASE(a_file_that_was_away_is_new_again),
		TEST_CASE(what_has_no_lines_is_refused),
		TEST_CASE(all_files_of_a_step_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
