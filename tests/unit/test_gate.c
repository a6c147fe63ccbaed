#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "gate/gate.h"

static char folder[64];
static struct sandbox *sandbox;
static struct arena arena;
static struct error error;
static struct gate_verdict verdict;

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/muster-test-gate-XXXXXX");
	if (!mkdtemp(folder)) {
		return -1;
	}
	struct sandbox_settings settings = {.run = "test", .folder = folder};
	sandbox = sandbox_create(sandbox_driver_find("unix-local"), &settings, &error);
	return sandbox ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	sandbox_detach(sandbox);
	arena_finish(&arena);
	return file_remove_tree(folder, &error) ? 0 : -1;
}

static void put(const char *path, struct text content)
{
	if (!sandbox_write(sandbox, text_of(path), content, 0, &error)) {
		fail_msg("%s", error.message);
	}
}

static void shell(const char *command)
{
	struct process_result result;
	struct sandbox_command sandboxed = {.shell = command};
	assert_true(sandbox_exec(sandbox, &arena, &sandboxed, &result, &error));
}

static struct gate *compile(const char *require)
{
	struct team_gate *declaration = arena_new(&arena, struct team_gate);
	declaration->name = "test";
	declaration->require = yaml_parse(&arena, "test", text_of(require), &error);
	if (!declaration->require) {
		fail_msg("%s", error.message);
	}
	return gate_compile(&arena, declaration, &error);
}

static enum gate_status check(const char *require)
{
	struct gate *gate = compile(require);
	if (!gate) {
		fail_msg("%s", error.message);
	}
	gate_check(gate, sandbox, &arena, NULL, NULL, &verdict);
	gate_finish(gate);
	return verdict.status;
}

static void holds(const char *require)
{
	if (check(require) != GATE_HOLDS) {
		buffer_cleanup lines = {0};
		gate_verdict_lines(&lines, &verdict);
		fail_msg("%s does not hold: %s", require, lines.data);
	}
}

// It fails, and the agent is told this.
static void fails(const char *require, const char *sentence)
{
	buffer_cleanup lines = {0};
	enum gate_status status = check(require);
	gate_verdict_lines(&lines, &verdict);
	if (status != GATE_FAILS || !lines.data || !strstr(lines.data, sentence)) {
		fail_msg("%s: %s, says: %s, not: %s", require, gate_status_name(status),
			lines.data ? lines.data : "nothing", sentence);
	}
}

static void each_condition_of_a_file_holds_and_fails(void **state)
{
	(void)state;
	put("spec.md", TEXT("# Layout\n\ntext here\n## Screens ##\n```\n# Hidden\n```\n"));
	put("empty", TEXT(""));
	put("bad", TEXT("ok\nx\xff"));
	shell("chmod 755 bad");
	holds("spec.md");
	holds("/spec.md");
	holds("./spec.md");
	fails("empty", "empty is empty; write its content.");
	fails("none.md", "none.md is missing; write it.");
	holds("{file: empty}");
	holds("{file: spec.md, min_bytes: 10, max_bytes: 1 KiB}");
	fails("{file: spec.md, min_bytes: 100}",
		"spec.md has only 51 bytes; it needs at least 100");
	fails("{file: spec.md, max_bytes: 10}", "51 bytes large; it may have at most 10");
	holds("{file: spec.md, lines: 7}");
	fails("{file: spec.md, lines: {min: 8}}", "7 lines; it needs at least 8");
	fails("{file: spec.md, lines: {max: 2}}", "7 lines; it may have at most 2");
	holds("{file: spec.md, contains: [text, Screens]}");
	fails("{file: spec.md, contains: [text, Wireframe]}", "does not contain 'Wireframe'");
	holds("{file: spec.md, headings: [layout, Screens]}");
	fails("{file: spec.md, headings: [Colours]}",
		"spec.md has no heading 'Colours'; it has: Layout, Screens");
	fails("{file: spec.md, headings: [Hidden]}", "no heading 'Hidden'");
	holds("{file: spec.md, matches: '(?m)^text'}");
	fails("{file: spec.md, matches: '^text'}", "does not match /^text/");
	holds("{file: spec.md, not_matches: TODO}");
	fails("{file: spec.md, not_matches: here}", "must not match /here/");
	assert_int_equal(verdict.findings[0].line, 3);
	assert_int_equal(verdict.findings[0].column, 6);
	holds("{file: spec.md, encoding: utf-8}");
	fails("{file: bad, encoding: utf-8}", "bad is not valid UTF-8");
	assert_int_equal(verdict.findings[0].line, 2);
	holds("{file: bad, mode: '0755'}");
	fails("{file: bad, mode: '0644'}", "access rights 0755; it needs 0644");
	fails("{file: spec.md, sha256: "
	      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad}",
		"is not the file that is asked for");
}

static void a_verdict_keeps_size_and_hash_as_evidence(void **state)
{
	(void)state;
	buffer_cleanup json = {0};
	put("a", TEXT("abc"));
	holds("a");
	gate_verdict_json(&json, &verdict);
	assert_non_null(strstr(json.data, "\"size\":3"));
	assert_non_null(strstr(json.data, "ba7816bf8f01cfea414140de5dae2223b00361a3"));
	assert_non_null(strstr(json.data, "\"reader\":\"harness\""));
}

static void links_and_special_files_cannot_stand_for_an_artifact(void **state)
{
	(void)state;
	put("real", TEXT("content"));
	shell("mkfifo design_spec.md; ln -s /etc/passwd out; ln -s real inside; ln -s loop loop; "
	      "ln -s nowhere dangling; mkdir folder; ln -s / root");
	fails("design_spec.md", "design_spec.md is a FIFO, not a regular file");
	fails("out", "a link that leaves the workspace");
	fails("loop", "circles");
	fails("dangling", "not a regular file");
	fails("folder", "folder is a folder, not a regular file");
	fails("root/etc/hostname", "leaves the workspace");
	fails("Real", "Real is missing");
	holds("inside");
	fails("{glob: 'out*', count: 1}", "0 files");
	assert_null(compile("../real"));
	assert_non_null(strstr(error.message, "'..'"));
}

static void a_file_that_is_too_large_is_refused_unread(void **state)
{
	(void)state;
	shell("truncate -s 1T huge");
	fails("huge", "too large to be checked");
}

static void folders_and_globs_count_and_examine_files(void **state)
{
	(void)state;
	put("docs/a.md", TEXT("# A\n"));
	put("docs/b.md", TEXT("# B\n"));
	put("docs/deep/c.md", TEXT(""));
	shell("mkdir bare");
	holds("{dir: docs}");
	holds("{dir: bare}");
	fails("{dir: none}", "The folder none is missing");
	fails("{dir: docs/a.md}", "is not a folder");
	holds("{dir: docs, count: 3}");
	fails("{dir: docs, count: {min: 4}}", "docs has 3 files; at least 4 are needed");
	fails("{dir: bare, count: {min: 1}}", "at least 1 is needed");
	holds("{glob: 'docs/a*', headings: [A]}");
	holds("{glob: 'docs/*.md', count: 2}");
	fails("{glob: 'docs/*.md', count: {max: 1}}", "2 files; there may be at most 1");
	fails("{glob: '*.md'}", "0 files; at least 1 is needed");
	fails("{glob: 'docs/**/*.md', min_bytes: 1}", "docs/deep/c.md is empty");
}

static void json_and_yaml_are_parsed_strictly(void **state)
{
	(void)state;
	put("p.json",
		TEXT("{\"scripts\":{\"start\":\"node s.js\",\"n\":3,\"ok\":true},\"l\":[null]}"));
	put("bad.json", TEXT("{\"a\":1,\n \"b\":}"));
	put("twice.json", TEXT("{\"a\":1,\"a\":2}"));
	put("c.yaml", TEXT("a: [1, two]\n"));
	put("bad.yaml", TEXT("a: [1\nb: 2\n"));
	holds("{json: p.json}");
	holds("{json: p.json, at: {/scripts/start: node s.js, /scripts/n: 3, /scripts/ok: true, "
	      "/l/0: null}}");
	holds("{json: p.json, at: {/scripts/start: '/^node /'}}");
	fails("{json: p.json, at: {/scripts/start: '/^deno/'}}",
		"p.json has \"node s.js\" at /scripts/start; it needs /^deno/");
	fails("{json: p.json, at: {/scripts/test: '/./'}}", "has nothing at /scripts/test");
	fails("{json: p.json, at: {/scripts/n: 4}}", "has 3 at /scripts/n; it needs 4");
	fails("{json: p.json, at: {/scripts/n: '3'}}", "it needs 3");
	fails("{json: bad.json}", "bad.json is not valid JSON: line 2, column 6");
	assert_int_equal(verdict.findings[0].line, 2);
	fails("{json: twice.json}", "not valid JSON");
	holds("{yaml: c.yaml, at: {/a/1: two}}");
	fails("{yaml: bad.yaml}", "bad.yaml is not valid YAML: line ");
	assert_null(compile("{json: p.json, at: {no-pointer: 1}}"));
}

static void commands_run_in_the_sandbox_with_a_read_only_workspace(void **state)
{
	(void)state;
	put("kept", TEXT("kept"));
	holds("{run: 'test -f kept'}");
	holds("{run: [test, -f, kept]}");
	holds("{run: 'exit 3', exit: 3}");
	fails("{run: 'echo why >&2; exit 4'}",
		"'echo why >&2; exit 4' ended with exit status 4, not 0. It said:\nwhy");
	holds("{run: echo 12, stdout_matches: '^1'}");
	fails("{run: echo 12, stdout_matches: '^2'}", "does not match /^2/");
	fails("{run: sleep 9, timeout: 200ms}", "did not end within");
	fails("{run: echo x >kept}", "ended with exit status");
	holds("{run: echo x >written, read_only: false}");
	holds("written");
	assert_string_equal(verdict.findings[0].reader, "harness");
	check("{run: 'true'}");
	assert_string_equal(verdict.findings[0].reader, "sandbox");
}

static void files_that_change_under_a_command_are_seen(void **state)
{
	(void)state;
	put("n", TEXT("0"));
	fails("[n, {run: 'date +%N >n', read_only: false}]", "are changing while it is checked");
}

static void checks_nest(void **state)
{
	(void)state;
	put("b", TEXT("b"));
	holds("{any: [a, b]}");
	fails("{any: [a, c]}", "One of these has to hold");
	fails("{any: [a, c]}", "- c is missing");
	holds("{not: a}");
	fails("{not: b}", "'b' must not hold");
	holds("{not: {any: [a, c]}}");
	fails("{not: {any: [a, b]}}", "must not hold");
	holds("[b, {not: {file: b, matches: zzz}}]");
	fails("[b, a]", "a is missing");
}

static void a_pattern_that_explodes_ends(void **state)
{
	(void)state;
	char text[8001];
	memset(text, 'a', 8000);
	text[8000] = '!';
	put("long", (struct text){text, sizeof(text)});
	fails("{file: long, matches: '(a+)+$'}", "takes too long");
}

static void a_gate_knows_what_it_reads(void **state)
{
	(void)state;
	const struct text *paths;
	struct gate *gate = compile("[a.md, {glob: 'x/*.js'}, {dir: d}, {not: {file: n}}]");
	assert_true(gate_reads(gate, TEXT("a.md")));
	assert_true(gate_reads(gate, TEXT("x/y.js")));
	assert_true(gate_reads(gate, TEXT("d/e/f")));
	assert_true(gate_reads(gate, TEXT("n")));
	assert_false(gate_reads(gate, TEXT("x/z/y.js")));
	assert_false(gate_reads(gate, TEXT("dd/e")));
	assert_int_equal(gate_paths(gate, &paths), 4);
	gate_finish(gate);
	gate = compile("{run: 'true'}");
	assert_true(gate_reads(gate, TEXT("anything")));
	gate_finish(gate);
}

static void hostile_names_and_contents_stay_in_one_line(void **state)
{
	(void)state;
	buffer_cleanup lines = {0};
	shell("printf x >\"$(printf 'a\\n\\033[2Jb')\"");
	check("{glob: 'a*', min_bytes: 10}");
	gate_verdict_lines(&lines, &verdict);
	assert_non_null(strstr(lines.data, "a\\n\\x1b[2Jb has only 1 bytes"));
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(each_condition_of_a_file_holds_and_fails),
		IN_FOLDER(a_verdict_keeps_size_and_hash_as_evidence),
		IN_FOLDER(links_and_special_files_cannot_stand_for_an_artifact),
		IN_FOLDER(a_file_that_is_too_large_is_refused_unread),
		IN_FOLDER(folders_and_globs_count_and_examine_files),
		IN_FOLDER(json_and_yaml_are_parsed_strictly),
		IN_FOLDER(commands_run_in_the_sandbox_with_a_read_only_workspace),
		IN_FOLDER(files_that_change_under_a_command_are_seen),
		IN_FOLDER(checks_nest),
		IN_FOLDER(a_pattern_that_explodes_ends),
		IN_FOLDER(a_gate_knows_what_it_reads),
		IN_FOLDER(hostile_names_and_contents_stay_in_one_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
