/*
 * A Docker engine, or one that speaks like it (podman), over its Unix socket: the Engine API, version
 * 1.41 or newer. Who may talk to the socket is root on the machine: it is never handed to a sandbox.
 *
 * Any number of threads may use one engine; each call has a connection of its own.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

enum { ENGINE_ANSWER_MOST = 32 * 1024 * 1024 }; // bytes of an answer that is kept

struct engine {
	char socket[108];
	char version[16];      // what we speak: "1.41"
	char server[128];      // "Docker 20.10.24", for people
	char architecture[32]; // "amd64"
	bool podman;
	bool memory_limit, process_limit; // can it keep them?
	int processors;
};

// Finds the engine ($DOCKER_HOST, else the usual places) and agrees on a version. False with the reason
// (ERROR_UNAVAILABLE, or ERROR_USAGE for a DOCKER_HOST that is no Unix socket) and the remedy.
bool engine_open(struct engine *engine, struct error *error);

struct engine_call {
	const char *method; // "GET", "POST", "PUT", "DELETE", "HEAD"
	const char *path;   // behind the version: "/containers/json"
	struct text body;   // JSON, if not empty
	const char *type;   // of a body that is no JSON
	bool streams;       // the body is read from `input`
	int input;
	// The body of a success, as it comes; false ends the call. NULL: it is kept.
	bool (*chunk)(void *data, struct text bytes);
	void *data;
	int64_t timeout; // milliseconds without a byte; 0: 60 seconds
};

struct engine_answer {
	long status;
	struct text body; // in the arena, with a zero byte behind it
};

// False if there was no answer (ERROR_UNAVAILABLE); what it is may still be a refusal.
bool engine_call(const struct engine *engine, struct arena *arena, const struct engine_call *call,
	struct engine_answer *answer, struct error *error);
// What a refusal says, in the arena: never empty.
const char *engine_message(struct arena *arena, const struct engine_answer *answer);
// The same as an error: "the Docker engine cannot WHAT: MESSAGE". ERROR_UNAVAILABLE for 404 and what is
// the engine's fault, else ERROR_FAILED.
bool engine_refused(struct arena *arena, const struct engine_answer *answer, struct error *error,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

// POST of JSON that turns the connection into a stream of both ways. The descriptor, which does not
// block, or -1; `early` are bytes of the stream that came with the answer.
int engine_hijack(const struct engine *engine, const char *path, struct text body,
	struct buffer *early, struct error *error);

// Adds a text for use within a URL.
void engine_add_escaped(struct buffer *buffer, struct text text);
