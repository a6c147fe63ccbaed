#include "base/yaml_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/yaml.h"
#include "test.h"

// Written below a key, between others, and read back.
static void comes_back(struct text text)
{
	arena_cleanup arena = {0};
	buffer_cleanup file = {0};
	struct error error = {0};
	buffer_add_string(&file, "agents:\n  one:\n    - say: ");
	yaml_write_text(&file, text, 8);
	buffer_add_string(&file, "\n      calls: [{");
	yaml_write_key(&file, TEXT("null"));
	buffer_add_string(&file, ": ");
	yaml_write_quoted(&file, text);
	buffer_add_string(&file, "}]\nend: 1\n");
	assert_int_equal(text_utf8_length(buffer_text(&file)), file.length);
	struct yaml_node *tree = yaml_parse(&arena, "written", buffer_text(&file), &error);
	if (!tree) {
		fail_msg("%s\n%s", error.message, file.data);
	}
	const struct yaml_node *list = yaml_get(yaml_get(tree, "agents"), "one");
	assert_true(list && list->kind == YAML_LIST && list->count == 1);
	const struct yaml_node *say = yaml_get(&list->items[0], "say");
	const struct yaml_node *quoted =
		&yaml_get(&list->items[0], "calls")->items[0].pairs[0].value;
	assert_true(say && say->kind == YAML_STRING && quoted->kind == YAML_STRING);
	if (!text_equal(say->text, text) || !text_equal(quoted->text, text)) {
		fail_msg("another text comes back from:\n%s", file.data);
	}
	assert_int_equal(yaml_get(tree, "end")->integer, 1);
}

static void hostile_texts_come_back_as_they_are(void **state)
{
	(void)state;
	const struct text texts[] = {TEXT(""), TEXT("plain"), TEXT("null"), TEXT("- a\n- b"),
		TEXT("two\nlines"), TEXT("two\nlines\n"), TEXT("two\nlines\n\n"), TEXT("\nlate"),
		TEXT("\n"), TEXT(" led\nby a space"), TEXT("a\n  indented\nb\n"), TEXT("a\n \nb"),
		TEXT("a \nb"), TEXT("a\nb "), TEXT("a\n\tb\n"), TEXT("\ta\nb"), TEXT("a\r\nb\r\n"),
		TEXT("a\rb\nc"), TEXT("---\nversion: 2\n...\n"), TEXT("# no\n# comment\n"),
		TEXT("a: b\nc: {d\n"), TEXT("\"quoted\"\n'too'\n"), TEXT("back\\slash\\n\n\\"),
		TEXT("*alias\n&anchor\n!tag\n%dir\n@at\n`tick\n"), TEXT("end\x1b[31mred\nx"),
		TEXT("bell\a"), TEXT("\x7f"), TEXT("\xc2\x85next\nline"),
		TEXT("\xe2\x80\xa8\nseparator"),
		TEXT("\xef\xbb\xbf"
		     "bom\nx"),
		TEXT("\xe2\x80\xae"
		     "drawkcab\nx"),
		TEXT("\xf0\x9f\x90\x9b bug\n\xc3\xa4\n"), TEXT("\xef\xbf\xbe\nx"),
		TEXT("${inputs.x}\ny"), TEXT("<<: *x\ny"), TEXT("say: |\n  x\n"), TEXT("|\nx"),
		TEXT(">-\nx"), TEXT("? x\n: y"), TEXT("a\n\n\n\nb\n"), TEXT("x\n#\n---\n")};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		comes_back(texts[i]);
	}
}

static void texts_put_together_at_random_come_back(void **state)
{
	(void)state;
	static const char *const parts[] = {"\n", " ", "\t", "a", "-", ":", "#", "\"", "\\", "'",
		"|", "{", "}", "[", "]", ",", "\r", "\x01", "\xc2\x9b", "\xc3\xa9", "\xe2\x80\xa9",
		"---", "...", "\xf0\x9f\x98\x80"};
	unsigned seed = 7;
	for (size_t round = 0; round < 4000; round++) {
		buffer_cleanup text = {0};
		size_t count = (size_t)rand_r(&seed) % 12;
		for (size_t i = 0; i < count; i++) {
			size_t part = (size_t)rand_r(&seed) % (sizeof(parts) / sizeof(parts[0]));
			buffer_add_string(&text, parts[part]);
		}
		comes_back(buffer_text(&text));
	}
}

static void what_is_not_seen_is_not_written(void **state)
{
	(void)state;
	buffer_cleanup written = {0};
	yaml_write_text(&written,
		TEXT("a\x1b[2J\nb\xe2\x80\xae"
		     "c\xc2\x9b"),
		2);
	assert_string_equal(written.data, "\"a\\x1b[2J\\nb\\u202ec\\x9b\"");
}

static void json_comes_back_as_it_was(void **state)
{
	(void)state;
	static const char json[] =
		"{\"a\":[1,-2.5,true,false,null,\"x\\ny\"],\"true\":{},\"B c\":[]}";
	arena_cleanup arena = {0};
	buffer_cleanup written = {0}, again = {0};
	struct error error = {0};
	json_cleanup *tree = json_parse(text_of(json), &error);
	yaml_write_json(&written, tree);
	assert_string_equal(written.data,
		"{a: [1, -2.5, true, false, null, \"x\\ny\"], \"true\": {}, \"B c\": []}");
	struct yaml_node *node = yaml_parse(&arena, "written", buffer_text(&written), &error);
	assert_non_null(node);
	yaml_print_json(&again, node);
	assert_string_equal(again.data, json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_texts_come_back_as_they_are),
		cmocka_unit_test(texts_put_together_at_random_come_back),
		cmocka_unit_test(what_is_not_seen_is_not_written),
		cmocka_unit_test(json_comes_back_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
