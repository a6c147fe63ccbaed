/* Is there room (limits, places), and who waits for it? */
#include "shadow_room.h"

#define MUST(condition, rule) shadow_must(shadow, condition, rule)

bool shadow_is_handoff(const struct shadow_call *call)
{
	return call->facts.kind == CALL_DELEGATE || call->facts.kind == CALL_TRANSFER;
}

bool shadow_is_stopped(const struct shadow *shadow)
{
	return shadow->stopping || shadow->limit != LIMIT_NONE || shadow->unavailable;
}

uint32_t shadow_commands_open(
	const struct shadow *shadow, uint32_t branch, enum run_command_kind kind)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < shadow->command_count; i++) {
		const struct shadow_command *command = &shadow->commands[i];
		count += command->branch == branch && command->kind == kind;
	}
	return count;
}

bool shadow_at_work(const struct shadow *shadow, uint32_t branch)
{
	return shadow_commands_open(shadow, branch, COMMAND_CALL_MODEL) ||
		shadow_commands_open(shadow, branch, COMMAND_CALL_TOOL);
}

// Is there a place for this branch, beside the others that are at work?
bool shadow_place_left(const struct shadow *shadow, uint32_t branch)
{
	int64_t others = 0;
	for (uint32_t i = 0; i < shadow->branch_count; i++) {
		others += i != branch && shadow_at_work(shadow, i);
	}
	return shadow->limits.max_concurrency == 0 || others < shadow->limits.max_concurrency;
}

static bool fits(const struct team_limits *limits, const struct run_use *used,
	const struct run_use *reserved, const struct run_use *wanted)
{
	const int64_t most[] = {limits->max_turns, limits->max_tokens, limits->max_nano_usd,
		limits->max_tool_calls, limits->max_handoffs};
	const int64_t sums[] = {used->turns + reserved->turns + wanted->turns,
		used->tokens + reserved->tokens + wanted->tokens,
		used->nano_usd + reserved->nano_usd + wanted->nano_usd,
		used->tool_calls + wanted->tool_calls, used->handoffs + wanted->handoffs};
	const int64_t wants[] = {wanted->turns, wanted->tokens, wanted->nano_usd,
		wanted->tool_calls, wanted->handoffs};
	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		if (most[i] && wants[i] && sums[i] > most[i]) {
			return false;
		}
	}
	return true;
}

bool shadow_fits_everywhere(
	const struct shadow *shadow, uint32_t branch, const struct run_use *wanted)
{
	if (!fits(&shadow->limits, &shadow->used, &shadow->reserved, wanted)) {
		return false;
	}
	for (; branch != RUN_NONE; branch = shadow->branches[branch].parent) {
		const struct shadow_branch *at = &shadow->branches[branch];
		if (!fits(&shadow->rules->agents[at->agent].limits, &at->used, &at->reserved,
			    wanted)) {
			return false;
		}
	}
	return true;
}

struct run_use shadow_request_use(
	const struct shadow *shadow, uint32_t branch, const struct run_state *state)
{
	const struct run_agent *agent = &shadow->rules->agents[shadow->branches[branch].agent];
	int64_t input = state->branches[branch].bytes / 3;
	return (struct run_use){.turns = 1,
		.tokens = input + agent->max_output_tokens,
		.nano_usd = shadow_price(agent, input, 0, agent->max_output_tokens)};
}

// Why does a branch that should think not ask its model? False: for no reason.
static bool waits_with_reason(
	const struct shadow *shadow, uint32_t branch, const struct run_state *state)
{
	struct run_use wanted = shadow_request_use(shadow, branch, state);
	int64_t working = 0;
	for (uint32_t i = 0; i < shadow->branch_count; i++) {
		working += i != branch &&
			(shadow_at_work(shadow, i) ||
				shadow_commands_open(shadow, i, COMMAND_CHECK_GATE));
	}
	return shadow_commands_open(shadow, branch, COMMAND_CALL_MODEL) ||
		!shadow_fits_everywhere(shadow, branch, &wanted) ||
		(shadow->limits.max_concurrency && working >= shadow->limits.max_concurrency);
}

// Why does a call of the last answer not go on?
static bool call_waits_with_reason(const struct shadow *shadow, uint32_t id, uint32_t index)
{
	const struct shadow_branch *branch = &shadow->branches[id];
	const struct shadow_call *call = &branch->calls[index];
	if (call->answer != ANSWER_NONE || call->under_way || call->opened) {
		return true;
	}
	if (shadow_is_handoff(call) || call->facts.effectful || shadow->sandbox != SANDBOX_OPEN ||
		shadow_effects_before(branch, index)) {
		return true; // has many reasons
	}
	if (call->facts.kind == CALL_PERSON) {
		return shadow_question_of(shadow, QUESTION_TEXT, id, index, RUN_NONE) != NULL;
	}
	return shadow_question_of(shadow, QUESTION_TOOL, id, index, RUN_NONE) ||
		(shadow->limits.max_concurrency && !shadow_at_work(shadow, id));
}

void shadow_check_waiting(struct shadow *shadow, const struct run_state *state)
{
	for (uint32_t i = 0; i < shadow->branch_count; i++) {
		const struct shadow_branch *branch = &shadow->branches[i];
		if (shadow_is_stopped(shadow) || shadow_is_ending(shadow, i)) {
			continue;
		}
		MUST(branch->phase != SHADOW_THINKS || waits_with_reason(shadow, i, state),
			"a branch that could go on goes on");
		for (uint32_t j = 0; branch->phase == SHADOW_ACTS && j < branch->call_count; j++) {
			MUST(call_waits_with_reason(shadow, i, j), "a call that could run runs");
		}
	}
}

// The limit's own amounts.
bool shadow_limit_is_reached(const struct shadow *shadow, uint32_t branch, enum run_limit limit,
	const struct run_use *wanted)
{
	bool run = branch == RUN_NONE;
	const struct shadow_branch *at = run ? NULL : &shadow->branches[branch];
	const struct team_limits *limits =
		run ? &shadow->limits : &shadow->rules->agents[at->agent].limits;
	const struct run_use *used = run ? &shadow->used : &at->used;
	const struct run_use *reserved = run ? &shadow->reserved : &at->reserved;
	int64_t started = run ? 0 : at->started;
	switch (limit) {
	case LIMIT_TURNS:
		return limits->max_turns && !reserved->turns && used->turns + 1 > limits->max_turns;
	case LIMIT_TIME:
		return limits->timeout && shadow->now - started >= limits->timeout;
	case LIMIT_USD:
		return limits->max_nano_usd && !reserved->nano_usd &&
			used->nano_usd + wanted->nano_usd > limits->max_nano_usd;
	case LIMIT_TOKENS:
		return limits->max_tokens && !reserved->tokens &&
			used->tokens + wanted->tokens > limits->max_tokens;
	case LIMIT_TOOL_CALLS:
		return limits->max_tool_calls && used->tool_calls + 1 > limits->max_tool_calls;
	case LIMIT_HANDOFFS:
		return limits->max_handoffs && used->handoffs + 1 > limits->max_handoffs;
	default:
		return false;
	}
}
