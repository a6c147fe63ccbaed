#include "manifest/sink.h"

#include <time.h>

enum { PROGRESS_TIME = 500, PROGRESS_FILES = 64 }; // milliseconds; the clock is asked that seldom

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

bool progress_due(int64_t *told)
{
	int64_t time = now();
	bool due = *told && time - *told >= PROGRESS_TIME;
	if (due || *told == 0) {
		*told = time; // the first time is only noted: what is done at once is not worth a word
	}
	return due;
}

static void tell(struct sink *sink, int64_t size)
{
	sink->files++;
	sink->bytes += size;
	bool asked = sink->files % PROGRESS_FILES == 0 || size > (INT64_C(8) << 20);
	if (sink->progress && asked && progress_due(&sink->told)) {
		sink->progress(sink->progress_data, sink->files, sink->bytes);
	}
}

void sink_destroy(struct sink *sink)
{
	if (sink) {
		sink->kind->destroy(sink);
	}
}

bool sink_enter(struct sink *sink, const char *name, mode_t mode, struct error *error)
{
	return sink->kind->enter(sink, name, mode, error);
}

bool sink_leave(struct sink *sink, struct error *error)
{
	return sink->kind->leave(sink, error);
}

bool sink_set_mode(struct sink *sink, mode_t mode, struct error *error)
{
	return sink->kind->set_mode(sink, mode, error);
}

bool sink_file(
	struct sink *sink, const char *name, const struct sink_file *file, struct error *error)
{
	if (sink->cancel && atomic_load(sink->cancel)) {
		return error_set(error, ERROR_INTERRUPTED, "stopped before it was whole");
	}
	if (!sink->kind->file(sink, name, file, error)) {
		return false;
	}
	tell(sink, file->fd >= 0 ? file->size : (int64_t)file->content.length);
	return true;
}

bool sink_link(struct sink *sink, const char *name, struct text target, struct error *error)
{
	if (!sink->kind->link(sink, name, target, error)) {
		return false;
	}
	tell(sink, 0);
	return true;
}

bool sink_enter_path(struct sink *sink, struct text path, size_t *depth, struct error *error)
{
	arena_cleanup arena = {0};
	*depth = 0;
	while (path.length) {
		size_t length = text_find(path, TEXT("/"));
		struct text component = {path.data, length};
		if (!sink_enter(sink, text_string(&arena, component), 0, error)) {
			return false;
		}
		++*depth;
		length += length < path.length;
		path = (struct text){path.data + length, path.length - length};
	}
	return true;
}
