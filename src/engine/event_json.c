#include "engine/event_json.h"

#include <inttypes.h>
#include <string.h>

#include "base/json_raw.h"

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

// The texts of numbers and strings as this file writes them; what is written otherwise is no value.
static bool read_number(struct text value, int64_t *number)
{
	bool negative = value.length && value.data[0] == '-';
	int64_t sum = 0;
	if (value.length == (size_t)negative) {
		return false;
	}
	for (size_t i = negative; i < value.length; i++) {
		int digit = value.data[i] - '0';
		if (digit < 0 || digit > 9 || __builtin_mul_overflow(sum, 10, &sum) ||
			__builtin_sub_overflow(sum, digit, &sum)) {
			return false;
		}
	}
	// Counted downwards, as there is one more below zero.
	if (!negative && sum == INT64_MIN) {
		return false;
	}
	*number = negative ? sum : -sum;
	return true;
}

static bool read_bits(struct text value, uint64_t *bits)
{
	uint64_t sum = 0;
	if (value.length < 3 || value.length > 18 || value.data[0] != '"') {
		return false;
	}
	for (size_t i = 1; i + 1 < value.length; i++) {
		char digit = value.data[i];
		bool decimal = digit >= '0' && digit <= '9';
		if (!decimal && !(digit >= 'a' && digit <= 'f')) {
			return false;
		}
		sum = sum << 4 | (uint64_t)(decimal ? digit - '0' : digit - 'a' + 10);
	}
	*bits = sum;
	return true;
}

static bool read_number32(struct text value, uint32_t *number)
{
	int64_t wide;
	if (!read_number(value, &wide) || wide < 0 || wide > UINT32_MAX) {
		return false;
	}
	*number = (uint32_t)wide;
	return true;
}

static struct text within_quotes(struct text value)
{
	bool quoted = value.length >= 2 && value.data[0] == '"';
	return quoted ? (struct text){value.data + 1, value.length - 2} : (struct text){0};
}

static bool read_call(struct text object, struct run_call_facts *call)
{
	struct text rest = object, name, value;
	bool fine = true;
	*call = (struct run_call_facts){.kind = CALL_MALFORMED, .edge = RUN_NONE};
	while (fine && json_raw_next_member(&rest, &name, &value)) {
		if (text_is(name, "kind")) {
			call->kind = run_call_kind_of(within_quotes(value));
			fine = call->kind != CALL_KINDS;
		} else if (text_is(name, "hash")) {
			fine = read_bits(value, &call->hash);
		} else if (text_is(name, "bytes")) {
			fine = read_number(value, &call->bytes);
		} else if (text_is(name, "edge")) {
			fine = read_number32(value, &call->edge);
		} else if (text_is(name, "effectful")) {
			call->effectful = text_is(value, "true");
		} else if (text_is(name, "repeatable")) {
			call->repeatable = text_is(value, "true");
		} else if (text_is(name, "ask")) {
			call->ask = text_is(value, "true");
		}
	}
	return fine;
}

static uint32_t count_elements(struct text array)
{
	struct text element;
	uint32_t count = 0;
	while (json_raw_next(&array, &element)) {
		count++;
	}
	return count;
}

static bool read_calls(struct arena *arena, struct text array, struct run_event *event)
{
	struct text element;
	event->call_count = count_elements(array);
	struct run_call_facts *calls =
		arena_new_array(arena, event->call_count, struct run_call_facts);
	event->calls = calls;
	while (json_raw_next(&array, &element)) {
		if (!read_call(element, calls++)) {
			return false;
		}
	}
	return true;
}

static bool read_gates(struct arena *arena, struct text array, struct run_event *event)
{
	struct text element;
	event->gate_count = count_elements(array);
	uint32_t *gates = arena_new_array(arena, event->gate_count, uint32_t);
	event->gates = gates;
	while (json_raw_next(&array, &element)) {
		if (!read_number32(element, gates++)) {
			return false;
		}
	}
	return true;
}

static bool read_limits(struct text object, struct team_limits *limits)
{
	struct text rest = object, name, value;
	while (json_raw_next_member(&rest, &name, &value)) {
		for (size_t i = 0; i < LIMIT_FIELDS; i++) {
			int64_t number;
			if (!text_is(name, limit_fields[i].name)) {
				continue;
			}
			if (!read_number(value, &number)) {
				return false;
			}
			memcpy((char *)limits + limit_fields[i].offset, &number, sizeof(number));
		}
	}
	return true;
}

static bool read_field(struct arena *arena, struct text value, const struct run_field *field,
	struct run_event *event)
{
	void *at = (char *)event + field->offset;
	switch (field->type) {
	case FIELD_NUMBER32:
		return read_number32(value, at);
	case FIELD_NUMBER64:
		return read_number(value, at);
	case FIELD_BITS64:
		return read_bits(value, at);
	case FIELD_FLAG:
		*(bool *)at = text_is(value, "true");
		return true;
	case FIELD_CODE:
		event->code = run_code_of(event->kind, within_quotes(value));
		return event->code != RUN_NONE;
	case FIELD_CALLS:
		return read_calls(arena, value, event);
	case FIELD_GATES:
		return read_gates(arena, value, event);
	case FIELD_LIMITS:
		return read_limits(value, &event->raise);
	}
	return false;
}

// What is left out says nothing; only a code is always there.
static void set_defaults(struct run_event *event)
{
	for (const struct run_field *field = run_event_fields(event->kind); field->name; field++) {
		if (field->type == FIELD_NUMBER32) {
			*(uint32_t *)((char *)event + field->offset) = RUN_NONE;
		} else if (field->type == FIELD_CODE) {
			event->code = RUN_NONE;
		}
	}
}

static bool read_member(
	struct arena *arena, struct text name, struct text value, struct run_event *event)
{
	if (text_is(name, "at")) {
		return read_number(value, &event->at);
	}
	for (const struct run_field *field = run_event_fields(event->kind); field->name; field++) {
		if (text_is(name, field->name)) {
			return read_field(arena, value, field, event);
		}
	}
	return true; // of a newer muster that says more
}

bool event_from_json(struct arena *arena, const char *kind, struct text json,
	struct run_event *event, struct error *error)
{
	struct text rest = json, name, value;
	*event = (struct run_event){.kind = run_event_kind_of(kind)};
	if (!json_check(json, error)) {
		return error_wrap(error, "event '%s' of the journal", kind);
	}
	if (event->kind == RUN_EVENT_KINDS) {
		return error_set(
			error, ERROR_FAILED, "the journal has an unknown event '%s'", kind);
	}
	set_defaults(event);
	while (json_raw_next_member(&rest, &name, &value)) {
		if (!read_member(arena, name, value, event)) {
			size_t shown = text_plain_length(name);
			return error_set(error, ERROR_FAILED,
				"event '%s' of the journal has no valid '%.*s'", kind,
				shown < 64 ? (int)shown : 64, name.data);
		}
	}
	if (event->code == RUN_NONE) {
		return error_set(
			error, ERROR_FAILED, "event '%s' of the journal has no code", kind);
	}
	return true;
}
