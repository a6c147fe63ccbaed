/*
 * The texts beside the events of a run, read back from the store: a source for view/progress.h. The
 * events must be shown to it in their order, each before it is told.
 */
#pragma once

#include "view/progress.h"

struct log_texts;

struct log_texts *log_texts_create(
	struct store *store, const struct store_run *run, struct error *error);
void log_texts_destroy(struct log_texts *texts); // NULL is fine
// `sequence` is the event's number.
void log_texts_event(struct log_texts *texts, const struct run_event *event, int64_t sequence);
struct progress_source log_texts_source(struct log_texts *texts);
