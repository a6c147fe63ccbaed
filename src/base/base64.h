/* Base64 (RFC 4648, section 4), with padding. */
#pragma once

#include "base/text.h"

void buffer_add_base64(struct buffer *buffer, struct text bytes);
// White space between the digits is fine; all else that is no base64 gives false.
bool base64_decode(struct arena *arena, struct text digits, struct text *bytes);
