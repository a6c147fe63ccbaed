/* What other processes ask of the one that drives a run. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "store/internal.h"

enum { REQUESTS_MOST = 1000 /* taken in at once; the others come next */ };

bool store_add_request(
	struct store *store, const struct store_request *request, int64_t *id, struct error *error)
{
	sqlite3_stmt *statement = store_statement(store, ADD_REQUEST, error);
	if (!statement) {
		return false;
	}
	store_bind_string(statement, 1, request->run);
	store_bind_string(statement, 2, request->kind);
	store_bind_string(statement, 3, request->value);
	sqlite3_bind_blob64(statement, 4, request->text.data ? request->text.data : "",
		request->text.length, SQLITE_STATIC);
	if (!store_step(store, statement, error)) {
		return false;
	}
	*id = sqlite3_last_insert_rowid(store->database);
	return true;
}

const char *store_request_bell(struct store *store, struct arena *arena, struct error *error)
{
	const char *path = path_join(arena, store->folder, "requests");
	file_cleanup fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		error_errno(error, ERROR_FAILED, "cannot make '%s'", path);
		return NULL;
	}
	return path;
}

void store_ring(struct store *store)
{
	arena_cleanup arena = {0};
	// Whoever does not hear it finds the request when the run is taken up next.
	utimensat(AT_FDCWD, path_join(&arena, store->folder, "requests"), NULL, 0);
}

static const char *column(struct arena *arena, sqlite3_stmt *statement, int place)
{
	const char *text = (const char *)sqlite3_column_text(statement, place);
	return arena_string(arena, text ? text : "");
}

bool store_requests(struct store *store, struct arena *arena, const char *run,
	struct store_request **requests, size_t *count, struct error *error)
{
	sqlite3_stmt *statement = store_statement(store, ALL_REQUESTS, error);
	size_t capacity = 0;
	*requests = NULL;
	*count = 0;
	if (!statement) {
		return false;
	}
	store_bind_string(statement, 1, run);
	int code;
	while ((code = sqlite3_step(statement)) == SQLITE_ROW && *count < REQUESTS_MOST) {
		if (*count == capacity) {
			capacity = capacity * 2 + 4;
			struct store_request *more =
				arena_new_array(arena, capacity, struct store_request);
			for (size_t i = 0; i < *count; i++) {
				more[i] = (*requests)[i];
			}
			*requests = more;
		}
		const char *text = sqlite3_column_blob(statement, 4);
		struct text words = {text, (size_t)sqlite3_column_bytes(statement, 4)};
		(*requests)[(*count)++] =
			(struct store_request){.id = sqlite3_column_int64(statement, 0),
				.run = column(arena, statement, 1),
				.kind = column(arena, statement, 2),
				.value = column(arena, statement, 3),
				.text = text_copy(arena, words)};
	}
	bool fine = code == SQLITE_DONE || code == SQLITE_ROW || store_fail(store, "read", error);
	sqlite3_reset(statement);
	return fine;
}

bool store_settle_request(struct store *store, int64_t id, const char *result, struct error *error)
{
	sqlite3_stmt *statement = store_statement(store, SETTLE_REQUEST, error);
	if (!statement) {
		return false;
	}
	store_bind_string(statement, 1, result);
	sqlite3_bind_int64(statement, 2, id);
	return store_step(store, statement, error);
}

bool store_request_result(struct store *store, struct arena *arena, int64_t id, const char **result,
	struct error *error)
{
	sqlite3_stmt *statement = store_statement(store, REQUEST_RESULT, error);
	*result = NULL;
	if (!statement) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, id);
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL) {
		*result = column(arena, statement, 0);
	}
	bool fine = code == SQLITE_DONE || code == SQLITE_ROW || store_fail(store, "read", error);
	sqlite3_reset(statement);
	return fine;
}

bool store_drop_request(struct store *store, int64_t id, struct error *error)
{
	sqlite3_stmt *statement = store_statement(store, DROP_REQUEST, error);
	if (!statement) {
		return false;
	}
	sqlite3_bind_int64(statement, 1, id);
	return store_step(store, statement, error);
}
