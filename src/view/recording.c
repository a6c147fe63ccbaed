#include "view/recording.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/yaml_write.h"
#include "engine/event_json.h"
#include "view/log_texts.h"

enum {
	TASK_BYTES = 400, // of a task, which keeps the assignments of an agent apart
	NAME_BYTES = 100, // longer names are no keys
	SECRET_LEAST = 6, // shorter ones are parts of words
	INDENT_SAY = 8,
	INDENT_ARGUMENT = 14,
};

struct answer {
	uint32_t agent, branch;
	struct text yaml; // without the dash in front and the condition
};

struct writing {
	const struct recording *recording;
	struct store *store;
	const struct store_run *run;
	struct follower follower;
	struct log_texts *texts;
	struct arena arena;
	struct answer *answers;
	size_t answer_count, answer_capacity;
	struct error *error;
	bool failed;
};

// --- Secrets ---

static void replace(struct buffer *text, struct text secret)
{
	buffer_cleanup done = {0};
	struct text rest = buffer_text(text);
	size_t at = text_find(rest, secret);
	if (at == rest.length) {
		return;
	}
	for (; at < rest.length; at = text_find(rest, secret)) {
		buffer_add(&done, rest.data, at);
		buffer_add_string(&done, "SECRET");
		rest.data += at + secret.length;
		rest.length -= at + secret.length;
	}
	buffer_add_text(&done, rest);
	buffer_clear(text);
	buffer_add_text(text, buffer_text(&done));
}

// As it is, and as it stands in JSON.
static void hide_secrets(const struct writing *writing, struct buffer *text)
{
	for (size_t i = 0; i < writing->recording->secret_count; i++) {
		struct text secret = writing->recording->secrets[i];
		buffer_cleanup json = {0};
		if (secret.length < SECRET_LEAST) {
			continue;
		}
		buffer_add_json(&json, secret);
		replace(text, secret);
		replace(text, (struct text){json.data + 1, json.length - 2});
	}
}

// --- One answer ---

// A tree has no room for a zero byte, nor for every digit of a large number.
static bool is_exact(const cJSON *value)
{
	const cJSON *item;
	if (cJSON_IsNumber(value)) {
		return fabs(value->valuedouble) <= 9007199254740992.0;
	}
	if (value->string && (!value->string[0] || strlen(value->string) > NAME_BYTES)) {
		return false;
	}
	for (item = value->child; item; item = item->next) {
		for (const cJSON *other = cJSON_IsObject(value) ? item->next : NULL; other;
			other = other->next) {
			if (strcmp(item->string, other->string) == 0) {
				return false;
			}
		}
		if (!is_exact(item)) {
			return false;
		}
	}
	return true;
}

static void add_arguments(struct buffer *yaml, const cJSON *arguments)
{
	const cJSON *item;
	if (!arguments->child) {
		buffer_add_string(yaml, " {}");
	}
	cJSON_ArrayForEach(item, arguments)
	{
		buffer_printf(yaml, "\n%*s", INDENT_ARGUMENT - 2, "");
		yaml_write_key(yaml, text_of(item->string));
		buffer_add_string(yaml, ": ");
		if (cJSON_IsString(item)) {
			yaml_write_text(yaml, text_of(item->valuestring), INDENT_ARGUMENT);
		} else {
			yaml_write_json(yaml, item);
		}
	}
}

static void add_call(struct writing *writing, struct buffer *yaml, uint32_t branch, uint32_t number)
{
	const struct progress_source source = log_texts_source(writing->texts);
	struct error ignored = {0}; // a model may write what is no JSON
	buffer_cleanup call = {0};
	source.call(source.data, branch, number, &call);
	hide_secrets(writing, &call);
	struct text whole = buffer_text(&call);
	size_t space = text_find(whole, TEXT(" "));
	struct text name = {whole.data, space};
	size_t start = space < whole.length ? space + 1 : space;
	struct text arguments = {whole.data + start, whole.length - start};
	bool zero = text_find(arguments, TEXT("\\u0000")) < arguments.length;
	json_cleanup *tree = zero ? NULL : json_parse(arguments, &ignored);
	buffer_printf(yaml, "\n%*s- ", INDENT_SAY, "");
	if (tree && cJSON_IsObject(tree) && is_exact(tree) && name.length &&
		name.length <= NAME_BYTES && !text_is(name, "raw_arguments")) {
		yaml_write_key(yaml, name);
		buffer_add_char(yaml, ':');
		add_arguments(yaml, tree);
		return;
	}
	buffer_add_string(yaml, "{tool: ");
	yaml_write_quoted(yaml, name.length ? name : TEXT("?"));
	buffer_add_string(yaml, ", raw_arguments: ");
	yaml_write_quoted(yaml, arguments);
	buffer_add_char(yaml, '}');
}

static const char *finish_of(const struct run_event *event, bool says)
{
	static const char *const names[] = {
		[FINISH_CUT] = "cut", [FINISH_REFUSED] = "refused", [FINISH_EMPTY] = "empty"};
	const char *name =
		event->code < sizeof(names) / sizeof(names[0]) ? names[event->code] : NULL;
	if (event->call_count) {
		return NULL;
	}
	return name || says ? name : "empty";
}

static void add_answer(struct writing *writing, struct buffer *yaml, const struct run_event *event)
{
	const struct progress_source source = log_texts_source(writing->texts);
	buffer_cleanup said = {0};
	source.said(source.data, event->branch, &said);
	hide_secrets(writing, &said);
	if (event->bytes == 0 || event->code == FINISH_EMPTY) {
		buffer_clear(&said); // what the source has is of an earlier answer
	}
	const char *finish = finish_of(event, said.length > 0);
	if (said.length) {
		buffer_add_string(yaml, "\n      say: ");
		yaml_write_text(yaml, buffer_text(&said), INDENT_SAY);
	}
	if (event->call_count) {
		buffer_add_string(yaml, "\n      calls:");
		for (uint32_t i = 0; i < event->call_count; i++) {
			add_call(writing, yaml, event->branch, i);
		}
	}
	if (finish) {
		buffer_printf(yaml, "\n      finish: %s", finish);
	}
	int64_t input = event->input_tokens;
	int64_t cached = event->cached_tokens < input ? event->cached_tokens : input;
	buffer_printf(yaml, "\n      usage: {input: %lld, cached: %lld, output: %lld}\n",
		(long long)input, (long long)cached, (long long)event->output_tokens);
}

static void keep_answer(struct writing *writing, const struct run_event *event)
{
	buffer_cleanup yaml = {0};
	add_answer(writing, &yaml, event);
	if (writing->answer_count == writing->answer_capacity) {
		writing->answer_capacity = writing->answer_capacity * 2 + 16;
		writing->answers = memory_resize(
			writing->answers, writing->answer_capacity * sizeof(*writing->answers));
	}
	// The first line goes behind the dash.
	struct text whole = buffer_text(&yaml);
	size_t skip = sizeof("\n      ") - 1;
	writing->answers[writing->answer_count++] =
		(struct answer){.agent = writing->follower.agent,
			.branch = event->branch,
			.yaml = text_copy(&writing->arena,
				(struct text){whole.data + skip, whole.length - skip})};
}

static bool take_row(void *data, const struct store_event *row)
{
	struct writing *writing = data;
	arena_cleanup arena = {0};
	struct run_event event;
	if (!event_from_json(&arena, row->kind, row->body, &event, writing->error)) {
		writing->failed = true;
		return false;
	}
	log_texts_event(writing->texts, &event, row->sequence);
	if (follow(&writing->follower, &event) && event.kind == MODEL_ANSWERED &&
		writing->follower.agent != RUN_NONE) {
		keep_answer(writing, &event);
	}
	return true;
}

// --- All of them ---

// An agent that had several assignments may have worked on them side by side: what it is asked tells
// them apart.
static bool has_several(const struct writing *writing, uint32_t agent)
{
	uint32_t branch = RUN_NONE;
	for (size_t i = 0; i < writing->answer_count; i++) {
		const struct answer *answer = &writing->answers[i];
		if (answer->agent == agent && branch != RUN_NONE && branch != answer->branch) {
			return true;
		}
		branch = answer->agent == agent ? answer->branch : branch;
	}
	return false;
}

struct first_item {
	struct buffer text;
	bool found;
};

static bool take_task(void *data, const struct store_item *row)
{
	struct first_item *first = data;
	struct error ignored = {0};
	json_cleanup *item = json_parse(row->json, &ignored);
	const cJSON *content = cJSON_GetObjectItemCaseSensitive(item, "content");
	if (strcmp(json_string(item, "role", ""), "user") == 0) {
		const char *text = cJSON_IsString(content)
			? content->valuestring
			: json_string(cJSON_GetArrayItem(content, 0), "text", "");
		buffer_add_string(&first->text, text);
		first->found = true;
	}
	return !first->found;
}

// A pattern that is nothing but the text: "\Q...\E", with what would end it early outside.
static void add_literal(struct buffer *pattern, struct text text)
{
	buffer_add_string(pattern, "\\Q");
	for (size_t i = 0; i < text.length; i++) {
		bool end = text.data[i] == '\\' && i + 1 < text.length && text.data[i + 1] == 'E';
		if (end) {
			buffer_add_string(pattern, "\\E\\\\\\Q");
		} else {
			buffer_add_char(pattern, text.data[i]);
		}
	}
	buffer_add_string(pattern, "\\E");
}

static bool add_condition(struct writing *writing, struct buffer *yaml, uint32_t branch)
{
	struct first_item first = {0};
	buffer_cleanup pattern = {0};
	bool fine = branch == 0 ||
		store_items(writing->store, writing->run->id, branch, 0, take_task, &first,
			writing->error);
	if (fine && first.text.length) {
		hide_secrets(writing, &first.text);
		add_literal(&pattern, text_cut(buffer_text(&first.text), TASK_BYTES));
		buffer_add_string(yaml, "when: {any: ");
		yaml_write_quoted(yaml, buffer_text(&pattern));
		buffer_add_string(yaml, "}\n      ");
	}
	buffer_finish(&first.text);
	return fine;
}

static bool add_agent(struct writing *writing, struct buffer *yaml, uint32_t agent)
{
	bool several = has_several(writing, agent), begun = false;
	for (size_t i = 0; i < writing->answer_count; i++) {
		const struct answer *answer = &writing->answers[i];
		if (answer->agent != agent) {
			continue;
		}
		if (!begun) {
			buffer_printf(
				yaml, "  %s:\n", follow_agent_name(&writing->follower, agent));
			begun = true;
		}
		buffer_add_string(yaml, "    - ");
		if (several && !add_condition(writing, yaml, answer->branch)) {
			return false;
		}
		buffer_add_text(yaml, answer->yaml);
	}
	return true;
}

static bool write_all(struct writing *writing, struct buffer *yaml)
{
	const struct team *team = writing->follower.team;
	if (writing->answer_count == 0) {
		return error_set(writing->error, ERROR_FAILED,
			"no model has answered in run '%s': there is nothing to play again",
			writing->run->id);
	}
	buffer_printf(yaml,
		"# Recorded from run %s of the team %s. It is played with the same inputs:\n",
		writing->run->id, team->name);
	buffer_add_string(yaml, "# muster run TEAM --rehearse THIS-FILE\nversion: 1\nagents:\n");
	for (uint32_t agent = 0; agent < team->agent_count; agent++) {
		if (!add_agent(writing, yaml, agent)) {
			return false;
		}
	}
	if (yaml->length > RECORDING_LIMIT) {
		return error_set(writing->error, ERROR_FAILED,
			"a rehearsal of run '%s' would have %zu KiB; one is read up to %d KiB",
			writing->run->id, yaml->length / 1024, RECORDING_LIMIT / 1024);
	}
	return true;
}

bool recording_write(struct buffer *yaml, struct store *store, const struct store_run *run,
	const struct team *team, const struct recording *recording, struct error *error)
{
	struct writing writing = {
		.recording = recording, .store = store, .run = run, .error = error};
	writing.texts = log_texts_create(store, run, error);
	if (!writing.texts) {
		return false;
	}
	follow_init(&writing.follower, team);
	bool fine = store_events(store, run->id, 0, take_row, &writing, error) && !writing.failed &&
		write_all(&writing, yaml);
	follow_finish(&writing.follower);
	log_texts_destroy(writing.texts);
	free(writing.answers);
	arena_finish(&writing.arena);
	return fine;
}
