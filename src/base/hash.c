#include "base/hash.h"

#include <nettle/sha2.h>
#include <stdlib.h>

struct hash_stream {
	struct sha256_ctx sha256;
};

struct hash_stream *hash_begin(void)
{
	struct hash_stream *stream = memory_alloc(sizeof(*stream));
	sha256_init(&stream->sha256);
	return stream;
}

void hash_add(struct hash_stream *stream, const void *data, size_t length)
{
	sha256_update(&stream->sha256, length, data);
}

struct hash hash_end(struct hash_stream *stream)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct hash hash;
	sha256_digest(&stream->sha256, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++) {
		hash.hex[2 * i] = digits[digest[i] >> 4];
		hash.hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hash.hex[2 * sizeof(digest)] = '\0';
	free(stream);
	return hash;
}

struct hash hash_text(struct text text)
{
	struct hash_stream *stream = hash_begin();
	hash_add(stream, text.data, text.length);
	return hash_end(stream);
}
