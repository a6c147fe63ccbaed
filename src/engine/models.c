#include "engine/models.h"

#include <stdlib.h>
#include <string.h>

static size_t index_of(const struct team *team, const char *name)
{
	size_t index = 0;
	while (index < team->model_count && strcmp(team->models[index].name, name) != 0) {
		index++;
	}
	return index;
}

static const struct model_settings **fallbacks(
	struct arena *arena, const struct team *team, size_t model, struct model_settings *settings)
{
	const char *const *names = team->models[model].fallback;
	size_t count = 0, found = 0;
	while (names && names[count]) {
		count++;
	}
	const struct model_settings **list =
		arena_new_array(arena, count + 1, const struct model_settings *);
	for (size_t i = 0; i < count; i++) {
		size_t index = index_of(team, names[i]);
		if (index < team->model_count) {
			list[found++] = &settings[index];
		}
	}
	return list;
}

static bool is_set(const char *variable)
{
	const char *value = variable ? getenv(variable) : NULL;
	return value && value[0];
}

// What the configuration says of the provider stands behind its environment variables.
static void find_address(const struct team_provider *provider, struct model_settings *settings)
{
	const struct model_provider *row = model_provider_find(settings->provider);
	if (!provider) {
		return;
	}
	if (!settings->base_url && !is_set(row ? row->base_env : NULL)) {
		settings->base_url = provider->base_url;
	}
	settings->wire = settings->wire ? settings->wire : provider->wire;
}

static bool find_key(struct arena *arena, struct secrets *secrets, const struct team *team,
	const struct team_model *model, struct model_settings *settings, struct error *error)
{
	const struct team_provider *provider = team_provider_find(team, model->provider);
	const struct model_provider *row = model_provider_find(model->provider);
	const struct team_secret *source = model->api_key;
	if (!source && provider && !is_set(row ? row->key_env : NULL)) {
		source = provider->api_key;
	}
	if (!source) {
		return true;
	}
	const char *whose = arena_printf(arena, "model '%s'", model->name);
	settings->key = secrets_read(secrets, source, whose, error);
	return settings->key != NULL;
}

// Those that agents use, and their fallbacks.
static void mark_used(const struct team *team, bool *used)
{
	for (size_t i = 0; i < team->agent_count; i++) {
		if (team->agents[i].model >= 0) {
			used[team->agents[i].model] = true;
		}
	}
	for (size_t i = 0; i < team->model_count; i++) {
		const char *const *names = team->models[i].fallback;
		for (size_t j = 0; used[i] && names && names[j]; j++) {
			size_t index = index_of(team, names[j]);
			if (index < team->model_count) {
				used[index] = true;
			}
		}
	}
}

bool models_prepare(struct arena *arena, const struct team *team, struct secrets *secrets,
	struct model_settings **settings, struct error *error)
{
	bool *used = arena_new_array(arena, team->model_count + 1, bool);
	struct model_settings *list =
		arena_new_array(arena, team->model_count + 1, struct model_settings);
	mark_used(team, used);
	for (size_t i = 0; i < team->model_count; i++) {
		const struct team_model *model = &team->models[i];
		list[i] = (struct model_settings){.name = model->name,
			.provider = model->provider,
			.model = model->model,
			.base_url = model->base_url,
			.wire = model->wire,
			.temperature = model->temperature,
			.top_p = model->top_p,
			.reasoning_effort = model->reasoning_effort,
			.reasoning_summary = model->reasoning_summary,
			.tool_choice = model->tool_choice,
			.parallel_tool_calls = model->parallel_tool_calls};
		find_address(team_provider_find(team, model->provider), &list[i]);
		list[i].fallback = fallbacks(arena, team, i, list);
		if (used[i] && secrets &&
			(!find_key(arena, secrets, team, model, &list[i], error) ||
				!model_settings_complete(arena, &list[i], error))) {
			return false;
		}
	}
	*settings = list;
	return true;
}
