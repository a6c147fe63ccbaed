#include "team.h"

static uint32_t make_list(uint32_t *list, uint32_t gate_count, struct choices *choices)
{
	uint32_t count = gate_count ? draw(choices, SIM_GATES_EACH + 1) : 0;
	for (uint32_t i = 0; i < count; i++) {
		list[i] = draw(choices, gate_count);
	}
	return count;
}

static uint64_t some_agents(uint32_t count, uint32_t percent, struct choices *choices)
{
	uint64_t agents = 0;
	for (uint32_t i = 0; i < count; i++) {
		agents |= chance(choices, percent) ? run_agent_bit(i) : 0;
	}
	return agents;
}

// `percent` is how often there is a limit of each kind; time ends too many games to be as frequent.
static void make_limits(
	struct team_limits *limits, uint32_t percent, int64_t scale, struct choices *choices)
{
	const struct {
		int64_t *field;
		uint32_t percent;
		int64_t unit;
	} rows[] = {{&limits->max_turns, percent, 1}, {&limits->timeout, percent / 3, 150},
		{&limits->max_nano_usd, percent / 2, 500}, {&limits->max_tokens, percent, 60},
		{&limits->max_tool_calls, percent, 1}, {&limits->max_handoffs, percent, 1}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (chance(choices, rows[i].percent)) {
			int64_t most = 1 + (int64_t)draw(choices, 10);
			*rows[i].field = most * rows[i].unit * scale + (int64_t)draw(choices, 2);
		}
	}
}

static void make_gates(struct sim_team *team, uint32_t agent_count, struct choices *choices)
{
	uint32_t count = draw(choices, SIM_GATES + 1);
	bool writers = chance(choices, 50);
	for (uint32_t i = 0; i < count; i++) {
		team->gates[i] = (struct run_gate){.retries = (int32_t)draw(choices, 4),
			.then = draw(choices, 3),
			.per_assignment = chance(choices, 20)};
		team->gates[i].writers =
			writers && chance(choices, 40) ? some_agents(agent_count, 30, choices) : 0;
	}
	team->rules.gate_count = count;
}

static void make_agents(struct sim_team *team, uint32_t count, struct choices *choices)
{
	uint32_t overlapping = draw(choices, 3); // none, some, all
	bool limited = chance(choices, 40);
	for (uint32_t i = 0; i < count; i++) {
		struct run_agent *agent = &team->agents[i];
		agent->outputs = team->outputs[i];
		agent->output_count = make_list(team->outputs[i], team->rules.gate_count, choices);
		if (limited) {
			make_limits(&agent->limits, 14, 2, choices);
		}
		agent->overlaps |= run_agent_bit(i);
		for (uint32_t j = 0; j < i; j++) {
			if (overlapping == 2 || (overlapping == 1 && chance(choices, 30))) {
				agent->overlaps |= run_agent_bit(j);
				team->agents[j].overlaps |= run_agent_bit(i);
			}
		}
		agent->instruction_bytes = draw(choices, 100);
		agent->max_output_tokens = 1 + (int64_t)draw(choices, 30);
		agent->price_input = draw(choices, 200) * INT64_C(100000);
		agent->price_cached = agent->price_input / 10;
		agent->price_output = draw(choices, 200) * INT64_C(300000);
		agent->remembers = chance(choices, 60);
	}
	team->rules.agent_count = count;
}

static void make_edges(struct sim_team *team, uint32_t percent, struct choices *choices)
{
	uint32_t count = 0;
	for (uint32_t from = 0; from < team->rules.agent_count; from++) {
		for (uint32_t to = 0; to < team->rules.agent_count && count < SIM_EDGES; to++) {
			bool next = to == from + 1;
			if (to == from || !(next || chance(choices, percent))) {
				continue;
			}
			struct run_edge *edge = &team->edges[count];
			*edge = (struct run_edge){
				.kind = chance(choices, 30) ? EDGE_TRANSFER : EDGE_DELEGATE,
				.from = from,
				.to = to,
				.needs = team->needs[count]};
			edge->need_count =
				make_list(team->needs[count], team->rules.gate_count, choices);
			edge->retries = chance(choices, 30) ? (int32_t)draw(choices, 3) : -1;
			count++;
		}
	}
	team->rules.edge_count = count;
}

void sim_team_make(struct sim_team *team, struct choices *choices)
{
	*team = (struct sim_team){0};
	uint32_t agents = 1 + draw(choices, chance(choices, 60) ? SIM_AGENTS : 5);
	make_gates(team, agents, choices);
	make_agents(team, agents, choices);
	make_edges(team, 240 / (agents + 3), choices);
	struct run_rules *rules = &team->rules;
	rules->agents = team->agents;
	rules->edges = team->edges;
	rules->gates = team->gates;
	rules->manager = draw(choices, 4) % agents;
	if (chance(choices, 50)) {
		make_limits(&rules->limits, 25, 4, choices);
	}
	rules->limits.max_concurrency = draw(choices, 5);
	rules->limits.max_depth = draw(choices, 5);
}

void sim_team_copy(struct sim_team *to, const struct sim_team *from)
{
	*to = *from;
	to->rules.agents = to->agents;
	to->rules.edges = to->edges;
	to->rules.gates = to->gates;
	for (uint32_t i = 0; i < to->rules.agent_count; i++) {
		to->agents[i].outputs = to->outputs[i];
	}
	for (uint32_t i = 0; i < to->rules.edge_count; i++) {
		to->edges[i].needs = to->needs[i];
	}
}
