#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "run/state.h"

// A manager (0) with one specialist (1): gate 0 stands before the handoff, gate 1 is the
// specialist's output, gate 2 the manager's.
static const uint32_t needs[] = {0}, made[] = {1}, whole[] = {2};
static const struct run_gate gates[] = {
	{.retries = 3, .then = POLICY_RETURN},
	{.retries = 1, .then = POLICY_RETURN},
	{.retries = 3, .then = POLICY_RETURN},
};
static const struct run_edge edges[] = {{EDGE_DELEGATE, 0, 1, needs, 1, -1}};
static const struct run_agent agents[] = {
	{.outputs = whole, .output_count = 1, .overlaps = 1, .max_output_tokens = 100},
	{.outputs = made, .output_count = 1, .overlaps = 2, .max_output_tokens = 100},
};
static const struct run_rules rules = {.agents = agents,
	.agent_count = 2,
	.edges = edges,
	.edge_count = 1,
	.gates = gates,
	.gate_count = 3,
	.limits = {.max_turns = 20, .max_concurrency = 4, .max_depth = 8}};

struct world {
	struct run_state state;
	enum run_event_kind last;
	uint32_t last_code;
};

static void settle(struct world *world)
{
	struct run_event event;
	while (run_decide(&world->state, &rules, &event)) {
		assert_true(run_apply(&world->state, &rules, &event));
		world->last = event.kind;
		world->last_code = event.code;
	}
}

static void feed(struct world *world, struct run_event event)
{
	event.at = world->state.now + 1;
	assert_true(run_apply(&world->state, &rules, &event));
	settle(world);
}

// The number of the one command of this kind that is under way.
static struct run_event answer_to(
	struct world *world, enum run_command_kind command, enum run_event_kind kind, uint32_t code)
{
	for (uint32_t i = 0; i < world->state.command_count; i++) {
		if (world->state.commands[i].kind == command) {
			return (struct run_event){.kind = kind,
				.branch = world->state.commands[i].branch,
				.command = world->state.commands[i].number,
				.code = code};
		}
	}
	fail_msg("no command of kind %d is under way", command);
	return (struct run_event){0};
}

static void begin(struct world *world)
{
	*world = (struct world){0};
	run_state_init(&world->state, &rules);
	feed(world, (struct run_event){.kind = RUN_STARTED, .bytes = 30});
	feed(world, answer_to(world, COMMAND_OPEN_SANDBOX, SANDBOX_OPENED, 0));
}

static void model(struct world *world, enum run_finish finish, const struct run_call_facts *call)
{
	struct run_event event = answer_to(world, COMMAND_CALL_MODEL, MODEL_ANSWERED, finish);
	event.calls = call;
	event.call_count = call ? 1 : 0;
	event.input_tokens = 10;
	event.output_tokens = 10;
	feed(world, event);
}

static void check(struct world *world, enum run_check_status status)
{
	feed(world, answer_to(world, COMMAND_CHECK_GATE, GATE_CHECKED, status));
}

static void record(struct world *world, const uint32_t *touched, uint32_t count)
{
	struct run_event event = answer_to(world, COMMAND_RECORD, WORKSPACE_RECORDED, 0);
	event.changes = 1;
	event.gates = touched;
	event.gate_count = count;
	feed(world, event);
}

static const struct run_call_facts delegate = {.kind = CALL_DELEGATE, .edge = 0, .hash = 1};
static const struct run_call_facts write_call = {.kind = CALL_TOOL, .effectful = true, .hash = 2};

static void a_run_goes_through_its_gates_to_its_end(void **state)
{
	(void)state;
	struct world world;
	begin(&world);
	model(&world, FINISH_CALLS, &delegate);
	check(&world, CHECK_HOLDS);
	assert_int_equal(world.state.open_count, 2);
	model(&world, FINISH_TEXT, NULL);
	check(&world, CHECK_HOLDS);
	assert_int_equal(world.state.branches[1].outcome, OUTCOME_COMPLETED);
	model(&world, FINISH_TEXT, NULL);
	check(&world, CHECK_HOLDS);
	assert_int_equal(world.state.status, RUN_DONE);
	assert_int_equal(run_exit_code(&world.state), 0);
	run_state_finish(&world.state);
}

static void what_is_told_of_a_person_is_the_output_of_the_call(void **state)
{
	(void)state;
	static const struct run_call_facts ask = {.kind = CALL_PERSON, .hash = 4};
	struct world world;
	begin(&world);
	model(&world, FINISH_CALLS, &ask);
	assert_int_equal(world.state.status, RUN_PARKED_STATUS);
	assert_int_equal(run_exit_code(&world.state), 4);
	assert_int_equal(world.state.questions[0].kind, QUESTION_TEXT);
	struct run_event answer = {.kind = PERSON_ANSWERED, .code = CHOICE_YES, .bytes = 20};
	assert_false(run_apply(&world.state, &rules, &answer)); // a yes is no answer to it
	int64_t bytes = world.state.branches[0].bytes;
	answer.code = CHOICE_TEXT;
	feed(&world, answer);
	assert_true(world.state.branches[0].bytes >= bytes + 20);
	assert_int_equal(world.state.status, RUN_RUNNING);
	model(&world, FINISH_TEXT, NULL);
	check(&world, CHECK_HOLDS);
	assert_int_equal(world.state.status, RUN_DONE);
	run_state_finish(&world.state);
}

static void a_person_says_yes_to_a_gate_on_one_tree(void **state)
{
	(void)state;
	static const uint32_t touched[] = {0, 1, 2};
	struct world world;
	begin(&world);
	model(&world, FINISH_CALLS, &delegate);
	check(&world, CHECK_NEEDS_PERSON);
	assert_int_equal(world.state.status, RUN_PARKED_STATUS);
	// While nobody drove the run the workspace was changed: the yes was about another tree.
	uint32_t gate = world.state.questions[0].gate;
	struct run_event resumed = {.kind = RUN_RESUMED};
	struct run_event answer = {.kind = PERSON_ANSWERED, .code = CHOICE_YES};
	assert_true(run_apply(&world.state, &rules, &resumed));
	feed(&world, answer);
	assert_int_equal(world.state.open_count, 1);
	struct run_event opened = answer_to(&world, COMMAND_OPEN_SANDBOX, SANDBOX_OPENED, 0);
	opened.changes = 1;
	opened.gates = &touched[gate];
	opened.gate_count = 1;
	feed(&world, opened);
	assert_int_equal(world.state.open_count, 1);
	check(&world, CHECK_NEEDS_PERSON);
	assert_int_equal(world.state.question_count, 1);
	answer.question = world.state.questions[0].number;
	feed(&world, answer);
	assert_int_equal(world.state.open_count, 2);
	run_state_finish(&world.state);
}

static void a_call_that_reads_sees_what_was_written_before_it(void **state)
{
	(void)state;
	struct run_call_facts calls[] = {
		write_call, {.kind = CALL_TOOL, .hash = 3}, {.kind = CALL_PERSON, .hash = 4}};
	struct world world;
	begin(&world);
	struct run_event event =
		answer_to(&world, COMMAND_CALL_MODEL, MODEL_ANSWERED, FINISH_CALLS);
	event.calls = calls;
	event.call_count = 3;
	feed(&world, event);
	assert_int_equal(world.state.command_count, 1);
	assert_int_equal(world.state.commands[0].call, 0);
	assert_int_equal(world.state.question_count, 0);
	feed(&world, answer_to(&world, COMMAND_CALL_TOOL, TOOL_ANSWERED, 0));
	assert_int_equal(world.state.commands[0].call, 1);
	assert_int_equal(world.state.question_count, 1);
	run_state_finish(&world.state);
}

static void a_refused_handoff_is_answered_and_not_checked_again_for_nothing(void **state)
{
	(void)state;
	struct world world;
	begin(&world);
	model(&world, FINISH_CALLS, &delegate);
	check(&world, CHECK_FAILS);
	assert_int_equal(world.state.open_count, 1);
	assert_int_equal(world.state.branches[0].refusals[0], 1);
	// Nothing changed: the old verdict is repeated without a command.
	model(&world, FINISH_CALLS, &delegate);
	assert_int_equal(world.state.branches[0].refusals[0], 2);
	// A write that touches the gate makes it run again.
	model(&world, FINISH_CALLS, &write_call);
	feed(&world, answer_to(&world, COMMAND_CALL_TOOL, TOOL_ANSWERED, 0));
	static const uint32_t touched[] = {0};
	record(&world, touched, 1);
	model(&world, FINISH_CALLS, &delegate);
	check(&world, CHECK_HOLDS);
	assert_int_equal(world.state.open_count, 2);
	run_state_finish(&world.state);
}

static void retries_used_up_return_the_failure_to_the_opener(void **state)
{
	(void)state;
	struct world world;
	begin(&world);
	model(&world, FINISH_CALLS, &delegate);
	check(&world, CHECK_HOLDS);
	for (int attempt = 0; attempt < 2; attempt++) {
		struct run_event event = answer_to(&world, COMMAND_CALL_MODEL, MODEL_ANSWERED, 0);
		assert_int_equal(event.branch, 1);
		model(&world, FINISH_TEXT, NULL);
		if (attempt == 0) {
			check(&world, CHECK_FAILS);
		}
	}
	assert_int_equal(world.state.branches[1].outcome, OUTCOME_GATE);
	assert_int_equal(world.state.branches[0].calls, NULL); // the next request is under way
	assert_int_equal(world.state.status, RUN_RUNNING);
	run_state_finish(&world.state);
}

static void a_run_limit_parks_and_more_room_goes_on(void **state)
{
	(void)state;
	struct world world;
	begin(&world);
	world.state.limits.max_turns = 1;
	model(&world, FINISH_CALLS, &write_call);
	feed(&world, answer_to(&world, COMMAND_CALL_TOOL, TOOL_ANSWERED, 0));
	record(&world, NULL, 0);
	assert_int_equal(world.state.status, RUN_PARKED_STATUS);
	assert_int_equal(run_exit_code(&world.state), 5);
	feed(&world, (struct run_event){.kind = RUN_RESUMED, .raise = {.max_turns = 5}});
	assert_true(world.state.command_count > 0);
	run_state_finish(&world.state);
}

static void a_crash_answers_an_effectful_call_as_interrupted(void **state)
{
	(void)state;
	struct world world;
	begin(&world);
	model(&world, FINISH_CALLS, &write_call);
	struct run_event late = answer_to(&world, COMMAND_CALL_TOOL, TOOL_ANSWERED, 0);
	struct run_bytes bytes = run_state_save(&world.state);
	struct run_state loaded;
	assert_true(run_state_load(&loaded, &rules, bytes.data, bytes.size));
	struct run_bytes again = run_state_save(&loaded);
	assert_int_equal(bytes.size, again.size);
	assert_memory_equal(bytes.data, again.data, bytes.size);
	run_state_finish(&loaded);
	feed(&world, (struct run_event){.kind = RUN_RESUMED});
	assert_int_equal(world.state.branches[0].phase, PHASE_THINK);
	assert_false(run_apply(&world.state, &rules, &late));
	assert_false(run_state_load(&loaded, &rules, bytes.data, bytes.size - 1));
	free(bytes.data);
	free(again.data);
	run_state_finish(&world.state);
}

static void the_author_is_who_wrote_or_who_declared(void **state)
{
	(void)state;
	assert_int_equal(run_author(3, 6, 0), 3);
	assert_int_equal(run_author(RUN_NONE, 4, 0), 2);
	assert_int_equal(run_author(RUN_NONE, 6, 2), 1);
	assert_int_equal(run_author(RUN_NONE, 6, 6), RUN_NONE);
	assert_int_equal(run_author(RUN_NONE, 6, 0), RUN_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_goes_through_its_gates_to_its_end),
		cmocka_unit_test(what_is_told_of_a_person_is_the_output_of_the_call),
		cmocka_unit_test(a_person_says_yes_to_a_gate_on_one_tree),
		cmocka_unit_test(a_call_that_reads_sees_what_was_written_before_it),
		cmocka_unit_test(a_refused_handoff_is_answered_and_not_checked_again_for_nothing),
		cmocka_unit_test(retries_used_up_return_the_failure_to_the_opener),
		cmocka_unit_test(a_run_limit_parks_and_more_room_goes_on),
		cmocka_unit_test(a_crash_answers_an_effectful_call_as_interrupted),
		cmocka_unit_test(the_author_is_who_wrote_or_who_declared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
