/* What the core decided, folded into the state. */
#include <stdlib.h>
#include <string.h>

#include "run/fold.h"

static struct run_call *open_call(struct run_state *state, uint32_t branch, uint32_t call)
{
	struct run_branch *found = fold_open_branch(state, branch);
	if (!found || found->phase != PHASE_ACT || call >= found->call_count ||
		found->calls[call].answer != ANSWER_NONE) {
		return NULL;
	}
	return &found->calls[call];
}

static void drop_calls(struct run_branch *branch)
{
	uint16_t *refusals = branch->refusals;
	branch->refusals = NULL;
	run_branch_release(branch);
	branch->refusals = refusals;
}

static bool schedule_check(struct run_state *state, const struct run_event *event)
{
	struct run_checklist *list = run_checklist_of(&state->branches[event->branch], event->call);
	for (uint32_t i = 0; list && i < list->count; i++) {
		struct run_check *check = &list->checks[i];
		if (check->gate == event->gate && check->progress != PROGRESS_SCHEDULED) {
			check->progress = PROGRESS_SCHEDULED;
			check->branch = event->branch;
			check->command = event->command;
			check->record = state->record;
			return true;
		}
	}
	return false;
}

static bool schedule_call(struct run_state *state, const struct run_event *event)
{
	struct run_call *call = open_call(state, event->branch, event->call);
	struct run_use use = {.tool_calls = 1};
	if (!call || call->kind != CALL_TOOL || call->command != RUN_NONE) {
		return false;
	}
	call->command = event->command;
	fold_count_use(state, event->branch, &use);
	return true;
}

static bool apply_scheduled(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	struct run_branch *branch = fold_open_branch(state, event->branch);
	(void)rules;
	if (!branch || event->command != branch->next_command ||
		(event->code == COMMAND_CHECK_GATE && !schedule_check(state, event)) ||
		(event->code == COMMAND_CALL_TOOL && !schedule_call(state, event))) {
		return false;
	}
	struct run_command command = {.branch = event->branch,
		.number = event->command,
		.kind = event->code,
		.call = event->call,
		.gate = event->gate,
		.record = state->record,
		.effectful = event->effectful,
		.reserved_tokens = event->reserved_tokens,
		.reserved_nano_usd = event->reserved_nano_usd,
		.at = event->at};
	if (event->code == COMMAND_OPEN_SANDBOX) {
		state->sandbox = SANDBOX_OPENING;
	} else if (event->code == COMMAND_RECORD) {
		state->recording = true;
	} else if (event->code == COMMAND_CALL_MODEL) {
		// What was said so far goes into this request.
		drop_calls(branch);
		branch->note = NOTE_NONE;
		branch->messages = 0;
		fold_reserve(state, &command, 1);
	}
	state->commands =
		fold_resize(state->commands, state->command_count + 1, sizeof(*state->commands));
	state->commands[state->command_count++] = command;
	branch->outstanding++;
	branch->next_command++;
	return true;
}

static bool apply_gate_repeated(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	struct run_branch *branch = fold_open_branch(state, event->branch);
	struct run_checklist *list = branch ? run_checklist_of(branch, event->call) : NULL;
	(void)rules;
	for (uint32_t i = 0; list && i < list->count; i++) {
		struct run_check *check = &list->checks[i];
		const struct run_gate_state *gate = &state->gates[check->gate];
		if (check->gate == event->gate && check->progress == PROGRESS_PENDING &&
			gate->known) {
			check->progress = gate->holds ? PROGRESS_HOLDS : PROGRESS_FAILS;
			check->branch = gate->branch;
			check->command = gate->command;
			check->record = state->record;
			return true;
		}
	}
	return false;
}

static bool apply_call_answered(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	struct run_call *call = open_call(state, event->branch, event->call);
	if (!call) {
		return false;
	}
	struct run_branch *branch = &state->branches[event->branch];
	call->answer = event->code;
	call->value = event->value;
	branch->bytes += FOLD_TEMPLATE_BYTES;
	fold_drop_questions(state, event->branch, event->call);
	if (event->code == ANSWER_REFUSED || event->code == ANSWER_STILL_WRITTEN) {
		if (!branch->refusals) {
			branch->refusals =
				fold_resize(NULL, rules->edge_count, sizeof(*branch->refusals));
			memset(branch->refusals, 0, rules->edge_count * sizeof(*branch->refusals));
		}
		if (branch->refusals[call->edge] < UINT16_MAX) {
			branch->refusals[call->edge]++;
		}
	} else if (event->code != ANSWER_CANCELLED && event->code != ANSWER_NOT_PERFORMED) {
		call->failed = true;
		fold_count_failure(branch, call);
	}
	fold_answered(branch);
	return true;
}

static bool apply_completion_refused(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	struct run_branch *branch = fold_open_branch(state, event->branch);
	(void)rules;
	if (!branch || branch->phase != PHASE_COMPLETE) {
		return false;
	}
	branch->note = event->code;
	branch->attempts += event->code != NOTE_MESSAGE;
	fold_drop_questions(state, event->branch, RUN_NONE);
	branch->phase = PHASE_THINK;
	branch->bytes += FOLD_TEMPLATE_BYTES;
	return true;
}

static bool apply_question_asked(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	struct run_branch *branch = fold_open_branch(state, event->branch);
	(void)rules;
	if (!branch || event->question != state->next_question) {
		return false;
	}
	state->questions =
		fold_resize(state->questions, state->question_count + 1, sizeof(*state->questions));
	state->questions[state->question_count++] =
		(struct run_question){.number = state->next_question++,
			.kind = event->code,
			.branch = event->branch,
			.call = event->call,
			.gate = event->gate,
			.record = state->record};
	return true;
}

static bool apply_limit_reached(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	(void)rules;
	if (event->branch == RUN_NONE) {
		state->limit = event->code;
		return true;
	}
	struct run_branch *branch = fold_open_branch(state, event->branch);
	if (!branch || branch->ending != OUTCOME_OPEN) {
		return false;
	}
	branch->ending = OUTCOME_LIMIT;
	branch->limit = event->code;
	return true;
}

static bool apply_branch_opened(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	struct run_call *call = open_call(state, event->parent, event->call);
	struct run_use use = {.handoffs = 1};
	if (!call || event->branch != state->branch_count || event->agent >= rules->agent_count) {
		return false;
	}
	int64_t bytes = call->bytes + FOLD_TEMPLATE_BYTES;
	call->child = event->branch;
	fold_drop_questions(state, event->parent, event->call);
	fold_count_use(state, event->parent, &use);
	struct run_branch *branch = fold_add_branch(state, rules, event->agent, event->at);
	struct run_branch *parent = &state->branches[event->parent];
	branch->parent = event->parent;
	branch->parent_call = event->call;
	branch->depth = parent->depth + 1;
	branch->bytes += bytes;
	parent->open_children++;
	if (rules->agents[event->agent].remembers && state->finished[event->agent] != RUN_NONE) {
		branch->remembers = state->finished[event->agent];
		branch->bytes += state->branches[branch->remembers].bytes;
	}
	return true;
}

static bool apply_transferred(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	struct run_call *call = open_call(state, event->branch, event->call);
	struct run_use use = {.handoffs = 1};
	if (!call || event->agent >= rules->agent_count) {
		return false;
	}
	struct run_branch *branch = &state->branches[event->branch];
	call->answer = ANSWER_TRANSFERRED;
	fold_drop_questions(state, event->branch, event->call);
	call->value = event->agent;
	fold_count_use(state, event->branch, &use);
	fold_start_assignment(state, branch, event->agent, event->at);
	branch->bytes += rules->agents[event->agent].instruction_bytes + FOLD_TEMPLATE_BYTES;
	fold_answered(branch);
	return true;
}

static bool apply_branch_ending(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	struct run_branch *branch = fold_open_branch(state, event->branch);
	(void)rules;
	if (!branch || branch->ending != OUTCOME_OPEN) {
		return false;
	}
	branch->ending = event->code;
	return true;
}

// Removes what belongs to a branch from the lists of what is open.
static void forget_branch(struct run_state *state, uint32_t id)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < state->open_count; i++) {
		if (state->open[i] != id) {
			state->open[kept++] = state->open[i];
		}
	}
	state->open_count = kept;
	fold_drop_questions(state, id, FOLD_ALL);
}

static bool apply_branch_closed(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	struct run_branch *branch = fold_open_branch(state, event->branch);
	(void)rules;
	if (!branch || branch->outstanding || branch->open_children) {
		return false;
	}
	if (branch->dirty) {
		state->unrecorded |= run_agent_bit(branch->agent);
		branch->dirty = false;
	}
	branch->phase = PHASE_CLOSED;
	branch->outcome = event->code;
	branch->ending = OUTCOME_OPEN;
	if (branch->parent != RUN_NONE) { // what it has not read, the one above gets
		state->branches[branch->parent].messages += branch->messages;
	}
	branch->messages = 0;
	run_branch_release(branch);
	forget_branch(state, event->branch);
	if (event->code == OUTCOME_COMPLETED) {
		state->finished[branch->agent] = event->branch;
	}
	if (branch->parent != RUN_NONE) {
		struct run_branch *parent = &state->branches[branch->parent];
		struct run_call *call = &parent->calls[branch->parent_call];
		call->answer =
			event->code == OUTCOME_COMPLETED ? ANSWER_REPORT : ANSWER_FAILED_REPORT;
		call->value = event->branch;
		if (event->code == OUTCOME_COMPLETED) {
			parent->failing_count = 0;
		}
		parent->open_children--;
		parent->bytes += branch->report_bytes + FOLD_TEMPLATE_BYTES;
		fold_answered(parent);
	}
	return true;
}

static bool apply_parked(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	(void)rules;
	state->status = RUN_PARKED_STATUS;
	state->park = event->code;
	state->stopping = false;
	return true;
}

static bool apply_finished(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	(void)rules;
	state->status = event->code;
	state->stopping = false;
	return true;
}

fold_function *const fold_decisions[RUN_EVENT_KINDS] = {
	[COMMAND_SCHEDULED] = apply_scheduled,
	[GATE_REPEATED] = apply_gate_repeated,
	[CALL_ANSWERED] = apply_call_answered,
	[COMPLETION_REFUSED] = apply_completion_refused,
	[QUESTION_ASKED] = apply_question_asked,
	[LIMIT_REACHED] = apply_limit_reached,
	[BRANCH_OPENED] = apply_branch_opened,
	[CONTROL_TRANSFERRED] = apply_transferred,
	[BRANCH_ENDING] = apply_branch_ending,
	[BRANCH_CLOSED] = apply_branch_closed,
	[RUN_PARKED] = apply_parked,
	[RUN_FINISHED] = apply_finished,
};
