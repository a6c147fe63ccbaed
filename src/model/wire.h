/*
 * Wire formats: how a request is written for a service and how its answer is read. A format is one
 * struct of functions, one file, one row in wires[]. Private to src/model/. Source of the formats:
 * facts/model-apis.md sections 1 to 3.
 */
#pragma once

#include "model/answer.h"
#include "net/sse.h"

// What a request has in front of the conversation and behind it: the same for every request of an
// agent to a model, made once.
struct wire_frame {
	struct buffer head, tail;
};

// The conversation as the wire has it; parts are joined by commas.
struct wire_parts {
	const struct text *parts;
	size_t count;
};

// What a client keeps for a format, so that nothing is converted twice; made when first used.
struct wire_memory;

// An answer that is being read.
struct wire_reading {
	struct model_answer *answer;
	bool over;          // it is complete
	bool cut, refused;  // it ended at the output limit; it was declined
	bool again;         // with `error`: it may be tried again
	struct error error; // why there is no answer
	bool keeps_reasoning;
	struct chat_reading *chat; // chat.c's own
	// Visible text as it comes, for people who watch. May be NULL.
	void (*said)(void *data, struct text text);
	void *said_data;
};

struct wire {
	const char *name; // "responses"
	const char *path; // behind the base URL
	void (*frame)(struct wire_frame *frame, const struct model_settings *settings,
		const struct model_request *request);
	// NULL: the items as they are.
	struct wire_parts (*parts)(struct wire_memory **memory, struct arena *arena,
		const struct model_request *request);
	void (*forget)(struct wire_memory *memory);
	// One event of a stream. False: reading->error says why.
	bool (*event)(struct wire_reading *reading, const struct sse_event *event);
	// An answer that came as one JSON document, checked.
	bool (*whole)(struct wire_reading *reading, struct text body);
	// The stream has ended.
	bool (*end)(struct wire_reading *reading);
	void (*release)(struct wire_reading *reading);
};

extern const struct wire wire_responses, wire_chat;
extern const struct wire *const wires[]; // ends with NULL
const struct wire *wire_find(const char *name);

// For error texts of services: {"error": {"message", "code", "type"}} and what else there is. Adds
// "MESSAGE (CODE)", bounded and printable; *code gets the code or type.
void wire_explain(struct buffer *text, struct text body, char *code, size_t size);
bool wire_fail(struct wire_reading *reading, bool again, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
