/* Commands: may this be started now, and what does it hold? */
#include "shadow_gates.h"
#include "shadow_room.h"

#define MUST(condition, rule) shadow_must(shadow, condition, rule)

static void schedule_model(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	struct shadow_branch *branch = &shadow->branches[event->branch];
	struct run_use wanted = shadow_request_use(shadow, event->branch, state);
	MUST(branch->phase == SHADOW_THINKS && shadow_all_answered(branch),
		"a model is asked when every call of its last answer has its answer");
	MUST(!shadow_commands_open(shadow, event->branch, COMMAND_CALL_MODEL),
		"a branch asks its model one thing at a time");
	MUST(!branch->faulted || branch->attempts <= shadow_own_retries(shadow, event->branch),
		"a model that wasted its retries is not asked again");
	MUST(event->agent == branch->agent, "the branch's agent is asked");
	MUST(event->reserved_tokens == wanted.tokens && event->reserved_nano_usd == wanted.nano_usd,
		"a model call reserves a third of its bytes and its longest answer");
	MUST(shadow_fits_everywhere(shadow, event->branch, &wanted),
		"a model call fits into the limits of run, agent and ancestors");
	MUST(shadow_place_left(shadow, event->branch),
		"no more branches work than max_concurrency");
	branch->faulted = false;
	branch->messages = 0;
	branch->call_count = 0;
	branch->completion = (struct shadow_list){0};
	branch->requests++;
}

static bool workspace_busy(const struct shadow *shadow, uint32_t branch)
{
	uint64_t overlaps = shadow->rules->agents[shadow->branches[branch].agent].overlaps;
	for (uint32_t i = 0; i < shadow->command_count; i++) {
		const struct shadow_command *command = &shadow->commands[i];
		if (command->kind == COMMAND_CALL_TOOL && command->effectful &&
			(command->branch == branch ||
				overlaps &
					run_agent_bit(shadow->branches[command->branch].agent))) {
			return true;
		}
	}
	return false;
}

// Somebody whose writes overlap did something that is not recorded yet.
static bool workspace_held(const struct shadow *shadow, uint32_t branch)
{
	uint64_t overlaps = shadow->rules->agents[shadow->branches[branch].agent].overlaps;
	for (uint32_t i = 0; i < shadow->branch_count; i++) {
		const struct shadow_branch *other = &shadow->branches[i];
		if (i != branch && other->phase != SHADOW_CLOSED && other->effects &&
			overlaps & run_agent_bit(other->agent)) {
			return true;
		}
	}
	return false;
}

bool shadow_effects_before(const struct shadow_branch *branch, uint32_t call)
{
	for (uint32_t i = 0; i < call; i++) {
		const struct shadow_call *earlier = &branch->calls[i];
		if (earlier->facts.kind == CALL_TOOL && earlier->facts.effectful &&
			earlier->answer == ANSWER_NONE) {
			return true;
		}
	}
	return false;
}

static void schedule_tool(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	struct shadow_branch *branch = &shadow->branches[event->branch];
	struct run_use use = {.tool_calls = 1};
	(void)state;
	MUST(branch->phase == SHADOW_ACTS && event->call < branch->call_count,
		"a tool call belongs to the last model answer");
	if (shadow->broken) {
		return;
	}
	struct shadow_call *call = &branch->calls[event->call];
	MUST(call->facts.kind == CALL_TOOL && call->answer == ANSWER_NONE && !call->under_way,
		"a tool runs for a call that is not answered yet");
	MUST(event->effectful == call->facts.effectful, "an effectful call is marked as one");
	MUST(!call->facts.effectful || call->facts.repeatable || call->scheduled == 0,
		"an effectful call is never started twice");
	MUST(!call->facts.ask || call->approved, "a call that needs a person's yes has it");
	MUST(!call->facts.effectful || !workspace_busy(shadow, event->branch),
		"agents with overlapping writes take turns");
	MUST(!call->facts.effectful || !workspace_held(shadow, event->branch),
		"the workspace is held until what was done is recorded");
	MUST(!shadow_effects_before(branch, event->call),
		"a call waits for the effectful calls before it");
	MUST(!call->facts.effectful || !branch->effects_earlier,
		"the workspace is recorded after each answer that may have changed it");
	MUST(shadow->sandbox == SANDBOX_OPEN, "tools run in an open sandbox");
	MUST(shadow_fits_everywhere(shadow, event->branch, &use),
		"a tool call fits into the limits");
	MUST(shadow_place_left(shadow, event->branch),
		"no more branches work than max_concurrency");
	shadow_count(shadow, event->branch, &use);
	call->scheduled++;
	call->under_way = true;
	if (event->effectful) {
		shadow->at_work |= run_agent_bit(branch->agent);
		shadow->at_work_since |= run_agent_bit(branch->agent);
	}
}

static void schedule_record(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	const struct shadow_branch *branch = &shadow->branches[event->branch];
	(void)state;
	MUST(!shadow->recording, "there is one recorder");
	MUST(branch->effects, "what did not change is not recorded");
	MUST(branch->effects_earlier || branch->repeats ||
			!shadow_commands_open(shadow, event->branch, COMMAND_CALL_TOOL),
		"the workspace is recorded when the answer's tools are done");
	MUST(shadow->sandbox == SANDBOX_OPEN, "the workspace is recorded in an open sandbox");
	shadow->recording = true;
	shadow->at_work_since = 0;
	for (uint32_t i = 0; i < shadow->command_count; i++) {
		const struct shadow_command *command = &shadow->commands[i];
		if (command->effectful) {
			shadow->at_work_since |=
				run_agent_bit(shadow->branches[command->branch].agent);
		}
	}
}

static void schedule_check(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	struct shadow_list *list = shadow_gate_looked_at(shadow, event);
	(void)state;
	if (!list) {
		return;
	}
	const struct shadow_gate *gate = &shadow->gates[event->gate];
	bool stale = gate->touched > list->record[event->gate];
	enum shadow_finding found = list->found[event->gate];
	MUST(shadow->sandbox == SANDBOX_OPEN, "gates look into an open sandbox");
	MUST(found == FOUND_NOTHING ||
			(stale && found != FOUND_CHECKING && found != FOUND_SKIPPED &&
				!shadow_question_of(shadow, QUESTION_GATE, event->branch,
					event->call, event->gate)),
		"a gate is run once on one tree");
	MUST(found != FOUND_NOTHING || !gate->known || gate->touched > gate->record ||
			shadow->rules->gates[event->gate].per_assignment,
		"a verdict on something that did not change is repeated");
	list->found[event->gate] = FOUND_CHECKING;
	list->record[event->gate] = shadow->record;
}

static void schedule_sandbox(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	(void)event;
	(void)state;
	MUST(shadow->sandbox == SANDBOX_NONE, "one sandbox is opened");
	shadow->sandbox = SANDBOX_OPENING;
}

void shadow_take_scheduled(
	struct shadow *shadow, const struct run_event *event, const struct run_state *state)
{
	static void (*const kinds[])(struct shadow *, const struct run_event *,
		const struct run_state *) = {[COMMAND_OPEN_SANDBOX] = schedule_sandbox,
		[COMMAND_CALL_MODEL] = schedule_model,
		[COMMAND_CALL_TOOL] = schedule_tool,
		[COMMAND_RECORD] = schedule_record,
		[COMMAND_CHECK_GATE] = schedule_check};
	bool record = event->code == COMMAND_RECORD;
	struct shadow_branch *branch = &shadow->branches[event->branch];
	MUST(event->command == branch->next_command, "commands are numbered one by one");
	MUST(record || !shadow_is_stopped(shadow),
		"after a limit or a stop nothing new is started");
	MUST(!shadow->unavailable, "nothing is started while a provider is unavailable");
	MUST(record || !shadow_is_ending(shadow, event->branch),
		"a branch that is ending starts nothing but a record");
	MUST(shadow->command_count < SIM_COMMANDS, "what is under way has a bound");
	if (!shadow->broken) {
		kinds[event->code](shadow, event, state);
	}
	if (shadow->broken) {
		return;
	}
	struct shadow_command *command = &shadow->commands[shadow->command_count++];
	*command = (struct shadow_command){.branch = event->branch,
		.number = event->command,
		.kind = event->code,
		.call = event->call,
		.gate = event->gate,
		.record = shadow->record,
		.requests = branch->requests,
		.effectful = event->effectful,
		.agents = event->agents,
		.reserved_tokens = event->reserved_tokens,
		.reserved_nano_usd = event->reserved_nano_usd};
	branch->next_command++;
	if (event->code == COMMAND_CALL_MODEL) {
		shadow_reserve(shadow, command, 1);
	}
}
