#include "test.h"

#include "agent/tool.h"
#include "agent/tools/common.h"
#include "memory_sandbox.h"

struct stage {
	struct team team;
	struct team_agent agent;
	struct memory_sandbox memory;
	struct arena arena;
	struct tool_place place;
};

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	stage->agent.name = "boss";
	stage->team = (struct team){
		.agents = &stage->agent, .agent_count = 1, .sandbox = {.timeout = 60000}};
	stage->memory.session.driver = &memory_driver;
	stage->place = (struct tool_place){
		.sandbox = (struct sandbox *)&stage->memory, .team = &stage->team};
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	memory_finish(&stage->memory);
	arena_finish(&stage->arena);
	free(stage);
	return 0;
}

static void put_file(struct stage *stage, const char *path, const char *content)
{
	struct memory_file *file = add_file(&stage->memory, text_of(path), FOLDER_FILE);
	put_content(file, text_of(content));
	file->mode = 0644;
}

static void expect_file(struct stage *stage, const char *path, const char *content)
{
	struct memory_file *file = find_file(&stage->memory, text_of(path));
	if (!content) {
		assert_null(file);
		return;
	}
	assert_non_null(file);
	assert_text(((struct text){file->content, file->length}), content);
}

static struct tool_result run_tool(struct stage *stage, const char *name, const char *arguments)
{
	struct tool_result result = {0};
	struct tool_call call;
	tool_understand(&stage->team, 0, text_of(name), text_of(arguments), &call);
	if (call.kind != TOOL_CALL_TOOL) {
		fail_msg("not understood: %s", call.problem);
	}
	call.tool->run(&stage->place, &stage->arena, call.arguments, &result);
	tool_call_finish(&call);
	assert_true(text_is_utf8(result.output));
	return result;
}

static struct tool_result run_patch(struct stage *stage, const char *patch)
{
	buffer_cleanup arguments = {0};
	buffer_add_string(&arguments, "{\"input\":");
	buffer_add_json(&arguments, text_of(patch));
	buffer_add_string(&arguments, "}");
	return run_tool(stage, "apply_patch", arguments.data);
}

static void expect_output(struct tool_result result, bool failed, const char *output)
{
	assert_text(result.output, output);
	assert_int_equal(result.failed, failed);
}

// The output behind "Chunk ID: ......\nWall time: ... seconds\n", which differ each time.
static const char *stable_part(struct tool_result result)
{
	assert_true(text_starts(result.output, "Chunk ID: "));
	const char *wall = strstr(result.output.data, "\nWall time: ");
	assert_non_null(wall);
	assert_ptr_equal(wall, result.output.data + strlen("Chunk ID: ") + 6);
	const char *seconds = strstr(wall, " seconds\n");
	assert_non_null(seconds);
	assert_int_equal(seconds[-5], '.'); // four decimals
	return seconds + strlen(" seconds\n");
}

// --- exec_command ---

static void a_command_answers_in_the_form_of_the_agents_sdk(void **state)
{
	struct stage *stage = *state;
	stage->memory.result =
		(struct process_result){.status = 3, .out = TEXT("out"), .err = TEXT("err\n")};
	struct tool_result result = run_tool(stage, "exec_command", "{\"cmd\":\"make\"}");
	assert_string_equal(stable_part(result), "Process exited with code 3\nOutput:\nout\nerr\n");
	assert_false(result.failed);
	assert_string_equal(stage->memory.shell, "make");
	assert_string_equal(stage->memory.folder, "");
	assert_int_equal(stage->memory.timeout, 60000);
	stage->memory.result = (struct process_result){.out = TEXT("a\n"), .err = TEXT("b")};
	result = run_tool(stage, "exec_command", "{\"cmd\":\"make\",\"yield_time_ms\":0}");
	assert_string_equal(stable_part(result), "Process exited with code 0\nOutput:\na\nb");
}

static void a_command_can_choose_its_shell_and_folder(void **state)
{
	struct stage *stage = *state;
	add_file(&stage->memory, TEXT("backend"), FOLDER_FOLDER);
	run_tool(stage, "exec_command",
		"{\"cmd\":\"ls\",\"shell\":\"bash\",\"workdir\":\"/backend/\"}");
	assert_false(stage->memory.has_shell);
	assert_string_equal(stage->memory.argv, "[bash][-lc][ls]");
	assert_string_equal(stage->memory.folder, "backend");
	run_tool(stage, "exec_command",
		"{\"cmd\":\"ls\",\"shell\":\"bash\",\"login\":false,\"workdir\":\" \"}");
	assert_string_equal(stage->memory.argv, "[bash][-c][ls]");
	assert_string_equal(stage->memory.folder, "");
	stage->agent.workdir = "backend";
	stage->agent.run_as = "builder";
	run_tool(stage, "exec_command", "{\"cmd\":\"ls\",\"workdir\":null,\"shell\":null}");
	assert_true(stage->memory.has_shell);
	assert_string_equal(stage->memory.folder, "backend");
	assert_string_equal(stage->memory.user, "builder");
}

static void a_folder_that_is_not_there_is_named(void **state)
{
	struct stage *stage = *state;
	expect_output(run_tool(stage, "exec_command", "{\"cmd\":\"ls\",\"workdir\":\"nowhere\"}"),
		true,
		"there is no folder 'nowhere' in the workspace. Make it first (mkdir -p), or leave "
		"out 'workdir'.");
	struct tool_result result =
		run_tool(stage, "exec_command", "{\"cmd\":\"ls\",\"workdir\":\"../..\"}");
	assert_true(result.failed);
	assert_non_null(strstr(result.output.data, "could leave the workspace"));
}

static void terminals_are_refused_with_a_way_out(void **state)
{
	struct stage *stage = *state;
	struct tool_result result =
		run_tool(stage, "exec_command", "{\"cmd\":\"vi\",\"tty\":true}");
	assert_true(result.failed);
	assert_true(text_starts(result.output, "Terminals are not available here."));
	assert_string_equal(stage->memory.shell, "");
}

static void a_command_that_takes_too_long_says_so(void **state)
{
	struct stage *stage = *state;
	stage->memory.result = (struct process_result){
		.status = 137, .timed_out = true, .milliseconds = 60012, .out = TEXT("half")};
	struct tool_result result = run_tool(stage, "exec_command", "{\"cmd\":\"sleep\"}");
	assert_string_equal(
		stable_part(result), "Output:\nCommand timed out after 60.012 seconds.\nhalf");
	stage->memory.result.out = (struct text){0};
	result = run_tool(stage, "exec_command", "{\"cmd\":\"sleep\"}");
	assert_string_equal(
		stable_part(result), "Output:\nCommand timed out after 60.012 seconds.");
}

static void a_sandbox_that_is_gone_is_a_failed_call(void **state)
{
	struct stage *stage = *state;
	stage->memory.exec_fails = true;
	expect_output(run_tool(stage, "exec_command", "{\"cmd\":\"ls\"}"), true,
		"the sandbox is gone. Resume the run.");
}

static void output_is_valid_utf8_whatever_a_command_prints(void **state)
{
	struct stage *stage = *state;
	stage->memory.result =
		(struct process_result){.out = TEXT("a\xff\0\xc3"), .err = TEXT("\x80")};
	struct tool_result result = run_tool(stage, "exec_command", "{\"cmd\":\"x\"}");
	assert_string_equal(stable_part(result),
		"Process exited with code 0\nOutput:\na\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n"
		"\xef\xbf\xbd");
	assert_null(memchr(result.output.data, '\0', result.output.length));
}

static void a_gigabyte_of_output_stays_small(void **state)
{
	struct stage *stage = *state;
	stage->memory.flood = 1000 * 1000 * 1000;
	struct tool_result result = run_tool(stage, "exec_command", "{\"cmd\":\"yes\"}");
	assert_true(result.output.length < TOOL_OUTPUT_LIMIT + 200);
	assert_true(result.output.length > TOOL_OUTPUT_LIMIT - 200);
	assert_non_null(strstr(result.output.data, "Original token count: 250000000\n"));
	assert_non_null(strstr(result.output.data, "Total output lines: 15625000\n"));
	assert_null(strstr(result.output.data, "left out"));
	assert_non_null(strstr(result.output.data, " tokens truncated\xe2\x80\xa6"));
}

static void more_output_than_the_limit_is_never_given(void **state)
{
	struct stage *stage = *state;
	char *text = arena_alloc(&stage->arena, 60001);
	memset(text, 'x', 60000);
	stage->memory.result = (struct process_result){.out = {text, 60000}};
	struct tool_result result = run_tool(
		stage, "exec_command", "{\"cmd\":\"x\",\"max_output_tokens\":9007199254740991}");
	assert_true(result.output.length < TOOL_OUTPUT_LIMIT + 200);
	result = run_tool(stage, "exec_command", "{\"cmd\":\"x\",\"max_output_tokens\":10}");
	assert_string_equal(stable_part(result),
		"Process exited with code 0\nOriginal token count: 15000\nOutput:\n"
		"xxxxxx\xe2\x80\xa6"
		"14997 tokens truncated\xe2\x80\xa6xxxxxx");
}

static void truncates(
	const char *text, int64_t lines, size_t tokens, const char *expected, int64_t count)
{
	buffer_cleanup shown = {0};
	int64_t whole =
		tool_truncate(&shown, text_of(text), (int64_t)strlen(text), lines, tokens * 4);
	assert_text(buffer_text(&shown), expected);
	assert_int_equal(whole, count);
}

static void truncation_has_the_golden_values_of_the_agents_sdk(void **state)
{
	(void)state;
	buffer_cleanup lines = {0};
	for (int i = 0; i < 100; i++) {
		buffer_printf(&lines, "line %d\n", i);
	}
	truncates(lines.data, 100, 40,
		"Total output lines: 100\n\nline 0\nline 1\nline 2\nline 3\nline 4\nline 5\nline "
		"6\nline \xe2\x80\xa6"
		"171 tokens truncated\xe2\x80\xa6"
		"ine 93\nline 94\nline 95\nline 96\nline 97\nline 98\nline 99\n",
		198);
	static const char xs[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	truncates(xs, 1, 3,
		"\xe2\x80\xa6"
		"13 tokens",
		13);
	truncates(xs, 1, 10,
		"xxxxxxx\xe2\x80\xa6"
		"9 tokens truncated\xe2\x80\xa6"
		"xxxxxxxx",
		13);
	truncates(xs, 1, 13, xs, 0);
	truncates("", 0, 1, "", 0);
}

static void truncation_never_cuts_a_character(void **state)
{
	(void)state;
	buffer_cleanup text = {0};
	for (int i = 0; i < 100; i++) {
		buffer_add_string(&text, i % 2 ? "\xf0\x9f\x90\x9b" : "\xe2\x82\xac");
	}
	for (size_t budget = 1; budget < 400; budget++) {
		buffer_cleanup shown = {0};
		tool_truncate(&shown, buffer_text(&text), (int64_t)text.length, 1, budget);
		assert_true(text_is_utf8(buffer_text(&shown)));
		assert_true(shown.length <= budget);
	}
}

// --- read_file, write_file, check_outputs ---

static void a_file_is_shown_with_what_is_left_out(void **state)
{
	struct stage *stage = *state;
	put_file(stage, "docs/a.md", "one\ntwo\r\nthree");
	expect_output(run_tool(stage, "read_file", "{\"path\":\"./docs//a.md\"}"), false,
		"one\ntwo\r\nthree");
	expect_output(run_tool(stage, "read_file",
			      "{\"path\":\"/docs/a.md\",\"offset\":2,\"limit\":1,"
			      "\"line_numbers\":true}"),
		false, "     2\ttwo\r\n(lines 2 to 2 of 3)");
	expect_output(run_tool(stage, "read_file", "{\"path\":\"docs/a.md\",\"offset\":9}"), false,
		"(the file has 3 lines; there is no line 9)");
	put_file(stage, "empty", "");
	expect_output(
		run_tool(stage, "read_file", "{\"path\":\"empty\"}"), false, "(the file is empty)");
}

static void a_large_file_is_shown_in_parts(void **state)
{
	struct stage *stage = *state;
	buffer_cleanup text = {0};
	for (int i = 1; i <= 10000; i++) {
		buffer_printf(&text, "line %05d\n", i);
	}
	put_file(stage, "big", text.data);
	struct tool_result result = run_tool(stage, "read_file", "{\"path\":\"big\"}");
	assert_true(result.output.length < TOOL_OUTPUT_LIMIT + 100);
	assert_true(text_ends(result.output,
		"line 03723\n\n(lines 1 to 3723 of 10000, cut at 40 KiB; go on with offset 3724)"));
	buffer_clear(&text);
	for (int i = 0; i < 30000; i++) {
		buffer_add_string(&text, "\xe2\x82\xac");
	}
	put_file(stage, "long", text.data);
	result = run_tool(stage, "read_file", "{\"path\":\"long\"}");
	assert_true(result.output.length < TOOL_OUTPUT_LIMIT + 100);
	assert_non_null(strstr(result.output.data, "cut at 40 KiB"));
}

static void what_cannot_be_read_is_explained(void **state)
{
	struct stage *stage = *state;
	add_file(&stage->memory, TEXT("src"), FOLDER_FOLDER);
	add_file(&stage->memory, TEXT("pipe"), FOLDER_SPECIAL);
	put_file(stage, "image", "\x89PNG");
	expect_output(run_tool(stage, "read_file", "{\"path\":\"nothing.md\"}"), true,
		"there is no file 'nothing.md' in the workspace. Paths are taken from the "
		"workspace's root.");
	expect_output(run_tool(stage, "read_file", "{\"path\":\"src\"}"), true,
		"'src' is a folder. List it with exec_command, like ls -la.");
	expect_output(run_tool(stage, "read_file", "{\"path\":\"/\"}"), true,
		"'/' is a folder. List it with exec_command, like ls -la.");
	expect_output(run_tool(stage, "read_file", "{\"path\":\"image\"}"), true,
		"'image' is no UTF-8 text (4 bytes). Look at it with exec_command, like file or "
		"xxd.");
	expect_output(
		run_tool(stage, "read_file", "{\"path\":\"pipe\"}"), true, "'pipe' cannot be read");
}

static void paths_outside_the_workspace_are_refused(void **state)
{
	struct stage *stage = *state;
	static const char *const paths[] = {
		"../secret", "a/../../secret", "/..", "docs/..", "/workspace/../etc/passwd"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const char *read = arena_printf(&stage->arena, "{\"path\":\"%s\"}", paths[i]);
		const char *write = arena_printf(
			&stage->arena, "{\"path\":\"%s\",\"content\":\"x\"}", paths[i]);
		struct tool_result result = run_tool(stage, "read_file", read);
		assert_true(result.failed);
		assert_non_null(strstr(result.output.data, "Only files inside the workspace"));
		result = run_tool(stage, "write_file", write);
		assert_true(result.failed);
		assert_int_equal(result.written_count, 0);
	}
	for (size_t i = 0; i < FILES; i++) {
		assert_int_equal(stage->memory.files[i].kind, FOLDER_MISSING);
	}
}

static void a_file_is_written_and_its_mode_kept(void **state)
{
	struct stage *stage = *state;
	struct tool_result result = run_tool(
		stage, "write_file", "{\"path\":\"/docs/a.md\",\"content\":\"h\\u00e4\\n\"}");
	expect_output(result, false, "Created docs/a.md (4 bytes)");
	assert_int_equal(result.written_count, 1);
	assert_text(result.written[0], "docs/a.md");
	expect_file(stage, "docs/a.md", "h\xc3\xa4\n");
	find_file(&stage->memory, TEXT("docs/a.md"))->mode = S_IFREG | 0755;
	expect_output(run_tool(stage, "write_file", "{\"path\":\"docs/a.md\",\"content\":\"\"}"),
		false, "Updated docs/a.md (0 bytes)");
	assert_int_equal(find_file(&stage->memory, TEXT("docs/a.md"))->mode, 0755);
	result = run_tool(stage, "write_file", "{\"path\":\"docs/\",\"content\":\"\"}");
	assert_true(result.failed);
	add_file(&stage->memory, TEXT("src"), FOLDER_FOLDER);
	result = run_tool(stage, "write_file", "{\"path\":\"src\",\"content\":\"\"}");
	expect_output(result, true, "'src' cannot be written");
	assert_int_equal(result.written_count, 0);
}

static void say_missing(void *data, struct buffer *text)
{
	buffer_add_string(text, data);
}

static void an_agent_can_ask_what_its_gate_would_say(void **state)
{
	struct stage *stage = *state;
	expect_output(
		run_tool(stage, "check_outputs", ""), false, "No outputs are required of you.");
	stage->place.check_outputs = say_missing;
	stage->place.check_outputs_data = (char[]){"- PLAN.md is missing"};
	expect_output(run_tool(stage, "check_outputs", "{}"), false, "- PLAN.md is missing");
}

// --- apply_patch ---

static void a_patch_changes_several_files_at_once(void **state)
{
	struct stage *stage = *state;
	put_file(stage, "b.txt", "one\ntwo\n");
	put_file(stage, "c.txt", "gone\n");
	put_file(stage, "d.txt", "move me\n");
	find_file(&stage->memory, TEXT("d.txt"))->mode = 0755;
	struct tool_result result = run_patch(stage,
		"*** Begin Patch\n*** Add File: docs/a.txt\n+first\n+second\n*** Update File: "
		"b.txt\n@@\n-two\n+2\n*** Delete File: c.txt\n*** Update File: d.txt\n*** Move to: "
		"e.txt\n-move me\n+moved\n*** End Patch\n");
	expect_output(result, false,
		"Created docs/a.txt\nUpdated b.txt\nDeleted c.txt\nUpdated d.txt\nMoved d.txt to "
		"e.txt");
	expect_file(stage, "docs/a.txt", "first\nsecond\n");
	expect_file(stage, "b.txt", "one\n2\n");
	expect_file(stage, "c.txt", NULL);
	expect_file(stage, "d.txt", NULL);
	expect_file(stage, "e.txt", "moved\n");
	assert_int_equal(find_file(&stage->memory, TEXT("e.txt"))->mode, 0755);
	assert_int_equal(result.written_count, 5);
}

static void a_patch_that_fails_anywhere_changes_nothing(void **state)
{
	struct stage *stage = *state;
	put_file(stage, "b.txt", "one\n");
	static const struct {
		const char *section, *output;
	} cases[] = {
		{"*** Update File: b.txt\n-absent\n+x\n",
			"apply_patch failed: b.txt: Invalid Context 0:\nabsent"},
		{"*** Update File: none.txt\n-a\n+x\n",
			"apply_patch failed: none.txt: there is no such file in the workspace"},
		{"*** Delete File: none.txt\n",
			"apply_patch failed: none.txt: there is no such file in the workspace"},
		{"*** Add File: b.txt\n+x\n",
			"apply_patch failed: b.txt: the file exists already; "
			"change it with '*** Update File:'"},
		{"*** Update File: new.txt\n*** Move to: b.txt\n-n\n+x\n",
			"apply_patch failed: b.txt: the file to move to exists already"},
		{"*** Add File: ../out\n+x\n",
			"apply_patch failed: the path '../out' has a '..' that could leave the "
			"workspace. Only files inside the workspace can be used; give the path "
			"from the workspace's root, like 'docs/plan.md'."},
		{"*** Update File: b.txt\n*** Move to: /a/../../x\n-one\n+x\n",
			"apply_patch failed: the path '/a/../../x' has a '..' that could leave the "
			"workspace. Only files inside the workspace can be used; give the path "
			"from the workspace's root, like 'docs/plan.md'."},
		{"*** Delete File: /\n",
			"apply_patch failed: /: this is the workspace itself, no file"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *patch = arena_printf(&stage->arena,
			"*** Begin Patch\n*** Add File: new.txt\n+n\n%s*** End Patch\n",
			cases[i].section);
		struct tool_result result = run_patch(stage, patch);
		expect_output(result, true, cases[i].output);
		assert_int_equal(result.written_count, 0);
		expect_file(stage, "new.txt", NULL);
		expect_file(stage, "b.txt", "one\n");
	}
	expect_output(run_patch(stage, "nonsense"), true,
		"apply_patch failed: the first line has to be '*** Begin Patch': 'nonsense'");
}

static const char rollback_patch[] =
	"*** Begin Patch\n*** Add File: a.txt\n+new\n*** Update File: b.txt\n-one\n+two\n"
	"*** Update File: c.txt\n-one\n+two\n*** Delete File: d.txt\n*** End Patch\n";

static void put_rollback_files(struct stage *stage)
{
	put_file(stage, "b.txt", "one\n");
	put_file(stage, "c.txt", "one\n");
	put_file(stage, "d.txt", "stay\n");
}

static void expect_rolled_back(struct stage *stage)
{
	expect_file(stage, "a.txt", NULL);
	expect_file(stage, "b.txt", "one\n");
	expect_file(stage, "c.txt", "one\n");
	expect_file(stage, "d.txt", "stay\n");
}

static void a_write_that_fails_half_way_is_taken_back(void **state)
{
	struct stage *stage = *state;
	put_rollback_files(stage);
	stage->memory.failing_write = "c.txt";
	struct tool_result result = run_patch(stage, rollback_patch);
	expect_output(result, true,
		"apply_patch failed: c.txt: 'c.txt' cannot be written; nothing was changed");
	assert_int_equal(result.written_count, 0);
	expect_rolled_back(stage);
	stage->memory.failing_write = NULL;
	stage->memory.failing_remove = "d.txt";
	result = run_patch(stage, rollback_patch);
	expect_output(result, true,
		"apply_patch failed: d.txt: 'd.txt' cannot be removed; nothing was changed");
	expect_rolled_back(stage);
}

static void what_cannot_be_taken_back_is_said(void **state)
{
	struct stage *stage = *state;
	put_rollback_files(stage);
	stage->memory.writes_until_broken = 3;
	struct tool_result result = run_patch(stage, rollback_patch);
	expect_output(result, true,
		"apply_patch failed: c.txt: 'c.txt' cannot be written; a part of the patch stays "
		"applied: look at its files");
	assert_int_equal(result.written_count, 1);
	assert_text(result.written[0], "b.txt");
}

static void operations_on_one_file_see_each_other(void **state)
{
	struct stage *stage = *state;
	put_file(stage, "b.txt", "one\n");
	struct tool_result result = run_patch(stage,
		"*** Begin Patch\n*** Update File: b.txt\n-one\n+two\n*** Update File: "
		"/b.txt\n-two\n"
		"+three\n*** Add File: a.txt\n+x\n*** Delete File: a.txt\n*** End Patch\n");
	assert_false(result.failed);
	expect_file(stage, "b.txt", "three\n");
	expect_file(stage, "a.txt", NULL);
	assert_int_equal(result.written_count, 1);
}

static void files_that_are_no_text_are_not_patched(void **state)
{
	struct stage *stage = *state;
	put_file(stage, "image", "\x89PNG\n");
	add_file(&stage->memory, TEXT("pipe"), FOLDER_SPECIAL);
	expect_output(run_patch(stage,
			      "*** Begin Patch\n*** Update File: image\n+x\n*** End "
			      "Patch\n"),
		true, "apply_patch failed: image: the file is no UTF-8 text");
	expect_output(run_patch(stage, "*** Begin Patch\n*** Add File: pipe\n+x\n*** End Patch\n"),
		true, "apply_patch failed: pipe: this is a FIFO");
}

#define TOOL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

// The folders that the first of these agents finds read-only, joined by spaces.
static void expect_others(struct stage *stage, const char *const writes[][4], const char *expected)
{
	struct team_agent agents[4] = {{0}};
	struct team team = {.agents = agents};
	buffer_cleanup found = {0};
	for (; writes[team.agent_count][0]; team.agent_count++) {
		struct team_agent *agent = &agents[team.agent_count];
		agent->writes_declared = true;
		agent->writes.items = arena_new_array(&stage->arena, 4, const char *);
		for (size_t i = 0; i < 4 && writes[team.agent_count][i]; i++) {
			agent->writes.items[agent->writes.count++] = writes[team.agent_count][i];
		}
	}
	const char *const *folders = tool_others_folders(&stage->arena, &team, &agents[0]);
	for (size_t i = 0; folders[i]; i++) {
		buffer_printf(&found, "%s ", folders[i]);
	}
	assert_text(buffer_text(&found), expected);
	agents[0].writes_declared = false; // it may write anywhere
	assert_null(tool_others_folders(&stage->arena, &team, &agents[0]));
}

static void whole_folders_of_others_are_read_only_for_commands(void **state)
{
	struct stage *stage = *state;
	expect_others(stage,
		(const char *const[][4]){{"backend/**", "notes.md"},
			{"frontend/**", "notes/**", "TEST.md", "*/odd/**"}, {"backend/**"}, {0}},
		"frontend notes ");
	// What it may touch itself is left alone, in whatever way it is named.
	static const char *const touching[] = {"site/**", "site/css/**", "site/a.css", "**", "s*",
		"*/css/a.css", "site", "{site,x}/a"};
	for (size_t i = 0; i < sizeof(touching) / sizeof(touching[0]); i++) {
		expect_others(stage, (const char *const[][4]){{touching[i]}, {"site/**"}, {0}}, "");
	}
	static const char *const apart[] = {"sites/**", "site.md", "other/site/**", "sit/**"};
	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
		expect_others(
			stage, (const char *const[][4]){{apart[i]}, {"site/**"}, {0}}, "site ");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOOL_TEST(a_command_answers_in_the_form_of_the_agents_sdk),
		TOOL_TEST(a_command_can_choose_its_shell_and_folder),
		TOOL_TEST(a_folder_that_is_not_there_is_named),
		TOOL_TEST(whole_folders_of_others_are_read_only_for_commands),
		TOOL_TEST(terminals_are_refused_with_a_way_out),
		TOOL_TEST(a_command_that_takes_too_long_says_so),
		TOOL_TEST(a_sandbox_that_is_gone_is_a_failed_call),
		TOOL_TEST(output_is_valid_utf8_whatever_a_command_prints),
		TOOL_TEST(a_gigabyte_of_output_stays_small),
		TOOL_TEST(more_output_than_the_limit_is_never_given),
		TOOL_TEST(truncation_has_the_golden_values_of_the_agents_sdk),
		TOOL_TEST(truncation_never_cuts_a_character),
		TOOL_TEST(a_file_is_shown_with_what_is_left_out),
		TOOL_TEST(a_large_file_is_shown_in_parts),
		TOOL_TEST(what_cannot_be_read_is_explained),
		TOOL_TEST(paths_outside_the_workspace_are_refused),
		TOOL_TEST(a_file_is_written_and_its_mode_kept),
		TOOL_TEST(an_agent_can_ask_what_its_gate_would_say),
		TOOL_TEST(a_patch_changes_several_files_at_once),
		TOOL_TEST(a_patch_that_fails_anywhere_changes_nothing),
		TOOL_TEST(a_write_that_fails_half_way_is_taken_back),
		TOOL_TEST(what_cannot_be_taken_back_is_said),
		TOOL_TEST(operations_on_one_file_see_each_other),
		TOOL_TEST(files_that_are_no_text_are_not_patched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
