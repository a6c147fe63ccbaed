#include "store/check.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "store/internal.h"

enum {
	FRESH = 60,      // seconds for which a file may belong to a transaction under way
	FILES = 1000000, // looked through
	INTEGRITY_LINES = 20,
};

void check_finish(struct check *check)
{
	free(check->problems);
	arena_finish(&check->arena);
	*check = (struct check){0};
}

static struct check_problem *add(struct check *check, const char *what)
{
	if (check->count == CHECK_PROBLEMS) {
		check->more++;
		return NULL;
	}
	if (check->count == check->capacity) {
		check->capacity = check->capacity * 2 + 16;
		check->problems =
			memory_resize(check->problems, check->capacity * sizeof(*check->problems));
	}
	struct check_problem *problem = &check->problems[check->count++];
	*problem = (struct check_problem){.run = check->run ? check->run : "", .what = what};
	return problem;
}

void check_say(struct check *check, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	add(check, arena_vprintf(&check->arena, format, arguments));
	va_end(arguments);
}

void check_stale(struct check *check, const char *path, const char *why)
{
	struct check_problem *problem =
		add(check, arena_printf(&check->arena, "'%s' is left over: %s", path, why));
	bool mended = check->repair && (unlink(path) == 0 || errno == ENOENT);
	if (problem) {
		problem->mendable = true;
		problem->mended = mended;
	}
}

// --- Rows ---

static sqlite3_stmt *query(
	struct check *check, const char *text, const char *run, struct error *error)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(check->store->database, text, -1, &statement, NULL) != SQLITE_OK) {
		store_fail(check->store, "read", error);
		return NULL;
	}
	if (run) {
		store_bind_string(statement, 1, run);
	}
	return statement;
}

static const char *column(sqlite3_stmt *row, int place)
{
	const char *text = (const char *)sqlite3_column_text(row, place);
	return text ? text : "";
}

// Hands each row to `each`; false when the query failed.
static bool each_row(struct check *check, const char *text, const char *run,
	void (*each)(struct check *check, sqlite3_stmt *row), struct error *error)
{
	sqlite3_stmt *statement = query(check, text, run, error);
	int code = SQLITE_ERROR;
	while (statement && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		each(check, statement);
	}
	bool fine = statement && (code == SQLITE_DONE || store_fail(check->store, "read", error));
	sqlite3_finalize(statement);
	return fine;
}

static void say_integrity(struct check *check, sqlite3_stmt *row)
{
	const char *said = column(row, 0);
	if (strcmp(said, "ok") != 0) {
		check_say(check, "the database is damaged: %s", said);
	}
}

static void say_orphans(struct check *check, sqlite3_stmt *row)
{
	check_say(check, "there are %s of a run '%s' that is not in the list of runs",
		column(row, 0), column(row, 1));
}

static void say_gap(struct check *check, sqlite3_stmt *row)
{
	check_say(check, "the %s are not numbered without gaps: %lld of them, up to number %lld",
		column(row, 0), (long long)sqlite3_column_int64(row, 1),
		(long long)sqlite3_column_int64(row, 2));
}

static void look_at_text(struct check *check, sqlite3_stmt *row)
{
	arena_cleanup arena = {0};
	struct error error = {0};
	struct text text;
	const char *hash = column(row, 0);
	if (strlen(hash) != HASH_HEX_SIZE - 1 || strspn(hash, "0123456789abcdef") != strlen(hash)) {
		check_say(check, "a text is said to be in the file '%.80s': no such name can be",
			hash);
	} else if (!store_get_blob(check->store, &arena, hash, &text, &error)) {
		check_say(check, "a text is missing: %s", error.message);
	} else if (strcmp(hash_text(text).hex, hash) != 0) {
		check_say(check, "the text '%s' is not what was written",
			store_blob_path(check->store, &arena, hash));
	}
}

static void say_neither(struct check *check, sqlite3_stmt *row)
{
	check_say(check, "the %s has no content", column(row, 0));
}

bool check_run_rows(struct check *check, const char *run, struct error *error)
{
	check->run = arena_string(&check->arena, run);
	bool fine = each_row(check,
			    "SELECT 'events', count(*), max(sequence) FROM events WHERE run=?1"
			    " HAVING count(*)<>max(sequence) OR min(sequence)<>1 OR count(*)=0",
			    run, say_gap, error) &&
		each_row(check,
			"SELECT 'items of branch '||branch, count(*), max(sequence) FROM items"
			" WHERE run=?1 GROUP BY branch"
			" HAVING count(*)<>max(sequence) OR min(sequence)<>1",
			run, say_gap, error) &&
		each_row(check,
			"SELECT blob FROM items WHERE run=?1 AND blob IS NOT NULL UNION"
			" SELECT blob FROM texts WHERE run=?1 AND blob IS NOT NULL",
			run, look_at_text, error) &&
		each_row(check,
			"SELECT 'item '||branch||'.'||sequence FROM items"
			" WHERE run=?1 AND json IS NULL AND blob IS NULL UNION"
			" SELECT 'text '||key FROM texts"
			" WHERE run=?1 AND text IS NULL AND blob IS NULL",
			run, say_neither, error);
	check->run = NULL;
	return fine;
}

// --- Files ---

static bool is_old(const struct folder_entry *entry)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return entry->modified < ((int64_t)now.tv_sec - FRESH) * 1000000000;
}

static bool is_used(struct check *check, const char *hash, bool *used, struct error *error)
{
	sqlite3_stmt *statement = query(check,
		"SELECT EXISTS(SELECT 1 FROM items WHERE blob=?1)"
		" OR EXISTS(SELECT 1 FROM texts WHERE blob=?1)",
		hash, error);
	bool fine = statement && sqlite3_step(statement) == SQLITE_ROW;
	*used = fine && sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return fine || store_fail(check->store, "read", error);
}

static bool look_at_blob(struct check *check, const char *path, const char *name,
	const struct folder_entry *entry, struct error *error)
{
	bool used;
	if (!is_old(entry)) {
		return true;
	}
	if (file_is_temporary(name)) {
		check_stale(check, path, "a process ended while it wrote it");
		return true;
	}
	if (!is_used(check, name, &used, error)) {
		return false;
	}
	if (!used) {
		check_stale(check, path, "no run has this text");
	}
	return true;
}

static bool look_at_blobs(struct check *check, struct error *error)
{
	arena_cleanup arena = {0};
	struct folder_list list;
	const char *folder = path_join(&arena, check->store->folder, "blobs");
	if (access(folder, F_OK) < 0) {
		return true;
	}
	file_cleanup fd = folder_open(folder, error);
	bool fine = fd >= 0 && folder_scan(&arena, fd, TEXT(""), FILES, NULL, NULL, &list, error);
	for (size_t i = 0; fine && i < list.count; i++) {
		const struct folder_entry *entry = &list.entries[i];
		const char *inner = text_string(&arena, entry->path);
		const char *slash = strrchr(inner, '/');
		if (entry->kind == FOLDER_FILE) {
			fine = look_at_blob(check, path_join(&arena, folder, inner),
				slash ? slash + 1 : inner, entry, error);
		}
	}
	return fine;
}

// What a killed process left of a copy that it made of an older store: store.db.version-N.PID.
static bool is_half_copy(const char *name)
{
	static const char start[] = "store.db.version-";
	const char *number = name + sizeof(start) - 1;
	if (strncmp(name, start, sizeof(start) - 1) != 0) {
		return false;
	}
	const char *dot = number + strspn(number, "0123456789");
	return dot > number && *dot == '.' && strspn(dot + 1, "0123456789") > 0;
}

static bool no_subfolders(void *data, struct text path)
{
	(void)data;
	(void)path;
	return true;
}

static bool look_at_folder(struct check *check, struct error *error)
{
	arena_cleanup arena = {0};
	struct folder_list list;
	file_cleanup fd = folder_open(check->store->folder, error);
	if (fd < 0 ||
		!folder_scan(&arena, fd, TEXT(""), FILES, no_subfolders, NULL, &list, error)) {
		return false;
	}
	for (size_t i = 0; i < list.count; i++) {
		const char *name = text_string(&arena, list.entries[i].path);
		if (list.entries[i].kind == FOLDER_FILE && is_old(&list.entries[i]) &&
			(file_is_temporary(name) || is_half_copy(name))) {
			check_stale(check, path_join(&arena, check->store->folder, name),
				"a process ended while it wrote it");
		}
	}
	return true;
}

static bool holds_only(const char *folder, const char *name)
{
	DIR *opened = opendir(folder);
	const struct dirent *entry;
	bool only = opened != NULL;
	while (only && (entry = readdir(opened))) {
		only = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			strcmp(entry->d_name, name) == 0;
	}
	if (opened) {
		closedir(opened);
	}
	return only;
}

static bool is_run(struct check *check, const char *id, bool *known, struct error *error)
{
	sqlite3_stmt *statement = query(check, "SELECT 1 FROM runs WHERE id=?1", id, error);
	int code = statement ? sqlite3_step(statement) : SQLITE_ERROR;
	*known = code == SQLITE_ROW;
	sqlite3_finalize(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE || store_fail(check->store, "read", error);
}

// A run's folder, with its lock in it, is made before the run is in the journal. Only one that holds
// nothing more is removed.
static void look_at_stray_folder(struct check *check, const char *folder)
{
	arena_cleanup arena = {0};
	struct stat status;
	if (stat(folder, &status) == 0 && time(NULL) - status.st_mtime < FRESH) {
		return; // its run may be about to begin
	}
	struct check_problem *problem = add(
		check, arena_printf(&check->arena, "the folder '%s' belongs to no run", folder));
	const char *lock = path_join(&arena, folder, "lock");
	if (!problem || !holds_only(folder, "lock")) {
		return;
	}
	problem->mendable = true;
	problem->mended =
		check->repair && (unlink(lock) == 0 || errno == ENOENT) && rmdir(folder) == 0;
}

static bool look_at_run_folders(struct check *check, struct error *error)
{
	arena_cleanup arena = {0};
	const char *folder = path_join(&arena, check->store->folder, "runs");
	DIR *opened = opendir(folder);
	bool known, fine = opened != NULL;
	if (!opened) {
		return errno == ENOENT ||
			error_errno(error, ERROR_FAILED, "cannot look through '%s'", folder);
	}
	const struct dirent *entry;
	while (fine && (entry = readdir(opened))) {
		if (entry->d_name[0] == '.') {
			continue;
		}
		fine = is_run(check, entry->d_name, &known, error);
		if (fine && !known) {
			look_at_stray_folder(check, path_join(&arena, folder, entry->d_name));
		}
	}
	closedir(opened);
	return fine;
}

bool check_store(struct check *check, struct error *error)
{
	static const char orphans[] =
		"SELECT 'events', run FROM events WHERE run NOT IN (SELECT id FROM runs) UNION"
		" SELECT 'items', run FROM items WHERE run NOT IN (SELECT id FROM runs) UNION"
		" SELECT 'texts', run FROM texts WHERE run NOT IN (SELECT id FROM runs) UNION"
		" SELECT 'changes', run FROM changes WHERE run NOT IN (SELECT id FROM runs)";
	char integrity[64];
	snprintf(integrity, sizeof(integrity), "PRAGMA integrity_check(%d)", INTEGRITY_LINES);
	check->run = NULL;
	return each_row(check, integrity, NULL, say_integrity, error) &&
		each_row(check, orphans, NULL, say_orphans, error) && look_at_blobs(check, error) &&
		look_at_folder(check, error) && look_at_run_folders(check, error);
}
