/*
 * Gates: what must hold in the workspace before a handoff goes through or an agent's work counts as
 * done. A gate is compiled once from its declaration (team/team.h) and can then be checked any
 * number of times, by several threads at once. Checking never changes the workspace (a `run` check
 * with read_only: false may) and never trusts it: links that lead outside, FIFOs, devices, huge or
 * growing files, costly patterns all give a finding, never a hang. What cannot be judged fails, and
 * so does its opposite: `not` over a FIFO or a file that is too large does not hold.
 *
 * A check is a map, {file: PATH, min_bytes: 1}, or a path alone: a regular file is there and is not
 * empty.
 *
 * Adding a kind of check = one file with a struct gate_kind and one row in gate_kinds[].
 */
#pragma once

#include <stdatomic.h>

#include "base/error.h"
#include "sandbox/sandbox.h"
#include "team/team.h"

enum {
	GATE_READ_LIMIT = 16 * 1024 * 1024,  // bytes of one file
	GATE_READ_TOTAL = 256 * 1024 * 1024, // bytes of all files of one gate_check()
	GATE_FILES = 20000,                  // entries that a glob or dir may look through
	GATE_TIME = 60 * 1000,               // milliseconds, without the commands
	GATE_LISTED_FAILURES = 20,           // findings that one glob or dir gives about files
	GATE_LISTED = 200,                   // that hold, likewise
};

enum gate_status {
	GATE_HOLDS,
	GATE_FAILS,
	GATE_NOT_CHECKED,  // could not be made (the sandbox is gone, ...): no verdict
	GATE_NEEDS_PERSON, // all else holds; an `approve` check waits for a person
};

// What one check found. Texts are valid UTF-8 and bounded; file contents in them are cut.
struct gate_finding {
	const char *check;   // the kind: "file", "json", ...
	const char *subject; // the path, glob or command
	enum gate_status status;
	const char *expected; // "at least 200 bytes"
	const char *found;    // "0 bytes"
	const char *sentence; // for an agent to act on: "design/design_spec.md is empty; write ..."
	unsigned line, column; // where in the artifact, from 1; 0: not applicable
	int64_t size;          // of the artifact in bytes; -1: none
	const char *sha256;    // of the artifact as it was read; NULL: none
	const char *reader;    // who looked: "harness", "provider", "sandbox"
	bool unclear;          // fails because it could not be judged: a FIFO, too large, ...
	// What the checks inside it found (any, not): evidence only, whatever their status is.
	struct gate_finding *nested;
	size_t nested_count;
};

struct gate_verdict {
	enum gate_status status;
	struct gate_finding *findings; // in the order of the checks
	size_t count;
};

struct gate; // compiled; owned by the arena given to gate_compile()

// Fails with a message when the declaration is wrong (the loader finds most of that earlier). The
// files that it names (schemas) and the agents are those of `team`, which may be NULL.
struct gate *gate_compile(struct arena *arena, const struct team *team,
	const struct team_gate *declaration, struct error *error);
// Frees what an arena cannot (compiled patterns). NULL is fine.
void gate_finish(struct gate *gate);

// What was written to a path since the start of the assignment.
struct gate_write {
	uint32_t record;    // number of the record that found it, ascending
	const char *author; // an agent's name; "several", "user" or "unknown"
};

struct gate_change {
	struct text path;
	bool there, differs; // now; from what it was at the start
	const struct gate_write *writes;
	size_t write_count; // at least 1
};

// What is known of the assignment that is looked at, for the checks that compare.
struct gate_past {
	const struct gate_change *changes; // in order of paths
	size_t count;
	const char *const *own; // agents whose writes belong to the assignment; ends with NULL
};

// Where a gate looks.
struct gate_place {
	struct sandbox *sandbox;
	const char *const *environment; // added for `run` checks; may be NULL
	const atomic_bool *cancel;      // ends a running command; may be NULL
	const char *skipped; // a folder of the root that globs enter only by name; may be NULL
	const struct gate_past *past; // NULL: not in a run
	// What the gate's paths hold, as a hash, and those hashes to which a person said yes (ends
	// with NULL), for `approve`; may be NULL.
	const char *content;
	const char *const *approved;
};

// Texts and findings are in the arena.
void gate_check(const struct gate *gate, const struct gate_place *place, struct arena *arena,
	struct gate_verdict *verdict);

// Could a change of this path change the verdict? Errs on the side of true. (A `run` check reads
// everything.)
bool gate_reads(const struct gate *gate, struct text path);
// The paths and globs that the gate names, without `run`; for "still being written by".
size_t gate_paths(const struct gate *gate, const struct text **paths);
// Does a path belong to what a person approves: one that the gate names, or any if it names none?
bool gate_names(const struct gate *gate, struct text path);
bool gate_compares(const struct gate *gate); // with the start of the assignment
bool gate_asks(const struct gate *gate);     // a person

// The failing findings as a list for an agent: lines that start with "- ", what a command said
// indented below.
void gate_verdict_lines(struct buffer *buffer, const struct gate_verdict *verdict);
// The verdict as JSON, the evidence that is kept: {"status", "findings": [...]}.
void gate_verdict_json(struct buffer *json, const struct gate_verdict *verdict);
const char *gate_status_name(enum gate_status status); // "holds", "fails", ...

// The rows for the vocabulary. Not for several threads at once.
struct owner_list gate_vocabulary(void);
