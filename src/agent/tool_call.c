#include <stdio.h>
#include <string.h>

#include "agent/handoff.h"
#include "agent/tool.h"
#include "agent/tool_arguments.h"

enum { NAME_LIMIT = 64 /* bytes of a name in a message */, SUGGESTIONS = 128 };

static void say(struct tool_call *call, struct buffer *problem)
{
	struct text cut = text_cut(buffer_text(problem), sizeof(call->problem) - 1);
	snprintf(call->problem, sizeof(call->problem), "%.*s", (int)cut.length,
		cut.data ? cut.data : "");
}

static void say_unknown_tool(
	const struct team *team, int agent, struct text name, struct tool_call *call)
{
	const char *names[SUGGESTIONS];
	size_t count = 0;
	for (size_t i = 0; tools[i] && count < SUGGESTIONS; i++) {
		if (tool_allowed(team, agent, tools[i])) {
			names[count++] = tools[i]->name;
		}
	}
	const char *nearest = text_nearest(name, names, count);
	buffer_cleanup problem = {0};
	buffer_add_string(&problem, "there is no tool '");
	buffer_add_line(&problem, name, NAME_LIMIT);
	buffer_add_string(&problem, "'");
	if (nearest) {
		buffer_printf(&problem, "; did you mean '%s'?", nearest);
	}
	say(call, &problem);
}

static void say_unknown_agent(
	const struct team *team, int agent, struct text name, struct tool_call *call)
{
	const char *names[TEAM_AGENTS];
	size_t count = 0;
	for (size_t i = 0; i < team->edge_count && count < TEAM_AGENTS; i++) {
		if (team->edges[i].from == agent) {
			names[count++] = team->agents[team->edges[i].to].name;
		}
	}
	const char *nearest = text_nearest(name, names, count);
	buffer_cleanup problem = {0};
	buffer_add_string(&problem, "there is no agent '");
	buffer_add_line(&problem, name, NAME_LIMIT);
	buffer_add_string(&problem, "' that you can hand work to");
	if (nearest) {
		buffer_printf(&problem, "; did you mean '%s'?", nearest);
	}
	say(call, &problem);
}

// The call's own text argument has another name for each kind of handoff; the other one's is taken
// as meant, as the other one's tool name is.
static struct text rename_argument(
	struct buffer *renamed, struct text arguments, const struct handoff *handoff)
{
	struct error error;
	json_cleanup *tree = json_parse(arguments, &error);
	if (!cJSON_IsObject(tree) || cJSON_HasObjectItem(tree, handoff->argument)) {
		return arguments;
	}
	for (int i = 0; i < HANDOFFS; i++) {
		cJSON *other = cJSON_DetachItemFromObjectCaseSensitive(tree, handoffs[i].argument);
		if (other) {
			cJSON_AddItemToObject(tree, handoff->argument, other);
			json_print(renamed, tree);
			return buffer_text(renamed);
		}
	}
	return arguments;
}

static void understand_handoff(const struct team *team, int agent, struct text target,
	struct text arguments, struct tool_call *call)
{
	int edge = handoff_edge(team, agent, target);
	buffer_cleanup name = {0}, renamed = {0};
	if (edge == TEAM_NONE) {
		call->kind = TOOL_CALL_UNKNOWN_AGENT;
		buffer_add_string(&name, handoffs[EDGE_DELEGATE].prefix);
		buffer_add_text(&name, target);
		call->hash = tool_arguments_hash(name.data, arguments, NULL);
		say_unknown_agent(team, agent, target, call);
		return;
	}
	const struct handoff *handoff = &handoffs[team->edges[edge].kind];
	buffer_add_string(&name, handoff->prefix);
	buffer_add_text(&name, target);
	arguments = rename_argument(&renamed, arguments, handoff);
	call->arguments = tool_arguments_parse(
		arguments, handoff->parameters, call->problem, sizeof(call->problem));
	call->hash = tool_arguments_hash(name.data, arguments, call->arguments);
	if (!call->arguments) {
		call->kind = TOOL_CALL_MALFORMED;
		return;
	}
	call->kind =
		team->edges[edge].kind == EDGE_DELEGATE ? TOOL_CALL_DELEGATE : TOOL_CALL_TRANSFER;
	call->edge = edge;
	call->permission = tool_permission(team, agent, buffer_text(&name), call->arguments);
}

static void understand_tool(
	const struct team *team, int agent, struct text arguments, struct tool_call *call)
{
	const struct tool *tool = call->tool;
	call->arguments = tool_arguments_parse(
		arguments, tool->parameters, call->problem, sizeof(call->problem));
	call->hash = tool_arguments_hash(tool->name, arguments, call->arguments);
	if (!tool_allowed(team, agent, tool)) {
		call->kind = TOOL_CALL_FORBIDDEN;
		snprintf(call->problem, sizeof(call->problem), "'%s' is not among your tools",
			tool->name);
		return;
	}
	call->kind = call->arguments ? TOOL_CALL_TOOL : TOOL_CALL_MALFORMED;
	if (call->arguments) {
		call->permission =
			tool_permission(team, agent, text_of(tool->name), call->arguments);
	}
}

void tool_understand(const struct team *team, int agent, struct text name, struct text arguments,
	struct tool_call *call)
{
	*call = (struct tool_call){.edge = TEAM_NONE, .permission = PERMISSION_ALLOW};
	struct text target;
	call->tool = tool_find(name);
	if (call->tool) {
		understand_tool(team, agent, arguments, call);
	} else if (handoff_target(name, &target)) {
		understand_handoff(team, agent, target, arguments, call);
	} else {
		arena_cleanup arena = {0};
		call->kind = TOOL_CALL_UNKNOWN_TOOL;
		call->hash = tool_arguments_hash(text_string(&arena, name), arguments, NULL);
		say_unknown_tool(team, agent, name, call);
	}
	if (call->permission == PERMISSION_DENY) {
		call->kind = TOOL_CALL_FORBIDDEN;
		call->edge = TEAM_NONE;
		buffer_cleanup problem = {0};
		buffer_add_string(&problem, "'");
		buffer_add_line(&problem, name, NAME_LIMIT);
		buffer_add_string(&problem, "' is not permitted with these arguments");
		say(call, &problem);
	}
}

void tool_call_finish(struct tool_call *call)
{
	cJSON_Delete(call->arguments);
	call->arguments = NULL;
}
