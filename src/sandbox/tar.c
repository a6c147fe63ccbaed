#include "sandbox/tar.h"

#include <stdlib.h>
#include <string.h>

enum { EXTRA_MOST = 1024 * 1024 }; // bytes of one pax header or long name

#define SIZE_MOST (INT64_C(1) << 60)

struct field {
	size_t start, length;
};

static const struct field name_field = {0, 100}, mode_field = {100, 8}, size_field = {124, 12},
			  time_field = {136, 12}, sum_field = {148, 8}, link_field = {157, 100},
			  prefix_field = {345, 155};

enum { TYPE_AT = 156, MAGIC_AT = 257 };

static bool damaged(struct error *error, const char *what)
{
	return error_set(error, ERROR_FAILED, "the archive is damaged: %s", what);
}

static struct text field_text(const char *block, struct field field)
{
	return (struct text){block + field.start, strnlen(block + field.start, field.length)};
}

// Octal digits, or GNU's binary numbers; -1 when it is neither.
static int64_t field_number(const char *block, struct field field)
{
	const unsigned char *bytes = (const unsigned char *)block + field.start;
	uint64_t value = 0;
	size_t i = 0;
	if (bytes[0] == 0x80) {
		for (i = 1; i < field.length; i++) {
			if (value >> 55) {
				return -1;
			}
			value = value << 8 | bytes[i];
		}
		return (int64_t)value;
	}
	while (i < field.length && bytes[i] == ' ') {
		i++;
	}
	for (; i < field.length && bytes[i] >= '0' && bytes[i] <= '7'; i++) {
		value = value << 3 | (uint64_t)(bytes[i] - '0');
	}
	return i < field.length && bytes[i] && bytes[i] != ' ' ? -1 : (int64_t)value;
}

static int64_t padded(int64_t size)
{
	return (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

static bool sum_fits(const char *block)
{
	int64_t sum = 0;
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		bool itself = i >= sum_field.start && i < sum_field.start + sum_field.length;
		sum += itself ? ' ' : (unsigned char)block[i];
	}
	return sum == field_number(block, sum_field);
}

// In nanoseconds; 0 for what no clock shows.
static int64_t in_nanoseconds(int64_t seconds)
{
	bool fits = seconds < INT64_MAX / 1000000000 - 1 && seconds > INT64_MIN / 1000000000 + 1;
	return fits ? seconds * 1000000000 : 0;
}

// "1700000000.25" in nanoseconds.
static int64_t pax_time(struct text value)
{
	char digits[64] = "";
	memcpy(digits, value.data ? value.data : "",
		value.length < sizeof(digits) ? value.length : sizeof(digits) - 1);
	char *rest;
	int64_t time = strtoll(digits, &rest, 10), unit = 100000000;
	time = in_nanoseconds(time);
	if (*rest == '.') {
		for (rest++; *rest >= '0' && *rest <= '9' && unit; rest++, unit /= 10) {
			time += (*rest - '0') * unit;
		}
	}
	return time;
}

static bool pax_record(
	struct tar_reader *reader, struct text key, struct text value, struct error *error)
{
	if (text_is(key, "path") || text_is(key, "linkpath")) {
		if (value.length && memchr(value.data, '\0', value.length)) {
			return damaged(error, "a name in it holds a zero byte");
		}
		struct buffer *name = text_is(key, "path") ? &reader->path : &reader->target;
		buffer_clear(name);
		buffer_add_text(name, value);
	} else if (text_is(key, "size")) {
		uint64_t size = 0;
		for (size_t i = 0; i < value.length; i++) {
			if (value.data[i] < '0' || value.data[i] > '9' || size > INT64_MAX / 16) {
				return damaged(error, "a size in it is no number");
			}
			size = size * 10 + (uint64_t)(value.data[i] - '0');
		}
		reader->size = (int64_t)size;
	} else if (text_is(key, "mtime")) {
		reader->modified = pax_time(value);
	} else if (text_starts(key, "GNU.sparse")) {
		return error_set(error, ERROR_FAILED, "the archive holds a sparse file");
	}
	return true;
}

// Records "LENGTH KEY=VALUE\n".
static bool pax_header(struct tar_reader *reader, struct error *error)
{
	struct text rest = buffer_text(&reader->extra);
	while (rest.length) {
		size_t length = 0, digits = 0;
		while (digits < rest.length && digits < 8 && rest.data[digits] >= '0' &&
			rest.data[digits] <= '9') {
			length = length * 10 + (size_t)(rest.data[digits++] - '0');
		}
		if (digits == 0 || length > rest.length || length < digits + 3 ||
			rest.data[digits] != ' ' || rest.data[length - 1] != '\n') {
			return damaged(error, "a header in it has no form");
		}
		struct text record = {rest.data + digits + 1, length - digits - 2};
		size_t equals = text_find(record, TEXT("="));
		if (equals == record.length) {
			return damaged(error, "a header in it has no form");
		}
		struct text value = {record.data + equals + 1, record.length - equals - 1};
		if (!pax_record(reader, (struct text){record.data, equals}, value, error)) {
			return false;
		}
		rest.data += length;
		rest.length -= length;
	}
	return true;
}

static bool take_extra(struct tar_reader *reader, struct error *error)
{
	char header = reader->header;
	reader->header = 0;
	if (header == 'x') {
		return pax_header(reader, error);
	}
	struct buffer *name = header == 'L' ? &reader->path : &reader->target;
	struct text value = buffer_text(&reader->extra);
	buffer_clear(name);
	value.length = strnlen(value.data ? value.data : "", value.length);
	buffer_add_text(name, value);
	return true;
}

static bool take_entry(struct tar_reader *reader, struct error *error)
{
	const char *block = reader->block;
	buffer_cleanup joined = {0};
	struct text prefix = {0};
	// GNU's own magic has other things where the prefix stands.
	if (memcmp(block + MAGIC_AT, "ustar\0", 6) == 0) {
		prefix = field_text(block, prefix_field);
	}
	buffer_add_text(&joined, prefix);
	buffer_add_string(&joined, prefix.length ? "/" : "");
	buffer_add_text(&joined, field_text(block, name_field));
	struct tar_entry entry = {
		.path = reader->path.length ? buffer_text(&reader->path) : buffer_text(&joined),
		.target = reader->target.length ? buffer_text(&reader->target)
						: field_text(block, link_field),
		.type = block[TYPE_AT] == '\0' || block[TYPE_AT] == '7' ? TAR_FILE : block[TYPE_AT],
		.mode = (mode_t)field_number(block, mode_field) & 07777,
		.size = reader->size >= 0 ? reader->size : field_number(block, size_field),
		.modified = reader->modified != INT64_MIN
			? reader->modified
			: in_nanoseconds(field_number(block, time_field))};
	if (entry.type == TAR_FILE && text_ends(entry.path, "/")) {
		entry.type = TAR_FOLDER; // as before POSIX
	}
	if (entry.size < 0 || entry.size > SIZE_MOST) {
		return damaged(error, "a size in it is no number");
	}
	bool without =
		entry.type == TAR_LINK || entry.type == TAR_HARD_LINK || entry.type == TAR_FOLDER;
	entry.size = without ? 0 : entry.size;
	reader->skip = padded(entry.size);
	reader->holds = entry.size;
	if (++reader->entries > TAR_MOST_ENTRIES) {
		return error_set(error, ERROR_FAILED, "the archive has more than %d entries",
			TAR_MOST_ENTRIES);
	}
	bool fine = !reader->entry || reader->entry(reader->data, &entry, error);
	buffer_clear(&reader->path);
	buffer_clear(&reader->target);
	reader->size = -1;
	reader->modified = INT64_MIN;
	return fine;
}

static bool take_header(struct tar_reader *reader, struct error *error)
{
	static const char zeroes[TAR_BLOCK];
	const char *block = reader->block;
	if (memcmp(block, zeroes, TAR_BLOCK) == 0) {
		reader->ended = true;
		return true;
	}
	if (!sum_fits(block)) {
		return reader->entries ? damaged(error, "a header in it has another checksum")
				       : error_set(error, ERROR_FAILED, "this is no tar archive");
	}
	char type = block[TYPE_AT];
	if (type != 'x' && type != 'L' && type != 'K' && type != 'g') {
		return take_entry(reader, error);
	}
	int64_t size = field_number(block, size_field);
	if (size < 0 || size > EXTRA_MOST) {
		return damaged(error, "a header in it is too long");
	}
	buffer_clear(&reader->extra);
	if (type == 'g') { // of all entries: comments
		reader->skip = padded(size);
		return true;
	}
	reader->header = type;
	reader->extra_size = size;
	return size > 0 || take_extra(reader, error);
}

static bool take_block(struct tar_reader *reader, struct error *error)
{
	if (!reader->known) {
		reader->known = true;
		reader->size = -1;
		reader->modified = INT64_MIN;
	}
	if (!reader->header) {
		return take_header(reader, error);
	}
	size_t part = reader->extra_size < TAR_BLOCK ? (size_t)reader->extra_size : TAR_BLOCK;
	buffer_add(&reader->extra, reader->block, part);
	reader->extra_size -= (int64_t)part;
	return reader->extra_size > 0 || take_extra(reader, error);
}

// What lies between two headers; the caller wants what an entry holds.
static bool pass(struct tar_reader *reader, struct text bytes, struct error *error)
{
	struct text held = bytes;
	if ((int64_t)held.length > reader->holds) {
		held.length = (size_t)reader->holds;
	}
	reader->holds -= (int64_t)held.length;
	reader->skip -= (int64_t)bytes.length;
	reader->whole += (int64_t)bytes.length;
	return held.length == 0 || !reader->content || reader->content(reader->data, held, error);
}

bool tar_feed(struct tar_reader *reader, struct text bytes, struct error *error)
{
	while (bytes.length && !reader->ended) {
		size_t room = reader->skip > 0 ? bytes.length : TAR_BLOCK - reader->filled;
		size_t part = bytes.length < room ? bytes.length : room;
		if (reader->skip > 0) {
			part = (int64_t)part < reader->skip ? part : (size_t)reader->skip;
			if (!pass(reader, (struct text){bytes.data, part}, error)) {
				return false;
			}
		} else {
			memcpy(reader->block + reader->filled, bytes.data, part);
			reader->filled += part;
		}
		bytes.data += part;
		bytes.length -= part;
		if (reader->filled == TAR_BLOCK) {
			reader->filled = 0;
			if (!take_block(reader, error)) {
				return false;
			}
			reader->whole += reader->ended ? 0 : TAR_BLOCK;
		}
	}
	return true;
}

bool tar_end(const struct tar_reader *reader, struct error *error)
{
	// Some leave the mark of the end out; half a block or half a file is cut off, and so is a name
	// without the entry that it is for.
	return (reader->filled == 0 && reader->skip == 0 && !reader->header &&
		       reader->path.length == 0 && reader->target.length == 0 &&
		       (reader->ended || reader->entries > 0)) ||
		damaged(error, "its end is missing");
}

void tar_finish(struct tar_reader *reader)
{
	buffer_finish(&reader->extra);
	buffer_finish(&reader->path);
	buffer_finish(&reader->target);
}
