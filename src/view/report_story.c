#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/event_json.h"
#include "view/follow.h"
#include "view/log_texts.h"
#include "view/report_parts.h"
#include "view/words.h"

enum { STORY_LANES = 8 /* of one agent */ };

struct reading {
	struct story *story;
	struct arena *arena;
	struct follower follower;
	struct log_texts *texts;
	struct progress progress;
	size_t *stays; // per branch: the open one
	size_t branch_count;
	size_t *open; // spans
	size_t open_count;
	bool noting; // the line that is told next is a note, too
	struct error *error;
	bool failed;
};

// Room for one more; false: there are too many already. The old room stays in the arena.
static bool grow(struct reading *reading, void **items, size_t count, size_t size)
{
	if (count >= REPORT_ROWS) {
		reading->story->left_out++;
		return false;
	}
	if ((count & (count - 1)) == 0) {
		void *bigger = arena_array(reading->arena, count ? count * 2 : 1, size);
		if (count) {
			memcpy(bigger, *items, count * size);
		}
		*items = bigger;
	}
	return true;
}

static size_t stay_of(const struct reading *reading, uint32_t branch)
{
	return branch < reading->branch_count ? reading->stays[branch] : 0;
}

static void begin_stay(
	struct reading *reading, uint32_t branch, uint32_t agent, uint32_t from, int64_t at)
{
	struct story *story = reading->story;
	void *items = story->stays;
	if (!grow(reading, &items, story->stay_count, sizeof(*story->stays))) {
		return;
	}
	story->stays = items;
	if (branch >= reading->branch_count) {
		reading->stays =
			memory_resize(reading->stays, ((size_t)branch + 1) * sizeof(size_t));
		memset(reading->stays + reading->branch_count, 0,
			(branch + 1 - reading->branch_count) * sizeof(size_t));
		reading->branch_count = (size_t)branch + 1;
	}
	reading->stays[branch] = story->stay_count;
	story->stays[story->stay_count++] = (struct story_stay){.branch = branch,
		.agent = agent,
		.from = from,
		.began = at,
		.ended = at,
		.first = story->steps,
		.last = story->steps,
		.outcome = "open",
		.open = true};
}

static void end_stay(struct reading *reading, uint32_t branch, const char *outcome, int64_t at)
{
	size_t index = stay_of(reading, branch);
	if (index < reading->story->stay_count && reading->story->stays[index].open) {
		struct story_stay *stay = &reading->story->stays[index];
		stay->open = false;
		stay->ended = at;
		stay->last = ++reading->story->steps;
		stay->outcome = outcome ? outcome : "?";
	}
}

static const char *call_word(struct reading *reading, uint32_t branch, uint32_t call)
{
	struct progress_source source = log_texts_source(reading->texts);
	buffer_cleanup text = {0};
	source.call(source.data, branch, call, &text);
	struct text whole = buffer_text(&text);
	return text_string(reading->arena, (struct text){whole.data, text_find(whole, TEXT(" "))});
}

static void begin_span(struct reading *reading, const struct run_event *event)
{
	struct story *story = reading->story;
	const struct follow_command *command = &reading->follower.command;
	bool model = command->kind == COMMAND_CALL_MODEL;
	void *items = story->spans;
	if ((!model && command->kind != COMMAND_CALL_TOOL) ||
		!grow(reading, &items, story->span_count, sizeof(*story->spans))) {
		return;
	}
	story->spans = items;
	story->spans[story->span_count] =
		(struct story_span){.stay = stay_of(reading, event->branch),
			.branch = event->branch,
			.command = event->command,
			.call = event->call,
			.model = model,
			.open = true,
			.began = event->at,
			.ended = event->at,
			.first = story->steps,
			.name = model ? "" : call_word(reading, event->branch, event->call)};
	reading->open =
		memory_resize(reading->open, (reading->open_count + 1) * sizeof(*reading->open));
	reading->open[reading->open_count++] = story->span_count++;
}

// The span that an event answers; NULL: it is not told.
static struct story_span *end_span(struct reading *reading, const struct run_event *event)
{
	for (size_t i = reading->open_count; i-- > 0;) {
		struct story_span *span = &reading->story->spans[reading->open[i]];
		if (span->branch == event->branch && span->command == event->command) {
			reading->open[i] = reading->open[--reading->open_count];
			span->open = false;
			span->failed = event->failed || event->interrupted;
			span->ended = event->at;
			span->last = ++reading->story->steps;
			return span;
		}
	}
	return NULL;
}

static void model_answered(struct reading *reading, const struct run_event *event)
{
	struct story_span *span = end_span(reading, event);
	if (!span) {
		return;
	}
	span->turn = reading->follower.turns;
	span->said = event->bytes > 0 || event->call_count;
	span->input_tokens = event->input_tokens;
	span->cached_tokens = event->cached_tokens;
	span->output_tokens = event->output_tokens;
	span->nano_usd = summary_price(reading->follower.team, reading->follower.agent, event);
	if (span->stay < reading->story->stay_count) {
		reading->story->stays[span->stay].turns++;
	}
}

static void model_failed(struct reading *reading, const struct run_event *event)
{
	struct story_span *span = end_span(reading, event);
	if (span) {
		span->failed = true;
	}
}

static void tool_answered(struct reading *reading, const struct run_event *event)
{
	end_span(reading, event);
}

static void add_verdict(struct reading *reading, const struct story_verdict *verdict)
{
	struct story *story = reading->story;
	void *items = story->verdicts;
	if (grow(reading, &items, story->verdict_count, sizeof(*verdict))) {
		story->verdicts = items;
		story->verdicts[story->verdict_count] = *verdict;
		story->verdicts[story->verdict_count++].step = ++story->steps;
	}
}

static void gate_checked(struct reading *reading, const struct run_event *event)
{
	const struct follow_command *command = &reading->follower.command;
	add_verdict(reading,
		&(struct story_verdict){.gate = command->gate,
			.stay = stay_of(reading, event->branch),
			.target = follow_target(&reading->follower, event->branch, command->call),
			.turn = reading->follower.turns,
			.at = event->at,
			.status = (enum run_check_status)event->code,
			.branch = event->branch,
			.command = event->command});
}

static void gate_repeated(struct reading *reading, const struct run_event *event)
{
	const struct follow_failure *verdict = &reading->follower.verdicts[event->gate];
	add_verdict(reading,
		&(struct story_verdict){.gate = event->gate,
			.stay = stay_of(reading, event->branch),
			.target = follow_target(&reading->follower, event->branch, event->call),
			.turn = reading->follower.turns,
			.at = event->at,
			.status = (enum run_check_status)event->code,
			.repeated = true,
			.branch = verdict->verdict_branch,
			.command = verdict->verdict_command});
}

// The text that goes with a handoff: the first string among its arguments.
static const char *task_of(struct reading *reading, uint32_t branch, uint32_t call)
{
	struct progress_source source = log_texts_source(reading->texts);
	buffer_cleanup text = {0};
	source.call(source.data, branch, call, &text);
	struct text whole = buffer_text(&text);
	size_t space = text_find(whole, TEXT(" "));
	struct error ignored = {0}; // then the handoff has no text
	json_cleanup *arguments = space < whole.length
		? json_parse((struct text){whole.data + space, whole.length - space}, &ignored)
		: NULL;
	const char *task = json_string(arguments, "task", json_string(arguments, "message", ""));
	return text_string(reading->arena, text_cut(text_of(task), REPORT_TEXT));
}

static void add_handoff(
	struct reading *reading, const struct run_event *event, uint32_t branch, bool refused)
{
	struct story *story = reading->story;
	const struct follow_branch *at = follow_branch(&reading->follower, branch);
	void *items = story->handoffs;
	uint32_t edge = at && event->call < at->call_count ? at->calls[event->call].edge : RUN_NONE;
	if (edge >= reading->follower.team->edge_count ||
		!grow(reading, &items, story->handoff_count, sizeof(*story->handoffs))) {
		return;
	}
	story->handoffs = items;
	story->handoffs_done += !refused;
	const struct team_edge *declared = &reading->follower.team->edges[edge];
	story->handoffs[story->handoff_count++] = (struct story_handoff){.edge = edge,
		.from = (uint32_t)declared->from,
		.to = (uint32_t)declared->to,
		.from_stay = stay_of(reading, branch),
		.to_stay = SIZE_MAX,
		.transfer = event->kind == CONTROL_TRANSFERRED,
		.refused = refused,
		.number = refused ? 0 : story->handoffs_done,
		.at = event->at,
		.step = ++story->steps,
		.task = task_of(reading, branch, event->call)};
}

static void call_answered(struct reading *reading, const struct run_event *event)
{
	if ((event->code == ANSWER_REFUSED || event->code == ANSWER_STILL_WRITTEN) &&
		follow_target(&reading->follower, event->branch, event->call) != RUN_NONE) {
		add_handoff(reading, event, event->branch, true);
	}
}

static void branch_opened(struct reading *reading, const struct run_event *event)
{
	struct story *story = reading->story;
	size_t count = story->handoff_count;
	add_handoff(reading, event, event->parent, false);
	begin_stay(reading, event->branch, event->agent, reading->follower.agent, event->at);
	if (story->handoff_count > count) {
		story->handoffs[count].to_stay = stay_of(reading, event->branch);
	}
}

static void control_transferred(struct reading *reading, const struct run_event *event)
{
	struct story *story = reading->story;
	size_t count = story->handoff_count;
	add_handoff(reading, event, event->branch, false);
	end_stay(reading, event->branch, "transferred", event->at);
	begin_stay(reading, event->branch, event->agent, reading->follower.agent, event->at);
	if (story->handoff_count > count) {
		story->handoffs[count].to_stay = stay_of(reading, event->branch);
	}
}

static void branch_closed(struct reading *reading, const struct run_event *event)
{
	end_stay(reading, event->branch, run_code_name(event->kind, event->code), event->at);
}

static void run_started(struct reading *reading, const struct run_event *event)
{
	begin_stay(reading, 0, reading->follower.agent, RUN_NONE, event->at);
}

static void (*const takers[RUN_EVENT_KINDS])(
	struct reading *reading, const struct run_event *event) = {
	[RUN_STARTED] = run_started,
	[COMMAND_SCHEDULED] = begin_span,
	[MODEL_ANSWERED] = model_answered,
	[MODEL_FAILED] = model_failed,
	[TOOL_ANSWERED] = tool_answered,
	[GATE_CHECKED] = gate_checked,
	[GATE_REPEATED] = gate_repeated,
	[CALL_ANSWERED] = call_answered,
	[BRANCH_OPENED] = branch_opened,
	[CONTROL_TRANSFERRED] = control_transferred,
	[BRANCH_CLOSED] = branch_closed,
};

// What interrupts the work, with whether it is bad news.
static bool is_note(enum run_event_kind kind, bool *bad)
{
	*bad = kind == LIMIT_REACHED || kind == CANCEL_REQUESTED;
	return *bad || kind == QUESTION_ASKED || kind == PERSON_ANSWERED ||
		kind == MESSAGE_RECEIVED || kind == RUN_PARKED || kind == RUN_RESUMED;
}

static void take_line(void *data, struct text line)
{
	struct reading *reading = data;
	struct story *story = reading->story;
	if (story->log_lines >= REPORT_LOG || story->log.length >= REPORT_LOG_BYTES) {
		story->log_left_out++;
	} else {
		story->log_lines++;
		buffer_add_text(&story->log, line);
	}
	if (reading->noting) { // the first line says it
		buffer_cleanup plain = {0};
		size_t start = reading->progress.words_start;
		words_colour(&plain, true, COLOUR_PLAIN);
		buffer_add_char(&plain, '\n');
		struct text words = {line.data + start, line.length - start - plain.length};
		story->notes[story->note_count - 1].text = text_string(reading->arena, words);
		reading->noting = false;
	}
}

static void take_note(struct reading *reading, const struct run_event *event)
{
	struct story *story = reading->story;
	void *items = story->notes;
	bool bad;
	reading->noting = is_note(event->kind, &bad) &&
		grow(reading, &items, story->note_count, sizeof(*story->notes));
	if (reading->noting) {
		story->notes = items;
		story->notes[story->note_count++] = (struct story_note){
			.at = event->at, .step = ++story->steps, .bad = bad, .text = ""};
	}
}

static bool take_row(void *data, const struct store_event *row)
{
	struct reading *reading = data;
	arena_cleanup arena = {0};
	struct run_event event;
	if (!event_from_json(&arena, row->kind, row->body, &event, reading->error)) {
		reading->failed = true;
		return false;
	}
	log_texts_event(reading->texts, &event, row->sequence);
	if (follow(&reading->follower, &event)) {
		reading->story->now = event.at;
		if (takers[event.kind]) {
			takers[event.kind](reading, &event);
		}
		take_note(reading, &event);
	}
	progress_event(&reading->progress, &event);
	reading->noting = false;
	return true;
}

// Stays of one agent at the same time lie in lanes below each other.
static void set_lanes(struct story *story, size_t agent_count)
{
	for (uint32_t agent = 0; agent < agent_count; agent++) {
		size_t free_at[STORY_LANES] = {0};
		uint32_t used = 0;
		for (size_t i = 0; i < story->stay_count; i++) {
			struct story_stay *stay = &story->stays[i];
			uint32_t lane = 0;
			if (stay->agent != agent) {
				continue;
			}
			while (lane + 1 < STORY_LANES && lane < used &&
				free_at[lane] > stay->first) {
				lane++;
			}
			used = lane >= used ? lane + 1 : used;
			free_at[lane] = stay->last;
			stay->lane = (uint32_t)story->lanes + lane;
		}
		story->lanes += used;
	}
}

static void end_story(struct story *story, size_t agent_count)
{
	story->steps++;
	for (size_t i = 0; i < story->stay_count; i++) {
		if (story->stays[i].open) {
			story->stays[i].ended = story->now;
			story->stays[i].last = story->steps;
		}
	}
	for (size_t i = 0; i < story->span_count; i++) {
		if (story->spans[i].open) {
			story->spans[i].ended = story->now;
			story->spans[i].last = story->steps;
		}
	}
	set_lanes(story, agent_count);
}

bool story_read(struct story *story, struct arena *arena, struct store *store,
	const struct store_run *run, const struct team *team, struct error *error)
{
	struct reading reading = {.story = story, .arena = arena, .error = error};
	reading.texts = log_texts_create(store, run, error);
	if (!reading.texts) {
		return false;
	}
	follow_init(&reading.follower, team);
	progress_init(&reading.progress, team);
	reading.progress.source = log_texts_source(reading.texts);
	reading.progress.colours = true;
	reading.progress.write = take_line;
	reading.progress.write_data = &reading;
	bool fine = store_events(store, run->id, 0, take_row, &reading, error) && !reading.failed;
	end_story(story, team->agent_count);
	progress_finish(&reading.progress);
	follow_finish(&reading.follower);
	log_texts_destroy(reading.texts);
	free(reading.stays);
	free(reading.open);
	return fine;
}
