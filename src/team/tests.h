/*
 * The tests of a team: YAML files that say what a rehearsal has to come to, and what gates have to
 * find in the workspace that it leaves, as it is or spoilt on purpose. The format is described in
 * docs/testing-teams.md. Files that a test names are found from the file that names them.
 */
#pragma once

#include "base/pattern.h"
#include "team/team.h"

enum {
	TESTS_TIMEOUT = 60000 /* ms of one test, unless it says something else */,
	TESTS_LIMIT = 1000
};

// How often a gate has to have held and failed; -1: any number of times.
struct test_gate {
	int gate;
	int64_t passed, refused;
};

struct test_artifact {
	const char *path, *agent; // who wrote it last
};

struct test_edit {
	const char *path;
	const char *old;  // what is replaced in it; NULL: all of it
	const char *text; // NULL: the file is removed
	struct yaml_position position;
};

// A gate on the workspace that the run left, after some edits.
struct test_variant {
	const char *name;
	int gate;
	struct test_edit *edits;
	size_t edit_count;
	struct pattern *finds; // it fails, with a sentence that matches; NULL: it holds
	const char *finds_source;
	struct yaml_position position;
};

struct test {
	const char *name;
	const char *rehearsal;      // path
	struct team_strings inputs; // "name=value", as team_inputs() takes them
	int64_t timeout;            // milliseconds
	int64_t exit_code;          // that the run has to end with
	bool handoffs_given;
	struct team_strings
		handoffs; // "manager -> writer", "manager -> writer (refused)", in order
	struct test_gate *gates;
	size_t gate_count;
	struct test_artifact *artifacts;
	size_t artifact_count;
	struct pattern *answer, *reason; // NULL: any
	struct test_variant *variants;
	size_t variant_count;
	struct yaml_position position;
};

struct tests {
	struct arena arena;
	struct test *tests;
	size_t count;
};

// Adds the tests of a file for `team`, which must outlive them. False if there is a mistake; all of
// them are in the report. Either way to be freed with tests_finish() and team_report_finish().
bool tests_load(
	struct tests *tests, const struct team *team, const char *path, struct team_report *report);
void tests_finish(struct tests *tests);
