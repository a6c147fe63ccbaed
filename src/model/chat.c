/* Chat Completions, as OpenAI, llama.cpp, vLLM, Ollama and most gateways speak it
 * (facts/model-apis.md section 3). The conversation is kept as Responses items; each is converted
 * once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/json.h"
#include "model/wire.h"

// --- The request ---

static void add_tools(struct buffer *json, struct text tools)
{
	struct error ignored = {0}; // our own list
	json_cleanup *list = json_parse(tools, &ignored);
	const char *separator = "";
	const cJSON *tool;
	buffer_add_string(json, ",\"tools\":[");
	cJSON_ArrayForEach(tool, list)
	{
		buffer_cleanup parameters = {0};
		json_print(&parameters, cJSON_GetObjectItemCaseSensitive(tool, "parameters"));
		buffer_printf(json, "%s{\"type\":\"function\",\"function\":{\"name\":", separator);
		buffer_add_json(json, text_of(json_string(tool, "name", "")));
		buffer_add_string(json, ",\"description\":");
		buffer_add_json(json, text_of(json_string(tool, "description", "")));
		buffer_printf(json, ",\"parameters\":%s}}", parameters.data);
		separator = ",";
	}
	buffer_add_char(json, ']');
}

static void add_number(struct buffer *json, const char *name, double value)
{
	if (value >= 0) {
		buffer_printf(json, ",\"%s\":", name);
		buffer_add_json_number(json, value);
	}
}

static void add_tool_choice(struct buffer *json, const char *choice)
{
	bool word = choice &&
		(strcmp(choice, "auto") == 0 || strcmp(choice, "required") == 0 ||
			strcmp(choice, "none") == 0);
	if (!choice) {
		return;
	}
	buffer_add_string(json,
		word ? ",\"tool_choice\":"
		     : ",\"tool_choice\":{\"type\":\"function\",\"function\":{"
		       "\"name\":");
	buffer_add_json(json, text_of(choice));
	buffer_add_string(json, word ? "" : "}}");
}

static void frame(struct wire_frame *frame, const struct model_settings *settings,
	const struct model_request *request)
{
	struct buffer *json = &frame->head;
	buffer_add_string(json, "{\"model\":");
	buffer_add_json(json, text_of(settings->model));
	buffer_add_string(json, ",\"stream\":true,\"stream_options\":{\"include_usage\":true}");
	if (request->max_output_tokens) {
		// OpenAI's own reasoning models know only the newer name; local servers the older.
		bool own = strcmp(settings->provider, "openai") == 0;
		add_number(json, own ? "max_completion_tokens" : "max_tokens",
			(double)request->max_output_tokens);
	}
	add_number(json, "temperature", settings->temperature);
	add_number(json, "top_p", settings->top_p);
	if (settings->reasoning_effort) {
		buffer_add_string(json, ",\"reasoning_effort\":");
		buffer_add_json(json, text_of(settings->reasoning_effort));
	}
	if (request->tools.length > 2) {
		add_tools(json, request->tools);
		add_tool_choice(json, settings->tool_choice);
		if (settings->parallel_tool_calls >= 0) {
			buffer_printf(json, ",\"parallel_tool_calls\":%s",
				settings->parallel_tool_calls ? "true" : "false");
		}
	}
	buffer_add_string(json, ",\"messages\":[{\"role\":\"system\",\"content\":");
	buffer_add_json(json, request->instructions);
	buffer_add_string(json, request->item_count ? "}," : "}");
	buffer_add_string(&frame->tail, "]}");
}

// --- The conversation ---

// A message made of one item or, for an answer with calls, of several; found again by where the text
// of its first item lies, which stays as long as the conversation does.
struct converted {
	const char *first; // NULL: free
	size_t items;
	struct text message; // empty: nothing is sent for them
};

struct wire_memory {
	struct arena arena;
	struct converted *table;
	size_t capacity, count; // a power of two
};

static struct converted *find(struct wire_memory *memory, const char *first)
{
	size_t place = ((size_t)first >> 3) * 0x9e3779b97f4a7c15u;
	place = (place >> 20) & (memory->capacity - 1);
	while (memory->table[place].first && memory->table[place].first != first) {
		place = (place + 1) & (memory->capacity - 1);
	}
	return &memory->table[place];
}

static void grow(struct wire_memory *memory)
{
	struct wire_memory before = *memory;
	if ((memory->count + 1) * 2 < memory->capacity) {
		return;
	}
	memory->capacity = before.capacity ? before.capacity * 2 : 64;
	memory->table = memory_alloc(memory->capacity * sizeof(*memory->table));
	for (size_t i = 0; i < before.capacity; i++) {
		if (before.table[i].first) {
			*find(memory, before.table[i].first) = before.table[i];
		}
	}
	free(before.table);
}

static void forget(struct wire_memory *memory)
{
	if (memory) {
		arena_finish(&memory->arena);
		free(memory->table);
		free(memory);
	}
}

// All texts of a message's parts, or the one string that its content is.
static void add_content(struct buffer *json, const cJSON *content)
{
	buffer_cleanup text = {0};
	const cJSON *part;
	if (cJSON_IsString(content)) {
		buffer_add_string(&text, content->valuestring);
	}
	const cJSON *list = cJSON_IsArray(content) ? content : NULL;
	cJSON_ArrayForEach(part, list)
	{
		buffer_add_string(&text, json_string(part, "text", ""));
		buffer_add_string(&text, json_string(part, "refusal", ""));
	}
	buffer_add_json(json, buffer_text(&text));
}

static const char *item_type(const cJSON *item)
{
	return json_string(item, "type", "message");
}

static bool is_answer(const cJSON *item)
{
	const char *type = item_type(item);
	return strcmp(type, "function_call") == 0 || strcmp(type, "reasoning") == 0 ||
		(strcmp(type, "message") == 0 &&
			strcmp(json_string(item, "role", ""), "assistant") == 0);
}

static void add_call(struct buffer *calls, const cJSON *item)
{
	const char *arguments = json_string(item, "arguments", "");
	buffer_printf(calls, "%s{\"id\":", calls->length ? "," : "");
	buffer_add_json(calls, text_of(json_string(item, "call_id", "")));
	buffer_add_string(calls, ",\"type\":\"function\",\"function\":{\"name\":");
	buffer_add_json(calls, text_of(json_string(item, "name", "")));
	buffer_add_string(calls, ",\"arguments\":");
	buffer_add_json(calls, arguments[0] ? text_of(arguments) : TEXT("{}"));
	buffer_add_string(calls, "}}");
}

// What a model gave in one go is one message: its text and all its calls.
static size_t convert_answer(struct buffer *json, const struct text *items, size_t count)
{
	buffer_cleanup content = {0}, calls = {0};
	struct error ignored = {0}; // items were valid when they came in
	size_t taken = 0;
	for (; taken < count; taken++) {
		json_cleanup *item = json_parse(items[taken], &ignored);
		if (!is_answer(item)) {
			break;
		}
		const char *type = item_type(item);
		if (strcmp(type, "function_call") == 0) {
			add_call(&calls, item);
		} else if (strcmp(type, "message") == 0) {
			if (calls.length || content.length) {
				break; // the next answer
			}
			add_content(&content, cJSON_GetObjectItemCaseSensitive(item, "content"));
		}
	}
	if (content.length || calls.length) {
		buffer_printf(json, "{\"role\":\"assistant\",\"content\":%s",
			content.length ? content.data : "null");
		if (calls.length) {
			buffer_printf(json, ",\"tool_calls\":[%s]", calls.data);
		}
		buffer_add_char(json, '}');
	}
	return taken;
}

static size_t convert(struct buffer *json, const struct text *items, size_t count)
{
	struct error ignored = {0};
	json_cleanup *item = json_parse(items[0], &ignored);
	if (is_answer(item)) {
		return convert_answer(json, items, count);
	}
	if (strcmp(item_type(item), "function_call_output") == 0) {
		const cJSON *output = cJSON_GetObjectItemCaseSensitive(item, "output");
		buffer_add_string(json, "{\"role\":\"tool\",\"tool_call_id\":");
		buffer_add_json(json, text_of(json_string(item, "call_id", "")));
		buffer_add_string(json, ",\"content\":");
		add_content(json, output);
		buffer_add_char(json, '}');
	} else if (strcmp(item_type(item), "message") == 0) {
		buffer_add_string(json, "{\"role\":\"user\",\"content\":");
		add_content(json, cJSON_GetObjectItemCaseSensitive(item, "content"));
		buffer_add_char(json, '}');
	}
	return 1; // what has no place in this format is left out
}

static struct wire_parts parts(
	struct wire_memory **kept, struct arena *arena, const struct model_request *request)
{
	struct wire_memory *memory = *kept = *kept ? *kept : memory_alloc(sizeof(*memory));
	struct text *list = arena_new_array(arena, request->item_count + 1, struct text);
	struct wire_parts parts = {list, 0};
	size_t at = 0;
	while (at < request->item_count) {
		grow(memory);
		struct converted *found = find(memory, request->items[at].data);
		if (!found->first) {
			buffer_cleanup json = {0};
			size_t taken =
				convert(&json, request->items + at, request->item_count - at);
			found->first = request->items[at].data;
			found->items = taken ? taken : 1;
			found->message = text_copy(&memory->arena, buffer_text(&json));
			memory->count++;
		}
		if (found->message.length) {
			list[parts.count++] = found->message;
		}
		at += found->items;
	}
	return parts;
}

// --- The answer ---

struct chat_call {
	struct buffer id, name, arguments;
};

struct chat_reading {
	struct buffer content, refusal;
	struct chat_call *calls; // by their index
	size_t call_count;
	bool any; // a choice was seen
};

static void release(struct wire_reading *reading)
{
	struct chat_reading *chat = reading->chat;
	if (!chat) {
		return;
	}
	for (size_t i = 0; i < chat->call_count; i++) {
		buffer_finish(&chat->calls[i].id);
		buffer_finish(&chat->calls[i].name);
		buffer_finish(&chat->calls[i].arguments);
	}
	free(chat->calls);
	buffer_finish(&chat->content);
	buffer_finish(&chat->refusal);
	free(chat);
	reading->chat = NULL;
}

static int64_t count_of(const cJSON *object, const char *name)
{
	double number = json_number(object, name, 0);
	return number > 0 && number < 1e15 ? (int64_t)number : 0;
}

static void take_usage(struct model_usage *usage, const cJSON *tree)
{
	if (!cJSON_IsObject(tree)) {
		return;
	}
	const cJSON *input = cJSON_GetObjectItemCaseSensitive(tree, "prompt_tokens_details");
	const cJSON *output = cJSON_GetObjectItemCaseSensitive(tree, "completion_tokens_details");
	usage->input = count_of(tree, "prompt_tokens");
	usage->output = count_of(tree, "completion_tokens");
	usage->cached = count_of(input, "cached_tokens");
	usage->reasoning = count_of(output, "reasoning_tokens");
}

// The call that a fragment belongs to: by its index; without one, by its id, else the last.
static struct chat_call *call_of(struct chat_reading *chat, const cJSON *fragment)
{
	const cJSON *index = cJSON_GetObjectItemCaseSensitive(fragment, "index");
	const char *id = json_string(fragment, "id", "");
	size_t place = chat->call_count;
	if (cJSON_IsNumber(index)) {
		place = index->valuedouble >= 0 && index->valuedouble < ANSWER_CALLS
			? (size_t)index->valuedouble
			: ANSWER_CALLS;
	} else if (chat->call_count &&
		(!id[0] || text_is(buffer_text(&chat->calls[chat->call_count - 1].id), id))) {
		place = chat->call_count - 1;
	}
	if (place >= ANSWER_CALLS) {
		return NULL;
	}
	if (place >= chat->call_count) {
		chat->calls = memory_resize(chat->calls, (place + 1) * sizeof(*chat->calls));
		memset(&chat->calls[chat->call_count], 0,
			(place + 1 - chat->call_count) * sizeof(*chat->calls));
		chat->call_count = place + 1;
	}
	return &chat->calls[place];
}

static bool take_calls(struct wire_reading *reading, const cJSON *fragments)
{
	struct chat_reading *chat = reading->chat;
	const cJSON *fragment;
	cJSON_ArrayForEach(fragment, fragments)
	{
		struct chat_call *call = call_of(chat, fragment);
		const cJSON *function = cJSON_GetObjectItemCaseSensitive(fragment, "function");
		const cJSON *arguments = cJSON_GetObjectItemCaseSensitive(function, "arguments");
		if (!call) {
			return wire_fail(reading, false, "the answer has too many calls");
		}
		if (call->id.length == 0) { // some repeat it
			buffer_add_string(&call->id, json_string(fragment, "id", ""));
		}
		if (call->name.length == 0) {
			buffer_add_string(&call->name, json_string(function, "name", ""));
		}
		if (cJSON_IsObject(arguments)) { // not as a text, as it should be
			json_print(&call->arguments, arguments);
		} else {
			buffer_add_string(&call->arguments, json_string(function, "arguments", ""));
		}
	}
	return true;
}

static bool take_choice(struct wire_reading *reading, const cJSON *choice)
{
	struct chat_reading *chat = reading->chat;
	const cJSON *message = cJSON_GetObjectItemCaseSensitive(choice, "delta");
	message = message ? message : cJSON_GetObjectItemCaseSensitive(choice, "message");
	const char *reason = json_string(choice, "finish_reason", "");
	chat->any = chat->any || message;
	reading->cut = reading->cut || strcmp(reason, "length") == 0;
	reading->refused = reading->refused || strcmp(reason, "content_filter") == 0;
	reading->over = reading->over || reason[0];
	const char *content = json_string(message, "content", "");
	buffer_add_string(&chat->content, content);
	if (reading->said && content[0]) {
		reading->said(reading->said_data, text_of(content));
	}
	buffer_add_string(&chat->refusal, json_string(message, "refusal", ""));
	return take_calls(reading, cJSON_GetObjectItemCaseSensitive(message, "tool_calls"));
}

static bool take_document(struct wire_reading *reading, struct text body)
{
	struct error why = {0};
	json_cleanup *tree = json_parse(body, &why);
	reading->chat = reading->chat ? reading->chat : memory_alloc(sizeof(*reading->chat));
	if (!cJSON_IsObject(tree)) {
		return wire_fail(
			reading, true, "a part of the answer is no JSON object: %s", why.message);
	}
	if (cJSON_GetObjectItemCaseSensitive(tree, "error")) {
		buffer_cleanup text = {0};
		char code[64];
		wire_explain(&text, body, code, sizeof(code));
		return wire_fail(reading, true, "%s", text.data);
	}
	take_usage(&reading->answer->usage, cJSON_GetObjectItemCaseSensitive(tree, "usage"));
	const cJSON *choices = cJSON_GetObjectItemCaseSensitive(tree, "choices");
	const cJSON *choice = cJSON_GetArrayItem(choices, 0);
	return !choice || take_choice(reading, choice);
}

static bool take_event(struct wire_reading *reading, const struct sse_event *event)
{
	if (text_starts(event->data, "[DONE]")) {
		reading->over = true;
		return true;
	}
	return take_document(reading, event->data);
}

static bool finish(struct wire_reading *reading)
{
	struct chat_reading *chat = reading->chat;
	struct model_answer *answer = reading->answer;
	bool fine = true;
	if (chat->refusal.length && !chat->content.length) {
		reading->refused = true;
		fine = answer_add_message(answer, "refusal", buffer_text(&chat->refusal));
		answer->text = text_copy(&answer->arena, buffer_text(&chat->refusal));
	} else if (chat->content.length) {
		fine = answer_add_message(answer, "output_text", buffer_text(&chat->content));
		answer->text = text_copy(&answer->arena, buffer_text(&chat->content));
	}
	for (size_t i = 0; fine && i < chat->call_count; i++) {
		struct chat_call *call = &chat->calls[i];
		if (call->name.length == 0) {
			continue; // an index that was left out
		}
		if (call->arguments.length == 0) {
			buffer_add_string(&call->arguments, "{}");
		}
		bool known = call->id.length > 0;
		for (size_t j = 0; known && j < i; j++) {
			known = !text_equal(
				buffer_text(&call->id), buffer_text(&chat->calls[j].id));
		}
		if (!known) { // ids have to be there, and to differ
			buffer_clear(&call->id);
			unsigned random = 0;
			getrandom(&random, sizeof(random), GRND_NONBLOCK);
			buffer_printf(&call->id, "call_%08x_%zu", random, i + 1);
		}
		fine = answer_add_call(answer, buffer_text(&call->id), buffer_text(&call->name),
			buffer_text(&call->arguments));
	}
	return fine || wire_fail(reading, false, "the answer has too many items");
}

static bool end(struct wire_reading *reading)
{
	if (!reading->over || !reading->chat || !reading->chat->any) {
		return wire_fail(reading, true, "the answer broke off before its end");
	}
	return finish(reading);
}

static bool whole(struct wire_reading *reading, struct text body)
{
	reading->over = true;
	return take_document(reading, body);
}

const struct wire wire_chat = {
	.name = "chat",
	.path = "/chat/completions",
	.frame = frame,
	.parts = parts,
	.forget = forget,
	.event = take_event,
	.whole = whole,
	.end = end,
	.release = release,
};
