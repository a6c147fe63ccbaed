/* An answer, put together item by item. Private to src/model/. */
#pragma once

#include "model/model.h"

enum { ANSWER_ITEMS = 4096, ANSWER_CALLS = 512 };

// Appends an item as it is; false when there are too many.
bool answer_add_item(struct model_answer *answer, struct text json);
// Appends a message with one part: "output_text" or "refusal".
bool answer_add_message(struct model_answer *answer, const char *type, struct text text);
// Appends a call with its item.
bool answer_add_call(
	struct model_answer *answer, struct text id, struct text name, struct text arguments);
// Appends a call whose item is there already.
bool answer_note_call(
	struct model_answer *answer, struct text id, struct text name, struct text arguments);
