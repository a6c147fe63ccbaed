/*
 * The kinds of check. A kind is one file with a struct gate_kind and one row in gate_kinds[]. A check
 * is declared as a map whose key with the kind's name gives the subject: {file: PATH, min_bytes: 1}.
 * Private to src/gate/.
 */
#pragma once

#include "base/json.h"
#include "base/json_schema.h"
#include "base/pattern.h"
#include "gate/gate.h"

struct gate_check;
struct gate_look;

struct gate_kind {
	struct key_owner owner; // keys[0] is the key with the kind's own name
	// Fills in the check from its declaration: path and what it names, data, nested checks.
	bool (*compile)(struct gate *gate, struct gate_check *check, struct error *error);
	// Adds at least one finding.
	void (*check)(const struct gate_check *check, struct gate_look *look);
	// Could a change of this path change what the check finds? NULL: if it has to do with
	// check->names.
	bool (*reads)(const struct gate_check *check, struct text path);
};

extern const struct gate_kind *const gate_kinds[]; // ends with NULL
extern const struct gate_kind check_file, check_dir, check_glob, check_json, check_yaml, check_run,
	check_any, check_not, check_changed, check_unchanged, check_fresh, check_approve;

// What a file has to be, for file, dir and glob.
struct file_conditions {
	int64_t min_bytes, max_bytes; // -1: not asked for
	int64_t min_lines, max_lines;
	int64_t mode;
	bool utf8;
	const char *sha256;
	const char **contains, **headings; // end with NULL
	struct pattern *matches, *not_matches;
};

struct gate_check {
	const struct gate_kind *kind;
	const struct yaml_node *node; // its map, or the text of a bare path
	const char *subject;          // shown: the path, glob or command
	struct text path;             // clean; for kinds that have one
	struct text names;            // the path or glob as gate_paths() tells it; may be empty
	struct file_conditions conditions;
	void *data;                // the kind's own
	struct gate_check *nested; // any, not
	size_t nested_count;
};

struct gate {
	struct arena *arena;
	const struct team_gate *declaration;
	struct gate_check *checks;
	size_t count;
	struct text *paths; // that it names
	size_t path_count;
	struct pattern **patterns; // to be freed
	size_t pattern_count;
	struct json_schema **schemas; // likewise
	size_t schema_count;
	const struct team *team; // may be NULL
	bool runs;               // holds a run check
	bool compares;           // holds a check that compares with the start of the assignment
	bool asks;               // holds an approve check
};

// --- Compiling (gate.c) ---

bool gate_compile_check(struct gate *gate, const struct yaml_node *node, struct gate_check *check,
	struct error *error);
bool gate_compile_list(struct gate *gate, const struct yaml_node *node, struct gate_check **checks,
	size_t *count, struct error *error);
struct pattern *gate_pattern(struct gate *gate, struct text source, struct error *error);
// From a file that the declaration names, as the team has it.
struct json_schema *gate_schema_file(struct gate *gate, struct text path, struct error *error);
// Cleans the subject into check->path. Fails for what is no path.
bool gate_compile_path(struct gate *gate, struct gate_check *check, struct error *error);
// check->names and the gate's list of paths.
void gate_name_path(struct gate *gate, struct gate_check *check, struct text path);
bool gate_check_reads(const struct gate_check *check, struct text path);

// --- Looking (look.c) ---

// One look at the workspace, while findings are collected.
struct gate_look {
	const struct gate *gate;
	const struct gate_place *place;
	struct sandbox *sandbox;
	struct arena *arena; // for the texts of findings only, never for contents
	const char *const *environment;
	const atomic_bool *cancel;
	const char *reader; // of files
	struct gate_finding *findings;
	size_t count, capacity;
	int64_t bytes_read; // of files
	int64_t deadline;   // milliseconds of the monotonic clock
};

void gate_run_checks(const struct gate_check *checks, size_t count, struct gate_look *look);
// The status of the findings from `from` on: the worst of them.
enum gate_status gate_worst(const struct gate_look *look, size_t from);
// Does one of them fail, and none that could be judged?
bool gate_unclear(const struct gate_look *look, size_t from);

// Moves the findings behind this one into it.
void gate_nest(struct gate_look *look, size_t parent);

// Adds a finding about the check's subject; the caller fills in the rest. Valid until the next one.
struct gate_finding *gate_find(struct gate_look *look, const struct gate_check *check,
	const char *subject, enum gate_status status);
// The same, failing, with its texts.
struct gate_finding *gate_fails(struct gate_look *look, const struct gate_check *check,
	const char *subject, const char *expected, const char *found, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
// The same for a check that could not be made: no verdict.
void gate_not_checked(struct gate_look *look, const struct gate_check *check, const char *subject,
	const char *reason);
// May the look go on? If not (cancelled, out of time), a finding says so.
bool gate_goes_on(struct gate_look *look, const struct gate_check *check, const char *subject);
// A text from the workspace, fit for a sentence: one line, bounded.
const char *gate_shown(struct gate_look *look, struct text text);
// "1 byte", "20 bytes".
const char *gate_amount(struct gate_look *look, int64_t count, const char *thing);
// The line and column (in characters) of a byte of the artifact.
void gate_place(struct gate_finding *finding, struct text content, size_t offset);

// --- Artifacts (artifact.c) ---

struct artifact {
	struct text path;
	const char *shown; // the path for a sentence
	struct folder_stat stat;
	struct text content;
	const char *sha256;
};

// Reads a regular file of at most GATE_READ_LIMIT bytes, its content into `arena`; false after a
// finding.
bool artifact_read(const struct gate_check *check, struct gate_look *look, struct arena *arena,
	struct text path, struct artifact *artifact);

// Walks over the regular files that a glob means, links to files among them.
struct gate_walk {
	struct gate_look *look;
	const struct gate_check *check;
	struct text glob;
	void (*file)(struct gate_walk *walk, const struct folder_entry *entry);
	// Something that a file could hide in or be hidden by: "a FIFO", "a folder that ...".
	void (*hidden)(struct gate_walk *walk, struct text path, const char *what);
	void *data;
};

enum gate_walk_result { WALK_DONE, WALK_CUT, WALK_FAILED, WALK_UNAVAILABLE };

enum gate_walk_result gate_walk(struct gate_walk *walk, struct error *error);

// --- JSON (json_place.c) ---

// The way to the value at a pointer; if there is none, to the last value on the way.
struct json_place {
	const cJSON *value; // NULL: there is none
	const cJSON *nearest;
	size_t pointer_length;    // of the part of the pointer that leads to `nearest`
	size_t offset;            // where `nearest` starts in the text
	size_t steps[JSON_DEPTH]; // which child, from 0, at each level
	size_t step_count;
};

// `json` is the text that the tree was parsed from.
void json_find_place(
	struct json_place *place, struct text json, const cJSON *tree, struct text pointer);

// --- Conditions (conditions.c) ---

bool conditions_compile(struct gate *gate, const struct yaml_node *node,
	struct file_conditions *conditions, struct error *error);
bool conditions_any(const struct file_conditions *conditions);
// Looks at one file: it is there, regular, and meets the conditions. One finding.
void conditions_check(const struct gate_check *check, struct gate_look *look, struct text path);
// Reads "N" or {min, max}; -1 where nothing is said.
void gate_count_range(const struct yaml_node *node, int64_t *least, int64_t *most);
// "exactly 3", "at least 3", "at most 3": what a count that does not fit should have been.
const char *gate_expected_count(
	struct gate_look *look, int64_t least, int64_t most, int64_t count, const char *thing);
// A list of strings, or one; ends with NULL.
const char **gate_strings(struct gate *gate, const struct yaml_node *node);

// The rows that file, dir and glob share.
#define CONDITION_KEYS                                                                             \
	{"min_bytes", KEY_SIZE, "The file is at least this large."},                               \
		{"max_bytes", KEY_SIZE, "The file is at most this large."},                        \
		{"lines", KEY_COUNT, "How many lines it has: a number, or {min, max}."},           \
		{"contains", KEY_STRINGS, "Texts that it has to hold."},                           \
		{"headings", KEY_STRINGS, "Markdown headings that it has to have."},               \
		{"matches", KEY_PATTERN, "A PCRE2 pattern that it has to match."},                 \
		{"not_matches", KEY_PATTERN, "A PCRE2 pattern that it must not match."},           \
		{"encoding", KEY_CHOICE, "What its bytes have to be: utf-8.",                      \
			.choices = gate_encodings},                                                \
		{"sha256", KEY_STRING, "The hash of its content, 64 hexadecimal digits."},         \
	{                                                                                          \
		"mode", KEY_STRING, "Its access rights in octal, as \"0755\"."                     \
	}

extern const char *const gate_encodings[];
