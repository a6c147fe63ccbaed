/*
 * The tools that an agent's model can call. One file per tool and one row in tools[]. Names, schemas
 * and output forms are those of the OpenAI Agents SDK where it has the tool (exec_command,
 * apply_patch). Handoff tools are made from the team's edges: delegate_to_NAME {task} and
 * transfer_to_NAME {message}.
 */
#pragma once

#include <stdatomic.h>

#include "base/json.h"
#include "base/key.h"
#include "sandbox/sandbox.h"
#include "team/team.h"

enum { TOOL_OUTPUT_LIMIT = 40 * 1024 /* bytes of output for a model, when it asks for no less */ };

// Where a call happens.
struct tool_place {
	struct sandbox *sandbox;
	const struct team *team;
	int agent;
	const atomic_bool *cancel;
	const char *const *environment; // for commands: the inputs; may be NULL
	// What would my gate say now: fills in the text for `check_outputs`.
	void (*check_outputs)(void *data, struct buffer *text);
	void *check_outputs_data;
	void (*output)(void *data, int stream, struct text bytes); // live output; may be NULL
	void *output_data;
};

struct tool_result {
	struct text output;   // valid UTF-8, for the model
	bool failed;          // the call could not be done; a non-zero exit status is no failure
	struct text *written; // paths that the harness itself wrote or removed, for authorship
	size_t written_count;
};

struct tool {
	const char *name;
	const char *help;             // one line, for people
	const char *description;      // for the model
	const struct key *parameters; // ends with a row without name
	bool effectful;               // may change the workspace or the world
	bool repeatable;              // effectful, but twice is the same as once
	bool quick;                   // takes no longer than to hand it to another thread, where
				      // the workspace is a folder of this machine
	bool asks_person;             // answered by a person; only where an `allow` names it
	// Arguments are valid for `parameters`. All results are in the arena.
	void (*run)(const struct tool_place *place, struct arena *arena, const cJSON *arguments,
		struct tool_result *result);
};

extern const struct tool *const tools[]; // ends with NULL
const struct tool *tool_find(struct text name);
struct owner_list tool_vocabulary(void);
// May this agent use it? `tools` of the team file: names or globs; deny before allow; a list that
// only denies allows the rest, but for what asks a person.
bool tool_allowed(const struct team *team, int agent, const struct tool *tool);

enum permission { PERMISSION_ALLOW, PERMISSION_ASK, PERMISSION_DENY };

// The verdict of the `permissions` of agent and team, taken together, for a call: patterns "tool" or
// "tool:argument-glob", deny before ask before allow. A call that no list names is allowed, but once
// there is an `allow` list it is asked for. Paths are matched as paths ("docs/**"), clean; in other
// arguments '*' stands for anything. A glob that denies or asks is held against every string
// argument, one that allows only against the call's subject (its first parameter), so that nothing
// is allowed by what the model put beside it. The subjects of apply_patch are the paths in the
// patch, and all of them have to match to be allowed.
enum permission tool_permission(
	const struct team *team, int agent, struct text name, const cJSON *arguments);

// A call as the model made it, understood.
enum tool_call_kind {
	TOOL_CALL_TOOL,
	TOOL_CALL_DELEGATE,
	TOOL_CALL_TRANSFER,
	TOOL_CALL_UNKNOWN_TOOL,
	TOOL_CALL_UNKNOWN_AGENT, // a handoff to an agent that is not there or not allowed
	TOOL_CALL_MALFORMED,     // arguments that do not fit; `problem` says what
	TOOL_CALL_FORBIDDEN,
};

struct tool_call {
	enum tool_call_kind kind;
	const struct tool *tool; // TOOL_CALL_TOOL
	int edge;                // handoffs: index in team->edges
	enum permission permission;
	cJSON *arguments;  // owned; NULL when malformed
	char problem[256]; // a phrase for the model, without a full stop
	uint64_t hash;     // of name and arguments, for "the same failing call again"
};

// A handoff by the other kind's name (transfer_to_x where the edge delegates) is taken as meant.
void tool_understand(const struct team *team, int agent, struct text name, struct text arguments,
	struct tool_call *call);
void tool_call_finish(struct tool_call *call);

// The agent's tools and handoff tools as the JSON array of a request.
void tool_list_json(struct buffer *json, const struct team *team, int agent);
