#include "store/internal.h"

// Rows that do not say which event they came with.
static bool check_age(struct store *store, const struct store_cut *cut, struct error *error)
{
	static const char text[] =
		"SELECT (SELECT max(sequence) FROM events WHERE run=?1) > ?2 AND EXISTS"
		"(SELECT 1 FROM items WHERE run=?1 AND event=0)";
	sqlite3_stmt *statement = NULL;
	bool fine = sqlite3_prepare_v2(store->database, text, -1, &statement, NULL) == SQLITE_OK;
	if (fine) {
		store_bind_string(statement, 1, cut->from);
		sqlite3_bind_int64(statement, 2, cut->events);
		fine = sqlite3_step(statement) == SQLITE_ROW;
	}
	bool old = fine && sqlite3_column_int(statement, 0) != 0;
	sqlite3_finalize(statement);
	if (!fine) {
		return store_fail(store, "read", error);
	}
	if (old) {
		error_set(error, ERROR_USAGE,
			"run '%s' was recorded by an earlier muster, which did not keep where its "
			"turns end",
			cut->from);
		return error_hint(error, "fork all of it, without @TURN");
	}
	return true;
}

bool store_fork(struct store *store, const struct store_cut *cut, struct error *error)
{
	// ?1: from, ?2: to, ?3: events, ?4: records
	static const char *const copies[] = {
		"INSERT INTO events SELECT ?2, sequence, at, kind, body FROM events"
		" WHERE run=?1 AND sequence<=?3",
		"INSERT INTO items SELECT ?2, branch, sequence, json, blob, event FROM items"
		" WHERE run=?1 AND event<=?3",
		"INSERT INTO texts SELECT ?2, key, text, blob, event FROM texts"
		" WHERE run=?1 AND event<=?3 AND key<>'driver'",
		"INSERT INTO changes SELECT ?2, turn, record, path, status, agent, candidates,"
		" sha256, blob, size, outside FROM changes WHERE run=?1 AND record<=?4"
		" ORDER BY rowid",
	};
	if (!check_age(store, cut, error)) {
		return false;
	}
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		sqlite3_stmt *statement = NULL;
		bool fine = sqlite3_prepare_v2(store->database, copies[i], -1, &statement, NULL) ==
			SQLITE_OK;
		if (fine) {
			store_bind_string(statement, 1, cut->from);
			store_bind_string(statement, 2, cut->to);
			const int64_t numbers[] = {cut->events, cut->records};
			// Not every statement has both.
			for (int place = 3; place <= sqlite3_bind_parameter_count(statement);
				place++) {
				sqlite3_bind_int64(statement, place, numbers[place - 3]);
			}
			fine = sqlite3_step(statement) == SQLITE_DONE;
		}
		if (!fine) {
			store_fail(store, "write to", error);
		}
		sqlite3_finalize(statement);
		if (!fine) {
			return false;
		}
	}
	return true;
}
