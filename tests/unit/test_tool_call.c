#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "agent/tool.h"

// A team of three: boss delegates to maker, maker transfers to tester.

struct stage {
	struct team team;
	struct team_agent agents[3];
	struct team_edge edges[2];
	struct team_gate gates[1];
	int needs[1], outputs[1];
	struct arena arena;
};

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	stage->agents[0] = (struct team_agent){.name = "boss", .description = "Plans."};
	stage->agents[1] = (struct team_agent){.name = "maker", .description = "Makes \"it\"."};
	stage->agents[2] = (struct team_agent){.name = "tester"};
	stage->gates[0] = (struct team_gate){.name = "PLAN.md"};
	stage->edges[0] = (struct team_edge){
		.kind = EDGE_DELEGATE, .from = 0, .to = 1, .needs = stage->needs, .need_count = 1};
	stage->edges[1] = (struct team_edge){.kind = EDGE_TRANSFER, .from = 1, .to = 2};
	stage->team = (struct team){.agents = stage->agents,
		.agent_count = 3,
		.edges = stage->edges,
		.edge_count = 2,
		.gates = stage->gates,
		.gate_count = 1};
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	arena_finish(&stage->arena);
	free(stage);
	return 0;
}

static void understands(struct stage *stage, const char *name, const char *arguments,
	enum tool_call_kind kind, const char *problem)
{
	struct tool_call call;
	tool_understand(&stage->team, 0, text_of(name), text_of(arguments), &call);
	assert_string_equal(call.problem, problem);
	assert_int_equal(call.kind, kind);
	assert_true(text_is_utf8(text_of(call.problem)));
	assert_true((call.edge != TEAM_NONE) ==
		(kind == TOOL_CALL_DELEGATE || kind == TOOL_CALL_TRANSFER));
	tool_call_finish(&call);
}

static void calls_that_fit_are_understood(void **state)
{
	struct stage *stage = *state;
	understands(stage, "read_file", "{\"path\":\"a\",\"offset\":1}", TOOL_CALL_TOOL, "");
	understands(stage, "read_file", "{\"path\":\"a\",\"limit\":null}", TOOL_CALL_TOOL, "");
	understands(stage, "check_outputs", "", TOOL_CALL_TOOL, "");
	understands(stage, "check_outputs", " {} ", TOOL_CALL_TOOL, "");
	understands(stage, "delegate_to_maker", "{\"task\":\"go\"}", TOOL_CALL_DELEGATE, "");
}

static void malformed_arguments_are_explained(void **state)
{
	struct stage *stage = *state;
	static const struct {
		const char *name, *arguments, *problem;
	} cases[] = {
		{"read_file", "[]", "the arguments have to be a JSON object"},
		{"read_file", "{}", "'path' is missing"},
		{"read_file", "{\"path\":null}", "'path' is missing"},
		{"read_file", "{\"path\":\"\"}", "'path' must not be empty"},
		{"read_file", "{\"path\":7}", "'path' has to be a string"},
		{"read_file", "{\"path\":\"a\",\"offset\":\"1\"}",
			"'offset' has to be a whole number"},
		{"read_file", "{\"path\":\"a\",\"offset\":1.5}",
			"'offset' has to be a whole number"},
		{"read_file", "{\"path\":\"a\",\"offset\":1e300}",
			"'offset' has to be a whole number"},
		{"read_file", "{\"path\":\"a\",\"offset\":0}", "'offset' has to be at least 1"},
		{"read_file", "{\"path\":\"a\",\"limit\":3000000000}",
			"'limit' has to be at most 2147483647"},
		{"read_file", "{\"path\":\"a\",\"line_numbers\":\"yes\"}",
			"'line_numbers' has to be true or false"},
		{"read_file", "{\"paht\":\"a\"}",
			"there is no argument 'paht'; did you mean 'path'?"},
		{"read_file", "{\"path\":\"a\",\"encoding\":\"x\"}",
			"there is no argument 'encoding'; possible are 'path', 'offset', 'limit', "
			"'line_numbers'"},
		{"read_file", "{\"path\":\"a\\u0000b\"}",
			"a string holds a zero character (\\u0000)"},
		{"exec_command", "{\"cmd\":\"\"}", "'cmd' must not be empty"},
		{"exec_command", "{\"cmd\":\"x\",\"yield_time_ms\":-1}",
			"'yield_time_ms' has to be at least 0"},
		{"delegate_to_maker", "{}", "'task' is missing"},
		{"delegate_to_maker", "{\"task\":\"\"}", "'task' must not be empty"},
		{"delegate_to_maker", "{\"task\":[\"x\"]}", "'task' has to be a string"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		understands(stage, cases[i].name, cases[i].arguments, TOOL_CALL_MALFORMED,
			cases[i].problem);
	}
	static const char *const no_json[] = {"{", "{\"path\":\"a\",}", "{'path':'a'}", "hello",
		"{\"path\":\"a\"}{}", "{\"path\":\"a\",\"path\":\"b\"}", "{\"path\":\"\xff\"}"};
	for (size_t i = 0; i < sizeof(no_json) / sizeof(no_json[0]); i++) {
		struct tool_call call;
		tool_understand(&stage->team, 0, TEXT("read_file"), text_of(no_json[i]), &call);
		assert_int_equal(call.kind, TOOL_CALL_MALFORMED);
		assert_true(text_starts(text_of(call.problem), "the arguments are no JSON: "));
		assert_null(call.arguments);
		tool_call_finish(&call);
	}
}

static void an_escaped_backslash_before_u0000_is_no_zero(void **state)
{
	understands(*state, "read_file", "{\"path\":\"a\\\\u0000b\"}", TOOL_CALL_TOOL, "");
}

static void deep_and_large_arguments_end_quickly(void **state)
{
	struct stage *stage = *state;
	buffer_cleanup deep = {0}, name = {0};
	for (int i = 0; i < 100000; i++) {
		buffer_add_string(&deep, "[");
		buffer_add_string(&name, "\xc3\xa4");
	}
	struct tool_call call;
	tool_understand(&stage->team, 0, TEXT("read_file"), buffer_text(&deep), &call);
	assert_int_equal(call.kind, TOOL_CALL_MALFORMED);
	tool_call_finish(&call);
	tool_understand(&stage->team, 0, buffer_text(&name), TEXT("{}"), &call);
	assert_int_equal(call.kind, TOOL_CALL_UNKNOWN_TOOL);
	assert_true(text_is_utf8(text_of(call.problem)));
	tool_call_finish(&call);
}

static void unknown_tools_and_agents_are_named_with_the_nearest(void **state)
{
	struct stage *stage = *state;
	understands(stage, "read_fiel", "{}", TOOL_CALL_UNKNOWN_TOOL,
		"there is no tool 'read_fiel'; did you mean 'read_file'?");
	understands(stage, "", "", TOOL_CALL_UNKNOWN_TOOL, "there is no tool ''");
	understands(stage, "web\x1b_search", "{}", TOOL_CALL_UNKNOWN_TOOL,
		"there is no tool 'web\\x1b_search'");
	understands(stage, "delegate_to_makr", "{\"task\":\"x\"}", TOOL_CALL_UNKNOWN_AGENT,
		"there is no agent 'makr' that you can hand work to; did you mean 'maker'?");
	// It exists, but there is no edge to it.
	understands(stage, "delegate_to_tester", "{\"task\":\"x\"}", TOOL_CALL_UNKNOWN_AGENT,
		"there is no agent 'tester' that you can hand work to");
	understands(stage, "transfer_to_boss", "{}", TOOL_CALL_UNKNOWN_AGENT,
		"there is no agent 'boss' that you can hand work to");
}

static void a_handoff_by_the_other_kinds_name_is_taken_as_meant(void **state)
{
	struct stage *stage = *state;
	struct tool_call call, other;
	tool_understand(
		&stage->team, 0, TEXT("transfer_to_maker"), TEXT("{\"message\":\"go\"}"), &call);
	assert_int_equal(call.kind, TOOL_CALL_DELEGATE);
	assert_int_equal(call.edge, 0);
	assert_string_equal(json_string(call.arguments, "task", ""), "go");
	tool_understand(
		&stage->team, 0, TEXT("delegate_to_maker"), TEXT("{\"task\":\"go\"}"), &other);
	assert_true(call.hash == other.hash);
	tool_call_finish(&other);
	tool_call_finish(&call);
	tool_understand(
		&stage->team, 1, TEXT("delegate_to_tester"), TEXT("{\"task\":\"go\"}"), &call);
	assert_int_equal(call.kind, TOOL_CALL_TRANSFER);
	assert_int_equal(call.edge, 1);
	assert_string_equal(json_string(call.arguments, "message", ""), "go");
	tool_call_finish(&call);
}

static uint64_t hash_of(struct stage *stage, const char *name, const char *arguments)
{
	struct tool_call call;
	tool_understand(&stage->team, 0, text_of(name), text_of(arguments), &call);
	uint64_t hash = call.hash;
	tool_call_finish(&call);
	return hash;
}

static void the_same_call_has_the_same_hash(void **state)
{
	struct stage *stage = *state;
	uint64_t hash = hash_of(stage, "read_file", "{\"path\":\"a\"}");
	assert_true(hash == hash_of(stage, "read_file", " { \"path\" : \"a\" } "));
	assert_true(hash == hash_of(stage, "read_file", "{\"path\":\"\\u0061\"}"));
	assert_true(hash != hash_of(stage, "read_file", "{\"path\":\"b\"}"));
	assert_true(hash_of(stage, "read_file", "{") != hash_of(stage, "read_file", "{{"));
	assert_true(hash_of(stage, "nonsense", "{}") != hash_of(stage, "nonsens", "{}"));
}

static void tools_that_an_agent_may_not_use_are_forbidden(void **state)
{
	struct stage *stage = *state;
	const char *only_files[] = {"*_file"}, *no_exec[] = {"exec_command"};
	stage->agents[0].tools_restricted = true;
	understands(stage, "read_file", "{\"path\":\"a\"}", TOOL_CALL_FORBIDDEN,
		"'read_file' is not among your tools");
	stage->agents[0].tools_allow = (struct team_strings){only_files, 1};
	understands(stage, "exec_command", "{\"cmd\":\"x\"}", TOOL_CALL_FORBIDDEN,
		"'exec_command' is not among your tools");
	understands(stage, "write_file", "{\"path\":\"a\",\"content\":\"\"}", TOOL_CALL_TOOL, "");
	stage->agents[0].tools_allow = (struct team_strings){0};
	stage->agents[0].tools_deny = (struct team_strings){no_exec, 1};
	understands(stage, "exec_command", "{\"cmd\":\"x\"}", TOOL_CALL_FORBIDDEN,
		"'exec_command' is not among your tools");
	understands(stage, "apply_patch", "{\"input\":\"x\"}", TOOL_CALL_TOOL, "");
}

static enum permission permission_of(struct stage *stage, const char *name, const char *arguments)
{
	struct error error;
	json_cleanup *tree = json_parse(text_of(arguments), &error);
	return tool_permission(&stage->team, 0, text_of(name), tree);
}

static void deny_goes_before_ask_before_allow(void **state)
{
	struct stage *stage = *state;
	const char *allow[] = {"exec_command:npm *", "read_file"};
	const char *ask[] = {"exec_command:*install*"};
	const char *deny[] = {"exec_command:*curl*"};
	assert_int_equal(
		permission_of(stage, "exec_command", "{\"cmd\":\"rm x\"}"), PERMISSION_ALLOW);
	stage->agents[0].permissions.allow = (struct team_strings){allow, 2};
	stage->team.permissions.ask = (struct team_strings){ask, 1};
	stage->team.permissions.deny = (struct team_strings){deny, 1};
	assert_int_equal(permission_of(stage, "exec_command", "{\"cmd\":\"npm test a/b\"}"),
		PERMISSION_ALLOW);
	assert_int_equal(
		permission_of(stage, "exec_command", "{\"cmd\":\"npm install\"}"), PERMISSION_ASK);
	assert_int_equal(
		permission_of(stage, "exec_command", "{\"cmd\":\"npm install /usr/bin/curl/x\"}"),
		PERMISSION_DENY);
	// What no list names is asked once there is an allow list.
	assert_int_equal(
		permission_of(stage, "exec_command", "{\"cmd\":\"make\"}"), PERMISSION_ASK);
	assert_int_equal(permission_of(stage, "read_file", "{\"path\":\"a\"}"), PERMISSION_ALLOW);
	understands(stage, "exec_command", "{\"cmd\":\"curl x\"}", TOOL_CALL_FORBIDDEN,
		"'exec_command' is not permitted with these arguments");
}

static void permissions_see_paths_as_they_are_used(void **state)
{
	struct stage *stage = *state;
	const char *allow[] = {"write_file:docs/**", "apply_patch:docs/**"};
	const char *deny[] = {"*:secrets/**"};
	stage->team.permissions.deny = (struct team_strings){deny, 1};
	static const char *const hidden[] = {
		"secrets/a", "/secrets/a", "./secrets//a", "/workspace/secrets/a", "secrets/./x/y"};
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		const char *arguments = arena_printf(&stage->arena, "{\"path\":\"%s\"}", hidden[i]);
		assert_int_equal(permission_of(stage, "read_file", arguments), PERMISSION_DENY);
		const char *patch = arena_printf(&stage->arena,
			"{\"input\":\"*** Begin Patch\\n*** Update File: a\\n*** Move to: "
			"%s\\n-a\\n+b\\n*** End Patch\"}",
			hidden[i]);
		assert_int_equal(permission_of(stage, "apply_patch", patch), PERMISSION_DENY);
	}
	stage->team.permissions.allow = (struct team_strings){allow, 2};
	assert_int_equal(
		permission_of(stage, "write_file", "{\"path\":\"docs/a/b\",\"content\":\"x\"}"),
		PERMISSION_ALLOW);
	// Nothing is allowed by what stands beside the path, and all paths of a patch have to match.
	assert_int_equal(
		permission_of(stage, "write_file", "{\"content\":\"docs/x\",\"path\":\"src/a\"}"),
		PERMISSION_ASK);
	assert_int_equal(permission_of(stage, "apply_patch",
				 "{\"input\":\"*** Begin Patch\\n*** Delete File: docs/a\\n*** "
				 "Delete File: src/a\\n*** End Patch\"}"),
		PERMISSION_ASK);
	assert_int_equal(permission_of(stage, "apply_patch",
				 "{\"input\":\"*** Begin Patch\\n*** Delete File: docs/a\\n*** "
				 "End Patch\"}"),
		PERMISSION_ALLOW);
}

static void handoffs_need_permission_too(void **state)
{
	struct stage *stage = *state;
	const char *deny[] = {"delegate_to_*:*deploy*"}, *ask[] = {"delegate_to_maker"};
	stage->team.permissions.deny = (struct team_strings){deny, 1};
	understands(stage, "transfer_to_maker", "{\"message\":\"deploy it\"}", TOOL_CALL_FORBIDDEN,
		"'transfer_to_maker' is not permitted with these arguments");
	stage->team.permissions.ask = (struct team_strings){ask, 1};
	struct tool_call call;
	tool_understand(
		&stage->team, 0, TEXT("delegate_to_maker"), TEXT("{\"task\":\"go\"}"), &call);
	assert_int_equal(call.kind, TOOL_CALL_DELEGATE);
	assert_int_equal(call.permission, PERMISSION_ASK);
	tool_call_finish(&call);
}

static const cJSON *tool_in(const cJSON *list, const char *name)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, list)
	{
		if (strcmp(json_string(item, "name", ""), name) == 0) {
			return item;
		}
	}
	return NULL;
}

static void the_list_holds_tools_and_handoffs_with_schemas(void **state)
{
	struct stage *stage = *state;
	buffer_cleanup json = {0};
	struct error error;
	tool_list_json(&json, &stage->team, 0);
	json_cleanup *list = json_parse(buffer_text(&json), &error);
	assert_non_null(list);
	assert_int_equal(cJSON_GetArraySize(list), 5); // no check_outputs without outputs
	const cJSON *read = tool_in(list, "read_file");
	assert_string_equal(json_string(read, "type", ""), "function");
	buffer_cleanup offset = {0};
	json_print(&offset, json_at(read, TEXT("/parameters/properties/offset")));
	assert_string_equal(offset.data,
		"{\"type\":\"integer\",\"description\":\"The first line to "
		"show, from 1.\",\"minimum\":1,\"maximum\":2147483647}");
	assert_string_equal(json_at(read, TEXT("/parameters/required/0"))->valuestring, "path");
	assert_true(cJSON_IsFalse(json_at(read, TEXT("/parameters/additionalProperties"))));
	const cJSON *handoff = tool_in(list, "delegate_to_maker");
	assert_string_equal(json_string(handoff, "description", ""),
		"Delegates a task to the agent maker; its report comes back as the result. maker: "
		"Makes \"it\". It goes through only when these hold: PLAN.md.");
	assert_non_null(json_at(handoff, TEXT("/parameters/properties/task")));
	static const char *const sdk[] = {
		"cmd", "workdir", "shell", "login", "tty", "yield_time_ms", "max_output_tokens"};
	const cJSON *properties =
		json_at(tool_in(list, "exec_command"), TEXT("/parameters/properties"));
	assert_int_equal(cJSON_GetArraySize(properties), 7);
	for (size_t i = 0; i < 7; i++) {
		assert_true(cJSON_HasObjectItem(properties, sdk[i]));
	}
}

static void the_list_follows_the_agents_tools_and_outputs(void **state)
{
	struct stage *stage = *state;
	const char *deny[] = {"exec_command"};
	stage->agents[1].tools_restricted = true;
	stage->agents[1].tools_deny = (struct team_strings){deny, 1};
	stage->agents[1].outputs = stage->outputs;
	stage->agents[1].output_count = 1;
	buffer_cleanup json = {0};
	struct error error;
	tool_list_json(&json, &stage->team, 1);
	json_cleanup *list = json_parse(buffer_text(&json), &error);
	assert_null(tool_in(list, "exec_command"));
	assert_non_null(tool_in(list, "check_outputs"));
	assert_non_null(tool_in(list, "transfer_to_tester"));
	assert_null(tool_in(list, "delegate_to_maker"));
}

static void the_vocabulary_names_every_tool(void **state)
{
	(void)state;
	struct owner_list list = tool_vocabulary();
	assert_int_equal(list.count, 6);
	for (size_t i = 0; i < list.count; i++) {
		assert_non_null(tool_find(text_of(list.owners[i].name)));
		assert_null(strchr(list.owners[i].help, '\n'));
	}
	assert_null(tool_find(TEXT("exec")));
}

static void who_asks_a_person_has_to_be_allowed_to(void **state)
{
	struct stage *stage = *state;
	struct team_agent *agent = &stage->agents[0];
	const struct tool *ask = tool_find(TEXT("ask_user"));
	static const char *all[] = {"*"}, *named[] = {"ask_user"}, *other[] = {"read_file"};
	assert_false(tool_allowed(&stage->team, 0, ask));
	agent->tools_restricted = true;
	agent->tools_deny = (struct team_strings){other, 1};
	assert_false(tool_allowed(&stage->team, 0, ask));
	agent->tools_allow = (struct team_strings){named, 1};
	assert_true(tool_allowed(&stage->team, 0, ask));
	agent->tools_allow = (struct team_strings){all, 1};
	assert_true(tool_allowed(&stage->team, 0, ask));
}

#define TOOL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOOL_TEST(calls_that_fit_are_understood),
		TOOL_TEST(malformed_arguments_are_explained),
		TOOL_TEST(an_escaped_backslash_before_u0000_is_no_zero),
		TOOL_TEST(deep_and_large_arguments_end_quickly),
		TOOL_TEST(unknown_tools_and_agents_are_named_with_the_nearest),
		TOOL_TEST(a_handoff_by_the_other_kinds_name_is_taken_as_meant),
		TOOL_TEST(the_same_call_has_the_same_hash),
		TOOL_TEST(tools_that_an_agent_may_not_use_are_forbidden),
		TOOL_TEST(deny_goes_before_ask_before_allow),
		TOOL_TEST(permissions_see_paths_as_they_are_used),
		TOOL_TEST(handoffs_need_permission_too),
		TOOL_TEST(the_list_holds_tools_and_handoffs_with_schemas),
		TOOL_TEST(the_list_follows_the_agents_tools_and_outputs),
		TOOL_TEST(the_vocabulary_names_every_tool),
		TOOL_TEST(who_asks_a_person_has_to_be_allowed_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
