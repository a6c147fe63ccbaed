#include "sandbox/docker.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void finish(struct docker *docker)
{
	docker_stream_close(&docker->files);
	for (char **variable = docker->environment; variable && *variable; variable++) {
		free(*variable);
	}
	free(docker->environment);
	docker_options_finish(&docker->options);
	pthread_mutex_destroy(&docker->lock);
	free(docker->run);
	free(docker->folder);
	free(docker->name);
	free(docker->container);
	free(docker->image);
	free(docker->user);
	free(docker->checker);
	free(docker);
}

static struct docker *make(const struct sandbox_settings *settings, struct error *error)
{
	struct docker *docker = memory_alloc(sizeof(*docker));
	docker->session.driver = &sandbox_docker;
	docker->files.fd = -1;
	docker->run = memory_string(settings->run ? settings->run : "none");
	docker->folder = memory_string(settings->folder ? settings->folder : "");
	docker->progress = settings->progress;
	docker->progress_data = settings->progress_data;
	pthread_mutex_init(&docker->lock, NULL);
	if (!engine_open(&docker->engine, error) ||
		!docker_options_read(&docker->options, &docker->engine, settings, error)) {
		finish(docker);
		return NULL;
	}
	return docker;
}

// Letters, digits and "-" only: it stands in paths of the API.
static char *new_name(const char *run)
{
	unsigned char random[6];
	char name[128];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		memory_exhausted();
	}
	int length = snprintf(name, sizeof(name), "muster-%.64s-", run);
	for (int i = 0; i < length; i++) {
		name[i] = (char)(isalnum((unsigned char)name[i]) ? name[i] : '-');
	}
	for (size_t i = 0; i < sizeof(random); i++) {
		snprintf(name + length + 2 * i, 3, "%02x", random[i]);
	}
	return memory_string(name);
}

static bool is_name(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	return name[0] && name[strspn(name, allowed)] == '\0';
}

static bool sets(char *const *environment, size_t count, const char *variable)
{
	size_t name = strcspn(variable, "=") + 1;
	for (size_t i = 0; i < count; i++) {
		if (strncmp(environment[i], variable, name) == 0) {
			return true;
		}
	}
	return false;
}

// The settings' count most, then what is true in every workspace, then what the image says.
static void set_environment(
	struct docker *docker, const struct sandbox_settings *settings, const cJSON *image)
{
	static const char *const own[] = {"HOME=" GUEST_WORKSPACE, "TMPDIR=/tmp", "LANG=C.UTF-8"};
	static const char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	enum { OWN = sizeof(own) / sizeof(own[0]) };
	const cJSON *config = cJSON_GetObjectItemCaseSensitive(image, "Config");
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(config, "Env");
	const char *const *given = settings->environment;
	size_t count = 0, most = OWN + 2 + (size_t)cJSON_GetArraySize(list);
	for (size_t i = 0; given && given[i]; i++) {
		most++;
	}
	char **all = memory_alloc(most * sizeof(*all));
	for (size_t i = 0; given && given[i]; i++) {
		all[count++] = memory_string(given[i]);
	}
	for (size_t i = 0; i < OWN; i++) {
		if (!sets(all, count, own[i])) {
			all[count++] = memory_string(own[i]);
		}
	}
	const cJSON *item;
	cJSON_ArrayForEach(item, list)
	{
		if (cJSON_IsString(item) && strchr(item->valuestring, '=') &&
			!sets(all, count, item->valuestring)) {
			all[count++] = memory_string(item->valuestring);
		}
	}
	if (!sets(all, count, path)) {
		all[count++] = memory_string(path);
	}
	docker->environment = all;
}

// Whom commands are, as numbers: those of a name are the image's secret until a guest tells.
static bool find_user(struct docker *docker, struct error *error)
{
	static const char *const mode[] = {"who", NULL};
	struct docker_stream stream;
	char numbers[32];
	if (!docker_stream_open(
		    docker, docker->container, docker->options.user, mode, &stream, error)) {
		return false;
	}
	snprintf(numbers, sizeof(numbers), "%u:%u", stream.user, stream.group);
	bool root = stream.user == 0;
	docker_stream_close(&stream);
	docker->user = memory_string(numbers);
	return !root ||
		error_set(error, ERROR_USAGE,
			"options of sandbox 'docker': commands cannot run as root");
}

static bool begin(
	struct docker *docker, const struct sandbox_settings *settings, struct error *error)
{
	json_cleanup *image = docker_image_get(docker, error);
	if (!image) {
		return false;
	}
	docker->image = memory_string(json_string(image, "Id", docker->options.image));
	set_environment(docker, settings, image);
	if (!docker_create_volumes(docker, error)) {
		return false;
	}
	docker->container = docker_create_container(docker, "", error);
	return docker->container && docker_wake(docker, docker->container, error) &&
		find_user(docker, error) && docker_files_check(docker, error);
}

static struct sandbox *create(const struct sandbox_settings *settings, struct error *error)
{
	struct docker *docker = make(settings, error);
	if (!docker) {
		return NULL;
	}
	docker->name = new_name(docker->run);
	if (!begin(docker, settings, error)) {
		struct error ignored = {0}; // what went wrong first is told
		docker_remove_all(docker, &ignored);
		finish(docker);
		return NULL;
	}
	return (struct sandbox *)(void *)docker;
}

static bool take_up(
	struct docker *docker, const struct sandbox_settings *settings, struct error *error)
{
	json_cleanup *container = docker_inspect(docker, docker->name, error);
	if (!container) {
		return false;
	}
	docker->container = memory_string(json_string(container, "Id", docker->name));
	docker->image = memory_string(json_string(container, "Image", ""));
	set_environment(docker, settings, container);
	return docker_wake(docker, docker->container, error) && find_user(docker, error) &&
		docker_files_check(docker, error);
}

// The name that a state holds, in the arena; NULL on error.
static const char *name_of(struct arena *arena, struct text state, struct error *error)
{
	json_cleanup *tree = json_parse(state, error);
	const char *name = tree ? json_string(tree, "name", "") : "";
	if (!tree || !is_name(name)) {
		error_set(error, ERROR_FAILED, "the state of the Docker sandbox cannot be read");
		return NULL;
	}
	return arena_string(arena, name);
}

static struct sandbox *attach(
	const struct sandbox_settings *settings, struct text state, struct error *error)
{
	arena_cleanup arena = {0};
	const char *name = name_of(&arena, state, error);
	struct docker *docker = name ? make(settings, error) : NULL;
	if (!docker) {
		return NULL;
	}
	docker->name = memory_string(name);
	if (!take_up(docker, settings, error)) {
		finish(docker);
		return NULL;
	}
	return (struct sandbox *)(void *)docker;
}

static void state(struct sandbox *sandbox, struct buffer *json)
{
	const struct docker *docker = (struct docker *)(void *)sandbox;
	buffer_add_string(json, "{\"provider\":\"docker\",\"name\":");
	buffer_add_json(json, text_of(docker->name));
	buffer_add_char(json, '}');
}

static void detach(struct sandbox *sandbox)
{
	finish((struct docker *)(void *)sandbox);
}

static bool destroy(struct sandbox *sandbox, struct error *error)
{
	struct docker *docker = (struct docker *)(void *)sandbox;
	docker_stream_close(&docker->files);
	bool fine = docker_remove_all(docker, error);
	finish(docker);
	return fine;
}

static bool discard(struct text state, struct error *error)
{
	arena_cleanup arena = {0};
	const char *name = name_of(&arena, state, error);
	struct docker docker = {.name = (char *)(uintptr_t)name};
	return name && engine_open(&docker.engine, error) && docker_remove_all(&docker, error);
}

static bool usable(struct error *error)
{
	struct engine engine;
	return engine_open(&engine, error);
}

static void notes(struct buffer *lines)
{
	struct engine engine;
	struct error ignored = {0};
	if (engine_open(&engine, &ignored)) {
		buffer_printf(lines, "The engine is %s, with API %s, at %s.\n", engine.server,
			engine.version, engine.socket);
	}
}

const struct sandbox_driver sandbox_docker = {
	.name = "docker",
	.help = "containers of a Docker engine (or podman) on this machine",
	.flags = SANDBOX_READ_ONLY_COMMANDS | SANDBOX_NETWORK_OFF | SANDBOX_PROCESS |
		SANDBOX_TERMINAL | SANDBOX_SCAN | SANDBOX_PORTS | SANDBOX_PAUSE,
	.options = docker_option_keys,
	.usable = usable,
	.notes = notes,
	.create = create,
	.attach = attach,
	.state = state,
	.detach = detach,
	.destroy = destroy,
	.exec = docker_exec,
	.open_process = docker_open_process,
	.process_write = docker_process_write,
	.process_read = docker_process_read,
	.process_resize = docker_process_resize,
	.process_close = docker_process_close,
	.read = docker_read,
	.write = docker_write,
	.stat = docker_stat,
	.scan = docker_scan,
	.make_folder = docker_make_folder,
	.remove = docker_remove,
	.expose_port = docker_expose_port,
	.keep_alive = docker_keep_alive,
	.pause = docker_pause,
	.discard = discard,
	.orphans = docker_orphans,
};
