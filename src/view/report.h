/*
 * A run as one HTML file that needs nothing else: who worked, the path that the work took, what the
 * gates saw, and per agent its artifacts with their changes, what was said, and what it took. No
 * scripts; the page's policy (Content-Security-Policy) lets nothing in but its own style, and every
 * text from outside is escaped (view/html.h). Each part has a bound; what is left out is told.
 */
#pragma once

#include "store/history.h"
#include "store/store.h"
#include "team/team.h"

// `run` may be under way. `team` is the run's own (store text "team"). `history` may be NULL: then
// there are no changes in it.
bool report_write(struct buffer *buffer, struct store *store, const struct store_run *run,
	const struct team *team, struct history *history, struct error *error);
