/* A run up to one of its turns becomes a run of its own: the journal, the history, and the workspace as a
 * snapshot. The row is written last: until then nobody sees the new run. */
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/path.h"
#include "engine/event_json.h"
#include "engine/job.h"
#include "engine/lock.h"
#include "engine/start.h"
#include "perform/kept.h"

struct forking {
	struct engine *engine;
	const struct engine_fork *fork;
	const struct vocabulary *vocabulary;
	struct arena *arena;
	struct store_run row; // of the run that is forked
	struct store_cut cut;
	const char *from, *to; // folders
	int64_t turns, passed, refused;
	bool fine;
	struct error *error;
};

static struct store *store_of(struct forking *forking)
{
	return engine_store(forking->engine);
}

// The cut is in front of the first answer that is not taken along.
static bool count_event(void *data, const struct store_event *stored)
{
	struct forking *forking = data;
	arena_cleanup arena = {0};
	struct run_event event;
	forking->fine = event_from_json(&arena, stored->kind, stored->body, &event, forking->error);
	if (!forking->fine) {
		return false;
	}
	if (event.kind == MODEL_ANSWERED && forking->turns == forking->fork->turn) {
		return false;
	}
	bool recorded = event.kind == WORKSPACE_RECORDED || event.kind == SANDBOX_OPENED;
	forking->turns += event.kind == MODEL_ANSWERED;
	forking->cut.records += recorded && event.changes > 0;
	forking->passed += event.kind == GATE_CHECKED && event.code == CHECK_HOLDS;
	forking->refused += event.kind == GATE_CHECKED && event.code == CHECK_FAILS;
	forking->cut.events = stored->sequence;
	return true;
}

static bool find_cut(struct forking *forking)
{
	forking->fine = true;
	if (!store_events(
		    store_of(forking), forking->row.id, 0, count_event, forking, forking->error) ||
		!forking->fine) {
		return false;
	}
	if (forking->fork->turn > forking->turns) {
		error_set(forking->error, ERROR_USAGE, "run '%s' has %lld turns, not %lld",
			forking->row.id, (long long)forking->turns, (long long)forking->fork->turn);
		return error_hint(forking->error, "'muster log %s' shows them", forking->row.id);
	}
	return true;
}

static bool make_folders(struct forking *forking)
{
	struct store *store = store_of(forking);
	forking->from = store_run_folder(store, forking->arena, forking->row.id, forking->error);
	forking->to = forking->from
		? store_run_folder(store, forking->arena, forking->cut.to, forking->error)
		: NULL;
	return forking->to != NULL;
}

// The commit of the history that the new run ends with, "" if nothing was recorded by then.
static const char *fork_history(struct forking *forking)
{
	const char *from = path_join(forking->arena, forking->from, "history.git");
	const char *to = path_join(forking->arena, forking->to, "history.git");
	struct history_steps steps;
	struct history *history = history_open_read(from, forking->error);
	bool fine = history && history_steps(history, forking->arena, &steps, forking->error);
	history_close(history);
	if (!fine) {
		return NULL;
	}
	int64_t turn = forking->fork->turn < 0 ? INT64_MAX : forking->fork->turn;
	const struct history_step *step = history_step_at(&steps, turn);
	const char *commit = step ? step->commit : "";
	return history_fork(from, to, commit, forking->error) ? commit : NULL;
}

static void say(struct forking *forking, const char *line)
{
	engine_said(forking->engine, line);
}

// The workspace as it is now. A session that is gone has none: then there is the history.
static bool take_workspace(struct forking *forking, const char *commit)
{
	struct snapshot_made made;
	struct job *held =
		engine_hold(forking->engine, forking->row.id, forking->vocabulary, forking->error);
	if (!held) {
		bool gone = forking->error->kind == ERROR_FAILED;
		*forking->error = gone ? (struct error){0} : *forking->error;
		return gone;
	}
	bool fine = job_snapshot(held, forking->arena, &made, forking->error);
	engine_let_go(held);
	for (size_t i = 0; fine && i < made.left_out_count && i < SNAPSHOT_TOLD; i++) {
		say(forking, arena_printf(forking->arena, "not taken along: %s", made.left_out[i]));
	}
	struct kept_snapshot kept = {made.snapshot.id, commit, NULL};
	return fine && kept_write(forking->to, &kept, forking->error);
}

static void set(cJSON *json, const char *name, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(json, name);
	cJSON_AddItemToObject(json, name, value);
}

// The beginning that the run had, with another sandbox.
static bool put_start(struct forking *forking)
{
	struct text text;
	struct store *store = store_of(forking);
	const struct engine_fork *fork = forking->fork;
	if (!store_text(store, forking->arena, forking->row.id, "start", &text, forking->error)) {
		return forking->error->kind != ERROR_NONE ||
			error_set(forking->error, ERROR_FAILED,
				"the journal of run '%s' has no beginning", forking->row.id);
	}
	json_cleanup *json = json_parse(text, forking->error);
	if (!json) {
		return false;
	}
	if (fork->sandbox) {
		set(json, "sandbox", cJSON_CreateString(fork->sandbox));
		cJSON_DeleteItemFromObjectCaseSensitive(json, "sandbox_options");
	}
	if (fork->sandbox_options) {
		set(json, "sandbox_options", cJSON_CreateString(fork->sandbox_options));
	}
	set(json, "forked_from", cJSON_CreateString(forking->row.id));
	set(json, "forked_at", cJSON_CreateNumber((double)forking->turns));
	char *printed = cJSON_PrintUnformatted(json);
	bool fine = store_put_text(
		store, forking->cut.to, "start", 0, text_of(printed), forking->error);
	cJSON_free(printed);
	return fine;
}

static bool put_row(struct forking *forking)
{
	struct timespec now;
	struct store_run row = forking->row;
	clock_gettime(CLOCK_REALTIME, &now);
	row.id = forking->cut.to;
	row.created = row.updated = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	row.turns = forking->turns;
	row.gates_passed = forking->passed;
	row.gates_refused = forking->refused;
	row.sandbox = forking->fork->sandbox ? forking->fork->sandbox : row.sandbox;
	if (forking->fork->turn >= 0 || strcmp(row.state, "running") == 0) {
		row.state = "parked";
		row.exit_code = 0;
	}
	row.reason = arena_printf(forking->arena, "forked from %s at turn %lld", forking->row.id,
		(long long)forking->turns);
	return store_put_run(store_of(forking), &row, forking->error);
}

static bool write_rows(struct forking *forking)
{
	struct store *store = store_of(forking);
	if (!store_begin(store, forking->error)) {
		return false;
	}
	if (store_fork(store, &forking->cut, forking->error) && put_start(forking) &&
		put_row(forking) && store_commit(store, true, forking->error)) {
		return true;
	}
	store_rollback(store);
	return false;
}

static bool fork_run(struct forking *forking)
{
	if (!find_cut(forking) || !make_folders(forking)) {
		return false;
	}
	const char *commit = fork_history(forking);
	return commit && (forking->fork->turn >= 0 || take_workspace(forking, commit)) &&
		write_rows(forking);
}

const char *engine_fork(struct engine *engine, const struct engine_fork *fork,
	const struct vocabulary *vocabulary, struct arena *arena, struct error *error)
{
	struct forking forking = {.engine = engine,
		.fork = fork,
		.vocabulary = vocabulary,
		.arena = arena,
		.error = error};
	if (fork->sandbox && !sandbox_driver_find(fork->sandbox)) {
		error_set(error, ERROR_USAGE, "there is no sandbox provider '%s'", fork->sandbox);
		error_hint(error, "'muster providers' lists what there is");
		return NULL;
	}
	if (!store_find(engine_store(engine), arena, fork->run, &forking.row, error)) {
		return NULL;
	}
	forking.cut.from = forking.row.id;
	forking.cut.to = job_make_id(arena, forking.row.team);
	if (fork_run(&forking)) {
		return forking.cut.to;
	}
	struct error ignored = {0}; // what is left is found by `muster fsck`
	if (forking.to) {
		file_remove_tree(forking.to, &ignored);
	}
	return NULL;
}
