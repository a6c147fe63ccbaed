#include "sandbox/docker_engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "net/curl.h"

enum {
	NEWEST_MINOR = 43,     // what was read about and is spoken at most
	OLDEST_MINOR = 41,     // cgroup namespaces
	HEAD_MOST = 64 * 1024, // bytes of an answer's head
	USUAL_TIMEOUT = 60000, // milliseconds
	CONNECT_TIMEOUT = 5000,
};

static bool explain(int reason, const char *path, struct error *error)
{
	if (reason == EACCES || reason == EPERM) {
		error_set(error, ERROR_UNAVAILABLE,
			"the socket of the Docker engine, '%s', may not be used", path);
		return error_hint(error,
			"add yourself to the group that owns it (usermod -aG docker NAME), or run "
			"an "
			"engine of your own (dockerd-rootless.sh)");
	}
	if (reason == ENOENT || reason == ECONNREFUSED || reason == ENOTDIR) {
		error_set(error, ERROR_UNAVAILABLE, "no Docker engine runs: %s at '%s'",
			reason == ECONNREFUSED ? "nobody listens" : "there is no socket", path);
		return error_hint(error,
			"start it (systemctl start docker), or set DOCKER_HOST to unix:///PATH");
	}
	errno = reason;
	return error_errno(
		error, ERROR_UNAVAILABLE, "the Docker engine at '%s' cannot be reached", path);
}

static int open_socket(const char *path, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		explain(errno, path, error);
		file_close(&fd);
	}
	return fd;
}

static bool choose_socket(struct engine *engine, const char *path, struct error *error)
{
	if (strlen(path) >= sizeof(engine->socket)) {
		return error_set(
			error, ERROR_USAGE, "the path of the Docker engine's socket is too long");
	}
	snprintf(engine->socket, sizeof(engine->socket), "%s", path);
	return true;
}

// The first of the usual places where there is anything; the first of all, if there is nothing.
static bool find_socket(struct engine *engine, struct error *error)
{
	const char *host = getenv("DOCKER_HOST"), *own = getenv("XDG_RUNTIME_DIR");
	arena_cleanup arena = {0};
	if (host && host[0]) {
		if (strncmp(host, "unix://", 7) != 0) {
			error_set(error, ERROR_USAGE, "DOCKER_HOST is no Unix socket");
			return error_hint(error,
				"muster talks to engines on this machine only: "
				"DOCKER_HOST=unix:///PATH");
		}
		return choose_socket(engine, host + 7, error);
	}
	own = own && own[0] == '/' ? own : "/nowhere";
	const char *const places[] = {"/var/run/docker.sock",
		arena_printf(&arena, "%s/docker.sock", own),
		arena_printf(&arena, "%s/podman/podman.sock", own), "/run/podman/podman.sock"};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (access(places[i], F_OK) == 0) {
			return choose_socket(engine, places[i], error);
		}
	}
	return choose_socket(engine, places[0], error);
}

// What libcurl's callbacks work with.
struct transfer {
	const struct curl_library *curl;
	CURL *handle;
	const struct engine_call *call;
	struct buffer body; // what is kept
	bool too_much, ended;
};

static size_t take(char *bytes, size_t size, size_t count, void *data)
{
	struct transfer *transfer = data;
	struct text text = {bytes, size * count};
	long status = 0;
	transfer->curl->easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
	if (transfer->call->chunk && status >= 200 && status < 300) {
		transfer->ended = !transfer->call->chunk(transfer->call->data, text);
		return transfer->ended ? 0 : text.length;
	}
	if (transfer->body.length + text.length > ENGINE_ANSWER_MOST) {
		transfer->too_much = true;
		return 0;
	}
	buffer_add_text(&transfer->body, text);
	return text.length;
}

static size_t give(char *bytes, size_t size, size_t count, void *data)
{
	const struct transfer *transfer = data;
	ssize_t got;
	do {
		got = read(transfer->call->input, bytes, size * count);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

static void set_options(struct transfer *transfer, const struct engine *engine, const char *url,
	struct curl_slist *headers)
{
	const struct curl_library *curl = transfer->curl;
	const struct engine_call *call = transfer->call;
	CURL *handle = transfer->handle;
	long patience = (long)(call->timeout ? call->timeout : USUAL_TIMEOUT) / 1000;
	curl->easy_setopt(handle, CURLOPT_URL, url);
	curl->easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, engine->socket);
	curl->easy_setopt(handle, CURLOPT_NOPROXY, "*");
	curl->easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl->easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT);
	curl->easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl->easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, patience > 0 ? patience : 1L);
	curl->easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
	curl->easy_setopt(handle, CURLOPT_WRITEFUNCTION, take);
	curl->easy_setopt(handle, CURLOPT_WRITEDATA, transfer);
	if (call->streams) {
		curl->easy_setopt(handle, CURLOPT_UPLOAD, 1L);
		curl->easy_setopt(handle, CURLOPT_READFUNCTION, give);
		curl->easy_setopt(handle, CURLOPT_READDATA, transfer);
	} else if (strcmp(call->method, "POST") == 0 || call->body.length) {
		curl->easy_setopt(handle, CURLOPT_POST, 1L);
		curl->easy_setopt(
			handle, CURLOPT_POSTFIELDS, call->body.length ? call->body.data : "");
		curl->easy_setopt(
			handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.length);
	} else if (strcmp(call->method, "HEAD") == 0) {
		curl->easy_setopt(handle, CURLOPT_NOBODY, 1L);
	}
	curl->easy_setopt(handle, CURLOPT_CUSTOMREQUEST, call->method);
}

static bool judge(const struct transfer *transfer, const struct engine *engine, CURLcode code,
	struct error *error)
{
	long reason = 0;
	if (code == CURLE_OK || transfer->ended) {
		return true;
	}
	if (transfer->too_much) {
		return error_set(
			error, ERROR_UNAVAILABLE, "the Docker engine's answer is too long");
	}
	if (code == CURLE_COULDNT_CONNECT) {
		transfer->curl->easy_getinfo(transfer->handle, CURLINFO_OS_ERRNO, &reason);
		return explain(reason ? (int)reason : ECONNREFUSED, engine->socket, error);
	}
	if (code == CURLE_OPERATION_TIMEDOUT) {
		return error_set(error, ERROR_UNAVAILABLE,
			"the Docker engine at '%s' does not answer", engine->socket);
	}
	error_set(error, ERROR_UNAVAILABLE, "the Docker engine at '%s' gave no answer: %s",
		engine->socket, transfer->curl->easy_strerror(code));
	return error_hint(error, "see whether it runs (systemctl status docker)");
}

bool engine_call(const struct engine *engine, struct arena *arena, const struct engine_call *call,
	struct engine_answer *answer, struct error *error)
{
	struct transfer transfer = {.curl = curl_library(error), .call = call};
	arena_cleanup memory = {0};
	*answer = (struct engine_answer){0};
	if (!transfer.curl) {
		return false;
	}
	transfer.handle = transfer.curl->easy_init();
	if (!transfer.handle) {
		memory_exhausted();
	}
	struct curl_slist *headers = transfer.curl->slist_append(NULL, "Expect:");
	if (call->body.length || call->streams) {
		const char *type = call->type ? call->type : "application/json";
		headers = transfer.curl->slist_append(
			headers, arena_printf(&memory, "Content-Type: %s", type));
	}
	const char *version =
		engine->version[0] ? arena_printf(&memory, "/v%s", engine->version) : "";
	set_options(&transfer, engine,
		arena_printf(&memory, "http://engine%s%s", version, call->path), headers);
	CURLcode code = transfer.curl->easy_perform(transfer.handle);
	bool fine = judge(&transfer, engine, code, error);
	transfer.curl->easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &answer->status);
	answer->body = text_copy(arena, buffer_text(&transfer.body));
	buffer_finish(&transfer.body);
	transfer.curl->slist_free_all(headers);
	transfer.curl->easy_cleanup(transfer.handle);
	return fine;
}

const char *engine_message(struct arena *arena, const struct engine_answer *answer)
{
	struct error ignored = {0};
	buffer_cleanup shown = {0};
	json_cleanup *tree = json_parse(answer->body, &ignored);
	const char *message = tree ? json_string(tree, "message", NULL) : NULL;
	buffer_add_line(&shown, text_trim(message ? text_of(message) : answer->body), 500);
	return shown.length ? arena_string(arena, shown.data)
			    : arena_printf(arena, "it answered with %ld", answer->status);
}

bool engine_refused(struct arena *arena, const struct engine_answer *answer, struct error *error,
	const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	const char *what = arena_vprintf(arena, format, arguments);
	va_end(arguments);
	return error_set(error,
		answer->status >= 500 || answer->status == 404 ? ERROR_UNAVAILABLE : ERROR_FAILED,
		"the Docker engine cannot %s: %s", what, engine_message(arena, answer));
}

void engine_add_escaped(struct buffer *buffer, struct text text)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~";
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] && strchr(plain, text.data[i])) {
			buffer_add_char(buffer, text.data[i]);
		} else {
			buffer_printf(buffer, "%%%02X", (unsigned char)text.data[i]);
		}
	}
}

static bool agree(struct engine *engine, const char *newest, struct error *error)
{
	int major, minor;
	if (sscanf(newest, "%d.%d", &major, &minor) != 2) {
		return error_set(error, ERROR_UNAVAILABLE,
			"what listens at '%s' is no Docker engine", engine->socket);
	}
	if (major == 1 && minor < OLDEST_MINOR) {
		error_set(error, ERROR_UNAVAILABLE,
			"the Docker engine is too old: it speaks version %d.%d", major, minor);
		return error_hint(error, "use Docker 20.10 or newer");
	}
	snprintf(engine->version, sizeof(engine->version), "1.%d",
		major > 1 || minor > NEWEST_MINOR ? NEWEST_MINOR : minor);
	return true;
}

static bool take_version(struct engine *engine, struct error *error)
{
	arena_cleanup arena = {0};
	struct engine_answer answer;
	struct engine_call call = {.method = "GET", .path = "/version", .timeout = CONNECT_TIMEOUT};
	struct error ignored = {0};
	if (!engine_call(engine, &arena, &call, &answer, error)) {
		return false;
	}
	json_cleanup *version = answer.status == 200 ? json_parse(answer.body, &ignored) : NULL;
	if (!agree(engine, version ? json_string(version, "ApiVersion", "") : "", error)) {
		return false;
	}
	snprintf(engine->architecture, sizeof(engine->architecture), "%s",
		json_string(version, "Arch", ""));
	const cJSON *part;
	cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(version, "Components"))
	{
		engine->podman =
			engine->podman || strncmp(json_string(part, "Name", ""), "Podman", 6) == 0;
	}
	snprintf(engine->server, sizeof(engine->server), "%s %s",
		engine->podman ? "podman" : "Docker", json_string(version, "Version", "?"));
	return true;
}

static bool take_limits(struct engine *engine, struct error *error)
{
	arena_cleanup arena = {0};
	struct engine_answer answer;
	struct engine_call call = {.method = "GET", .path = "/info", .timeout = CONNECT_TIMEOUT};
	struct error ignored = {0};
	if (!engine_call(engine, &arena, &call, &answer, error)) {
		return false;
	}
	json_cleanup *found = answer.status == 200 ? json_parse(answer.body, &ignored) : NULL;
	if (!found) {
		return engine_refused(&arena, &answer, error, "tell what it can do");
	}
	engine->memory_limit = json_boolean(found, "MemoryLimit", false);
	engine->processors = (int)json_number(found, "NCPU", 1);
	engine->process_limit = json_boolean(found, "PidsLimit", false);
	return true;
}

bool engine_open(struct engine *engine, struct error *error)
{
	*engine = (struct engine){0};
	if (!find_socket(engine, error)) {
		return false;
	}
	file_cleanup probe = open_socket(engine->socket, error);
	return probe >= 0 && take_version(engine, error) && take_limits(engine, error);
}

// Reads the head of the answer; what comes behind it goes to `early`. The status, or 0.
static long read_head(int fd, struct buffer *early, struct error *error)
{
	buffer_cleanup head = {0};
	char bytes[4096];
	const char *end = NULL;
	int status = 0;
	while (!end && head.length < HEAD_MOST) {
		struct pollfd poller = {fd, POLLIN, 0};
		ssize_t got =
			poll(&poller, 1, USUAL_TIMEOUT) > 0 ? read(fd, bytes, sizeof(bytes)) : 0;
		if (got <= 0) {
			break;
		}
		buffer_add(&head, bytes, (size_t)got);
		end = memmem(head.data, head.length, "\r\n\r\n", 4);
	}
	if (!end || sscanf(head.data, "HTTP/1.%*d %d", &status) != 1) {
		error_set(error, ERROR_UNAVAILABLE, "the Docker engine's answer did not come");
		return 0;
	}
	end += 4;
	buffer_add(early, end, head.length - (size_t)(end - head.data));
	return status;
}

// The refusal of a stream; a body in chunks has their sizes around it.
static bool refuse_stream(int fd, long status, struct buffer *body, struct error *error)
{
	arena_cleanup arena = {0};
	char bytes[4096];
	ssize_t got;
	struct pollfd poller = {fd, POLLIN, 0};
	while (body->length < HEAD_MOST &&
		!(body->length && memchr(body->data, '}', body->length)) &&
		poll(&poller, 1, 1000) > 0 && (got = read(fd, bytes, sizeof(bytes))) > 0) {
		buffer_add(body, bytes, (size_t)got);
	}
	const char *start = body->length ? memchr(body->data, '{', body->length) : NULL;
	const char *end = start ? memrchr(body->data, '}', body->length) : NULL;
	struct engine_answer answer = {.status = status};
	if (start && end && end > start) {
		answer.body = (struct text){start, (size_t)(end + 1 - start)};
	}
	return engine_refused(&arena, &answer, error, "start the command");
}

int engine_hijack(const struct engine *engine, const char *path, struct text body,
	struct buffer *early, struct error *error)
{
	buffer_cleanup request = {0};
	int fd = open_socket(engine->socket, error);
	if (fd < 0) {
		return -1;
	}
	buffer_printf(&request,
		"POST /v%s%s HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n"
		"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: %zu\r\n\r\n",
		engine->version, path, body.length);
	buffer_add_text(&request, body);
	if (send(fd, request.data, request.length, MSG_NOSIGNAL) != (ssize_t)request.length) {
		error_errno(error, ERROR_UNAVAILABLE, "cannot talk to the Docker engine");
		file_close(&fd);
		return -1;
	}
	long status = read_head(fd, early, error);
	if (status != 101 && status != 200) {
		if (status) {
			refuse_stream(fd, status, early, error);
		}
		file_close(&fd);
		return -1;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}
