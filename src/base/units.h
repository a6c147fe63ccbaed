/*
 * Lengths of time and sizes as people write them: "90s", "1h30m", "500ms"; "10 MiB", "64KB".
 */
#pragma once

#include "base/text.h"

// A number of seconds alone is one, too. False for anything else and for what does not fit.
bool units_duration(struct text text, int64_t *milliseconds);
// KB, MB, GB, TB count by 1000; KiB, MiB, GiB, TiB by 1024. A number of bytes alone is one, too.
bool units_size(struct text text, int64_t *bytes);
// The shortest exact form of them, for messages.
void buffer_add_duration(struct buffer *buffer, int64_t milliseconds);
void buffer_add_size(struct buffer *buffer, int64_t bytes);
