#include <string.h>

#include "team/loader.h"

// "provider/model" taken apart; false after a mistake.
static bool split_use(
	const struct loader *loader, const struct yaml_node *node, struct team_model *model)
{
	struct text use = node->text;
	const char *slash = use.length ? memchr(use.data, '/', use.length) : NULL;
	size_t length = slash ? (size_t)(slash - use.data) : 0;
	if (length == 0 || length + 1 == use.length) {
		mistake(loader, node->position, "write provider/model, like openai/gpt-5.4",
			"'%s' names no model", shown(loader, use));
		return false;
	}
	struct text provider = {use.data, length};
	const struct owner_list *known = &loader->vocabulary->models;
	const struct key_owner *owner = owner_find(known, provider);
	if (owner && owner->later) {
		mistake(loader, node->position, "use another provider",
			"the model provider '%s' is not available yet", owner->name);
	} else if (!owner && known->count) {
		mistake(loader, node->position, owner_remedy(loader, provider, known),
			"unknown model provider '%s'", shown(loader, provider));
	}
	model->provider = text_string(loader->arena, provider);
	model->model = text_string(
		loader->arena, (struct text){use.data + length + 1, use.length - length - 1});
	return true;
}

static int64_t nano_usd(double dollars)
{
	double nano = dollars * 1e9;
	return nano >= 0 && nano < 9e18 ? (int64_t)(nano + 0.5) : 0;
}

static void load_price(struct team_model *model, const struct yaml_node *price)
{
	if (!price || !yaml_get(price, "input") || !yaml_get(price, "output")) {
		return;
	}
	double input = number_at(price, "input", 0);
	model->price = (struct team_price){.input = nano_usd(input),
		.cached_input = nano_usd(number_at(price, "cached_input", input)),
		.output = nano_usd(number_at(price, "output", 0)),
		.known = true};
}

void check_url(const struct loader *loader, const struct yaml_node *node)
{
	if (node && node->kind == YAML_STRING && !text_starts(node->text, "https://") &&
		!text_starts(node->text, "http://")) {
		mistake(loader, node->position, "it starts with https:// or http://",
			"'%s' is no address", shown(loader, node->text));
	}
}

static int find_model(const struct team *team, struct text name)
{
	for (size_t i = 0; i < team->model_count; i++) {
		if (text_is(name, team->models[i].name)) {
			return (int)i;
		}
	}
	return TEAM_NONE;
}

static struct team_model *add_model(
	struct loader *loader, const char *name, struct yaml_position position)
{
	const struct team_model fresh = {.name = name,
		.position = position,
		.temperature = -1,
		.top_p = -1,
		.parallel_tool_calls = -1};
	struct team *team = loader->team;
	int known = name ? find_model(team, text_of(name)) : TEAM_NONE;
	if (known != TEAM_NONE) { // the configuration's: the team's own goes first
		team->models[known] = fresh;
		return &team->models[known];
	}
	if (team->model_count == LOADER_MODELS) {
		mistake(loader, position, NULL, "a team has at most %d models", LOADER_MODELS);
		return NULL;
	}
	team->models = grown(loader->arena, team->models, team->model_count, sizeof(*team->models));
	struct team_model *model = &team->models[team->model_count++];
	*model = fresh;
	return model;
}

static void load_model(struct loader *loader, const char *name, struct yaml_position position,
	const struct yaml_node *node)
{
	struct team_model *model = add_model(loader, name, position);
	if (!model) {
		return;
	}
	const struct yaml_node *use = yaml_get(node, "use");
	const struct yaml_node *reasoning = yaml_get(node, "reasoning");
	const struct yaml_node *parallel = yaml_get(node, "parallel_tool_calls");
	model->provider = model->model = "";
	if (use && use->kind == YAML_STRING) {
		split_use(loader, use, model);
	}
	check_url(loader, yaml_get(node, "base_url"));
	model->base_url = string_at(loader, node, "base_url");
	model->api_key = secret_of(loader, NULL, yaml_get(node, "api_key"), "api_key");
	model->wire = string_at(loader, node, "wire");
	model->temperature = number_at(node, "temperature", -1);
	model->top_p = number_at(node, "top_p", -1);
	model->max_output_tokens = integer_at(node, "max_output_tokens", 0);
	model->context_window = integer_at(node, "context_window", 0);
	model->reasoning_effort = string_at(loader, reasoning, "effort");
	model->reasoning_summary = string_at(loader, reasoning, "summary");
	model->tool_choice = string_at(loader, node, "tool_choice");
	if (parallel && parallel->kind == YAML_BOOLEAN) {
		model->parallel_tool_calls = parallel->boolean;
	}
	struct team_strings fallback = strings_at(loader, node, "fallback");
	model->fallback = fallback.count ? fallback.items : NULL;
	load_price(model, yaml_get(node, "price"));
}

static const char *nearest_model(const struct loader *loader, struct text name)
{
	const struct team *team = loader->team;
	const char **names = arena_new_array(loader->arena, team->model_count + 1, const char *);
	for (size_t i = 0; i < team->model_count; i++) {
		names[i] = team->models[i].name;
	}
	const char *remedy = nearest(loader, name, names, team->model_count);
	return remedy ? remedy : "write provider/model, or declare it under 'models'";
}

// A name from `models`, or "provider/model" used directly.
static int named_model(struct loader *loader, const struct yaml_node *node)
{
	int index = find_model(loader->team, node->text);
	if (index != TEAM_NONE) {
		return index;
	}
	if (!memchr(node->text.data, '/', node->text.length)) {
		mistake(loader, node->position, nearest_model(loader, node->text),
			"there is no model '%s'", shown(loader, node->text));
		return TEAM_NONE;
	}
	struct team_model model = {0};
	if (!split_use(loader, node, &model)) {
		return TEAM_NONE;
	}
	const char *name = text_string(loader->arena, node->text);
	struct team_model *added = add_model(loader, name, node->position);
	if (!added) {
		return TEAM_NONE;
	}
	added->provider = model.provider;
	added->model = model.model;
	return (int)loader->team->model_count - 1;
}

int model_of(struct loader *loader, const struct yaml_node *node)
{
	if (node->kind == YAML_STRING && node->text.length) {
		return named_model(loader, node);
	}
	if (node->kind != YAML_MAP) {
		mistake(loader, node->position, "write provider/model, like openai/gpt-5.4",
			"'model' must be a string or a map, not %s", yaml_kind_name(node->kind));
		return TEAM_NONE;
	}
	struct place place = {"model", loader->folder, false};
	check_table(loader, node, model_keys, &place);
	// Written out in place it has no name; this one cannot be mistaken for one.
	const char *use = string_at(loader, node, "use");
	size_t count = loader->team->model_count;
	bool ours = strcmp(node->position.file, loader->team->path) == 0;
	const char *name = arena_printf(loader->arena, "%s (%sline %u)", use ? use : "?",
		ours ? "" : "configuration, ", node->position.line);
	load_model(loader, name, node->position, node);
	return loader->team->model_count > count ? (int)count : TEAM_NONE;
}

static void check_fallbacks(struct loader *loader, const struct yaml_node *node)
{
	const struct yaml_node *fallback = yaml_get(node, "fallback");
	if (!fallback) {
		return;
	}
	bool list = fallback->kind == YAML_LIST;
	for (size_t i = 0; i < (list ? fallback->count : 1); i++) {
		const struct yaml_node *item = list ? &fallback->items[i] : fallback;
		if (item->kind == YAML_STRING && item->text.length) {
			named_model(loader, item);
		}
	}
}

void load_models(struct loader *loader, const struct yaml_node *node)
{
	if (!node || node->kind != YAML_MAP) {
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_pair *pair = &node->pairs[i];
		if (!name_is(pair->key, "-_.", 64)) {
			mistake(loader, pair->position,
				"use small letters, digits, '-', '_' and '.', a letter first",
				"'%s' is no name for a model", shown(loader, pair->key));
		}
		load_model(loader, text_string(loader->arena, pair->key), pair->position,
			&pair->value);
	}
	for (size_t i = 0; i < node->count; i++) {
		check_fallbacks(loader, &node->pairs[i].value);
	}
}

static void check_price(const struct loader *loader, const struct team_model *model)
{
	if (model->price.known) {
		return;
	}
	const char *remedy = "give it 'price: {input: ..., output: ...}' under 'models'";
	if (loader->vocabulary->rehearsal) {
		warning(loader, loader->max_usd->position, remedy,
			"'max_usd' needs the price of the model '%s'", model->name);
	} else {
		mistake(loader, loader->max_usd->position, remedy,
			"'max_usd' needs the price of the model '%s'", model->name);
	}
}

void check_prices(const struct loader *loader)
{
	const struct team *team = loader->team;
	bool used[LOADER_MODELS] = {0};
	for (size_t i = 0; i < team->agent_count; i++) {
		if (team->agents[i].model != TEAM_NONE) {
			used[team->agents[i].model] = true;
		}
	}
	for (size_t i = 0; i < team->model_count; i++) {
		const char *const *fallback = team->models[i].fallback;
		for (size_t j = 0; used[i] && fallback && fallback[j]; j++) {
			int index = find_model(team, text_of(fallback[j]));
			if (index != TEAM_NONE) {
				used[index] = true;
			}
		}
	}
	for (size_t i = 0; loader->max_usd && i < team->model_count; i++) {
		if (used[i]) {
			check_price(loader, &team->models[i]);
		}
	}
}
