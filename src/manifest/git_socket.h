/*
 * Connections of libgit2 with an end: the library itself would wait for ever on a server that says
 * nothing. TLS goes over them, too.
 */
#pragma once

#include "base/error.h"

enum {
	GIT_SOCKET_CONNECT = 30 * 1000, // milliseconds
	GIT_SOCKET_IDLE = 60 * 1000,    // without a byte
};

// Once per process, after git_load().
bool git_socket_register(struct error *error);
// Of this thread's connections from now on; 0: GIT_SOCKET_IDLE. For tests.
void git_socket_idle(int milliseconds);
