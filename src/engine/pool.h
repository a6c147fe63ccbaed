/*
 * Threads that perform commands, one at first and more as they are needed (at most `threads`), and the queue of
 * commands that are done, which wakes the scheduler through a descriptor that can be polled.
 */
#pragma once

#include "base/error.h"
#include "perform/perform.h"

struct pool;

struct pool *pool_create(size_t threads, struct error *error);
void pool_destroy(struct pool *pool); // waits for what is under way; NULL is fine
// Performs on a pool thread. work->done must end in pool_done().
void pool_submit(struct pool *pool, struct work *work);
void pool_done(struct pool *pool, struct work *work); // any thread
struct work *pool_take(struct pool *pool);            // all that are done, oldest first; or NULL
int pool_descriptor(const struct pool *pool);         // readable when something is done
void pool_wake(struct pool *pool);                    // async-signal-safe
