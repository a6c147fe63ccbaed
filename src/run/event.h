/*
 * The log of a run: facts that came from outside, and decisions that the core took. Folding the
 * events in order (run_apply) gives the state; nothing else does. Events hold no text: texts lie in
 * the store under the command's or the call's number. Times are milliseconds of working time
 * since the run started (time spent parked or waiting for a person does not count).
 *
 * One flat struct for all kinds; run_event_fields() says which fields a kind uses, so that a writer
 * of JSON and a printer need no code per kind.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "team/team.h"

#define RUN_NONE UINT32_MAX

enum run_event_kind {
	// Facts: what came from outside.
	RUN_STARTED,        // bytes: of the first user item
	SANDBOX_OPENED,     // command; failed; taken up again: changes, violators, gates
	MODEL_ANSWERED,     // command; finish, usage, calls, bytes, text_bytes, source
	MODEL_FAILED,       // command; the provider could not answer now
	TOOL_ANSWERED,      // command; failed, interrupted, bytes
	WORKSPACE_RECORDED, // command; failed, changes, violators, gates
	GATE_CHECKED,       // command; status, bytes
	PERSON_ANSWERED,    // question, choice; bytes: of a text
	MESSAGE_RECEIVED,   // branch, bytes
	CLOCK_ADVANCED,     // only `at`
	PARK_REQUESTED,
	CANCEL_REQUESTED,
	RUN_RESUMED, // raise: added to the run's limits
	// Decisions: what the core says happens next.
	COMMAND_SCHEDULED,   // command, command_kind and what it works on
	GATE_REPEATED,       // branch, call, gate, status: an old verdict still stands
	CALL_ANSWERED,       // branch, call, answer and its value
	COMPLETION_REFUSED,  // branch, note
	QUESTION_ASKED,      // question, question_kind, branch, call, gate
	LIMIT_REACHED,       // limit; branch: whose assignment, or RUN_NONE for the run's
	BRANCH_OPENED,       // branch (the new one), parent, call, agent, remembers
	CONTROL_TRANSFERRED, // branch, call, agent
	BRANCH_ENDING,       // branch, outcome: no new work below it; closed when all is quiet
	BRANCH_CLOSED,       // branch, outcome
	RUN_PARKED,          // reason
	RUN_FINISHED,        // status: done, failed, cancelled (enum run_status)
	RUN_EVENT_KINDS,
};

enum run_command_kind {
	COMMAND_OPEN_SANDBOX,
	COMMAND_CALL_MODEL, // agent, reserved_tokens, reserved_nano_usd
	COMMAND_CALL_TOOL,  // call, effectful
	COMMAND_RECORD,     // agents: who may have written since the last record
	COMMAND_CHECK_GATE, // gate; call: of the handoff, RUN_NONE for the branch's completion
};

enum run_finish { FINISH_TEXT, FINISH_CALLS, FINISH_EMPTY, FINISH_CUT, FINISH_REFUSED };

enum run_call_kind {
	CALL_TOOL,
	CALL_DELEGATE,
	CALL_TRANSFER,
	CALL_UNKNOWN_TOOL,
	CALL_UNKNOWN_AGENT,
	CALL_MALFORMED,
	CALL_FORBIDDEN,
	CALL_PERSON, // answered by a person
	CALL_KINDS,
};

// How a call id was answered; the text is made when the next request is built.
enum run_answer {
	ANSWER_NONE,
	ANSWER_RESULT,        // the tool's output; value: the command's number
	ANSWER_REPORT,        // of a child branch that completed; value: the branch
	ANSWER_FAILED_REPORT, // of a child branch that did not; value: the branch
	ANSWER_TRANSFERRED,   // value: the agent
	ANSWER_UNKNOWN_TOOL,
	ANSWER_UNKNOWN_AGENT,
	ANSWER_MALFORMED,
	ANSWER_FORBIDDEN,
	ANSWER_REJECTED,      // a person said no
	ANSWER_REFUSED,       // by gates: the call's checks that fail
	ANSWER_STILL_WRITTEN, // value: the agent that may still write a needed path
	ANSWER_NOT_PERFORMED, // a transfer beside other handoffs
	ANSWER_TOO_DEEP,      // max_depth
	ANSWER_INTERRUPTED,   // it was under way when the run stopped; value: the command's number
	ANSWER_CANCELLED,
	ANSWER_PERSON, // what a person said; value: the question's number
};

// What a branch is told before its next model call, beside the answers to its calls.
enum run_note {
	NOTE_NONE,
	NOTE_OUTPUTS, // the completion's checks that fail
	NOTE_OUTSIDE, // writes outside `writes:` stand against completion
	NOTE_EMPTY,
	NOTE_CUT,
	NOTE_REFUSED,
	NOTE_REPEATED, // the same failing call, three times in a row
	NOTE_MESSAGE,  // completion held back: a message came in
};

enum run_check_status { CHECK_HOLDS, CHECK_FAILS, CHECK_NOT_MADE, CHECK_NEEDS_PERSON };

enum run_question_kind {
	QUESTION_TOOL,   // may this call be made?
	QUESTION_GATE,   // an approve check; gate
	QUESTION_POLICY, // retries are used up: what now?
	QUESTION_TEXT,   // a call that asks a person: any text
};

enum run_choice {
	CHOICE_YES,
	CHOICE_NO,
	CHOICE_RETRY,
	CHOICE_SKIP,
	CHOICE_RETURN,
	CHOICE_ABORT,
	CHOICE_TEXT,
};

enum run_limit {
	LIMIT_NONE,
	LIMIT_TURNS,
	LIMIT_TIME,
	LIMIT_USD,
	LIMIT_TOKENS,
	LIMIT_TOOL_CALLS,
	LIMIT_HANDOFFS,
};

enum run_outcome {
	OUTCOME_OPEN,
	OUTCOME_COMPLETED,
	OUTCOME_GATE,      // a gate failed for good
	OUTCOME_RETRIES,   // too many empty, cut, refused or repeated answers
	OUTCOME_LIMIT,     // the assignment's own limit
	OUTCOME_CANCELLED, // from above
	OUTCOME_ABORTED,   // a gate's policy, or a person, ends the run
};

enum run_park { PARK_NONE, PARK_PERSON, PARK_LIMIT, PARK_INTERRUPT, PARK_UNAVAILABLE };

enum run_status { RUN_RUNNING, RUN_PARKED_STATUS, RUN_DONE, RUN_FAILED, RUN_CANCELLED };

// A call of a model's answer, as far as the core needs it.
struct run_call_facts {
	enum run_call_kind kind;
	uint32_t edge; // handoffs
	bool effectful;
	bool repeatable; // twice is the same as once: it is made again after a crash
	bool ask;        // permission: a person has to say yes
	uint64_t hash;   // of name and arguments
	int64_t bytes;   // of the arguments
};

struct run_event {
	enum run_event_kind kind;
	int64_t at;
	uint32_t branch, command; // a command is named by its branch and its number in the branch
	uint32_t code;            // the kind's enumeration: command_kind, finish, answer, note, ...
	uint32_t value;           // of an answer
	uint32_t call, gate, agent, parent, question, record, turn, source;
	bool failed, interrupted, effectful;
	int64_t bytes, text_bytes;
	int64_t reserved_tokens, reserved_nano_usd;
	int64_t input_tokens, cached_tokens, output_tokens;
	int64_t changes;
	uint64_t agents; // bits: candidates of a record, violators of `writes:`
	const struct run_call_facts *calls;
	uint32_t call_count;
	const uint32_t *gates; // whose paths were touched
	uint32_t gate_count;
	struct team_limits raise;
};

enum run_field_type {
	FIELD_NUMBER32,
	FIELD_NUMBER64,
	FIELD_BITS64, // written as a hexadecimal text
	FIELD_FLAG,
	FIELD_CODE, // by name; see run_code_name()
	FIELD_CALLS,
	FIELD_GATES,
	FIELD_LIMITS,
};

struct run_field {
	const char *name;
	enum run_field_type type;
	size_t offset; // in struct run_event
};

// "model.answered", and back (RUN_EVENT_KINDS: no such kind).
const char *run_event_name(enum run_event_kind kind);
enum run_event_kind run_event_kind_of(const char *name);
// The fields that a kind uses, besides `at`; ends with a row without name.
const struct run_field *run_event_fields(enum run_event_kind kind);
// The name of event.code for a kind ("call_model", "refused", "holds"); NULL past the last one.
const char *run_code_name(enum run_event_kind kind, uint32_t code);
const char *run_call_kind_name(enum run_call_kind kind);
// And back: RUN_NONE, CALL_KINDS for what is none.
uint32_t run_code_of(enum run_event_kind kind, struct text name);
enum run_call_kind run_call_kind_of(struct text name);
