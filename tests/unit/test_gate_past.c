/* The checks that compare with the start of the assignment, and what they are told of it. */
#include "gate_test.h"
#include "perform/past.h"

static struct past *past;
static struct gate_past told_past;
static struct team_agent agents[] = {{.name = "maker"}, {.name = "helper"}, {.name = "rival"}};
static struct team team = {.agents = agents, .agent_count = 3};

enum { MAKER = 1, HELPER = 2, RIVAL = 4 };

static int begin_past(void **state)
{
	past = past_create();
	return begin(state);
}

static int end_past(void **state)
{
	past_destroy(past);
	return end(state);
}

// A record found that `author` gave the path this content ("": removed it).
static void wrote(uint32_t record, const char *author, const char *path, const char *content)
{
	char blob[41] = "";
	if (content[0]) {
		snprintf(blob, sizeof(blob), "%040x", (unsigned)content[0]);
		put(path, text_of(content));
	} else {
		assert_int_equal(unlink(full(path)), 0);
	}
	struct store_change change = {.path = path, .agent = author, .blob = blob};
	past_note(past, record, &change);
}

// From now on gates look at an assignment that began after record `since`.
static void assignment(uint32_t since, uint32_t until, uint64_t own)
{
	struct past_span span = {.since = since, .until = until, .team = &team, .own = own};
	past_compare(past, &arena, &span, &told_past);
	place.past = &told_past;
}

static void what_changed_is_seen_and_what_did_not(void **state)
{
	(void)state;
	wrote(0, "manifest", "src/a.c", "old");
	wrote(0, "manifest", "src/b.c", "old");
	wrote(1, "maker", "src/a.c", "new");
	assignment(0, 1, MAKER);
	holds("{changed: src/a.c}");
	holds("{changed: 'src/**'}");
	holds("{unchanged: src/b.c}");
	fails("{changed: src/b.c}",
		"Nothing that matches src/b.c was changed in this assignment; it has to be.");
	fails("{unchanged: 'src/*'}",
		"Changed in this assignment, but it has to stay as it was: src/a.c. Put it back.");
	assignment(1, 1, MAKER);
	fails("{changed: 'src/**'}", "Nothing that matches");
	holds("{unchanged: 'src/**'}");
}

static void what_is_put_back_did_not_change(void **state)
{
	(void)state;
	wrote(0, "manifest", "a", "old");
	wrote(1, "maker", "a", "new");
	wrote(2, "maker", "a", "old");
	wrote(3, "maker", "made", "x");
	wrote(4, "maker", "made", "");
	assignment(0, 4, MAKER);
	holds("{unchanged: '**'}");
	fails("{changed: '**'}", "Nothing that matches");
	assignment(0, 1, MAKER);
	holds("{changed: '**'}");
}

static void a_file_that_was_removed_has_changed(void **state)
{
	(void)state;
	wrote(0, "manifest", "a", "old");
	wrote(1, "maker", "a", "");
	assignment(0, 1, MAKER);
	holds("{changed: a}");
	fails("{unchanged: a}", "it has to stay as it was: a.");
}

static void by_asks_for_one_author(void **state)
{
	(void)state;
	wrote(1, "rival", "tests/a", "x");
	wrote(2, "several", "tests/b", "x");
	assignment(0, 1, MAKER);
	holds("{unchanged: 'tests/**', by: maker}");
	fails("{unchanged: 'tests/**', by: rival}", "Changed by rival in this assignment");
	holds("{changed: 'tests/**', by: rival}");
	fails("{changed: 'tests/**', by: maker}", "was changed by maker in this assignment");
	assignment(0, 2, MAKER);
	fails("{unchanged: 'tests/**', by: maker}",
		"It cannot be proved whether maker changed tests/b: several agents");
	assert_true(verdict.findings[0].unclear);
	fails("{not: {changed: 'tests/**', by: maker}}", "cannot be seen");
	holds("{changed: 'tests/**'}");
}

static void fresh_is_what_the_assignment_wrote_itself(void **state)
{
	(void)state;
	wrote(0, "manifest", "report.md", "old");
	assignment(0, 0, MAKER);
	fails("{fresh: report.md}", "report.md is as it was when this assignment began; write it");
	fails("{fresh: none.md}", "none.md is not there as a file; write it.");
	wrote(1, "rival", "report.md", "new");
	assignment(0, 1, MAKER);
	fails("{fresh: report.md}", "was written by rival");
	wrote(2, "several", "report.md", "x");
	assignment(0, 2, MAKER);
	fails("{fresh: report.md}", "It cannot be proved that report.md was written in this");
	wrote(3, "helper", "report.md", "y");
	assignment(0, 3, MAKER | HELPER);
	holds("{fresh: report.md}");
	assert_string_equal(verdict.findings[0].found, "written by helper");
	wrote(4, "maker", "report.md", "");
	assignment(0, 4, MAKER | HELPER);
	fails("{fresh: report.md}", "is not there");
}

static void what_is_made_from_something_is_not_older(void **state)
{
	(void)state;
	wrote(0, "manifest", "src/a", "x");
	wrote(1, "maker", "out", "x");
	assignment(0, 1, MAKER);
	holds("{fresh: out, than: 'src/**'}");
	wrote(2, "maker", "src/a", "y");
	assignment(0, 2, MAKER);
	fails("{fresh: out, than: 'src/**'}",
		"out is older than src/a, from which it is made; make it anew.");
	holds("{fresh: out}");
	wrote(3, "maker", "src/a", "z");
	wrote(3, "maker", "out", "z");
	assignment(0, 3, MAKER);
	holds("{fresh: out, than: src/a}");
}

static void what_is_not_recorded_yet_can_be_looked_at_beforehand(void **state)
{
	(void)state;
	struct past_span span = {.since = 0, .until = 1, .team = &team, .own = MAKER};
	struct history_change new = {
		.path = TEXT("out"), .status = HISTORY_ADDED, .blob = "0123", .size = 1};
	struct history_changes found = {&new, 1};
	wrote(1, "rival", "other", "x");
	put("out", TEXT("x"));
	assignment(0, 1, MAKER);
	fails("{fresh: out}", "write it anew");
	past_add(past, &arena, &span, &found, "maker", &told_past);
	holds("{fresh: out}");
	holds("{changed: out, by: maker}");
	holds("{changed: other}");
}

static void without_a_run_there_is_no_verdict(void **state)
{
	(void)state;
	put("a", TEXT("x"));
	not_checked("{changed: a}", "is known in a run only");
	not_checked("{unchanged: a}", "is known in a run only");
	not_checked("{fresh: a}", "is known in a run only");
}

static void such_gates_are_made_anew_for_each_assignment(void **state)
{
	(void)state;
	static const struct {
		const char *require;
		bool compares, asks;
	} cases[] = {{"{file: a}", false, false}, {"{any: [{file: a}, {changed: a}]}", true, false},
		{"{not: {unchanged: a}}", true, false}, {"{fresh: a}", true, false},
		{"[{file: a}, {approve: Good?}]", false, true}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gate *gate = compile(cases[i].require);
		assert_non_null(gate);
		assert_int_equal(gate_compares(gate), cases[i].compares);
		assert_int_equal(gate_asks(gate), cases[i].asks);
		gate_finish(gate);
	}
	struct gate *gate = compile("{fresh: out, than: 'src/**'}");
	assert_true(gate_reads(gate, TEXT("out")));
	assert_true(gate_reads(gate, TEXT("src/a")));
	assert_false(gate_reads(gate, TEXT("tests/a")));
	gate_finish(gate);
}

static void an_author_has_to_be_an_agent_of_the_team(void **state)
{
	(void)state;
	struct team_gate declaration = {.name = "test",
		.require = yaml_parse(&arena, "test", TEXT("{changed: a, by: makre}"), &error)};
	assert_null(gate_compile(&arena, &team, &declaration, &error));
	assert_non_null(strstr(error.message, "there is no agent 'makre'"));
	assert_string_equal(error.hint, "did you mean 'maker'?");
}

// --- approve ---

static void a_person_is_asked_once_all_else_holds(void **state)
{
	(void)state;
	const char *require = "[{approve: Is it good?}, {file: a}]";
	assert_int_equal(check(require), GATE_FAILS);
	assert_string_equal(told(), "- a is missing; write it.\n");
	put("a", TEXT("x"));
	assert_int_equal(check(require), GATE_NEEDS_PERSON);
	assert_string_equal(told(), "- Is it good?\n");
	assert_int_equal(check("{any: [{file: b}, {approve: Good?}]}"), GATE_NEEDS_PERSON);
	holds("{any: [{file: a}, {approve: Good?}]}");
	refused("{not: {approve: Good?}}", "a person's yes cannot be turned round");
	refused("{not: {any: [{approve: Good?}]}}", "a person's yes cannot be turned round");
	refused("{approve: ''}", "it needs a question");
}

static void a_yes_belongs_to_what_the_paths_held(void **state)
{
	(void)state;
	const char *require = "[{approve: Good?}, {file: a}]";
	struct gate *gate = compile(require);
	wrote(1, "maker", "a", "x");
	wrote(2, "maker", "b", "x");
	const char *first = past_content(past, &arena, gate, 1);
	const char *approved[] = {first, NULL};
	// What the gate does not name has no part in it.
	assert_string_equal(past_content(past, &arena, gate, 2), first);
	place.content = first;
	place.approved = approved;
	holds(require);
	assert_string_equal(verdict.findings[0].sha256, first);
	wrote(3, "maker", "a", "y");
	place.content = past_content(past, &arena, gate, 3);
	assert_string_not_equal(place.content, first);
	assert_int_equal(check(require), GATE_NEEDS_PERSON);
	wrote(4, "maker", "a", "x");
	place.content = past_content(past, &arena, gate, 4);
	holds(require);
	assert_true(gate_reads(gate, TEXT("a")));
	assert_false(gate_reads(gate, TEXT("b")));
	gate_finish(gate);
}

static void a_gate_without_paths_is_about_the_whole_workspace(void **state)
{
	(void)state;
	struct gate *gate = compile("{approve: Good?}");
	wrote(1, "maker", "a", "x");
	const char *first = past_content(past, &arena, gate, 1);
	wrote(2, "maker", "b", "x");
	assert_string_not_equal(past_content(past, &arena, gate, 2), first);
	assert_true(gate_reads(gate, TEXT("anything")));
	gate_finish(gate);
}

#define WITH_PAST(test) cmocka_unit_test_setup_teardown(test, begin_past, end_past)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PAST(what_changed_is_seen_and_what_did_not),
		WITH_PAST(what_is_put_back_did_not_change),
		WITH_PAST(a_file_that_was_removed_has_changed),
		WITH_PAST(by_asks_for_one_author),
		WITH_PAST(fresh_is_what_the_assignment_wrote_itself),
		WITH_PAST(what_is_made_from_something_is_not_older),
		WITH_PAST(what_is_not_recorded_yet_can_be_looked_at_beforehand),
		WITH_PAST(without_a_run_there_is_no_verdict),
		WITH_PAST(such_gates_are_made_anew_for_each_assignment),
		WITH_PAST(an_author_has_to_be_an_agent_of_the_team),
		WITH_PAST(a_person_is_asked_once_all_else_holds),
		WITH_PAST(a_yes_belongs_to_what_the_paths_held),
		WITH_PAST(a_gate_without_paths_is_about_the_whole_workspace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
