#include "view/summary_agent.h"

#include <string.h>

#include "base/json.h"
#include "view/words.h"

enum { AGENT_TEXT = 1000, AGENT_CALL = 160, LABEL = 13 /* characters in front of a text */ };

static void add_label(struct buffer *buffer, const char *label, struct text text, size_t limit)
{
	buffer_printf(buffer, "    %-9s", label);
	words_add_lines(buffer, text_trim(text), LABEL, limit);
	buffer_add_char(buffer, '\n');
}

static void add_content(struct buffer *buffer, const cJSON *item)
{
	buffer_cleanup text = {0};
	const cJSON *part;
	cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(item, "content"))
	{
		buffer_add_string(&text, json_string(part, "text", ""));
	}
	bool told = strcmp(json_string(item, "role", "assistant"), "user") == 0;
	if (text.length) {
		add_label(buffer, told ? "is told" : "says", buffer_text(&text), AGENT_TEXT);
	}
}

static bool take_item(void *data, const struct store_item *item)
{
	struct buffer *buffer = data;
	struct error ignored = {0}; // what is no JSON is not shown
	json_cleanup *tree = json_parse(item->json, &ignored);
	const char *type = json_string(tree, "type", "message");
	if (strcmp(type, "function_call") == 0) {
		buffer_cleanup call = {0};
		buffer_printf(&call, "%s %s", json_string(tree, "name", ""),
			json_string(tree, "arguments", ""));
		add_label(buffer, "calls", buffer_text(&call), AGENT_CALL);
	} else if (strcmp(type, "function_call_output") == 0) {
		add_label(buffer, "gets", text_of(json_string(tree, "output", "")), AGENT_CALL);
	} else {
		add_content(buffer, tree);
	}
	return true;
}

static bool add_assignment(struct buffer *buffer, const struct summary *summary,
	struct store *store, const struct summary_assignment *assignment, struct error *error)
{
	buffer_printf(buffer, "\n  branch %u, from %s: %s\n", assignment->branch,
		assignment->from ? assignment->from : "the user", assignment->outcome);
	return store_items(store, summary->run.id, assignment->branch, 0, take_item, buffer, error);
}

bool summary_print_agent(struct buffer *buffer, const struct summary *summary, struct store *store,
	const char *agent, struct error *error)
{
	summary_print_agent_line(buffer, summary, agent, false);
	for (size_t i = 0; i < summary->assignment_count; i++) {
		const struct summary_assignment *assignment = &summary->assignments[i];
		if (strcmp(assignment->agent, agent) == 0 &&
			!add_assignment(buffer, summary, store, assignment, error)) {
			return false;
		}
	}
	return true;
}
