/*
 * Event streams (WHATWG HTML, server-sent events): bytes come in pieces of any size, events go out
 * as soon as they are whole. Every byte is looked at once; a data line that lies in one piece is
 * handed on without a copy.
 */
#pragma once

#include "base/text.h"

enum { SSE_LINE_LIMIT = 64 * 1024 * 1024, SSE_EVENT_LIMIT = 64 * 1024 * 1024 };

struct sse_event {
	struct text type; // "" when the stream names none ("message" then)
	struct text data; // valid during the call only
};

struct sse {
	// Returns false to end the reading.
	bool (*event)(void *data, const struct sse_event *event);
	void *data;

	// Private.
	struct buffer line;    // the start of a line whose end has not come
	struct buffer type;    // of the event that is being read
	struct buffer content; // its data lines so far
	bool has_data, begun, after_cr;
};

enum sse_result {
	SSE_MORE,
	SSE_ENDED,   // the receiver has enough
	SSE_TOO_BIG, // a line or an event over its limit
};

// Set `event` and `data` of a zeroed struct first.
enum sse_result sse_feed(struct sse *sse, struct text bytes);
void sse_finish(struct sse *sse); // an event that was not dispatched is dropped
