/*
 * The topics of `muster help`: pages of docs/, or sections of them, which are built into the program
 * and are its man pages, too. A topic is one row in topics.c and one line in src/meson.build.
 */
#pragma once

#include "base/text.h"

struct topic {
	const char *name;
	const char *about;   // one line
	const char *file;    // in docs/
	const char *section; // a second-level heading of it; NULL: the whole page
	// The man page, "muster-team" in section 5; NULL: none of its own.
	const char *page;
	unsigned page_section;
	const char *start, *end; // what is built in: the whole page
};

extern const struct topic topics[]; // ends with a row without name
const struct topic *topic_find(const char *name);
// The topic that holds a whole page of docs/ ("gates.md"); NULL: there is none.
const struct topic *topic_of_file(struct text file);
// Its Markdown; of a section with its heading.
struct text topic_markdown(const struct topic *topic);
