#include "cli/doctor.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "cli/content.h"
#include "cli/verb.h"
#include "model/model.h"
#include "net/curl.h"
#include "sandbox/cgroup.h"
#include "sandbox/sandbox.h"
#include "sandbox/seccomp.h"
#include "store/git.h"
#include "store/store.h"
#include "view/words.h"

enum {
	DOCTOR_TIME = 5000, // milliseconds for a program or a service to answer
	DOCTOR_LINE = 200,  // bytes of what a program says
};

#define DOCTOR_SPACE_LEAST (50LL * 1000 * 1000)
#define DOCTOR_SPACE_ENOUGH (1000LL * 1000 * 1000)

static void set(struct doctor_finding *finding, enum doctor_status status, const char *found,
	const char *remedy)
{
	*finding = (struct doctor_finding){status, found, remedy};
}

// What an error says, with its hint as the remedy.
static void set_error(struct doctor_finding *finding, struct arena *arena,
	enum doctor_status status, const struct error *error)
{
	set(finding, status, arena_string(arena, error->message),
		error->hint[0] ? arena_string(arena, error->hint) : NULL);
}

// The first line that a program prints; NULL: it is not there or does not work.
static const char *first_line(struct arena *arena, const char *const *argv)
{
	const char *path = getenv("PATH");
	const char *environment[] = {
		arena_printf(arena, "PATH=%s", path ? path : "/usr/bin:/bin"), NULL};
	struct process process = {.argv = argv,
		.environment = environment,
		.timeout = DOCTOR_TIME,
		.output_limit = 4096};
	struct process_result result;
	struct error ignored = {0}; // that it is not there is what was asked
	buffer_cleanup shown = {0};
	struct text line;
	if (!process_run(arena, &process, &result, &ignored) || result.status != 0 ||
		!text_next_line(&result.out, &line)) {
		return NULL;
	}
	buffer_add_line(&shown, text_trim(line), DOCTOR_LINE);
	return arena_string(arena, shown.data ? shown.data : "");
}

static void look_muster(struct doctor_finding *finding, struct arena *arena)
{
	struct utsname system = {0};
	uname(&system);
	set(finding, DOCTOR_FINE,
		arena_printf(arena, "muster %s on %s %s, %s, %s", MUSTER_VERSION, system.sysname,
			system.release, system.machine, geteuid() == 0 ? "as root" : "as a user"),
		NULL);
}

static void look_teams(struct doctor_finding *finding, struct arena *arena)
{
	const char *folder = content_folder(arena);
	struct content_teams teams;
	if (!folder) {
		set(finding, DOCTOR_LIMITED, "the canned teams are nowhere to be found",
			"install muster (make install), or let MUSTER_DATADIR name the folder with "
			"teams/ in it");
		return;
	}
	content_teams(arena, &teams);
	set(finding, teams.count ? DOCTOR_FINE : DOCTOR_LIMITED,
		arena_printf(arena, "%zu in %s/teams", teams.count, folder), NULL);
}

static void look_bubblewrap(struct doctor_finding *finding, struct arena *arena)
{
	const char *version = first_line(arena, (const char *const[]){"bwrap", "--version", NULL});
	unsigned major = 0, minor = 0;
	if (!version) {
		set(finding, DOCTOR_MISSING, "bwrap is not there",
			"install bubblewrap (Debian: apt-get install bubblewrap)");
	} else if (sscanf(version, "bubblewrap %u.%u", &major, &minor) == 2 && major == 0 &&
		minor < 8) {
		set(finding, DOCTOR_MISSING, version, "muster needs bubblewrap 0.8 or newer");
	} else {
		set(finding, DOCTOR_FINE, version, NULL);
	}
}

// 0, or why the kernel refuses a user namespace.
static int try_namespace(void)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		_exit(unshare(CLONE_NEWUSER) == 0 ? 0 : errno & 0x7f);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
		return EAGAIN;
	}
	return WEXITSTATUS(status);
}

static bool setting_is(const char *path, const char *value)
{
	arena_cleanup arena = {0};
	struct error ignored = {0}; // a kernel without this setting
	struct text content;
	return file_read(&arena, path, 100, &content, &ignored) &&
		text_is(text_trim(content), value);
}

static void look_namespaces(struct doctor_finding *finding, struct arena *arena)
{
	int why = try_namespace();
	const char *remedy = "in a container: allow the system calls clone and unshare (Docker: "
			     "--security-opt seccomp=unconfined)";
	if (why == 0) {
		set(finding, DOCTOR_FINE, "can be made", NULL);
		return;
	}
	if (setting_is("/proc/sys/user/max_user_namespaces", "0")) {
		remedy = "sysctl user.max_user_namespaces=10000";
	} else if (setting_is("/proc/sys/kernel/unprivileged_userns_clone", "0")) {
		remedy = "sysctl kernel.unprivileged_userns_clone=1";
	} else if (setting_is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1")) {
		remedy = "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or a profile of "
			 "AppArmor for bwrap";
	}
	set(finding, DOCTOR_MISSING, arena_printf(arena, "cannot be made: %s", strerror(why)),
		remedy);
}

static void look_seccomp(struct doctor_finding *finding, struct arena *arena)
{
	struct error error = {0};
	file_cleanup filter = -1;
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
		set(finding, DOCTOR_MISSING, "the kernel has no filters of system calls",
			"use a kernel with CONFIG_SECCOMP_FILTER");
		return;
	}
	filter = seccomp_filter(&error);
	if (filter < 0) {
		set_error(finding, arena, DOCTOR_MISSING, &error);
	} else {
		set(finding, DOCTOR_FINE, "system calls can be filtered", NULL);
	}
}

static void look_cgroups(struct doctor_finding *finding, struct arena *arena)
{
	static const struct cgroup_limits limits = {.memory = 1 << 30, .cpu = 1};
	struct error error = {0};
	struct cgroup *cgroup = cgroup_create(&limits, &error);
	if (cgroup) {
		set(finding, DOCTOR_FINE, "limits of memory and processors hold for all of a run",
			NULL);
	} else {
		set(finding, DOCTOR_LIMITED,
			arena_printf(arena,
				"%s; 'memory' is a limit of each process, 'cpu' is refused",
				error.message),
			"systemd-run --user --scope -p Delegate=yes muster run ...");
	}
	cgroup_destroy(cgroup);
}

// Whether commands really run, driver by driver: one that works is enough.
static void look_sandboxes(struct doctor_finding *finding, struct arena *arena)
{
	buffer_cleanup usable = {0};
	struct error first = {0};
	for (size_t i = 0; sandbox_drivers[i]; i++) {
		struct error reason = {0};
		if (!sandbox_drivers[i]->usable || sandbox_drivers[i]->usable(&reason)) {
			buffer_printf(&usable, "%s%s", usable.length ? ", " : "",
				sandbox_drivers[i]->name);
		} else if (!first.message[0]) {
			first = reason;
		}
	}
	if (usable.length) {
		set(finding, DOCTOR_FINE, arena_printf(arena, "commands run in: %s", usable.data),
			first.message[0] ? "'muster providers' says what the others lack" : NULL);
	} else {
		set_error(finding, arena, DOCTOR_MISSING, &first);
	}
}

static void look_docker(struct doctor_finding *finding, struct arena *arena)
{
	const struct sandbox_driver *driver = sandbox_driver_find("docker");
	struct error reason = {0};
	buffer_cleanup lines = {0};
	if (!driver->usable(&reason)) {
		set_error(finding, arena, DOCTOR_LIMITED, &reason);
		return;
	}
	driver->notes(&lines);
	struct text line = text_trim(buffer_text(&lines));
	set(finding, DOCTOR_FINE, text_string(arena, line), NULL);
}

static void look_git(struct doctor_finding *finding, struct arena *arena)
{
	const char *version = first_line(arena, (const char *const[]){"git", "--version", NULL});
	if (version) {
		set(finding, DOCTOR_FINE, version, NULL);
	} else {
		set(finding, DOCTOR_LIMITED, "git is not there; muster needs only its library",
			"install git to look into the histories of workspaces yourself");
	}
}

static void look_libgit2(struct doctor_finding *finding, struct arena *arena)
{
	struct error error = {0};
	if (git_load(&error)) {
		set(finding, DOCTOR_FINE, GIT_LIBRARY, NULL);
	} else {
		set_error(finding, arena, DOCTOR_MISSING, &error);
	}
}

static void look_libcurl(struct doctor_finding *finding, struct arena *arena)
{
	struct error error = {0};
	if (curl_library(&error)) {
		set(finding, DOCTOR_FINE, "libcurl", NULL);
	} else {
		set_error(finding, arena, DOCTOR_LIMITED, &error);
	}
}

// Which keys are there, never what they are.
static void look_keys(struct doctor_finding *finding, struct arena *arena)
{
	buffer_cleanup present = {0}, missing = {0};
	for (size_t i = 0; model_providers[i].name; i++) {
		const char *name = model_providers[i].key_env;
		const char *value = name ? getenv(name) : NULL;
		struct buffer *list = value && value[0] ? &present : &missing;
		if (name) {
			buffer_printf(list, "%s%s", list->length ? ", " : "", name);
		}
	}
	if (present.length) {
		set(finding, DOCTOR_FINE, arena_printf(arena, "%s (not shown)", present.data),
			NULL);
	} else {
		set(finding, DOCTOR_LIMITED,
			"none is set: rehearsals run, and models that need no key",
			arena_printf(arena, "export one of: %s", missing.data));
	}
}

static void look_terminal(struct doctor_finding *finding, struct arena *arena)
{
	struct winsize size = {0};
	const char *terminal = getenv("TERM");
	if (!isatty(STDERR_FILENO)) {
		set(finding, DOCTOR_FINE, "none: progress is told in plain lines", NULL);
		return;
	}
	ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
	set(finding, DOCTOR_FINE,
		arena_printf(arena, "%s, %u columns, %u rows, %s",
			terminal ? arguments_shown(arena, terminal) : "TERM is not set",
			size.ws_col, size.ws_row,
			output_colours(STDERR_FILENO) ? "colours" : "no colours"),
		NULL);
}

static void look_store(struct doctor_finding *finding, struct arena *arena)
{
	struct error error = {0};
	if (access(".muster/store.db", F_OK) != 0) {
		if (access(".", W_OK | X_OK) == 0) {
			set(finding, DOCTOR_FINE, "none in this folder yet; the first run makes it",
				NULL);
		} else {
			set(finding, DOCTOR_MISSING, "this folder cannot be written",
				"go to a folder of yours, or name one with -C DIR");
		}
		return;
	}
	struct store *store = store_open(".", STORE_READ, &error);
	if (!store) {
		set_error(finding, arena, DOCTOR_MISSING, &error);
	} else if (access(".muster", W_OK | X_OK) != 0 || access(".muster/store.db", W_OK) != 0) {
		set(finding, DOCTOR_MISSING, ".muster cannot be written by this user",
			"run as its owner, or hand it over with chown -R");
	} else {
		set(finding, DOCTOR_FINE,
			arena_printf(arena, ".muster/store.db, version %d", STORE_VERSION), NULL);
	}
	store_close(store);
}

static void look_space(struct doctor_finding *finding, struct arena *arena)
{
	struct statvfs disk;
	buffer_cleanup words = {0};
	if (statvfs(".", &disk) != 0) {
		set(finding, DOCTOR_LIMITED, arena_printf(arena, "not known: %s", strerror(errno)),
			NULL);
		return;
	}
	int64_t space = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
	words_add_size(&words, space);
	buffer_add_string(
		&words, disk.f_files && !disk.f_favail ? ", but no room for new files" : "");
	bool least = space >= DOCTOR_SPACE_LEAST && !(disk.f_files && !disk.f_favail);
	bool enough = space >= DOCTOR_SPACE_ENOUGH;
	set(finding,
		!least           ? DOCTOR_MISSING
			: enough ? DOCTOR_FINE
				 : DOCTOR_LIMITED,
		arena_string(arena, words.data),
		least && enough ? NULL : "'muster prune' deletes runs that ended long ago");
}

const struct doctor_check doctor_checks[] = {
	{"muster", look_muster},
	{"canned teams", look_teams},
	{"bubblewrap", look_bubblewrap},
	{"user namespaces", look_namespaces},
	{"system call filter", look_seccomp},
	{"control groups", look_cgroups},
	{"sandbox", look_sandboxes},
	{"docker", look_docker},
	{"git", look_git},
	{"history library", look_libgit2},
	{"network library", look_libcurl},
	{"model keys", look_keys},
	{"terminal", look_terminal},
	{"store", look_store},
	{"free space", look_space},
	{NULL},
};

const char *doctor_status_name(enum doctor_status status)
{
	static const char *const names[] = {
		[DOCTOR_FINE] = "fine", [DOCTOR_LIMITED] = "limited", [DOCTOR_MISSING] = "missing"};
	return names[status];
}
