#include "base/yaml.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml_scalar.h"

// A node that an alias can stand for, with what it costs.
struct anchor {
	struct text name;
	bool open; // still being read: an alias now would contain itself
	struct yaml_node node;
	size_t nodes;    // with everything in it
	unsigned height; // levels below it
};

struct reader {
	struct arena *arena;
	const char *file;
	struct error *error;
	struct fy_parser *parser;
	struct fy_diag *messages;    // of the parser
	struct fy_event *event;      // the current one
	struct yaml_position latest; // of the last event that had one
	size_t nodes;                // read so far, aliases expanded
	unsigned deepest;            // level reached since it was last reset
	struct anchor *anchors;
	size_t anchor_count;
};

static bool read_node(struct reader *reader, unsigned depth, struct yaml_node *node);

static bool fail(const struct reader *reader, struct yaml_position position, const char *what)
{
	return error_set(reader->error, ERROR_USAGE, "%s:%u:%u: %s", position.file, position.line,
		position.column, what);
}

static bool fail_named(const struct reader *reader, struct yaml_position position,
	const char *before, struct text name, const char *after)
{
	buffer_cleanup line = {0};
	buffer_add_string(&line, before);
	buffer_add_line(&line, name, 80);
	buffer_add_string(&line, after);
	return fail(reader, position, line.data);
}

// --- libfyaml ---

static void say_nothing(struct fy_diag *diag, void *user, const char *text, size_t length)
{
	(void)diag;
	(void)user;
	(void)text;
	(void)length;
}

// What libfyaml says, and what a person would do about it.
static const struct {
	const char *said, *hint;
} hints[] = {
	{"tab character", "indent with spaces"},
	{"without a closing bracket", "close every '[' with ']'"},
	{"without a closing brace", "close every '{' with '}'"},
	{"multiline", "put the text in quotes, or write it below '|'"},
	{"plain scalar", "put the text in quotes"},
	{"indent", "indent what belongs together by the same number of spaces"},
};

static bool fail_syntax(struct reader *reader)
{
	void *iterator = NULL;
	const struct fy_diag_error *said = fy_diag_errors_iterate(reader->messages, &iterator);
	while (said && said->type != FYET_ERROR) {
		said = fy_diag_errors_iterate(reader->messages, &iterator);
	}
	struct yaml_position position = reader->latest;
	const char *what = "this is no YAML";
	if (said && said->line > 0 && said->column > 0) {
		position.line = (unsigned)said->line;
		position.column = (unsigned)said->column;
	}
	if (said && said->msg) {
		what = said->msg;
	}
	fail_named(reader, position, "", text_trim(text_of(what)), "");
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		if (strstr(what, hints[i].said)) {
			error_hint(reader->error, "%s", hints[i].hint);
			break;
		}
	}
	return false;
}

static bool open_parser(struct reader *reader, struct text source)
{
	struct fy_diag_cfg quiet;
	fy_diag_cfg_default(&quiet);
	quiet.fp = NULL;
	quiet.output_fn = say_nothing;
	quiet.colorize = false;
	reader->messages = fy_diag_create(&quiet);
	if (!reader->messages) {
		return error_set(reader->error, ERROR_FAILED, "libfyaml does not start");
	}
	fy_diag_set_collect_errors(reader->messages, true);
	struct fy_parse_cfg options = {
		.search_path = "",
		.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 |
			FYPCF_JSON_NONE | FYPCF_DISABLE_MMAP_OPT,
		.diag = reader->messages,
	};
	reader->parser = fy_parser_create(&options);
	if (!reader->parser ||
		fy_parser_set_string(reader->parser, source.data, source.length) != 0) {
		return error_set(reader->error, ERROR_FAILED, "libfyaml does not start");
	}
	return true;
}

// The next event; its position in reader->latest if it has one. NULL at the end or a mistake.
static struct fy_event *next_event(struct reader *reader)
{
	if (reader->event) {
		fy_parser_event_free(reader->parser, reader->event);
	}
	reader->event = fy_parser_parse(reader->parser);
	const struct fy_mark *mark = reader->event ? fy_event_start_mark(reader->event) : NULL;
	if (mark && mark->line >= 0 && mark->column >= 0) {
		reader->latest.line = (unsigned)mark->line + 1;
		reader->latest.column = (unsigned)mark->column + 1;
	}
	return reader->event;
}

static struct text token_text(struct fy_token *token)
{
	size_t length = 0;
	const char *data = token ? fy_token_get_text(token, &length) : NULL;
	return (struct text){data, data ? length : 0};
}

// --- Tags ---

static const struct {
	const char *tag;
	enum yaml_kind kind;
} core_tags[] = {
	{"tag:yaml.org,2002:null", YAML_NULL},
	{"tag:yaml.org,2002:bool", YAML_BOOLEAN},
	{"tag:yaml.org,2002:int", YAML_INTEGER},
	{"tag:yaml.org,2002:float", YAML_NUMBER},
	{"tag:yaml.org,2002:str", YAML_STRING},
	{"tag:yaml.org,2002:seq", YAML_LIST},
	{"tag:yaml.org,2002:map", YAML_MAP},
};

// Brings a node in line with its tag, or fails.
static bool apply_tag(const struct reader *reader, struct text tag, struct yaml_node *node)
{
	bool scalar = node->kind != YAML_LIST && node->kind != YAML_MAP;
	if (text_is(tag, "!")) { // the non-specific tag: a scalar as it is written
		node->kind = scalar ? YAML_STRING : node->kind;
		return true;
	}
	for (size_t i = 0; i < sizeof(core_tags) / sizeof(core_tags[0]); i++) {
		if (!text_is(tag, core_tags[i].tag)) {
			continue;
		}
		enum yaml_kind wanted = core_tags[i].kind;
		if (scalar && wanted != YAML_STRING) {
			yaml_resolve(node);
		}
		bool same = node->kind == wanted || (scalar && wanted == YAML_STRING);
		if (wanted == YAML_NUMBER && node->kind == YAML_INTEGER) {
			same = true;
		}
		if (!same) {
			return fail_named(reader, node->position, "the tag '", tag,
				"' does not fit its value");
		}
		node->kind = wanted;
		return true;
	}
	fail_named(reader, node->position, "unknown tag '", tag, "'");
	return error_hint(reader->error, "leave the tag out");
}

// --- Anchors and aliases ---

static struct anchor *find_anchor(struct reader *reader, struct text name)
{
	for (size_t i = reader->anchor_count; i > 0; i--) {
		if (text_equal(reader->anchors[i - 1].name, name)) {
			return &reader->anchors[i - 1];
		}
	}
	return NULL;
}

// The number of the new anchor, or -1.
static int add_anchor(struct reader *reader, struct text name)
{
	if (reader->anchor_count == YAML_ANCHORS) {
		fail(reader, reader->latest, "the file has too many anchors");
		return -1;
	}
	if (!reader->anchors) {
		reader->anchors = arena_new_array(reader->arena, YAML_ANCHORS, struct anchor);
	}
	reader->anchors[reader->anchor_count] =
		(struct anchor){.name = text_copy(reader->arena, name), .open = true};
	return (int)reader->anchor_count++;
}

static bool count_nodes(struct reader *reader, size_t more)
{
	reader->nodes += more;
	if (reader->nodes > YAML_NODES) {
		return fail(reader, reader->latest, "the file holds too much, aliases expanded");
	}
	return true;
}

static bool read_alias(struct reader *reader, unsigned depth, struct yaml_node *node)
{
	struct text name = token_text(reader->event->alias.anchor);
	struct anchor *anchor = find_anchor(reader, name);
	if (!anchor) {
		fail_named(reader, reader->latest, "the alias '*", name, "' has no anchor");
		return error_hint(reader->error, "put a text that starts with '*' in quotes");
	}
	if (anchor->open) {
		return fail_named(reader, reader->latest, "the alias '*", name,
			"' stands inside what it stands for");
	}
	if (depth + anchor->height > YAML_DEPTH) {
		return fail(reader, reader->latest, "the file is nested too deeply");
	}
	if (depth + anchor->height > reader->deepest) {
		reader->deepest = depth + anchor->height;
	}
	*node = anchor->node;
	node->position = reader->latest;
	return count_nodes(reader, anchor->nodes);
}

// --- Nodes ---

static void read_scalar(struct reader *reader, struct yaml_node *node)
{
	struct fy_token *token = reader->event->scalar.value;
	enum fy_scalar_style style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;
	node->text = text_copy(reader->arena, token_text(token));
	node->plain = style == FYSS_PLAIN;
	node->kind = YAML_STRING;
	if (node->plain) {
		yaml_resolve(node);
	} else if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) &&
		node->position.column > 1) {
		node->position.column--; // the mark stands behind the quote
	}
}

static bool read_list(struct reader *reader, unsigned depth, struct yaml_node *node)
{
	size_t room = 0;
	node->kind = YAML_LIST;
	while (next_event(reader) && reader->event->type != FYET_SEQUENCE_END) {
		if (node->count == room) {
			size_t larger = room ? room * 2 : 4;
			struct yaml_node *items =
				arena_new_array(reader->arena, larger, struct yaml_node);
			if (room) {
				memcpy(items, node->items, room * sizeof(*items));
			}
			node->items = items;
			room = larger;
		}
		if (!read_node(reader, depth + 1, &node->items[node->count])) {
			return false;
		}
		node->count++;
	}
	return reader->event || fail_syntax(reader);
}

static int compare_pairs(const void *left, const void *right)
{
	const struct yaml_pair *a = *(const struct yaml_pair *const *)left;
	const struct yaml_pair *b = *(const struct yaml_pair *const *)right;
	if (a->key.length != b->key.length) {
		return a->key.length < b->key.length ? -1 : 1;
	}
	int order = a->key.length ? memcmp(a->key.data, b->key.data, a->key.length) : 0;
	return order ? order : (a > b) - (a < b);
}

// Pointers to the pairs, sorted by key, equal keys in the order of the file. To be freed.
static struct yaml_pair **sort_pairs(const struct yaml_node *node)
{
	struct yaml_pair **sorted = memory_alloc(node->count * sizeof(struct yaml_pair *));
	for (size_t i = 0; i < node->count; i++) {
		sorted[i] = &node->pairs[i];
	}
	qsort(sorted, node->count, sizeof(struct yaml_pair *), compare_pairs);
	return sorted;
}

static bool check_keys(const struct reader *reader, const struct yaml_node *node)
{
	struct yaml_pair **sorted = sort_pairs(node);
	const struct yaml_pair *second = NULL, *first = NULL;
	for (size_t i = 1; i < node->count; i++) {
		if (text_equal(sorted[i - 1]->key, sorted[i]->key) &&
			(!second || sorted[i] < second)) {
			first = sorted[i - 1];
			second = sorted[i];
		}
	}
	free(sorted);
	if (!second) {
		return true;
	}
	fail_named(reader, second->position, "the key '", second->key, "' is there twice");
	return error_hint(reader->error, "the first one is in line %u", first->position.line);
}

static void add_pair(struct arena *arena, struct yaml_node *map, struct yaml_pair pair)
{
	// Room is always a power of two.
	if ((map->count & (map->count - 1)) == 0) {
		size_t room = map->count ? map->count * 2 : 1;
		struct yaml_pair *pairs = arena_new_array(arena, room, struct yaml_pair);
		if (map->count) {
			memcpy(pairs, map->pairs, map->count * sizeof(*pairs));
		}
		map->pairs = pairs;
	}
	map->pairs[map->count++] = pair;
}

static bool add_merged(
	const struct reader *reader, struct yaml_node *map, const struct yaml_node *source)
{
	if (source->kind != YAML_MAP) {
		return fail(reader, source->position, "'<<' takes a map or a list of maps");
	}
	for (size_t i = 0; i < source->count; i++) {
		add_pair(reader->arena, map, source->pairs[i]);
	}
	return true;
}

// Adds what '<<' names. What stands first wins: own keys, then the sources in their order.
static bool merge(
	const struct reader *reader, struct yaml_node *map, const struct yaml_node *sources)
{
	bool list = sources->kind == YAML_LIST, good = true;
	for (size_t i = 0; good && i < (list ? sources->count : 1); i++) {
		good = add_merged(reader, map, list ? &sources->items[i] : sources);
	}
	struct yaml_pair **sorted = sort_pairs(map);
	bool *dropped = memory_alloc(map->count);
	for (size_t i = 1; i < map->count; i++) {
		dropped[sorted[i] - map->pairs] = text_equal(sorted[i - 1]->key, sorted[i]->key);
	}
	size_t kept = 0;
	for (size_t i = 0; i < map->count; i++) {
		if (!dropped[i]) {
			map->pairs[kept++] = map->pairs[i];
		}
	}
	map->count = kept;
	free(dropped);
	free(sorted);
	return good;
}

static bool read_key(
	struct reader *reader, unsigned depth, struct yaml_pair *pair, bool *is_merge_key)
{
	struct yaml_node key = {0};
	if (!read_node(reader, depth, &key)) {
		return false;
	}
	if (key.kind == YAML_LIST || key.kind == YAML_MAP) {
		return fail(reader, key.position, "a key must be a text, not a list or a map");
	}
	pair->key = key.text;
	pair->position = key.position;
	*is_merge_key = key.plain && text_is(key.text, "<<");
	return true;
}

static bool read_map(struct reader *reader, unsigned depth, struct yaml_node *node)
{
	struct yaml_node merged = {0};
	bool merging = false;
	node->kind = YAML_MAP;
	while (next_event(reader) && reader->event->type != FYET_MAPPING_END) {
		struct yaml_pair pair = {0};
		bool is_merge_key = false;
		if (!read_key(reader, depth + 1, &pair, &is_merge_key)) {
			return false;
		}
		if (!next_event(reader)) {
			return fail_syntax(reader);
		}
		if (!read_node(reader, depth + 1, &pair.value)) {
			return false;
		}
		if (!is_merge_key) {
			add_pair(reader->arena, node, pair);
		} else if (merging) {
			return fail(reader, pair.position, "the key '<<' is there twice");
		} else {
			merging = true;
			merged = pair.value;
		}
	}
	if (!reader->event) {
		return fail_syntax(reader);
	}
	return check_keys(reader, node) && (!merging || merge(reader, node, &merged));
}

// The current event's node, of any kind. `depth` counts the containers around it.
static bool read_content(struct reader *reader, unsigned depth, struct yaml_node *node)
{
	enum fy_event_type type = reader->event->type;
	if (type == FYET_SCALAR) {
		read_scalar(reader, node);
		return true;
	}
	if (depth == YAML_DEPTH) {
		return fail(reader, node->position, "the file is nested too deeply");
	}
	if (depth + 1 > reader->deepest) {
		reader->deepest = depth + 1;
	}
	return type == FYET_MAPPING_START ? read_map(reader, depth, node)
					  : read_list(reader, depth, node);
}

static bool read_node(struct reader *reader, unsigned depth, struct yaml_node *node)
{
	if (reader->event->type == FYET_ALIAS) {
		return read_alias(reader, depth, node);
	}
	struct text name = token_text(fy_event_get_anchor_token(reader->event));
	struct text tag =
		text_copy(reader->arena, token_text(fy_event_get_tag_token(reader->event)));
	unsigned deepest = reader->deepest;
	size_t before = reader->nodes;
	int anchor = -1;
	node->position = reader->latest;
	reader->deepest = depth;
	if (name.length && (anchor = add_anchor(reader, name)) < 0) {
		return false;
	}
	if (!count_nodes(reader, 1) || !read_content(reader, depth, node) ||
		(tag.length && !apply_tag(reader, tag, node))) {
		return false;
	}
	if (anchor >= 0) {
		reader->anchors[anchor].open = false;
		reader->anchors[anchor].node = *node;
		reader->anchors[anchor].nodes = reader->nodes - before;
		reader->anchors[anchor].height = reader->deepest - depth;
	}
	if (deepest > reader->deepest) {
		reader->deepest = deepest;
	}
	return true;
}

// --- The document ---

static bool read_document(struct reader *reader, struct yaml_node *node)
{
	node->position = reader->latest;
	while (next_event(reader) && reader->event->type != FYET_STREAM_END) {
		if (reader->event->type == FYET_STREAM_START) {
			continue;
		}
		// Behind a document's start comes its node, behind its end maybe another document.
		if (reader->nodes) {
			return fail(
				reader, reader->latest, "the file holds more than one document");
		}
		if (!next_event(reader)) {
			return fail_syntax(reader);
		}
		if (!read_node(reader, 0, node)) {
			return false;
		}
		if (!next_event(reader)) {
			return fail_syntax(reader);
		}
	}
	return (reader->event && !fy_parser_get_stream_error(reader->parser)) ||
		fail_syntax(reader);
}

static void close_parser(struct reader *reader)
{
	if (reader->event) {
		fy_parser_event_free(reader->parser, reader->event);
	}
	// Collected messages hold tokens of the parser, so they go first.
	fy_diag_set_collect_errors(reader->messages, false);
	fy_parser_destroy(reader->parser);
	fy_diag_destroy(reader->messages);
}

static bool check_text(struct reader *reader, struct text source)
{
	if (source.length > YAML_SIZE) {
		return error_set(reader->error, ERROR_USAGE,
			"%s:1:1: the file is larger than %d KiB", reader->file, YAML_SIZE / 1024);
	}
	size_t valid = text_utf8_length(source);
	const char *zero = source.length ? memchr(source.data, '\0', source.length) : NULL;
	if (zero && (size_t)(zero - source.data) < valid) {
		valid = (size_t)(zero - source.data);
	}
	if (valid == source.length) {
		return true;
	}
	struct yaml_position position = {reader->file, 1, 1};
	for (size_t i = 0; i < valid; i++) {
		bool line = source.data[i] == '\n';
		bool starts_character = ((unsigned char)source.data[i] & 0xc0) != 0x80;
		position.line += line;
		position.column = line ? 1 : position.column + starts_character;
	}
	return fail(
		reader, position, zero ? "a zero byte is no text" : "this byte is not valid UTF-8");
}

static struct reader begin(struct arena *arena, const char *file, struct error *error)
{
	return (struct reader){.arena = arena,
		.file = file,
		.error = error,
		.latest = {.file = file, .line = 1, .column = 1}};
}

struct yaml_node *yaml_parse(
	struct arena *arena, const char *file, struct text source, struct error *error)
{
	struct reader reader = begin(arena, file, error);
	struct yaml_node *node = arena_new(arena, struct yaml_node);
	bool good = check_text(&reader, source) && open_parser(&reader, source) &&
		read_document(&reader, node);
	close_parser(&reader);
	return good ? node : NULL;
}

bool yaml_check_syntax(const char *file, struct text source, struct error *error)
{
	struct reader reader = begin(NULL, file, error);
	bool good = check_text(&reader, source) && open_parser(&reader, source);
	if (good) {
		bool ended = false;
		while (next_event(&reader)) {
			ended = reader.event->type == FYET_STREAM_END;
		}
		good = (ended && !fy_parser_get_stream_error(reader.parser)) ||
			fail_syntax(&reader);
	}
	close_parser(&reader);
	return good;
}
