/*
 * What works on this machine, and how to get the rest: one row per check. A check looks at one thing,
 * changes nothing, takes at most some seconds, and says what it found in a few words.
 */
#pragma once

#include "base/arena.h"

enum doctor_status {
	DOCTOR_FINE,
	DOCTOR_LIMITED, // something is not to be had, and muster runs without it
	DOCTOR_MISSING, // muster cannot run teams so
};

struct doctor_finding {
	enum doctor_status status;
	const char *found;  // "bubblewrap 0.8.0"
	const char *remedy; // how to get it; NULL: nothing to do
};

struct doctor_check {
	const char *name; // "user namespaces"
	void (*look)(struct doctor_finding *finding, struct arena *arena);
};

extern const struct doctor_check doctor_checks[];          // ends with a row without name
const char *doctor_status_name(enum doctor_status status); // "fine", "limited", "missing"
