/*
 * The words that a team file may use, but that belong to rooms beside or above the loader: gate
 * checks, manifest entries, tools, sandbox providers, model providers. Each room publishes its rows
 * (base/key.h); the command line collects them once and hands them to team_load().
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/key.h"

struct yaml_node;

struct owner_list {
	const struct key_owner *owners;
	size_t count;
};

struct vocabulary {
	struct owner_list checks;     // "file", "dir", "json", "run", "any", ...
	struct owner_list entries;    // "file", "local_dir", "git_repo", ...
	const struct key *entry_keys; // common to all entries: description, ephemeral, ...
	// What an entry's keys alone do not tell; false with what is wrong. May be NULL.
	bool (*check_entry)(const struct yaml_node *entry, struct error *error);
	struct owner_list tools;     // built-in tools an agent can have; keys unused
	struct owner_list sandboxes; // providers; keys are their `options`
	struct owner_list models;    // model providers: "openai", "rehearsal", ...
	bool rehearsal; // answers come from a script: a price that is missing is a warning only
};
