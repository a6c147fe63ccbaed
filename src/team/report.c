#include <stdlib.h>
#include <string.h>

#include "team/loader.h"

static bool said_before(const struct team_report *report, const struct team_message *message)
{
	// An alias shows the same mistake again at the same place; neighbours are enough to look at
	// because a file is walked in order.
	size_t first = report->count > 64 ? report->count - 64 : 0;
	for (size_t i = first; i < report->count; i++) {
		const struct team_message *other = &report->messages[i];
		if (other->position.line == message->position.line &&
			other->position.column == message->position.column &&
			strcmp(other->position.file, message->position.file) == 0 &&
			strcmp(other->what, message->what) == 0) {
			return true;
		}
	}
	return false;
}

static void add_message(const struct loader *loader, struct team_message message)
{
	struct team_report *report = loader->report;
	struct arena *arena = &report->arena;
	if (said_before(report, &message)) {
		return;
	}
	message.position.file = arena_string(arena, message.position.file);
	if (message.remedy) {
		message.remedy = arena_string(arena, message.remedy);
	}
	report->messages = grown(arena, report->messages, report->count, sizeof(message));
	report->messages[report->count++] = message;
	report->mistakes += message.severity == TEAM_MISTAKE;
}

bool report_is_full(const struct loader *loader)
{
	return loader->report->count == LOADER_MESSAGES;
}

void mistake(const struct loader *loader, struct yaml_position position, const char *remedy,
	const char *format, ...)
{
	if (report_is_full(loader)) {
		loader->report->mistakes += loader->report->mistakes == 0;
		return;
	}
	va_list arguments;
	va_start(arguments, format);
	const char *what = arena_vprintf(&loader->report->arena, format, arguments);
	va_end(arguments);
	add_message(loader, (struct team_message){TEAM_MISTAKE, position, what, remedy});
}

void warning(const struct loader *loader, struct yaml_position position, const char *remedy,
	const char *format, ...)
{
	if (report_is_full(loader)) {
		return;
	}
	va_list arguments;
	va_start(arguments, format);
	const char *what = arena_vprintf(&loader->report->arena, format, arguments);
	va_end(arguments);
	add_message(loader, (struct team_message){TEAM_WARNING, position, what, remedy});
}

void mistake_from_yaml(const struct loader *loader, const char *file, const struct error *error)
{
	struct yaml_position position = {file, 1, 1};
	const char *message = error->message;
	size_t length = strlen(file);
	if (strncmp(message, file, length) == 0 && message[length] == ':') {
		char *end;
		unsigned long line = strtoul(message + length + 1, &end, 10);
		unsigned long column = *end == ':' ? strtoul(end + 1, &end, 10) : 0;
		if (line && column && strncmp(end, ": ", 2) == 0) {
			position.line = (unsigned)line;
			position.column = (unsigned)column;
			message = end + 2;
		}
	}
	mistake(loader, position, error->hint[0] ? error->hint : NULL, "%s", message);
}

static int compare_files(const char *a, const char *b, const char *first)
{
	bool a_first = strcmp(a, first) == 0, b_first = strcmp(b, first) == 0;
	return a_first != b_first ? (a_first ? -1 : 1) : strcmp(a, b);
}

static int compare_messages(const void *left, const void *right, void *first)
{
	const struct team_message *a = left, *b = right;
	int files = compare_files(a->position.file, b->position.file, first);
	if (files) {
		return files;
	}
	if (a->position.line != b->position.line) {
		return a->position.line < b->position.line ? -1 : 1;
	}
	if (a->position.column != b->position.column) {
		return a->position.column < b->position.column ? -1 : 1;
	}
	return strcmp(a->what, b->what);
}

void report_sort(struct team_report *report, const char *first_file)
{
	char *first = arena_string(&report->arena, first_file);
	if (report->count) {
		qsort_r(report->messages, report->count, sizeof(*report->messages),
			compare_messages, first);
	}
}

void team_report_finish(struct team_report *report)
{
	arena_finish(&report->arena);
	*report = (struct team_report){0};
}

void team_report_print(struct buffer *buffer, const struct team_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct team_message *message = &report->messages[i];
		buffer_add_terminal(buffer, text_of(message->position.file));
		if (message->position.line) {
			buffer_printf(
				buffer, ":%u:%u", message->position.line, message->position.column);
		}
		buffer_add_string(buffer, ": ");
		buffer_add_string(buffer, message->severity == TEAM_WARNING ? "warning: " : "");
		buffer_add_terminal(buffer, text_of(message->what));
		if (message->remedy) {
			buffer_add_string(buffer, "; ");
			buffer_add_terminal(buffer, text_of(message->remedy));
		}
		buffer_add_char(buffer, '\n');
	}
	if (report->count == LOADER_MESSAGES) {
		buffer_printf(buffer, "only the first %d messages are shown\n", LOADER_MESSAGES);
	}
}

const char *shown(const struct loader *loader, struct text text)
{
	buffer_cleanup line = {0};
	buffer_add_line(&line, text, 80);
	return arena_copy(loader->arena, line.data ? line.data : "", line.length);
}

const char *nearest(
	const struct loader *loader, struct text name, const char *const *names, size_t count)
{
	const char *found = text_nearest(name, names, count);
	return found ? arena_printf(loader->arena, "did you mean '%s'?", found) : NULL;
}

const char *one_of(const struct loader *loader, const char *const *names, size_t count)
{
	buffer_cleanup line = {0};
	buffer_add_string(&line, "it is one of: ");
	for (size_t i = 0; i < count; i++) {
		buffer_printf(&line, "%s%s", i ? ", " : "", names[i]);
	}
	return arena_copy(loader->arena, line.data, line.length);
}
