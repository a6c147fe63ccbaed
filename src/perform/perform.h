/*
 * Commands, performed: one file per kind of command and one row in performers[]. The code is plain
 * and blocking (a model call is the one that is answered later, on any thread); which thread runs
 * it, who asked and what follows is the engine's business. A performer reads the workshop, which is
 * shared by all commands of a run, and writes only into its own struct work.
 */
#pragma once

#include <stdatomic.h>

#include "agent/tool.h"
#include "gate/gate.h"
#include "manifest/manifest.h"
#include "model/model.h"
#include "perform/past.h"
#include "run/state.h"
#include "snapshot/snapshot.h"
#include "store/history.h"
#include "store/store.h"

// What the commands of a run work with. Only the sandbox and the history change: the first command
// (open_sandbox) sets them, and nothing that needs them is scheduled before it is answered.
struct workshop {
	const char *run;    // its id
	const char *folder; // of the run
	const char *shelf;  // of the project's snapshots
	const struct team *team;
	const struct team_values *values;
	struct gate *const *gates; // as team->gates
	const struct sandbox_driver *driver;
	const char *sandbox_options;    // JSON; may be NULL
	const char *const *environment; // for every command in the sandbox
	const char *const *untracked;   // for the history
	const char *const *tokens;      // of the manifest; see struct manifest_place
	// Told now and then while the workspace is filled, on the thread that fills it.
	void (*filling)(void *teller, const struct manifest_progress *progress);
	// What people should know of the sandbox, a plain line each, on the thread that opens it.
	void (*said)(void *teller, const char *line);
	void *teller;
	struct model_client *model;
	struct sandbox *sandbox;
	struct history *history;
	struct recorder *recorder; // used by one record at a time
	struct past *past;
	bool restarted; // the machine was started anew since the run's last process: nobody can tell
			// who changed what, nor what was lost
};

// A path that the harness wrote for an agent since the last record.
struct written {
	struct text path;
	uint32_t agent;
};

struct work {
	struct workshop *workshop;
	enum run_command_kind kind;
	uint32_t branch, command, agent;
	uint32_t turn; // of the answer that led to it
	atomic_bool cancel;
	struct arena arena; // owns what follows

	// What to do, by kind.
	struct model_request request; // call_model; its texts belong to the conversation
	struct tool_call call;        // call_tool; owned
	uint32_t gate;                // check_gate
	uint32_t record;              // the newest record
	uint32_t since;               // check_gate, call_tool: the newest when the assignment began
	uint64_t own;                 // likewise: agents whose writes belong to it
	const char *const *approved;  // check_gate: contents that a person said yes to
	uint64_t candidates;          // open_sandbox, record
	struct written *written;      // record
	size_t written_count;
	int64_t when; // record: milliseconds since 1970

	// What came of it.
	struct run_event event;       // ready to be applied, but for its time
	struct text text;             // call_tool: the output; check_gate: the verdict as JSON
	struct text lines;            // check_gate: the failing findings for the agent
	const char *content;          // check_gate: of what a person is asked about; may be NULL
	struct model_answer *answer;  // call_model; owned
	struct store_change *changes; // open_sandbox, record
	bool first;                   // open_sandbox: the run begins; that is no record
	bool lost;                    // open_sandbox: some of them the restart of the machine did
	size_t change_count;
	struct error error; // model, sandbox or workspace not available: why
	struct tool_result tool;

	// Instead of the performer of its kind: work of the engine's own, with no event.
	void (*action)(struct work *work);
	bool snapshots, removes; // work_close: what it does

	void (*done)(struct work *work); // called once, on any thread
	void *owner;                     // the engine's
	struct work *next;
};

struct performer {
	enum run_command_kind kind;
	// Calls work->done exactly once, now or (a model call) later.
	void (*perform)(struct work *work);
};

extern const struct performer *const performers[]; // by enum run_command_kind
void perform(struct work *work);
void work_destroy(struct work *work); // with what it owns

// The session that a run has, for one who looks at it while nobody drives the run: sets
// workshop->sandbox. ERROR_FAILED: it is gone, or there was none.
bool workshop_attach(struct workshop *workshop, struct arena *arena, struct error *error);
// As work->action: a snapshot is made of the workspace, and the session removed. If something goes wrong
// (work->error) the session stays.
void work_close(struct work *work);
// A snapshot of that session's workspace as it is, noted in the run's folder.
bool workshop_snapshot(struct workshop *workshop, struct arena *arena, struct snapshot_made *made,
	struct error *error);

// Who wrote what against `writes:` and has not undone it. Lives as long as the run's driver.
struct recorder *recorder_create(const struct team *team);
void recorder_destroy(struct recorder *recorder); // NULL is fine
// Takes over a change from the journal (after a restart).
void recorder_restore(struct recorder *recorder, const struct store_change *change);
// The paths that stand against an agent, one per line with "- ".
void recorder_outside(struct recorder *recorder, uint32_t agent, struct buffer *text);
