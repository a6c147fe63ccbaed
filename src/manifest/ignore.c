#include "manifest/ignore.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"

struct rule {
	struct text glob;
	bool negated;      // brings back
	bool folders_only; // ended with '/'
	bool anchored;     // has a '/' elsewhere: counts from the file's folder
};

struct ignore {
	struct arena arena;
	const struct ignore *outer;
	struct text folder;
	struct rule *rules;
	size_t count;
};

// Without the spaces at its end, unless they are escaped.
static struct text trimmed(struct text line)
{
	while (line.length && line.data[line.length - 1] == ' ' &&
		!(line.length > 1 && line.data[line.length - 2] == '\\')) {
		line.length--;
	}
	return line;
}

// The pattern as a glob of ours, which knows no backslash, and in which '**' can stand for nothing.
static struct text as_glob(struct arena *arena, struct text pattern)
{
	buffer_cleanup glob = {0};
	for (size_t i = 0; i < pattern.length; i++) {
		char byte = pattern.data[i];
		if (byte != '\\' || i + 1 == pattern.length) {
			buffer_add_char(&glob, byte);
			continue;
		}
		byte = pattern.data[++i];
		buffer_printf(&glob, memchr("*?[", byte, 3) ? "[%c]" : "%c", byte);
	}
	if (text_ends(buffer_text(&glob), "/**")) {
		buffer_add_string(&glob, "/*"); // what is in the folder, not the folder itself
	}
	return text_copy(arena, buffer_text(&glob));
}

static bool read_rule(struct arena *arena, struct text line, struct rule *rule)
{
	line = trimmed(line);
	*rule = (struct rule){0};
	if (line.length == 0 || line.data[0] == '#') {
		return false;
	}
	if (line.data[0] == '!') {
		rule->negated = true;
		line = (struct text){line.data + 1, line.length - 1};
	}
	if (text_ends(line, "/")) {
		rule->folders_only = true;
		line.length--;
	}
	rule->anchored = text_find(line, TEXT("/")) < line.length;
	rule->glob = as_glob(arena, line);
	return line.length > 0;
}

struct ignore *ignore_create(const struct ignore *outer, struct text folder, struct text content)
{
	struct ignore *ignore = memory_alloc(sizeof(*ignore));
	struct text line;
	size_t capacity = 0;
	ignore->outer = outer;
	ignore->folder = text_copy(&ignore->arena, folder);
	while (ignore->count < IGNORE_RULES && text_next_line(&content, &line)) {
		if (ignore->count == capacity) {
			capacity = capacity * 2 + 16;
			ignore->rules =
				memory_resize(ignore->rules, capacity * sizeof(*ignore->rules));
		}
		ignore->count += read_rule(&ignore->arena, line, &ignore->rules[ignore->count]);
	}
	return ignore;
}

void ignore_destroy(struct ignore *ignore)
{
	if (ignore) {
		arena_finish(&ignore->arena);
		free(ignore->rules);
		free(ignore);
	}
}

static struct text name_of(struct text path)
{
	const char *slash = path.length ? memrchr(path.data, '/', path.length) : NULL;
	size_t start = slash ? (size_t)(slash - path.data) + 1 : 0;
	return (struct text){path.data + start, path.length - start};
}

bool ignore_matches(const struct ignore *ignore, struct text path, bool folder)
{
	for (; ignore; ignore = ignore->outer) {
		size_t start = ignore->folder.length ? ignore->folder.length + 1 : 0;
		struct text below = {path.data + start, path.length - start};
		// The last rule that says something decides.
		for (size_t i = ignore->count; i-- > 0;) {
			const struct rule *rule = &ignore->rules[i];
			if ((folder || !rule->folders_only) &&
				glob_match(rule->glob, rule->anchored ? below : name_of(below))) {
				return !rule->negated;
			}
		}
	}
	return false;
}
