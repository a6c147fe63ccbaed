/*
 * A command of the runner: what its first process does, from the namespaces that it was just born
 * into to the end of all its processes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runner/runner.h"

// The first process of the command's namespaces: makes what the command sees, starts it, tells the
// harness how it ended, and ends; the kernel then kills what is left.
_Noreturn void command_run(const int *descriptors, const char *filter, size_t filter_size);
