#include <string.h>

#include "agent/patch.h"
#include "agent/tools/common.h"
#include "base/path.h"

/*
 * What a pattern's argument glob is held against. The first text is the call's subject (the command,
 * the path, the task); an `apply_patch` call has the paths in its patch as subjects. A pattern that
 * denies or asks looks at all texts, so that nothing slips by beside the subject; one that allows
 * looks at the subjects only, and all of them have to match, so that nothing is allowed by what the
 * model put into another argument.
 */
struct subject {
	struct text text;
	bool path; // matched as a path, clean; else '*' matches anything
};

struct subjects {
	struct arena arena;
	struct subject *items;
	size_t count;
	size_t main_count; // of the call's subjects, which come first
};

// '*' stands for any text, '?' for any byte. Linear but for a single restart point.
static bool wildcard_match(struct text glob, struct text text)
{
	size_t g = 0, t = 0, star = SIZE_MAX, restart = 0;
	while (t < text.length) {
		if (g < glob.length && glob.data[g] == '*') {
			star = g++;
			restart = t;
		} else if (g < glob.length &&
			(glob.data[g] == '?' || glob.data[g] == text.data[t])) {
			g++;
			t++;
		} else if (star != SIZE_MAX) {
			g = star + 1;
			t = ++restart;
		} else {
			return false;
		}
	}
	while (g < glob.length && glob.data[g] == '*') {
		g++;
	}
	return g == glob.length;
}

static void add_subject(struct subjects *subjects, struct text text, bool path)
{
	struct error error;
	struct text clean = text;
	if (path && !path_clean(&subjects->arena, text, &clean, &error)) {
		clean = text; // the tool refuses it later
	}
	subjects->items[subjects->count++] = (struct subject){clean, path};
}

static bool is_path(const struct tool *tool, const char *name)
{
	for (const struct key *key = tool ? tool->parameters : NULL; key && key->name; key++) {
		if (strcmp(key->name, name) == 0) {
			return key->type == KEY_PATH;
		}
	}
	return false;
}

// The paths of a patch; none if it cannot be read (the tool refuses it then).
static void add_patch_paths(struct subjects *subjects, const struct patch *patch)
{
	for (size_t i = 0; i < patch->count; i++) {
		add_subject(subjects, patch->operations[i].path, true);
		if (patch->operations[i].move_to.length) {
			add_subject(subjects, patch->operations[i].move_to, true);
		}
	}
	subjects->main_count = subjects->count;
}

static void collect(struct subjects *subjects, const struct tool *tool, const cJSON *arguments)
{
	struct patch patch = {0};
	const char *problem;
	if (tool == &tool_apply_patch) {
		struct text input = text_of(json_string(arguments, "input", ""));
		if (!patch_parse(&subjects->arena, input, &patch, &problem)) {
			patch.count = 0;
		}
	}
	size_t room = 2 * patch.count + (size_t)cJSON_GetArraySize(arguments);
	subjects->items = arena_new_array(&subjects->arena, room + 1, struct subject);
	add_patch_paths(subjects, &patch);
	// The first parameter of a tool is its subject, wherever the model put it.
	const char *first = tool && tool->parameters ? tool->parameters->name : NULL;
	const cJSON *subject = first ? cJSON_GetObjectItemCaseSensitive(arguments, first)
				     : (arguments ? arguments->child : NULL);
	if (patch.count == 0 && cJSON_IsString(subject)) {
		add_subject(subjects, text_of(subject->valuestring), first && is_path(tool, first));
		subjects->main_count = subjects->count;
	}
	const cJSON *member = NULL;
	cJSON_ArrayForEach(member, arguments)
	{
		if (member != subject && cJSON_IsString(member)) {
			add_subject(subjects, text_of(member->valuestring),
				is_path(tool, member->string));
		}
	}
}

static bool subject_matches(struct text glob, const struct subject *subject)
{
	return subject->path ? glob_match(glob, subject->text)
			     : wildcard_match(glob, subject->text);
}

static bool pattern_matches(
	const char *pattern, struct text name, const struct subjects *subjects, bool every)
{
	const char *colon = strchr(pattern, ':');
	struct text tool = {pattern, colon ? (size_t)(colon - pattern) : strlen(pattern)};
	if (!wildcard_match(tool, name)) {
		return false;
	}
	if (!colon) {
		return true;
	}
	struct text glob = text_of(colon + 1);
	size_t count = every ? subjects->main_count : subjects->count;
	for (size_t i = 0; i < count; i++) {
		if (subject_matches(glob, &subjects->items[i]) != every) {
			return !every;
		}
	}
	return every && count > 0;
}

static bool any_matches(const struct team_strings *patterns, struct text name,
	const struct subjects *subjects, bool every)
{
	for (size_t i = 0; i < patterns->count; i++) {
		if (pattern_matches(patterns->items[i], name, subjects, every)) {
			return true;
		}
	}
	return false;
}

enum permission tool_permission(
	const struct team *team, int agent, struct text name, const cJSON *arguments)
{
	const struct team_permissions *lists[] = {
		&team->agents[agent].permissions, &team->permissions};
	struct subjects subjects = {0};
	collect(&subjects, tool_find(name), arguments);
	bool denied = false, asked = false, allowed = false, lists_allowed = false;
	for (size_t i = 0; i < 2; i++) {
		denied = denied || any_matches(&lists[i]->deny, name, &subjects, false);
		asked = asked || any_matches(&lists[i]->ask, name, &subjects, false);
		allowed = allowed || any_matches(&lists[i]->allow, name, &subjects, true);
		lists_allowed = lists_allowed || lists[i]->allow.count > 0;
	}
	arena_finish(&subjects.arena);
	if (denied) {
		return PERMISSION_DENY;
	}
	return asked || (lists_allowed && !allowed) ? PERMISSION_ASK : PERMISSION_ALLOW;
}
