#include "shadow.h"

#include <string.h>

enum { FAILURES_IN_A_ROW = 3, ROOM_LEFT = 40 };

void shadow_must(struct shadow *shadow, bool holds, const char *rule)
{
	if (!holds && !shadow->broken) {
		shadow->broken = rule;
	}
}

void shadow_init(struct shadow *shadow, const struct run_rules *rules)
{
	memset(shadow, 0, offsetof(struct shadow, branches));
	shadow->rules = rules;
	shadow->limits = rules->limits;
	memset(shadow->finished, 0xff, sizeof(shadow->finished));
	shadow->branch_count = 0;
	shadow->command_count = 0;
	shadow->question_count = 0;
}

bool shadow_ended(const struct shadow *shadow)
{
	return shadow->status == RUN_DONE || shadow->status == RUN_FAILED ||
		shadow->status == RUN_CANCELLED;
}

bool shadow_full(const struct shadow *shadow)
{
	return shadow->branch_count + ROOM_LEFT > SIM_BRANCHES;
}

bool shadow_is_ending(const struct shadow *shadow, uint32_t branch)
{
	for (; branch != RUN_NONE; branch = shadow->branches[branch].parent) {
		if (shadow->branches[branch].ending != OUTCOME_OPEN) {
			return true;
		}
	}
	return false;
}

bool shadow_all_answered(const struct shadow_branch *branch)
{
	for (uint32_t i = 0; i < branch->call_count; i++) {
		if (branch->calls[i].answer == ANSWER_NONE) {
			return false;
		}
	}
	return true;
}

struct shadow_list *shadow_list_of(struct shadow_branch *branch, uint32_t call)
{
	return call == RUN_NONE ? &branch->completion : &branch->calls[call].list;
}

uint32_t shadow_command_of(const struct shadow *shadow, uint32_t branch, uint32_t number)
{
	for (uint32_t i = 0; i < shadow->command_count; i++) {
		if (shadow->commands[i].branch == branch && shadow->commands[i].number == number) {
			return i;
		}
	}
	return RUN_NONE;
}

const struct shadow_question *shadow_question_of(const struct shadow *shadow,
	enum run_question_kind kind, uint32_t branch, uint32_t call, uint32_t gate)
{
	for (uint32_t i = 0; i < shadow->question_count; i++) {
		const struct shadow_question *question = &shadow->questions[i];
		if (question->kind == kind && question->branch == branch &&
			question->call == call &&
			(kind != QUESTION_GATE || question->gate == gate)) {
			return question;
		}
	}
	return NULL;
}

void shadow_forget_questions(struct shadow *shadow, uint32_t branch, uint32_t call, bool all)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < shadow->question_count; i++) {
		const struct shadow_question *question = &shadow->questions[i];
		if (question->branch != branch || (!all && question->call != call)) {
			shadow->questions[kept++] = *question;
		}
	}
	shadow->question_count = kept;
}

static void add_use(struct run_use *to, const struct run_use *use)
{
	to->turns += use->turns;
	to->tokens += use->tokens;
	to->nano_usd += use->nano_usd;
	to->tool_calls += use->tool_calls;
	to->handoffs += use->handoffs;
}

void shadow_count(struct shadow *shadow, uint32_t branch, const struct run_use *use)
{
	add_use(&shadow->used, use);
	for (; branch != RUN_NONE; branch = shadow->branches[branch].parent) {
		add_use(&shadow->branches[branch].used, use);
	}
}

void shadow_reserve(struct shadow *shadow, const struct shadow_command *command, int64_t sign)
{
	struct run_use use = {.turns = sign,
		.tokens = sign * command->reserved_tokens,
		.nano_usd = sign * command->reserved_nano_usd};
	add_use(&shadow->reserved, &use);
	for (uint32_t branch = command->branch; branch != RUN_NONE;
		branch = shadow->branches[branch].parent) {
		add_use(&shadow->branches[branch].reserved, &use);
	}
}

int64_t shadow_price(const struct run_agent *agent, int64_t input, int64_t cached, int64_t output)
{
	int64_t sum = (input - cached) * agent->price_input + cached * agent->price_cached +
		output * agent->price_output;
	return sum / 1000000 + (sum % 1000000 > 0);
}

// Is the agent at work somewhere beside this branch, and may it write what the gate reads?
bool shadow_writing(const struct shadow *shadow, uint32_t branch, uint32_t gate, uint32_t agent)
{
	if (!(shadow->rules->gates[gate].writers & run_agent_bit(agent))) {
		return false;
	}
	for (uint32_t i = 0; i < shadow->branch_count; i++) {
		const struct shadow_branch *other = &shadow->branches[i];
		bool related = false;
		for (uint32_t id = branch; id != RUN_NONE; id = shadow->branches[id].parent) {
			related = related || id == i;
		}
		for (uint32_t id = i; id != RUN_NONE; id = shadow->branches[id].parent) {
			related = related || id == branch;
		}
		if (other->phase != SHADOW_CLOSED && other->agent == agent && !related &&
			!shadow_is_ending(shadow, i)) {
			return true;
		}
	}
	return false;
}

void shadow_start_assignment(
	struct shadow *shadow, struct shadow_branch *branch, uint32_t agent, int64_t at)
{
	branch->agent = agent;
	branch->agents |= run_agent_bit(agent);
	branch->first_record = shadow->record;
	branch->started = at;
	branch->attempts = 0;
	branch->allowance = 0;
	branch->failing_count = 0;
	branch->used = (struct run_use){0};
	memset(branch->refusals, 0, sizeof(branch->refusals));
}

// Every call is answered once, and only once.
void shadow_answer(
	struct shadow *shadow, uint32_t id, uint32_t index, enum run_answer answer, bool failed)
{
	struct shadow_branch *branch = &shadow->branches[id];
	shadow_must(shadow, index < branch->call_count && branch->phase == SHADOW_ACTS,
		"an answer belongs to a call of the last model answer");
	if (shadow->broken) {
		return;
	}
	struct shadow_call *call = &branch->calls[index];
	shadow_must(shadow, call->answer == ANSWER_NONE, "a call is answered once");
	call->answer = answer;
	call->under_way = false;
	if (failed) {
		bool again = branch->failing_count && branch->failing_hash == call->facts.hash;
		branch->failing_count = again ? branch->failing_count + 1 : 1;
		branch->failing_hash = call->facts.hash;
		if (branch->failing_count == FAILURES_IN_A_ROW) {
			branch->failing_count = 0;
			branch->attempts++;
			branch->faulted = true;
		}
	} else if (answer == ANSWER_RESULT || answer == ANSWER_REPORT || answer == ANSWER_PERSON ||
		answer == ANSWER_TRANSFERRED) {
		branch->failing_count = 0;
	}
	shadow_forget_questions(shadow, id, index, false);
	if (shadow_all_answered(branch)) {
		branch->phase = SHADOW_THINKS;
	}
}

static bool branch_fits(const struct shadow_branch *branch, const struct run_branch *state)
{
	static const enum shadow_phase phases[] = {[PHASE_THINK] = SHADOW_THINKS,
		[PHASE_ACT] = SHADOW_ACTS,
		[PHASE_COMPLETE] = SHADOW_COMPLETES,
		[PHASE_CLOSED] = SHADOW_CLOSED};
	bool fits = branch->phase == phases[state->phase] && branch->agent == state->agent &&
		branch->assignee == state->assignee && branch->ending == state->ending &&
		branch->outcome == state->outcome && branch->remembers == state->remembers &&
		branch->opened_record == state->opened_record &&
		branch->first_record == state->first_record && branch->agents == state->agents;
	if (branch->phase != SHADOW_ACTS) {
		return fits;
	}
	fits = fits && branch->call_count == state->call_count;
	for (uint32_t i = 0; fits && i < branch->call_count; i++) {
		fits = branch->calls[i].answer == state->calls[i].answer;
	}
	return fits;
}

static bool settled_state_fits(const struct shadow *shadow, const struct run_state *state)
{
	uint32_t open = 0;
	for (uint32_t i = 0; i < shadow->branch_count; i++) {
		open += shadow->branches[i].phase != SHADOW_CLOSED;
		if (i >= state->branch_count ||
			!branch_fits(&shadow->branches[i], &state->branches[i])) {
			return false;
		}
	}
	return open == state->open_count && shadow->branch_count == state->branch_count &&
		shadow->command_count == state->command_count &&
		shadow->question_count == state->question_count && shadow->turns == state->turns &&
		shadow->used.tokens == state->used.tokens &&
		shadow->used.nano_usd == state->used.nano_usd &&
		shadow->used.turns == state->used.turns &&
		shadow->used.tool_calls == state->used.tool_calls &&
		shadow->used.handoffs == state->used.handoffs && shadow->now == state->now &&
		shadow->reserved.tokens == state->reserved.tokens &&
		shadow->status == state->status && shadow->record == state->record;
}

static bool exit_code_fits(const struct shadow *shadow, const struct run_state *state)
{
	static const int parks[] = {[PARK_PERSON] = 4,
		[PARK_LIMIT] = 5,
		[PARK_INTERRUPT] = 130,
		[PARK_UNAVAILABLE] = 6};
	static const int outcomes[] = {[OUTCOME_GATE] = 3,
		[OUTCOME_RETRIES] = 1,
		[OUTCOME_LIMIT] = 5,
		[OUTCOME_CANCELLED] = 1,
		[OUTCOME_ABORTED] = 3};
	int code = run_exit_code(state);
	if (shadow->status == RUN_PARKED_STATUS) {
		return code == parks[shadow->park];
	}
	return !shadow_ended(shadow) || code == outcomes[shadow->branches[0].outcome];
}

void shadow_settled(struct shadow *shadow, const struct run_state *state)
{
	shadow_must(shadow, settled_state_fits(shadow, state), "state and log tell the same story");
	shadow_must(
		shadow, exit_code_fits(shadow, state), "the exit code tells how the run stands");
	shadow_must(shadow, run_ended(state) == shadow_ended(shadow), "run_ended tells the end");
	if (shadow->status == RUN_RUNNING) {
		shadow_must(shadow, shadow->command_count > 0,
			"a run that goes on waits for a result that can be named");
		shadow_must(shadow, run_deadline(state, shadow->rules) > shadow->now,
			"a deadline that has passed is not waited for");
		shadow_check_waiting(shadow, state);
	}
}
