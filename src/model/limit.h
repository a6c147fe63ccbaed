/*
 * What is known of the rate limit of a key at a service, shared by all requests of the process: one
 * refusal makes them all wait, and then only some of them go at a time, more with each that
 * succeeds. Used on the network thread, but for limit_of(). Private to src/model/.
 */
#pragma once

#include "model/model.h"

enum {
	LIMIT_AT_ONCE = 1024,    // requests under way to one service
	LIMIT_WAIT = 120 * 1000, // milliseconds that a service may make us wait at most
	LIMIT_LOOK = 50,         // until it is asked again when all places are taken
};

struct limit;

// The one for a key at a service; made when first asked for, lives as long as the process.
struct limit *limit_of(const struct model_settings *settings);
// 0: the request may start, and has a place until limit_leave(); else when to ask again.
int64_t limit_enter(struct limit *limit, int64_t now);
void limit_leave(struct limit *limit, bool success);
// The service refused, and is to be left alone until then (monotonic milliseconds).
void limit_refused(struct limit *limit, int64_t now, int64_t until);
