/*
 * A control group of this machine (version 1 or 2, whichever has the controller) that keeps the
 * memory and the processors of a session's commands, all together, within limits. It lies below the
 * group that muster runs in, so it needs the right to make groups there: root has it, and an ordinary
 * user in a group that was delegated to him.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct cgroup_limits {
	int64_t memory; // bytes, swap included; 0: no limit
	double cpu;     // processors; 0: no limit
};

struct cgroup;

// NULL, with the reason, if one of the limits cannot be kept here. Groups left by a muster that was
// killed are removed on the way.
struct cgroup *cgroup_create(const struct cgroup_limits *limits, struct error *error);
// The calling process moves into it. System calls only.
bool cgroup_enter(const struct cgroup *cgroup);
// How many of its processes the kernel has killed for want of memory.
int64_t cgroup_killed(const struct cgroup *cgroup);
void cgroup_destroy(struct cgroup *cgroup); // when its processes are gone; NULL is fine
