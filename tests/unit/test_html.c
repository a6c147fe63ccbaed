#include "test.h"

#include <string.h>

#include "view/html.h"
#include "view/words.h"

static void what_is_written_is_escaped_in_texts_and_attributes(void **state)
{
	(void)state;
	buffer_cleanup buffer = {0};
	struct html html = {.buffer = &buffer};
	html_open(&html, "td", "path");
	html_attribute(&html, "title", TEXT("\"><b onclick='x'>&"));
	html_text(&html, TEXT("</td><script>&amp;"));
	html_close(&html);
	assert_text(buffer_text(&buffer),
		"<td class=\"path\" title=\"&quot;&gt;&lt;b onclick=&#39;x&#39;&gt;&amp;\">"
		"&lt;/td&gt;&lt;script&gt;&amp;amp;</td>");
}

static void what_could_mislead_is_made_visible(void **state)
{
	(void)state;
	buffer_cleanup buffer = {0};
	struct html html = {.buffer = &buffer};
	html_text(&html, TEXT("a\x1b[31m\0\x80 \xe2\x80\xae txt\n\tend"));
	assert_text(buffer_text(&buffer), "a\\x1b[31m\\x00\\x80 \\u{202e} txt\n\tend");
}

static void what_is_left_out_is_told(void **state)
{
	(void)state;
	buffer_cleanup buffer = {0};
	struct html html = {.buffer = &buffer};
	html_cut(&html, TEXT("12345"), 5);
	html_cut(&html, TEXT("12345\xc3\xa4"), 6); // never within a character
	assert_text(buffer_text(&buffer),
		"1234512345<span class=\"cut\"> ... 2 more bytes are left out</span>");
}

static void colours_of_a_terminal_become_classes_and_others_are_shown(void **state)
{
	(void)state;
	buffer_cleanup buffer = {0}, line = {0};
	struct html html = {.buffer = &buffer};
	words_colour(&line, true, COLOUR_BAD);
	buffer_add_string(&line, "<no>");
	words_colour(&line, true, COLOUR_GOOD);
	buffer_add_string(&line, "yes");
	words_colour(&line, true, COLOUR_PLAIN);
	buffer_add_string(&line, "\033[5mblink");
	html_coloured(&html, buffer_text(&line));
	assert_text(buffer_text(&buffer),
		"<span class=\"bad\">&lt;no&gt;</span><span "
		"class=\"good\">yes</span>\\x1b[5mblink");
}

static void a_page_closes_what_it_opened_and_names_the_hash_of_its_style(void **state)
{
	(void)state;
	buffer_cleanup buffer = {0};
	struct html html;
	html_begin(&html, &buffer, TEXT("<t>"), TEXT("b{color:red}"));
	html_open(&html, "section", NULL);
	html_open(&html, "p", NULL);
	html_end(&html);
	// printf 'b{color:red}' | openssl dgst -sha256 -binary | base64
	assert_non_null(strstr(buffer.data,
		"content=\"default-src &#39;none&#39;; style-src "
		"&#39;sha256-ypIZpeWh67Lh3q46jpjGW7VCAJpmEqcFe8Dl5B2rXQU=&#39;; "
		"base-uri &#39;none&#39;; form-action &#39;none&#39;\""));
	assert_non_null(strstr(buffer.data, "<title>&lt;t&gt;</title>"));
	assert_true(text_ends(
		buffer_text(&buffer), "<body><section><p></p></section></body></html>\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_escaped_in_texts_and_attributes),
		cmocka_unit_test(what_could_mislead_is_made_visible),
		cmocka_unit_test(what_is_left_out_is_told),
		cmocka_unit_test(colours_of_a_terminal_become_classes_and_others_are_shown),
		cmocka_unit_test(a_page_closes_what_it_opened_and_names_the_hash_of_its_style),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
