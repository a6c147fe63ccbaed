#include "gate/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/path.h"
#include "gate/kind.h"

enum { SHOWN_LIMIT = 160 };

const struct gate_kind *const gate_kinds[] = {&check_file, &check_dir, &check_glob, &check_json,
	&check_yaml, &check_run, &check_any, &check_not, NULL};

// Kinds whose feature comes later are refused by name.
static const struct key_owner later_kinds[] = {
	{.name = "changed",
		.help = "Something that matches changed in this assignment.",
		.later = "checks against the history"},
	{.name = "unchanged",
		.help = "Nothing that matches changed in this assignment.",
		.later = "checks against the history"},
	{.name = "fresh",
		.help = "Written in this assignment.",
		.later = "checks against the history"},
	{.name = "review", .help = "A model judges.", .later = "review checks"},
	{.name = "approve", .help = "A person says yes.", .later = "approvals"},
};

struct owner_list gate_vocabulary(void)
{
	enum { LATER = sizeof(later_kinds) / sizeof(later_kinds[0]) };
	static struct key_owner owners[sizeof(gate_kinds) / sizeof(gate_kinds[0]) + LATER];
	size_t count = 0;
	for (; gate_kinds[count]; count++) {
		owners[count] = gate_kinds[count]->owner;
	}
	memcpy(&owners[count], later_kinds, sizeof(later_kinds));
	return (struct owner_list){owners, count + LATER};
}

struct pattern *gate_pattern(struct gate *gate, struct text source, struct error *error)
{
	struct pattern *pattern = pattern_compile(source, error);
	if (pattern) {
		gate->patterns = memory_resize(
			gate->patterns, (gate->pattern_count + 1) * sizeof(struct pattern *));
		gate->patterns[gate->pattern_count++] = pattern;
	}
	return pattern;
}

bool gate_name_path(struct gate *gate, struct text path)
{
	struct text *paths = arena_new_array(gate->arena, gate->path_count + 1, struct text);
	if (gate->path_count) {
		memcpy(paths, gate->paths, gate->path_count * sizeof(*paths));
	}
	paths[gate->path_count++] = path;
	gate->paths = paths;
	return true;
}

static const struct gate_kind *kind_of(
	const struct yaml_node *node, const struct yaml_node **subject)
{
	for (size_t i = 0; gate_kinds[i]; i++) {
		*subject = yaml_get(node, gate_kinds[i]->owner.name);
		if (*subject) {
			return gate_kinds[i];
		}
	}
	return NULL;
}

bool gate_compile_list(struct gate *gate, const struct yaml_node *node, struct gate_check **checks,
	size_t *count, struct error *error)
{
	bool list = node->kind == YAML_LIST;
	*count = list ? node->count : 1;
	*checks = arena_new_array(gate->arena, *count, struct gate_check);
	for (size_t i = 0; i < *count; i++) {
		if (!gate_compile_check(
			    gate, list ? &node->items[i] : node, &(*checks)[i], error)) {
			return false;
		}
	}
	return true;
}

bool gate_compile_check(struct gate *gate, const struct yaml_node *node, struct gate_check *check,
	struct error *error)
{
	const struct yaml_node *subject = node;
	check->node = node;
	check->kind = node->kind == YAML_STRING ? &check_file : kind_of(node, &subject);
	if (!check->kind) {
		return error_set(error, ERROR_USAGE, "%s:%u:%u: this is no check",
			node->position.file, node->position.line, node->position.column);
	}
	check->subject = check->kind->owner.name;
	if (subject->kind != YAML_LIST && subject->kind != YAML_MAP) {
		check->subject = text_string(gate->arena, subject->text);
	}
	if (!conditions_compile(gate, node, &check->conditions, error) ||
		(check->kind->compile && !check->kind->compile(gate, check, error))) {
		return error_wrap(error, "%s:%u:%u: check '%s'", node->position.file,
			node->position.line, node->position.column, check->kind->owner.name);
	}
	return true;
}

struct gate *gate_compile(
	struct arena *arena, const struct team_gate *declaration, struct error *error)
{
	struct gate *gate = arena_new(arena, struct gate);
	gate->arena = arena;
	gate->declaration = declaration;
	if (!gate_compile_list(gate, declaration->require, &gate->checks, &gate->count, error)) {
		gate_finish(gate);
		return NULL;
	}
	return gate;
}

void gate_finish(struct gate *gate)
{
	if (!gate) {
		return;
	}
	for (size_t i = 0; i < gate->pattern_count; i++) {
		pattern_destroy(gate->patterns[i]);
	}
	free(gate->patterns);
	gate->patterns = NULL;
	gate->pattern_count = 0;
}

struct gate_finding *gate_find(struct gate_look *look, const struct gate_check *check,
	const char *subject, enum gate_status status)
{
	if (look->count == look->capacity) {
		look->capacity = look->capacity * 2 + 8;
		look->findings =
			memory_resize(look->findings, look->capacity * sizeof(*look->findings));
	}
	struct gate_finding *finding = &look->findings[look->count++];
	*finding = (struct gate_finding){.check = check->kind->owner.name,
		.subject = subject,
		.status = status,
		.expected = "",
		.found = "",
		.sentence = "",
		.size = -1,
		.reader = "harness"};
	return finding;
}

struct gate_finding *gate_fails(struct gate_look *look, const struct gate_check *check,
	const char *subject, const char *expected, const char *found, const char *format, ...)
{
	va_list arguments;
	struct gate_finding *finding = gate_find(look, check, subject, GATE_FAILS);
	va_start(arguments, format);
	finding->sentence = arena_vprintf(look->arena, format, arguments);
	va_end(arguments);
	finding->expected = expected;
	finding->found = found;
	return finding;
}

const char *gate_shown(struct gate_look *look, struct text text)
{
	buffer_cleanup line = {0};
	buffer_add_line(&line, text, SHOWN_LIMIT);
	return arena_string(look->arena, line.data ? line.data : "");
}

void gate_run_checks(const struct gate_check *checks, size_t count, struct gate_look *look)
{
	for (size_t i = 0; i < count; i++) {
		checks[i].kind->check(&checks[i], look);
	}
}

enum gate_status gate_worst(const struct gate_look *look, size_t from)
{
	// A check that could not be made says nothing about the others: they decide if one fails.
	static const int order[] = {[GATE_HOLDS] = 0,
		[GATE_NEEDS_PERSON] = 1,
		[GATE_NOT_CHECKED] = 2,
		[GATE_FAILS] = 3};
	enum gate_status worst = GATE_HOLDS;
	for (size_t i = from; i < look->count; i++) {
		if (order[look->findings[i].status] > order[worst]) {
			worst = look->findings[i].status;
		}
	}
	return worst;
}

// The named paths with their content, so that a file that changes while commands look at it is seen.
static struct hash fingerprint(const struct gate *gate, struct gate_look *look)
{
	arena_cleanup arena = {0};
	struct hash_stream *stream = hash_begin();
	for (size_t i = 0; i < gate->path_count; i++) {
		struct text content = {0};
		struct error ignored = {0}; // a missing file counts as empty
		struct folder_stat stat = sandbox_stat(look->sandbox, gate->paths[i]);
		hash_add(stream, &stat.kind, sizeof(stat.kind));
		if (stat.kind == FOLDER_FILE &&
			sandbox_read(look->sandbox, &arena, gate->paths[i], GATE_READ_LIMIT,
				&content, &ignored)) {
			hash_add(stream, content.data, content.length);
		}
	}
	return hash_end(stream);
}

static void look_once(const struct gate *gate, struct gate_look *look)
{
	enum { TRIES = 3 };
	for (int i = 0; i < TRIES; i++) {
		struct hash before = {0};
		look->count = 0;
		if (gate->runs) {
			before = fingerprint(gate, look);
		}
		gate_run_checks(gate->checks, gate->count, look);
		if (!gate->runs || strcmp(before.hex, fingerprint(gate, look).hex) == 0) {
			return;
		}
	}
	gate_fails(look, &gate->checks[0], gate->declaration->name, "files that stay as they are",
		"changing files",
		"The files of gate '%s' are changing while it is checked; let "
		"what writes them end first.",
		gate->declaration->name);
}

void gate_check(const struct gate *gate, struct sandbox *sandbox, struct arena *arena,
	const char *const *environment, const atomic_bool *cancel, struct gate_verdict *verdict)
{
	struct gate_look look = {.gate = gate,
		.sandbox = sandbox,
		.arena = arena,
		.environment = environment,
		.cancel = cancel};
	look_once(gate, &look);
	verdict->status = gate_worst(&look, 0);
	verdict->count = look.count;
	verdict->findings = arena_new_array(arena, look.count, struct gate_finding);
	if (look.count) {
		memcpy(verdict->findings, look.findings, look.count * sizeof(*look.findings));
	}
	free(look.findings);
}

static bool check_reads(const struct gate_check *check, struct text path)
{
	if (check->kind->reads) {
		return check->kind->reads(check, path);
	}
	return check->is_glob ? glob_match(check->path, path) : text_equal(check->path, path);
}

bool gate_reads(const struct gate *gate, struct text path)
{
	for (size_t i = 0; i < gate->count; i++) {
		if (check_reads(&gate->checks[i], path)) {
			return true;
		}
	}
	return false;
}

size_t gate_paths(const struct gate *gate, const struct text **paths)
{
	*paths = gate->paths;
	return gate->path_count;
}

const char *gate_status_name(enum gate_status status)
{
	static const char *const names[] = {[GATE_HOLDS] = "holds",
		[GATE_FAILS] = "fails",
		[GATE_NOT_CHECKED] = "not_checked",
		[GATE_NEEDS_PERSON] = "needs_person"};
	return names[status];
}

void gate_verdict_lines(struct buffer *buffer, const struct gate_verdict *verdict)
{
	for (size_t i = 0; i < verdict->count; i++) {
		const struct gate_finding *finding = &verdict->findings[i];
		if (finding->status != GATE_HOLDS && finding->sentence[0]) {
			buffer_printf(buffer, "- %s\n", finding->sentence);
		}
	}
}

static void add_member(struct buffer *json, const char *name, const char *value)
{
	buffer_printf(json, ",\"%s\":", name);
	buffer_add_json(json, text_of(value));
}

void gate_verdict_json(struct buffer *json, const struct gate_verdict *verdict)
{
	buffer_printf(json, "{\"status\":\"%s\",\"findings\":[", gate_status_name(verdict->status));
	for (size_t i = 0; i < verdict->count; i++) {
		const struct gate_finding *finding = &verdict->findings[i];
		buffer_printf(json, "%s{\"check\":\"%s\",\"status\":\"%s\"", i ? "," : "",
			finding->check, gate_status_name(finding->status));
		add_member(json, "subject", finding->subject);
		add_member(json, "expected", finding->expected);
		add_member(json, "found", finding->found);
		add_member(json, "sentence", finding->sentence);
		add_member(json, "reader", finding->reader);
		if (finding->line) {
			buffer_printf(
				json, ",\"line\":%u,\"column\":%u", finding->line, finding->column);
		}
		if (finding->size >= 0) {
			buffer_printf(json, ",\"size\":%lld", (long long)finding->size);
		}
		if (finding->sha256) {
			add_member(json, "sha256", finding->sha256);
		}
		buffer_add_char(json, '}');
	}
	buffer_add_string(json, "]}");
}
