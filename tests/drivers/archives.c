/* Archives in and out. */
#include "drivers.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

// A path in our own folder of this machine.
static const char *here(const char *name)
{
	return arena_printf(&arena, "%s/%s", folder, name);
}

static void on_this_machine(const char *script)
{
	const char *shell = arena_printf(&arena, "cd %s && %s", folder, script);
	if (system(shell) != 0) {
		fail_msg("%s", shell);
	}
}

static void get(const char *const *paths, const char *name)
{
	struct error problem = {0};
	file_cleanup fd = open(here(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(sandbox_get_archive(sandbox, paths, fd, &problem), &problem);
}

static bool put(const char *name, const char *where, struct error *problem)
{
	file_cleanup fd = open(here(name), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return sandbox_put_archive(sandbox, text_of(where), fd, problem);
}

static void a_tree_goes_out_and_in_again(void **state)
{
	(void)state;
	static const char *const paths[] = {"tar/tree", NULL};
	struct error problem = {0};
	says("mkdir -p tar/tree/empty tar/tree/sub && cd tar/tree && printf 'bytes\\000\\377' "
	     ">sub/bytes && "
	     "echo x >tool && chmod 755 tool && echo x >private && chmod 600 private && ln -s "
	     "sub/bytes "
	     "link && : >nothing && touch -d '2001-02-03 04:05:06' nothing && echo odd "
	     ">'new\nline' && "
	     "echo long "
	     ">n23456789012345678901234567890123456789012345678901234567890123456789012345678901234"
	     "567890123456789012345",
		"");
	get(paths, "tree.tar");
	on_this_machine("rm -rf out && mkdir out && tar -xpf tree.tar -C out");
	on_this_machine(
		"cd out/tar/tree && test -d empty && test -x tool && test $(readlink link) = "
		"sub/bytes && test $(wc -c <sub/bytes) = 7 && test $(stat -c %a private) = 600 "
		"&& test $(stat -c %Y nothing) = 981173106 && test $(ls | wc -l) = 9");
	must(put("tree.tar", "tar/back/again", &problem), &problem);
	says("cd tar && find tree | sort >a && cd back/again/tar && find tree | sort >../../../b "
	     "&& cd "
	     "/workspace/tar && cmp a b && cmp tree/sub/bytes back/again/tar/tree/sub/bytes && cd "
	     "back/again/tar/tree && test -x tool && ls -l private | cut -c 1-10 && readlink link "
	     "&& "
	     "test -O tool && echo mine >>tool",
		"-rw-------\nsub/bytes\n");
}

static void everything_goes_out(void **state)
{
	(void)state;
	says("mkdir -p tar/all && echo all >tar/all/file", "");
	get(NULL, "all.tar");
	on_this_machine("rm -rf all && mkdir all && tar -xf all.tar -C all && grep -q all "
			"all/tar/all/file");
}

static void chosen_paths_go_out_and_no_others(void **state)
{
	(void)state;
	static const char *const paths[] = {"tar/chosen/one", "/workspace/tar/chosen/-dash",
		"tar/chosen/sub", "tar/chosen/li\nnk", NULL};
	says("mkdir -p tar/chosen/sub/deep && cd tar/chosen && echo 1 >one && echo 2 >two && echo "
	     "3 >-dash && "
	     "echo 4 >sub/deep/four && ln -s /etc/passwd 'li\nnk'",
		"");
	get(paths, "chosen.tar");
	on_this_machine(
		"rm -rf chosen && mkdir chosen && tar -xf chosen.tar -C chosen && cd "
		"chosen/tar/chosen && "
		"test -f one && test ! -e two && test -f ./-dash && test -f sub/deep/four && "
		"test -L 'li\nnk'");
}

static void many_paths_go_out_in_one_archive(void **state)
{
	(void)state;
	enum { MANY = 2500 };
	const char **paths = arena_new_array(&arena, MANY + 1, const char *);
	for (int i = 0; i < MANY; i++) {
		paths[i] = arena_printf(&arena, "tar/many/file-with-a-longer-name-%d", i);
	}
	says("mkdir -p tar/many && cd tar/many && i=0; while [ $i -lt 2500 ]; do echo $i "
	     ">file-with-a-longer-name-$i; i=$((i + 1)); done",
		"");
	get(paths, "many.tar");
	on_this_machine("test $(tar -tf many.tar | wc -l) = 2500");
}

static void what_is_not_there_is_named(void **state)
{
	(void)state;
	static const char *const missing[] = {"tar/no-such-file", NULL}, *const none[] = {NULL},
				 *const leaving[] = {"tar/leaving/passwd", NULL},
				 *const up[] = {"tar/../../x", NULL};
	says("mkdir -p tar; ln -s /etc tar/leaving", "");
	file_cleanup fd = open(here("missing.tar"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	refused(sandbox_get_archive(sandbox, missing, fd, &error), ERROR_FAILED, "no-such-file");
	refused(sandbox_get_archive(sandbox, none, fd, &error), ERROR_USAGE, "no paths");
	refused(sandbox_get_archive(sandbox, leaving, fd, &error), ERROR_FAILED, "");
	refused(sandbox_get_archive(sandbox, up, fd, &error), ERROR_USAGE, "..");
}

static void what_cannot_be_written_is_told(void **state)
{
	(void)state;
	file_cleanup full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	says("mkdir -p tar && echo x >tar/x", "");
	refused(sandbox_get_archive(sandbox, NULL, full, &error), ERROR_FAILED, "No space left");
}

static void *feed(void *data)
{
	int *fds = data;
	file_cleanup fd = open(here("piped.tar"), O_RDONLY | O_CLOEXEC);
	char bytes[1000];
	ssize_t got;
	while ((got = read(fd, bytes, sizeof(bytes))) > 0 &&
		write(fds[1], bytes, (size_t)got) == got) {
	}
	close(fds[1]);
	return NULL;
}

static void an_archive_may_come_through_a_pipe(void **state)
{
	(void)state;
	int fds[2];
	pthread_t thread;
	struct error problem = {0};
	on_this_machine("rm -rf piped && mkdir piped && head -c 300000 /dev/urandom >piped/file && "
			"tar -cf piped.tar piped && sha256sum <piped/file >sum");
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&thread, NULL, feed, fds), 0);
	bool fine = sandbox_put_archive(sandbox, TEXT("tar"), fds[0], &problem);
	pthread_join(thread, NULL);
	close(fds[0]);
	must(fine, &problem);
	says("wc -c <tar/piped/file | tr -d ' '", "300000\n");
	struct text sum;
	must(file_read(&arena, here("sum"), 1000, &sum, &problem), &problem);
	says("sha256sum <tar/piped/file", text_string(&arena, sum));
}

static int64_t memory_used(void)
{
	struct text status, line;
	struct error problem = {0};
	must(file_read(&arena, "/proc/self/status", 65536, &status, &problem), &problem);
	while (text_next_line(&status, &line)) {
		if (text_starts(line, "RssAnon:")) {
			return strtoll(line.data + 8, NULL, 10) * 1024;
		}
	}
	return 0;
}

static void a_large_file_goes_both_ways_as_a_stream(void **state)
{
	(void)state;
	static const char *const paths[] = {"tar/large", NULL};
	const char *wanted = getenv("MUSTER_LARGE"); // MiB
	struct error problem = {0};
	int64_t before = memory_used();
	on_this_machine(arena_printf(&arena,
		"mkdir -p big/tar && head -c %sM /dev/zero | tr '\\0' x >big/tar/large && "
		"tar -cf large.tar -C big tar/large",
		wanted ? wanted : "100"));
	must(put("large.tar", "", &problem), &problem);
	says("tail -c 1 tar/large", "x");
	get(paths, "large-back.tar");
	on_this_machine("tar -xOf large-back.tar | cmp - big/tar/large && rm -rf big large.tar "
			"large-back.tar");
	says("rm tar/large", "");
	assert_true(memory_used() - before < 48 * 1024 * 1024);
}

struct member {
	const char *path, *target;
	char type;
};

static void add_header(struct buffer *archive, const struct member *member)
{
	char block[512] = "";
	unsigned sum = 0;
	snprintf(block, 100, "%s", member->path);
	memcpy(block + 100, "0000644\0000000000\0000000000\00000000000000\00000000000000\0        ",
		56);
	block[156] = member->type;
	snprintf(block + 157, 100, "%s", member->target ? member->target : "");
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(block); i++) {
		sum += (unsigned char)block[i];
	}
	snprintf(block + 148, 8, "%06o", sum);
	buffer_add(archive, block, sizeof(block));
}

static bool put_bytes(struct text bytes)
{
	file_cleanup fd = file_in_memory(bytes);
	return sandbox_put_archive(sandbox, TEXT("tar/hostile"), fd, &error);
}

static void a_hostile_archive_is_refused_whole(void **state)
{
	(void)state;
	static const struct {
		struct member members[2];
		const char *word;
	} rows[] = {
		{{{"/etc/evil", NULL, '0'}}, "absolute"},
		{{{"../evil", NULL, '0'}}, "lead out"},
		{{{"a/../../evil", NULL, '0'}}, "lead out"},
		{{{"link", "/etc/passwd", '2'}}, "leaves"},
		{{{"link", "../../../etc/passwd", '2'}}, "leaves"},
		{{{"link", "a/b/../../../x", '2'}}, "leaves"},
		{{{"link", "inside", '2'}, {"link/evil", NULL, '0'}}, "no folder"},
		{{{"link/evil", NULL, '0'}, {"link", "inside", '2'}}, "no folder"},
		{{{"file", NULL, '0'}, {"file/x", NULL, '0'}}, "no folder"},
		{{{"twice", NULL, '0'}, {"./twice", NULL, '0'}}, "twice"},
		{{{"twice", NULL, '0'}, {"twice", "x", '2'}}, "twice"},
		{{{"hard", "/etc/passwd", '1'}}, "neither"},
		{{{"device", NULL, '3'}}, "neither"},
		{{{"fifo", NULL, '6'}}, "neither"},
		{{{".", "/etc", '2'}}, "no folder"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const char end[1024];
		buffer_cleanup archive = {0};
		add_header(&archive, &(struct member){"good", NULL, '0'});
		for (size_t j = 0; j < 2 && rows[i].members[j].path; j++) {
			add_header(&archive, &rows[i].members[j]);
		}
		buffer_add(&archive, end, sizeof(end));
		refused(put_bytes(buffer_text(&archive)), ERROR_FAILED, rows[i].word);
	}
	assert_int_equal(sandbox_stat(sandbox, TEXT("tar/hostile/good")).kind, FOLDER_MISSING);
}

static void a_damaged_archive_is_refused_whole(void **state)
{
	(void)state;
	buffer_cleanup archive = {0};
	on_this_machine("mkdir -p cut && echo x >cut/a && head -c 5000 /dev/zero >cut/b && tar -cf "
			"cut.tar cut/a cut/b");
	struct text whole;
	struct error problem = {0};
	must(file_read(&arena, here("cut.tar"), 1000000, &whole, &problem), &problem);
	refused(put_bytes((struct text){whole.data, 3000}), ERROR_FAILED, "damaged");
	refused(put_bytes((struct text){whole.data, 700}), ERROR_FAILED, "damaged");
	buffer_add_text(&archive, whole);
	archive.data[1024 + 3] ^= 1;
	refused(put_bytes(buffer_text(&archive)), ERROR_FAILED, "damaged");
	refused(put_bytes(TEXT("")), ERROR_FAILED, "archive");
	buffer_clear(&archive);
	for (int i = 0; i < 100; i++) {
		buffer_add_string(&archive, "this is no archive ");
	}
	refused(put_bytes(buffer_text(&archive)), ERROR_FAILED, "no tar archive");
	assert_int_equal(sandbox_stat(sandbox, TEXT("tar/hostile/cut")).kind, FOLDER_MISSING);
}

static void an_archive_does_not_go_through_links_that_leave(void **state)
{
	(void)state;
	buffer_cleanup archive = {0};
	static const char end[1024];
	says("mkdir -p tar && ln -s /tmp tar/away", "");
	add_header(&archive, &(struct member){"evil", NULL, '0'});
	buffer_add(&archive, end, sizeof(end));
	file_cleanup fd = file_in_memory(buffer_text(&archive));
	assert_false(sandbox_put_archive(sandbox, TEXT("tar/away"), fd, &error));
	error = (struct error){0};
	says("test -e /tmp/evil || echo none", "none\n");
}

const struct CMUnitTest archive_tests[] = {
	cmocka_unit_test(a_tree_goes_out_and_in_again),
	cmocka_unit_test(everything_goes_out),
	cmocka_unit_test(chosen_paths_go_out_and_no_others),
	cmocka_unit_test(many_paths_go_out_in_one_archive),
	cmocka_unit_test(what_is_not_there_is_named),
	cmocka_unit_test(what_cannot_be_written_is_told),
	cmocka_unit_test(an_archive_may_come_through_a_pipe),
	cmocka_unit_test(a_large_file_goes_both_ways_as_a_stream),
	cmocka_unit_test(a_hostile_archive_is_refused_whole),
	cmocka_unit_test(a_damaged_archive_is_refused_whole),
	cmocka_unit_test(an_archive_does_not_go_through_links_that_leave),
	{NULL},
};
