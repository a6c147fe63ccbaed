/*
 * A team as a picture: agents as nodes, handoffs as arrows with the gates that stand before them.
 * Delegations are drawn solid, transfers dotted.
 */
#pragma once

#include "team/team.h"

struct graph_format {
	const char *name; // "mermaid"
	void (*print)(struct buffer *buffer, const struct team *team);
};

extern const struct graph_format graph_formats[]; // ends with a row without name
