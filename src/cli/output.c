#include "cli/verb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool output_write(const struct buffer *buffer, struct error *error)
{
	size_t done = 0;
	while (done < buffer->length) {
		ssize_t written = write(STDOUT_FILENO, buffer->data + done, buffer->length - done);
		if (written < 0 && errno == EPIPE) {
			*error = (struct error){.kind = ERROR_FAILED}; // the reader has seen enough
			return false;
		}
		if (written < 0 && errno != EINTR) {
			return error_errno(error, ERROR_FAILED, "cannot write to standard output");
		}
		done += written > 0 ? (size_t)written : 0;
	}
	return true;
}

void output_error(const struct error *error)
{
	// Whoever set the message has escaped it; doing so again costs nothing and forgives.
	buffer_cleanup line = {0};
	if (!error->message[0]) {
		return;
	}
	buffer_add_string(&line, "muster: ");
	buffer_add_terminal(&line, text_of(error->message));
	if (error->hint[0]) {
		buffer_add_string(&line, "; ");
		buffer_add_terminal(&line, text_of(error->hint));
	}
	buffer_add_char(&line, '\n');
	fwrite(line.data, 1, line.length, stderr);
}

bool output_colours(int fd)
{
	const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");
	return isatty(fd) && !(refused && refused[0]) && terminal && strcmp(terminal, "dumb") != 0;
}
