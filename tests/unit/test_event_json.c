#include "test.h"

#include <string.h>

#include "engine/event_json.h"

static struct run_event full(enum run_event_kind kind)
{
	static const struct run_call_facts calls[] = {{.kind = CALL_TOOL,
							      .edge = RUN_NONE,
							      .effectful = true,
							      .hash = UINT64_MAX,
							      .bytes = 7},
		{.kind = CALL_DELEGATE, .edge = 3, .ask = true, .hash = 1, .bytes = 9}};
	static const uint32_t gates[] = {0, 5};
	return (struct run_event){.kind = kind,
		.at = 123456,
		.branch = 2,
		.command = 11,
		.code = 1,
		.value = 4,
		.call = 1,
		.gate = 6,
		.agent = 3,
		.parent = 0,
		.question = 8,
		.record = 9,
		.source = 10,
		.failed = true,
		.interrupted = true,
		.effectful = true,
		.bytes = 1000,
		.text_bytes = 20,
		.reserved_tokens = 77,
		.reserved_nano_usd = 88,
		.input_tokens = 5,
		.cached_tokens = 4,
		.output_tokens = 3,
		.changes = 2,
		.agents = UINT64_C(0x8000000000000001),
		.calls = calls,
		.call_count = 2,
		.gates = gates,
		.gate_count = 2,
		.raise = {.max_turns = 50, .max_tokens = 1000}};
}

// What the journal says is what was decided: writing, reading and writing again changes nothing.
static void every_kind_of_event_survives_the_journal(void **state)
{
	(void)state;
	for (enum run_event_kind kind = 0; kind < RUN_EVENT_KINDS; kind++) {
		arena_cleanup arena = {0};
		struct error error = {0};
		struct run_event event = full(kind), back;
		buffer_cleanup once = {0}, twice = {0};
		event_to_json(&once, &event);
		if (!event_from_json(
			    &arena, run_event_name(kind), buffer_text(&once), &back, &error)) {
			fail_msg("%s", error.message);
		}
		event_to_json(&twice, &back);
		assert_string_equal(once.data, twice.data);
		assert_int_equal(run_event_kind_of(run_event_name(kind)), kind);
		for (const struct run_field *field = run_event_fields(kind); field->name; field++) {
			if (!strstr(once.data, field->name)) {
				fail_msg("%s lacks %s", once.data, field->name);
			}
		}
	}
}

static void a_journal_of_somebody_else_is_refused(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	struct error error = {0};
	struct run_event event;
	assert_false(event_from_json(&arena, "no.such", TEXT("{}"), &event, &error));
	assert_non_null(strstr(error.message, "unknown event 'no.such'"));
	assert_false(event_from_json(
		&arena, "gate.checked", TEXT("{\"code\":\"perhaps\"}"), &event, &error));
	assert_false(event_from_json(&arena, "gate.checked", TEXT("{"), &event, &error));
	assert_false(event_from_json(&arena, "gate.checked", TEXT("{}"), &event, &error));
}

// Each number at the edges of what it may be, and behind them.
static void numbers_are_read_exactly(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		bool valid;
		int64_t at;
		uint32_t branch;
	} rows[] = {
		{"{\"at\":9223372036854775807,\"branch\":4294967294}", true, INT64_MAX,
			UINT32_MAX - 1},
		{"{\"at\":-9223372036854775808,\"branch\":0}", true, INT64_MIN, 0},
		{"{\"at\":9007199254740993}", true, 9007199254740993, RUN_NONE},
		{"{\"at\":9223372036854775808}", false, 0, 0},
		{"{\"at\":-9223372036854775809}", false, 0, 0},
		{"{\"at\":1.5}", false, 0, 0},
		{"{\"at\":\"1\"}", false, 0, 0},
		{"{\"at\":{\"at\":1}}", false, 0, 0},
		{"{\"branch\":4294967296}", false, 0, 0},
		{"{\"branch\":-1}", false, 0, 0},
		{"{\"branch\":1,\"branch\":1}", false, 0, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		arena_cleanup arena = {0};
		struct error error = {0};
		struct run_event event;
		bool valid = event_from_json(
			&arena, "branch.opened", text_of(rows[i].json), &event, &error);
		if (valid != rows[i].valid) {
			fail_msg("row %zu: %s", i, error.message);
		}
		if (valid) {
			assert_int_equal(event.at, rows[i].at);
			assert_int_equal(event.branch, rows[i].branch);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_event_survives_the_journal),
		cmocka_unit_test(a_journal_of_somebody_else_is_refused),
		cmocka_unit_test(numbers_are_read_exactly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
