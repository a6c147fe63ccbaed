#include "manifest/git_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/path.h"
#include "manifest/git_parts.h"
#include "manifest/git_socket.h"

enum { KEY_DIGITS = 32 };

struct fetch {
	const struct git_source *source;
	git_repository *repository;
	git_remote *remote;
	git_odb *odb;
	bool login, refused; // asked for by the server; and not taken
	bool too_large;
	int64_t told;
	char wanted[41]; // the commit, once it is known
};

static const char *shown_ref(const struct git_source *source)
{
	return source->ref ? source->ref : "HEAD";
}

bool git_fail(struct error *error, const char *what)
{
	const git_error *last = git.error_last();
	return error_set(error, ERROR_UNAVAILABLE, "%s: %s", what,
		last && last->message ? last->message : "libgit2 does not say why");
}

static struct hash key_of(const char *string)
{
	struct hash hash = hash_text(text_of(string));
	hash.hex[KEY_DIGITS] = '\0';
	return hash;
}

const char *git_cache_folder(struct arena *arena, const struct git_source *source)
{
	return arena_printf(arena, "%s/git/%s.git", source->cache, key_of(source->url).hex);
}

const char *git_cache_ref(struct arena *arena, const struct git_source *source)
{
	return arena_printf(arena, "refs/muster/%s", key_of(shown_ref(source)).hex);
}

static int fill_login(git_credential **credential, const char *url, const char *user,
	unsigned allowed, void *data)
{
	struct fetch *fetch = data;
	(void)url;
	(void)user;
	if (fetch->login || !fetch->source->token ||
		!(allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT)) {
		fetch->refused = fetch->login;
		fetch->login = true;
		return GIT_EUSER;
	}
	fetch->login = true;
	return git.credential_userpass_plaintext_new(
		credential, fetch->source->user, fetch->source->token);
}

static int tell(const git_indexer_progress *stats, void *data)
{
	struct fetch *fetch = data;
	fetch->too_large = (int64_t)stats->received_bytes > GIT_CACHE_BYTES;
	if (fetch->source->progress && progress_due(&fetch->told)) {
		fetch->source->progress(fetch->source->progress_data,
			(int64_t)stats->received_objects, (int64_t)stats->received_bytes);
	}
	const atomic_bool *cancel = fetch->source->cancel;
	return fetch->too_large || (cancel && atomic_load(cancel)) ? GIT_EUSER : 0;
}

static git_remote_callbacks callbacks_of(struct fetch *fetch)
{
	git_remote_callbacks callbacks = GIT_REMOTE_CALLBACKS_INIT;
	callbacks.credentials = fill_login;
	callbacks.transfer_progress = tell;
	callbacks.payload = fetch;
	return callbacks;
}

static git_proxy_options proxy_of(const struct git_source *source)
{
	git_proxy_options proxy = GIT_PROXY_OPTIONS_INIT;
	proxy.type = source->loopback ? GIT_PROXY_NONE : GIT_PROXY_AUTO;
	return proxy;
}

// What went wrong while talking to the server.
static bool explain(const struct fetch *fetch, struct error *error)
{
	const struct git_source *source = fetch->source;
	const git_error *last = git.error_last();
	const char *message = last && last->message ? last->message : "";
	if (source->cancel && atomic_load(source->cancel)) {
		return error_set(
			error, ERROR_INTERRUPTED, "stopped while '%s' was fetched", source->url);
	}
	if (fetch->login && source->token) {
		error_set(error, ERROR_UNAVAILABLE, "'%s' does not take the entry's token",
			source->url);
		return error_hint(
			error, "see whether it is still valid and may read the repository");
	}
	if (fetch->login) {
		error_set(error, ERROR_UNAVAILABLE, "'%s' is private, or not there", source->url);
		return error_hint(error,
			"see whether the name is right; for a private repository write 'token: "
			"{env: NAME}'");
	}
	if (fetch->too_large) {
		return error_set(
			error, ERROR_UNAVAILABLE, "'%s' has more than 8 GiB to fetch", source->url);
	}
	if (strstr(message, "404") || strstr(message, "not found")) {
		error_set(error, ERROR_USAGE, "there is no repository '%s'", source->url);
		return error_hint(error, "write 'repo: owner/name' as on the server");
	}
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text_of(message), 300);
	return error_set(error, ERROR_UNAVAILABLE, "cannot fetch '%s': %s", source->url,
		shown.length ? shown.data : "libgit2 does not say why");
}

// --- What is there, and what is wanted ---

static bool is_commit_id(const char *ref, size_t least)
{
	size_t length = ref ? strlen(ref) : 0;
	return length >= least && length <= 40 && strspn(ref, "0123456789abcdefABCDEF") == length;
}

static bool is_there(const struct fetch *fetch, const char *id)
{
	git_oid oid;
	return git.oid_fromstr(&oid, id) == 0 && git.odb_exists(fetch->odb, &oid);
}

// The name of the server's reference that is meant: a branch, else a tag, else as it is written; NULL.
static const git_remote_head *find_head(
	const git_remote_head **heads, size_t count, const char *ref)
{
	static const char *const places[] = {"refs/heads/", "refs/tags/", ""};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		size_t length = strlen(places[i]);
		for (size_t k = 0; k < count; k++) {
			if (strncmp(heads[k]->name, places[i], length) == 0 &&
				strcmp(heads[k]->name + length, ref) == 0) {
				return heads[k];
			}
		}
	}
	return NULL;
}

static bool no_such_ref(
	const struct fetch *fetch, const git_remote_head **heads, size_t count, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup shown = {0};
	const char **names = arena_new_array(&arena, count + 1, const char *);
	size_t found = 0;
	for (size_t i = 0; i < count; i++) {
		if (strncmp(heads[i]->name, "refs/heads/", 11) == 0) {
			names[found++] = heads[i]->name + 11;
		} else if (strncmp(heads[i]->name, "refs/tags/", 10) == 0) {
			names[found++] = heads[i]->name + 10;
		}
	}
	buffer_add_line(&shown, text_of(shown_ref(fetch->source)), 200);
	error_set(error, ERROR_USAGE, "'%s' has no branch, tag or commit '%s'", fetch->source->url,
		shown.data);
	const char *near = text_nearest(text_of(shown_ref(fetch->source)), names, found);
	if (near) {
		buffer_clear(&shown);
		buffer_add_line(&shown, text_of(near), 200);
		return error_hint(error, "did you mean '%s'?", shown.data);
	}
	return count ? false : error_hint(error, "it is empty");
}

static bool download(
	struct fetch *fetch, const char *const *refspecs, size_t count, struct error *error)
{
	git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
	git_strarray list = {(char **)(uintptr_t)refspecs, count};
	options.callbacks = callbacks_of(fetch);
	options.proxy_opts = proxy_of(fetch->source);
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.update_fetchhead = 0;
	return git.remote_download(fetch->remote, &list, &options) == 0 || explain(fetch, error);
}

// The commit with this id or start of one, among all that is fetched; false without error: none.
static bool find_commit(struct fetch *fetch)
{
	git_oid part, whole;
	const char *ref = fetch->source->ref;
	if (git.oid_fromstrn(&part, ref, strlen(ref)) < 0 ||
		git.odb_exists_prefix(&whole, fetch->odb, &part, strlen(ref)) < 0) {
		return false;
	}
	git.oid_tostr(fetch->wanted, sizeof(fetch->wanted), &whole);
	return true;
}

// A commit that no reference of the server has at its tip: many servers give it all the same; where
// they do not, or only the start of its id is known, it is looked for in all branches and tags.
static bool fetch_commit(struct fetch *fetch, struct error *error)
{
	static const char *const all[] = {"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"};
	const char *ref = fetch->source->ref;
	struct error ignored = {0};
	if (strlen(ref) == 40 && download(fetch, &ref, 1, &ignored) && find_commit(fetch)) {
		return true;
	}
	return download(fetch, all, 2, error) &&
		(find_commit(fetch) ||
			error_set(error, ERROR_USAGE, "'%s' has no branch, tag or commit '%s'",
				fetch->source->url, ref));
}

static bool fetch_wanted(struct fetch *fetch, struct error *error)
{
	const git_remote_head **heads, *head;
	size_t count;
	if (git.remote_ls(&heads, &count, fetch->remote) < 0) {
		return explain(fetch, error);
	}
	head = find_head(heads, count, shown_ref(fetch->source));
	if (!head && is_commit_id(fetch->source->ref, 7)) {
		return fetch_commit(fetch, error);
	}
	if (!head) {
		return no_such_ref(fetch, heads, count, error);
	}
	git.oid_tostr(fetch->wanted, sizeof(fetch->wanted), &head->oid);
	const char *name = head->name;
	return is_there(fetch, fetch->wanted) || download(fetch, &name, 1, error);
}

static bool talk(struct fetch *fetch, struct error *error)
{
	git_remote_connect_options options = GIT_REMOTE_CONNECT_OPTIONS_INIT;
	options.callbacks = callbacks_of(fetch);
	options.proxy_opts = proxy_of(fetch->source);
	// A login is for the server that it was given for.
	options.follow_redirects =
		fetch->source->token ? GIT_REMOTE_REDIRECT_NONE : GIT_REMOTE_REDIRECT_INITIAL;
	git_remote_create_options create = GIT_REMOTE_CREATE_OPTIONS_INIT;
	create.repository = fetch->repository;
	create.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
	if (git.remote_create_with_opts(&fetch->remote, fetch->source->url, &create) < 0) {
		return git_fail(error, "cannot fetch");
	}
	bool fine = git.remote_connect_ext(fetch->remote, GIT_DIRECTION_FETCH, &options) == 0
		? fetch_wanted(fetch, error)
		: explain(fetch, error);
	git.remote_free(fetch->remote);
	return fine;
}

// --- The cache ---

// A tag leads to a commit; what leads to none is refused. The reference keeps it.
static bool keep(struct fetch *fetch, struct error *error)
{
	arena_cleanup arena = {0};
	git_oid id;
	git_object *object = NULL, *commit = NULL;
	git_reference *reference = NULL;
	bool fine = git.oid_fromstr(&id, fetch->wanted) == 0 &&
		git.object_lookup(&object, fetch->repository, &id, GIT_OBJECT_ANY) == 0 &&
		git.object_peel(&commit, object, GIT_OBJECT_COMMIT) == 0;
	if (!fine) {
		error_set(error, ERROR_USAGE, "'%s' is no commit in '%s'", shown_ref(fetch->source),
			fetch->source->url);
	} else if (git.reference_create(&reference, fetch->repository,
			   git_cache_ref(&arena, fetch->source), git.object_id(commit), 1,
			   NULL) < 0) {
		fine = git_fail(error, "cannot keep what was fetched");
	}
	git.reference_free(reference);
	git.object_free(commit);
	git.object_free(object);
	return fine;
}

// Opens the cache's repository, made anew when it is none: an earlier process may have been killed
// while it made it.
static bool open_cache(struct fetch *fetch, const char *folder, struct error *error)
{
	git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
	options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH;
	if (git.repository_open_bare(&fetch->repository, folder) < 0 &&
		(!file_remove_tree(folder, error) ||
			git.repository_init_ext(&fetch->repository, folder, &options) < 0)) {
		return error->kind != ERROR_NONE
			? false
			: git_fail(error, "cannot make a cache for repositories");
	}
	return git.repository_odb(&fetch->odb, fetch->repository) == 0 ||
		git_fail(error, "cannot open the cache for repositories");
}

static bool run(struct fetch *fetch, const char *folder, struct error *error)
{
	if (!open_cache(fetch, folder, error)) {
		return false;
	}
	if (is_commit_id(fetch->source->ref, 40) && is_there(fetch, fetch->source->ref)) {
		memcpy(fetch->wanted, fetch->source->ref, sizeof(fetch->wanted));
		return keep(fetch, error);
	}
	return talk(fetch, error) && keep(fetch, error);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct error problem;

static void prepare(void)
{
	git_socket_register(&problem);
}

bool git_cache_load(struct error *error)
{
	if (!git_load(error)) {
		return false;
	}
	pthread_once(&once, prepare);
	if (problem.kind != ERROR_NONE) {
		*error = problem;
	}
	return problem.kind == ERROR_NONE;
}

int git_cache_lock(const char *folder, struct error *error)
{
	arena_cleanup arena = {0};
	const char *path = arena_printf(&arena, "%s.lock", folder);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int locked = -1;
	while (fd >= 0 && (locked = flock(fd, LOCK_EX)) < 0 && errno == EINTR) {
	}
	if (locked < 0) {
		error_errno(error, ERROR_UNAVAILABLE, "cannot lock '%s'", path);
		file_close(&fd);
	}
	return fd;
}

bool git_cache_fetch(const struct git_source *source, struct error *error)
{
	arena_cleanup arena = {0};
	struct fetch fetch = {.source = source};
	const char *folder = git_cache_folder(&arena, source);
	if (!git_cache_load(error) ||
		!file_make_folders(path_folder(&arena, folder), 0700, error)) {
		return false;
	}
	file_cleanup held = git_cache_lock(folder, error);
	bool fine = held >= 0 && run(&fetch, folder, error);
	git.odb_free(fetch.odb);
	git.repository_free(fetch.repository);
	return fine;
}
