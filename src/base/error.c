#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void store(char *target, size_t size, struct text text)
{
	struct text cut = text_cut(text, size - 1);
	if (cut.length) {
		memmove(target, cut.data, cut.length);
	}
	target[cut.length] = '\0';
}

static __attribute__((format(printf, 3, 0))) void format_into(
	char *target, size_t size, const char *format, va_list arguments)
{
	char line[2048];
	vsnprintf(line, sizeof(line), format, arguments);
	store(target, size, text_of(line));
}

bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	error->kind = kind;
	error->hint[0] = '\0';
	format_into(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	return false;
}

bool error_errno(struct error *error, enum error_kind kind, const char *format, ...)
{
	char reason[128], line[1024];
	const char *text = strerror_r(errno, reason, sizeof(reason));
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	return error_set(error, kind, "%s: %s", line, text);
}

bool error_hint(struct error *error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	format_into(error->hint, sizeof(error->hint), format, arguments);
	va_end(arguments);
	return false;
}

bool error_wrap(struct error *error, const char *format, ...)
{
	char context[1024], line[sizeof(context) + sizeof(error->message) + 2];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(context, sizeof(context), format, arguments);
	va_end(arguments);
	snprintf(line, sizeof(line), "%s: %s", context, error->message);
	store(error->message, sizeof(error->message), text_of(line));
	return false;
}

int error_exit_code(const struct error *error)
{
	static const int codes[] = {[ERROR_NONE] = 0,
		[ERROR_FAILED] = 1,
		[ERROR_USAGE] = 2,
		[ERROR_UNAVAILABLE] = 6,
		[ERROR_INTERRUPTED] = 130};
	return codes[error->kind];
}
