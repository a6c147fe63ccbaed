#include "sandbox/unix_local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"
#include "base/units.h"

enum { DEFAULT_PROCESSES = 512 };

#define DEFAULT_FILE_SIZE INT64_MAX // none

enum session { SESSION_ANY, SESSION_WARM, SESSION_PER_COMMAND };

static const char *const session_names[] = {"any", "warm", "per-command", NULL};

static struct unix_local *local_of(struct sandbox *sandbox)
{
	return (struct unix_local *)(void *)sandbox;
}

// Files that the harness makes belong to whom commands become. Applies to this thread only.
static void as_owner(const struct unix_local *local, bool owner)
{
	if (local->owned && geteuid() == 0) {
		setfsgid(owner ? (gid_t)local->user : 0);
		setfsuid(owner ? local->user : 0);
	}
}

// Says in the error stream what the exit status does not.
static void tell_of_memory(
	const struct unix_local *local, struct arena *arena, struct process_result *result)
{
	buffer_cleanup text = {0};
	buffer_add_text(&text, result->err);
	if (text.length && text.data[text.length - 1] != '\n') {
		buffer_add_char(&text, '\n');
	}
	buffer_add_string(&text, "processes were killed: the sandbox's memory, ");
	buffer_add_size(&text, local->memory);
	buffer_add_string(&text, ", is used up\n");
	result->err = text_copy(arena, buffer_text(&text));
}

// The proxy is reached through a socket that the runner makes, and folders of the workspace are made
// read-only by it; so a fresh bubblewrap for such a command has a runner in it, too.
static bool needs_runner(const struct unix_local *local, const struct sandbox_command *command)
{
	return local->hosts ||
		(command->read_only_folders && command->read_only_folders[0] && !local->plain);
}

static bool exec_with_runner(const struct unix_local *local, struct arena *arena,
	const struct sandbox_command *command, struct process_result *result, struct error *error)
{
	struct warm *once = warm_create(local);
	bool fine = warm_exec(once, arena, command, result, error);
	warm_destroy(once);
	return fine;
}

static bool exec(struct sandbox *sandbox, struct arena *arena,
	const struct sandbox_command *command, struct process_result *result, struct error *error)
{
	const struct unix_local *local = local_of(sandbox);
	if (!unix_local_check_folder(local, command, error)) {
		return false;
	}
	int64_t killed = local->cgroup ? cgroup_killed(local->cgroup) : 0;
	bool fine = local->warm ? warm_exec(local->warm, arena, command, result, error)
		: needs_runner(local, command)
		? exec_with_runner(local, arena, command, result, error)
		: unix_local_exec(local, arena, command, result, error);
	if (local->cgroup && cgroup_killed(local->cgroup) > killed) {
		if (fine) {
			tell_of_memory(local, arena, result);
		} else {
			error_hint(error, "the sandbox's memory is used up; raise its limit");
		}
	}
	return fine;
}

static void free_strings(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++) {
		free(strings[i]);
	}
	free(strings);
}

static void destroy_handle(struct unix_local *local)
{
	warm_destroy(local->warm);
	cgroup_destroy(local->cgroup);
	free_strings(local->environment);
	free_strings(local->hosts);
	unix_local_free_grants(local->grants);
	file_close(&local->workspace);
	free(local);
}

// Opens the workspace, made if it is ours, and sees to it that commands can write to it.
static bool open_workspace(struct unix_local *local, const char *path, struct error *error)
{
	struct stat status;
	if (local->owned && !file_make_folders(path, 0755, error)) {
		return false;
	}
	local->workspace = folder_open(path, error);
	if (local->workspace < 0) {
		return false;
	}
	if (fstat(local->workspace, &status) < 0) {
		return error_errno(error, ERROR_FAILED, "cannot look at '%s'", path);
	}
	if (status.st_uid != 0) {
		local->user = status.st_uid;
	} else if (local->owned && geteuid() == 0 &&
		fchownat(local->workspace, "", local->user, (gid_t)local->user, AT_EMPTY_PATH) <
			0) {
		return error_errno(
			error, ERROR_FAILED, "cannot give '%s' to the sandbox's user", path);
	}
	return true;
}

struct options {
	double user;
	enum session session;
	int64_t file_size;
};

static bool bad_option(struct error *error, const char *name, const char *what)
{
	return error_set(
		error, ERROR_USAGE, "option '%s' of sandbox 'unix-local' is not %s", name, what);
}

static bool read_options(struct options *read, const char *options, struct error *error)
{
	*read = (struct options){.user = UNIX_LOCAL_NOBODY, .file_size = DEFAULT_FILE_SIZE};
	if (!options) {
		return true;
	}
	json_cleanup *tree = json_parse(text_of(options), error);
	if (!tree) {
		return error_wrap(error, "options of sandbox 'unix-local'");
	}
	read->user = json_number(tree, "user", UNIX_LOCAL_NOBODY);
	double file_size = json_number(tree, "file_size", (double)DEFAULT_FILE_SIZE);
	const char *written_size = json_string(tree, "file_size", NULL);
	const char *session = json_string(tree, "session", session_names[SESSION_ANY]);
	while (session_names[read->session] && strcmp(session, session_names[read->session]) != 0) {
		read->session++;
	}
	if (read->user < 1 || read->user > UINT32_MAX - 1) {
		return bad_option(error, "user", "the number of a user other than root");
	}
	if (!(file_size >= 1) ||
		(written_size && !units_size(text_of(written_size), &read->file_size))) {
		return bad_option(error, "file_size", "a size");
	}
	if (!written_size && file_size < (double)INT64_MAX) {
		read->file_size = (int64_t)file_size;
	}
	return session_names[read->session] ||
		bad_option(error, "session", "'any', 'warm' or 'per-command'");
}

// What was asked for and cannot be done is refused, not left out.
static bool check_settings(const struct sandbox_settings *settings, struct error *error)
{
	const struct {
		bool wanted;
		const char *what, *remedy;
	} lacking[] = {
		{settings->disk > 0, "limit the workspace's size", "leave out 'disk'"},
	};
	for (size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
		if (lacking[i].wanted) {
			error_set(error, ERROR_UNAVAILABLE, "sandbox 'unix-local' cannot %s",
				lacking[i].what);
			return error_hint(error, "%s, or use another provider", lacking[i].remedy);
		}
	}
	return true;
}

// By a control group, which counts all commands together. Where there is none to be had, memory can
// still be limited for each process by itself; processors cannot.
static bool hold_limits(
	struct unix_local *local, const struct sandbox_settings *settings, struct error *error)
{
	struct cgroup_limits limits = {.memory = settings->memory, .cpu = settings->cpu};
	local->memory = settings->memory;
	if (!limits.memory && limits.cpu <= 0) {
		return true;
	}
	local->cgroup = cgroup_create(&limits, error);
	if (local->cgroup) {
		return true;
	}
	if (limits.cpu > 0) {
		error_wrap(error, "sandbox 'unix-local' cannot limit processors");
		return error_hint(error,
			"leave out 'cpu', use another provider, or start muster with 'systemd-run "
			"--user --scope -p Delegate=yes'");
	}
	*error = (struct error){0};
	local->address_space = limits.memory;
	return true;
}

static char **copy_strings(const char *const *strings)
{
	size_t count = 0;
	while (strings && strings[count]) {
		count++;
	}
	char **copy = memory_alloc((count + 1) * sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		copy[i] = memory_string(strings[i]);
	}
	return copy;
}

static const char *workspace_path(struct arena *arena, const struct sandbox_settings *settings)
{
	return settings->workspace ? settings->workspace
				   : path_join(arena, settings->folder, "workspace");
}

// A session without limits or hosts of its own that came up in this process: one with many runs tries
// it once. Should it ever not come up again, the first command says so.
static atomic_uint_least64_t proven;

// What it depends on: whom commands become, the network, and where bubblewrap is looked for.
static uint64_t kind_of(const struct unix_local *local)
{
	const char *path = getenv("PATH");
	uint64_t kind = (uint64_t)local->user << 2 | (uint64_t)local->network << 1 | 1;
	for (; path && *path; path++) {
		kind = (kind ^ (unsigned char)*path) * 0x100000001b3; // FNV-1a
	}
	return kind;
}

static bool warm_works(struct unix_local *local, struct error *error)
{
	bool usual = !local->hosts && !local->grants && !local->cgroup && !local->address_space;
	if (usual && atomic_load(&proven) == kind_of(local)) {
		return true;
	}
	if (!warm_check(local->warm, error)) {
		return false;
	}
	if (usual) {
		atomic_store(&proven, kind_of(local));
	}
	return true;
}

// Which way commands go, tried out. A folder that is only looked at (settings.workspace) can do
// without commands: if they are needed and cannot be run, exec says so.
static bool choose_session(struct unix_local *local, enum session wanted, struct error *error)
{
	bool looked_at = !local->owned;
	if (wanted == SESSION_WARM || (wanted == SESSION_ANY && !looked_at)) {
		local->warm = warm_create(local);
		if (looked_at || warm_works(local, error)) {
			return true;
		}
		warm_destroy(local->warm);
		local->warm = NULL;
	}
	// Where namespaces cannot be made inside of others there is the plain way; but what keeps us
	// from that is what counts.
	bool needed = wanted == SESSION_WARM || (wanted == SESSION_ANY && local->hosts);
	local->plain = wanted == SESSION_ANY && !looked_at;
	return looked_at || (!needed && unix_local_usable(error));
}

static struct sandbox *create(const struct sandbox_settings *settings, struct error *error)
{
	arena_cleanup arena = {0};
	struct options options;
	if (!check_settings(settings, error) || !read_options(&options, settings->options, error)) {
		return NULL;
	}
	struct unix_local *local = memory_alloc(sizeof(*local));
	local->session.driver = &sandbox_unix_local;
	local->workspace = -1;
	local->owned = !settings->workspace;
	local->network = settings->network && !settings->hosts;
	local->hosts = settings->hosts ? copy_strings(settings->hosts) : NULL;
	local->user = (uid_t)options.user;
	local->file_size = options.file_size;
	local->processes = settings->processes ? settings->processes : DEFAULT_PROCESSES;
	local->environment = copy_strings(settings->environment);
	if (open_workspace(local, workspace_path(&arena, settings), error) &&
		unix_local_take_grants(local, settings, error) &&
		hold_limits(local, settings, error) &&
		choose_session(local, options.session, error)) {
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
	struct sandbox_settings found = *settings;
	json_cleanup *tree = json_parse(state, error);
	if (!tree) {
		error_wrap(error, "the state of the session cannot be read");
		error->kind = ERROR_UNAVAILABLE;
		return NULL;
	}
	const char *workspace = json_string(tree, "workspace", NULL);
	found.workspace = workspace ? workspace : settings->workspace;
	if (stat(workspace_path(&arena, &found), &status) < 0) {
		error_errno(error, errno == ENOENT ? ERROR_FAILED : ERROR_UNAVAILABLE,
			"the workspace of run '%s' is gone", settings->run);
		return NULL;
	}
	struct sandbox *sandbox = create(&found, error);
	if (!sandbox) {
		error->kind = ERROR_UNAVAILABLE; // its work is there
	}
	return sandbox;
}

static void state(struct sandbox *sandbox, struct buffer *json)
{
	const struct unix_local *local = local_of(sandbox);
	char link[32], path[PATH_MAX];
	buffer_add_string(json, "{\"provider\":\"unix-local\"");
	if (!local->owned) {
		// A folder of somebody else's: it is found where it was.
		snprintf(link, sizeof(link), "/proc/self/fd/%d", local->workspace);
		ssize_t length = readlink(link, path, sizeof(path));
		buffer_add_string(json, ",\"workspace\":");
		buffer_add_json(json, (struct text){path, length > 0 ? (size_t)length : 0});
	}
	buffer_add_char(json, '}');
}

static void detach(struct sandbox *sandbox)
{
	destroy_handle(local_of(sandbox));
}

// The workspace is the run's.
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
	int workspace = local_of(sandbox)->workspace;
	return recursive ? folder_remove_tree(workspace, path, error)
			 : folder_remove(workspace, path, error);
}

static int host_folder(struct sandbox *sandbox)
{
	return local_of(sandbox)->workspace;
}

static void notes(struct buffer *lines)
{
	struct error reason = {0};
	struct cgroup *cgroup =
		cgroup_create(&(struct cgroup_limits){.memory = 1 << 30, .cpu = 1}, &reason);
	buffer_add_string(lines,
		"'network: on' is this machine's network: servers on its loopback can be reached; "
		"a list of hosts goes through a proxy of muster and reaches nothing else\n");
	buffer_add_string(lines,
		cgroup ? "'memory' and 'cpu' are limits of all commands together, kept by a "
			 "control "
			 "group\n"
		       : "'memory' is a limit of each process by itself and 'cpu' is refused: no "
			 "control group can be made here\n");
	cgroup_destroy(cgroup);
	buffer_add_string(lines, "'disk' is refused: folders have no size here\n");
}

static const struct key option_keys[] = {
	{"user", KEY_INTEGER,
		"The number of the user that commands become when muster runs as root; default "
		"65534.",
		.minimum = 1, .maximum = UINT32_MAX - 1},
	{"session", KEY_CHOICE,
		"'warm': one bubblewrap for all commands, each in namespaces of its own inside it; "
		"'per-command': a fresh one for each; default 'any': warm where the machine lets "
		"it.",
		.choices = session_names},
	{"file_size", KEY_SIZE, "The largest file that a command can write; default: any.",
		.minimum = 1},
	{0}};

const struct sandbox_driver sandbox_unix_local = {
	.name = "unix-local",
	.help = "Commands of this machine in bubblewrap, walled off by namespaces.",
	.flags = SANDBOX_READ_ONLY_COMMANDS | SANDBOX_READ_ONLY_FOLDERS | SANDBOX_NETWORK_OFF |
		SANDBOX_NETWORK_HOSTS | SANDBOX_PROCESS | SANDBOX_TERMINAL | SANDBOX_SCAN |
		SANDBOX_HOST_FOLDER | SANDBOX_GRANTS,
	.options = option_keys,
	.user = "agent",
	.usable = unix_local_usable,
	.notes = notes,
	.create = create,
	.attach = attach,
	.state = state,
	.detach = detach,
	.destroy = destroy,
	.exec = exec,
	.open_process = unix_local_open_process,
	.process_write = unix_local_process_write,
	.process_read = unix_local_process_read,
	.process_resize = unix_local_process_resize,
	.process_close = unix_local_process_close,
	.read = read_file,
	.write = write_file,
	.stat = stat_file,
	.scan = scan,
	.make_folder = make_folder,
	.remove = remove_file,
	.host_folder = host_folder,
};
