/*
 * Commands of this machine in bubblewrap: own user, mount, process, network, IPC and host name
 * namespaces; a read-only system; nothing writable but the workspace and a private /tmp; an
 * environment from nothing; a system call filter. Started by root, commands first become an
 * unprivileged user: as root of the machine, even inside a user namespace, they could write global
 * kernel settings through /proc/sys. That is covered as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"
#include "sandbox/drivers.h"
#include "sandbox/seccomp.h"

enum {
	NOBODY = 65534,                     // whom commands become when we are root
	INSIDE = 1000,                      // who they are inside
	TEMPORARY_SIZE = 256 * 1024 * 1024, // bytes of the private /tmp
	DEFAULT_PROCESSES = 512,
	MOST_ARGUMENTS = 256,
};

#define MEETING_PLACE "/mnt"

struct unix_local {
	struct sandbox_session session;
	int workspace;    // O_PATH
	const char *path; // of it, absolute
	bool owned;       // the workspace is ours: its files belong to whom commands become
	bool network;
	int64_t processes;
	char **environment; // ends with NULL
};

static bool drops(const struct unix_local *local)
{
	return local->owned && geteuid() == 0;
}

static struct unix_local *local_of(struct sandbox *sandbox)
{
	return (struct unix_local *)(void *)sandbox;
}

// Files that the harness makes belong to whom commands become. Applies to this thread only.
static void as_owner(const struct unix_local *local, bool owner)
{
	if (drops(local)) {
		setfsgid(owner ? NOBODY : 0);
		setfsuid(owner ? NOBODY : 0);
	}
}

// The user that commands become may not be able to reach the workspace by its path (a project in
// /root). So root, in a mount namespace of the command's own, binds it to a folder that anyone can
// reach, before it gives up being root. Runs in the child: system calls only.
static bool meet(const void *data)
{
	const char *source = data;
	return unshare(CLONE_NEWNS) == 0 &&
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount(source, MEETING_PLACE, NULL, MS_BIND, NULL) == 0;
}

struct arguments {
	const char *items[MOST_ARGUMENTS];
	size_t count;
};

static void add(struct arguments *arguments, const char *const *items)
{
	for (size_t i = 0; items[i] && arguments->count < MOST_ARGUMENTS - 1; i++) {
		arguments->items[arguments->count++] = items[i];
	}
}

#define ADD(arguments, ...) add(arguments, (const char *const[]){__VA_ARGS__, NULL})

static void add_system(struct arguments *arguments)
{
	ADD(arguments, "bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
		"--unshare-cgroup-try", "--disable-userns", "--uid", "1000", "--gid", "1000",
		"--hostname", "sandbox", "--die-with-parent", "--new-session");
	ADD(arguments, "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink",
		"usr/sbin", "/sbin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64",
		"/lib64");
	ADD(arguments, "--ro-bind-try", "/etc/ssl", "/etc/ssl", "--ro-bind-try",
		"/etc/alternatives", "/etc/alternatives", "--ro-bind-try", "/etc/ld.so.cache",
		"/etc/ld.so.cache", "--ro-bind-try", "/etc/ld.so.conf", "/etc/ld.so.conf",
		"--ro-bind-try", "/etc/ld.so.conf.d", "/etc/ld.so.conf.d");
	ADD(arguments, "--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev");
}

static void add_environment(
	struct arguments *arguments, struct arena *arena, const char *const *environment)
{
	for (size_t i = 0; environment && environment[i]; i++) {
		const char *equals = strchr(environment[i], '=');
		if (equals) {
			char *name = arena_copy(
				arena, environment[i], (size_t)(equals - environment[i]));
			ADD(arguments, "--setenv", name, equals + 1);
		}
	}
}

// The few files of /etc that programs look for; handed over through descriptors.
static const struct {
	const char *path;
	const char *content;
} system_files[] = {
	{"/etc/passwd", "agent:x:1000:1000:agent:/workspace:/bin/sh\n"},
	{"/etc/group", "agent:x:1000:\n"},
	{"/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 sandbox\n"},
	{"/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"},
};

enum { SYSTEM_FILES = sizeof(system_files) / sizeof(system_files[0]) };

// The descriptors of a command that bubblewrap inherits.
struct descriptors {
	int filter, files[SYSTEM_FILES];
};

static void close_descriptors(struct descriptors *descriptors)
{
	file_close(&descriptors->filter);
	for (size_t i = 0; i < SYSTEM_FILES; i++) {
		file_close(&descriptors->files[i]);
	}
}

static bool open_descriptors(struct descriptors *descriptors, struct error *error)
{
	for (size_t i = 0; i < SYSTEM_FILES; i++) {
		descriptors->files[i] = -1;
	}
	descriptors->filter = seccomp_filter(error);
	if (descriptors->filter < 0) {
		return false;
	}
	for (size_t i = 0; i < SYSTEM_FILES; i++) {
		struct text content = text_of(system_files[i].content);
		int fd = memfd_create("etc", MFD_CLOEXEC);
		descriptors->files[i] = fd;
		if (fd < 0 || write(fd, content.data, content.length) != (ssize_t)content.length ||
			lseek(fd, 0, SEEK_SET) < 0) {
			return error_errno(error, ERROR_UNAVAILABLE, "cannot prepare the sandbox");
		}
	}
	return true;
}

// Everything but the command. The descriptors are numbers that bubblewrap inherits.
static void add_session(struct arguments *arguments, struct arena *arena,
	const struct unix_local *local, const struct sandbox_command *command,
	const struct descriptors *descriptors)
{
	add_system(arguments);
	if (!local->network) {
		ADD(arguments, "--unshare-net");
	} else {
		ADD(arguments, "--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf");
	}
	// bubblewrap closes the descriptor: a command that had it could open "..", out on the machine.
	if (geteuid() == 0) {
		ADD(arguments, command->read_only ? "--ro-bind" : "--bind", MEETING_PLACE);
	} else {
		ADD(arguments, command->read_only ? "--ro-bind-fd" : "--bind-fd",
			arena_printf(arena, "%d", local->workspace));
	}
	ADD(arguments, "/workspace", "--size", arena_printf(arena, "%d", TEMPORARY_SIZE), "--tmpfs",
		"/tmp", "--dir", "/run", "--chdir",
		path_join(arena, "/workspace", command->folder ? command->folder : ""));
	ADD(arguments, "--clearenv", "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv",
		"HOME", "/workspace", "--setenv", "TMPDIR", "/tmp", "--setenv", "LANG", "C.UTF-8",
		"--setenv", "USER", "agent");
	add_environment(arguments, arena, (const char *const *)local->environment);
	add_environment(arguments, arena, command->environment);
	ADD(arguments, "--cap-drop", "ALL", "--seccomp",
		arena_printf(arena, "%d", descriptors->filter), "--remount-ro", "/", "--");
}

static bool exec(struct sandbox *sandbox, struct arena *arena,
	const struct sandbox_command *command, struct process_result *result, struct error *error)
{
	struct unix_local *local = local_of(sandbox);
	struct arguments arguments = {0};
	__attribute__((cleanup(close_descriptors))) struct descriptors descriptors;
	if (!open_descriptors(&descriptors, error)) {
		return false;
	}
	add_session(&arguments, arena, local, command, &descriptors);
	if (command->argv) {
		add(&arguments, command->argv);
	} else {
		ADD(&arguments, "sh", "-c", command->shell ? command->shell : "");
	}
	if (arguments.count >= MOST_ARGUMENTS - 1) {
		return error_set(error, ERROR_USAGE, "the command has too many arguments") ||
			error_hint(error, "give it as one text for the shell");
	}
	int pass[SYSTEM_FILES + 2] = {descriptors.filter};
	memcpy(&pass[1], descriptors.files, sizeof(descriptors.files));
	pass[SYSTEM_FILES + 1] = local->workspace; // root binds it before, and keeps it
	const struct process_limit limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 1024},
		{RLIMIT_NPROC, (uint64_t)local->processes}};
	static const char *const outside[] = {"PATH=/usr/bin:/bin", NULL};
	struct process process = {.argv = arguments.items,
		.environment = outside,
		.folder = "/",
		.input = command->input,
		.timeout = command->timeout,
		.output_limit = command->output_limit,
		.pass_fds = pass,
		.pass_fd_count = geteuid() == 0 ? 1 : 2, // root binds it before
		.prepare = geteuid() == 0 ? meet : NULL,
		.prepare_data = local->path,
		.drop = geteuid() == 0,
		.user = NOBODY,
		.group = NOBODY,
		.limits = limits,
		.limit_count = 3,
		.cancel = command->cancel,
		.output = command->output,
		.output_data = command->output_data};
	return process_run(arena, &process, result, error);
}

// Why namespaces are not to be had here, as far as it can be seen.
static void explain(struct error *error)
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
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		struct text value;
		if (file_read(&arena, settings[i].path, 64, &value, &ignored) &&
			text_is(text_trim(value), settings[i].bad)) {
			error_hint(error, "%s", settings[i].remedy);
			return;
		}
	}
	error_hint(error,
		"in a container, allow it to make user namespaces, or use a sandbox "
		"provider other than unix-local");
}

static void destroy_handle(struct unix_local *local)
{
	for (size_t i = 0; local->environment && local->environment[i]; i++) {
		free(local->environment[i]);
	}
	free(local->environment);
	file_close(&local->workspace);
	free((char *)(uintptr_t)local->path);
	free(local);
}

static bool usable(struct error *error)
{
	arena_cleanup arena = {0};
	struct unix_local local = {.workspace = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC),
		.path = "/usr",
		.processes = DEFAULT_PROCESSES};
	static const char *const nothing[] = {"true", NULL};
	struct sandbox_command command = {
		.argv = nothing, .timeout = 20000, .output_limit = 4096, .read_only = true};
	struct process_result result;
	bool started = exec((struct sandbox *)(void *)&local, &arena, &command, &result, error);
	file_close(&local.workspace);
	if (!started) {
		return false;
	}
	if (result.status == 127) {
		return error_set(error, ERROR_UNAVAILABLE, "bubblewrap (bwrap) is not installed") ||
			error_hint(error, "install the package 'bubblewrap'");
	}
	if (result.status != 0) {
		buffer_cleanup shown = {0};
		buffer_add_line(&shown, text_trim(result.err), 200);
		error_set(error, ERROR_UNAVAILABLE, "bubblewrap cannot make a sandbox here (%s)",
			shown.data ? shown.data : "no message");
		explain(error);
		return false;
	}
	return true;
}

static bool prepare_workspace(struct unix_local *local, const char *path, struct error *error)
{
	if (local->owned && !file_make_folders(path, 0755, error)) {
		return false;
	}
	local->workspace = folder_open(path, error);
	if (local->workspace < 0) {
		return false;
	}
	local->path = realpath(path, NULL);
	if (!local->path) {
		return error_errno(error, ERROR_FAILED, "cannot find '%s'", path);
	}
	if (drops(local) && chown(path, NOBODY, NOBODY) < 0) {
		return error_errno(
			error, ERROR_FAILED, "cannot give '%s' to the sandbox's user", path);
	}
	return true;
}

static struct sandbox *create(const struct sandbox_settings *settings, struct error *error)
{
	arena_cleanup arena = {0};
	struct unix_local *local = memory_alloc(sizeof(*local));
	local->session.driver = &sandbox_unix_local;
	local->workspace = -1;
	local->owned = !settings->workspace;
	local->network = settings->network;
	local->processes = settings->processes ? settings->processes : DEFAULT_PROCESSES;
	size_t count = 0;
	while (settings->environment && settings->environment[count]) {
		count++;
	}
	local->environment = memory_alloc((count + 1) * sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		local->environment[i] = memory_string(settings->environment[i]);
	}
	const char *path = settings->workspace ? settings->workspace
					       : path_join(&arena, settings->folder, "workspace");
	if (settings->hosts) {
		error_set(error, ERROR_UNAVAILABLE,
			"sandbox 'unix-local' cannot let through chosen hosts only");
		error_hint(error, "use 'network: on' or 'network: off'");
	} else if (prepare_workspace(local, path, error)) {
		return (struct sandbox *)(void *)local;
	}
	destroy_handle(local);
	return NULL;
}

static struct sandbox *attach(
	const struct sandbox_settings *settings, struct text state, struct error *error)
{
	arena_cleanup arena = {0};
	struct stat status;
	(void)state; // the folder is all there is
	if (stat(path_join(&arena, settings->folder, "workspace"), &status) < 0) {
		error_errno(error, ERROR_UNAVAILABLE, "the workspace of run '%s' is gone",
			settings->run);
		return NULL;
	}
	return create(settings, error);
}

static void state(struct sandbox *sandbox, struct buffer *json)
{
	(void)sandbox;
	buffer_add_string(json, "{\"provider\":\"unix-local\"}");
}

static void detach(struct sandbox *sandbox)
{
	destroy_handle(local_of(sandbox));
}

// Commands end with their namespace, so nothing is left to end; the workspace is the run's.
static bool destroy(struct sandbox *sandbox, struct error *error)
{
	(void)error;
	detach(sandbox);
	return true;
}

static bool read_file(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct text *content, struct error *error)
{
	return folder_read(arena, local_of(sandbox)->workspace, path, limit, content, error);
}

static bool write_file(struct sandbox *sandbox, struct text path, struct text content, mode_t mode,
	struct error *error)
{
	struct unix_local *local = local_of(sandbox);
	as_owner(local, true);
	bool fine = folder_write(local->workspace, path, content, mode, error);
	as_owner(local, false);
	return fine;
}

static struct folder_stat stat_file(struct sandbox *sandbox, struct text path)
{
	return folder_stat(local_of(sandbox)->workspace, path);
}

static bool scan(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct folder_list *list, struct error *error)
{
	return folder_scan(
		arena, local_of(sandbox)->workspace, path, limit, NULL, NULL, list, error);
}

static bool make_folder(struct sandbox *sandbox, struct text path, struct error *error)
{
	struct unix_local *local = local_of(sandbox);
	as_owner(local, true);
	bool fine = folder_make(local->workspace, path, error);
	as_owner(local, false);
	return fine;
}

static bool remove_file(
	struct sandbox *sandbox, struct text path, bool recursive, struct error *error)
{
	if (recursive) {
		return error_set(error, ERROR_FAILED, "only single files can be removed");
	}
	return folder_remove(local_of(sandbox)->workspace, path, error);
}

static int host_folder(struct sandbox *sandbox)
{
	return local_of(sandbox)->workspace;
}

static const struct key options[] = {{0}};

const struct sandbox_driver sandbox_unix_local = {
	.name = "unix-local",
	.help = "Commands of this machine in bubblewrap, walled off by namespaces.",
	.flags = SANDBOX_READ_ONLY_COMMANDS | SANDBOX_NETWORK_OFF | SANDBOX_SCAN |
		SANDBOX_HOST_FOLDER,
	.options = options,
	.usable = usable,
	.create = create,
	.attach = attach,
	.state = state,
	.detach = detach,
	.destroy = destroy,
	.exec = exec,
	.read = read_file,
	.write = write_file,
	.stat = stat_file,
	.scan = scan,
	.make_folder = make_folder,
	.remove = remove_file,
	.host_folder = host_folder,
};
