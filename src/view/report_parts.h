/* What the files of the report share. Private to src/view/. */
#pragma once

#include "view/html.h"
#include "view/report.h"
#include "view/summary.h"

enum {
	REPORT_ROWS = 20000, // of each array below
	REPORT_LOG = 4000,   // lines of the log
	REPORT_LOG_BYTES = 1024 * 1024,
	REPORT_NAME = 120,      // bytes of a name or path in a line
	REPORT_SENTENCE = 1000, // of what a gate says
	REPORT_TEXT = 6000,     // of a message, a result
	REPORT_COLOURS = 8,     // of agents, in style.css
};

/*
 * What happened, in the order of the log. Besides the working time everything has a step: the number
 * of what is worth a place in a picture, so that what took no time can be told apart, too.
 */
struct story_stay { // one stay of an agent in a branch
	uint32_t branch, agent;
	uint32_t from; // agent that handed over; RUN_NONE: the user
	int64_t began, ended;
	size_t first, last; // steps
	const char *outcome;
	bool open;
	size_t turns;
	uint32_t lane; // of the timeline
};

struct story_span { // a model call or a tool call
	size_t stay;
	uint32_t branch, command, call;
	bool model, failed, open;
	int64_t began, ended;
	size_t first, last;
	uint32_t turn; // of an answer
	bool said;     // there is something of it among the branch's items
	int64_t input_tokens, cached_tokens, output_tokens, nano_usd;
	const char *name; // of the tool
};

struct story_verdict {
	uint32_t gate;
	size_t stay;
	uint32_t target; // agent that the work goes to; RUN_NONE: it stands before a completion
	uint32_t turn;   // the last one before it
	int64_t at;
	size_t step;
	enum run_check_status status;
	bool repeated;            // the one from before still stood
	uint32_t branch, command; // where it is kept
};

struct story_handoff {
	uint32_t edge;     // of the team; RUN_NONE: not known
	uint32_t from, to; // agents
	size_t from_stay, to_stay;
	bool transfer, refused;
	size_t number; // among those that went through, from 1
	int64_t at;
	size_t step;
	const char *task;
};

struct story_note { // what is neither work nor a handoff: parks, questions, limits, messages
	int64_t at;
	size_t step;
	bool bad;
	const char *text;
};

struct story {
	struct story_stay *stays;
	struct story_span *spans;
	struct story_verdict *verdicts;
	struct story_handoff *handoffs;
	struct story_note *notes;
	size_t stay_count, span_count, verdict_count, handoff_count, note_count;
	size_t handoffs_done; // that went through
	size_t left_out;      // of all of them
	size_t steps, lanes;
	int64_t now;       // of the last event
	struct buffer log; // told, with colours
	size_t log_lines, log_left_out;
};

struct report {
	struct html html;
	struct arena arena;
	struct store *store;
	const struct store_run *run;
	const struct team *team;
	struct history *history;
	struct summary summary;
	struct story story;
	struct history_steps steps;
	size_t changes_end, items_end; // of the page: what comes behind that is left out
	struct error *error;
};

bool story_read(struct story *story, struct arena *arena, struct store *store,
	const struct store_run *run, const struct team *team, struct error *error);

// Parts of the page.
void report_graph(struct report *report);
void report_timeline(struct report *report);
bool report_gates(struct report *report);
void report_artifacts(struct report *report);
bool report_agents(struct report *report);
// What one author changed, step by step.
bool report_changes(struct report *report, const char *author);

// The class of an agent's colour, "c0" to "c7"; "c" for who is no agent.
const char *report_colour(const struct report *report, uint32_t agent);
// "What was left out", as a paragraph.
void report_left_out(struct report *report, size_t count, const char *what);
// The parts of the page that are a section with a heading.
void report_section(struct report *report, const char *id, const char *heading);
