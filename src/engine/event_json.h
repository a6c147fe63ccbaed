/*
 * Events of the run core as JSON objects for the journal, and back. Which fields a kind has is
 * said once, in run_event_fields().
 */
#pragma once

#include "base/json.h"
#include "run/event.h"

void event_to_json(struct buffer *json, const struct run_event *event);
// `kind` is the event's name. Arrays are in the arena.
bool event_from_json(struct arena *arena, const char *kind, struct text json,
	struct run_event *event, struct error *error);
