/* What the files of the store share. Private to src/store/. */
#pragma once

#include <sqlite3.h>

#include "base/hash.h"
#include "store/store.h"

enum store_statement {
	PUT_RUN,
	ADD_EVENT,
	ADD_ITEM,
	PUT_TEXT,
	ADD_CHANGE,
	LIST_RUNS,
	ONE_RUN,
	ALL_EVENTS,
	ALL_ITEMS,
	ONE_TEXT,
	ALL_CHANGES,
	DELETE_RUN,
	ADD_REQUEST,
	ALL_REQUESTS,
	SETTLE_REQUEST,
	REQUEST_RESULT,
	DROP_REQUEST,
	BEGIN_TRANSACTION,
	COMMIT_TRANSACTION,
	STORE_STATEMENTS,
};

struct store {
	sqlite3 *database;
	sqlite3_stmt *statements[STORE_STATEMENTS]; // prepared when first used
	char *folder;                               // .muster, absolute
	bool writable;
	bool open_transaction;
};

// SQLite gets its memory where we do, before its first use (memory.c). As often as one likes.
void store_set_memory(void);
// The statement, reset and without bindings; NULL with a message.
sqlite3_stmt *store_statement(struct store *store, enum store_statement which, struct error *error);
// One statement or more without results.
bool store_execute(struct store *store, const char *text, struct error *error);
bool store_fail(struct store *store, const char *what, struct error *error);
void store_bind_text(sqlite3_stmt *statement, int place, struct text text);
void store_bind_string(sqlite3_stmt *statement, int place, const char *string);
// Runs a statement that returns no rows, and resets it.
bool store_step(struct store *store, sqlite3_stmt *statement, struct error *error);
// Texts over STORE_TEXT_LIMIT lie in files named by their hash.
bool store_put_blob(struct store *store, struct text text, struct hash *hash, struct error *error);
bool store_get_blob(struct store *store, struct arena *arena, const char *hash, struct text *text,
	struct error *error);
const char *store_blob_path(struct store *store, struct arena *arena, const char *hash);
// Brings a store of an earlier version up to date (migrate.c).
bool store_migrate(struct store *store, int version, struct error *error);
#define STORE_SCHEMA_REQUESTS                                                                      \
	"CREATE TABLE requests(id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL,"           \
	" kind TEXT NOT NULL, value TEXT NOT NULL, text BLOB NOT NULL, result TEXT) STRICT;"
