#include "shadow_gates.h"

#include "shadow_room.h"

#define MUST(condition, rule) shadow_must(shadow, condition, rule)

static const struct shadow_list *list_of(
	const struct shadow *shadow, uint32_t branch, uint32_t call)
{
	const struct shadow_branch *at = &shadow->branches[branch];
	return call == RUN_NONE ? &at->completion : &at->calls[call].list;
}

static uint32_t bits(const uint32_t *gates, uint32_t count)
{
	uint32_t set = 0;
	for (uint32_t i = 0; i < count; i++) {
		set |= 1u << gates[i];
	}
	return set;
}

static uint32_t outputs(const struct shadow *shadow, uint32_t agent)
{
	return bits(
		shadow->rules->agents[agent].outputs, shadow->rules->agents[agent].output_count);
}

uint32_t shadow_gates_before(const struct shadow *shadow, uint32_t branch, uint32_t call)
{
	const struct shadow_branch *at = &shadow->branches[branch];
	if (call == RUN_NONE) {
		return outputs(shadow, at->agent) | outputs(shadow, at->assignee);
	}
	const struct run_edge *edge = &shadow->rules->edges[at->calls[call].facts.edge];
	return bits(edge->needs, edge->need_count) |
		(edge->kind == EDGE_TRANSFER ? outputs(shadow, at->agent) : 0);
}

static bool is_found(const struct shadow *shadow, const struct shadow_list *list, uint32_t gate,
	enum shadow_finding finding)
{
	return list->found[gate] == finding && shadow->gates[gate].touched <= list->record[gate];
}

// How many of the gates are not found out on the newest tree, fail, or wait for a person.
static void tally(const struct shadow *shadow, uint32_t branch, uint32_t call, uint32_t *open,
	uint32_t *failing, uint32_t *waiting)
{
	const struct shadow_list *list = list_of(shadow, branch, call);
	uint32_t gates = shadow_gates_before(shadow, branch, call);
	*open = 0;
	*waiting = 0;
	*failing = 0;
	for (uint32_t gate = 0; gate < shadow->rules->gate_count; gate++) {
		if (!(gates >> gate & 1)) {
			continue;
		}
		bool fails = is_found(shadow, list, gate, FOUND_FAILS);
		// A person is to be asked, or was: then that is what is missing last.
		bool waits = is_found(shadow, list, gate, FOUND_ASKED) ||
			(list->found[gate] == FOUND_ASKED &&
				shadow_question_of(shadow, QUESTION_GATE, branch, call, gate));
		bool passes = is_found(shadow, list, gate, FOUND_HOLDS) ||
			list->found[gate] == FOUND_SKIPPED;
		*failing |= fails ? 1u << gate : 0;
		*open += !fails && !passes && !waits;
		*waiting += waits;
	}
}

bool shadow_gates_ask(const struct shadow *shadow, uint32_t branch, uint32_t call)
{
	uint32_t open, failing, waiting;
	tally(shadow, branch, call, &open, &failing, &waiting);
	return open == 0 && failing == 0 && waiting > 0;
}

bool shadow_gates_pass(const struct shadow *shadow, uint32_t branch, uint32_t call)
{
	uint32_t open, failing, waiting;
	tally(shadow, branch, call, &open, &failing, &waiting);
	return open == 0 && failing == 0 && waiting == 0;
}

bool shadow_gates_fail(const struct shadow *shadow, uint32_t branch, uint32_t call)
{
	uint32_t open, failing, waiting;
	tally(shadow, branch, call, &open, &failing, &waiting);
	return open == 0 && failing != 0;
}

static uint32_t gates_written(
	const struct shadow *shadow, uint32_t branch, uint32_t call, uint32_t agent)
{
	const struct shadow_call *at = &shadow->branches[branch].calls[call];
	const struct run_edge *edge = &shadow->rules->edges[at->facts.edge];
	uint32_t set = 0;
	for (uint32_t i = 0; i < edge->need_count; i++) {
		uint32_t gate = edge->needs[i];
		if (at->list.found[gate] != FOUND_SKIPPED &&
			shadow_writing(shadow, branch, gate, agent)) {
			set |= 1u << gate;
		}
	}
	return set;
}

bool shadow_still_writing(
	const struct shadow *shadow, uint32_t branch, uint32_t call, uint32_t agent)
{
	return gates_written(shadow, branch, call, agent) != 0;
}

bool shadow_any_writing(const struct shadow *shadow, uint32_t branch, uint32_t call)
{
	for (uint32_t agent = 0; agent < shadow->rules->agent_count; agent++) {
		if (shadow_still_writing(shadow, branch, call, agent)) {
			return true;
		}
	}
	return false;
}

static int64_t least_retries(const struct shadow *shadow, uint32_t gates)
{
	int64_t least = INT64_MAX;
	for (uint32_t gate = 0; gate < shadow->rules->gate_count; gate++) {
		int64_t retries = shadow->rules->gates[gate].retries;
		least = gates >> gate & 1 && retries < least ? retries : least;
	}
	return least == INT64_MAX ? RUN_FAULT_RETRIES : least;
}

static bool left(const struct shadow *shadow, uint32_t branch, uint32_t call, uint32_t failing)
{
	const struct shadow_branch *at = &shadow->branches[branch];
	int64_t retries = least_retries(shadow, failing), spent = at->attempts;
	if (call != RUN_NONE) {
		const struct run_edge *edge = &shadow->rules->edges[at->calls[call].facts.edge];
		retries = edge->retries >= 0 ? edge->retries : retries;
		spent = at->refusals[at->calls[call].facts.edge];
	}
	return spent < retries + at->allowance;
}

bool shadow_retry_left(const struct shadow *shadow, uint32_t branch, uint32_t call)
{
	uint32_t open, failing, waiting;
	tally(shadow, branch, call, &open, &failing, &waiting);
	return left(shadow, branch, call, failing);
}

bool shadow_write_retry_left(
	const struct shadow *shadow, uint32_t branch, uint32_t call, uint32_t agent)
{
	return left(shadow, branch, call, gates_written(shadow, branch, call, agent));
}

static bool strictest_is(const struct shadow *shadow, uint32_t gates, enum team_policy policy)
{
	enum team_policy strictest = POLICY_RETURN;
	for (uint32_t gate = 0; gate < shadow->rules->gate_count; gate++) {
		enum team_policy then = shadow->rules->gates[gate].then;
		strictest = gates >> gate & 1 && then > strictest ? then : strictest;
	}
	return strictest == policy;
}

bool shadow_used_up(
	const struct shadow *shadow, uint32_t branch, uint32_t call, enum team_policy policy)
{
	uint32_t open, failing, waiting;
	for (uint32_t agent = 0; call != RUN_NONE && agent < shadow->rules->agent_count; agent++) {
		uint32_t written = gates_written(shadow, branch, call, agent);
		if (written && !left(shadow, branch, call, written) &&
			strictest_is(shadow, written, policy)) {
			return true;
		}
	}
	tally(shadow, branch, call, &open, &failing, &waiting);
	return open == 0 && failing && !left(shadow, branch, call, failing) &&
		strictest_is(shadow, failing, policy);
}

int64_t shadow_own_retries(const struct shadow *shadow, uint32_t branch)
{
	const struct shadow_branch *at = &shadow->branches[branch];
	return least_retries(shadow, outputs(shadow, at->agent)) + at->allowance;
}

static bool tools_done(const struct shadow_branch *branch)
{
	for (uint32_t i = 0; i < branch->call_count; i++) {
		enum run_call_kind kind = branch->calls[i].facts.kind;
		if ((kind == CALL_TOOL || kind == CALL_PERSON) &&
			branch->calls[i].answer == ANSWER_NONE) {
			return false;
		}
	}
	return true;
}

// What a check, a repeated verdict, a refusal and an opening have in common.
struct shadow_list *shadow_looked_at(struct shadow *shadow, const struct run_event *event)
{
	struct shadow_branch *branch = &shadow->branches[event->branch];
	if (event->call == RUN_NONE) {
		MUST(branch->phase == SHADOW_COMPLETES,
			"outputs are looked at when completion is asked for");
	} else {
		MUST(branch->phase == SHADOW_ACTS && event->call < branch->call_count &&
				shadow_is_handoff(&branch->calls[event->call]) &&
				branch->calls[event->call].answer == ANSWER_NONE &&
				!branch->calls[event->call].opened,
			"a handoff is looked at until it is answered or opened");
		MUST(tools_done(branch), "handoffs come after the tools of their answer");
	}
	MUST(shadow->sandbox == SANDBOX_OPEN ||
			!shadow_gates_before(shadow, event->branch, event->call),
		"verdicts are acted on while the workspace is there to be looked at");
	MUST(!branch->effects, "gates look at a workspace that is recorded");
	return shadow->broken ? NULL : shadow_list_of(branch, event->call);
}

struct shadow_list *shadow_gate_looked_at(struct shadow *shadow, const struct run_event *event)
{
	struct shadow_list *list = shadow_looked_at(shadow, event);
	MUST(!list ||
			(event->gate < shadow->rules->gate_count &&
				shadow_gates_before(shadow, event->branch, event->call) >>
						event->gate &
					1),
		"a gate is looked at that stands there");
	return shadow->broken ? NULL : list;
}
