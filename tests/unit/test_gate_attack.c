/* What a hostile agent puts into the workspace to get past a gate, or to hang or flood it. */
#include "gate_test.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>

#include "base/json.h"

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void make_fifo(const char *path)
{
	assert_int_equal(mkfifo(full(path), 0666), 0);
}

static void make_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", full(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void make_sparse(const char *path, off_t size)
{
	put(path, TEXT(""));
	assert_int_equal(truncate(full(path), size), 0);
}

// What (a+)+$ takes for ever to look through.
static void put_costly(const char *path)
{
	char content[8001];
	memset(content, 'a', sizeof(content) - 1);
	content[sizeof(content) - 1] = '!';
	put(path, (struct text){content, sizeof(content)});
}

static void special_files_are_refused_at_once(void **state)
{
	(void)state;
	double start = seconds();
	make_fifo("design_spec.md");
	make_socket("socket");
	mkdir(full("folder"), 0755);
	fails("design_spec.md", "design_spec.md is a FIFO, not a regular file; replace it");
	fails("{json: design_spec.md}", "design_spec.md is a FIFO");
	fails("{yaml: design_spec.md}", "design_spec.md is a FIFO");
	fails("{dir: design_spec.md}", "design_spec.md is a FIFO, not a folder");
	fails("socket", "socket is a socket, not a regular file");
	fails("folder", "folder is a folder, not a regular file");
	fails("folder/", "folder is a folder");
	assert_int_equal(plain.reads, 0);
	assert_true(seconds() - start < 5);
}

static void devices_are_refused(void **state)
{
	(void)state;
	if (mknod(full("zero"), S_IFCHR | 0666, makedev(1, 5)) != 0) {
		print_message("making a device needs root; a link to one has to do\n");
		link_to("/dev/zero", "zero");
		fails("zero", "zero is a link that leaves the workspace, not a regular file");
		return;
	}
	fails("zero", "zero is a character device, not a regular file");
}

static void links_count_only_when_they_stay_inside(void **state)
{
	(void)state;
	put("real", TEXT("content"));
	put("sub/deep.md", TEXT("content"));
	link_to("real", "inside");
	link_to("sub", "folder");
	link_to("/etc/passwd", "out");
	link_to("../../../../../../etc/passwd", "climbing");
	link_to("/proc/self/environ", "magic");
	link_to("loop", "loop");
	link_to("nowhere", "dangling");
	link_to("/", "root");
	holds("inside");
	holds("folder/deep.md");
	holds("{glob: 'folder/*.md', min_bytes: 1}");
	fails("out", "out is a link that leaves the workspace, not a regular file");
	fails("climbing", "climbing is a link that leaves the workspace");
	fails("magic", "not a regular file");
	fails("loop", "loop is a link that leads in circles");
	fails("dangling", "dangling is a link that leads nowhere");
	fails("root/etc/passwd", "root/etc/passwd is a link that leaves the workspace");
	fails("{dir: root/etc}", "not a folder");
	fails("{dir: root}", "root is a link that leaves the workspace, not a folder");
	fails("{glob: 'root/etc/passwd'}", "has 0 files");
	fails("{glob: 'root/etc/*', min_bytes: 1}", "root/etc is a link that leaves the workspace");
	fails("{json: out}", "out is a link that leaves the workspace");
}

static void swap(struct folder_sandbox *self, struct text path)
{
	(void)self;
	(void)path;
	unlink(full("spec.md"));
	link_to("/etc/passwd", "spec.md");
}

static void a_link_that_is_swapped_in_at_the_last_moment_reads_nothing_outside(void **state)
{
	(void)state;
	put("spec.md", TEXT("good"));
	plain.before_read = swap;
	fails("{file: spec.md, matches: root}", "spec.md cannot be read: ");
	assert_null(verdict.findings[0].sha256);
	fails("{not: {file: spec.md, matches: zzz}}", "cannot be seen");
}

static void what_cannot_be_judged_does_not_satisfy_not(void **state)
{
	(void)state;
	make_fifo("notes.md");
	make_sparse("huge.md", (off_t)GATE_READ_LIMIT + 1);
	link_to("/etc/passwd", "out.md");
	put_costly("long.md");
	fails("{not: {file: notes.md, matches: TODO}}",
		"- 'file notes.md' must not hold, but that cannot be seen: "
		"notes.md is a FIFO");
	fails("{not: {file: huge.md, matches: TODO}}", "huge.md is too large to be checked");
	fails("{not: {file: out.md, matches: TODO}}", "out.md is a link");
	fails("{not: {file: long.md, matches: '(a+)+$'}}", "takes too long");
	fails("{not: {json: notes.md}}", "that cannot be seen");
	fails("{not: {any: [none, {file: notes.md, matches: TODO}]}}", "that cannot be seen");
	fails("{not: {not: {file: notes.md, matches: TODO}}}", "that cannot be seen");
	fails("{not: {glob: '[hno]*.md', contains: TODO}}", "that cannot be seen");
	assert_true(verdict.findings[0].unclear);
	// One that can be judged is enough to know.
	put("b.md", TEXT("clean"));
	holds("{not: {glob: '*.md', contains: TODO}}");
	holds("{any: [{file: notes.md, matches: TODO}, b.md]}");
}

static void invalid_bytes_do_not_hide_what_stands_beside_them(void **state)
{
	(void)state;
	put("a", TEXT("\xff\xfe TODO \xff"));
	fails("{file: a, not_matches: TODO}", "must not match");
	holds("{file: a, matches: TODO}");
	put("b", (struct text){"x\0TODO", 6});
	fails("{file: b, not_matches: TODO}", "but has 'TODO' in line 1");
	holds("{file: b, contains: TODO}");
}

static void large_files_are_refused_unread(void **state)
{
	(void)state;
	make_sparse("huge", (off_t)1 << 40);
	make_sparse("most", GATE_READ_LIMIT);
	fails("huge", "huge is too large to be checked; it may have at most 16 MiB.");
	assert_int_equal(verdict.findings[0].size, (int64_t)1 << 40);
	fails("{json: huge}", "too large");
	fails("{glob: 'hug*', min_bytes: 1}", "too large");
	assert_int_equal(plain.reads, 0);
	holds("most");
}

static void grow(struct folder_sandbox *self, struct text path)
{
	(void)self;
	(void)path;
	assert_int_equal(truncate(full("log"), (off_t)1 << 40), 0);
}

static void a_file_that_grows_meanwhile_is_not_read_on(void **state)
{
	(void)state;
	put("log", TEXT("short"));
	plain.before_read = grow;
	fails("log", "log cannot be read: ");
	assert_true(verdict.findings[0].unclear);
}

static void many_large_files_end_at_a_limit(void **state)
{
	(void)state;
	for (int i = 0; i < 40; i++) {
		make_sparse(arena_printf(&arena, "f%02d", i), GATE_READ_LIMIT);
	}
	fails("{not: {glob: 'f*', min_bytes: 1}}",
		"cannot be seen: The files of this gate are too large together");
	assert_true(plain.bytes_read <= (int64_t)GATE_READ_TOTAL + GATE_READ_LIMIT);
}

static void many_failing_files_are_told_as_a_few(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++) {
		put(arena_printf(&arena, "f%03d", i), TEXT(""));
	}
	fails("{glob: 'f*', min_bytes: 1}", "f019 is empty");
	assert_null(strstr(told(), "f020"));
	assert_non_null(strstr(told(), "280 more files of f*: not looked at"));
	holds("{glob: 'f*', max_bytes: 1}");
	assert_int_equal(verdict.count, GATE_LISTED + 1);
	assert_string_equal(verdict.findings[GATE_LISTED].found, "300 files");
}

static void too_many_files_are_a_finding(void **state)
{
	(void)state;
	mkdir(full("many"), 0755);
	for (int i = 0; i <= GATE_FILES; i++) {
		char path[128];
		snprintf(path, sizeof(path), "%s/many/%d", folder, i);
		int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		assert_true(fd >= 0);
		close(fd);
	}
	put("few/a", TEXT("a"));
	fails("{glob: '**/a'}", "more than 20000 files");
	fails("{not: {glob: '**/zzz'}}", "cannot be seen");
	// Elsewhere it does not matter, nor for the folder itself.
	holds("{glob: 'few/*'}");
	holds("{dir: many}");
}

static void deep_folders_are_a_finding(void **state)
{
	(void)state;
	enum { DEPTH = 300 };
	int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdirat(at, "d", 0755), 0);
		int next = openat(at, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	close(at);
	fails("{glob: '**/*.md', count: 0}", "64 folders deep");
}

static void files_cannot_hide_from_a_glob(void **state)
{
	(void)state;
	put("src/a.js", TEXT("fine"));
	make_fifo("src/b.js");
	fails("{glob: 'src/*.js', not_matches: eval}", "src/b.js is a FIFO, so src/*.js cannot");
	unlink(full("src/b.js"));
	link_to("/etc/passwd", "src/b.js");
	fails("{glob: 'src/*.js', not_matches: eval}", "src/b.js is a link that leaves");
	fails("{glob: 'src/*.js', count: 1}", "src/b.js is a link that leaves");
	unlink(full("src/b.js"));
	holds("{glob: 'src/*.js', not_matches: eval}");
	put("src/hidden/c.js", TEXT("eval"));
	assert_int_equal(chmod(full("src/hidden"), 0), 0);
	fails("{glob: 'src/**/*.js', not_matches: eval}",
		"src/hidden is a folder that cannot be looked into");
	holds("{glob: 'src/*.js', not_matches: eval, count: {min: 1}}");
	assert_int_equal(chmod(full("src/hidden"), 0755), 0);
	fails("{glob: 'src/**/*.js', not_matches: eval}", "src/hidden/c.js must not match");
	link_to("a.js", "src/d.js");
	put("src/a.js", TEXT("eval"));
	fails("{glob: 'src/d.js', not_matches: eval}", "src/d.js must not match");
}

static void a_name_has_to_be_exact(void **state)
{
	(void)state;
	put("Design/Spec.md", TEXT("x"));
	put("cafe\xcc\x81.md", TEXT("x"));
	fails("design/spec.md",
		"design/spec.md is missing; there is Design/Spec.md, but the path has to be");
	fails("docs/SPEC.md", "there is Design/Spec.md");
	fails("caf\xc3\xa9.md", "is missing");
	fails("{dir: design}", "The folder design is missing");
	fails("{glob: 'design/*.md'}", "has 0 files");
}

static void paths_cannot_climb(void **state)
{
	(void)state;
	refused("../etc/passwd", "'..'");
	refused("{file: a/../../b}", "'..'");
	refused("{dir: ..}", "'..'");
	refused("{glob: '../*'}", "'..'");
	refused("{json: a/../b}", "'..'");
	refused("{yaml: ..}", "'..'");
	refused("{file: \"a\\0b\"}", "zero byte");
	fails("/etc/passwd", "etc/passwd is missing");
	fails("'...'", "... is missing");
}

static void long_paths_are_missing_files(void **state)
{
	(void)state;
	char require[4200];
	memset(require, 'x', sizeof(require));
	require[4000] = '\0';
	fails(require, "is missing");
	memset(require, 'x', sizeof(require) - 1);
	require[sizeof(require) - 1] = '\0';
	refused(require, "longer than");
}

static void hostile_names_and_contents_stay_in_one_line(void **state)
{
	(void)state;
	put("a\n- all is well\x1b[2J\xff\xe2\x80\xae", TEXT("x"));
	put("h.md", TEXT("# x\x1b]52;c;\x07\n# \xff\xfe\n"));
	put("j.json", TEXT("{\"k\": \"a\\u001b[2J\\n- ok\", \"\\u001b[2J\": 1}"));
	fails("{glob: 'a*', min_bytes: 10}", "a\\n- all is well\\x1b[2J");
	assert_null(strchr(told(), '\x1b'));
	assert_null(strstr(told(), "\n-"));
	fails("{file: h.md, headings: [y]}", "it has: x\\x1b]52;c;\\x07");
	assert_true(text_is_utf8(text_of(told())));
	assert_null(strchr(told(), '\x1b'));
	fails("{json: j.json, at: {/k: b}}", "j.json has ");
	fails("{json: j.json, at: {/z: b}}", "it has: k, ");
	assert_null(strchr(told(), '\x1b'));
	fails("{file: h.md, not_matches: 'x.*'}", "but has 'x\\x1b]52");
	buffer_cleanup json = {0};
	check("{glob: 'a*', min_bytes: 10}");
	gate_verdict_json(&json, &verdict);
	cJSON *tree = json_parse(buffer_text(&json), &error);
	assert_non_null(tree);
	cJSON_Delete(tree);
}

static void findings_stay_short(void **state)
{
	(void)state;
	buffer_cleanup content = {0};
	buffer_add_string(&content, "{\"k\": \"");
	for (int i = 0; i < 1000000; i++) {
		buffer_add_char(&content, 'x');
	}
	buffer_add_string(&content, "\"}");
	put("a.json", buffer_text(&content));
	fails("{json: a.json, at: {/k: b}}", "...");
	assert_true(strlen(told()) < 1000);
	fails("{file: a.json, not_matches: 'x+'}", "...");
	assert_true(strlen(told()) < 1000);
	buffer_clear(&content);
	buffer_add_string(&content, "# ");
	for (int i = 0; i < 1000000; i++) {
		buffer_add_char(&content, 'y');
	}
	put("a.md", buffer_text(&content));
	fails("{file: a.md, headings: [b]}", "...");
	assert_true(strlen(told()) < 1000);
}

static void a_pattern_that_explodes_ends(void **state)
{
	(void)state;
	double start = seconds();
	put_costly("long");
	fails("{file: long, matches: '(a+)+$'}", "Matching /(a+)+$/ against long takes too long");
	fails("{file: long, not_matches: '(a+)+$'}", "takes too long");
	assert_true(verdict.findings[0].unclear);
	char content[600] = "{\"k\": \"";
	memset(content + 7, 'a', 500);
	memcpy(content + 507, "!\"}", 4);
	put("l.json", text_of(content));
	fails("{json: l.json, at: {/k: '/(a+)+$/'}}", "Matching /k of l.json takes too long");
	assert_true(seconds() - start < 20);
}

static void deep_json_and_yaml_bombs_end(void **state)
{
	(void)state;
	put_many("deep.json", '[', 1000000);
	fails("{json: deep.json}", "deep.json is not valid JSON");
	put("bomb.yaml",
		TEXT("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
		     "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d "
		     "[*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
		     "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: "
		     "[*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"));
	fails("{yaml: bomb.yaml}", "bomb.yaml is not valid YAML");
}

static void a_sandbox_that_is_gone_gives_no_verdict(void **state)
{
	(void)state;
	put("a", TEXT("x"));
	plain.gone = true;
	not_checked("a", "- 'a' could not be checked: the sandbox is gone.");
	not_checked("{dir: a}", "could not be checked");
	not_checked("{glob: '*', min_bytes: 1}", "could not be checked");
	not_checked("{json: a}", "could not be checked");
	not_checked("{yaml: a}", "could not be checked");
	not_checked("{run: 'true'}", "could not be checked");
	not_checked("{not: a}", "could not be checked");
	not_checked("{any: [a, b]}", "could not be checked");
}

static void go_away(struct folder_sandbox *self, struct text path)
{
	(void)path;
	self->gone = self->reads == 1;
}

static void a_sandbox_that_goes_midway_gives_no_verdict(void **state)
{
	(void)state;
	put("a", TEXT("x"));
	put("b", TEXT("x"));
	put("c", TEXT("x"));
	plain.before_read = go_away;
	not_checked("{glob: '*', min_bytes: 1}", "could not be checked");
}

static void a_cancelled_gate_gives_no_verdict(void **state)
{
	(void)state;
	put("a", TEXT("x"));
	atomic_store(&cancel, true);
	not_checked("a", "'a' could not be checked: cancelled.");
	not_checked("{glob: '*', min_bytes: 1}", "cancelled");
	not_checked("{run: 'true'}", "cancelled");
	assert_int_equal(plain.reads, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(special_files_are_refused_at_once),
		IN_FOLDER(devices_are_refused),
		IN_FOLDER(links_count_only_when_they_stay_inside),
		IN_FOLDER(a_link_that_is_swapped_in_at_the_last_moment_reads_nothing_outside),
		IN_FOLDER(what_cannot_be_judged_does_not_satisfy_not),
		IN_FOLDER(invalid_bytes_do_not_hide_what_stands_beside_them),
		IN_FOLDER(large_files_are_refused_unread),
		IN_FOLDER(a_file_that_grows_meanwhile_is_not_read_on),
		IN_FOLDER(many_large_files_end_at_a_limit),
		IN_FOLDER(many_failing_files_are_told_as_a_few),
		IN_FOLDER(too_many_files_are_a_finding),
		IN_FOLDER(deep_folders_are_a_finding),
		IN_FOLDER(files_cannot_hide_from_a_glob),
		IN_FOLDER(a_name_has_to_be_exact),
		IN_FOLDER(paths_cannot_climb),
		IN_FOLDER(long_paths_are_missing_files),
		IN_FOLDER(hostile_names_and_contents_stay_in_one_line),
		IN_FOLDER(findings_stay_short),
		IN_FOLDER(a_pattern_that_explodes_ends),
		IN_FOLDER(deep_json_and_yaml_bombs_end),
		IN_FOLDER(a_sandbox_that_is_gone_gives_no_verdict),
		IN_FOLDER(a_sandbox_that_goes_midway_gives_no_verdict),
		IN_FOLDER(a_cancelled_gate_gives_no_verdict),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
