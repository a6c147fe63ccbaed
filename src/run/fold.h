/*
 * What the two halves of the core share: small questions about a state, and the steps of folding
 * that facts and decisions have in common. Private to src/run/.
 */
#pragma once

#include "run/state.h"

// The list of checks that stands before a call's handoff, or (RUN_NONE) before the completion.
struct run_checklist *run_checklist_of(struct run_branch *branch, uint32_t call);
// Index in state->commands, or RUN_NONE.
uint32_t run_command_find(const struct run_state *state, uint32_t branch, uint32_t number);
// The open question about this, or RUN_NONE.
uint32_t run_question_find(const struct run_state *state, enum run_question_kind kind,
	uint32_t branch, uint32_t call, uint32_t gate);
// Does a branch have a command of this kind under way?
bool run_under_way(const struct run_state *state, uint32_t branch, enum run_command_kind kind);
bool run_is_handoff(enum run_call_kind kind);
// The verdict is older than a change of something that the gate reads.
bool run_check_stale(const struct run_state *state, const struct run_check *check);
// An agent at work elsewhere that may still write what the gate reads, or RUN_NONE. Branches above
// wait for this one; those below were let in by the same answer.
uint32_t run_writer_of(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, uint32_t gate);
int64_t run_price(const struct run_agent *agent, int64_t input, int64_t cached, int64_t output);
void run_branch_release(struct run_branch *branch); // frees what it owns

// One function per kind of event; false: it does not fit the state, and nothing changed.
typedef bool fold_function(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event);
extern fold_function *const fold_facts[RUN_EVENT_KINDS];     // NULL for decisions
extern fold_function *const fold_decisions[RUN_EVENT_KINDS]; // NULL for facts

enum { FOLD_TEMPLATE_BYTES = 256 }; // what an answer or note of ours adds to a conversation, about
#define FOLD_ALL (UINT32_MAX - 1)

void *fold_resize(void *old, size_t count, size_t size); // ends the process without memory
struct run_branch *fold_open_branch(struct run_state *state, uint32_t branch); // NULL: none
// Counts for the branch's assignment, those of its ancestors, and the run.
void fold_count_use(struct run_state *state, uint32_t branch, const struct run_use *more);
void fold_reserve(struct run_state *state, const struct run_command *command, int64_t sign);
void fold_start_assignment(
	struct run_state *state, struct run_branch *branch, uint32_t agent, int64_t at);
struct run_branch *fold_add_branch(
	struct run_state *state, const struct run_rules *rules, uint32_t agent, int64_t at);
// When all calls have their answer the branch thinks again.
void fold_answered(struct run_branch *branch);
void fold_count_failure(struct run_branch *branch, const struct run_call *call);
// Forgets the questions about a call (RUN_NONE: about the completion; FOLD_ALL: the whole branch).
void fold_drop_questions(struct run_state *state, uint32_t branch, uint32_t call);
