#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/internal.h"

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/muster-test-store-XXXXXX");
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

static struct store_run sample(const char *id, int64_t created)
{
	return (struct store_run){.id = id,
		.team = "hello",
		.file = "teams/hello.yaml",
		.state = "done",
		.reason = "",
		.created = created,
		.turns = 3,
		.sandbox = "unix-local"};
}

static void put_run(struct store *store, const char *id, int64_t created)
{
	struct error error = {0};
	struct store_run run = sample(id, created);
	assert_true(store_begin(store, &error));
	assert_true(store_put_run(store, &run, &error));
	assert_true(store_commit(store, true, &error));
}

static bool count_event(void *data, const struct store_event *event)
{
	int64_t *last = data;
	assert_int_equal(event->sequence, *last + 1);
	*last = event->sequence;
	return true;
}

static void what_is_committed_is_there_and_what_is_rolled_back_is_not(void **state)
{
	(void)state;
	struct error error = {0};
	struct store *store = open_store();
	put_run(store, "hello-a", 1);
	for (int64_t i = 1; i <= 4; i++) {
		struct store_event event = {
			.sequence = i, .at = 9, .kind = "x", .body = TEXT("{}")};
		assert_true(store_begin(store, &error));
		assert_true(store_add_event(store, "hello-a", &event, &error));
		if (i < 4) {
			assert_true(store_commit(store, i == 2, &error));
		} else {
			store_rollback(store);
		}
	}
	store_close(store);
	struct store *reader = store_open(folder, STORE_READ, &error);
	int64_t last = 0;
	assert_true(store_events(reader, "hello-a", 0, count_event, &last, &error));
	assert_int_equal(last, 3);
	store_close(reader);
}

static void runs_are_found_by_prefix_and_by_age(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	struct error error = {0};
	struct store *store = open_store();
	put_run(store, "hello-aa", 1);
	put_run(store, "hello-ab", 2);
	put_run(store, "other-x", 3);
	struct store_run run;
	assert_true(store_find(store, &arena, "-1", &run, &error));
	assert_string_equal(run.id, "other-x");
	assert_true(store_find(store, &arena, "-3", &run, &error));
	assert_string_equal(run.id, "hello-aa");
	assert_true(store_find(store, &arena, "oth", &run, &error));
	assert_false(store_find(store, &arena, "hello", &run, &error));
	assert_non_null(strstr(error.message, "could be 2 runs"));
	assert_false(store_find(store, &arena, "-4", &run, &error));
	assert_false(store_find(store, &arena, "nobody", &run, &error));
	assert_int_equal(error.kind, ERROR_USAGE);
	assert_non_null(strstr(error.message, "there is no run 'nobody'"));
	store_close(store);
}

static bool take_item(void *data, const struct store_item *item)
{
	struct buffer *all = data;
	buffer_printf(all, "%lld:%zu:%.1s ", (long long)item->sequence, item->json.length,
		item->json.data);
	return true;
}

static void long_texts_lie_in_files_and_come_back_whole(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	struct error error = {0};
	struct store *store = open_store();
	struct text text, large = {arena_alloc(&arena, 300000), 300000};
	memset((char *)(uintptr_t)large.data, 'L', large.length);
	struct store_item items[] = {{0, 1, TEXT("small")}, {0, 2, large}};
	assert_true(store_begin(store, &error));
	for (size_t i = 0; i < 2; i++) {
		assert_true(store_add_item(store, "r", &items[i], &error));
	}
	assert_true(store_put_text(store, "r", "k", TEXT("one"), &error));
	assert_true(store_put_text(store, "r", "k", large, &error));
	assert_true(store_commit(store, true, &error));
	buffer_cleanup all = {0};
	assert_true(store_items(store, "r", 0, take_item, &all, &error));
	assert_string_equal(all.data, "1:5:s 2:300000:L ");
	assert_true(store_text(store, &arena, "r", "k", &text, &error));
	assert_true(text_equal(text, large));
	assert_false(store_text(store, &arena, "r", "none", &text, &error));
	assert_int_equal(error.kind, ERROR_NONE);
	store_close(store);
}

static bool take_change(void *data, const struct store_change *change)
{
	assert_string_equal(change->path, "a\n\xff.md");
	assert_string_equal(change->agent, "designer");
	assert_true(change->outside);
	++*(int *)data;
	return true;
}

static void odd_file_names_survive(void **state)
{
	(void)state;
	struct error error = {0};
	struct store *store = open_store();
	struct store_change change = {.path = "a\n\xff.md",
		.status = "added",
		.agent = "designer",
		.candidates = "",
		.sha256 = "",
		.blob = "",
		.outside = true};
	int count = 0;
	assert_true(store_begin(store, &error));
	assert_true(store_add_change(store, "r", &change, &error));
	assert_true(store_commit(store, false, &error));
	assert_true(store_changes(store, "r", take_change, &count, &error));
	assert_int_equal(count, 1);
	store_close(store);
}

static void a_deleted_run_is_gone_with_its_folder(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	struct error error = {0};
	struct store *store = open_store();
	put_run(store, "r", 1);
	const char *path = store_run_folder(store, &arena, "r", &error);
	assert_int_equal(access(path, F_OK), 0);
	assert_true(store_begin(store, &error));
	assert_true(store_delete(store, "r", &error));
	assert_true(store_commit(store, true, &error));
	assert_int_not_equal(access(path, F_OK), 0);
	assert_null(store_run_folder(store, &arena, "../x", &error));
	store_close(store);
}

static void execute(const char *sql)
{
	char path[128];
	sqlite3 *database = NULL;
	snprintf(path, sizeof(path), "%s/.muster/store.db", folder);
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(database);
}

static void a_store_of_another_version_or_none_at_all_is_refused(void **state)
{
	(void)state;
	struct error error = {0};
	assert_null(store_open(folder, STORE_READ, &error));
	assert_non_null(strstr(error.message, "there are no runs here"));
	store_close(open_store());
	execute("PRAGMA user_version=99");
	assert_null(store_open(folder, STORE_WRITE, &error));
	assert_non_null(strstr(error.message, "has version 99, this muster reads version 1"));
	execute("PRAGMA application_id=7");
	assert_null(store_open(folder, STORE_WRITE, &error));
	assert_non_null(strstr(error.message, "is no store of muster"));
	char path[128];
	snprintf(path, sizeof(path), "%s/.muster/store.db", folder);
	assert_true(
		file_replace(path, TEXT("this is a text file, no database at all"), 0644, &error));
	assert_null(store_open(folder, STORE_WRITE, &error));
	assert_int_not_equal(error.message[0], 0);
}

static void a_full_disk_is_one_error_and_loses_nothing(void **state)
{
	(void)state;
	struct error error = {0};
	store_close(open_store());
	struct store *store = open_store();
	put_run(store, "kept", 1);
	// As full as a disk can be for a database: no page more.
	struct store_event event = {.at = 1, .kind = "x"};
	char body[4000];
	memset(body, 'b', sizeof(body));
	event.body = (struct text){body, sizeof(body)};
	assert_true(store_begin(store, &error));
	assert_int_equal(
		sqlite3_exec(store->database, "PRAGMA max_page_count=64", NULL, NULL, NULL),
		SQLITE_OK);
	bool fine = true;
	while (fine && event.sequence < 1000) {
		event.sequence++;
		fine = store_add_event(store, "kept", &event, &error);
	}
	assert_false(fine);
	assert_non_null(strstr(error.message, "full"));
	assert_non_null(strstr(error.hint, "make room"));
	store_rollback(store);
	store_close(store);
	arena_cleanup arena = {0};
	struct store_run run;
	store = open_store();
	assert_true(store_find(store, &arena, "kept", &run, &error));
	store_close(store);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_is_committed_is_there_and_what_is_rolled_back_is_not),
		IN_FOLDER(runs_are_found_by_prefix_and_by_age),
		IN_FOLDER(long_texts_lie_in_files_and_come_back_whole),
		IN_FOLDER(odd_file_names_survive),
		IN_FOLDER(a_deleted_run_is_gone_with_its_folder),
		IN_FOLDER(a_store_of_another_version_or_none_at_all_is_refused),
		IN_FOLDER(a_full_disk_is_one_error_and_loses_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
