/*
 * The words of a command line, sorted into options and operands by the table of options of a verb.
 * Long options as "--name value" or "--name=value", short ones alone, together or with their value
 * ("-q", "-qC DIR", "-CDIR"); "--" ends the options; "-1" is an operand (the newest run). Options
 * and operands may be mixed.
 */
#pragma once

#include "base/arena.h"
#include "base/error.h"

// What a shell offers when a word is completed.
enum completion {
	COMPLETE_NOTHING,
	COMPLETE_FILE,
	COMPLETE_FOLDER,
	COMPLETE_TEAM, // a file, or the name of a canned team
	COMPLETE_RUN,  // or RUN/AGENT
	COMPLETE_AGENT,
	COMPLETE_TOPIC, // of help: a verb or a topic
	COMPLETE_SANDBOX,
	COMPLETE_FORMAT,
	COMPLETE_SHELL,
};

struct option {
	const char *name;  // the long form without "--"
	char letter;       // the short form; 0: none
	const char *value; // what it takes, as shown in help ("DIR"); NULL: a switch
	bool repeats;      // may be given several times
	enum completion completion;
	const char *help; // one line
};

// Every verb has them: --directory, --quiet, --help.
extern const struct option common_options[]; // ends with a row without name

struct given_option {
	const struct option *option;
	const char *value; // NULL for switches
};

struct arguments {
	struct arena arena;
	struct given_option *given;
	size_t given_count;
	const char **operands;
	size_t operand_count;
};

// `options` ends with a row without name and may be NULL. `verb` is for messages only. Words are not
// copied. On failure the error says what is wrong (ERROR_USAGE) and names the nearest option.
bool arguments_parse(struct arguments *arguments, const char *verb, const struct option *options,
	const char *const *words, size_t word_count, struct error *error);
void arguments_finish(struct arguments *arguments);

bool arguments_has(const struct arguments *arguments, const char *option);
// The value of an option; NULL: not given.
const char *arguments_value(const struct arguments *arguments, const char *option);
// All values of an option that repeats, in their order, in the arena.
const char **arguments_values(struct arguments *arguments, const char *option, size_t *count);

// A word of the command line for a message: no control characters, bounded. In the arena.
const char *arguments_shown(struct arena *arena, const char *word);
