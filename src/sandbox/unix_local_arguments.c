#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/path.h"
#include "runner/image.h"
#include "runner/runner.h"
#include "sandbox/seccomp.h"
#include "sandbox/unix_local.h"

#define INSIDE_USER "1000" // RUNNER_USER
#define RUNNER "/run/runner"

// bubblewrap's options and what it inherits along with them.
struct options {
	struct arena *arena;
	struct unix_local_descriptors *descriptors;
	struct buffer text; // each ends with a zero byte
	bool failed;
};

void unix_local_close(struct unix_local_descriptors *descriptors)
{
	for (size_t i = 0; i < descriptors->count; i++) {
		file_close(&descriptors->fds[i]);
	}
	descriptors->count = 0;
}

const char *unix_local_meeting_place(void)
{
	static const char *const places[] = {"/media", "/srv", "/mnt", "/opt"};
	struct stat status;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (lstat(places[i], &status) == 0 && S_ISDIR(status.st_mode)) {
			return places[i];
		}
	}
	return NULL;
}

static void add(struct options *options, const char *const *items)
{
	for (size_t i = 0; items[i]; i++) {
		buffer_add(&options->text, items[i], strlen(items[i]) + 1);
	}
}

#define ADD(options, ...) add(options, (const char *const[]){__VA_ARGS__, NULL})

// Hands the descriptor on: it is closed with the others. Its number as text.
static const char *inherit(struct options *options, int fd)
{
	struct unix_local_descriptors *descriptors = options->descriptors;
	if (fd < 0 || descriptors->count == sizeof(descriptors->fds) / sizeof(int)) {
		file_close(&fd);
		options->failed = true;
		return "";
	}
	descriptors->fds[descriptors->count++] = fd;
	return arena_printf(options->arena, "%d", fd);
}

// A file of the sandbox that is on no disk.
static void add_file(struct options *options, const char *path, struct text content)
{
	ADD(options, "--perms", "0644", "--ro-bind-data", inherit(options, file_in_memory(content)),
		path);
}

// Today's systems have /bin and the like as links into /usr, others as folders.
static void add_top_folders(struct options *options)
{
	static const char *const names[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
	struct stat status;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char target[256];
		ssize_t length = readlink(names[i], target, sizeof(target) - 1);
		if (length > 0) {
			target[length] = '\0';
			ADD(options, "--symlink", target, names[i]);
		} else if (stat(names[i], &status) == 0 && S_ISDIR(status.st_mode)) {
			ADD(options, "--ro-bind", names[i], names[i]);
		}
	}
}

// Nothing of /etc is there but what programs need to start and to check certificates.
static void add_system(struct options *options)
{
	static const char *const files[] = {"/etc/alternatives", "/etc/ld.so.cache",
		"/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ssl/certs", "/etc/ssl/openssl.cnf",
		"/etc/ca-certificates", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted"};
	ADD(options, "--ro-bind", "/usr", "/usr");
	add_top_folders(options);
	ADD(options, "--perms", "0755", "--dir", "/etc");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		ADD(options, "--ro-bind-try", files[i], files[i]);
	}
	add_file(options, "/etc/passwd",
		TEXT("agent:x:" INSIDE_USER ":" INSIDE_USER ":agent:/workspace:/bin/sh\n"
		     "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"));
	add_file(options, "/etc/group", TEXT("agent:x:" INSIDE_USER ":\nnogroup:x:65534:\n"));
	add_file(options, "/etc/hosts", TEXT("127.0.0.1 localhost sandbox\n::1 localhost\n"));
	ADD(options, "--dir", "/run");
}

// The order counts: later mounts lie over earlier ones. In a warm session each command has these
// folders of its own; for it to get a /proc, nothing may lie over the session's.
static void add_private_folders(struct options *options, bool warm)
{
	ADD(options, "--proc", "/proc");
	if (warm) {
		ADD(options, "--dev", "/dev", "--remount-ro", "/dev", "--dir", "/tmp");
		return;
	}
	ADD(options, "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev", "--size",
		arena_printf(options->arena, "%d", RUNNER_SHARED_SIZE), "--perms", "1777",
		"--tmpfs", "/dev/shm", "--remount-ro", "/dev", "--size",
		arena_printf(options->arena, "%d", RUNNER_TEMPORARY_SIZE), "--perms", "1777",
		"--tmpfs", "/tmp");
}

// A session dies with its socket, which the harness holds: the parent by which bubblewrap would die
// is a thread, and may end before the session does.
static void add_namespaces(struct options *options, bool network, bool warm)
{
	ADD(options, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
		"--unshare-cgroup-try", "--uid", INSIDE_USER, "--gid", INSIDE_USER, "--hostname",
		"sandbox", "--new-session", "--cap-drop", "ALL");
	if (warm) {
		ADD(options, "--as-pid-1");
	} else {
		ADD(options, "--disable-userns", "--die-with-parent");
	}
	if (network) {
		ADD(options, "--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf");
	} else {
		ADD(options, "--unshare-net");
	}
}

// bubblewrap closes the descriptor of the workspace: a command that had it could open "..", out on
// the machine.
static void add_workspace(struct options *options, const struct unix_local *local, bool read_only)
{
	if (geteuid() == 0) {
		ADD(options, read_only ? "--ro-bind" : "--bind", unix_local_meeting_place(),
			"/workspace");
	} else {
		int fd = fcntl(local->workspace, F_DUPFD_CLOEXEC, 3);
		ADD(options, read_only ? "--ro-bind-fd" : "--bind-fd", inherit(options, fd),
			"/workspace");
	}
}

static void add_grants(struct options *options, const struct unix_local *local)
{
	for (const struct sandbox_grant *grant = local->grants; grant && grant->path; grant++) {
		ADD(options, grant->read_only ? "--ro-bind" : "--bind", grant->source, grant->path);
	}
}

// Sets a variable in a list, in place of an earlier one of that name. Returns the new count.
static size_t set(const char **list, size_t count, const char *variable)
{
	const char *equals = strchr(variable, '=');
	if (!equals || equals == variable) {
		return count;
	}
	size_t length = (size_t)(equals - variable) + 1;
	for (size_t i = 0; i < count; i++) {
		if (strncmp(list[i], variable, length) == 0) {
			list[i] = variable;
			return count;
		}
	}
	list[count] = variable;
	return count + 1;
}

const char *const *unix_local_environment(
	struct arena *arena, const struct unix_local *local, const struct sandbox_command *command)
{
	const char *const own[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/workspace",
		"TMPDIR=/tmp", "LANG=C.UTF-8", "USER=agent",
		arena_printf(arena, "PWD=%s",
			path_join(arena, "/workspace", command->folder ? command->folder : "")),
		NULL};
	const char *proxy = arena_printf(arena, "http://127.0.0.1:%d", RUNNER_PORT);
	const char *const proxies[] = {arena_printf(arena, "http_proxy=%s", proxy),
		arena_printf(arena, "https_proxy=%s", proxy),
		arena_printf(arena, "HTTP_PROXY=%s", proxy),
		arena_printf(arena, "HTTPS_PROXY=%s", proxy), "no_proxy=localhost,127.0.0.1,::1",
		"NO_PROXY=localhost,127.0.0.1,::1", NULL};
	const char *const *const sources[] = {own, local->hosts ? proxies : NULL,
		(const char *const *)local->environment, command->environment};
	enum { SOURCES = sizeof(sources) / sizeof(sources[0]) };
	size_t count = 0, most = 0;
	for (size_t i = 0; i < SOURCES; i++) {
		for (size_t k = 0; sources[i] && sources[i][k]; k++) {
			most++;
		}
	}
	const char **list = arena_new_array(arena, most + 1, const char *);
	for (size_t i = 0; i < SOURCES; i++) {
		for (size_t k = 0; sources[i] && sources[i][k]; k++) {
			count = set(list, count, sources[i][k]);
		}
	}
	list[count] = NULL;
	return list;
}

// Options that hold values go by a descriptor, as all do: the machine's users can see arguments.
static void add_environment(struct options *options, const char *const *environment)
{
	ADD(options, "--clearenv");
	for (size_t i = 0; environment[i]; i++) {
		const char *equals = strchr(environment[i], '=');
		size_t length = (size_t)(equals - environment[i]);
		ADD(options, "--setenv", arena_copy(options->arena, environment[i], length),
			equals + 1);
	}
}

// The limit of processes is set inside, where only the command's own count; outside, all of the
// user's would, and a busy desktop could start nothing. dash and ash call it -p, bash -u.
static const char *const *wrap(struct options *options, const struct unix_local *local,
	const struct sandbox_command *command)
{
	const char *const shell[] = {"/bin/sh", "-c", command->shell, NULL};
	const char *const *argv = command->argv ? command->argv : shell;
	const char *const front[] = {"bwrap", "--args",
		inherit(options, file_in_memory(buffer_text(&options->text))), "--", "/bin/sh",
		"-c",
		"ulimit -u \"$1\" 2>/dev/null || ulimit -p \"$1\" || exit 125; shift; exec \"$@\"",
		"sh", arena_printf(options->arena, "%lld", (long long)local->processes)};
	size_t count = 0, front_count = sizeof(front) / sizeof(front[0]);
	while (argv[count]) {
		count++;
	}
	const char **all = arena_new_array(options->arena, front_count + count + 1, const char *);
	memcpy(all, front, sizeof(front));
	memcpy(all + front_count, argv, count * sizeof(*argv));
	return all;
}

static const char *const *finish(
	struct options *options, const char *const *all, struct error *error)
{
	buffer_finish(&options->text);
	if (options->failed) {
		error_set(error, ERROR_UNAVAILABLE,
			"no more files can be opened to start the sandbox");
		return NULL;
	}
	return all;
}

const char *const *unix_local_arguments(struct arena *arena, const struct unix_local *local,
	const struct sandbox_command *command, struct unix_local_descriptors *descriptors,
	struct error *error)
{
	struct options options = {.arena = arena, .descriptors = descriptors};
	int filter = seccomp_filter(error);
	if (filter < 0) {
		return NULL;
	}
	descriptors->status = memfd_create("status", MFD_CLOEXEC);
	add_namespaces(&options, local->network, false);
	add_system(&options);
	add_grants(&options, local);
	add_private_folders(&options, false);
	add_workspace(&options, local, command->read_only);
	ADD(&options, "--chdir",
		path_join(arena, "/workspace", command->folder ? command->folder : ""));
	add_environment(&options, unix_local_environment(arena, local, command));
	ADD(&options, "--seccomp", inherit(&options, filter), "--json-status-fd",
		inherit(&options, descriptors->status), "--remount-ro", "/");
	return finish(&options, wrap(&options, local, command), error);
}

const char *const *unix_local_warm_arguments(struct arena *arena, const struct unix_local *local,
	int session, struct unix_local_descriptors *descriptors, struct error *error)
{
	struct options options = {.arena = arena, .descriptors = descriptors};
	struct text program = {runner_image, (size_t)(runner_image_end - runner_image)};
	descriptors->status = memfd_create("status", MFD_CLOEXEC);
	add_namespaces(&options, local->network, true);
	add_system(&options);
	add_grants(&options, local);
	add_private_folders(&options, true);
	ADD(&options, "--perms", "0555", "--ro-bind-data",
		inherit(&options, file_in_memory(program)), RUNNER);
	add_workspace(&options, local, false);
	ADD(&options, "--clearenv", "--chdir", "/", "--json-status-fd",
		inherit(&options, descriptors->status), "--remount-ro", "/");
	const char **all = arena_new_array(arena, 8, const char *);
	const char *const line[] = {"bwrap", "--args",
		inherit(&options, file_in_memory(buffer_text(&options.text))), "--", RUNNER,
		inherit(&options, session), local->hosts ? "listen" : NULL};
	memcpy(all, line, sizeof(line));
	return finish(&options, all, error);
}
