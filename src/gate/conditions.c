#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/units.h"
#include "gate/kind.h"

enum { LISTED_HEADINGS = 12, HEADING_LEVELS = 6 };

const char *const gate_encodings[] = {"utf-8", NULL};

void gate_count_range(const struct yaml_node *node, int64_t *least, int64_t *most)
{
	*least = -1;
	*most = -1;
	if (!node) {
		return;
	}
	if (node->kind == YAML_INTEGER) {
		*least = node->integer;
		*most = node->integer;
		return;
	}
	const struct yaml_node *minimum = yaml_get(node, "min"), *maximum = yaml_get(node, "max");
	*least = minimum ? minimum->integer : -1;
	*most = maximum ? maximum->integer : -1;
}

int64_t gate_size(const struct yaml_node *node)
{
	int64_t bytes;
	return node && units_size(node->text, &bytes) ? bytes : -1; // the loader checked the form
}

const char **gate_strings(struct gate *gate, const struct yaml_node *node)
{
	size_t count = !node ? 0 : node->kind == YAML_LIST ? node->count : 1;
	const char **strings = arena_new_array(gate->arena, count + 1, const char *);
	for (size_t i = 0; i < count; i++) {
		const struct yaml_node *item = node->kind == YAML_LIST ? &node->items[i] : node;
		strings[i] = text_string(gate->arena, item->text);
	}
	return strings;
}

static bool compile_pattern(struct gate *gate, const struct yaml_node *node, const char *key,
	struct pattern **pattern, struct error *error)
{
	const struct yaml_node *source = yaml_get(node, key);
	if (!source) {
		return true;
	}
	*pattern = gate_pattern(gate, source->text, error);
	return *pattern || error_wrap(error, "'%s'", key);
}

bool conditions_compile(struct gate *gate, const struct yaml_node *node,
	struct file_conditions *conditions, struct error *error)
{
	const struct yaml_node *mode = yaml_get(node, "mode");
	const struct yaml_node *hash = yaml_get(node, "sha256");
	// A bare path asks for a file with something in it.
	bool bare = node->kind == YAML_STRING;
	*conditions = (struct file_conditions){
		.min_bytes = bare ? 1 : gate_size(yaml_get(node, "min_bytes")),
		.max_bytes = gate_size(yaml_get(node, "max_bytes")),
		.mode = mode ? strtol(text_string(gate->arena, mode->text), NULL, 8) : -1,
		.utf8 = yaml_get(node, "encoding") != NULL,
		.sha256 = hash ? text_string(gate->arena, hash->text) : NULL,
		.contains = gate_strings(gate, yaml_get(node, "contains")),
		.headings = gate_strings(gate, yaml_get(node, "headings"))};
	gate_count_range(yaml_get(node, "lines"), &conditions->min_lines, &conditions->max_lines);
	return compile_pattern(gate, node, "matches", &conditions->matches, error) &&
		compile_pattern(gate, node, "not_matches", &conditions->not_matches, error);
}

bool conditions_any(const struct file_conditions *conditions)
{
	return conditions->min_bytes >= 0 || conditions->max_bytes >= 0 ||
		conditions->min_lines >= 0 || conditions->max_lines >= 0 || conditions->mode >= 0 ||
		conditions->utf8 || conditions->sha256 || conditions->contains[0] ||
		conditions->headings[0] || conditions->matches || conditions->not_matches;
}

// One file under examination.
struct examined {
	const struct gate_check *check;
	struct gate_look *look;
	const char *path;
	struct text content;
	const char *sha256;
};

static bool refuse(const struct examined *file, const char *expected, const char *found,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

// A failing finding; always false.
static bool refuse(const struct examined *file, const char *expected, const char *found,
	const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *sentence = arena_vprintf(file->look->arena, format, arguments);
	va_end(arguments);
	struct gate_finding *finding =
		gate_fails(file->look, file->check, file->path, expected, found, "%s", sentence);
	finding->size = (int64_t)file->content.length;
	finding->sha256 = file->sha256;
	return false;
}

#define SAY(file, ...) arena_printf((file)->look->arena, __VA_ARGS__)

static void place(struct gate_look *look, struct text content, size_t offset)
{
	struct gate_finding *finding = &look->findings[look->count - 1];
	finding->line = 1;
	finding->column = 1;
	for (size_t i = 0; i < offset && i < content.length; i++) {
		finding->column = content.data[i] == '\n' ? 1 : finding->column + 1;
		finding->line += content.data[i] == '\n';
	}
}

static bool size_fits(const struct examined *file)
{
	const struct file_conditions *wanted = &file->check->conditions;
	int64_t size = (int64_t)file->content.length;
	if (wanted->min_bytes >= 0 && size < wanted->min_bytes) {
		const char *expected =
			SAY(file, "at least %lld bytes", (long long)wanted->min_bytes);
		const char *found = SAY(file, "%lld bytes", (long long)size);
		return size == 0 ? refuse(file, expected, found, "%s is empty; write its content.",
					   file->path)
				 : refuse(file, expected, found, "%s has only %s; it needs %s.",
					   file->path, found, expected);
	}
	if (wanted->max_bytes >= 0 && size > wanted->max_bytes) {
		return refuse(file, SAY(file, "at most %lld bytes", (long long)wanted->max_bytes),
			SAY(file, "%lld bytes", (long long)size),
			"%s is %lld bytes large; it may have at most %lld.", file->path,
			(long long)size, (long long)wanted->max_bytes);
	}
	return true;
}

static bool lines_fit(const struct examined *file)
{
	const struct file_conditions *wanted = &file->check->conditions;
	struct text rest = file->content, line;
	int64_t lines = 0;
	if (wanted->min_lines < 0 && wanted->max_lines < 0) {
		return true;
	}
	while (text_next_line(&rest, &line)) {
		lines++;
	}
	const char *found = SAY(file, "%lld lines", (long long)lines);
	if (wanted->min_lines >= 0 && lines < wanted->min_lines) {
		return refuse(file, SAY(file, "at least %lld lines", (long long)wanted->min_lines),
			found, "%s has %s; it needs at least %lld.", file->path, found,
			(long long)wanted->min_lines);
	}
	if (wanted->max_lines >= 0 && lines > wanted->max_lines) {
		return refuse(file, SAY(file, "at most %lld lines", (long long)wanted->max_lines),
			found, "%s has %s; it may have at most %lld.", file->path, found,
			(long long)wanted->max_lines);
	}
	return true;
}

static bool texts_fit(const struct examined *file)
{
	const struct file_conditions *wanted = &file->check->conditions;
	for (size_t i = 0; wanted->contains[i]; i++) {
		struct text part = text_of(wanted->contains[i]);
		if (part.length && text_find(file->content, part) == file->content.length) {
			const char *shown = gate_shown(file->look, part);
			return refuse(file, SAY(file, "the text '%s'", shown), "not there",
				"%s does not contain '%s'.", file->path, shown);
		}
	}
	return true;
}

// The text of a Markdown heading ("## Layout ##" gives "Layout"), or an empty text.
static struct text heading_of(struct text line)
{
	size_t level = 0;
	while (level < line.length && line.data[level] == '#') {
		level++;
	}
	if (level == 0 || level > HEADING_LEVELS || level == line.length ||
		(line.data[level] != ' ' && line.data[level] != '\t')) {
		return (struct text){0};
	}
	struct text title = text_trim((struct text){line.data + level, line.length - level});
	while (title.length && title.data[title.length - 1] == '#') {
		title.length--;
	}
	return text_trim(title);
}

static bool has_heading(struct text content, struct text wanted)
{
	struct text rest = content, line;
	bool fenced = false;
	while (text_next_line(&rest, &line)) {
		fenced = fenced != text_starts(line, "```");
		struct text title = fenced ? (struct text){0} : heading_of(line);
		if (title.length == wanted.length &&
			strncasecmp(title.data, wanted.data, title.length) == 0) {
			return true;
		}
	}
	return false;
}

static const char *list_headings(const struct examined *file)
{
	struct text rest = file->content, line;
	buffer_cleanup list = {0};
	size_t count = 0;
	while (text_next_line(&rest, &line) && count < LISTED_HEADINGS) {
		struct text title = heading_of(line);
		if (title.length) {
			buffer_printf(
				&list, "%s%s", count++ ? ", " : "", gate_shown(file->look, title));
		}
	}
	return arena_string(file->look->arena, list.length ? list.data : "no headings");
}

static bool headings_fit(const struct examined *file)
{
	const struct file_conditions *wanted = &file->check->conditions;
	for (size_t i = 0; wanted->headings[i]; i++) {
		if (!has_heading(file->content, text_of(wanted->headings[i]))) {
			const char *found = list_headings(file);
			return refuse(file, SAY(file, "the heading '%s'", wanted->headings[i]),
				found, "%s has no heading '%s'; it has: %s.", file->path,
				wanted->headings[i], found);
		}
	}
	return true;
}

static bool patterns_fit(const struct examined *file)
{
	const struct file_conditions *wanted = &file->check->conditions;
	size_t start = 0;
	enum pattern_result result = PATTERN_MATCH;
	const struct yaml_node *node = yaml_get(file->check->node, "matches");
	if (wanted->matches) {
		result = pattern_search(wanted->matches, file->content, NULL, NULL);
	}
	if (result == PATTERN_MISS) {
		const char *pattern = gate_shown(file->look, node->text);
		return refuse(file, SAY(file, "a match of /%s/", pattern), "no match",
			"%s does not match /%s/.", file->path, pattern);
	}
	if (wanted->not_matches && result == PATTERN_MATCH) {
		node = yaml_get(file->check->node, "not_matches");
		result = pattern_search(wanted->not_matches, file->content, &start, NULL);
		if (result == PATTERN_MATCH) {
			const char *pattern = gate_shown(file->look, node->text);
			refuse(file, SAY(file, "no match of /%s/", pattern), "a match",
				"%s must not match /%s/, but does.", file->path, pattern);
			place(file->look, file->content, start);
			return false;
		}
		result = result == PATTERN_MISS ? PATTERN_MATCH : result;
	}
	return result != PATTERN_TOO_COSTLY ||
		refuse(file, "a pattern that ends", "a match that takes too long",
			"Matching a pattern against %s takes too long; make the file simpler.",
			file->path);
}

static bool rest_fits(const struct examined *file, const struct folder_stat *stat)
{
	const struct file_conditions *wanted = &file->check->conditions;
	size_t valid = text_utf8_length(file->content);
	if (wanted->utf8 && valid < file->content.length) {
		refuse(file, "UTF-8", "bytes that are not UTF-8", "%s is not valid UTF-8.",
			file->path);
		place(file->look, file->content, valid);
		return false;
	}
	if (wanted->sha256 && strcasecmp(wanted->sha256, file->sha256) != 0) {
		return refuse(file, wanted->sha256, file->sha256,
			"%s is not the file that is asked for: its SHA-256 is %s, not %s.",
			file->path, file->sha256, wanted->sha256);
	}
	if (wanted->mode >= 0 && (stat->mode & 07777) != (mode_t)wanted->mode) {
		return refuse(file, SAY(file, "mode %04o", (unsigned)wanted->mode),
			SAY(file, "mode %04o", (unsigned)stat->mode & 07777),
			"%s has the access rights %04o; it needs %04o.", file->path,
			(unsigned)stat->mode & 07777, (unsigned)wanted->mode);
	}
	return true;
}

bool gate_content(const struct gate_check *check, struct gate_look *look, struct text path,
	struct text *content, const char **sha256)
{
	struct error error = {0};
	const char *shown = gate_shown(look, path);
	struct folder_stat stat = sandbox_stat(look->sandbox, path);
	if (stat.kind == FOLDER_MISSING) {
		gate_fails(
			look, check, shown, "a file", "nothing", "%s is missing; write it.", shown);
		return false;
	}
	if (stat.kind != FOLDER_FILE) {
		gate_fails(look, check, shown, "a regular file", stat.what,
			"%s is %s, not a regular file; replace it with a file.", shown, stat.what);
		return false;
	}
	if (stat.size > GATE_READ_LIMIT) {
		gate_fails(look, check, shown, "a file of at most 16 MiB",
			arena_printf(look->arena, "%lld bytes", (long long)stat.size),
			"%s is too large to be checked; it may have at most 16 MiB.", shown);
		return false;
	}
	if (!sandbox_read(look->sandbox, look->arena, path, GATE_READ_LIMIT, content, &error)) {
		struct gate_finding *finding = gate_find(look, check, shown,
			error.kind == ERROR_UNAVAILABLE ? GATE_NOT_CHECKED : GATE_FAILS);
		finding->expected = "a file that can be read";
		finding->found = arena_string(look->arena, error.message);
		finding->sentence =
			arena_printf(look->arena, "%s cannot be read: %s.", shown, error.message);
		return false;
	}
	struct hash hash = hash_text(*content);
	*sha256 = arena_string(look->arena, hash.hex);
	return true;
}

void conditions_check(const struct gate_check *check, struct gate_look *look, struct text path)
{
	struct examined file = {.check = check, .look = look, .path = gate_shown(look, path)};
	struct folder_stat stat = sandbox_stat(look->sandbox, path);
	if (!gate_content(check, look, path, &file.content, &file.sha256)) {
		return;
	}
	if (size_fits(&file) && lines_fit(&file) && texts_fit(&file) && headings_fit(&file) &&
		patterns_fit(&file) && rest_fits(&file, &stat)) {
		struct gate_finding *finding = gate_find(look, check, file.path, GATE_HOLDS);
		finding->size = (int64_t)file.content.length;
		finding->sha256 = file.sha256;
	}
}
