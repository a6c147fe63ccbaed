#include "test.h"

#include <string.h>

#include "base/json.h"
#include "view/plan.h"

// A manager with one specialist; made by hand, so that the numbers are known.
struct example {
	struct arena arena;
	struct team team;
	struct team_gate gates[2];
	struct team_agent agents[2];
	struct team_edge edges[1];
	struct team_model models[1];
};

static int needs[] = {0}, outputs[] = {1};
static const char *reading[] = {"read_file", NULL};

static const struct yaml_node *yaml(struct arena *arena, const char *source)
{
	struct error error = {0};
	struct yaml_node *node = yaml_parse(arena, "test", text_of(source), &error);
	assert_non_null(node);
	return node;
}

static void make(struct example *example)
{
	*example = (struct example){0};
	struct arena *arena = &example->arena;
	example->gates[0] = (struct team_gate){.name = "plan",
		.require = yaml(arena, "[{file: PLAN.md, min_bytes: 20}, {not: {glob: '*.tmp'}}]"),
		.retries = 1,
		.then = POLICY_ABORT};
	example->gates[1] = (struct team_gate){.name = "page.html",
		.require = yaml(arena, "{file: page.html}"),
		.retries = 3,
		.anonymous = true};
	example->models[0] = (struct team_model){
		.name = "openai/gpt-5.4", .provider = "openai", .model = "gpt-5.4"};
	for (size_t i = 0; i < 2; i++) {
		example->agents[i].tools_restricted = true;
		example->agents[i].tools_allow = (struct team_strings){reading, 1};
	}
	example->agents[0].name = "lead";
	example->agents[0].description = "Leads.";
	example->agents[1].name = "writer";
	example->agents[1].description = "";
	example->agents[1].outputs = outputs;
	example->agents[1].output_count = 1;
	example->agents[1].limits.max_turns = 9;
	example->edges[0] = (struct team_edge){
		.kind = EDGE_DELEGATE, .from = 0, .to = 1, .needs = needs, .need_count = 1};
	example->team = (struct team){.name = "pair",
		.description = "Two.",
		.agents = example->agents,
		.agent_count = 2,
		.edges = example->edges,
		.edge_count = 1,
		.gates = example->gates,
		.gate_count = 2,
		.models = example->models,
		.model_count = 1,
		.sandbox = {.provider = "unix-local"},
		.limits = {.max_turns = 50, .max_concurrency = 4, .max_depth = 8}};
}

static void a_plan_says_who_needs_what(void **state)
{
	(void)state;
	struct example example;
	buffer_cleanup plan = {0};
	make(&example);
	plan_print(&plan, &example.team);
	assert_string_equal(plan.data,
		"pair: Two.\n"
		"\n"
		"Sandbox\n"
		"  unix-local, network off\n"
		"\n"
		"Agents\n"
		"\n"
		"  lead (manager)\n"
		"    Leads.\n"
		"    model         openai/gpt-5.4\n"
		"    delegates to  writer when these hold: plan\n"
		"    tools         read_file\n"
		"\n"
		"  writer\n"
		"    model         openai/gpt-5.4\n"
		"    leaves behind page.html\n"
		"    tools         read_file\n"
		"    limits        max_turns 9\n"
		"\n"
		"Gates\n"
		"\n"
		"  plan (1 retry, then: the run fails)\n"
		"    file PLAN.md, min_bytes: 20\n"
		"    not {glob: *.tmp}\n"
		"\n"
		"  page.html (3 retries, then: back to whoever waits)\n"
		"    file page.html\n"
		"\n"
		"At most\n"
		"    turns         50 (max_turns)\n"
		"    tokens        no limit\n"
		"    cost          no limit\n"
		"    working time  no limit\n"
		"    side by side  4\n"
		"    (calls that are under way when a limit is reached may still go over it)\n");
	arena_finish(&example.arena);
}

static void a_plan_in_json_is_json(void **state)
{
	(void)state;
	struct example example;
	struct error error = {0};
	buffer_cleanup plan = {0};
	make(&example);
	example.team.description = "\"quoted\" \033 \xff";
	plan_json(&plan, &example.team);
	json_cleanup *tree = json_parse(buffer_text(&plan), &error);
	assert_non_null(tree);
	assert_string_equal(json_string(tree, "format", ""), "muster.plan/1");
	assert_string_equal(json_string(tree, "description", ""), "\"quoted\" \033 \xef\xbf\xbd");
	const cJSON *need = json_at(tree, TEXT("/edges/0/needs/0"));
	assert_string_equal(cJSON_GetStringValue(need), "plan");
	assert_int_equal(json_number(json_at(tree, TEXT("/at_most")), "turns", 0), 50);
	assert_true(cJSON_IsNull(json_at(tree, TEXT("/at_most/tokens"))));
	arena_finish(&example.arena);
}

static void the_managers_limits_bound_the_run(void **state)
{
	(void)state;
	struct example example;
	struct plan_bounds bounds;
	make(&example);
	example.agents[0].limits.max_turns = 30;
	plan_bounds(&example.team, &bounds);
	assert_int_equal(bounds.turns, 30);
	// Once it can pass its work on, another agent's limits count.
	example.edges[0].kind = EDGE_TRANSFER;
	plan_bounds(&example.team, &bounds);
	assert_int_equal(bounds.turns, 50);
	arena_finish(&example.arena);
}

static void tokens_and_cost_follow_from_the_context_and_the_price(void **state)
{
	(void)state;
	struct example example;
	struct plan_bounds bounds;
	make(&example);
	example.models[0].context_window = 1000;
	plan_bounds(&example.team, &bounds);
	assert_int_equal(bounds.tokens, 50000);
	assert_int_equal(bounds.nano_usd, 0);
	example.models[0].price = (struct team_price){2000000, 100000, 8000000, true};
	plan_bounds(&example.team, &bounds);
	assert_int_equal(bounds.nano_usd, 400000);
	example.team.limits.max_tokens = 10;
	plan_bounds(&example.team, &bounds);
	assert_int_equal(bounds.tokens, 10);
	assert_string_equal(bounds.tokens_from, "max_tokens");
	arena_finish(&example.arena);
}

static void a_product_that_overflows_is_no_bound(void **state)
{
	(void)state;
	struct example example;
	struct plan_bounds bounds;
	make(&example);
	example.models[0].context_window = INT64_MAX / 2;
	plan_bounds(&example.team, &bounds);
	assert_int_equal(bounds.tokens, 0);
	assert_null(bounds.tokens_from);
	arena_finish(&example.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_says_who_needs_what),
		cmocka_unit_test(a_plan_in_json_is_json),
		cmocka_unit_test(the_managers_limits_bound_the_run),
		cmocka_unit_test(tokens_and_cost_follow_from_the_context_and_the_price),
		cmocka_unit_test(a_product_that_overflows_is_no_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
