#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "team/team.h"
#include "team_words.h"

static char folder[] = "/tmp/muster-team-XXXXXX";

static void put(const char *name, const char *content)
{
	arena_cleanup arena = {0};
	struct error error = {0};
	char *path = arena_printf(&arena, "%s/%s", folder, name);
	assert_true(file_make_folders(path_folder(&arena, path), 0755, &error));
	assert_true(file_replace(path, text_of(content), 0644, &error));
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	struct error error = {0};
	return chdir("/") == 0 && file_remove_tree(folder, &error) ? 0 : -1;
}

static struct team *load(const char *path)
{
	struct team_report report;
	buffer_cleanup said = {0};
	struct team *team = team_load(path, team_words(), &report);
	team_report_print(&said, &report);
	team_report_finish(&report);
	if (!team) {
		print_error("%s", said.data);
	}
	assert_non_null(team);
	return team;
}

static const char shop[] =
	"version: 1\n"
	"name: shop\n"
	"description: Builds a shop.\n"
	"inputs:\n"
	"  brief: {type: file, required: true, example: brief.md}\n"
	"  shelves: {type: number, default: 3}\n"
	"  tone: {enum: [warm, dry], default: warm}\n"
	"  loud: {type: boolean}\n"
	"model: big\n"
	"models:\n"
	"  big:\n"
	"    use: openai/gpt-5.4\n"
	"    temperature: 0\n"
	"    reasoning: {effort: high}\n"
	"    api_key: {env: SHOP_KEY}\n"
	"    fallback: openai/gpt-5.4-mini\n"
	"    price: {input: 1.25, cached_input: 0.125, output: 10}\n"
	"limits: {max_turns: 150, timeout: 60m, max_tokens: 2000000}\n"
	"sandbox: {network: [example.org], memory: 2GiB, cpu: 1.5, keep: failed}\n"
	"manifest:\n"
	"  entries:\n"
	"    /workspace/brief.md: {type: file, content: '${inputs.brief}'}\n"
	"    src: {type: dir, children: {a.txt: {type: file, content: a}}}\n"
	"  environment: {PORT: 3000}\n"
	"manager: boss\n"
	"agents:\n"
	"  boss:\n"
	"    instructions_file: prompts/boss.md\n"
	"    outputs: [plan.md, built, {json: package.json, at: {/name: shop}}]\n"
	"    handoffs: [{to: seller, input: task}]\n"
	"    sub_agents:\n"
	"      - {to: builder, needs: [plan.md, ready], retries: 1, description: Builds.}\n"
	"      - tester\n"
	"  builder:\n"
	"    description: Builds it.\n"
	"    instructions: Build.\n"
	"    model: openai/gpt-5.4-mini\n"
	"    outputs: built\n"
	"    writes: [/src/**]\n"
	"    workdir: ./src\n"
	"    remember: nothing\n"
	"    limits: {max_turns: 30, max_usd: 0}\n"
	"  tester: {instructions: Test., tools: {deny: exec_command}, writes: []}\n"
	"  seller: {instructions: Sell., model: {use: openai/gpt-5.4, top_p: 0.5}}\n"
	"permissions: {ask: exec_command}\n"
	"gates:\n"
	"  use: [gates/*.yaml]\n"
	"  ready: {require: [{dir: src}], retries: 0, then: abort}\n";

static void write_shop(void)
{
	arena_cleanup arena = {0};
	char *text = arena_string(&arena, shop);
	char *usd = strstr(text, ", max_usd: 0");
	memmove(usd, usd + strlen(", max_usd: 0"), strlen(usd + strlen(", max_usd: 0")) + 1);
	put("team.yaml", text);
	put("brief.md", "A shop for maps.\n");
	put("prompts/boss.md", "Lead. Tone: ${inputs.tone}.\n");
	put("gates/built.yaml",
		"name: built\ndescription: It is there.\nrequire: {file: src/a.js}\nthen: ask\n");
}

static void a_team_is_loaded_with_all_that_its_file_says(void **state)
{
	(void)state;
	write_shop();
	struct team *team = load("team.yaml");
	assert_string_equal(team->name, "shop");
	assert_int_equal(team->agent_count, 4);
	assert_int_equal(team->manager, team_agent_index(team, "boss"));
	assert_int_equal(team->limits.max_turns, 150);
	assert_int_equal(team->limits.timeout, 3600000);
	assert_int_equal(team->limits.max_concurrency, 4);
	assert_int_equal(team->limits.max_depth, 8);
	assert_string_equal(team->sandbox.provider, "unix-local");
	assert_true(team->sandbox.network);
	assert_string_equal(team->sandbox.hosts.items[0], "example.org");
	assert_true(team->sandbox.memory == INT64_C(2) << 30);
	assert_int_equal(team->sandbox.timeout, 600000);
	assert_string_equal(team->sandbox.keep, "failed");
	assert_int_equal(team->manifest.entry_count, 2);
	assert_string_equal(team->manifest.entries[0].path, "brief.md");
	assert_string_equal(team->manifest.environment[0].value, "3000");
	assert_int_equal(team->manifest.untracked.count, 3);
	assert_string_equal(team->permissions.ask.items[0], "exec_command");
	team_destroy(team);
}

static void agents_get_their_models_settings_and_defaults(void **state)
{
	(void)state;
	write_shop();
	struct team *team = load("team.yaml");
	const struct team_agent *boss = &team->agents[0], *builder = &team->agents[1];
	const struct team_agent *tester = &team->agents[2], *seller = &team->agents[3];
	const struct team_model *big = &team->models[boss->model];
	assert_string_equal(big->name, "big");
	assert_string_equal(big->provider, "openai");
	assert_string_equal(big->model, "gpt-5.4");
	assert_string_equal(big->reasoning_effort, "high");
	assert_string_equal(big->api_key->env, "SHOP_KEY");
	assert_true(big->temperature == 0 && big->top_p < 0);
	assert_int_equal(big->parallel_tool_calls, -1);
	assert_int_equal(big->price.cached_input, 125000000);
	assert_string_equal(big->fallback[0], "openai/gpt-5.4-mini");
	assert_null(big->fallback[1]);
	assert_string_equal(team->models[builder->model].model, "gpt-5.4-mini");
	assert_true(team->models[seller->model].top_p == 0.5);
	assert_string_equal(boss->instructions, "Lead. Tone: ${inputs.tone}.\n");
	assert_string_equal(boss->instructions_file, "prompts/boss.md");
	assert_true(boss->remembers && !builder->remembers);
	assert_string_equal(builder->writes.items[0], "src/**");
	assert_string_equal(builder->workdir, "src");
	assert_int_equal(builder->limits.max_turns, 30);
	assert_true(tester->writes_declared && tester->writes.count == 0);
	assert_false(boss->writes_declared);
	assert_true(tester->tools_restricted);
	assert_string_equal(tester->tools_deny.items[0], "exec_command");
	team_destroy(team);
}

static void edges_and_gates_are_found_by_index(void **state)
{
	(void)state;
	write_shop();
	struct team *team = load("team.yaml");
	const struct team_agent *boss = &team->agents[0];
	assert_int_equal(team->edge_count, 3);
	const struct team_edge *sells = &team->edges[0], *builds = &team->edges[1];
	assert_int_equal(sells->kind, EDGE_TRANSFER);
	assert_int_equal(sells->input, TRANSFER_TASK);
	assert_int_equal(builds->kind, EDGE_DELEGATE);
	assert_int_equal(builds->to, team_agent_index(team, "builder"));
	assert_int_equal(builds->retries, 1);
	assert_int_equal(team->edges[2].retries, -1);
	assert_null(team->edges[2].description);
	assert_int_equal(builds->need_count, 2);
	assert_int_equal(builds->needs[1], team_gate_index(team, "ready"));
	// The same path is the same gate, so that its verdict can be used again.
	assert_int_equal(builds->needs[0], boss->outputs[0]);
	const struct team_gate *path = &team->gates[boss->outputs[0]];
	assert_true(path->anonymous);
	assert_string_equal(path->name, "plan.md");
	assert_text(yaml_get(path->require, "file")->text, "plan.md");
	const struct team_gate *built = &team->gates[boss->outputs[1]];
	assert_string_equal(built->name, "built");
	assert_string_equal(built->folder, "gates");
	assert_int_equal(built->then, POLICY_ASK);
	assert_int_equal(built->retries, 3);
	const struct team_gate *ready = &team->gates[builds->needs[1]];
	assert_int_equal(ready->retries, 0);
	assert_int_equal(ready->then, POLICY_ABORT);
	assert_string_equal(team->gates[boss->outputs[2]].name, "json: package.json");
	assert_int_equal(team_gate_index(team, "plan.md"), TEAM_NONE);
	team_destroy(team);
}

static void a_price_that_is_missing_is_only_a_warning_in_rehearsal(void **state)
{
	(void)state;
	write_shop();
	put("team.yaml",
		"version: 1\nname: t\nmodel: openai/x\nmanager: a\n"
		"limits: {max_usd: 1}\nagents: {a: {instructions: x}}\n");
	struct vocabulary words = *team_words();
	struct team_report report;
	assert_null(team_load("team.yaml", &words, &report));
	assert_int_equal(report.mistakes, 1);
	team_report_finish(&report);
	words.rehearsal = true;
	struct team *team = team_load("team.yaml", &words, &report);
	assert_non_null(team);
	assert_int_equal(report.count, 1);
	assert_int_equal(report.messages[0].severity, TEAM_WARNING);
	assert_true(team->limits.max_nano_usd == 1000000000);
	team_destroy(team);
	team_report_finish(&report);
}

// --- Inputs ---

static bool give(struct arena *arena, const struct team *team, const char *const *given,
	size_t count, struct team_values *values, const char *message)
{
	struct error error = {0};
	bool good = team_inputs(arena, team, given, count, values, &error);
	assert_string_equal(error.message, message);
	return good;
}

static void inputs_are_checked_and_defaults_filled_in(void **state)
{
	(void)state;
	write_shop();
	put("other.md", "@home\n");
	struct team *team = load("team.yaml");
	arena_cleanup arena = {0};
	struct team_values values;
	const char *const good[] = {"brief=@brief.md", "tone=dry"};
	assert_true(give(&arena, team, good, 2, &values, ""));
	assert_string_equal(values.values[0], "A shop for maps.\n");
	assert_string_equal(values.values[1], "3");
	assert_string_equal(values.values[2], "dry");
	assert_null(values.values[3]);
	const char *const plain[] = {"brief=other.md", "shelves=-2.5e3"};
	assert_true(give(&arena, team, plain, 2, &values, ""));
	assert_string_equal(values.values[0], "@home\n");
	static const struct {
		const char *given, *message;
	} bad[] = {
		{"tone=dry", "the input 'brief' is missing"},
		{"breif=@brief.md", "the team has no input 'breif'"},
		{"brief", "'brief' gives no value to an input"},
		{"shelves=many", "input 'shelves' must be a number"},
		{"shelves=0x10", "input 'shelves' must be a number"},
		{"loud=yes", "input 'loud' must be true or false"},
		{"tone=sour", "input 'tone' has a value that is not allowed"},
		{"tone=\xff", "input 'tone' is no text in UTF-8"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(give(&arena, team, &bad[i].given, 1, &values, bad[i].message));
	}
	const char *const twice[] = {"loud=true", "loud=false"};
	assert_false(give(&arena, team, twice, 2, &values, "input 'loud' is given twice"));
	team_destroy(team);
}

static void references_are_replaced_once(void **state)
{
	(void)state;
	write_shop();
	struct team *team = load("team.yaml");
	arena_cleanup arena = {0};
	const char *given[] = {"${inputs.tone}", "4", "$${", NULL};
	struct team_values values = {given};
	assert_text(
		team_substitute(&arena, team, &values,
			TEXT("${inputs.brief}|${inputs.shelves}|${inputs.tone}|${inputs.loud}|")),
		"${inputs.tone}|4|$${||");
	assert_text(
		team_substitute(&arena, team, &values, TEXT("$${inputs.tone} ${HOME} $5 $${ ${ $")),
		"${inputs.tone} ${HOME} $5 ${ ${ $");
	assert_text(team_substitute(&arena, team, &values, TEXT("")), "");
	team_destroy(team);
}

// --- Freezing ---

static void a_frozen_team_comes_back_without_the_disk(void **state)
{
	(void)state;
	write_shop();
	struct team *team = load("team.yaml");
	buffer_cleanup frozen = {0}, again = {0};
	team_freeze(&frozen, team);
	struct error error = {0};
	assert_true(json_check(buffer_text(&frozen), &error));
	assert_int_equal(team->file_count, 3);
	put("team.yaml", "broken");
	assert_int_equal(unlink("prompts/boss.md"), 0);
	assert_int_equal(unlink("gates/built.yaml"), 0);
	struct team_report report;
	struct team *thawed = team_thaw(buffer_text(&frozen), team_words(), &report);
	assert_non_null(thawed);
	assert_int_equal(report.mistakes, 0);
	assert_string_equal(thawed->agents[0].instructions, team->agents[0].instructions);
	assert_int_equal(thawed->gate_count, team->gate_count);
	assert_int_equal(thawed->edge_count, team->edge_count);
	team_freeze(&again, thawed);
	assert_string_equal(again.data, frozen.data);
	team_destroy(thawed);
	team_report_finish(&report);
	team_destroy(team);
}

static struct team *load_chosen(const char *const *models, size_t count, struct buffer *said)
{
	struct team_choices choices = {.models = models, .model_count = count};
	struct team_report report;
	struct team *team = team_load_chosen("team.yaml", team_words(), &choices, &report);
	team_report_print(said, &report);
	team_report_finish(&report);
	return team;
}

static const char *model_of_agent(const struct team *team, const char *agent)
{
	int model = team->agents[team_agent_index(team, agent)].model;
	return model == TEAM_NONE ? "none" : team->models[model].name;
}

static void a_chosen_model_goes_before_what_the_file_says(void **state)
{
	(void)state;
	write_shop();
	static const char *const models[] = {"boss=openai/first=x", "openai/second"};
	buffer_cleanup said = {0}, frozen = {0};
	struct team *team = load_chosen(models, 2, &said);
	assert_non_null(team);
	assert_string_equal(model_of_agent(team, "boss"), "openai/first=x");
	assert_string_equal(model_of_agent(team, "builder"), "openai/second");
	team_freeze(&frozen, team);
	team_destroy(team);
	struct team_report report;
	team = team_thaw(buffer_text(&frozen), team_words(), &report);
	assert_non_null(team);
	assert_string_equal(model_of_agent(team, "boss"), "openai/first=x");
	assert_string_equal(model_of_agent(team, "builder"), "openai/second");
	team_report_finish(&report);
	team_destroy(team);
}

static void a_choice_that_fits_nothing_is_told(void **state)
{
	(void)state;
	write_shop();
	static const char *const models[] = {"bos=openai/x", "bigg", "boss="};
	buffer_cleanup said = {0};
	assert_null(load_chosen(models, 3, &said));
	assert_non_null(
		strstr(said.data, "--model: there is no agent 'bos'; did you mean 'boss'?\n"));
	assert_non_null(
		strstr(said.data, "--model: there is no model 'bigg'; did you mean 'big'?\n"));
	assert_non_null(strstr(said.data, "--model: 'boss=' names no model; as in"));
}

static void a_frozen_team_that_was_changed_is_refused(void **state)
{
	(void)state;
	write_shop();
	struct team *team = load("team.yaml");
	buffer_cleanup frozen = {0};
	team_freeze(&frozen, team);
	char *place = strstr(frozen.data, "Lead. Tone");
	assert_non_null(place);
	*place = 'F';
	struct team_report report;
	assert_null(team_thaw(buffer_text(&frozen), team_words(), &report));
	assert_string_equal(report.messages[0].what, "the team that the run kept is damaged");
	team_report_finish(&report);
	assert_null(team_thaw(TEXT("{\"format\":2}"), team_words(), &report));
	team_report_finish(&report);
	assert_null(team_thaw(TEXT("nonsense"), team_words(), &report));
	team_report_finish(&report);
	team_destroy(team);
}

// --- Hostile files ---

static void any_part_of_a_file_is_read_without_harm(void **state)
{
	(void)state;
	write_shop();
	arena_cleanup arena = {0};
	struct team_report report;
	for (size_t length = 0; length < sizeof(shop); length += 7) {
		put("part.yaml", arena_printf(&arena, "%.*s", (int)length, shop));
		team_destroy(team_load("part.yaml", team_words(), &report));
		team_report_finish(&report);
	}
	// Every line left out, and every value replaced by one of another kind.
	for (size_t start = 0; start < sizeof(shop) - 1;) {
		size_t end = start + strcspn(shop + start, "\n") + 1;
		put("part.yaml", arena_printf(&arena, "%.*s%s", (int)start, shop, shop + end));
		team_destroy(team_load("part.yaml", team_words(), &report));
		team_report_finish(&report);
		start = end;
	}
	static const char *const values[] = {": [1, [2]]\n", ": {a: {b: c}}\n", ": ~\n", ": 7\n",
		": true\n", ": ''\n", ": [null, {}]\n", ": -.inf\n"};
	for (const char *colon = strchr(shop, ':'); colon; colon = strchr(colon + 1, ':')) {
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			const char *rest = strchr(colon, '\n');
			put("part.yaml",
				arena_printf(&arena, "%.*s%s%s", (int)(colon - shop), shop,
					values[i], rest ? rest + 1 : ""));
			team_destroy(team_load("part.yaml", team_words(), &report));
			team_report_finish(&report);
		}
	}
}

static void no_more_messages_are_kept_than_anybody_reads(void **state)
{
	(void)state;
	buffer_cleanup text = {0}, said = {0};
	for (int i = 0; i < 20000; i++) {
		buffer_printf(&text, "k%d: 1\n", i);
	}
	put("long.yaml", text.data);
	struct team_report report;
	assert_null(team_load("long.yaml", team_words(), &report));
	assert_int_equal(report.count, 500);
	team_report_print(&said, &report);
	assert_non_null(strstr(said.data, "only the first 500 messages are shown\n"));
	team_report_finish(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_team_is_loaded_with_all_that_its_file_says),
		cmocka_unit_test(agents_get_their_models_settings_and_defaults),
		cmocka_unit_test(edges_and_gates_are_found_by_index),
		cmocka_unit_test(a_price_that_is_missing_is_only_a_warning_in_rehearsal),
		cmocka_unit_test(inputs_are_checked_and_defaults_filled_in),
		cmocka_unit_test(references_are_replaced_once),
		cmocka_unit_test(a_frozen_team_comes_back_without_the_disk),
		cmocka_unit_test(a_chosen_model_goes_before_what_the_file_says),
		cmocka_unit_test(a_choice_that_fits_nothing_is_told),
		cmocka_unit_test(a_frozen_team_that_was_changed_is_refused),
		cmocka_unit_test(any_part_of_a_file_is_read_without_harm),
		cmocka_unit_test(no_more_messages_are_kept_than_anybody_reads),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
