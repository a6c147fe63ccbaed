#include "cli/recorded.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "model/model.h"
#include "view/recording.h"

enum { KNOWN_LIMIT = 64 * 1024 /* bytes of a file with a key */ };

struct known {
	struct arena arena;
	struct text *secrets;
	size_t count, capacity;
};

static void know(struct known *known, struct text secret)
{
	if (!secret.length) {
		return;
	}
	if (known->count == known->capacity) {
		known->capacity = known->capacity * 2 + 16;
		known->secrets =
			memory_resize(known->secrets, known->capacity * sizeof(*known->secrets));
	}
	known->secrets[known->count++] = secret;
}

static void know_variable(struct known *known, const char *name)
{
	know(known, text_of(name ? getenv(name) : NULL));
}

static void know_source(struct known *known, const struct team_secret *source)
{
	struct text content;
	struct error ignored = {0}; // what cannot be read now was not used now
	struct stat status;
	if (!source) {
		return;
	}
	know_variable(known, source->env);
	if (source->file && stat(source->file, &status) == 0 && S_ISREG(status.st_mode) &&
		file_read(&known->arena, source->file, KNOWN_LIMIT, &content, &ignored)) {
		know(known, text_trim(content));
	}
}

static void know_all(struct known *known, const struct team *team, const struct job *job)
{
	for (size_t i = 0; model_providers[i].name; i++) {
		know_variable(known, model_providers[i].key_env);
	}
	for (size_t i = 0; i < team->secret_count; i++) {
		know_source(known, &team->secrets[i]);
	}
	for (size_t i = 0; i < team->provider_count; i++) {
		know_source(known, team->providers[i].api_key);
	}
	for (size_t i = 0; i < team->model_count; i++) {
		know_source(known, team->models[i].api_key);
	}
	for (size_t i = 0; i < team->manifest.token_count; i++) {
		know_source(known, team->manifest.tokens[i].secret);
	}
	for (size_t i = 0; job && i < job_secret_count(job); i++) {
		know(known, text_of(job_secret(job, i)));
	}
}

bool recorded(struct buffer *yaml, struct store *store, const struct store_run *run,
	const struct team *team, const struct job *job, struct error *error)
{
	struct known known = {0};
	know_all(&known, team, job);
	struct recording recording = {known.secrets, known.count};
	bool fine = recording_write(yaml, store, run, team, &recording, error);
	free(known.secrets);
	arena_finish(&known.arena);
	return fine;
}

bool recording_check(const char *path, struct error *error)
{
	arena_cleanup arena = {0};
	struct stat status;
	const char *shown = arguments_shown(&arena, path);
	const char *folder = path_folder(&arena, path);
	if (lstat(path, &status) == 0) {
		error_set(error, ERROR_USAGE, "'%s' is there already", shown);
		return error_hint(error, "name a new file for the rehearsal, or remove it");
	}
	if (errno != ENOENT || access(folder, W_OK) != 0) {
		return error_errno(error, ERROR_USAGE, "cannot write '%s'", shown);
	}
	return true;
}

bool recording_save(const char *path, const struct buffer *yaml, struct error *error)
{
	return recording_check(path, error) && file_replace(path, buffer_text(yaml), 0644, error);
}
