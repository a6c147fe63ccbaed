#include "gate_test.h"

#define ABC_HASH "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void a_path_alone_asks_for_a_file_with_something_in_it(void **state)
{
	(void)state;
	put("docs/spec.md", TEXT("x"));
	put("empty", TEXT(""));
	holds("docs/spec.md");
	holds("/docs/spec.md");
	holds("./docs//spec.md");
	holds("[docs/spec.md]");
	fails("empty", "- empty is empty; write its content.\n");
	fails("none.md", "- none.md is missing; write it.\n");
	holds("{file: empty}");
}

static void size_and_lines_have_bounds(void **state)
{
	(void)state;
	put("five", TEXT("1\n2\n3\n4\n5"));
	put("one", TEXT("x"));
	holds("{file: five, min_bytes: 9, max_bytes: 9}");
	holds("{file: five, max_bytes: 1 KiB}");
	fails("{file: five, min_bytes: 10}", "five has only 9 bytes; it needs at least 10 bytes.");
	fails("{file: one, min_bytes: 2}", "one has only 1 byte; it needs at least 2 bytes.");
	fails("{file: five, max_bytes: 8}", "five has 9 bytes; it may have at most 8 bytes.");
	assert_string_equal(verdict.findings[0].expected, "at most 8 bytes");
	assert_string_equal(verdict.findings[0].found, "9 bytes");
	holds("{file: five, lines: 5}");
	holds("{file: five, lines: {min: 5, max: 5}}");
	fails("{file: five, lines: {min: 6}}", "five has 5 lines; it has to have at least 6 lines");
	fails("{file: five, lines: {max: 4}}", "it has to have at most 4 lines.");
	fails("{file: five, lines: 1}", "it has to have exactly 1 line.");
}

static void a_file_has_to_contain_texts(void **state)
{
	(void)state;
	put("a", TEXT("one two\nthree"));
	holds("{file: a, contains: two}");
	holds("{file: a, contains: [one, three]}");
	fails("{file: a, contains: [one, Two]}", "a does not contain 'Two'.");
}

static void headings_are_told_with_those_that_are_there(void **state)
{
	(void)state;
	put("spec.md", TEXT("# Layout\n\n```\n# Screens\n```\n\nColours\n-------\n"));
	put("plain.md", TEXT("Screens\n"));
	holds("{file: spec.md, headings: layout}");
	holds("{file: spec.md, headings: [Colours, Layout]}");
	fails("{file: spec.md, headings: [Layout, Screens]}",
		"- spec.md has no heading 'Screens'; it has: Layout, Colours.\n");
	fails("{file: plain.md, headings: [Screens]}", "it has: no headings.");
}

static void only_the_first_headings_are_told(void **state)
{
	(void)state;
	buffer_cleanup many = {0};
	for (int i = 0; i < 100; i++) {
		buffer_printf(&many, "# H%d\n", i);
	}
	put("many.md", buffer_text(&many));
	fails("{file: many.md, headings: [X]}", "H10, H11 and 88 more.");
}

static void patterns_have_to_match_or_not(void **state)
{
	(void)state;
	put("a", TEXT("caf\xc3\xa9 one\n\xc3\xa9 TODO: two\n"));
	holds("{file: a, matches: '(?m)TODO: .*$'}");
	fails("{file: a, matches: '^TODO'}", "a does not match /^TODO/.");
	holds("{file: a, not_matches: FIXME}");
	fails("{file: a, not_matches: 'TODO.*'}",
		"a must not match /TODO.*/, but has 'TODO: two' in line 2.");
	stands_at(2, 3);
}

static void encoding_hash_and_mode_can_be_asked_for(void **state)
{
	(void)state;
	put("good", TEXT("abc"));
	put("bad", TEXT("ok\nx\xff"));
	holds("{file: good, encoding: utf-8}");
	fails("{file: bad, encoding: utf-8}",
		"bad is not valid UTF-8: the first wrong byte is in line 2, column 2.");
	stands_at(2, 2);
	holds("{file: good, sha256: " ABC_HASH "}");
	holds("{file: good, sha256: "
	      "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"
	      "}");
	fails("{file: bad, sha256: " ABC_HASH "}", "bad is not the file that is asked for");
	assert_int_equal(chmod(full("good"), 0755), 0);
	holds("{file: good, mode: '0755'}");
	holds("{file: good, mode: 755}");
	fails("{file: good, mode: '0644'}", "good has the access rights 0755; it needs 0644.");
}

static void a_verdict_keeps_its_evidence(void **state)
{
	(void)state;
	buffer_cleanup json = {0};
	put("a", TEXT("abc"));
	check("[a, {any: [b, a]}]");
	gate_verdict_json(&json, &verdict);
	assert_string_equal(json.data,
		"{\"status\":\"holds\",\"findings\":["
		"{\"check\":\"file\",\"status\":\"holds\",\"subject\":\"a\",\"expected\":\"\","
		"\"found\":\"3 bytes\",\"sentence\":\"\",\"reader\":\"harness\",\"size\":3,"
		"\"sha256\":\"" ABC_HASH "\"},"
		"{\"check\":\"any\",\"status\":\"holds\",\"subject\":\"file b, file a\","
		"\"expected\":\"one that holds\",\"found\":\"one that holds\",\"sentence\":\"\","
		"\"reader\":\"harness\",\"nested\":["
		"{\"check\":\"file\",\"status\":\"fails\",\"subject\":\"b\","
		"\"expected\":\"a file\",\"found\":\"nothing\","
		"\"sentence\":\"b is missing; write it.\",\"reader\":\"harness\"},"
		"{\"check\":\"file\",\"status\":\"holds\",\"subject\":\"a\",\"expected\":\"\","
		"\"found\":\"3 bytes\",\"sentence\":\"\",\"reader\":\"harness\",\"size\":3,"
		"\"sha256\":\"" ABC_HASH "\"}]}]}");
}

static void the_reader_is_who_the_driver_says(void **state)
{
	(void)state;
	struct sandbox_driver remote = plain_driver;
	remote.flags = SANDBOX_READ_ONLY_COMMANDS;
	plain.session.driver = &remote;
	put("a", TEXT("abc"));
	holds("a");
	assert_string_equal(verdict.findings[0].reader, "provider");
	remote.read = NULL;
	check("a");
	assert_string_equal(verdict.findings[0].reader, "sandbox");
}

static void folders_and_globs_count_files(void **state)
{
	(void)state;
	put("docs/a.md", TEXT("# A\n"));
	put("docs/b.md", TEXT("# B\n"));
	put("docs/deep/c.md", TEXT(""));
	mkdir(full("bare"), 0755);
	holds("{dir: docs}");
	holds("{dir: bare}");
	holds("{dir: /}");
	fails("{dir: none}", "The folder none is missing; make it.");
	fails("{dir: docs/a.md}", "docs/a.md is a file, not a folder; replace it with one.");
	holds("{dir: docs, count: 3}");
	holds("{dir: /, count: 3}");
	fails("{dir: docs, count: {min: 4}}", "docs has 3 files; it has to have at least 4 files.");
	fails("{dir: bare, count: {min: 1}}", "bare has 0 files; it has to have at least 1 file.");
	holds("{glob: 'docs/*.md', count: 2}");
	holds("{glob: '/**/c.md'}");
	holds("{glob: docs/a.md}");
	holds("{glob: '*.none', count: 0}");
	holds("{glob: 'none/*', count: {max: 4}}");
	fails("{glob: 'docs/*.md', count: {max: 1}}", "it has to have at most 1 file.");
	fails("{glob: '*.md'}", "*.md has 0 files; it has to have at least 1 file.");
	fails("{glob: 'none/*.md'}", "none/*.md has 0 files");
}

static void conditions_are_for_each_file_of_a_folder_or_glob(void **state)
{
	(void)state;
	put("docs/a.md", TEXT("# A\n"));
	put("docs/deep/c.md", TEXT(""));
	holds("{glob: 'docs/a*', headings: [A]}");
	assert_string_equal(verdict.findings[0].subject, "docs/a.md");
	assert_int_equal(verdict.findings[0].size, 4);
	holds("{dir: docs, max_bytes: 4}");
	fails("{glob: 'docs/**/*.md', min_bytes: 1}", "docs/deep/c.md is empty");
	fails("{dir: docs, contains: A}", "docs/deep/c.md does not contain 'A'");
}

static void values_at_json_pointers_are_compared(void **state)
{
	(void)state;
	put("p.json",
		TEXT("{\"scripts\": {\"start\": \"node s.js\",\n  \"n\": 3, \"ok\": true},\n"
		     " \"l\": [[], {\"a\\\"b\": null}], \"e\": \"\", \"x/y\": 1.5}"));
	holds("{json: p.json}");
	holds("{json: p.json, at: {/scripts/start: node s.js, /scripts/n: 3, /scripts/ok: true, "
	      "'/l/1/a\"b': null, /x~1y: 1.5, /e: ''}}");
	holds("{json: p.json, at: {/scripts/start: '/^node /', /scripts/n: '/^3$/', /l/0: "
	      "'/\\[/'}}");
	fails("{json: p.json, at: {/scripts/start: '/^deno/'}}",
		"p.json has \"node s.js\" at /scripts/start; it needs a match of /^deno/.");
	stands_at(1, 23);
	fails("{json: p.json, at: {/scripts/n: 4}}", "has 3 at /scripts/n; it needs 4.");
	stands_at(2, 8);
	fails("{json: p.json, at: {/scripts/n: '3'}}", "it needs \"3\"");
	fails("{json: p.json, at: {/scripts/ok: false}}", "has true at /scripts/ok");
	fails("{json: p.json, at: {'/l/1/a\"b': 1}}", "has null at");
	stands_at(3, 21);
	fails("{json: p.json, at: {/e: '/./'}}", "it needs a value that is not empty.");
	fails("{json: p.json, at: {'': 1}}", "at its root; it needs 1.");
}

static void a_missing_json_value_is_told_with_its_neighbours(void **state)
{
	(void)state;
	put("p.json",
		TEXT("{\"name\": \"x\",\n \"scripts\": {\"build\": \"b\", \"test\": \"t\"}, "
		     "\"l\": [1]}"));
	fails("{json: p.json, at: {/scripts/start: '/./'}}",
		"p.json has nothing at /scripts/start; it needs a value that is not empty. "
		"At /scripts it has: build, test.");
	stands_at(2, 13);
	fails("{json: p.json, at: {/version: 1}}", "At its root it has: name, scripts, l.");
	fails("{json: p.json, at: {/l/1: 1}}", "At /l it has: 1 item.");
	fails("{json: p.json, at: {/name/first: 1}}", "At /name it has: \"x\".");
}

static void json_is_parsed_strictly(void **state)
{
	(void)state;
	put("bad.json", TEXT("{\"a\":1,\n \"b\":}"));
	put("twice.json", TEXT("{\"a\":1,\"a\":2}"));
	put("comma.json", TEXT("[1,]"));
	put("comment.json", TEXT("[1] // one"));
	put("mark.json", TEXT("\xef\xbb\xbf[1]"));
	put("zero.json", TEXT("{\"a\": \"node\\u0000evil\"}"));
	put("empty.json", TEXT(""));
	fails("{json: bad.json}", "bad.json is not valid JSON: line 2, column 6: ");
	stands_at(2, 6);
	fails("{json: twice.json, at: {/a: 1}}", "not valid JSON");
	fails("{json: comma.json}", "not valid JSON");
	fails("{json: comment.json}", "not valid JSON");
	fails("{json: mark.json}", "not valid JSON");
	fails("{json: zero.json, at: {/a: node}}", "not valid JSON");
	fails("{json: empty.json}", "not valid JSON: line 1, column 1");
	fails("{json: none.json}", "none.json is missing");
}

static void yaml_is_parsed_strictly_and_compared_alike(void **state)
{
	(void)state;
	put("c.yaml", TEXT("# head\na: [1, two]\nb:\n  c: &x yes it is\n  d: *x\n"));
	put("bad.yaml", TEXT("a: [1\nb: 2\n"));
	put("twice.yaml", TEXT("a: 1\na: 2\n"));
	put("two.yaml", TEXT("a: 1\n---\na: 2\n"));
	holds("{yaml: c.yaml}");
	holds("{yaml: c.yaml, at: {/a/0: 1, /a/1: two, /b/c: '/^yes/', /b/d: yes it is}}");
	fails("{yaml: c.yaml, at: {/b/c: no}}", "c.yaml has \"yes it is\" at /b/c");
	assert_int_equal(verdict.findings[0].line, 4);
	fails("{yaml: c.yaml, at: {/b/e: no}}", "At /b it has: c, d.");
	fails("{yaml: bad.yaml}", "bad.yaml is not valid YAML: line ");
	fails("{yaml: twice.yaml}", "twice.yaml is not valid YAML: line 2");
	fails("{yaml: two.yaml}", "two.yaml is not valid YAML");
}

static void alternatives_are_told_in_one_sentence(void **state)
{
	(void)state;
	put("b", TEXT("b"));
	holds("{any: [a, b]}");
	holds("{any: [{file: b, contains: zzz}, {file: b, contains: b}]}");
	fails("{any: [a, c]}",
		"- One of these has to hold, and none does: a is missing; write it. "
		"Or: c is missing; write it.\n");
	fails("{any: [a, {any: [c, d]}]}",
		"Or: One of these has to hold, and none does: c is missing; write it. Or: d is");
	fails("{any: [q, r, s, t, u, v, w]}", "Or: u is missing; write it. And more.\n");
	// What holds says nothing, also of the alternatives that did not.
	check("[b, {any: [a, b]}, zzz]");
	assert_string_equal(told(), "- zzz is missing; write it.\n");
}

static void nested_findings_keep_what_was_found(void **state)
{
	(void)state;
	put("b", TEXT("b"));
	holds("{any: [a, b]}");
	assert_int_equal(verdict.count, 1);
	assert_int_equal(verdict.findings[0].nested_count, 2);
	assert_int_equal(verdict.findings[0].nested[0].status, GATE_FAILS);
	assert_int_equal(verdict.findings[0].nested[1].status, GATE_HOLDS);
	holds("{not: {any: [a, c]}}");
	assert_int_equal(verdict.findings[0].nested_count, 1);
	assert_int_equal(verdict.findings[0].nested[0].status, GATE_FAILS);
	assert_int_equal(verdict.findings[0].nested[0].nested_count, 2);
}

static void not_holds_when_its_check_fails(void **state)
{
	(void)state;
	put("b", TEXT("b"));
	holds("{not: a}");
	fails("{not: b}", "- 'file b' must not hold, but it does.\n");
	holds("{not: {any: [a, c]}}");
	fails("{not: {any: [a, b]}}", "- 'any file a, file b' must not hold, but it does.\n");
	holds("{not: {not: b}}");
	fails("{not: {not: a}}", "must not hold");
	holds("[b, {not: {file: b, matches: zzz}}]");
	holds("{not: {dir: b}}");
	holds("{not: {glob: '*.js'}}");
	holds("{not: {json: b}}");
}

static void a_gate_knows_what_it_reads(void **state)
{
	(void)state;
	const struct text *paths;
	struct gate *gate = compile("[x/a.md, {glob: 'x/*.js'}, {dir: d/e}, {not: {file: n}}]");
	assert_true(gate_reads(gate, TEXT("x/a.md")));
	assert_true(gate_reads(gate, TEXT("x/y.js")));
	assert_true(gate_reads(gate, TEXT("d/e/f/g")));
	assert_true(gate_reads(gate, TEXT("n")));
	// A folder above may have become a link.
	assert_true(gate_reads(gate, TEXT("x")));
	assert_true(gate_reads(gate, TEXT("d")));
	assert_true(gate_reads(gate, TEXT("d/e")));
	assert_false(gate_reads(gate, TEXT("x/z/y.js")));
	assert_false(gate_reads(gate, TEXT("d/ee/f")));
	assert_false(gate_reads(gate, TEXT("X/A.md")));
	assert_int_equal(gate_paths(gate, &paths), 4);
	assert_text(paths[2], "d/e/**");
	gate_finish(gate);
	gate = compile("{any: [a, {run: 'true'}]}");
	assert_true(gate_reads(gate, TEXT("anything")));
	assert_int_equal(gate_paths(gate, &paths), 1);
	gate_finish(gate);
}

static void wrong_declarations_are_refused(void **state)
{
	(void)state;
	refused("[]", "test:1:1: there is no check in the list");
	refused("{any: []}", "there is no check in the list");
	refused("{nothing: a}", "test:1:1: this is no check");
	refused("[a, 3]", "this is no check");
	refused("../real", "'..'");
	refused("{file: [a]}", "check 'file': it needs a path");
	refused("{json: ''}", "it needs a path");
	refused("docs/*.md", "'docs/*.md' is a pattern, not one path");
	refused("{file: a, matches: '('}", "'matches': the pattern does not compile");
	refused("{file: a, not_matches: '['}", "'not_matches'");
	refused("{file: a, mode: rwx}", "'mode' is no access rights in octal");
	refused("{file: a, mode: '07555'}", "'mode'");
	refused("{file: a, sha256: abc}", "'sha256' is not 64 hexadecimal digits");
	refused("{file: a, headings: ['']}", "'headings' has a text that is empty");
	refused("{file: a, contains: ['', b]}", "'contains' has a text that is empty");
	refused("{file: a, contains: \"b\\0c\"}", "holds a zero byte");
	refused("{json: a, at: {no-pointer: 1}}", "check 'json'");
	refused("{json: a, at: {/a: [1]}}", "a value of 'at' is no scalar");
	refused("{json: a, at: {/a: '/(/'}}", "does not compile");
	refused("{run: []}", "this is no command");
	refused("{run: ''}", "this is no command");
	refused("{run: {a: b}}", "this is no command");
	refused("{run: [a, [b]]}", "this is no command");
	refused("{run: \"a\\0b\"}", "this is no command");
	refused("{run: a, stdout_matches: '('}", "does not compile");
	refused("{not: {any: [a, {file: b, matches: '('}]}}", "does not compile");
}

static void a_document_has_to_fit_its_schema(void **state)
{
	(void)state;
	struct team_file files[] = {{.path = "s.json",
					    .content = TEXT("{\"properties\":{\"n\":{\"minimum\":"
							    "1}},\"required\":[\"a\"]}")},
		{.path = "loop.json", .content = TEXT("{\"$ref\":\"#\"}")},
		{.path = "bad.json", .content = TEXT("{\"type\":\"text\"}")}};
	struct team team = {.files = files, .file_count = 3};
	test_team = &team;
	put("a.json", TEXT("{\"a\": 1, \"n\": 1}"));
	put("b.json", TEXT("{\n  \"n\":  0}"));
	put("b.yaml", TEXT("a: x\nn: [0]\nm:\n  n: 0\n"));
	put("c.yaml", TEXT("a: x\nn: 0\n"));
	holds("{json: a.json, schema: s.json}");
	holds("{yaml: b.yaml, schema: s.json}");
	fails("{json: b.json, schema: s.json}",
		"- b.json: at the root its schema asks for a member 'a'; found: none.\n"
		"- b.json: at /n its schema asks for a number of at least 1; found: 0.\n");
	assert_int_equal(verdict.count, 2);
	assert_non_null(verdict.findings[0].sha256);
	assert_int_equal(verdict.findings[1].line, 2);
	assert_int_equal(verdict.findings[1].column, 9);
	fails("{yaml: c.yaml, schema: s.json}", "at /n its schema asks for");
	stands_at(2, 4);
	fails("{json: a.json, schema: loop.json}", "takes too long");
	assert_true(verdict.findings[0].unclear);
	refused("{json: a.json, schema: bad.json}", "schema 'bad.json': /type: it has to be");
	refused("{json: a.json, schema: none.json}", "there is no file 'none.json'");
	test_team = NULL;
}

static void later_kinds_are_in_the_vocabulary_by_name(void **state)
{
	(void)state;
	static const char *const later[] = {"review"};
	struct owner_list kinds = gate_vocabulary();
	size_t found = 0;
	for (size_t i = 0; i < kinds.count; i++) {
		for (size_t j = 0; j < sizeof(later) / sizeof(later[0]); j++) {
			found += strcmp(kinds.owners[i].name, later[j]) == 0 &&
				kinds.owners[i].later != NULL;
		}
		// The first key is the one with the kind's name.
		if (!kinds.owners[i].later) {
			assert_string_equal(kinds.owners[i].keys[0].name, kinds.owners[i].name);
		}
	}
	assert_int_equal(found, sizeof(later) / sizeof(later[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_path_alone_asks_for_a_file_with_something_in_it),
		IN_FOLDER(size_and_lines_have_bounds),
		IN_FOLDER(a_file_has_to_contain_texts),
		IN_FOLDER(headings_are_told_with_those_that_are_there),
		IN_FOLDER(only_the_first_headings_are_told),
		IN_FOLDER(patterns_have_to_match_or_not),
		IN_FOLDER(encoding_hash_and_mode_can_be_asked_for),
		IN_FOLDER(a_verdict_keeps_its_evidence),
		IN_FOLDER(the_reader_is_who_the_driver_says),
		IN_FOLDER(folders_and_globs_count_files),
		IN_FOLDER(conditions_are_for_each_file_of_a_folder_or_glob),
		IN_FOLDER(values_at_json_pointers_are_compared),
		IN_FOLDER(a_missing_json_value_is_told_with_its_neighbours),
		IN_FOLDER(json_is_parsed_strictly),
		IN_FOLDER(yaml_is_parsed_strictly_and_compared_alike),
		IN_FOLDER(alternatives_are_told_in_one_sentence),
		IN_FOLDER(nested_findings_keep_what_was_found),
		IN_FOLDER(not_holds_when_its_check_fails),
		IN_FOLDER(a_gate_knows_what_it_reads),
		IN_FOLDER(wrong_declarations_are_refused),
		IN_FOLDER(a_document_has_to_fit_its_schema),
		IN_FOLDER(later_kinds_are_in_the_vocabulary_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
