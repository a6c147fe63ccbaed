/*
 * What `muster run` and `muster resume` share: a run is driven until it ends or parks, told on
 * standard error as it goes, and summed up on standard output. The first Ctrl-C parks it.
 */
#pragma once

#include "cli/config.h"
#include "engine/engine.h"

struct driven {
	const struct engine_start *start; // a new run; NULL: `run` is taken up again
	const char *run;                  // id
	const struct engine_fork *fork;   // `run` is a fork, which is made first; NULL: it is not
	const struct request *request;    // what is asked of it at the same time; may be NULL
	bool stays;                       // the fork is made, and not driven
	const struct config *config;      // NULL: read by drive()
	const char *recording;            // a file for the run as a rehearsal; NULL: none
	struct team_limits raise;         // added to the limits of a run that is taken up again
};

// The exit code; with the error set the run could not be driven. Knows --json and --quiet.
// driven->run is the id of the run afterwards, a new one's too.
int drive(struct arguments *arguments, struct store *store, struct driven *driven,
	struct error *error);
// The same for the run that the first operand names, or driven->run; fills in the latter. A request goes to the
// process that drives the run already, if there is one.
int go_on(struct arguments *arguments, struct driven *driven, struct error *error);
// What the rows of OPTIONS_RAISE say.
bool driving_raises(struct arguments *arguments, struct team_limits *raise, struct error *error);
#define OPTIONS_RAISE                                                                              \
	{"max-turns", 0, "+N", false, COMPLETE_NOTHING, "allow N turns more"},                     \
		{"max-tokens", 0, "+N", false, COMPLETE_NOTHING, "allow N tokens more"},           \
		{"max-tool-calls", 0, "+N", false, COMPLETE_NOTHING, "allow N tool calls more"},   \
		{"max-handoffs", 0, "+N", false, COMPLETE_NOTHING, "allow N handoffs more"},       \
	{                                                                                          \
		"timeout", 0, "+TIME", false, COMPLETE_NOTHING, "allow TIME more working time"     \
	}
// Signals that ask the process to end park the runs of this engine; NULL: nothing runs any more. The
// second signal ends the process at once, which loses nothing that the journal holds.
void driving_interruptible(struct engine *engine);
// What the second operand says: a text, or @FILE for what a file holds.
bool said_text(struct arguments *arguments, struct text *text, struct error *error);
