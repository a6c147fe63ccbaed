/*
 * The conversations of a run: each event that answers a call, opens a branch or notes something puts
 * its item into place and into the journal, once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/answers.h"
#include "base/path.h"
#include "engine/job.h"

enum { PROBLEM_LIMIT = 512, REPORT_PATHS = 8 * 1024 };

struct talk *words_talk(struct job *job, uint32_t branch)
{
	if (branch >= job->talk_count) {
		size_t count = branch + 1;
		job->talks = memory_resize(job->talks, count * sizeof(struct talk *));
		for (size_t i = job->talk_count; i < count; i++) {
			job->talks[i] = memory_alloc(sizeof(struct talk));
			job->talks[i]->model = TALK_NOBODY;
		}
		job->talk_count = count;
	}
	return job->talks[branch];
}

void words_spoken(struct job *job, uint32_t branch)
{
	struct talk *talk = words_talk(job, branch);
	int model = job->team->agents[job->state.branches[branch].agent].model;
	talk->model = talk->model == TALK_NOBODY || talk->model == model ? model : TALK_SEVERAL;
}

static void drop_messages(struct talk *talk)
{
	for (size_t i = 0; i < talk->message_count; i++) {
		free(talk->messages[i]);
	}
	free(talk->messages);
	talk->messages = NULL;
	talk->message_count = 0;
}

void words_finish(struct job *job)
{
	for (size_t i = 0; i < job->talk_count; i++) {
		struct talk *talk = job->talks[i];
		conversation_finish(&talk->conversation);
		model_answer_destroy(talk->answer);
		buffer_finish(&talk->paths);
		drop_messages(talk);
		free(talk->report);
		free(talk);
	}
	free(job->talks);
}

// Of the event that is being taken in.
static bool save_item(struct job *job, uint32_t branch, size_t number, struct error *error)
{
	struct store_item item = {.branch = branch,
		.sequence = (int64_t)number,
		.event = job->event,
		.json = conversation_item(&words_talk(job, branch)->conversation, number)};
	return store_add_item(engine_store(job->engine), job->id, &item, error);
}

static bool say_to(struct job *job, uint32_t branch, struct text text, struct error *error)
{
	struct conversation *conversation = &words_talk(job, branch)->conversation;
	return save_item(job, branch, conversation_add_user(conversation, text), error);
}

static void verdict_lines(void *data, uint32_t branch, uint32_t command, struct buffer *text)
{
	buffer_add_string(text, job_verdict(data, branch, command));
}

static void report(void *data, uint32_t branch, struct buffer *text)
{
	struct talk *talk = words_talk(data, branch);
	buffer_add_string(text, talk->report ? talk->report : "");
	if (talk->paths.length) {
		struct text paths = text_cut(buffer_text(&talk->paths), REPORT_PATHS);
		buffer_add_string(text, "\n\nChanged files:\n");
		buffer_add_text(text, paths);
	}
}

static void problem(void *data, uint32_t branch, uint32_t call, struct buffer *text)
{
	struct job *job = data;
	const struct model_answer *answer = words_talk(job, branch)->answer;
	struct tool_call understood;
	if (!answer || call >= answer->call_count) {
		return;
	}
	tool_understand(job->team, (int)job->state.branches[branch].agent, answer->calls[call].name,
		answer->calls[call].arguments, &understood);
	buffer_add_line(text, text_of(understood.problem), PROBLEM_LIMIT);
	tool_call_finish(&understood);
}

static void outside(void *data, uint32_t agent, struct buffer *text)
{
	struct job *job = data;
	recorder_outside(job->workshop.recorder, agent, text);
}

void job_answer_text(struct job *job, uint32_t question, struct buffer *text)
{
	arena_cleanup arena = {0};
	struct error ignored = {0}; // the answer is empty then
	struct text words = {0};
	char key[64];
	snprintf(key, sizeof(key), "answer.%u", question);
	if (store_text(engine_store(job->engine), &arena, job->id, key, &words, &ignored)) {
		buffer_add_utf8(text, words);
	}
}

static void said(void *data, uint32_t question, struct buffer *text)
{
	job_answer_text(data, question, text);
}

static struct answer_source source_of(struct job *job)
{
	return (struct answer_source){.team = job->team,
		.state = &job->state,
		.verdict_lines = verdict_lines,
		.report = report,
		.problem = problem,
		.outside = outside,
		.said = said,
		.data = job};
}

// Puts the answer to a call into its place.
static bool answer_call(
	struct job *job, uint32_t branch, uint32_t call, struct text output, struct error *error)
{
	struct talk *talk = words_talk(job, branch);
	if (!talk->answer || call >= talk->answer->call_count) {
		return true; // an ending branch whose answer never came
	}
	size_t number = conversation_answer(
		&talk->conversation, call, talk->answer->calls[call].id, output);
	return save_item(job, branch, number, error);
}

static bool answer_from_state(struct job *job, uint32_t branch, uint32_t call, struct error *error)
{
	struct answer_source source = source_of(job);
	buffer_cleanup text = {0};
	answer_text(&text, &source, branch, call);
	return answer_call(job, branch, call, buffer_text(&text), error);
}

static bool take_answer(
	struct job *job, const struct run_event *event, struct work *work, struct error *error)
{
	struct talk *talk = words_talk(job, event->branch);
	model_answer_destroy(talk->answer);
	talk->answer = work->answer;
	work->answer = NULL;
	if (talk->answer->text.length) {
		free(talk->report);
		buffer_cleanup text = {0};
		buffer_add_utf8(&text, talk->answer->text);
		talk->report = buffer_steal(&text);
	}
	for (size_t i = 0; i < talk->answer->item_count; i++) {
		size_t number = conversation_add(&talk->conversation, talk->answer->items[i]);
		if (!save_item(job, event->branch, number, error)) {
			return false;
		}
	}
	conversation_expect(&talk->conversation, talk->answer->call_count);
	words_spoken(job, event->branch);
	return true;
}

static bool take_tool_output(struct job *job, const struct run_event *event,
	const struct work *work, struct error *error)
{
	const struct run_branch *branch = &job->state.branches[event->branch];
	for (uint32_t i = 0; i < branch->call_count; i++) {
		if (branch->calls[i].command != event->command) {
			continue;
		}
		if (!event->interrupted) {
			return answer_call(job, event->branch, i, work->text, error);
		}
		struct answer_source source = source_of(job);
		buffer_cleanup text = {0};
		answer_text(&text, &source, event->branch, i);
		buffer_add_string(&text, "\nOutput so far:\n");
		buffer_add_text(&text, work->text);
		return answer_call(job, event->branch, i, buffer_text(&text), error);
	}
	return true;
}

void words_changes(struct job *job, const struct run_event *event, const struct work *work)
{
	const char *agent = job->team->agents[job->state.branches[event->branch].agent].name;
	struct talk *talk = words_talk(job, event->branch);
	for (size_t i = 0; i < work->change_count; i++) {
		const struct store_change *change = &work->changes[i];
		if (strcmp(change->agent, agent) != 0) {
			continue;
		}
		buffer_add_string(&talk->paths, "- ");
		buffer_add_line(&talk->paths, text_of(change->path), PATH_LIMIT);
		buffer_printf(&talk->paths, " (%s", change->status);
		if (change->sha256[0]) {
			buffer_printf(&talk->paths, ", %lld bytes, sha256 %.12s",
				(long long)change->size, change->sha256);
		}
		buffer_add_string(&talk->paths, ")\n");
	}
}

// The task of a delegation or the message of a transfer, from the call's arguments.
static struct text handoff_text(
	struct job *job, struct arena *arena, uint32_t branch, uint32_t call)
{
	const struct model_answer *answer = words_talk(job, branch)->answer;
	struct text text = {0};
	if (!answer || call >= answer->call_count) {
		return text;
	}
	struct tool_call understood;
	tool_understand(job->team, (int)job->state.branches[branch].agent, answer->calls[call].name,
		answer->calls[call].arguments, &understood);
	const char *task = json_string(understood.arguments, "task", NULL);
	const char *message = json_string(understood.arguments, "message", "");
	text = text_copy(arena, text_of(task ? task : message));
	tool_call_finish(&understood);
	return text;
}

static bool open_branch(struct job *job, const struct run_event *event, struct error *error)
{
	arena_cleanup arena = {0};
	const struct run_branch *branch = &job->state.branches[event->branch];
	struct text task = handoff_text(job, &arena, event->parent, event->call);
	struct talk *talk = words_talk(job, event->branch);
	if (branch->remembers != RUN_NONE) {
		conversation_inherit(
			&talk->conversation, &words_talk(job, branch->remembers)->conversation);
		talk->model = words_talk(job, branch->remembers)->model;
	}
	return say_to(job, event->branch, task, error);
}

// What a transfer passes on: everything, or only its last words and message.
static bool pass_on(struct job *job, const struct run_event *event, const struct team_edge *edge,
	struct text message, struct error *error)
{
	struct talk *talk = words_talk(job, event->branch);
	buffer_cleanup text = {0};
	if (edge->input == TRANSFER_ALL) {
		return true;
	}
	size_t first = talk->conversation.count;
	char key[64], number[32];
	snprintf(key, sizeof(key), "first.%u.%lld", event->branch, (long long)job->event);
	snprintf(number, sizeof(number), "%zu", first - talk->conversation.inherited);
	talk->conversation.first = first;
	if (!store_put_text(
		    engine_store(job->engine), job->id, key, job->event, text_of(number), error)) {
		return false;
	}
	if (edge->input == TRANSFER_LAST && talk->report) {
		buffer_printf(&text, "%s\n\n", talk->report);
	}
	buffer_add_text(&text, message);
	return say_to(job, event->branch, buffer_text(&text), error);
}

static bool say_messages(struct job *job, uint32_t branch, struct error *error)
{
	const struct talk *talk = words_talk(job, branch);
	for (size_t i = 0; i < talk->message_count; i++) {
		if (!say_to(job, branch, text_of(talk->messages[i]), error)) {
			return false;
		}
	}
	return true;
}

bool words_before(struct job *job, const struct run_event *event, struct error *error)
{
	if (event->kind == CONTROL_TRANSFERRED) {
		arena_cleanup arena = {0};
		uint32_t edge = job->state.branches[event->branch].calls[event->call].edge;
		struct text message = handoff_text(job, &arena, event->branch, event->call);
		buffer_cleanup text = {0};
		buffer_printf(
			&text, "{\"assistant\":\"%s\"}", job->team->agents[event->agent].name);
		return answer_call(job, event->branch, event->call, buffer_text(&text), error) &&
			pass_on(job, event, &job->team->edges[edge], message, error);
	}
	if (event->kind == COMMAND_SCHEDULED && event->code == COMMAND_CALL_MODEL) {
		struct answer_source source = source_of(job);
		buffer_cleanup note = {0};
		note_text(&note, &source, event->branch);
		return (note.length == 0 ||
			       say_to(job, event->branch, buffer_text(&note), error)) &&
			say_messages(job, event->branch, error);
	}
	return true;
}

static void add_message(struct talk *talk, char *message)
{
	talk->messages =
		memory_resize(talk->messages, (talk->message_count + 1) * sizeof(*talk->messages));
	talk->messages[talk->message_count++] = message;
}

static bool hear_message(
	struct job *job, const struct run_event *event, int64_t sequence, struct error *error)
{
	arena_cleanup arena = {0};
	struct text text;
	char key[64];
	// As the core has it: a branch that is closed has passed its ear on to the root.
	bool open = job->state.branches[event->branch].phase != PHASE_CLOSED;
	snprintf(key, sizeof(key), "message.%lld", (long long)sequence);
	if (!store_text(engine_store(job->engine), &arena, job->id, key, &text, error)) {
		return error->kind != ERROR_NONE ||
			error_set(error, ERROR_FAILED,
				"a message to run '%s' is not in its journal", job->id);
	}
	buffer_cleanup words = {0};
	buffer_add_utf8(&words, text);
	char *message = buffer_steal(&words);
	job->message = message;
	add_message(words_talk(job, open ? event->branch : 0), message);
	return true;
}

bool words_messages(
	struct job *job, const struct run_event *event, int64_t sequence, struct error *error)
{
	if (event->kind == MESSAGE_RECEIVED) {
		return hear_message(job, event, sequence, error);
	}
	if (event->kind == COMMAND_SCHEDULED && event->code == COMMAND_CALL_MODEL) {
		drop_messages(words_talk(job, event->branch));
	} else if (event->kind == BRANCH_CLOSED) {
		uint32_t parent = job->state.branches[event->branch].parent;
		struct talk *talk = words_talk(job, event->branch);
		for (size_t i = 0; parent != RUN_NONE && i < talk->message_count; i++) {
			add_message(words_talk(job, parent), talk->messages[i]);
			talk->messages[i] = NULL;
		}
		drop_messages(talk);
	}
	return true;
}

static bool close_branch(struct job *job, const struct run_event *event, struct error *error)
{
	const struct run_branch *branch = &job->state.branches[event->branch];
	struct store *store = engine_store(job->engine);
	char key[32];
	snprintf(key, sizeof(key), "report.%u", event->branch);
	struct text text = job_report(job, event->branch);
	if (!store_put_text(store, job->id, key, job->event, text, error)) {
		return false;
	}
	return branch->parent == RUN_NONE ||
		answer_from_state(job, branch->parent, branch->parent_call, error);
}

// Calls that the state holds answered, but whose answer nobody has put into words: interrupted ones
// after a crash, and those that a person answered or rejected.
static bool answer_late(struct job *job, struct error *error)
{
	for (uint32_t i = 0; i < job->state.open_count; i++) {
		uint32_t id = job->state.open[i];
		const struct run_branch *branch = &job->state.branches[id];
		const struct conversation *conversation = &words_talk(job, id)->conversation;
		for (uint32_t call = 0; call < branch->call_count; call++) {
			enum run_answer answer = branch->calls[call].answer;
			size_t place = conversation->call_place + call;
			bool late = answer == ANSWER_INTERRUPTED || answer == ANSWER_REJECTED ||
				answer == ANSWER_PERSON;
			if (late && place < conversation->count &&
				conversation->items[place].length == 0 &&
				!answer_from_state(job, id, call, error)) {
				return false;
			}
		}
	}
	return true;
}

bool words_after(
	struct job *job, const struct run_event *event, struct work *work, struct error *error)
{
	if (!words_messages(job, event, job->sequence, error)) {
		return false;
	}
	switch (event->kind) {
	case MODEL_ANSWERED:
		return take_answer(job, event, work, error);
	case TOOL_ANSWERED:
		return take_tool_output(job, event, work, error);
	case WORKSPACE_RECORDED:
		words_changes(job, event, work);
		return true;
	case CALL_ANSWERED:
		return answer_from_state(job, event->branch, event->call, error);
	case BRANCH_OPENED:
		return open_branch(job, event, error);
	case BRANCH_CLOSED:
		return close_branch(job, event, error);
	case PERSON_ANSWERED:
	case RUN_RESUMED:
		return answer_late(job, error);
	default:
		return true;
	}
}
