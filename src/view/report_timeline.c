/*
 * Who worked when: a lane per agent (more where it worked at two things at once), twice: by steps,
 * where everything has the same room, and by time.
 */
#include <string.h>

#include "view/report_parts.h"
#include "view/words.h"

enum {
	TIMELINE_LANE = 40,
	TIMELINE_AXIS = 22,
	TIMELINE_WIDTH = 960,
	TIMELINE_WIDEST = 12000,
	TIMELINE_STEP = 9, // pixels, while there is room
	TIMELINE_MARKS = 8000,
	TIMELINE_TICK = 70, // the least room between labels of the axis
	TIMELINE_NOTES = 60,
};

struct timeline {
	struct report *report;
	struct html *html;
	bool by_time;
	int width, height;
	size_t marks, left_out;
};

static double place(const struct timeline *timeline, size_t step, int64_t at)
{
	const struct story *story = &timeline->report->story;
	double share = timeline->by_time ? (double)at / (double)(story->now > 0 ? story->now : 1)
					 : (double)step / (double)story->steps;
	return 8 + share * (timeline->width - 16);
}

static bool mark(struct timeline *timeline)
{
	bool fits = timeline->marks < TIMELINE_MARKS;
	timeline->marks += fits;
	timeline->left_out += !fits;
	return fits;
}

static int lane_top(uint32_t lane)
{
	return (int)lane * TIMELINE_LANE;
}

static void add_clock(struct html *html, int64_t at)
{
	buffer_cleanup clock = {0};
	words_add_clock(&clock, at);
	html_string(html, clock.data);
}

static void add_title(struct html *html, const char *words, int64_t began, int64_t ended)
{
	html_open(html, "title", NULL);
	html_line(html, text_of(words), REPORT_TEXT);
	html_string(html, ", ");
	add_clock(html, began);
	if (ended > began) {
		html_string(html, " to ");
		add_clock(html, ended);
	}
	html_close(html);
}

static void add_box(struct timeline *timeline, const char *class, const char *colour, double left,
	double right, int top, int height)
{
	double least = 2.5;
	html_open(timeline->html, "rect", NULL);
	html_attribute_format(timeline->html, "class", "%s %s", class, colour);
	html_attribute_format(timeline->html, "x", "%.1f", left);
	html_attribute_format(timeline->html, "y", "%d", top);
	html_attribute_format(
		timeline->html, "width", "%.1f", right - left > least ? right - left : least);
	html_attribute_format(timeline->html, "height", "%d", height);
	html_attribute_format(timeline->html, "rx", "%d", height > 20 ? 7 : 2);
}

static void draw_stays(struct timeline *timeline)
{
	const struct report *report = timeline->report;
	for (size_t i = 0; i < report->story.stay_count; i++) {
		const struct story_stay *stay = &report->story.stays[i];
		buffer_cleanup words = {0};
		if (!mark(timeline)) {
			continue;
		}
		buffer_printf(&words, "%s in branch %u, from %s: %s",
			report->team->agents[stay->agent].name, stay->branch,
			stay->from == RUN_NONE ? "the user" : report->team->agents[stay->from].name,
			stay->outcome);
		add_box(timeline, "stay", report_colour(report, stay->agent),
			place(timeline, stay->first, stay->began),
			place(timeline, stay->last, stay->ended), lane_top(stay->lane) + 4,
			TIMELINE_LANE - 8);
		add_title(timeline->html, words.data, stay->began, stay->ended);
		html_close(timeline->html);
	}
}

static void add_span_words(struct buffer *words, const struct story_span *span)
{
	if (!span->model) {
		buffer_printf(words, "%s%s", span->name, span->failed ? ", failing" : "");
		return;
	}
	buffer_printf(words, span->turn ? "turn %u" : "a model call", span->turn);
	if (span->turn) {
		buffer_add_string(words, ": ");
		words_add_number(words, span->input_tokens);
		buffer_add_string(words, " tokens in, ");
		words_add_number(words, span->output_tokens);
		buffer_add_string(words, " out");
	}
	buffer_add_string(words, span->failed ? ", failed" : span->open ? ", under way" : "");
}

static void draw_spans(struct timeline *timeline)
{
	const struct report *report = timeline->report;
	for (size_t i = 0; i < report->story.span_count; i++) {
		const struct story_span *span = &report->story.spans[i];
		const struct story_stay *stay = &report->story.stays[span->stay];
		buffer_cleanup words = {0};
		if (!mark(timeline)) {
			continue;
		}
		add_span_words(&words, span);
		add_box(timeline,
			span->failed          ? "span failed"
				: span->model ? "span"
					      : "span tool",
			report_colour(report, stay->agent),
			place(timeline, span->first, span->began) + 0.5,
			place(timeline, span->last, span->ended) - 0.5,
			lane_top(stay->lane) + (span->model ? 9 : 22), span->model ? 11 : 7);
		add_title(timeline->html, words.data, span->began, span->ended);
		html_close(timeline->html);
	}
}

static void draw_handoffs(struct timeline *timeline)
{
	const struct report *report = timeline->report;
	const struct story *story = &report->story;
	for (size_t i = 0; i < story->handoff_count; i++) {
		const struct story_handoff *handoff = &story->handoffs[i];
		buffer_cleanup words = {0};
		if (handoff->to_stay >= story->stay_count || !mark(timeline)) {
			continue; // a refused one is shown by its gates
		}
		int from = lane_top(story->stays[handoff->from_stay].lane) + TIMELINE_LANE / 2;
		int to = lane_top(story->stays[handoff->to_stay].lane);
		int end = to > from ? to + 4 : to + TIMELINE_LANE - 4;
		int head = to > from ? -6 : 6;
		double x = place(timeline, handoff->step, handoff->at);
		buffer_printf(&words, "handoff %zu, %s to %s: %s", handoff->number,
			report->team->agents[handoff->from].name,
			report->team->agents[handoff->to].name, handoff->task);
		html_open(
			timeline->html, "path", handoff->transfer ? "handoff transfer" : "handoff");
		html_attribute_format(timeline->html, "d", "M%.1f %dV%dm-3.5 %dl3.5 %dl3.5 %d", x,
			from, end, head, -head, head);
		add_title(timeline->html, words.data, handoff->at, handoff->at);
		html_close(timeline->html);
	}
}

static void draw_verdicts(struct timeline *timeline)
{
	static const char *const classes[] = {[CHECK_HOLDS] = "verdict holds",
		[CHECK_FAILS] = "verdict fails",
		[CHECK_NOT_MADE] = "verdict open",
		[CHECK_NEEDS_PERSON] = "verdict open"};
	const struct report *report = timeline->report;
	for (size_t i = 0; i < report->story.verdict_count; i++) {
		const struct story_verdict *verdict = &report->story.verdicts[i];
		const char *status = run_code_name(GATE_CHECKED, verdict->status);
		buffer_cleanup words = {0};
		if (verdict->status > CHECK_NEEDS_PERSON || !mark(timeline)) {
			continue;
		}
		buffer_printf(&words, "gate %s%s %s", report->team->gates[verdict->gate].name,
			verdict->repeated ? " still" : "", status ? status : "?");
		html_open(timeline->html, "circle", classes[verdict->status]);
		html_attribute_format(
			timeline->html, "cx", "%.1f", place(timeline, verdict->step, verdict->at));
		html_attribute_format(timeline->html, "cy", "%d",
			lane_top(report->story.stays[verdict->stay].lane) + TIMELINE_LANE - 8);
		html_attribute_format(timeline->html, "r", verdict->repeated ? "3" : "4.5");
		add_title(timeline->html, words.data, verdict->at, verdict->at);
		html_close(timeline->html);
	}
}

static void draw_notes(struct timeline *timeline)
{
	const struct story *story = &timeline->report->story;
	for (size_t i = 0; i < story->note_count; i++) {
		const struct story_note *note = &story->notes[i];
		if (!mark(timeline)) {
			continue;
		}
		html_open(timeline->html, "path", note->bad ? "note bad" : "note");
		html_attribute_format(timeline->html, "d", "M%.1f 0V%d",
			place(timeline, note->step, note->at), timeline->height - TIMELINE_AXIS);
		add_title(timeline->html, note->text, note->at, note->at);
		html_close(timeline->html);
	}
}

static void add_tick(struct timeline *timeline, double x, const char *words)
{
	html_open(timeline->html, "path", "tick");
	html_attribute_format(
		timeline->html, "d", "M%.1f 0V%d", x, timeline->height - TIMELINE_AXIS + 4);
	html_close(timeline->html);
	html_open(timeline->html, "text", "axis");
	html_attribute_format(timeline->html, "x", "%.1f", x);
	html_attribute_format(timeline->html, "y", "%d", timeline->height - 4);
	html_string(timeline->html, words);
	html_close(timeline->html);
}

static void draw_times(struct timeline *timeline)
{
	static const int64_t steps[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000,
		30000, 60000, 120000, 300000, 600000, 1800000, 3600000, 7200000, 21600000,
		86400000};
	int64_t now = timeline->report->story.now;
	size_t i = 0;
	while (i + 1 < sizeof(steps) / sizeof(steps[0]) && now / steps[i] > 10) {
		i++;
	}
	for (int64_t at = 0; at <= now && at / steps[i] <= 100; at += steps[i]) {
		buffer_cleanup words = {0};
		if (at == 0) {
			buffer_add_string(&words, "0");
		} else {
			words_add_duration(&words, at);
		}
		add_tick(timeline, place(timeline, 0, at), words.data);
	}
}

static void draw_turns(struct timeline *timeline)
{
	const struct story *story = &timeline->report->story;
	double last = -TIMELINE_TICK;
	for (size_t i = 0; i < story->span_count; i++) {
		const struct story_span *span = &story->spans[i];
		double x = place(timeline, span->last, span->ended);
		if (span->turn && x >= last + TIMELINE_TICK) {
			buffer_cleanup words = {0};
			buffer_printf(&words, "turn %u", span->turn);
			add_tick(timeline, x, words.data);
			last = x;
		}
	}
}

static size_t draw(struct report *report, bool by_time)
{
	struct timeline timeline = {.report = report, .html = &report->html, .by_time = by_time};
	size_t wanted = by_time ? TIMELINE_WIDTH : report->story.steps * TIMELINE_STEP;
	wanted = wanted < TIMELINE_WIDTH ? TIMELINE_WIDTH : wanted;
	timeline.width = wanted > TIMELINE_WIDEST ? TIMELINE_WIDEST : (int)wanted;
	timeline.height = (int)report->story.lanes * TIMELINE_LANE + TIMELINE_AXIS;
	html_open(&report->html, "div", by_time ? "scroll by-time" : "scroll by-turn");
	html_open(&report->html, "svg", "timeline");
	html_attribute(&report->html, "role", TEXT("img"));
	html_attribute(&report->html, "aria-label", TEXT("Who worked when"));
	html_attribute_format(
		&report->html, "viewBox", "0 0 %d %d", timeline.width, timeline.height);
	html_attribute_format(&report->html, "width", "%d", timeline.width);
	html_attribute_format(&report->html, "height", "%d", timeline.height);
	if (by_time) {
		draw_times(&timeline);
	} else {
		draw_turns(&timeline);
	}
	draw_stays(&timeline);
	draw_notes(&timeline);
	draw_spans(&timeline);
	draw_handoffs(&timeline);
	draw_verdicts(&timeline);
	html_close(&report->html);
	html_close(&report->html);
	return timeline.left_out;
}

// Beside the picture, so that they stay where they are when it is scrolled.
static void add_names(struct report *report)
{
	const struct story *story = &report->story;
	uint32_t lane = 0;
	html_open(&report->html, "div", "lanes");
	for (size_t agent = 0; agent < report->team->agent_count; agent++) {
		uint32_t lanes = 0;
		for (size_t i = 0; i < story->stay_count; i++) {
			const struct story_stay *stay = &story->stays[i];
			if (stay->agent == agent && stay->lane + 1 > lane + lanes) {
				lanes = stay->lane + 1 - lane;
			}
		}
		for (uint32_t i = 0; i < lanes; i++) {
			html_open(&report->html, "div", report_colour(report, (uint32_t)agent));
			html_element(&report->html, "span", "chip", "");
			html_line(&report->html, text_of(i ? "" : report->team->agents[agent].name),
				REPORT_NAME);
			html_close(&report->html);
		}
		lane += lanes;
	}
	html_close(&report->html);
}

static void add_choice(struct html *html, const char *id, const char *label, bool chosen)
{
	html_open(html, "input", NULL);
	html_attribute(html, "type", TEXT("radio"));
	html_attribute(html, "name", TEXT("scale"));
	html_attribute(html, "id", text_of(id));
	if (chosen) {
		html_attribute(html, "checked", TEXT(""));
	}
	html_close(html);
	html_open(html, "label", NULL);
	html_attribute(html, "for", text_of(id));
	html_string(html, label);
	html_close(html);
}

static void add_notes(struct report *report)
{
	const struct story *story = &report->story;
	if (!story->note_count) {
		return;
	}
	html_open(&report->html, "ul", "notes");
	for (size_t i = 0; i < story->note_count && i < TIMELINE_NOTES; i++) {
		html_open(&report->html, "li", story->notes[i].bad ? "bad" : NULL);
		html_open(&report->html, "span", "clock");
		add_clock(&report->html, story->notes[i].at);
		html_close(&report->html);
		html_string(&report->html, " ");
		html_line(&report->html, text_of(story->notes[i].text), REPORT_SENTENCE);
		html_close(&report->html);
	}
	html_close(&report->html);
	if (story->note_count > TIMELINE_NOTES) {
		report_left_out(report, story->note_count - TIMELINE_NOTES, "more of these");
	}
}

void report_timeline(struct report *report)
{
	html_open(&report->html, "div", "timelines");
	add_choice(&report->html, "scale-turn", "by turn", true);
	add_choice(&report->html, "scale-time", "by time", false);
	html_open(&report->html, "div", "chart");
	add_names(report);
	size_t left_out = draw(report, false);
	draw(report, true);
	html_close(&report->html);
	html_close(&report->html);
	html_open(&report->html, "p", "legend");
	html_string(&report->html,
		"Upper bars are turns of the model, lower ones tools; red ones failed. Dots are "
		"gates: green holds, red refuses, a small one is a verdict that still stood. "
		"Arrows are handoffs. Point at anything to read what it is.");
	html_close(&report->html);
	report_left_out(report, left_out, "things that happened have no place in this picture");
	add_notes(report);
}
