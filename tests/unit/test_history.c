#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "store/history.h"

static char folder[64];
static struct sandbox *sandbox;
static struct history *history;
static struct arena arena;
static struct history_changes changes;
static struct error error;

// What the history puts on disk. This stands before the C library's function.
static struct {
	char paths[100][128];
	size_t count;
	bool fails;
} synced;

int fsync(int fd)
{
	char link[64];
	if (synced.fails) {
		errno = EIO;
		return -1;
	}
	if (synced.count < 100) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		char *path = synced.paths[synced.count++];
		ssize_t length = readlink(link, path, sizeof(synced.paths[0]) - 1);
		path[length > 0 ? length : 0] = '\0';
	}
	return (int)syscall(SYS_fsync, fd);
}

// How coarse the file system's times are, in nanoseconds; 0: as they come.
static long coarse;

int fstatat(int folder_fd, const char *restrict path, struct stat *restrict status, int flags)
{
	int result = (int)syscall(SYS_newfstatat, folder_fd, path, status, flags);
	if (result == 0 && coarse) {
		status->st_mtim.tv_nsec -= status->st_mtim.tv_nsec % coarse;
		status->st_ctim.tv_nsec -= status->st_ctim.tv_nsec % coarse;
	}
	return result;
}

static int begin(void **state)
{
	(void)state;
	coarse = 0;
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

static void write_in_place(const char *path, const char *content)
{
	FILE *file = fopen(arena_printf(&arena, "%s/workspace/%s", folder, path), "r+");
	assert_non_null(file);
	fputs(content, file);
	fclose(file);
}

// Neither the inode nor the size tells, and often not even the times.
static void a_change_in_place_within_the_same_tick_is_seen(void **state)
{
	(void)state;
	static const long ticks[] = {10 * 1000 * 1000, 1000 * 1000 * 1000};
	struct text content;
	put("a", "new");
	for (int i = 0; i < 100; i++) {
		const char *now = i % 2 ? "odd" : "evn";
		coarse = ticks[i % 4 / 2];
		write_in_place("a", now);
		scan();
		assert_int_equal(changes.count, 1);
		assert_true(
			history_blob(history, &arena, changes.changes[0].blob, &content, &error));
		assert_text(content, now);
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

static void a_file_and_a_folder_of_the_same_name_may_have_two_authors(void **state)
{
	(void)state;
	put("x", "file");
	put("y/a", "inside");
	put("y/b", "inside");
	put("x-1", "in between");
	scan();
	commit("a");
	shell("rm -r x y; mkdir x; echo in >x/z; echo file >y");
	scan();
	struct history_changes all = changes;
	assert_int_equal(all.count, 5); // x gone, x/z, y, y/a gone, y/b gone
	// First the one who made the new, then the one who removed the old.
	struct history_change made[] = {all.changes[1], all.changes[2]};
	struct history_change removed[] = {all.changes[0], all.changes[3], all.changes[4]};
	changes = (struct history_changes){made, 2};
	commit("maker");
	assert_string_equal(git("ls-tree -r --name-only main"), "x-1\nx/z\ny\n");
	changes = (struct history_changes){removed, 3};
	commit("remover");
	assert_string_equal(git("ls-tree -r --name-only main"), "x-1\nx/z\ny\n");
	assert_string_equal(git("fsck --strict"), "");
	scan();
	assert_int_equal(changes.count, 0);
}

static void limit_files(rlim_t size)
{
	struct rlimit limit;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = size;
	signal(SIGXFSZ, size == limit.rlim_max ? SIG_DFL : SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static rlim_t no_limit(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_FSIZE, &limit);
	return limit.rlim_max;
}

static void a_scan_or_a_commit_that_fails_loses_no_change(void **state)
{
	(void)state;
	const char *id;
	put("kept", "1");
	scan();
	commit("a");
	put("dir/new", "2");
	shell("rm kept; ln -s dir/new link; echo 3 >z");
	limit_files(0);
	assert_false(history_scan(history, sandbox, &arena, &changes, &error));
	limit_files(no_limit());
	assert_non_null(strstr(error.message, "cannot write the workspace's history"));
	for (int i = 0; i < 2; i++) {
		scan();
		assert_int_equal(changes.count, 4); // dir/new, kept gone, link, z
		limit_files(i ? 60 : 0);            // the second time only the commit is too large
		assert_false(history_commit(
			history, &arena, "a", "Turn 2\n", 1000000, &changes, &id, &error));
		limit_files(no_limit());
		assert_string_equal(git("ls-tree -r --name-only main"), "kept\n");
	}
	scan();
	assert_int_equal(changes.count, 4);
	commit("a");
	assert_string_equal(git("ls-tree -r --name-only main"), "dir/new\nlink\nz\n");
	assert_string_equal(git("fsck --strict"), "");
}

static bool was_synced(const char *path)
{
	for (size_t i = 0; i < synced.count; i++) {
		if (strcmp(synced.paths[i], path) == 0) {
			return true;
		}
	}
	return false;
}

static void a_commit_is_on_disk_before_the_branch_names_it(void **state)
{
	(void)state;
	const char *id;
	put("a/b", "1");
	put("c", "2");
	scan();
	synced.fails = true;
	assert_false(history_commit(history, &arena, "a", "T\n", 1000000, &changes, &id, &error));
	synced.fails = false;
	assert_non_null(strstr(error.message, "Input/output error"));
	scan();
	assert_int_equal(changes.count, 2);
	synced.count = 0;
	commit("a");
	FILE *pipe =
		popen(arena_printf(&arena, "find %s/history.git/objects -type f", folder), "r");
	char line[256];
	size_t count = 0;
	while (fgets(line, sizeof(line), pipe)) {
		line[strcspn(line, "\n")] = '\0';
		if (!was_synced(line)) {
			fail_msg("%s is not on disk", line);
		}
		count++;
	}
	pclose(pipe);
	assert_int_equal(count, 6); // two blobs, two folders, both commits
}

static void git_clones_whatever_names_an_agent_chose(void **state)
{
	(void)state;
	char name[256];
	memset(name, 'n', 255);
	name[255] = '\0';
	put(name, "longest");
	put("sub/ok", "1");
	put("con", "a device elsewhere");
	put("-rf", "2");
	put("a:b", "3");
	put(".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = /x\n");
	put(".gitx", "4");
	shell("for n in .git .GIT '.git ' '.git.' '.Git . .' git~1 GIT~1 .git:x '.git::$INDEX' "
	      "'.git\\x' 'a\\.git' 'a\\b\\.GIT' \"$(printf '.g\\342\\200\\214it')\"; "
	      "do echo x >\"$n\"; mkdir -p dir; echo x >dir/\"$n\"; "
	      "mkdir \"in $n\" folders folders/\"$n\" 2>/dev/null; echo x >folders/\"$n\"/y; done; "
	      "ln -s x dir/.gitmodules; ln -s x 'gitmod~1'; ln -s x GI7EBA~1; echo y >'a\\b'; "
	      "printf z >\"$(printf 'odd\\nname \\377')\"");
	scan();
	commit("a");
	assert_string_equal(git("fsck"), "");
	git(arena_printf(&arena,
		"-c protocol.file.allow=always -c core.protectHFS=true "
		"-c core.protectNTFS=true clone -q . %s/clone",
		folder));
	const char *listed = git("ls-tree -r --name-only main");
	assert_string_equal(listed,
		arena_printf(&arena,
			"-rf\n.gitmodules\n.gitx\na:b\n\"a\\\\b\"\ncon\n%s\n"
			"\"odd\\nname \\377\"\nsub/ok\n",
			name));
	git(arena_printf(&arena, "--git-dir=%s/clone/.git --work-tree=%s/clone diff --exit-code",
		folder, folder));
}

static void folders_that_are_left_out_may_hold_anything(void **state)
{
	(void)state;
	shell("mkdir -p a/node_modules b/.git && cd a/node_modules && for i in $(seq 100); do "
	      "mkdir d; "
	      "cd d; done");
	put("kept", "1");
	scan();
	assert_int_equal(changes.count, 1);
	shell("mkdir deep; cd deep; for i in $(seq 100); do mkdir d; cd d; done");
	assert_false(history_scan(history, sandbox, &arena, &changes, &error));
	assert_non_null(strstr(error.message, "too deep to record"));
}

static void make_long_file(const char *path, int64_t size)
{
	file_cleanup fd = open(arena_printf(&arena, "%s/workspace/%s", folder, path),
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(pwrite(fd, "end", 3, size - 3), 3);
}

static void long_files_are_recorded_and_longer_ones_by_their_hash(void **state)
{
	(void)state;
	enum { MEBIBYTE = 1024 * 1024 };
	struct text content;
	make_long_file("a", 3 * MEBIBYTE);
	make_long_file("b", HISTORY_FILE_LIMIT + 1);
	make_long_file("c", INT64_C(8) * 1024 * 1024 * MEBIBYTE);
	make_long_file("d", 256 * 1024); // as much as is read at once
	scan();
	commit("a");
	assert_int_equal(changes.count, 4);
	assert_string_equal(git("show main:a | sha256sum | cut -c1-64"),
		arena_printf(&arena, "%s\n", changes.changes[0].sha256));
	assert_string_equal(git("show main:a | tail -c 3"), "end");
	assert_string_equal(git("cat-file -s main:d"), "262144\n");
	assert_true(history_blob(history, &arena, changes.changes[1].blob, &content, &error));
	assert_text(content,
		arena_printf(&arena,
			"muster: a file of %d bytes that is too large for the history\nsha256 %s\n",
			HISTORY_FILE_LIMIT + 1, changes.changes[1].sha256));
	assert_string_equal(changes.changes[2].sha256, "");
	assert_true(history_blob(history, &arena, changes.changes[2].blob, &content, &error));
	assert_true(text_starts(content,
		"muster: a file of 8796093022208 bytes that is too large "
		"for the history\nmodified "));
	make_long_file("b", HISTORY_FILE_LIMIT); // a little shorter, and it fits
	scan();
	assert_int_equal(changes.count, 1);
	commit("a");
	assert_string_equal(git("cat-file -s main:b"), "67108864\n");
}

static void a_file_without_permissions_does_not_stop_the_record(void **state)
{
	(void)state;
	uid_t user = geteuid();
	struct text content;
	put("a", "secret");
	put("b", "open");
	scan();
	commit("a");
	shell("chmod 000 a; echo new >b");
	if (user == 0) { // root reads everything, so it must be another one who tries
		assert_int_equal(system(arena_printf(&arena, "chown -R 65534 %s", folder)), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	bool fine = history_scan(history, sandbox, &arena, &changes, &error);
	assert_int_equal(seteuid(user), 0);
	if (!fine) {
		fail_msg("%s", error.message);
	}
	assert_int_equal(changes.count, 2);
	assert_true(history_blob(history, &arena, changes.changes[0].blob, &content, &error));
	assert_true(
		text_starts(content, "muster: a file of 6 bytes that cannot be read\nmodified "));
	commit("a");
	shell("chmod 644 a");
	scan();
	assert_int_equal(changes.count, 1);
	commit("a");
	assert_string_equal(git("show main:a"), "secret");
}

static void a_workspace_on_another_machine_is_recorded_too(void **state)
{
	(void)state;
	struct sandbox_session *session = (struct sandbox_session *)sandbox;
	const struct sandbox_driver *local = session->driver;
	static struct sandbox_driver far;
	far = *local;
	far.host_folder = NULL;
	session->driver = &far;
	coarse = 1000 * 1000 * 1000;
	put("a/b", "1");
	put("node_modules/x", "2");
	make_long_file("c", HISTORY_FILE_LIMIT + 1);
	shell("ln -s a/b link");
	scan();
	assert_int_equal(changes.count, 3);
	commit("a");
	assert_string_equal(git("ls-tree -r --name-only main"), "a/b\nc\nlink\n");
	assert_string_equal(git("show main:link"), "a/b");
	for (int i = 0; i < 20; i++) {
		write_in_place("a/b", i % 2 ? "1" : "2");
		scan();
		assert_int_equal(changes.count, 1);
		commit("a");
	}
	scan();
	assert_int_equal(changes.count, 0);
	session->driver = local;
}

static void a_damaged_history_is_an_error_and_no_new_beginning(void **state)
{
	(void)state;
	put("a", "1");
	scan();
	commit("a");
	history_close(history);
	char *path = arena_printf(&arena, "%s/history.git", folder);
	char *branch = arena_printf(&arena, "%s/refs/heads/main", path);
	struct text good;
	assert_true(file_read(&arena, branch, 1000, &good, &error));
	assert_true(file_replace(branch, TEXT(""), 0644, &error));
	history = history_open(path, NULL, &error);
	assert_null(history);
	assert_non_null(strstr(error.message, "cannot read the workspace's history"));
	assert_true(file_replace(branch, good, 0644, &error));
	history = history_open(path, NULL, &error);
	assert_non_null(history);
}

static void what_a_killed_process_left_in_the_history_is_removed(void **state)
{
	(void)state;
	put("a", "1");
	scan();
	commit("a");
	history_close(history);
	const char *path = arena_printf(&arena, "%s/history.git", folder);
	const char *left = arena_printf(&arena, "%s/refs/heads/.muster-0123456789abcdef.tmp", path);
	const char *lock = arena_printf(&arena, "%s/HEAD.lock", path);
	assert_true(file_replace(left, TEXT("half"), 0644, &error));
	assert_true(file_replace(lock, TEXT("half"), 0644, &error));
	history = history_open(path, NULL, &error);
	assert_non_null(history);
	assert_int_equal(access(left, F_OK), -1);
	assert_int_equal(access(lock, F_OK), -1);
	scan();
	assert_int_equal(changes.count, 0);
}

static void many_files_cost_one_look_when_nothing_changed(void **state)
{
	(void)state;
	shell("mkdir many; for i in $(seq 600); do echo $i >many/$i; done");
	scan();
	assert_int_equal(changes.count, 600);
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
		IN_FOLDER(a_change_in_place_within_the_same_tick_is_seen),
		IN_FOLDER(a_file_may_become_a_folder_and_go_again),
		IN_FOLDER(an_agents_git_files_neither_hide_nor_change_artifacts),
		IN_FOLDER(links_modes_and_special_files_are_recorded_as_what_they_are),
		IN_FOLDER(a_new_process_goes_on_where_the_last_one_stopped),
		IN_FOLDER(a_file_and_a_folder_of_the_same_name_may_have_two_authors),
		IN_FOLDER(a_scan_or_a_commit_that_fails_loses_no_change),
		IN_FOLDER(a_commit_is_on_disk_before_the_branch_names_it),
		IN_FOLDER(git_clones_whatever_names_an_agent_chose),
		IN_FOLDER(folders_that_are_left_out_may_hold_anything),
		IN_FOLDER(long_files_are_recorded_and_longer_ones_by_their_hash),
		IN_FOLDER(a_file_without_permissions_does_not_stop_the_record),
		IN_FOLDER(a_workspace_on_another_machine_is_recorded_too),
		IN_FOLDER(a_damaged_history_is_an_error_and_no_new_beginning),
		IN_FOLDER(what_a_killed_process_left_in_the_history_is_removed),
		IN_FOLDER(many_files_cost_one_look_when_nothing_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
