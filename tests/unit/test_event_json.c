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
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_event_survives_the_journal),
		cmocka_unit_test(a_journal_of_somebody_else_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
