#include "test.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/yaml.h"

static const struct yaml_node *read_yaml(struct arena *arena, const char *source)
{
	struct error error = {0};
	const struct yaml_node *node = yaml_parse(arena, "t.yaml", text_of(source), &error);
	if (!node) {
		print_error("%s\n", error.message);
	}
	assert_non_null(node);
	return node;
}

static void gives(const char *source, const char *json)
{
	arena_cleanup arena = {0};
	buffer_cleanup printed = {0};
	yaml_print_json(&printed, read_yaml(&arena, source));
	assert_string_equal(printed.data, json);
}

static void refused(struct text source, const char *message)
{
	arena_cleanup arena = {0};
	struct error error = {0};
	assert_null(yaml_parse(&arena, "t.yaml", source, &error));
	assert_int_equal(error.kind, ERROR_USAGE);
	assert_string_equal(error.message, message);
}

static void stands_at(const struct yaml_node *node, unsigned line, unsigned column)
{
	assert_non_null(node);
	assert_string_equal(node->position.file, "t.yaml");
	assert_int_equal(node->position.line, line);
	assert_int_equal(node->position.column, column);
}

static void plain_scalars_follow_the_core_schema(void **state)
{
	(void)state;
	gives("[null, ~, Null, NULL, '', \"~\", nULL]",
		"[null,null,null,null,\"\",\"~\",\"nULL\"]");
	gives("[true, False, TRUE, yes, on, 'true']", "[true,false,true,\"yes\",\"on\",\"true\"]");
	gives("[0, -12, +7, 007, 0x1F, 0o17, 0b1, 1_000, -0x1]",
		"[0,-12,7,7,31,15,\"0b1\",\"1_000\",\"-0x1\"]");
	gives("[1.5, -.5, 1., 6e3, 1e, .e1, ., +.5, 12:30:45]",
		"[1.5,-0.5,1,6000,\"1e\",\".e1\",\".\",0.5,\"12:30:45\"]");
	gives("[.inf, -.INF, .nan, .Nan]", "[null,null,null,\".Nan\"]");
	gives("[9223372036854775807, 9223372036854775808, 0xffffffffffffffff]",
		"[9223372036854775807,9.223372036854776e+18,1.8446744073709552e+19]");
	gives("!!str 12", "\"12\"");
	gives("[! 12, !!int '3', !!float 3, !!null '', !!bool \"true\"]", "[\"12\",3,3,null,true]");
	gives("", "null");
	gives("# only a comment\n", "null");
}

static void json_is_yaml_too(void **state)
{
	(void)state;
	gives("{\"a\":[1,{\"b\":null}],\"c\":\"x\\ty\"}",
		"{\"a\":[1,{\"b\":null}],\"c\":\"x\\ty\"}");
}

static void every_key_and_value_knows_where_it_stands(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	const struct yaml_node *node = read_yaml(&arena,
		"# comment\n"
		"\xc3\xa4: {\xc3\xb6: \xc3\xbc, q: 'x y', r: \"z\"}\n"
		"list:\n"
		"  - one\n"
		"  - [two, !!str 3]\n"
		"empty:\n"
		"text: |\n"
		"  lines\n"
		"'quoted key': 1\n");
	stands_at(node, 2, 1);
	const struct yaml_node *map = yaml_get(node, "\xc3\xa4");
	stands_at(map, 2, 4);
	stands_at(yaml_get(map, "\xc3\xb6"), 2, 8);
	stands_at(yaml_get(map, "q"), 2, 14);
	stands_at(yaml_get(map, "r"), 2, 24);
	assert_int_equal(map->pairs[1].position.column, 11);
	const struct yaml_node *list = yaml_get(node, "list");
	stands_at(list, 4, 3);
	stands_at(&list->items[0], 4, 5);
	stands_at(&list->items[1], 5, 5);
	stands_at(&list->items[1].items[1], 5, 17);
	stands_at(yaml_get(node, "empty"), 6, 1);
	assert_int_equal(yaml_get(node, "empty")->kind, YAML_NULL);
	assert_int_equal(yaml_get(node, "text")->position.line, 8);
	assert_int_equal(node->pairs[4].position.line, 9);
	assert_int_equal(node->pairs[4].position.column, 1);
	assert_null(yaml_get(node, "missing"));
	assert_null(yaml_get(list, "one"));
}

static void anchors_aliases_and_merge_keys_are_resolved(void **state)
{
	(void)state;
	gives("a: &x {k: 1}\nb: *x\nc: [*x, &y z, *y]",
		"{\"a\":{\"k\":1},\"b\":{\"k\":1},\"c\":[{\"k\":1},\"z\",\"z\"]}");
	gives("a: &x 1\nb: &x 2\nc: *x", "{\"a\":1,\"b\":2,\"c\":2}");
	gives("base: &b {k: 1, l: 2}\nmine: {<<: *b, l: 3}",
		"{\"base\":{\"k\":1,\"l\":2},\"mine\":{\"l\":3,\"k\":1}}");
	gives("- &a {k: 1, m: 1}\n- &b {k: 2, n: 2}\n- <<: [*a, *b]\n  z: 0",
		"[{\"k\":1,\"m\":1},{\"k\":2,\"n\":2},{\"z\":0,\"k\":1,\"m\":1,\"n\":2}]");
	gives("'<<': 1", "{\"<<\":1}");
	gives("&k key: 1\nother: *k", "{\"key\":1,\"other\":\"key\"}");
	refused(TEXT("a: *nobody"), "t.yaml:1:5: the alias '*nobody' has no anchor");
	refused(TEXT("a: &x [1, *x]"),
		"t.yaml:1:12: the alias '*x' stands inside what it stands for");
	refused(TEXT("<<: 1"), "t.yaml:1:5: '<<' takes a map or a list of maps");
}

static void duplicate_keys_are_refused(void **state)
{
	(void)state;
	refused(TEXT("a: 1\nb: 2\n\"a\": 3"), "t.yaml:3:1: the key 'a' is there twice");
	refused(TEXT("x: {k: 1, j: 2, k: 3}"), "t.yaml:1:17: the key 'k' is there twice");
	refused(TEXT("a: &x {}\n<<: *x\n<<: *x"), "t.yaml:3:1: the key '<<' is there twice");
	arena_cleanup arena = {0};
	struct error error = {0};
	assert_null(yaml_parse(&arena, "t.yaml", TEXT("a: 1\na: 2"), &error));
	assert_string_equal(error.hint, "the first one is in line 1");
}

static void what_is_no_single_plain_document_is_refused(void **state)
{
	(void)state;
	refused(TEXT("a: 1\n---\nb: 2"), "t.yaml:2:1: the file holds more than one document");
	refused(TEXT("a: !thing 1"), "t.yaml:1:11: unknown tag '!thing'");
	refused(TEXT("a: !!int x"),
		"t.yaml:1:10: the tag 'tag:yaml.org,2002:int' does not fit its value");
	refused(TEXT("? [a, b]\n: 1"), "t.yaml:1:3: a key must be a text, not a list or a map");
	refused(TEXT("a: \"\xff\""), "t.yaml:1:5: this byte is not valid UTF-8");
	refused(TEXT("a: b\n\0"), "t.yaml:2:1: a zero byte is no text");
	refused(TEXT("a:\n\tb: c"), "t.yaml:2:1: tab character may not be used as indentation");
	refused(TEXT("a: [1, 2\n"), "t.yaml:2:1: flow sequence without a closing bracket");
}

static void nesting_ends_at_the_limit(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	struct error error = {0};
	buffer_cleanup source = {0};
	for (int i = 0; i < YAML_DEPTH; i++) {
		buffer_add_char(&source, '[');
	}
	for (int i = 0; i < YAML_DEPTH; i++) {
		buffer_add_char(&source, ']');
	}
	assert_non_null(yaml_parse(&arena, "t.yaml", buffer_text(&source), &error));
	buffer_clear(&source);
	buffer_add_string(&source, "a0: &a0 [x]\n");
	for (int i = 1; i < YAML_DEPTH; i++) {
		buffer_printf(&source, "a%d: &a%d [*a%d]\n", i, i, i - 1);
	}
	refused(buffer_text(&source), "t.yaml:64:13: the file is nested too deeply");
	buffer_clear(&source);
	for (int i = 0; i < 100000; i++) {
		buffer_add_string(&source, "[{a: ");
	}
	assert_null(yaml_parse(&arena, "t.yaml", buffer_text(&source), &error));
}

static void an_alias_bomb_ends_early(void **state)
{
	(void)state;
	buffer_cleanup source = {0};
	buffer_add_string(&source, "a0: &a0 x\n");
	for (int i = 1; i < 40; i++) {
		buffer_printf(&source, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1,
			i - 1, i - 1);
	}
	refused(buffer_text(&source), "t.yaml:10:11: the file holds too much, aliases expanded");
}

// Texts that cost some parsers time that grows with the square of their length.
static void hostile_texts_end_quickly(void **state)
{
	(void)state;
	static const char *const parts[] = {"[", "{", "- ", "? ", "a: ", "&a ", "*a ", "!a ", "\"",
		"'a ", "a\n", "  ", "\t", "|\n", "- a\n", "{a: b},", "[a,", "a: b\n", "#", "%a b\n",
		"---\n", "&a1 [*a1, ", "? - ", "\"\\x41", "a b ", ": ", "\n ", "<<: {", "a: &a\n",
		"a,", "[]: "};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (int open = 0; open < 2; open++) {
			arena_cleanup arena = {0};
			buffer_cleanup source = {0};
			struct error error = {0};
			buffer_add_string(&source, open ? "[" : "");
			while (source.length + strlen(parts[i]) <= YAML_SIZE / 4) {
				buffer_add_string(&source, parts[i]);
			}
			clock_t start = clock();
			yaml_parse(&arena, "t.yaml", buffer_text(&source), &error);
			double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
			if (seconds >= 5) {
				print_error("'%s' takes %.1f s\n", parts[i], seconds);
			}
			assert_true(seconds < 5);
		}
	}
}

static void a_file_over_the_size_limit_is_refused(void **state)
{
	(void)state;
	char *large = memory_alloc(YAML_SIZE + 1);
	memset(large, 'x', YAML_SIZE + 1);
	refused((struct text){large, YAML_SIZE + 1},
		"t.yaml:1:1: the file is larger than 1024 KiB");
	free(large);
}

static void syntax_alone_allows_what_a_team_file_may_not_hold(void **state)
{
	(void)state;
	struct error error = {0};
	assert_true(yaml_check_syntax("t.yaml", TEXT("--- !a\n? [b]\n: c\n---\nd"), &error));
	assert_false(yaml_check_syntax("t.yaml", TEXT("a: b: c"), &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_scalars_follow_the_core_schema),
		cmocka_unit_test(json_is_yaml_too),
		cmocka_unit_test(every_key_and_value_knows_where_it_stands),
		cmocka_unit_test(anchors_aliases_and_merge_keys_are_resolved),
		cmocka_unit_test(duplicate_keys_are_refused),
		cmocka_unit_test(what_is_no_single_plain_document_is_refused),
		cmocka_unit_test(nesting_ends_at_the_limit),
		cmocka_unit_test(an_alias_bomb_ends_early),
		cmocka_unit_test(hostile_texts_end_quickly),
		cmocka_unit_test(a_file_over_the_size_limit_is_refused),
		cmocka_unit_test(syntax_alone_allows_what_a_team_file_may_not_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
