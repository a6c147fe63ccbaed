#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

static const char *column_string(struct arena *arena, sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);
	return arena_string(arena, text ? text : "");
}

static struct text column_bytes(sqlite3_stmt *statement, int column)
{
	const void *data = sqlite3_column_blob(statement, column);
	return (struct text){data, data ? (size_t)sqlite3_column_bytes(statement, column) : 0};
}

static struct store_run read_run(struct arena *arena, sqlite3_stmt *row)
{
	return (struct store_run){.id = column_string(arena, row, 0),
		.team = column_string(arena, row, 1),
		.file = column_string(arena, row, 2),
		.state = column_string(arena, row, 3),
		.reason = column_string(arena, row, 4),
		.exit_code = sqlite3_column_int(row, 5),
		.created = sqlite3_column_int64(row, 6),
		.updated = sqlite3_column_int64(row, 7),
		.turns = sqlite3_column_int64(row, 8),
		.input_tokens = sqlite3_column_int64(row, 9),
		.cached_tokens = sqlite3_column_int64(row, 10),
		.output_tokens = sqlite3_column_int64(row, 11),
		.nano_usd = sqlite3_column_int64(row, 12),
		.working = sqlite3_column_int64(row, 13),
		.gates_passed = sqlite3_column_int64(row, 14),
		.gates_refused = sqlite3_column_int64(row, 15),
		.rehearsal = sqlite3_column_int(row, 16) != 0,
		.sandbox = column_string(arena, row, 17)};
}

// The end of a query: all rows were read, or the caller had enough.
static bool finish(struct store *store, sqlite3_stmt *statement, int code, struct error *error)
{
	bool fine = code == SQLITE_DONE || code == SQLITE_ROW;
	if (!fine) {
		store_fail(store, "read", error);
	}
	sqlite3_reset(statement);
	return fine;
}

bool store_list(struct store *store, struct arena *arena, size_t limit, struct store_runs *runs,
	struct error *error)
{
	int code = SQLITE_DONE;
	size_t capacity = 0;
	struct store_run *rows = NULL;
	sqlite3_stmt *statement = store_statement(store, LIST_RUNS, error);
	*runs = (struct store_runs){0};
	if (!statement) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, (int64_t)limit);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		if (runs->count == capacity) {
			capacity = capacity * 2 + 16;
			rows = memory_resize(rows, capacity * sizeof(*rows));
		}
		rows[runs->count++] = read_run(arena, statement);
	}
	runs->runs = arena_new_array(arena, runs->count, struct store_run);
	if (runs->count) {
		memcpy(runs->runs, rows, runs->count * sizeof(*rows));
	}
	free(rows);
	return finish(store, statement, code, error);
}

static bool not_found(const struct store_runs *runs, const char *name, struct error *error)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text_of(name), 100);
	error_set(error, ERROR_USAGE, "there is no run '%s'", shown.data ? shown.data : "");
	if (runs->count == 0) {
		return error_hint(error, "there are no runs yet; start one with 'muster run'");
	}
	return error_hint(error, "'muster list' shows all; the newest is '%s'", runs->runs[0].id);
}

// "-1" is the newest, "-2" the one before it.
static bool find_counted(const struct store_runs *runs, const char *name, struct store_run *run)
{
	char *end = NULL;
	long back = strtol(name + 1, &end, 10);
	if (*end || end == name + 1 || back < 1 || (size_t)back > runs->count) {
		return false;
	}
	*run = runs->runs[back - 1];
	return true;
}

// The usual case, in a store with however many runs.
static bool find_exactly(struct store *store, struct arena *arena, const char *name,
	struct store_run *run, bool *found, struct error *error)
{
	sqlite3_stmt *statement = store_statement(store, ONE_RUN, error);
	if (!statement) {
		return false;
	}
	store_bind_string(statement, 1, name);
	int code = sqlite3_step(statement);
	*found = code == SQLITE_ROW;
	if (*found) {
		*run = read_run(arena, statement);
	}
	return finish(store, statement, code, error);
}

bool store_find(struct store *store, struct arena *arena, const char *name, struct store_run *run,
	struct error *error)
{
	struct store_runs runs;
	size_t matches = 0;
	buffer_cleanup names = {0};
	bool found;
	if (!find_exactly(store, arena, name, run, &found, error)) {
		return false;
	}
	if (found) {
		return true;
	}
	if (!store_list(store, arena, SIZE_MAX / 2, &runs, error)) {
		return false;
	}
	if (name[0] == '-') {
		return find_counted(&runs, name, run) || not_found(&runs, name, error);
	}
	for (size_t i = 0; i < runs.count; i++) {
		if (name[0] && text_starts(text_of(runs.runs[i].id), name)) {
			*run = runs.runs[i];
			if (matches++ < 5) {
				buffer_printf(
					&names, "%s%s", matches > 1 ? ", " : "", runs.runs[i].id);
			}
		}
	}
	if (matches == 1) {
		return true;
	}
	if (matches == 0) {
		return not_found(&runs, name, error);
	}
	return error_set(error, ERROR_USAGE, "'%s' could be %zu runs", name, matches) ||
		error_hint(
			error, "give more of the id: %s%s", names.data, matches > 5 ? ", ..." : "");
}

bool store_events(struct store *store, const char *run, int64_t after,
	bool (*each)(void *data, const struct store_event *event), void *data, struct error *error)
{
	int code = SQLITE_DONE;
	sqlite3_stmt *statement = store_statement(store, ALL_EVENTS, error);
	if (!statement) {
		return false;
	}
	store_bind_string(statement, 1, run);
	sqlite3_bind_int64(statement, 2, after);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		struct store_event event = {.sequence = sqlite3_column_int64(statement, 0),
			.at = sqlite3_column_int64(statement, 1),
			.kind = (const char *)sqlite3_column_text(statement, 2),
			.body = column_bytes(statement, 3)};
		if (!each(data, &event)) {
			break;
		}
	}
	return finish(store, statement, code, error);
}

bool store_items(struct store *store, const char *run, int64_t branch, int64_t after,
	bool (*each)(void *data, const struct store_item *item), void *data, struct error *error)
{
	int code = SQLITE_DONE;
	bool fine = true;
	sqlite3_stmt *statement = store_statement(store, ALL_ITEMS, error);
	if (!statement) {
		return false;
	}
	store_bind_string(statement, 1, run);
	sqlite3_bind_int64(statement, 2, branch);
	sqlite3_bind_int64(statement, 3, after);
	while (fine && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		arena_cleanup arena = {0};
		const char *blob = (const char *)sqlite3_column_text(statement, 2);
		struct store_item item = {.branch = branch,
			.sequence = sqlite3_column_int64(statement, 0),
			.json = column_bytes(statement, 1)};
		fine = !blob || store_get_blob(store, &arena, blob, &item.json, error);
		if (fine && !each(data, &item)) {
			break;
		}
	}
	return finish(store, statement, code, error) && fine;
}

bool store_text(struct store *store, struct arena *arena, const char *run, const char *key,
	struct text *text, struct error *error)
{
	bool fine = false;
	sqlite3_stmt *statement = store_statement(store, ONE_TEXT, error);
	error->kind = ERROR_NONE;
	if (!statement) {
		return false;
	}
	store_bind_string(statement, 1, run);
	store_bind_string(statement, 2, key);
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		const char *blob = (const char *)sqlite3_column_text(statement, 1);
		if (blob) {
			fine = store_get_blob(store, arena, blob, text, error);
		} else {
			*text = text_copy(arena, column_bytes(statement, 0));
			fine = true;
		}
	}
	return finish(store, statement, code, error) && fine;
}

bool store_changes(struct store *store, const char *run,
	bool (*each)(void *data, const struct store_change *change), void *data,
	struct error *error)
{
	int code = SQLITE_DONE;
	sqlite3_stmt *statement = store_statement(store, ALL_CHANGES, error);
	if (!statement) {
		return false;
	}
	store_bind_string(statement, 1, run);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		arena_cleanup arena = {0};
		struct store_change change = {.turn = sqlite3_column_int64(statement, 0),
			.record = sqlite3_column_int64(statement, 1),
			.path = text_string(&arena, column_bytes(statement, 2)),
			.status = column_string(&arena, statement, 3),
			.agent = column_string(&arena, statement, 4),
			.candidates = column_string(&arena, statement, 5),
			.sha256 = column_string(&arena, statement, 6),
			.blob = column_string(&arena, statement, 7),
			.size = sqlite3_column_int64(statement, 8),
			.outside = sqlite3_column_int(statement, 9) != 0};
		if (!each(data, &change)) {
			break;
		}
	}
	return finish(store, statement, code, error);
}

bool store_check(struct store *store, struct error *error)
{
	sqlite3_stmt *statement = NULL;
	bool fine = sqlite3_prepare_v2(store->database, "PRAGMA quick_check(1)", -1, &statement,
			    NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW;
	const char *said = fine ? (const char *)sqlite3_column_text(statement, 0) : "";
	if (!fine) {
		store_fail(store, "check", error);
	} else if (strcmp(said, "ok") != 0) {
		buffer_cleanup shown = {0};
		buffer_add_line(&shown, text_of(said), 400);
		fine = error_set(error, ERROR_FAILED, "the store is damaged: %s", shown.data);
	}
	sqlite3_finalize(statement);
	return fine;
}
