#include <string.h>

#include "base/path.h"
#include "team/loader.h"

static void load_instructions(
	const struct loader *loader, struct team_agent *agent, const struct yaml_node *node)
{
	const struct yaml_node *text = yaml_get(node, "instructions");
	const struct yaml_node *file = yaml_get(node, "instructions_file");
	struct text content;
	if (text && file) {
		mistake(loader, file->position, "leave one of them out",
			"agent '%s' has both 'instructions' and 'instructions_file'", agent->name);
		return;
	}
	if (!text && !file &&
		(has_or_means(loader, node, agent_keys, "instructions") ||
			has_or_means(loader, node, agent_keys, "instructions_file"))) {
		return;
	}
	if (!text && !file) {
		mistake(loader, agent->position, "give it 'instructions' or 'instructions_file'",
			"agent '%s' has no instructions", agent->name);
		return;
	}
	const struct yaml_node *given = text ? text : file;
	if (given->kind != YAML_STRING) {
		return;
	}
	if (file) {
		const char *path = path_join(
			loader->arena, loader->folder, text_string(loader->arena, file->text));
		if (!file_is_there(loader, path, false) ||
			!pull_file(loader, file->position, path, &content)) {
			return;
		}
		agent->instructions_file = path;
		check_prompt_references(loader, content, path);
	} else {
		content = text->text;
	}
	if (text_trim(content).length == 0) {
		mistake(loader, given->position, "say what the agent is to do",
			"the instructions of agent '%s' are empty", agent->name);
	}
	agent->instructions = text_string(loader->arena, content);
}

static void load_tools(
	const struct loader *loader, struct team_agent *agent, const struct yaml_node *node)
{
	const struct yaml_node *tools = yaml_get(node, "tools");
	agent->tools_restricted = tools != NULL;
	agent->tools_allow = strings_at(loader, tools, "allow");
	agent->tools_deny = strings_at(loader, tools, "deny");
	check_tool_names(loader, yaml_get(tools, "allow"));
	check_tool_names(loader, yaml_get(tools, "deny"));
}

static const char *clean_path(const struct loader *loader, const char *path)
{
	struct text clean;
	struct error error;
	if (!path || !path_clean(loader->arena, text_of(path), &clean, &error)) {
		return NULL;
	}
	return text_string(loader->arena, clean);
}

static void clean_globs(const struct loader *loader, struct team_strings *globs)
{
	for (size_t i = 0; i < globs->count; i++) {
		const char *clean = clean_path(loader, globs->items[i]);
		globs->items[i] = clean ? clean : globs->items[i];
	}
}

static void load_agent(struct loader *loader, struct team_agent *agent,
	const struct yaml_node *node, int team_model)
{
	const struct yaml_node *model = yaml_get(node, "model");
	const struct yaml_node *remember = yaml_get(node, "remember");
	agent->description = string_at(loader, node, "description");
	load_instructions(loader, agent, node);
	agent->model = model ? model_of(loader, model) : team_model;
	if (!has_or_means(loader, node, agent_keys, "model") &&
		!has_or_means(loader, loader->team->document, team_keys, "model") &&
		!model_is_chosen(loader, agent->name) && !yaml_get(loader->defaults, "model")) {
		mistake(loader, agent->position, "set 'model' for the team or for the agent",
			"agent '%s' has no model", agent->name);
	}
	agent->writes_declared = yaml_get(node, "writes") != NULL;
	agent->writes = strings_at(loader, node, "writes");
	agent->reads = strings_at(loader, node, "reads");
	clean_globs(loader, &agent->writes);
	clean_globs(loader, &agent->reads);
	agent->workdir = clean_path(loader, string_at(loader, node, "workdir"));
	agent->run_as = string_at(loader, node, "run_as");
	agent->remembers = !(remember && text_is(remember->text, "nothing"));
	load_tools(loader, agent, node);
	load_permissions(loader, yaml_get(node, "permissions"), &agent->permissions);
	load_limits(loader, yaml_get(node, "limits"), NULL, &agent->limits);
	load_requirements(loader, yaml_get(node, "outputs"), "outputs", &agent->outputs,
		&agent->output_count);
}

// --- Edges ---

static int find_agent(const struct loader *loader, const struct yaml_node *name, const char *what)
{
	const struct team *team = loader->team;
	const char **names = arena_new_array(loader->arena, team->agent_count + 1, const char *);
	for (size_t i = 0; i < team->agent_count; i++) {
		names[i] = team->agents[i].name;
		if (text_is(name->text, names[i])) {
			return (int)i;
		}
	}
	const char *remedy = nearest(loader, name->text, names, team->agent_count);
	mistake(loader, name->position, remedy ? remedy : one_of(loader, names, team->agent_count),
		"%s unknown agent '%s'", what, shown(loader, name->text));
	return TEAM_NONE;
}

static bool edge_fits(const struct loader *loader, int from, int to, enum team_edge_kind kind,
	struct yaml_position position)
{
	const struct team *team = loader->team;
	const char *name = team->agents[to].name;
	if (from == to) {
		mistake(loader, position, "name another agent", "agent '%s' hands off to itself",
			name);
		return false;
	}
	for (size_t i = 0; i < team->edge_count; i++) {
		const struct team_edge *other = &team->edges[i];
		if (other->from != from || other->to != to) {
			continue;
		}
		if (other->kind == kind) {
			mistake(loader, position, "put all that it needs into one entry",
				"agent '%s' hands off to '%s' twice", team->agents[from].name,
				name);
		} else {
			mistake(loader, position, "keep it in one of the two",
				"agent '%s' has '%s' in both 'sub_agents' and 'handoffs'",
				team->agents[from].name, name);
		}
		return false;
	}
	return true;
}

static enum team_transfer_input transfer_input(const struct yaml_node *node)
{
	const struct yaml_node *input = yaml_get(node, "input");
	if (input && text_is(input->text, "last")) {
		return TRANSFER_LAST;
	}
	return input && text_is(input->text, "task") ? TRANSFER_TASK : TRANSFER_ALL;
}

static void load_edge(
	struct loader *loader, int from, enum team_edge_kind kind, const struct yaml_node *node)
{
	struct team *team = loader->team;
	bool map = node->kind == YAML_MAP;
	const struct yaml_node *name = map ? yaml_get(node, "to") : node;
	if (map) {
		struct place place = {
			arena_printf(loader->arena, "agents.%s.%s", team->agents[from].name,
				kind == EDGE_DELEGATE ? "sub_agents" : "handoffs"),
			loader->folder, false};
		check_table(loader, node, kind == EDGE_DELEGATE ? delegate_keys : transfer_keys,
			&place);
	} else if (node->kind != YAML_STRING) {
		mistake(loader, node->position, "write an agent's name, or {to: NAME, needs: ...}",
			"a handoff cannot be %s", yaml_kind_name(node->kind));
	}
	if (!name || name->kind != YAML_STRING) {
		loader->edges_unknown = true;
		return;
	}
	if (team->edge_count == TEAM_EDGES) {
		mistake(loader, node->position, NULL, "a team has at most %d handoffs", TEAM_EDGES);
		return;
	}
	int to = find_agent(loader, name, "handoff to");
	struct team_edge edge = {.kind = kind,
		.from = from,
		.to = to,
		.description = string_at(loader, node, "description"),
		.retries = (int)integer_at(node, "retries", -1),
		.input = transfer_input(node),
		.position = name->position};
	load_requirements(loader, yaml_get(node, "needs"), "needs", &edge.needs, &edge.need_count);
	loader->edges_unknown |= to == TEAM_NONE;
	if (to != TEAM_NONE && edge_fits(loader, from, to, kind, name->position)) {
		team->edges =
			grown(loader->arena, team->edges, team->edge_count, sizeof(*team->edges));
		team->edges[team->edge_count++] = edge;
	}
}

static void load_edges(struct loader *loader, int from, const struct yaml_node *agent)
{
	static const char *const kinds[] = {"sub_agents", "handoffs"};
	for (size_t i = 0; i < 2; i++) {
		loader->edges_unknown |= !yaml_get(agent, kinds[i]) &&
			has_or_means(loader, agent, agent_keys, kinds[i]);
	}
	for (size_t i = 0; agent->kind == YAML_MAP && i < agent->count; i++) {
		const struct yaml_pair *pair = &agent->pairs[i];
		bool delegates = text_is(pair->key, "sub_agents");
		if (!delegates && !text_is(pair->key, "handoffs")) {
			continue;
		}
		if (pair->value.kind == YAML_NULL) { // said before
			continue;
		}
		if (pair->value.kind != YAML_LIST) {
			loader->edges_unknown = true;
			mistake(loader, pair->value.position, "write [NAME, ...]",
				"'%s' must be a list, not %s",
				delegates ? "sub_agents" : "handoffs",
				yaml_kind_name(pair->value.kind));
			continue;
		}
		for (size_t j = 0; j < pair->value.count; j++) {
			load_edge(loader, from, delegates ? EDGE_DELEGATE : EDGE_TRANSFER,
				&pair->value.items[j]);
		}
	}
}

// --- All of them ---

static bool load_names(struct loader *loader, const struct yaml_node *agents)
{
	struct team *team = loader->team;
	if (!agents || agents->kind != YAML_MAP) {
		return false;
	}
	if (agents->count == 0) {
		mistake(loader, agents->position, "declare at least the manager",
			"the team has no agents");
		return false;
	}
	if (agents->count > TEAM_AGENTS) {
		mistake(loader, agents->pairs[TEAM_AGENTS].position, "split the team",
			"a team has at most %d agents, not %zu", TEAM_AGENTS, agents->count);
		return false;
	}
	team->agents = arena_new_array(loader->arena, agents->count, struct team_agent);
	team->agent_count = agents->count;
	for (size_t i = 0; i < agents->count; i++) {
		const struct yaml_pair *pair = &agents->pairs[i];
		team->agents[i].name = text_string(loader->arena, pair->key);
		team->agents[i].position = pair->position;
		team->agents[i].model = TEAM_NONE;
		if (!name_is(pair->key, "_", 48)) {
			mistake(loader, pair->position,
				"use small letters, digits and '_', a letter first, at most 48",
				"'%s' is no name for an agent", shown(loader, pair->key));
		}
	}
	return true;
}

void load_agents(struct loader *loader, const struct yaml_node *document)
{
	const struct yaml_node *agents = yaml_get(document, "agents");
	const struct yaml_node *manager = yaml_get(document, "manager");
	const struct yaml_node *model = yaml_get(document, "model");
	struct team *team = loader->team;
	int team_model = model && !(model->kind == YAML_NULL && model->plain)
		? model_of(loader, model)
		: loader->default_model;
	if (!load_names(loader, agents)) {
		return;
	}
	if (manager && manager->kind == YAML_STRING) {
		team->manager = find_agent(loader, manager, "the manager is an");
	}
	for (size_t i = 0; i < agents->count; i++) {
		load_agent(loader, &team->agents[i], &agents->pairs[i].value, team_model);
	}
	for (size_t i = 0; i < agents->count; i++) {
		load_edges(loader, (int)i, &agents->pairs[i].value);
	}
}
