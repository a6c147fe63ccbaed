#include "view/plan.h"

#include "agent/tool.h"
#include "view/document.h"
#include "view/words.h"

enum { CHECK_WIDTH = 200, LABEL_WIDTH = 14 };

static int64_t smaller(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

// The largest value over all agents' models; 0 if one of them does not say.
static int64_t largest_context(const struct team *team)
{
	int64_t largest = 0;
	for (size_t i = 0; i < team->agent_count; i++) {
		const struct team_model *model = &team->models[team->agents[i].model];
		if (model->context_window == 0) {
			return 0;
		}
		largest = model->context_window > largest ? model->context_window : largest;
	}
	return largest;
}

static int64_t largest_price(const struct team *team)
{
	int64_t largest = 0;
	for (size_t i = 0; i < team->agent_count; i++) {
		const struct team_price *price = &team->models[team->agents[i].model].price;
		if (!price->known) {
			return 0;
		}
		int64_t most = price->input > price->output ? price->input : price->output;
		largest = most > largest ? most : largest;
	}
	return largest;
}

static bool can_transfer(const struct team *team, int agent)
{
	for (size_t i = 0; i < team->edge_count; i++) {
		if (team->edges[i].from == agent && team->edges[i].kind == EDGE_TRANSFER) {
			return true;
		}
	}
	return false;
}

void plan_bounds(const struct team *team, struct plan_bounds *bounds)
{
	const struct team_limits *run = &team->limits;
	// What is delegated counts for the manager, too, so its limits bound the run; unless it can
	// pass the whole conversation on, which starts a new assignment with limits of its own.
	const struct team_limits none = {0};
	const struct team_limits *manager =
		can_transfer(team, team->manager) ? &none : &team->agents[team->manager].limits;
	*bounds = (struct plan_bounds){.turns = smaller(run->max_turns, manager->max_turns),
		.tokens = smaller(run->max_tokens, manager->max_tokens),
		.tool_calls = smaller(run->max_tool_calls, manager->max_tool_calls),
		.handoffs = smaller(run->max_handoffs, manager->max_handoffs),
		.nano_usd = smaller(run->max_nano_usd, manager->max_nano_usd),
		.milliseconds = smaller(run->timeout, manager->timeout),
		.concurrency = run->max_concurrency,
		.depth = run->max_depth};
	bounds->turns_from = bounds->turns ? "max_turns" : NULL;
	bounds->tokens_from = bounds->tokens ? "max_tokens" : NULL;
	bounds->usd_from = bounds->nano_usd ? "max_usd" : NULL;
	int64_t product;
	int64_t context = largest_context(team), price = largest_price(team);
	if (!bounds->tokens && bounds->turns && context &&
		!__builtin_mul_overflow(bounds->turns, context, &product)) {
		bounds->tokens = product;
		bounds->tokens_from = "max_turns x context_window";
	}
	if (!bounds->nano_usd && bounds->tokens && price &&
		!__builtin_mul_overflow(bounds->tokens, price, &product)) {
		bounds->nano_usd = product / 1000000;
		bounds->usd_from = "tokens x the highest price";
	}
}

// A value of the team file in one line, as it could stand there.
static void add_value(struct buffer *buffer, const struct yaml_node *node)
{
	switch (node->kind) {
	case YAML_LIST:
		buffer_add_char(buffer, '[');
		for (size_t i = 0; i < node->count; i++) {
			buffer_add_string(buffer, i ? ", " : "");
			add_value(buffer, &node->items[i]);
		}
		buffer_add_char(buffer, ']');
		break;
	case YAML_MAP:
		buffer_add_char(buffer, '{');
		for (size_t i = 0; i < node->count; i++) {
			buffer_add_string(buffer, i ? ", " : "");
			buffer_add_text(buffer, node->pairs[i].key);
			buffer_add_string(buffer, ": ");
			add_value(buffer, &node->pairs[i].value);
		}
		buffer_add_char(buffer, '}');
		break;
	default:
		buffer_add_text(buffer, node->text);
	}
}

// "file design/design_spec.md, min_bytes: 200"
static void add_check(struct buffer *buffer, const struct yaml_node *check)
{
	buffer_cleanup words = {0};
	if (check->kind == YAML_MAP) {
		for (size_t i = 0; i < check->count; i++) {
			buffer_add_string(&words, i ? ", " : "");
			buffer_add_text(&words, check->pairs[i].key);
			buffer_add_string(&words, i ? ": " : " ");
			add_value(&words, &check->pairs[i].value);
		}
	} else {
		buffer_add_string(&words, "file ");
		add_value(&words, check);
	}
	buffer_add_line(buffer, buffer_text(&words), CHECK_WIDTH);
}

static size_t check_count(const struct team_gate *gate)
{
	return gate->require->kind == YAML_LIST ? gate->require->count : 1;
}

static const struct yaml_node *check_at(const struct team_gate *gate, size_t i)
{
	return gate->require->kind == YAML_LIST ? &gate->require->items[i] : gate->require;
}

static void add_label(struct buffer *buffer, const char *label)
{
	buffer_printf(buffer, "    %-*s", LABEL_WIDTH, label);
}

static void add_gate_names(
	struct buffer *buffer, const struct team *team, const int *gates, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buffer_add_string(buffer, i ? ", " : "");
		buffer_add_line(buffer, text_of(team->gates[gates[i]].name), CHECK_WIDTH);
	}
	buffer_add_char(buffer, '\n');
}

static void add_strings(
	struct buffer *buffer, const char *label, const struct team_strings *strings)
{
	add_label(buffer, label);
	for (size_t i = 0; i < strings->count; i++) {
		buffer_add_string(buffer, i ? ", " : "");
		buffer_add_line(buffer, text_of(strings->items[i]), CHECK_WIDTH);
	}
	buffer_add_string(buffer, strings->count ? "\n" : "nothing\n");
}

static void add_tools(struct buffer *buffer, const struct team *team, int agent)
{
	size_t count = 0;
	add_label(buffer, "tools");
	for (size_t i = 0; tools[i]; i++) {
		if (tool_allowed(team, agent, tools[i])) {
			buffer_printf(buffer, "%s%s", count++ ? ", " : "", tools[i]->name);
		}
	}
	buffer_add_string(buffer, count ? "\n" : "none\n");
}

static const char *kind_name(const struct team_edge *edge)
{
	return edge->kind == EDGE_DELEGATE ? "delegate" : "transfer";
}

static void add_edges(struct buffer *buffer, const struct team *team, int agent)
{
	for (size_t i = 0; i < team->edge_count; i++) {
		const struct team_edge *edge = &team->edges[i];
		if (edge->from != agent) {
			continue;
		}
		add_label(buffer, edge->kind == EDGE_DELEGATE ? "delegates to" : "transfers to");
		buffer_add_string(buffer, team->agents[edge->to].name);
		if (edge->need_count) {
			buffer_add_string(buffer, " when these hold: ");
			add_gate_names(buffer, team, edge->needs, edge->need_count);
		} else {
			buffer_add_string(buffer, " at any time\n");
		}
	}
}

// The limits that are set, by the names of their keys.
struct limit_row {
	const char *name;
	size_t offset; // in struct team_limits
	void (*add)(struct buffer *buffer, int64_t value);
};

static const struct limit_row limit_rows[] = {
	{"max_turns", offsetof(struct team_limits, max_turns), words_add_number},
	{"timeout", offsetof(struct team_limits, timeout), words_add_duration},
	{"max_usd", offsetof(struct team_limits, max_nano_usd), words_add_money},
	{"max_tokens", offsetof(struct team_limits, max_tokens), words_add_number},
	{"max_tool_calls", offsetof(struct team_limits, max_tool_calls), words_add_number},
	{"max_handoffs", offsetof(struct team_limits, max_handoffs), words_add_number},
	{"max_concurrency", offsetof(struct team_limits, max_concurrency), words_add_number},
	{"max_depth", offsetof(struct team_limits, max_depth), words_add_number},
};

enum { LIMIT_ROWS = sizeof(limit_rows) / sizeof(limit_rows[0]) };

static int64_t limit_value(const struct team_limits *limits, const struct limit_row *row)
{
	return *(const int64_t *)((const char *)limits + row->offset);
}

static void add_limits(struct buffer *buffer, const struct team_limits *limits)
{
	size_t count = 0;
	for (size_t i = 0; i < LIMIT_ROWS; i++) {
		int64_t value = limit_value(limits, &limit_rows[i]);
		if (value) {
			if (count++ == 0) {
				add_label(buffer, "limits");
			} else {
				buffer_add_string(buffer, ", ");
			}
			buffer_printf(buffer, "%s ", limit_rows[i].name);
			limit_rows[i].add(buffer, value);
		}
	}
	buffer_add_string(buffer, count ? "\n" : "");
}

// What a name of the team stands for.
static void add_model_of_provider(struct buffer *buffer, const struct team_model *model)
{
	buffer_cleanup whole = {0};
	buffer_printf(&whole, "%s/%s", model->provider, model->model);
	if (!text_starts(text_of(model->name), whole.data)) {
		buffer_add_string(buffer, " (");
		buffer_add_line(buffer, buffer_text(&whole), CHECK_WIDTH);
		buffer_add_string(buffer, ")");
	}
}

static void add_agent(struct buffer *buffer, const struct team *team, int index)
{
	const struct team_agent *agent = &team->agents[index];
	buffer_printf(
		buffer, "\n  %s%s\n", agent->name, index == team->manager ? " (manager)" : "");
	if (agent->description && agent->description[0]) {
		buffer_add_string(buffer, "    ");
		buffer_add_line(buffer, text_of(agent->description), CHECK_WIDTH);
		buffer_add_char(buffer, '\n');
	}
	add_label(buffer, "model");
	buffer_add_line(buffer, text_of(team->models[agent->model].name), CHECK_WIDTH);
	add_model_of_provider(buffer, &team->models[agent->model]);
	buffer_add_char(buffer, '\n');
	add_edges(buffer, team, index);
	if (agent->output_count) {
		add_label(buffer, "leaves behind");
		add_gate_names(buffer, team, agent->outputs, agent->output_count);
	}
	if (agent->writes_declared) {
		add_strings(buffer, "may write", &agent->writes);
	}
	add_tools(buffer, team, index);
	add_limits(buffer, &agent->limits);
}

static void add_gate(struct buffer *buffer, const struct team_gate *gate)
{
	static const char *const policies[] = {[POLICY_RETURN] = "back to whoever waits",
		[POLICY_ASK] = "ask a person",
		[POLICY_ABORT] = "the run fails"};
	buffer_add_string(buffer, "\n  ");
	buffer_add_line(buffer, text_of(gate->name), CHECK_WIDTH);
	buffer_add_string(buffer, " (");
	words_add_count(buffer, gate->retries, "retry", "retries");
	buffer_printf(buffer, ", then: %s)\n", policies[gate->then]);
	for (size_t i = 0; i < check_count(gate); i++) {
		buffer_add_string(buffer, "    ");
		add_check(buffer, check_at(gate, i));
		buffer_add_char(buffer, '\n');
	}
}

static void add_bound(struct buffer *buffer, const char *label, int64_t value,
	void (*add)(struct buffer *buffer, int64_t value), const char *from)
{
	add_label(buffer, label);
	if (value) {
		add(buffer, value);
		if (from) {
			buffer_printf(buffer, " (%s)", from);
		}
	} else {
		buffer_add_string(buffer, "no limit");
	}
	buffer_add_char(buffer, '\n');
}

static void add_bounds(struct buffer *buffer, const struct team *team)
{
	struct plan_bounds bounds;
	plan_bounds(team, &bounds);
	buffer_add_string(buffer, "\nAt most\n");
	add_bound(buffer, "turns", bounds.turns, words_add_number, bounds.turns_from);
	add_bound(buffer, "tokens", bounds.tokens, words_add_number, bounds.tokens_from);
	if (bounds.tool_calls) {
		add_bound(buffer, "tool calls", bounds.tool_calls, words_add_number, NULL);
	}
	if (bounds.handoffs) {
		add_bound(buffer, "handoffs", bounds.handoffs, words_add_number, NULL);
	}
	add_bound(buffer, "cost", bounds.nano_usd, words_add_money, bounds.usd_from);
	add_bound(buffer, "working time", bounds.milliseconds, words_add_duration, NULL);
	add_bound(buffer, "side by side", bounds.concurrency, words_add_number, NULL);
	buffer_add_string(buffer,
		"    (calls that are under way when a limit is reached may still go over it)\n");
}

static void add_inputs(struct buffer *buffer, const struct team *team)
{
	static const char *const types[] = {[INPUT_STRING] = "string",
		[INPUT_FILE] = "file",
		[INPUT_NUMBER] = "number",
		[INPUT_BOOLEAN] = "boolean",
		[INPUT_FOLDER] = "folder"};
	if (team->input_count) {
		buffer_add_string(buffer, "\nInputs\n");
	}
	for (size_t i = 0; i < team->input_count; i++) {
		const struct team_input *input = &team->inputs[i];
		buffer_printf(buffer, "  %s (%s%s", input->name, types[input->type],
			input->required ? ", required" : "");
		for (size_t c = 0; input->choices && input->choices[c]; c++) {
			buffer_add_string(buffer, c ? " or " : ", ");
			buffer_add_line(buffer, text_of(input->choices[c]), CHECK_WIDTH);
		}
		if (input->default_value) {
			buffer_add_string(buffer, "; else ");
			buffer_add_line(buffer, text_of(input->default_value), CHECK_WIDTH);
		}
		buffer_add_char(buffer, ')');
		if (input->description && input->description[0]) {
			buffer_add_string(buffer, ": ");
			buffer_add_line(buffer, text_of(input->description), CHECK_WIDTH);
		}
		buffer_add_char(buffer, '\n');
	}
}

void plan_print(struct buffer *buffer, const struct team *team)
{
	buffer_add_line(buffer, text_of(team->name), CHECK_WIDTH);
	if (team->description && team->description[0]) {
		buffer_add_string(buffer, ": ");
		buffer_add_line(buffer, text_of(team->description), CHECK_WIDTH);
	}
	buffer_printf(buffer, "\n\nSandbox\n  %s, network %s\n", team->sandbox.provider,
		!team->sandbox.network              ? "off"
			: team->sandbox.hosts.count ? "to chosen hosts only"
						    : "on");
	add_inputs(buffer, team);
	buffer_add_string(buffer, "\nAgents\n");
	for (size_t i = 0; i < team->agent_count; i++) {
		add_agent(buffer, team, (int)i);
	}
	if (team->gate_count) {
		buffer_add_string(buffer, "\nGates\n");
	}
	for (size_t i = 0; i < team->gate_count; i++) {
		add_gate(buffer, &team->gates[i]);
	}
	add_bounds(buffer, team);
}

static void gate_names_json(struct document *document, const char *name, const struct team *team,
	const int *gates, size_t count)
{
	document_array(document, name);
	for (size_t i = 0; i < count; i++) {
		document_string(document, NULL, team->gates[gates[i]].name);
	}
	document_end_array(document);
}

static void strings_json(
	struct document *document, const char *name, const struct team_strings *strings)
{
	document_array(document, name);
	for (size_t i = 0; i < strings->count; i++) {
		document_string(document, NULL, strings->items[i]);
	}
	document_end_array(document);
}

static void limits_json(struct document *document, const struct team_limits *limits)
{
	document_object(document, "limits");
	for (size_t i = 0; i < LIMIT_ROWS; i++) {
		int64_t value = limit_value(limits, &limit_rows[i]);
		if (value && limit_rows[i].add == words_add_money) {
			document_real(document, limit_rows[i].name, (double)value / 1e9);
		} else if (value && limit_rows[i].add == words_add_duration) {
			document_number(document, "timeout_ms", value);
		} else if (value) {
			document_number(document, limit_rows[i].name, value);
		}
	}
	document_end_object(document);
}

static void agent_json(struct document *document, const struct team *team, int index)
{
	const struct team_agent *agent = &team->agents[index];
	document_object(document, NULL);
	document_string(document, "name", agent->name);
	document_flag(document, "manager", index == team->manager);
	document_string(document, "description", agent->description);
	document_string(document, "model", team->models[agent->model].name);
	gate_names_json(document, "outputs", team, agent->outputs, agent->output_count);
	if (agent->writes_declared) {
		strings_json(document, "writes", &agent->writes);
	}
	document_array(document, "tools");
	for (size_t i = 0; tools[i]; i++) {
		if (tool_allowed(team, index, tools[i])) {
			document_string(document, NULL, tools[i]->name);
		}
	}
	document_end_array(document);
	limits_json(document, &agent->limits);
	document_end_object(document);
}

static void edge_json(
	struct document *document, const struct team *team, const struct team_edge *edge)
{
	document_object(document, NULL);
	document_string(document, "kind", kind_name(edge));
	document_string(document, "from", team->agents[edge->from].name);
	document_string(document, "to", team->agents[edge->to].name);
	gate_names_json(document, "needs", team, edge->needs, edge->need_count);
	document_end_object(document);
}

static void gate_json(struct document *document, const struct team_gate *gate)
{
	static const char *const policies[] = {
		[POLICY_RETURN] = "return", [POLICY_ASK] = "ask", [POLICY_ABORT] = "abort"};
	document_object(document, NULL);
	document_string(document, "name", gate->name);
	document_string(document, "description", gate->description);
	document_number(document, "retries", gate->retries);
	document_string(document, "then", policies[gate->then]);
	document_array(document, "require");
	for (size_t i = 0; i < check_count(gate); i++) {
		buffer_cleanup json = {0};
		yaml_print_json(&json, check_at(gate, i));
		document_json(document, NULL, buffer_text(&json));
	}
	document_end_array(document);
	document_end_object(document);
}

// 0 means that nothing bounds it: null.
static void bound_json(struct document *document, const char *name, int64_t value)
{
	if (value) {
		document_number(document, name, value);
	} else {
		document_null(document, name);
	}
}

static void bounds_json(struct document *document, const struct team *team)
{
	struct plan_bounds bounds;
	plan_bounds(team, &bounds);
	document_object(document, "at_most");
	bound_json(document, "turns", bounds.turns);
	bound_json(document, "tokens", bounds.tokens);
	bound_json(document, "nano_usd", bounds.nano_usd);
	bound_json(document, "tool_calls", bounds.tool_calls);
	bound_json(document, "handoffs", bounds.handoffs);
	bound_json(document, "working_ms", bounds.milliseconds);
	bound_json(document, "concurrency", bounds.concurrency);
	bound_json(document, "depth", bounds.depth);
	document_end_object(document);
}

void plan_json(struct buffer *buffer, const struct team *team)
{
	struct document document;
	document_begin(&document, buffer, "muster.plan/1");
	document_string(&document, "team", team->name);
	document_string(&document, "description", team->description);
	document_string(&document, "sandbox", team->sandbox.provider);
	document_array(&document, "agents");
	for (size_t i = 0; i < team->agent_count; i++) {
		agent_json(&document, team, (int)i);
	}
	document_end_array(&document);
	document_array(&document, "edges");
	for (size_t i = 0; i < team->edge_count; i++) {
		edge_json(&document, team, &team->edges[i]);
	}
	document_end_array(&document);
	document_array(&document, "gates");
	for (size_t i = 0; i < team->gate_count; i++) {
		gate_json(&document, &team->gates[i]);
	}
	document_end_array(&document);
	limits_json(&document, &team->limits);
	bounds_json(&document, team);
	document_end(&document);
}
