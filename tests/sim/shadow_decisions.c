/* What the core decided: is it allowed, and what does it mean? */
#include "shadow_gates.h"
#include "shadow_room.h"

#define MUST(condition, rule) shadow_must(shadow, condition, rule)

static void take_repeated(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	struct shadow_list *list = shadow_gate_looked_at(shadow, event);
	(void)state;
	if (!list) {
		return;
	}
	const struct shadow_gate *gate = &shadow->gates[event->gate];
	MUST(list->found[event->gate] == FOUND_NOTHING, "a verdict is repeated where none is");
	MUST(gate->known && gate->holds == (event->code == CHECK_HOLDS),
		"the verdict that is repeated was given");
	MUST(gate->touched <= gate->record, "a verdict is repeated while nothing has changed");
	MUST(!shadow->rules->gates[event->gate].per_assignment,
		"a verdict that depends on the assignment is not repeated");
	list->found[event->gate] = gate->holds ? FOUND_HOLDS : FOUND_FAILS;
	list->record[event->gate] = shadow->record;
}

static bool answer_fits(const struct shadow *shadow, const struct run_event *event)
{
	const struct shadow_branch *branch = &shadow->branches[event->branch];
	const struct shadow_call *call = &branch->calls[event->call];
	uint32_t handoffs = 0;
	for (uint32_t i = 0; i < branch->call_count; i++) {
		handoffs += shadow_is_handoff(&branch->calls[i]);
	}
	switch (event->code) {
	case ANSWER_UNKNOWN_TOOL:
		return call->facts.kind == CALL_UNKNOWN_TOOL;
	case ANSWER_UNKNOWN_AGENT:
		return call->facts.kind == CALL_UNKNOWN_AGENT;
	case ANSWER_MALFORMED:
		return call->facts.kind == CALL_MALFORMED;
	case ANSWER_FORBIDDEN:
		return call->facts.kind == CALL_FORBIDDEN;
	case ANSWER_REFUSED:
		return shadow_is_handoff(call) &&
			shadow_gates_fail(shadow, event->branch, event->call) &&
			shadow_retry_left(shadow, event->branch, event->call);
	case ANSWER_STILL_WRITTEN:
		return shadow_is_handoff(call) &&
			shadow_still_writing(shadow, event->branch, event->call, event->value) &&
			shadow_write_retry_left(shadow, event->branch, event->call, event->value);
	case ANSWER_NOT_PERFORMED:
		return call->facts.kind == CALL_TRANSFER && handoffs > 1;
	case ANSWER_TOO_DEEP:
		return call->facts.kind == CALL_DELEGATE && shadow->limits.max_depth &&
			branch->depth >= shadow->limits.max_depth;
	case ANSWER_CANCELLED:
		return shadow_is_ending(shadow, event->branch) && !call->under_way;
	default:
		return false;
	}
}

static void take_answered(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	struct shadow_branch *branch = &shadow->branches[event->branch];
	(void)state;
	MUST(event->call < branch->call_count && branch->phase == SHADOW_ACTS,
		"an answer belongs to a call of the last model answer");
	if (shadow->broken) {
		return;
	}
	const struct shadow_call *call = &branch->calls[event->call];
	MUST(call->answer == ANSWER_NONE && !call->opened, "a call is answered once");
	MUST(answer_fits(shadow, event), "a call is answered with a reason that is true");
	MUST(event->code == ANSWER_CANCELLED || !shadow_is_ending(shadow, event->branch),
		"in a branch that is ending calls are answered as cancelled");
	if (event->code == ANSWER_REFUSED || event->code == ANSWER_STILL_WRITTEN) {
		branch->refusals[call->facts.edge]++;
	}
	bool failed = event->code == ANSWER_TOO_DEEP ||
		(!shadow_is_handoff(call) && event->code != ANSWER_CANCELLED);
	shadow_answer(shadow, event->branch, event->call, event->code, failed);
}

static bool is_outside(const struct shadow *shadow, const struct shadow_branch *branch)
{
	return (shadow->violators &
		       (run_agent_bit(branch->agent) | run_agent_bit(branch->assignee))) != 0;
}

static void take_completion_refused(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	struct shadow_branch *branch = &shadow->branches[event->branch];
	uint32_t id = event->branch;
	(void)state;
	MUST(branch->phase == SHADOW_COMPLETES && !branch->effects,
		"a completion is refused after it was asked for and the workspace recorded");
	bool fits_note = false;
	if (event->code == NOTE_OUTPUTS) {
		fits_note = shadow_gates_fail(shadow, id, RUN_NONE) &&
			shadow_retry_left(shadow, id, RUN_NONE);
	} else if (event->code == NOTE_OUTSIDE) {
		fits_note = is_outside(shadow, branch) &&
			branch->attempts < shadow_own_retries(shadow, id);
	} else if (event->code == NOTE_MESSAGE) {
		fits_note = branch->messages && shadow_gates_pass(shadow, id, RUN_NONE) &&
			!is_outside(shadow, branch);
	}
	MUST(fits_note, "a completion is refused with a reason that is true");
	branch->attempts += event->code != NOTE_MESSAGE;
	branch->phase = SHADOW_THINKS;
	shadow_forget_questions(shadow, id, RUN_NONE, false);
}

static void take_asked(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	struct shadow_branch *branch = &shadow->branches[event->branch];
	(void)state;
	MUST(event->question == shadow->next_question, "questions are numbered one by one");
	MUST(shadow->question_count < SIM_QUESTIONS, "a run does not ask without end");
	MUST(!shadow_question_of(shadow, event->code, event->branch, event->call, event->gate),
		"a question is asked once");
	MUST(!shadow_is_stopped(shadow), "after a limit or a stop nothing is asked");
	if (event->code == QUESTION_TOOL) {
		const struct shadow_call *call = &branch->calls[event->call];
		MUST(event->call < branch->call_count && call->facts.ask && !call->approved &&
				call->answer == ANSWER_NONE && !call->under_way && !call->opened,
			"a person is asked about a call that needs a yes");
	} else if (event->code == QUESTION_TEXT) {
		MUST(event->call < branch->call_count && branch->phase == SHADOW_ACTS &&
				branch->calls[event->call].facts.kind == CALL_PERSON &&
				branch->calls[event->call].answer == ANSWER_NONE &&
				!shadow_effects_before(branch, event->call),
			"a person is asked what a call asks, after the effectful calls before it");
	} else if (event->code == QUESTION_GATE) {
		struct shadow_list *list = shadow_gate_looked_at(shadow, event);
		MUST(!list || list->found[event->gate] == FOUND_ASKED,
			"a person is asked about a gate that needs one");
		MUST(shadow_gates_ask(shadow, event->branch, event->call),
			"a person is asked when nothing else stands against it");
	} else {
		MUST(shadow_used_up(shadow, event->branch, event->call, POLICY_ASK),
			"a person is asked what to do when retries are used up");
	}
	if (!shadow->broken) {
		shadow->questions[shadow->question_count++] =
			(struct shadow_question){.number = shadow->next_question++,
				.kind = event->code,
				.branch = event->branch,
				.call = event->call,
				.gate = event->gate};
	}
}

static void take_limit(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	bool reached = false, run = event->branch == RUN_NONE;
	MUST(run || !shadow_is_ending(shadow, event->branch), "a branch ends once");
	// Somebody wants what does not fit.
	for (uint32_t i = 0; i < shadow->branch_count && !shadow->broken; i++) {
		bool below = run;
		for (uint32_t id = i; id != RUN_NONE; id = shadow->branches[id].parent) {
			below = below || id == event->branch;
		}
		if (below && shadow->branches[i].phase != SHADOW_CLOSED) {
			struct run_use wanted = shadow_request_use(shadow, i, state);
			reached = reached ||
				shadow_limit_is_reached(
					shadow, event->branch, event->code, &wanted);
		}
	}
	MUST(reached, "a limit that is reached is reached");
	if (run) {
		shadow->limit = event->code;
	} else {
		shadow->branches[event->branch].ending = OUTCOME_LIMIT;
	}
}

// Everything that stands before a handoff, of either kind.
static struct shadow_call *take_handoff(
	struct shadow *shadow, uint32_t id, const struct run_event *event, enum run_call_kind kind)
{
	struct run_event at = *event;
	struct run_use use = {.handoffs = 1};
	at.branch = id;
	MUST(!shadow_is_stopped(shadow) && !shadow_is_ending(shadow, id),
		"after a limit or a stop nothing new is started");
	if (!shadow_looked_at(shadow, &at)) {
		return NULL;
	}
	struct shadow_call *call = &shadow->branches[id].calls[event->call];
	MUST(call->facts.kind == kind, "a handoff is of the kind that was asked for");
	MUST(event->agent == shadow->rules->edges[call->facts.edge].to,
		"a handoff goes to the agent that was named");
	MUST(shadow_gates_pass(shadow, id, event->call),
		"no handoff without verdicts that hold on the newest tree");
	MUST(!shadow_any_writing(shadow, id, event->call),
		"what is still being written is not handed off");
	MUST(!call->facts.ask || call->approved, "a call that needs a person's yes has it");
	MUST(shadow_fits_everywhere(shadow, id, &use), "a handoff fits into the limits");
	shadow_count(shadow, id, &use);
	return shadow->broken ? NULL : call;
}

// The other delegations of the answer are decided, or wait for a person.
static bool open_together(const struct shadow *shadow, uint32_t id)
{
	const struct shadow_branch *branch = &shadow->branches[id];
	for (uint32_t i = 0; i < branch->call_count; i++) {
		const struct shadow_call *call = &branch->calls[i];
		bool asked = false;
		for (uint32_t j = 0; j < shadow->question_count; j++) {
			asked = asked ||
				(shadow->questions[j].branch == id &&
					shadow->questions[j].call == i);
		}
		if (shadow_is_handoff(call) && call->answer == ANSWER_NONE && !call->opened &&
			!asked && !shadow_gates_pass(shadow, id, i)) {
			return false;
		}
	}
	return true;
}

static void take_opened(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	(void)state;
	MUST(event->branch == shadow->branch_count && event->branch < SIM_BRANCHES,
		"branches are numbered one by one");
	MUST(shadow->branches[event->parent].phase == SHADOW_ACTS, "an answer opens branches");
	struct shadow_call *call =
		shadow->broken ? NULL : take_handoff(shadow, event->parent, event, CALL_DELEGATE);
	if (!call) {
		return;
	}
	struct shadow_branch *parent = &shadow->branches[event->parent];
	MUST(!shadow->limits.max_depth || parent->depth < shadow->limits.max_depth,
		"delegations go no deeper than max_depth");
	MUST(shadow_place_left(shadow, event->branch),
		"no more branches work than max_concurrency");
	MUST(open_together(shadow, event->parent),
		"the checks of an answer come before its branches");
	call->opened = true;
	call->child = event->branch;
	parent->children++;
	shadow_forget_questions(shadow, event->parent, event->call, false);
	struct shadow_branch *branch = &shadow->branches[shadow->branch_count++];
	*branch = (struct shadow_branch){.parent = event->parent,
		.call = event->call,
		.depth = parent->depth + 1,
		.assignee = event->agent,
		.opened_record = shadow->record,
		.remembers = RUN_NONE};
	if (shadow->rules->agents[event->agent].remembers) {
		branch->remembers = shadow->finished[event->agent];
	}
	shadow_start_assignment(shadow, branch, event->agent, event->at);
}

static void take_transferred(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	struct shadow_branch *branch = &shadow->branches[event->branch];
	uint32_t handoffs = 0;
	(void)state;
	for (uint32_t i = 0; i < branch->call_count; i++) {
		handoffs += shadow_is_handoff(&branch->calls[i]);
	}
	if (!take_handoff(shadow, event->branch, event, CALL_TRANSFER)) {
		return;
	}
	MUST(handoffs == 1, "a transfer is the one handoff of its answer");
	shadow_start_assignment(shadow, branch, event->agent, event->at);
	shadow_answer(shadow, event->branch, event->call, ANSWER_TRANSFERRED, false);
}

// Is there a handoff or a completion whose gates say so?
static bool gates_say(const struct shadow *shadow, uint32_t id, enum team_policy policy)
{
	const struct shadow_branch *branch = &shadow->branches[id];
	if (branch->phase == SHADOW_COMPLETES) {
		return shadow_used_up(shadow, id, RUN_NONE, policy) ||
			(policy == POLICY_RETURN && is_outside(shadow, branch) &&
				branch->attempts >= shadow_own_retries(shadow, id));
	}
	for (uint32_t i = 0; branch->phase == SHADOW_ACTS && i < branch->call_count; i++) {
		const struct shadow_call *call = &branch->calls[i];
		if (shadow_is_handoff(call) && call->answer == ANSWER_NONE && !call->opened &&
			shadow_used_up(shadow, id, i, policy)) {
			return true;
		}
	}
	return false;
}

static void take_ending(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	struct shadow_branch *branch = &shadow->branches[event->branch];
	bool reason = false;
	(void)state;
	MUST(!shadow_is_ending(shadow, event->branch), "a branch ends once");
	if (event->code == OUTCOME_GATE) {
		reason = gates_say(shadow, event->branch, POLICY_RETURN);
	} else if (event->code == OUTCOME_RETRIES) {
		reason = branch->faulted &&
			branch->attempts > shadow_own_retries(shadow, event->branch);
	} else if (event->code == OUTCOME_ABORTED && event->branch == 0) {
		for (uint32_t i = 0; i < shadow->branch_count; i++) {
			reason = reason || gates_say(shadow, i, POLICY_ABORT);
		}
	}
	MUST(reason, "a branch ends for a reason that is true");
	branch->ending = event->code;
}

static void close_completed(struct shadow *shadow, uint32_t id)
{
	const struct shadow_branch *branch = &shadow->branches[id];
	MUST(branch->phase == SHADOW_COMPLETES && !shadow_is_ending(shadow, id),
		"work is done when its agent says so");
	MUST(!branch->effects, "work is done on a workspace that is recorded");
	MUST(shadow_gates_pass(shadow, id, RUN_NONE),
		"no work is done without outputs that hold on the newest tree");
	MUST(!is_outside(shadow, branch), "no work is done while writes outside stand");
	MUST(!branch->messages, "no work is done before a message was read");
}

static void take_closed(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	struct shadow_branch *branch = &shadow->branches[event->branch];
	bool over = shadow->branches[0].ending != OUTCOME_OPEN;
	(void)state;
	for (uint32_t i = 0; i < shadow->command_count; i++) {
		MUST(shadow->commands[i].branch != event->branch,
			"a branch is closed when nothing of it is under way");
	}
	MUST(branch->children == 0, "branches are closed from the bottom up");
	MUST(branch->phase != SHADOW_ACTS || shadow_all_answered(branch),
		"a branch is closed when all its calls are answered");
	if (event->code == OUTCOME_COMPLETED) {
		close_completed(shadow, event->branch);
	} else {
		enum run_outcome why = branch->ending;
		MUST(shadow_is_ending(shadow, event->branch),
			"work that is not done is not closed");
		MUST(event->code == (why == OUTCOME_OPEN ? OUTCOME_CANCELLED : why),
			"a branch is closed for the reason that ended it");
		MUST(!branch->effects ||
				(over && (shadow->sandbox == SANDBOX_NONE || shadow->unavailable)),
			"what a branch did is recorded before it is closed");
	}
	if (shadow->broken) {
		return;
	}
	if (event->code == OUTCOME_COMPLETED) {
		shadow->finished[branch->agent] = event->branch;
	}
	branch->phase = SHADOW_CLOSED;
	branch->outcome = event->code;
	branch->ending = OUTCOME_OPEN;
	shadow_forget_questions(shadow, event->branch, 0, true);
	if (branch->parent != RUN_NONE) {
		bool done = event->code == OUTCOME_COMPLETED;
		shadow->branches[branch->parent].messages += branch->messages;
		shadow->branches[branch->parent].children--;
		shadow_answer(shadow, branch->parent, branch->call,
			done ? ANSWER_REPORT : ANSWER_FAILED_REPORT, false);
	}
}

static void take_parked(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	bool fits_reason = false;
	(void)state;
	MUST(shadow->command_count == 0, "a run parks when nothing is under way");
	if (event->code == PARK_UNAVAILABLE) {
		fits_reason = shadow->unavailable;
	} else if (event->code == PARK_LIMIT) {
		fits_reason = shadow->limit != LIMIT_NONE;
	} else if (event->code == PARK_INTERRUPT) {
		fits_reason = shadow->stopping;
	} else if (event->code == PARK_PERSON) {
		fits_reason = shadow->question_count > 0 && !shadow_is_stopped(shadow);
	}
	MUST(fits_reason, "a run parks for a reason that is true");
	for (uint32_t i = 0; i < shadow->branch_count; i++) {
		MUST(!shadow->branches[i].effects || shadow->branches[i].phase == SHADOW_CLOSED ||
				shadow->sandbox != SANDBOX_OPEN || shadow->unavailable ||
				event->code == PARK_PERSON,
			"a run parks with its workspace recorded");
	}
	shadow->status = RUN_PARKED_STATUS;
	shadow->park = event->code;
	shadow->stopping = false;
}

static void take_finished(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	(void)state;
	for (uint32_t i = 0; i < shadow->branch_count; i++) {
		MUST(shadow->branches[i].phase == SHADOW_CLOSED,
			"no run ends while a branch is open");
	}
	enum run_outcome outcome = shadow->branches[0].outcome;
	enum run_status status = outcome == OUTCOME_COMPLETED ? RUN_DONE
		: outcome == OUTCOME_CANCELLED                ? RUN_CANCELLED
							      : RUN_FAILED;
	MUST(shadow->command_count == 0, "no run ends while something is under way");
	MUST(event->code == status, "a run ends as its root ended");
	shadow->status = event->code;
	shadow->stopping = false;
}

void shadow_take_decision(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	static void (*const kinds[])(struct shadow *, const struct run_event *,
		const struct run_state *) = {[COMMAND_SCHEDULED] = shadow_take_scheduled,
		[GATE_REPEATED] = take_repeated,
		[CALL_ANSWERED] = take_answered,
		[COMPLETION_REFUSED] = take_completion_refused,
		[QUESTION_ASKED] = take_asked,
		[LIMIT_REACHED] = take_limit,
		[BRANCH_OPENED] = take_opened,
		[CONTROL_TRANSFERRED] = take_transferred,
		[BRANCH_ENDING] = take_ending,
		[BRANCH_CLOSED] = take_closed,
		[RUN_PARKED] = take_parked,
		[RUN_FINISHED] = take_finished};
	bool whole = event->kind == BRANCH_OPENED || event->kind == RUN_PARKED ||
		event->kind == RUN_FINISHED ||
		(event->kind == LIMIT_REACHED && event->branch == RUN_NONE);
	MUST(whole ||
			(event->branch < shadow->branch_count &&
				shadow->branches[event->branch].phase != SHADOW_CLOSED),
		"decisions are about open branches");
	if (!shadow->broken) {
		kinds[event->kind](shadow, event, state);
	}
}
