#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "agent/patch.h"

// The update of `old` by a diff, through the JSON-free inner form: lines split at LF or CRLF.
static bool updated(struct arena *arena, const char *old, const char *diff, struct text *content,
	const char **problem)
{
	struct patch patch;
	const char *whole =
		arena_printf(arena, "*** Begin Patch\n*** Update File: f\n%s%s*** End Patch\n",
			diff, diff[strlen(diff) - 1] == '\n' ? "" : "\n");
	return patch_parse(arena, text_of(whole), &patch, problem) &&
		patch_update(arena, &patch.operations[0], text_of(old), content, problem);
}

static void updates(const char *old, const char *diff, const char *expected)
{
	arena_cleanup arena = {0};
	struct text content = {0};
	const char *problem = "";
	if (!updated(&arena, old, diff, &content, &problem)) {
		fail_msg("%s", problem);
	}
	assert_text(content, expected);
}

static void refuses(const char *old, const char *diff, const char *expected)
{
	arena_cleanup arena = {0};
	struct text content = {0};
	const char *problem = "";
	assert_false(updated(&arena, old, diff, &content, &problem));
	assert_string_equal(problem, expected);
}

static void refuses_patch(const char *patch_text, const char *expected)
{
	arena_cleanup arena = {0};
	struct patch patch;
	const char *problem = "";
	assert_false(patch_parse(&arena, text_of(patch_text), &patch, &problem));
	assert_string_equal(problem, expected);
}

static void the_golden_values_of_the_agents_sdk_hold(void **state)
{
	(void)state;
	updates("a\nb\nc\n", "@@\n a\n-b\n+B\n c\n", "a\nB\nc\n");
	updates("a\nb\n", "@@\n-b\n+c\n*** End of File\n", "a\nc\n");
	updates("a\n", "@@\n+z\n", "z\na\n");
	refuses("a\nb\n", " q\n-b\n", "Invalid Context 0:\nq\nb");
	refuses("a\nb\n", "@@ none\n@@ b\n-b\n", "Invalid Anchor 0:\nnone");
	arena_cleanup arena = {0};
	struct patch patch;
	struct text content;
	const char *problem;
	assert_true(patch_parse(&arena,
		TEXT("*** Begin Patch\n*** Add File: f\n+x\n+y\n*** End Patch\n"), &patch,
		&problem));
	assert_true(patch_create(&arena, &patch.operations[0], &content, &problem));
	assert_text(content, "x\ny");
}

static void a_patch_is_read_section_by_section(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	struct patch patch;
	const char *problem;
	assert_true(patch_parse(&arena,
		TEXT("\n*** Begin Patch\n*** Add File:  docs/a b.md \n+# A\n+\n*** Delete File: "
		     "old\n*** Update File: x.c\n*** Move to: y.c\n@@\n-a\n+b\n*** End Patch\n\n"),
		&patch, &problem));
	assert_int_equal(patch.count, 3);
	assert_int_equal(patch.operations[0].kind, PATCH_CREATE);
	assert_text(patch.operations[0].path, "docs/a b.md");
	assert_int_equal(patch.operations[0].diff_count, 2);
	assert_int_equal(patch.operations[1].kind, PATCH_DELETE);
	assert_text(patch.operations[1].path, "old");
	assert_int_equal(patch.operations[2].kind, PATCH_UPDATE);
	assert_text(patch.operations[2].move_to, "y.c");
	assert_int_equal(patch.operations[2].diff_count, 3);
}

static void malformed_patches_are_refused_with_the_reason(void **state)
{
	(void)state;
	refuses_patch("", "the first line has to be '*** Begin Patch'");
	refuses_patch("hello", "the first line has to be '*** Begin Patch': 'hello'");
	refuses_patch("*** Begin Patch",
		"the first line has to be '*** Begin Patch': '*** Begin "
		"Patch'");
	refuses_patch("*** Begin Patch\n*** Add File: a\n+x\n",
		"the last line has to be '*** End Patch': '+x'");
	refuses_patch("*** Begin Patch\n*** End Patch", "the patch has no section");
	refuses_patch("*** Begin Patch\nhello\n*** End Patch",
		"expected '*** Add File: ', '*** Update File: ' or '*** Delete File: ': 'hello'");
	refuses_patch("*** Begin Patch\n*** Add File: \n+x\n*** End Patch",
		"a file header names no file: '*** Add File: '");
	refuses_patch("*** Begin Patch\n*** Add File: a\n*** End Patch",
		"a section has no lines for the file: 'a'");
	refuses_patch("*** Begin Patch\n*** Delete File: a\n-x\n*** End Patch",
		"a Delete File section takes no lines: '-x'");
	refuses_patch("*** Begin Patch\n*** Update File: a\n*** Move to:\n-x\n*** End Patch",
		"'*** Move to:' names no file: '*** Update File: a'");
}

static void the_json_form_is_read_too(void **state)
{
	(void)state;
	static const char *const forms[] = {
		"{\"operations\":[{\"type\":\"update_file\",\"path\":\"a\",\"diff\":\"-x\\n+y\"}]}",
		"{\"operation\":{\"type\":\"update_file\",\"path\":\"a\",\"diff\":\"-x\\n+y\\n\"}}",
		"{\"type\":\"update_file\",\"path\":\"a\",\"diff\":\"-x\\n+y\"}",
		" [{\"type\":\"update_file\",\"path\":\"a\",\"diff\":\"-x\\n+y\"}]",
	};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		arena_cleanup arena = {0};
		struct patch patch;
		struct text content;
		const char *problem = "";
		if (!patch_parse(&arena, text_of(forms[i]), &patch, &problem)) {
			fail_msg("%s", problem);
		}
		assert_int_equal(patch.count, 1);
		assert_true(patch_update(
			&arena, &patch.operations[0], TEXT("x\n"), &content, &problem));
		assert_text(content, "y\n");
	}
	refuses_patch("{}",
		"an operation's 'type' has to be create_file, update_file or "
		"delete_file");
	refuses_patch("[]", "a patch has 1 to 1000 operations");
	refuses_patch("[1]",
		"an operation's 'type' has to be create_file, update_file or "
		"delete_file");
	refuses_patch(
		"{\"type\":\"create_file\",\"path\":\"a\"}", "an operation has no 'diff': 'a'");
	refuses_patch("{\"type\":\"create_file\",\"diff\":\"+a\"}",
		"an operation has no 'path': 'create_file'");
}

static void changes_at_several_places_are_made_in_order(void **state)
{
	(void)state;
	updates("1\n2\n3\n4\n5\n6\n", "@@\n-2\n+two\n@@\n 5\n+five and a half\n",
		"1\ntwo\n3\n4\n5\nfive and a half\n6\n");
	updates("1\n2\n3\n", " 1\n-2\n+two\n+deux\n 3\n", "1\ntwo\ndeux\n3\n");
	updates("1\n2\n3\n4\n", "-1\n 2\n-3\n+three\n", "2\nthree\n4\n");
}

static void anchors_choose_among_equal_places(void **state)
{
	(void)state;
	static const char old[] = "def a\n  x\ndef b\n  x\n";
	updates(old, "@@\n-  x\n+  y\n", "def a\n  y\ndef b\n  x\n");
	updates(old, "@@ def b\n-  x\n+  y\n", "def a\n  x\ndef b\n  y\n");
	// Trimmed on both sides; a single one that is nowhere is forgiven.
	updates(old, "@@   def b \n-  x\n+  y\n", "def a\n  x\ndef b\n  y\n");
	updates(old, "@@ def c\n-  x\n+  y\n", "def a\n  y\ndef b\n  x\n");
	updates("class A\ndef f\n x\nclass B\ndef f\n x\n", "@@ class B\n@@ def f\n- x\n+ y\n",
		"class A\ndef f\n x\nclass B\ndef f\n y\n");
}

static void context_is_found_with_other_white_space(void **state)
{
	(void)state;
	updates("a  \n  b\n", "@@\n a\n-b\n+c\n", "a  \nc\n");
	updates("a\t\nb\n", "@@\n-a\n+c\n", "c\nb\n");
}

static void the_end_of_the_file_is_preferred_when_it_is_named(void **state)
{
	(void)state;
	updates("x\ny\nx", "@@\n-x\n+z\n*** End of File\n", "x\ny\nz");
	refuses("a\nb\n", "@@\n-q\n*** End of File\n", "Invalid EOF Context 0:\nq");
}

static void line_ends_and_the_last_newline_are_kept(void **state)
{
	(void)state;
	updates("a\r\nb\r\n", "@@\n-a\n+c\n+d\n", "c\r\nd\r\nb\r\n");
	updates("a\nb", "@@\n-b\n+c\n", "a\nc");
	updates("a\nb\n", "@@\r\n-b\r\n+c\r\n", "a\nc\n");
	updates("a", "@@\r\n-a\r\n+b\r\n+c\r\n", "b\r\nc");
	updates("a\rb\n", "@@\n-a\rb\n+c\n", "c\n");
	updates("a\r", "@@\n+c\n", "c\na\r");
	updates("", "@@\n+c\n", "c\n");
}

static void characters_that_only_python_takes_for_line_ends_are_text(void **state)
{
	(void)state;
	updates("a\x0b"
		"b\xe2\x80\xa8"
		"c\nd\n",
		"@@\n-d\n+e\n",
		"a\x0b"
		"b\xe2\x80\xa8"
		"c\ne\n");
}

static void bad_diffs_are_refused_with_the_sdks_words(void **state)
{
	(void)state;
	refuses("a\n", "@@\n", "Nothing in this section");
	refuses("a\n", "@@\nhello\n", "Invalid Line:\nhello");
	refuses("a\nb\n", "-a\n***\n-b\n", "Invalid Line:\n-b");
	refuses("a\nb\n", "@@\n*** What\n", "Invalid Line:\n*** What");
	refuses("a\nb\nc\n", "@@\n-c\n@@\n-a\n", "Invalid Context 3:\na");
	arena_cleanup arena = {0};
	struct patch patch;
	struct text content;
	const char *problem;
	assert_true(patch_parse(&arena,
		TEXT("*** Begin Patch\n*** Add File: f\n+x\ny\n*** End Patch\n"), &patch,
		&problem));
	assert_false(patch_create(&arena, &patch.operations[0], &content, &problem));
	assert_string_equal(problem, "Invalid Add File Line: y");
}

static void an_empty_line_is_blank_context(void **state)
{
	(void)state;
	updates("a\n\nb\n", "@@\n a\n\n-b\n+c\n", "a\n\nc\n");
}

static void a_hostile_patch_ends_by_its_cost(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	buffer_cleanup file = {0}, diff = {0}, anchors = {0};
	for (int i = 0; i < 200000; i++) {
		buffer_add_string(&file, "same\n");
	}
	for (int i = 0; i < 20000; i++) {
		buffer_add_string(&anchors, "@@ nowhere\n-same\n");
		buffer_add_string(&diff, " same\n");
	}
	buffer_add_string(&diff, "-other\n");
	struct text content;
	const char *problem = "";
	assert_false(updated(&arena, file.data, diff.data, &content, &problem));
	assert_string_equal(problem, "the patch is too costly to apply; use smaller patches");
	assert_false(updated(&arena, file.data, anchors.data, &content, &problem));
	assert_string_equal(problem, "the patch is too costly to apply; use smaller patches");
}

static void a_diff_of_many_small_sections_needs_little_memory(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	buffer_cleanup file = {0}, diff = {0}, expected = {0};
	for (int i = 0; i < 50000; i++) {
		buffer_printf(&file, "line %d\n", i);
		buffer_printf(&diff, "@@\n-line %d\n+new %d\n", i, i);
		buffer_printf(&expected, "new %d\n", i);
	}
	struct text content;
	const char *problem = "";
	assert_true(updated(&arena, file.data, diff.data, &content, &problem));
	assert_int_equal(content.length, expected.length);
	assert_memory_equal(content.data, expected.data, expected.length);
}

// Whatever comes in, reading and applying it ends without touching memory that is not ours.
static void random_patches_never_break_anything(void **state)
{
	(void)state;
	static const char *const pieces[] = {"*** Begin Patch\n", "*** End Patch\n",
		"*** Add File: a\n", "*** Update File: b\n", "*** Delete File: c\n",
		"*** Move to: d\n", "*** End of File\n", "@@\n", "@@ a\n", "+a\n", "-a\n", " a\n",
		"\n", "***\n", "\r\n", "+", "-b", "b\n", "{", "[", "\xff"};
	unsigned seed = 7;
	for (int round = 0; round < 20000; round++) {
		arena_cleanup arena = {0};
		buffer_cleanup text = {0};
		buffer_add_string(&text, round % 3 ? "*** Begin Patch\n*** Update File: f\n" : "");
		for (int i = 0; i < 8; i++) {
			size_t count = sizeof(pieces) / sizeof(pieces[0]);
			buffer_add_string(&text, pieces[(size_t)rand_r(&seed) % count]);
		}
		buffer_add_string(&text, round % 3 ? "*** End Patch\n" : "");
		struct patch patch;
		struct text content;
		const char *problem = NULL;
		if (!patch_parse(&arena, buffer_text(&text), &patch, &problem)) {
			assert_non_null(problem);
			continue;
		}
		for (size_t i = 0; i < patch.count; i++) {
			patch_update(&arena, &patch.operations[i], TEXT("a\nb\n\na\n"), &content,
				&problem);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_golden_values_of_the_agents_sdk_hold),
		cmocka_unit_test(a_patch_is_read_section_by_section),
		cmocka_unit_test(malformed_patches_are_refused_with_the_reason),
		cmocka_unit_test(the_json_form_is_read_too),
		cmocka_unit_test(changes_at_several_places_are_made_in_order),
		cmocka_unit_test(anchors_choose_among_equal_places),
		cmocka_unit_test(context_is_found_with_other_white_space),
		cmocka_unit_test(the_end_of_the_file_is_preferred_when_it_is_named),
		cmocka_unit_test(line_ends_and_the_last_newline_are_kept),
		cmocka_unit_test(characters_that_only_python_takes_for_line_ends_are_text),
		cmocka_unit_test(bad_diffs_are_refused_with_the_sdks_words),
		cmocka_unit_test(an_empty_line_is_blank_context),
		cmocka_unit_test(a_hostile_patch_ends_by_its_cost),
		cmocka_unit_test(a_diff_of_many_small_sections_needs_little_memory),
		cmocka_unit_test(random_patches_never_break_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
