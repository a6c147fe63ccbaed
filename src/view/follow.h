/*
 * What a view has to remember while it reads the log of a run from its beginning: who works in which
 * branch, what the command that was just answered was about, and which verdicts stand against a
 * handoff or a completion. Needs the events and the team, nothing else.
 */
#pragma once

#include "run/event.h"

enum { FOLLOW_BRANCHES = 1000000 }; // what a broken journal could claim

struct follow_command {
	uint32_t branch, number;
	enum run_command_kind kind;
	uint32_t call, gate, agent;
};

// A verdict that fails, until the handoff or the completion that it stood against is answered.
struct follow_failure {
	uint32_t branch, call; // call: RUN_NONE for the completion
	uint32_t gate;
	uint32_t verdict_branch, verdict_command; // where it is kept
};

struct follow_branch {
	uint32_t agent, assignee;
	uint32_t parent, parent_call;
	struct run_call_facts *calls; // of the last answer
	uint32_t call_count;
	uint64_t calls_before; // in earlier answers of this branch
	bool refused; // the handoff or completion that it last wanted, and none went through since
};

struct follower {
	const struct team *team;
	struct follow_branch *branches;
	uint32_t branch_count;
	struct follow_command *commands; // under way
	size_t command_count;
	struct follow_failure *failures;
	size_t failure_count;
	struct follow_failure *verdicts; // per gate: the last one
	uint32_t turns;                  // so far
	// Of the last event:
	struct follow_command command; // scheduled or answered by it; branch RUN_NONE: none
	uint32_t agent;                // who it is about (before a transfer); RUN_NONE: nobody
};

void follow_init(struct follower *follower, const struct team *team);
void follow_finish(struct follower *follower);
// Takes an event in. False: it does not fit what came before (a broken journal); it is ignored.
bool follow(struct follower *follower, const struct run_event *event);
#define FOLLOW_ALL (UINT32_MAX - 1)
// Forgets the failures against a handoff, (RUN_NONE) the completion, or (FOLLOW_ALL) anything in the
// branch, once they are told.
void follow_forget(struct follower *follower, uint32_t branch, uint32_t call);

const struct follow_branch *follow_branch(const struct follower *follower, uint32_t branch);
// Who works in a branch; RUN_NONE: unknown.
uint32_t follow_agent(const struct follower *follower, uint32_t branch);
// The agent that a call of the branch's last answer hands over to; RUN_NONE: no handoff.
uint32_t follow_target(const struct follower *follower, uint32_t branch, uint32_t call);
const char *follow_agent_name(const struct follower *follower, uint32_t agent); // "?" if unknown
const char *follow_gate_name(const struct follower *follower, uint32_t gate);   // "?" if unknown
