#include "engine/event_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	size_t offset;
} limit_fields[] = {
	{"max_turns", offsetof(struct team_limits, max_turns)},
	{"timeout", offsetof(struct team_limits, timeout)},
	{"max_nano_usd", offsetof(struct team_limits, max_nano_usd)},
	{"max_tokens", offsetof(struct team_limits, max_tokens)},
	{"max_tool_calls", offsetof(struct team_limits, max_tool_calls)},
	{"max_handoffs", offsetof(struct team_limits, max_handoffs)},
};

enum { LIMIT_FIELDS = sizeof(limit_fields) / sizeof(limit_fields[0]) };

static void add_calls(struct buffer *json, const struct run_event *event)
{
	buffer_add_char(json, '[');
	for (uint32_t i = 0; i < event->call_count; i++) {
		const struct run_call_facts *call = &event->calls[i];
		buffer_printf(json,
			"%s{\"kind\":\"%s\",\"hash\":\"%" PRIx64 "\",\"bytes\":%" PRId64,
			i ? "," : "", run_call_kind_name(call->kind), call->hash, call->bytes);
		if (call->edge != RUN_NONE) {
			buffer_printf(json, ",\"edge\":%" PRIu32, call->edge);
		}
		buffer_printf(json, "%s%s%s}", call->effectful ? ",\"effectful\":true" : "",
			call->repeatable ? ",\"repeatable\":true" : "",
			call->ask ? ",\"ask\":true" : "");
	}
	buffer_add_char(json, ']');
}

static void add_gates(struct buffer *json, const struct run_event *event)
{
	buffer_add_char(json, '[');
	for (uint32_t i = 0; i < event->gate_count; i++) {
		buffer_printf(json, "%s%" PRIu32, i ? "," : "", event->gates[i]);
	}
	buffer_add_char(json, ']');
}

static void add_limits(struct buffer *json, const struct team_limits *limits)
{
	const char *separator = "";
	buffer_add_char(json, '{');
	for (size_t i = 0; i < LIMIT_FIELDS; i++) {
		int64_t value;
		memcpy(&value, (const char *)limits + limit_fields[i].offset, sizeof(value));
		if (value) {
			buffer_printf(
				json, "%s\"%s\":%" PRId64, separator, limit_fields[i].name, value);
			separator = ",";
		}
	}
	buffer_add_char(json, '}');
}

static void add_field(struct buffer *json, const struct run_event *event,
	const struct run_field *field, const char *separator)
{
	const char *at = (const char *)event + field->offset;
	uint32_t number32;
	int64_t number64;
	bool flag;
	memcpy(&number32, at, sizeof(number32));
	memcpy(&number64, at, sizeof(number64));
	memcpy(&flag, at, sizeof(flag));
	// What says nothing is left out: no reference, no flag, no bits.
	if ((field->type == FIELD_NUMBER32 && number32 == RUN_NONE) ||
		(field->type == FIELD_FLAG && !flag) ||
		(field->type == FIELD_BITS64 && number64 == 0)) {
		return;
	}
	buffer_printf(json, "%s\"%s\":", separator, field->name);
	switch (field->type) {
	case FIELD_NUMBER32:
		buffer_printf(json, "%" PRIu32, number32);
		break;
	case FIELD_NUMBER64:
		buffer_printf(json, "%" PRId64, number64);
		break;
	case FIELD_BITS64:
		buffer_printf(json, "\"%" PRIx64 "\"", (uint64_t)number64);
		break;
	case FIELD_FLAG:
		buffer_add_string(json, "true");
		break;
	case FIELD_CODE:
		buffer_printf(json, "\"%s\"", run_code_name(event->kind, event->code));
		break;
	case FIELD_CALLS:
		add_calls(json, event);
		break;
	case FIELD_GATES:
		add_gates(json, event);
		break;
	case FIELD_LIMITS:
		add_limits(json, &event->raise);
		break;
	}
}

void event_to_json(struct buffer *json, const struct run_event *event)
{
	buffer_printf(json, "{\"at\":%" PRId64, event->at);
	for (const struct run_field *field = run_event_fields(event->kind); field->name; field++) {
		add_field(json, event, field, ",");
	}
	buffer_add_char(json, '}');
}

static uint32_t code_of(enum run_event_kind kind, const char *name)
{
	const char *known;
	for (uint32_t code = 0; (known = run_code_name(kind, code)); code++) {
		if (strcmp(known, name) == 0) {
			return code;
		}
	}
	return RUN_NONE;
}

static enum run_call_kind call_kind_of(const char *name)
{
	const char *known;
	for (enum run_call_kind kind = 0; (known = run_call_kind_name(kind)); kind++) {
		if (strcmp(known, name) == 0) {
			return kind;
		}
	}
	return CALL_MALFORMED;
}

static void read_calls(struct arena *arena, const cJSON *array, struct run_event *event)
{
	int count = cJSON_GetArraySize(array);
	struct run_call_facts *calls = arena_new_array(arena, (size_t)count, struct run_call_facts);
	const cJSON *item;
	event->calls = calls;
	event->call_count = (uint32_t)count;
	cJSON_ArrayForEach(item, array)
	{
		*calls++ =
			(struct run_call_facts){.kind = call_kind_of(json_string(item, "kind", "")),
				.edge = (uint32_t)json_number(item, "edge", RUN_NONE),
				.effectful = json_boolean(item, "effectful", false),
				.repeatable = json_boolean(item, "repeatable", false),
				.ask = json_boolean(item, "ask", false),
				.hash = strtoull(json_string(item, "hash", "0"), NULL, 16),
				.bytes = (int64_t)json_number(item, "bytes", 0)};
	}
}

static void read_gates(struct arena *arena, const cJSON *array, struct run_event *event)
{
	int count = cJSON_GetArraySize(array);
	uint32_t *gates = arena_new_array(arena, (size_t)count, uint32_t);
	const cJSON *item;
	event->gates = gates;
	event->gate_count = (uint32_t)count;
	cJSON_ArrayForEach(item, array)
	{
		*gates++ = cJSON_IsNumber(item) ? (uint32_t)item->valuedouble : RUN_NONE;
	}
}

static void read_limits(const cJSON *object, struct team_limits *limits)
{
	for (size_t i = 0; i < LIMIT_FIELDS; i++) {
		int64_t value = (int64_t)json_number(object, limit_fields[i].name, 0);
		memcpy((char *)limits + limit_fields[i].offset, &value, sizeof(value));
	}
}

static bool read_field(struct arena *arena, const cJSON *object, const struct run_field *field,
	struct run_event *event)
{
	char *at = (char *)event + field->offset;
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, field->name);
	uint32_t number32 = value ? (uint32_t)json_number(object, field->name, RUN_NONE) : RUN_NONE;
	int64_t number64 = (int64_t)json_number(object, field->name, 0);
	bool flag = cJSON_IsTrue(value);
	switch (field->type) {
	case FIELD_NUMBER32:
		memcpy(at, &number32, sizeof(number32));
		break;
	case FIELD_NUMBER64:
		memcpy(at, &number64, sizeof(number64));
		break;
	case FIELD_BITS64:
		number64 = (int64_t)strtoull(json_string(object, field->name, "0"), NULL, 16);
		memcpy(at, &number64, sizeof(number64));
		break;
	case FIELD_FLAG:
		memcpy(at, &flag, sizeof(flag));
		break;
	case FIELD_CODE:
		event->code = code_of(event->kind, json_string(object, field->name, ""));
		return event->code != RUN_NONE;
	case FIELD_CALLS:
		read_calls(arena, value, event);
		break;
	case FIELD_GATES:
		read_gates(arena, value, event);
		break;
	case FIELD_LIMITS:
		read_limits(value, &event->raise);
		break;
	}
	return true;
}

bool event_from_json(struct arena *arena, const char *kind, struct text json,
	struct run_event *event, struct error *error)
{
	*event = (struct run_event){.kind = run_event_kind_of(kind)};
	json_cleanup *object = json_parse(json, error);
	if (!object) {
		return error_wrap(error, "event '%s' of the journal", kind);
	}
	if (event->kind == RUN_EVENT_KINDS) {
		return error_set(
			error, ERROR_FAILED, "the journal has an unknown event '%s'", kind);
	}
	event->at = (int64_t)json_number(object, "at", 0);
	for (const struct run_field *field = run_event_fields(event->kind); field->name; field++) {
		if (!read_field(arena, object, field, event)) {
			return error_set(error, ERROR_FAILED,
				"event '%s' of the journal has no valid '%s'", kind, field->name);
		}
	}
	return true;
}
