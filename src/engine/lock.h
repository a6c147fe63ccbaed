/*
 * One process drives a run: the holder of the lock in the run's folder. The lock goes away with the
 * process, however it ends.
 */
#pragma once

#include "base/error.h"

// The descriptor that holds the lock, to be closed at the end; -1 with a message that names the
// process that has it (ERROR_USAGE). `folder` is the run's.
int run_lock(const char *folder, const char *run, struct error *error);
// Does some process drive the run now?
bool run_is_driven(const char *folder);
