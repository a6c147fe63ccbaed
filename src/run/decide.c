#include "run/decide.h"

#include "run/fold.h"

bool decide_command(const struct run_state *state, struct run_event *event, uint32_t branch,
	enum run_command_kind kind)
{
	event->kind = COMMAND_SCHEDULED;
	event->branch = branch;
	event->command = state->branches[branch].next_command;
	event->code = kind;
	event->call = RUN_NONE;
	event->gate = RUN_NONE;
	return true;
}

bool decide_event(struct run_event *event, enum run_event_kind kind, uint32_t branch, uint32_t code)
{
	event->kind = kind;
	event->branch = branch;
	event->code = code;
	event->call = RUN_NONE;
	event->gate = RUN_NONE;
	return true;
}

enum fit { FITS, FITS_LATER, FITS_NEVER };

struct want {
	enum run_limit limit;
	int64_t most, used, reserved, wanted;
};

static enum fit fit(const struct want *want)
{
	if (want->wanted == 0 || want->most == 0 ||
		want->used + want->reserved + want->wanted <= want->most) {
		return FITS;
	}
	// What is under way may turn out smaller than what was reserved for it.
	return want->reserved > 0 ? FITS_LATER : FITS_NEVER;
}

// Does it fit into these limits? The first one that it does not fit is in *limit.
static enum fit fit_all(const struct team_limits *limits, const struct run_use *used,
	const struct run_use *reserved, const struct run_use *wanted, enum run_limit *limit)
{
	const struct want wants[] = {
		{LIMIT_TURNS, limits->max_turns, used->turns, reserved->turns, wanted->turns},
		{LIMIT_TOKENS, limits->max_tokens, used->tokens, reserved->tokens, wanted->tokens},
		{LIMIT_USD, limits->max_nano_usd, used->nano_usd, reserved->nano_usd,
			wanted->nano_usd},
		{LIMIT_TOOL_CALLS, limits->max_tool_calls, used->tool_calls, 0, wanted->tool_calls},
		{LIMIT_HANDOFFS, limits->max_handoffs, used->handoffs, 0, wanted->handoffs},
	};
	enum fit worst = FITS;
	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		enum fit this = fit(&wants[i]);
		if (this > worst) {
			worst = this;
			*limit = wants[i].limit;
		}
	}
	return worst;
}

enum decision decide_room(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, const struct run_use *wanted, struct run_event *event)
{
	enum run_limit limit = LIMIT_NONE;
	enum fit worst = fit_all(&state->limits, &state->used, &state->reserved, wanted, &limit);
	uint32_t scope = RUN_NONE;
	for (uint32_t id = branch; id != RUN_NONE && worst != FITS_NEVER;
		id = state->branches[id].parent) {
		const struct run_branch *at = &state->branches[id];
		enum run_limit reached = LIMIT_NONE;
		enum fit this = fit_all(&rules->agents[at->agent].limits, &at->used, &at->reserved,
			wanted, &reached);
		if (this > worst) {
			worst = this;
			limit = reached;
			scope = id;
		}
	}
	if (worst == FITS_NEVER) {
		decide_event(event, LIMIT_REACHED, scope, limit);
		return DECIDED;
	}
	return worst == FITS ? GO_ON : WAIT;
}

// Has it a command under way that takes one of the places of max_concurrency?
static bool has_place(const struct run_state *state, uint32_t branch)
{
	return run_under_way(state, branch, COMMAND_CALL_MODEL) ||
		run_under_way(state, branch, COMMAND_CALL_TOOL);
}

bool decide_place(const struct run_state *state, uint32_t branch)
{
	int64_t taken = 0;
	if (branch != RUN_NONE && has_place(state, branch)) {
		return true;
	}
	for (uint32_t i = 0; i < state->open_count; i++) {
		uint32_t id = state->open[i];
		// To open one more, those that are about to think count as well.
		bool thinks = branch == RUN_NONE && state->branches[id].phase == PHASE_THINK;
		bool works = thinks || has_place(state, id) ||
			run_under_way(state, id, COMMAND_CHECK_GATE);
		taken += works && id != branch;
	}
	return state->limits.max_concurrency == 0 || taken < state->limits.max_concurrency;
}

// The least retries over the gates of a list; `fallback` when none counts.
static int64_t least_retries(const struct run_rules *rules, const struct run_checklist *list,
	bool failing_only, int64_t fallback)
{
	int64_t least = INT64_MAX;
	for (uint32_t i = 0; i < list->count; i++) {
		int64_t retries = rules->gates[list->checks[i].gate].retries;
		bool counts = !failing_only || list->checks[i].progress == PROGRESS_FAILS;
		if (counts && retries < least) {
			least = retries;
		}
	}
	return least == INT64_MAX ? fallback : least;
}

static int64_t output_retries(const struct run_rules *rules, const struct run_branch *branch)
{
	const struct run_agent *agent = &rules->agents[branch->agent];
	int64_t least = INT64_MAX;
	for (uint32_t i = 0; i < agent->output_count; i++) {
		int64_t retries = rules->gates[agent->outputs[i]].retries;
		least = retries < least ? retries : least;
	}
	return least == INT64_MAX ? RUN_FAULT_RETRIES : least;
}

static enum team_policy strictest(const struct run_rules *rules, const struct run_checklist *list)
{
	enum team_policy policy = POLICY_RETURN;
	for (uint32_t i = 0; i < list->count; i++) {
		enum team_policy then = rules->gates[list->checks[i].gate].then;
		if (list->checks[i].progress == PROGRESS_FAILS && then > policy) {
			policy = then;
		}
	}
	return policy;
}

enum decision decide_used_up(const struct run_state *state, enum team_policy policy,
	uint32_t branch, uint32_t call, struct run_event *event)
{
	if (policy == POLICY_ABORT) {
		decide_event(event, BRANCH_ENDING, 0, OUTCOME_ABORTED);
	} else if (policy == POLICY_RETURN) {
		decide_event(event, BRANCH_ENDING, branch, OUTCOME_GATE);
	} else {
		if (run_question_find(state, QUESTION_POLICY, branch, call, RUN_NONE) != RUN_NONE) {
			return WAIT;
		}
		decide_event(event, QUESTION_ASKED, branch, QUESTION_POLICY);
		event->question = state->next_question;
		event->call = call;
	}
	return DECIDED;
}

// One step of one check; GO_ON: it is decided, one way or the other.
static enum decision check_step(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, uint32_t call, const struct run_check *check, struct run_event *event)
{
	const struct run_gate_state *gate = &state->gates[check->gate];
	bool asks = check->progress == PROGRESS_ASKED &&
		run_question_find(state, QUESTION_GATE, branch, call, check->gate) == RUN_NONE;
	bool decided = check->progress == PROGRESS_HOLDS || check->progress == PROGRESS_FAILS;
	if (check->progress == PROGRESS_SCHEDULED) {
		return WAIT;
	}
	if (check->progress == PROGRESS_PENDING && gate->known &&
		!rules->gates[check->gate].per_assignment && gate->touched <= gate->record) {
		decide_event(event, GATE_REPEATED, branch, gate->holds ? CHECK_HOLDS : CHECK_FAILS);
		event->record = gate->record;
	} else if (check->progress == PROGRESS_PENDING ||
		((decided || asks) && run_check_stale(state, check))) {
		decide_command(state, event, branch, COMMAND_CHECK_GATE);
		event->record = state->record;
	} else {
		return GO_ON;
	}
	event->call = call;
	event->gate = check->gate;
	return DECIDED;
}

// A person is asked about one gate after the other, and only if nothing else stands against it.
static enum decision decide_asking(const struct run_state *state, uint32_t branch, uint32_t call,
	const struct run_checklist *list, struct run_event *event)
{
	for (uint32_t i = 0; i < list->count; i++) {
		uint32_t gate = list->checks[i].gate;
		if (list->checks[i].progress != PROGRESS_ASKED) {
			continue;
		}
		if (run_question_find(state, QUESTION_GATE, branch, call, gate) != RUN_NONE) {
			return WAIT;
		}
		decide_event(event, QUESTION_ASKED, branch, QUESTION_GATE);
		event->question = state->next_question;
		event->call = call;
		event->gate = gate;
		return DECIDED;
	}
	return GO_ON;
}

enum decision decide_checks(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, uint32_t call, bool *holds, struct run_event *event)
{
	struct run_branch *at = &state->branches[branch];
	const struct run_checklist *list = run_checklist_of(at, call);
	enum decision result = GO_ON;
	*holds = true;
	if (list->count && state->sandbox != SANDBOX_OPEN) {
		return WAIT; // the workspace may have been changed while nobody drove the run
	}
	for (uint32_t i = 0; i < list->count; i++) {
		const struct run_check *check = &list->checks[i];
		enum decision step = check_step(state, rules, branch, call, check, event);
		if (step == DECIDED) {
			return DECIDED;
		}
		if (step == WAIT) {
			result = WAIT;
		}
		if (check->progress == PROGRESS_FAILS) {
			*holds = false;
		}
	}
	return result == GO_ON && *holds ? decide_asking(state, branch, call, list, event) : result;
}

enum decision decide_refusal(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, uint32_t call, struct run_event *event)
{
	struct run_branch *at = &state->branches[branch];
	const struct run_checklist *list = run_checklist_of(at, call);
	int64_t spent = at->attempts;
	int64_t retries = least_retries(rules, list, true, RUN_FAULT_RETRIES);
	if (call != RUN_NONE) {
		const struct run_edge *edge = &rules->edges[at->calls[call].edge];
		spent = at->refusals ? at->refusals[at->calls[call].edge] : 0;
		retries = edge->retries >= 0 ? edge->retries : retries;
	}
	if (spent >= retries + at->allowance) {
		return decide_used_up(state, strictest(rules, list), branch, call, event);
	}
	if (call == RUN_NONE) {
		decide_event(event, COMPLETION_REFUSED, branch, NOTE_OUTPUTS);
	} else {
		decide_event(event, CALL_ANSWERED, branch, ANSWER_REFUSED);
		event->call = call;
	}
	return DECIDED;
}

static enum decision decide_think(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, struct run_event *event)
{
	const struct run_branch *at = &state->branches[branch];
	const struct run_agent *agent = &rules->agents[at->agent];
	if (run_under_way(state, branch, COMMAND_CALL_MODEL)) {
		return WAIT;
	}
	bool fault = at->note >= NOTE_EMPTY && at->note <= NOTE_REPEATED;
	if (fault && at->attempts > output_retries(rules, at) + at->allowance) {
		decide_event(event, BRANCH_ENDING, branch, OUTCOME_RETRIES);
		return DECIDED;
	}
	if (!decide_place(state, branch)) {
		return WAIT;
	}
	int64_t input = at->bytes / 3;
	struct run_use wanted = {.turns = 1, .tokens = input + agent->max_output_tokens};
	wanted.nano_usd = run_price(agent, input, 0, agent->max_output_tokens);
	enum decision room = decide_room(state, rules, branch, &wanted, event);
	if (room != GO_ON) {
		return room;
	}
	decide_command(state, event, branch, COMMAND_CALL_MODEL);
	event->agent = at->agent;
	event->reserved_tokens = wanted.tokens;
	event->reserved_nano_usd = wanted.nano_usd;
	return DECIDED;
}

static enum decision decide_complete(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, struct run_event *event)
{
	const struct run_branch *at = &state->branches[branch];
	bool holds;
	if (at->dirty) {
		return WAIT;
	}
	if (state->violators & (run_agent_bit(at->agent) | run_agent_bit(at->assignee))) {
		bool used_up = at->attempts >= output_retries(rules, at) + at->allowance;
		if (used_up) {
			decide_event(event, BRANCH_ENDING, branch, OUTCOME_GATE);
		} else {
			decide_event(event, COMPLETION_REFUSED, branch, NOTE_OUTSIDE);
		}
		return DECIDED;
	}
	enum decision checks = decide_checks(state, rules, branch, RUN_NONE, &holds, event);
	if (checks != GO_ON) {
		return checks;
	}
	if (!holds) {
		return decide_refusal(state, rules, branch, RUN_NONE, event);
	}
	if (at->messages) {
		decide_event(event, COMPLETION_REFUSED, branch, NOTE_MESSAGE);
	} else if (at->outstanding) {
		return WAIT; // the sandbox may still be opening
	} else {
		decide_event(event, BRANCH_CLOSED, branch, OUTCOME_COMPLETED);
	}
	return DECIDED;
}

static bool tools_pending(const struct run_branch *branch)
{
	for (uint32_t i = 0; i < branch->call_count; i++) {
		if (branch->calls[i].kind == CALL_TOOL && branch->calls[i].answer == ANSWER_NONE) {
			return true;
		}
	}
	return false;
}

// Did an earlier answer change what is not recorded yet? Then its record comes first.
static bool is_unrecorded(const struct run_branch *branch)
{
	for (uint32_t i = 0; i < branch->call_count; i++) {
		if (branch->calls[i].effectful && branch->calls[i].command != RUN_NONE) {
			return false;
		}
	}
	return branch->dirty;
}

// The workspace is recorded once per answer, when its tools are done.
static enum decision decide_record(
	const struct run_state *state, uint32_t branch, struct run_event *event)
{
	const struct run_branch *at = &state->branches[branch];
	if (!at->dirty || state->recording || state->sandbox != SANDBOX_OPEN) {
		return GO_ON;
	}
	decide_command(state, event, branch, COMMAND_RECORD);
	event->agents = state->unrecorded;
	for (uint32_t i = 0; i < state->open_count; i++) {
		const struct run_branch *other = &state->branches[state->open[i]];
		if (other->dirty) {
			event->agents |= run_agent_bit(other->agent);
		}
	}
	for (uint32_t i = 0; i < state->command_count; i++) {
		const struct run_command *command = &state->commands[i];
		if (command->kind == COMMAND_CALL_TOOL && command->effectful) {
			event->agents |= run_agent_bit(state->branches[command->branch].agent);
		}
	}
	return DECIDED;
}

static enum decision decide_branch(const struct run_state *state, const struct run_rules *rules,
	uint32_t branch, struct run_event *event)
{
	const struct run_branch *at = &state->branches[branch];
	bool due = !tools_pending(at) || is_unrecorded(at);
	if (due && decide_record(state, branch, event) == DECIDED) {
		return DECIDED;
	}
	switch (at->phase) {
	case PHASE_THINK:
		return decide_think(state, rules, branch, event);
	case PHASE_ACT:
		return decide_act(state, rules, branch, event);
	case PHASE_COMPLETE:
		return decide_complete(state, rules, branch, event);
	case PHASE_CLOSED:
		break;
	}
	return WAIT;
}

static enum decision decide_time(
	const struct run_state *state, const struct run_rules *rules, struct run_event *event)
{
	if (run_branch_ending(state, 0) || state->branches[0].phase == PHASE_CLOSED ||
		state->limit != LIMIT_NONE) {
		return GO_ON;
	}
	if (state->limits.timeout && state->now >= state->limits.timeout) {
		decide_event(event, LIMIT_REACHED, RUN_NONE, LIMIT_TIME);
		return DECIDED;
	}
	for (uint32_t i = 0; i < state->open_count; i++) {
		const struct run_branch *branch = &state->branches[state->open[i]];
		int64_t timeout = rules->agents[branch->agent].limits.timeout;
		if (timeout && state->now >= branch->started + timeout &&
			!run_branch_ending(state, state->open[i])) {
			decide_event(event, LIMIT_REACHED, state->open[i], LIMIT_TIME);
			return DECIDED;
		}
	}
	return GO_ON;
}

static enum decision decide_finish(
	const struct run_state *state, const struct run_rules *rules, struct run_event *event)
{
	const struct run_branch *root = &state->branches[0];
	(void)rules;
	if (root->phase != PHASE_CLOSED || state->command_count) {
		return GO_ON;
	}
	enum run_status status = root->outcome == OUTCOME_COMPLETED ? RUN_DONE
		: root->outcome == OUTCOME_CANCELLED                ? RUN_CANCELLED
								    : RUN_FAILED;
	decide_event(event, RUN_FINISHED, 0, status);
	return DECIDED;
}

// Closes what is ending, from the leaves up: every open call gets its answer, the workspace is
// recorded, the branch is closed.
static enum decision decide_endings(
	const struct run_state *state, const struct run_rules *rules, struct run_event *event)
{
	(void)rules;
	for (uint32_t i = state->open_count; i-- > 0;) {
		uint32_t id = state->open[i];
		const struct run_branch *branch = &state->branches[id];
		if (!run_branch_ending(state, id) || branch->outstanding || branch->open_children) {
			continue;
		}
		if (!state->unavailable && decide_record(state, id, event) == DECIDED) {
			return DECIDED;
		}
		// Only when the whole run ends, what cannot be recorded is let go.
		bool let_go = run_branch_ending(state, 0) && !state->recording &&
			state->sandbox != SANDBOX_OPENING;
		if (branch->dirty && !let_go) {
			continue;
		}
		for (uint32_t call = 0; call < branch->call_count; call++) {
			if (branch->phase == PHASE_ACT &&
				branch->calls[call].answer == ANSWER_NONE) {
				decide_event(event, CALL_ANSWERED, id, ANSWER_CANCELLED);
				event->call = call;
				return DECIDED;
			}
		}
		decide_event(event, BRANCH_CLOSED, id,
			branch->ending != OUTCOME_OPEN ? branch->ending : OUTCOME_CANCELLED);
		return DECIDED;
	}
	return GO_ON;
}

static enum decision decide_stop(
	const struct run_state *state, const struct run_rules *rules, struct run_event *event)
{
	(void)rules;
	if (!state->stopping && state->limit == LIMIT_NONE && !state->unavailable) {
		return GO_ON;
	}
	if (state->command_count) {
		return WAIT;
	}
	for (uint32_t i = 0; i < state->open_count && !state->unavailable; i++) {
		if (decide_record(state, state->open[i], event) == DECIDED) {
			return DECIDED;
		}
	}
	decide_event(event, RUN_PARKED, 0,
		state->unavailable                   ? PARK_UNAVAILABLE
			: state->limit != LIMIT_NONE ? PARK_LIMIT
						     : PARK_INTERRUPT);
	return DECIDED;
}

static enum decision decide_sandbox(
	const struct run_state *state, const struct run_rules *rules, struct run_event *event)
{
	(void)rules;
	if (state->sandbox != SANDBOX_NONE || run_branch_ending(state, 0)) {
		return GO_ON;
	}
	decide_command(state, event, 0, COMMAND_OPEN_SANDBOX);
	return DECIDED;
}

static enum decision decide_work(
	const struct run_state *state, const struct run_rules *rules, struct run_event *event)
{
	for (uint32_t i = 0; i < state->open_count; i++) {
		if (!run_branch_ending(state, state->open[i]) &&
			decide_branch(state, rules, state->open[i], event) == DECIDED) {
			return DECIDED;
		}
	}
	return GO_ON;
}

static enum decision decide_person(
	const struct run_state *state, const struct run_rules *rules, struct run_event *event)
{
	(void)rules;
	if (!run_waits(state)) {
		return WAIT;
	}
	decide_event(event, RUN_PARKED, 0, PARK_PERSON);
	return DECIDED;
}

bool run_decide(
	const struct run_state *state, const struct run_rules *rules, struct run_event *event)
{
	static enum decision (*const steps[])(
		const struct run_state *, const struct run_rules *, struct run_event *) = {
		decide_finish,
		decide_time,
		decide_endings,
		decide_stop,
		decide_sandbox,
		decide_work,
		decide_person,
	};
	if (state->branch_count == 0 || state->status != RUN_RUNNING) {
		return false;
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		// Each step starts from a clean event: one that only looked leaves nothing behind.
		*event = (struct run_event){.at = state->now,
			.branch = RUN_NONE,
			.call = RUN_NONE,
			.gate = RUN_NONE,
			.agent = RUN_NONE,
			.parent = RUN_NONE,
			.question = RUN_NONE};
		enum decision decision = steps[i](state, rules, event);
		if (decision != GO_ON) {
			return decision == DECIDED;
		}
	}
	return false;
}
