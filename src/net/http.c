#include "net/http.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "net/curl.h"

enum {
	WAIT_MOST = 60 * 1000,  // milliseconds in one poll
	RECEIVE_BUFFER = 65536, // bytes read at once
	SEND_LEAST = 16 * 1024, // bytes written at once: what libcurl allows
	SEND_MOST = 512 * 1024,
	KEPT_HANDLES = 64,
	KEPT_CONNECTIONS = 256,
};

struct transfer {
	struct transfer *next;
	struct http_request request;
	struct http_answer answer;
	struct buffer body;
	CURL *easy;
	struct curl_slist *headers;
	size_t part, offset; // of what was sent: 0 the head, 1.. the parts, then the tail
	bool enough;         // the receiver ended it
	char problem[CURL_ERROR_SIZE];
};

static struct {
	pthread_mutex_t lock; // of `incoming` and `started`
	bool started;
	struct transfer *incoming;
	const struct curl_library *curl;
	CURLM *multi;

	// The thread's own.
	struct transfer *waiting; // oldest first
	struct transfer *active;
	CURL *idle[KEPT_HANDLES]; // with their buffers, which cost more to make than to keep
	size_t idle_count;
} network = {.lock = PTHREAD_MUTEX_INITIALIZER};

int64_t http_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// --- Sending ---

static size_t body_pieces(const struct http_body *body)
{
	return body->part_count ? body->part_count * 2 + 1 : 2;
}

// The head, part, comma, part, ..., the tail.
static struct text body_piece(const struct http_body *body, size_t number)
{
	if (number == 0) {
		return body->head;
	}
	if (number + 1 == body_pieces(body)) {
		return body->tail;
	}
	return number % 2 ? body->parts[number / 2] : TEXT(",");
}

static size_t body_length(const struct http_body *body)
{
	size_t length = body->head.length + body->tail.length;
	for (size_t i = 0; i < body->part_count; i++) {
		length += body->parts[i].length + (i > 0);
	}
	return length;
}

static size_t send_more(char *space, size_t size, size_t count, void *data)
{
	struct transfer *transfer = data;
	size_t room = size * count, given = 0;
	const struct http_body *body = &transfer->request.body;
	while (given < room && transfer->part < body_pieces(body)) {
		struct text piece = body_piece(body, transfer->part);
		size_t length = piece.length - transfer->offset;
		length = length < room - given ? length : room - given;
		if (length) {
			memcpy(space + given, piece.data + transfer->offset, length);
		}
		given += length;
		transfer->offset += length;
		if (transfer->offset == piece.length) {
			transfer->part++;
			transfer->offset = 0;
		}
	}
	return given;
}

// A kept connection that was gone: the body is sent again from its start.
static int send_again(void *data, curl_off_t offset, int origin)
{
	struct transfer *transfer = data;
	if (offset != 0 || origin != SEEK_SET) {
		return CURL_SEEKFUNC_CANTSEEK;
	}
	transfer->part = transfer->offset = 0;
	return CURL_SEEKFUNC_OK;
}

// --- Receiving ---

static int64_t read_wait(struct text value, bool in_milliseconds)
{
	char digits[64];
	char *end;
	int length = value.length < sizeof(digits) ? (int)value.length : 0;
	snprintf(digits, sizeof(digits), "%.*s", length, value.data);
	double number = strtod(digits, &end);
	if (end == digits || *end) {
		time_t date = in_milliseconds ? -1 : network.curl->getdate(digits, NULL);
		number = date < 0 ? -1 : difftime(date, time(NULL));
		number = date >= 0 && number < 0 ? 0 : number;
	}
	number = in_milliseconds ? number : number * 1000;
	return number >= 0 && number < 1e9 ? (int64_t)number : -1;
}

static bool header_is(struct text line, const char *name, struct text *value)
{
	size_t length = strlen(name);
	if (line.length <= length || line.data[length] != ':' ||
		strncasecmp(line.data, name, length) != 0) {
		return false;
	}
	*value = text_trim((struct text){line.data + length + 1, line.length - length - 1});
	return true;
}

static void copy_printable(char *to, size_t size, struct text value, bool small)
{
	size_t length = 0;
	for (size_t i = 0; i < value.length && length + 1 < size; i++) {
		unsigned char byte = (unsigned char)value.data[i];
		if (byte <= ' ' || byte >= 127 || (small && byte == ';')) {
			break;
		}
		to[length++] = (char)(small ? tolower(byte) : byte);
	}
	to[length] = '\0';
}

static size_t take_header(char *bytes, size_t size, size_t count, void *data)
{
	struct transfer *transfer = data;
	struct http_answer *answer = &transfer->answer;
	struct text line = {bytes, size * count}, value;
	if (text_starts(line, "HTTP/")) { // of the final answer, after those like 100
		*answer = (struct http_answer){.wait = -1, .retry = -1, .connected = true};
	} else if (header_is(line, "content-type", &value)) {
		copy_printable(answer->type, sizeof(answer->type), value, true);
	} else if (header_is(line, "x-request-id", &value)) {
		copy_printable(answer->request, sizeof(answer->request), value, false);
	} else if (header_is(line, "retry-after-ms", &value)) {
		answer->wait = read_wait(value, true);
	} else if (header_is(line, "retry-after", &value) && answer->wait < 0) {
		answer->wait = read_wait(value, false);
	} else if (header_is(line, "x-should-retry", &value)) {
		answer->retry = text_is(value, "true") ? 1 : text_is(value, "false") ? 0 : -1;
	}
	return line.length;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
	struct transfer *transfer = data;
	struct text text = {bytes, size * count};
	struct http_answer *answer = &transfer->answer;
	if (answer->status == 0) {
		network.curl->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &answer->status);
	}
	if (answer->status >= 200 && answer->status <= 299) {
		transfer->enough = !transfer->request.chunk(transfer->request.data, answer, text);
		return transfer->enough ? 0 : text.length;
	}
	size_t room = HTTP_ERROR_BODY - transfer->body.length;
	buffer_add(&transfer->body, text.data, text.length < room ? text.length : room);
	return text.length;
}

// --- One transfer ---

static CURL *take_handle(void)
{
	return network.idle_count ? network.idle[--network.idle_count] : network.curl->easy_init();
}

static void give_handle(CURL *easy)
{
	if (easy && network.idle_count < KEPT_HANDLES) {
		network.curl->easy_reset(easy);
		network.idle[network.idle_count++] = easy;
	} else if (easy) {
		network.curl->easy_cleanup(easy);
	}
}

static void destroy(struct transfer *transfer)
{
	give_handle(transfer->easy);
	network.curl->slist_free_all(transfer->headers);
	buffer_finish(&transfer->body);
	free(transfer);
}

static void finish(struct transfer *transfer, const struct error *error)
{
	transfer->answer.body = buffer_text(&transfer->body);
	transfer->request.done(transfer->request.data, &transfer->answer, error);
	destroy(transfer);
}

static void set_headers(struct transfer *transfer)
{
	const struct curl_library *curl = network.curl;
	transfer->headers = curl->slist_append(NULL, "Expect:"); // no waiting for 100
	for (size_t i = 0; transfer->request.headers[i]; i++) {
		transfer->headers =
			curl->slist_append(transfer->headers, transfer->request.headers[i]);
	}
	curl->easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static void start(struct transfer *transfer)
{
	const struct curl_library *curl = network.curl;
	const struct http_request *request = &transfer->request;
	CURL *easy = take_handle();
	if (!easy) {
		struct error error = {0};
		error_set(&error, ERROR_UNAVAILABLE, "libcurl has no memory left");
		finish(transfer, &error);
		return;
	}
	transfer->easy = easy;
	curl->easy_setopt(easy, CURLOPT_URL, request->url);
	curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl->easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->problem);
	curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_TIMEOUT);
	curl->easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER);
	curl->easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	if (request->idle_timeout) {
		curl->easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl->easy_setopt(
			easy, CURLOPT_LOW_SPEED_TIME, (long)(request->idle_timeout + 999) / 1000);
	}
	size_t length = body_length(&request->body);
	curl->easy_setopt(easy, CURLOPT_POST, 1L);
	curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
	// A large body goes in few pieces, a small one takes no more memory than it needs.
	curl->easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
		length < SEND_LEAST          ? (long)SEND_LEAST
			: length < SEND_MOST ? (long)length
					     : (long)SEND_MOST);
	curl->easy_setopt(easy, CURLOPT_READFUNCTION, send_more);
	curl->easy_setopt(easy, CURLOPT_READDATA, transfer);
	curl->easy_setopt(easy, CURLOPT_SEEKFUNCTION, send_again);
	curl->easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
	curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl->easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl->easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	set_headers(transfer);
	transfer->next = network.active;
	network.active = transfer;
	curl->multi_add_handle(network.multi, easy);
}

static void leave(struct transfer *transfer)
{
	struct transfer **at = &network.active;
	while (*at != transfer) {
		at = &(*at)->next;
	}
	*at = transfer->next;
	network.curl->multi_remove_handle(network.multi, transfer->easy);
}

static void end(struct transfer *transfer, CURLcode code)
{
	struct error error = {0};
	leave(transfer);
	network.curl->easy_getinfo(
		transfer->easy, CURLINFO_RESPONSE_CODE, &transfer->answer.status);
	if (code == CURLE_OPERATION_TIMEDOUT && transfer->answer.connected) {
		error_set(&error, ERROR_UNAVAILABLE, "nothing came for %lld seconds",
			(long long)transfer->request.idle_timeout / 1000);
	} else if (code != CURLE_OK && !transfer->enough) {
		const char *text = transfer->problem[0] ? transfer->problem
							: network.curl->easy_strerror(code);
		error_set(&error, ERROR_UNAVAILABLE, "%s", text);
	}
	finish(transfer, &error);
}

static bool is_cancelled(const struct transfer *transfer)
{
	return transfer->request.cancel && atomic_load(transfer->request.cancel);
}

static void end_cancelled(struct transfer *transfer)
{
	struct error error = {0};
	error_set(&error, ERROR_INTERRUPTED, "it was cancelled");
	finish(transfer, &error);
}

// --- The thread ---

static void take_incoming(void)
{
	pthread_mutex_lock(&network.lock);
	struct transfer *incoming = network.incoming;
	network.incoming = NULL;
	pthread_mutex_unlock(&network.lock);
	struct transfer **last = &network.waiting;
	while (*last) {
		last = &(*last)->next;
	}
	while (incoming) { // the newest is first
		struct transfer *next = incoming->next;
		incoming->next = *last;
		*last = incoming;
		incoming = next;
	}
}

// Starts those whose time has come; returns when the next one's will have come.
static int64_t start_waiting(void)
{
	int64_t soonest = INT64_MAX;
	struct transfer **at = &network.waiting;
	while (*at) {
		struct transfer *transfer = *at;
		if (is_cancelled(transfer)) {
			*at = transfer->next;
			end_cancelled(transfer);
			continue;
		}
		int64_t when = transfer->request.ready
			? transfer->request.ready(transfer->request.data)
			: 0;
		if (when == 0) {
			*at = transfer->next;
			start(transfer);
		} else {
			soonest = when < soonest ? when : soonest;
			at = &transfer->next;
		}
	}
	return soonest;
}

static void drop_cancelled(void)
{
	struct transfer *next;
	for (struct transfer *transfer = network.active; transfer; transfer = next) {
		next = transfer->next;
		if (is_cancelled(transfer)) {
			leave(transfer);
			end_cancelled(transfer);
		}
	}
}

static bool take_ended(void)
{
	const CURLMsg *message;
	int left;
	bool some = false;
	while ((message = network.curl->multi_info_read(network.multi, &left))) {
		struct transfer *transfer = NULL;
		CURLcode code = message->data.result;
		network.curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		end(transfer, code);
		some = true;
	}
	return some;
}

static void *work(void *unused)
{
	(void)unused;
	for (;;) {
		int running;
		take_incoming();
		drop_cancelled();
		int64_t soonest = start_waiting();
		network.curl->multi_perform(network.multi, &running);
		if (take_ended()) {
			continue; // who waited for it may start now
		}
		int64_t wait = soonest == INT64_MAX ? WAIT_MOST : soonest - http_now();
		wait = wait < 0 ? 0 : wait < WAIT_MOST ? wait : WAIT_MOST;
		network.curl->multi_poll(network.multi, NULL, 0, (int)wait, NULL);
	}
	return NULL;
}

static pthread_t preparer;
static bool preparing; // main thread only

static void *load(void *unused)
{
	struct error ignored = {0}; // told when a request is made
	(void)unused;
	curl_library(&ignored);
	return NULL;
}

static bool start_thread(pthread_t *thread, void *(*function)(void *))
{
	sigset_t all, before;
	sigfillset(&all); // signals are for the main thread
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = pthread_create(thread, NULL, function, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

void http_prepare(void)
{
	preparing = preparing || start_thread(&preparer, load);
}

void http_prepared(void)
{
	if (preparing) {
		pthread_join(preparer, NULL);
		preparing = false;
	}
}

// With the lock held.
static bool begin(struct error *error)
{
	pthread_t thread;
	network.curl = curl_library(error);
	if (!network.curl) {
		return false;
	}
	network.multi = network.curl->multi_init();
	if (!network.multi) {
		return error_set(error, ERROR_UNAVAILABLE, "libcurl cannot be started");
	}
	network.curl->multi_setopt(network.multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
	network.started = start_thread(&thread, work);
	if (!network.started) {
		return error_set(error, ERROR_UNAVAILABLE, "cannot start the network thread");
	}
	pthread_detach(thread);
	return true;
}

bool http_send(const struct http_request *request, struct error *error)
{
	struct transfer *transfer = memory_alloc(sizeof(*transfer));
	transfer->request = *request;
	transfer->answer = (struct http_answer){.wait = -1, .retry = -1};
	pthread_mutex_lock(&network.lock);
	if (!network.started && !begin(error)) {
		pthread_mutex_unlock(&network.lock);
		free(transfer);
		return false;
	}
	transfer->next = network.incoming;
	network.incoming = transfer;
	pthread_mutex_unlock(&network.lock);
	network.curl->multi_wakeup(network.multi);
	return true;
}

void http_wake(void)
{
	pthread_mutex_lock(&network.lock);
	if (network.started) {
		network.curl->multi_wakeup(network.multi);
	}
	pthread_mutex_unlock(&network.lock);
}
