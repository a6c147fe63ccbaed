#include "run/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "run/fold.h"

static void release_checklist(struct run_checklist *list)
{
	free(list->checks);
	*list = (struct run_checklist){0};
}

void run_branch_release(struct run_branch *branch)
{
	for (uint32_t i = 0; i < branch->call_count; i++) {
		release_checklist(&branch->calls[i].checklist);
	}
	free(branch->calls);
	free(branch->refusals);
	branch->calls = NULL;
	branch->call_count = 0;
	branch->refusals = NULL;
	release_checklist(&branch->checklist);
}

void run_state_init(struct run_state *state, const struct run_rules *rules)
{
	*state = (struct run_state){.limits = rules->limits};
	state->gate_count = rules->gate_count;
	state->gates = memory_alloc((rules->gate_count + 1) * sizeof(*state->gates));
	state->agent_count = rules->agent_count;
	state->edge_count = rules->edge_count;
	state->finished = memory_alloc((rules->agent_count + 1) * sizeof(*state->finished));
	memset(state->finished, 0xff, rules->agent_count * sizeof(*state->finished));
}

void run_state_finish(struct run_state *state)
{
	for (uint32_t i = 0; i < state->branch_count; i++) {
		run_branch_release(&state->branches[i]);
	}
	free(state->branches);
	free(state->open);
	free(state->commands);
	free(state->questions);
	free(state->gates);
	free(state->finished);
	*state = (struct run_state){0};
}

struct run_checklist *run_checklist_of(struct run_branch *branch, uint32_t call)
{
	if (call == RUN_NONE) {
		return &branch->checklist;
	}
	return call < branch->call_count ? &branch->calls[call].checklist : NULL;
}

uint32_t run_command_find(const struct run_state *state, uint32_t branch, uint32_t number)
{
	for (uint32_t i = 0; i < state->command_count; i++) {
		if (state->commands[i].branch == branch && state->commands[i].number == number) {
			return i;
		}
	}
	return RUN_NONE;
}

uint32_t run_question_find(const struct run_state *state, enum run_question_kind kind,
	uint32_t branch, uint32_t call, uint32_t gate)
{
	for (uint32_t i = 0; i < state->question_count; i++) {
		const struct run_question *question = &state->questions[i];
		if (question->kind == kind && question->branch == branch &&
			question->call == call && question->gate == gate) {
			return i;
		}
	}
	return RUN_NONE;
}

bool run_under_way(const struct run_state *state, uint32_t branch, enum run_command_kind kind)
{
	for (uint32_t i = 0; i < state->command_count; i++) {
		if (state->commands[i].branch == branch && state->commands[i].kind == kind) {
			return true;
		}
	}
	return false;
}

bool run_is_handoff(enum run_call_kind kind)
{
	return kind == CALL_DELEGATE || kind == CALL_TRANSFER;
}

bool run_check_stale(const struct run_state *state, const struct run_check *check)
{
	return state->gates[check->gate].touched > check->record;
}

static bool is_ancestor(const struct run_state *state, uint32_t id, uint32_t branch)
{
	while (branch != RUN_NONE && branch != id) {
		branch = state->branches[branch].parent;
	}
	return branch == id;
}

uint32_t run_writer_of(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, uint32_t gate)
{
	uint64_t writers = rules->gates[gate].writers;
	for (uint32_t i = 0; writers && i < state->open_count; i++) {
		uint32_t id = state->open[i];
		uint32_t agent = state->branches[id].agent;
		if (writers & run_agent_bit(agent) && !is_ancestor(state, id, branch) &&
			!is_ancestor(state, branch, id) && !run_branch_ending(state, id)) {
			return agent;
		}
	}
	return RUN_NONE;
}

int64_t run_price(const struct run_agent *agent, int64_t input, int64_t cached, int64_t output)
{
	const int64_t million = 1000000;
	int64_t sum = (input - cached) * agent->price_input + cached * agent->price_cached +
		output * agent->price_output;
	return (sum + million - 1) / million;
}

bool run_ended(const struct run_state *state)
{
	return state->status == RUN_DONE || state->status == RUN_FAILED ||
		state->status == RUN_CANCELLED;
}

bool run_waits(const struct run_state *state)
{
	return state->status == RUN_RUNNING && state->command_count == 0 &&
		state->question_count > 0;
}

int run_exit_code(const struct run_state *state)
{
	static const int park_codes[] = {[PARK_NONE] = 1,
		[PARK_PERSON] = 4,
		[PARK_LIMIT] = 5,
		[PARK_INTERRUPT] = 130,
		[PARK_UNAVAILABLE] = 6};
	static const int outcome_codes[] = {[OUTCOME_OPEN] = 1,
		[OUTCOME_COMPLETED] = 0,
		[OUTCOME_GATE] = 3,
		[OUTCOME_RETRIES] = 1,
		[OUTCOME_LIMIT] = 5,
		[OUTCOME_CANCELLED] = 1,
		[OUTCOME_ABORTED] = 3};
	if (state->status == RUN_PARKED_STATUS) {
		return park_codes[state->park];
	}
	return run_ended(state) && state->branch_count ? outcome_codes[state->branches[0].outcome]
						       : 1;
}

bool run_branch_ending(const struct run_state *state, uint32_t branch)
{
	while (branch != RUN_NONE) {
		if (state->branches[branch].ending != OUTCOME_OPEN) {
			return true;
		}
		branch = state->branches[branch].parent;
	}
	return false;
}

int64_t run_deadline(const struct run_state *state, const struct run_rules *rules)
{
	int64_t deadline = INT64_MAX;
	if (state->status != RUN_RUNNING || state->limit != LIMIT_NONE || !state->branch_count ||
		run_branch_ending(state, 0)) {
		return deadline;
	}
	if (state->limits.timeout > 0) {
		deadline = state->limits.timeout;
	}
	for (uint32_t i = 0; i < state->open_count; i++) {
		const struct run_branch *branch = &state->branches[state->open[i]];
		int64_t timeout = rules->agents[branch->agent].limits.timeout;
		if (timeout > 0 && branch->started + timeout < deadline &&
			!run_branch_ending(state, state->open[i])) {
			deadline = branch->started + timeout;
		}
	}
	return deadline;
}

uint32_t run_author(uint32_t wrote, uint64_t candidates, uint64_t declared)
{
	if (wrote != RUN_NONE) {
		return wrote;
	}
	// One candidate wrote it; of several, the one that declared the path.
	uint64_t sets[] = {candidates, candidates & declared};
	for (size_t i = 0; i < 2; i++) {
		if (sets[i] && (sets[i] & (sets[i] - 1)) == 0) {
			return (uint32_t)__builtin_ctzll(sets[i]);
		}
	}
	return RUN_NONE;
}
