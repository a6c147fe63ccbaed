#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "sandbox/docker.h"

enum { DEFAULT_PROCESSES = 512, MEBIBYTE = 1024 * 1024 };

#define DEFAULT_MEMORY ((int64_t)2048 * MEBIBYTE)
#define DEFAULT_TEMPORARY ((int64_t)256 * MEBIBYTE)
#define DEFAULT_PROCESSORS 2.0

static const char default_image[] = "debian:bookworm-slim";
static const char default_user[] = "1000:1000";

static const char *const pulls[] = {"missing", "always", "never", NULL};

static const struct key mount_keys[] = {
	{"source", KEY_STRING, "The folder or file of this machine, an absolute path.",
		.required = true},
	{"target", KEY_STRING, "Where it is in the sandbox, an absolute path.", .required = true},
	{"writable", KEY_BOOLEAN, "Whether commands may change it; false if not given."}, {NULL}};

const struct key docker_option_keys[] = {
	{"image", KEY_STRING, "The image that commands run in; default debian:bookworm-slim."},
	{"pull", KEY_CHOICE,
		"When the image is fetched from its registry: 'missing' (the default), 'always' or "
		"'never'.",
		.choices = pulls},
	{"user", KEY_STRING,
		"Whom commands are in the container: numbers like 1000:1000 (the default), or a "
		"user of the image."},
	{"writable", KEY_BOOLEAN,
		"Whether files of the image outside the workspace can be written to, by whom they "
		"belong to; false if not given."},
	{"temporary", KEY_SIZE, "The size of /tmp, which is memory; default 256 MiB.",
		.minimum = 1},
	{"ports", KEY_STRINGS, "Ports of the sandbox that this machine can reach."},
	{"mounts", KEY_TABLES, "Folders of this machine that the sandbox sees.",
		.keys = mount_keys},
	{NULL}};

static bool bad(struct error *error, const char *name, const char *what)
{
	return error_set(
		error, ERROR_USAGE, "options of sandbox 'docker': '%s' is not %s", name, what);
}

static bool read_size(const cJSON *tree, const char *name, int64_t *size, struct error *error)
{
	const char *written = json_string(tree, name, NULL);
	double number = json_number(tree, name, (double)*size);
	if (written) {
		return units_size(text_of(written), size) || bad(error, name, "a size");
	}
	*size = number >= 1 && number < 9e18 ? (int64_t)number : 0;
	return *size > 0 || bad(error, name, "a size");
}

// The engine's socket, or a folder that holds it, would be a way out.
static bool holds_socket(const char *source, const char *socket)
{
	char real[PATH_MAX], place[PATH_MAX];
	if (!realpath(source, real) || !realpath(socket, place)) {
		return false;
	}
	size_t length = strcmp(real, "/") == 0 ? 0 : strlen(real);
	return strncmp(place, real, length) == 0 && (place[length] == '/' || place[length] == '\0');
}

static bool check_mount(const cJSON *mount, const struct engine *engine, struct error *error)
{
	static const char *const taken[] = {
		"/", GUEST_WORKSPACE, DOCKER_GUEST, "/proc", "/sys", "/dev", "/tmp"};
	const char *source = json_string(mount, "source", ""),
		   *target = json_string(mount, "target", "");
	if (source[0] != '/' || target[0] != '/' || strstr(target, "/../")) {
		return bad(error, "mounts", "a list of absolute paths");
	}
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		size_t length = strlen(taken[i]);
		if (strncmp(target, taken[i], length) == 0 &&
			(target[length] == '\0' ||
				(target[length] == '/' && (length > 1 || target[1] == '\0')))) {
			error_set(error, ERROR_USAGE,
				"options of sandbox 'docker': nothing can be mounted at '%s'",
				taken[i]);
			return error_hint(error, "choose another place, like /mnt/data");
		}
	}
	if (holds_socket(source, engine->socket)) {
		return error_set(error, ERROR_USAGE,
			"options of sandbox 'docker': the engine's socket cannot be mounted: "
			"whoever "
			"talks to it is root on this machine");
	}
	return true;
}

static bool check_lists(
	const struct docker_options *options, const struct engine *engine, struct error *error)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, options->ports)
	{
		double port = cJSON_IsString(item) ? atof(item->valuestring) : item->valuedouble;
		if (port < 1 || port > 65535 || port != (double)(int)port) {
			return bad(error, "ports", "a list of ports");
		}
	}
	cJSON_ArrayForEach(item, options->mounts)
	{
		if (!check_mount(item, engine, error)) {
			return false;
		}
	}
	return true;
}

static bool check_engine(const struct docker_options *options, const struct engine *engine,
	const struct sandbox_settings *settings, struct error *error)
{
	if (settings->hosts && settings->hosts[0]) {
		error_set(error, ERROR_UNAVAILABLE,
			"sandbox 'docker' cannot limit the network to some hosts");
		return error_hint(error, "use 'network: off' or 'on', or the sandbox 'unix-local'");
	}
	if (options->disk) {
		error_set(error, ERROR_UNAVAILABLE, "sandbox 'docker' cannot limit 'disk'");
		return error_hint(error, "leave it out");
	}
	if (!engine->memory_limit || !engine->process_limit) {
		error_set(error, ERROR_UNAVAILABLE, "the Docker engine cannot limit %s",
			engine->memory_limit ? "processes" : "memory");
		return error_hint(
			error, "enable the control group that it needs; see 'docker info'");
	}
	if (options->cpu > engine->processors) {
		return error_set(error, ERROR_USAGE,
			"'cpu' is %g, but the Docker engine's machine has %d processors",
			options->cpu, engine->processors);
	}
	if (options->memory < 6 * (int64_t)MEBIBYTE) {
		return error_set(
			error, ERROR_USAGE, "'memory' is less than a container needs (6 MiB)");
	}
	return true;
}

bool docker_options_read(struct docker_options *options, const struct engine *engine,
	const struct sandbox_settings *settings, struct error *error)
{
	*options = (struct docker_options){
		.memory = settings->memory ? settings->memory : DEFAULT_MEMORY,
		.processes = settings->processes ? settings->processes : DEFAULT_PROCESSES,
		.cpu = settings->cpu > 0                          ? settings->cpu
			: engine->processors < DEFAULT_PROCESSORS ? engine->processors
								  : DEFAULT_PROCESSORS,
		.disk = settings->disk,
		.temporary = DEFAULT_TEMPORARY,
		.network = settings->network,
		.tree = json_parse(
			settings->options ? text_of(settings->options) : TEXT("{}"), error)};
	if (!options->tree) {
		return error_wrap(error, "options of sandbox 'docker'");
	}
	const cJSON *tree = options->tree;
	options->image = json_string(tree, "image", default_image);
	options->pull = json_string(tree, "pull", pulls[0]);
	options->user = json_string(tree, "user", default_user);
	options->writable = json_boolean(tree, "writable", false);
	options->ports = cJSON_GetObjectItemCaseSensitive(tree, "ports");
	options->mounts = cJSON_GetObjectItemCaseSensitive(tree, "mounts");
	bool known = false;
	for (size_t i = 0; pulls[i]; i++) {
		known = known || strcmp(options->pull, pulls[i]) == 0;
	}
	return read_size(tree, "temporary", &options->temporary, error) &&
		(known || bad(error, "pull", "'missing', 'always' or 'never'")) &&
		(options->image[0] || bad(error, "image", "the name of an image")) &&
		check_lists(options, engine, error) &&
		check_engine(options, engine, settings, error);
}

void docker_options_finish(struct docker_options *options)
{
	cJSON_Delete(options->tree);
	options->tree = NULL;
}
