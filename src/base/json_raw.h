/*
 * The text of values inside JSON that was checked before (json_check): what is kept as it came is a
 * piece of the text, and nothing is parsed that is not looked at.
 */
#pragma once

#include "base/text.h"

// The text of a member's value; false if the text is no object or has no such member. Names are
// compared as they stand: those with escapes are not found.
bool json_raw_member(struct text object, const char *name, struct text *value);
// Takes the next element off the front of an array's text; false at its end. Start with the whole
// array in *rest.
bool json_raw_next(struct text *rest, struct text *element);
// The same for the members of an object; the name is what stands between its quotes.
bool json_raw_next_member(struct text *rest, struct text *name, struct text *value);
