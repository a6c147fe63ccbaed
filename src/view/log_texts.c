#include "view/log_texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

// The items of a branch, and how far the events have come in them.
struct branch_items {
	struct arena arena;
	struct text *items;
	size_t count, next;
	int64_t loaded;     // the number of the last one
	struct text *calls; // of the last answer: "NAME ARGUMENTS"
	size_t call_count;
	struct text said; // in the last answer
};

struct log_texts {
	struct store *store;
	const struct store_run *run;
	struct arena arena;
	struct store_change *changes; // of the whole run, in their order
	size_t change_count, change_next, change_skip;
	int64_t sequence; // of the last event
	size_t shown;     // changes of the last event, behind change_next
	struct branch_items *branches;
	size_t branch_count;
};

static bool take_change(void *data, const struct store_change *change)
{
	struct log_texts *texts = data;
	if (texts->change_skip > 0) {
		texts->change_skip--;
		return true;
	}
	if ((texts->change_count & (texts->change_count - 1)) == 0) {
		size_t capacity = texts->change_count ? texts->change_count * 2 : 1;
		texts->changes = memory_resize(texts->changes, capacity * sizeof(*texts->changes));
	}
	texts->changes[texts->change_count++] =
		(struct store_change){.path = arena_string(&texts->arena, change->path),
			.status = arena_string(&texts->arena, change->status),
			.agent = arena_string(&texts->arena, change->agent),
			.candidates = "",
			.sha256 = "",
			.blob = "",
			.size = change->size,
			.outside = change->outside};
	return true;
}

struct log_texts *log_texts_create(
	struct store *store, const struct store_run *run, struct error *error)
{
	struct log_texts *texts = memory_alloc(sizeof(*texts));
	texts->store = store;
	texts->run = run;
	if (!store_changes(store, run->id, take_change, texts, error)) {
		log_texts_destroy(texts);
		return NULL;
	}
	return texts;
}

void log_texts_destroy(struct log_texts *texts)
{
	if (!texts) {
		return;
	}
	for (size_t i = 0; i < texts->branch_count; i++) {
		free(texts->branches[i].items);
		arena_finish(&texts->branches[i].arena);
	}
	free(texts->branches);
	free(texts->changes);
	arena_finish(&texts->arena);
	free(texts);
}

static bool take_item(void *data, const struct store_item *item)
{
	struct branch_items *branch = data;
	if ((branch->count & (branch->count - 1)) == 0) {
		size_t capacity = branch->count ? branch->count * 2 : 1;
		branch->items = memory_resize(branch->items, capacity * sizeof(*branch->items));
	}
	branch->items[branch->count++] = text_copy(&branch->arena, item->json);
	branch->loaded = item->sequence;
	return true;
}

static struct branch_items *branch_at(struct log_texts *texts, uint32_t branch)
{
	if (branch >= FOLLOW_BRANCHES) {
		return NULL;
	}
	if (branch >= texts->branch_count) {
		size_t count = (size_t)branch + 1;
		texts->branches = memory_resize(texts->branches, count * sizeof(*texts->branches));
		memset(&texts->branches[texts->branch_count], 0,
			(count - texts->branch_count) * sizeof(*texts->branches));
		texts->branch_count = count;
	}
	return &texts->branches[branch];
}

static void add_said(struct buffer *said, const cJSON *item)
{
	const cJSON *part;
	cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(item, "content"))
	{
		buffer_add_string(
			said, json_string(part, "text", json_string(part, "refusal", "")));
	}
}

static void add_call(struct branch_items *branch, const cJSON *item)
{
	struct text *calls = arena_new_array(&branch->arena, branch->call_count + 1, struct text);
	if (branch->call_count) {
		memcpy(calls, branch->calls, branch->call_count * sizeof(*calls));
	}
	calls[branch->call_count++] = text_of(arena_printf(&branch->arena, "%s %s",
		json_string(item, "name", ""), json_string(item, "arguments", "")));
	branch->calls = calls;
}

// What a model gave stands together; before it stands what it was told.
static bool is_given(const cJSON *item)
{
	const char *type = json_string(item, "type", "message");
	return strcmp(type, "function_call_output") != 0 &&
		strcmp(json_string(item, "role", "assistant"), "user") != 0;
}

// Moves on to the branch's next answer; false if it is not loaded yet.
static bool seek_answer(struct branch_items *branch)
{
	for (; branch->next < branch->count; branch->next++) {
		struct error ignored = {0};
		json_cleanup *item = json_parse(branch->items[branch->next], &ignored);
		if (is_given(item)) {
			return true;
		}
	}
	return false;
}

// Takes in the items of that answer.
static void read_answer(struct branch_items *branch, uint32_t call_count)
{
	buffer_cleanup said = {0};
	branch->call_count = 0;
	for (; branch->next < branch->count; branch->next++) {
		struct error ignored = {0};
		json_cleanup *item = json_parse(branch->items[branch->next], &ignored);
		if (!is_given(item)) {
			break;
		}
		if (strcmp(json_string(item, "type", "message"), "function_call") == 0) {
			add_call(branch, item);
		} else {
			add_said(&said, item);
		}
	}
	branch->call_count = branch->call_count < call_count ? branch->call_count : call_count;
	branch->said = text_copy(&branch->arena, buffer_text(&said));
}

// Those that came since; how many there are.
static size_t read_changes(struct log_texts *texts)
{
	struct error ignored = {0}; // then it is told without them
	size_t before = texts->change_count;
	texts->change_skip = before;
	store_changes(texts->store, texts->run->id, take_change, texts, &ignored);
	return texts->change_count - before;
}

static size_t manifest_changes(struct log_texts *texts)
{
	size_t count = 0;
	if (texts->change_next == texts->change_count) {
		read_changes(texts);
	}
	while (texts->change_next + count < texts->change_count &&
		strcmp(texts->changes[texts->change_next + count].agent, "manifest") == 0) {
		count++;
	}
	return count;
}

void log_texts_event(struct log_texts *texts, const struct run_event *event, int64_t sequence)
{
	texts->sequence = sequence;
	texts->change_next += texts->shown;
	texts->shown = 0;
	if (event->kind == MODEL_ANSWERED) {
		struct branch_items *branch = branch_at(texts, event->branch);
		if (branch && (event->bytes > 0 || event->call_count)) {
			if (!seek_answer(branch)) {
				struct error ignored = {0}; // then it is told without texts
				store_items(texts->store, texts->run->id, event->branch,
					branch->loaded, take_item, branch, &ignored);
				seek_answer(branch);
			}
			read_answer(branch, event->call_count);
		}
	} else if (event->kind == SANDBOX_OPENED && event->changes == 0) {
		texts->shown = manifest_changes(texts);
	} else if ((event->kind == SANDBOX_OPENED || event->kind == WORKSPACE_RECORDED) &&
		event->changes > 0) {
		size_t left = texts->change_count - texts->change_next;
		if (left < (uint64_t)event->changes) { // the run is under way
			left += read_changes(texts);
		}
		texts->shown = (uint64_t)event->changes < left ? (size_t)event->changes : left;
	}
}

static void verdict(void *data, uint32_t branch, uint32_t command, struct buffer *text)
{
	struct log_texts *texts = data;
	struct error ignored = {0}; // then the gate's name has to do
	arena_cleanup arena = {0};
	struct text lines;
	char key[32];
	snprintf(key, sizeof(key), "%u.%u.lines", branch, command);
	if (store_text(texts->store, &arena, texts->run->id, key, &lines, &ignored)) {
		buffer_add_text(text, lines);
	}
}

static void call(void *data, uint32_t branch, uint32_t number, struct buffer *text)
{
	struct branch_items *items = branch_at(data, branch);
	if (items && number < items->call_count) {
		buffer_add_text(text, items->calls[number]);
	}
}

static void said(void *data, uint32_t branch, struct buffer *text)
{
	struct branch_items *items = branch_at(data, branch);
	if (items) {
		buffer_add_text(text, items->said);
	}
}

static void message(void *data, struct buffer *text)
{
	struct log_texts *texts = data;
	struct error ignored = {0}; // then that there was one has to do
	arena_cleanup arena = {0};
	struct text words;
	char key[64];
	snprintf(key, sizeof(key), "message.%lld", (long long)texts->sequence);
	if (store_text(texts->store, &arena, texts->run->id, key, &words, &ignored)) {
		buffer_add_text(text, words);
	}
}

static void answer_of(void *data, uint32_t question, struct buffer *text)
{
	struct log_texts *texts = data;
	struct error ignored = {0}; // then that there was one has to do
	arena_cleanup arena = {0};
	struct text words;
	char key[64];
	snprintf(key, sizeof(key), "answer.%u", question);
	if (store_text(texts->store, &arena, texts->run->id, key, &words, &ignored)) {
		buffer_add_text(text, words);
	}
}

static void reason(void *data, struct buffer *text)
{
	struct log_texts *texts = data;
	buffer_add_string(text, texts->run->reason);
}

static const struct store_change *changes(void *data, size_t *count)
{
	struct log_texts *texts = data;
	*count = texts->shown;
	return texts->shown ? texts->changes + texts->change_next : NULL;
}

struct progress_source log_texts_source(struct log_texts *texts)
{
	return (struct progress_source){.data = texts,
		.verdict = verdict,
		.call = call,
		.said = said,
		.message = message,
		.answer = answer_of,
		.reason = reason,
		.changes = changes};
}
