#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "manifest/accounts.h"
#include "manifest/kind.h"
#include "store/history.h"

// Entries that go into the workspace together, in order.
struct batch {
	const struct manifest_place *place;
	const struct manifest_entry *const *entries;
	size_t count;
	struct sink *sink;
};

static bool put_entry(const struct manifest_place *place, const struct manifest_entry *entry,
	struct sink *sink, struct error *error)
{
	arena_cleanup arena = {0};
	const char *path = text_string(&arena, entry->path);
	const char *slash = strrchr(path, '/');
	struct text parent = {path, slash ? (size_t)(slash - path) : 0};
	size_t depth = 0;
	bool fine = entry->kind->put
		? sink_enter_path(sink, parent, &depth, error) &&
			entry->kind->put(place, entry, sink, slash ? slash + 1 : path, error)
		: error_set(error, ERROR_UNAVAILABLE, "entries of type '%s' cannot be carried out",
			  entry->kind->owner.name);
	for (; fine && depth; depth--) {
		fine = sink_leave(sink, error);
	}
	return fine || entry_error(entry, error);
}

static bool put_batch(const struct batch *batch, struct error *error)
{
	for (size_t i = 0; i < batch->count; i++) {
		if (!put_entry(batch->place, batch->entries[i], batch->sink, error)) {
			return false;
		}
	}
	return true;
}

static void tell(void *data, int64_t files, int64_t bytes)
{
	const struct manifest_place *place = data;
	place->progress(place->progress_data, &(struct manifest_progress){files, bytes});
}

// The copy of the place is what `tell` gets, and must outlive the sink.
static void watch(struct sink *sink, struct manifest_place *place)
{
	sink->cancel = place->cancel;
	if (place->progress) {
		sink->progress = tell;
		sink->progress_data = place;
	}
}

// --- A workspace that is a folder of this machine ---

static bool put_into_folder(struct batch *batch, int folder, struct error *error)
{
	struct manifest_place place = *batch->place;
	batch->sink = sink_folder_create(folder, error);
	if (!batch->sink) {
		return false;
	}
	watch(batch->sink, &place);
	bool fine = put_batch(batch, error);
	sink_destroy(batch->sink);
	return fine;
}

// --- Any other: an archive, made while the sandbox unpacks it ---

struct stream {
	const struct batch *batch;
	int fd;
	bool fine;
	struct error error;
};

static void *produce(void *data)
{
	struct stream *stream = data;
	stream->fine = put_batch(stream->batch, &stream->error) &&
		sink_stream_end(stream->batch->sink, &stream->error);
	file_close(&stream->fd);
	return NULL;
}

static bool put_stream(struct batch *batch, struct error *error)
{
	struct manifest_place place = *batch->place;
	int ends[2];
	pthread_t thread;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		return error_errno(error, ERROR_UNAVAILABLE, "cannot make a stream of files");
	}
	struct stream stream = {.batch = batch, .fd = ends[1]};
	batch->sink = sink_stream_create(ends[1]);
	watch(batch->sink, &place);
	if (pthread_create(&thread, NULL, produce, &stream) != 0) {
		sink_destroy(batch->sink);
		file_close(&ends[0]);
		file_close(&ends[1]);
		return error_set(error, ERROR_UNAVAILABLE, "no more threads can be started");
	}
	bool taken = sandbox_put_archive(batch->place->sandbox, TEXT(""), ends[0], error);
	file_close(&ends[0]); // whoever still writes sees that nobody reads
	pthread_join(thread, NULL);
	sink_destroy(batch->sink);
	// An archive that broke off is not the sandbox's fault.
	if (!stream.fine && (taken || stream.error.kind != ERROR_UNAVAILABLE)) {
		*error = stream.error;
		return false;
	}
	return taken;
}

static bool lies_in(struct text path, struct text folder)
{
	return folder.length == 0 || text_equal(path, folder) ||
		(path.length > folder.length && path.data[folder.length] == '/' &&
			memcmp(path.data, folder.data, folder.length) == 0);
}

// May both be in one archive, in which nothing stands twice? What lies in a plain folder may.
static bool overlap(const struct manifest_entry *a, const struct manifest_entry *b)
{
	bool inside = lies_in(b->path, a->path), around = lies_in(a->path, b->path);
	bool plain = !a->kind->tree && a->kind->folder && !b->kind->tree && b->kind->folder;
	return (inside && around) ? !plain
		: inside          ? a->kind->tree || !a->kind->folder
		: around          ? b->kind->tree || !b->kind->folder
				  : false;
}

static bool put_streams(struct batch *all, struct error *error)
{
	for (size_t start = 0; start < all->count;) {
		struct batch batch = {.place = all->place, .entries = all->entries + start};
		bool apart = true;
		while (start + batch.count < all->count && apart) {
			batch.count++;
			for (size_t i = 0;
				start + batch.count < all->count && i < batch.count && apart; i++) {
				apart = !overlap(
					batch.entries[i], all->entries[start + batch.count]);
			}
		}
		if (!put_stream(&batch, error)) {
			return false;
		}
		start += batch.count;
	}
	return true;
}

// --- The whole ---

static bool give_to_groups(const struct batch *batch, struct error *error)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct manifest_entry *entry = batch->entries[i];
		if (entry->group && !account_give(batch->place, entry->path, entry->group, error)) {
			return entry_error(entry, error);
		}
	}
	return true;
}

// What an attempt left that came to no end. Only a folder of this machine outlives its session.
static bool empty_workspace(const struct manifest_place *place, struct error *error)
{
	struct folder_list list;
	do {
		arena_cleanup arena = {0};
		if (sandbox_host_folder(place->sandbox) < 0) {
			return true;
		}
		if (!sandbox_scan(place->sandbox, &arena, TEXT(""), HISTORY_FILES, &list, error)) {
			return false;
		}
		for (size_t i = 0; i < list.count; i++) {
			struct text path = list.entries[i].path;
			if (text_find(path, TEXT("/")) == path.length &&
				!sandbox_remove(place->sandbox, path, true, error)) {
				return error_wrap(error, "the workspace cannot be emptied");
			}
		}
	} while (list.cut);
	return true;
}

bool manifest_begin(const struct manifest_place *place, struct error *error)
{
	return empty_workspace(place, error) && accounts_make(place, error);
}

bool manifest_apply(const struct manifest_place *place, struct error *error)
{
	struct manifest manifest = manifest_read(place->arena, place->team);
	const struct manifest_entry **chosen =
		arena_new_array(place->arena, manifest.count + 1, const struct manifest_entry *);
	struct batch batch = {.place = place, .entries = chosen};
	for (size_t i = 0; i < manifest.count; i++) {
		if (manifest.entries[i].ephemeral || !place->ephemeral_only) {
			chosen[batch.count++] = &manifest.entries[i];
		}
	}
	int folder = sandbox_host_folder(place->sandbox);
	if (!place->ephemeral_only && !manifest_begin(place, error)) {
		return false;
	}
	return (folder >= 0 ? put_into_folder(&batch, folder, error)
			    : put_streams(&batch, error)) &&
		give_to_groups(&batch, error);
}
