#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/unix_local.h"

enum {
	OPEN_FILES = 1024,
	PROBE_PROCESSES = 64,
	END_TIME =
		60000, // milliseconds that the kernel may take to end what was killed (busy disk)
};

static bool write_string(const char *path, const char *string)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool fine = fd >= 0 && write(fd, string, strlen(string)) == (ssize_t)strlen(string);
	file_close(&fd);
	return fine;
}

// The user that commands become may not be able to reach the workspace by its path (a project in
// /root). So root, in a mount namespace of the command's own, binds it to a folder that anyone can
// reach, before it gives up being root. The descriptor leads to the old namespace, but the working
// folder moves along with us. Runs in the child: system calls only.
static bool surround(const void *data)
{
	const struct unix_local_surroundings *surroundings = data;
	// When memory runs out it is the command that shall go. Where /proc says no, all stay equal.
	// The runner of a warm session stays as we are; it sees to its commands.
	if (!surroundings->warm) {
		(void)write_string("/proc/self/oom_score_adj", "500");
	}
	if (surroundings->cgroup && !cgroup_enter(surroundings->cgroup)) {
		return false;
	}
	return !surroundings->meeting_place ||
		(fchdir(surroundings->workspace) == 0 && unshare(CLONE_NEWNS) == 0 &&
			mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
			mount(".", surroundings->meeting_place, NULL, MS_BIND, NULL) == 0);
}

void unix_local_explain(struct text said, struct error *error)
{
	arena_cleanup arena = {0};
	struct error ignored = {0}; // a setting that is not there says nothing
	static const struct {
		const char *path, *bad, *remedy;
	} settings[] = {
		{"/proc/sys/user/max_user_namespaces", "0",
			"user namespaces are switched off; as root: sysctl "
			"user.max_user_namespaces=10000"},
		{"/proc/sys/kernel/unprivileged_userns_clone", "0",
			"user namespaces are for root only; as root: sysctl "
			"kernel.unprivileged_userns_clone=1"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
			"AppArmor keeps user namespaces from bubblewrap; install the profile for "
			"bwrap, or as root: sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
	};
	if (text_find(said, TEXT("Unknown option")) < said.length) {
		error_hint(error, "install bubblewrap 0.8 or newer");
		return;
	}
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		struct text value;
		if (file_read(&arena, settings[i].path, 64, &value, &ignored) &&
			text_is(text_trim(value), settings[i].bad)) {
			error_hint(error, "%s", settings[i].remedy);
			return;
		}
	}
	error_hint(error,
		"in a container, allow it to make user namespaces, or use a sandbox provider other "
		"than unix-local");
}

// What bubblewrap told: JSON objects {"child-pid": N, ...} and, if the command ran, {"exit-code": N}.
struct told {
	pid_t init; // the first process of the command's namespace, as we see it; 0: never was
	bool ran;
};

static struct told read_told(int status)
{
	char bytes[4096];
	ssize_t length = pread(status, bytes, sizeof(bytes) - 1, 0);
	bytes[length > 0 ? length : 0] = '\0';
	const char *pid = strstr(bytes, "\"child-pid\":");
	return (struct told){
		.init = pid ? (pid_t)strtol(pid + strlen("\"child-pid\":"), NULL, 10) : 0,
		.ran = strstr(bytes, "\"exit-code\":") != NULL};
}

pid_t unix_local_first_process(int status)
{
	return read_told(status).init;
}

// bubblewrap ends when the command does; the kernel then kills what is left in the namespace, and
// its first process is the last to go. Only then is nothing writing to the workspace any more.
static bool wait_for_end(pid_t init, struct error *error)
{
	file_cleanup fd = init > 0 ? (int)syscall(SYS_pidfd_open, init, 0) : -1;
	struct pollfd poller = {fd, POLLIN, 0};
	int ready = 1;
	while (fd >= 0 && (ready = poll(&poller, 1, END_TIME)) < 0 && errno == EINTR) {
	}
	if (ready > 0) {
		return true;
	}
	return error_set(error, ERROR_UNAVAILABLE,
		"processes of the command go on although they were killed");
}

bool unix_local_check_folder(
	const struct unix_local *local, const struct sandbox_command *command, struct error *error)
{
	struct text folder = text_of(command->folder);
	struct folder_stat found = folder_stat(local->workspace, folder);
	buffer_cleanup shown = {0};
	if (found.kind == FOLDER_FOLDER) {
		return true;
	}
	buffer_add_line(&shown, folder.length ? folder : TEXT("."), 256);
	return error_set(error, ERROR_FAILED, "the working folder '%s' is %s", shown.data,
		found.kind == FOLDER_MISSING ? "not in the workspace" : found.what);
}

// It ran, or we stopped it, or the sandbox could not be made.
static bool judge(const struct told *told, const struct process_result *result, struct error *error)
{
	buffer_cleanup shown = {0};
	if (told->ran || result->timed_out || result->cancelled) {
		return true;
	}
	buffer_add_line(&shown, text_trim(result->err), 200);
	if (result->status > 128) {
		return error_set(error, ERROR_UNAVAILABLE,
			"the sandbox was killed by signal %d from outside", result->status - 128);
	}
	error_set(error, ERROR_UNAVAILABLE, "bubblewrap cannot make a sandbox here (%s)",
		shown.length ? shown.data : "no message");
	unix_local_explain(result->err, error);
	return false;
}

bool unix_local_prepare(const struct unix_local *local,
	struct unix_local_surroundings *surroundings, struct process *process, struct error *error)
{
	static const char *const outside[] = {"PATH=/usr/bin:/bin", NULL};
	bool root = geteuid() == 0;
	surroundings->workspace = local->workspace;
	surroundings->meeting_place = root ? unix_local_meeting_place() : NULL;
	if (root && !surroundings->meeting_place) {
		return error_set(error, ERROR_UNAVAILABLE,
			       "none of /media, /srv, /mnt, /opt exists") ||
			error_hint(error, "make the folder /mnt");
	}
	process->environment = outside;
	process->folder = "/";
	process->prepare = surround;
	process->prepare_data = surroundings;
	process->drop = root;
	process->user = local->user;
	process->group = (gid_t)local->user;
	surroundings->limits[0] = (struct process_limit){RLIMIT_CORE, 0};
	surroundings->limits[1] = (struct process_limit){RLIMIT_NOFILE, OPEN_FILES};
	surroundings->limits[2] = (struct process_limit){RLIMIT_FSIZE, (uint64_t)local->file_size};
	surroundings->limits[3] = (struct process_limit){
		RLIMIT_AS, local->address_space ? (uint64_t)local->address_space : RLIM_INFINITY};
	surroundings->cgroup = local->cgroup;
	process->limits = surroundings->limits;
	// The runner sets the others for each command.
	process->limit_count = surroundings->warm ? 2 : 4;
	return true;
}

bool unix_local_not_started(struct error *error)
{
	int reason = errno;
	if (strstr(error->message, "surroundings")) {
		unix_local_explain((struct text){0}, error);
	} else if (reason == ENOENT) {
		error_hint(error, "install the package 'bubblewrap', 0.8 or newer");
	} else if (reason == E2BIG) {
		error_hint(error, "put the long text into a file of the workspace");
	}
	return false;
}

static bool run(const struct unix_local *local, struct arena *arena, struct process *process,
	struct process_result *result, struct error *error)
{
	struct unix_local_surroundings surroundings = {0};
	return unix_local_prepare(local, &surroundings, process, error) &&
		(process_run(arena, process, result, error) || unix_local_not_started(error));
}

bool unix_local_exec(const struct unix_local *local, struct arena *arena,
	const struct sandbox_command *command, struct process_result *result, struct error *error)
{
	unix_local_descriptors_cleanup descriptors = {0};
	const char *const *argv = unix_local_arguments(arena, local, command, &descriptors, error);
	if (!argv) {
		return false;
	}
	struct process process = {.argv = argv,
		.input = command->input,
		.timeout = command->timeout,
		.output_limit = command->output_limit,
		.pass_fds = descriptors.fds,
		.pass_fd_count = descriptors.count,
		.cancel = command->cancel,
		.output = command->output,
		.output_data = command->output_data};
	if (!run(local, arena, &process, result, error)) {
		return false;
	}
	struct told told = read_told(descriptors.status);
	return wait_for_end(told.init, error) && judge(&told, result, error);
}

bool unix_local_usable(struct error *error)
{
	arena_cleanup arena = {0};
	file_cleanup folder = folder_open("/usr", error);
	struct unix_local local = {.workspace = folder,
		.user = UNIX_LOCAL_NOBODY,
		.processes = PROBE_PROCESSES,
		.file_size = INT64_MAX};
	static const char *const nothing[] = {"true", NULL};
	struct sandbox_command command = {
		.argv = nothing, .timeout = 20000, .output_limit = 4096, .read_only = true};
	struct process_result result;
	if (folder < 0 || !unix_local_exec(&local, &arena, &command, &result, error)) {
		return false;
	}
	if (result.timed_out || result.status != 0) {
		buffer_cleanup shown = {0};
		buffer_add_line(&shown, text_trim(result.err), 200);
		return error_set(error, ERROR_UNAVAILABLE,
			"the sandbox cannot run a command that does nothing (%s)",
			result.timed_out       ? "no end in 20 seconds"
				: shown.length ? shown.data
					       : "no message");
	}
	return true;
}
