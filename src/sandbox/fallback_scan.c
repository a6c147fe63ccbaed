#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/fallback.h"

enum {
	DEPTH = 64, // as folder_scan()
	LINES_MOST = 64 * 1024 * 1024,
};

// What is found, as it comes.
struct found {
	struct arena *arena;
	struct text prefix; // the folder that is looked through
	size_t limit;
	struct folder_entry *entries;
	size_t count, capacity;
	bool cut;

	struct buffer pending; // what has come and is not understood yet
	struct buffer lines;   // what stat said of the next names
	size_t line;           // of which the next name's starts here
	bool naming;           // names are coming
	bool whole, odd;
};

// `path` is relative to the folder that is looked through.
static void add_entry(struct found *found, struct text path, struct folder_entry entry)
{
	size_t depth = 0;
	for (size_t i = 0; i < path.length; i++) {
		depth += path.data[i] == '/';
	}
	if (depth > DEPTH || found->count >= found->limit) {
		found->cut = true;
		return;
	}
	if (found->count == found->capacity) {
		found->capacity = found->capacity * 2 + 256;
		found->entries =
			memory_resize(found->entries, found->capacity * sizeof(*found->entries));
	}
	char *joined = arena_alloc(found->arena, found->prefix.length + path.length + 2);
	size_t length = found->prefix.length;
	memcpy(joined, length ? found->prefix.data : "", length);
	if (length) {
		joined[length++] = '/';
	}
	memcpy(joined + length, path.data, path.length);
	entry.path = (struct text){joined, length + path.length};
	found->entries[found->count++] = entry;
}

// "MODE SIZE MODIFIED CHANGED INODE", the mode in base 16.
static struct folder_entry entry_of(const char *line)
{
	char *rest;
	struct folder_entry entry = {0};
	mode_t mode = (mode_t)strtoul(line, &rest, 16);
	entry.size = strtoll(rest, &rest, 10);
	entry.modified = fallback_time(rest, &rest);
	entry.changed = fallback_time(rest, &rest);
	entry.inode = strtoull(rest, NULL, 10);
	entry.mode = mode & 07777;
	entry.kind = S_ISREG(mode) ? FOLDER_FILE
		: S_ISDIR(mode)    ? FOLDER_FOLDER
		: S_ISLNK(mode)    ? FOLDER_LINK
				   : FOLDER_SPECIAL;
	return entry;
}

// "=CHECKSUM INODE MODE LINKS OWNER GROUP SIZE", the mode in letters.
static struct folder_entry long_entry_of(const char *line)
{
	struct folder_entry entry = {.kind = FOLDER_SPECIAL};
	char mode[16] = "";
	unsigned long long sum = 0, inode = 0;
	long long size = 0;
	if (sscanf(line, "=%llu %llu %15s %*s %*s %*s %lld", &sum, &inode, mode, &size) >= 3) {
		entry.kind = mode[0] == '-' ? FOLDER_FILE
			: mode[0] == 'd'    ? FOLDER_FOLDER
			: mode[0] == 'l'    ? FOLDER_LINK
					    : FOLDER_SPECIAL;
		entry.mode = fallback_mode(mode + 1);
		entry.size = size;
		entry.changed = (int64_t)sum;
		entry.inode = inode;
	}
	return entry;
}

// Texts that end with a zero byte: first the lines of stat, then as many names, then an empty one. The
// end of it all is one more empty one.
static void take_text(struct found *found, struct text text)
{
	if (!found->naming) {
		found->odd = found->odd || found->whole;
		found->whole = text.length == 0;
		found->naming = text.length > 0;
		found->line = 0;
		buffer_clear(&found->lines);
		buffer_add_text(&found->lines, text);
		return;
	}
	struct text rest = buffer_text(&found->lines), line;
	rest.data += found->line;
	rest.length -= found->line;
	if (text.length == 0) { // the next batch
		found->odd = found->odd || rest.length;
		found->naming = false;
		return;
	}
	if (!text_next_line(&rest, &line) || !text_starts(text, "./")) {
		found->odd = true;
		return;
	}
	found->line = found->lines.length - rest.length;
	char numbers[256] = "";
	memcpy(numbers, line.data,
		line.length < sizeof(numbers) ? line.length : sizeof(numbers) - 1);
	add_entry(found, (struct text){text.data + 2, text.length - 2},
		numbers[0] == '=' ? long_entry_of(numbers) : entry_of(numbers));
}

static void take_lines(void *data, int stream, struct text bytes)
{
	struct found *found = data;
	if (stream != 1 || found->odd) {
		return;
	}
	buffer_add_text(&found->pending, bytes);
	size_t start = 0;
	const char *end;
	while (start < found->pending.length &&
		(end = memchr(found->pending.data + start, '\0', found->pending.length - start))) {
		struct text text = {
			found->pending.data + start, (size_t)(end - found->pending.data) - start};
		take_text(found, text);
		start += text.length + 1;
	}
	memmove(found->pending.data, found->pending.data + start, found->pending.length - start);
	found->pending.length -= start;
	found->odd = found->odd || found->pending.length > LINES_MOST;
}

// A stat for many files at once; for each by itself when one of them went away meanwhile.
static const char with_stat[] =
	"follow \"$1\" || exit $?\n"
	"[ -e \"$p\" ] || exit 90\n"
	"[ -d \"$p\" ] || { what; exit 93; }\n"
	"cd -P -- \"$p\" || exit 94\n"
	"stat -c %f . >/dev/null 2>&1 || exit 95\n"
	"find . ! -name . -exec sh -c '\n"
	"	form=\"%f %s %.9Y %.9Z %i\"\n"
	"	lines=$(stat -c \"$form\" \"$@\" 2>/dev/null) && {\n"
	"		printf \"%s\\n\\0\" \"$lines\"; printf \"%s\\0\" \"$@\"; printf \"\\0\"\n"
	"		exit 0\n"
	"	}\n"
	"	for name; do\n"
	"		line=$(stat -c \"$form\" \"$name\" 2>/dev/null) &&\n"
	"			printf \"%s\\n\\0%s\\0\\0\" \"$line\" \"$name\"\n"
	"	done\n"
	"	exit 0' sh {} +\n"
	"[ $? -le 1 ] || exit 94\n" // 1: a folder may not be read
	"printf '\\0'\n";
static const char without_stat[] =
	"follow \"$1\" || exit $?\n"
	"cd -P -- \"$p\" || exit 94\n"
	"find . ! -name . -exec sh -c '\n"
	"	for name; do\n"
	"		line=$(ls -dlni -- \"$name\" 2>/dev/null) || continue\n"
	"		sum=\n"
	"		[ -f \"$name\" ] && ! [ -L \"$name\" ] && sum=$(cksum <\"$name\") "
	"2>/dev/null\n"
	"		sum=${sum%% *}\n"
	"		printf \"=%s %s\\n\\0%s\\0\\0\" \"${sum:-0}\" \"${line%%\"$name\"*}\" "
	"\"$name\"\n"
	"	done\n"
	"	exit 0' sh {} +\n"
	"[ $? -le 1 ] || exit 94\n"
	"printf '\\0'\n";

enum { NO_STAT = 95 };

static int compare_entries(const void *a, const void *b)
{
	const struct folder_entry *x = a, *y = b;
	return strcmp(x->path.data, y->path.data);
}

static bool look(
	struct sandbox *sandbox, struct found *found, struct text path, struct error *error)
{
	arena_cleanup arena = {0};
	struct process_result result;
	const char *const arguments[] = {text_string(&arena, path), NULL};
	struct sandbox_command command = {
		.output_limit = 4096, .output = take_lines, .output_data = found};
	if (!fallback_run(sandbox, &arena, with_stat, arguments, command, &result, error)) {
		return false;
	}
	if (result.status == NO_STAT &&
		!fallback_run(sandbox, &arena, without_stat, arguments, command, &result, error)) {
		return false;
	}
	return fallback_judge(&result, "look through", path, error) &&
		((found->whole && !found->odd && !found->naming) ||
			error_set(error, ERROR_UNAVAILABLE,
				"the sandbox's list of its files makes no sense"));
}

bool fallback_scan(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct folder_list *list, struct error *error)
{
	struct found found = {.arena = arena, .prefix = path, .limit = limit};
	*list = (struct folder_list){0};
	bool fine = look(sandbox, &found, path, error);
	if (fine && found.count) {
		qsort(found.entries, found.count, sizeof(*found.entries), compare_entries);
		list->entries = (struct folder_entry *)(void *)arena_copy(
			arena, found.entries, found.count * sizeof(*found.entries));
		list->count = found.count;
	}
	list->cut = found.cut;
	free(found.entries);
	buffer_finish(&found.pending);
	buffer_finish(&found.lines);
	return fine;
}
