/*
 * Models behind one interface: a client takes a request and answers later, on any thread, exactly
 * once. Items are ready-made JSON in the form of the OpenAI Responses API (facts/model-apis.md): a
 * request is a concatenation of texts. Adding a wire format = one file and one row in model_kinds[].
 */
#pragma once

#include "base/error.h"
#include "base/text.h"

struct model_usage {
	int64_t input, cached, output, reasoning; // tokens; cached is part of input
};

struct model_request {
	const char *agent;        // who asks (for rehearsals and logs)
	const char *model;        // the provider's name for it
	struct text instructions; // the system text
	const struct text *items; // the conversation, oldest first; JSON objects
	size_t item_count;
	struct text tools; // JSON array of function tools
	int64_t max_output_tokens;
};

enum model_finish {
	MODEL_TEXT,    // text without calls
	MODEL_CALLS,   // at least one call
	MODEL_EMPTY,   // nothing
	MODEL_CUT,     // ended at the output limit
	MODEL_REFUSED, // the model or its provider declined
};

struct model_call {
	struct text id, name, arguments; // arguments: as the model wrote them, maybe no JSON
};

struct model_answer {
	struct arena arena; // owns all below
	enum model_finish finish;
	struct text *items; // to be appended to the conversation, in order
	size_t item_count;
	struct text text; // the visible text, all of it
	struct model_call *calls;
	size_t call_count;
	struct model_usage usage;
	uint32_t source; // rehearsal: the entry's number, from 1; else 0
};

// Called exactly once per request. On failure `answer` is NULL. The receiver owns the answer
// (model_answer_destroy).
typedef void model_done(void *data, struct model_answer *answer, const struct error *error);

struct model_client;

struct model_kind {
	const char *name; // provider: "rehearsal"
	void (*ask)(struct model_client *client, const struct model_request *request,
		model_done *done, void *data);
	void (*destroy)(struct model_client *client);
};

struct model_client {
	const struct model_kind *kind; // every client starts with this
};

void model_ask(struct model_client *client, const struct model_request *request, model_done *done,
	void *data);
void model_client_destroy(struct model_client *client); // NULL is fine
void model_answer_destroy(struct model_answer *answer); // NULL is fine

// A rehearsal: recorded answers read from a YAML script (docs/rehearsal.md), so that a team runs
// without any model. The script is checked in full when it is opened; mistakes are one message each
// in *error's form "file:line:column: ...". Thread-safe.
struct model_client *rehearsal_open(const char *path, struct error *error);
// The entry was used in an earlier life of this run (resume).
void rehearsal_mark_used(struct model_client *client, const char *agent, uint32_t source);
