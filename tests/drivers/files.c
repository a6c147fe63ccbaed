/* Files, folders, links, and looking through them. */
#include "drivers.h"

#include <time.h>

static const char *const odd_names[] = {"a b", "-n", "new\nline", "ends\n", "q'u\"o$t`e",
	"\xc3\xbc.txt", "*?[x]", "back\\slash", " leading and trailing ", ".hidden", "%s%n", "#",
	"a -> b", "tab\there"};

enum { ODD_NAMES = sizeof(odd_names) / sizeof(odd_names[0]) };

static struct text content_of(const char *path)
{
	struct text content;
	struct error problem = {0};
	must(sandbox_read(sandbox, &arena, text_of(path), 1024 * 1024, &content, &problem),
		&problem);
	return content;
}

static bool read_fails(const char *path)
{
	struct text content;
	return sandbox_read(sandbox, &arena, text_of(path), 1000, &content, &error);
}

static struct folder_stat stat_of(const char *path)
{
	return sandbox_stat(sandbox, text_of(path));
}

static void a_file_comes_back_as_it_was_written(void **state)
{
	(void)state;
	write_file("files/deep/er/one.txt", "one\n");
	assert_text(content_of("files/deep/er/one.txt"), "one\n");
	assert_text(content_of("/workspace/files/deep/er/one.txt"), "one\n");
	says("cat files/deep/er/one.txt", "one\n");
	write_file("files/deep/er/one.txt", "two");
	assert_text(content_of("files/deep/er/one.txt"), "two");
	says("echo three >>files/deep/er/one.txt && cat files/deep/er/one.txt", "twothree\n");
	says("ls -A files/deep/er", "one.txt\n");
}

static void a_file_may_be_empty_or_hold_any_bytes(void **state)
{
	(void)state;
	struct error problem = {0};
	char bytes[256];
	for (int i = 0; i < 256; i++) {
		bytes[i] = (char)i;
	}
	write_file("files/empty", "");
	assert_int_equal(content_of("files/empty").length, 0);
	assert_int_equal(stat_of("files/empty").kind, FOLDER_FILE);
	must(sandbox_write(sandbox, TEXT("files/bytes"), (struct text){bytes, 256}, 0, &problem),
		&problem);
	struct text content = content_of("files/bytes");
	assert_int_equal(content.length, 256);
	assert_memory_equal(content.data, bytes, 256);
}

static void a_large_file_comes_back(void **state)
{
	(void)state;
	enum { LARGE = 24 * 1024 * 1024 };
	struct error problem = {0};
	struct text content;
	arena_cleanup memory = {0};
	uint32_t *numbers = arena_alloc(&memory, LARGE);
	for (size_t i = 0; i < LARGE / sizeof(*numbers); i++) {
		numbers[i] = (uint32_t)i * 2654435761U;
	}
	struct text large = {(const char *)numbers, LARGE};
	must(sandbox_write(sandbox, TEXT("files/large"), large, 0, &problem), &problem);
	must(sandbox_read(sandbox, &memory, TEXT("files/large"), LARGE, &content, &problem),
		&problem);
	assert_true(text_equal(content, large));
	refused(sandbox_read(sandbox, &memory, TEXT("files/large"), LARGE - 1, &content, &error),
		ERROR_USAGE, "larger");
	says("rm files/large", "");
}

static void names_may_be_odd(void **state)
{
	(void)state;
	struct folder_list list;
	struct error problem = {0};
	for (size_t i = 0; i < ODD_NAMES; i++) {
		const char *path =
			arena_printf(&arena, "files/odd/%s/%s", odd_names[i], odd_names[i]);
		write_file(path, odd_names[i]);
		assert_text(content_of(path), odd_names[i]);
		assert_int_equal(stat_of(path).kind, FOLDER_FILE);
		assert_int_equal(stat_of(path).size, strlen(odd_names[i]));
	}
	must(sandbox_scan(sandbox, &arena, TEXT("files/odd"), 1000, &list, &problem), &problem);
	assert_int_equal(list.count, 2 * ODD_NAMES);
	for (size_t i = 0; i < list.count; i += 2) {
		// In the order of the paths' bytes, a folder before what is in it.
		assert_int_equal(list.entries[i].kind, FOLDER_FOLDER);
		assert_true(text_starts(list.entries[i + 1].path, list.entries[i].path.data));
		assert_true(i == 0 ||
			strcmp(list.entries[i - 1].path.data, list.entries[i].path.data) < 0);
	}
	for (size_t i = 0; i < ODD_NAMES; i++) {
		const char *path = arena_printf(&arena, "files/odd/%s", odd_names[i]);
		must(sandbox_remove(sandbox, text_of(path), true, &problem), &problem);
	}
	says("ls -A files/odd", "");
}

static void a_path_that_leads_out_is_refused(void **state)
{
	(void)state;
	static const char *const paths[] = {"../x", "files/../../x", ".."};
	for (size_t i = 0; i < 3; i++) {
		struct text path = text_of(paths[i]), content;
		struct folder_list list;
		refused(sandbox_read(sandbox, &arena, path, 10, &content, &error), ERROR_USAGE,
			"..");
		refused(sandbox_write(sandbox, path, TEXT("x"), 0, &error), ERROR_USAGE, "..");
		refused(sandbox_remove(sandbox, path, true, &error), ERROR_USAGE, "..");
		refused(sandbox_make_folder(sandbox, path, &error), ERROR_USAGE, "..");
		refused(sandbox_scan(sandbox, &arena, path, 10, &list, &error), ERROR_USAGE, "..");
		assert_int_equal(sandbox_stat(sandbox, path).kind, FOLDER_MISSING);
	}
}

static void modes_are_kept(void **state)
{
	(void)state;
	struct error problem = {0};
	write_file("files/plain", "x");
	assert_int_equal(stat_of("files/plain").mode, 0644);
	must(sandbox_write(
		     sandbox, TEXT("files/tool"), TEXT("#!/bin/sh\necho ran\n"), 0755, &problem),
		&problem);
	assert_int_equal(stat_of("files/tool").mode, 0755);
	says("files/tool", "ran\n");
	says("chmod 600 files/plain && test -O files/plain && echo own", "own\n");
	assert_int_equal(stat_of("files/plain").mode, 0600);
	assert_text(content_of("files/plain"), "x");
}

static void a_stat_tells_kind_size_and_time(void **state)
{
	(void)state;
	struct timespec now;
	write_file("files/stat/five", "12345");
	says("mkfifo files/stat/fifo", "");
	clock_gettime(CLOCK_REALTIME, &now);
	struct folder_stat stat = stat_of("files/stat/five");
	assert_int_equal(stat.kind, FOLDER_FILE);
	assert_int_equal(stat.size, 5);
	int64_t off = stat.modified / 1000000000 - now.tv_sec;
	assert_true(off > -60 && off < 60);
	assert_int_equal(stat_of("files/stat").kind, FOLDER_FOLDER);
	assert_int_equal(stat_of("").kind, FOLDER_FOLDER);
	assert_int_equal(stat_of("files/stat/none").kind, FOLDER_MISSING);
	assert_int_equal(stat_of("files/none/five").kind, FOLDER_MISSING);
	assert_int_equal(stat_of("files/stat/five/x").kind, FOLDER_MISSING);
	assert_int_equal(stat_of("files/stat/fifo").kind, FOLDER_SPECIAL);
	assert_string_equal(stat_of("files/stat/fifo").what, "a FIFO");
	assert_false(stat_of("files/stat/none").unknown);
}

static void what_is_no_file_is_not_read(void **state)
{
	(void)state;
	says("mkdir -p files/kinds/folder && mkfifo files/kinds/fifo", "");
	refused(read_fails("files/kinds/folder"), ERROR_FAILED, "a folder");
	refused(read_fails("files/kinds/fifo"), ERROR_FAILED, "a FIFO");
	refused(read_fails("files/kinds/none"), ERROR_FAILED, "does not exist");
	refused(sandbox_write(sandbox, TEXT("files/kinds/folder"), TEXT("x"), 0, &error),
		ERROR_FAILED, "a folder");
	refused(sandbox_write(sandbox, TEXT("files/kinds/fifo"), TEXT("x"), 0, &error),
		ERROR_FAILED, "a FIFO");
	refused(sandbox_write(sandbox, TEXT(""), TEXT("x"), 0, &error), ERROR_FAILED, "");
}

static void links_are_followed_inside(void **state)
{
	(void)state;
	write_file("files/links/real/file", "behind");
	says("cd files/links && ln -s real/file inside && ln -s real folder && ln -s inside twice "
	     "&& "
	     "ln -s ../links/real/ round",
		"");
	assert_text(content_of("files/links/inside"), "behind");
	assert_text(content_of("files/links/twice"), "behind");
	assert_text(content_of("files/links/folder/file"), "behind");
	assert_text(content_of("files/links/round/file"), "behind");
	assert_int_equal(stat_of("files/links/inside").kind, FOLDER_FILE);
	assert_int_equal(stat_of("files/links/folder").kind, FOLDER_FOLDER);
	write_file("files/links/folder/new", "through");
	says("cat files/links/real/new", "through");
}

static void links_are_not_followed_out(void **state)
{
	(void)state;
	static const char *const paths[] = {
		"files/out/file", "files/out/folder/passwd", "files/out/chain", "files/out/dots"};
	says("mkdir -p files/out && cd files/out && ln -s /etc/passwd file && ln -s /etc folder && "
	     "ln -s folder/passwd chain && ln -s ../../../etc/passwd dots && ln -s circle circle "
	     "&& "
	     "ln -s nowhere dangling && ln -s ../../../tmp up",
		"");
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(stat_of(paths[i]).kind, FOLDER_LINK);
		assert_string_equal(stat_of(paths[i]).what, "a link that leaves the workspace");
		refused(read_fails(paths[i]), ERROR_FAILED, "leaves the workspace");
	}
	assert_int_equal(stat_of("files/out/circle").kind, FOLDER_LINK);
	assert_false(read_fails("files/out/circle"));
	assert_false(read_fails("files/out/dangling"));
	error = (struct error){0};
	assert_false(sandbox_write(sandbox, TEXT("files/out/up/x"), TEXT("x"), 0, &error));
	assert_false(sandbox_write(sandbox, TEXT("files/out/up/y/x"), TEXT("x"), 0, &error));
	assert_false(sandbox_make_folder(sandbox, TEXT("files/out/up/z"), &error));
	assert_false(sandbox_remove(sandbox, TEXT("files/out/folder/passwd"), false, &error));
	assert_false(sandbox_remove(sandbox, TEXT("files/out/folder/passwd"), true, &error));
	error = (struct error){0};
	says("test -e /etc/passwd && ls /tmp/x /tmp/y /tmp/z 2>/dev/null || echo none", "none\n");
	// A link itself is never written through.
	assert_false(sandbox_write(sandbox, TEXT("files/out/dangling"), TEXT("x"), 0, &error));
	assert_false(sandbox_write(sandbox, TEXT("files/out/file"), TEXT("x"), 0, &error));
	error = (struct error){0};
}

static void folders_are_made_with_those_in_between(void **state)
{
	(void)state;
	struct error problem = {0};
	must(sandbox_make_folder(sandbox, TEXT("files/made/a/b/c"), &problem), &problem);
	must(sandbox_make_folder(sandbox, TEXT("files/made/a/b/c"), &problem), &problem);
	must(sandbox_make_folder(sandbox, TEXT(""), &problem), &problem);
	assert_int_equal(stat_of("files/made/a/b/c").kind, FOLDER_FOLDER);
	says("touch files/made/a/b/c/mine && echo fine", "fine\n");
	write_file("files/made/file", "x");
	assert_false(sandbox_make_folder(sandbox, TEXT("files/made/file"), &error));
	assert_false(sandbox_make_folder(sandbox, TEXT("files/made/file/x"), &error));
	error = (struct error){0};
}

static void removing_takes_no_more_than_was_named(void **state)
{
	(void)state;
	struct error problem = {0};
	says("mkdir -p files/gone/tree/deep files/gone/kept && touch files/gone/file "
	     "files/gone/kept/x "
	     "files/gone/tree/deep/y && ln -s ../kept files/gone/tree/link && ln -s kept "
	     "files/gone/link && chmod 500 files/gone/tree/deep",
		"");
	must(sandbox_remove(sandbox, TEXT("files/gone/file"), false, &problem), &problem);
	must(sandbox_remove(sandbox, TEXT("files/gone/link"), true, &problem), &problem);
	assert_false(sandbox_remove(sandbox, TEXT("files/gone/kept"), false, &error));
	assert_false(sandbox_remove(sandbox, TEXT("files/gone/none"), false, &error));
	assert_false(sandbox_remove(sandbox, TEXT(""), true, &error));
	error = (struct error){0};
	says("chmod 700 files/gone/tree/deep", "");
	must(sandbox_remove(sandbox, TEXT("files/gone/tree"), true, &problem), &problem);
	must(sandbox_remove(sandbox, TEXT("files/gone/tree"), true, &problem), &problem);
	says("find files/gone | sort", "files/gone\nfiles/gone/kept\nfiles/gone/kept/x\n");
}

static const struct folder_entry *entry_of(const struct folder_list *list, const char *path)
{
	for (size_t i = 0; i < list->count; i++) {
		if (text_is(list->entries[i].path, path)) {
			return &list->entries[i];
		}
	}
	fail_msg("'%s' is not in the list", path);
	return NULL;
}

static void a_scan_lists_a_whole_tree(void **state)
{
	(void)state;
	struct folder_list list, part;
	struct error problem = {0};
	says("mkdir -p files/scan/empty files/scan/sub/deep && cd files/scan && printf 12345 >five "
	     "&& "
	     "echo x >sub/deep/tool && chmod 755 sub/deep/tool && ln -s five link && ln -s /etc "
	     "out && "
	     "mkfifo fifo && echo x >secret && chmod 0 secret",
		"");
	must(sandbox_scan(sandbox, &arena, TEXT("files/scan"), 1000, &list, &problem), &problem);
	assert_int_equal(list.count, 9);
	assert_false(list.cut);
	assert_int_equal(entry_of(&list, "files/scan/five")->size, 5);
	assert_int_equal(entry_of(&list, "files/scan/five")->kind, FOLDER_FILE);
	assert_int_equal(entry_of(&list, "files/scan/empty")->kind, FOLDER_FOLDER);
	assert_int_equal(entry_of(&list, "files/scan/sub/deep/tool")->mode, 0755);
	assert_int_equal(entry_of(&list, "files/scan/link")->kind, FOLDER_LINK);
	assert_int_equal(entry_of(&list, "files/scan/out")->kind, FOLDER_LINK);
	assert_int_equal(entry_of(&list, "files/scan/fifo")->kind, FOLDER_SPECIAL);
	assert_int_equal(entry_of(&list, "files/scan/secret")->mode, 0);
	for (size_t i = 1; i < list.count; i++) {
		assert_true(strcmp(list.entries[i - 1].path.data, list.entries[i].path.data) < 0);
	}
	must(sandbox_scan(sandbox, &arena, TEXT("files/scan/sub"), 1000, &part, &problem),
		&problem);
	assert_int_equal(part.count, 2);
	assert_text(part.entries[1].path, "files/scan/sub/deep/tool");
	assert_false(sandbox_scan(sandbox, &arena, TEXT("files/scan/none"), 10, &part, &error));
	assert_false(sandbox_scan(sandbox, &arena, TEXT("files/scan/five"), 10, &part, &error));
	assert_false(sandbox_scan(sandbox, &arena, TEXT("files/scan/out"), 10, &part, &error));
	error = (struct error){0};
	must(sandbox_scan(sandbox, &arena, TEXT("files/scan"), 3, &part, &problem), &problem);
	assert_int_equal(part.count, 3);
	assert_true(part.cut);
	must(sandbox_scan(sandbox, &arena, TEXT("files/scan/empty"), 3, &part, &problem), &problem);
	assert_int_equal(part.count, 0);
	assert_false(part.cut);
	says("rm -rf files/scan", "");
}

static void a_scan_tells_what_changed(void **state)
{
	(void)state;
	struct folder_list before, after;
	struct error problem = {0};
	says("mkdir -p files/times && echo 1 >files/times/same && echo 1 >files/times/other && "
	     "touch -d '2001-02-03 04:05:06' files/times/same files/times/other",
		"");
	must(sandbox_scan(sandbox, &arena, TEXT("files/times"), 10, &before, &problem), &problem);
	says("sleep 1.1; echo 2 >files/times/other", "");
	must(sandbox_scan(sandbox, &arena, TEXT("files/times"), 10, &after, &problem), &problem);
	const struct folder_entry *same[] = {
		entry_of(&before, "files/times/same"), entry_of(&after, "files/times/same")};
	const struct folder_entry *other[] = {
		entry_of(&before, "files/times/other"), entry_of(&after, "files/times/other")};
	assert_int_equal(same[0]->modified, same[1]->modified);
	assert_int_equal(same[0]->changed, same[1]->changed);
	assert_int_equal(same[0]->inode, same[1]->inode);
	assert_int_not_equal(other[0]->changed, other[1]->changed);
	if (same[0]->modified) { // 0: the sandbox has no program that tells
		assert_int_equal(same[0]->modified / 1000000000, 981173106);
		assert_true(other[0]->modified < other[1]->modified);
	}
}

static void a_scan_of_many_files_is_one_call(void **state)
{
	(void)state;
	enum { FOLDERS = 20, EACH = 250 };
	struct folder_list list;
	struct error problem = {0};
	run(arena_printf(&arena,
		"mkdir -p files/many && cd files/many && i=0; while [ $i -lt %d ]; do mkdir $i; "
		"j=0; "
		"while [ $j -lt %d ]; do : >$i/file-$j-with-a-name-of-some-length; j=$((j + 1)); "
		"done; "
		"i=$((i + 1)); done",
		FOLDERS, EACH));
	int64_t began = milliseconds();
	must(sandbox_scan(sandbox, &arena, TEXT("files/many"), 100000, &list, &problem), &problem);
	assert_int_equal(list.count, FOLDERS * (EACH + 1));
	assert_true(milliseconds() - began < 20000);
	must(sandbox_remove(sandbox, TEXT("files/many"), true, &problem), &problem);
}

static void a_tree_that_is_too_deep_is_said_to_be_cut(void **state)
{
	(void)state;
	struct folder_list list;
	struct error problem = {0};
	says("mkdir -p files/deep2 && cd files/deep2 && i=0 && while [ $i -lt 100 ]; do mkdir d && "
	     "cd d || "
	     "exit 1; i=$((i + 1)); done; echo x >end",
		"");
	must(sandbox_scan(sandbox, &arena, TEXT("files/deep2"), 1000, &list, &problem), &problem);
	assert_true(list.cut);
	assert_true(list.count >= 50 && list.count < 100);
	must(sandbox_remove(sandbox, TEXT("files/deep2"), true, &problem), &problem);
}

const struct CMUnitTest file_tests[] = {
	cmocka_unit_test(a_file_comes_back_as_it_was_written),
	cmocka_unit_test(a_file_may_be_empty_or_hold_any_bytes),
	cmocka_unit_test(a_large_file_comes_back),
	cmocka_unit_test(names_may_be_odd),
	cmocka_unit_test(a_path_that_leads_out_is_refused),
	cmocka_unit_test(modes_are_kept),
	cmocka_unit_test(a_stat_tells_kind_size_and_time),
	cmocka_unit_test(what_is_no_file_is_not_read),
	cmocka_unit_test(links_are_followed_inside),
	cmocka_unit_test(links_are_not_followed_out),
	cmocka_unit_test(folders_are_made_with_those_in_between),
	cmocka_unit_test(removing_takes_no_more_than_was_named),
	cmocka_unit_test(a_scan_lists_a_whole_tree),
	cmocka_unit_test(a_scan_tells_what_changed),
	cmocka_unit_test(a_scan_of_many_files_is_one_call),
	cmocka_unit_test(a_tree_that_is_too_deep_is_said_to_be_cut),
	{NULL},
};
