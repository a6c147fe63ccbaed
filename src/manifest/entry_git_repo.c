#include <ctype.h>
#include <string.h>

#include "base/path.h"
#include "manifest/git_cache.h"
#include "manifest/kind.h"

static const char plain[] = "http://";

static bool is_loopback(struct text name)
{
	name.length = text_find(name, TEXT(":"));
	bool digits = text_starts(name, "127.");
	for (size_t i = 0; i < name.length && digits; i++) {
		digits = isdigit((unsigned char)name.data[i]) || name.data[i] == '.';
	}
	return digits || text_is(name, "localhost");
}

// "host" or "host:port"; with "http://" in front on this machine only, as nothing is encrypted then.
static bool check_host(struct text host, struct error *error)
{
	buffer_cleanup shown = {0};
	struct text name = host;
	bool open = text_starts(host, plain);
	if (open) {
		name = (struct text){
			host.data + sizeof(plain) - 1, host.length - sizeof(plain) + 1};
	}
	bool fine = name.length > 0 && name.length <= 255 && isalnum((unsigned char)name.data[0]);
	for (size_t i = 0; i < name.length && fine; i++) {
		fine = isalnum((unsigned char)name.data[i]) || strchr(".-:", name.data[i]);
	}
	buffer_add_line(&shown, host, 200);
	if (!fine) {
		error_set(error, ERROR_USAGE, "'%s' is no host", shown.data);
		return error_hint(error, "write host: github.com");
	}
	if (open && !is_loopback(name)) {
		error_set(error, ERROR_USAGE, "the connection to '%s' would not be encrypted",
			shown.data);
		return error_hint(error, "leave out 'http://'");
	}
	return true;
}

// A path on the server or in the repository: relative, no "..", nothing that a URL would read otherwise.
static bool check_path(const char *key, struct text path, const char *letters, struct error *error)
{
	buffer_cleanup shown = {0};
	struct text rest = path;
	const char *why = text_trim(path).length == 0 ? "is empty"
		: path.length > 1000                  ? "is too long"
		: path.data[0] == '/'                 ? "is absolute"
						      : NULL;
	while (!why && rest.length) {
		size_t length = text_find(rest, TEXT("/"));
		struct text part = {rest.data, length};
		why = text_is(part, "..") ? "has a '..'" : NULL;
		for (size_t i = 0; i < length && !why && letters; i++) {
			bool fine = isalnum((unsigned char)part.data[i]) ||
				strchr(letters, part.data[i]);
			why = fine ? NULL : "has characters that no repository's name has";
		}
		why = why ? why : memchr(part.data, '\\', length) ? "has a backslash" : NULL;
		length += length < rest.length;
		rest = (struct text){rest.data + length, rest.length - length};
	}
	buffer_add_line(&shown, path, 200);
	return !why ||
		error_set(error, ERROR_USAGE, "%s '%s' %s", key, shown.data ? shown.data : "", why);
}

static bool check_ref(struct text ref, struct error *error)
{
	buffer_cleanup shown = {0};
	bool fine = ref.length <= 250 && ref.data[0] != '-';
	for (size_t i = 0; i < ref.length && fine; i++) {
		unsigned char byte = (unsigned char)ref.data[i];
		fine = byte > ' ' && byte != 127 && !strchr("~^:?*[\\", byte);
	}
	buffer_add_line(&shown, ref, 200);
	return fine || error_set(error, ERROR_USAGE, "'%s' cannot be a ref", shown.data) ||
		error_hint(error, "name a branch, a tag or a commit");
}

static bool check_keys(const struct yaml_node *node, struct error *error)
{
	const struct yaml_node *host = entry_string(node, "host"), *ref = entry_string(node, "ref");
	const struct yaml_node *repo = yaml_get(node, "repo"), *sub = entry_string(node, "subpath");
	return (!host || check_host(host->text, error)) &&
		(!repo || check_path("repo", repo->text, "._-~/", error)) &&
		(!ref || check_ref(ref->text, error)) &&
		(!sub || check_path("subpath", sub->text, NULL, error));
}

static void tell(void *data, int64_t objects, int64_t bytes)
{
	const struct manifest_place *place = data;
	place->progress(place->progress_data, &(struct manifest_progress){objects, bytes});
}

static bool find_token(const struct manifest_place *place, const struct manifest_entry *entry,
	const char **token, struct error *error)
{
	const struct team_manifest *manifest = &place->team->manifest;
	for (size_t i = 0; i < manifest->token_count && place->tokens; i++) {
		if (manifest->tokens[i].entry != entry->node) {
			continue;
		}
		*token = place->tokens[i];
		if (!*token) {
			error_set(error, ERROR_UNAVAILABLE, "its token is not to be had any more");
			return error_hint(error, "set what 'token' names, and resume the run");
		}
	}
	return true;
}

// False if the token is not to be had.
static bool source_of(const struct manifest_place *place, const struct manifest_entry *entry,
	struct git_source *source, struct error *error)
{
	struct arena *arena = place->arena;
	const struct yaml_node *node = entry->node, *ref = entry_string(node, "ref");
	const struct yaml_node *host = entry_string(node, "host"), *user;
	struct text repo = entry_string(node, "repo")->text;
	struct text server = host ? host->text : TEXT("github.com");
	bool open = text_starts(server, plain);
	*source = (struct git_source){.cache = place->cache,
		.url = arena_printf(arena, "%s%.*s/%.*s%s", open ? "" : "https://",
			(int)server.length, server.data, (int)repo.length, repo.data,
			text_ends(repo, ".git") ? "" : ".git"),
		.ref = ref ? text_string(arena, ref->text) : NULL,
		.loopback = open,
		.cancel = place->cancel,
		.progress = place->progress ? tell : NULL,
		.progress_data = (void *)(uintptr_t)place};
	user = entry_string(node, "username");
	source->user = user ? text_string(arena, user->text) : "git";
	return find_token(place, entry, &source->token, error);
}

static bool check(
	const struct manifest_place *place, const struct manifest_entry *entry, struct error *error)
{
	struct git_source source;
	return source_of(place, entry, &source, error);
}

static bool prepare(
	const struct manifest_place *place, const struct manifest_entry *entry, struct error *error)
{
	struct git_source source;
	return source_of(place, entry, &source, error) && git_cache_fetch(&source, error);
}

// "." and the like are the whole repository.
static const char *subpath_of(
	const struct manifest_place *place, const struct manifest_entry *entry)
{
	const struct yaml_node *sub = entry_string(entry->node, "subpath");
	struct error ignored = {0}; // checked when the file was read
	struct text clean = {0};
	return sub && path_clean(place->arena, text_trim(sub->text), &clean, &ignored) &&
			clean.length
		? text_string(place->arena, clean)
		: NULL;
}

static bool put(const struct manifest_place *place, const struct manifest_entry *entry,
	struct sink *sink, const char *name, struct error *error)
{
	struct git_source source;
	return source_of(place, entry, &source, error) &&
		git_cache_put(&source, subpath_of(place, entry), sink, name,
			entry->has_mode ? entry->mode : 0, error);
}

static const struct key token_keys[] = {
	{"env", KEY_STRING, "The environment variable that holds it."},
	{"file", KEY_STRING, "The file that holds it; ~/ is the home folder."},
	{"command", KEY_STRINGS, "The command that prints it: its words, or a line for the shell."},
	{"secret", KEY_STRING, "Its name under 'secrets'."},
	{0},
};

static const struct key keys[] = {
	{"host", KEY_STRING, "The server; github.com if not given."},
	{"repo", KEY_STRING, "The repository on it: owner/name.", .required = true},
	{"ref", KEY_STRING, "A branch, a tag or a commit; the server's default if not given."},
	{"subpath", KEY_STRING, "Only this folder of it."},
	{"token", KEY_TABLE, "For a private repository; it never gets into the sandbox.",
		.keys = token_keys},
	{"username", KEY_STRING, "The user who has the token; git if not given."},
	{0},
};

const struct entry_kind entry_git_repo = {
	.owner = {.name = "git_repo",
		.help = "The files of a git repository at a ref.",
		.keys = keys},
	.folder = true,
	.tree = true,
	.check_keys = check_keys,
	.check = check,
	.prepare = prepare,
	.put = put,
};
