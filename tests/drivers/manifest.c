/* Manifests, put into a session of their own. */
#include "drivers.h"

#include <sys/stat.h>
#include <unistd.h>

#include "cli/vocabulary.h"
#include "manifest/manifest.h"

static struct {
	char folder[sizeof("/tmp/muster-test-manifest-XXXXXX")];
	struct sandbox_settings settings;
	struct team *team;
	struct team_values values;
	struct sandbox *sandbox;
	struct manifest_place place;
} own;

static const char *here(const char *name)
{
	return arena_printf(&arena, "%s/%s", own.folder, name);
}

static void keep(const char *name, const char *content, mode_t mode)
{
	struct error problem = {0};
	must(file_replace(here(name), text_of(content), mode, &problem), &problem);
	assert_int_equal(chmod(here(name), mode), 0);
}

static void begin(const char *manifest)
{
	struct error problem = {0};
	struct team_report report = {0};
	strcpy(own.folder, "/tmp/muster-test-manifest-XXXXXX");
	assert_non_null(mkdtemp(own.folder));
	keep("team.yaml",
		arena_printf(&arena,
			"version: 1\nname: t\nmodel: openai/m\nmanager: lead\n"
			"agents: {lead: {instructions: Lead.}}\nmanifest:\n%s",
			manifest),
		0644);
	for (size_t i = 0; i < 3; i++) {
		static const char *const folders[] = {"tree", "tree/sub", "tree/empty"};
		assert_int_equal(mkdir(here(folders[i]), 0755), 0);
	}
	keep("tree/tool", "#!/bin/sh\necho ran\n", 0755);
	keep("tree/sub/private", "secret\n", 0600);
	assert_int_equal(symlink("sub/private", here("tree/link")), 0);
	own.team = team_load(here("team.yaml"), vocabulary(), &report);
	assert_non_null(own.team);
	team_report_finish(&report);
	own.settings = usual_settings();
	own.settings.folder = own.folder;
	own.sandbox = sandbox_create(subject->driver, &own.settings, &problem);
	must(own.sandbox != NULL, &problem);
	own.place = (struct manifest_place){.team = own.team,
		.values = &own.values,
		.arena = &arena,
		.driver = subject->driver,
		.sandbox = own.sandbox};
}

static void end(void)
{
	struct error problem = {0};
	must(sandbox_destroy(own.sandbox, &problem), &problem);
	team_destroy(own.team);
	must(file_remove_tree(own.folder, &problem), &problem);
}

static void apply(void)
{
	struct error problem = {0};
	must(manifest_check(&own.place, &problem), &problem);
	must(manifest_apply(&own.place, &problem), &problem);
}

static void prints(const char *shell, const char *user, const char *output)
{
	struct error problem = {0};
	struct sandbox_command command = {.shell = shell, .user = user, .timeout = 60000};
	must(sandbox_exec(own.sandbox, &arena, &command, &result, &problem), &problem);
	assert_text(result.err, "");
	assert_text(result.out, output);
}

static void a_manifest_fills_the_workspace(void **state)
{
	(void)state;
	begin("  entries:\n"
	      "    t: {type: local_dir, src: tree}\n"
	      "    t/sub/late: {type: file, content: late}\n"
	      "    d: {type: dir, permissions: {owner: 7, group: 0, other: 0}, children:\n"
	      "      {bytes: {type: file, base64: /wAB, permissions: {owner: 4, group: 0, other: "
	      "0}}}}\n");
	apply();
	prints("t/tool; cat t/link; cat t/sub/late; test -d t/empty && echo; wc -c <d/bytes; "
	       "ls -l t/sub/private d/bytes | cut -c 1-10; ls -ld d | cut -c 1-10",
		NULL, "ran\nsecret\nlate\n3\n-r--------\n-rw-------\ndrwx------\n");
	prints("echo x >t/sub/private && echo y >d/new && rm t/tool && ls t | wc -l", NULL, "3\n");
	end();
}

static void ephemeral_entries_come_back_and_leave_the_rest(void **state)
{
	(void)state;
	begin("  entries:\n"
	      "    a: {type: file, content: manifest}\n"
	      "    e: {type: local_dir, src: tree/sub, ephemeral: true}\n");
	apply();
	prints("rm -r e && printf work >a && ls", NULL, "a\n");
	own.place.ephemeral_only = true;
	apply();
	prints("cat a e/private", NULL, "worksecret\n");
	end();
}

static void users_and_groups_are_there_or_refused(void **state)
{
	(void)state;
	begin("  users: [{name: builder}]\n"
	      "  groups: [{name: staffers, users: [{name: builder}]}]\n"
	      "  entries:\n"
	      "    shared:\n"
	      "      type: dir\n"
	      "      group: staffers\n"
	      "      permissions: {owner: 7, group: 7, other: 0}\n");
	if (has(SANDBOX_USERS)) {
		apply();
		prints("whoami; echo x >shared/x && cat shared/x", "builder", "builder\nx\n");
		prints("ls -ld shared | awk '{print $1, $4}'", NULL, "drwxrwx--- staffers\n");
	} else {
		lacking(manifest_check(&own.place, &error));
	}
	end();
}

const struct CMUnitTest manifest_tests[] = {
	cmocka_unit_test(a_manifest_fills_the_workspace),
	cmocka_unit_test(ephemeral_entries_come_back_and_leave_the_rest),
	cmocka_unit_test(users_and_groups_are_there_or_refused),
	{0},
};
