#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/units.h"
#include "gate/kind.h"
#include "gate/markdown.h"

enum { LISTED_HEADINGS = 12 };

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

const char *gate_expected_count(
	struct gate_look *look, int64_t least, int64_t most, int64_t count, const char *thing)
{
	bool few = least >= 0 && count < least;
	const char *word = least == most ? "exactly" : few ? "at least" : "at most";
	return arena_printf(
		look->arena, "%s %s", word, gate_amount(look, few ? least : most, thing));
}

// A size as the team file writes it ("10 MiB"), in bytes; -1: not given.
static int64_t size_at(const struct yaml_node *node, const char *key)
{
	const struct yaml_node *size = yaml_get(node, key);
	int64_t bytes;
	return size && units_size(size->text, &bytes) ? bytes : -1; // the loader checked the form
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

// Access rights: up to four octal digits.
static bool compile_mode(
	struct gate *gate, const struct yaml_node *node, int64_t *mode, struct error *error)
{
	enum { OCTAL = 8, DIGITS = 4 };
	const struct yaml_node *given = yaml_get(node, "mode");
	*mode = -1;
	if (!given) {
		return true;
	}
	const char *digits = text_string(gate->arena, given->text);
	size_t length = strspn(digits, "01234567");
	if (length == 0 || length > DIGITS || length != given->text.length) {
		error_set(error, ERROR_USAGE, "'mode' is no access rights in octal");
		return error_hint(error, "write for example mode: \"0755\"");
	}
	*mode = strtol(digits, NULL, OCTAL);
	return true;
}

static bool compile_hash(
	struct gate *gate, const struct yaml_node *node, const char **sha256, struct error *error)
{
	const struct yaml_node *given = yaml_get(node, "sha256");
	*sha256 = given ? text_string(gate->arena, given->text) : NULL;
	if (given &&
		(given->text.length != HASH_HEX_SIZE - 1 ||
			strspn(*sha256, "0123456789abcdefABCDEF") != given->text.length)) {
		return error_set(error, ERROR_USAGE, "'sha256' is not 64 hexadecimal digits");
	}
	return true;
}

// An empty text would be found everywhere, and what comes after a zero byte would not be looked for.
static bool compile_strings(struct gate *gate, const struct yaml_node *node, const char *key,
	const char ***strings, struct error *error)
{
	const struct yaml_node *given = yaml_get(node, key);
	*strings = gate_strings(gate, given);
	for (size_t i = 0; (*strings)[i]; i++) {
		const struct yaml_node *item = given->kind == YAML_LIST ? &given->items[i] : given;
		if (text_trim(item->text).length == 0 ||
			strlen((*strings)[i]) < item->text.length) {
			return error_set(error, ERROR_USAGE,
				"'%s' has a text that is empty or holds a zero byte", key);
		}
	}
	return true;
}

bool conditions_compile(struct gate *gate, const struct yaml_node *node,
	struct file_conditions *conditions, struct error *error)
{
	// A bare path asks for a file with something in it.
	bool bare = node->kind == YAML_STRING;
	*conditions = (struct file_conditions){.min_bytes = bare ? 1 : size_at(node, "min_bytes"),
		.max_bytes = size_at(node, "max_bytes"),
		.utf8 = yaml_get(node, "encoding") != NULL};
	gate_count_range(yaml_get(node, "lines"), &conditions->min_lines, &conditions->max_lines);
	return compile_mode(gate, node, &conditions->mode, error) &&
		compile_hash(gate, node, &conditions->sha256, error) &&
		compile_strings(gate, node, "contains", &conditions->contains, error) &&
		compile_strings(gate, node, "headings", &conditions->headings, error) &&
		compile_pattern(gate, node, "matches", &conditions->matches, error) &&
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
	struct artifact artifact;
};

static struct gate_finding *refuse(const struct examined *file, const char *expected,
	const char *found, const char *format, ...) __attribute__((format(printf, 4, 5)));

static struct gate_finding *refuse(const struct examined *file, const char *expected,
	const char *found, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *sentence = arena_vprintf(file->look->arena, format, arguments);
	va_end(arguments);
	struct gate_finding *finding = gate_fails(
		file->look, file->check, file->artifact.shown, expected, found, "%s", sentence);
	finding->size = (int64_t)file->artifact.content.length;
	finding->sha256 = file->artifact.sha256;
	return finding;
}

#define SAY(file, ...) arena_printf((file)->look->arena, __VA_ARGS__)

static bool size_fits(const struct examined *file)
{
	const struct file_conditions *wanted = &file->check->conditions;
	const char *shown = file->artifact.shown;
	int64_t size = (int64_t)file->artifact.content.length;
	const char *found = gate_amount(file->look, size, "byte");
	if (wanted->min_bytes >= 0 && size < wanted->min_bytes) {
		const char *expected = SAY(
			file, "at least %s", gate_amount(file->look, wanted->min_bytes, "byte"));
		if (size == 0) {
			refuse(file, expected, found, "%s is empty; write its content.", shown);
		} else {
			refuse(file, expected, found, "%s has only %s; it needs %s.", shown, found,
				expected);
		}
		return false;
	}
	if (wanted->max_bytes >= 0 && size > wanted->max_bytes) {
		const char *expected =
			SAY(file, "at most %s", gate_amount(file->look, wanted->max_bytes, "byte"));
		refuse(file, expected, found, "%s has %s; it may have %s.", shown, found, expected);
		return false;
	}
	return true;
}

static bool lines_fit(const struct examined *file)
{
	const struct file_conditions *wanted = &file->check->conditions;
	struct text rest = file->artifact.content, line;
	int64_t lines = 0;
	if (wanted->min_lines < 0 && wanted->max_lines < 0) {
		return true;
	}
	while (text_next_line(&rest, &line)) {
		lines++;
	}
	if ((wanted->min_lines < 0 || lines >= wanted->min_lines) &&
		(wanted->max_lines < 0 || lines <= wanted->max_lines)) {
		return true;
	}
	const char *found = gate_amount(file->look, lines, "line");
	const char *expected = gate_expected_count(
		file->look, wanted->min_lines, wanted->max_lines, lines, "line");
	refuse(file, expected, found, "%s has %s; it has to have %s.", file->artifact.shown, found,
		expected);
	return false;
}

static bool texts_fit(const struct examined *file)
{
	const struct file_conditions *wanted = &file->check->conditions;
	for (size_t i = 0; wanted->contains[i]; i++) {
		struct text content = file->artifact.content, part = text_of(wanted->contains[i]);
		if (text_find(content, part) == content.length) {
			const char *shown = gate_shown(file->look, part);
			refuse(file, SAY(file, "the text '%s'", shown), "not there",
				"%s does not contain '%s'.", file->artifact.shown, shown);
			return false;
		}
	}
	return true;
}

static bool has_heading(struct text content, struct text wanted)
{
	struct markdown markdown = {.rest = content};
	struct text title;
	wanted = text_trim(wanted);
	while (markdown_next_heading(&markdown, &title)) {
		if (title.length == wanted.length &&
			strncasecmp(title.data, wanted.data, title.length) == 0) {
			return true;
		}
	}
	return false;
}

static const char *list_headings(const struct examined *file)
{
	struct markdown markdown = {.rest = file->artifact.content};
	struct text title;
	buffer_cleanup list = {0};
	size_t count = 0;
	while (markdown_next_heading(&markdown, &title)) {
		if (count < LISTED_HEADINGS && title.length) {
			buffer_printf(
				&list, "%s%s", count ? ", " : "", gate_shown(file->look, title));
		}
		count += title.length > 0;
	}
	if (count > LISTED_HEADINGS) {
		buffer_printf(&list, " and %zu more", count - LISTED_HEADINGS);
	}
	return arena_string(file->look->arena, count ? list.data : "no headings");
}

static bool headings_fit(const struct examined *file)
{
	const struct file_conditions *wanted = &file->check->conditions;
	for (size_t i = 0; wanted->headings[i]; i++) {
		if (!has_heading(file->artifact.content, text_of(wanted->headings[i]))) {
			const char *found = list_headings(file);
			const char *heading = gate_shown(file->look, text_of(wanted->headings[i]));
			refuse(file, SAY(file, "the heading '%s'", heading), found,
				"%s has no heading '%s'; it has: %s.", file->artifact.shown,
				heading, found);
			return false;
		}
	}
	return true;
}

static bool too_costly(const struct examined *file, const char *pattern)
{
	refuse(file, "a pattern that can be matched", "a match that takes too long",
		"Matching /%s/ against %s takes too long; make the file simpler.", pattern,
		file->artifact.shown)
		->unclear = true;
	return false;
}

static const char *pattern_shown(const struct examined *file, const char *key)
{
	return gate_shown(file->look, yaml_get(file->check->node, key)->text);
}

static bool match_fits(const struct examined *file)
{
	const struct pattern *wanted = file->check->conditions.matches;
	enum pattern_result result =
		wanted ? pattern_search(wanted, file->artifact.content, NULL, NULL) : PATTERN_MATCH;
	if (result == PATTERN_MATCH) {
		return true;
	}
	const char *pattern = pattern_shown(file, "matches");
	if (result == PATTERN_TOO_COSTLY) {
		return too_costly(file, pattern);
	}
	refuse(file, SAY(file, "a match of /%s/", pattern), "no match", "%s does not match /%s/.",
		file->artifact.shown, pattern);
	return false;
}

static bool mismatch_fits(const struct examined *file)
{
	const struct pattern *unwanted = file->check->conditions.not_matches;
	struct text content = file->artifact.content;
	size_t start = 0, end = 0;
	enum pattern_result result =
		unwanted ? pattern_search(unwanted, content, &start, &end) : PATTERN_MISS;
	if (result == PATTERN_MISS) {
		return true;
	}
	const char *pattern = pattern_shown(file, "not_matches");
	if (result == PATTERN_TOO_COSTLY) {
		return too_costly(file, pattern);
	}
	struct gate_finding where = {0};
	gate_place(&where, content, start);
	// A lookbehind with \K may give an end before the start.
	const char *match = gate_shown(
		file->look, (struct text){content.data + start, end > start ? end - start : 0});
	struct gate_finding *finding = refuse(file, SAY(file, "no match of /%s/", pattern),
		SAY(file, "'%s'", match), "%s must not match /%s/, but has '%s' in line %u.",
		file->artifact.shown, pattern, match, where.line);
	finding->line = where.line;
	finding->column = where.column;
	return false;
}

static bool encoding_fits(const struct examined *file)
{
	struct text content = file->artifact.content;
	size_t valid = text_utf8_length(content);
	if (!file->check->conditions.utf8 || valid == content.length) {
		return true;
	}
	struct gate_finding where = {0};
	gate_place(&where, content, valid);
	struct gate_finding *finding = refuse(file, "UTF-8", "bytes that are not UTF-8",
		"%s is not valid UTF-8: the first wrong byte is in line %u, column %u.",
		file->artifact.shown, where.line, where.column);
	finding->line = where.line;
	finding->column = where.column;
	return false;
}

static bool hash_fits(const struct examined *file)
{
	const char *wanted = file->check->conditions.sha256;
	if (!wanted || strcasecmp(wanted, file->artifact.sha256) == 0) {
		return true;
	}
	refuse(file, wanted, file->artifact.sha256,
		"%s is not the file that is asked for: its SHA-256 is %s, not %s.",
		file->artifact.shown, file->artifact.sha256, wanted);
	return false;
}

static bool mode_fits(const struct examined *file)
{
	int64_t wanted = file->check->conditions.mode;
	unsigned mode = file->artifact.stat.mode & 07777;
	if (wanted < 0 || mode == (unsigned)wanted) {
		return true;
	}
	refuse(file, SAY(file, "mode %04o", (unsigned)wanted), SAY(file, "mode %04o", mode),
		"%s has the access rights %04o; it needs %04o.", file->artifact.shown, mode,
		(unsigned)wanted);
	return false;
}

// Each adds a finding when it does not fit; the first one is told.
static bool (*const conditions[])(const struct examined *) = {size_fits, encoding_fits, lines_fit,
	headings_fit, texts_fit, match_fits, mismatch_fits, hash_fits, mode_fits};

void conditions_check(const struct gate_check *check, struct gate_look *look, struct text path)
{
	arena_cleanup arena = {0};
	struct examined file = {.check = check, .look = look};
	if (!artifact_read(check, look, &arena, path, &file.artifact)) {
		return;
	}
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		if (!conditions[i](&file)) {
			return;
		}
	}
	struct gate_finding *finding = gate_find(look, check, file.artifact.shown, GATE_HOLDS);
	finding->found = gate_amount(look, (int64_t)file.artifact.content.length, "byte");
	finding->size = (int64_t)file.artifact.content.length;
	finding->sha256 = file.artifact.sha256;
}
