/*
 * A run in short, read from the store: what every agent made, what the gates said, what it took. A
 * run that ended yesterday and one that runs now look the same.
 */
#pragma once

#include "run/event.h"
#include "store/store.h"
#include "team/team.h"
#include "view/document.h"

struct summary_artifact {
	const char *path;
	const char *maker; // who wrote it first, or again after it was deleted
	const char *agent; // who wrote it last: an agent's name, "several", "user", "manifest"
	int64_t size, turn;
	const char *sha256;
	bool outside;       // outside of what its agent may write
	const char *gate;   // the gate that last looked at this content; NULL: none did
	const char *status; // what it found: "holds", "fails"
};

struct summary_agent {
	const char *name;
	int64_t assignments, turns, tool_calls;
	int64_t input_tokens, cached_tokens, output_tokens, nano_usd;
	int64_t gates_passed, gates_refused; // before its handoffs and its completions
	// Of the above what came after a refusal, until what was refused went through.
	int64_t retry_turns, retry_tokens, retry_nano_usd;
};

struct summary_gate {
	const char *name;
	int64_t passed, refused;
	const char *status;  // of the last verdict; NULL: it was never checked
	struct text verdict; // the last one, as JSON (gate/gate.h)
};

// One stay of an agent in the run: an opened branch.
struct summary_assignment {
	uint32_t branch;
	const char *agent, *from; // from: who handed over; NULL: the user
	const char *outcome; // "open", "transferred", or an outcome's name: "completed", "gate"
};

struct summary {
	struct store_run run;
	const struct team *team;
	struct summary_artifact *artifacts; // in order of paths; deleted ones left out
	size_t artifact_count;
	struct summary_agent *agents; // as team->agents
	struct summary_gate *gates;   // as team->gates
	struct summary_assignment *assignments;
	size_t assignment_count;
	struct text answer;      // of the run; empty: none yet
	const char *forked_from; // a run's id; NULL: this is no fork
	int64_t forked_at;       // the turn of that run
	const char *workspace;   // where its files lie on this machine; NULL: not here
};

// What an answer cost, in nano-dollars: as the run core counts it.
int64_t summary_price(const struct team *team, uint32_t agent, const struct run_event *event);
// `team` is the run's own (store text "team"). Results are in the arena.
bool summary_read(struct summary *summary, struct arena *arena, struct store *store,
	const struct store_run *run, const struct team *team, struct error *error);
// The same with the artifacts as they were after a turn.
bool summary_read_at(struct summary *summary, struct arena *arena, struct store *store,
	const struct store_run *run, const struct team *team, int64_t turn, struct error *error);

// What `run` says at its end: state, agents with their artifacts, cost.
void summary_print(struct buffer *buffer, const struct summary *summary, bool colours);
// One agent of them, with its artifacts.
void summary_print_agent_line(
	struct buffer *buffer, const struct summary *summary, const char *agent, bool colours);
// The verdicts, with what was expected and found where a gate fails.
void summary_print_gates(struct buffer *buffer, const struct summary *summary, bool colours);
// A table of the artifacts; `agent` (may be NULL) chooses, `all` takes in those of the manifest.
void summary_print_artifacts(
	struct buffer *buffer, const struct summary *summary, const char *agent, bool all);

// Members of a document (docs/json.md).
void summary_run_json(struct document *document, const struct store_run *run);
void summary_json(struct document *document, const struct summary *summary);
void summary_artifacts_json(
	struct document *document, const struct summary *summary, const char *agent, bool all);
