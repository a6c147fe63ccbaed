/* What came from outside, folded into the state. */
#include <stdlib.h>
#include <string.h>

#include "run/fold.h"

enum { GATE_TRIES = 3 };

// Takes a command of one of the given kinds off the list; false if it is not under way.
static bool take_command(struct run_state *state, const struct run_event *event,
	enum run_command_kind kind, struct run_command *command)
{
	uint32_t index = run_command_find(state, event->branch, event->command);
	if (index == RUN_NONE || state->commands[index].kind != kind) {
		return false;
	}
	*command = state->commands[index];
	state->command_count--;
	memmove(&state->commands[index], &state->commands[index + 1],
		(state->command_count - index) * sizeof(*state->commands));
	state->branches[command->branch].outstanding--;
	if (kind == COMMAND_CALL_MODEL) {
		fold_reserve(state, command, -1);
	}
	return true;
}

static void add_checks(struct run_checklist *list, const uint32_t *gates, uint32_t count)
{
	list->checks = fold_resize(list->checks, list->count + count, sizeof(*list->checks));
	for (uint32_t i = 0; i < count; i++) {
		bool there = false;
		for (uint32_t j = 0; j < list->count; j++) {
			there = there || list->checks[j].gate == gates[i];
		}
		if (!there) {
			list->checks[list->count++] = (struct run_check){.gate = gates[i]};
		}
	}
}

static bool apply_started(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	if (state->branch_count) {
		return false;
	}
	fold_add_branch(state, rules, rules->manager, event->at)->bytes += event->bytes;
	return true;
}

static bool gates_fit(const struct run_rules *rules, const struct run_event *event)
{
	for (uint32_t i = 0; i < event->gate_count; i++) {
		if (event->gates[i] >= rules->gate_count) {
			return false;
		}
	}
	return true;
}

// A new tree: what gates read of it is not what their verdicts were made on.
static void note_tree(struct run_state *state, const struct run_event *event)
{
	state->record += event->changes > 0;
	state->violators = event->agents;
	for (uint32_t i = 0; i < event->gate_count; i++) {
		state->gates[event->gates[i]].touched = state->record;
	}
}

static bool apply_sandbox_opened(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	struct run_command command;
	if (!gates_fit(rules, event) ||
		!take_command(state, event, COMMAND_OPEN_SANDBOX, &command)) {
		return false;
	}
	state->sandbox = event->failed ? SANDBOX_NONE : SANDBOX_OPEN;
	state->unavailable = state->unavailable || event->failed;
	// A run that is taken up again finds what happened to its workspace meanwhile.
	if (event->changes > 0) {
		note_tree(state, event);
	}
	return true;
}

static void begin_calls(
	struct run_branch *branch, const struct run_rules *rules, const struct run_event *event)
{
	const struct run_agent *agent = &rules->agents[branch->agent];
	branch->phase = PHASE_ACT;
	branch->calls = fold_resize(NULL, event->call_count, sizeof(*branch->calls));
	branch->call_count = event->call_count;
	for (uint32_t i = 0; i < event->call_count; i++) {
		const struct run_call_facts *facts = &event->calls[i];
		struct run_call *call = &branch->calls[i];
		*call = (struct run_call){.kind = facts->kind,
			.edge = facts->edge,
			.effectful = facts->effectful,
			.repeatable = facts->repeatable,
			.ask = facts->ask,
			.hash = facts->hash,
			.bytes = facts->bytes,
			.command = RUN_NONE,
			.child = RUN_NONE};
		if (run_is_handoff(facts->kind)) {
			const struct run_edge *edge = &rules->edges[facts->edge];
			add_checks(&call->checklist, edge->needs, edge->need_count);
		}
		if (facts->kind == CALL_TRANSFER) {
			add_checks(&call->checklist, agent->outputs, agent->output_count);
		}
	}
}

static void begin_completion(struct run_branch *branch, const struct run_rules *rules)
{
	const struct run_agent *agent = &rules->agents[branch->agent];
	const struct run_agent *assignee = &rules->agents[branch->assignee];
	branch->phase = PHASE_COMPLETE;
	add_checks(&branch->checklist, agent->outputs, agent->output_count);
	add_checks(&branch->checklist, assignee->outputs, assignee->output_count);
}

static bool facts_fit(
	const struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	bool calls = event->code == FINISH_CALLS;
	if (event->branch >= state->branch_count || calls != (event->call_count > 0)) {
		return false;
	}
	for (uint32_t i = 0; i < event->call_count; i++) {
		const struct run_call_facts *facts = &event->calls[i];
		if (facts->kind >= CALL_KINDS) {
			return false;
		}
		if (!run_is_handoff(facts->kind)) {
			continue;
		}
		const struct run_edge *edge =
			facts->edge < rules->edge_count ? &rules->edges[facts->edge] : NULL;
		if (!edge || edge->from != state->branches[event->branch].agent ||
			(edge->kind == EDGE_TRANSFER) != (facts->kind == CALL_TRANSFER)) {
			return false;
		}
	}
	return true;
}

static bool apply_model_answered(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	static const enum run_note notes[] = {[FINISH_EMPTY] = NOTE_EMPTY,
		[FINISH_CUT] = NOTE_CUT,
		[FINISH_REFUSED] = NOTE_REFUSED};
	struct run_command command;
	if (event->code > FINISH_REFUSED || !facts_fit(state, rules, event) ||
		!take_command(state, event, COMMAND_CALL_MODEL, &command)) {
		return false;
	}
	struct run_branch *branch = &state->branches[event->branch];
	struct run_use use = {.turns = 1, .tokens = event->input_tokens + event->output_tokens};
	use.nano_usd = run_price(&rules->agents[branch->agent], event->input_tokens,
		event->cached_tokens, event->output_tokens);
	fold_count_use(state, event->branch, &use);
	state->input_tokens += event->input_tokens;
	state->cached_tokens += event->cached_tokens;
	state->output_tokens += event->output_tokens;
	branch->turn = ++state->turns;
	branch->bytes += event->bytes;
	branch->report_bytes = event->text_bytes;
	if (event->code == FINISH_CALLS) {
		begin_calls(branch, rules, event);
	} else if (event->code == FINISH_TEXT) {
		begin_completion(branch, rules);
	} else {
		branch->attempts++;
		branch->note = notes[event->code];
	}
	return true;
}

static void spend_reservation(struct run_state *state, const struct run_command *command)
{
	struct run_use use = {
		.tokens = command->reserved_tokens, .nano_usd = command->reserved_nano_usd};
	fold_count_use(state, command->branch, &use);
}

static bool apply_model_failed(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	struct run_command command;
	(void)rules;
	if (!take_command(state, event, COMMAND_CALL_MODEL, &command)) {
		return false;
	}
	spend_reservation(state, &command);
	if (!event->interrupted && !run_branch_ending(state, event->branch)) {
		state->unavailable = true;
	}
	return true;
}

static bool apply_tool_answered(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	struct run_command command;
	(void)rules;
	if (!take_command(state, event, COMMAND_CALL_TOOL, &command)) {
		return false;
	}
	struct run_branch *branch = &state->branches[command.branch];
	struct run_call *call = &branch->calls[command.call];
	call->answer = event->interrupted ? ANSWER_INTERRUPTED : ANSWER_RESULT;
	call->value = command.number;
	call->failed = event->failed;
	branch->bytes += event->bytes;
	branch->dirty = branch->dirty || call->effectful;
	if (event->failed && !event->interrupted) {
		fold_count_failure(branch, call);
	} else if (!event->interrupted) {
		branch->failing_count = 0;
	}
	fold_answered(branch);
	return true;
}

static bool apply_recorded(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	struct run_command command;
	if (!gates_fit(rules, event) || !take_command(state, event, COMMAND_RECORD, &command)) {
		return false;
	}
	state->recording = false;
	if (event->failed) {
		// A run that is ending must not wait for a workspace that is gone.
		if (run_branch_ending(state, 0)) {
			struct run_branch *branch = &state->branches[event->branch];
			state->unrecorded |= run_agent_bit(branch->agent);
			branch->dirty = false;
		} else {
			state->unavailable = true;
		}
		return true;
	}
	state->branches[event->branch].dirty = false;
	state->unrecorded = 0;
	note_tree(state, event);
	return true;
}

// Sets what is known of a gate for everybody.
static void know_gate(struct run_state *state, const struct run_check *check, bool holds)
{
	struct run_gate_state *gate = &state->gates[check->gate];
	gate->known = true;
	gate->holds = holds;
	gate->record = check->record;
	gate->branch = check->branch;
	gate->command = check->command;
}

static bool apply_gate_checked(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	static const enum run_check_progress progress[] = {[CHECK_HOLDS] = PROGRESS_HOLDS,
		[CHECK_FAILS] = PROGRESS_FAILS,
		[CHECK_NOT_MADE] = PROGRESS_PENDING,
		[CHECK_NEEDS_PERSON] = PROGRESS_ASKED};
	struct run_command command;
	(void)rules;
	if (event->code > CHECK_NEEDS_PERSON ||
		!take_command(state, event, COMMAND_CHECK_GATE, &command)) {
		return false;
	}
	struct run_branch *branch = &state->branches[command.branch];
	struct run_checklist *list = run_checklist_of(branch, command.call);
	for (uint32_t i = 0; list && i < list->count; i++) {
		struct run_check *check = &list->checks[i];
		// Only what this very command was to find out: the list may be a newer one.
		if (check->gate != command.gate || check->progress != PROGRESS_SCHEDULED ||
			check->command != command.number) {
			continue;
		}
		check->progress = progress[event->code];
		if (event->code == CHECK_HOLDS || event->code == CHECK_FAILS) {
			know_gate(state, check, event->code == CHECK_HOLDS);
		} else if (event->code == CHECK_NOT_MADE && ++check->tries >= GATE_TRIES &&
			!run_branch_ending(state, command.branch)) {
			check->tries = 0;
			state->unavailable = true;
		}
	}
	branch->bytes += event->bytes;
	return true;
}

static void set_checks(struct run_checklist *list, uint32_t gate, enum run_check_progress from,
	enum run_check_progress to)
{
	for (uint32_t i = 0; list && i < list->count; i++) {
		struct run_check *check = &list->checks[i];
		if ((gate == RUN_NONE || check->gate == gate) && check->progress == from) {
			check->progress = to;
		}
	}
}

static void answer_gate_question(struct run_state *state, const struct run_question *question,
	struct run_checklist *list, bool yes)
{
	for (uint32_t i = 0; list && i < list->count; i++) {
		struct run_check *check = &list->checks[i];
		if (check->gate != question->gate || check->progress != PROGRESS_ASKED) {
			continue;
		}
		if (run_check_stale(state, check)) {
			check->progress = PROGRESS_PENDING; // the artifact changed since: ask anew
			continue;
		}
		check->progress = yes ? PROGRESS_HOLDS : PROGRESS_FAILS;
		know_gate(state, check, yes);
	}
}

// Skips the gates that fail; where none does, those that are still being written.
static void skip_checks(
	struct run_state *state, const struct run_rules *rules, const struct run_question *question)
{
	struct run_branch *branch = &state->branches[question->branch];
	struct run_checklist *list = run_checklist_of(branch, question->call);
	bool failed = false;
	for (uint32_t i = 0; i < list->count; i++) {
		failed = failed || list->checks[i].progress == PROGRESS_FAILS;
	}
	if (failed) {
		set_checks(list, RUN_NONE, PROGRESS_FAILS, PROGRESS_SKIPPED);
		return;
	}
	if (question->call == RUN_NONE) {
		return;
	}
	const struct run_edge *edge = &rules->edges[branch->calls[question->call].edge];
	for (uint32_t i = 0; i < edge->need_count; i++) {
		uint32_t gate = edge->needs[i];
		for (uint32_t j = 0; j < list->count; j++) {
			if (list->checks[j].gate == gate &&
				run_writer_of(state, rules, question->branch, gate) != RUN_NONE) {
				list->checks[j].progress = PROGRESS_SKIPPED;
			}
		}
	}
}

static void answer_policy_question(struct run_state *state, const struct run_rules *rules,
	const struct run_question *question, enum run_choice choice)
{
	struct run_branch *branch = &state->branches[question->branch];
	if (choice == CHOICE_RETRY) {
		branch->allowance++;
	} else if (choice == CHOICE_SKIP) {
		skip_checks(state, rules, question);
	} else {
		// What is ending already ends as it was told first.
		bool abort = choice == CHOICE_ABORT;
		struct run_branch *ends = abort ? &state->branches[0] : branch;
		if (ends->ending == OUTCOME_OPEN) {
			ends->ending = abort ? OUTCOME_ABORTED : OUTCOME_GATE;
		}
	}
}

static bool choice_fits(enum run_question_kind kind, uint32_t choice)
{
	if (kind == QUESTION_POLICY) {
		return choice >= CHOICE_RETRY && choice <= CHOICE_ABORT;
	}
	return choice == CHOICE_NO || choice == (kind == QUESTION_TEXT ? CHOICE_TEXT : CHOICE_YES);
}

// A call that needs a yes got it, or a no; one that asks got its answer, or a no.
static void answer_call_question(
	struct run_state *state, const struct run_question *question, const struct run_event *event)
{
	struct run_branch *branch = &state->branches[question->branch];
	struct run_call *call = &branch->calls[question->call];
	call->approved = event->code == CHOICE_YES;
	if (call->approved) {
		return;
	}
	bool said = event->code == CHOICE_TEXT;
	call->answer = said ? ANSWER_PERSON : ANSWER_REJECTED;
	call->value = question->number;
	branch->bytes += FOLD_TEMPLATE_BYTES;
	branch->failing_count = said ? 0 : branch->failing_count;
	fold_drop_questions(state, question->branch, question->call);
	fold_answered(branch);
}

static bool apply_person_answered(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	uint32_t index = 0;
	while (index < state->question_count && state->questions[index].number != event->question) {
		index++;
	}
	if (run_ended(state) || index == state->question_count ||
		!choice_fits(state->questions[index].kind, event->code)) {
		return false;
	}
	struct run_question question = state->questions[index];
	state->question_count--;
	memmove(&state->questions[index], &state->questions[index + 1],
		(state->question_count - index) * sizeof(*state->questions));
	struct run_branch *branch = &state->branches[question.branch];
	bool yes = event->code == CHOICE_YES;
	branch->bytes += event->bytes;
	if (question.kind == QUESTION_TOOL || question.kind == QUESTION_TEXT) {
		answer_call_question(state, &question, event);
	} else if (question.kind == QUESTION_GATE) {
		answer_gate_question(
			state, &question, run_checklist_of(branch, question.call), yes);
	} else {
		answer_policy_question(state, rules, &question, event->code);
	}
	if (state->status == RUN_PARKED_STATUS && state->park == PARK_PERSON) {
		state->status = RUN_RUNNING;
		state->park = PARK_NONE;
	}
	return true;
}

// A run that is done is taken up again: a new assignment of the manager.
static void reopen(struct run_state *state, const struct run_rules *rules, int64_t at)
{
	struct run_branch *root = &state->branches[0];
	state->status = RUN_RUNNING;
	state->sandbox = SANDBOX_NONE;
	state->open = fold_resize(state->open, state->open_count + 1, sizeof(*state->open));
	state->open[state->open_count++] = 0;
	root->phase = PHASE_THINK;
	root->outcome = OUTCOME_OPEN;
	root->assignee = rules->manager;
	root->opened_record = state->record;
	root->agents = 0;
	fold_start_assignment(state, root, rules->manager, at);
}

static bool apply_message(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	if (event->branch >= state->branch_count || state->status == RUN_FAILED ||
		state->status == RUN_CANCELLED || run_branch_ending(state, 0)) {
		return false;
	}
	if (state->status == RUN_DONE) {
		reopen(state, rules, event->at);
	}
	struct run_branch *branch = fold_open_branch(state, event->branch);
	branch = branch ? branch : &state->branches[0];
	branch->messages++;
	branch->bytes += event->bytes;
	return true;
}

static bool apply_clock(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	(void)state;
	(void)rules;
	(void)event;
	return true;
}

static bool apply_park_requested(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	(void)rules;
	(void)event;
	if (state->status != RUN_RUNNING || state->stopping) {
		return false;
	}
	state->stopping = true;
	return true;
}

static bool apply_cancel_requested(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	(void)rules;
	(void)event;
	if (run_ended(state) || !state->branch_count || state->branches[0].ending != OUTCOME_OPEN) {
		return false;
	}
	state->branches[0].ending = OUTCOME_CANCELLED;
	state->status = RUN_RUNNING;
	state->park = PARK_NONE;
	return true;
}

// A command whose result is not known: what can be repeated is scheduled anew, a call with effects
// is answered as interrupted.
static void lose_command(struct run_state *state, const struct run_command *lost)
{
	struct run_branch *branch = &state->branches[lost->branch];
	if (lost->kind == COMMAND_CALL_MODEL) {
		spend_reservation(state, lost);
	} else if (lost->kind == COMMAND_RECORD) {
		state->recording = false;
		branch->dirty = true;
	} else if (lost->kind == COMMAND_CHECK_GATE) {
		set_checks(run_checklist_of(branch, lost->call), lost->gate, PROGRESS_SCHEDULED,
			PROGRESS_PENDING);
	} else if (lost->kind == COMMAND_CALL_TOOL) {
		struct run_call *call = &branch->calls[lost->call];
		branch->dirty = branch->dirty || lost->effectful;
		if (lost->effectful && !call->repeatable) {
			call->answer = ANSWER_INTERRUPTED;
			call->value = lost->number;
			branch->bytes += FOLD_TEMPLATE_BYTES;
			fold_answered(branch);
		} else {
			call->command = RUN_NONE;
		}
	}
}

static void raise_limits(struct team_limits *limits, const struct team_limits *raise)
{
	limits->max_turns += limits->max_turns ? raise->max_turns : 0;
	limits->timeout += limits->timeout ? raise->timeout : 0;
	limits->max_nano_usd += limits->max_nano_usd ? raise->max_nano_usd : 0;
	limits->max_tokens += limits->max_tokens ? raise->max_tokens : 0;
	limits->max_tool_calls += limits->max_tool_calls ? raise->max_tool_calls : 0;
	limits->max_handoffs += limits->max_handoffs ? raise->max_handoffs : 0;
}

static bool apply_resumed(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	(void)rules;
	if (run_ended(state) || !state->branch_count) {
		return false;
	}
	while (state->command_count) {
		struct run_command lost;
		struct run_event name = {
			.branch = state->commands[0].branch, .command = state->commands[0].number};
		take_command(state, &name, state->commands[0].kind, &lost);
		lose_command(state, &lost);
	}
	raise_limits(&state->limits, &event->raise);
	state->status = RUN_RUNNING;
	state->park = PARK_NONE;
	state->limit = LIMIT_NONE;
	state->stopping = false;
	state->unavailable = false;
	state->sandbox = SANDBOX_NONE;
	return true;
}

fold_function *const fold_facts[RUN_EVENT_KINDS] = {
	[RUN_STARTED] = apply_started,
	[SANDBOX_OPENED] = apply_sandbox_opened,
	[MODEL_ANSWERED] = apply_model_answered,
	[MODEL_FAILED] = apply_model_failed,
	[TOOL_ANSWERED] = apply_tool_answered,
	[WORKSPACE_RECORDED] = apply_recorded,
	[GATE_CHECKED] = apply_gate_checked,
	[PERSON_ANSWERED] = apply_person_answered,
	[MESSAGE_RECEIVED] = apply_message,
	[CLOCK_ADVANCED] = apply_clock,
	[PARK_REQUESTED] = apply_park_requested,
	[CANCEL_REQUESTED] = apply_cancel_requested,
	[RUN_RESUMED] = apply_resumed,
};
