/*
 * Values written as YAML 1.2 that reads back as the same: whatever a text holds, it stays one value,
 * and nothing in it is obeyed by a terminal that shows the file.
 */
#pragma once

#include "base/text.h"

struct cJSON;

// As a block of lines where that is exact and reads better ("|", `indent` spaces before each line),
// else in double quotes. What stands before it is "key: " or "- ". Bytes that are not UTF-8 become
// U+FFFD. Nothing is added behind it.
void yaml_write_text(struct buffer *buffer, struct text text, size_t indent);
// In double quotes, on one line.
void yaml_write_quoted(struct buffer *buffer, struct text text);
// A name without quotes where it cannot be mistaken for anything else.
void yaml_write_key(struct buffer *buffer, struct text key);
// On one line.
void yaml_write_json(struct buffer *buffer, const struct cJSON *value);
