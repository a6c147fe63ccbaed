#include "run/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { REPEATED_FAILURES = 3 };

void *fold_resize(void *old, size_t count, size_t size)
{
	return memory_resize(old, (count ? count : 1) * size);
}

struct run_branch *fold_open_branch(struct run_state *state, uint32_t branch)
{
	if (branch >= state->branch_count || state->branches[branch].phase == PHASE_CLOSED) {
		return NULL;
	}
	return &state->branches[branch];
}

static void add_use(struct run_use *use, const struct run_use *more, int64_t sign)
{
	use->turns += sign * more->turns;
	use->tokens += sign * more->tokens;
	use->nano_usd += sign * more->nano_usd;
	use->tool_calls += sign * more->tool_calls;
	use->handoffs += sign * more->handoffs;
}

// Counts for the branch's assignment, those of its ancestors, and the run.
void fold_count_use(struct run_state *state, uint32_t branch, const struct run_use *more)
{
	add_use(&state->used, more, 1);
	for (; branch != RUN_NONE; branch = state->branches[branch].parent) {
		add_use(&state->branches[branch].used, more, 1);
	}
}

void fold_reserve(struct run_state *state, const struct run_command *command, int64_t sign)
{
	struct run_use use = {.turns = 1,
		.tokens = command->reserved_tokens,
		.nano_usd = command->reserved_nano_usd};
	add_use(&state->reserved, &use, sign);
	for (uint32_t branch = command->branch; branch != RUN_NONE;
		branch = state->branches[branch].parent) {
		add_use(&state->branches[branch].reserved, &use, sign);
	}
}

void fold_start_assignment(
	struct run_state *state, struct run_branch *branch, uint32_t agent, int64_t at)
{
	free(branch->refusals);
	branch->refusals = NULL;
	branch->agent = agent;
	branch->assignment = ++state->assignments;
	branch->started = at;
	branch->first_record = state->record;
	branch->agents |= run_agent_bit(agent);
	branch->attempts = 0;
	branch->allowance = 0;
	branch->failing_count = 0;
	branch->used = (struct run_use){0};
}

struct run_branch *fold_add_branch(
	struct run_state *state, const struct run_rules *rules, uint32_t agent, int64_t at)
{
	uint32_t id = state->branch_count++;
	state->branches =
		fold_resize(state->branches, state->branch_count, sizeof(*state->branches));
	state->open = fold_resize(state->open, state->open_count + 1, sizeof(*state->open));
	state->open[state->open_count++] = id;
	struct run_branch *branch = &state->branches[id];
	*branch = (struct run_branch){.parent = RUN_NONE,
		.parent_call = RUN_NONE,
		.remembers = RUN_NONE,
		.assignee = agent,
		.opened_record = state->record,
		.bytes = rules->agents[agent].instruction_bytes};
	fold_start_assignment(state, branch, agent, at);
	return branch;
}

// When all calls have their answer the branch thinks again.
void fold_answered(struct run_branch *branch)
{
	for (uint32_t i = 0; i < branch->call_count; i++) {
		if (branch->calls[i].answer == ANSWER_NONE) {
			return;
		}
	}
	branch->phase = PHASE_THINK;
}

void fold_drop_questions(struct run_state *state, uint32_t branch, uint32_t call)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < state->question_count; i++) {
		const struct run_question *question = &state->questions[i];
		if (question->branch != branch || (call != FOLD_ALL && question->call != call)) {
			state->questions[kept++] = *question;
		}
	}
	state->question_count = kept;
}

void fold_count_failure(struct run_branch *branch, const struct run_call *call)
{
	branch->failing_count = branch->failing_hash == call->hash ? branch->failing_count + 1 : 1;
	branch->failing_hash = call->hash;
	if (branch->failing_count >= REPEATED_FAILURES) {
		branch->failing_count = 0;
		branch->attempts++;
		branch->note = NOTE_REPEATED;
	}
}
