#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "store/internal.h"

bool store_put_run(struct store *store, const struct store_run *run, struct error *error)
{
	sqlite3_stmt *statement = store_statement(store, PUT_RUN, error);
	if (!statement) {
		return false;
	}
	const char *const strings[] = {run->id, run->team, run->file, run->state, run->reason};
	const int64_t numbers[] = {run->exit_code, run->created, run->updated, run->turns,
		run->input_tokens, run->cached_tokens, run->output_tokens, run->nano_usd,
		run->working, run->gates_passed, run->gates_refused, run->rehearsal};
	int place = 1;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		store_bind_string(statement, place++, strings[i]);
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		sqlite3_bind_int64(statement, place++, numbers[i]);
	}
	store_bind_string(statement, place, run->sandbox);
	return store_step(store, statement, error);
}

bool store_add_event(
	struct store *store, const char *run, const struct store_event *event, struct error *error)
{
	sqlite3_stmt *statement = store_statement(store, ADD_EVENT, error);
	if (!statement) {
		return false;
	}
	store_bind_string(statement, 1, run);
	sqlite3_bind_int64(statement, 2, event->sequence);
	sqlite3_bind_int64(statement, 3, event->at);
	store_bind_string(statement, 4, event->kind);
	store_bind_text(statement, 5, event->body);
	return store_step(store, statement, error);
}

// A long text goes into a file; its hash takes its place.
static bool bind_long(struct store *store, sqlite3_stmt *statement, int place, struct text text,
	struct hash *hash, struct error *error)
{
	if (text.length <= STORE_TEXT_LIMIT) {
		store_bind_text(statement, place, text);
		return true;
	}
	if (!store_put_blob(store, text, hash, error)) {
		return false;
	}
	store_bind_string(statement, place + 1, hash->hex);
	return true;
}

bool store_add_item(
	struct store *store, const char *run, const struct store_item *item, struct error *error)
{
	struct hash hash;
	sqlite3_stmt *statement = store_statement(store, ADD_ITEM, error);
	if (!statement) {
		return false;
	}
	store_bind_string(statement, 1, run);
	sqlite3_bind_int64(statement, 2, item->branch);
	sqlite3_bind_int64(statement, 3, item->sequence);
	sqlite3_bind_int64(statement, 6, item->event);
	return bind_long(store, statement, 4, item->json, &hash, error) &&
		store_step(store, statement, error);
}

bool store_put_text(struct store *store, const char *run, const char *key, int64_t event,
	struct text text, struct error *error)
{
	struct hash hash;
	sqlite3_stmt *statement = store_statement(store, PUT_TEXT, error);
	if (!statement) {
		return false;
	}
	store_bind_string(statement, 1, run);
	store_bind_string(statement, 2, key);
	sqlite3_bind_int64(statement, 5, event);
	if (text.length > STORE_TEXT_LIMIT) {
		if (!store_put_blob(store, text, &hash, error)) {
			return false;
		}
		store_bind_string(statement, 4, hash.hex);
	} else {
		sqlite3_bind_blob64(
			statement, 3, text.data ? text.data : "", text.length, SQLITE_STATIC);
	}
	return store_step(store, statement, error);
}

bool store_add_change(struct store *store, const char *run, const struct store_change *change,
	struct error *error)
{
	sqlite3_stmt *statement = store_statement(store, ADD_CHANGE, error);
	if (!statement) {
		return false;
	}
	store_bind_string(statement, 1, run);
	sqlite3_bind_int64(statement, 2, change->turn);
	sqlite3_bind_int64(statement, 3, change->record);
	// File names are bytes, not always text.
	sqlite3_bind_blob64(statement, 4, change->path, strlen(change->path), SQLITE_STATIC);
	const char *const strings[] = {
		change->status, change->agent, change->candidates, change->sha256, change->blob};
	for (int i = 0; i < 5; i++) {
		store_bind_string(statement, 5 + i, strings[i]);
	}
	sqlite3_bind_int64(statement, 10, change->size);
	sqlite3_bind_int64(statement, 11, change->outside);
	return store_step(store, statement, error);
}

static bool query(struct store *store, const char *text, const char *run, sqlite3_stmt **statement,
	struct error *error)
{
	if (sqlite3_prepare_v2(store->database, text, -1, statement, NULL) != SQLITE_OK) {
		return store_fail(store, "use", error);
	}
	store_bind_string(*statement, 1, run);
	return true;
}

// Other writers wait for our transaction, so none can come to need one of these meanwhile.
static bool delete_blobs(struct store *store, const char *run, struct error *error)
{
	static const char only_here[] =
		"SELECT blob FROM (SELECT blob FROM items WHERE run=?1 UNION"
		" SELECT blob FROM texts WHERE run=?1) WHERE blob IS NOT NULL"
		" EXCEPT SELECT blob FROM items WHERE run<>?1"
		" EXCEPT SELECT blob FROM texts WHERE run<>?1";
	int code = SQLITE_DONE;
	bool fine = true;
	sqlite3_stmt *rows = NULL;
	if (!query(store, only_here, run, &rows, error)) {
		return false;
	}
	while (fine && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		arena_cleanup arena = {0};
		const char *hash = (const char *)sqlite3_column_text(rows, 0);
		const char *path = store_blob_path(store, &arena, hash);
		fine = unlink(path) == 0 || errno == ENOENT ||
			error_errno(error, ERROR_FAILED, "cannot remove '%s'", path);
	}
	if (fine && code != SQLITE_DONE) {
		fine = store_fail(store, "read", error);
	}
	sqlite3_finalize(rows);
	return fine;
}

static bool delete_rows(struct store *store, const char *run, struct error *error)
{
	static const char *const tables[] = {"events", "items", "texts", "changes", "requests"};
	bool fine = true;
	for (size_t i = 0; fine && i < sizeof(tables) / sizeof(tables[0]); i++) {
		arena_cleanup arena = {0};
		sqlite3_stmt *rows = NULL;
		fine = query(store, arena_printf(&arena, "DELETE FROM %s WHERE run=?", tables[i]),
			       run, &rows, error) &&
			store_step(store, rows, error);
		sqlite3_finalize(rows);
	}
	return fine;
}

bool store_delete(struct store *store, const char *run, struct error *error)
{
	arena_cleanup arena = {0};
	const char *folder = store_run_folder(store, &arena, run, error);
	sqlite3_stmt *statement = folder ? store_statement(store, DELETE_RUN, error) : NULL;
	if (!statement) {
		return false;
	}
	store_bind_string(statement, 1, run);
	return store_step(store, statement, error) && delete_blobs(store, run, error) &&
		delete_rows(store, run, error) && file_remove_tree(folder, error);
}
