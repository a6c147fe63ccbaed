/*
 * What a person asks of a run: to be told something, answered, paused or stopped. The process that
 * drives the run takes it in; from another one it goes through the store (store_add_request), and
 * the driver is woken.
 */
#pragma once

#include "base/error.h"
#include "base/text.h"
#include "run/event.h"

struct job;
struct store;
struct store_request;

enum { REQUEST_TEXT_LIMIT = 1024 * 1024 /* bytes of a message */ };

enum request_kind { REQUEST_TELL, REQUEST_ANSWER, REQUEST_PAUSE, REQUEST_STOP };

struct request {
	enum request_kind kind;
	const char *agent;      // tell: whom; "": the one that the run began with
	enum run_choice choice; // answer
	struct text text;       // tell; answer: to an agent's question, or why not (CHOICE_NO)
};

// What came of a request that was sent.
enum request_fate {
	REQUEST_TAKEN,
	REQUEST_REFUSED, // with the reason in the error
	REQUEST_UNHEARD, // nobody drives the run (any more): it was taken back
};

// Sends a request to the process that drives the run, and waits until it was taken in. `folder` is
// the run's. With the error set and REQUEST_UNHEARD the store could not be used.
enum request_fate request_send(struct store *store, const char *folder, const char *run,
	const struct request *request, struct error *error);

// --- The driver's side ---

// A descriptor that is readable when a request came in; -1: ask the store every second.
int requests_watch(struct store *store);
// Takes in what was said of it, so that it is no longer readable.
void requests_heard(int watch);
// From the store's form; false with the reason if it says nothing that is known.
bool request_read(const struct store_request *row, struct request *request, struct error *error);
// Does the request fit the run as it is? If so, *event is what it means.
bool request_event(const struct job *job, const struct request *request, struct run_event *event,
	struct error *error);
