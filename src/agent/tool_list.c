#include "agent/handoff.h"
#include "agent/tool_arguments.h"
#include "agent/tools/common.h"

static void add_function(struct buffer *json, const char *name, const char *description,
	const struct key *parameters)
{
	buffer_add_string(json, json->data[json->length - 1] == '[' ? "" : ",");
	buffer_printf(json, "{\"type\":\"function\",\"name\":\"%s\",\"description\":", name);
	buffer_add_json(json, text_of(description));
	buffer_add_string(json, ",\"parameters\":");
	tool_arguments_schema(json, parameters);
	buffer_add_string(json, ",\"strict\":false}");
}

static void add_handoff(struct buffer *json, const struct team *team, const struct team_edge *edge)
{
	const struct handoff *handoff = &handoffs[edge->kind];
	const struct team_agent *target = &team->agents[edge->to];
	const char *about = edge->description ? edge->description : target->description;
	buffer_cleanup name = {0}, text = {0};
	buffer_printf(&name, "%s%s", handoff->prefix, target->name);
	buffer_printf(&text, "%s%s%s", handoff->before, target->name, handoff->after);
	if (about && about[0]) {
		buffer_printf(&text, " %s: %s", target->name, about);
	}
	for (size_t i = 0; i < edge->need_count; i++) {
		buffer_printf(&text, "%s%s", i ? ", " : " It goes through only when these hold: ",
			team->gates[edge->needs[i]].name);
	}
	buffer_add_string(&text, edge->need_count ? "." : "");
	add_function(json, name.data, text.data, handoff->parameters);
}

void tool_list_json(struct buffer *json, const struct team *team, int agent)
{
	buffer_add_string(json, "[");
	for (size_t i = 0; tools[i]; i++) {
		bool idle =
			tools[i] == &tool_check_outputs && team->agents[agent].output_count == 0;
		if (!idle && tool_allowed(team, agent, tools[i])) {
			add_function(
				json, tools[i]->name, tools[i]->description, tools[i]->parameters);
		}
	}
	for (size_t i = 0; i < team->edge_count; i++) {
		if (team->edges[i].from == agent) {
			add_handoff(json, team, &team->edges[i]);
		}
	}
	buffer_add_string(json, "]");
}
