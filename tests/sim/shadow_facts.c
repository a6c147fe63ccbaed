/* What came from outside, in the books. */
#include <string.h>

#include "shadow.h"

enum { GATE_TRIES = 3 };

static bool calls_fit(const struct shadow *shadow, const struct run_event *fact)
{
	bool calls = fact->code == FINISH_CALLS;
	if (fact->code > FINISH_REFUSED || calls != (fact->call_count > 0)) {
		return false;
	}
	for (uint32_t i = 0; i < fact->call_count; i++) {
		const struct run_call_facts *call = &fact->calls[i];
		bool delegate = call->kind == CALL_DELEGATE;
		if (call->kind >= CALL_KINDS) {
			return false;
		}
		if (!delegate && call->kind != CALL_TRANSFER) {
			continue;
		}
		if (call->edge >= shadow->rules->edge_count) {
			return false;
		}
		const struct run_edge *edge = &shadow->rules->edges[call->edge];
		if (edge->from != shadow->branches[fact->branch].agent ||
			(edge->kind == EDGE_DELEGATE) != delegate) {
			return false;
		}
	}
	return true;
}

static bool gates_fit(const struct shadow *shadow, const struct run_event *fact)
{
	for (uint32_t i = 0; i < fact->gate_count; i++) {
		if (fact->gates[i] >= shadow->rules->gate_count) {
			return false;
		}
	}
	return true;
}

static bool choice_fits(const struct shadow *shadow, const struct run_event *fact)
{
	for (uint32_t i = 0; i < shadow->question_count; i++) {
		const struct shadow_question *question = &shadow->questions[i];
		if (question->number == fact->question) {
			static const bool fits[][CHOICE_TEXT + 1] = {
				[QUESTION_TOOL] = {[CHOICE_YES] = true, [CHOICE_NO] = true},
				[QUESTION_GATE] = {[CHOICE_YES] = true, [CHOICE_NO] = true},
				[QUESTION_POLICY] = {[CHOICE_RETRY] = true,
					[CHOICE_SKIP] = true,
					[CHOICE_RETURN] = true,
					[CHOICE_ABORT] = true},
				[QUESTION_TEXT] = {[CHOICE_TEXT] = true, [CHOICE_NO] = true}};
			return fact->code <= CHOICE_TEXT && fits[question->kind][fact->code];
		}
	}
	return false;
}

bool shadow_expects(const struct shadow *shadow, const struct run_event *fact)
{
	static const enum run_command_kind answers[] = {[SANDBOX_OPENED] = COMMAND_OPEN_SANDBOX,
		[MODEL_ANSWERED] = COMMAND_CALL_MODEL,
		[MODEL_FAILED] = COMMAND_CALL_MODEL,
		[TOOL_ANSWERED] = COMMAND_CALL_TOOL,
		[WORKSPACE_RECORDED] = COMMAND_RECORD,
		[GATE_CHECKED] = COMMAND_CHECK_GATE};
	bool ending = shadow->started && shadow->branches[0].ending != OUTCOME_OPEN;
	switch (fact->kind) {
	case RUN_STARTED:
		return !shadow->started;
	case PERSON_ANSWERED:
		return choice_fits(shadow, fact);
	case MESSAGE_RECEIVED:
		return fact->branch < shadow->branch_count && !ending &&
			shadow->status != RUN_FAILED && shadow->status != RUN_CANCELLED;
	case CLOCK_ADVANCED:
		return true;
	case PARK_REQUESTED:
		return shadow->status == RUN_RUNNING && !shadow->stopping;
	case CANCEL_REQUESTED:
		return shadow->started && !shadow_ended(shadow) && !ending;
	case RUN_RESUMED:
		return shadow->started && !shadow_ended(shadow);
	default:
		break;
	}
	uint32_t command = shadow_command_of(shadow, fact->branch, fact->command);
	return command != RUN_NONE && shadow->commands[command].kind == answers[fact->kind] &&
		(fact->kind != MODEL_ANSWERED || calls_fit(shadow, fact)) &&
		((fact->kind != WORKSPACE_RECORDED && fact->kind != SANDBOX_OPENED) ||
			gates_fit(shadow, fact)) &&
		(fact->kind != GATE_CHECKED || fact->code <= CHECK_NEEDS_PERSON);
}

static void open_root(struct shadow *shadow, int64_t at)
{
	struct shadow_branch *root = &shadow->branches[0];
	bool again = shadow->branch_count > 0;
	uint32_t next_command = again ? root->next_command : 0;
	uint32_t requests = again ? root->requests : 0;
	*root = (struct shadow_branch){.parent = RUN_NONE,
		.call = RUN_NONE,
		.remembers = RUN_NONE,
		.assignee = shadow->rules->manager,
		.opened_record = shadow->record,
		.next_command = next_command,
		.requests = requests};
	shadow_start_assignment(shadow, root, shadow->rules->manager, at);
	shadow->branch_count += !again;
}

static void spend(struct shadow *shadow, const struct shadow_command *command)
{
	struct run_use use = {
		.tokens = command->reserved_tokens, .nano_usd = command->reserved_nano_usd};
	shadow_count(shadow, command->branch, &use);
}

static void model_answered(
	struct shadow *shadow, const struct run_event *fact, const struct shadow_command *command)
{
	struct shadow_branch *branch = &shadow->branches[command->branch];
	struct run_use use = {.turns = 1,
		.tokens = fact->input_tokens + fact->output_tokens,
		.nano_usd = shadow_price(&shadow->rules->agents[branch->agent], fact->input_tokens,
			fact->cached_tokens, fact->output_tokens)};
	shadow_count(shadow, command->branch, &use);
	shadow->turns++;
	branch->effects_earlier = branch->effects;
	branch->call_count = fact->call_count;
	for (uint32_t i = 0; i < fact->call_count; i++) {
		branch->calls[i] = (struct shadow_call){.facts = fact->calls[i], .child = RUN_NONE};
	}
	if (fact->code == FINISH_CALLS) {
		branch->phase = SHADOW_ACTS;
	} else if (fact->code == FINISH_TEXT) {
		branch->phase = SHADOW_COMPLETES;
	} else {
		branch->attempts++;
		branch->faulted = true;
	}
}

static void tool_answered(
	struct shadow *shadow, const struct run_event *fact, const struct shadow_command *command)
{
	struct shadow_branch *branch = &shadow->branches[command->branch];
	branch->effects = branch->effects || command->effectful;
	shadow_answer(shadow, command->branch, command->call,
		fact->interrupted ? ANSWER_INTERRUPTED : ANSWER_RESULT,
		fact->failed && !fact->interrupted);
}

static void new_tree(struct shadow *shadow, const struct run_event *fact)
{
	shadow->record += fact->changes > 0;
	shadow->violators = fact->agents;
	for (uint32_t i = 0; i < fact->gate_count; i++) {
		shadow->gates[fact->gates[i]].touched = shadow->record;
	}
}

static void recorded(
	struct shadow *shadow, const struct run_event *fact, const struct shadow_command *command)
{
	struct shadow_branch *branch = &shadow->branches[command->branch];
	bool over = shadow->branches[0].ending != OUTCOME_OPEN;
	shadow->recording = false;
	if (fact->failed) {
		shadow->unavailable = shadow->unavailable || !over;
		branch->effects = branch->effects && !over;
		return;
	}
	shadow_must(shadow, (shadow->at_work & ~command->agents) == 0,
		"whoever may have written since the last record is a candidate");
	shadow->at_work = shadow->at_work_since;
	branch->effects = false;
	branch->effects_earlier = false;
	branch->repeats = false;
	new_tree(shadow, fact);
}

static void know(struct shadow *shadow, uint32_t gate, uint32_t record, bool holds)
{
	struct shadow_gate *known = &shadow->gates[gate];
	known->known = true;
	known->holds = holds;
	known->record = record;
}

static void gate_checked(
	struct shadow *shadow, const struct run_event *fact, const struct shadow_command *command)
{
	static const enum shadow_finding findings[] = {[CHECK_HOLDS] = FOUND_HOLDS,
		[CHECK_FAILS] = FOUND_FAILS,
		[CHECK_NOT_MADE] = FOUND_NOTHING,
		[CHECK_NEEDS_PERSON] = FOUND_ASKED};
	struct shadow_branch *branch = &shadow->branches[command->branch];
	if (command->requests != branch->requests) {
		return; // what it was for is over
	}
	struct shadow_list *list = shadow_list_of(branch, command->call);
	if (list->found[command->gate] != FOUND_CHECKING) {
		return;
	}
	list->found[command->gate] = findings[fact->code];
	if (fact->code == CHECK_HOLDS || fact->code == CHECK_FAILS) {
		know(shadow, command->gate, command->record, fact->code == CHECK_HOLDS);
	} else if (fact->code == CHECK_NOT_MADE && ++list->tries[command->gate] == GATE_TRIES) {
		list->tries[command->gate] = 0;
		shadow->unavailable =
			shadow->unavailable || !shadow_is_ending(shadow, command->branch);
	}
}

static void command_answered(struct shadow *shadow, const struct run_event *fact)
{
	uint32_t index = shadow_command_of(shadow, fact->branch, fact->command);
	const struct shadow_command taken = shadow->commands[index], *command = &taken;
	bool ending = shadow_is_ending(shadow, fact->branch);
	shadow->commands[index] = shadow->commands[--shadow->command_count];
	if (command->kind == COMMAND_CALL_MODEL) {
		shadow_reserve(shadow, command, -1);
	}
	switch (fact->kind) {
	case SANDBOX_OPENED:
		shadow->sandbox = fact->failed ? SANDBOX_NONE : SANDBOX_OPEN;
		shadow->unavailable = shadow->unavailable || fact->failed;
		if (fact->changes > 0) {
			new_tree(shadow, fact);
		}
		break;
	case MODEL_ANSWERED:
		model_answered(shadow, fact, command);
		break;
	case MODEL_FAILED:
		spend(shadow, command);
		shadow->unavailable = shadow->unavailable || (!fact->interrupted && !ending);
		break;
	case TOOL_ANSWERED:
		tool_answered(shadow, fact, command);
		break;
	case WORKSPACE_RECORDED:
		recorded(shadow, fact, command);
		break;
	default:
		gate_checked(shadow, fact, command);
		break;
	}
}

static void skip(struct shadow *shadow, const struct shadow_question *question)
{
	struct shadow_branch *branch = &shadow->branches[question->branch];
	struct shadow_list *list = shadow_list_of(branch, question->call);
	bool failed = false;
	list->skipped = true;
	for (uint32_t gate = 0; gate < shadow->rules->gate_count; gate++) {
		if (list->found[gate] == FOUND_FAILS) {
			list->found[gate] = FOUND_SKIPPED;
			failed = true;
		}
	}
	if (failed || question->call == RUN_NONE) {
		return;
	}
	const struct run_edge *edge =
		&shadow->rules->edges[branch->calls[question->call].facts.edge];
	for (uint32_t i = 0; i < edge->need_count; i++) {
		for (uint32_t agent = 0; agent < shadow->rules->agent_count; agent++) {
			if (shadow_writing(shadow, question->branch, edge->needs[i], agent)) {
				list->found[edge->needs[i]] = FOUND_SKIPPED;
			}
		}
	}
}

static void person_answered(struct shadow *shadow, const struct run_event *fact)
{
	uint32_t index = 0;
	while (shadow->questions[index].number != fact->question) {
		index++;
	}
	struct shadow_question question = shadow->questions[index];
	struct shadow_branch *branch = &shadow->branches[question.branch];
	shadow->question_count--;
	memmove(&shadow->questions[index], &shadow->questions[index + 1],
		(shadow->question_count - index) * sizeof(question));
	bool yes = fact->code == CHOICE_YES;
	if (question.kind == QUESTION_TOOL && yes) {
		branch->calls[question.call].approved = true;
	} else if (question.kind == QUESTION_TEXT && fact->code == CHOICE_TEXT) {
		shadow_answer(shadow, question.branch, question.call, ANSWER_PERSON, false);
	} else if (question.kind == QUESTION_TOOL || question.kind == QUESTION_TEXT) {
		shadow_answer(shadow, question.branch, question.call, ANSWER_REJECTED, false);
	} else if (question.kind == QUESTION_GATE) {
		struct shadow_list *list = shadow_list_of(branch, question.call);
		uint32_t gate = question.gate, record = list->record[gate];
		bool stale = shadow->gates[gate].touched > record;
		list->found[gate] = stale ? FOUND_NOTHING : yes ? FOUND_HOLDS : FOUND_FAILS;
		if (!stale) {
			know(shadow, gate, record, yes);
		}
	} else if (fact->code == CHOICE_RETRY) {
		branch->allowance++;
	} else if (fact->code == CHOICE_SKIP) {
		skip(shadow, &question);
	} else {
		bool abort = fact->code == CHOICE_ABORT;
		struct shadow_branch *ends = abort ? &shadow->branches[0] : branch;
		if (ends->ending == OUTCOME_OPEN) {
			ends->ending = abort ? OUTCOME_ABORTED : OUTCOME_GATE;
		}
	}
	if (shadow->status == RUN_PARKED_STATUS && shadow->park == PARK_PERSON) {
		shadow->status = RUN_RUNNING;
	}
}

static void message_received(struct shadow *shadow, const struct run_event *fact)
{
	if (shadow->status == RUN_DONE) {
		shadow->status = RUN_RUNNING;
		shadow->sandbox = SANDBOX_NONE;
		open_root(shadow, fact->at);
	}
	bool open = shadow->branches[fact->branch].phase != SHADOW_CLOSED;
	shadow->branches[open ? fact->branch : 0].messages++;
}

static void lose(struct shadow *shadow, const struct shadow_command *command)
{
	struct shadow_branch *branch = &shadow->branches[command->branch];
	if (command->kind == COMMAND_CALL_MODEL) {
		shadow_reserve(shadow, command, -1);
		spend(shadow, command);
	} else if (command->kind == COMMAND_CALL_TOOL) {
		struct shadow_call *call = &branch->calls[command->call];
		branch->effects = branch->effects || command->effectful;
		branch->repeats = branch->repeats || command->effectful;
		call->under_way = false;
		if (command->effectful && !call->facts.repeatable) {
			shadow_answer(
				shadow, command->branch, command->call, ANSWER_INTERRUPTED, false);
		}
	} else if (command->kind == COMMAND_CHECK_GATE && command->requests == branch->requests) {
		struct shadow_list *list = shadow_list_of(branch, command->call);
		if (list->found[command->gate] == FOUND_CHECKING) {
			list->found[command->gate] = FOUND_NOTHING;
		}
	}
}

static void resumed(struct shadow *shadow, const struct run_event *fact)
{
	for (uint32_t i = 0; i < shadow->command_count; i++) {
		lose(shadow, &shadow->commands[i]);
	}
	shadow->command_count = 0;
	struct team_limits *limits = &shadow->limits;
	int64_t *const now[] = {&limits->max_turns, &limits->timeout, &limits->max_nano_usd,
		&limits->max_tokens, &limits->max_tool_calls, &limits->max_handoffs};
	const int64_t more[] = {fact->raise.max_turns, fact->raise.timeout,
		fact->raise.max_nano_usd, fact->raise.max_tokens, fact->raise.max_tool_calls,
		fact->raise.max_handoffs};
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		*now[i] += *now[i] ? more[i] : 0;
	}
	shadow->status = RUN_RUNNING;
	shadow->limit = LIMIT_NONE;
	shadow->stopping = false;
	shadow->unavailable = false;
	shadow->recording = false;
	shadow->sandbox = SANDBOX_NONE;
}

static void take_fact(struct shadow *shadow, const struct run_event *event)
{
	switch (event->kind) {
	case RUN_STARTED:
		shadow->started = true;
		open_root(shadow, event->at);
		break;
	case PERSON_ANSWERED:
		person_answered(shadow, event);
		break;
	case MESSAGE_RECEIVED:
		message_received(shadow, event);
		break;
	case CLOCK_ADVANCED:
		break;
	case PARK_REQUESTED:
		shadow->stopping = true;
		break;
	case CANCEL_REQUESTED:
		shadow->branches[0].ending = OUTCOME_CANCELLED;
		shadow->status = RUN_RUNNING;
		break;
	case RUN_RESUMED:
		resumed(shadow, event);
		break;
	default:
		command_answered(shadow, event);
		break;
	}
}

void shadow_take(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	if (shadow->broken) {
		return;
	}
	if (event->kind < COMMAND_SCHEDULED) {
		take_fact(shadow, event);
	} else {
		shadow_must(shadow, shadow->started && shadow->status == RUN_RUNNING,
			"nothing is decided while a run is parked or at its end");
		if (!shadow->broken) {
			shadow_take_decision(shadow, event, state);
		}
	}
	shadow->now = event->at > shadow->now ? event->at : shadow->now;
}
