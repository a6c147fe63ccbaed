#include <string.h>

#include "agent/tools/common.h"
#include "base/path.h"

// The folder of "folder/**", or empty: what else a glob names is no whole folder.
static struct text whole_folder(struct text glob)
{
	struct text folder = {glob.data, text_ends(glob, "/**") ? glob.length - 3 : 0};
	return path_is_glob(folder) ? (struct text){0} : folder;
}

// The part of a glob before its first wildcard: whatever it matches begins so.
static struct text sure_part(struct text glob)
{
	size_t length = 0;
	while (length < glob.length && !strchr("*?[{\\", glob.data[length])) {
		length++;
	}
	return (struct text){glob.data, length};
}

// Can the glob match something in the folder, or the folder itself?
static bool touches(struct text glob, struct text folder)
{
	struct text sure = sure_part(glob);
	size_t shared = sure.length < folder.length ? sure.length : folder.length;
	if (memcmp(sure.data, folder.data, shared) != 0) {
		return false;
	}
	// "frontend-notes.md" does not touch "frontend", "front*" may.
	return sure.length <= folder.length
		? sure.length < glob.length || sure.length == folder.length
		: sure.data[folder.length] == '/';
}

static bool writes_there(const struct team_agent *agent, struct text folder)
{
	for (size_t i = 0; i < agent->writes.count; i++) {
		if (touches(text_of(agent->writes.items[i]), folder)) {
			return true;
		}
	}
	return false;
}

const char *const *tool_others_folders(
	struct arena *arena, const struct team *team, const struct team_agent *agent)
{
	size_t count = 0, most = 0;
	if (!agent->writes_declared) {
		return NULL;
	}
	for (size_t i = 0; i < team->agent_count; i++) {
		most += team->agents[i].writes.count;
	}
	const char **folders = arena_new_array(arena, most + 1, const char *);
	for (size_t i = 0; i < team->agent_count; i++) {
		for (size_t k = 0; k < team->agents[i].writes.count; k++) {
			struct text folder = whole_folder(text_of(team->agents[i].writes.items[k]));
			if (folder.length && !writes_there(agent, folder)) {
				folders[count++] = text_string(arena, folder);
			}
		}
	}
	folders[count] = NULL;
	return folders;
}
