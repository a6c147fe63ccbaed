#include "test.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "store/store.h"

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/muster-test-requests-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	struct error error = {0};
	(void)state;
	return file_remove_tree(folder, &error) ? 0 : -1;
}

static struct store *open_store(void)
{
	struct error error = {0};
	struct store *store = store_open(folder, STORE_WRITE, &error);
	if (!store) {
		fail_msg("%s", error.message);
	}
	return store;
}

static int64_t add(struct store *store, const char *run, const char *kind, const char *text)
{
	struct error error = {0};
	struct store_request request = {
		.run = run, .kind = kind, .value = "", .text = text_of(text)};
	int64_t id = 0;
	assert_true(store_begin(store, &error));
	assert_true(store_add_request(store, &request, &id, &error));
	assert_true(store_commit(store, false, &error));
	return id;
}

static size_t count(
	struct store *store, const char *run, struct store_request **requests, struct arena *arena)
{
	struct error error = {0};
	size_t found = 0;
	assert_true(store_requests(store, arena, run, requests, &found, &error));
	return found;
}

static void requests_wait_in_order_until_they_are_settled(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	struct error error = {0};
	struct store *store = open_store();
	struct store_request *requests;
	const char *result = "?";
	assert_int_equal(count(store, NULL, &requests, &arena), 0);
	int64_t first = add(store, "a", "tell", "one");
	add(store, "b", "tell", "other");
	int64_t last = add(store, "a", "pause", "");
	assert_int_equal(count(store, NULL, &requests, &arena), 3);
	assert_int_equal(count(store, "a", &requests, &arena), 2);
	assert_int_equal(requests[0].id, first);
	assert_string_equal(requests[0].kind, "tell");
	assert_text(requests[0].text, "one");
	assert_int_equal(requests[1].id, last);
	assert_true(store_request_result(store, &arena, first, &result, &error));
	assert_null(result);
	assert_true(store_begin(store, &error));
	assert_true(store_settle_request(store, first, "no such agent", &error));
	store_rollback(store); // it was not taken in after all
	assert_int_equal(count(store, "a", &requests, &arena), 2);
	assert_true(store_settle_request(store, first, "no such agent", &error));
	assert_true(store_request_result(store, &arena, first, &result, &error));
	assert_string_equal(result, "no such agent");
	assert_int_equal(count(store, "a", &requests, &arena), 1);
	assert_true(store_drop_request(store, last, &error));
	assert_int_equal(count(store, "a", &requests, &arena), 0);
	store_close(store);
}

static void ringing_touches_the_bell(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	struct error error = {0};
	struct store *store = open_store();
	struct timespec past[2] = {{1000, 0}, {1000, 0}};
	struct stat about;
	const char *bell = store_request_bell(store, &arena, &error);
	assert_non_null(bell);
	assert_int_equal(utimensat(AT_FDCWD, bell, past, 0), 0);
	store_ring(store);
	assert_int_equal(stat(bell, &about), 0);
	assert_true(about.st_mtim.tv_sec > 1000);
	store_close(store);
}

static int execute(const char *name, const char *sql)
{
	char path[128];
	sqlite3 *database = NULL;
	snprintf(path, sizeof(path), "%s/.muster/%s", folder, name);
	int code = sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL);
	code = code == SQLITE_OK ? sqlite3_exec(database, sql, NULL, NULL, NULL) : code;
	sqlite3_close(database);
	return code;
}

// As the first version wrote it: without requests.
static void make_first_version(void)
{
	struct error error = {0};
	struct store *store = open_store();
	struct store_run run = {.id = "old-run", .team = "old", .sandbox = "unix-local"};
	assert_true(store_begin(store, &error));
	assert_true(store_put_run(store, &run, &error));
	assert_true(store_commit(store, true, &error));
	store_close(store);
	assert_int_equal(execute("store.db",
				 "DROP TABLE requests; ALTER TABLE items DROP COLUMN event;"
				 "ALTER TABLE texts DROP COLUMN event; PRAGMA user_version=1"),
		SQLITE_OK);
}

static bool is_there(const char *name)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/.muster/%s", folder, name);
	return access(path, F_OK) == 0;
}

static void a_store_of_the_first_version_is_brought_up_to_date(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	struct error error = {0};
	struct store_run run;
	make_first_version();
	struct store *store = open_store();
	assert_true(store_find(store, &arena, "old-run", &run, &error));
	add(store, "old-run", "tell", "now it can");
	store_close(store);
	// The copy is the store as it was.
	assert_int_equal(execute("store.db.version-1", "SELECT * FROM requests"), SQLITE_ERROR);
	assert_int_equal(execute("store.db.version-1", "SELECT id FROM runs"), SQLITE_OK);
	// Once is enough.
	char copy[128];
	snprintf(copy, sizeof(copy), "%s/.muster/store.db.version-1", folder);
	assert_int_equal(unlink(copy), 0);
	store_close(open_store());
	assert_false(is_there("store.db.version-1"));
}

static void many_processes_may_bring_it_up_to_date_at_once(void **state)
{
	(void)state;
	enum { PROCESSES = 8 };
	pid_t children[PROCESSES];
	make_first_version();
	for (size_t i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct error error = {0};
			struct store *store = store_open(folder, STORE_WRITE, &error);
			store_close(store);
			_exit(store ? 0 : 1);
		}
	}
	for (size_t i = 0; i < PROCESSES; i++) {
		int status = -1;
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(execute("store.db", "SELECT id FROM requests"), SQLITE_OK);
	assert_int_equal(execute("store.db.version-1", "SELECT * FROM requests"), SQLITE_ERROR);
}

static void a_store_that_cannot_be_copied_is_left_as_it_is(void **state)
{
	(void)state;
	struct error error = {0};
	char path[160];
	make_first_version();
	// A folder that is not empty stands where the copy goes.
	snprintf(path, sizeof(path), "%s/.muster/store.db.version-1/in/the/way", folder);
	assert_true(file_make_folders(path, 0755, &error));
	assert_null(store_open(folder, STORE_WRITE, &error));
	assert_non_null(strstr(error.message, "has version 1, and could not be brought to"));
	assert_int_equal(execute("store.db", "SELECT * FROM requests"), SQLITE_ERROR);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(requests_wait_in_order_until_they_are_settled),
		IN_FOLDER(ringing_touches_the_bell),
		IN_FOLDER(a_store_of_the_first_version_is_brought_up_to_date),
		IN_FOLDER(many_processes_may_bring_it_up_to_date_at_once),
		IN_FOLDER(a_store_that_cannot_be_copied_is_left_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
