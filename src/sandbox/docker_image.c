/* Images: found, or fetched. */
#include <stdio.h>
#include <string.h>

#include "sandbox/docker.h"

enum { PULL_TIMEOUT = 10 * 60 * 1000, LINE_MOST = 64 * 1024 };

// "name:tag" or "name@digest" apart; a name without either means "latest".
static void split(const char *image, struct text *name, struct text *tag)
{
	const char *at = strchr(image, '@'), *slash = strrchr(image, '/');
	const char *colon = strchr(slash ? slash : image, ':');
	const char *end = at ? at : colon;
	*name = end ? (struct text){image, (size_t)(end - image)} : text_of(image);
	*tag = end ? text_of(end + 1) : TEXT("latest");
}

static cJSON *inspect(
	const struct docker *docker, const char *image, bool *missing, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup path = {0};
	struct engine_answer answer;
	buffer_add_string(&path, "/images/");
	engine_add_escaped(&path, text_of(image));
	buffer_add_string(&path, "/json");
	struct engine_call call = {.method = "GET", .path = path.data};
	*missing = false;
	if (!engine_call(&docker->engine, &arena, &call, &answer, error)) {
		return NULL;
	}
	*missing = answer.status == 404;
	if (answer.status != 200) {
		engine_refused(&arena, &answer, error, "look at image '%s'", image);
		return NULL;
	}
	return json_parse(answer.body, error);
}

// An engine tells how a pull goes, and that it failed, in lines of JSON.
struct pull {
	const struct docker *docker;
	struct buffer line;
	char problem[512];
	int64_t said; // when we last said how it goes
};

static void take_line(struct pull *pull)
{
	struct error ignored = {0};
	json_cleanup *tree = json_parse(buffer_text(&pull->line), &ignored);
	const char *problem = tree ? json_string(tree, "error", NULL) : NULL;
	buffer_clear(&pull->line);
	if (problem) {
		buffer_cleanup shown = {0};
		buffer_add_line(&shown, text_of(problem), sizeof(pull->problem) - 1);
		snprintf(pull->problem, sizeof(pull->problem), "%s", shown.data);
	}
	void (*progress)(void *, const char *) = pull->docker->progress;
	const char *status = tree ? json_string(tree, "status", NULL) : NULL;
	if (!status || !progress || docker_now() - pull->said < 1000) {
		return;
	}
	buffer_cleanup line = {0};
	const char *layer = json_string(tree, "id", NULL),
		   *how = json_string(tree, "progress", NULL);
	buffer_printf(&line, "image %s: ", pull->docker->options.image);
	buffer_add_line(&line, text_of(status), 200);
	if (layer) {
		buffer_add_char(&line, ' ');
		buffer_add_line(&line, text_of(layer), 80);
	}
	if (how) {
		buffer_add_char(&line, ' ');
		buffer_add_line(&line, text_of(how), 100);
	}
	pull->said = docker_now();
	progress(pull->docker->progress_data, line.data);
}

static bool take_bytes(void *data, struct text bytes)
{
	struct pull *pull = data;
	for (size_t i = 0; i < bytes.length; i++) {
		if (bytes.data[i] == '\n') {
			take_line(pull);
		} else if (pull->line.length < LINE_MOST) {
			buffer_add_char(&pull->line, bytes.data[i]);
		}
	}
	return true;
}

static bool fetch(const struct docker *docker, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup path = {0};
	struct engine_answer answer;
	struct text name, tag;
	struct pull pull = {.docker = docker};
	split(docker->options.image, &name, &tag);
	buffer_add_string(&path, "/images/create?fromImage=");
	engine_add_escaped(&path, name);
	buffer_add_string(&path, "&tag=");
	engine_add_escaped(&path, tag);
	struct engine_call call = {.method = "POST",
		.path = path.data,
		.chunk = take_bytes,
		.data = &pull,
		.timeout = PULL_TIMEOUT};
	bool fine = engine_call(&docker->engine, &arena, &call, &answer, error);
	buffer_finish(&pull.line);
	if (fine && (answer.status != 200 || pull.problem[0])) {
		const char *why = pull.problem[0] ? pull.problem : engine_message(&arena, &answer);
		error_set(error, ERROR_UNAVAILABLE, "image '%s' cannot be fetched: %s",
			docker->options.image, why);
		fine = error_hint(error,
			"check its name under sandbox.options.image, and the network; or make it "
			"here: "
			"docker pull %s",
			docker->options.image);
	}
	return fine;
}

cJSON *docker_image_get(const struct docker *docker, struct error *error)
{
	const struct docker_options *options = &docker->options;
	bool missing;
	if (strcmp(options->pull, "always") == 0 && !fetch(docker, error)) {
		return NULL;
	}
	cJSON *image = inspect(docker, options->image, &missing, error);
	if (image || !missing) {
		return image;
	}
	if (strcmp(options->pull, "never") == 0) {
		error_set(error, ERROR_UNAVAILABLE, "image '%s' is missing", options->image);
		error_hint(error, "fetch it (docker pull %s), or leave out 'pull: never'",
			options->image);
		return NULL;
	}
	*error = (struct error){0};
	return fetch(docker, error) ? inspect(docker, options->image, &missing, error) : NULL;
}
