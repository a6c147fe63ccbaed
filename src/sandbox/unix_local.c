#include "sandbox/unix_local.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"

enum { DEFAULT_PROCESSES = 512 };

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

static bool exec(struct sandbox *sandbox, struct arena *arena,
	const struct sandbox_command *command, struct process_result *result, struct error *error)
{
	return unix_local_exec(local_of(sandbox), arena, command, result, error);
}

static void destroy_handle(struct unix_local *local)
{
	for (size_t i = 0; local->environment && local->environment[i]; i++) {
		free(local->environment[i]);
	}
	free(local->environment);
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

static bool read_options(struct unix_local *local, const char *options, struct error *error)
{
	local->user = UNIX_LOCAL_NOBODY;
	if (!options) {
		return true;
	}
	json_cleanup *tree = json_parse(text_of(options), error);
	if (!tree) {
		return error_wrap(error, "options of sandbox 'unix-local'");
	}
	double user = json_number(tree, "user", UNIX_LOCAL_NOBODY);
	if (user < 1 || user > UINT32_MAX - 1) {
		return error_set(error, ERROR_USAGE,
			"option 'user' of sandbox 'unix-local' is not the number of a user other "
			"than root");
	}
	local->user = (uid_t)user;
	return true;
}

// What was asked for and cannot be done is refused, not left out.
static bool check_settings(const struct sandbox_settings *settings, struct error *error)
{
	const struct {
		bool wanted;
		const char *what, *remedy;
	} lacking[] = {
		{settings->hosts != NULL, "let through chosen hosts only",
			"use 'network: on' or 'network: off'"},
		{settings->memory > 0, "limit memory", "leave out 'memory'"},
		{settings->cpu > 0, "limit processors", "leave out 'cpu'"},
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

static char **copy_environment(const char *const *environment)
{
	size_t count = 0;
	while (environment && environment[count]) {
		count++;
	}
	char **copy = memory_alloc((count + 1) * sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		copy[i] = memory_string(environment[i]);
	}
	return copy;
}

static const char *workspace_path(struct arena *arena, const struct sandbox_settings *settings)
{
	return settings->workspace ? settings->workspace
				   : path_join(arena, settings->folder, "workspace");
}

// A folder that is only looked at (settings.workspace) can do without commands: if they are needed
// and cannot be run, exec says so.
static struct sandbox *create(const struct sandbox_settings *settings, struct error *error)
{
	arena_cleanup arena = {0};
	if (!check_settings(settings, error) ||
		(!settings->workspace && !unix_local_usable(error))) {
		return NULL;
	}
	struct unix_local *local = memory_alloc(sizeof(*local));
	local->session.driver = &sandbox_unix_local;
	local->workspace = -1;
	local->owned = !settings->workspace;
	local->network = settings->network;
	local->processes = settings->processes ? settings->processes : DEFAULT_PROCESSES;
	local->environment = copy_environment(settings->environment);
	if (read_options(local, settings->options, error) &&
		open_workspace(local, workspace_path(&arena, settings), error)) {
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
	if (stat(workspace_path(&arena, settings), &status) < 0) {
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
	int workspace = local_of(sandbox)->workspace;
	return recursive ? folder_remove_tree(workspace, path, error)
			 : folder_remove(workspace, path, error);
}

static int host_folder(struct sandbox *sandbox)
{
	return local_of(sandbox)->workspace;
}

static const struct key options[] = {{"user", KEY_INTEGER,
					     "The number of the user that commands become when "
					     "muster runs as root; default 65534.",
					     .minimum = 1, .maximum = UINT32_MAX - 1},
	{0}};

const struct sandbox_driver sandbox_unix_local = {
	.name = "unix-local",
	.help = "Commands of this machine in bubblewrap, walled off by namespaces.",
	.flags = SANDBOX_READ_ONLY_COMMANDS | SANDBOX_NETWORK_OFF | SANDBOX_SCAN |
		SANDBOX_HOST_FOLDER,
	.options = options,
	.usable = unix_local_usable,
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
