/* The runs of the project folder that the program works in, opened for reading. */
#pragma once

#include "cli/arguments.h"
#include "store/history.h"
#include "store/store.h"
#include "team/team.h"

struct project_run {
	struct arena arena;
	struct store *store;
	struct store_run run;
	struct team *team; // as it was when the run started
};

// `name` is an id, a unique prefix of one, or "-1". On failure nothing needs to be closed.
bool project_run_open(struct project_run *opened, const char *name, struct error *error);
// A run whose process was killed still says "running" in the store: it is shown as "stopped".
void project_run_state(struct store *store, struct arena *arena, struct store_run *run);
// The history of its workspace, for reading; to be closed.
struct history *project_run_history(struct project_run *opened, struct error *error);
// A turn of the run, as the value of an option; stays as it is when the option is not given.
bool project_run_turn(const struct project_run *opened, struct arguments *arguments,
	const char *option, int64_t *turn, struct error *error);
// The run of an operand RUN[/AGENT]; *agent is "" if none is named.
const char *project_run_name(struct arguments *arguments, const char *operand, const char **agent);
void project_run_close(struct project_run *opened);
