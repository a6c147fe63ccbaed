/*
 * HTTP requests on one network thread for the whole process (libcurl's multi interface, connections
 * kept alive and shared). libcurl is loaded when the first request is made, not before. Callbacks
 * are called on the network thread and must not block.
 */
#pragma once

#include <stdatomic.h>

#include "base/error.h"
#include "base/text.h"

enum {
	HTTP_CONNECT_TIMEOUT = 30 * 1000, // milliseconds
	HTTP_ERROR_BODY = 64 * 1024,      // bytes kept of an answer that is no success
};

// What is sent: `head`, then the parts joined by commas, then `tail`. Nothing is copied.
struct http_body {
	struct text head;
	const struct text *parts;
	size_t part_count;
	struct text tail;
};

struct http_answer {
	long status;       // 0: there was no answer
	char type[64];     // the media type, small letters, without parameters
	char request[128]; // the server's id of the request, for people; "" if it names none
	int64_t wait;      // milliseconds that the server asks to wait; -1: it does not say
	int retry;         // 1, 0: the server says whether to try again; -1: it does not say
	struct text body;  // of an answer that is no success, at most HTTP_ERROR_BODY bytes
	bool connected;    // false: not even a connection was made
};

struct http_request {
	const char *url;
	const char *const *headers; // "Name: value"; ends with NULL
	struct http_body body;      // POST
	int64_t idle_timeout;       // milliseconds without a byte; 0: none
	const atomic_bool *cancel;  // may be NULL; see http_wake()
	// When the request may start: 0 now, else the monotonic time in milliseconds to ask again.
	// May be NULL.
	int64_t (*ready)(void *data);
	// The body of a success (status 2xx), as it comes; false ends the request.
	bool (*chunk)(void *data, const struct http_answer *answer, struct text bytes);
	// Once, at the end. `error` is set when the answer did not come to its end; its kind is
	// ERROR_INTERRUPTED after a cancel.
	void (*done)(void *data, const struct http_answer *answer, const struct error *error);
	void *data;
};

// Loading libcurl takes longer than all else at the start of a program: this begins it on a thread of
// its own. Whoever did so waits for it with http_prepared() before the program ends.
void http_prepare(void);
void http_prepared(void); // without http_prepare() it does nothing

// Takes the request up; everything in it must live until `done`. False if libcurl cannot be used.
bool http_send(const struct http_request *request, struct error *error);
// Looks at the `cancel` of all requests now. Any thread.
void http_wake(void);
int64_t http_now(void); // monotonic, milliseconds
