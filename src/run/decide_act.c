/* One model answer, in the order that docs/run-semantics.md gives. */
#include "run/decide.h"

#include "run/fold.h"

static enum decision answer(
	struct run_event *event, uint32_t branch, uint32_t call, enum run_answer code)
{
	decide_event(event, CALL_ANSWERED, branch, code);
	event->call = call;
	return DECIDED;
}

// Calls that cannot be made are answered with what is possible.
static enum decision decide_misfits(
	const struct run_state *state, uint32_t branch, struct run_event *event)
{
	static const enum run_answer answers[] = {[CALL_UNKNOWN_TOOL] = ANSWER_UNKNOWN_TOOL,
		[CALL_UNKNOWN_AGENT] = ANSWER_UNKNOWN_AGENT,
		[CALL_MALFORMED] = ANSWER_MALFORMED,
		[CALL_FORBIDDEN] = ANSWER_FORBIDDEN};
	const struct run_branch *at = &state->branches[branch];
	for (uint32_t i = 0; i < at->call_count; i++) {
		const struct run_call *call = &at->calls[i];
		if (call->answer == ANSWER_NONE && call->kind != CALL_TOOL &&
			call->kind != CALL_PERSON && !run_is_handoff(call->kind)) {
			return answer(event, branch, i, answers[call->kind]);
		}
	}
	return GO_ON;
}

// Agents whose writes may overlap never run effectful calls at the same time; the workspace is held
// until what was done is recorded. And nothing starts during a record: the record would find its
// changes, but not know of its agent.
static bool workspace_free(
	const struct run_state *state, const struct run_rules *rules, uint32_t branch)
{
	uint64_t overlaps = rules->agents[state->branches[branch].agent].overlaps;
	if (state->recording) {
		return false;
	}
	for (uint32_t i = 0; i < state->open_count; i++) {
		uint32_t id = state->open[i];
		const struct run_branch *other = &state->branches[id];
		if (id != branch && other->dirty && overlaps & run_agent_bit(other->agent)) {
			return false;
		}
	}
	for (uint32_t i = 0; i < state->command_count; i++) {
		const struct run_command *command = &state->commands[i];
		uint32_t agent = state->branches[command->branch].agent;
		if (command->kind == COMMAND_CALL_TOOL && command->effectful &&
			(command->branch == branch || overlaps & run_agent_bit(agent))) {
			return false;
		}
	}
	return true;
}

static enum decision decide_question(const struct run_state *state, enum run_question_kind kind,
	uint32_t branch, uint32_t index, struct run_event *event)
{
	if (run_question_find(state, kind, branch, index, RUN_NONE) != RUN_NONE) {
		return WAIT;
	}
	decide_event(event, QUESTION_ASKED, branch, kind);
	event->question = state->next_question;
	event->call = index;
	return DECIDED;
}

// A yes from a person; GO_ON: there is one, or none is needed.
static enum decision decide_permission(
	const struct run_state *state, uint32_t branch, uint32_t index, struct run_event *event)
{
	const struct run_call *call = &state->branches[branch].calls[index];
	if (!call->ask || call->approved) {
		return GO_ON;
	}
	return decide_question(state, QUESTION_TOOL, branch, index, event);
}

static enum decision decide_tool(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, uint32_t index, struct run_event *event)
{
	const struct run_call *call = &state->branches[branch].calls[index];
	struct run_use wanted = {.tool_calls = 1};
	enum decision permission = decide_permission(state, branch, index, event);
	if (permission != GO_ON) {
		return permission;
	}
	if (state->sandbox != SANDBOX_OPEN || !decide_place(state, branch) ||
		(call->effectful && !workspace_free(state, rules, branch))) {
		return WAIT;
	}
	enum decision room = decide_room(state, rules, branch, &wanted, event);
	if (room != GO_ON) {
		return room;
	}
	decide_command(state, event, branch, COMMAND_CALL_TOOL);
	event->call = index;
	event->effectful = call->effectful;
	return DECIDED;
}

// Read-only calls together, effectful ones one after another in call order; and a call that only
// reads sees what the effectful ones before it did. GO_ON: all answered.
static enum decision decide_tools(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, struct run_event *event)
{
	const struct run_branch *at = &state->branches[branch];
	enum decision result = GO_ON;
	bool effect_before = false;
	for (uint32_t i = 0; i < at->call_count; i++) {
		const struct run_call *call = &at->calls[i];
		if ((call->kind != CALL_TOOL && call->kind != CALL_PERSON) ||
			call->answer != ANSWER_NONE) {
			continue;
		}
		result = WAIT;
		if (call->kind == CALL_PERSON && !effect_before &&
			decide_question(state, QUESTION_TEXT, branch, i, event) == DECIDED) {
			return DECIDED;
		}
		if (call->kind == CALL_TOOL && call->command == RUN_NONE && !effect_before &&
			decide_tool(state, rules, branch, i, event) == DECIDED) {
			return DECIDED;
		}
		effect_before = effect_before || call->effectful;
	}
	return result;
}

// A person may have skipped a gate of this call.
static bool is_skipped(const struct run_call *call, uint32_t gate)
{
	for (uint32_t i = 0; i < call->checklist.count; i++) {
		const struct run_check *check = &call->checklist.checks[i];
		if (check->gate == gate && check->progress == PROGRESS_SKIPPED) {
			return true;
		}
	}
	return false;
}

// An agent at work elsewhere that may still write what the handoff needs, or RUN_NONE.
static uint32_t still_writing(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, const struct run_call *call)
{
	const struct run_edge *edge = &rules->edges[call->edge];
	uint32_t writer = RUN_NONE;
	for (uint32_t i = 0; i < edge->need_count && writer == RUN_NONE; i++) {
		if (!is_skipped(call, edge->needs[i])) {
			writer = run_writer_of(state, rules, branch, edge->needs[i]);
		}
	}
	return writer;
}

static enum decision decide_still_written(const struct run_state *state,
	const struct run_rules *rules, uint32_t branch, uint32_t index, uint32_t writer,
	struct run_event *event)
{
	const struct run_branch *at = &state->branches[branch];
	const struct run_call *call = &at->calls[index];
	const struct run_edge *edge = &rules->edges[call->edge];
	enum team_policy policy = POLICY_RETURN;
	int64_t retries = INT64_MAX;
	for (uint32_t i = 0; i < edge->need_count; i++) {
		const struct run_gate *gate = &rules->gates[edge->needs[i]];
		if (gate->writers & run_agent_bit(writer) && !is_skipped(call, edge->needs[i])) {
			policy = gate->then > policy ? gate->then : policy;
			retries = gate->retries < retries ? gate->retries : retries;
		}
	}
	retries = edge->retries >= 0 ? edge->retries : retries;
	int64_t spent = at->refusals ? at->refusals[call->edge] : 0;
	if (spent >= retries + at->allowance) {
		return decide_used_up(state, policy, branch, index, event);
	}
	answer(event, branch, index, ANSWER_STILL_WRITTEN);
	event->value = writer;
	return DECIDED;
}

// Everything that can refuse a handoff; GO_ON: it may be opened.
static enum decision decide_handoff(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, uint32_t index, struct run_event *event)
{
	const struct run_branch *at = &state->branches[branch];
	const struct run_call *call = &at->calls[index];
	bool holds;
	if (call->kind == CALL_DELEGATE && state->limits.max_depth &&
		at->depth >= state->limits.max_depth) {
		return answer(event, branch, index, ANSWER_TOO_DEEP);
	}
	uint32_t writer = still_writing(state, rules, branch, call);
	if (writer != RUN_NONE) {
		return decide_still_written(state, rules, branch, index, writer, event);
	}
	enum decision checks = decide_checks(state, rules, branch, index, &holds, event);
	if (checks != GO_ON) {
		return checks;
	}
	if (!holds) {
		return decide_refusal(state, rules, branch, index, event);
	}
	return decide_permission(state, branch, index, event);
}

static enum decision open_handoff(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, uint32_t index, struct run_event *event)
{
	const struct run_call *call = &state->branches[branch].calls[index];
	const struct run_edge *edge = &rules->edges[call->edge];
	struct run_use wanted = {.handoffs = 1};
	if (call->kind == CALL_DELEGATE && !decide_place(state, RUN_NONE)) {
		return WAIT;
	}
	enum decision room = decide_room(state, rules, branch, &wanted, event);
	if (room != GO_ON) {
		return room;
	}
	if (call->kind == CALL_TRANSFER) {
		decide_event(event, CONTROL_TRANSFERRED, branch, 0);
	} else {
		decide_event(event, BRANCH_OPENED, state->branch_count, 0);
		event->parent = branch;
	}
	event->call = index;
	event->agent = edge->to;
	return DECIDED;
}

// Does the call wait for a person?
static bool is_asked(const struct run_state *state, uint32_t branch, uint32_t call)
{
	for (uint32_t i = 0; i < state->question_count; i++) {
		const struct run_question *question = &state->questions[i];
		if (question->branch == branch && question->call == call) {
			return true;
		}
	}
	return false;
}

// All checks of the answer are made on one tree; then those that pass open together.
static enum decision decide_handoffs(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, struct run_event *event)
{
	const struct run_branch *at = &state->branches[branch];
	uint32_t handoffs = 0, ready = 0, first_ready = 0;
	bool checking = false;
	for (uint32_t i = 0; i < at->call_count; i++) {
		handoffs += run_is_handoff(at->calls[i].kind);
	}
	for (uint32_t i = 0; i < at->call_count; i++) {
		const struct run_call *call = &at->calls[i];
		if (!run_is_handoff(call->kind) || call->answer != ANSWER_NONE ||
			call->child != RUN_NONE) {
			continue;
		}
		if (call->kind == CALL_TRANSFER && handoffs > 1) {
			return answer(event, branch, i, ANSWER_NOT_PERFORMED);
		}
		enum decision decision = decide_handoff(state, rules, branch, i, event);
		if (decision == DECIDED) {
			return DECIDED;
		}
		if (decision == GO_ON && ready++ == 0) {
			first_ready = i;
		}
		checking = checking || (decision == WAIT && !is_asked(state, branch, i));
	}
	if (ready && !checking) {
		return open_handoff(state, rules, branch, first_ready, event);
	}
	return WAIT;
}

enum decision decide_act(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, struct run_event *event)
{
	enum decision decision = decide_misfits(state, branch, event);
	if (decision == GO_ON) {
		decision = decide_tools(state, rules, branch, event);
	}
	if (decision == GO_ON && state->branches[branch].dirty) {
		decision = WAIT; // for the record that is under way
	}
	if (decision == GO_ON) {
		decision = decide_handoffs(state, rules, branch, event);
	}
	return decision;
}
