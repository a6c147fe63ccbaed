#include "store/pack.h"

#include <stdlib.h>
#include <string.h>

#include <nettle/sha1.h>

enum {
	COUNT_PLACE = 8,  // in the header
	BLOCK = 65535,    // bytes of a block that is stored as it is (RFC 1951, 3.2.4)
	ADLER = 65521,    // RFC 1950, 9
	ADLER_RUN = 5552, // bytes that can be added before the sums have to be reduced
};

struct pack {
	struct buffer bytes;
	uint32_t count;
	git_oid *known;  // by the id; all zero: free
	size_t capacity; // a power of two
};

struct pack *pack_create(void)
{
	return memory_alloc(sizeof(struct pack));
}

void pack_destroy(struct pack *pack)
{
	if (pack) {
		buffer_finish(&pack->bytes);
		free(pack->known);
		free(pack);
	}
}

static void add_number32(struct buffer *bytes, uint32_t number)
{
	const unsigned char digits[] = {(unsigned char)(number >> 24),
		(unsigned char)(number >> 16), (unsigned char)(number >> 8), (unsigned char)number};
	buffer_add(bytes, digits, sizeof(digits));
}

static git_oid *place_of(struct pack *pack, const git_oid *id)
{
	size_t place;
	memcpy(&place, id->id, sizeof(place));
	place &= pack->capacity - 1;
	while (!git.oid_is_zero(&pack->known[place]) && !git.oid_equal(&pack->known[place], id)) {
		place = (place + 1) & (pack->capacity - 1);
	}
	return &pack->known[place];
}

static void make_room(struct pack *pack)
{
	struct pack before = *pack;
	if ((pack->count + 1) * (size_t)2 < pack->capacity) {
		return;
	}
	pack->capacity = before.capacity ? before.capacity * 2 : 1024;
	pack->known = memory_alloc(pack->capacity * sizeof(*pack->known));
	for (size_t i = 0; i < before.capacity; i++) {
		if (!git.oid_is_zero(&before.known[i])) {
			*place_of(pack, &before.known[i]) = before.known[i];
		}
	}
	free(before.known);
}

// The type and the size: four bits, then seven at a time, the smallest first.
static void add_header(struct buffer *bytes, git_object_t type, size_t size)
{
	unsigned char byte = (unsigned char)(((unsigned)type << 4) | (size & 15));
	for (size >>= 4; size; size >>= 7) {
		buffer_add_char(bytes, (char)(byte | 0x80));
		byte = size & 0x7f;
	}
	buffer_add_char(bytes, (char)byte);
}

static uint32_t adler(struct text text)
{
	uint32_t low = 1, high = 0;
	for (size_t at = 0; at < text.length;) {
		size_t run = text.length - at < ADLER_RUN ? text.length - at : ADLER_RUN;
		for (size_t end = at + run; at < end; at++) {
			low += (unsigned char)text.data[at];
			high += low;
		}
		low %= ADLER;
		high %= ADLER;
	}
	return high << 16 | low;
}

// A zlib stream of blocks that are stored as they are.
static void add_stored(struct buffer *bytes, struct text text)
{
	size_t at = 0;
	buffer_add(bytes, "\x78\x01", 2);
	do {
		size_t length = text.length - at < BLOCK ? text.length - at : BLOCK;
		bool last = at + length == text.length;
		const unsigned char start[] = {last, (unsigned char)length,
			(unsigned char)(length >> 8), (unsigned char)~length,
			(unsigned char)(~length >> 8)};
		buffer_add(bytes, start, sizeof(start));
		buffer_add(bytes, text.data + at, length);
		at += length;
	} while (at < text.length);
	add_number32(bytes, adler(text));
}

bool pack_add(struct pack *pack, git_odb *database, struct text content, git_object_t type,
	const git_oid *id)
{
	make_room(pack);
	git_oid *place = place_of(pack, id);
	if (!git.oid_is_zero(place)) {
		return true;
	}
	*place = *id;
	if (pack->count++ == 0) {
		buffer_add(&pack->bytes, "PACK\0\0\0\2\0\0\0\0", 12);
	}
	add_header(&pack->bytes, type, content.length);
	add_stored(&pack->bytes, content.data ? content : TEXT(""));
	return pack->bytes.length < PACK_SIZE || pack_write(pack, database);
}

static bool hand_over(const struct pack *pack, git_odb *database)
{
	git_odb_writepack *writer = NULL;
	git_indexer_progress progress = {0};
	if (git.odb_write_pack(&writer, database, NULL, NULL) < 0) {
		return false;
	}
	bool fine = writer->append(writer, pack->bytes.data, pack->bytes.length, &progress) == 0 &&
		writer->commit(writer, &progress) == 0;
	writer->free(writer);
	return fine;
}

bool pack_write(struct pack *pack, git_odb *database)
{
	struct sha1_ctx hash;
	uint8_t digest[SHA1_DIGEST_SIZE];
	if (pack->count == 0) {
		return true;
	}
	for (int i = 0; i < 4; i++) {
		pack->bytes.data[COUNT_PLACE + i] = (char)(pack->count >> (24 - 8 * i));
	}
	sha1_init(&hash);
	sha1_update(&hash, pack->bytes.length, (const uint8_t *)pack->bytes.data);
	sha1_digest(&hash, sizeof(digest), digest);
	buffer_add(&pack->bytes, digest, sizeof(digest));
	bool fine = hand_over(pack, database);
	buffer_clear(&pack->bytes);
	memset(pack->known, 0, pack->capacity * sizeof(*pack->known));
	pack->count = 0;
	return fine;
}
