#include "agent/conversation.h"

#include <stdlib.h>
#include <string.h>

void conversation_finish(struct conversation *conversation)
{
	free(conversation->items);
	arena_finish(&conversation->arena);
	*conversation = (struct conversation){0};
}

static void make_room(struct conversation *conversation, size_t more)
{
	size_t needed = conversation->count + more;
	if (needed > conversation->capacity) {
		size_t capacity = conversation->capacity * 2;
		capacity = capacity > needed ? capacity : needed + 16;
		conversation->items =
			memory_resize(conversation->items, capacity * sizeof(*conversation->items));
		conversation->capacity = capacity;
	}
}

void conversation_inherit(struct conversation *conversation, const struct conversation *earlier)
{
	make_room(conversation, earlier->count);
	if (earlier->count) {
		memcpy(conversation->items, earlier->items,
			earlier->count * sizeof(*earlier->items));
	}
	conversation->count = earlier->count;
	conversation->inherited = earlier->count;
}

size_t conversation_add(struct conversation *conversation, struct text json)
{
	make_room(conversation, 1);
	conversation->items[conversation->count++] = text_copy(&conversation->arena, json);
	return conversation->count - conversation->inherited;
}

size_t conversation_add_user(struct conversation *conversation, struct text text)
{
	buffer_cleanup json = {0};
	buffer_add_string(&json,
		"{\"type\":\"message\",\"role\":\"user\",\"content\":"
		"[{\"type\":\"input_text\",\"text\":");
	buffer_add_json(&json, text);
	buffer_add_string(&json, "}]}");
	return conversation_add(conversation, buffer_text(&json));
}

void conversation_expect(struct conversation *conversation, size_t count)
{
	make_room(conversation, count);
	memset(&conversation->items[conversation->count], 0, count * sizeof(*conversation->items));
	conversation->call_place = conversation->count;
	conversation->call_count = count;
	conversation->count += count;
}

size_t conversation_answer(
	struct conversation *conversation, size_t call, struct text call_id, struct text output)
{
	buffer_cleanup json = {0};
	size_t place = conversation->call_place + call;
	buffer_add_string(&json, "{\"type\":\"function_call_output\",\"call_id\":");
	buffer_add_json(&json, call_id);
	buffer_add_string(&json, ",\"output\":");
	buffer_add_json(&json, output);
	buffer_add_string(&json, "}");
	conversation->items[place] = text_copy(&conversation->arena, buffer_text(&json));
	return place - conversation->inherited + 1;
}

struct text conversation_item(const struct conversation *conversation, size_t number)
{
	return conversation->items[conversation->inherited + number - 1];
}

void conversation_restore(struct conversation *conversation, size_t number, struct text json)
{
	size_t place = conversation->inherited + number - 1;
	if (place >= conversation->count) {
		size_t more = place + 1 - conversation->count;
		make_room(conversation, more);
		memset(&conversation->items[conversation->count], 0,
			more * sizeof(*conversation->items));
		conversation->count += more;
	}
	conversation->items[place] = text_copy(&conversation->arena, json);
}
