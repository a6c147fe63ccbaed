#include "engine/rules.h"

#include "base/path.h"

enum { DEFAULT_OUTPUT_TOKENS = 4096 };

static uint32_t *indices(struct arena *arena, const int *from, size_t count)
{
	uint32_t *result = arena_new_array(arena, count, uint32_t);
	for (size_t i = 0; i < count; i++) {
		result[i] = (uint32_t)from[i];
	}
	return result;
}

static bool strings_overlap(const struct team_strings *a, const struct team_strings *b)
{
	for (size_t i = 0; i < a->count; i++) {
		for (size_t j = 0; j < b->count; j++) {
			if (glob_overlap(text_of(a->items[i]), text_of(b->items[j]))) {
				return true;
			}
		}
	}
	return false;
}

// Agents that did not declare what they write may write anything.
static uint64_t overlaps(const struct team *team, const struct team_agent *agent)
{
	uint64_t agents = 0;
	for (size_t i = 0; i < team->agent_count; i++) {
		const struct team_agent *other = &team->agents[i];
		if (other == agent || !agent->writes_declared || !other->writes_declared ||
			strings_overlap(&agent->writes, &other->writes)) {
			agents |= run_agent_bit((uint32_t)i);
		}
	}
	return agents;
}

static uint64_t writers(const struct team *team, const struct gate *gate)
{
	const struct text *paths;
	size_t count = gate_paths(gate, &paths);
	uint64_t agents = 0;
	for (size_t i = 0; i < team->agent_count; i++) {
		const struct team_agent *agent = &team->agents[i];
		for (size_t j = 0; agent->writes_declared && j < agent->writes.count; j++) {
			for (size_t k = 0; k < count; k++) {
				if (glob_overlap(text_of(agent->writes.items[j]), paths[k])) {
					agents |= run_agent_bit((uint32_t)i);
				}
			}
		}
	}
	return agents;
}

static struct run_agent make_agent(struct arena *arena, const struct team *team,
	const struct team_agent *agent, int64_t instruction_bytes)
{
	const struct team_model *model = &team->models[agent->model];
	return (struct run_agent){.outputs = indices(arena, agent->outputs, agent->output_count),
		.output_count = (uint32_t)agent->output_count,
		.limits = agent->limits,
		.overlaps = overlaps(team, agent),
		.instruction_bytes = instruction_bytes,
		.max_output_tokens =
			model->max_output_tokens ? model->max_output_tokens : DEFAULT_OUTPUT_TOKENS,
		.price_input = model->price.input,
		.price_cached = model->price.cached_input,
		.price_output = model->price.output,
		.remembers = agent->remembers};
}

const struct run_rules *rules_make(struct arena *arena, const struct team *team,
	struct gate *const *gates, const int64_t *instruction_bytes)
{
	struct run_rules *rules = arena_new(arena, struct run_rules);
	struct run_agent *agents = arena_new_array(arena, team->agent_count, struct run_agent);
	struct run_edge *edges = arena_new_array(arena, team->edge_count, struct run_edge);
	struct run_gate *all = arena_new_array(arena, team->gate_count, struct run_gate);
	for (size_t i = 0; i < team->agent_count; i++) {
		agents[i] = make_agent(arena, team, &team->agents[i], instruction_bytes[i]);
	}
	for (size_t i = 0; i < team->edge_count; i++) {
		const struct team_edge *edge = &team->edges[i];
		edges[i] = (struct run_edge){.kind = edge->kind,
			.from = (uint32_t)edge->from,
			.to = (uint32_t)edge->to,
			.needs = indices(arena, edge->needs, edge->need_count),
			.need_count = (uint32_t)edge->need_count,
			.retries = edge->retries};
	}
	for (size_t i = 0; i < team->gate_count; i++) {
		all[i] = (struct run_gate){.retries = team->gates[i].retries,
			.then = team->gates[i].then,
			.per_assignment = gate_compares(gates[i]),
			.writers = writers(team, gates[i])};
	}
	*rules = (struct run_rules){.agents = agents,
		.agent_count = (uint32_t)team->agent_count,
		.edges = edges,
		.edge_count = (uint32_t)team->edge_count,
		.gates = all,
		.gate_count = (uint32_t)team->gate_count,
		.manager = (uint32_t)team->manager,
		.limits = team->limits};
	return rules;
}
