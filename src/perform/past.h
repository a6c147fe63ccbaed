/*
 * What the records of a run found, by path: who wrote it in which record, so that a gate can compare
 * with the start of an assignment and an approval can be bound to what was approved. Lives as long as
 * the run's driver; for several threads at once.
 */
#pragma once

#include "gate/gate.h"
#include "store/history.h"
#include "store/store.h"

struct past;

struct past *past_create(void);
void past_destroy(struct past *past); // NULL is fine
// A path that a record found changed; in order of records. The author's name is kept, not copied.
void past_note(struct past *past, uint32_t record, const struct store_change *change);

// The stay of an agent that a gate looks at.
struct past_span {
	uint32_t since, until; // the newest record when it began, and now
	const struct team *team;
	uint64_t own; // agents whose writes belong to it, as bits
};
// What was written after `since` up to `until`, into the arena.
void past_compare(struct past *past, struct arena *arena, const struct past_span *span,
	struct gate_past *result);
// Adds what a scan found that no record holds yet, as written by `author`.
void past_add(struct past *past, struct arena *arena, const struct past_span *span,
	const struct history_changes *found, const char *author, struct gate_past *result);
// A hash of what the paths that the gate names held in record `until`.
const char *past_content(
	struct past *past, struct arena *arena, const struct gate *gate, uint32_t until);

// The history is for one thread at a time: held by a record, and by who looks at what is not recorded.
void past_hold_history(struct past *past);
void past_release_history(struct past *past);
