/*
 * The script of a rehearsal (docs/rehearsal.md), read and checked: for each agent its answers in
 * order, each with the conditions under which it is given.
 */
#pragma once

#include "base/pattern.h"
#include "base/yaml.h"
#include "model/model.h"

enum script_condition_kind {
	CONDITION_LAST,  // the newest item's text matches
	CONDITION_NOT,   // it does not
	CONDITION_ANY,   // any item's text matches
	CONDITION_ITEMS, // the number of items
	CONDITION_TURN,  // this is the model's n-th answer in the conversation
	CONDITION_KINDS,
};

extern const char *const script_condition_names[]; // "last", ...

struct script_condition {
	enum script_condition_kind kind;
	struct yaml_position position; // of its value
	struct text source;            // as written
	struct pattern *pattern;       // of the first three kinds
	int64_t minimum, maximum;      // of the others
};

struct script_call {
	struct text tool;
	struct text arguments; // as they are sent
};

struct script_entry {
	struct yaml_position position;
	struct script_condition conditions[CONDITION_KINDS];
	size_t condition_count;
	bool speaks; // `say` is given
	struct text say;
	struct script_call *calls;
	size_t call_count;
	enum model_finish finish;
	bool usage_given;
	struct model_usage usage;
	bool repeat;
	unsigned uses; // the only field that changes
};

struct script_agent {
	struct text name;
	struct yaml_position position;
	struct script_entry *entries;
	size_t entry_count;
};

struct script {
	struct arena arena;
	const char *path;
	struct yaml_position agents_position;
	struct script_agent *agents;
	size_t agent_count;
};

// Reads the file; the error is the first mistake as "file:line:column: what", with a remedy.
bool script_load(struct script *script, const char *path, struct error *error);
void script_finish(struct script *script);
