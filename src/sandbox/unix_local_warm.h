/*
 * A warm session: one bubblewrap with a runner in it (runner/runner.h) that starts commands when
 * asked. Made when the first command needs it; when it is lost (killed from outside), the commands
 * under way fail with a clear error and the next one makes a new one. One lock, held while a session
 * is made or ended and a command is sent; not while a command runs.
 *
 * This header is shared by the driver's files only.
 */
#pragma once

#include "runner/runner.h"
#include "sandbox/unix_local.h"

// Asks for a command with these streams. Its control socket, which does not block; -1 on error.
int warm_start(struct warm *warm, const struct sandbox_command *command, bool terminal,
	const int streams[3], struct error *error);

// What is known of a command that was started.
struct warm_state {
	bool gone; // none of its processes is left
	bool lost; // the runner is
	bool ended;
	int status; // when ended
	int signal; // that ended its first process from outside; else 0
	bool failed;
	struct runner_reply failure; // if failed
};

// Takes what has come on the control socket.
void warm_look(int control, struct warm_state *state);
void warm_kill(int control); // asks for the end; warm_state.gone tells when it has come
// True if the command was run: it ended, or we ended it (`stopped`). `name` is for the message.
bool warm_judge(
	const struct warm_state *state, bool stopped, const char *name, struct error *error);
// The runner does not answer: the session is ended, whatever else runs in it.
void warm_give_up(struct warm *warm);
int64_t warm_now(void); // milliseconds
