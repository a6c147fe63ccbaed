/*
 * A run taken up again from its journal: the events are folded, the conversations are put together
 * from their items, and what is only in memory while a run is driven (the calls of the last answers,
 * who changed what) is derived from both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "engine/event_json.h"
#include "engine/job.h"

struct restore {
	struct job *job;
	struct error *error;
	struct store_change *changes;
	size_t change_count, change_capacity;
	uint32_t branch; // whose items are being read
	bool fine;
};

static bool take_change(void *data, const struct store_change *change)
{
	struct restore *restore = data;
	struct arena *arena = &restore->job->arena;
	if (restore->change_count == restore->change_capacity) {
		restore->change_capacity = restore->change_capacity * 2 + 64;
		restore->changes = memory_resize(
			restore->changes, restore->change_capacity * sizeof(*restore->changes));
	}
	struct store_change *kept = &restore->changes[restore->change_count++];
	*kept = *change;
	kept->path = arena_string(arena, change->path);
	kept->status = arena_string(arena, change->status);
	kept->agent = arena_string(arena, change->agent);
	kept->candidates = "";
	kept->sha256 = arena_string(arena, change->sha256);
	kept->blob = arena_string(arena, change->blob);
	recorder_restore(restore->job->workshop.recorder, kept);
	past_note(restore->job->workshop.past, (uint32_t)kept->record, kept);
	return true;
}

// The paths of one record, for the reports of the branch that made it.
static void note_record(struct restore *restore, const struct run_event *event)
{
	struct job *job = restore->job;
	struct work work = {0};
	size_t first = 0;
	while (first < restore->change_count &&
		restore->changes[first].record != job->state.record) {
		first++;
	}
	work.changes = restore->changes + first;
	while (first + work.change_count < restore->change_count &&
		work.changes[work.change_count].record == job->state.record) {
		work.change_count++;
	}
	words_changes(job, event, &work);
}

// What a transfer that passes on only a part left behind.
static bool note_transfer(struct restore *restore, uint32_t branch)
{
	const struct job *job = restore->job;
	struct store *store = engine_store(job->engine);
	arena_cleanup arena = {0};
	struct text first;
	const char *keys[] = {
		arena_printf(&arena, "first.%u.%lld", branch, (long long)job->sequence),
		arena_printf(&arena, "first.%u", branch), // as earlier stores have it
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (store_text(store, &arena, job->id, keys[i], &first, restore->error)) {
			words_talk(restore->job, branch)->left_behind =
				strtoul(text_string(&arena, first), NULL, 10);
			return true;
		}
	}
	return restore->error->kind == ERROR_NONE;
}

static bool fold_event(void *data, const struct store_event *stored)
{
	struct restore *restore = data;
	struct job *job = restore->job;
	arena_cleanup arena = {0};
	struct run_event event;
	restore->fine = event_from_json(&arena, stored->kind, stored->body, &event, restore->error);
	if (!restore->fine) {
		return false;
	}
	if (!run_apply(&job->state, job->rules, &event)) {
		restore->fine = error_set(restore->error, ERROR_FAILED,
			"the journal of run '%s' does not fit together at event %lld", job->id,
			(long long)stored->sequence);
		return false;
	}
	job->sequence = stored->sequence;
	restore->fine = words_messages(job, &event, stored->sequence, restore->error);
	if (!restore->fine) {
		return false;
	}
	engine_remember(job->engine, job, &event);
	if (event.kind == MODEL_ANSWERED) {
		words_spoken(job, event.branch);
	} else if (event.kind == BRANCH_OPENED &&
		job->state.branches[event.branch].remembers != RUN_NONE) {
		uint32_t remembers = job->state.branches[event.branch].remembers;
		words_talk(job, event.branch)->model = words_talk(job, remembers)->model;
	}
	if (event.kind == MODEL_ANSWERED && event.source && job->rehearsal) {
		const struct run_branch *branch = &job->state.branches[event.branch];
		rehearsal_mark_used(
			job->workshop.model, job->team->agents[branch->agent].name, event.source);
	} else if (event.kind == WORKSPACE_RECORDED && event.changes > 0) {
		note_record(restore, &event);
	} else if (event.kind == CONTROL_TRANSFERRED) {
		restore->fine = note_transfer(restore, event.branch);
	}
	return restore->fine;
}

static bool take_item(void *data, const struct store_item *item)
{
	struct restore *restore = data;
	struct talk *talk = words_talk(restore->job, restore->branch);
	conversation_restore(&talk->conversation, (size_t)item->sequence, item->json);
	return true;
}

static bool is_type(const cJSON *item, const char *type)
{
	return strcmp(json_string(item, "type", ""), type) == 0;
}

static struct text copy_member(struct arena *arena, const cJSON *item, const char *name)
{
	return text_copy(arena, text_of(json_string(item, name, "")));
}

// The calls of the last answer: the last function_call items in a row.
static void restore_calls(struct talk *talk, uint32_t count)
{
	struct conversation *conversation = &talk->conversation;
	struct model_answer *answer = memory_alloc(sizeof(*answer));
	struct error ignored = {0}; // items were valid when they were stored
	size_t place = conversation->count;
	talk->answer = answer;
	answer->calls = arena_new_array(&answer->arena, count, struct model_call);
	while (place > conversation->inherited && answer->call_count < count) {
		json_cleanup *item = json_parse(conversation->items[--place], &ignored);
		if (item && is_type(item, "function_call")) {
			struct model_call *call = &answer->calls[count - ++answer->call_count];
			call->id = copy_member(&answer->arena, item, "call_id");
			call->name = copy_member(&answer->arena, item, "name");
			call->arguments = copy_member(&answer->arena, item, "arguments");
		}
		if (answer->call_count == 1 && conversation->call_count == 0) {
			conversation->call_place = place + 1;
			conversation->call_count = count;
		}
	}
	size_t wanted = conversation->call_place + count;
	if (wanted > conversation->count) {
		conversation_restore(
			conversation, wanted - conversation->inherited, (struct text){0});
	}
}

// The newest visible text of the branch itself.
static void restore_report(struct talk *talk)
{
	const struct conversation *conversation = &talk->conversation;
	struct error ignored = {0};
	for (size_t i = conversation->count; i > conversation->inherited && !talk->report; i--) {
		json_cleanup *item = json_parse(conversation->items[i - 1], &ignored);
		const cJSON *content = cJSON_GetObjectItemCaseSensitive(item, "content");
		if (!item || strcmp(json_string(item, "role", ""), "assistant") != 0) {
			continue;
		}
		const char *text = json_string(cJSON_GetArrayItem(content, 0), "text", NULL);
		if (text) {
			talk->report = memory_string(text);
		}
	}
}

static bool restore_branch(struct restore *restore, uint32_t id)
{
	struct job *job = restore->job;
	struct store *store = engine_store(job->engine);
	const struct run_branch *branch = &job->state.branches[id];
	struct talk *talk = words_talk(job, id);
	restore->branch = id;
	if (branch->remembers != RUN_NONE) {
		conversation_inherit(
			&talk->conversation, &words_talk(job, branch->remembers)->conversation);
	}
	if (!store_items(store, job->id, id, 0, take_item, restore, restore->error)) {
		return false;
	}
	if (talk->left_behind) {
		talk->conversation.first = talk->conversation.inherited + talk->left_behind;
	}
	if (branch->call_count) {
		restore_calls(talk, branch->call_count);
	}
	restore_report(talk);
	return true;
}

bool job_restore(struct job *job, const struct store_run *row, struct error *error)
{
	struct store *store = engine_store(job->engine);
	struct restore restore = {.job = job, .error = error, .fine = true};
	bool fine = store_changes(store, job->id, take_change, &restore, error) &&
		store_events(store, job->id, 0, fold_event, &restore, error) && restore.fine;
	for (uint32_t id = 0; fine && id < job->state.branch_count; id++) {
		fine = restore_branch(&restore, id);
	}
	free(restore.changes);
	job->worked = job->state.now;
	job->created = row->created;
	job->gates_passed = row->gates_passed;
	job->gates_refused = row->gates_refused;
	return fine;
}
