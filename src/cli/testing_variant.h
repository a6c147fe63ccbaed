/* A gate on a copy of a workspace, spoilt as a test says. Private to the tests of teams. */
#pragma once

#include "cli/testing.h"

// *problem is NULL if the gate finds what it has to, else a sentence. False when it could not be tried.
bool testing_variant(struct testing *testing, const struct test_variant *variant,
	const char *workspace, const char **problem, struct error *error);
