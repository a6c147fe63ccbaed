/*
 * Models behind one interface: a client takes a request and answers later, on any thread, exactly
 * once. Items are ready-made JSON in the form of the OpenAI Responses API (facts/model-apis.md): a
 * request is a concatenation of texts. Two kinds of client: recorded answers (a rehearsal), and the
 * services of providers over HTTP, in one of the wire formats of wires[] (wire.h).
 */
#pragma once

#include <stdatomic.h>

#include "base/error.h"
#include "base/text.h"

struct model_usage {
	int64_t input, cached, output, reasoning; // tokens; cached is part of input
};

// A model as a team uses it. Texts outlive the client.
struct model_settings {
	const char *name;          // what the team calls it, for messages
	const char *provider;      // a row of model_providers[]
	const char *model;         // the provider's name for it
	const char *base_url;      // without a slash at the end; NULL: the provider's
	const char *wire;          // "responses", "chat"; NULL: the provider's
	const char *key;           // secret; NULL: none. Goes nowhere but into requests to base_url
	double temperature, top_p; // negative: not set
	const char *reasoning_effort, *reasoning_summary, *tool_choice; // NULL: not set
	int parallel_tool_calls;                                        // -1: not set
	// Asked when this one cannot answer, in order; ends with NULL; or NULL.
	const struct model_settings *const *fallback;
};

// What happens while an answer is awaited.
enum model_notice_kind {
	NOTICE_TEXT,     // visible text came
	NOTICE_RETRY,    // it is asked again after a while; what came so far does not count
	NOTICE_FALLBACK, // another model is asked instead; likewise
};

struct model_notice {
	enum model_notice_kind kind;
	struct text text;  // what came; else why, escaped
	unsigned try_next; // of a retry: the number of the next try
	unsigned tries;    // and how many there are at most
	int64_t wait;      // milliseconds until then
	const char *model; // of a fallback: its name
};

struct model_request {
	const char *agent; // who asks (for rehearsals and logs)
	const struct model_settings *settings;
	struct text instructions; // the system text
	const struct text *items; // the conversation, oldest first; JSON objects
	size_t item_count;
	struct text tools;         // JSON array of function tools
	int64_t max_output_tokens; // 0: not set
	bool mixed; // other models have spoken in the conversation: their reasoning is not passed on
	const atomic_bool *cancel; // ends the request; see model_wake(). May be NULL
	// Called before the answer is, on its thread; must not block. May be NULL.
	void (*notice)(void *data, const struct model_notice *notice);
	void *notice_data;
	bool notice_text; // whether NOTICE_TEXT is wanted: it costs something
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
	const char *name; // "rehearsal", "remote"
	void (*ask)(struct model_client *client, const struct model_request *request,
		model_done *done, void *data);
	void (*wake)(struct model_client *client); // looks at `cancel` now; NULL: answers at once
	void (*destroy)(struct model_client *client);
};

struct model_client {
	const struct model_kind *kind; // every client starts with this
};

void model_ask(struct model_client *client, const struct model_request *request, model_done *done,
	void *data);
void model_wake(struct model_client *client);
void model_client_destroy(struct model_client *client); // NULL is fine
void model_answer_destroy(struct model_answer *answer); // NULL is fine

// Who offers models. Adding one = one row.
struct model_provider {
	const char *name;
	const char *help;     // one line
	const char *base_url; // NULL: has to be given
	const char *base_env; // the environment variable that overrides it; or NULL
	const char *key_env;  // the environment variable with the key; NULL: needs none
	const char *wire;
};

extern const struct model_provider model_providers[]; // ends with a row without name
const struct model_provider *model_provider_find(const char *name);
// Fills in what the settings leave to the provider; `key` comes from the environment unless it is
// set. False with a remedy if something is missing. Texts in the arena.
bool model_settings_complete(
	struct arena *arena, struct model_settings *settings, struct error *error);

// The services of providers. Requests of all clients of the process share connections, and what is
// known of the rate limit of a key: one refusal slows them all. Answers come on the network thread.
struct model_client *remote_open(void);

// A rehearsal: recorded answers read from a YAML script (docs/rehearsal.md), so that a team runs
// without any model. The script is checked in full when it is opened; mistakes are one message each
// in *error's form "file:line:column: ...". Thread-safe.
struct model_client *rehearsal_open(const char *path, struct error *error);
// The entry was used in an earlier life of this run (resume).
void rehearsal_mark_used(struct model_client *client, const char *agent, uint32_t source);
