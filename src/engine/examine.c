#include "engine/examine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "engine/event_json.h"
#include "engine/rules.h"
#include "run/state.h"

struct row {
	struct text path;
	const char *blob; // "": deleted
	int64_t number;
};

struct looking {
	struct examination *examination;
	struct arena arena;
	const struct run_rules *rules;
	struct gate **gates;
	struct run_state state;
	bool stuck; // the events behind this one cannot be told
	int64_t sequence;
	uint32_t branch;
	struct row *rows;
	size_t row_count;
};

static void tell(struct looking *looking, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(struct looking *looking, const char *format, ...)
{
	char text[1024];
	va_list values;
	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	looking->examination->problem(looking->examination->data, text);
}

// --- The journal ---

static bool prepare(struct looking *looking, struct error *error)
{
	const struct team *team = looking->examination->team;
	int64_t *bytes = arena_new_array(&looking->arena, team->agent_count + 1, int64_t);
	looking->gates = arena_new_array(&looking->arena, team->gate_count + 1, struct gate *);
	for (size_t i = 0; i < team->gate_count; i++) {
		looking->gates[i] = gate_compile(&looking->arena, team, &team->gates[i], error);
		if (!looking->gates[i]) {
			return false;
		}
	}
	looking->rules = rules_make(&looking->arena, team, looking->gates, bytes);
	run_state_init(&looking->state, looking->rules);
	return true;
}

// What lies beside an event has to be there.
static void look_for_texts(struct looking *looking, const struct run_event *event)
{
	const struct examination *examination = looking->examination;
	arena_cleanup arena = {0};
	struct error error = {0};
	struct text text;
	char key[64] = "";
	if (event->kind == GATE_CHECKED && event->code <= CHECK_FAILS) {
		snprintf(key, sizeof(key), "%u.%u", event->branch, event->command);
	} else if (event->kind == BRANCH_CLOSED) {
		snprintf(key, sizeof(key), "report.%u", event->branch);
	} else if (event->kind == MESSAGE_RECEIVED) {
		snprintf(key, sizeof(key), "message.%lld", (long long)looking->sequence);
	}
	if (key[0] &&
		!store_text(examination->store, &arena, examination->run->id, key, &text, &error)) {
		tell(looking, "event %lld: its text '%s' is missing%s%s",
			(long long)looking->sequence, key, error.message[0] ? ": " : "",
			error.message);
	}
}

static bool take_event(void *data, const struct store_event *row)
{
	struct looking *looking = data;
	arena_cleanup arena = {0};
	struct error error = {0};
	struct run_event event;
	if (row->sequence != looking->sequence + 1) {
		tell(looking, "the journal goes from event %lld to %lld",
			(long long)looking->sequence, (long long)row->sequence);
	}
	looking->sequence = row->sequence;
	looking->examination->events++;
	if (!event_from_json(&arena, row->kind, row->body, &event, &error)) {
		tell(looking, "event %lld cannot be read: %s", (long long)row->sequence,
			error.message);
		looking->stuck = true;
		return true;
	}
	if (!looking->stuck && !run_apply(&looking->state, looking->rules, &event)) {
		tell(looking, "event %lld (%s) does not fit what came before",
			(long long)row->sequence, row->kind);
		looking->stuck = true;
	}
	look_for_texts(looking, &event);
	return true;
}

static bool take_item(void *data, const struct store_item *item)
{
	struct looking *looking = data;
	struct error error = {0};
	looking->examination->items++;
	if (item->json.length && !json_check(item->json, &error)) {
		tell(looking, "item %lld of branch %u is no JSON: %s", (long long)item->sequence,
			looking->branch, error.message);
	}
	return true;
}

static void look_at_journal(struct looking *looking)
{
	static const char *const states[] = {[RUN_RUNNING] = "running",
		[RUN_PARKED_STATUS] = "parked",
		[RUN_DONE] = "done",
		[RUN_FAILED] = "failed",
		[RUN_CANCELLED] = "cancelled"};
	const struct examination *examination = looking->examination;
	const char *id = examination->run->id;
	struct error error = {0};
	if (!prepare(looking, &error)) {
		tell(looking, "the team cannot be used: %s", error.message);
		return;
	}
	if (!store_events(examination->store, id, 0, take_event, looking, &error)) {
		tell(looking, "%s", error.message);
		return;
	}
	if (!looking->stuck &&
		strcmp(states[looking->state.status], examination->run->state) != 0) {
		tell(looking, "the list says %s, the journal %s", examination->run->state,
			states[looking->state.status]);
	}
	for (looking->branch = 0; looking->branch < looking->state.branch_count;
		looking->branch++) {
		struct error problem = {0};
		if (!store_items(examination->store, id, looking->branch, 0, take_item, looking,
			    &problem)) {
			tell(looking, "%s", problem.message);
		}
	}
}

// --- The history ---

static bool take_change(void *data, const struct store_change *change)
{
	struct looking *looking = data;
	if ((looking->row_count & (looking->row_count - 1)) == 0) {
		looking->rows = memory_resize(looking->rows,
			(looking->row_count ? looking->row_count * 2 : 1) * sizeof(*looking->rows));
	}
	looking->rows[looking->row_count] =
		(struct row){.path = text_copy(&looking->arena, text_of(change->path)),
			.blob = arena_string(&looking->arena, change->blob),
			.number = (int64_t)looking->row_count};
	looking->row_count++;
	looking->examination->changes++;
	return true;
}

static int by_path(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order = strcmp(a->path.data, b->path.data);
	return order ? order : a->number < b->number ? -1 : a->number > b->number;
}

static void compare(struct looking *looking, const struct row *row, const struct history_file *file)
{
	buffer_cleanup shown = {0};
	const char *path = row ? row->path.data : file->path.data;
	const char *told = row ? row->blob : "";
	const char *held = file ? file->blob : "";
	if (strcmp(told, held) == 0) {
		return;
	}
	buffer_add_line(&shown, text_of(path), 256);
	tell(looking, "'%s' is %s in the journal and %s in the history", shown.data,
		told[0] ? told : "missing", held[0] ? held : "missing");
}

// Both are in order of paths; of the journal's rows the newest of a path counts.
static void compare_all(struct looking *looking, const struct history_files *files)
{
	size_t at = 0;
	qsort(looking->rows, looking->row_count, sizeof(*looking->rows), by_path);
	for (size_t i = 0; i < looking->row_count; i++) {
		const struct row *row = &looking->rows[i];
		if (i + 1 < looking->row_count &&
			strcmp(row->path.data, looking->rows[i + 1].path.data) == 0) {
			continue;
		}
		while (at < files->count &&
			strcmp(files->files[at].path.data, row->path.data) < 0) {
			compare(looking, NULL, &files->files[at++]);
		}
		bool there = at < files->count &&
			strcmp(files->files[at].path.data, row->path.data) == 0;
		compare(looking, row, there ? &files->files[at] : NULL);
		at += there;
	}
	while (at < files->count) {
		compare(looking, NULL, &files->files[at++]);
	}
}

static void look_at_history(struct looking *looking)
{
	const struct examination *examination = looking->examination;
	struct history_steps steps;
	struct history_files files = {0};
	struct error error = {0};
	if (!store_changes(
		    examination->store, examination->run->id, take_change, looking, &error)) {
		tell(looking, "%s", error.message);
		return;
	}
	if (!examination->history) {
		if (looking->row_count) {
			tell(looking, "the history of the workspace is missing");
		}
		return;
	}
	if (!history_steps(examination->history, &looking->arena, &steps, &error) ||
		!history_files(examination->history, &looking->arena,
			steps.count ? &steps.steps[steps.count - 1] : NULL, &files, &error)) {
		tell(looking, "the history cannot be read: %s", error.message);
		return;
	}
	compare_all(looking, &files);
	for (size_t i = 0; i < files.count; i++) {
		arena_cleanup arena = {0};
		struct error problem = {0};
		struct text content;
		looking->examination->files++;
		if (!history_blob(examination->history, &arena, files.files[i].blob, &content,
			    &problem)) {
			tell(looking, "%s", problem.message);
		}
	}
}

void run_examine(struct examination *examination)
{
	struct looking looking = {.examination = examination};
	look_at_journal(&looking);
	look_at_history(&looking);
	run_state_finish(&looking.state);
	for (size_t i = 0; looking.gates && i < examination->team->gate_count; i++) {
		gate_finish(looking.gates[i]);
	}
	free(looking.rows);
	arena_finish(&looking.arena);
}
