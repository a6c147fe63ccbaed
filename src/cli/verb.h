/*
 * The verbs of the command line. A verb is one file verb_NAME.c with a struct verb and one row in
 * verbs[]; help, checks of the usage and shell completion come from the struct.
 *
 * What a verb was asked for goes to standard output (with --json as one document, docs/json.md),
 * everything else to standard error. The exit codes are those of docs/exit-codes.md.
 */
#pragma once

#include "base/error.h"
#include "base/text.h"
#include "cli/arguments.h"

// Exit codes beside those of enum error_kind.
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_GATE = 3,
	EXIT_WAITS = 4,
	EXIT_LIMIT = 5,
	EXIT_UNAVAILABLE = 6,
};

struct verb {
	const char *name;
	const char *help;            // one line, for the list of verbs
	const char *usage;           // what stands behind the name: "TEAM [-i NAME=VALUE]..."
	const char *details;         // more for `muster help VERB`; NULL: none
	const char *const *examples; // whole commands, each with "# what it does"; ends with NULL
	const struct option
		*options;           // beside the common ones; ends with a row without name; or NULL
	enum completion completion; // of the operands
	size_t minimum, maximum;    // operands
	// The exit code. With the error set it is printed, and its kind decides.
	int (*run)(struct arguments *arguments, struct error *error);
};

extern const struct verb *const verbs[]; // in the order of the help; ends with NULL
const struct verb *verb_find(const char *name);
// Sets the error (with the nearest verb as its hint) and returns false.
bool verb_unknown(const char *name, struct error *error);

// The help texts.
void verb_help(struct buffer *buffer, const struct verb *verb);
void verb_help_all(struct buffer *buffer);

// Writes to standard output; false when it is full or gone. When the reader is gone (`| head`) the
// error has no message: there is nobody to tell.
bool output_write(const struct buffer *buffer, struct error *error);
// The same for bytes from outside as they are; for a terminal they are escaped, and what is no text
// is refused.
bool output_content(struct text content, struct error *error);
// One line to standard error; nothing without a message.
void output_error(const struct error *error);
// May what goes to this descriptor be coloured? (A terminal, NO_COLOR and TERM=dumb respected.)
bool output_colours(int fd);

// For tables of options.
#define OPTION_JSON                                                                                \
	{                                                                                          \
		"json", 0, NULL, false, COMPLETE_NOTHING, "one JSON document (docs/json.md)"       \
	}
#define OPTION_MODEL                                                                               \
	{                                                                                          \
		"model", 'm', "[AGENT=]NAME", true, COMPLETE_NOTHING,                              \
			"ask this model, not what the team file says (docs/models.md)"             \
	}
#define OPTION_VERBOSE                                                                             \
	{                                                                                          \
		"verbose", 'v', NULL, false, COMPLETE_NOTHING,                                     \
			"show all that agents say, as it comes"                                    \
	}
#define OPTION_NAMES                                                                               \
	{                                                                                          \
		"names", 0, NULL, false, COMPLETE_NOTHING, "names only, one a line"                \
	}
#define OPTION_END                                                                                 \
	{                                                                                          \
		NULL                                                                               \
	}

// One line per verb, in the order of the alphabet.
extern const struct verb verb_answer;
extern const struct verb verb_apply;
extern const struct verb verb_approve;
extern const struct verb verb_artifacts;
extern const struct verb verb_blame;
extern const struct verb verb_completion;
extern const struct verb verb_delete;
extern const struct verb verb_diff;
extern const struct verb verb_doctor;
extern const struct verb verb_fork;
extern const struct verb verb_fsck;
extern const struct verb verb_gate;
extern const struct verb verb_graph;
extern const struct verb verb_help_verb;
extern const struct verb verb_list;
extern const struct verb verb_log;
extern const struct verb verb_manifest;
extern const struct verb verb_new;
extern const struct verb verb_pause;
extern const struct verb verb_plan;
extern const struct verb verb_providers;
extern const struct verb verb_prune;
extern const struct verb verb_rehearsal;
extern const struct verb verb_reject;
extern const struct verb verb_report;
extern const struct verb verb_resume;
extern const struct verb verb_run;
extern const struct verb verb_shell;
extern const struct verb verb_show;
extern const struct verb verb_snapshot;
extern const struct verb verb_stop;
extern const struct verb verb_tell;
extern const struct verb verb_test;
extern const struct verb verb_validate;
extern const struct verb verb_version;
