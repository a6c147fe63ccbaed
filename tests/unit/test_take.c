#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/path.h"
#include "store/take.h"

// A run's workspace, written as the sandbox would; its history and journal; and a folder to take
// the work into.
static char folder[64];
static struct sandbox *sandbox;
static struct history *writer;
static struct store *store;
static struct take take;
static struct arena arena;
static struct error error;

static const char *in(const char *where, const char *path)
{
	return arena_printf(&arena, "%s/%s%s%s", folder, where, path[0] ? "/" : "", path);
}

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/muster-test-take-XXXXXX");
	if (!mkdtemp(folder) || !file_make_folders(in("to", ""), 0755, &error)) {
		return -1;
	}
	struct sandbox_settings settings = {.run = "test", .folder = folder};
	sandbox = sandbox_create(sandbox_driver_find("unix-local"), &settings, &error);
	writer = history_open(in("history.git", ""), NULL, &error);
	store = store_open(folder, STORE_WRITE, &error);
	struct store_run run = {.id = "test",
		.team = "t",
		.file = "f",
		.state = "done",
		.reason = "",
		.sandbox = ""};
	take = (struct take){.arena = &arena, .folder = -1, .workspace = -1};
	if (error.message[0]) {
		print_error("%s\n", error.message);
	}
	return sandbox && writer && store && store_begin(store, &error) &&
			store_put_run(store, &run, &error) && store_commit(store, false, &error)
		? 0
		: -1;
}

static int end(void **state)
{
	(void)state;
	history_close(writer);
	history_close(take.history);
	file_close(&take.folder);
	file_close(&take.workspace);
	store_close(store);
	sandbox_detach(sandbox);
	arena_finish(&arena);
	error = (struct error){0};
	return file_remove_tree(folder, &error) ? 0 : -1;
}

static void put(const char *where, const char *path, const char *content)
{
	const char *full = in(where, path);
	char *parent = path_folder(&arena, full);
	if (!file_make_folders(parent, 0755, &error) ||
		!file_replace(full, text_of(content), 0644, &error)) {
		fail_msg("%s", error.message);
	}
}

static void lead(const char *where, const char *path, const char *target)
{
	assert_int_equal(symlink(target, in(where, path)), 0);
}

static void drop(const char *where, const char *path)
{
	assert_int_equal(remove(in(where, path)), 0);
}

// What changed in the workspace is recorded as this author's, in history and journal.
static void record(int turn, const char *author)
{
	static const char *const statuses[] = {"added", "changed", "deleted"};
	struct history_changes changes;
	const char *id;
	assert_true(history_scan(writer, sandbox, &arena, &changes, &error));
	assert_true(history_commit(writer, &arena, author,
		arena_printf(&arena, "Turn %d: x\n", turn), 0, &changes, &id, &error));
	assert_true(store_begin(store, &error));
	for (size_t i = 0; i < changes.count; i++) {
		const struct history_change *found = &changes.changes[i];
		struct store_change change = {.turn = turn,
			.record = turn + 1,
			.path = text_string(&arena, found->path),
			.status = statuses[found->status],
			.agent = author,
			.candidates = "",
			.sha256 = found->sha256,
			.blob = found->blob,
			.size = found->size};
		assert_true(store_add_change(store, "test", &change, &error));
	}
	assert_true(store_commit(store, false, &error));
}

static void plan(bool all)
{
	history_close(take.history);
	file_close(&take.folder);
	take.history = history_open_read(in("history.git", ""), &error);
	take.folder = folder_open(in("to", ""), &error);
	if (!take.history || take.folder < 0 || !take_plan(&take, store, "test", all, &error)) {
		fail_msg("%s", error.message);
	}
}

static void perform(bool force)
{
	if (!take_perform(&take, force, &error)) {
		fail_msg("%s", error.message);
	}
}

static void refused(bool force)
{
	error = (struct error){0};
	assert_false(take_perform(&take, force, &error));
	assert_true(error.message[0] != '\0');
}

static const struct take_item *item(const char *path)
{
	for (size_t i = 0; i < take.count; i++) {
		if (strcmp(take.items[i].path, path) == 0) {
			return &take.items[i];
		}
	}
	fail_msg("'%s' is not in the plan", path);
	return NULL;
}

static void has(const char *path, const char *content)
{
	struct text found;
	if (!file_read(&arena, in("to", path), 1 << 20, &found, &error)) {
		fail_msg("%s", error.message);
	}
	assert_text(found, content);
}

static bool is_there(const char *path)
{
	struct stat status;
	return lstat(in("to", path), &status) == 0;
}

static void an_empty_folder_gets_what_the_run_made(void **state)
{
	(void)state;
	struct stat status;
	put("workspace", "given", "same\n");
	record(0, "manifest");
	put("workspace", "deep/er/a", "work\n");
	put("workspace", "tool", "#!\n");
	chmod(in("workspace", "tool"), 0755);
	lead("workspace", "deep/link", "../tool");
	record(1, "writer");
	plan(false);
	assert_int_equal(take.count, 3);
	assert_string_equal(item("tool")->agent, "writer");
	assert_int_equal(take_count(&take, TAKE_DUE), 3);
	assert_false(is_there("tool"));
	perform(false);
	assert_int_equal(take_count(&take, TAKE_TAKEN), 3);
	has("deep/er/a", "work\n");
	has("deep/link", "#!\n");
	assert_int_equal(stat(in("to", "tool"), &status), 0);
	assert_true(status.st_mode & S_IXUSR);
	assert_false(is_there("given"));
	plan(true);
	assert_int_equal(take_count(&take, TAKE_DONE), 3);
	perform(false);
	has("given", "same\n");
}

static void what_the_run_started_with_is_updated(void **state)
{
	(void)state;
	put("workspace", "changed", "old\n");
	put("workspace", "deep/gone", "old\n");
	put("workspace", "file", "old\n");
	put("workspace", "folder/a", "old\n");
	record(0, "manifest");
	assert_int_equal(
		system(arena_printf(&arena, "cp -r %s/. %s", in("workspace", ""), in("to", ""))),
		0);
	put("workspace", "changed", "new\n");
	drop("workspace", "deep/gone");
	drop("workspace", "file");
	put("workspace", "file/inner", "new\n");
	drop("workspace", "folder/a");
	drop("workspace", "folder");
	put("workspace", "folder", "new\n");
	record(1, "writer");
	plan(false);
	assert_int_equal(take_count(&take, TAKE_DUE), 6);
	perform(false);
	has("changed", "new\n");
	has("file/inner", "new\n");
	has("folder", "new\n");
	assert_false(is_there("deep"));
	plan(false);
	assert_int_equal(take_count(&take, TAKE_DONE), take.count);
}

static void what_the_user_changed_meanwhile_is_not_overwritten(void **state)
{
	(void)state;
	put("workspace", "changed", "old\n");
	put("workspace", "gone", "old\n");
	record(0, "manifest");
	put("workspace", "changed", "new\n");
	put("workspace", "added", "new\n");
	put("workspace", "fine", "new\n");
	put("workspace", "link", "new\n");
	drop("workspace", "gone");
	record(1, "writer");
	put("to", "changed", "mine\n");
	put("to", "added", "mine\n");
	put("to", "gone", "mine\n");
	put("to", "target", "mine\n");
	lead("to", "link", "target");
	plan(false);
	assert_int_equal(take_count(&take, TAKE_CONFLICT), 4);
	assert_int_equal(item("fine")->verdict, TAKE_DUE);
	assert_non_null(item("gone")->reason);
	refused(false);
	has("changed", "mine\n");
	has("added", "mine\n");
	has("gone", "mine\n");
	assert_false(is_there("fine"));
	perform(true);
	has("changed", "new\n");
	has("added", "new\n");
	has("fine", "new\n");
	has("link", "new\n");
	has("target", "mine\n");
	assert_false(is_there("gone"));
}

static void what_changes_between_plan_and_deed_is_not_overwritten(void **state)
{
	(void)state;
	put("workspace", "a", "new\n");
	record(1, "writer");
	plan(false);
	put("to", "a", "mine\n");
	refused(false);
	has("a", "mine\n");
}

static void nothing_is_written_through_a_link_that_leads_out(void **state)
{
	(void)state;
	put("workspace", "out/a", "new\n");
	put("workspace", "in/a", "new\n");
	record(1, "writer");
	assert_true(file_make_folders(in("elsewhere", ""), 0755, &error));
	assert_true(file_make_folders(in("to", "real"), 0755, &error));
	lead("to", "out", "../elsewhere");
	lead("to", "in", "real");
	plan(false);
	assert_int_equal(item("out/a")->verdict, TAKE_BLOCKED);
	refused(true);
	assert_int_not_equal(access(in("elsewhere", "a"), F_OK), 0);
	drop("to", "out");
	plan(false);
	perform(false);
	has("real/a", "new\n");
}

static void what_is_in_the_way_stays(void **state)
{
	(void)state;
	put("workspace", "a", "new\n");
	put("workspace", "b/c", "new\n");
	record(1, "writer");
	put("to", "a/mine", "mine\n");
	put("to", "b", "mine\n");
	plan(false);
	assert_int_equal(take_count(&take, TAKE_BLOCKED), 2);
	refused(true);
	has("a/mine", "mine\n");
	has("b", "mine\n");
}

static void links_that_could_lead_out_are_left_out(void **state)
{
	(void)state;
	static const struct {
		const char *path, *target;
		bool taken;
	} links[] = {{"absolute", "/etc/passwd", false}, {"up", "../x", false},
		{"d/fine", "../x", true}, {"d/far", "../../x", false}, {"down-up", "d/../x", false},
		{"here", "./x", true}, {"store", "d/.Muster/x", false}, {"hooks", ".git", false}};
	size_t count = sizeof(links) / sizeof(links[0]);
	assert_true(file_make_folders(in("workspace", "d"), 0755, &error));
	for (size_t i = 0; i < count; i++) {
		lead("workspace", links[i].path, links[i].target);
	}
	record(1, "writer");
	plan(false);
	perform(false);
	for (size_t i = 0; i < count; i++) {
		if (is_there(links[i].path) != links[i].taken) {
			fail_msg("%s -> %s", links[i].path, links[i].target);
		}
		assert_int_equal(
			item(links[i].path)->verdict, links[i].taken ? TAKE_TAKEN : TAKE_LEFT_OUT);
	}
}

static void names_of_muster_are_left_out(void **state)
{
	(void)state;
	put("workspace", ".muster/runs/x/inbox", "approve\n");
	put("workspace", "deep/.MUSTER", "x\n");
	put("workspace", ".muster-like", "x\n");
	record(1, "writer");
	plan(false);
	assert_int_equal(take_count(&take, TAKE_LEFT_OUT), 2);
	perform(false);
	assert_false(is_there(".muster"));
	has(".muster-like", "x\n");
}

static void what_the_history_only_points_to_comes_from_the_workspace(void **state)
{
	(void)state;
	put("workspace", "large", "start\n");
	assert_int_equal(truncate(in("workspace", "large"), HISTORY_FILE_LIMIT + 1), 0);
	record(1, "writer");
	plan(false);
	perform(false);
	assert_int_equal(item("large")->verdict, TAKE_LEFT_OUT);
	assert_false(is_there("large"));
	take.workspace = folder_open(in("workspace", ""), &error);
	plan(false);
	perform(false);
	struct stat status;
	assert_int_equal(stat(in("to", "large"), &status), 0);
	assert_int_equal(status.st_size, HISTORY_FILE_LIMIT + 1);
	plan(false);
	assert_int_equal(item("large")->verdict, TAKE_DONE);
}

static void a_run_that_recorded_nothing_has_nothing_to_take(void **state)
{
	(void)state;
	plan(true);
	assert_int_equal(take.count, 0);
	perform(false);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(an_empty_folder_gets_what_the_run_made),
		IN_FOLDER(what_the_run_started_with_is_updated),
		IN_FOLDER(what_the_user_changed_meanwhile_is_not_overwritten),
		IN_FOLDER(what_changes_between_plan_and_deed_is_not_overwritten),
		IN_FOLDER(nothing_is_written_through_a_link_that_leads_out),
		IN_FOLDER(what_is_in_the_way_stays),
		IN_FOLDER(links_that_could_lead_out_are_left_out),
		IN_FOLDER(names_of_muster_are_left_out),
		IN_FOLDER(what_the_history_only_points_to_comes_from_the_workspace),
		IN_FOLDER(a_run_that_recorded_nothing_has_nothing_to_take),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
