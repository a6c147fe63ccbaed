/* SHA-256 (FIPS 180-4), as lower-case hexadecimal. */
#pragma once

#include "base/text.h"

enum { HASH_HEX_SIZE = 65 }; // 64 digits and a zero byte

struct hash {
	char hex[HASH_HEX_SIZE];
};

struct hash hash_text(struct text text);

// For what does not fit in memory: begin, add any number of times, end (which also frees).
struct hash_stream;
struct hash_stream *hash_begin(void);
void hash_add(struct hash_stream *stream, const void *data, size_t length);
struct hash hash_end(struct hash_stream *stream);
