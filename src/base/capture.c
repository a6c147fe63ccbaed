#include "base/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	DEFAULT_LIMIT = 1024 * 1024,
	READS_AT_ONCE = 8, // of one stream, before the other one's turn
};

struct capture capture_start(size_t limit)
{
	return (struct capture){.half = (limit ? limit : DEFAULT_LIMIT) / 2 + 1};
}

// The newest bytes of a stream in a ring: what is older is written over.
static void keep_tail(struct capture *capture, struct text bytes)
{
	if (!capture->tail) {
		capture->tail = memory_alloc(capture->half);
	}
	if (bytes.length > capture->half) {
		bytes.data += bytes.length - capture->half;
		bytes.length = capture->half;
	}
	size_t first = capture->half - capture->tail_end;
	first = bytes.length < first ? bytes.length : first;
	memcpy(capture->tail + capture->tail_end, bytes.data, first);
	memcpy(capture->tail, bytes.data + first, bytes.length - first);
	capture->tail_end = (capture->tail_end + bytes.length) % capture->half;
	capture->tail_length += bytes.length;
	if (capture->tail_length > capture->half) {
		capture->tail_length = capture->half;
	}
}

void capture_add(struct capture *capture, struct text bytes)
{
	capture->total += (int64_t)bytes.length;
	size_t room = capture->half - capture->head.length;
	size_t taken = bytes.length < room ? bytes.length : room;
	buffer_add(&capture->head, bytes.data, taken);
	bytes.data += taken;
	bytes.length -= taken;
	if (bytes.length) {
		keep_tail(capture, bytes);
	}
}

bool capture_read(struct capture *capture, int fd, int stream,
	void (*output)(void *data, int stream, struct text bytes), void *data)
{
	char bytes[32 * 1024];
	for (int i = 0; i < READS_AT_ONCE; i++) {
		ssize_t got = read(fd, bytes, sizeof(bytes));
		if (got <= 0) {
			return got < 0 && (errno == EAGAIN || errno == EINTR);
		}
		struct text text = {bytes, (size_t)got};
		capture_add(capture, text);
		if (output) {
			output(data, stream, text);
		}
	}
	return true;
}

struct text capture_finish(struct capture *capture, struct arena *arena)
{
	int64_t left_out = capture->total - (int64_t)(capture->head.length + capture->tail_length);
	if (left_out > 0) {
		buffer_printf(
			&capture->head, "\n... %lld bytes left out ...\n", (long long)left_out);
	}
	if (capture->tail_length ==
		capture->half) { // the ring is full: its oldest byte is at the end
		buffer_add(&capture->head, capture->tail + capture->tail_end,
			capture->half - capture->tail_end);
		buffer_add(&capture->head, capture->tail, capture->tail_end);
	} else if (capture->tail_length) {
		buffer_add(&capture->head, capture->tail, capture->tail_length);
	}
	struct text text = text_copy(arena, buffer_text(&capture->head));
	buffer_finish(&capture->head);
	free(capture->tail);
	return text;
}
