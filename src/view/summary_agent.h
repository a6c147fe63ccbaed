/* What one agent did in a run: its assignments with what was said in them, and its artifacts. */
#pragma once

#include "view/summary.h"

// `agent` must be one of the team's.
bool summary_print_agent(struct buffer *buffer, const struct summary *summary, struct store *store,
	const char *agent, struct error *error);
