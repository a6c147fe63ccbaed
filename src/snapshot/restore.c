#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "snapshot/parts.h"

enum { FULL = 256 * 1024 };

// --- A sandbox elsewhere: the archive in our own form, checked, while the sandbox unpacks it ---

struct stream {
	const struct snapshot_archive *archive;
	struct snapshot *found;
	struct tar_writer tar;
	int fd;
	int64_t size, left; // of the file that is being written
	bool fine, gone;    // gone: the sandbox takes no more
	struct error error;
};

static bool flush(struct stream *stream, struct error *error)
{
	struct text bytes = buffer_text(&stream->tar.out);
	while (bytes.length) {
		// Whoever reads may go away: that is an error like others, not a signal.
		ssize_t written = send(stream->fd, bytes.data, bytes.length, MSG_NOSIGNAL);
		if (written < 0 && errno != EINTR) {
			stream->gone = true;
			return error_errno(
				error, ERROR_UNAVAILABLE, "the sandbox does not take the files");
		}
		bytes.data += written > 0 ? written : 0;
		bytes.length -= written > 0 ? (size_t)written : 0;
	}
	buffer_clear(&stream->tar.out);
	return true;
}

static bool stream_entry(void *data, const struct snapshot_member *member, struct error *error)
{
	struct stream *stream = data;
	struct tar_entry entry = {.path = member->path,
		.target = member->target,
		.type = member->type,
		.mode = member->mode,
		.size = member->size,
		.modified = member->modified};
	tar_write_entry(&stream->tar, &entry);
	stream->size = stream->left = member->size;
	return stream->tar.out.length < FULL || flush(stream, error);
}

static bool stream_bytes(void *data, struct text bytes, struct error *error)
{
	struct stream *stream = data;
	buffer_add_text(&stream->tar.out, bytes);
	stream->left -= (int64_t)bytes.length;
	if (stream->left == 0) {
		tar_write_end_of_file(&stream->tar, stream->size);
	}
	return stream->tar.out.length < FULL || flush(stream, error);
}

static void *produce(void *data)
{
	struct stream *stream = data;
	struct unpack_target target = {
		.entry = stream_entry, .bytes = stream_bytes, .data = stream};
	stream->fine = snapshot_unpack(stream->archive, &target, stream->found, &stream->error);
	if (stream->fine) {
		tar_write_end(&stream->tar);
		stream->fine = flush(stream, &stream->error);
	}
	file_close(&stream->fd);
	return NULL;
}

// An archive that is refused breaks off, without its end: so the sandbox, which looks at all of it
// first, unpacks nothing of it.
static bool put_stream(struct sandbox *sandbox, const struct snapshot_archive *archive,
	struct snapshot *found, struct error *error)
{
	int ends[2];
	pthread_t thread;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		return error_errno(error, ERROR_UNAVAILABLE, "cannot make a stream of files");
	}
	struct stream stream = {.archive = archive, .found = found, .fd = ends[1]};
	if (pthread_create(&thread, NULL, produce, &stream) != 0) {
		file_close(&ends[0]);
		file_close(&ends[1]);
		return error_set(error, ERROR_UNAVAILABLE, "no more threads can be started");
	}
	struct error problem = {0};
	bool taken = sandbox_put_archive(sandbox, TEXT(""), ends[0], &problem);
	file_close(&ends[0]); // whoever still writes sees that nobody reads
	pthread_join(thread, NULL);
	buffer_finish(&stream.tar.out);
	if (stream.fine && taken) {
		return true;
	}
	*error = !stream.fine && !stream.gone ? stream.error : problem;
	return false;
}

static bool put_folder(int folder, const struct snapshot_archive *archive, struct snapshot *found,
	struct error *error)
{
	struct unpack_folder *unpack = unpack_folder_begin(folder, error);
	if (!unpack) {
		return false;
	}
	struct unpack_target target = unpack_folder_target(unpack);
	bool fine =
		snapshot_unpack(archive, &target, found, error) && unpack_folder_end(unpack, error);
	unpack_folder_free(unpack);
	return fine;
}

bool snapshot_restore(struct sandbox *sandbox, const struct snapshot_archive *archive,
	struct snapshot *found, struct error *error)
{
	int folder = sandbox_host_folder(sandbox);
	return folder >= 0 ? put_folder(folder, archive, found, error)
			   : put_stream(sandbox, archive, found, error);
}

// --- An archive from elsewhere, onto the shelf ---

static bool import_raw(void *data, struct text bytes, struct error *error)
{
	return snapshot_write_raw(data, bytes, error);
}

bool snapshot_import(const char *shelf, const struct snapshot_archive *archive,
	struct snapshot *found, struct error *error)
{
	struct snapshot written;
	struct snapshot_writer *writer = snapshot_write_begin(shelf, error);
	struct unpack_target target = {.raw = import_raw, .data = writer};
	bool fine = writer && snapshot_unpack(archive, &target, found, error) &&
		snapshot_write_end(writer, &written, error);
	snapshot_write_free(writer);
	if (fine) {
		found->stored = written.stored;
	}
	return fine;
}
