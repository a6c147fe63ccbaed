/*
 * The conversation of a branch: ready-made JSON items (the form of the OpenAI Responses API), each
 * made once and only appended, so that a request is a concatenation of texts. An answer's calls
 * reserve one place each behind it; the places are filled in as the calls are answered, in any
 * order. The texts live as long as the conversation's arena; a conversation that starts with what an
 * earlier one knew refers to its texts.
 */
#pragma once

#include "base/text.h"

struct conversation {
	struct arena arena;
	struct text *items; // an empty text: a place that is not filled in yet
	size_t count, capacity;
	size_t inherited;  // items that belong to an earlier conversation
	size_t first;      // items before it are no longer sent (a transfer passed on less)
	size_t call_place; // the place of the last answer's first call
	size_t call_count; // its calls
};

void conversation_finish(struct conversation *conversation);
// Starts with all items of `earlier`, which must live as long.
void conversation_inherit(struct conversation *conversation, const struct conversation *earlier);
// Appends a ready-made item; returns its number from 1 among those that are its own.
size_t conversation_add(struct conversation *conversation, struct text json);
size_t conversation_add_user(struct conversation *conversation, struct text text);
// Reserves `count` places for the answers to calls.
void conversation_expect(struct conversation *conversation, size_t count);
// Fills in the answer to the last answer's call `call` (from 0); returns the item's number.
size_t conversation_answer(
	struct conversation *conversation, size_t call, struct text call_id, struct text output);
// The item with this number, from 1 among its own.
struct text conversation_item(const struct conversation *conversation, size_t number);
// Puts an item read from the journal back at its number; places before it stay open.
void conversation_restore(struct conversation *conversation, size_t number, struct text json);
