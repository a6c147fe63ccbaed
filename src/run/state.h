/*
 * The folded state of a run, and the two functions that are the whole logic of a team:
 *
 *   run_apply   event -> state     the only thing that changes a state
 *   run_decide  state -> event     the next decision, or none; changes nothing
 *
 * Whoever drives a run appends each event to the log and applies it; then asks for decisions until
 * there is none, appending and applying each; then performs the commands among them
 * (COMMAND_SCHEDULED) and waits for their results, which are events again. No I/O, no clock, no
 * randomness, no locks, no text: same events, same state, same decisions, on every machine.
 * docs/run-semantics.md says the rules in words.
 */
#pragma once

#include "run/event.h"
#include "run/rules.h"

enum { RUN_STATE_VERSION = 2, RUN_DECIDE_VERSION = 2 };

enum run_check_progress {
	PROGRESS_PENDING, // to be checked (again)
	PROGRESS_SCHEDULED,
	PROGRESS_ASKED, // waits for a person
	PROGRESS_HOLDS,
	PROGRESS_FAILS,
	PROGRESS_SKIPPED, // by a person; recorded
};

// One gate that stands before a handoff or a completion.
struct run_check {
	uint32_t gate;
	enum run_check_progress progress;
	uint32_t branch, command; // of the verdict
	uint32_t record;          // the tree it was made on
	uint32_t tries;           // that gave no verdict
};

struct run_checklist {
	struct run_check *checks;
	uint32_t count;
	bool begun;
};

struct run_call {
	enum run_call_kind kind;
	uint32_t edge;
	bool effectful, repeatable, ask, approved;
	uint64_t hash;
	int64_t bytes;
	uint32_t command; // RUN_NONE: not scheduled
	uint32_t child;   // branch; RUN_NONE: not opened
	enum run_answer answer;
	uint32_t value;
	bool failed;
	struct run_checklist checklist;
};

// What was used or is reserved.
struct run_use {
	int64_t turns, tokens, nano_usd, tool_calls, handoffs;
};

enum run_phase {
	PHASE_THINK,    // wants a model call, or waits for its answer
	PHASE_ACT,      // works off the calls of an answer
	PHASE_COMPLETE, // asked for completion
	PHASE_CLOSED,
};

struct run_branch {
	uint32_t parent, parent_call; // the opener; RUN_NONE for the root
	uint32_t depth;               // the root's is 0
	uint32_t assignee, agent;
	uint32_t remembers; // a finished branch of the agent whose conversation it starts with
	enum run_phase phase;
	enum run_outcome ending;  // why it is ending; OUTCOME_OPEN: it is not
	enum run_outcome outcome; // once closed
	enum run_limit limit;     // with OUTCOME_LIMIT
	uint32_t next_command;
	uint32_t outstanding; // commands under way
	uint32_t open_children;
	uint32_t turn; // run-wide number of its last answer

	// The assignment: one agent's stay in the branch.
	uint32_t assignment;   // number in the run, from 1
	int64_t started;       // working time
	uint32_t first_record; // the newest record when it began
	uint32_t attempts;     // retries spent
	uint32_t allowance;    // attempts that a person added
	uint16_t *refusals;    // per edge of the rules; NULL: none yet
	struct run_use used, reserved;

	struct run_call *calls; // of the last answer; until the next model call is scheduled
	uint32_t call_count;
	struct run_checklist checklist; // of the completion
	enum run_note note;
	uint32_t messages; // received, not yet passed on
	uint64_t failing_hash;
	uint32_t failing_count;
	uint32_t opened_record; // the newest record when the branch was opened
	uint64_t agents;        // that were at work in it since then
	bool dirty;             // an effectful call ran since its last record
	int64_t bytes;          // of its conversation
	int64_t report_bytes;   // of its last text
};

struct run_command {
	uint32_t branch, number;
	enum run_command_kind kind;
	uint32_t call, gate, record;
	bool effectful;
	int64_t reserved_tokens, reserved_nano_usd;
	int64_t at;
};

struct run_question {
	uint32_t number;
	enum run_question_kind kind;
	uint32_t branch, call, gate;
	uint32_t record;
};

// What is known of a gate, for all branches.
struct run_gate_state {
	bool known;
	bool holds;
	uint32_t record;  // the tree of the verdict
	uint32_t touched; // the last record that changed something it reads
	uint32_t branch, command;
};

enum run_sandbox { SANDBOX_NONE, SANDBOX_OPENING, SANDBOX_OPEN };

struct run_state {
	enum run_status status;
	enum run_park park;
	enum run_limit limit; // of the run, reached
	bool stopping;        // a park was asked for
	bool unavailable;     // a provider could not do its part
	enum run_sandbox sandbox;
	int64_t now;
	uint32_t turns;
	uint32_t record; // number of the last one
	bool recording;
	uint64_t unrecorded; // agents whose last changes could not be recorded when they ended
	uint64_t violators;  // agents with writes outside `writes:` that stand
	struct run_use used, reserved;
	int64_t input_tokens, cached_tokens, output_tokens;
	struct team_limits limits; // the rules' and what was added at resume
	uint32_t assignments;

	struct run_branch *branches; // all there ever were; the root is 0
	uint32_t branch_count;
	uint32_t *open; // open branches, ascending
	uint32_t open_count;
	struct run_command *commands; // scheduled, not answered; in order
	uint32_t command_count;
	struct run_question *questions; // open ones
	uint32_t question_count;
	uint32_t next_question;
	struct run_gate_state *gates;
	uint32_t gate_count;
	uint32_t *finished;               // per agent: its newest finished branch; RUN_NONE
	uint32_t agent_count, edge_count; // of the rules
};

void run_state_init(struct run_state *state, const struct run_rules *rules);
void run_state_finish(struct run_state *state);

// False: the event does not fit the state (a late or doubled result, a stale answer); then nothing
// changed.
bool run_apply(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event);
// False: nothing to decide now; wait for an event.
bool run_decide(
	const struct run_state *state, const struct run_rules *rules, struct run_event *event);

// The working time at which a limit will be reached, if nothing else happens (send CLOCK_ADVANCED
// then); INT64_MAX: none.
int64_t run_deadline(const struct run_state *state, const struct run_rules *rules);
bool run_ended(const struct run_state *state);
// Nothing is under way, but the run is not at its end: it waits for a person.
bool run_waits(const struct run_state *state);
// As the command line gives it (docs: exit codes).
int run_exit_code(const struct run_state *state);
// Is this branch, or one above it, ending? (Its commands under way should be cut short.)
bool run_branch_ending(const struct run_state *state, uint32_t branch);

// Serialised form: bytes with a version in front; the same state always gives the same bytes.
// run_state_load fails (false) for other versions and for bytes that are no state.
struct run_bytes {
	unsigned char *data; // to be freed with free()
	size_t size;
};
struct run_bytes run_state_save(const struct run_state *state);
bool run_state_load(struct run_state *state, const struct run_rules *rules,
	const unsigned char *data, size_t size);

// Who wrote a path that a record found changed: the agent, or RUN_NONE for "several".
// `wrote`: the agent for which the harness wrote the path, or RUN_NONE; `candidates`: the record's
// agents; `declared`: agents whose `writes:` match the path.
uint32_t run_author(uint32_t wrote, uint64_t candidates, uint64_t declared);
