#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/path.h"
#include "base/pattern.h"

static bool globbed(const char *glob, const char *path)
{
	return glob_match(text_of(glob), text_of(path));
}

static void globs_stay_inside_components(void **state)
{
	(void)state;
	assert_true(globbed("design/**", "design/a/b.md"));
	assert_true(globbed("**/*.md", "a.md"));
	assert_true(globbed("**/*.md", "x/y/a.md"));
	assert_true(globbed("a/**/z", "a/z"));
	assert_true(globbed("a/**/b/**/c", "a/x/b/y/z/c"));
	assert_true(globbed("[!a-c]?.js", "dx.js"));
	assert_false(globbed("*.md", "a/b.md"));
	assert_false(globbed("design/*", "design/a/b"));
	assert_false(globbed("[a-c].js", "d.js"));
	assert_false(globbed("a/**/z", "a/b"));
}

static void a_glob_of_many_stars_ends_quickly(void **state)
{
	(void)state;
	char path[2001];
	memset(path, 'a', 2000);
	path[2000] = '\0';
	assert_false(globbed("*a*a*a*a*a*a*a*a*a*a*b", path));
}

static void globs_overlap_when_one_path_could_match_both(void **state)
{
	(void)state;
	assert_true(glob_overlap(TEXT("a/**"), TEXT("a/b")));
	assert_true(glob_overlap(TEXT("*.md"), TEXT("README.*")));
	assert_false(glob_overlap(TEXT("frontend/**"), TEXT("backend/**")));
	assert_false(glob_overlap(TEXT("*.md"), TEXT("*.js")));
	assert_false(glob_overlap(TEXT("a"), TEXT("a/b")));
}

static void paths_are_cleaned_and_never_leave(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	struct error error;
	struct text clean;
	assert_true(path_clean(&arena, TEXT("/design//./spec.md"), &clean, &error));
	assert_text(clean, "design/spec.md");
	assert_true(path_clean(&arena, TEXT("/workspace/a"), &clean, &error));
	assert_text(clean, "a");
	assert_false(path_clean(&arena, TEXT("a/../../b"), &clean, &error));
	assert_non_null(strstr(error.message, "'..'"));
	assert_false(path_clean(&arena, (struct text){"a\0b", 3}, &clean, &error));
}

static void terminal_text_cannot_move_the_cursor(void **state)
{
	(void)state;
	buffer_cleanup buffer = {0};
	buffer_add_terminal(&buffer,
		TEXT("a\x1b[2J\xe2\x80\xae"
		     "b\xff\n"));
	assert_text(buffer_text(&buffer), "a\\x1b[2J\\u{202e}b\\xff\n");
}

// Every byte value at every place of a text that is otherwise plain.
static void what_is_plain_is_found_at_any_place(void **state)
{
	(void)state;
	char bytes[21];
	for (size_t length = 1; length <= sizeof(bytes); length++) {
		for (size_t place = 0; place < length; place++) {
			for (int byte = 0; byte < 256; byte++) {
				memset(bytes, 'a', sizeof(bytes));
				bytes[place] = (char)byte;
				bool plain =
					byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
				struct text text = {bytes, length};
				assert_int_equal(text_plain_length(text), plain ? length : place);
				assert_int_equal(
					text_utf8_length(text), byte < 0x80 ? length : place);
			}
		}
	}
}

static void json_text_is_always_valid(void **state)
{
	(void)state;
	buffer_cleanup buffer = {0};
	buffer_add_json(&buffer, (struct text){"\"\\\n\x01\xff\0", 6});
	assert_text(buffer_text(&buffer), "\"\\\"\\\\\\n\\u0001\xef\xbf\xbd\\u0000\"");
}

static void a_near_name_is_suggested_and_a_far_one_is_not(void **state)
{
	(void)state;
	static const char *const names[] = {"designer", "tester"};
	assert_string_equal(text_nearest(TEXT("desginer"), names, 2), "designer");
	assert_null(text_nearest(TEXT("zebra"), names, 2));
}

// `run` times the filling and an 'x', again and again.
static enum pattern_result search_runs(const char *source, char filling, size_t run, size_t size)
{
	struct error error = {0};
	char *data = memory_alloc(size);
	struct pattern *pattern = pattern_compile(text_of(source), &error);
	assert_non_null(pattern);
	memset(data, filling, size);
	for (size_t i = run; i < size; i += run + 1) {
		data[i] = 'x';
	}
	data[size - 1] = 'x';
	enum pattern_result result = pattern_search(pattern, (struct text){data, size}, NULL, NULL);
	pattern_destroy(pattern);
	free(data);
	return result;
}

static void patterns_that_are_costly_from_many_places_end(void **state)
{
	(void)state;
	assert_int_equal(search_runs("\\s+$", ' ', 50000, 1 << 24), PATTERN_TOO_COSTLY);
	assert_int_equal(search_runs("\\d+y", '1', 1 << 24, 1 << 24), PATTERN_TOO_COSTLY);
	assert_int_equal(search_runs("\\s+$", ' ', 50, 1 << 20), PATTERN_MISS);
}

static void a_match_is_found_wherever_it_is(void **state)
{
	(void)state;
	struct error error = {0};
	buffer_cleanup text = {0};
	size_t start, end;
	while (text.length < 3000) {
		buffer_add_string(&text, "\xc3\xa9\xe2\x82\xac\xff\x80");
	}
	for (size_t at = 0; at + 6 < text.length; at += 7) {
		char kept[6];
		memcpy(kept, text.data + at, sizeof(kept));
		memcpy(text.data + at, "needle", sizeof(kept));
		struct pattern *pattern = pattern_compile(TEXT("(?<!n)needle"), &error);
		assert_int_equal(
			pattern_search(pattern, buffer_text(&text), &start, &end), PATTERN_MATCH);
		assert_int_equal(start, at);
		assert_int_equal(end, at + 6);
		pattern_destroy(pattern);
		memcpy(text.data + at, kept, sizeof(kept));
	}
	struct pattern *pattern = pattern_compile(TEXT("\\G.{2}\\xe9"), &error);
	assert_int_equal(pattern_search(pattern, buffer_text(&text), NULL, NULL), PATTERN_MISS);
	pattern_destroy(pattern);
	pattern = pattern_compile(TEXT("^\\z|needle"), &error);
	assert_int_equal(pattern_search(pattern, TEXT(""), NULL, NULL), PATTERN_MATCH);
	assert_int_equal(pattern_search(pattern, buffer_text(&text), NULL, NULL), PATTERN_MISS);
	pattern_destroy(pattern);
}

static void costly_patterns_end(void **state)
{
	(void)state;
	struct error error;
	char subject[5001];
	memset(subject, 'a', 5000);
	subject[5000] = '\0';
	struct pattern *pattern = pattern_compile(TEXT("(a+)+$"), &error);
	assert_non_null(pattern);
	subject[4999] = 'b';
	assert_int_equal(pattern_search(pattern, text_of(subject), NULL, NULL), PATTERN_TOO_COSTLY);
	pattern_destroy(pattern);
	assert_null(pattern_compile(TEXT("(a"), &error));
	assert_non_null(strstr(error.message, "offset 2"));
}

static void sha256_is_the_standard_one(void **state)
{
	(void)state;
	assert_string_equal(hash_text(TEXT("abc")).hex,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void errors_gain_context_and_stay_cut_at_characters(void **state)
{
	(void)state;
	struct error error;
	error_set(&error, ERROR_USAGE, "no such file");
	assert_false(error_wrap(&error, "gates/%s", "a.yaml"));
	assert_string_equal(error.message, "gates/a.yaml: no such file");
	assert_int_equal(error_exit_code(&error), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(globs_stay_inside_components),
		cmocka_unit_test(a_glob_of_many_stars_ends_quickly),
		cmocka_unit_test(globs_overlap_when_one_path_could_match_both),
		cmocka_unit_test(paths_are_cleaned_and_never_leave),
		cmocka_unit_test(terminal_text_cannot_move_the_cursor),
		cmocka_unit_test(json_text_is_always_valid),
		cmocka_unit_test(a_near_name_is_suggested_and_a_far_one_is_not),
		cmocka_unit_test(costly_patterns_end),
		cmocka_unit_test(patterns_that_are_costly_from_many_places_end),
		cmocka_unit_test(what_is_plain_is_found_at_any_place),
		cmocka_unit_test(a_match_is_found_wherever_it_is),
		cmocka_unit_test(sha256_is_the_standard_one),
		cmocka_unit_test(errors_gain_context_and_stay_cut_at_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
