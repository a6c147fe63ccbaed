/*
 * What a person says for all teams: the configuration file ($XDG_CONFIG_HOME/muster/config.yaml,
 * docs/configuration.md) and the environment. Read by the verbs that load a team to run it or to plan
 * it, and by those that show a run as it goes.
 */
#pragma once

#include "cli/arguments.h"
#include "team/team.h"

struct config {
	const char *path;               // NULL: there is none
	const char *colours, *progress; // as the file says; NULL: it does not
};

// No file is fine. Mistakes in it go to standard error, one per line; then the error says how many
// there are. Texts in the arena.
bool config_read(struct arena *arena, struct config *config, struct error *error);
// May what goes to this descriptor be coloured?
bool config_colours(const struct config *config, int fd);
// What is chosen beside the team file: --model, MUSTER_MODEL, and the configuration.
struct team_choices config_choices(struct arguments *arguments, const struct config *config);
// --sandbox, or MUSTER_SANDBOX; NULL: neither.
const char *config_sandbox(const struct arguments *arguments);
// What --sandbox-option says, as a JSON object in the arena; NULL: nothing.
bool config_sandbox_options(struct arguments *arguments, const char **json, struct error *error);

// For tables of options: the rows of both.
#define OPTIONS_SANDBOX(what)                                                                      \
	{"sandbox", 's', "PROVIDER", false, COMPLETE_SANDBOX, what},                               \
	{                                                                                          \
		"sandbox-option", 0, "NAME=VALUE", true, COMPLETE_NOTHING,                         \
			"with --sandbox: an option of the provider, such as image=NAME"            \
	}
