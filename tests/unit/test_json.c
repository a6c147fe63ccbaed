#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"

static void refused(struct text text, const char *message)
{
	struct error error = {0};
	assert_false(json_check(text, &error));
	assert_string_equal(error.message, message);
	assert_null(json_parse(text, &error));
}

static void valid_json_of_every_kind_is_accepted(void **state)
{
	(void)state;
	static const char *const good[] = {"{}", " [ ] ", "null", "-0.5e+10", "\"\"",
		"{\"a\":[1,2,{\"b\":true}],\"c\":\"\\u00e9\\n\\ud83d\\ude00\"}", "[1E-2,0,-0]",
		"\"\x7f\"", "\t\r\n 7 \n"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct error error = {0};
		json_cleanup *tree = json_parse(text_of(good[i]), &error);
		assert_non_null(tree);
	}
}

static void mistakes_are_named_with_line_and_column(void **state)
{
	(void)state;
	refused(TEXT(""), "1:1: the JSON text ends too early");
	refused(TEXT("{\"a\":1,}"), "1:8: a string in double quotes is missing here");
	refused(TEXT("[1,\n 2,\n 3 4]"), "3:4: a ',' or ']' is missing here");
	refused(TEXT("{\"\xc3\xa4\" 1}"), "1:6: a ':' is missing here");
	refused(TEXT("[01]"), "1:2: a number must not start with 0");
	refused(TEXT("[1.]"), "1:4: a digit is missing here");
	refused(TEXT("[-]"), "1:3: a digit is missing here");
	refused(TEXT("[nul]"), "1:2: a JSON value is missing here");
	refused(TEXT("1 2"), "1:3: nothing may follow the JSON value");
	refused(TEXT("\"a"), "1:1: the string has no closing quote");
	refused(TEXT("\"a\tb\""), "1:3: a control character in a string must be escaped");
	refused(TEXT("\"\\x\""), "1:2: unknown escape in a string");
	refused(TEXT("\"\\u12g4\""), "1:2: \\u needs four hexadecimal digits");
	refused(TEXT("\"\\ud800\""), "1:2: half a surrogate pair is no character");
	refused(TEXT("\"\\ud800\\u0041\""), "1:2: half a surrogate pair is no character");
	refused(TEXT("[\"\xff\"]"), "1:3: this byte is not valid UTF-8");
	refused(TEXT("\xef\xbb\xbf{}"), "1:1: a byte order mark is no JSON");
	refused(TEXT("1\0"), "1:2: nothing may follow the JSON value");
}

static void duplicate_member_names_are_refused_however_they_are_written(void **state)
{
	(void)state;
	refused(TEXT("{\"a\":1,\"b\":{\"a\":2},\"a\":3}"),
		"1:20: the object has two members of this name");
	refused(TEXT("{\"\\u0061\":1,\n\"a\":3}"), "2:1: the object has two members of this name");
	refused(TEXT("{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":3}"),
		"1:8: the object has two members of this name");
	struct error error = {0};
	assert_true(json_check(TEXT("[{\"a\":1},{\"a\":1,\"A\":{\"a\":1}}]"), &error));
	assert_true(json_check_grammar(TEXT("{\"a\":1,\"a\":2}"), &error));
}

static void an_object_of_very_many_members_is_checked_quickly(void **state)
{
	(void)state;
	buffer_cleanup json = {0};
	buffer_add_char(&json, '{');
	for (int i = 0; i < 200000; i++) {
		buffer_printf(&json, "\"name%d\":0,", i);
	}
	buffer_add_string(&json, "\"name77\":1}");
	struct error error = {0};
	clock_t start = clock();
	assert_false(json_check(buffer_text(&json), &error));
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
	assert_non_null(strstr(error.message, "two members of this name"));
}

static void nesting_ends_at_the_limit(void **state)
{
	(void)state;
	buffer_cleanup json = {0};
	struct error error = {0};
	for (int i = 0; i < JSON_DEPTH; i++) {
		buffer_add_char(&json, '[');
	}
	for (int i = 0; i < JSON_DEPTH; i++) {
		buffer_add_char(&json, ']');
	}
	assert_true(json_check(buffer_text(&json), &error));
	buffer_clear(&json);
	for (int i = 0; i < 100000; i++) {
		buffer_add_string(&json, "{\"\":[");
	}
	refused(buffer_text(&json), "1:321: the JSON text is nested too deeply");
}

static void a_tree_does_not_lose_what_follows_a_zero_character(void **state)
{
	(void)state;
	struct error error = {0};
	assert_true(json_check(TEXT("[\"a\\u0000b\"]"), &error));
	assert_null(json_parse(TEXT("[\"a\\u0000b\"]"), &error));
	assert_string_equal(error.message, "1:4: the character \\u0000 is not supported");
}

static void pointers_find_values(void **state)
{
	(void)state;
	struct error error = {0};
	json_cleanup *tree = json_parse(
		TEXT("{\"a/b\":{\"~\":[10,20]},\"\":1,\"x\":{\"\":2},\"01\":3}"), &error);
	assert_non_null(tree);
	assert_ptr_equal(json_at(tree, TEXT("")), tree);
	assert_float_equal(json_at(tree, TEXT("/a~1b/~0/1"))->valuedouble, 20, 0);
	assert_float_equal(json_at(tree, TEXT("/"))->valuedouble, 1, 0);
	assert_float_equal(json_at(tree, TEXT("/x/"))->valuedouble, 2, 0);
	assert_float_equal(json_at(tree, TEXT("/01"))->valuedouble, 3, 0);
	static const char *const nothing[] = {"/a~1b/~0/2", "/a~1b/~0/-", "/a~1b/~0/01", "/A",
		"/a~1b/~0/", "a", "/a~b", "/x/y/z", "/a~1b/~0/99999999999"};
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		assert_null(json_at(tree, text_of(nothing[i])));
	}
	assert_true(json_pointer_check(TEXT("/a~0~1"), &error));
	assert_false(json_pointer_check(TEXT("scripts/start"), &error));
	assert_false(json_pointer_check(TEXT("/a~2"), &error));
	assert_false(json_pointer_check(TEXT("/a~"), &error));
}

static void members_of_another_type_give_the_given_value(void **state)
{
	(void)state;
	struct error error = {0};
	json_cleanup *tree =
		json_parse(TEXT("{\"s\":\"x\",\"n\":2.5,\"b\":true,\"z\":null}"), &error);
	assert_string_equal(json_string(tree, "s", "none"), "x");
	assert_string_equal(json_string(tree, "n", "none"), "none");
	assert_null(json_string(tree, "S", NULL));
	assert_float_equal(json_number(tree, "n", 0), 2.5, 0);
	assert_float_equal(json_number(tree, "z", -1), -1, 0);
	assert_true(json_boolean(tree, "b", false));
	assert_false(json_boolean(tree, "s", false));
	assert_string_equal(json_string(NULL, "s", "none"), "none");
}

static void what_is_printed_reads_back_the_same(void **state)
{
	(void)state;
	const char *json =
		"{\"a\":[1,-2.5,1e+300,0.1,9007199254740991,true,false,null,\"\\n\xc3\xa9"
		"\\u0001\"],\"\":{}}";
	struct error error = {0};
	json_cleanup *tree = json_parse(text_of(json), &error);
	buffer_cleanup printed = {0};
	json_print(&printed, tree);
	assert_string_equal(printed.data, json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_json_of_every_kind_is_accepted),
		cmocka_unit_test(mistakes_are_named_with_line_and_column),
		cmocka_unit_test(duplicate_member_names_are_refused_however_they_are_written),
		cmocka_unit_test(an_object_of_very_many_members_is_checked_quickly),
		cmocka_unit_test(nesting_ends_at_the_limit),
		cmocka_unit_test(a_tree_does_not_lose_what_follows_a_zero_character),
		cmocka_unit_test(pointers_find_values),
		cmocka_unit_test(members_of_another_type_give_the_given_value),
		cmocka_unit_test(what_is_printed_reads_back_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
