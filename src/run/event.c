#include "run/event.h"

#include <string.h>

#define FIELD(member, type)                                                                        \
	{                                                                                          \
#member, type, offsetof(struct run_event, member)                                  \
	}
#define BRANCH FIELD(branch, FIELD_NUMBER32)
#define COMMAND FIELD(command, FIELD_NUMBER32)
#define CODE FIELD(code, FIELD_CODE)
#define CALL FIELD(call, FIELD_NUMBER32)
#define GATE FIELD(gate, FIELD_NUMBER32)
#define AGENT FIELD(agent, FIELD_NUMBER32)
#define BYTES FIELD(bytes, FIELD_NUMBER64)
#define FAILED FIELD(failed, FIELD_FLAG)
#define INTERRUPTED FIELD(interrupted, FIELD_FLAG)
#define QUESTION FIELD(question, FIELD_NUMBER32)
#define RECORD FIELD(record, FIELD_NUMBER32)

struct kind_row {
	const char *name;
	const char *const *codes; // ends with NULL
	struct run_field fields[12];
};

static const char *const command_codes[] = {
	"open_sandbox", "call_model", "call_tool", "record", "check_gate", NULL};
static const char *const finish_codes[] = {"text", "calls", "empty", "cut", "refused", NULL};
static const char *const check_codes[] = {"holds", "fails", "not_made", "needs_person", NULL};
static const char *const choice_codes[] = {
	"yes", "no", "retry", "skip", "return", "abort", "text", NULL};
static const char *const answer_codes[] = {"none", "result", "report", "failed_report",
	"transferred", "unknown_tool", "unknown_agent", "malformed", "forbidden", "rejected",
	"refused", "still_written", "not_performed", "too_deep", "interrupted", "cancelled",
	"person", NULL};
static const char *const note_codes[] = {
	"none", "outputs", "outside", "empty", "cut", "refused", "repeated", "message", NULL};
static const char *const question_codes[] = {"tool", "gate", "policy", "text", NULL};
static const char *const limit_codes[] = {
	"none", "turns", "time", "usd", "tokens", "tool_calls", "handoffs", NULL};
static const char *const outcome_codes[] = {
	"open", "completed", "gate", "retries", "limit", "cancelled", "aborted", NULL};
static const char *const park_codes[] = {
	"none", "person", "limit", "interrupt", "unavailable", NULL};
static const char *const status_codes[] = {
	"running", "parked", "done", "failed", "cancelled", NULL};

static const struct kind_row kinds[RUN_EVENT_KINDS] = {
	[RUN_STARTED] = {"run.started", NULL, {BYTES}},
	[SANDBOX_OPENED] = {"sandbox.opened", NULL,
		{BRANCH, COMMAND, FAILED, FIELD(changes, FIELD_NUMBER64),
			FIELD(agents, FIELD_BITS64), FIELD(gates, FIELD_GATES)}},
	[MODEL_ANSWERED] = {"model.answered", finish_codes,
		{BRANCH, COMMAND, CODE, FIELD(input_tokens, FIELD_NUMBER64),
			FIELD(cached_tokens, FIELD_NUMBER64), FIELD(output_tokens, FIELD_NUMBER64),
			FIELD(calls, FIELD_CALLS), BYTES, FIELD(text_bytes, FIELD_NUMBER64),
			FIELD(source, FIELD_NUMBER32)}},
	[MODEL_FAILED] = {"model.failed", NULL, {BRANCH, COMMAND, INTERRUPTED}},
	[TOOL_ANSWERED] = {"tool.answered", NULL, {BRANCH, COMMAND, FAILED, INTERRUPTED, BYTES}},
	[WORKSPACE_RECORDED] = {"workspace.recorded", NULL,
		{BRANCH, COMMAND, FAILED, FIELD(changes, FIELD_NUMBER64),
			FIELD(agents, FIELD_BITS64), FIELD(gates, FIELD_GATES)}},
	[GATE_CHECKED] = {"gate.checked", check_codes, {BRANCH, COMMAND, CODE, BYTES}},
	[PERSON_ANSWERED] = {"person.answered", choice_codes, {QUESTION, CODE, BYTES}},
	[MESSAGE_RECEIVED] = {"message.received", NULL, {BRANCH, BYTES}},
	[CLOCK_ADVANCED] = {"clock.advanced", NULL, {{NULL}}},
	[PARK_REQUESTED] = {"park.requested", NULL, {{NULL}}},
	[CANCEL_REQUESTED] = {"cancel.requested", NULL, {{NULL}}},
	[RUN_RESUMED] = {"run.resumed", NULL, {FIELD(raise, FIELD_LIMITS)}},
	[COMMAND_SCHEDULED] = {"command.scheduled", command_codes,
		{BRANCH, COMMAND, CODE, CALL, GATE, AGENT, RECORD, FIELD(effectful, FIELD_FLAG),
			FIELD(reserved_tokens, FIELD_NUMBER64),
			FIELD(reserved_nano_usd, FIELD_NUMBER64), FIELD(agents, FIELD_BITS64)}},
	[GATE_REPEATED] = {"gate.repeated", check_codes, {BRANCH, CALL, GATE, CODE, RECORD}},
	[CALL_ANSWERED] = {"call.answered", answer_codes,
		{BRANCH, CALL, CODE, FIELD(value, FIELD_NUMBER32)}},
	[COMPLETION_REFUSED] = {"completion.refused", note_codes, {BRANCH, CODE}},
	[QUESTION_ASKED] = {"question.asked", question_codes, {QUESTION, BRANCH, CODE, CALL, GATE}},
	[LIMIT_REACHED] = {"limit.reached", limit_codes, {BRANCH, CODE}},
	[BRANCH_OPENED] = {"branch.opened", NULL,
		{BRANCH, FIELD(parent, FIELD_NUMBER32), CALL, AGENT}},
	[CONTROL_TRANSFERRED] = {"control.transferred", NULL, {BRANCH, CALL, AGENT}},
	[BRANCH_ENDING] = {"branch.ending", outcome_codes, {BRANCH, CODE}},
	[BRANCH_CLOSED] = {"branch.closed", outcome_codes, {BRANCH, CODE}},
	[RUN_PARKED] = {"run.parked", park_codes, {CODE}},
	[RUN_FINISHED] = {"run.finished", status_codes, {CODE}},
};

const char *run_event_name(enum run_event_kind kind)
{
	return kinds[kind].name;
}

enum run_event_kind run_event_kind_of(const char *name)
{
	enum run_event_kind kind = 0;
	while (kind < RUN_EVENT_KINDS && strcmp(kinds[kind].name, name) != 0) {
		kind++;
	}
	return kind;
}

const struct run_field *run_event_fields(enum run_event_kind kind)
{
	return kinds[kind].fields;
}

const char *run_code_name(enum run_event_kind kind, uint32_t code)
{
	const char *const *codes = kinds[kind].codes;
	for (uint32_t i = 0; codes && codes[i]; i++) {
		if (i == code) {
			return codes[i];
		}
	}
	return NULL;
}

const char *run_call_kind_name(enum run_call_kind kind)
{
	static const char *const names[] = {"tool", "delegate", "transfer", "unknown_tool",
		"unknown_agent", "malformed", "forbidden", "person"};
	return kind < CALL_KINDS ? names[kind] : NULL;
}

uint32_t run_code_of(enum run_event_kind kind, struct text name)
{
	const char *const *codes = kinds[kind].codes;
	for (uint32_t i = 0; codes && codes[i]; i++) {
		if (text_is(name, codes[i])) {
			return i;
		}
	}
	return RUN_NONE;
}

enum run_call_kind run_call_kind_of(struct text name)
{
	enum run_call_kind kind = 0;
	while (kind < CALL_KINDS && !text_is(name, run_call_kind_name(kind))) {
		kind++;
	}
	return kind;
}
