#include "manifest/accounts.h"

#include <string.h>

#include "base/path.h"
#include "manifest/kind.h"

enum { NAME_LIMIT = 32, ACCOUNTS_TIME = 60 * 1000 };

bool account_name_check(struct text name, struct error *error)
{
	bool fine = name.length > 0 && name.length <= NAME_LIMIT;
	for (size_t i = 0; i < name.length && fine; i++) {
		char byte = name.data[i];
		bool letter = (byte >= 'a' && byte <= 'z') || byte == '_';
		fine = letter || (i && ((byte >= '0' && byte <= '9') || byte == '-'));
	}
	if (!fine) {
		buffer_cleanup shown = {0};
		buffer_add_line(&shown, name, 64);
		error_set(error, ERROR_USAGE, "'%s' cannot be the name of a user or group",
			shown.length ? shown.data : "");
		error_hint(error, "use small letters, digits, '_' and '-', at most %d", NAME_LIMIT);
	}
	return fine;
}

bool account_available(const struct sandbox_driver *driver, const char *name, struct error *error)
{
	if (driver->flags & SANDBOX_USERS || (driver->user && strcmp(driver->user, name) == 0)) {
		return true;
	}
	error_set(error, ERROR_UNAVAILABLE, "sandbox '%s' has no user or group '%s'", driver->name,
		name);
	return driver->user
		? error_hint(error,
			  "it has one user, '%s': name that one, or use a provider with users",
			  driver->user)
		: error_hint(error, "use a provider with users (muster providers)");
}

static const struct yaml_node *list(const struct manifest_place *place, const char *key)
{
	const struct yaml_node *node = yaml_get(place->team->manifest.node, key);
	return node && node->kind == YAML_LIST ? node : NULL;
}

// What is done with each user and group of the manifest, in the order in which they are made.
struct each {
	// `user` NULL: the group; `group` NULL: the user; else: the user joins the group.
	bool (*account)(void *data, const char *group, const char *user, struct error *error);
	void *data;
	struct arena *arena;
};

static bool each_name(const struct each *each, const struct yaml_node *node, const char *group,
	bool is_group, struct error *error)
{
	const struct yaml_node *name = entry_string(node, "name");
	if (!name || !account_name_check(name->text, error)) {
		return name ? false : error_set(error, ERROR_USAGE, "a user or group has no name");
	}
	const char *string = text_string(each->arena, name->text);
	return each->account(
		each->data, is_group ? string : group, is_group ? NULL : string, error);
}

static bool each_member(
	const struct each *each, const struct yaml_node *groups, bool join, struct error *error)
{
	for (size_t i = 0; groups && i < groups->count; i++) {
		const struct yaml_node *name = entry_string(&groups->items[i], "name");
		const struct yaml_node *members = yaml_get(&groups->items[i], "users");
		for (size_t k = 0; members && name && k < members->count; k++) {
			const char *group = text_string(each->arena, name->text);
			if (!each_name(
				    each, &members->items[k], join ? group : NULL, false, error)) {
				return false;
			}
		}
	}
	return true;
}

static bool each_account(
	const struct manifest_place *place, const struct each *each, struct error *error)
{
	const struct yaml_node *groups = list(place, "groups"), *users = list(place, "users");
	for (size_t i = 0; groups && i < groups->count; i++) {
		if (!each_name(each, &groups->items[i], NULL, true, error)) {
			return error_wrap(error, "manifest groups");
		}
	}
	for (size_t i = 0; users && i < users->count; i++) {
		if (!each_name(each, &users->items[i], NULL, false, error)) {
			return error_wrap(error, "manifest users");
		}
	}
	return each_member(each, groups, false, error) && each_member(each, groups, true, error);
}

static bool check_account(void *data, const char *group, const char *user, struct error *error)
{
	const struct manifest_place *place = data;
	return account_available(place->driver, user ? user : group, error);
}

bool accounts_check(const struct manifest_place *place, struct error *error)
{
	struct manifest_place copy = *place;
	const struct team *team = place->team;
	struct each each = {check_account, &copy, place->arena};
	for (size_t i = 0; i < team->agent_count; i++) {
		const struct team_agent *agent = &team->agents[i];
		if (agent->run_as && !account_available(place->driver, agent->run_as, error)) {
			return error_wrap(error, "agent '%s'", agent->name);
		}
	}
	return each_account(place, &each, error);
}

// Debian's tools, or busybox's. A user has a group of the same name.
static const char script[] =
	"there() { grep -q \"^$2:\" \"/etc/$1\"; }\n"
	"have() { command -v \"$1\" >/dev/null 2>&1; }\n"
	"for account; do\n"
	"	kind=${account%%:*}; rest=${account#*:}; group=${rest%%:*}; user=${rest#*:}\n"
	"	case $kind in\n"
	"	group)\n"
	"		there group \"$group\" || if have groupadd; then groupadd \"$group\"\n"
	"		else addgroup \"$group\"; fi || exit 1 ;;\n"
	"	user)\n"
	"		there passwd \"$user\" || if ! have useradd; then\n"
	"			there group \"$user\" || addgroup \"$user\"\n"
	"			adduser -D -H -s /sbin/nologin -G \"$user\" \"$user\"\n"
	"		elif there group \"$user\"; then\n"
	"			useradd -M -s /usr/sbin/nologin -g \"$user\" \"$user\"\n"
	"		else useradd -M -s /usr/sbin/nologin -U \"$user\"; fi || exit 1 ;;\n"
	"	*)\n"
	"		if have usermod; then usermod -aG \"$group\" \"$user\"\n"
	"		else addgroup \"$user\" \"$group\"; fi || exit 1 ;;\n"
	"	esac\n"
	"done\n";

struct making {
	struct arena *arena;
	const char **arguments;
	size_t count, capacity;
};

static void add_argument(struct making *making, const char *argument)
{
	if (making->count + 1 >= making->capacity) {
		const char **old = making->arguments;
		making->capacity = making->capacity * 2 + 16;
		making->arguments = arena_new_array(making->arena, making->capacity, const char *);
		for (size_t i = 0; i < making->count; i++) {
			making->arguments[i] = old[i];
		}
	}
	making->arguments[making->count++] = argument;
}

static bool note_account(void *data, const char *group, const char *user, struct error *error)
{
	struct making *making = data;
	(void)error;
	add_argument(making,
		arena_printf(making->arena, "%s:%s:%s",
			!user           ? "group"
				: group ? "join"
					: "user",
			group ? group : "", user ? user : ""));
	return true;
}

static bool run_as_root(const struct manifest_place *place, const char *const *argv,
	const char *what, struct error *error)
{
	struct process_result result;
	struct sandbox_command command = {
		.argv = argv, .user = "root", .timeout = ACCOUNTS_TIME, .output_limit = 4096};
	if (!sandbox_exec(place->sandbox, place->arena, &command, &result, error)) {
		return error_wrap(error, "%s", what);
	}
	if (result.status == 0 && !result.timed_out) {
		return true;
	}
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text_trim(result.err), 200);
	return error_set(error, ERROR_FAILED, "%s: %s", what,
		shown.length ? shown.data : "the command failed without a message");
}

bool accounts_make(const struct manifest_place *place, struct error *error)
{
	struct making making = {.arena = place->arena};
	struct each each = {note_account, &making, place->arena};
	static const char *const front[] = {"sh", "-c", script, "sh"};
	for (size_t i = 0; i < sizeof(front) / sizeof(front[0]); i++) {
		add_argument(&making, front[i]);
	}
	size_t without = making.count;
	if (!each_account(place, &each, error)) {
		return false;
	}
	// Where there is only one user, accounts_check() let no other name through.
	if (making.count == without || !(place->driver->flags & SANDBOX_USERS)) {
		return true;
	}
	return run_as_root(
		place, making.arguments, "cannot make the manifest's users and groups", error);
}

bool account_give(const struct manifest_place *place, struct text path, const char *group,
	struct error *error)
{
	const char *const argv[] = {"chgrp", "--", group,
		path_join(place->arena, "/workspace", text_string(place->arena, path)), NULL};
	return !(place->driver->flags & SANDBOX_USERS) ||
		run_as_root(place, argv, "cannot give it to its group", error);
}
