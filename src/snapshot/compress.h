/*
 * Compressed streams of bytes: zstd out; zstd, gzip, bzip2, xz or nothing in. libarchive does it, with
 * its other formats left out, and is loaded when the first stream is opened: no other verb pays for
 * it. What is read is hostile: each stream is compressed once at most, and who reads counts the bytes.
 */
#pragma once

#include "base/error.h"
#include "base/hash.h"

struct compress;
struct expand;

// The same bytes always come out alike. The descriptor stays the caller's.
struct compress *compress_begin(int fd, struct error *error);
bool compress_add(struct compress *compress, struct text bytes, struct error *error);
// All is written to the descriptor. The handle is to be freed all the same.
bool compress_end(struct compress *compress, struct error *error);
void compress_free(struct compress *compress); // NULL is fine

// Reads from where the descriptor stands.
struct expand *expand_begin(int fd, struct error *error);
// The next bytes, valid until the next call; none at the end.
bool expand_next(struct expand *expand, struct text *bytes, struct error *error);
int64_t expand_taken(const struct expand *expand); // compressed bytes so far
// Of all the bytes; once, when expand_next() gave none and no error.
struct hash expand_end(struct expand *expand);
void expand_free(struct expand *expand); // NULL is fine
