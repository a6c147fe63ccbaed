#include "sandbox/sandbox.h"

#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "sandbox/drivers.h"
#include "sandbox/fallback.h"

const struct sandbox_driver *const sandbox_drivers[] = {&sandbox_unix_local, &sandbox_docker, NULL};

const struct sandbox_driver *sandbox_driver_find(const char *name)
{
	for (size_t i = 0; sandbox_drivers[i]; i++) {
		if (strcmp(sandbox_drivers[i]->name, name) == 0) {
			return sandbox_drivers[i];
		}
	}
	return NULL;
}

static const struct sandbox_driver *driver_of(struct sandbox *sandbox)
{
	return ((struct sandbox_session *)(void *)sandbox)->driver;
}

static bool can_grant(const struct sandbox_driver *driver, const struct sandbox_settings *settings,
	struct error *error)
{
	return !settings->grants || !settings->grants->path || driver->flags & SANDBOX_GRANTS ||
		error_set(error, ERROR_UNAVAILABLE,
			"sandbox '%s' cannot show folders of this machine", driver->name);
}

struct sandbox *sandbox_create(const struct sandbox_driver *driver,
	const struct sandbox_settings *settings, struct error *error)
{
	return can_grant(driver, settings, error) ? driver->create(settings, error) : NULL;
}

struct sandbox *sandbox_attach(const struct sandbox_driver *driver,
	const struct sandbox_settings *settings, struct text state, struct error *error)
{
	return can_grant(driver, settings, error) ? driver->attach(settings, state, error) : NULL;
}

void sandbox_state(struct sandbox *sandbox, struct buffer *json)
{
	driver_of(sandbox)->state(sandbox, json);
}

void sandbox_detach(struct sandbox *sandbox)
{
	if (sandbox) {
		driver_of(sandbox)->detach(sandbox);
	}
}

bool sandbox_destroy(struct sandbox *sandbox, struct error *error)
{
	return driver_of(sandbox)->destroy(sandbox, error);
}

static bool lacks(struct sandbox *sandbox, const char *what, struct error *error)
{
	return error_set(
		error, ERROR_UNAVAILABLE, "sandbox '%s' cannot %s", driver_of(sandbox)->name, what);
}

// Checks what a command asks for; `clean` is it with what was left out filled in.
static bool check_command(struct sandbox *sandbox, struct arena *arena,
	const struct sandbox_command *command, struct sandbox_command *clean, struct error *error)
{
	unsigned flags = driver_of(sandbox)->flags;
	struct text folder;
	if (!path_clean(arena, text_of(command->folder), &folder, error)) {
		return false;
	}
	if (command->read_only && !(flags & SANDBOX_READ_ONLY_COMMANDS)) {
		return lacks(sandbox, "make the workspace read-only for a command", error);
	}
	const char *only = flags & SANDBOX_USERS ? NULL : driver_of(sandbox)->user;
	bool own = !command->user || (only && strcmp(command->user, only) == 0);
	if (!own && !(flags & SANDBOX_USERS)) {
		return lacks(sandbox, "run commands as another user", error);
	}
	*clean = *command;
	clean->user = only ? NULL : command->user;
	clean->folder = text_string(arena, folder);
	clean->timeout = command->timeout ? command->timeout : 10 * 60 * 1000;
	clean->output_limit = command->output_limit ? command->output_limit : 1024 * 1024;
	return true;
}

bool sandbox_exec(struct sandbox *sandbox, struct arena *arena,
	const struct sandbox_command *command, struct process_result *result, struct error *error)
{
	struct sandbox_command clean;
	return check_command(sandbox, arena, command, &clean, error) &&
		driver_of(sandbox)->exec(sandbox, arena, &clean, result, error);
}

struct sandbox_process *sandbox_open_process(struct sandbox *sandbox,
	const struct sandbox_process_settings *settings, struct error *error)
{
	arena_cleanup arena = {0};
	unsigned needed = settings->terminal ? SANDBOX_TERMINAL : SANDBOX_PROCESS;
	struct sandbox_process_settings clean = *settings;
	if (!(driver_of(sandbox)->flags & needed)) {
		lacks(sandbox,
			settings->terminal ? "run programs in a terminal"
					   : "run programs that go on between calls",
			error);
		return NULL;
	}
	clean.columns = settings->columns ? settings->columns : 80;
	clean.rows = settings->rows ? settings->rows : 24;
	return check_command(sandbox, &arena, &settings->command, &clean.command, error)
		? driver_of(sandbox)->open_process(sandbox, &clean, error)
		: NULL;
}

static const struct sandbox_driver *driver_of_process(struct sandbox_process *process)
{
	return ((struct sandbox_process_session *)(void *)process)->driver;
}

bool sandbox_process_write(struct sandbox_process *process, struct text bytes, struct error *error)
{
	return driver_of_process(process)->process_write(process, bytes, error);
}

bool sandbox_process_read(struct sandbox_process *process, int64_t wait, struct buffer *output,
	bool *ended, int *status, struct error *error)
{
	return driver_of_process(process)->process_read(
		process, wait, output, ended, status, error);
}

bool sandbox_process_resize(struct sandbox_process *process, unsigned short columns,
	unsigned short rows, struct error *error)
{
	return driver_of_process(process)->process_resize(process, columns, rows, error);
}

void sandbox_process_close(struct sandbox_process *process)
{
	if (process) {
		driver_of_process(process)->process_close(process);
	}
}

bool sandbox_read(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct text *content, struct error *error)
{
	const struct sandbox_driver *driver = driver_of(sandbox);
	struct text clean;
	return path_clean(arena, path, &clean, error) &&
		(driver->read ? driver->read : fallback_read)(
			sandbox, arena, clean, limit, content, error);
}

bool sandbox_write(struct sandbox *sandbox, struct text path, struct text content, mode_t mode,
	struct error *error)
{
	arena_cleanup arena = {0};
	const struct sandbox_driver *driver = driver_of(sandbox);
	struct text clean;
	return path_clean(&arena, path, &clean, error) &&
		(driver->write ? driver->write : fallback_write)(
			sandbox, clean, content, mode ? mode : 0644, error);
}

struct folder_stat sandbox_stat(struct sandbox *sandbox, struct text path)
{
	arena_cleanup arena = {0};
	struct error ignored = {0}; // a path that cannot be is missing
	struct text clean;
	struct folder_stat missing = {.kind = FOLDER_MISSING, .what = "missing"};
	const struct sandbox_driver *driver = driver_of(sandbox);
	return path_clean(&arena, path, &clean, &ignored)
		? (driver->stat ? driver->stat : fallback_stat)(sandbox, clean)
		: missing;
}

bool sandbox_scan(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct folder_list *list, struct error *error)
{
	const struct sandbox_driver *driver = driver_of(sandbox);
	struct text clean;
	return path_clean(arena, path, &clean, error) &&
		(driver->scan ? driver->scan : fallback_scan)(
			sandbox, arena, clean, limit, list, error);
}

bool sandbox_make_folder(struct sandbox *sandbox, struct text path, struct error *error)
{
	arena_cleanup arena = {0};
	const struct sandbox_driver *driver = driver_of(sandbox);
	struct text clean;
	return path_clean(&arena, path, &clean, error) &&
		(driver->make_folder ? driver->make_folder : fallback_make_folder)(
			sandbox, clean, error);
}

bool sandbox_remove(struct sandbox *sandbox, struct text path, bool recursive, struct error *error)
{
	arena_cleanup arena = {0};
	const struct sandbox_driver *driver = driver_of(sandbox);
	struct text clean;
	return path_clean(&arena, path, &clean, error) &&
		(driver->remove ? driver->remove : fallback_remove)(
			sandbox, clean, recursive, error);
}

bool sandbox_put_archive(struct sandbox *sandbox, struct text folder, int fd, struct error *error)
{
	arena_cleanup arena = {0};
	const struct sandbox_driver *driver = driver_of(sandbox);
	struct text clean;
	return path_clean(&arena, folder, &clean, error) &&
		(driver->put_archive ? driver->put_archive : fallback_put_archive)(
			sandbox, clean, fd, error);
}

bool sandbox_get_archive(
	struct sandbox *sandbox, const char *const *paths, int fd, struct error *error)
{
	arena_cleanup arena = {0};
	const struct sandbox_driver *driver = driver_of(sandbox);
	const char **clean = NULL;
	size_t count = 0;
	while (paths && paths[count]) {
		count++;
	}
	if (paths && count == 0) {
		return error_set(error, ERROR_USAGE, "no paths are given for the archive");
	}
	if (paths) {
		clean = arena_new_array(&arena, count + 1, const char *);
	}
	for (size_t i = 0; i < count; i++) {
		struct text path;
		if (!path_clean(&arena, text_of(paths[i]), &path, error)) {
			return false;
		}
		clean[i] = path.length ? path.data : ".";
	}
	return (driver->get_archive ? driver->get_archive : fallback_get_archive)(
		sandbox, clean, fd, error);
}

bool sandbox_expose_port(struct sandbox *sandbox, int port, struct buffer *url, struct error *error)
{
	const struct sandbox_driver *driver = driver_of(sandbox);
	if (port < 1 || port > 65535) {
		return error_set(error, ERROR_USAGE, "%d is no port", port);
	}
	return driver->expose_port ? driver->expose_port(sandbox, port, url, error)
				   : lacks(sandbox, "make ports reachable", error);
}

bool sandbox_keep_alive(struct sandbox *sandbox, int64_t duration, struct error *error)
{
	const struct sandbox_driver *driver = driver_of(sandbox);
	return driver->keep_alive ? driver->keep_alive(sandbox, duration, error)
				  : lacks(sandbox, "be kept alive", error);
}

bool sandbox_pause(struct sandbox *sandbox, struct error *error)
{
	const struct sandbox_driver *driver = driver_of(sandbox);
	return driver->pause ? driver->pause(sandbox, error) : lacks(sandbox, "pause", error);
}

bool sandbox_snapshot(struct sandbox *sandbox, struct buffer *reference, struct error *error)
{
	const struct sandbox_driver *driver = driver_of(sandbox);
	return driver->snapshot ? driver->snapshot(sandbox, reference, error)
				: lacks(sandbox, "make snapshots of its own", error);
}

bool sandbox_discard(struct text state, struct error *error)
{
	json_cleanup *tree = json_parse(state, error);
	const char *provider = tree ? json_string(tree, "provider", "") : "";
	const struct sandbox_driver *driver = sandbox_driver_find(provider);
	if (!tree) {
		return error_wrap(error, "the state of the sandbox");
	}
	return !driver || !driver->discard || driver->discard(state, error);
}

bool sandbox_orphans(const struct sandbox_driver *driver, struct buffer *lines, struct error *error)
{
	return !driver->orphans || driver->orphans(lines, error);
}

int sandbox_host_folder(struct sandbox *sandbox)
{
	const struct sandbox_driver *driver = driver_of(sandbox);
	return driver->host_folder ? driver->host_folder(sandbox) : -1;
}
