#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/history.h"

static char folder[64];
static struct sandbox *sandbox;
static struct history *history;
static struct arena arena;
static struct history_changes changes;
static struct error error;

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/muster-test-history-XXXXXX");
	if (!mkdtemp(folder)) {
		return -1;
	}
	struct sandbox_settings settings = {.run = "test", .folder = folder};
	sandbox = sandbox_create(sandbox_driver_find("unix-local"), &settings, &error);
	static const char *const untracked[] = {"node_modules", NULL};
	history = history_open(arena_printf(&arena, "%s/history.git", folder), untracked, &error);
	return sandbox && history ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	history_close(history);
	sandbox_detach(sandbox);
	arena_finish(&arena);
	return file_remove_tree(folder, &error) ? 0 : -1;
}

static void put(const char *path, const char *content)
{
	if (!sandbox_write(sandbox, text_of(path), text_of(content), 0, &error)) {
		fail_msg("%s", error.message);
	}
}

static void shell(const char *command)
{
	struct process_result result;
	struct sandbox_command sandboxed = {.shell = command};
	assert_true(sandbox_exec(sandbox, &arena, &sandboxed, &result, &error));
	if (result.status != 0) {
		fail_msg("%s: %.*s", command, (int)result.err.length, result.err.data);
	}
}

static void scan(void)
{
	if (!history_scan(history, sandbox, &arena, &changes, &error)) {
		fail_msg("%s", error.message);
	}
}

static void commit(const char *author)
{
	const char *id;
	if (!history_commit(history, &arena, author, "Turn 1\n", 1000000, &changes, &id, &error)) {
		fail_msg("%s", error.message);
	}
}

// What plain git prints for the history.
static const char *git(const char *arguments)
{
	char *command = arena_printf(
		&arena, "git -c safe.directory='*' -C %s/history.git %s 2>&1", folder, arguments);
	FILE *pipe = popen(command, "r");
	char *output = arena_alloc(&arena, 65536);
	size_t length = fread(output, 1, 65535, pipe);
	output[length] = '\0';
	assert_int_equal(pclose(pipe), 0);
	return output;
}

static void plain_git_reads_what_was_recorded(void **state)
{
	(void)state;
	put("a.md", "one\n");
	put("deep/er/b.txt", "two\n");
	put("deep.txt", "between\n");
	scan();
	assert_int_equal(changes.count, 3);
	assert_text(changes.changes[0].path, "a.md");
	commit("designer");
	put("deep/er/b.txt", "three\n");
	scan();
	assert_int_equal(changes.count, 1);
	assert_int_equal(changes.changes[0].status, HISTORY_CHANGED);
	assert_string_equal(changes.changes[0].sha256,
		"f6936912184481f5edd4c304ce27c5a1a827804fc7f329f43d273b8621870776");
	commit("tester");
	assert_string_equal(git("fsck --strict"), "");
	assert_string_equal(git("log --format='%an %s'"), "tester Turn 1\ndesigner Turn 1\n");
	assert_string_equal(git("show main:deep/er/b.txt"), "three\n");
	assert_string_equal(git("ls-tree -r --name-only main"), "a.md\ndeep.txt\ndeep/er/b.txt\n");
}

static void nothing_changed_means_no_changes(void **state)
{
	(void)state;
	put("a", "x");
	scan();
	commit("a");
	scan();
	assert_int_equal(changes.count, 0);
	shell("touch a");
	scan();
	assert_int_equal(changes.count, 0);
}

static void a_change_within_the_same_tick_is_seen(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		put("a", i % 2 ? "odd" : "evn");
		scan();
		assert_int_equal(changes.count, 1);
		commit("a");
	}
}

static void a_file_may_become_a_folder_and_go_again(void **state)
{
	(void)state;
	put("x", "file");
	scan();
	commit("a");
	shell("rm x; mkdir x; echo in >x/y");
	scan();
	assert_int_equal(changes.count, 2);
	commit("a");
	assert_string_equal(git("ls-tree -r --name-only main"), "x/y\n");
	shell("rm -r x");
	scan();
	assert_int_equal(changes.count, 1);
	assert_int_equal(changes.changes[0].status, HISTORY_DELETED);
	commit("a");
	assert_string_equal(git("ls-tree -r --name-only main"), "");
	assert_string_equal(git("fsck --strict"), "");
}

static void an_agents_git_files_neither_hide_nor_change_artifacts(void **state)
{
	(void)state;
	put(".gitignore", "*\n");
	put(".gitattributes", "* text eol=crlf filter=evil\n");
	put("kept.txt", "line\n");
	shell("mkdir -p .git sub/.GIT && echo x >.git/config && echo y >sub/.GIT/config");
	put("node_modules/m/index.js", "x");
	scan();
	commit("a");
	assert_string_equal(
		git("ls-tree -r --name-only main"), ".gitattributes\n.gitignore\nkept.txt\n");
	assert_string_equal(git("show main:kept.txt"), "line\n");
}

static void links_modes_and_special_files_are_recorded_as_what_they_are(void **state)
{
	(void)state;
	shell("ln -s /etc/passwd out; mkfifo pipe; echo s >run.sh; chmod +x run.sh; "
	      "printf x >\"$(printf 'odd\\nname \\377')\"");
	scan();
	commit("a");
	assert_string_equal(git("-c core.quotepath=on ls-tree -r main | cut -c1-6"),
		"100644\n120000\n100755\n");
	assert_string_equal(git("show main:out"), "/etc/passwd");
}

static void a_new_process_goes_on_where_the_last_one_stopped(void **state)
{
	(void)state;
	put("a/b/c", "1");
	put("d", "2");
	scan();
	commit("a");
	history_close(history);
	history = history_open(arena_printf(&arena, "%s/history.git", folder), NULL, &error);
	assert_non_null(history);
	scan();
	assert_int_equal(changes.count, 0);
	put("a/b/e", "3");
	scan();
	assert_int_equal(changes.count, 1);
	commit("b");
	assert_string_equal(git("ls-tree -r --name-only main"), "a/b/c\na/b/e\nd\n");
	struct text content;
	assert_true(history_blob(history, &arena, changes.changes[0].blob, &content, &error));
	assert_text(content, "3");
}

static void many_files_cost_one_look_when_nothing_changed(void **state)
{
	(void)state;
	shell("mkdir many; for i in $(seq 2000); do echo $i >many/$i; done");
	scan();
	assert_int_equal(changes.count, 2000);
	commit("a");
	usleep(100000);
	scan(); // those that were written just before the first scan are read once more
	scan();
	assert_int_equal(changes.count, 0);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(plain_git_reads_what_was_recorded),
		IN_FOLDER(nothing_changed_means_no_changes),
		IN_FOLDER(a_change_within_the_same_tick_is_seen),
		IN_FOLDER(a_file_may_become_a_folder_and_go_again),
		IN_FOLDER(an_agents_git_files_neither_hide_nor_change_artifacts),
		IN_FOLDER(links_modes_and_special_files_are_recorded_as_what_they_are),
		IN_FOLDER(a_new_process_goes_on_where_the_last_one_stopped),
		IN_FOLDER(many_files_cost_one_look_when_nothing_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
