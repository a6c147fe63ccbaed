#include "view/follow.h"

#include <stdlib.h>
#include <string.h>

void follow_init(struct follower *follower, const struct team *team)
{
	*follower = (struct follower){.team = team};
	follower->verdicts = memory_alloc((team->gate_count + 1) * sizeof(*follower->verdicts));
	follower->command.branch = RUN_NONE;
}

void follow_finish(struct follower *follower)
{
	for (uint32_t i = 0; i < follower->branch_count; i++) {
		free(follower->branches[i].calls);
	}
	free(follower->branches);
	free(follower->commands);
	free(follower->failures);
	free(follower->verdicts);
	*follower = (struct follower){0};
}

const struct follow_branch *follow_branch(const struct follower *follower, uint32_t branch)
{
	return branch < follower->branch_count ? &follower->branches[branch] : NULL;
}

uint32_t follow_agent(const struct follower *follower, uint32_t branch)
{
	return branch < follower->branch_count ? follower->branches[branch].agent : RUN_NONE;
}

uint32_t follow_target(const struct follower *follower, uint32_t branch, uint32_t call)
{
	const struct follow_branch *at = follow_branch(follower, branch);
	if (!at || call >= at->call_count || at->calls[call].edge >= follower->team->edge_count) {
		return RUN_NONE;
	}
	return (uint32_t)follower->team->edges[at->calls[call].edge].to;
}

const char *follow_agent_name(const struct follower *follower, uint32_t agent)
{
	return agent < follower->team->agent_count ? follower->team->agents[agent].name : "?";
}

const char *follow_gate_name(const struct follower *follower, uint32_t gate)
{
	return gate < follower->team->gate_count ? follower->team->gates[gate].name : "?";
}

static bool add_branch(struct follower *follower, const struct follow_branch *branch)
{
	uint32_t count = follower->branch_count;
	if (count >= FOLLOW_BRANCHES || branch->agent >= follower->team->agent_count) {
		return false;
	}
	if ((count & (count - 1)) == 0) { // full at each power of two
		size_t capacity = count ? (size_t)count * 2 : 1;
		follower->branches =
			memory_resize(follower->branches, capacity * sizeof(*follower->branches));
	}
	follower->branches[follower->branch_count++] = *branch;
	return true;
}

static bool open_branch(struct follower *follower, const struct run_event *event)
{
	return event->branch == follower->branch_count && event->parent < follower->branch_count &&
		add_branch(follower,
			&(struct follow_branch){
				event->agent, event->agent, event->parent, event->call});
}

static bool schedule(struct follower *follower, const struct run_event *event)
{
	if (event->branch >= follower->branch_count) {
		return false;
	}
	follower->command = (struct follow_command){event->branch, event->command,
		(enum run_command_kind)event->code, event->call, event->gate,
		follow_agent(follower, event->branch)};
	follower->commands = memory_resize(
		follower->commands, (follower->command_count + 1) * sizeof(*follower->commands));
	follower->commands[follower->command_count++] = follower->command;
	return true;
}

// The command that an event answers: it is taken off the list.
static bool answer(struct follower *follower, const struct run_event *event)
{
	for (size_t i = 0; i < follower->command_count; i++) {
		struct follow_command *command = &follower->commands[i];
		if (command->branch == event->branch && command->number == event->command) {
			follower->command = *command;
			follower->agent = command->agent;
			*command = follower->commands[--follower->command_count];
			return true;
		}
	}
	return false;
}

static void keep_calls(struct follower *follower, const struct run_event *event)
{
	struct follow_branch *branch = &follower->branches[event->branch];
	branch->calls_before += branch->call_count;
	branch->call_count = event->call_count;
	size_t size = event->call_count * sizeof(*branch->calls);
	branch->calls = memory_resize(branch->calls, size ? size : 1);
	if (size) {
		memcpy(branch->calls, event->calls, size);
	}
	follower->turns++;
}

static void add_failure(struct follower *follower, const struct follow_failure *failure)
{
	follower->failures = memory_resize(
		follower->failures, (follower->failure_count + 1) * sizeof(*follower->failures));
	follower->failures[follower->failure_count++] = *failure;
}

static bool check_gate(struct follower *follower, const struct run_event *event)
{
	if (!answer(follower, event) || follower->command.gate >= follower->team->gate_count) {
		return false;
	}
	struct follow_failure verdict = {event->branch, follower->command.call,
		follower->command.gate, event->branch, event->command};
	if (event->code == CHECK_HOLDS || event->code == CHECK_FAILS) {
		follower->verdicts[verdict.gate] = verdict;
	}
	if (event->code == CHECK_FAILS) {
		add_failure(follower, &verdict);
	}
	return true;
}

static bool repeat_gate(struct follower *follower, const struct run_event *event)
{
	if (event->gate >= follower->team->gate_count) {
		return false;
	}
	struct follow_failure verdict = follower->verdicts[event->gate];
	verdict.branch = event->branch;
	verdict.call = event->call;
	verdict.gate = event->gate;
	if (event->code == CHECK_FAILS) {
		add_failure(follower, &verdict);
	}
	return true;
}

void follow_forget(struct follower *follower, uint32_t branch, uint32_t call)
{
	size_t kept = 0;
	for (size_t i = 0; i < follower->failure_count; i++) {
		const struct follow_failure *failure = &follower->failures[i];
		if (failure->branch != branch || (failure->call != call && call != FOLLOW_ALL)) {
			follower->failures[kept++] = *failure;
		}
	}
	follower->failure_count = kept;
}

static void note_refusal(struct follower *follower, uint32_t branch, bool refused)
{
	if (branch < follower->branch_count) {
		follower->branches[branch].refused = refused;
	}
}

bool follow(struct follower *follower, const struct run_event *event)
{
	follower->command.branch = RUN_NONE;
	follower->agent = follow_agent(follower, event->branch);
	switch (event->kind) {
	case RUN_STARTED:
		follower->agent = (uint32_t)follower->team->manager;
		return follower->branch_count == 0 &&
			add_branch(follower,
				&(struct follow_branch){
					follower->agent, follower->agent, RUN_NONE, RUN_NONE});
	case COMMAND_SCHEDULED:
		return schedule(follower, event);
	case MODEL_ANSWERED:
		if (event->branch >= follower->branch_count || !answer(follower, event)) {
			return false;
		}
		keep_calls(follower, event);
		return true;
	case SANDBOX_OPENED:
	case MODEL_FAILED:
	case TOOL_ANSWERED:
	case WORKSPACE_RECORDED:
		return answer(follower, event);
	case GATE_CHECKED:
		return check_gate(follower, event);
	case GATE_REPEATED:
		return repeat_gate(follower, event);
	case BRANCH_OPENED:
		follower->agent = follow_agent(follower, event->parent);
		note_refusal(follower, event->parent, false);
		return open_branch(follower, event);
	case COMPLETION_REFUSED:
		note_refusal(follower, event->branch, true);
		return true;
	case CALL_ANSWERED:
		if (event->code == ANSWER_REFUSED) {
			note_refusal(follower, event->branch, true);
		}
		return true;
	case CONTROL_TRANSFERRED:
		if (event->branch >= follower->branch_count ||
			event->agent >= follower->team->agent_count) {
			return false;
		}
		follower->branches[event->branch].agent = event->agent;
		note_refusal(follower, event->branch, false);
		return true;
	default:
		return true;
	}
}
