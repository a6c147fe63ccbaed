/* Where keys and other secrets come from. What they are is nowhere in a team. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "team/loader.h"

static const char *const sources[] = {"env", "file", "command", "secret"};

// Relative to the file that names it; "~/" is the home of whoever runs the team.
static const char *file_of(const struct loader *loader, const char *path)
{
	const char *home = getenv("HOME");
	if (path && text_starts(text_of(path), "~/") && home && home[0]) {
		return path_join(loader->arena, home, path + 2);
	}
	return path ? path_join(loader->arena, loader->folder, path) : NULL;
}

static struct team_strings command_of(const struct loader *loader, const struct yaml_node *node)
{
	const struct yaml_node *command = yaml_get(node, "command");
	struct team_strings words = strings_at(loader, node, "command");
	if (command && command->kind == YAML_STRING) {
		const char **shell = arena_new_array(loader->arena, 4, const char *);
		shell[0] = "/bin/sh";
		shell[1] = "-c";
		shell[2] = words.items[0];
		return (struct team_strings){shell, 3};
	}
	return words;
}

static const struct team_secret *find_secret(
	const struct loader *loader, const struct yaml_node *name)
{
	const struct team *team = loader->team;
	const char **names = arena_new_array(loader->arena, team->secret_count + 1, const char *);
	for (size_t i = 0; i < team->secret_count; i++) {
		names[i] = team->secrets[i].name;
		if (text_is(name->text, names[i])) {
			struct team_secret *found = arena_new(loader->arena, struct team_secret);
			*found = team->secrets[i];
			return found;
		}
	}
	const char *remedy = nearest(loader, name->text, names, team->secret_count);
	mistake(loader, name->position, remedy ? remedy : "declare it under 'secrets'",
		"there is no secret '%s'", shown(loader, name->text));
	return NULL;
}

// Who writes the key itself here must not see it in a message.
static void check_variable(const struct loader *loader, const struct yaml_node *env)
{
	static const char also[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	bool string = env && env->kind == YAML_STRING;
	bool good = string && env->text.length && env->text.length <= 128 &&
		!(env->text.data[0] >= '0' && env->text.data[0] <= '9');
	for (size_t i = 0; good && i < env->text.length; i++) {
		good = env->text.data[i] && strchr(also, env->text.data[i]);
	}
	if (string && !good) {
		mistake(loader, env->position, "as in {env: OPENAI_API_KEY}",
			"'env' takes the name of a variable, not a value");
	}
}

const struct team_secret *secret_of(
	struct loader *loader, const char *name, const struct yaml_node *node, const char *what)
{
	size_t given = 0;
	if (!node || node->kind != YAML_MAP) {
		return NULL;
	}
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		given += yaml_get(node, sources[i]) != NULL;
	}
	if (given != 1) {
		if (given || !node->count) {
			mistake(loader, node->position, "as in {env: OPENAI_API_KEY}",
				given ? "'%s' says more than once where it comes from"
				      : "'%s' does not say where it comes from",
				what);
		}
		return NULL;
	}
	const struct yaml_node *other = yaml_get(node, "secret");
	if (other) {
		return other->kind == YAML_STRING ? find_secret(loader, other) : NULL;
	}
	struct team_secret *secret = arena_new(loader->arena, struct team_secret);
	*secret = (struct team_secret){.name = name,
		.env = string_at(loader, node, "env"),
		.file = file_of(loader, string_at(loader, node, "file")),
		.command = command_of(loader, node),
		.position = node->position};
	check_variable(loader, yaml_get(node, "env"));
	const struct yaml_node *command = yaml_get(node, "command");
	if (command && (!secret->command.count || !secret->command.items[0][0])) {
		mistake(loader, command->position, "as in command: [pass, show, openai]",
			"'command' names no program");
	}
	return secret;
}

void load_secrets(struct loader *loader, const struct yaml_node *node)
{
	struct team *team = loader->team;
	if (!node || node->kind != YAML_MAP) {
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_pair *pair = &node->pairs[i];
		if (!name_is(pair->key, "-_.", 64)) {
			mistake(loader, pair->position,
				"use small letters, digits, '-', '_' and '.', a letter first",
				"'%s' is no name for a secret", shown(loader, pair->key));
		}
		const char *name = text_string(loader->arena, pair->key);
		const struct team_secret *secret = secret_of(loader, name, &pair->value, name);
		size_t known = 0; // the configuration's: the team's own goes first
		while (known < team->secret_count && strcmp(team->secrets[known].name, name) != 0) {
			known++;
		}
		if (secret && known < team->secret_count) {
			team->secrets[known] = *secret;
		} else if (secret) {
			team->secrets = grown(loader->arena, team->secrets, team->secret_count,
				sizeof(*team->secrets));
			team->secrets[team->secret_count++] = *secret;
		}
	}
}
