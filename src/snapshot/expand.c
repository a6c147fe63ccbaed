/* A thread of its own expands, some blocks ahead of who takes them: unpacking waits for the file system,
 * expanding for the processor. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/compress.h"
#include "snapshot/library.h"

enum { BLOCK = 256 * 1024, AHEAD = 4 };

struct block {
	struct buffer bytes;
	int64_t taken;
};

struct expand {
	struct archive *archive;
	struct hash_stream *hash;
	pthread_t thread;
	pthread_mutex_t lock; // of what follows
	pthread_cond_t change;
	struct block blocks[AHEAD];
	size_t filled, emptied; // numbers of blocks so far; one of them may be held by the caller
	bool holds, ended, stopped;
	struct error error;

	int64_t taken; // the caller's
};

// False at the end. Blocks of the library are small; one of ours holds several.
static bool fill(struct expand *expand, struct block *block, struct error *error)
{
	buffer_clear(&block->bytes);
	while (block->bytes.length < BLOCK) {
		const void *data;
		size_t length;
		la_int64_t offset;
		int code = library.read_data_block(expand->archive, &data, &length, &offset);
		if (code != ARCHIVE_OK) {
			block->taken = library.filter_bytes(expand->archive, -1);
			return code != ARCHIVE_EOF &&
				library_failed(error, "read the archive", expand->archive);
		}
		buffer_add(&block->bytes, data, length);
		hash_add(expand->hash, data, length);
	}
	block->taken = library.filter_bytes(expand->archive, -1);
	return true;
}

static void *work(void *data)
{
	struct expand *expand = data;
	bool more = true;
	pthread_mutex_lock(&expand->lock);
	while (more && !expand->stopped) {
		if (expand->filled - expand->emptied == AHEAD) {
			pthread_cond_wait(&expand->change, &expand->lock);
			continue;
		}
		struct block *block = &expand->blocks[expand->filled % AHEAD];
		struct error error = {0};
		pthread_mutex_unlock(&expand->lock);
		more = fill(expand, block, &error);
		pthread_mutex_lock(&expand->lock);
		expand->filled += block->bytes.length > 0;
		expand->ended = !more;
		expand->error = error;
		pthread_cond_broadcast(&expand->change);
	}
	pthread_mutex_unlock(&expand->lock);
	return NULL;
}

// Each filter is named: no other parser, and no program, ever sees what is read.
static bool open_archive(struct archive *archive, int fd, struct error *error)
{
	struct archive_entry *entry;
	if (library.read_support_format_raw(archive) != ARCHIVE_OK ||
		library.read_support_filter_zstd(archive) != ARCHIVE_OK ||
		library.read_support_filter_gzip(archive) != ARCHIVE_OK ||
		library.read_support_filter_bzip2(archive) != ARCHIVE_OK ||
		library.read_support_filter_xz(archive) != ARCHIVE_OK ||
		library.read_open_fd(archive, fd, BLOCK) != ARCHIVE_OK ||
		library.read_next_header(archive, &entry) != ARCHIVE_OK) {
		return library_failed(error, "read the archive", archive);
	}
	// The last filter is the file itself.
	return library.filter_count(archive) <= 2 ||
		error_set(error, ERROR_FAILED, "the archive is compressed more than once");
}

struct expand *expand_begin(int fd, struct error *error)
{
	if (!library_load(error)) {
		return NULL;
	}
	struct archive *archive = library.read_new();
	if (!archive) {
		memory_exhausted();
	}
	if (!open_archive(archive, fd, error)) {
		library.read_free(archive);
		return NULL;
	}
	struct expand *expand = memory_alloc(sizeof(*expand));
	expand->archive = archive;
	expand->hash = hash_begin();
	pthread_mutex_init(&expand->lock, NULL);
	pthread_cond_init(&expand->change, NULL);
	if (pthread_create(&expand->thread, NULL, work, expand) != 0) {
		error_set(error, ERROR_UNAVAILABLE, "no more threads can be started");
		expand->stopped = true;
		expand_free(expand);
		return NULL;
	}
	return expand;
}

bool expand_next(struct expand *expand, struct text *bytes, struct error *error)
{
	bool fine = true;
	*bytes = (struct text){0};
	pthread_mutex_lock(&expand->lock);
	expand->emptied += expand->holds;
	expand->holds = false;
	pthread_cond_broadcast(&expand->change);
	while (expand->filled == expand->emptied && !expand->ended) {
		pthread_cond_wait(&expand->change, &expand->lock);
	}
	if (expand->filled > expand->emptied) {
		const struct block *block = &expand->blocks[expand->emptied % AHEAD];
		expand->holds = true;
		expand->taken = block->taken;
		*bytes = buffer_text(&block->bytes);
	} else if (expand->error.kind != ERROR_NONE) {
		*error = expand->error;
		fine = false;
	}
	pthread_mutex_unlock(&expand->lock);
	return fine;
}

int64_t expand_taken(const struct expand *expand)
{
	return expand->taken;
}

struct hash expand_end(struct expand *expand)
{
	pthread_join(expand->thread, NULL);
	struct hash hash = hash_end(expand->hash);
	expand->hash = NULL;
	return hash;
}

void expand_free(struct expand *expand)
{
	if (!expand) {
		return;
	}
	if (expand->hash) {
		bool started = !expand->stopped;
		pthread_mutex_lock(&expand->lock);
		expand->stopped = true;
		pthread_cond_broadcast(&expand->change);
		pthread_mutex_unlock(&expand->lock);
		if (started) {
			pthread_join(expand->thread, NULL);
		}
		hash_end(expand->hash);
	}
	for (size_t i = 0; i < AHEAD; i++) {
		buffer_finish(&expand->blocks[i].bytes);
	}
	pthread_mutex_destroy(&expand->lock);
	pthread_cond_destroy(&expand->change);
	library.read_free(expand->archive);
	free(expand);
}
