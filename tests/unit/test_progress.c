#include "test.h"

#include <stdio.h>
#include <string.h>

#include "view/graph.h"
#include "view/progress.h"

// A manager (0) delegates to a designer (1) when gate plan (0) holds; the designer leaves a
// specification (gate 1) and may pass on to a tester (2).
static int needs[] = {0}, outputs[] = {1};
static struct team_gate gates[] = {{.name = "plan"}, {.name = "design/\"spec\".md"}};
static struct team_agent agents[] = {
	{.name = "manager"},
	{.name = "designer", .outputs = outputs, .output_count = 1},
	{.name = "tester"},
};
static struct team_edge edges[] = {
	{.kind = EDGE_DELEGATE, .from = 0, .to = 1, .needs = needs, .need_count = 1},
	{.kind = EDGE_TRANSFER, .from = 1, .to = 2},
};
static const struct team team = {.name = "shop",
	.agents = agents,
	.agent_count = 3,
	.edges = edges,
	.edge_count = 2,
	.gates = gates,
	.gate_count = 2};

struct telling {
	struct progress progress;
	struct buffer lines;
};

static void write_line(void *data, struct text line)
{
	struct telling *telling = data;
	buffer_add_text(&telling->lines, line);
}

static void verdict(void *data, uint32_t branch, uint32_t command, struct buffer *text)
{
	(void)data;
	if (branch == 0 && command == 4) {
		buffer_add_string(text, "- TEST.md is missing\n- PLAN.md is\033[31m empty\n");
	}
}

static void call(void *data, uint32_t branch, uint32_t number, struct buffer *text)
{
	(void)data;
	if (branch == 0 && number == 0) {
		buffer_add_string(
			text, "delegate_to_designer {\"task\": \"Draw \\\"it\\\".\\nNow.\"}");
	} else {
		buffer_add_string(text, "exec_command {\"cmd\": \"sh tests/te");
	}
}

static void said(void *data, uint32_t branch, struct buffer *text)
{
	(void)data;
	(void)branch;
	buffer_add_string(text, "  Off we go.\nAll of us.\n");
}

static void reason(void *data, struct buffer *text)
{
	(void)data;
	buffer_add_string(text, "bwrap is missing");
}

static const struct store_change *changes(void *data, size_t *count)
{
	static const struct store_change rows[] = {
		{.path = "design/a.md", .status = "added", .agent = "designer", .size = 1234},
		{.path = "old.md", .status = "deleted", .agent = "designer", .outside = true},
	};
	(void)data;
	*count = 2;
	return rows;
}

static void begin(struct telling *telling)
{
	*telling = (struct telling){0};
	progress_init(&telling->progress, &team);
	telling->progress.source = (struct progress_source){.verdict = verdict,
		.call = call,
		.said = said,
		.reason = reason,
		.changes = changes};
	telling->progress.write = write_line;
	telling->progress.write_data = telling;
	progress_event(&telling->progress, &(struct run_event){.kind = RUN_STARTED});
}

static void finish(struct telling *telling)
{
	progress_finish(&telling->progress);
	buffer_finish(&telling->lines);
}

static void schedule(struct telling *telling, struct run_event event)
{
	event.kind = COMMAND_SCHEDULED;
	progress_event(&telling->progress, &event);
}

static void tells(struct telling *telling, struct run_event event, const char *lines)
{
	buffer_clear(&telling->lines);
	progress_event(&telling->progress, &event);
	assert_string_equal(telling->lines.length ? telling->lines.data : "", lines);
}

// The manager's model answers with one delegation.
static void delegate(struct telling *telling)
{
	static const struct run_call_facts facts[] = {{.kind = CALL_DELEGATE, .edge = 0}};
	schedule(telling,
		(struct run_event){.command = 1,
			.code = COMMAND_CALL_MODEL,
			.call = RUN_NONE,
			.gate = RUN_NONE});
	progress_event(&telling->progress,
		&(struct run_event){.kind = MODEL_ANSWERED,
			.command = 1,
			.code = FINISH_CALLS,
			.calls = facts,
			.call_count = 1});
}

static void a_run_begins_with_its_manager(void **state)
{
	(void)state;
	struct telling telling;
	begin(&telling);
	assert_string_equal(telling.lines.data,
		"00:00.0  manager   begins with 2 other agents of the team shop\n");
	finish(&telling);
}

static void what_an_agent_says_is_one_escaped_line(void **state)
{
	(void)state;
	struct telling telling;
	begin(&telling);
	schedule(&telling, (struct run_event){.command = 1, .code = COMMAND_CALL_MODEL});
	tells(&telling,
		(struct run_event){
			.kind = MODEL_ANSWERED, .at = 61250, .command = 1, .text_bytes = 20},
		"01:01.2  manager   says: Off we go.\\nAll of us.\n");
	finish(&telling);
}

static void a_refused_handoff_names_the_gate_and_its_reasons(void **state)
{
	(void)state;
	struct telling telling;
	begin(&telling);
	delegate(&telling);
	schedule(&telling,
		(struct run_event){.command = 4, .code = COMMAND_CHECK_GATE, .gate = 0, .call = 0});
	tells(&telling, (struct run_event){.kind = GATE_CHECKED, .command = 4, .code = CHECK_FAILS},
		"");
	tells(&telling,
		(struct run_event){.kind = CALL_ANSWERED, .call = 0, .code = ANSWER_REFUSED},
		"00:00.0  manager   handoff to designer is refused\n"
		"00:00.0  manager     gate plan: TEST.md is missing\n"
		"00:00.0  manager     gate plan: PLAN.md is\\x1b[31m empty\n");
	// The next refusal tells its own reasons only.
	tells(&telling,
		(struct run_event){
			.kind = GATE_REPEATED, .gate = 0, .call = 0, .code = CHECK_FAILS},
		"");
	tells(&telling,
		(struct run_event){.kind = CALL_ANSWERED, .call = 0, .code = ANSWER_REFUSED},
		"00:00.0  manager   handoff to designer is refused\n"
		"00:00.0  manager     gate plan: TEST.md is missing\n"
		"00:00.0  manager     gate plan: PLAN.md is\\x1b[31m empty\n");
	finish(&telling);
}

static void a_handoff_that_goes_through_tells_gate_and_task(void **state)
{
	(void)state;
	struct telling telling;
	begin(&telling);
	delegate(&telling);
	schedule(&telling,
		(struct run_event){.command = 2, .code = COMMAND_CHECK_GATE, .gate = 0, .call = 0});
	tells(&telling, (struct run_event){.kind = GATE_CHECKED, .command = 2, .code = CHECK_HOLDS},
		"00:00.0  manager   gate plan holds, for the handoff to designer\n");
	tells(&telling,
		(struct run_event){
			.kind = BRANCH_OPENED, .branch = 1, .parent = 0, .call = 0, .agent = 1},
		"00:00.0  manager   hands over to designer: Draw \"it\". Now.\n");
	finish(&telling);
}

static void the_designer_works_and_is_refused_by_its_outputs(void **state)
{
	(void)state;
	struct telling telling;
	begin(&telling);
	delegate(&telling);
	progress_event(&telling.progress,
		&(struct run_event){
			.kind = BRANCH_OPENED, .branch = 1, .parent = 0, .call = 0, .agent = 1});
	buffer_clear(&telling.lines);
	schedule(&telling,
		(struct run_event){
			.branch = 1, .command = 1, .code = COMMAND_CALL_TOOL, .call = 0});
	assert_string_equal(
		telling.lines.data, "00:00.0  designer  calls exec_command sh tests/te\n");
	tells(&telling,
		(struct run_event){
			.kind = TOOL_ANSWERED, .branch = 1, .command = 1, .failed = true},
		"00:00.0  designer  failing call: exec_command sh tests/te\n");
	schedule(&telling, (struct run_event){.branch = 1, .command = 2, .code = COMMAND_RECORD});
	tells(&telling,
		(struct run_event){
			.kind = WORKSPACE_RECORDED, .branch = 1, .command = 2, .changes = 2},
		"00:00.0  designer  writes design/a.md (1.2 KB)\n"
		"00:00.0  designer  deletes old.md, outside of what it may write\n");
	schedule(&telling,
		(struct run_event){.branch = 1,
			.command = 3,
			.code = COMMAND_CHECK_GATE,
			.gate = 1,
			.call = RUN_NONE});
	tells(&telling,
		(struct run_event){
			.kind = GATE_CHECKED, .branch = 1, .command = 3, .code = CHECK_FAILS},
		"");
	tells(&telling,
		(struct run_event){.kind = COMPLETION_REFUSED, .branch = 1, .code = NOTE_OUTPUTS},
		"00:00.0  designer  wants to be done, refused by its outputs\n"
		"00:00.0  designer    gate design/\"spec\".md fails\n");
	tells(&telling, (struct run_event){.kind = CONTROL_TRANSFERRED, .branch = 1, .agent = 2},
		"00:00.0  designer  passes its work on to tester\n");
	tells(&telling,
		(struct run_event){.kind = BRANCH_CLOSED, .branch = 1, .code = OUTCOME_COMPLETED},
		"00:00.0  tester    is done\n");
	finish(&telling);
}

static void limits_parking_and_the_end_are_told(void **state)
{
	(void)state;
	struct telling telling;
	begin(&telling);
	tells(&telling,
		(struct run_event){.kind = LIMIT_REACHED,
			.at = 3723400,
			.branch = RUN_NONE,
			.code = LIMIT_TURNS},
		"1:02:03.4            the run reaches its max_turns\n");
	tells(&telling, (struct run_event){.kind = RUN_PARKED, .code = PARK_LIMIT},
		"00:00.0            the run is parked: a limit is reached\n");
	tells(&telling, (struct run_event){.kind = RUN_FINISHED, .code = RUN_DONE},
		"00:00.0            the run is done\n");
	schedule(&telling, (struct run_event){.command = 9, .code = COMMAND_OPEN_SANDBOX});
	tells(&telling, (struct run_event){.kind = SANDBOX_OPENED, .command = 9, .failed = true},
		"00:00.0            the sandbox could not be opened: bwrap is missing\n");
	finish(&telling);
}

static void events_that_do_not_fit_are_left_out(void **state)
{
	(void)state;
	struct telling telling;
	begin(&telling);
	tells(&telling, (struct run_event){.kind = MODEL_ANSWERED, .branch = 7, .command = 1}, "");
	tells(&telling, (struct run_event){.kind = TOOL_ANSWERED, .command = 99, .failed = true},
		"");
	tells(&telling,
		(struct run_event){.kind = BRANCH_OPENED, .branch = 5, .parent = 0, .agent = 1},
		"");
	tells(&telling,
		(struct run_event){.kind = BRANCH_OPENED, .branch = 1, .parent = 0, .agent = 77},
		"");
	tells(&telling, (struct run_event){.kind = GATE_REPEATED, .gate = 12, .code = CHECK_FAILS},
		"");
	finish(&telling);
}

static void colours_are_only_used_when_asked_for(void **state)
{
	(void)state;
	struct telling telling;
	begin(&telling);
	assert_null(strchr(telling.lines.data, '\033'));
	telling.progress.colours = true;
	tells(&telling, (struct run_event){.kind = RUN_FINISHED, .code = RUN_FAILED},
		"\033[2m00:00.0\033[0m            \033[31mthe run is failed\033[0m\n");
	finish(&telling);
}

static void a_graph_in_mermaid_escapes_names(void **state)
{
	(void)state;
	buffer_cleanup graph = {0};
	gates[0].name = "design/\"spec\".md";
	graph_formats[0].print(&graph, &team);
	gates[0].name = "plan";
	assert_string_equal(graph.data,
		"flowchart TD\n"
		"  agent_manager([\"manager\"])\n"
		"  agent_designer[\"designer\"]\n"
		"  agent_tester[\"tester\"]\n"
		"  agent_manager -->|\"design/#34;spec#34;.md\"| agent_designer\n"
		"  agent_designer -.-> agent_tester\n");
}

static void a_graph_in_dot_escapes_names(void **state)
{
	(void)state;
	buffer_cleanup graph = {0};
	gates[0].name = "a \"b\" \\";
	graph_formats[1].print(&graph, &team);
	gates[0].name = "plan";
	assert_string_equal(graph.data,
		"digraph \"shop\" {\n"
		"  node [shape=box, style=rounded];\n"
		"  \"manager\" [penwidth=2];\n"
		"  \"designer\";\n"
		"  \"tester\";\n"
		"  \"manager\" -> \"designer\" [label=\"a \\\"b\\\" \\\\\"];\n"
		"  \"designer\" -> \"tester\" [label=\"\", style=dashed];\n"
		"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_begins_with_its_manager),
		cmocka_unit_test(what_an_agent_says_is_one_escaped_line),
		cmocka_unit_test(a_refused_handoff_names_the_gate_and_its_reasons),
		cmocka_unit_test(a_handoff_that_goes_through_tells_gate_and_task),
		cmocka_unit_test(the_designer_works_and_is_refused_by_its_outputs),
		cmocka_unit_test(limits_parking_and_the_end_are_told),
		cmocka_unit_test(events_that_do_not_fit_are_left_out),
		cmocka_unit_test(colours_are_only_used_when_asked_for),
		cmocka_unit_test(a_graph_in_mermaid_escapes_names),
		cmocka_unit_test(a_graph_in_dot_escapes_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
