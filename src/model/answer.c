#include "model/answer.h"

#include <string.h>

// Room for one more in an array that grows in powers of two.
static void *room(struct arena *arena, void *array, size_t count, size_t size)
{
	if (count & (count - 1)) {
		return array;
	}
	void *more = arena_alloc(arena, (count ? count * 2 : 1) * size);
	if (count) {
		memcpy(more, array, count * size);
	}
	return more;
}

bool answer_add_item(struct model_answer *answer, struct text json)
{
	if (answer->item_count == ANSWER_ITEMS) {
		return false;
	}
	answer->items =
		room(&answer->arena, answer->items, answer->item_count, sizeof(*answer->items));
	answer->items[answer->item_count++] = text_copy(&answer->arena, json);
	return true;
}

bool answer_add_message(struct model_answer *answer, const char *type, struct text text)
{
	buffer_cleanup json = {0};
	buffer_printf(&json,
		"{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"%s\","
		"\"%s\":",
		type, strcmp(type, "refusal") == 0 ? "refusal" : "text");
	buffer_add_json(&json, text);
	buffer_add_string(&json, "}]}");
	return answer_add_item(answer, buffer_text(&json));
}

bool answer_note_call(
	struct model_answer *answer, struct text id, struct text name, struct text arguments)
{
	if (answer->call_count == ANSWER_CALLS) {
		return false;
	}
	answer->calls =
		room(&answer->arena, answer->calls, answer->call_count, sizeof(*answer->calls));
	answer->calls[answer->call_count++] =
		(struct model_call){.id = text_copy(&answer->arena, id),
			.name = text_copy(&answer->arena, name),
			.arguments = text_copy(&answer->arena, arguments)};
	return true;
}

bool answer_add_call(
	struct model_answer *answer, struct text id, struct text name, struct text arguments)
{
	buffer_cleanup json = {0};
	buffer_add_string(&json, "{\"type\":\"function_call\",\"call_id\":");
	buffer_add_json(&json, id);
	buffer_add_string(&json, ",\"name\":");
	buffer_add_json(&json, name);
	buffer_add_string(&json, ",\"arguments\":");
	buffer_add_json(&json, arguments);
	buffer_add_string(&json, "}");
	return answer_add_item(answer, buffer_text(&json)) &&
		answer_note_call(answer, id, name, arguments);
}
