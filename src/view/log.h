/*
 * The journal of a run as lines: told like the progress of a run that is under way, event by event
 * with all fields, or as JSON Lines (docs/json.md).
 */
#pragma once

#include "store/store.h"
#include "team/team.h"

enum log_form {
	LOG_TOLD,   // the lines of view/progress.h
	LOG_EVENTS, // one line per event: number, time, kind, fields
	LOG_JSON,   // one JSON object per event
};

struct log_settings {
	enum log_form form;
	bool colours;
	// Receives whole lines; false ends the reading.
	bool (*write)(void *data, struct text lines);
	// When all there is has been told: waits for more, or returns false. NULL: that was all.
	bool (*wait)(void *data);
	void *data;
};

// `team` is the run's own; needed for LOG_TOLD only.
bool log_print(struct store *store, const struct store_run *run, const struct team *team,
	const struct log_settings *settings, struct error *error);
