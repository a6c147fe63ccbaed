#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "manifest/sink.h"
#include "sandbox/tar.h"

enum { CHUNK = 256 * 1024, NAME_SIZE = 100 };

// POSIX.1-2001, "ustar Interchange Format".
struct header {
	char name[NAME_SIZE], mode[8], user[8], group[8], size[12], modified[12], sum[8], type,
		target[NAME_SIZE], magic[6], version[2], user_name[32], group_name[32], major[8],
		minor[8], prefix[155], rest[12];
};

_Static_assert(sizeof(struct header) == TAR_BLOCK, "a header is one block");

struct sink_stream {
	struct sink sink;
	int fd;
	struct buffer path; // where it stands, with a '/' behind each folder
	struct buffer out;  // not yet written
};

static struct sink_stream *stream_of(struct sink *sink)
{
	return (struct sink_stream *)(void *)sink;
}

// Whoever reads may go away: that is an error like others, not a signal.
static bool flush(struct sink_stream *stream, struct error *error)
{
	const char *bytes = stream->out.data;
	size_t length = stream->out.length;
	while (length) {
		ssize_t written = send(stream->fd, bytes, length, MSG_NOSIGNAL);
		if (written < 0 && errno == ENOTSOCK) {
			written = write(stream->fd, bytes, length);
		}
		if (written < 0 && errno != EINTR) {
			return error_errno(
				error, ERROR_UNAVAILABLE, "the sandbox does not take the files");
		}
		bytes += written > 0 ? written : 0;
		length -= written > 0 ? (size_t)written : 0;
	}
	buffer_clear(&stream->out);
	return true;
}

static bool flush_if_full(struct sink_stream *stream, struct error *error)
{
	return stream->out.length < CHUNK || flush(stream, error);
}

static void pad(struct sink_stream *stream, int64_t size)
{
	static const char zeros[TAR_BLOCK];
	buffer_add(&stream->out, zeros, (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK));
}

static void octal(char *field, size_t size, uint64_t number)
{
	char digits[32];
	snprintf(digits, sizeof(digits), "%0*llo", (int)size - 1, (unsigned long long)number);
	memcpy(field, digits, size - 1);
}

static void add_header(
	struct sink_stream *stream, struct text path, struct header *header, int64_t size)
{
	memcpy(header->name, path.data, path.length < NAME_SIZE ? path.length : NAME_SIZE);
	// What is too large stands in the pax header in front.
	octal(header->size, sizeof(header->size), size >> 33 ? 0 : (uint64_t)size);
	octal(header->user, sizeof(header->user), 0);
	octal(header->group, sizeof(header->group), 0);
	octal(header->modified, sizeof(header->modified), 0);
	memcpy(header->magic, "ustar", 6);
	memcpy(header->version, "00", 2);
	memset(header->sum, ' ', sizeof(header->sum));
	uint64_t sum = 0;
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		sum += ((const unsigned char *)header)[i];
	}
	octal(header->sum, 7, sum);
	header->sum[6] = '\0';
	buffer_add(&stream->out, header, TAR_BLOCK);
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

static void add_pax(struct sink_stream *stream, struct text path, struct text target, int64_t size)
{
	buffer_cleanup records = {0};
	struct header header = {.type = 'x'};
	char digits[24];
	if (path.length > NAME_SIZE) {
		add_record(&records, "path", path);
	}
	if (target.length > NAME_SIZE) {
		add_record(&records, "linkpath", target);
	}
	if (size >> 33) {
		snprintf(digits, sizeof(digits), "%lld", (long long)size);
		add_record(&records, "size", text_of(digits));
	}
	if (records.length == 0) {
		return;
	}
	octal(header.mode, sizeof(header.mode), 0644);
	add_header(stream, TEXT("PaxHeader"), &header, (int64_t)records.length);
	buffer_add_text(&stream->out, buffer_text(&records));
	pad(stream, (int64_t)records.length);
}

static void add_entry(struct sink_stream *stream, char type, mode_t mode, struct text path,
	struct text target, int64_t size)
{
	struct header header = {.type = type};
	add_pax(stream, path, target, size);
	octal(header.mode, sizeof(header.mode), mode & 0777);
	memcpy(header.target, target.data ? target.data : "",
		target.length < NAME_SIZE ? target.length : NAME_SIZE);
	add_header(stream, path, &header, size);
}

// The path of something in the folder where it stands, to be freed.
static struct buffer path_of(const struct sink_stream *stream, const char *name)
{
	struct buffer path = {0};
	buffer_add_text(&path, buffer_text(&stream->path));
	buffer_add_string(&path, name);
	return path;
}

static bool enter(struct sink *sink, const char *name, mode_t mode, struct error *error)
{
	struct sink_stream *stream = stream_of(sink);
	buffer_add_string(&stream->path, name);
	buffer_add_char(&stream->path, '/');
	if (mode == 0) {
		return true; // made with what comes into it, if it is not there
	}
	add_entry(stream, TAR_FOLDER, mode, buffer_text(&stream->path), (struct text){0}, 0);
	return flush_if_full(stream, error);
}

static bool leave(struct sink *sink, struct error *error)
{
	struct sink_stream *stream = stream_of(sink);
	size_t length = stream->path.length - 1;
	(void)error;
	while (length && stream->path.data[length - 1] != '/') {
		length--;
	}
	stream->path.length = length;
	return true;
}

static bool set_mode(struct sink *sink, mode_t mode, struct error *error)
{
	struct sink_stream *stream = stream_of(sink);
	struct text path = stream->path.length ? buffer_text(&stream->path) : TEXT("./");
	add_entry(stream, TAR_FOLDER, mode, path, (struct text){0}, 0);
	return flush_if_full(stream, error);
}

static bool changed(const char *name, struct error *error)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text_of(name), 256);
	error_set(error, ERROR_FAILED, "'%s' changed while it was copied", shown.data);
	return error_hint(error, "try again when nobody writes to it");
}

static bool copy(struct sink_stream *stream, const char *name, const struct sink_file *file,
	struct error *error)
{
	int64_t left = file->size;
	for (;;) {
		ssize_t got = read(file->fd, buffer_reserve(&stream->out, CHUNK), CHUNK);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return error_errno(error, ERROR_FAILED, "cannot read '%s'", name);
		}
		if (got == 0 || got > left) {
			return got == left || changed(name, error);
		}
		stream->out.length += (size_t)got;
		left -= got;
		if (!flush_if_full(stream, error)) {
			return false;
		}
	}
}

static bool put_file(
	struct sink *sink, const char *name, const struct sink_file *file, struct error *error)
{
	struct sink_stream *stream = stream_of(sink);
	struct buffer path = path_of(stream, name);
	int64_t size = file->fd >= 0 ? file->size : (int64_t)file->content.length;
	add_entry(stream, TAR_FILE, file->mode, buffer_text(&path), (struct text){0}, size);
	buffer_finish(&path);
	if (file->fd < 0) {
		buffer_add_text(&stream->out, file->content);
	} else if (!copy(stream, name, file, error)) {
		return false;
	}
	pad(stream, size);
	return flush_if_full(stream, error);
}

static bool put_link(struct sink *sink, const char *name, struct text target, struct error *error)
{
	struct sink_stream *stream = stream_of(sink);
	struct buffer path = path_of(stream, name);
	add_entry(stream, TAR_LINK, 0777, buffer_text(&path), target, 0);
	buffer_finish(&path);
	return flush_if_full(stream, error);
}

static void destroy(struct sink *sink)
{
	struct sink_stream *stream = stream_of(sink);
	buffer_finish(&stream->path);
	buffer_finish(&stream->out);
	free(stream);
}

static const struct sink_kind kind = {
	.enter = enter,
	.leave = leave,
	.set_mode = set_mode,
	.file = put_file,
	.link = put_link,
	.destroy = destroy,
};

struct sink *sink_stream_create(int fd)
{
	struct sink_stream *stream = memory_alloc(sizeof(*stream));
	stream->sink.kind = &kind;
	stream->fd = fd;
	return &stream->sink;
}

bool sink_stream_end(struct sink *sink, struct error *error)
{
	static const char end[2 * TAR_BLOCK];
	struct sink_stream *stream = stream_of(sink);
	buffer_add(&stream->out, end, sizeof(end));
	return flush(stream, error);
}
