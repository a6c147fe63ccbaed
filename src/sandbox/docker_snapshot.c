/* Snapshots: images with a workspace in them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/docker.h"

static bool succeeds(const struct docker *docker, struct arena *arena,
	const struct engine_call *call, const char *what, struct engine_answer *answer,
	struct error *error)
{
	return engine_call(&docker->engine, arena, call, answer, error) &&
		((answer->status >= 200 && answer->status < 300) ||
			engine_refused(arena, answer, error, "%s", what));
}

static char *id_in(const struct engine_answer *answer, struct error *error)
{
	json_cleanup *tree = json_parse(answer->body, error);
	const char *id = tree ? json_string(tree, "Id", NULL) : NULL;
	if (!id) {
		error_set(error, ERROR_UNAVAILABLE, "the Docker engine does not say what it made");
	}
	return id ? memory_string(id) : NULL;
}

// A new image of a container, to be freed.
static char *commit(const struct docker *docker, const char *container, struct error *error)
{
	arena_cleanup arena = {0};
	struct engine_answer answer;
	struct engine_call call = {.method = "POST",
		.path = arena_printf(&arena,
			"/commit?container=%s&pause=true&changes=LABEL%%20" DOCKER_LABEL
			"snapshot%%3D1",
			container),
		.body = TEXT("{}")};
	return succeeds(docker, &arena, &call, "make an image", &answer, error)
		? id_in(&answer, error)
		: NULL;
}

static bool write_all(void *data, struct text bytes)
{
	int fd = *(const int *)data;
	while (bytes.length) {
		ssize_t count = write(fd, bytes.data, bytes.length);
		if (count < 0 && errno != EINTR) {
			return false;
		}
		bytes.data += count > 0 ? count : 0;
		bytes.length -= count > 0 ? (size_t)count : 0;
	}
	return true;
}

// By way of a file without a name: a workspace may be larger than memory.
static bool copy_workspace(const struct docker *docker, const char *shelf, struct error *error)
{
	arena_cleanup arena = {0};
	struct engine_answer answer;
	FILE *file = tmpfile();
	if (!file) {
		return error_errno(error, ERROR_UNAVAILABLE, "cannot make a file for the snapshot");
	}
	int fd = fileno(file);
	off_t end = 0;
	struct engine_call get = {.method = "GET",
		.path = arena_printf(
			&arena, "/containers/%s/archive?path=" GUEST_WORKSPACE, docker->container),
		.chunk = write_all,
		.data = &fd};
	struct engine_call put = {.method = "PUT",
		.path = arena_printf(&arena, "/containers/%s/archive?path=/&copyUIDGID=1", shelf),
		.type = "application/x-tar",
		.streams = true,
		.input = fd};
	bool fine = succeeds(docker, &arena, &get, "read the workspace", &answer, error);
	// An archive ends with two empty blocks: what is cut off is not taken for one.
	if (fine && ((end = lseek(fd, 0, SEEK_END)) < 1024 || lseek(fd, 0, SEEK_SET) != 0)) {
		fine = error_set(error, ERROR_UNAVAILABLE, "the workspace cannot be read whole");
	}
	fine = fine && succeeds(docker, &arena, &put, "copy the workspace", &answer, error);
	fclose(file);
	return fine;
}

// An image has no volumes in it: the workspace is copied into a container that never runs, which
// becomes the image. Where the image's files can be written to, what was changed there comes first.
bool docker_snapshot(struct sandbox *sandbox, struct buffer *reference, struct error *error)
{
	struct docker *docker = (struct docker *)(void *)sandbox;
	arena_cleanup arena = {0};
	struct engine_answer answer;
	struct error ignored = {0};
	buffer_cleanup json = {0};
	const char *shelf = arena_printf(&arena, "%s-shelf", docker->name);
	char *base = docker->options.writable ? commit(docker, docker->container, error)
					      : memory_string(docker->image);
	if (!base) {
		return false;
	}
	pthread_mutex_lock(&docker->lock);
	buffer_add_string(&json, "{\"Image\":");
	buffer_add_json(&json, text_of(base));
	buffer_add_string(&json, ",\"Cmd\":[\"none\"],\"HostConfig\":{\"NetworkMode\":\"none\"}}");
	struct engine_call create = {.method = "POST",
		.path = arena_printf(&arena, "/containers/create?name=%s", shelf),
		.body = buffer_text(&json)};
	docker_remove_container(docker, shelf, &ignored);
	char *id = succeeds(docker, &arena, &create, "make a container", &answer, error) &&
			copy_workspace(docker, shelf, error)
		? commit(docker, shelf, error)
		: NULL;
	docker_remove_container(docker, shelf, &ignored);
	pthread_mutex_unlock(&docker->lock);
	if (id) {
		buffer_add_string(reference, id);
	}
	bool fine = id != NULL;
	free(id);
	free(base);
	return fine;
}
