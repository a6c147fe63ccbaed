/*
 * What a shell may offer for a word of a command line: verbs, options, values, names of teams, runs
 * and agents. The answer is one line with what else the shell may offer ("none", "files", "folders",
 * "yaml": files *.yaml), then one line per candidate, its description behind a tab. Candidates stand
 * for the whole word ("--format=dot"). Nothing in them is to be expanded by the shell; control
 * characters are escaped. Reads only, and says nothing of what goes wrong.
 */
#pragma once

#include "base/text.h"

// The words behind "muster", of which the last (perhaps empty) is completed.
void completing_words(struct buffer *output, const char *const *words, size_t count);
// A command line up to the cursor, "muster" included, quoted as shells do.
void completing_line(struct buffer *output, const char *line);
