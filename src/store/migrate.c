/* Stores of earlier versions, brought up to date: a copy is put beside the file, then every step up
 * to our version is made in one transaction. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/path.h"
#include "store/internal.h"

// What makes version N of version N - 1.
static const char *const steps[STORE_VERSION + 1] = {
	[2] = STORE_SCHEMA_REQUESTS,
	[3] = "ALTER TABLE items ADD COLUMN event INTEGER NOT NULL DEFAULT 0;"
	      "ALTER TABLE texts ADD COLUMN event INTEGER NOT NULL DEFAULT 0;",
};

static bool say_version(struct store *store, int version, struct error *error)
{
	error_wrap(error, "the store '%s/store.db' has version %d, and could not be brought to %d",
		store->folder, version, STORE_VERSION);
	return error->hint[0] != '\0' ||
		error_hint(
			error, "nothing in it was changed; see that its folder can be written to");
}

static bool read_version(struct store *store, int *version, struct error *error)
{
	sqlite3_stmt *statement = NULL;
	bool fine = sqlite3_prepare_v2(store->database, "PRAGMA user_version", -1, &statement,
			    NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW;
	*version = fine ? sqlite3_column_int(statement, 0) : 0;
	sqlite3_finalize(statement);
	return fine || store_fail(store, "read", error);
}

// Another process may bring the store up to date meanwhile: its copy is the right one then.
static bool put_copy(struct store *store, int version, struct error *error)
{
	arena_cleanup arena = {0};
	const char *copy = arena_printf(&arena, "%s/store.db.version-%d", store->folder, version);
	const char *half = arena_printf(&arena, "%s.%d", copy, (int)getpid());
	sqlite3_stmt *statement = NULL;
	int now = 0;
	unlink(half);
	bool fine = sqlite3_prepare_v2(store->database, "VACUUM INTO ?", -1, &statement, NULL) ==
		SQLITE_OK;
	if (fine) {
		sqlite3_bind_text(statement, 1, half, -1, SQLITE_STATIC);
		fine = sqlite3_step(statement) == SQLITE_DONE;
	}
	fine = fine || store_fail(store, "copy", error);
	sqlite3_finalize(statement);
	fine = fine && read_version(store, &now, error);
	if (fine && now == version && rename(half, copy) < 0) {
		fine = error_errno(error, ERROR_FAILED, "cannot make '%s'", copy);
	}
	unlink(half);
	return fine;
}

static bool make_steps(struct store *store, struct error *error)
{
	char identity[64];
	int version = 0;
	if (!read_version(store, &version, error)) {
		return false;
	}
	for (int next = version + 1; next <= STORE_VERSION; next++) {
		if (!store_execute(store, steps[next], error)) {
			return false;
		}
	}
	snprintf(identity, sizeof(identity), "PRAGMA user_version=%d", STORE_VERSION);
	return store_execute(store, identity, error);
}

bool store_migrate(struct store *store, int version, struct error *error)
{
	if (sqlite3_db_readonly(store->database, "main") == 1) {
		error_set(error, ERROR_FAILED, "it may only be read");
		return say_version(store, version, error);
	}
	if (!put_copy(store, version, error) || !store_begin(store, error)) {
		return say_version(store, version, error);
	}
	if (make_steps(store, error) && store_commit(store, false, error)) {
		return true;
	}
	store_rollback(store);
	return say_version(store, version, error);
}
