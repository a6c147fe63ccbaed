#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "snapshot/snapshot.h"

static char folder[64];
static struct arena arena;
static struct error error;
static struct sandbox *sandbox;

static const char *at(const char *name)
{
	return arena_printf(&arena, "%s/%s", folder, name);
}

// A session whose workspace is a folder of ours.
static struct sandbox *open_in(const char *name)
{
	struct sandbox_settings settings = {.run = "test", .folder = folder, .workspace = at(name)};
	assert_true(file_make_folders(settings.workspace, 0755, &error));
	struct sandbox *opened =
		sandbox_create(sandbox_driver_find("unix-local"), &settings, &error);
	if (!opened) {
		fail_msg("%s", error.message);
	}
	return opened;
}

static int begin(void **state)
{
	(void)state;
	error = (struct error){0};
	strcpy(folder, "/tmp/muster-test-snapshot-XXXXXX");
	if (!mkdtemp(folder)) {
		return -1;
	}
	sandbox = open_in("work");
	return 0;
}

static int end(void **state)
{
	(void)state;
	sandbox_detach(sandbox);
	arena_finish(&arena);
	return file_remove_tree(folder, &error) ? 0 : -1;
}

static void shell(const char *script)
{
	if (system(arena_printf(&arena, "cd %s && %s", folder, script)) != 0) {
		fail_msg("%s", script);
	}
}

static struct snapshot_made make(struct sandbox *of, const char *known)
{
	struct snapshot_made made;
	static const struct text excluded[] = {{"data", 4}, {"deep/mount", 10}, {"missing", 7}};
	struct snapshot_source source = {
		.sandbox = of, .excluded = excluded, .excluded_count = 3, .known = known};
	if (!snapshot_make(at("shelf"), &source, &arena, &made, &error)) {
		fail_msg("%s", error.message);
	}
	return made;
}

static bool restore(const char *id, struct sandbox *into)
{
	error = (struct error){0};
	struct snapshot_archive archive = {.fd = snapshot_open(at("shelf"), id, &error), .id = id};
	bool fine = archive.fd >= 0 && snapshot_restore(into, &archive, NULL, &error);
	file_close(&archive.fd);
	return fine;
}

static void fill_workspace(void)
{
	shell("cd work && mkdir -p src/empty deep/mount data && echo one >src/one && "
	      "printf 'a\\000b\\377' >src/bytes && : >nothing && echo '#!/bin/sh' >tool && "
	      "chmod 755 tool && ln -s one src/link && ln -s ../tool src/up && "
	      "echo secret >data/secret && echo far >deep/mount/far && echo near >deep/near && "
	      "echo alike >data2 && chmod 640 data2 && touch -d '2001-02-03 04:05:06' nothing && "
	      "chmod 6755 src/one && chmod 444 src/bytes && "
	      "n=n; for i in 1 2 3 4 5 6 7; do n=$n$n; done; mkdir $n && echo long >$n/$n");
}

static void the_same_tree_gives_the_same_bytes(void **state)
{
	(void)state;
	fill_workspace();
	struct snapshot_made first = make(sandbox, NULL);
	shell("cp shelf/*.tar.zst first && rm shelf/*");
	struct snapshot_made second = make(sandbox, NULL);
	assert_string_equal(first.snapshot.id, second.snapshot.id);
	shell("cmp first shelf/*.tar.zst");
	// Made in another order, by somebody else, with other times of folders.
	shell("cp -r --preserve=mode,timestamps work other && mv other/tool other/x && "
	      "mv other/x other/tool");
	struct sandbox *other = open_in("other");
	assert_string_equal(make(other, NULL).snapshot.id, first.snapshot.id);
	sandbox_detach(other);
}

static void what_is_restored_is_what_was_there(void **state)
{
	(void)state;
	fill_workspace();
	struct snapshot_made made = make(sandbox, NULL);
	struct sandbox *back = open_in("back");
	if (!restore(made.snapshot.id, back)) {
		fail_msg("%s", error.message);
	}
	shell("cd back && test -d src/empty && cmp src/bytes ../work/src/bytes && test -x tool && "
	      "test \"$(readlink src/up)\" = ../tool && test \"$(cat src/link)\" = one && "
	      "test $(stat -c %Y nothing) = $(stat -c %Y ../work/nothing) && "
	      "test $(stat -c %a src/one) = 755 && test $(stat -c %a src/bytes) = 444 && "
	      "test $(stat -c %a data2) = 640 && test -s n*/n*");
	// Mounts and ephemeral entries are not there; what is only called alike is.
	shell("cd back && test ! -e data && test ! -e deep/mount && test -s deep/near && "
	      "test -s data2");
	assert_string_equal(make(back, NULL).snapshot.id, made.snapshot.id);
	sandbox_detach(back);
}

static void a_sandbox_elsewhere_gives_and_takes_the_same(void **state)
{
	(void)state;
	fill_workspace();
	shell("cd work && ln tool second && chmod -R a+rX .");
	const char *id = arena_string(&arena, make(sandbox, NULL).snapshot.id);
	struct sandbox_driver far = *sandbox_driver_find("unix-local");
	struct sandbox_session *session = (struct sandbox_session *)(void *)sandbox;
	far.host_folder = NULL;
	session->driver = &far;
	assert_string_equal(make(sandbox, NULL).snapshot.id, id);
	session->driver = sandbox_driver_find("unix-local");
	struct sandbox *back = open_in("back");
	session = (struct sandbox_session *)(void *)back;
	session->driver = &far;
	shell("chmod 777 back");
	if (!restore(id, back)) {
		fail_msg("%s", error.message);
	}
	session->driver = sandbox_driver_find("unix-local");
	assert_string_equal(make(back, NULL).snapshot.id, id);
	sandbox_detach(back);
}

static bool tells(const struct snapshot_made *made, const char *what)
{
	for (size_t i = 0; i < made->left_out_count && i < SNAPSHOT_TOLD; i++) {
		if (strstr(made->left_out[i], what)) {
			return true;
		}
	}
	return false;
}

static void what_cannot_be_restored_is_left_out_and_told(void **state)
{
	(void)state;
	shell("cd work && mkdir sub && mkfifo pipe && ln -s /etc/passwd out && ln -s ../.. sub/up "
	      "&& ln -s .. sub/top && ln -s sub/top/.. around && echo x >\"$(printf 'a\\nb')\" && "
	      "echo fine >fine");
	struct snapshot_made made = make(sandbox, NULL);
	assert_int_equal(made.left_out_count, 5);
	assert_true(tells(&made, "pipe (a special file)"));
	assert_true(tells(&made, "out (a link out"));
	assert_true(tells(&made, "sub/up (a link out"));
	assert_true(tells(&made, "around (a link out"));
	assert_true(tells(&made, "a\\nb (a control"));
	assert_int_equal(made.snapshot.entries, 3); // fine, sub, sub/top
}

static void what_did_not_change_is_not_packed_again(void **state)
{
	(void)state;
	struct timespec pause = {.tv_nsec = 150 * 1000 * 1000};
	fill_workspace();
	// What was written a moment ago could be written again without its times changing.
	assert_null(make(sandbox, NULL).fingerprint);
	nanosleep(&pause, NULL);
	struct snapshot_made first = make(sandbox, NULL);
	assert_non_null(first.fingerprint);
	assert_false(first.unchanged);
	assert_true(make(sandbox, first.fingerprint).unchanged);
	shell("echo two >work/data/secret");
	assert_true(make(sandbox, first.fingerprint).unchanged); // it is left out anyway
	shell("touch work/src/one");
	nanosleep(&pause, NULL);
	assert_false(make(sandbox, first.fingerprint).unchanged);
}

static void a_snapshot_that_is_damaged_is_refused(void **state)
{
	(void)state;
	fill_workspace();
	const char *id = arena_string(&arena, make(sandbox, NULL).snapshot.id);
	struct sandbox *back = open_in("back");
	shell("f=$(ls shelf/*); n=$(($(stat -c %s $f) / 2)); chmod 600 $f; "
	      "printf 'XYZ' | dd of=$f bs=1 seek=$n conv=notrunc 2>/dev/null");
	assert_false(restore(id, back));
	// Or is another one.
	shell("cp $(ls shelf/*) kept; rm shelf/*; echo more >work/more");
	struct snapshot_made other = make(sandbox, NULL);
	shell(arena_printf(&arena, "mv shelf/%s.tar.zst shelf/%s.tar.zst", other.snapshot.id, id));
	shell("rm -rf back/*");
	assert_false(restore(id, back));
	assert_non_null(strstr(error.message, "damaged"));
	assert_false(restore(other.snapshot.id, back));
	assert_non_null(strstr(error.message, "not here"));
	sandbox_detach(back);
}

static void the_shelf_lists_finds_and_removes(void **state)
{
	(void)state;
	struct snapshot_rows rows;
	assert_true(snapshot_list(at("shelf"), &arena, &rows, &error));
	assert_int_equal(rows.count, 0);
	shell("echo 1 >work/file");
	struct snapshot_made one = make(sandbox, NULL);
	shell("echo 2 >work/file");
	struct snapshot_made two = make(sandbox, NULL);
	shell("touch shelf/readme shelf/0.tar.zst");
	assert_true(snapshot_list(at("shelf"), &arena, &rows, &error));
	assert_int_equal(rows.count, 2);
	assert_string_equal(snapshot_find(at("shelf"), &arena,
				    arena_printf(&arena, "%.10s", one.snapshot.id), &error),
		one.snapshot.id);
	assert_null(snapshot_find(at("shelf"), &arena, "no-such", &error));
	assert_null(snapshot_find(at("shelf"), &arena, "", &error));
	assert_true(snapshot_remove(at("shelf"), two.snapshot.id, &error));
	assert_true(snapshot_list(at("shelf"), &arena, &rows, &error));
	assert_int_equal(rows.count, 1);
}

static void a_step_of_the_history_becomes_a_snapshot(void **state)
{
	(void)state;
	struct history_changes changes;
	struct history_steps steps;
	struct snapshot_made made;
	const char *commit;
	shell("cd work && mkdir -p a/b && echo 1 >a/b/c && echo 2 >a-b && echo 3 >a/run && "
	      "chmod 755 a/run && ln -s b/c a/link && ln -s /etc a/out");
	struct history *history = history_open(at("history.git"), NULL, &error);
	assert_non_null(history);
	assert_true(history_scan(history, sandbox, &arena, &changes, &error));
	assert_true(history_commit(
		history, &arena, "agent", "Turn 1: x", 1700000000000, &changes, &commit, &error));
	assert_true(history_steps(history, &arena, &steps, &error));
	if (!snapshot_make_of_history(
		    at("shelf"), history, &steps.steps[0], &arena, &made, &error)) {
		fail_msg("%s", error.message);
	}
	assert_int_equal(made.left_out_count, 1);
	struct sandbox *back = open_in("back");
	if (!restore(made.snapshot.id, back)) {
		fail_msg("%s", error.message);
	}
	shell("cd back && cmp a/b/c ../work/a/b/c && cmp a-b ../work/a-b && test -x a/run && "
	      "test \"$(cat a/link)\" = 1 && test ! -e a/out && "
	      "test $(stat -c %Y a-b) = 1700000000");
	assert_string_equal(make(back, NULL).snapshot.id, made.snapshot.id);
	sandbox_detach(back);
	history_close(history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_same_tree_gives_the_same_bytes, begin, end),
		cmocka_unit_test_setup_teardown(what_is_restored_is_what_was_there, begin, end),
		cmocka_unit_test_setup_teardown(
			a_sandbox_elsewhere_gives_and_takes_the_same, begin, end),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_restored_is_left_out_and_told, begin, end),
		cmocka_unit_test_setup_teardown(
			what_did_not_change_is_not_packed_again, begin, end),
		cmocka_unit_test_setup_teardown(a_snapshot_that_is_damaged_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(the_shelf_lists_finds_and_removes, begin, end),
		cmocka_unit_test_setup_teardown(
			a_step_of_the_history_becomes_a_snapshot, begin, end),
	};
	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
