/*
 * Plays the tests of a team (team/tests.h) for `muster test`: each in rehearsal, in a store of its
 * own in a temporary folder, then compares what came of it with what was expected, and lets gates
 * look at copies of the workspace that were spoilt on purpose.
 */
#pragma once

#include "base/error.h"
#include "team/tests.h"

// One line of the result: a run, or a gate on a copy of its workspace.
struct test_result {
	const char *name;
	const char **problems; // sentences, what was expected and what was found; none: it passed
	size_t problem_count;
	int64_t milliseconds;
	struct yaml_position position; // of the test or the variant
};

struct testing {
	struct arena arena;
	struct team *team;
	const char *sandbox; // provider instead of the team's; NULL: the team's
	const char *folder;  // temporary, the caller's; runs stay in it
	struct test_result *results;
	size_t count, failed;
	bool interrupted; // by a signal: the other tests are not played
};

// Adds the results of one test. False when it could not be played at all: the error says why.
bool testing_play(struct testing *testing, const struct test *test, struct error *error);
void testing_finish(struct testing *testing);
