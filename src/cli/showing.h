/*
 * A run shown on standard error while it is driven: lines that stay (view/progress.h), and on a terminal
 * what every agent does at this moment below them (view/live.h).
 */
#pragma once

#include <pthread.h>

#include "cli/config.h"
#include "engine/engine.h"
#include "view/live.h"
#include "view/screen.h"

struct spoken;

struct showing {
	const struct config *config;
	bool quiet;
	bool verbose; // what agents say, in full and as it comes
	struct job *job;
	pthread_mutex_t lock; // what follows: notices come on another thread
	struct progress progress;
	struct live live;
	struct screen *screen; // NULL: plain lines
	int64_t at, seen;      // working time of the last event, and when it was seen (monotonic)
	struct spoken *spoken; // with `verbose`: what is being said, by branch
	size_t spoken_count;
	bool silent; // events of the past: taken in, not told
};

void showing_init(struct showing *showing, const struct config *config, bool quiet, bool verbose);
struct engine_watcher showing_watcher(struct showing *showing);
// Nothing is drawn any more, and the lines are out. What comes afterwards is not shown.
void showing_end(struct showing *showing);
void showing_finish(struct showing *showing); // once the engine is gone
