/*
 * The team as a picture, from left to right: each agent stands one column behind the first that hands
 * over to it. Every arrow ends at a place of its own at its target, so that what is written at it
 * never lies on something else's.
 */
#include <stdlib.h>
#include <string.h>

#include "view/report_parts.h"
#include "view/words.h"

enum {
	GRAPH_WIDTH = 176, // of a node
	GRAPH_HEIGHT = 58, // the least of a node
	GRAPH_PORT = 36,   // height of an arrow's end with its two lines
	GRAPH_GAP = 270,   // between columns: bends, and what is written at the arrows
	GRAPH_WORDS = 165, // the straight end of an arrow, with its words
	GRAPH_SPACE = 22,  // between nodes of a column
	GRAPH_MARGIN = 12,
	GRAPH_BEND = 46,   // of arrows that lead back
	GRAPH_LABEL = 30,  // characters
	GRAPH_NUMBERS = 4, // handoffs that are numbered at an arrow
};

struct node {
	uint32_t agent, column;
	int x, y, height;
	unsigned before, after; // arrows that come from the left, and from anywhere else
};

struct graph {
	struct report *report;
	struct html *html;
	struct node *nodes; // as team->agents
	uint32_t columns;
	int width, height;
};

static bool is_forward(const struct graph *graph, const struct team_edge *edge)
{
	return graph->nodes[edge->from].column < graph->nodes[edge->to].column;
}

static void set_columns(struct graph *graph)
{
	const struct team *team = graph->report->team;
	for (size_t i = 0; i < team->agent_count; i++) {
		graph->nodes[i] = (struct node){.agent = (uint32_t)i, .column = UINT32_MAX};
	}
	graph->nodes[team->manager].column = 0;
	bool changed = true;
	while (changed) { // as often as there are columns
		changed = false;
		for (size_t i = 0; i < team->edge_count; i++) {
			uint32_t from = graph->nodes[team->edges[i].from].column;
			struct node *to = &graph->nodes[team->edges[i].to];
			if (from != UINT32_MAX && to->column > from + 1) {
				to->column = from + 1;
				changed = true;
			}
		}
	}
	for (size_t i = 0; i < team->agent_count; i++) {
		struct node *node = &graph->nodes[i];
		node->column = node->column == UINT32_MAX ? 0 : node->column;
		graph->columns = node->column >= graph->columns ? node->column + 1 : graph->columns;
	}
	for (size_t i = 0; i < team->edge_count; i++) {
		struct node *to = &graph->nodes[team->edges[i].to];
		*(is_forward(graph, &team->edges[i]) ? &to->before : &to->after) += 1;
	}
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

// Nodes stand in the order of the file, below those that hand over to them.
static void place_column(struct graph *graph, uint32_t column, int top)
{
	const struct team *team = graph->report->team;
	int y = top;
	for (size_t i = 0; i < team->agent_count; i++) {
		struct node *node = &graph->nodes[i];
		if (node->column == column) {
			node->x = GRAPH_MARGIN + (int)column * (GRAPH_WIDTH + GRAPH_GAP);
			node->y = y;
			y += node->height + GRAPH_SPACE;
		}
	}
}

static int column_height(const struct graph *graph, uint32_t column)
{
	int height = -GRAPH_SPACE;
	for (size_t i = 0; i < graph->report->team->agent_count; i++) {
		const struct node *node = &graph->nodes[i];
		height += node->column == column ? node->height + GRAPH_SPACE : 0;
	}
	return height;
}

static void place(struct graph *graph)
{
	const struct team *team = graph->report->team;
	bool back = false;
	for (size_t i = 0; i < team->agent_count; i++) {
		struct node *node = &graph->nodes[i];
		int ports = (int)most((int)node->before, (int)node->after);
		node->height = most(GRAPH_HEIGHT, ports * GRAPH_PORT + 12);
		back = back || node->after;
	}
	for (uint32_t column = 0; column < graph->columns; column++) {
		graph->height = most(graph->height, column_height(graph, column));
	}
	for (uint32_t column = 0; column < graph->columns; column++) {
		place_column(graph, column,
			GRAPH_MARGIN + (graph->height - column_height(graph, column)) / 2);
	}
	graph->height += 2 * GRAPH_MARGIN;
	graph->width = 2 * GRAPH_MARGIN + (int)graph->columns * (GRAPH_WIDTH + GRAPH_GAP) -
		(back ? 0 : GRAPH_GAP);
}

struct use {
	size_t passed, refused;
	size_t numbers[GRAPH_NUMBERS];
};

static struct use use_of(const struct report *report, uint32_t edge)
{
	struct use use = {0};
	for (size_t i = 0; i < report->story.handoff_count; i++) {
		const struct story_handoff *handoff = &report->story.handoffs[i];
		if (handoff->edge != edge) {
			continue;
		}
		if (!handoff->refused && use.passed < GRAPH_NUMBERS) {
			use.numbers[use.passed] = handoff->number;
		}
		use.passed += !handoff->refused;
		use.refused += handoff->refused;
	}
	return use;
}

static void add_gates(struct buffer *gates, const struct team *team, const struct team_edge *edge)
{
	for (size_t i = 0; i < edge->need_count; i++) {
		buffer_add_string(gates, i ? ", " : "");
		buffer_add_string(gates, team->gates[edge->needs[i]].name);
	}
}

static void add_went(struct buffer *went, const struct use *use)
{
	for (size_t i = 0; i < use->passed && i < GRAPH_NUMBERS; i++) {
		buffer_printf(went, "%s%zu", i ? " · " : "", use->numbers[i]);
	}
	if (use->passed > GRAPH_NUMBERS) {
		buffer_printf(went, " and %zu more", use->passed - GRAPH_NUMBERS);
	}
	if (use->refused) {
		buffer_printf(went, "%srefused %zu×", use->passed ? ", " : "", use->refused);
	}
}

static void add_label(struct graph *graph, int x, int y, const char *anchor, const char *class,
	const struct buffer *words)
{
	if (!words->length) {
		return;
	}
	html_open(graph->html, "text", class);
	html_attribute_format(graph->html, "x", "%d", x);
	html_attribute_format(graph->html, "y", "%d", y);
	html_attribute_format(graph->html, "text-anchor", "%s", anchor);
	html_line(graph->html, buffer_text(words), GRAPH_LABEL);
	html_close(graph->html);
}

static void draw_line(struct graph *graph, const struct team_edge *edge, const struct use *use,
	int port_x, int port_y)
{
	const struct node *from = &graph->nodes[edge->from];
	bool forward = is_forward(graph, edge);
	int x = from->x + GRAPH_WIDTH, y = from->y + from->height / 2;
	int head = forward ? -1 : 1; // the arrow comes in from this side
	int turn = port_x + head * GRAPH_WORDS, bend = forward ? (turn - x) / 2 : GRAPH_BEND;
	int outside = x > turn ? x + GRAPH_BEND : turn + GRAPH_BEND;
	const char *state = use->passed ? "used" : use->refused ? "refused" : "unused";
	html_open(graph->html, "path", NULL);
	html_attribute_format(graph->html, "class", "edge %s %s", state,
		edge->kind == EDGE_TRANSFER ? "transfer" : "delegate");
	html_attribute_format(graph->html, "d", "M%d %dC%d %d %d %d %d %dH%d", x, y,
		forward ? x + bend : outside, y, forward ? turn - bend : outside, port_y, turn,
		port_y, port_x + head * 6);
	html_close(graph->html);
	html_open(graph->html, "path", NULL);
	html_attribute_format(graph->html, "class", "head %s", state);
	html_attribute_format(graph->html, "d", "M%d %dl%d -4v8z", port_x, port_y, head * 8);
	html_close(graph->html);
}

static void draw_edge(struct graph *graph, uint32_t index, unsigned *before, unsigned *after)
{
	const struct team *team = graph->report->team;
	const struct team_edge *edge = &team->edges[index];
	const struct node *to = &graph->nodes[edge->to];
	bool forward = is_forward(graph, edge);
	unsigned *port = forward ? &before[edge->to] : &after[edge->to];
	unsigned ports = forward ? to->before : to->after;
	int x = forward ? to->x : to->x + GRAPH_WIDTH;
	int y = to->y + to->height / 2 + (2 * (int)*port - (int)ports + 1) * GRAPH_PORT / 2;
	buffer_cleanup gates = {0}, went = {0};
	struct use use = use_of(graph->report, index);
	(*port)++;
	add_gates(&gates, team, edge);
	add_went(&went, &use);
	html_open(graph->html, "g", NULL);
	html_open(graph->html, "title", NULL);
	html_format(graph->html, "%s %s to %s", team->agents[edge->from].name,
		edge->kind == EDGE_TRANSFER ? "passes its work on" : "hands over",
		team->agents[edge->to].name);
	html_string(graph->html, gates.length ? "; gates: " : "; no gates");
	html_line(graph->html, buffer_text(&gates), REPORT_SENTENCE);
	html_format(graph->html, "; went through %zu×, refused %zu×", use.passed, use.refused);
	html_close(graph->html);
	draw_line(graph, edge, &use, x, y);
	add_label(graph, forward ? x - 12 : x + 14, y - 5, forward ? "end" : "start",
		use.passed ? "gate" : "gate unused", &gates);
	add_label(graph, forward ? x - 12 : x + 14, y + 13, forward ? "end" : "start",
		use.refused ? "went bad" : "went", &went);
	html_close(graph->html);
}

static void draw_text(
	struct graph *graph, int x, int y, const char *class, struct text text, size_t limit)
{
	html_open(graph->html, "text", class);
	html_attribute_format(graph->html, "x", "%d", x);
	html_attribute_format(graph->html, "y", "%d", y);
	html_line(graph->html, text, limit);
	html_close(graph->html);
}

static void draw_node(struct graph *graph, const struct node *node)
{
	const struct report *report = graph->report;
	const struct summary_agent *agent = &report->summary.agents[node->agent];
	bool manager = (int)node->agent == report->team->manager;
	buffer_cleanup words = {0};
	if (agent->turns) {
		words_add_count(&words, agent->turns, "turn, ", "turns, ");
		words_add_number(&words, agent->input_tokens + agent->output_tokens);
		buffer_add_string(&words, " tokens");
	} else {
		buffer_add_string(&words, "did not work");
	}
	html_open(graph->html, "a", NULL);
	html_attribute_format(graph->html, "href", "#agent-%u", node->agent);
	html_open(graph->html, "g", NULL);
	html_attribute_format(graph->html, "class", "node %s%s%s",
		report_colour(report, node->agent), manager ? " manager" : "",
		agent->turns ? "" : " idle");
	html_open(graph->html, "title", NULL);
	html_cut(graph->html, text_of(report->team->agents[node->agent].description),
		REPORT_SENTENCE);
	html_close(graph->html);
	html_open(graph->html, "rect", NULL);
	html_attribute_format(graph->html, "x", "%d", node->x);
	html_attribute_format(graph->html, "y", "%d", node->y);
	html_attribute_format(graph->html, "width", "%d", GRAPH_WIDTH);
	html_attribute_format(graph->html, "height", "%d", node->height);
	html_attribute_format(graph->html, "rx", "9");
	html_close(graph->html);
	html_open(graph->html, "rect", "strip");
	html_attribute_format(graph->html, "x", "%d", node->x + 8);
	html_attribute_format(graph->html, "y", "%d", node->y + 10);
	html_attribute_format(graph->html, "width", "4");
	html_attribute_format(graph->html, "height", "%d", node->height - 20);
	html_attribute_format(graph->html, "rx", "2");
	html_close(graph->html);
	int middle = node->y + node->height / 2;
	draw_text(graph, node->x + 20, middle - 3, "name", text_of(agent->name), 20);
	draw_text(graph, node->x + 20, middle + 15, "small", buffer_text(&words), 40);
	html_close(graph->html);
	html_close(graph->html);
}

void report_graph(struct report *report)
{
	const struct team *team = report->team;
	struct graph graph = {.report = report,
		.html = &report->html,
		.nodes = arena_new_array(&report->arena, team->agent_count, struct node)};
	unsigned *before = arena_new_array(&report->arena, team->agent_count, unsigned);
	unsigned *after = arena_new_array(&report->arena, team->agent_count, unsigned);
	set_columns(&graph);
	place(&graph);
	html_open(graph.html, "div", "scroll");
	html_open(graph.html, "svg", "graph");
	html_attribute(graph.html, "role", TEXT("img"));
	html_attribute(graph.html, "aria-label", TEXT("The team and the path that the work took"));
	html_attribute_format(graph.html, "viewBox", "0 0 %d %d", graph.width, graph.height);
	html_attribute_format(graph.html, "width", "%d", graph.width);
	html_attribute_format(graph.html, "height", "%d", graph.height);
	for (uint32_t i = 0; i < team->edge_count; i++) {
		draw_edge(&graph, i, before, after);
	}
	for (size_t i = 0; i < team->agent_count; i++) {
		draw_node(&graph, &graph.nodes[i]);
	}
	html_close(graph.html);
	html_close(graph.html);
	html_open(graph.html, "p", "legend");
	html_string(graph.html,
		"Arrows are handoffs: solid ones come back with a report, dotted ones pass the "
		"work "
		"on. At each its gates, and the numbers of the handoffs in their order. Grey ones "
		"were not used.");
	html_close(graph.html);
}
