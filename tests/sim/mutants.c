#include "mutants.h"

#include <stdlib.h>
#include <string.h>

#include "shadow.h"

// What the core is told about the team.

static void no_needs(struct sim_team *told)
{
	for (uint32_t i = 0; i < told->rules.edge_count; i++) {
		told->edges[i].need_count = 0;
	}
}

static void no_outputs(struct sim_team *told)
{
	for (uint32_t i = 0; i < told->rules.agent_count; i++) {
		told->agents[i].output_count = 0;
	}
}

static void one_retry_more(struct sim_team *told)
{
	for (uint32_t i = 0; i < told->rules.gate_count; i++) {
		told->gates[i].retries++;
	}
}

static void no_edge_retries(struct sim_team *told)
{
	for (uint32_t i = 0; i < told->rules.edge_count; i++) {
		told->edges[i].retries = -1;
	}
}

static void one_turn_more(struct sim_team *told)
{
	told->rules.limits.max_turns += told->rules.limits.max_turns > 0;
}

static void one_token_more(struct sim_team *told)
{
	told->rules.limits.max_tokens += told->rules.limits.max_tokens > 0;
}

static void no_agent_limits(struct sim_team *told)
{
	for (uint32_t i = 0; i < told->rules.agent_count; i++) {
		told->agents[i].limits = (struct team_limits){0};
	}
}

static void one_level_deeper(struct sim_team *told)
{
	told->rules.limits.max_depth += told->rules.limits.max_depth > 0;
}

static void no_concurrency(struct sim_team *told)
{
	told->rules.limits.max_concurrency = 0;
}

static void no_overlaps(struct sim_team *told)
{
	for (uint32_t i = 0; i < told->rules.agent_count; i++) {
		told->agents[i].overlaps = 0;
	}
}

static void no_writers(struct sim_team *told)
{
	for (uint32_t i = 0; i < told->rules.gate_count; i++) {
		told->gates[i].writers = 0;
	}
}

static void all_gates_alike(struct sim_team *told)
{
	for (uint32_t i = 0; i < told->rules.gate_count; i++) {
		told->gates[i].per_assignment = false;
	}
}

static void nobody_aborts(struct sim_team *told)
{
	for (uint32_t i = 0; i < told->rules.gate_count; i++) {
		told->gates[i].then = POLICY_RETURN;
	}
}

static void free_of_charge(struct sim_team *told)
{
	for (uint32_t i = 0; i < told->rules.agent_count; i++) {
		told->agents[i].price_input = 0;
		told->agents[i].price_output = 0;
	}
}

static void no_output_reserved(struct sim_team *told)
{
	for (uint32_t i = 0; i < told->rules.agent_count; i++) {
		told->agents[i].max_output_tokens = 0;
	}
}

// The facts that the core gets.

static void failing_holds(struct run_event *event, struct run_call_facts *calls)
{
	(void)calls;
	if (event->kind == GATE_CHECKED && event->code == CHECK_FAILS) {
		event->code = CHECK_HOLDS;
	}
}

static void not_made_fails(struct run_event *event, struct run_call_facts *calls)
{
	(void)calls;
	if (event->kind == GATE_CHECKED && event->code == CHECK_NOT_MADE) {
		event->code = CHECK_FAILS;
	}
}

static void nothing_touched(struct run_event *event, struct run_call_facts *calls)
{
	(void)calls;
	event->gate_count = 0;
}

static void nobody_outside(struct run_event *event, struct run_call_facts *calls)
{
	(void)calls;
	if (event->kind == WORKSPACE_RECORDED) {
		event->agents = 0;
	}
}

static void nobody_asks(struct run_event *event, struct run_call_facts *calls)
{
	for (uint32_t i = 0; i < event->call_count; i++) {
		calls[i].ask = false;
	}
}

static void all_read_only(struct run_event *event, struct run_call_facts *calls)
{
	for (uint32_t i = 0; i < event->call_count; i++) {
		calls[i].effectful = false;
	}
}

static void last_call_lost(struct run_event *event, struct run_call_facts *calls)
{
	(void)calls;
	event->call_count -= event->call_count > 1;
}

static void calls_turned_round(struct run_event *event, struct run_call_facts *calls)
{
	if (event->call_count > 1) {
		struct run_call_facts first = calls[0];
		calls[0] = calls[1];
		calls[1] = first;
	}
}

static void no_means_yes(struct run_event *event, struct run_call_facts *calls)
{
	(void)calls;
	if (event->kind == PERSON_ANSWERED && event->code == CHOICE_NO) {
		event->code = CHOICE_YES;
	}
}

static void retry_means_skip(struct run_event *event, struct run_call_facts *calls)
{
	(void)calls;
	if (event->kind == PERSON_ANSWERED && event->code == CHOICE_RETRY) {
		event->code = CHOICE_SKIP;
	}
}

static void does_not_stop(struct run_event *event, struct run_call_facts *calls)
{
	(void)calls;
	if (event->kind == PARK_REQUESTED) {
		event->kind = CLOCK_ADVANCED;
	}
}

static void never_fails(struct run_event *event, struct run_call_facts *calls)
{
	(void)calls;
	if (event->kind == TOOL_ANSWERED) {
		event->failed = false;
	}
}

static void empty_is_fine(struct run_event *event, struct run_call_facts *calls)
{
	(void)calls;
	if (event->kind == MODEL_ANSWERED && event->code == FINISH_EMPTY) {
		event->code = FINISH_TEXT;
	}
}

static void raised_twice(struct run_event *event, struct run_call_facts *calls)
{
	(void)calls;
	event->raise.max_turns *= 2;
}

// The decisions that the core gives.

static void refused_is_done(const struct run_state *state, struct run_event *event)
{
	(void)state;
	if (event->kind == COMPLETION_REFUSED && event->code == NOTE_OUTPUTS) {
		event->kind = BRANCH_CLOSED;
		event->code = OUTCOME_COMPLETED;
	}
}

static void message_unread(const struct run_state *state, struct run_event *event)
{
	(void)state;
	if (event->kind == COMPLETION_REFUSED && event->code == NOTE_MESSAGE) {
		event->kind = BRANCH_CLOSED;
		event->code = OUTCOME_COMPLETED;
	}
}

static void failed_is_done(const struct run_state *state, struct run_event *event)
{
	(void)state;
	if (event->kind == BRANCH_CLOSED) {
		event->code = OUTCOME_COMPLETED;
	}
}

static void wrong_reason(const struct run_state *state, struct run_event *event)
{
	(void)state;
	if (event->kind == CALL_ANSWERED && event->code == ANSWER_REFUSED) {
		event->code = ANSWER_FORBIDDEN;
	}
}

static void always_done(const struct run_state *state, struct run_event *event)
{
	(void)state;
	if (event->kind == RUN_FINISHED) {
		event->code = RUN_DONE;
	}
}

static void ends_early(const struct run_state *state, struct run_event *event)
{
	if (event->kind == BRANCH_CLOSED && state->open_count == 2) {
		event->kind = RUN_FINISHED;
		event->code = RUN_DONE;
	}
}

static void parked_for_nothing(const struct run_state *state, struct run_event *event)
{
	(void)state;
	if (event->kind == RUN_PARKED && event->code == PARK_LIMIT) {
		event->code = PARK_PERSON;
	}
}

static void one_candidate(const struct run_state *state, struct run_event *event)
{
	if (event->kind == COMMAND_SCHEDULED && event->code == COMMAND_RECORD) {
		event->agents = run_agent_bit(state->branches[event->branch].agent);
	}
}

static void opened_unseen(const struct run_state *state, struct run_event *event)
{
	if (event->kind != COMMAND_SCHEDULED || event->code != COMMAND_CHECK_GATE ||
		event->call == RUN_NONE ||
		state->branches[event->branch].calls[event->call].kind != CALL_DELEGATE) {
		return;
	}
	event->kind = BRANCH_OPENED;
	event->parent = event->branch;
	event->branch = state->branch_count;
	event->agent = 0;
}

static void forgets_what_it_said(const struct run_state *state, struct run_event *event)
{
	static bool other;
	(void)state;
	other = !other;
	event->question =
		other && event->kind == QUESTION_ASKED ? event->question + 1 : event->question;
}

static void changes_by_deciding(const struct run_state *state, struct run_event *event)
{
	(void)event;
	((struct run_state *)(uintptr_t)state)->turns++;
}

// The state that the core keeps.

static void starts_again(struct run_state *state, const struct run_event *event)
{
	for (uint32_t i = 0; event->kind == RUN_RESUMED && i < state->branch_count; i++) {
		struct run_branch *branch = &state->branches[i];
		for (uint32_t j = 0; j < branch->call_count; j++) {
			if (branch->calls[j].answer == ANSWER_INTERRUPTED) {
				branch->calls[j].answer = ANSWER_NONE;
				branch->calls[j].command = RUN_NONE;
				branch->phase = PHASE_ACT;
			}
		}
	}
}

static void never_dirty(struct run_state *state, const struct run_event *event)
{
	if (event->kind == TOOL_ANSWERED) {
		state->branches[event->branch].dirty = false;
	}
}

static void nothing_reserved(struct run_state *state, const struct run_event *event)
{
	if (event->kind == COMMAND_SCHEDULED && event->branch != RUN_NONE) {
		state->branches[event->branch].reserved.tokens = 0;
	}
}

static void limit_forgotten(struct run_state *state, const struct run_event *event)
{
	if (event->kind == LIMIT_REACHED) {
		state->limit = LIMIT_NONE;
		state->limits.max_turns += state->limits.max_turns > 0;
	}
}

static void stale_verdict(struct run_state *state, const struct run_event *event)
{
	for (uint32_t i = 0; event->kind == WORKSPACE_RECORDED && i < event->gate_count; i++) {
		state->gates[event->gates[i]].touched = 0;
	}
}

static void refusals_uncounted(struct run_state *state, const struct run_event *event)
{
	if (event->kind == CALL_ANSWERED && event->code == ANSWER_REFUSED) {
		uint32_t edge = state->branches[event->branch].calls
			? state->branches[event->branch].calls[event->call].edge
			: 0;
		state->branches[event->branch].refusals[edge] = 0;
	}
}

static void loses_refusals(struct run_state *state)
{
	for (uint32_t i = 0; i < state->branch_count; i++) {
		free(state->branches[i].refusals);
		state->branches[i].refusals = NULL;
	}
}

const struct mutant mutants[] = {
	{.name = "needs are not looked at", .team = no_needs},
	{.name = "outputs are not looked at", .team = no_outputs},
	{.name = "a gate allows one retry more", .team = one_retry_more},
	{.name = "an edge's retries do not count", .team = no_edge_retries},
	{.name = "the run's limit of turns is off by one", .team = one_turn_more},
	{.name = "the run's limit of tokens is off by one", .team = one_token_more},
	{.name = "agents have no limits", .team = no_agent_limits},
	{.name = "delegations go one level too deep", .team = one_level_deeper},
	{.name = "any number of branches works at once", .team = no_concurrency},
	{.name = "agents with overlapping writes do not wait", .team = no_overlaps},
	{.name = "what is still being written is handed off", .team = no_writers},
	{.name = "a verdict on one assignment is used for another", .team = all_gates_alike},
	{.name = "no gate aborts or asks", .team = nobody_aborts},
	{.name = "models cost nothing", .team = free_of_charge},
	{.name = "the answer's tokens are not reserved", .team = no_output_reserved},
	{.name = "a gate that fails is taken for one that holds", .fact = failing_holds},
	{.name = "a check that was not made is taken for a failure", .fact = not_made_fails},
	{.name = "a record does not make verdicts old", .fact = nothing_touched},
	{.name = "writes outside are forgotten", .fact = nobody_outside},
	{.name = "nobody is asked for permission", .fact = nobody_asks},
	{.name = "effectful calls are taken for read-only ones", .fact = all_read_only},
	{.name = "the last call of an answer is lost", .fact = last_call_lost},
	{.name = "calls are answered in each other's place", .fact = calls_turned_round},
	{.name = "a person's no is taken for a yes", .fact = no_means_yes},
	{.name = "a person's retry is taken for a skip", .fact = retry_means_skip},
	{.name = "an interrupt does not stop the run", .fact = does_not_stop},
	{.name = "failing calls are not counted", .fact = never_fails},
	{.name = "an empty answer asks for completion", .fact = empty_is_fine},
	{.name = "limits are raised twice", .fact = raised_twice},
	{.name = "work is done although its outputs fail", .decision = refused_is_done},
	{.name = "work is done before a message was read", .decision = message_unread},
	{.name = "work that failed is reported as done", .decision = failed_is_done},
	{.name = "a refusal gives a wrong reason", .decision = wrong_reason},
	{.name = "every run is done in the end", .decision = always_done},
	{.name = "a run ends while a branch is open", .decision = ends_early},
	{.name = "a run parks for a person whom nobody asked", .decision = parked_for_nothing},
	{.name = "only one agent may have written", .decision = one_candidate},
	{.name = "a branch is opened without a verdict", .decision = opened_unseen},
	{.name = "the second decision differs from the first", .decision = forgets_what_it_said},
	{.name = "deciding changes the state", .decision = changes_by_deciding},
	{.name = "an effectful call is started again after a crash", .after = starts_again},
	{.name = "the workspace is not recorded", .after = never_dirty},
	{.name = "reservations are forgotten", .after = nothing_reserved},
	{.name = "a limit that was reached is forgotten", .after = limit_forgotten},
	{.name = "an old verdict opens a handoff", .after = stale_verdict},
	{.name = "refusals are not counted", .after = refusals_uncounted},
	{.name = "a loaded state has lost something", .loaded = loses_refusals},
	{.name = "late results are taken", .takes_everything = true},
};
const size_t mutant_count = sizeof(mutants) / sizeof(mutants[0]);

void mutant_tells(const struct mutant *mutant, struct sim_team *told)
{
	if (mutant && mutant->team) {
		mutant->team(told);
	}
}

bool mutant_apply(const struct mutant *mutant, struct run_state *state,
	const struct run_rules *rules, const struct run_event *event)
{
	if (!mutant) {
		return run_apply(state, rules, event);
	}
	struct run_event forged = *event;
	struct run_call_facts calls[SIM_CALLS];
	if (event->call_count && event->calls) {
		memcpy(calls, event->calls, event->call_count * sizeof(calls[0]));
		forged.calls = calls;
	}
	if (mutant->fact && event->kind < COMMAND_SCHEDULED) {
		mutant->fact(&forged, calls);
	}
	bool applied = run_apply(state, rules, &forged);
	if (applied && mutant->after) {
		mutant->after(state, event);
	}
	return applied || mutant->takes_everything;
}

bool mutant_decide(const struct mutant *mutant, const struct run_state *state,
	const struct run_rules *rules, struct run_event *event)
{
	bool decided = run_decide(state, rules, event);
	if (decided && mutant && mutant->decision) {
		mutant->decision(state, event);
	}
	return decided;
}

void mutant_loaded(const struct mutant *mutant, struct run_state *state)
{
	if (mutant && mutant->loaded) {
		mutant->loaded(state);
	}
}
