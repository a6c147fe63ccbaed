/* The OpenAI Responses API, stateless: nothing is stored there, reasoning comes back encrypted and
 * is sent again as it came (facts/model-apis.md section 2). */
#include <string.h>

#include "base/json.h"
#include "base/json_raw.h"
#include "model/wire.h"

static void add_string(struct buffer *json, const char *name, const char *value)
{
	if (value) {
		buffer_printf(json, ",\"%s\":", name);
		buffer_add_json(json, text_of(value));
	}
}

static void add_number(struct buffer *json, const char *name, double value)
{
	if (value >= 0) {
		buffer_printf(json, ",\"%s\":", name);
		buffer_add_json_number(json, value);
	}
}

// "auto", "required", "none", or the name of a tool.
static void add_tool_choice(struct buffer *json, const char *choice)
{
	static const char *const words[] = {"auto", "required", "none"};
	if (!choice) {
		return;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(choice, words[i]) == 0) {
			add_string(json, "tool_choice", choice);
			return;
		}
	}
	buffer_add_string(json, ",\"tool_choice\":{\"type\":\"function\",\"name\":");
	buffer_add_json(json, text_of(choice));
	buffer_add_char(json, '}');
}

static void frame(struct wire_frame *frame, const struct model_settings *settings,
	const struct model_request *request)
{
	struct buffer *json = &frame->head;
	buffer_add_string(json, "{\"model\":");
	buffer_add_json(json, text_of(settings->model));
	buffer_add_string(json,
		",\"store\":false,\"stream\":true,\"include\":"
		"[\"reasoning.encrypted_content\"]");
	if (request->max_output_tokens) {
		add_number(json, "max_output_tokens", (double)request->max_output_tokens);
	}
	add_number(json, "temperature", settings->temperature);
	add_number(json, "top_p", settings->top_p);
	if (settings->parallel_tool_calls >= 0) {
		buffer_printf(json, ",\"parallel_tool_calls\":%s",
			settings->parallel_tool_calls ? "true" : "false");
	}
	if (settings->reasoning_effort || settings->reasoning_summary) {
		const char *effort = settings->reasoning_effort;
		buffer_add_string(json, ",\"reasoning\":{");
		if (effort) {
			buffer_add_string(json, "\"effort\":");
			buffer_add_json(json, text_of(effort));
		}
		if (settings->reasoning_summary) {
			buffer_add_string(json, effort ? ",\"summary\":" : "\"summary\":");
			buffer_add_json(json, text_of(settings->reasoning_summary));
		}
		buffer_add_char(json, '}');
	}
	add_tool_choice(json, settings->tool_choice);
	buffer_add_string(json, ",\"tools\":");
	buffer_add_text(json, request->tools.length ? request->tools : TEXT("[]"));
	buffer_add_string(json, ",\"instructions\":");
	buffer_add_json(json, request->instructions);
	buffer_add_string(json, ",\"input\":[");
	buffer_add_string(&frame->tail, "]}");
}

static void add_parts(struct wire_reading *reading, const cJSON *item)
{
	struct model_answer *answer = reading->answer;
	buffer_cleanup text = {0};
	const cJSON *part;
	buffer_add_text(&text, answer->text);
	cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(item, "content"))
	{
		bool refusal = strcmp(json_string(part, "type", ""), "refusal") == 0;
		reading->refused = reading->refused || refusal;
		buffer_add_string(&text, json_string(part, refusal ? "refusal" : "text", ""));
	}
	answer->text = text_copy(&answer->arena, buffer_text(&text));
}

// An item of the answer: kept as it came, and looked at for what concerns us.
static bool take_item(struct wire_reading *reading, struct text raw)
{
	struct error why = {0};
	json_cleanup *item = json_parse(raw, &why);
	if (!cJSON_IsObject(item)) {
		return wire_fail(
			reading, true, "an item of the answer is no JSON object: %s", why.message);
	}
	const char *type = json_string(item, "type", "");
	if (strcmp(type, "reasoning") == 0 && !reading->keeps_reasoning) {
		return true;
	}
	bool fine = answer_add_item(reading->answer, raw);
	if (strcmp(type, "function_call") == 0) {
		fine = fine &&
			answer_note_call(reading->answer, text_of(json_string(item, "call_id", "")),
				text_of(json_string(item, "name", "")),
				text_of(json_string(item, "arguments", "")));
	} else if (strcmp(type, "message") == 0) {
		add_parts(reading, item);
	}
	return fine || wire_fail(reading, false, "the answer has too many items");
}

static bool take_items(struct wire_reading *reading, struct text response)
{
	struct text rest, item;
	if (!json_raw_member(response, "output", &rest)) {
		return true;
	}
	while (json_raw_next(&rest, &item)) {
		if (!take_item(reading, item)) {
			return false;
		}
	}
	return true;
}

static int64_t count_of(const cJSON *object, const char *name)
{
	double number = json_number(object, name, 0);
	return number > 0 && number < 1e15 ? (int64_t)number : 0;
}

static void take_usage(struct model_usage *usage, struct text raw)
{
	struct error ignored = {0}; // a service need not say what was used
	json_cleanup *tree = json_parse(raw, &ignored);
	const cJSON *input = cJSON_GetObjectItemCaseSensitive(tree, "input_tokens_details");
	const cJSON *output = cJSON_GetObjectItemCaseSensitive(tree, "output_tokens_details");
	usage->input = count_of(tree, "input_tokens");
	usage->output = count_of(tree, "output_tokens");
	usage->cached = count_of(input, "cached_tokens");
	usage->reasoning = count_of(output, "reasoning_tokens");
}

static bool raw_is(struct text object, const char *name, const char *value)
{
	struct text raw;
	return json_raw_member(object, name, &raw) && raw.length >= 2 &&
		text_is((struct text){raw.data + 1, raw.length - 2}, value);
}

// Errors that come of what was asked do not go away by asking again.
static bool fail_with(struct wire_reading *reading, struct text error)
{
	static const char *const final[] = {"invalid_prompt", "invalid_request_error",
		"context_length_exceeded", "insufficient_quota", "invalid_image"};
	buffer_cleanup text = {0};
	char code[64];
	bool again = true;
	wire_explain(&text, error, code, sizeof(code));
	for (size_t i = 0; i < sizeof(final) / sizeof(final[0]); i++) {
		again = again && strcmp(code, final[i]) != 0;
	}
	return wire_fail(reading, again, "%s", text.data);
}

// The whole response, at the end of a stream or alone.
static bool take_response(struct wire_reading *reading, struct text response)
{
	struct text raw;
	reading->over = true;
	if (raw_is(response, "status", "failed") || raw_is(response, "status", "cancelled")) {
		bool told = json_raw_member(response, "error", &raw) && raw.length > 4;
		return fail_with(reading, told ? raw : TEXT("{\"message\":\"it failed\"}"));
	}
	if (raw_is(response, "status", "incomplete")) {
		bool told = json_raw_member(response, "incomplete_details", &raw);
		bool filtered = told && raw_is(raw, "reason", "content_filter");
		reading->refused = reading->refused || filtered;
		reading->cut = !filtered;
	}
	if (json_raw_member(response, "usage", &raw)) {
		take_usage(&reading->answer->usage, raw);
	}
	return reading->answer->item_count || take_items(reading, response);
}

static bool whole(struct wire_reading *reading, struct text body)
{
	struct text error;
	if (json_raw_member(body, "error", &error) && error.data[0] == '{') {
		return fail_with(reading, body);
	}
	return take_response(reading, body);
}

// The type stands in the data; most events are not looked at any further.
static struct text type_of(const struct sse_event *event)
{
	static const char start[] = "{\"type\":\"";
	struct error ignored = {0};
	struct text type = event->type;
	if (text_starts(event->data, start)) {
		size_t length = sizeof(start) - 1;
		struct text rest = {event->data.data + length, event->data.length - length};
		return (struct text){rest.data, text_find(rest, TEXT("\""))};
	}
	if (json_check_grammar(event->data, &ignored) &&
		json_raw_member(event->data, "type", &type) && type.length >= 2) {
		return (struct text){type.data + 1, type.length - 2};
	}
	return type;
}

// For people who watch: what counts comes with the item that is done.
static void tell_delta(struct wire_reading *reading, const struct sse_event *event)
{
	struct error ignored = {0};
	json_cleanup *tree = json_parse(event->data, &ignored);
	const char *delta = json_string(tree, "delta", "");
	if (delta[0]) {
		reading->said(reading->said_data, text_of(delta));
	}
}

static bool take_event(struct wire_reading *reading, const struct sse_event *event)
{
	static const struct {
		const char *type;
		const char *member;
		bool (*take)(struct wire_reading *reading, struct text member);
	} handled[] = {{"response.output_item.done", "item", take_item},
		{"response.completed", "response", take_response},
		{"response.incomplete", "response", take_response},
		{"response.failed", "response", take_response}};
	struct text type = type_of(event), member;
	struct error why = {0};
	for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++) {
		if (!text_is(type, handled[i].type)) {
			continue;
		}
		if (!json_check_grammar(event->data, &why) ||
			!json_raw_member(event->data, handled[i].member, &member)) {
			return wire_fail(reading, true, "an event of the answer is damaged: %s",
				why.message);
		}
		return handled[i].take(reading, member);
	}
	if (reading->said && text_is(type, "response.output_text.delta")) {
		tell_delta(reading, event);
		return true;
	}
	// An error may come without a name, even after a success was announced.
	bool failed = text_is(type, "error") ||
		(!type.length && json_check_grammar(event->data, &why) &&
			json_raw_member(event->data, "error", &member));
	return !failed || fail_with(reading, event->data);
}

static bool end(struct wire_reading *reading)
{
	return reading->over || wire_fail(reading, true, "the answer broke off before its end");
}

const struct wire wire_responses = {
	.name = "responses",
	.path = "/responses",
	.frame = frame,
	.event = take_event,
	.whole = whole,
	.end = end,
};
