#include "engine/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"

enum { SECRET_SAID = 200 /* bytes of what a failing command says */ };

// A secret that was read. `source` is where it comes from, as one text.
struct known {
	struct known *next;
	char *source, *value;
};

struct secrets {
	const atomic_bool *cancel;
	struct known *known;
};

struct secrets *secrets_create(const atomic_bool *cancel)
{
	struct secrets *secrets = memory_alloc(sizeof(*secrets));
	secrets->cancel = cancel;
	return secrets;
}

void secrets_destroy(struct secrets *secrets)
{
	while (secrets && secrets->known) {
		struct known *next = secrets->known->next;
		free(secrets->known->value);
		free(secrets->known->source);
		free(secrets->known);
		secrets->known = next;
	}
	free(secrets);
}

static void add_source(struct buffer *source, const struct team_secret *secret)
{
	buffer_printf(source, "%s %s",
		secret->env            ? "env"
			: secret->file ? "file"
				       : "command",
		secret->env            ? secret->env
			: secret->file ? secret->file
				       : "");
	for (size_t i = 0; i < secret->command.count; i++) {
		buffer_add_json(source, text_of(secret->command.items[i]));
	}
}

static const char *shown(struct arena *arena, const char *name)
{
	buffer_cleanup line = {0};
	buffer_add_line(&line, text_of(name), 120);
	return arena_copy(arena, line.data ? line.data : "", line.length);
}

static bool read_variable(struct arena *arena, const struct team_secret *secret, const char *whose,
	struct text *value, struct error *error)
{
	const char *name = shown(arena, secret->env);
	const char *found = getenv(secret->env);
	if (found && found[0]) {
		*value = text_of(found);
		return true;
	}
	error_set(error, ERROR_UNAVAILABLE, "%s needs a key, and %s is not set", whose, name);
	return error_hint(
		error, "export %s=..., or run with --rehearse FILE to play recorded answers", name);
}

static bool read_from_file(struct arena *arena, const struct team_secret *secret, const char *whose,
	struct text *value, struct error *error)
{
	struct stat status;
	const char *name = shown(arena, secret->file);
	if (stat(secret->file, &status) != 0) {
		return error_errno(
			error, ERROR_UNAVAILABLE, "%s needs a key from '%s'", whose, name);
	}
	if (!S_ISREG(status.st_mode)) { // a pipe could be waited for without an end
		return error_set(error, ERROR_UNAVAILABLE,
			"%s needs a key from '%s', which is no file", whose, name);
	}
	if (!file_read(arena, secret->file, SECRET_LIMIT, value, error)) {
		error->kind = ERROR_UNAVAILABLE;
		return error_wrap(error, "%s needs a key", whose);
	}
	return true;
}

static bool judge_command(struct arena *arena, const struct process_result *result,
	const char *whose, const char *name, struct error *error)
{
	if (result->timed_out) {
		error_set(error, ERROR_UNAVAILABLE,
			"%s needs a key, and '%s' has not printed it within %d seconds", whose,
			name, SECRET_TIMEOUT / 1000);
		return error_hint(error, "it can ask nothing: try whether it works without input");
	}
	if (result->status != 0) {
		struct text said = text_cut(text_trim(result->err), SECRET_SAID);
		const char *why = shown(arena, text_string(arena, said));
		return error_set(error, ERROR_UNAVAILABLE,
			"%s needs a key, and '%s' ended with exit code %d%s%s", whose, name,
			result->status, why[0] ? ": " : "", why);
	}
	return result->out_bytes <= SECRET_LIMIT ||
		error_set(error, ERROR_UNAVAILABLE,
			"%s needs a key, and '%s' printed more than %d bytes", whose, name,
			SECRET_LIMIT);
}

static bool read_from_command(struct secrets *secrets, struct arena *arena,
	const struct team_secret *secret, const char *whose, struct text *value,
	struct error *error)
{
	// Named by its program: there may be a secret in the rest of the line.
	bool shell = secret->command.count == 3 && strcmp(secret->command.items[0], "/bin/sh") == 0;
	const char *line = secret->command.items[shell ? 2 : 0];
	size_t length = shell ? strcspn(line, " \t\n;|&=") : strlen(line);
	const char *name = shown(arena, arena_copy(arena, line, length));
	struct process process = {.argv = secret->command.items,
		.environment = (const char *const *)environ,
		.timeout = SECRET_TIMEOUT,
		.output_limit = 2 * SECRET_LIMIT + 2,
		.cancel = secrets->cancel};
	struct process_result result;
	bool ran = process_run(arena, &process, &result, error);
	if (secrets->cancel && atomic_load(secrets->cancel)) { // however it ended
		return error_set(
			error, ERROR_INTERRUPTED, "interrupted while '%s' looked for a key", name);
	}
	if (!ran) {
		error->kind = ERROR_UNAVAILABLE;
		return error_wrap(error, "%s needs a key from a command", whose);
	}
	*value = result.out;
	return judge_command(arena, &result, whose, name, error);
}

static bool check_value(
	struct text *value, const char *whose, const char *source, struct error *error)
{
	while (value->length && strchr("\r\n", value->data[value->length - 1])) {
		value->length--;
	}
	if (!value->length) {
		return error_set(error, ERROR_UNAVAILABLE,
			"%s needs a key, and what its %s gives is empty", whose, source);
	}
	if (value->length > SECRET_LIMIT || memchr(value->data, '\0', value->length)) {
		return error_set(error, ERROR_UNAVAILABLE,
			"%s needs a key, and what its %s gives is none", whose, source);
	}
	return true;
}

const char *secrets_read(struct secrets *secrets, const struct team_secret *secret,
	const char *whose, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup source = {0};
	struct text value = {0};
	const char *kind = secret->env ? "variable" : secret->file ? "file" : "command";
	add_source(&source, secret);
	for (struct known *known = secrets->known; known; known = known->next) {
		if (strcmp(known->source, source.data) == 0) {
			return known->value;
		}
	}
	bool found = secret->env ? read_variable(&arena, secret, whose, &value, error)
		: secret->file   ? read_from_file(&arena, secret, whose, &value, error)
				 : read_from_command(secrets, &arena, secret, whose, &value, error);
	if (!found || !check_value(&value, whose, kind, error)) {
		return NULL;
	}
	struct known *known = memory_alloc(sizeof(*known));
	known->next = secrets->known;
	known->source = buffer_steal(&source);
	known->value = memory_string(text_string(&arena, value));
	secrets->known = known;
	return known->value;
}
