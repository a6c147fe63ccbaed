#include "test.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "store/internal.h"

static char folder[64];

// The disk as SQLite finds it: these stand before the C library's.
static struct {
	int log_syncs; // of the write-ahead log
	bool sync_fails;
	int writes_left; // then the disk is full; -1: never
} disk = {.writes_left = -1};

static int sync_file(int fd, long call)
{
	char link[64], path[256];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, sizeof(path) - 1);
	path[length > 0 ? length : 0] = '\0';
	if (strstr(path, "store.db-wal")) {
		disk.log_syncs++;
		if (disk.sync_fails) {
			errno = EIO;
			return -1;
		}
	}
	return (int)syscall(call, fd);
}

int fsync(int fd)
{
	return sync_file(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return sync_file(fd, SYS_fdatasync);
}

static bool disk_is_full(void)
{
	if (disk.writes_left < 0) {
		return false;
	}
	if (disk.writes_left == 0) {
		errno = ENOSPC;
		return true;
	}
	disk.writes_left--;
	return false;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
	return disk_is_full() ? -1 : (ssize_t)syscall(SYS_pwrite64, fd, bytes, length, at);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	return disk_is_full() ? -1 : (ssize_t)syscall(SYS_write, fd, bytes, length);
}

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

static bool add_event(struct store *store, int64_t sequence, struct text body, struct error *error)
{
	struct store_event event = {.sequence = sequence, .at = 1, .kind = "x", .body = body};
	return store_add_event(store, "r", &event, error);
}

static void only_a_durable_commit_waits_for_the_disk(void **state)
{
	(void)state;
	struct error error = {0};
	struct store *store = open_store();
	put_run(store, "r", 1); // a new log's head is synced in any case
	disk.log_syncs = 0;
	for (int64_t i = 1; i <= 4; i++) {
		bool durable = i == 4;
		assert_int_equal(disk.log_syncs, 0);
		assert_true(store_begin(store, &error));
		assert_true(add_event(store, i, TEXT("{}"), &error));
		assert_true(store_commit(store, durable, &error));
	}
	assert_int_equal(disk.log_syncs, 1);
	store_close(store);
}

static void a_commit_that_did_not_reach_the_disk_is_told(void **state)
{
	(void)state;
	struct error error = {0};
	struct store *store = open_store();
	put_run(store, "r", 1);
	disk.sync_fails = true;
	assert_true(store_begin(store, &error));
	assert_true(add_event(store, 1, TEXT("{}"), &error));
	assert_false(store_commit(store, true, &error));
	disk.sync_fails = false;
	assert_non_null(strstr(error.message, "on disk: Input/output error"));
	store_rollback(store);
	store_close(store);
	store_close(open_store());
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
	assert_true(store_put_text(store, "r", "k", 1, TEXT("one"), &error));
	assert_true(store_put_text(store, "r", "k", 2, large, &error));
	assert_true(store_commit(store, true, &error));
	buffer_cleanup all = {0};
	assert_true(store_items(store, "r", 0, 0, take_item, &all, &error));
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
	assert_non_null(strstr(error.message, "has version 99, this muster reads version 3"));
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

static void the_database_of_another_program_is_left_alone(void **state)
{
	(void)state;
	char path[128];
	struct error error = {0};
	snprintf(path, sizeof(path), "%s/.muster", folder);
	assert_true(file_make_folders(path, 0755, &error));
	execute("CREATE TABLE recipes(name TEXT)");
	assert_null(store_open(folder, STORE_READ, &error));
	assert_non_null(strstr(error.message, "is no store of muster"));
	assert_null(store_open(folder, STORE_WRITE, &error));
	assert_non_null(strstr(error.message, "is no store of muster"));
	execute("INSERT INTO recipes VALUES('bread')");
	execute("DROP TABLE recipes");
	assert_null(store_open(folder, STORE_READ, &error)); // empty: as if none were there
	assert_non_null(strstr(error.message, "there are no runs here"));
}

static void many_processes_may_start_at_once(void **state)
{
	(void)state;
	enum { PROCESSES = 8 };
	pid_t children[PROCESSES];
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct error error = {0};
			struct store *store = store_open(folder, STORE_WRITE, &error);
			bool fine = store && store_begin(store, &error) &&
				add_event(store, i + 1, TEXT("{}"), &error) &&
				store_commit(store, true, &error);
			if (!fine) {
				fprintf(stderr, "# %s\n", error.message);
			}
			store_close(store);
			_exit(!fine);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	int64_t last = 0;
	struct error error = {0};
	struct store *store = open_store();
	assert_true(store_events(store, "r", 0, count_event, &last, &error));
	assert_int_equal(last, PROCESSES);
	store_close(store);
}

static void what_a_killed_process_had_not_committed_is_not_there(void **state)
{
	(void)state;
	int status;
	pid_t child = fork();
	if (child == 0) {
		struct error error = {0};
		struct store *store = store_open(folder, STORE_WRITE, &error);
		for (int64_t i = 1; i <= 2; i++) {
			if (!store || !store_begin(store, &error) ||
				!add_event(store, i, TEXT("{}"), &error) ||
				(i == 1 && !store_commit(store, false, &error))) {
				_exit(1);
			}
		}
		_exit(0); // as by a signal: nothing is closed
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	int64_t last = 0;
	struct error error = {0};
	struct store *store = open_store();
	assert_true(store_events(store, "r", 0, count_event, &last, &error));
	assert_int_equal(last, 1);
	store_close(store);
}

// Commits events until one fails; returns how many were acknowledged.
static int64_t fill(struct store *store, struct text body, int64_t most, struct error *error)
{
	for (int64_t i = 1; i <= most; i++) {
		if (!store_begin(store, error) || !add_event(store, i, body, error) ||
			!store_commit(store, i % 2, error)) {
			store_rollback(store);
			return i - 1;
		}
	}
	return most;
}

static void a_disk_that_is_full_at_any_write_loses_nothing(void **state)
{
	(void)state;
	bool failed = true;
	char body[9000];
	memset(body, 'b', sizeof(body));
	for (int writes = 0; failed; writes++) {
		struct error error = {0};
		struct store *store = open_store();
		assert_true(store_begin(store, &error));
		assert_true(store_delete(store, "r", &error));
		assert_true(store_commit(store, false, &error));
		disk.writes_left = writes;
		int64_t done = fill(store, (struct text){body, sizeof(body)}, 4, &error);
		disk.writes_left = -1;
		failed = done < 4;
		if (failed) {
			assert_non_null(strstr(error.message, "full"));
			assert_non_null(strstr(error.hint, "make room"));
		}
		store_close(store);
		int64_t last = 0;
		store = open_store();
		assert_true(store_events(store, "r", 0, count_event, &last, &error));
		assert_int_equal(last, done);
		store_close(store);
		assert_true(writes < 200);
	}
}

static bool write_file(const char *path, const char *content)
{
	FILE *file = fopen(path, "w");
	return file && (fputs(content, file) < 0 ? (fclose(file), false) : fclose(file) == 0);
}

// Gives this process a disk of its own at `folder`.
static bool mount_small_disk(void)
{
	char user[64], group[64];
	snprintf(user, sizeof(user), "%u %u 1", geteuid(), geteuid());
	snprintf(group, sizeof(group), "%u %u 1", getegid(), getegid());
	bool alone = unshare(CLONE_NEWNS) == 0 ||
		(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
			write_file("/proc/self/uid_map", user) &&
			write_file("/proc/self/setgroups", "deny") &&
			write_file("/proc/self/gid_map", group));
	return alone && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount("none", folder, "tmpfs", 0, "size=1m") == 0;
}

// 77: not possible here.
static int fill_a_small_disk(void)
{
	struct error error = {0};
	char body[60000];
	memset(body, 'b', sizeof(body));
	if (!mount_small_disk()) {
		return 77;
	}
	struct store *store = store_open(folder, STORE_WRITE, &error);
	int64_t done = store ? fill(store, (struct text){body, sizeof(body)}, 100, &error) : 0;
	store_close(store);
	if (done < 2 || done == 100 || !strstr(error.message, "full") ||
		!strstr(error.hint, "make room")) {
		fprintf(stderr, "# %lld: %s\n", (long long)done, error.message);
		return 1;
	}
	int64_t last = 0;
	store = store_open(folder, STORE_WRITE, &error);
	bool fine = store && store_events(store, "r", 0, count_event, &last, &error);
	if (!fine || last != done) {
		fprintf(stderr, "# %lld of %lld: %s\n", (long long)last, (long long)done,
			error.message);
	}
	store_close(store);
	return !fine || last != done;
}

static void a_small_disk_fills_up_and_loses_nothing(void **state)
{
	(void)state;
	int status;
	pid_t child = fork();
	if (child == 0) {
		_exit(fill_a_small_disk());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("# skipped: a process here may not have a namespace of its own\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static size_t count_blobs(void)
{
	char command[160];
	snprintf(command, sizeof(command), "find %s/.muster/blobs -type f | wc -l", folder);
	FILE *pipe = popen(command, "r");
	size_t count = 0;
	assert_int_equal(fscanf(pipe, "%zu", &count), 1);
	pclose(pipe);
	return count;
}

static void a_deleted_runs_long_texts_go_unless_another_run_has_them(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	struct error error = {0};
	struct store *store = open_store();
	char *bytes = arena_alloc(&arena, 100000);
	memset(bytes, 's', 100000);
	struct text shared = {bytes, 100000}, own = {bytes, 99999}, text;
	struct store_item item = {0, 1, {bytes, 99998}};
	assert_true(store_begin(store, &error));
	assert_true(store_put_text(store, "a", "k", 0, shared, &error));
	assert_true(store_put_text(store, "b", "k", 0, shared, &error));
	assert_true(store_put_text(store, "b", "l", 0, own, &error));
	assert_true(store_add_item(store, "b", &item, &error));
	assert_true(store_commit(store, true, &error));
	assert_int_equal(count_blobs(), 3);
	assert_true(store_begin(store, &error));
	assert_true(store_delete(store, "b", &error));
	assert_true(store_commit(store, true, &error));
	assert_int_equal(count_blobs(), 1);
	assert_true(store_text(store, &arena, "a", "k", &text, &error));
	assert_true(text_equal(text, shared));
	store_close(store);
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
		IN_FOLDER(only_a_durable_commit_waits_for_the_disk),
		IN_FOLDER(a_commit_that_did_not_reach_the_disk_is_told),
		IN_FOLDER(runs_are_found_by_prefix_and_by_age),
		IN_FOLDER(long_texts_lie_in_files_and_come_back_whole),
		IN_FOLDER(odd_file_names_survive),
		IN_FOLDER(a_deleted_run_is_gone_with_its_folder),
		IN_FOLDER(a_store_of_another_version_or_none_at_all_is_refused),
		IN_FOLDER(a_deleted_runs_long_texts_go_unless_another_run_has_them),
		IN_FOLDER(the_database_of_another_program_is_left_alone),
		IN_FOLDER(many_processes_may_start_at_once),
		IN_FOLDER(what_a_killed_process_had_not_committed_is_not_there),
		IN_FOLDER(a_disk_that_is_full_at_any_write_loses_nothing),
		IN_FOLDER(a_small_disk_fills_up_and_loses_nothing),
		IN_FOLDER(a_full_disk_is_one_error_and_loses_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
