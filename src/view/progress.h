/*
 * A run told in plain lines, one per thing that matters: who works, what it writes, which handoff a
 * gate refuses and why. A projection of the events: given the events as they happen it is the
 * progress in the terminal, given those of the journal it is `muster log`; the lines are the same.
 */
#pragma once

#include "model/model.h"
#include "store/store.h"
#include "view/follow.h"

// The texts that lie beside the events. Each function adds the text as it is, not escaped, or nothing
// when there is none; each may be NULL.
struct progress_source {
	void *data;
	// The failing lines of a verdict, each starting with "- ".
	void (*verdict)(void *data, uint32_t branch, uint32_t command, struct buffer *text);
	// A call of the branch's last answer: its name, a space, its arguments as JSON (or the start
	// of them).
	void (*call)(void *data, uint32_t branch, uint32_t call, struct buffer *text);
	// What is said in the last answer of a branch.
	void (*said)(void *data, uint32_t branch, struct buffer *text);
	// The message that the last event is about.
	void (*message)(void *data, struct buffer *text);
	// What a person said with the answer to a question, if anything.
	void (*answer)(void *data, uint32_t question, struct buffer *text);
	// Why something is not available.
	void (*reason)(void *data, struct buffer *text);
	// The changes that the last event recorded.
	const struct store_change *(*changes)(void *data, size_t *count);
};

struct progress {
	struct follower follower;
	struct progress_source source;
	bool colours;
	size_t name_width;
	size_t words_start; // of the line that is written: where it goes on behind time and name
	// Receives each line with its LF.
	void (*write)(void *data, struct text line);
	void *write_data;
};

// `team` must outlive it. Set `write`, `write_data`, `source` and `colours` afterwards.
void progress_init(struct progress *progress, const struct team *team);
void progress_finish(struct progress *progress);
// Call with every event from RUN_STARTED on, after it was applied.
void progress_event(struct progress *progress, const struct run_event *event);
// A call as a source gives it, in short: its name (if `named`) and what says most of its arguments.
void progress_add_call(struct buffer *buffer, struct text call, bool named);
// A notice about an agent's model, `at` as in the events; not of NOTICE_TEXT.
void progress_notice(
	struct progress *progress, uint32_t agent, int64_t at, const struct model_notice *notice);
// A line of what an agent says.
void progress_said(struct progress *progress, uint32_t agent, int64_t at, struct text words);
