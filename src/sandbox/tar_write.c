#include "sandbox/tar_write.h"

#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 100 };

// POSIX.1-2001, "ustar Interchange Format".
struct header {
	char name[NAME_SIZE], mode[8], user[8], group[8], size[12], modified[12], sum[8], type,
		target[NAME_SIZE], magic[6], version[2], user_name[32], group_name[32], major[8],
		minor[8], prefix[155], rest[12];
};

_Static_assert(sizeof(struct header) == TAR_BLOCK, "a header is one block");

#define NUMBER_MOST (INT64_C(1) << 33) // eleven octal digits

void tar_write_end_of_file(struct tar_writer *writer, int64_t size)
{
	static const char zeros[TAR_BLOCK];
	buffer_add(&writer->out, zeros, (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK));
}

static void octal(char *field, size_t size, uint64_t number)
{
	char digits[32];
	snprintf(digits, sizeof(digits), "%0*llo", (int)size - 1, (unsigned long long)number);
	memcpy(field, digits, size - 1);
}

// What is too large for a field stands in the pax header in front.
static void octal_if_fits(char *field, int64_t number)
{
	octal(field, 12, number >= NUMBER_MOST ? 0 : (uint64_t)number);
}

static void copy_name(char *field, struct text name)
{
	memcpy(field, name.data ? name.data : "",
		name.length < NAME_SIZE ? name.length : NAME_SIZE);
}

static void add_header(struct tar_writer *writer, struct header *header)
{
	octal(header->user, sizeof(header->user), 0);
	octal(header->group, sizeof(header->group), 0);
	memcpy(header->magic, "ustar", 6);
	memcpy(header->version, "00", 2);
	memset(header->sum, ' ', sizeof(header->sum));
	uint64_t sum = 0;
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		sum += ((const unsigned char *)header)[i];
	}
	octal(header->sum, 7, sum);
	header->sum[6] = '\0';
	buffer_add(&writer->out, header, TAR_BLOCK);
}

// "LENGTH KEY=VALUE\n", where the length counts itself.
static void add_record(struct buffer *records, const char *key, struct text value)
{
	size_t rest = 1 + strlen(key) + 1 + value.length + 1, length = rest + 1;
	char digits[24];
	while (length != rest + (size_t)snprintf(digits, sizeof(digits), "%zu", length)) {
		length = rest + strlen(digits);
	}
	buffer_printf(records, "%s %s=", digits, key);
	buffer_add_text(records, value);
	buffer_add_char(records, '\n');
}

static void add_number(struct buffer *records, const char *key, int64_t number)
{
	char digits[24];
	if (number >= NUMBER_MOST) {
		snprintf(digits, sizeof(digits), "%lld", (long long)number);
		add_record(records, key, text_of(digits));
	}
}

static void add_pax(struct tar_writer *writer, const struct tar_entry *entry, int64_t seconds)
{
	buffer_cleanup records = {0};
	struct header header = {.type = 'x'};
	if (entry->path.length > NAME_SIZE) {
		add_record(&records, "path", entry->path);
	}
	if (entry->target.length > NAME_SIZE) {
		add_record(&records, "linkpath", entry->target);
	}
	add_number(&records, "size", entry->size);
	add_number(&records, "mtime", seconds);
	if (records.length == 0) {
		return;
	}
	copy_name(header.name, TEXT("PaxHeader"));
	octal(header.mode, sizeof(header.mode), 0644);
	octal_if_fits(header.size, (int64_t)records.length);
	octal_if_fits(header.modified, 0);
	add_header(writer, &header);
	buffer_add_text(&writer->out, buffer_text(&records));
	tar_write_end_of_file(writer, (int64_t)records.length);
}

void tar_write_entry(struct tar_writer *writer, const struct tar_entry *entry)
{
	struct header header = {.type = entry->type};
	int64_t seconds = entry->modified > 0 ? entry->modified / 1000000000 : 0;
	add_pax(writer, entry, seconds);
	copy_name(header.name, entry->path);
	copy_name(header.target, entry->target);
	octal(header.mode, sizeof(header.mode), entry->mode & 0777);
	octal_if_fits(header.size, entry->size);
	octal_if_fits(header.modified, seconds);
	add_header(writer, &header);
}

void tar_write_end(struct tar_writer *writer)
{
	static const char end[2 * TAR_BLOCK];
	buffer_add(&writer->out, end, sizeof(end));
}
