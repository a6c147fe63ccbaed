/*
 * The words that team files may use, collected from the rooms that own them (team/vocabulary.h), and
 * the loading of a team file with them.
 */
#pragma once

#include "team/team.h"

const struct vocabulary *vocabulary(void); // the same one at each call

// Finds and loads the team that a word of the command line names (a path or a canned team), and
// compiles its gates. Mistakes and (unless quiet) warnings go to standard error, one per line; then
// the error says how many there are. To be freed with team_destroy().
// `rehearsal`: answers will come from a script.
// `choices` may be NULL.
struct team *team_open(const char *word, const struct team_choices *choices, bool rehearsal,
	bool quiet, struct error *error);
// The same for the configuration file alone (team_load_defaults()).
struct team *defaults_open(const char *path, struct error *error);
// The same for a gate file alone: a team with nothing but this gate.
struct team *gate_open(const char *path, struct error *error);
// Mistakes in gates that show only when they are compiled are added to the report.
void team_check_gates(const struct team *team, struct team_report *report);
