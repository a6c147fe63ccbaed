#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "store/internal.h"

enum {
	APPLICATION_ID = 0x6d757374, // "must"
	BUSY_TIMEOUT = 10000,        // milliseconds to wait for another process's transaction
	BLOB_LIMIT = 1024 * 1024 * 1024,
};

static const char schema[] =
	"CREATE TABLE runs(id TEXT PRIMARY KEY, team TEXT NOT NULL, file TEXT NOT NULL,"
	" state TEXT NOT NULL, reason TEXT NOT NULL, exit_code INTEGER NOT NULL,"
	" created INTEGER NOT NULL, updated INTEGER NOT NULL, turns INTEGER NOT NULL,"
	" input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,"
	" output_tokens INTEGER NOT NULL, nano_usd INTEGER NOT NULL, working INTEGER NOT NULL,"
	" gates_passed INTEGER NOT NULL, gates_refused INTEGER NOT NULL,"
	" rehearsal INTEGER NOT NULL, sandbox TEXT NOT NULL) STRICT;"
	"CREATE INDEX runs_created ON runs(created);"
	"CREATE TABLE events(run TEXT NOT NULL, sequence INTEGER NOT NULL, at INTEGER NOT NULL,"
	" kind TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(run, sequence))"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE items(run TEXT NOT NULL, branch INTEGER NOT NULL,"
	" sequence INTEGER NOT NULL, json TEXT, blob TEXT, event INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY(run, branch, sequence))"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE texts(run TEXT NOT NULL, key TEXT NOT NULL, text BLOB, blob TEXT,"
	" event INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(run, key)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE changes(run TEXT NOT NULL, turn INTEGER NOT NULL, record INTEGER NOT NULL,"
	" path BLOB NOT NULL, status TEXT NOT NULL, agent TEXT NOT NULL,"
	" candidates TEXT NOT NULL, sha256 TEXT NOT NULL, blob TEXT NOT NULL,"
	" size INTEGER NOT NULL, outside INTEGER NOT NULL) STRICT;"
	"CREATE INDEX changes_run ON changes(run);" STORE_SCHEMA_REQUESTS;

static const char *const sql[STORE_STATEMENTS] = {
	// An update leaves the indexes alone; a replacement would write them anew with every step.
	[PUT_RUN] = "INSERT INTO runs VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
		    " ON CONFLICT(id) DO UPDATE SET state=excluded.state, reason=excluded.reason,"
		    " exit_code=excluded.exit_code, updated=excluded.updated,"
		    " turns=excluded.turns, input_tokens=excluded.input_tokens,"
		    " cached_tokens=excluded.cached_tokens, output_tokens=excluded.output_tokens,"
		    " nano_usd=excluded.nano_usd, working=excluded.working,"
		    " gates_passed=excluded.gates_passed, gates_refused=excluded.gates_refused,"
		    " rehearsal=excluded.rehearsal, sandbox=excluded.sandbox",
	[ADD_EVENT] = "INSERT INTO events VALUES(?,?,?,?,?)",
	[ADD_ITEM] =
		"INSERT INTO items(run, branch, sequence, json, blob, event) VALUES(?,?,?,?,?,?)",
	[PUT_TEXT] = "INSERT OR REPLACE INTO texts(run, key, text, blob, event) VALUES(?,?,?,?,?)",
	[ADD_CHANGE] = "INSERT INTO changes VALUES(?,?,?,?,?,?,?,?,?,?,?)",
	[LIST_RUNS] = "SELECT * FROM runs ORDER BY created DESC, rowid DESC LIMIT ?",
	[ONE_RUN] = "SELECT * FROM runs WHERE id=?",
	[ALL_EVENTS] = "SELECT sequence, at, kind, body FROM events WHERE run=? AND sequence>?"
		       " ORDER BY sequence",
	[ALL_ITEMS] = "SELECT sequence, json, blob FROM items WHERE run=? AND branch=?"
		      " AND sequence>? ORDER BY sequence",
	[ONE_TEXT] = "SELECT text, blob FROM texts WHERE run=? AND key=?",
	[ALL_CHANGES] = "SELECT turn, record, path, status, agent, candidates, sha256, blob, size,"
			" outside FROM changes WHERE run=? ORDER BY rowid",
	[DELETE_RUN] = "DELETE FROM runs WHERE id=?",
	[ADD_REQUEST] = "INSERT INTO requests(run, kind, value, text) VALUES(?,?,?,?)",
	[ALL_REQUESTS] = "SELECT id, run, kind, value, text FROM requests"
			 " WHERE result IS NULL AND (?1='' OR run=?1) ORDER BY id",
	[SETTLE_REQUEST] = "UPDATE requests SET result=? WHERE id=?",
	[REQUEST_RESULT] = "SELECT result FROM requests WHERE id=?",
	[DROP_REQUEST] = "DELETE FROM requests WHERE id=?",
	[BEGIN_TRANSACTION] = "BEGIN IMMEDIATE",
	[COMMIT_TRANSACTION] = "COMMIT",
};

bool store_fail(struct store *store, const char *what, struct error *error)
{
	int code = sqlite3_errcode(store->database);
	const char *reason = sqlite3_errmsg(store->database);
	error_set(error, ERROR_FAILED, "cannot %s the store '%s/store.db': %s", what, store->folder,
		reason);
	if (code == SQLITE_FULL) {
		error_hint(error, "make room on the disk; what was recorded so far is safe");
	} else if (code == SQLITE_IOERR) {
		error_hint(error, "look at the disk that it lies on");
	} else if (code == SQLITE_READONLY || code == SQLITE_CANTOPEN) {
		error_hint(error, "it has to be a file that you may write to, in such a folder");
	} else if (code == SQLITE_BUSY) {
		error_hint(error, "another muster is writing to it; try again");
	} else if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) {
		error_hint(error, "the file is damaged or is no store; move it away to start anew");
	}
	return false;
}

sqlite3_stmt *store_statement(struct store *store, enum store_statement which, struct error *error)
{
	sqlite3_stmt **statement = &store->statements[which];
	if (!*statement &&
		sqlite3_prepare_v3(store->database, sql[which], -1, SQLITE_PREPARE_PERSISTENT,
			statement, NULL) != SQLITE_OK) {
		store_fail(store, "use", error);
		return NULL;
	}
	sqlite3_reset(*statement);
	sqlite3_clear_bindings(*statement);
	return *statement;
}

void store_bind_text(sqlite3_stmt *statement, int place, struct text text)
{
	sqlite3_bind_text64(statement, place, text.data ? text.data : "", text.length,
		SQLITE_STATIC, SQLITE_UTF8);
}

void store_bind_string(sqlite3_stmt *statement, int place, const char *string)
{
	store_bind_text(statement, place, text_of(string ? string : ""));
}

bool store_step(struct store *store, sqlite3_stmt *statement, struct error *error)
{
	int code = sqlite3_step(statement);
	bool fine = code == SQLITE_DONE || code == SQLITE_ROW;
	if (!fine) {
		store_fail(store, "write to", error);
	}
	sqlite3_reset(statement);
	return fine;
}

bool store_execute(struct store *store, const char *text, struct error *error)
{
	return sqlite3_exec(store->database, text, NULL, NULL, NULL) == SQLITE_OK ||
		store_fail(store, "use", error);
}

static int number(struct store *store, const char *pragma)
{
	sqlite3_stmt *statement = NULL;
	int result = -1;
	if (sqlite3_prepare_v2(store->database, pragma, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW) {
		result = sqlite3_column_int(statement, 0);
	}
	sqlite3_finalize(statement);
	return result;
}

static bool not_ours(struct store *store, struct error *error)
{
	error_set(error, ERROR_USAGE, "'%s/store.db' is no store of muster", store->folder);
	return error_hint(error, "move it away, or choose another folder with -C");
}

static bool no_runs(struct store *store, struct error *error)
{
	error_set(error, ERROR_USAGE, "there are no runs here: '%s/store.db' does not exist",
		store->folder);
	return error_hint(
		error, "start one with 'muster run', or choose the project's folder with -C");
}

// Two processes may start at once: the second finds the tables of the first.
static bool create(struct store *store, struct error *error)
{
	char identity[128];
	snprintf(identity, sizeof(identity), "PRAGMA application_id=%d; PRAGMA user_version=%d",
		APPLICATION_ID, STORE_VERSION);
	if (!store_execute(store, "BEGIN IMMEDIATE", error)) {
		return false;
	}
	if (number(store, "PRAGMA application_id") != APPLICATION_ID) {
		if (number(store, "SELECT count(*) FROM sqlite_schema") != 0) {
			return not_ours(store, error);
		}
		if (!store_execute(store, schema, error) ||
			!store_execute(store, identity, error)) {
			return false;
		}
	}
	return store_execute(store, "COMMIT", error);
}

// What a file says of itself, read in one go: another process may be about to make it.
struct identity {
	int application, version, tables; // -1: could not be read
};

static bool read_identity(struct store *store, struct identity *identity, struct error *error)
{
	if (!store_execute(store, "BEGIN", error)) {
		return false;
	}
	identity->application = number(store, "PRAGMA application_id");
	identity->version = number(store, "PRAGMA user_version");
	identity->tables = number(store, "SELECT count(*) FROM sqlite_schema");
	bool fine = identity->application >= 0 && identity->version >= 0 && identity->tables >= 0;
	if (!fine) {
		store_fail(store, "read", error);
	}
	sqlite3_exec(store->database, "COMMIT", NULL, NULL, NULL);
	return fine;
}

// A new file gets the schema; an existing one must be a store of our version.
static bool check_version(struct store *store, struct error *error)
{
	struct identity identity;
	if (!read_identity(store, &identity, error)) {
		return false;
	}
	int version = identity.version;
	if (identity.application == 0 && identity.tables == 0 && version == 0) {
		return store->writable ? create(store, error) : no_runs(store, error);
	}
	if (identity.application != APPLICATION_ID) {
		return not_ours(store, error);
	}
	if (version > 0 && version < STORE_VERSION) {
		return store_migrate(store, version, error);
	}
	if (version != STORE_VERSION) {
		error_set(error, ERROR_USAGE,
			"the store '%s/store.db' has version %d, this muster reads version %d",
			store->folder, version, STORE_VERSION);
		return error_hint(
			error, "use the muster that wrote it, or choose another folder with -C");
	}
	return true;
}

static bool make_folder(const char *folder, struct error *error)
{
	arena_cleanup arena = {0};
	const char *ignore = path_join(&arena, folder, ".gitignore");
	if (!file_make_folders(path_join(&arena, folder, "runs"), 0755, error)) {
		return false;
	}
	return access(ignore, F_OK) == 0 || file_replace(ignore, TEXT("*\n"), 0644, error);
}

// A reader of a database in WAL mode writes, too: into the index of the log. Where we may not write and
// there is no log, which the last process folds in, nobody else is at work either, and the file alone is
// the store. Otherwise the path itself.
static const char *name_for_reading(struct arena *arena, const char *path)
{
	const char *folder = path_folder(arena, path);
	const char *log = arena_printf(arena, "%s-wal", path);
	if (access(folder, W_OK) == 0 || access(log, F_OK) == 0) {
		return path;
	}
	buffer_cleanup name = {0};
	buffer_add_string(&name, "file:");
	for (const char *c = path; *c; c++) {
		if (strchr("%?#", *c)) {
			buffer_printf(&name, "%%%02X", (unsigned)*c);
		} else {
			buffer_add_char(&name, *c);
		}
	}
	buffer_add_string(&name, "?mode=ro&immutable=1");
	return text_string(arena, buffer_text(&name));
}

static bool open_database(struct store *store, struct error *error)
{
	arena_cleanup arena = {0};
	store_set_memory();
	const char *path = path_join(&arena, store->folder, "store.db");
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE;
	if (!store->writable && access(path, F_OK) < 0) {
		return no_runs(store, error);
	}
	flags |= store->writable ? SQLITE_OPEN_CREATE : 0;
	const char *name = store->writable ? path : name_for_reading(&arena, path);
	flags |= name == path ? 0 : SQLITE_OPEN_URI;
	if (sqlite3_open_v2(name, &store->database, flags, NULL) != SQLITE_OK) {
		return store_fail(store, "open", error);
	}
	sqlite3_busy_timeout(store->database, BUSY_TIMEOUT);
	if (!check_version(store, error)) {
		return false;
	}
	if (name != path) {
		return true;
	}
	// In WAL mode a reader never waits for the writer. NORMAL keeps the file sound after a power
	// loss; store_commit() syncs the log for transactions that must be on disk.
	// Many runs write at the ends of many tables: all of these pages should stay in memory, and
	// the log be folded in less often.
	return store_execute(store,
		"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384;"
		"PRAGMA wal_autocheckpoint=4000",
		error);
}

struct store *store_open(const char *project, enum store_mode mode, struct error *error)
{
	arena_cleanup arena = {0};
	struct store *store = memory_alloc(sizeof(*store));
	char *root = realpath(project, NULL);
	if (!root) {
		error_errno(error, ERROR_USAGE, "cannot use the folder '%s'", project);
		free(store);
		return NULL;
	}
	store->folder = memory_string(path_join(&arena, root, ".muster"));
	free(root);
	store->writable = mode == STORE_WRITE;
	if ((store->writable && !make_folder(store->folder, error)) ||
		!open_database(store, error)) {
		store_close(store);
		return NULL;
	}
	return store;
}

void store_close(struct store *store)
{
	if (!store) {
		return;
	}
	for (size_t i = 0; i < STORE_STATEMENTS; i++) {
		sqlite3_finalize(store->statements[i]);
	}
	sqlite3_close(store->database);
	free(store->folder);
	free(store);
}

// Ids come from the command line, too: they must not lead elsewhere.
static bool id_is_sound(const char *run)
{
	return run[0] && run[0] != '.' && strlen(run) < 200 && !strchr(run, '/');
}

const char *store_run_folder(
	struct store *store, struct arena *arena, const char *run, struct error *error)
{
	if (!id_is_sound(run)) {
		error_set(error, ERROR_USAGE, "'%s' cannot be the id of a run", run);
		return NULL;
	}
	const char *folder = arena_printf(arena, "%s/runs/%s", store->folder, run);
	if (store->writable && !file_make_folders(folder, 0755, error)) {
		return NULL;
	}
	return folder;
}

const char *store_snapshot_folder(struct store *store, struct arena *arena)
{
	return arena_printf(arena, "%s/snapshots", store->folder);
}

bool store_begin(struct store *store, struct error *error)
{
	sqlite3_stmt *statement = store_statement(store, BEGIN_TRANSACTION, error);
	store->open_transaction = statement && store_step(store, statement, error);
	return store->open_transaction;
}

bool store_commit(struct store *store, bool durable, struct error *error)
{
	// A commit alone (synchronous=NORMAL) leaves its pages with the system; a durable one syncs
	// the write-ahead log behind it. One sync serves all runs of the transaction.
	sqlite3_stmt *statement = store_statement(store, COMMIT_TRANSACTION, error);
	if (!statement || !store_step(store, statement, error)) {
		return false;
	}
	store->open_transaction = false;
	if (!durable) {
		return true;
	}
	sqlite3_file *wal = NULL;
	if (sqlite3_file_control(store->database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) !=
			SQLITE_OK ||
		!wal || !wal->pMethods) {
		return store_fail(store, "find the log of", error);
	}
	errno = EIO;
	if (wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL) != SQLITE_OK) {
		error_errno(error, ERROR_FAILED, "cannot put the store '%s/store.db' on disk",
			store->folder);
		return error_hint(error, "look at the disk that it lies on, then resume the run");
	}
	return true;
}

void store_rollback(struct store *store)
{
	if (store->open_transaction) {
		sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
		store->open_transaction = false;
	}
}

const char *store_blob_path(struct store *store, struct arena *arena, const char *hash)
{
	return arena_printf(arena, "%s/blobs/%.2s/%s", store->folder, hash, hash);
}

bool store_put_blob(struct store *store, struct text text, struct hash *hash, struct error *error)
{
	arena_cleanup arena = {0};
	*hash = hash_text(text);
	const char *path = store_blob_path(store, &arena, hash->hex);
	return access(path, F_OK) == 0 ||
		(file_make_folders(path_folder(&arena, path), 0755, error) &&
			file_replace(path, text, 0644, error));
}

bool store_get_blob(struct store *store, struct arena *arena, const char *hash, struct text *text,
	struct error *error)
{
	return file_read(arena, store_blob_path(store, arena, hash), BLOB_LIMIT, text, error);
}
