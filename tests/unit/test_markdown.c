#include "test.h"

#include <string.h>

#include "gate/markdown.h"

// The headings of the text, joined by '|'.
static void has(const char *text, const char *headings)
{
	struct markdown markdown = {.rest = text_of(text)};
	struct text title;
	buffer_cleanup found = {0};
	while (markdown_next_heading(&markdown, &title)) {
		buffer_add_text(&found, title);
		buffer_add_char(&found, '|');
	}
	assert_string_equal(found.data ? found.data : "", headings);
}

static void hashes_make_headings(void **state)
{
	(void)state;
	has("# A\n## B ##\n###### C\n", "A|B|C|");
	has("   # A\r\n#\tB\n", "A|B|");
	has("# C#\n# F# ##\n#\n", "C#|F#||");
	has("#A\n####### B\n    # code\n\t# code\n\\# D\n", "");
	has("text\n# A\ntext", "A|");
}

static void underlines_make_headings(void **state)
{
	(void)state;
	has("A\n===\n\nB\n-\n", "A|B|");
	has("\n---\nA\n---\n", "A|");
	has("- item\n---\n> quote\n---\n| a |\n---\n", "");
	has("A paragraph\nof two lines\n---\n", "");
	has("===\n", "");
}

static void emphasis_is_no_part_of_a_title(void **state)
{
	(void)state;
	has("## **Layout**\n# `code`\n# *a* and *b*\n", "Layout|code|a* and *b|");
}

static void code_and_comments_hide_headings(void **state)
{
	(void)state;
	has("```\n# A\n```\n# B\n", "B|");
	has("~~~ md\n# A\n```\n# B\n~~~~\n# C\n", "C|");
	has("````\n```\n# A\n````\n# B\n", "B|");
	has("   ```\n# A\n   ```\n# B\n", "B|");
	has("``` not a fence`\n# A\n", "A|");
	has("```\n# never closed\n", "");
	has("<!-- # A\n# B\n--> \n# C\n<!-- x -->\n# D\n", "C|D|");
}

static void any_bytes_end(void **state)
{
	(void)state;
	has("", "");
	has("\n\n\n", "");
	has("# \xff\n", "\xff|");
	struct markdown markdown = {.rest = {"#\0 a\n# b\0c\n", 11}};
	struct text title;
	assert_true(markdown_next_heading(&markdown, &title));
	assert_int_equal(title.length, 3);
	assert_false(markdown_next_heading(&markdown, &title));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_make_headings),
		cmocka_unit_test(underlines_make_headings),
		cmocka_unit_test(emphasis_is_no_part_of_a_title),
		cmocka_unit_test(code_and_comments_hide_headings),
		cmocka_unit_test(any_bytes_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
