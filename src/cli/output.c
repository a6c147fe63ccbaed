#include "cli/verb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool write_bytes(struct text bytes, struct error *error)
{
	size_t done = 0;
	while (done < bytes.length) {
		ssize_t written = write(STDOUT_FILENO, bytes.data + done, bytes.length - done);
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

bool output_write(const struct buffer *buffer, struct error *error)
{
	return write_bytes(buffer_text(buffer), error);
}

bool output_content(struct text content, struct error *error)
{
	buffer_cleanup shown = {0};
	if (!isatty(STDOUT_FILENO)) {
		return write_bytes(content, error);
	}
	if (content.length && memchr(content.data, '\0', content.length)) {
		error_set(error, ERROR_USAGE, "this is no text: it is not shown on a terminal");
		return error_hint(error, "send it to a file: muster ... > FILE");
	}
	buffer_add_terminal(&shown, content);
	return output_write(&shown, error);
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
