/*
 * A model service for tests: answers of a rehearsal over HTTP, as Responses or Chat Completions, as
 * event streams or whole, with faults on request.
 *
 *   model_server SCRIPT [--whole] [--key KEY] [--faults LIST]
 *
 * Listens on a free port of the loopback interface and prints "http://127.0.0.1:PORT/v1". LIST names
 * what happens to the first requests, one after another: ok, 429, 429-slow (a second), 500, 400, 401,
 * quota, cut (in the middle), hang, html, garbage, error (in a stream), empty. Each request is told
 * on standard error: its path, its length, and what became of it.
 */
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/json_raw.h"
#include "model/model.h"

enum { DELTA = 40 /* bytes */, ITEMS = 10000, REQUEST_LIMIT = 256 * 1024 * 1024 };

static struct {
	struct model_client *rehearsal;
	bool whole;
	const char *key;
	char *faults; // what is left of the list
	pthread_mutex_t lock;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER};

// A request as it comes in, and what is answered.
struct exchange {
	struct buffer body;
};

struct answered {
	struct model_answer *answer;
	struct error error;
};

static void next_fault(char *fault, size_t size)
{
	pthread_mutex_lock(&server.lock);
	size_t length = server.faults ? strcspn(server.faults, ",") : 0;
	snprintf(fault, size, "%.*s", (int)length, server.faults ? server.faults : "");
	if (server.faults) {
		server.faults += length + (server.faults[length] == ',');
	}
	pthread_mutex_unlock(&server.lock);
}

static void take(void *data, struct model_answer *answer, const struct error *error)
{
	struct answered *answered = data;
	answered->answer = answer;
	answered->error = error ? *error : (struct error){0};
}

// The agent's name stands in its instructions: "You are `NAME` in the team".
static const char *agent_of(struct arena *arena, const char *instructions)
{
	const char *start = strstr(instructions, "You are `");
	const char *name = start ? start + strlen("You are `") : "";
	return arena_copy(arena, name, strcspn(name, "`"));
}

// Chat messages back into items, so that the rehearsal sees the same conversation.
static void add_chat_items(struct buffer *items, const cJSON *message)
{
	const char *role = json_string(message, "role", "");
	const char *content = json_string(message, "content", "");
	const cJSON *call;
	if (strcmp(role, "tool") == 0) {
		buffer_add_string(items, ",{\"type\":\"function_call_output\",\"call_id\":");
		buffer_add_json(items, text_of(json_string(message, "tool_call_id", "")));
		buffer_add_string(items, ",\"output\":");
		buffer_add_json(items, text_of(content));
		buffer_add_string(items, "}");
		return;
	}
	if (content[0]) {
		buffer_printf(items,
			",{\"role\":\"%s\",\"content\":[{\"type\":\"%s\",\"text\":", role,
			strcmp(role, "user") == 0 ? "input_text" : "output_text");
		buffer_add_json(items, text_of(content));
		buffer_add_string(items, "}]}");
	}
	cJSON_ArrayForEach(call, cJSON_GetObjectItemCaseSensitive(message, "tool_calls"))
	{
		const cJSON *function = cJSON_GetObjectItemCaseSensitive(call, "function");
		buffer_add_string(items, ",{\"type\":\"function_call\",\"call_id\":");
		buffer_add_json(items, text_of(json_string(call, "id", "")));
		buffer_add_string(items, ",\"name\":");
		buffer_add_json(items, text_of(json_string(function, "name", "")));
		buffer_add_string(items, ",\"arguments\":");
		buffer_add_json(items, text_of(json_string(function, "arguments", "")));
		buffer_add_string(items, "}");
	}
}

static bool ask(struct text body, bool chat, struct answered *answered, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup items = {0};
	json_cleanup *tree = json_parse(body, error);
	const char *instructions = json_string(tree, "instructions", "");
	struct text rest = {0}, item;
	struct text *list = arena_new_array(&arena, ITEMS, struct text);
	size_t count = 0;
	if (!tree) {
		return false;
	}
	if (chat) {
		const cJSON *messages = cJSON_GetObjectItemCaseSensitive(tree, "messages");
		const cJSON *message;
		instructions = json_string(cJSON_GetArrayItem(messages, 0), "content", "");
		cJSON_ArrayForEach(message, messages)
		{
			if (strcmp(json_string(message, "role", ""), "system") != 0) {
				add_chat_items(&items, message);
			}
		}
		buffer_add_char(&items, ']');
		items.data[0] = '[';
		rest = buffer_text(&items);
	} else if (!json_raw_member(body, "input", &rest)) {
		return error_set(error, ERROR_USAGE, "the request has no input");
	}
	while (count < ITEMS && json_raw_next(&rest, &item)) {
		list[count++] = item;
	}
	struct model_request request = {.agent = agent_of(&arena, instructions),
		.instructions = text_of(instructions),
		.items = list,
		.item_count = count};
	model_ask(server.rehearsal, &request, take, answered);
	*error = answered->error;
	return answered->answer != NULL;
}

// --- The answer as Responses ---

static void add_event(struct buffer *stream, const char *type, const char *format, struct text json)
{
	buffer_printf(stream,
		"event: %s\ndata: {\"type\":\"%s\",\"sequence_number\":0,\"%s\":", type, type,
		format);
	buffer_add_text(stream, json);
	buffer_add_string(stream, "}\n\n");
}

static void add_response(struct buffer *json, const struct model_answer *answer)
{
	buffer_printf(json, "{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"%s\",",
		answer->finish == MODEL_CUT ? "incomplete" : "completed");
	buffer_printf(json, "\"incomplete_details\":%s,\"error\":null,\"output\":[",
		answer->finish == MODEL_CUT ? "{\"reason\":\"max_output_tokens\"}" : "null");
	for (size_t i = 0; i < answer->item_count; i++) {
		buffer_add_string(json, i ? "," : "");
		buffer_add_text(json, answer->items[i]);
	}
	buffer_printf(json,
		"],\"usage\":{\"input_tokens\":%lld,\"input_tokens_details\":{\"cached_tokens\":%"
		"lld},"
		"\"output_tokens\":%lld,\"total_tokens\":%lld}}",
		(long long)answer->usage.input, (long long)answer->usage.cached,
		(long long)answer->usage.output,
		(long long)(answer->usage.input + answer->usage.output));
}

// The text as it would be said, a few words at a time.
static void add_deltas(struct buffer *text, struct text said)
{
	while (said.length) {
		buffer_cleanup delta = {0};
		struct text piece = text_cut(said, DELTA);
		buffer_add_json(&delta, piece);
		add_event(text, "response.output_text.delta", "delta", buffer_text(&delta));
		said.data += piece.length;
		said.length -= piece.length;
	}
}

static void write_responses(struct buffer *text, const struct model_answer *answer, bool stream)
{
	buffer_cleanup response = {0};
	add_response(&response, answer);
	if (!stream) {
		buffer_add_text(text, buffer_text(&response));
		return;
	}
	add_event(text, "response.created", "response", TEXT("{\"status\":\"in_progress\"}"));
	add_deltas(text, answer->text);
	for (size_t i = 0; i < answer->item_count; i++) {
		add_event(text, "response.output_item.done", "item", answer->items[i]);
	}
	add_event(text, answer->finish == MODEL_CUT ? "response.incomplete" : "response.completed",
		"response", buffer_text(&response));
}

// --- The answer as Chat Completions ---

static void add_calls(struct buffer *json, const struct model_answer *answer)
{
	for (size_t i = 0; i < answer->call_count; i++) {
		buffer_printf(json, "%s{\"index\":%zu,\"id\":", i ? "," : "", i);
		buffer_add_json(json, answer->calls[i].id);
		buffer_add_string(json, ",\"type\":\"function\",\"function\":{\"name\":");
		buffer_add_json(json, answer->calls[i].name);
		buffer_add_string(json, ",\"arguments\":");
		buffer_add_json(json, answer->calls[i].arguments);
		buffer_add_string(json, "}}");
	}
}

static const char *chat_reason(const struct model_answer *answer)
{
	return answer->finish == MODEL_CUT        ? "length"
		: answer->finish == MODEL_REFUSED ? "content_filter"
		: answer->call_count              ? "tool_calls"
						  : "stop";
}

static void write_chat(struct buffer *text, const struct model_answer *answer, bool stream)
{
	buffer_cleanup message = {0};
	const char *member = stream ? "delta" : "message";
	const char *before = stream ? "data: " : "", *after = stream ? "\n\n" : "";
	buffer_add_string(&message, "{\"role\":\"assistant\",\"content\":");
	buffer_add_json(&message, answer->text);
	if (answer->call_count) {
		buffer_add_string(&message, ",\"tool_calls\":[");
		add_calls(&message, answer);
		buffer_add_char(&message, ']');
	}
	buffer_add_char(&message, '}');
	buffer_printf(text, "%s{\"choices\":[{\"index\":0,\"%s\":", before, member);
	buffer_add_text(text, buffer_text(&message));
	buffer_printf(
		text, ",\"finish_reason\":\"%s\"}]%s", chat_reason(answer), stream ? "}" : "");
	buffer_printf(text, "%s%s", after, stream ? "data: {\"choices\":[]" : "");
	buffer_printf(text,
		",\"usage\":{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,"
		"\"prompt_tokens_details\":{\"cached_tokens\":%lld}}}%s%s",
		(long long)answer->usage.input, (long long)answer->usage.output,
		(long long)answer->usage.cached, after, stream ? "data: [DONE]\n\n" : "");
}

// --- HTTP ---

static enum MHD_Result give(struct MHD_Connection *connection, unsigned status, const char *type,
	const char *header, struct text body)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		body.length, (void *)(uintptr_t)body.data, MHD_RESPMEM_MUST_COPY);
	MHD_add_response_header(response, "Content-Type", type);
	MHD_add_response_header(response, "x-request-id", "req_test");
	if (header) {
		MHD_add_response_header(response, "Retry-After", header);
	}
	enum MHD_Result result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result give_error(struct MHD_Connection *connection, unsigned status,
	const char *header, const char *code, const char *message)
{
	buffer_cleanup json = {0};
	buffer_add_string(&json, "{\"error\":{\"message\":");
	buffer_add_json(&json, text_of(message));
	buffer_printf(&json, ",\"type\":\"error\",\"code\":\"%s\"}}", code);
	return give(connection, status, "application/json", header, buffer_text(&json));
}

// An answer that ends before its end.
struct piece {
	char *data;
	size_t length;
};

static ssize_t read_piece(void *data, uint64_t at, char *space, size_t room)
{
	struct piece *piece = data;
	size_t left = piece->length > at ? piece->length - (size_t)at : 0;
	if (left == 0) {
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	left = left < room ? left : room;
	memcpy(space, piece->data + at, left);
	return (ssize_t)left;
}

static void free_piece(void *data)
{
	struct piece *piece = data;
	free(piece->data);
	free(piece);
}

static enum MHD_Result give_cut(struct MHD_Connection *connection, struct text body)
{
	struct piece *piece = memory_alloc(sizeof(*piece));
	piece->length = body.length;
	piece->data = memory_alloc(piece->length + 1);
	memcpy(piece->data, body.data, piece->length);
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, 4096, read_piece, piece, free_piece);
	MHD_add_response_header(response, "Content-Type", "text/event-stream");
	enum MHD_Result result = MHD_queue_response(connection, 200, response);
	MHD_destroy_response(response);
	return result;
}

static bool is_allowed(struct MHD_Connection *connection)
{
	char expected[256];
	const char *given =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
	snprintf(expected, sizeof(expected), "Bearer %s", server.key ? server.key : "");
	return !server.key || (given && strcmp(given, expected) == 0);
}

// What stands for the answer when a fault is due; false: there is none.
static bool give_fault(
	struct MHD_Connection *connection, const char *fault, enum MHD_Result *result)
{
	if (strcmp(fault, "429") == 0) {
		*result = give_error(connection, 429, "0", "rate_limit_exceeded", "Too fast.");
	} else if (strcmp(fault, "429-slow") == 0) {
		*result = give_error(connection, 429, "1", "rate_limit_exceeded", "Too fast.");
	} else if (strcmp(fault, "quota") == 0) {
		*result = give_error(
			connection, 429, NULL, "insufficient_quota", "You have no money left.");
	} else if (strcmp(fault, "500") == 0) {
		*result = give_error(connection, 500, "0", "server_error", "It hurts.");
	} else if (strcmp(fault, "400") == 0) {
		*result = give_error(
			connection, 400, NULL, "context_length_exceeded", "The input is too long.");
	} else if (strcmp(fault, "404") == 0) {
		*result = give_error(connection, 404, NULL, "model_not_found", "No such model.");
	} else if (strcmp(fault, "html") == 0) {
		*result = give(connection, 200, "text/html", NULL, TEXT("<p>Log in first.</p>"));
	} else if (strcmp(fault, "garbage") == 0) {
		*result = give(connection, 200, "text/event-stream", NULL,
			TEXT("event: response.output_item.done\ndata: {\"item\":{{{\n\n"));
	} else if (strcmp(fault, "error") == 0) {
		*result = give(connection, 200, "text/event-stream", NULL,
			TEXT("data: {\"error\":{\"message\":\"Overloaded.\","
			     "\"code\":\"server_error\"}}\n\n"));
	} else if (strcmp(fault, "cut") == 0) {
		*result = give_cut(connection,
			TEXT("data: {\"type\":\"response.created\"}\n\ndata: "
			     "{\"type\":\"response.output_item.done\","));
	} else if (strcmp(fault, "empty") == 0) {
		*result = give(connection, 200, "text/event-stream", NULL, TEXT(""));
	} else {
		return false;
	}
	return true;
}

static enum MHD_Result reply(struct MHD_Connection *connection, const char *path, struct text body)
{
	char fault[32];
	bool chat = text_ends(text_of(path), "/chat/completions");
	struct answered answered = {0};
	struct error error = {0};
	enum MHD_Result result;
	buffer_cleanup text = {0};
	next_fault(fault, sizeof(fault));
	fprintf(stderr, "%s %zu %s\n", path, body.length, fault[0] ? fault : "ok");
	if (strcmp(fault, "hang") == 0) {
		sleep(60);
	}
	if (!is_allowed(connection)) {
		const char *given =
			MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
		buffer_printf(&text, "Incorrect API key provided: %s", given ? given : "none");
		return give_error(connection, 401, NULL, "invalid_api_key", text.data);
	}
	if (give_fault(connection, fault, &result)) {
		return result;
	}
	if (!chat && !text_ends(text_of(path), "/responses")) {
		return give_error(connection, 404, NULL, "not_found", "No such path.");
	}
	if (!ask(body, chat, &answered, &error)) {
		return give_error(connection, 400, NULL, "invalid_request_error", error.message);
	}
	bool stream = !server.whole;
	(chat ? write_chat : write_responses)(&text, answered.answer, stream);
	const char *type = stream ? "text/event-stream; charset=utf-8" : "application/json";
	result = give(connection, 200, type, NULL, buffer_text(&text));
	model_answer_destroy(answered.answer);
	return result;
}

static enum MHD_Result handle(void *unused, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *size, void **state)
{
	struct exchange *exchange = *state;
	(void)unused;
	(void)version;
	if (!exchange) {
		*state = memory_alloc(sizeof(*exchange));
		return MHD_YES;
	}
	if (*size) {
		if (exchange->body.length + *size > REQUEST_LIMIT) {
			return MHD_NO;
		}
		buffer_add(&exchange->body, upload, *size);
		*size = 0;
		return MHD_YES;
	}
	if (strcmp(method, "POST") != 0) {
		return give_error(connection, 405, NULL, "method", "Use POST.");
	}
	return reply(connection, path, buffer_text(&exchange->body));
}

static void completed(void *unused, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode why)
{
	struct exchange *exchange = *state;
	(void)unused;
	(void)connection;
	(void)why;
	if (exchange) {
		buffer_finish(&exchange->body);
		free(exchange);
	}
}

static bool read_arguments(int count, char **words)
{
	for (int i = 2; i < count; i++) {
		bool value = i + 1 < count;
		if (strcmp(words[i], "--whole") == 0) {
			server.whole = true;
		} else if (strcmp(words[i], "--key") == 0 && value) {
			server.key = words[++i];
		} else if (strcmp(words[i], "--faults") == 0 && value) {
			server.faults = words[++i];
		} else {
			return false;
		}
	}
	return count >= 2;
}

int main(int count, char **words)
{
	struct error error = {0};
	if (!read_arguments(count, words)) {
		fprintf(stderr,
			"usage: model_server SCRIPT [--whole] [--key KEY] [--faults LIST]\n");
		return 2;
	}
	server.rehearsal = rehearsal_open(words[1], &error);
	if (!server.rehearsal) {
		fprintf(stderr, "%s\n", error.message);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct MHD_Daemon *daemon =
		MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0,
			NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
			MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
	const union MHD_DaemonInfo *info =
		daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
	if (!info) {
		fprintf(stderr, "cannot listen\n");
		return 1;
	}
	printf("http://127.0.0.1:%u/v1\n", info->port);
	while (getchar() != EOF) { // until whoever started us is gone
		continue;
	}
	MHD_stop_daemon(daemon);
	model_client_destroy(server.rehearsal);
	return 0;
}
