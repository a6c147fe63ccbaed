/* What is chosen beside the team file: `muster run --model`. */
#include <string.h>

#include "team/loader.h"

// "AGENT=NAME" taken apart; a "provider/model" may have a '=' of its own.
static struct text agent_of(const char *choice, const char **name)
{
	size_t length = strcspn(choice, "=/");
	bool one = choice[length] == '=';
	*name = one ? choice + length + 1 : choice;
	return one ? (struct text){choice, length} : (struct text){0};
}

void keep_choices(struct team *team, const struct team_choices *choices)
{
	size_t count = choices ? choices->model_count : 0;
	const char **models = arena_new_array(&team->arena, count + 1, const char *);
	for (size_t i = 0; i < count; i++) {
		models[i] = arena_string(&team->arena, choices->models[i]);
	}
	const char *defaults = choices ? choices->defaults : NULL;
	team->choices = (struct team_choices){.models = models,
		.model_count = count,
		.defaults = defaults ? arena_string(&team->arena, defaults) : NULL};
}

bool model_is_chosen(const struct loader *loader, const char *agent)
{
	const struct team_choices *choices = &loader->team->choices;
	for (size_t i = 0; i < choices->model_count; i++) {
		const char *name;
		struct text one = agent_of(choices->models[i], &name);
		if (!one.length || text_is(one, agent)) {
			return true;
		}
	}
	return false;
}

static void choose_for(const struct loader *loader, struct text agent, int model)
{
	struct team *team = loader->team;
	const char **names = arena_new_array(loader->arena, team->agent_count + 1, const char *);
	bool found = false;
	for (size_t i = 0; i < team->agent_count; i++) {
		names[i] = team->agents[i].name;
		if (!agent.length || text_is(agent, names[i])) {
			team->agents[i].model = model;
			found = true;
		}
	}
	if (!found && team->agent_count) {
		struct yaml_position position = {.file = "--model"};
		const char *remedy = nearest(loader, agent, names, team->agent_count);
		mistake(loader, position,
			remedy ? remedy : one_of(loader, names, team->agent_count),
			"there is no agent '%s'", shown(loader, agent));
	}
}

static void choose(struct loader *loader, bool one)
{
	const struct team_choices *choices = &loader->team->choices;
	for (size_t i = 0; i < choices->model_count; i++) {
		const char *name;
		struct text agent = agent_of(choices->models[i], &name);
		struct yaml_node node = {.kind = YAML_STRING, .text = text_of(name)};
		node.position.file = "--model";
		if ((choices->models[i] == name) == one) {
			continue;
		}
		if (!node.text.length) {
			mistake(loader, node.position, "as in --model openai/gpt-5.4",
				"'%s' names no model", shown(loader, text_of(choices->models[i])));
			continue;
		}
		choose_for(loader, agent, model_of(loader, &node));
	}
}

void choose_models(struct loader *loader)
{
	choose(loader, false);
	choose(loader, true);
}
