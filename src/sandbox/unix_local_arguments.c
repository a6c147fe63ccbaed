#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/path.h"
#include "sandbox/seccomp.h"
#include "sandbox/unix_local.h"

enum {
	TEMPORARY_SIZE = 256 * 1024 * 1024, // bytes of the private /tmp
	SHARED_SIZE = 64 * 1024 * 1024,     // and of /dev/shm
};

#define INSIDE_USER "1000"

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
	// The order counts: later mounts lie over earlier ones.
	ADD(options, "--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev",
		"--size", arena_printf(options->arena, "%d", SHARED_SIZE), "--perms", "1777",
		"--tmpfs", "/dev/shm", "--remount-ro", "/dev", "--size",
		arena_printf(options->arena, "%d", TEMPORARY_SIZE), "--perms", "1777", "--tmpfs",
		"/tmp", "--dir", "/run");
}

static void add_namespaces(struct options *options, bool network)
{
	ADD(options, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
		"--unshare-cgroup-try", "--disable-userns", "--uid", INSIDE_USER, "--gid",
		INSIDE_USER, "--hostname", "sandbox", "--die-with-parent", "--new-session",
		"--cap-drop", "ALL");
	if (network) {
		ADD(options, "--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf");
	} else {
		ADD(options, "--unshare-net");
	}
}

// bubblewrap closes the descriptor of the workspace: a command that had it could open "..", out on
// the machine.
static void add_workspace(struct options *options, const struct unix_local *local,
	const struct sandbox_command *command)
{
	if (geteuid() == 0) {
		ADD(options, command->read_only ? "--ro-bind" : "--bind",
			unix_local_meeting_place(), "/workspace");
	} else {
		int fd = fcntl(local->workspace, F_DUPFD_CLOEXEC, 3);
		ADD(options, command->read_only ? "--ro-bind-fd" : "--bind-fd",
			inherit(options, fd), "/workspace");
	}
	ADD(options, "--chdir",
		path_join(options->arena, "/workspace", command->folder ? command->folder : ""));
}

static void add_environment(struct options *options, const char *const *environment)
{
	for (size_t i = 0; environment && environment[i]; i++) {
		const char *equals = strchr(environment[i], '=');
		if (equals && equals != environment[i]) {
			size_t length = (size_t)(equals - environment[i]);
			ADD(options, "--setenv", arena_copy(options->arena, environment[i], length),
				equals + 1);
		}
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
	add_namespaces(&options, local->network);
	add_system(&options);
	add_workspace(&options, local, command);
	// Options that hold values go by a descriptor, too: the machine's users can see arguments.
	ADD(&options, "--clearenv", "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv",
		"HOME", "/workspace", "--setenv", "TMPDIR", "/tmp", "--setenv", "LANG", "C.UTF-8",
		"--setenv", "USER", "agent");
	add_environment(&options, (const char *const *)local->environment);
	add_environment(&options, command->environment);
	ADD(&options, "--seccomp", inherit(&options, filter), "--json-status-fd",
		inherit(&options, descriptors->status), "--remount-ro", "/");
	const char *const *all = wrap(&options, local, command);
	buffer_finish(&options.text);
	if (options.failed) {
		error_set(error, ERROR_UNAVAILABLE,
			"no more files can be opened to start the sandbox");
		return NULL;
	}
	return all;
}
