#include "view/report.h"

#include <string.h>

#include "view/report_parts.h"
#include "view/words.h"

enum { REPORT_ANSWER = 20000, REPORT_CHANGES_BYTES = 8 * 1024 * 1024 };

extern const char report_style[], report_style_end[];

const char *report_colour(const struct report *report, uint32_t agent)
{
	static const char *const classes[REPORT_COLOURS] = {
		"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"};
	return agent < report->team->agent_count ? classes[agent % REPORT_COLOURS] : "c";
}

void report_left_out(struct report *report, size_t count, const char *what)
{
	if (count) {
		buffer_cleanup words = {0};
		words_add_number(&words, (int64_t)count);
		buffer_printf(&words, " %s.", what);
		html_element(&report->html, "p", "cut", words.data);
	}
}

void report_section(struct report *report, const char *id, const char *heading)
{
	html_open(&report->html, "section", NULL);
	html_attribute(&report->html, "id", text_of(id));
	html_element(&report->html, "h2", NULL, heading);
}

static void add_tile(
	struct html *html, const char *label, const struct buffer *words, const char *beside)
{
	html_open(html, "div", "tile");
	html_open(html, "b", NULL);
	html_text(html, buffer_text(words));
	html_close(html);
	html_element(html, "span", NULL, label);
	if (beside[0]) {
		html_element(html, "span", "dim", beside);
	}
	html_close(html);
}

static void add_tiles(struct report *report)
{
	const struct store_run *run = report->run;
	struct html *html = &report->html;
	buffer_cleanup time = {0}, turns = {0}, in = {0}, cached = {0}, out = {0}, cost = {0};
	buffer_cleanup passed = {0}, refused = {0};
	words_add_clock(&time, run->working);
	words_add_number(&turns, run->turns);
	words_add_number(&in, run->input_tokens);
	words_add_number(&out, run->output_tokens);
	words_add_money(&cost, run->nano_usd);
	words_add_number(&passed, run->gates_passed);
	words_add_number(&refused, run->gates_refused);
	if (run->cached_tokens) {
		words_add_number(&cached, run->cached_tokens);
		buffer_add_string(&cached, " cached");
	}
	html_open(html, "div", "tiles");
	add_tile(html, "of work", &time, "");
	add_tile(html, run->turns == 1 ? "turn" : "turns", &turns, "");
	add_tile(html, "gates passed", &passed, "");
	add_tile(html, "refused", &refused, "");
	add_tile(html, "tokens in", &in, cached.length ? cached.data : "");
	add_tile(html, "tokens out", &out, "");
	if (run->nano_usd) {
		add_tile(html, "cost", &cost, "retries included");
	}
	html_close(html);
}

static void add_links(struct html *html)
{
	static const char *const links[][2] = {{"#team", "Team"}, {"#timeline", "Timeline"},
		{"#gates", "Gates"}, {"#artifacts", "Artifacts"}, {"#agents", "Agents"},
		{"#log", "Log"}};
	html_open(html, "nav", NULL);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		html_open(html, "a", NULL);
		html_attribute(html, "href", text_of(links[i][0]));
		html_string(html, links[i][1]);
		html_close(html);
	}
	html_close(html);
}

static void add_head(struct report *report)
{
	const struct store_run *run = report->run;
	struct html *html = &report->html;
	bool done = strcmp(run->state, "done") == 0;
	bool under_way = strcmp(run->state, "running") == 0 || strcmp(run->state, "parked") == 0;
	buffer_cleanup when = {0};
	words_add_time(&when, run->created);
	html_open(html, "header", NULL);
	html_open(html, "h1", NULL);
	html_line(html, text_of(run->id), REPORT_NAME);
	html_string(html, " ");
	html_element(html, "span",
		done                ? "badge good"
			: under_way ? "badge"
				    : "badge bad",
		run->state);
	html_close(html);
	if (run->reason[0]) {
		html_open(html, "p", done ? NULL : "bad");
		html_cut(html, text_of(run->reason), REPORT_TEXT);
		html_close(html);
	}
	html_open(html, "p", "dim");
	html_format(html, "Team %s, begun %s, in the sandbox %s%s", run->team, when.data,
		run->sandbox,
		run->rehearsal ? "; a rehearsal: the answers of the models are recorded" : "");
	html_close(html);
	html_close(html);
	add_links(html);
	add_tiles(report);
	if (report->summary.answer.length) {
		html_open(html, "section", "answer");
		html_element(html, "h2", NULL, "Answer");
		html_open(html, "div", "text");
		html_cut(html, report->summary.answer, REPORT_ANSWER);
		html_close(html);
		html_close(html);
	}
}

static void add_log(struct report *report)
{
	struct html *html = &report->html;
	struct text rest = buffer_text(&report->story.log), line;
	report_section(report, "log", "The log, as it is told");
	html_open(html, "details", NULL);
	html_open(html, "summary", NULL);
	html_format(html, "%zu lines", report->story.log_lines);
	html_close(html);
	html_open(html, "pre", "log");
	while (text_next_line(&rest, &line)) {
		html_coloured(html, line);
		html_string(html, "\n");
	}
	html_close(html);
	report_left_out(
		report, report->story.log_left_out, "more lines are left out; muster log has them");
	html_close(html);
	html_close(html);
}

static bool add_page(struct report *report)
{
	struct html *html = &report->html;
	add_head(report);
	report_section(report, "team", "The team, and the path that the work took");
	report_graph(report);
	html_close(html);
	report_section(report, "timeline", "Timeline");
	report_timeline(report);
	report_left_out(report, report->story.left_out,
		"more things happened than a report can hold; muster log has them");
	html_close(html);
	report_section(report, "gates", "Gates, with their evidence");
	if (!report_gates(report)) {
		return false;
	}
	html_close(html);
	report_section(report, "artifacts", "Artifacts");
	report_artifacts(report);
	html_close(html);
	report_section(report, "agents", "Agents");
	report->changes_end = html->buffer->length + REPORT_CHANGES_BYTES;
	if (!report_agents(report)) {
		return false;
	}
	html_close(html);
	add_log(report);
	html_open(html, "footer", NULL);
	html_string(html, "Made by muster " MUSTER_VERSION " from the journal of the run.");
	html_close(html);
	return true;
}

bool report_write(struct buffer *buffer, struct store *store, const struct store_run *run,
	const struct team *team, struct history *history, struct error *error)
{
	struct report report = {
		.store = store, .run = run, .team = team, .history = history, .error = error};
	buffer_cleanup title = {0};
	buffer_printf(&title, "%s: %s", run->id, run->state);
	bool fine = summary_read(&report.summary, &report.arena, store, run, team, error) &&
		story_read(&report.story, &report.arena, store, run, team, error) &&
		(!history || history_steps(history, &report.arena, &report.steps, error));
	if (fine) {
		html_begin(&report.html, buffer, buffer_text(&title),
			(struct text){report_style, (size_t)(report_style_end - report_style)});
		fine = add_page(&report);
		html_end(&report.html);
	}
	buffer_finish(&report.story.log);
	arena_finish(&report.arena);
	return fine;
}
