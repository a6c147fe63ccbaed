#include "view/graph.h"

// Writes a text from outside as a label of the format.
typedef void add_label(struct buffer *buffer, struct text text);

// In Mermaid quotes and marks of its own are written as entity codes (mermaid.js.org, "Entity codes
// to escape characters"); a backtick would start Markdown.
static void add_mermaid(struct buffer *buffer, struct text text)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text, 200);
	for (size_t i = 0; i < shown.length; i++) {
		unsigned char byte = (unsigned char)shown.data[i];
		bool special = byte == '"' || byte == '#' || byte == '<' || byte == '>' ||
			byte == '&' || byte == '`' || byte == ';' || byte == '\\';
		if (special) {
			buffer_printf(buffer, "#%u;", byte);
		} else {
			buffer_add_char(buffer, (char)byte);
		}
	}
}

static void add_dot(struct buffer *buffer, struct text text)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text, 200);
	for (size_t i = 0; i < shown.length; i++) {
		if (shown.data[i] == '"' || shown.data[i] == '\\') {
			buffer_add_char(buffer, '\\');
		}
		buffer_add_char(buffer, shown.data[i]);
	}
}

static void add_needs(struct buffer *buffer, const struct team *team, const struct team_edge *edge,
	add_label *label)
{
	for (size_t i = 0; i < edge->need_count; i++) {
		buffer_add_string(buffer, i ? ", " : "");
		label(buffer, text_of(team->gates[edge->needs[i]].name));
	}
}

static void print_mermaid(struct buffer *buffer, const struct team *team)
{
	buffer_add_string(buffer, "flowchart TD\n");
	for (size_t i = 0; i < team->agent_count; i++) {
		// The prefix keeps names like "end" apart from Mermaid's own words.
		bool manager = (int)i == team->manager;
		buffer_printf(buffer, "  agent_%s%s\"%s\"%s\n", team->agents[i].name,
			manager ? "([" : "[", team->agents[i].name, manager ? "])" : "]");
	}
	for (size_t i = 0; i < team->edge_count; i++) {
		const struct team_edge *edge = &team->edges[i];
		buffer_printf(buffer, "  agent_%s %s", team->agents[edge->from].name,
			edge->kind == EDGE_DELEGATE ? "-->" : "-.->");
		if (edge->need_count) {
			buffer_add_string(buffer, "|\"");
			add_needs(buffer, team, edge, add_mermaid);
			buffer_add_string(buffer, "\"|");
		}
		buffer_printf(buffer, " agent_%s\n", team->agents[edge->to].name);
	}
}

static void print_dot(struct buffer *buffer, const struct team *team)
{
	buffer_add_string(buffer, "digraph \"");
	add_dot(buffer, text_of(team->name));
	buffer_add_string(buffer, "\" {\n  node [shape=box, style=rounded];\n");
	for (size_t i = 0; i < team->agent_count; i++) {
		buffer_printf(buffer, "  \"%s\"%s;\n", team->agents[i].name,
			(int)i == team->manager ? " [penwidth=2]" : "");
	}
	for (size_t i = 0; i < team->edge_count; i++) {
		const struct team_edge *edge = &team->edges[i];
		buffer_printf(buffer, "  \"%s\" -> \"%s\" [label=\"", team->agents[edge->from].name,
			team->agents[edge->to].name);
		add_needs(buffer, team, edge, add_dot);
		buffer_printf(
			buffer, "\"%s];\n", edge->kind == EDGE_DELEGATE ? "" : ", style=dashed");
	}
	buffer_add_string(buffer, "}\n");
}

const struct graph_format graph_formats[] = {
	{"mermaid", print_mermaid},
	{"dot", print_dot},
	{NULL},
};
