#include "sandbox/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum {
	PERIOD = 100000,    // microseconds over which processor time is counted
	LEAST_QUOTA = 1000, // the kernel's least
	REMOVE_TRIES = 200, // each after 10 ms: what was killed takes a moment to leave
	FILE_LIMIT = 1024 * 1024,
};

#define MAIN_GROUP "muster-main" // where muster itself goes, if it has to leave its group

// A group in one hierarchy; version 2 has one for all controllers, version 1 one for each.
struct group {
	char *path;
	int processes; // cgroup.procs, to be written
};

struct cgroup {
	struct group groups[2];
	size_t count;
	char *events; // the file that counts killed processes; NULL: memory is not limited
};

static bool write_value(
	struct arena *arena, const char *folder, const char *name, const char *value)
{
	file_cleanup fd =
		open(arena_printf(arena, "%s/%s", folder, name), O_WRONLY | O_CLOEXEC | O_TRUNC);
	return fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
}

static struct text read_value(struct arena *arena, const char *folder, const char *name)
{
	struct error ignored = {0}; // what is not there says nothing
	struct text text = {0};
	file_read(arena, arena_printf(arena, "%s/%s", folder, name), FILE_LIMIT, &text, &ignored);
	return text;
}

// Is `word` one of the words between `separators`?
static bool has_word(struct text text, const char *word, const char *separators)
{
	size_t length = strlen(word);
	for (size_t i = 0; i + length <= text.length; i++) {
		bool starts = i == 0 || strchr(separators, text.data[i - 1]);
		bool ends = i + length == text.length || strchr(separators, text.data[i + length]);
		if (starts && ends && memcmp(text.data + i, word, length) == 0) {
			return true;
		}
	}
	return false;
}

// Our own group in the hierarchy with this controller of version 1; NULL controller: in version 2.
static const char *own_group(struct arena *arena, const char *controller)
{
	struct text text = read_value(arena, "/proc/self", "cgroup");
	char *save = NULL;
	for (char *line = strtok_r(arena_copy(arena, text.data, text.length), "\n", &save); line;
		line = strtok_r(NULL, "\n", &save)) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
		if (!path) {
			continue;
		}
		*path++ = '\0';
		names++;
		if (controller ? has_word(text_of(names), controller, ",") : !names[0]) {
			return path;
		}
	}
	return NULL;
}

// The folder of our own group, as far as it can be seen from here (in a container only a part of the
// hierarchy is mounted); NULL: there is none. Lines of mountinfo: NUMBERS ROOT PLACE OPTIONS... - TYPE
// SOURCE OPTIONS.
static const char *own_folder(struct arena *arena, const char *controller)
{
	const char *group = own_group(arena, controller);
	struct text text = read_value(arena, "/proc/self", "mountinfo");
	char *save = NULL;
	for (char *line = strtok_r(arena_copy(arena, text.data, text.length), "\n", &save);
		line && group; line = strtok_r(NULL, "\n", &save)) {
		char root[1024], place[1024], type[32], options[512];
		const char *rest = strstr(line, " - ");
		if (!rest || sscanf(line, "%*s %*s %*s %1023s %1023s", root, place) != 2 ||
			sscanf(rest, " - %31s %*s %511s", type, options) != 2 ||
			strcmp(type, controller ? "cgroup" : "cgroup2") != 0 ||
			(controller && !has_word(text_of(options), controller, ","))) {
			continue;
		}
		size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
		bool inside = strncmp(group, root, length) == 0 &&
			(group[length] == '/' || !group[length]);
		const char *below =
			inside && strcmp(group + length, "/") != 0 ? group + length : "";
		return arena_printf(arena, "%s%s", place, below);
	}
	return NULL;
}

// Removes the groups of those who were killed. The names hold the process that made them.
static void remove_orphans(struct arena *arena, const char *folder)
{
	DIR *entries = opendir(folder);
	struct dirent *entry;
	while (entries && (entry = readdir(entries))) {
		int pid;
		if (sscanf(entry->d_name, "muster-%d-", &pid) == 1 && pid > 0 && kill(pid, 0) < 0 &&
			errno == ESRCH) {
			rmdir(arena_printf(arena, "%s/%s", folder, entry->d_name));
		}
	}
	if (entries) {
		closedir(entries);
	}
}

// Makes a group below ours.
static bool add_group(
	struct cgroup *cgroup, struct arena *arena, const char *folder, struct error *error)
{
	static atomic_int number;
	struct group *group = &cgroup->groups[cgroup->count];
	char *path = arena_printf(
		arena, "%s/muster-%d-%d", folder, (int)getpid(), atomic_fetch_add(&number, 1));
	remove_orphans(arena, folder);
	if (mkdir(path, 0755) < 0) {
		return error_errno(
			error, ERROR_UNAVAILABLE, "cannot make the control group '%s'", path);
	}
	group->path = memory_string(path);
	group->processes = -1;
	cgroup->count++;
	group->processes = open(arena_printf(arena, "%s/cgroup.procs", path), O_WRONLY | O_CLOEXEC);
	return group->processes >= 0 ||
		error_errno(error, ERROR_UNAVAILABLE, "cannot use the control group '%s'", path);
}

// In version 2 a group that holds processes passes no controllers on. If we are alone in ours, as
// under `systemd-run --scope -p Delegate=yes`, we go into a group below it.
static bool pass_on(struct arena *arena, const char *folder, const char *controllers)
{
	if (write_value(arena, folder, "cgroup.subtree_control", controllers)) {
		return true;
	}
	char *us = arena_printf(arena, "%d\n", (int)getpid());
	char *below = arena_printf(arena, "%s/" MAIN_GROUP, folder);
	return errno == EBUSY && text_is(read_value(arena, folder, "cgroup.procs"), us) &&
		(mkdir(below, 0755) == 0 || errno == EEXIST) &&
		write_value(arena, below, "cgroup.procs", us) &&
		write_value(arena, folder, "cgroup.subtree_control", controllers);
}

static const char *quota(struct arena *arena, const struct cgroup_limits *limits)
{
	double time = limits->cpu * PERIOD;
	return arena_printf(arena, "%lld", time < LEAST_QUOTA ? LEAST_QUOTA : (long long)time);
}

static bool not_limited(const struct cgroup *cgroup, const char *what, struct error *error)
{
	return error_errno(error, ERROR_UNAVAILABLE, "the control group '%s' cannot limit %s",
		cgroup->groups[cgroup->count - 1].path, what);
}

// Version 2, if it has the controllers. *fit says whether it has; false on error.
static bool use_new(struct cgroup *cgroup, struct arena *arena, const struct cgroup_limits *limits,
	bool *fit, struct error *error)
{
	const char *folder = own_folder(arena, NULL);
	size_t length = folder ? strlen(folder) : 0, last = strlen("/" MAIN_GROUP);
	if (length > last && strcmp(folder + length - last, "/" MAIN_GROUP) == 0) {
		folder = arena_copy(arena, folder, length - last); // we went there before
	}
	struct text has = folder ? read_value(arena, folder, "cgroup.controllers") : TEXT("");
	*fit = (!limits->memory || has_word(has, "memory", " \n")) &&
		(limits->cpu <= 0 || has_word(has, "cpu", " \n"));
	if (!*fit) {
		return true;
	}
	const char *controllers = limits->memory && limits->cpu > 0 ? "+memory +cpu"
		: limits->memory                                    ? "+memory"
								    : "+cpu";
	struct text passed = read_value(arena, folder, "cgroup.subtree_control");
	if (((limits->memory && !has_word(passed, "memory", " \n")) ||
		    (limits->cpu > 0 && !has_word(passed, "cpu", " \n"))) &&
		!pass_on(arena, folder, controllers)) {
		return error_errno(error, ERROR_UNAVAILABLE,
			"the control group '%s' does not pass on its controllers", folder);
	}
	if (!add_group(cgroup, arena, folder, error)) {
		return false;
	}
	const char *path = cgroup->groups[0].path;
	char *most = arena_printf(arena, "%lld", (long long)limits->memory);
	if (limits->memory && !write_value(arena, path, "memory.max", most)) {
		return not_limited(cgroup, "memory", error);
	}
	if (limits->memory) {
		write_value(arena, path, "memory.swap.max", "0"); // not there without swap
		cgroup->events = memory_string(arena_printf(arena, "%s/memory.events", path));
	}
	char *cpu = arena_printf(arena, "%s %d", quota(arena, limits), PERIOD);
	return limits->cpu <= 0 || write_value(arena, path, "cpu.max", cpu) ||
		not_limited(cgroup, "processors", error);
}

// Version 1: a hierarchy for each controller.
static bool use_old(struct cgroup *cgroup, struct arena *arena, const struct cgroup_limits *limits,
	struct error *error)
{
	const char *memory = limits->memory ? own_folder(arena, "memory") : NULL;
	const char *cpu = limits->cpu > 0 ? own_folder(arena, "cpu") : NULL;
	if ((limits->memory && !memory) || (limits->cpu > 0 && !cpu)) {
		return error_set(error, ERROR_UNAVAILABLE,
			"there is no control group here that limits %s",
			limits->memory && !memory ? "memory" : "processors");
	}
	if (memory) {
		char *most = arena_printf(arena, "%lld", (long long)limits->memory);
		if (!add_group(cgroup, arena, memory, error)) {
			return false;
		}
		const char *path = cgroup->groups[cgroup->count - 1].path;
		if (!write_value(arena, path, "memory.limit_in_bytes", most)) {
			return not_limited(cgroup, "memory", error);
		}
		write_value(arena, path, "memory.memsw.limit_in_bytes", most); // not everywhere
		cgroup->events = memory_string(arena_printf(arena, "%s/memory.oom_control", path));
	}
	if (cpu) {
		if (!add_group(cgroup, arena, cpu, error)) {
			return false;
		}
		const char *path = cgroup->groups[cgroup->count - 1].path;
		char *period = arena_printf(arena, "%d", PERIOD);
		if (!write_value(arena, path, "cpu.cfs_period_us", period) ||
			!write_value(arena, path, "cpu.cfs_quota_us", quota(arena, limits))) {
			return not_limited(cgroup, "processors", error);
		}
	}
	return true;
}

struct cgroup *cgroup_create(const struct cgroup_limits *limits, struct error *error)
{
	arena_cleanup arena = {0};
	bool fit = false;
	struct cgroup *cgroup = memory_alloc(sizeof(*cgroup));
	if (use_new(cgroup, &arena, limits, &fit, error) &&
		(fit || use_old(cgroup, &arena, limits, error))) {
		return cgroup;
	}
	cgroup_destroy(cgroup);
	return NULL;
}

bool cgroup_enter(const struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->count; i++) {
		if (write(cgroup->groups[i].processes, "0", 1) != 1) {
			return false;
		}
	}
	return true;
}

int64_t cgroup_killed(const struct cgroup *cgroup)
{
	arena_cleanup arena = {0};
	struct error ignored = {0}; // no count, nothing to tell
	struct text text;
	if (!cgroup->events || !file_read(&arena, cgroup->events, FILE_LIMIT, &text, &ignored)) {
		return 0;
	}
	const char *found = strstr(arena_copy(&arena, text.data, text.length), "oom_kill ");
	return found ? strtoll(found + strlen("oom_kill "), NULL, 10) : 0;
}

void cgroup_destroy(struct cgroup *cgroup)
{
	for (size_t i = 0; cgroup && i < cgroup->count; i++) {
		struct group *group = &cgroup->groups[i];
		file_close(&group->processes);
		for (int k = 0; k < REMOVE_TRIES && rmdir(group->path) < 0 && errno == EBUSY; k++) {
			nanosleep(&(struct timespec){0, 10000000}, NULL);
		}
		free(group->path);
	}
	if (cgroup) {
		free(cgroup->events);
		free(cgroup);
	}
}
