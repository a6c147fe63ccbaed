/* Ports, rest, and what was left behind. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/docker.h"

bool docker_expose_port(struct sandbox *sandbox, int port, struct buffer *url, struct error *error)
{
	struct docker *docker = (struct docker *)(void *)sandbox;
	char name[32];
	snprintf(name, sizeof(name), "%d/tcp", port);
	// The number changes with every start of the container.
	if (!docker_wake(docker, docker->container, error)) {
		return false;
	}
	json_cleanup *tree = docker_inspect(docker, docker->container, error);
	if (!tree) {
		return false;
	}
	const cJSON *network = cJSON_GetObjectItemCaseSensitive(tree, "NetworkSettings");
	const cJSON *ports = cJSON_GetObjectItemCaseSensitive(network, "Ports");
	const cJSON *place = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(ports, name), 0);
	const char *number = json_string(place, "HostPort", "");
	if (!number[0]) {
		error_set(error, ERROR_FAILED, "port %d of the sandbox is not published", port);
		return error_hint(error,
			"list it under sandbox.options.ports, with 'network: on', before the run "
			"starts");
	}
	buffer_printf(url, "http://127.0.0.1:%d", atoi(number));
	return true;
}

// A container lives until it is removed.
bool docker_keep_alive(struct sandbox *sandbox, int64_t duration, struct error *error)
{
	struct docker *docker = (struct docker *)(void *)sandbox;
	(void)duration;
	return docker_wake(docker, docker->container, error);
}

static bool pause_container(const struct docker *docker, const char *container, struct error *error)
{
	arena_cleanup arena = {0};
	struct engine_answer answer;
	struct engine_call call = {
		.method = "POST", .path = arena_printf(&arena, "/containers/%s/pause", container)};
	// 409: it rests already, or does not run.
	return engine_call(&docker->engine, &arena, &call, &answer, error) &&
		(answer.status == 204 || answer.status == 409 ||
			engine_refused(&arena, &answer, error, "pause the sandbox's container"));
}

bool docker_pause(struct sandbox *sandbox, struct error *error)
{
	struct docker *docker = (struct docker *)(void *)sandbox;
	pthread_mutex_lock(&docker->lock);
	docker_stream_close(&docker->files);
	const char *checker = docker->checker;
	pthread_mutex_unlock(&docker->lock);
	return pause_container(docker, docker->container, error) &&
		(!checker || pause_container(docker, checker, error));
}

bool docker_orphans(struct buffer *lines, struct error *error)
{
	arena_cleanup arena = {0};
	struct engine engine;
	struct engine_answer answer;
	buffer_cleanup path = {0};
	if (!engine_open(&engine, error)) {
		return false;
	}
	buffer_add_string(&path, "/containers/json?all=true&filters=");
	engine_add_escaped(&path, TEXT("{\"label\":[\"" DOCKER_LABEL "run\"]}"));
	struct engine_call call = {.method = "GET", .path = path.data};
	if (!engine_call(&engine, &arena, &call, &answer, error)) {
		return false;
	}
	if (answer.status != 200) {
		return engine_refused(&arena, &answer, error, "list containers");
	}
	json_cleanup *tree = json_parse(answer.body, error);
	const cJSON *container;
	cJSON_ArrayForEach(container, tree)
	{
		const cJSON *labels = cJSON_GetObjectItemCaseSensitive(container, "Labels");
		const char *name = json_string(labels, DOCKER_LABEL "session", "");
		const cJSON *names = cJSON_GetObjectItemCaseSensitive(container, "Names");
		const cJSON *first = cJSON_GetArrayItem(names, 0);
		const char *folder = json_string(labels, DOCKER_LABEL "folder", "");
		// One line for the session, its main container's. What belongs to a run has a folder.
		if (!cJSON_IsString(first) || strcmp(first->valuestring + 1, name) != 0 ||
			access(folder, F_OK) == 0 || errno != ENOENT) {
			continue;
		}
		buffer_add_string(lines, "{\"run\":");
		buffer_add_json(lines, text_of(json_string(labels, DOCKER_LABEL "run", "")));
		buffer_add_string(lines, ",\"folder\":");
		buffer_add_json(lines, text_of(folder));
		buffer_add_string(lines, ",\"state\":{\"provider\":\"docker\",\"name\":");
		buffer_add_json(lines, text_of(name));
		buffer_add_string(lines, "}}\n");
	}
	return tree != NULL;
}
