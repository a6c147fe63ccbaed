/* How often everything that can occur in a log did occur: an honest world leaves nothing out. */
#pragma once

#include "run/event.h"

enum { COVERAGE_CODES = 20 };

struct coverage {
	uint64_t kinds[RUN_EVENT_KINDS];
	uint64_t codes[RUN_EVENT_KINDS][COVERAGE_CODES];
	uint64_t calls[COVERAGE_CODES]; // kinds of calls
	uint64_t events, games;
};

void coverage_count(struct coverage *coverage, const struct run_event *event);
void coverage_print(const struct coverage *coverage);
// The number of things that never occurred; each is printed.
int coverage_missing(const struct coverage *coverage);
