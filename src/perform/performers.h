/* The rows of performers[] (perform.h). */
#pragma once

#include "perform/perform.h"

extern const struct performer perform_open_sandbox, perform_call_model, perform_call_tool,
	perform_record, perform_check_gate;

// Notes what a scan of the workspace found, as rows for the store, and commits it to the history.
// `wrote` and `candidates` tell who may have written (run_author); for what the manifest put there,
// and what a user changed while nobody drove the run, `author` is given instead.
bool record_changes(struct work *work, const char *author, struct error *error);

// One gate of the team, looked at for the assignment that `work` belongs to. `preview`: what is not
// recorded yet counts, too.
void look_at_gate(struct work *work, uint32_t gate, bool preview, struct gate_verdict *verdict);
// Adds what the history holds and the journal does not: it was committed, and then the process ended.
bool record_reconcile(struct work *work, struct error *error);
// Does the journal know of any file?
bool recorder_is_empty(const struct recorder *recorder);

// fill_workspace.c: a session that was just made gets what the run has in its workspace: the manifest
// when it begins; what is on record when its session is gone, or it begins with a snapshot. Recorded,
// too.
bool fill_workspace(struct work *work, struct manifest_place *place, struct error *error);

// session.c: how the session was left (a file in the run's folder), so that it is found again.
const char *session_path(struct arena *arena, const struct workshop *workshop);
bool session_settings(const struct workshop *workshop, struct arena *arena,
	struct sandbox_settings *settings, struct error *error);
