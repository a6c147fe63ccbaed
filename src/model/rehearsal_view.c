#include "model/rehearsal_view.h"

#include <string.h>

#include "base/json.h"

void rehearsal_view_start(struct rehearsal_view *view, const struct model_request *request)
{
	*view = (struct rehearsal_view){.request = request};
	view->texts = arena_new_array(&view->arena, request->item_count + 1, struct text);
}

void rehearsal_view_finish(struct rehearsal_view *view)
{
	arena_finish(&view->arena);
}

// A string, or the texts of a list of parts, one per line.
static void add_content(struct buffer *text, const cJSON *content)
{
	if (cJSON_IsString(content)) {
		buffer_add_string(text, content->valuestring);
		return;
	}
	const cJSON *part = NULL;
	cJSON_ArrayForEach(part, content)
	{
		const char *words = json_string(part, "text", json_string(part, "refusal", NULL));
		if (words) {
			buffer_add_string(text, text->length ? "\n" : "");
			buffer_add_string(text, words);
		}
	}
}

// What an item says, by its type: a message's text, a call as "name arguments", a call's output.
static void add_item(struct buffer *text, struct text item)
{
	struct error error;
	json_cleanup *tree = json_parse(item, &error);
	const char *type = json_string(tree, "type", "message");
	if (strcmp(type, "function_call") == 0) {
		buffer_printf(text, "%s %s", json_string(tree, "name", ""),
			json_string(tree, "arguments", ""));
	} else if (strcmp(type, "function_call_output") == 0) {
		add_content(text, cJSON_GetObjectItemCaseSensitive(tree, "output"));
	} else {
		add_content(text, cJSON_GetObjectItemCaseSensitive(tree, "content"));
	}
}

static struct text item_text(struct rehearsal_view *view, size_t index)
{
	struct text *text = &view->texts[index];
	if (!text->data) {
		buffer_cleanup words = {0};
		add_item(&words, view->request->items[index]);
		*text = text_copy(&view->arena, buffer_text(&words));
	}
	return *text;
}

struct text rehearsal_view_last(struct rehearsal_view *view)
{
	size_t count = view->request->item_count;
	return count ? item_text(view, count - 1) : TEXT("");
}

static bool is_answer(struct text item)
{
	struct error error;
	json_cleanup *tree = json_parse(item, &error);
	const char *type = json_string(tree, "type", "message");
	return strcmp(type, "function_call") == 0 || strcmp(type, "reasoning") == 0 ||
		strcmp(json_string(tree, "role", ""), "assistant") == 0;
}

// Items of the model that follow one another are one answer.
static int64_t turn_of(struct rehearsal_view *view)
{
	if (view->turn == 0) {
		bool before = false;
		view->turn = 1;
		for (size_t i = 0; i < view->request->item_count; i++) {
			bool answer = is_answer(view->request->items[i]);
			view->turn += answer && !before;
			before = answer;
		}
	}
	return view->turn;
}

static bool pattern_holds(const struct script_condition *condition, struct text text)
{
	return pattern_search(condition->pattern, text, NULL, NULL) == PATTERN_MATCH;
}

static bool any_holds(const struct script_condition *condition, struct rehearsal_view *view)
{
	for (size_t i = view->request->item_count; i-- > 0;) {
		if (pattern_holds(condition, item_text(view, i))) {
			return true;
		}
	}
	return false;
}

static int64_t number_of(const struct script_condition *condition, struct rehearsal_view *view)
{
	return condition->kind == CONDITION_TURN ? turn_of(view)
						 : (int64_t)view->request->item_count;
}

bool condition_holds(const struct script_condition *condition, struct rehearsal_view *view)
{
	switch (condition->kind) {
	case CONDITION_LAST:
		return pattern_holds(condition, rehearsal_view_last(view));
	case CONDITION_NOT:
		return pattern_search(condition->pattern, rehearsal_view_last(view), NULL, NULL) ==
			PATTERN_MISS;
	case CONDITION_ANY:
		return any_holds(condition, view);
	default:
		return number_of(condition, view) >= condition->minimum &&
			number_of(condition, view) <= condition->maximum;
	}
}

void condition_explain(
	struct buffer *text, const struct script_condition *condition, struct rehearsal_view *view)
{
	buffer_printf(text, "its 'when.%s' ", script_condition_names[condition->kind]);
	if (!condition->pattern) {
		buffer_printf(text, "does not hold: it is %lld here",
			(long long)number_of(condition, view));
		return;
	}
	static const char *const reasons[] = {[PATTERN_MISS] = "does not match",
		[PATTERN_MATCH] = "matches",
		[PATTERN_TOO_COSTLY] = "takes too many steps"};
	enum pattern_result result = PATTERN_MISS;
	if (condition->kind != CONDITION_ANY) {
		result = pattern_search(condition->pattern, rehearsal_view_last(view), NULL, NULL);
	}
	buffer_add_string(text, "/");
	buffer_add_line(text, condition->source, 120);
	buffer_printf(text, "/ %s", reasons[result]);
}
