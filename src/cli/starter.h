/*
 * The team that `muster new` writes: a manager, a writer, prompts in files, a gate, and a rehearsal in
 * which the gate refuses once. It runs as it is and is meant to be changed.
 */
#pragma once

#include "base/text.h"

struct starter_file {
	const char *path;    // behind the team's name: ".yaml"
	const char *content; // "@NAME@" stands for the team's name
};

extern const struct starter_file
	starter_files[]; // the team file first; ends with a row without path
void starter_add(struct buffer *buffer, const char *content, const char *name);
