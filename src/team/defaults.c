/* What a person says for all teams: the configuration file (docs/configuration.md). */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "team/loader.h"

static void load_provider(struct loader *loader, const struct yaml_pair *pair)
{
	struct team *team = loader->team;
	const struct owner_list *known = &loader->vocabulary->models;
	const struct yaml_node *node = &pair->value;
	if (known->count && !owner_find(known, pair->key)) {
		mistake(loader, pair->position, owner_remedy(loader, pair->key, known),
			"unknown model provider '%s'", shown(loader, pair->key));
	}
	check_url(loader, yaml_get(node, "base_url"));
	team->providers = grown(
		loader->arena, team->providers, team->provider_count, sizeof(*team->providers));
	team->providers[team->provider_count++] =
		(struct team_provider){.name = text_string(loader->arena, pair->key),
			.base_url = string_at(loader, node, "base_url"),
			.wire = string_at(loader, node, "wire"),
			.api_key = secret_of(loader, NULL, yaml_get(node, "api_key"), "api_key")};
}

static void load_parts(struct loader *loader)
{
	struct team *team = loader->team;
	const struct yaml_node *providers = yaml_get(loader->defaults, "providers");
	const struct yaml_node *model = yaml_get(loader->defaults, "model");
	load_secrets(loader, yaml_get(loader->defaults, "secrets"));
	for (size_t i = 0; providers && providers->kind == YAML_MAP && i < providers->count; i++) {
		load_provider(loader, &providers->pairs[i]);
	}
	load_models(loader, yaml_get(loader->defaults, "models"));
	loader->default_model = model && !(model->kind == YAML_NULL && model->plain)
		? model_of(loader, model)
		: TEAM_NONE;
	team->colours = string_at(loader, loader->defaults, "colours");
	team->progress = string_at(loader, loader->defaults, "progress");
}

void load_defaults(struct loader *loader)
{
	struct team *team = loader->team;
	const char *path = team->choices.defaults;
	const char *folder = loader->folder;
	struct text source;
	struct error error = {0};
	loader->default_model = TEAM_NONE;
	if (!path || !pull_file(loader, (struct yaml_position){path, 1, 1}, path, &source)) {
		return;
	}
	struct yaml_node *document = yaml_parse(loader->arena, path, source, &error);
	if (!document) {
		mistake_from_yaml(loader, path, &error);
		return;
	}
	if (document->kind == YAML_NULL) { // nothing but comments
		return;
	}
	// What stands in it is found from where it is.
	loader->folder = path_folder(loader->arena, path);
	struct place place = {"", loader->folder, false};
	check_table(loader, document, config_keys, &place);
	loader->defaults = document;
	load_parts(loader);
	loader->folder = folder;
}

const struct yaml_node *said_in(
	const struct yaml_node *node, const struct yaml_node *defaults, const char *key)
{
	return yaml_get(node, key) ? node : defaults;
}

struct team *team_load_defaults(
	const char *path, const struct vocabulary *vocabulary, struct team_report *report)
{
	struct team *team = memory_alloc(sizeof(*team));
	struct team_choices choices = {.defaults = path};
	struct team_limits limits = {0};
	struct loader loader = {
		.team = team, .arena = &team->arena, .vocabulary = vocabulary, .report = report};
	*report = (struct team_report){0};
	team->path = arena_string(&team->arena, path);
	team->manager = TEAM_NONE;
	loader.folder = path_folder(&team->arena, path);
	keep_choices(team, &choices);
	load_defaults(&loader);
	load_limits(&loader, yaml_get(loader.defaults, "limits"), NULL, &limits);
	load_sandbox(&loader, yaml_get(loader.defaults, "sandbox"), NULL);
	report_sort(report, path);
	if (report->mistakes) {
		team_destroy(team);
		return NULL;
	}
	return team;
}

const struct team_provider *team_provider_find(const struct team *team, const char *name)
{
	for (size_t i = 0; i < team->provider_count; i++) {
		if (strcmp(team->providers[i].name, name) == 0) {
			return &team->providers[i];
		}
	}
	return NULL;
}
