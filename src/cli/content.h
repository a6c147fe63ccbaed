/*
 * Where the content lies that is installed with the program: canned teams with their prompts, gates
 * and samples, side by side in one folder. Looked for in this order: the folder named by the
 * environment variable MUSTER_DATADIR; the source tree, when the program runs from a build folder in
 * it; ../share/muster beside the program's folder; the folder that was chosen when it was built.
 */
#pragma once

#include "base/arena.h"
#include "base/error.h"

struct content_team {
	const char *name; // "web-app"
	const char *path; // of its file
};

struct content_teams {
	struct content_team *teams; // in order of names
	size_t count;
};

// The folder with teams/ in it, or NULL.
const char *content_folder(struct arena *arena);
void content_teams(struct arena *arena, struct content_teams *teams);
// The file that a word of the command line means: a path, or the name of a canned team. Fails with
// the nearest name (ERROR_USAGE).
bool content_team(struct arena *arena, const char *word, const char **path, struct error *error);
