/*
 * What a run does at this moment, for a terminal: one line for each agent that works, and one for the
 * whole run. Made of events and of notices about models; what it costs does not grow with the
 * run. Used by one thread at a time.
 */
#pragma once

#include "view/progress.h"

struct live_agent;

struct live {
	const struct team *team;
	const char *run; // its id
	bool colours;
	struct follower *follower; // of the progress, which has seen the event before
	struct live_agent *agents; // branches that are open
	size_t count;
	int64_t turns, tokens, nano_usd, gates_passed, gates_refused;
	bool priced; // some model has a price
};

// `follower` and what it needs must outlive it.
void live_init(struct live *live, const struct team *team, const char *run,
	struct follower *follower, bool colours);
void live_finish(struct live *live);
// After the progress was told the event. `now` is a monotonic time in milliseconds.
void live_event(struct live *live, const struct run_event *event,
	const struct progress_source *source, int64_t now);
void live_notice(
	struct live *live, uint32_t branch, const struct model_notice *notice, int64_t now);
// At most `rows` lines, each narrower than `columns`. `at` is the run's working time.
void live_draw(const struct live *live, struct buffer *lines, size_t columns, size_t rows,
	int64_t at, int64_t now);
