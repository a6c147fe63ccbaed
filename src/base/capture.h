/*
 * A stream of which only the head and the tail are kept, however much comes; what lies between is
 * counted and let go.
 */
#pragma once

#include "base/arena.h"
#include "base/text.h"

struct capture {
	struct buffer head;
	char *tail; // a ring of `half` bytes
	size_t half, tail_end, tail_length;
	int64_t total; // bytes that came
};

struct capture capture_start(size_t limit); // bytes kept; 0: 1 MiB
void capture_add(struct capture *capture, struct text bytes);
// Reads what is there (not for ever: other streams wait) and hands it to `output`, which may be NULL,
// as well. False at the end of the stream. The descriptor does not block.
bool capture_read(struct capture *capture, int fd, int stream,
	void (*output)(void *data, int stream, struct text bytes), void *data);
// Head, a line "... N bytes left out ..." if that is so, tail; in the arena. Frees the rest.
struct text capture_finish(struct capture *capture, struct arena *arena);
