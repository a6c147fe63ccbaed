#include "test.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

static char place[32];
static int folder;
static struct arena arena;

// A folder "inside" to be worked in, beside a file "outside.txt" that must never be touched.
static int set_up(void **state)
{
	(void)state;
	struct error error = {0};
	strcpy(place, "/tmp/muster-test-file-XXXXXX");
	if (!mkdtemp(place) || chdir(place) < 0 || mkdir("inside", 0755) < 0 ||
		!file_replace("outside.txt", TEXT("outside"), 0644, &error)) {
		return -1;
	}
	folder = folder_open("inside", &error);
	return folder < 0 || chdir("inside") < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	struct error error = {0};
	file_close(&folder);
	arena_finish(&arena);
	return chdir("/") < 0 || !file_remove_tree(place, &error) ? -1 : 0;
}

static void expect_read(const char *path, const char *expected)
{
	struct error error = {0};
	struct text content;
	if (!folder_read(&arena, folder, text_of(path), 1024, &content, &error)) {
		fail_msg("%s", error.message);
	}
	assert_text(content, expected);
}

static void expect_refused(const char *path, const char *reason)
{
	struct error error = {0};
	struct text content;
	assert_false(folder_read(&arena, folder, text_of(path), 1024, &content, &error));
	if (!strstr(error.message, reason)) {
		fail_msg("'%s' does not say '%s'", error.message, reason);
	}
	assert_int_equal(error.kind, ERROR_FAILED);
	file_cleanup fd = folder_open_file(folder, text_of(path), &error);
	assert_int_equal(fd, -1);
}

static void write_inside(const char *path, const char *content)
{
	struct error error = {0};
	if (!folder_write(folder, text_of(path), text_of(content), 0644, &error)) {
		fail_msg("%s", error.message);
	}
}

static void assert_outside_untouched(void)
{
	struct error error = {0};
	struct text content;
	assert_true(file_read(&arena, "../outside.txt", 100, &content, &error));
	assert_text(content, "outside");
}

static void a_file_is_replaced_whole_with_the_mode_asked_for(void **state)
{
	(void)state;
	struct stat status;
	write_inside("a/b/c.txt", "first");
	write_inside("a/b/c.txt", "2nd");
	expect_read("a/b/c.txt", "2nd");
	assert_int_equal(folder_stat(folder, TEXT("a/b/c.txt")).mode, 0644);
	struct error error = {0};
	assert_true(folder_write(folder, TEXT("tool"), TEXT("x"), 06755, &error));
	assert_int_equal(folder_stat(folder, TEXT("tool")).mode, 0755); // never setuid
	struct folder_list list;
	assert_true(folder_scan(&arena, folder, TEXT(""), 100, NULL, NULL, &list, &error));
	assert_int_equal(list.count, 4); // no temporary file is left
	assert_int_equal(stat("a/b", &status), 0);
	assert_true(S_ISDIR(status.st_mode));
}

static void a_name_of_255_bytes_can_be_written(void **state)
{
	(void)state;
	char name[256] = {0};
	memset(name, 'n', 255);
	write_inside(name, "long");
	expect_read(name, "long");
}

static void links_inside_work_and_links_outside_are_refused(void **state)
{
	(void)state;
	write_inside("real/file", "content");
	assert_int_equal(symlink("real/file", "good"), 0);
	assert_int_equal(symlink("real", "folder"), 0);
	expect_read("good", "content");
	expect_read("folder/file", "content");
	assert_int_equal(symlink("../outside.txt", "relative"), 0);
	assert_int_equal(symlink("/etc/passwd", "absolute"), 0);
	assert_int_equal(symlink("..", "up"), 0);
	assert_int_equal(symlink("/proc/self/root/etc/passwd", "magic"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	expect_refused("relative", "leaves the workspace");
	expect_refused("absolute", "leaves the workspace");
	expect_refused("magic", "leaves the workspace");
	expect_refused("up/outside.txt", "leaves the workspace");
	expect_refused("../outside.txt", "leaves the workspace");
	expect_refused("loop", "in circles");
	expect_refused("dangling", "leads nowhere");
	expect_refused("missing", "does not exist");
	expect_refused("good/below", "does not exist");
}

static void nothing_is_written_or_removed_through_a_link(void **state)
{
	(void)state;
	struct error error = {0};
	write_inside("real", "content");
	assert_int_equal(symlink("../outside.txt", "out"), 0);
	assert_int_equal(symlink("..", "up"), 0);
	assert_int_equal(symlink("real", "alias"), 0);
	static const char *const paths[] = {
		"out", "up/outside.txt", "../outside.txt", "up", "alias", "up/new/file"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_false(folder_write(folder, text_of(paths[i]), TEXT("evil"), 0644, &error));
	}
	assert_false(folder_make(folder, TEXT("up/made"), &error));
	assert_false(folder_remove(folder, TEXT("up/outside.txt"), &error));
	assert_false(folder_remove_tree(folder, TEXT("up/outside.txt"), &error));
	assert_false(folder_remove_tree(folder, TEXT(""), &error));
	assert_int_equal(access("../made", F_OK), -1);
	assert_true(folder_remove(folder, TEXT("out"), &error)); // the link itself
	assert_outside_untouched();
	expect_read("real", "content");
}

// Swaps the folder "swapped" with a link that leads outside, again and again.
static void *swap(void *data)
{
	atomic_bool *over = data;
	while (!atomic_load(over)) {
		syscall(SYS_renameat2, AT_FDCWD, "swapped", AT_FDCWD, "link", RENAME_EXCHANGE);
	}
	return NULL;
}

static void a_folder_swapped_for_a_link_meanwhile_leads_nowhere(void **state)
{
	(void)state;
	struct error error = {0};
	struct text content;
	pthread_t thread;
	atomic_bool over = false;
	int read = 0, written = 0;
	assert_true(file_make_folders("../target", 0755, &error));
	assert_true(file_replace("../target/file", TEXT("outside"), 0644, &error));
	write_inside("swapped/file", "inside");
	assert_int_equal(symlink("../target", "link"), 0);
	assert_int_equal(pthread_create(&thread, NULL, swap, &over), 0);
	for (int i = 0; i < 3000; i++) {
		arena_cleanup round = {0};
		struct text path = TEXT("swapped/file");
		if (folder_read(&round, folder, path, 100, &content, &error)) {
			assert_text(content, "inside");
			read++;
		}
		written += folder_write(folder, path, TEXT("inside"), 0644, &error);
		folder_remove(folder, TEXT("swapped/none"), &error);
		folder_remove_tree(folder, TEXT("swapped/none"), &error);
		folder_make(folder, TEXT("swapped/made"), &error);
	}
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	assert_true(read > 0 && written > 0);
	assert_true(file_read(&arena, "../target/file", 100, &content, &error));
	assert_text(content, "outside");
	assert_int_equal(access("../target/made", F_OK), -1);
}

static void special_files_are_told_at_once_and_never_opened(void **state)
{
	(void)state;
	struct error error = {0};
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "sock"};
	assert_int_equal(mkfifo("design_spec.md", 0644), 0);
	file_cleanup fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(mkdir("index.html", 0755), 0);
	alarm(10); // a blocked open ends the test
	expect_refused("design_spec.md", "is a FIFO, not a regular file");
	expect_refused("sock", "is a socket, not a regular file");
	expect_refused("index.html", "is a folder, not a regular file");
	assert_false(folder_write(folder, TEXT("design_spec.md"), TEXT("x"), 0644, &error));
	assert_false(folder_write(folder, TEXT("index.html"), TEXT("x"), 0644, &error));
	alarm(0);
}

static void a_file_over_the_limit_is_refused_without_being_read(void **state)
{
	(void)state;
	struct error error = {0};
	struct text content;
	file_cleanup fd = open("sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	assert_false(folder_read(&arena, folder, TEXT("sparse"), 1024, &content, &error));
	assert_non_null(strstr(error.message, "larger than 1024 bytes"));
	write_inside("exact", "12345");
	assert_true(folder_read(&arena, folder, TEXT("exact"), 5, &content, &error));
	assert_text(content, "12345");
	assert_false(folder_read(&arena, folder, TEXT("exact"), 4, &content, &error));
}

static void hostile_names_are_names(void **state)
{
	(void)state;
	static const char *const names[] = {"-rf", "new\nline", "esc\033[31m", "\xff\xfe", "..  ",
		"...", "a b'c\"d", "$(touch x)", "\xe2\x80\xae"};
	struct error error = {0};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		write_inside(names[i], names[i]);
		expect_read(names[i], names[i]);
	}
	struct folder_list list;
	assert_true(folder_scan(&arena, folder, TEXT(""), 100, NULL, NULL, &list, &error));
	assert_int_equal(list.count, sizeof(names) / sizeof(names[0]));
	expect_refused("gone\033[31m", "gone\\x1b[31m");
	struct text zero = TEXT("exact\0hidden");
	struct text content;
	assert_false(folder_read(&arena, folder, zero, 10, &content, &error));
	assert_false(folder_write(folder, zero, TEXT("x"), 0644, &error));
	char deep[5000];
	memset(deep, '/', sizeof(deep));
	assert_int_equal(
		folder_stat(folder, (struct text){deep, sizeof(deep)}).kind, FOLDER_MISSING);
}

static bool skip_modules(void *data, struct text path)
{
	(void)data;
	return text_is(path, "node_modules");
}

static void a_scan_tells_kinds_in_order_and_does_not_follow_links(void **state)
{
	(void)state;
	struct error error = {0};
	struct folder_list list;
	write_inside("b/file", "12345");
	write_inside("node_modules/x", "");
	assert_int_equal(symlink("..", "a"), 0);
	assert_int_equal(mkfifo("c", 0600), 0);
	assert_true(folder_scan(&arena, folder, TEXT(""), 100, skip_modules, NULL, &list, &error));
	assert_int_equal(list.count, 4);
	assert_false(list.cut);
	assert_text(list.entries[0].path, "a");
	assert_int_equal(list.entries[0].kind, FOLDER_LINK);
	assert_text(list.entries[1].path, "b");
	assert_int_equal(list.entries[1].kind, FOLDER_FOLDER);
	assert_text(list.entries[2].path, "b/file");
	assert_int_equal(list.entries[2].size, 5);
	assert_int_equal(list.entries[3].kind, FOLDER_SPECIAL);
	assert_true(folder_scan(&arena, folder, TEXT("b"), 100, NULL, NULL, &list, &error));
	assert_int_equal(list.count, 1);
	assert_text(list.entries[0].path, "b/file");
	assert_true(folder_scan(&arena, folder, TEXT(""), 2, NULL, NULL, &list, &error));
	assert_int_equal(list.count, 2);
	assert_true(list.cut);
	assert_false(folder_scan(&arena, folder, TEXT("a"), 100, NULL, NULL, &list, &error));
}

// Leaves the working folder at the bottom.
static void dig(int depth)
{
	for (int i = 0; i < depth; i++) {
		assert_int_equal(mkdir("d", 0755), 0);
		assert_int_equal(chdir("d"), 0);
	}
}

// Whoever may read a folder's names, but not what they stand for, gets the rest all the same.
static int scan_as_user(void)
{
	char own[] = "/tmp/muster-test-file-user-XXXXXX";
	struct error error = {0};
	struct folder_list list;
	if ((geteuid() == 0 &&
		    (setgroups(0, NULL) < 0 || setgid(12345) < 0 || setuid(12345) < 0)) ||
		!mkdtemp(own) || chdir(own) < 0) {
		return 1;
	}
	int fd = folder_open(own, &error);
	if (fd < 0 || !folder_write(fd, TEXT("locked/a"), TEXT("a"), 0644, &error) ||
		!folder_write(fd, TEXT("z"), TEXT("z"), 0644, &error) ||
		chmod("locked", 0444) < 0) {
		return 2;
	}
	bool fine = folder_scan(&arena, fd, TEXT(""), 10, NULL, NULL, &list, &error);
	bool told = fine && list.count == 2 && text_is(list.entries[0].path, "locked") &&
		text_is(list.entries[1].path, "z");
	return !file_remove_tree(own, &error) ? 3 : !fine ? 4 : !told ? 5 : 0;
}

static void a_folder_that_may_only_be_listed_does_not_stop_a_scan(void **state)
{
	(void)state;
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		_exit(scan_as_user());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static bool folder_is_failing;

// This stands before the C library's function.
struct dirent *readdir(DIR *opened)
{
	static struct dirent *(*real)(DIR *);
	if (folder_is_failing) {
		errno = EIO;
		return NULL;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "readdir");
	return real(opened);
}

static void a_folder_that_cannot_be_read_is_not_taken_for_an_empty_one(void **state)
{
	(void)state;
	struct error error = {0};
	struct folder_list list;
	write_inside("a", "a");
	folder_is_failing = true;
	bool fine = folder_scan(&arena, folder, TEXT(""), 10, NULL, NULL, &list, &error);
	folder_is_failing = false;
	assert_false(fine);
	assert_non_null(strstr(error.message, "Input/output error"));
}

static void any_tree_can_be_removed(void **state)
{
	(void)state;
	struct error error = {0};
	write_inside("tree/0/1/2", "names of numbers");
	write_inside("tree/1", "");
	write_inside("tree/locked/x/y", "no permissions");
	assert_int_equal(symlink("../..", "tree/up"), 0);
	assert_int_equal(chmod("tree/locked/x", 0), 0);
	assert_int_equal(chmod("tree/locked", 0), 0);
	assert_int_equal(chdir("tree"), 0);
	dig(3000); // deeper than a path or a table of descriptors allows
	assert_int_equal(chdir(place), 0);
	assert_int_equal(chdir("inside"), 0);
	struct folder_list list;
	assert_true(folder_scan(&arena, folder, TEXT(""), 10000, NULL, NULL, &list, &error));
	assert_true(list.cut);
	if (!folder_remove_tree(folder, TEXT("tree"), &error)) {
		fail_msg("%s", error.message);
	}
	assert_int_equal(folder_stat(folder, TEXT("tree")).kind, FOLDER_MISSING);
	assert_true(folder_remove_tree(folder, TEXT("tree"), &error)); // missing is fine
	assert_outside_untouched();
}

static void a_failed_replacement_leaves_the_old_content(void **state)
{
	(void)state;
	struct error error = {0};
	struct text content;
	write_inside("in-the-way/x", "old");
	assert_false(file_replace("in-the-way", TEXT("new"), 0644, &error));
	assert_true(file_read(&arena, "in-the-way/x", 100, &content, &error));
	assert_text(content, "old");
	assert_false(file_replace("no/such/folder", TEXT("new"), 0644, &error));
	assert_non_null(strstr(error.message, "no/such/folder"));
	assert_false(file_make_folders("in-the-way/x/y", 0755, &error));
	assert_true(file_make_folders("one/two/three", 0755, &error));
	assert_true(file_make_folders("one/two/three", 0755, &error));
	assert_false(file_read(&arena, "one", 100, &content, &error));
	struct folder_list list;
	assert_true(folder_scan(&arena, folder, TEXT("in-the-way"), 9, NULL, NULL, &list, &error));
	assert_int_equal(list.count, 1);
	assert_int_equal(folder_open("in-the-way/x", &error), -1);
}

static void only_names_of_our_own_are_temporary(void **state)
{
	(void)state;
	static const char *const others[] = {".muster-0123456789abcdef", ".muster-.tmp",
		".muster-0123456789abcdeg.tmp", ".muster-0123456789abcdef0.tmp", "muster.tmp", ""};
	assert_true(file_is_temporary(".muster-0123456789abcdef.tmp"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_false(file_is_temporary(others[i]));
	}
	write_inside("tree/.muster-0123456789abcdef.tmp", "half");
	write_inside("tree/a.tmp", "whole");
	file_remove_temporary("tree");
	file_remove_temporary("no-such-folder");
	assert_int_equal(access("tree/.muster-0123456789abcdef.tmp", F_OK), -1);
	assert_int_equal(access("tree/a.tmp", F_OK), 0);
}

#define prepared(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		prepared(a_file_is_replaced_whole_with_the_mode_asked_for),
		prepared(a_name_of_255_bytes_can_be_written),
		prepared(links_inside_work_and_links_outside_are_refused),
		prepared(nothing_is_written_or_removed_through_a_link),
		prepared(a_folder_swapped_for_a_link_meanwhile_leads_nowhere),
		prepared(special_files_are_told_at_once_and_never_opened),
		prepared(a_file_over_the_limit_is_refused_without_being_read),
		prepared(hostile_names_are_names),
		prepared(a_scan_tells_kinds_in_order_and_does_not_follow_links),
		prepared(a_folder_that_may_only_be_listed_does_not_stop_a_scan),
		prepared(a_folder_that_cannot_be_read_is_not_taken_for_an_empty_one),
		prepared(any_tree_can_be_removed),
		prepared(a_failed_replacement_leaves_the_old_content),
		prepared(only_names_of_our_own_are_temporary),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
