/*
 * The arguments of tools, described by rows (base/key.h): checked against them, and shown to models
 * as a JSON Schema made from the same rows. Of the types in base/key.h the ones that a JSON value
 * can have are known: string, path, integer, number, boolean, choice, strings. `minimum` of a string
 * is its least length in bytes, INT64_MAX as `maximum` stands for no limit.
 */
#pragma once

#include "base/json.h"
#include "base/key.h"

// The tree (an object, to be freed by the caller), or NULL with a phrase in `problem` that says what
// is wrong. No text at all stands for {}; members that are null count as not given and are removed.
cJSON *tool_arguments_parse(
	struct text text, const struct key *parameters, char *problem, size_t problem_size);
// The hash of a call: the same for the same name and the same arguments.
uint64_t tool_arguments_hash(const char *name, struct text arguments, const cJSON *tree);
void tool_arguments_schema(struct buffer *json, const struct key *parameters);
