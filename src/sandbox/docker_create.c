/* Containers and volumes of a session: made, woken, looked at and removed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/image.h"
#include "sandbox/docker.h"
#include "sandbox/tar.h"

enum { GUEST_MODE = 0755 };

static bool call_json(const struct docker *docker, struct arena *arena, const char *method,
	const char *path, struct text body, struct engine_answer *answer, struct error *error)
{
	struct engine_call call = {.method = method, .path = path, .body = body};
	return engine_call(&docker->engine, arena, &call, answer, error);
}

static void add_labels(struct buffer *json, const struct docker *docker)
{
	buffer_add_string(json, "\"Labels\":{\"" DOCKER_LABEL "run\":");
	buffer_add_json(json, text_of(docker->run));
	buffer_add_string(json, ",\"" DOCKER_LABEL "folder\":");
	buffer_add_json(json, text_of(docker->folder));
	buffer_add_string(json, ",\"" DOCKER_LABEL "session\":");
	buffer_add_json(json, text_of(docker->name));
	buffer_add_char(json, '}');
}

static void add_volume(struct buffer *json, const struct docker *docker, const char *ending,
	const char *target, bool read_only, bool filled)
{
	buffer_printf(json,
		"{\"Type\":\"volume\",\"Source\":\"%s%s\",\"Target\":\"%s\",\"ReadOnly\":%s,"
		"\"VolumeOptions\":{\"NoCopy\":%s}}",
		docker->name, ending, target, read_only ? "true" : "false",
		filled ? "false" : "true");
}

static void add_mounts(struct buffer *json, const struct docker *docker, bool read_only)
{
	const cJSON *mount;
	buffer_add_string(json, ",\"Mounts\":[");
	// An empty volume is filled with what the image has at its place.
	add_volume(json, docker, "", GUEST_WORKSPACE, read_only, docker->restored && !read_only);
	buffer_add_char(json, ',');
	add_volume(json, docker, "-guest", DOCKER_GUEST, true, false);
	cJSON_ArrayForEach(mount, docker->options.mounts)
	{
		buffer_add_string(json, ",{\"Type\":\"bind\",\"Source\":");
		buffer_add_json(json, text_of(json_string(mount, "source", "")));
		buffer_add_string(json, ",\"Target\":");
		buffer_add_json(json, text_of(json_string(mount, "target", "")));
		buffer_printf(json,
			",\"ReadOnly\":%s,\"BindOptions\":{\"Propagation\":\"rprivate\"}}",
			!read_only && json_boolean(mount, "writable", false) ? "false" : "true");
	}
	buffer_add_char(json, ']');
}

static int port_of(const cJSON *port)
{
	return cJSON_IsString(port) ? atoi(port->valuestring) : (int)port->valuedouble;
}

// `bound`: where they are reached, else that they are there.
static void add_ports(struct buffer *json, const struct docker *docker, bool bound)
{
	const cJSON *port;
	const char *separator = "";
	buffer_printf(json, ",\"%s\":{", bound ? "PortBindings" : "ExposedPorts");
	cJSON_ArrayForEach(port, docker->options.ports)
	{
		buffer_printf(json, "%s\"%d/tcp\":%s", separator, port_of(port),
			bound ? "[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"\"}]" : "{}");
		separator = ",";
	}
	buffer_add_char(json, '}');
}

static void add_limits(struct buffer *json, const struct docker_options *options)
{
	buffer_printf(json,
		"\"Memory\":%lld,\"MemorySwap\":%lld,\"PidsLimit\":%lld,\"NanoCpus\":%lld,"
		"\"ShmSize\":67108864,\"Ulimits\":[{\"Name\":\"core\",\"Soft\":0,\"Hard\":0}]",
		(long long)options->memory, (long long)options->memory,
		(long long)options->processes, (long long)(options->cpu * 1e9));
	buffer_printf(json, ",\"Tmpfs\":{\"/tmp\":\"rw,exec,nosuid,nodev,mode=1777,size=%lld\"}",
		(long long)options->temporary);
}

// All that the walls consist of is asked for here and looked at again by check_container().
static void add_walls(struct buffer *json, const struct docker *docker, bool network)
{
	const struct docker_options *options = &docker->options;
	buffer_printf(json,
		",\"NetworkMode\":\"%s\",\"ReadonlyRootfs\":%s,\"Privileged\":false,"
		"\"CapDrop\":[\"ALL\"],\"CapAdd\":[\"CHOWN\",\"DAC_OVERRIDE\",\"FOWNER\"],"
		"\"SecurityOpt\":[\"no-new-privileges\"],\"IpcMode\":\"private\","
		"\"CgroupnsMode\":\"private\",\"Init\":false,\"OomScoreAdj\":500,"
		"\"RestartPolicy\":{\"Name\":\"no\"},\"LogConfig\":{\"Type\":\"none\"}",
		network ? "bridge" : "none", options->writable ? "false" : "true");
}

char *docker_create_container(const struct docker *docker, const char *ending, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup json = {0};
	struct engine_answer answer;
	bool checker = ending[0] != '\0';
	// Only where the first process is root's a guest that looks after files gets the rights for it.
	buffer_add_string(&json, "{\"Image\":");
	buffer_add_json(&json, text_of(docker->image));
	buffer_printf(&json,
		",\"Entrypoint\":[\"" DOCKER_GUEST "/guest\"],\"Cmd\":[\"init\"],"
		"\"User\":\"0:0\",\"WorkingDir\":\"/\",\"Tty\":false,\"OpenStdin\":false,"
		"\"StopSignal\":\"SIGKILL\",\"Healthcheck\":{\"Test\":[\"NONE\"]},");
	add_labels(&json, docker);
	bool network = docker->options.network;
	if (network && !checker) {
		add_ports(&json, docker, false);
	}
	buffer_add_string(&json, ",\"HostConfig\":{");
	add_limits(&json, &docker->options);
	add_walls(&json, docker, network);
	add_mounts(&json, docker, checker);
	if (network && !checker) {
		add_ports(&json, docker, true);
	}
	buffer_add_string(&json, "}}");
	const char *path =
		arena_printf(&arena, "/containers/create?name=%s%s", docker->name, ending);
	if (!call_json(docker, &arena, "POST", path, buffer_text(&json), &answer, error)) {
		return NULL;
	}
	json_cleanup *tree = answer.status == 201 ? json_parse(answer.body, error) : NULL;
	const char *id = tree ? json_string(tree, "Id", NULL) : NULL;
	if (!id) {
		engine_refused(&arena, &answer, error, "make a container of image '%s'",
			docker->options.image);
		return NULL;
	}
	return memory_string(id);
}

static bool make_volume(const struct docker *docker, const char *ending, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup json = {0};
	struct engine_answer answer;
	buffer_printf(&json, "{\"Name\":\"%s%s\",", docker->name, ending);
	add_labels(&json, docker);
	buffer_add_char(&json, '}');
	return call_json(docker, &arena, "POST", "/volumes/create", buffer_text(&json), &answer,
		       error) &&
		(answer.status == 201 || engine_refused(&arena, &answer, error, "make a volume"));
}

// The guest as an archive: one file, owned by root.
static void add_guest(struct buffer *tar)
{
	char head[TAR_BLOCK] = "guest";
	size_t size = (size_t)(guest_image_end - guest_image);
	unsigned sum = 0;
	snprintf(head + 100, 8, "%07o", GUEST_MODE);
	snprintf(head + 108, 8, "%07o", 0);
	snprintf(head + 116, 8, "%07o", 0);
	snprintf(head + 124, 12, "%011zo", size);
	snprintf(head + 136, 12, "%011o", 0);
	memset(head + 148, ' ', 8);
	head[156] = TAR_FILE;
	memcpy(head + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(head); i++) {
		sum += (unsigned char)head[i];
	}
	snprintf(head + 148, 8, "%06o", sum);
	static const char zeros[2 * TAR_BLOCK];
	buffer_add(tar, head, sizeof(head));
	buffer_add(tar, guest_image, size);
	buffer_add(tar, zeros, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
	buffer_add(tar, zeros, sizeof(zeros));
}

// Archives reach volumes through a container; this one is never started.
static bool fill_guest_volume(const struct docker *docker, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup json = {0};
	buffer_cleanup tar = {0};
	struct engine_answer answer;
	const char *shelf = arena_printf(&arena, "%s-shelf", docker->name);
	buffer_add_string(&json, "{\"Image\":");
	buffer_add_json(&json, text_of(docker->image));
	buffer_add_string(&json, ",\"Cmd\":[\"none\"],\"NetworkDisabled\":true,");
	add_labels(&json, docker);
	buffer_add_string(&json, ",\"HostConfig\":{\"NetworkMode\":\"none\",\"Mounts\":[");
	add_volume(&json, docker, "-guest", DOCKER_GUEST, false, false);
	buffer_add_string(&json, "]}}");
	if (!call_json(docker, &arena, "POST",
		    arena_printf(&arena, "/containers/create?name=%s", shelf), buffer_text(&json),
		    &answer, error)) {
		return false;
	}
	if (answer.status != 201) {
		return engine_refused(&arena, &answer, error, "make a container of image '%s'",
			docker->options.image);
	}
	add_guest(&tar);
	struct engine_call call = {.method = "PUT",
		.path = arena_printf(&arena, "/containers/%s/archive?path=" DOCKER_GUEST, shelf),
		.body = buffer_text(&tar),
		.type = "application/x-tar"};
	bool fine = engine_call(&docker->engine, &arena, &call, &answer, error) &&
		(answer.status == 200 ||
			engine_refused(&arena, &answer, error, "take muster's guest"));
	struct error problem = {0};
	bool removed = docker_remove_container(docker, shelf, &problem);
	if (fine && !removed) {
		*error = problem;
	}
	return fine && removed;
}

bool docker_create_volumes(const struct docker *docker, struct error *error)
{
	return make_volume(docker, "", error) && make_volume(docker, "-guest", error) &&
		fill_guest_volume(docker, error);
}

cJSON *docker_inspect(const struct docker *docker, const char *container, struct error *error)
{
	arena_cleanup arena = {0};
	struct engine_answer answer;
	const char *path = arena_printf(&arena, "/containers/%s/json", container);
	if (!call_json(docker, &arena, "GET", path, TEXT(""), &answer, error)) {
		return NULL;
	}
	if (answer.status == 404) {
		error_set(error, ERROR_FAILED, "the container of run '%s' is gone", docker->run);
		return NULL;
	}
	if (answer.status != 200) {
		engine_refused(&arena, &answer, error, "look at the sandbox's container");
		return NULL;
	}
	return json_parse(answer.body, error);
}

static bool lists(const cJSON *array, const char *word)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, array)
	{
		if (cJSON_IsString(item) && strncmp(item->valuestring, word, strlen(word)) == 0) {
			return true;
		}
	}
	return false;
}

// An engine ignores what it does not know, without a word: what counts is what it made.
static bool check_container(
	const struct docker *docker, const cJSON *container, struct error *error)
{
	const struct docker_options *options = &docker->options;
	const cJSON *host = cJSON_GetObjectItemCaseSensitive(container, "HostConfig");
	const char *mode = json_string(host, "NetworkMode", "");
	const struct {
		bool fine;
		const char *what;
	} walls[] = {
		{host && !json_boolean(host, "Privileged", true), "it has all rights"},
		{lists(cJSON_GetObjectItemCaseSensitive(host, "SecurityOpt"), "no-new-privileges"),
			"programs could gain rights"},
		{docker->engine.podman ||
				lists(cJSON_GetObjectItemCaseSensitive(host, "CapDrop"), "ALL"),
			"capabilities were not dropped"},
		{options->writable || json_boolean(host, "ReadonlyRootfs", false),
			"its image can be written to"},
		{options->network ? strcmp(mode, "host") != 0 : strcmp(mode, "none") == 0,
			"its network is not as asked"},
		{json_number(host, "Memory", 0) == (double)options->memory,
			"its memory is not limited as asked"},
		{json_number(host, "PidsLimit", 0) == (double)options->processes,
			"its processes are not limited as asked"},
	};
	for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
		if (!walls[i].fine) {
			error_set(error, ERROR_UNAVAILABLE,
				"the container is not walled off as asked: %s", walls[i].what);
			return error_hint(error, "use another engine, or another sandbox");
		}
	}
	return true;
}

bool docker_wake(const struct docker *docker, const char *container, struct error *error)
{
	arena_cleanup arena = {0};
	struct engine_answer answer;
	json_cleanup *tree = docker_inspect(docker, container, error);
	const cJSON *state = tree ? cJSON_GetObjectItemCaseSensitive(tree, "State") : NULL;
	if (!tree || !check_container(docker, tree, error)) {
		return false;
	}
	bool paused = json_boolean(state, "Paused", false);
	if (json_boolean(state, "Running", false) && !paused) {
		return true;
	}
	const char *path =
		arena_printf(&arena, "/containers/%s/%s", container, paused ? "unpause" : "start");
	// 304: it ran already.
	return call_json(docker, &arena, "POST", path, TEXT(""), &answer, error) &&
		(answer.status == 204 || answer.status == 304 ||
			engine_refused(&arena, &answer, error, "start the sandbox's container"));
}

const char *docker_checker(struct docker *docker, struct error *error)
{
	pthread_mutex_lock(&docker->lock);
	if (!docker->checker) {
		arena_cleanup arena = {0};
		struct error ignored = {0};
		const char *name = arena_printf(&arena, "%s-checker", docker->name);
		json_cleanup *tree = docker_inspect(docker, name, &ignored);
		char *id = tree ? memory_string(json_string(tree, "Id", name))
				: docker_create_container(docker, "-checker", error);
		if (id && !docker_wake(docker, id, error)) {
			free(id);
			id = NULL;
		}
		docker->checker = id;
	}
	const char *checker = docker->checker;
	pthread_mutex_unlock(&docker->lock);
	return checker;
}

static bool remove_thing(
	const struct docker *docker, const char *path, const char *what, struct error *error)
{
	arena_cleanup arena = {0};
	struct engine_answer answer;
	if (!call_json(docker, &arena, "DELETE", path, TEXT(""), &answer, error)) {
		return false;
	}
	// 409: somebody else removes it already.
	bool gone = answer.status == 204 || answer.status == 200 || answer.status == 404 ||
		(answer.status == 409 && strstr(answer.body.data, "already in progress"));
	return gone || engine_refused(&arena, &answer, error, "remove %s", what);
}

bool docker_remove_container(const struct docker *docker, const char *name, struct error *error)
{
	arena_cleanup arena = {0};
	return remove_thing(docker, arena_printf(&arena, "/containers/%s?force=true&v=true", name),
		"the sandbox's container", error);
}

// As much as can be; the first reason is told.
bool docker_remove_all(const struct docker *docker, struct error *error)
{
	static const char *const containers[] = {"", "-checker", "-shelf"};
	static const char *const volumes[] = {"", "-guest"};
	arena_cleanup arena = {0};
	bool fine = true;
	for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++) {
		struct error problem = {0};
		const char *name = arena_printf(&arena, "%s%s", docker->name, containers[i]);
		if (!docker_remove_container(docker, name, &problem) && fine) {
			*error = problem;
			fine = false;
		}
	}
	for (size_t i = 0; i < sizeof(volumes) / sizeof(volumes[0]); i++) {
		struct error problem = {0};
		const char *path = arena_printf(&arena, "/volumes/%s%s", docker->name, volumes[i]);
		if (!remove_thing(docker, path, "the sandbox's volume", &problem) && fine) {
			*error = problem;
			fine = false;
		}
	}
	return fine;
}
