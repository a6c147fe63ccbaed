/* The artifacts, and what each agent changed, line by line. */
#include <string.h>

#include "view/report_parts.h"
#include "view/words.h"

enum {
	CHANGES_ROWS = 1000,  // artifacts
	CHANGES_STEPS = 200,  // of one author
	CHANGES_FILES = 100,  // of one step
	CHANGES_LINES = 600,  // of one file
	CHANGES_LINE = 2000,  // bytes
	CHANGES_FILE = 65536, // bytes of one file
};

static void add_cell(struct html *html, const char *class, const char *words)
{
	html_open(html, "td", class);
	html_open(html, "bdi", NULL);
	html_line(html, text_of(words), REPORT_NAME);
	html_close(html);
	html_close(html);
}

static void add_agent_cell(struct report *report, const char *name)
{
	int agent = team_agent_index(report->team, name);
	html_open(&report->html, "td", NULL);
	html_open(&report->html, "span", report_colour(report, (uint32_t)agent));
	html_element(&report->html, "span", "chip", "");
	html_line(&report->html, text_of(name), REPORT_NAME);
	html_close(&report->html);
	html_close(&report->html);
}

static void add_artifact(struct report *report, const struct summary_artifact *artifact)
{
	struct html *html = &report->html;
	buffer_cleanup size = {0};
	words_add_size(&size, artifact->size);
	html_open(html, "tr", NULL);
	add_cell(html, "path", artifact->path);
	add_agent_cell(report, artifact->maker);
	add_agent_cell(report, artifact->agent);
	html_open(html, "td", "number");
	html_format(html, "%lld", (long long)artifact->turn);
	html_close(html);
	add_cell(html, "number", size.data);
	html_open(html, "td", "hash");
	html_attribute(html, "title", text_of(artifact->sha256));
	html_line(html, text_cut(text_of(artifact->sha256), 12), 12);
	html_close(html);
	html_open(html, "td", NULL);
	if (artifact->gate) {
		bool holds = strcmp(artifact->status, "holds") == 0;
		html_open(html, "span", holds ? "good" : "bad");
		html_line(html, text_of(artifact->gate), REPORT_NAME);
		html_format(html, " %s", artifact->status);
		html_close(html);
	}
	if (artifact->outside) {
		html_element(html, "span", "bad", " outside of what it may write");
	}
	html_close(html);
	html_close(html);
}

static void add_table(struct report *report, bool given)
{
	static const char *const headings[] = {
		"Path", "Made by", "Last changed by", "Turn", "Size", "SHA-256", "Gate"};
	struct html *html = &report->html;
	size_t shown = 0;
	html_open(html, "div", "scroll");
	html_open(html, "table", NULL);
	html_open(html, "tr", NULL);
	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++) {
		html_element(html, "th", i == 3 || i == 4 ? "number" : NULL, headings[i]);
	}
	html_close(html);
	for (size_t i = 0; i < report->summary.artifact_count; i++) {
		const struct summary_artifact *artifact = &report->summary.artifacts[i];
		if ((strcmp(artifact->agent, "manifest") == 0) == given && shown++ < CHANGES_ROWS) {
			add_artifact(report, artifact);
		}
	}
	html_close(html);
	html_close(html);
	if (shown > CHANGES_ROWS) {
		report_left_out(report, shown - CHANGES_ROWS,
			"more artifacts are left out; muster artifacts lists them");
	}
}

void report_artifacts(struct report *report)
{
	struct html *html = &report->html;
	size_t given = 0;
	for (size_t i = 0; i < report->summary.artifact_count; i++) {
		given += strcmp(report->summary.artifacts[i].agent, "manifest") == 0;
	}
	if (given < report->summary.artifact_count) {
		add_table(report, false);
	} else {
		html_element(html, "p", "dim", "Nobody wrote anything.");
	}
	if (given) {
		buffer_cleanup words = {0};
		words_add_count(&words, (int64_t)given, "file was given and stayed as it was",
			"files were given and stayed as they were");
		html_open(html, "details", "given");
		html_element(html, "summary", NULL, words.data);
		add_table(report, true);
		html_close(html);
	}
}

// What differs in one step.
struct showing {
	struct report *report;
	size_t files;
};

static void add_lines(struct report *report, const struct history_difference *difference)
{
	struct html *html = &report->html;
	struct text rest = text_cut(difference->hunks, CHANGES_FILE), line;
	size_t shown = 0;
	bool cut = rest.length < difference->hunks.length;
	html_open(html, "pre", "diff");
	while (shown < CHANGES_LINES && text_next_line(&rest, &line)) {
		char first = line.length ? line.data[0] : ' ';
		shown++;
		html_open(html, "span",
			first == '+'           ? "add"
				: first == '-' ? "del"
				: first == '@' ? "at"
					       : NULL);
		html_cut(html, line, CHANGES_LINE);
		html_string(html, "\n");
		html_close(html);
	}
	html_close(html);
	if (cut || rest.length) {
		html_element(html, "p", "cut", "More lines are left out; muster diff shows them.");
	}
}

static void add_what(struct html *html, const struct history_difference *difference)
{
	static const char *const statuses[] = {[HISTORY_ADDED] = "added",
		[HISTORY_CHANGED] = "changed",
		[HISTORY_DELETED] = "deleted"};
	buffer_cleanup words = {0};
	buffer_printf(&words, " %s", statuses[difference->status]);
	if (difference->after.mode) {
		buffer_add_string(&words, ", ");
		words_add_size(&words, difference->after.size);
	}
	html_element(html, "span", "dim", words.data);
	if (difference->added) {
		html_open(html, "span", "good");
		html_format(html, " +%zu", difference->added);
		html_close(html);
	}
	if (difference->removed) {
		html_open(html, "span", "bad");
		html_format(html, " -%zu", difference->removed);
		html_close(html);
	}
}

static bool show_difference(void *data, const struct history_difference *difference)
{
	struct showing *showing = data;
	struct html *html = &showing->report->html;
	if (showing->files++ >= CHANGES_FILES) {
		return true;
	}
	html_open(html, "details", "change");
	html_open(html, "summary", NULL);
	html_open(html, "bdi", "path");
	html_line(html, text_of(difference->path), REPORT_SENTENCE);
	html_close(html);
	add_what(html, difference);
	html_close(html);
	if (html->buffer->length > showing->report->changes_end) {
		html_element(html, "p", "cut",
			"The report has enough changes; muster diff shows this one.");
	} else if (difference->hunks.length) {
		add_lines(showing->report, difference);
	} else if (difference->binary || difference->large) {
		html_element(html, "p", "dim",
			difference->binary ? "This is no text."
					   : "It is too large to be compared.");
	} else {
		html_element(html, "p", "dim", "Only the mode is another, or it is empty.");
	}
	html_close(html);
	return true;
}

static bool show_step(struct showing *showing, const struct history_step *before,
	const struct history_step *after)
{
	struct html *html = &showing->report->html;
	showing->files = 0;
	html_open(html, "div", "step");
	html_open(html, "h4", NULL);
	html_format(html, "Turn %lld", (long long)after->turn);
	html_close(html);
	if (!history_diff(showing->report->history, before, after, show_difference, showing,
		    showing->report->error)) {
		return false;
	}
	if (showing->files > CHANGES_FILES) {
		report_left_out(
			showing->report, showing->files - CHANGES_FILES, "more files changed");
	}
	html_close(html);
	return true;
}

bool report_changes(struct report *report, const char *author)
{
	const struct history_steps *steps = &report->steps;
	struct showing showing = {.report = report};
	size_t shown = 0;
	for (size_t i = 0; i < steps->count; i++) {
		if (strcmp(steps->steps[i].author, author) == 0 && shown++ < CHANGES_STEPS &&
			!show_step(&showing, i ? &steps->steps[i - 1] : NULL, &steps->steps[i])) {
			return false;
		}
	}
	if (shown > CHANGES_STEPS) {
		report_left_out(report, shown - CHANGES_STEPS, "more turns with changes");
	}
	return true;
}
