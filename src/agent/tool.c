#include "agent/tool.h"

#include <string.h>

#include "agent/tools/common.h"
#include "base/path.h"

const struct tool *const tools[] = {
	&tool_exec_command,
	&tool_apply_patch,
	&tool_read_file,
	&tool_write_file,
	&tool_check_outputs,
	&tool_ask_user,
	NULL,
};
enum { TOOLS = sizeof(tools) / sizeof(tools[0]) - 1 };

const struct tool *tool_find(struct text name)
{
	for (size_t i = 0; tools[i]; i++) {
		if (text_is(name, tools[i]->name)) {
			return tools[i];
		}
	}
	return NULL;
}

struct owner_list tool_vocabulary(void)
{
	static struct key_owner owners[TOOLS];
	static const struct key none[] = {{0}};
	for (size_t i = 0; i < TOOLS; i++) {
		owners[i] = (struct key_owner){
			.name = tools[i]->name, .help = tools[i]->help, .keys = none};
	}
	return (struct owner_list){owners, TOOLS};
}

static bool listed(const struct team_strings *patterns, const char *name)
{
	for (size_t i = 0; i < patterns->count; i++) {
		if (glob_match(text_of(patterns->items[i]), text_of(name))) {
			return true;
		}
	}
	return false;
}

bool tool_allowed(const struct team *team, int agent, const struct tool *tool)
{
	const struct team_agent *self = &team->agents[agent];
	// Nobody may be there to answer: who wants runs that ask says so.
	if (!self->tools_restricted) {
		return !tool->asks_person;
	}
	if (listed(&self->tools_deny, tool->name)) {
		return false;
	}
	// A list that only denies allows the rest; one that names nothing at all allows nothing.
	bool only_denies = self->tools_allow.count == 0 && self->tools_deny.count > 0;
	return (only_denies && !tool->asks_person) || listed(&self->tools_allow, tool->name);
}
