#include <string.h>

#include "base/path.h"
#include "team/loader.h"

// What only shows when the whole team is known: who is never reached, what is never asked for.

static void check_reachable(const struct loader *loader)
{
	const struct team *team = loader->team;
	bool reached[TEAM_AGENTS] = {0};
	bool more = team->manager != TEAM_NONE && !loader->edges_unknown;
	if (!more) {
		return;
	}
	reached[team->manager] = true;
	while (more) {
		more = false;
		for (size_t i = 0; i < team->edge_count; i++) {
			const struct team_edge *edge = &team->edges[i];
			if (reached[edge->from] && !reached[edge->to]) {
				reached[edge->to] = true;
				more = true;
			}
		}
	}
	for (size_t i = 0; i < team->agent_count; i++) {
		if (!reached[i]) {
			mistake(loader, team->agents[i].position,
				"add it to the 'sub_agents' or 'handoffs' of an agent",
				"nobody can hand work to agent '%s'", team->agents[i].name);
		}
	}
}

static bool names_gate(const int *gates, size_t count, size_t gate)
{
	for (size_t i = 0; i < count; i++) {
		if (gates[i] == (int)gate) {
			return true;
		}
	}
	return false;
}

static void check_used(const struct loader *loader, size_t gate)
{
	const struct team *team = loader->team;
	for (size_t i = 0; i < team->agent_count; i++) {
		if (names_gate(team->agents[i].outputs, team->agents[i].output_count, gate)) {
			return;
		}
	}
	for (size_t i = 0; i < team->edge_count; i++) {
		if (names_gate(team->edges[i].needs, team->edges[i].need_count, gate)) {
			return;
		}
	}
	warning(loader, team->gates[gate].position,
		"name it in 'outputs' or 'needs', or leave it out", "nothing uses the gate '%s'",
		team->gates[gate].name);
}

// --- Outputs that nobody asks for ---

// The gates that an edge needs or the manager must leave behind.
struct asked {
	const struct loader *loader;
	bool *gates;
	struct team_strings subjects; // what their checks look at
};

static void add_subjects(struct asked *asked, const struct yaml_node *node)
{
	const struct loader *loader = asked->loader;
	for (size_t i = 0; node->kind == YAML_LIST && i < node->count; i++) {
		add_subjects(asked, &node->items[i]);
	}
	for (size_t i = 0; node->kind == YAML_MAP && i < node->count; i++) {
		const struct yaml_pair *pair = &node->pairs[i];
		struct text clean;
		struct error error;
		if (!owner_find(&loader->vocabulary->checks, pair->key)) {
			continue;
		}
		if (pair->value.kind == YAML_STRING &&
			path_clean(loader->arena, pair->value.text, &clean, &error)) {
			struct team_strings *subjects = &asked->subjects;
			subjects->items = grown(
				loader->arena, subjects->items, subjects->count, sizeof(char *));
			subjects->items[subjects->count++] = text_string(loader->arena, clean);
		} else {
			add_subjects(asked, &pair->value);
		}
	}
}

static void ask_for(struct asked *asked, const int *gates, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct team_gate *gate = &asked->loader->team->gates[gates[i]];
		if (!asked->gates[gates[i]] && gate->require) {
			add_subjects(asked, gate->require);
		}
		asked->gates[gates[i]] = true;
	}
}

static bool is_asked_for(struct asked *asked, int gate)
{
	const struct yaml_node *require = asked->loader->team->gates[gate].require;
	struct asked own = {.loader = asked->loader};
	if (asked->gates[gate] || !require) {
		return true;
	}
	add_subjects(&own, require);
	for (size_t i = 0; i < own.subjects.count; i++) {
		for (size_t j = 0; j < asked->subjects.count; j++) {
			const char *mine = own.subjects.items[i],
				   *theirs = asked->subjects.items[j];
			if (strcmp(mine, theirs) == 0 ||
				glob_match(text_of(theirs), text_of(mine)) ||
				glob_match(text_of(mine), text_of(theirs))) {
				return true;
			}
		}
	}
	return own.subjects.count == 0; // such as an approval: for nobody in particular
}

// Where an `outputs` value names the gate.
static struct yaml_position output_position(
	const struct loader *loader, const struct yaml_node *outputs, int gate)
{
	const struct team_gate *named = &loader->team->gates[gate];
	for (size_t i = 0; outputs->kind == YAML_LIST && i < outputs->count; i++) {
		const struct yaml_node *item = &outputs->items[i];
		bool here = item->position.line == named->position.line &&
			item->position.column == named->position.column;
		if (here || (item->kind == YAML_STRING && text_is(item->text, named->name))) {
			return item->position;
		}
	}
	return outputs->position;
}

static void check_outputs(const struct loader *loader)
{
	const struct team *team = loader->team;
	struct asked asked = {.loader = loader,
		.gates = arena_new_array(loader->arena, team->gate_count + 1, bool)};
	for (size_t i = 0; i < team->edge_count; i++) {
		ask_for(&asked, team->edges[i].needs, team->edges[i].need_count);
	}
	if (team->manager == TEAM_NONE) {
		return;
	}
	ask_for(&asked, team->agents[team->manager].outputs,
		team->agents[team->manager].output_count);
	for (size_t i = 0; i < team->agent_count; i++) {
		const struct team_agent *agent = &team->agents[i];
		const struct yaml_node *agents = yaml_get(team->document, "agents");
		const struct yaml_node *outputs = yaml_get(&agents->pairs[i].value, "outputs");
		for (size_t j = 0; j < agent->output_count; j++) {
			if (!is_asked_for(&asked, agent->outputs[j])) {
				warning(loader, output_position(loader, outputs, agent->outputs[j]),
					"name it in the 'needs' of a handoff or the manager's "
					"'outputs'",
					"nobody asks for the output '%s' of agent '%s'",
					team->gates[agent->outputs[j]].name, agent->name);
			}
		}
	}
}

void check_links(struct loader *loader)
{
	check_reachable(loader);
	if (loader->report->mistakes) {
		return; // what follows could be wrong about a file that was only half understood
	}
	for (size_t i = 0; i < loader->team->gate_count; i++) {
		if (!loader->team->gates[i].anonymous) {
			check_used(loader, i);
		}
	}
	check_outputs(loader);
}
