#include "coverage.h"

#include <inttypes.h>
#include <stdio.h>

// Codes that stand for "nothing yet", and those that other events tell of.
static const struct {
	enum run_event_kind kind;
	uint32_t code;
} never[] = {
	{CALL_ANSWERED, ANSWER_NONE},
	{CALL_ANSWERED, ANSWER_RESULT},        // tool.answered
	{CALL_ANSWERED, ANSWER_REPORT},        // branch.closed
	{CALL_ANSWERED, ANSWER_FAILED_REPORT}, // branch.closed
	{CALL_ANSWERED, ANSWER_TRANSFERRED},   // control.transferred
	{CALL_ANSWERED, ANSWER_REJECTED},      // person.answered
	{CALL_ANSWERED, ANSWER_PERSON},        // person.answered
	{CALL_ANSWERED, ANSWER_INTERRUPTED},   // tool.answered, run.resumed
	{COMPLETION_REFUSED, NOTE_NONE},
	{COMPLETION_REFUSED, NOTE_EMPTY}, // model.answered
	{COMPLETION_REFUSED, NOTE_CUT},
	{COMPLETION_REFUSED, NOTE_REFUSED},
	{COMPLETION_REFUSED, NOTE_REPEATED}, // tool.answered
	{GATE_REPEATED, CHECK_NOT_MADE},
	{GATE_REPEATED, CHECK_NEEDS_PERSON},
	{LIMIT_REACHED, LIMIT_NONE},
	{BRANCH_ENDING, OUTCOME_OPEN},
	{BRANCH_ENDING, OUTCOME_COMPLETED},
	{BRANCH_ENDING, OUTCOME_LIMIT},     // limit.reached
	{BRANCH_ENDING, OUTCOME_CANCELLED}, // cancel.requested
	{BRANCH_CLOSED, OUTCOME_OPEN},
	{RUN_PARKED, PARK_NONE},
	{RUN_FINISHED, RUN_RUNNING},
	{RUN_FINISHED, RUN_PARKED_STATUS},
};

static bool is_never(enum run_event_kind kind, uint32_t code)
{
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		if (never[i].kind == kind && never[i].code == code) {
			return true;
		}
	}
	return false;
}

void coverage_count(struct coverage *coverage, const struct run_event *event)
{
	coverage->events++;
	coverage->kinds[event->kind]++;
	if (event->code < COVERAGE_CODES) {
		coverage->codes[event->kind][event->code]++;
	}
	for (uint32_t i = 0; i < event->call_count; i++) {
		coverage->calls[event->calls[i].kind]++;
	}
}

static void print_line(const char *kind, const char *code, uint64_t count)
{
	printf("%10" PRIu64 "  %s%s%s\n", count, kind, code ? " " : "", code ? code : "");
}

// Calls `each` for everything that should occur; the sum of what it returns.
static int visit(const struct coverage *coverage, int (*each)(const char *, const char *, uint64_t))
{
	int sum = 0;
	for (enum run_event_kind kind = 0; kind < RUN_EVENT_KINDS; kind++) {
		const char *name = run_event_name(kind), *code = NULL;
		sum += each(name, NULL, coverage->kinds[kind]);
		for (uint32_t i = 0; (code = run_code_name(kind, i)); i++) {
			sum += is_never(kind, i) ? 0 : each(name, code, coverage->codes[kind][i]);
		}
	}
	for (uint32_t i = 0; run_call_kind_name(i); i++) {
		sum += each("call", run_call_kind_name(i), coverage->calls[i]);
	}
	return sum;
}

static int print_each(const char *kind, const char *code, uint64_t count)
{
	print_line(kind, code, count);
	return 0;
}

static int print_missing(const char *kind, const char *code, uint64_t count)
{
	if (count == 0) {
		printf("never occurred: %s%s%s\n", kind, code ? " " : "", code ? code : "");
	}
	return count == 0;
}

void coverage_print(const struct coverage *coverage)
{
	visit(coverage, print_each);
	printf("%10" PRIu64 "  events in %" PRIu64 " games\n", coverage->events, coverage->games);
}

int coverage_missing(const struct coverage *coverage)
{
	return visit(coverage, print_missing);
}
