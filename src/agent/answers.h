/*
 * What the harness says to a model: the texts for the answers and notes that the run core decides
 * (run/event.h). Each says what happened, why, and what can be done. The core knows numbers only;
 * the words are here.
 */
#pragma once

#include "run/state.h"
#include "team/team.h"

struct answer_source {
	const struct team *team;
	const struct run_state *state;
	// The failing lines of a verdict, by the command that made it; adds nothing if unknown.
	void (*verdict_lines)(void *data, uint32_t branch, uint32_t command, struct buffer *text);
	// The last text of a closed branch.
	void (*report)(void *data, uint32_t branch, struct buffer *text);
	// What a malformed or forbidden call was about.
	void (*problem)(void *data, uint32_t branch, uint32_t call, struct buffer *text);
	// Paths with writes outside an agent's `writes:` that stand, one per line with "- ".
	void (*outside)(void *data, uint32_t agent, struct buffer *text);
	// What a person answered to a question.
	void (*said)(void *data, uint32_t question, struct buffer *text);
	void *data;
};

// The output for a call, after it was answered. ANSWER_RESULT has none: it is the tool's own.
void answer_text(
	struct buffer *text, const struct answer_source *source, uint32_t branch, uint32_t call);
// The note of a branch, before its next model call; adds nothing if there is none.
void note_text(struct buffer *text, const struct answer_source *source, uint32_t branch);
