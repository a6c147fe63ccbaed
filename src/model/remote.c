/*
 * Asking a model over HTTP: the request goes out as a concatenation of texts that are ready, the
 * answer is read as it comes; what fails for a reason that may go away is tried again after a while,
 * and then the fallbacks are asked.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/json.h"
#include "model/limit.h"
#include "model/wire.h"
#include "net/http.h"

enum {
	KEY_LEAST = 6,     // shorter ones are no secrets, and parts of words
	TRIES = 6,         // of one model
	PAUSE_FIRST = 500, // milliseconds; doubled with each try
	PAUSE_MOST = 8000,
	IDLE_TIMEOUT = 300 * 1000,         // without a byte of a stream
	WHOLE_LIMIT = 64 * 1024 * 1024,    // bytes of an answer in one document
	STREAM_LIMIT = 1024 * 1024 * 1024, // and in a stream
};

// The constant part of the requests of an agent to a model.
struct frame {
	struct frame *next;
	const struct model_settings *settings;
	const char *agent, *instructions;
	struct wire_frame wire;
	char *url, *authorization;
};

struct remote {
	struct model_client client;
	pthread_mutex_t lock; // frames and memory: requests come from any thread
	struct frame *frames;
	struct wire_memory *memory; // of the format that converts
};

struct asking {
	struct remote *remote;
	struct model_request request;
	model_done *done;
	void *data;

	const struct model_settings *settings; // that is being asked
	size_t next_fallback;
	unsigned tries; // of these settings
	const struct wire *wire;
	struct frame *frame;
	struct limit *limit;
	int64_t not_before;
	struct arena arena; // of the parts
	const char *headers[5];

	struct wire_reading reading;
	struct sse sse;
	bool entered; // it has a place of the limit
	bool is_stream, failed;
	struct buffer whole;
	int64_t received;
};

static void begin(struct asking *asking);

// --- What is sent ---

static struct frame *make_frame(const struct asking *asking)
{
	const struct model_settings *settings = asking->settings;
	struct frame *frame = memory_alloc(sizeof(*frame));
	buffer_cleanup url = {0}, authorization = {0};
	frame->settings = settings;
	frame->agent = asking->request.agent;
	frame->instructions = asking->request.instructions.data;
	asking->wire->frame(&frame->wire, settings, &asking->request);
	buffer_printf(&url, "%s%s", settings->base_url, asking->wire->path);
	frame->url = buffer_steal(&url);
	if (settings->key) {
		buffer_printf(&authorization, "Authorization: Bearer %s", settings->key);
		frame->authorization = buffer_steal(&authorization);
	}
	return frame;
}

static struct frame *frame_of(const struct asking *asking)
{
	struct remote *remote = asking->remote;
	struct frame *frame = remote->frames;
	while (frame &&
		(frame->settings != asking->settings || frame->agent != asking->request.agent ||
			frame->instructions != asking->request.instructions.data)) {
		frame = frame->next;
	}
	if (!frame) {
		frame = make_frame(asking);
		frame->next = remote->frames;
		remote->frames = frame;
	}
	return frame;
}

static bool is_reasoning(struct text item)
{
	return text_find(item, TEXT("\"type\":\"reasoning\"")) < item.length ||
		text_find(item, TEXT("\"type\": \"reasoning\"")) < item.length;
}

// Reasoning is for the model that it came from only.
static struct wire_parts own_parts(struct asking *asking)
{
	const struct model_request *request = &asking->request;
	if (!request->mixed && asking->settings == request->settings) {
		return (struct wire_parts){request->items, request->item_count};
	}
	struct text *list = arena_new_array(&asking->arena, request->item_count + 1, struct text);
	struct wire_parts parts = {list, 0};
	for (size_t i = 0; i < request->item_count; i++) {
		// A long text that speaks of such an item begins otherwise.
		if (!is_reasoning(text_cut(request->items[i], 256))) {
			list[parts.count++] = request->items[i];
		}
	}
	return parts;
}

static struct wire_parts parts_of(struct asking *asking)
{
	if (!asking->wire->parts) {
		return own_parts(asking);
	}
	return asking->wire->parts(&asking->remote->memory, &asking->arena, &asking->request);
}

// --- What comes back ---

static void pass_on_text(void *data, struct text text)
{
	struct asking *asking = data;
	const struct model_notice notice = {.kind = NOTICE_TEXT, .text = text};
	asking->request.notice(asking->request.notice_data, &notice);
}

static void begin_reading(struct asking *asking)
{
	asking->reading = (struct wire_reading){.answer = memory_alloc(sizeof(struct model_answer)),
		.keeps_reasoning =
			asking->settings == asking->request.settings && !asking->request.mixed};
	if (asking->request.notice && asking->request.notice_text) {
		asking->reading.said = pass_on_text;
		asking->reading.said_data = asking;
	}
	asking->sse = (struct sse){0};
	asking->entered = asking->is_stream = asking->failed = false;
	asking->received = 0;
	buffer_clear(&asking->whole);
}

static void end_reading(struct asking *asking)
{
	if (asking->wire->release) {
		asking->wire->release(&asking->reading);
	}
	model_answer_destroy(asking->reading.answer);
	asking->reading.answer = NULL;
	sse_finish(&asking->sse);
}

static bool take_event(void *data, const struct sse_event *event)
{
	struct asking *asking = data;
	asking->failed = !asking->wire->event(&asking->reading, event);
	return !asking->failed;
}

static bool too_long(struct asking *asking)
{
	asking->failed = true;
	return wire_fail(&asking->reading, false, "the answer is too long");
}

static bool take_chunk(void *data, const struct http_answer *answer, struct text bytes)
{
	struct asking *asking = data;
	if (asking->received == 0) {
		asking->is_stream = strcmp(answer->type, "text/event-stream") == 0;
		asking->sse.event = take_event;
		asking->sse.data = asking;
	}
	asking->received += (int64_t)bytes.length;
	if (asking->received > (asking->is_stream ? STREAM_LIMIT : WHOLE_LIMIT)) {
		return too_long(asking);
	}
	if (!asking->is_stream) {
		buffer_add_text(&asking->whole, bytes);
		return true;
	}
	return sse_feed(&asking->sse, bytes) != SSE_TOO_BIG ? !asking->failed : too_long(asking);
}

// The last part of the reading; false with reading->error.
static bool read_end(struct asking *asking, const struct http_answer *answer)
{
	struct wire_reading *reading = &asking->reading;
	struct error why = {0};
	if (asking->received == 0) {
		return wire_fail(reading, true, "the answer is empty");
	}
	if (asking->is_stream) {
		return asking->wire->end(reading);
	}
	if (!json_check(buffer_text(&asking->whole), &why)) {
		return wire_fail(reading, false, "the answer (%s) is no JSON: %s",
			answer->type[0] ? answer->type : "of no type", why.message);
	}
	return asking->wire->whole(reading, buffer_text(&asking->whole)) &&
		asking->wire->end(reading);
}

static enum model_finish finish_of(const struct wire_reading *reading)
{
	const struct model_answer *answer = reading->answer;
	return answer->call_count                ? MODEL_CALLS
		: reading->refused               ? MODEL_REFUSED
		: reading->cut                   ? MODEL_CUT
		: text_trim(answer->text).length ? MODEL_TEXT
						 : MODEL_EMPTY;
}

// --- The end ---

static void destroy_asking(struct asking *asking)
{
	end_reading(asking);
	buffer_finish(&asking->whole);
	arena_finish(&asking->arena);
	free(asking);
}

static void succeed(struct asking *asking)
{
	struct model_answer *answer = asking->reading.answer;
	answer->finish = finish_of(&asking->reading);
	if (asking->reading.cut && answer->call_count) {
		// The last call may be cut short: none of them is made.
		answer->finish = MODEL_CUT;
		answer->call_count = answer->item_count = 0;
	}
	asking->reading.answer = NULL;
	model_done *done = asking->done;
	void *data = asking->data;
	destroy_asking(asking);
	done(data, answer, NULL);
}

static void give_up(struct asking *asking, const struct error *error)
{
	struct error told = *error;
	model_done *done = asking->done;
	void *data = asking->data;
	destroy_asking(asking);
	done(data, NULL, &told);
}

// A service may repeat the key in what it says.
static void hide_key(struct buffer *text, const char *key)
{
	char *found;
	while (key && strlen(key) >= KEY_LEAST && text->data && (found = strstr(text->data, key))) {
		memset(found, '*', strlen(key));
	}
}

static void explain(struct error *error, const struct asking *asking,
	const struct http_answer *answer, const char *why)
{
	buffer_cleanup text = {0};
	const struct model_settings *settings = asking->settings;
	buffer_add_line(&text, text_of(why), 512);
	hide_key(&text, settings->key);
	bool answered = answer->status > 0;
	char status[32] = "";
	if (answered) {
		snprintf(status, sizeof(status), " %ld", answer->status);
	}
	error_set(error, ERROR_UNAVAILABLE, "model '%s' %s%s: %s%s%s%s", settings->name,
		answered ? "answered" : "did not answer", status, text.data ? text.data : "",
		answer->request[0] ? " (request " : "", answer->request,
		answer->request[0] ? ")" : "");
	if (answer->status == 401 || answer->status == 403) {
		error_hint(error, "look at the key, and at what it may be used for");
	} else if (answer->status == 404) {
		error_hint(error, "look at the model's name and at the address %s",
			settings->base_url);
	} else if (!answer->connected) {
		error_hint(error, "look at the address %s, and at the network", settings->base_url);
	}
}

static int64_t pause_before(const struct asking *asking, const struct http_answer *answer)
{
	if (answer->wait >= 0) {
		return answer->wait < LIMIT_WAIT ? answer->wait : LIMIT_WAIT;
	}
	unsigned random = 0;
	int64_t pause = (int64_t)PAUSE_FIRST << (asking->tries - 1);
	pause = pause < PAUSE_MOST ? pause : PAUSE_MOST;
	getrandom(&random, sizeof(random), GRND_NONBLOCK);
	return pause - pause * (random % 256) / 1024; // less up to a quarter
}

static bool may_go_away(const struct http_answer *answer, const char *code)
{
	if (strcmp(code, "insufficient_quota") == 0) {
		return false;
	}
	if (answer->retry >= 0) {
		return answer->retry == 1;
	}
	return answer->status == 0 || answer->status == 408 || answer->status == 409 ||
		answer->status == 429 || answer->status >= 500;
}

static void give_notice(
	struct asking *asking, enum model_notice_kind kind, int64_t wait, const struct error *error)
{
	const struct model_notice notice = {.kind = kind,
		.text = text_of(error->message),
		.try_next = asking->tries + 1,
		.tries = TRIES,
		.wait = wait,
		.model = asking->settings->name};
	if (asking->request.notice) {
		asking->request.notice(asking->request.notice_data, &notice);
	}
}

// Once more, or the next model, or the end.
static void go_on(struct asking *asking, const struct http_answer *answer, bool again,
	const struct error *error)
{
	const struct model_settings *const *fallback = asking->request.settings->fallback;
	bool slow = answer->status == 429 || answer->status == 503;
	int64_t pause = pause_before(asking, answer);
	if (slow) {
		limit_refused(asking->limit, http_now(), http_now() + pause);
	}
	end_reading(asking);
	if (again && asking->tries < TRIES) {
		asking->not_before = http_now() + pause;
		give_notice(asking, NOTICE_RETRY, pause, error);
		begin(asking);
	} else if (fallback && fallback[asking->next_fallback] &&
		(again || answer->status == 404 || answer->status == 429)) {
		asking->settings = fallback[asking->next_fallback++];
		asking->tries = 0;
		asking->not_before = 0;
		give_notice(asking, NOTICE_FALLBACK, 0, error);
		begin(asking);
	} else {
		give_up(asking, error);
	}
}

static void take_end(void *data, const struct http_answer *answer, const struct error *error)
{
	struct asking *asking = data;
	struct error why = {0};
	bool success = answer->status >= 200 && answer->status <= 299;
	bool whole = success && error->kind == ERROR_NONE && !asking->failed;
	char code[64] = "";
	if (asking->entered) {
		limit_leave(asking->limit, whole);
	}
	if (error->kind == ERROR_INTERRUPTED) {
		give_up(asking, error);
		return;
	}
	if (whole && read_end(asking, answer)) {
		succeed(asking);
		return;
	}
	bool again = may_go_away(answer, code);
	if (asking->reading.error.kind != ERROR_NONE) {
		explain(&why, asking, answer, asking->reading.error.message);
		again = asking->reading.again;
	} else if (error->kind != ERROR_NONE) {
		explain(&why, asking, answer, error->message);
		again = true;
	} else {
		buffer_cleanup text = {0};
		wire_explain(&text, answer->body, code, sizeof(code));
		explain(&why, asking, answer, text.length ? text.data : "it says no more");
		again = may_go_away(answer, code);
	}
	go_on(asking, answer, again, &why);
}

static int64_t ready(void *data)
{
	struct asking *asking = data;
	int64_t now = http_now();
	if (now < asking->not_before) {
		return asking->not_before;
	}
	int64_t when = limit_enter(asking->limit, now);
	asking->entered = when == 0;
	return when;
}

static void begin(struct asking *asking)
{
	struct error error = {0};
	asking->wire = wire_find(asking->settings->wire);
	asking->limit = limit_of(asking->settings);
	asking->tries++;
	arena_finish(&asking->arena);
	pthread_mutex_lock(&asking->remote->lock);
	asking->frame = frame_of(asking);
	struct wire_parts parts = parts_of(asking);
	pthread_mutex_unlock(&asking->remote->lock);
	begin_reading(asking);
	asking->headers[0] = "Content-Type: application/json";
	asking->headers[1] = "Accept: text/event-stream, application/json";
	asking->headers[2] = "User-Agent: muster/" MUSTER_VERSION;
	asking->headers[3] = asking->frame->authorization;
	struct http_request request = {.url = asking->frame->url,
		.headers = asking->headers,
		.body = {.head = buffer_text(&asking->frame->wire.head),
			.parts = parts.parts,
			.part_count = parts.count,
			.tail = buffer_text(&asking->frame->wire.tail)},
		.idle_timeout = IDLE_TIMEOUT,
		.cancel = asking->request.cancel,
		.ready = ready,
		.chunk = take_chunk,
		.done = take_end,
		.data = asking};
	if (!http_send(&request, &error)) {
		give_up(asking, &error);
	}
}

static void ask(struct model_client *client, const struct model_request *request, model_done *done,
	void *data)
{
	struct asking *asking = memory_alloc(sizeof(*asking));
	asking->remote = (struct remote *)client;
	asking->request = *request;
	asking->settings = request->settings;
	asking->done = done;
	asking->data = data;
	begin(asking);
}

static void wake(struct model_client *client)
{
	(void)client;
	http_wake();
}

static void destroy(struct model_client *client)
{
	struct remote *remote = (struct remote *)client;
	while (remote->frames) {
		struct frame *next = remote->frames->next;
		buffer_finish(&remote->frames->wire.head);
		buffer_finish(&remote->frames->wire.tail);
		free(remote->frames->url);
		free(remote->frames->authorization);
		free(remote->frames);
		remote->frames = next;
	}
	if (remote->memory) {
		wire_chat.forget(remote->memory);
	}
	pthread_mutex_destroy(&remote->lock);
	free(remote);
}

static const struct model_kind remote_kind = {"remote", ask, wake, destroy};

struct model_client *remote_open(void)
{
	struct remote *remote = memory_alloc(sizeof(*remote));
	remote->client.kind = &remote_kind;
	pthread_mutex_init(&remote->lock, NULL);
	return &remote->client;
}
