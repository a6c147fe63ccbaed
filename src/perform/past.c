#include "perform/past.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct version {
	uint32_t record;
	const char *author;
	char blob[41]; // "": it was removed
};

struct line {
	char *path;
	struct version *versions; // oldest first
	size_t count;
};

struct past {
	pthread_mutex_t lock;    // of the lines
	pthread_mutex_t history; // see past_hold_history()
	struct line *lines;      // in order of paths
	size_t count, capacity;
};

struct past *past_create(void)
{
	struct past *past = memory_alloc(sizeof(*past));
	pthread_mutex_init(&past->lock, NULL);
	pthread_mutex_init(&past->history, NULL);
	return past;
}

void past_destroy(struct past *past)
{
	if (!past) {
		return;
	}
	for (size_t i = 0; i < past->count; i++) {
		free(past->lines[i].path);
		free(past->lines[i].versions);
	}
	free(past->lines);
	pthread_mutex_destroy(&past->lock);
	pthread_mutex_destroy(&past->history);
	free(past);
}

void past_hold_history(struct past *past)
{
	pthread_mutex_lock(&past->history);
}

void past_release_history(struct past *past)
{
	pthread_mutex_unlock(&past->history);
}

static size_t place_of(const struct past *past, const char *path, bool *there)
{
	size_t low = 0, high = past->count;
	*there = false;
	while (low < high && !*there) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(past->lines[middle].path, path);
		*there = order == 0;
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return *there ? high : low;
}

static struct line *line_of(struct past *past, const char *path)
{
	bool there;
	size_t place = place_of(past, path, &there);
	if (there) {
		return &past->lines[place];
	}
	if (past->count == past->capacity) {
		past->capacity = past->capacity * 2 + 64;
		past->lines = memory_resize(past->lines, past->capacity * sizeof(*past->lines));
	}
	memmove(&past->lines[place + 1], &past->lines[place],
		(past->count - place) * sizeof(*past->lines));
	past->count++;
	past->lines[place] = (struct line){.path = memory_string(path)};
	return &past->lines[place];
}

void past_note(struct past *past, uint32_t record, const struct store_change *change)
{
	pthread_mutex_lock(&past->lock);
	struct line *line = line_of(past, change->path);
	line->versions = memory_resize(line->versions, (line->count + 1) * sizeof(*line->versions));
	struct version *version = &line->versions[line->count++];
	*version = (struct version){.record = record, .author = change->agent};
	snprintf(version->blob, sizeof(version->blob), "%s", change->blob);
	pthread_mutex_unlock(&past->lock);
}

// How many versions there were when this record was made.
static size_t versions_until(const struct line *line, uint32_t record)
{
	size_t count = line->count;
	while (count > 0 && line->versions[count - 1].record > record) {
		count--;
	}
	return count;
}

static const char *blob_at(const struct line *line, size_t count)
{
	return count ? line->versions[count - 1].blob : "";
}

static void describe(struct arena *arena, const struct line *line, const struct past_span *span,
	struct gate_change *change)
{
	size_t first = versions_until(line, span->since);
	size_t end = versions_until(line, span->until);
	struct gate_write *writes = arena_new_array(arena, end - first, struct gate_write);
	for (size_t i = first; i < end; i++) {
		const struct version *version = &line->versions[i];
		writes[i - first] = (struct gate_write){version->record, version->author};
	}
	*change = (struct gate_change){.path = text_of(arena_string(arena, line->path)),
		.there = blob_at(line, end)[0] != '\0',
		.differs = strcmp(blob_at(line, end), blob_at(line, first)) != 0,
		.writes = writes,
		.write_count = end - first};
}

static const char *const *names_of(struct arena *arena, const struct past_span *span)
{
	size_t count = 0;
	const char **names = arena_new_array(arena, span->team->agent_count + 1, const char *);
	for (size_t i = 0; i < span->team->agent_count && i < 64; i++) {
		if (span->own >> i & 1) {
			names[count++] = span->team->agents[i].name;
		}
	}
	return names;
}

void past_compare(struct past *past, struct arena *arena, const struct past_span *span,
	struct gate_past *result)
{
	size_t count = 0;
	pthread_mutex_lock(&past->lock);
	for (size_t i = 0; i < past->count; i++) {
		const struct line *line = &past->lines[i];
		count += versions_until(line, span->until) > versions_until(line, span->since);
	}
	struct gate_change *changes = arena_new_array(arena, count, struct gate_change);
	*result = (struct gate_past){.changes = changes, .own = names_of(arena, span)};
	for (size_t i = 0; i < past->count; i++) {
		const struct line *line = &past->lines[i];
		if (versions_until(line, span->until) > versions_until(line, span->since)) {
			describe(arena, line, span, &changes[result->count++]);
		}
	}
	pthread_mutex_unlock(&past->lock);
}

static void add_write(struct arena *arena, struct gate_change *change, const char *author)
{
	struct gate_write *writes =
		arena_new_array(arena, change->write_count + 1, struct gate_write);
	if (change->write_count) {
		memcpy(writes, change->writes, change->write_count * sizeof(*writes));
	}
	writes[change->write_count++] = (struct gate_write){UINT32_MAX, author};
	change->writes = writes;
}

void past_add(struct past *past, struct arena *arena, const struct past_span *span,
	const struct history_changes *found, const char *author, struct gate_past *result)
{
	size_t known = result->count;
	struct gate_change *changes =
		arena_new_array(arena, known + found->count, struct gate_change);
	if (known) {
		memcpy(changes, result->changes, known * sizeof(*changes));
	}
	pthread_mutex_lock(&past->lock);
	for (size_t i = 0; i < found->count; i++) {
		const struct history_change *new = &found->changes[i];
		const char *path = text_string(arena, new->path), *before = "";
		size_t at = 0;
		bool there;
		size_t place = place_of(past, path, &there);
		if (there) {
			const struct line *line = &past->lines[place];
			before = blob_at(line, versions_until(line, span->since));
		}
		while (at < known && !text_equal(changes[at].path, new->path)) {
			at++;
		}
		at = at < known ? at : result->count++;
		changes[at].path = text_of(path);
		changes[at].there = new->status != HISTORY_DELETED;
		changes[at].differs = strcmp(before, new->blob) != 0;
		add_write(arena, &changes[at], author);
	}
	pthread_mutex_unlock(&past->lock);
	result->changes = changes;
}

const char *past_content(
	struct past *past, struct arena *arena, const struct gate *gate, uint32_t until)
{
	struct hash_stream *stream = hash_begin();
	pthread_mutex_lock(&past->lock);
	for (size_t i = 0; i < past->count; i++) {
		const struct line *line = &past->lines[i];
		const char *blob = blob_at(line, versions_until(line, until));
		if (blob[0] && gate_names(gate, text_of(line->path))) {
			hash_add(stream, line->path, strlen(line->path) + 1);
			hash_add(stream, blob, strlen(blob) + 1);
		}
	}
	pthread_mutex_unlock(&past->lock);
	struct hash hash = hash_end(stream);
	return arena_string(arena, hash.hex);
}
