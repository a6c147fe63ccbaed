#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "manifest/sink.h"
#include "sandbox/tar_write.h"

enum { CHUNK = 256 * 1024 };

struct sink_stream {
	struct sink sink;
	int fd;
	struct buffer path;       // where it stands, with a '/' behind each folder
	struct tar_writer writer; // what it has is not yet written
};

static struct sink_stream *stream_of(struct sink *sink)
{
	return (struct sink_stream *)(void *)sink;
}

// Whoever reads may go away: that is an error like others, not a signal.
static bool flush(struct sink_stream *stream, struct error *error)
{
	const char *bytes = stream->writer.out.data;
	size_t length = stream->writer.out.length;
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
	buffer_clear(&stream->writer.out);
	return true;
}

static bool flush_if_full(struct sink_stream *stream, struct error *error)
{
	return stream->writer.out.length < CHUNK || flush(stream, error);
}

static void add_entry(struct sink_stream *stream, char type, mode_t mode, struct text path,
	struct text target, int64_t size)
{
	struct tar_entry entry = {
		.path = path, .target = target, .type = type, .mode = mode, .size = size};
	tar_write_entry(&stream->writer, &entry);
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
		ssize_t got = read(file->fd, buffer_reserve(&stream->writer.out, CHUNK), CHUNK);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return error_errno(error, ERROR_FAILED, "cannot read '%s'", name);
		}
		if (got == 0 || got > left) {
			return got == left || changed(name, error);
		}
		stream->writer.out.length += (size_t)got;
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
		buffer_add_text(&stream->writer.out, file->content);
	} else if (!copy(stream, name, file, error)) {
		return false;
	}
	tar_write_end_of_file(&stream->writer, size);
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
	buffer_finish(&stream->writer.out);
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
	struct sink_stream *stream = stream_of(sink);
	tar_write_end(&stream->writer);
	return flush(stream, error);
}
