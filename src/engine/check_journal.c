#include "engine/check_journal.h"

#include <stdlib.h>
#include <string.h>

#include "engine/event_json.h"
#include "engine/rules.h"
#include "run/state.h"

struct folding {
	struct check *check;
	const struct store_run *run;
	const struct run_rules *rules;
	struct run_state state;
	int64_t *changes; // per record, as the events say
	size_t records;
	struct error *error; // looking was not possible
	bool sound, failed;
};

static const char *const states[] = {[RUN_RUNNING] = "running",
	[RUN_PARKED_STATUS] = "parked",
	[RUN_DONE] = "done",
	[RUN_FAILED] = "failed",
	[RUN_CANCELLED] = "cancelled"};

static bool has_text(struct check *check, const char *run, const char *key, struct error *error)
{
	arena_cleanup arena = {0};
	struct text text;
	if (!store_text(check->store, &arena, run, key, &text, error)) {
		if (error->kind == ERROR_NONE) {
			check_say(
				check, "the text '%s', which an event refers to, is missing", key);
			return true;
		}
		// A file that is missing or changed is told where the rows are looked at.
		bool file = error->kind == ERROR_USAGE;
		*error = file ? (struct error){0} : *error;
		return file;
	}
	return true;
}

// The texts that belong to an event.
static bool check_texts(struct folding *folding, const struct run_event *event, int64_t sequence)
{
	arena_cleanup arena = {0};
	const char *key = NULL;
	if (event->kind == GATE_CHECKED) {
		key = arena_printf(&arena, "%u.%u", event->branch, event->command);
		const char *lines = arena_printf(&arena, "%s.lines", key);
		folding->failed = folding->failed ||
			!has_text(folding->check, folding->run->id, lines, folding->error);
	} else if (event->kind == MESSAGE_RECEIVED) {
		key = arena_printf(&arena, "message.%lld", (long long)sequence);
	}
	folding->failed = folding->failed ||
		(key && !has_text(folding->check, folding->run->id, key, folding->error));
	return !folding->failed;
}

static void expect_changes(struct folding *folding, int64_t changes)
{
	size_t record = folding->state.record;
	if (record >= folding->records) {
		folding->changes =
			memory_resize(folding->changes, (record + 1) * sizeof(*folding->changes));
		while (folding->records <= record) {
			folding->changes[folding->records++] = 0;
		}
	}
	folding->changes[record] += changes;
}

static bool fold(void *data, const struct store_event *stored)
{
	struct folding *folding = data;
	struct check *check = folding->check;
	arena_cleanup arena = {0};
	struct run_event event;
	struct error problem = {0};
	if (!event_from_json(&arena, stored->kind, stored->body, &event, &problem)) {
		check_say(check, "event %lld cannot be read: %s", (long long)stored->sequence,
			problem.message);
		folding->sound = false;
		return false;
	}
	if (!run_apply(&folding->state, folding->rules, &event)) {
		check_say(check, "event %lld (%s) does not fit to those before it",
			(long long)stored->sequence, stored->kind);
		folding->sound = false;
		return false;
	}
	if ((event.kind == WORKSPACE_RECORDED || event.kind == SANDBOX_OPENED) &&
		event.changes > 0) {
		expect_changes(folding, event.changes);
	}
	return check_texts(folding, &event, stored->sequence);
}

static bool count_change(void *data, const struct store_change *change)
{
	struct folding *folding = data;
	// What a run begins with (record 0) is no change.
	if (change->record > 0) {
		if (change->record >= (int64_t)folding->records) {
			check_say(folding->check,
				"there is a change of record %lld, which no event tells of",
				(long long)change->record);
			return false;
		}
		folding->changes[change->record]--;
	}
	return true;
}

static bool take_item(void *data, const struct store_item *item)
{
	struct folding *folding = data;
	struct error problem = {0};
	json_cleanup *json = json_parse(item->json, &problem);
	if (!json) {
		check_say(folding->check, "item %lld of branch %lld cannot be read: %s",
			(long long)item->sequence, (long long)item->branch, problem.message);
	}
	return true;
}

// What the events said of changes and conversations, against what there is.
static bool check_rows(struct folding *folding)
{
	struct check *check = folding->check;
	if (!store_changes(check->store, folding->run->id, count_change, folding, folding->error)) {
		return false;
	}
	for (size_t i = 1; i < folding->records; i++) {
		if (folding->changes[i] != 0) {
			check_say(check, "record %zu has %lld changes %s than its event says", i,
				(long long)llabs(folding->changes[i]),
				folding->changes[i] > 0 ? "less" : "more");
		}
	}
	for (uint32_t branch = 0; branch < folding->state.branch_count; branch++) {
		struct error problem = {0};
		if (!store_items(check->store, folding->run->id, branch, 0, take_item, folding,
			    &problem) &&
			problem.kind != ERROR_USAGE) {
			*folding->error = problem;
			return false;
		}
	}
	const char *state = states[folding->state.status];
	if (strcmp(state, folding->run->state) != 0 &&
		strcmp(folding->run->state, "stopped") != 0) {
		check_say(check, "the list of runs says that it is %s, its events that it is %s",
			folding->run->state, state);
	}
	return true;
}

static bool fold_all(struct folding *folding)
{
	struct check *check = folding->check;
	run_state_init(&folding->state, folding->rules);
	bool fine =
		store_events(check->store, folding->run->id, 0, fold, folding, folding->error) &&
		!folding->failed;
	fine = fine && (!folding->sound || check_rows(folding));
	run_state_finish(&folding->state);
	free(folding->changes);
	return fine;
}

// The rules that the run's events were made under.
static const struct run_rules *make_rules(
	struct check *check, struct arena *arena, const struct team *team, struct gate **gates)
{
	struct error problem = {0};
	int64_t *bytes = arena_new_array(arena, team->agent_count, int64_t);
	for (size_t i = 0; i < team->gate_count; i++) {
		gates[i] = gate_compile(arena, team, &team->gates[i], &problem);
		if (!gates[i]) {
			check_say(check, "gate '%s' of its team cannot be used: %s",
				team->gates[i].name, problem.message);
			return NULL;
		}
	}
	return rules_make(arena, team, gates, bytes);
}

static bool check_events(struct check *check, const struct store_run *run, const struct team *team,
	struct error *error)
{
	arena_cleanup arena = {0};
	struct gate **gates = arena_new_array(&arena, team->gate_count + 1, struct gate *);
	struct folding folding = {.check = check,
		.run = run,
		.rules = make_rules(check, &arena, team, gates),
		.error = error,
		.sound = true};
	bool fine = !folding.rules || fold_all(&folding);
	for (size_t i = 0; i < team->gate_count; i++) {
		gate_finish(gates[i]);
	}
	return fine;
}

bool check_journal(struct check *check, const struct store_run *run,
	const struct vocabulary *vocabulary, struct error *error)
{
	arena_cleanup arena = {0};
	struct text frozen;
	struct vocabulary words = *vocabulary;
	struct team_report report = {0};
	bool fine = true;
	words.rehearsal = run->rehearsal;
	check->run = arena_string(&check->arena, run->id);
	if (!store_text(check->store, &arena, run->id, "team", &frozen, error)) {
		fine = error->kind == ERROR_NONE;
		if (fine) {
			check_say(check, "the text 'team', which it was started with, is missing");
		}
	} else {
		struct team *team = team_thaw(frozen, &words, &report);
		if (team) {
			fine = has_text(check, run->id, "start", error) &&
				check_events(check, run, team, error);
		} else {
			check_say(check, "its team cannot be read: %s",
				report.count ? report.messages[0].what : "it is empty");
		}
		team_destroy(team);
		team_report_finish(&report);
	}
	check->run = NULL;
	return fine;
}
