/*
 * Where the manifest's files go: into a folder of this machine (a workspace that is one), or into a
 * stream, which one call hands to the sandbox. A sink stands in a folder, goes into folders and comes
 * out of them, and takes what lies there by its name alone.
 */
#pragma once

#include <stdatomic.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

// Is it time to tell again how far it is? *told is 0 at first.
bool progress_due(int64_t *told);

struct sink_file {
	mode_t mode;
	int fd;              // read from where it stands; -1: `content`
	struct text content; // when there is no descriptor
	int64_t size;        // of what the descriptor has to give; another length is an error
};

struct sink;

struct sink_kind {
	// Makes the folder if it is not there. `mode` 0: 0755, and what is there stays as it is.
	bool (*enter)(struct sink *sink, const char *name, mode_t mode, struct error *error);
	bool (*leave)(struct sink *sink, struct error *error);
	// The mode of the folder that it stands in.
	bool (*set_mode)(struct sink *sink, mode_t mode, struct error *error);
	// In place of what is there, but for a folder.
	bool (*file)(struct sink *sink, const char *name, const struct sink_file *file,
		struct error *error);
	bool (*link)(struct sink *sink, const char *name, struct text target, struct error *error);
	void (*destroy)(struct sink *sink);
};

// The start of each sink.
struct sink {
	const struct sink_kind *kind;
	int64_t files, bytes; // taken so far
	int64_t told;         // when `progress` was last called
	void (*progress)(void *data, int64_t files, int64_t bytes); // may be NULL
	void *progress_data;
	const atomic_bool *cancel; // may be NULL
};

enum { SINK_DEPTH = 200 };

// The folder is a workspace that nobody works in; what is put there belongs to the folder's owner.
struct sink *sink_folder_create(int folder, struct error *error);
// Writes a pax archive to the descriptor; whole after sink_stream_end().
struct sink *sink_stream_create(int fd);
bool sink_stream_end(struct sink *sink, struct error *error);
void sink_destroy(struct sink *sink); // NULL is fine

bool sink_enter(struct sink *sink, const char *name, mode_t mode, struct error *error);
bool sink_leave(struct sink *sink, struct error *error);
bool sink_set_mode(struct sink *sink, mode_t mode, struct error *error);
bool sink_file(
	struct sink *sink, const char *name, const struct sink_file *file, struct error *error);
bool sink_link(struct sink *sink, const char *name, struct text target, struct error *error);
// Goes into all folders of a path; *depth counts them, also when it fails half-way.
bool sink_enter_path(struct sink *sink, struct text path, size_t *depth, struct error *error);
