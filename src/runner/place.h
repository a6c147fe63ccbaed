/* What a command sees: its own /proc, /tmp and /dev/shm, and a workspace that may be read-only. */
#pragma once

#include <stdbool.h>

// In the first process of new user, process and mount namespaces; needs all rights in them.
// `read_only_folders` are workspace paths, ends with NULL; those that are not there are left out.
// NULL when done; else what could not be made, with errno.
const char *place_make(bool read_only, char *const *read_only_folders);
