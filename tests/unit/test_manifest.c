#include "manifest/manifest.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"
#include "cli/vocabulary.h"
#include "test.h"

// A workspace that is a folder, taken as one or (archives) as what only takes archives.
struct place {
	struct sandbox_session session;
	int folder;
	const char *path;
	size_t archives;
};

static struct place *place_of(struct sandbox *sandbox)
{
	return (struct place *)(void *)sandbox;
}

static int host_folder(struct sandbox *sandbox)
{
	return place_of(sandbox)->folder;
}

static bool scan(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct folder_list *list, struct error *error)
{
	return folder_scan(arena, place_of(sandbox)->folder, path, limit, NULL, NULL, list, error);
}

static bool remove_tree(
	struct sandbox *sandbox, struct text path, bool recursive, struct error *error)
{
	assert_true(recursive);
	return folder_remove_tree(place_of(sandbox)->folder, path, error);
}

static bool put_archive(struct sandbox *sandbox, struct text folder, int fd, struct error *error)
{
	struct place *place = place_of(sandbox);
	assert_int_equal(folder.length, 0);
	place->archives++;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd, 0);
		execlp("tar", "tar", "-xpf", "-", "-C", place->path, (char *)NULL);
		_exit(127);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0 || error_set(error, ERROR_FAILED, "tar fails");
}

static const struct sandbox_driver as_folder = {.name = "folder",
	.user = "agent",
	.host_folder = host_folder,
	.scan = scan,
	.remove = remove_tree};
static const struct sandbox_driver as_archive = {
	.name = "archive", .user = "agent", .put_archive = put_archive};

struct world {
	char folder[64];
	struct arena arena;
	struct team *team;
	struct team_values values;
	struct place place;
	struct manifest_place where;
	struct error error;
};

static struct world world;

static void put(const char *name, const char *content, mode_t mode)
{
	char path[256];
	struct error error = {0};
	snprintf(path, sizeof(path), "%s/%s", world.folder, name);
	char *parent = path_folder(&world.arena, path);
	assert_true(file_make_folders(parent, 0755, &error));
	assert_true(file_replace(path, text_of(content), mode, &error));
	assert_int_equal(chmod(path, mode), 0);
}

static const char *at(const char *name)
{
	return arena_printf(&world.arena, "%s/%s", world.folder, name);
}

static void setup(void)
{
	world = (struct world){0};
	strcpy(world.folder, "/tmp/test-manifest-XXXXXX");
	assert_non_null(mkdtemp(world.folder));
	assert_int_equal(mkdir(at("workspace"), 0755), 0);
	world.place.folder = -1;
}

static void teardown(void)
{
	struct error error = {0};
	file_close(&world.place.folder);
	team_destroy(world.team);
	assert_true(file_remove_tree(world.folder, &error));
	arena_finish(&world.arena);
}

static void load(const char *manifest)
{
	struct team_report report = {0};
	buffer_cleanup team = {0};
	buffer_printf(&team,
		"version: 1\nname: t\nmodel: openai/m\nmanager: lead\n"
		"inputs: {who: {type: string, default: Ann}}\n"
		"agents: {lead: {instructions: Lead.}}\nmanifest:\n%s",
		manifest);
	put("team.yaml", team.data, 0644);
	world.team = team_load(at("team.yaml"), vocabulary(), &report);
	if (!world.team) {
		buffer_cleanup lines = {0};
		team_report_print(&lines, &report);
		fail_msg("%s", lines.data);
	}
	team_report_finish(&report);
	assert_true(team_inputs(&world.arena, world.team, NULL, 0, &world.values, &world.error));
}

static struct manifest_place *use(const struct sandbox_driver *driver)
{
	file_close(&world.place.folder);
	world.place = (struct place){.session.driver = driver, .path = at("workspace")};
	world.place.folder = folder_open(world.place.path, &world.error);
	assert_true(world.place.folder >= 0);
	world.where = (struct manifest_place){.team = world.team,
		.values = &world.values,
		.arena = &world.arena,
		.driver = driver,
		.sandbox = (struct sandbox *)(void *)&world.place,
		.cache = at("cache")};
	world.error = (struct error){0};
	return &world.where;
}

// What lies in the workspace, a line for each: mode, path, content or target.
static char *listing(void)
{
	buffer_cleanup lines = {0};
	struct folder_list list;
	struct error error = {0};
	file_cleanup folder = folder_open(at("workspace"), &error);
	assert_true(folder_scan(&world.arena, folder, TEXT(""), 1000, NULL, NULL, &list, &error));
	for (size_t i = 0; i < list.count; i++) {
		const struct folder_entry *entry = &list.entries[i];
		struct text content = {0};
		if (entry->kind == FOLDER_LINK) {
			assert_true(folder_read_link(&world.arena, folder, entry->path, &content));
		} else if (entry->kind == FOLDER_FILE) {
			assert_true(folder_read(
				&world.arena, folder, entry->path, 4096, &content, &error));
		}
		buffer_printf(&lines, "%04o %.*s%s%.*s\n",
			entry->kind == FOLDER_LINK ? 0777 : (unsigned)entry->mode,
			(int)entry->path.length, entry->path.data,
			entry->kind == FOLDER_LINK           ? " -> "
				: entry->kind == FOLDER_FILE ? ": "
							     : "/",
			(int)content.length, content.data ? content.data : "");
	}
	return arena_string(&world.arena, lines.data ? lines.data : "");
}

static void empty(void)
{
	struct error error = {0};
	assert_true(file_remove_tree(at("workspace"), &error));
	assert_int_equal(mkdir(at("workspace"), 0755), 0);
}

static void applied(const struct sandbox_driver *driver, const char *expected)
{
	if (!manifest_check(use(driver), &world.error) ||
		!manifest_apply(&world.where, &world.error)) {
		fail_msg("%s: %s", driver->name, world.error.message);
	}
	assert_string_equal(listing(), expected);
}

static void every_kind_of_entry_arrives_in_a_folder_and_by_an_archive(void **state)
{
	(void)state;
	setup();
	static const char expected[] = "0644 bytes: \xff\x01\n"
				       "0640 copy: mine\n"
				       "0755 d/\n"
				       "0755 d/e/\n"
				       "0600 d/e/f: Hello Ann, not ${inputs.who}\n"
				       "0755 empty/\n"
				       "0750 tree/\n"
				       "0555 tree/closed/\n"
				       "0400 tree/closed/in: x\n"
				       "0755 tree/none/\n"
				       "0777 tree/to -> closed/in\n"
				       "0750 tree/tool: #!/bin/sh\n";
	put("mine", "mine", 0640);
	put("tree/tool", "#!/bin/sh", 0750);
	put("tree/closed/in", "x", 0400);
	assert_int_equal(mkdir(at("tree/none"), 0755), 0);
	assert_int_equal(symlink("closed/in", at("tree/to")), 0);
	assert_int_equal(chmod(at("tree/closed"), 0555), 0);
	load("  entries:\n"
	     "    copy: {type: local_file, src: mine}\n"
	     "    tree: {type: local_dir, src: tree, permissions: {owner: 7, group: 5, other: 0}}\n"
	     "    d: {type: dir, children: {e: {type: dir}}}\n"
	     "    d/e/f:\n"
	     "      type: file\n"
	     "      content: 'Hello ${inputs.who}, not $${inputs.who}'\n"
	     "      permissions: {owner: 6, group: 0, other: 0}\n"
	     "    bytes: {type: file, base64: /wEK}\n"
	     "    empty: {type: local_dir, src: null}\n");
	static char expected_bytes[sizeof(expected) + 1];
	snprintf(expected_bytes, sizeof(expected_bytes), "0644 bytes: \xff\x01\n\n%s",
		strchr(expected, '\n') + 1);
	applied(&as_folder, expected_bytes);
	empty();
	applied(&as_archive, expected_bytes);
	assert_int_equal(world.place.archives, 1);
	teardown();
}

static void a_later_entry_lies_over_an_earlier_one(void **state)
{
	(void)state;
	setup();
	static const char expected[] = "0755 d/\n0644 d/a: new\n0644 d/b: kept\n0644 x: second\n";
	put("tree/a", "old", 0600);
	put("tree/b", "kept", 0644);
	load("  entries:\n"
	     "    d: {type: local_dir, src: tree}\n"
	     "    d/a: {type: file, content: new}\n"
	     "    x: {type: file, content: second}\n");
	applied(&as_folder, expected);
	empty();
	applied(&as_archive, expected);
	assert_int_equal(world.place.archives, 2);
	teardown();
}

static void refused(const struct sandbox_driver *driver, const char *entry, const char *why)
{
	struct manifest_place *where = use(driver);
	if (manifest_check(where, &world.error)) {
		assert_false(manifest_apply(where, &world.error));
	}
	if (!strstr(world.error.message, entry) || !strstr(world.error.message, why)) {
		fail_msg("'%s' and '%s' are not in: %s", entry, why, world.error.message);
	}
}

static void what_lies_in_the_way_is_named(void **state)
{
	(void)state;
	setup();
	load("  entries:\n"
	     "    a/b: {type: file, content: x}\n"
	     "    a: {type: file, content: y}\n");
	refused(&as_folder, "manifest entry 'a'",
		"'a' is a folder already, so it cannot be a file");
	teardown();
	setup();
	load("  entries:\n"
	     "    a: {type: file, content: y}\n"
	     "    a/b: {type: file, content: x}\n");
	refused(&as_folder, "manifest entry 'a/b'",
		"'a' is a file already, so it cannot be a folder");
	teardown();
}

static void sources_that_cannot_be_copied_are_refused_before_anything_is_changed(void **state)
{
	(void)state;
	static const struct {
		const char *entry, *why;
	} wrong[] = {
		{"{type: local_file, src: gone}", "cannot read"},
		{"{type: local_file, src: link}", "is a link"},
		{"{type: local_file, src: pipe}", "is a special file, not a regular file"},
		{"{type: local_file, src: huge}", "is larger than 16 GiB"},
		{"{type: local_dir, src: out}", "'up' is a link that leads out of the folder"},
		{"{type: local_dir, src: abs}", "'l' is a link that leads out of the folder"},
		{"{type: local_dir, src: pipes}", "'sub/pipe' is a FIFO"},
		{"{type: local_dir, src: linked}", "is no folder"},
		{"{type: local_dir, src: big}", "'huge' is larger than 16 GiB"},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		setup();
		buffer_cleanup text = {0};
		static const char *const folders[] = {"out", "abs", "pipes/sub", "real", "big"};
		for (size_t k = 0; k < sizeof(folders) / sizeof(folders[0]); k++) {
			assert_true(file_make_folders(at(folders[k]), 0755, &world.error));
		}
		static const char *const huge[] = {"huge", "big/huge"};
		put("kept", "x", 0644);
		put("gone", "x", 0644);
		put("huge", "x", 0644);
		put("big/huge", "x", 0644);
		for (size_t k = 0; k < 2; k++) {
			assert_int_equal(truncate(at(huge[k]), (off_t)17 << 30), 0);
		}
		assert_int_equal(symlink("kept", at("link")), 0);
		assert_int_equal(symlink("real", at("linked")), 0);
		assert_int_equal(symlink("../kept", at("out/up")), 0);
		assert_int_equal(symlink("/etc/passwd", at("abs/l")), 0);
		put("pipe", "x", 0644);
		assert_int_equal(mkfifo(at("pipes/sub/pipe"), 0600), 0);
		buffer_printf(&text,
			"  entries:\n    first: {type: file, content: x}\n    bad: %s\n",
			wrong[i].entry);
		load(text.data);
		assert_int_equal(unlink(at("gone")), 0);
		assert_int_equal(unlink(at("pipe")), 0);
		assert_int_equal(mkfifo(at("pipe"), 0600), 0);
		assert_false(manifest_check(use(&as_folder), &world.error));
		if (!strstr(world.error.message, "manifest entry 'bad'") ||
			!strstr(world.error.message, wrong[i].why)) {
			fail_msg("%s: %s", wrong[i].why, world.error.message);
		}
		assert_string_equal(listing(), "");
		teardown();
	}
}

static void gitignore_files_are_respected_on_request(void **state)
{
	(void)state;
	setup();
	static const char *const files[] = {"tree/.git/HEAD", "tree/a.o", "tree/a.c", "tree/keep.o",
		"tree/build/x", "tree/sub/build", "tree/sub/deep/b.log", "tree/sub/b.log",
		"tree/docs/a/b/c.tmp", "tree/logs/keep.txt", "tree/logs/gone.txt", "tree/#x",
		"tree/a b ", "tree/only/top", "tree/sub/only/top"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		put(files[i], "x", 0644);
	}
	put("tree/.gitignore",
		"# comment\n*.o\n!keep.o\nbuild/\n/only\ndocs/**/c.tmp\nlogs/**\n!logs/keep.txt\n"
		"\\#x\na\\ b\\ \n\n",
		0644);
	put("tree/sub/.gitignore", "*.log\n!deep/b.log\n", 0644);
	load("  entries:\n    t: {type: local_dir, src: tree, gitignore: true}\n");
	assert_true(manifest_check(use(&as_folder), &world.error));
	assert_true(manifest_apply(&world.where, &world.error));
	const char *found = listing();
	static const char *const there[] = {"t/.gitignore", "t/a.c", "t/keep.o", "t/sub/build",
		"t/sub/deep/b.log", "t/logs/keep.txt", "t/docs/a/b/", "t/sub/only/top"};
	static const char *const missing[] = {"t/.git/", "t/a.o", "t/build", "t/sub/b.log",
		"docs/a/b/c.tmp", "gone.txt", "t/#x", "t/a b", "t/only"};
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
		if (!strstr(found, there[i])) {
			fail_msg("%s is not in:\n%s", there[i], found);
		}
	}
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		if (strstr(found, missing[i])) {
			fail_msg("%s is in:\n%s", missing[i], found);
		}
	}
	teardown();
}

static void what_an_attempt_left_half_made_is_not_used(void **state)
{
	(void)state;
	setup();
	put("workspace/half/made", "x", 0600);
	put("workspace/a", "x", 0600);
	assert_int_equal(chmod(at("workspace/half"), 0), 0);
	load("  entries:\n    a: {type: file, content: whole}\n");
	applied(&as_folder, "0644 a: whole\n");
	teardown();
}

// Killed by the kernel while it writes "b", which is larger than files may be.
static void apply_and_be_killed(struct manifest_place *where)
{
	struct rlimit none = {0, 0}, small = {1 << 16, 1 << 16};
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		setrlimit(RLIMIT_FSIZE, &small);
		signal(SIGXFSZ, SIG_DFL);
		manifest_apply(where, &world.error);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGXFSZ);
}

static void after_a_kill_in_the_middle_all_begins_anew(void **state)
{
	(void)state;
	setup();
	put("tree/a", "first", 0644);
	put("tree/b", "", 0644);
	put("tree/c", "third", 0644);
	assert_int_equal(truncate(at("tree/b"), 1 << 20), 0);
	load("  entries:\n    t: {type: local_dir, src: tree}\n");
	apply_and_be_killed(use(&as_folder));
	assert_int_equal(access(at("workspace/t/a"), F_OK), 0);
	assert_int_equal(access(at("workspace/t/c"), F_OK), -1);
	assert_int_equal(unlink(at("tree/a")), 0);
	put("tree/b", "small", 0644);
	applied(&as_folder, "0755 t/\n0644 t/b: small\n0644 t/c: third\n");
	teardown();
}

static void ephemeral_entries_can_be_put_in_again_alone(void **state)
{
	(void)state;
	setup();
	load("  entries:\n"
	     "    a: {type: file, content: manifest}\n"
	     "    d: {type: dir, children: {e: {type: file, content: e, ephemeral: true}}}\n"
	     "    all: {type: dir, ephemeral: true, children: {f: {type: file, content: f}}}\n");
	put("workspace/a", "work", 0600);
	struct manifest_place *where = use(&as_folder);
	where->ephemeral_only = true;
	assert_true(manifest_apply(where, &world.error));
	assert_string_equal(
		listing(), "0600 a: work\n0755 all/\n0644 all/f: f\n0755 d/\n0644 d/e: e\n");
	teardown();
}

static void it_stops_when_it_is_asked_to(void **state)
{
	(void)state;
	setup();
	atomic_bool cancel = true;
	load("  entries: {a: {type: file, content: x}}\n");
	struct manifest_place *where = use(&as_folder);
	where->cancel = &cancel;
	assert_false(manifest_apply(where, &world.error));
	assert_int_equal(world.error.kind, ERROR_INTERRUPTED);
	assert_string_equal(listing(), "");
	teardown();
}

static void a_disk_that_is_full_is_told_with_the_entry(void **state)
{
	(void)state;
	setup();
	put("large", "", 0644);
	assert_int_equal(truncate(at("large"), 1 << 20), 0);
	load("  entries:\n    big: {type: local_file, src: large}\n");
	struct rlimit old;
	struct manifest_place *where = use(&as_folder);
	assert_true(manifest_check(where, &world.error));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){1 << 16, old.rlim_max}), 0);
	bool fine = manifest_apply(where, &world.error);
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_DFL);
	assert_false(fine);
	assert_non_null(strstr(world.error.message, "manifest entry 'big'"));
	assert_non_null(strstr(world.error.message, "cannot write 'big' in the workspace"));
	teardown();
}

static void a_source_that_grows_while_it_is_copied_is_refused_in_an_archive(void **state)
{
	(void)state;
	setup();
	load("  entries:\n    v: {type: local_file, src: /proc/self/status}\n");
	refused(&as_archive, "manifest entry 'v'", "changed while it was copied");
	teardown();
}

static void users_groups_and_run_as_must_be_what_the_sandbox_has(void **state)
{
	(void)state;
	static const struct {
		const char *manifest, *why;
	} wrong[] = {
		{"  users: [{name: ann}]\n", "no user or group 'ann'"},
		{"  groups: [{name: agent, users: [{name: bob}]}]\n", "no user or group 'bob'"},
		{"  entries: {a: {type: dir, group: staff}}\n", "no user or group 'staff'"},
		{"  entries: {a: {type: dir, group: {name: staff}}}\n", "no user or group 'staff'"},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		setup();
		load(wrong[i].manifest);
		assert_false(manifest_check(use(&as_folder), &world.error));
		if (!strstr(world.error.message, wrong[i].why)) {
			fail_msg("%s: %s", wrong[i].why, world.error.message);
		}
		assert_non_null(strstr(world.error.hint, "'agent'"));
		teardown();
	}
	setup();
	load("  users: [{name: agent}]\n  entries: {a: {type: dir, group: agent}}\n");
	applied(&as_folder, "0755 a/\n");
	teardown();
}

// Commands that a driver with users gets.
static char commands[4096];

static bool note_command(struct sandbox *sandbox, struct arena *arena,
	const struct sandbox_command *command, struct process_result *result, struct error *error)
{
	(void)sandbox;
	(void)arena;
	(void)error;
	*result = (struct process_result){0};
	assert_string_equal(command->user, "root");
	for (size_t i = 0; command->argv[i]; i++) {
		if (!strchr(command->argv[i], '\n')) {
			size_t used = strlen(commands);
			snprintf(commands + used, sizeof(commands) - used, "%s ", command->argv[i]);
		}
	}
	return true;
}

static void accounts_are_made_before_the_files_that_belong_to_them(void **state)
{
	(void)state;
	static const struct sandbox_driver with_users = {.name = "users",
		.flags = SANDBOX_USERS,
		.put_archive = put_archive,
		.exec = note_command};
	setup();
	commands[0] = '\0';
	load("  users: [{name: ann}]\n"
	     "  groups: [{name: staff, users: [{name: bob}]}]\n"
	     "  entries: {d/a: {type: file, content: x, group: staff}}\n");
	applied(&with_users, "0755 d/\n0644 d/a: x\n");
	assert_string_equal(commands,
		"sh -c sh group:staff: user::ann user::bob join:staff:bob "
		"chgrp -- staff /workspace/d/a ");
	teardown();
}

static void mounts_are_checked_and_refused_by_name(void **state)
{
	(void)state;
	setup();
	load("  entries:\n"
	     "    data:\n"
	     "      type: s3_mount\n"
	     "      bucket: b\n"
	     "      mount_strategy: {type: in_container, pattern: {type: mountpoint}}\n");
	refused(&as_folder, "manifest entry 'data'",
		"cannot carry out a s3_mount with the strategy 'in_container'");
	teardown();
}

static void path_grants_are_refused_by_name(void **state)
{
	(void)state;
	setup();
	load("  extra_path_grants: [{path: /data, read_only: true}]\n");
	refused(&as_folder, "team.yaml", "cannot carry out path grants");
	teardown();
}

static const struct sandbox_driver granting = {.name = "granting",
	.flags = SANDBOX_GRANTS,
	.host_folder = host_folder,
	.scan = scan,
	.remove = remove_tree};

static void path_grants_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *grant, *why;
	} wrong[] = {
		{"{path: data}", "is no absolute path"},
		{"{path: /a/../b}", "is no absolute path"},
		{"{path: /}", "folders of its own"},
		{"{path: /workspace/x}", "folders of its own"},
		{"{path: /usr}", "folders of its own"},
		{"{path: /proc/sys}", "folders of its own"},
		{"{path: /tmp}", "folders of its own"},
		{"{path: /d, host_path: d}", "is no absolute path"},
		{"{path: /d, host_path: /}", "is the whole machine"},
		{"{path: /d, host_path: /no/such}", "No such file"},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		setup();
		buffer_cleanup text = {0};
		buffer_printf(&text, "  extra_path_grants: [%s]\n", wrong[i].grant);
		load(text.data);
		refused(&granting, "team.yaml", wrong[i].why);
		teardown();
	}
}

static void path_grants_are_read_with_links_followed_beforehand(void **state)
{
	(void)state;
	setup();
	put("real/x", "x", 0644);
	assert_int_equal(symlink("real", at("link")), 0);
	buffer_cleanup text = {0};
	buffer_printf(&text,
		"  extra_path_grants: [{path: //data/./in/, read_only: true, host_path: %s}]\n",
		at("link"));
	load(text.data);
	const struct sandbox_grant *grants;
	struct manifest_place *where = use(&granting);
	assert_true(manifest_check(where, &world.error));
	assert_true(manifest_grants(where, &grants, &world.error));
	assert_string_equal(grants[0].path, "/data/in");
	assert_non_null(strstr(grants[0].source, "/real"));
	assert_true(grants[0].read_only);
	assert_null(grants[1].path);
	teardown();
}

// What openai-agents 0.22.0 itself wrote: Manifest.model_dump(mode="json").
static struct text serialised(void)
{
	struct text text;
	struct error error = {0};
	const char *path = arena_printf(&world.arena,
		"%s/tests/unit/manifest_of_the_agents_sdk.json", getenv("MUSTER_SOURCE"));
	assert_true(file_read(&world.arena, path, 1 << 20, &text, &error));
	return text;
}

static void the_agents_sdks_own_form_is_read_and_written_unchanged(void **state)
{
	(void)state;
	setup();
	struct team_report report = {0};
	struct text theirs = serialised();
	put("manifest.json", text_string(&world.arena, theirs), 0644);
	put("mine", "x", 0644);
	put("seed/x", "x", 0644);
	put("team.yaml",
		"version: 1\nname: t\nmodel: openai/m\nmanager: lead\nmanifest: manifest.json\n"
		"agents: {lead: {instructions: Lead.}}\n",
		0644);
	world.team = team_load(at("team.yaml"), vocabulary(), &report);
	buffer_cleanup lines = {0}, mine = {0}, compact = {0};
	team_report_print(&lines, &report);
	assert_string_equal(lines.data ? lines.data : "", "");
	team_report_finish(&report);
	manifest_print(&mine, world.team);
	json_cleanup *tree = json_parse(theirs, &world.error);
	json_print(&compact, tree);
	assert_string_equal(mine.data, compact.data);
	struct manifest manifest = manifest_read(&world.arena, world.team);
	assert_int_equal(manifest.count, 15);
	assert_int_equal(manifest.entries[0].mode, 0755);
	assert_int_equal(manifest.entries[1].mode, 0750);
	assert_text(manifest.entries[4].path, "d/t");
	assert_true(manifest.entries[4].ephemeral);
	assert_string_equal(manifest.entries[2].group, "g");
	teardown();
}

static void a_manifest_of_ours_is_written_in_the_sdks_form(void **state)
{
	(void)state;
	setup();
	load("  entries:\n"
	     "    a: {type: file, content: x}\n"
	     "    b: {type: file, base64: /wA=, group: g}\n"
	     "  environment: {A: b, N: 1}\n");
	buffer_cleanup json = {0};
	manifest_print(&json, world.team);
	assert_non_null(strstr(json.data,
		"{\"owner\":6,\"group\":4,\"other\":4,\"directory\":false},\"content\":\"x\""));
	assert_non_null(strstr(json.data, "\"base64\":\"/wA=\""));
	assert_non_null(strstr(json.data, "\"group\":{\"name\":\"g\"}"));
	assert_non_null(strstr(json.data, "\"environment\":{\"value\":{\"A\":\"b\",\"N\":\"1\"}}"));
	teardown();
}

static void keys_that_make_no_sense_are_mistakes_of_the_file(void **state)
{
	(void)state;
	static const struct {
		const char *entry, *why;
	} wrong[] = {
		{"{type: file}", "needs 'content'"},
		{"{type: file, content: x, base64: eA==}", "not both"},
		{"{type: file, base64: 'eA='}", "not in base64"},
		{"{type: file, content: x, permissions: {owner: 8}}", "at most 7"},
		{"{type: file, content: x, group: [a]}", "names no group"},
		{"{type: file, content: x, group: 'A b'}", "cannot be the name"},
		{"{type: s3_mount, bucket: b}", "mount_strategy"},
		{"{type: s3_mount, bucket: b, mount_strategy: {type: in_container, pattern: {type: "
		 "fuse}}}",
			"cannot be mounted with 'fuse'"},
		{"{type: r2_mount, bucket: b, account_id: a, access_key_id: k, mount_strategy: "
		 "{type: in_container}}",
			"belong together"},
		{"{type: azure_blob_mount, account: a, container: \"c\\nd\", mount_strategy: "
		 "{type: in_container}}",
			"more than one line"},
		{"{type: s3_mount, bucket: b, mount_strategy: {type: in_container, patern: 1}}",
			"unknown key 'patern'"},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		setup();
		buffer_cleanup team = {0}, lines = {0};
		struct team_report report = {0};
		buffer_printf(&team,
			"version: 1\nname: t\nmodel: openai/m\nmanager: lead\n"
			"agents: {lead: {instructions: Lead.}}\nmanifest: {entries: {bad: %s}}\n",
			wrong[i].entry);
		put("team.yaml", team.data, 0644);
		world.team = team_load(at("team.yaml"), vocabulary(), &report);
		team_report_print(&lines, &report);
		if (!lines.data || !strstr(lines.data, wrong[i].why)) {
			fail_msg("%s: %s", wrong[i].entry, lines.data ? lines.data : "");
		}
		team_report_finish(&report);
		teardown();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_entry_arrives_in_a_folder_and_by_an_archive),
		cmocka_unit_test(a_later_entry_lies_over_an_earlier_one),
		cmocka_unit_test(what_lies_in_the_way_is_named),
		cmocka_unit_test(
			sources_that_cannot_be_copied_are_refused_before_anything_is_changed),
		cmocka_unit_test(gitignore_files_are_respected_on_request),
		cmocka_unit_test(what_an_attempt_left_half_made_is_not_used),
		cmocka_unit_test(after_a_kill_in_the_middle_all_begins_anew),
		cmocka_unit_test(ephemeral_entries_can_be_put_in_again_alone),
		cmocka_unit_test(it_stops_when_it_is_asked_to),
		cmocka_unit_test(a_disk_that_is_full_is_told_with_the_entry),
		cmocka_unit_test(a_source_that_grows_while_it_is_copied_is_refused_in_an_archive),
		cmocka_unit_test(users_groups_and_run_as_must_be_what_the_sandbox_has),
		cmocka_unit_test(accounts_are_made_before_the_files_that_belong_to_them),
		cmocka_unit_test(mounts_are_checked_and_refused_by_name),
		cmocka_unit_test(path_grants_are_refused_by_name),
		cmocka_unit_test(path_grants_that_make_no_sense_are_refused),
		cmocka_unit_test(path_grants_are_read_with_links_followed_beforehand),
		cmocka_unit_test(the_agents_sdks_own_form_is_read_and_written_unchanged),
		cmocka_unit_test(a_manifest_of_ours_is_written_in_the_sdks_form),
		cmocka_unit_test(keys_that_make_no_sense_are_mistakes_of_the_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
