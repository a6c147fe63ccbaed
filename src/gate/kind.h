/*
 * The kinds of check. A kind is one file with a struct gate_kind and one row in gate_kinds[]. A check
 * is declared as a map whose key with the kind's name gives the subject: {file: PATH, min_bytes: 1}.
 * Private to src/gate/.
 */
#pragma once

#include "base/pattern.h"
#include "gate/gate.h"

struct gate_check;
struct gate_look;

struct gate_kind {
	struct key_owner owner; // keys[0] is the key with the kind's own name
	// Fills in check->data from the declaration. May be NULL.
	bool (*compile)(struct gate *gate, struct gate_check *check, struct error *error);
	// Adds at least one finding.
	void (*check)(const struct gate_check *check, struct gate_look *look);
	// Could a change of this path change what the check finds? NULL: if it is or matches the
	// subject.
	bool (*reads)(const struct gate_check *check, struct text path);
};

extern const struct gate_kind *const gate_kinds[]; // ends with NULL
extern const struct gate_kind check_file, check_dir, check_glob, check_json, check_yaml, check_run,
	check_any, check_not;

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
	bool is_glob;
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
	bool runs; // holds a run check
};

// One look at the workspace, while findings are collected.
struct gate_look {
	const struct gate *gate;
	struct sandbox *sandbox;
	struct arena *arena;
	const char *const *environment;
	const atomic_bool *cancel;
	struct gate_finding *findings;
	size_t count, capacity;
};

bool gate_compile_check(struct gate *gate, const struct yaml_node *node, struct gate_check *check,
	struct error *error);
bool gate_compile_list(struct gate *gate, const struct yaml_node *node, struct gate_check **checks,
	size_t *count, struct error *error);
struct pattern *gate_pattern(struct gate *gate, struct text source, struct error *error);
bool gate_name_path(struct gate *gate, struct text path); // remembers it; always true
void gate_run_checks(const struct gate_check *checks, size_t count, struct gate_look *look);
// The status of findings[from...]: the worst of them.
enum gate_status gate_worst(const struct gate_look *look, size_t from);

// Adds a finding about the check's subject; the caller fills in the rest.
struct gate_finding *gate_find(struct gate_look *look, const struct gate_check *check,
	const char *subject, enum gate_status status);
// The same, failing, with its texts.
struct gate_finding *gate_fails(struct gate_look *look, const struct gate_check *check,
	const char *subject, const char *expected, const char *found, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
// A text from the workspace, fit for a sentence: one line, bounded.
const char *gate_shown(struct gate_look *look, struct text text);

bool conditions_compile(struct gate *gate, const struct yaml_node *node,
	struct file_conditions *conditions, struct error *error);
bool conditions_any(const struct file_conditions *conditions);
// Looks at one file: it is there, regular, and meets the conditions. One finding.
void conditions_check(const struct gate_check *check, struct gate_look *look, struct text path);
// The content of the file for a check that needs it; false after a failing finding.
bool gate_content(const struct gate_check *check, struct gate_look *look, struct text path,
	struct text *content, const char **sha256);
// Reads "N" or {min, max}; -1 where nothing is said.
void gate_count_range(const struct yaml_node *node, int64_t *least, int64_t *most);
// A size as the team file writes it ("10 MiB"), in bytes; -1: not given.
int64_t gate_size(const struct yaml_node *node);
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
		{"encoding", KEY_CHOICE, "What its bytes have to be.", .choices = gate_encodings}, \
		{"sha256", KEY_STRING, "The hash of its content, 64 hexadecimal digits."},         \
	{                                                                                          \
		"mode", KEY_STRING, "Its access rights in octal, as \"0755\"."                     \
	}

extern const char *const gate_encodings[];
