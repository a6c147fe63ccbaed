#include "model/rehearsal_script.h"

#include <string.h>

#include "base/file.h"

enum { NAME_SHOWN = 60 /* bytes of a name in a message */ };

const char *const script_condition_names[] = {
	[CONDITION_LAST] = "last",
	[CONDITION_NOT] = "not",
	[CONDITION_ANY] = "any",
	[CONDITION_ITEMS] = "items",
	[CONDITION_TURN] = "turn",
};

static bool fail(struct error *error, struct yaml_position position, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool fail(struct error *error, struct yaml_position position, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	arena_cleanup arena = {0};
	error_set(error, ERROR_USAGE, "%s:%u:%u: %s", position.file, position.line, position.column,
		arena_vprintf(&arena, format, arguments));
	va_end(arguments);
	return false;
}

// The index of the key in `names`, or -1 with a message that names the nearest.
static int find_key(const struct yaml_pair *pair, const char *where, const char *const *names,
	size_t count, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		if (text_is(pair->key, names[i])) {
			return (int)i;
		}
	}
	buffer_cleanup shown = {0}, possible = {0};
	buffer_add_line(&shown, pair->key, NAME_SHOWN);
	const char *nearest = text_nearest(pair->key, names, count);
	for (size_t i = 0; i < count; i++) {
		buffer_printf(&possible, "%s%s", i ? ", " : "", names[i]);
	}
	if (nearest) {
		fail(error, pair->position, "%s has no key '%s'; did you mean '%s'?", where,
			shown.data ? shown.data : "", nearest);
	} else {
		fail(error, pair->position, "%s has no key '%s'; possible are %s", where,
			shown.data ? shown.data : "", possible.data);
	}
	return -1;
}

static bool expect(
	const struct yaml_node *node, enum yaml_kind kind, const char *what, struct error *error)
{
	return node->kind == kind ? true
				  : fail(error, node->position, "%s has to be %s, not %s", what,
					    yaml_kind_name(kind), yaml_kind_name(node->kind));
}

static bool read_count(
	const struct yaml_node *node, const char *what, int64_t *count, struct error *error)
{
	if (node->kind != YAML_INTEGER || node->integer < 0) {
		return fail(error, node->position, "%s has to be a whole number from 0", what);
	}
	*count = node->integer;
	return true;
}

// N, or {min: N, max: N}.
static bool read_range(struct script_condition *condition, const struct yaml_node *node,
	const char *what, struct error *error)
{
	static const char *const names[] = {"min", "max"};
	condition->maximum = INT64_MAX;
	if (node->kind != YAML_MAP) {
		condition->maximum = 0;
		if (!read_count(node, what, &condition->minimum, error)) {
			return false;
		}
		condition->maximum = condition->minimum;
		return true;
	}
	int64_t *const values[] = {&condition->minimum, &condition->maximum};
	for (size_t i = 0; i < node->count; i++) {
		int key = find_key(&node->pairs[i], what, names, 2, error);
		if (key < 0 || !read_count(&node->pairs[i].value, what, values[key], error)) {
			return false;
		}
	}
	return true;
}

static bool read_condition(struct script *script, struct script_entry *entry,
	const struct yaml_pair *pair, struct error *error)
{
	int kind = find_key(pair, "'when'", script_condition_names, CONDITION_KINDS, error);
	if (kind < 0) {
		return false;
	}
	struct script_condition *condition = &entry->conditions[entry->condition_count++];
	const char *what = arena_printf(&script->arena, "'when.%s'", script_condition_names[kind]);
	*condition = (struct script_condition){.kind = (enum script_condition_kind)kind,
		.position = pair->value.position,
		.source = pair->value.text};
	if (kind == CONDITION_ITEMS || kind == CONDITION_TURN) {
		return read_range(condition, &pair->value, what, error);
	}
	struct error reason;
	if (!expect(&pair->value, YAML_STRING, what, error)) {
		return false;
	}
	condition->pattern = pattern_compile(pair->value.text, &reason);
	return condition->pattern
		? true
		: fail(error, condition->position, "%s: %s", what, reason.message);
}

static bool read_when(struct script *script, struct script_entry *entry,
	const struct yaml_node *node, struct error *error)
{
	if (!expect(node, YAML_MAP, "'when'", error)) {
		return false;
	}
	for (size_t i = 0; i < node->count; i++) {
		if (!read_condition(script, entry, &node->pairs[i], error)) {
			return false;
		}
	}
	return true;
}

static bool read_say(struct script *script, struct script_entry *entry,
	const struct yaml_node *node, struct error *error)
{
	(void)script;
	entry->speaks = true;
	entry->say = node->text;
	return expect(node, YAML_STRING, "'say'", error);
}

// {tool: NAME, raw_arguments: TEXT}: arguments that need not be JSON.
static bool read_raw_call(
	struct script_call *call, const struct yaml_node *node, struct error *error)
{
	static const char *const names[] = {"tool", "raw_arguments"};
	struct text *const values[] = {&call->tool, &call->arguments};
	for (size_t i = 0; i < node->count; i++) {
		int key = find_key(&node->pairs[i], "a call with 'raw_arguments'", names, 2, error);
		if (key < 0 || !expect(&node->pairs[i].value, YAML_STRING, names[key], error)) {
			return false;
		}
		*values[key] = node->pairs[i].value.text;
	}
	return call->tool.length
		? true
		: fail(error, node->position, "a call with 'raw_arguments' needs 'tool'");
}

static bool read_call(struct script *script, struct script_call *call, const struct yaml_node *node,
	struct error *error)
{
	if (!expect(node, YAML_MAP, "a call", error)) {
		return false;
	}
	if (yaml_get(node, "raw_arguments")) {
		return read_raw_call(call, node, error);
	}
	if (node->count != 1) {
		return fail(error, node->position,
			"a call has one key, the tool's name with its arguments, not %zu",
			node->count);
	}
	const struct yaml_node *arguments = &node->pairs[0].value;
	call->tool = node->pairs[0].key;
	if (arguments->kind == YAML_NULL) {
		call->arguments = TEXT("{}");
		return true;
	}
	if (!expect(arguments, YAML_MAP, "a call's arguments", error)) {
		return error_hint(error,
			"Arguments that are no map are written as "
			"{tool: NAME, raw_arguments: TEXT}.");
	}
	buffer_cleanup json = {0};
	yaml_print_json(&json, arguments);
	call->arguments = text_copy(&script->arena, buffer_text(&json));
	return true;
}

static bool read_calls(struct script *script, struct script_entry *entry,
	const struct yaml_node *node, struct error *error)
{
	if (!expect(node, YAML_LIST, "'calls'", error)) {
		return false;
	}
	entry->calls = arena_new_array(&script->arena, node->count, struct script_call);
	entry->call_count = node->count;
	for (size_t i = 0; i < node->count; i++) {
		if (!read_call(script, &entry->calls[i], &node->items[i], error)) {
			return false;
		}
	}
	return true;
}

static bool read_usage(struct script *script, struct script_entry *entry,
	const struct yaml_node *node, struct error *error)
{
	static const char *const names[] = {"input", "cached", "output", "reasoning"};
	struct model_usage *usage = &entry->usage;
	int64_t *const values[] = {
		&usage->input, &usage->cached, &usage->output, &usage->reasoning};
	(void)script;
	if (!expect(node, YAML_MAP, "'usage'", error)) {
		return false;
	}
	for (size_t i = 0; i < node->count; i++) {
		int key = find_key(&node->pairs[i], "'usage'", names, 4, error);
		if (key < 0 || !read_count(&node->pairs[i].value, names[key], values[key], error)) {
			return false;
		}
	}
	entry->usage_given = true;
	if (usage->cached > usage->input || usage->reasoning > usage->output) {
		return fail(error, node->position,
			"'cached' is a part of 'input' and 'reasoning' a part of 'output'; they "
			"cannot be larger");
	}
	return true;
}

static bool read_finish(struct script *script, struct script_entry *entry,
	const struct yaml_node *node, struct error *error)
{
	static const struct {
		const char *name;
		enum model_finish finish;
	} finishes[] = {{"cut", MODEL_CUT}, {"refused", MODEL_REFUSED}, {"empty", MODEL_EMPTY}};
	(void)script;
	for (size_t i = 0; i < sizeof(finishes) / sizeof(finishes[0]); i++) {
		if (text_is(node->text, finishes[i].name)) {
			entry->finish = finishes[i].finish;
			return true;
		}
	}
	return fail(error, node->position, "'finish' has to be cut, refused or empty");
}

static bool read_repeat(struct script *script, struct script_entry *entry,
	const struct yaml_node *node, struct error *error)
{
	(void)script;
	entry->repeat = node->boolean;
	return expect(node, YAML_BOOLEAN, "'repeat'", error);
}

static const char *const entry_keys[] = {"when", "say", "calls", "usage", "finish", "repeat"};
static bool (*const entry_readers[])(struct script *, struct script_entry *,
	const struct yaml_node *,
	struct error *) = {read_when, read_say, read_calls, read_usage, read_finish, read_repeat};
enum { ENTRY_KEYS = sizeof(entry_keys) / sizeof(entry_keys[0]) };

// What an answer holds decides how it ends, unless `finish` says so.
static bool check_entry(struct script_entry *entry, struct error *error)
{
	bool fault = entry->finish != MODEL_TEXT;
	if (fault && entry->call_count) {
		return fail(error, entry->position, "an answer with 'finish' has no 'calls'");
	}
	if (entry->finish == MODEL_EMPTY && entry->speaks) {
		return fail(error, entry->position, "an answer with 'finish: empty' has no 'say'");
	}
	if (!fault && !entry->call_count && entry->say.length == 0) {
		return fail(error, entry->position,
			"an answer needs 'say', 'calls' or 'finish' (finish: empty says nothing)");
	}
	if (entry->call_count) {
		entry->finish = MODEL_CALLS;
	}
	return true;
}

static bool read_entry(struct script *script, struct script_entry *entry,
	const struct yaml_node *node, struct error *error)
{
	entry->position = node->position;
	entry->finish = MODEL_TEXT;
	if (!expect(node, YAML_MAP, "an answer", error)) {
		return false;
	}
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_pair *pair = &node->pairs[i];
		int key = find_key(pair, "an answer", entry_keys, ENTRY_KEYS, error);
		if (key < 0 || !entry_readers[key](script, entry, &pair->value, error)) {
			return false;
		}
	}
	return check_entry(entry, error);
}

static bool read_agents(struct script *script, const struct yaml_node *node, struct error *error)
{
	if (!expect(node, YAML_MAP, "'agents'", error)) {
		return false;
	}
	script->agents_position = node->position;
	script->agents = arena_new_array(&script->arena, node->count, struct script_agent);
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *list = &node->pairs[i].value;
		struct script_agent *agent = &script->agents[script->agent_count++];
		agent->name = node->pairs[i].key;
		agent->position = node->pairs[i].position;
		if (!expect(list, YAML_LIST, "an agent's answers", error)) {
			return false;
		}
		agent->entries = arena_new_array(&script->arena, list->count, struct script_entry);
		agent->entry_count = list->count;
		for (size_t j = 0; j < list->count; j++) {
			if (!read_entry(script, &agent->entries[j], &list->items[j], error)) {
				return false;
			}
		}
	}
	return true;
}

static bool read_document(struct script *script, const struct yaml_node *root, struct error *error)
{
	static const char *const names[] = {"version", "agents"};
	if (!expect(root, YAML_MAP, "a rehearsal", error)) {
		return false;
	}
	for (size_t i = 0; i < root->count; i++) {
		if (find_key(&root->pairs[i], "a rehearsal", names, 2, error) < 0) {
			return false;
		}
	}
	const struct yaml_node *version = yaml_get(root, "version");
	const struct yaml_node *agents = yaml_get(root, "agents");
	if (!version || !agents) {
		return fail(error, root->position, "a rehearsal needs '%s'",
			version ? "agents" : "version");
	}
	if (version->kind != YAML_INTEGER || version->integer != 1) {
		return fail(error, version->position, "'version' has to be 1");
	}
	return read_agents(script, agents, error);
}

bool script_load(struct script *script, const char *path, struct error *error)
{
	*script = (struct script){0};
	script->path = arena_string(&script->arena, path);
	struct text source;
	if (!file_read(&script->arena, script->path, YAML_SIZE, &source, error)) {
		return false;
	}
	struct yaml_node *root = yaml_parse(&script->arena, script->path, source, error);
	return root && read_document(script, root, error);
}

void script_finish(struct script *script)
{
	for (size_t i = 0; i < script->agent_count; i++) {
		for (size_t j = 0; j < script->agents[i].entry_count; j++) {
			struct script_entry *entry = &script->agents[i].entries[j];
			for (size_t k = 0; k < entry->condition_count; k++) {
				pattern_destroy(entry->conditions[k].pattern);
			}
		}
	}
	arena_finish(&script->arena);
}
