/*
 * The rules of docs/run-semantics.md, kept a second time: books about a run that are made from its
 * log alone, never from the core's own memory, and that say which rule an event breaks. The core's
 * state is looked at for two things only: the size of a conversation (what a model call must
 * reserve), and whether it agrees with the books (shadow_settled).
 */
#pragma once

#include "run/state.h"
#include "team.h"

enum { SIM_CALLS = 8, SIM_BRANCHES = 200, SIM_COMMANDS = 400, SIM_QUESTIONS = 64 };

// What is known of one gate in front of one handoff or one completion.
enum shadow_finding {
	FOUND_NOTHING,
	FOUND_CHECKING,
	FOUND_ASKED,
	FOUND_HOLDS,
	FOUND_FAILS,
	FOUND_SKIPPED
};

struct shadow_list {
	enum shadow_finding found[SIM_GATES];
	uint32_t record[SIM_GATES]; // the tree that it was found on
	uint32_t tries[SIM_GATES];  // without a verdict
	bool skipped;               // a person said: skip
};

struct shadow_call {
	struct run_call_facts facts;
	enum run_answer answer;
	uint32_t scheduled; // how often
	bool under_way, approved, opened;
	uint32_t child;
	struct shadow_list list;
};

// What a branch does, by its last answer.
enum shadow_phase { SHADOW_THINKS, SHADOW_ACTS, SHADOW_COMPLETES, SHADOW_CLOSED };

struct shadow_branch {
	uint32_t parent, call, depth, assignee, agent, remembers;
	enum shadow_phase phase;
	enum run_outcome ending, outcome;
	struct shadow_call calls[SIM_CALLS];
	uint32_t call_count;
	struct shadow_list completion;
	uint32_t requests; // to the model, so far: tells one list of calls from the next
	uint32_t next_command, children;
	bool effects;         // an effectful call ran since its last record
	bool effects_earlier; // in an answer before the last one
	bool repeats;         // or before the machine stopped
	bool faulted;         // since the last request
	uint32_t attempts, allowance, messages;
	uint32_t opened_record, first_record; // the newest trees when it and the assignment began
	uint64_t agents;                      // that were at work in it
	uint32_t refusals[SIM_EDGES];
	uint64_t failing_hash;
	uint32_t failing_count;
	int64_t started;
	struct run_use used, reserved;
};

struct shadow_command {
	uint32_t branch, number;
	enum run_command_kind kind;
	uint32_t call, gate, record, requests;
	bool effectful;
	uint64_t agents;
	int64_t reserved_tokens, reserved_nano_usd;
};

struct shadow_question {
	uint32_t number;
	enum run_question_kind kind;
	uint32_t branch, call, gate;
};

struct shadow_gate {
	bool known, holds;
	uint32_t record, touched;
};

struct shadow {
	const struct run_rules *rules;
	const char *broken; // the first rule that was broken; NULL: none
	bool started;
	enum run_status status;
	enum run_park park;
	enum run_limit limit;
	bool stopping, unavailable;
	enum run_sandbox sandbox;
	bool recording;
	int64_t now;
	uint32_t turns, record, next_question;
	uint64_t violators;
	uint64_t at_work,
		at_work_since; // agents with an effectful call since the last scan began, and
			       // since the one under way began
	struct team_limits limits;
	struct run_use used, reserved;
	struct shadow_gate gates[SIM_GATES];
	uint32_t finished[SIM_AGENTS]; // the agent's newest finished branch; RUN_NONE
	struct shadow_branch branches[SIM_BRANCHES];
	uint32_t branch_count;
	struct shadow_command commands[SIM_COMMANDS]; // under way
	uint32_t command_count;
	struct shadow_question questions[SIM_QUESTIONS]; // open ones
	uint32_t question_count;
};

void shadow_init(struct shadow *shadow, const struct run_rules *rules);
// Should this fact be taken? False: it is late, doubled, stale or nonsense.
bool shadow_expects(const struct shadow *shadow, const struct run_event *fact);
// An event that was applied; `state` is the core's state after it.
void shadow_take(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state);
// The core has nothing more to decide.
void shadow_settled(struct shadow *shadow, const struct run_state *state);
// The last event is the log's last.
bool shadow_ended(const struct shadow *shadow);
bool shadow_full(const struct shadow *shadow); // no room left in the books: the world calms down

// What the parts of the shadow share.
void shadow_must(struct shadow *shadow, bool holds, const char *rule);
bool shadow_is_ending(const struct shadow *shadow, uint32_t branch);
bool shadow_all_answered(const struct shadow_branch *branch);
// Is there an effectful call before this one that is not answered yet?
bool shadow_effects_before(const struct shadow_branch *branch, uint32_t call);
struct shadow_list *shadow_list_of(struct shadow_branch *branch, uint32_t call);
// Index in shadow->commands, or RUN_NONE.
uint32_t shadow_command_of(const struct shadow *shadow, uint32_t branch, uint32_t number);
const struct shadow_question *shadow_question_of(const struct shadow *shadow,
	enum run_question_kind kind, uint32_t branch, uint32_t call, uint32_t gate);
void shadow_answer(
	struct shadow *shadow, uint32_t branch, uint32_t call, enum run_answer answer, bool failed);
void shadow_forget_questions(struct shadow *shadow, uint32_t branch, uint32_t call, bool all);
void shadow_count(struct shadow *shadow, uint32_t branch, const struct run_use *use);
void shadow_reserve(struct shadow *shadow, const struct shadow_command *command, int64_t sign);
bool shadow_writing(const struct shadow *shadow, uint32_t branch, uint32_t gate, uint32_t agent);
void shadow_check_waiting(struct shadow *shadow, const struct run_state *state);
void shadow_take_scheduled(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state);
void shadow_take_decision(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state);
void shadow_start_assignment(
	struct shadow *shadow, struct shadow_branch *branch, uint32_t agent, int64_t at);
int64_t shadow_price(const struct run_agent *agent, int64_t input, int64_t cached, int64_t output);
