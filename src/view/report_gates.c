#include <string.h>

#include "base/json.h"
#include "view/report_parts.h"
#include "view/words.h"

enum {
	GATE_VERDICTS = 60, // shown of one gate
	GATE_FINDINGS = 60, // shown of one verdict
	GATE_NESTED = 4,    // levels
};

static void add_part(struct html *html, const char *label, const char *words)
{
	if (words[0]) {
		html_open(html, "div", "part");
		html_element(html, "span", "label", label);
		html_open(html, "span", NULL);
		html_cut(html, text_of(words), REPORT_SENTENCE);
		html_close(html);
		html_close(html);
	}
}

// Where all is well a few words beside it do.
static void add_found(struct html *html, const char *words)
{
	bool lines = strchr(words, '\n') != NULL;
	if (lines) {
		add_part(html, "found", words);
	} else if (words[0]) {
		html_open(html, "span", "evidence");
		html_string(html, ", found: ");
		html_cut(html, text_of(words), REPORT_SENTENCE);
		html_close(html);
	}
}

// What was looked at: size, hash, who looked.
static void add_evidence(struct html *html, const cJSON *finding)
{
	const char *sha256 = json_string(finding, "sha256", "");
	const char *reader = json_string(finding, "reader", "");
	double size = json_number(finding, "size", -1);
	buffer_cleanup words = {0};
	if (size >= 0 && size < 1e18) {
		words_add_size(&words, (int64_t)size);
	}
	if (sha256[0]) {
		buffer_printf(&words, "%ssha256 %.12s", words.length ? ", " : "", sha256);
	}
	if (reader[0]) {
		buffer_printf(&words, "%sread by the %s", words.length ? ", " : "", reader);
	}
	if (words.length) {
		html_open(html, "span", "evidence");
		html_attribute(html, "title", text_of(sha256));
		html_line(html, buffer_text(&words), REPORT_NAME);
		html_close(html);
	}
}

static void add_findings(struct html *html, const cJSON *findings, unsigned level);

static void add_finding(struct html *html, const cJSON *finding, unsigned level)
{
	const char *status = json_string(finding, "status", "");
	bool holds = strcmp(status, "holds") == 0;
	html_open(html, "li", holds ? "holds" : "fails");
	html_open(html, "code", NULL);
	html_line(html, text_of(json_string(finding, "check", "")), REPORT_NAME);
	html_close(html);
	html_string(html, " ");
	html_open(html, "bdi", "subject");
	html_line(html, text_of(json_string(finding, "subject", "")), REPORT_SENTENCE);
	html_close(html);
	html_string(html, " ");
	add_evidence(html, finding);
	if (holds) {
		add_found(html, json_string(finding, "found", ""));
	} else {
		html_open(html, "div", "sentence");
		html_cut(html, text_of(json_string(finding, "sentence", "")), REPORT_SENTENCE);
		html_close(html);
		add_part(html, "expected", json_string(finding, "expected", ""));
		add_part(html, "found", json_string(finding, "found", ""));
	}
	if (level < GATE_NESTED) {
		add_findings(html, cJSON_GetObjectItemCaseSensitive(finding, "nested"), level + 1);
	}
	html_close(html);
}

static void add_findings(struct html *html, const cJSON *findings, unsigned level)
{
	const cJSON *finding;
	int shown = 0, count = cJSON_GetArraySize(findings);
	if (!count) {
		return;
	}
	html_open(html, "ul", "findings");
	cJSON_ArrayForEach(finding, findings)
	{
		if (shown++ < GATE_FINDINGS) {
			add_finding(html, finding, level);
		}
	}
	if (count > GATE_FINDINGS) {
		html_open(html, "li", "cut");
		html_format(html, "%d more are left out", count - GATE_FINDINGS);
		html_close(html);
	}
	html_close(html);
}

// Whose work stood before the gate, and for what.
static void add_occasion(struct report *report, const struct story_verdict *verdict)
{
	const struct team *team = report->team;
	uint32_t agent = report->story.stays[verdict->stay].agent;
	buffer_cleanup clock = {0};
	words_add_clock(&clock, verdict->at);
	html_open(&report->html, "span", report_colour(report, agent));
	html_element(&report->html, "b", NULL, team->agents[agent].name);
	html_close(&report->html);
	if (verdict->target < team->agent_count) {
		html_format(&report->html, " hands over to %s", team->agents[verdict->target].name);
	} else {
		html_string(&report->html, " wants to be done");
	}
	html_open(&report->html, "span", "clock");
	html_format(&report->html, " behind turn %u, %s", verdict->turn, clock.data);
	html_close(&report->html);
}

static bool add_verdict(struct report *report, const struct story_verdict *verdict)
{
	static const char *const words[][2] = {[CHECK_HOLDS] = {"holds", "holds"},
		[CHECK_FAILS] = {"fails", "refuses"},
		[CHECK_NOT_MADE] = {"open", "could not be checked"},
		[CHECK_NEEDS_PERSON] = {"open", "waits for a person"}};
	struct html *html = &report->html;
	arena_cleanup arena = {0};
	struct error missing = {0}, ignored = {0};
	struct text text;
	if (verdict->status > CHECK_NEEDS_PERSON) {
		return true;
	}
	html_open(html, "div", "verdict");
	html_open(html, "div", words[verdict->status][0]);
	html_format(html, "%s%s: ", verdict->repeated ? "still " : "", words[verdict->status][1]);
	add_occasion(report, verdict);
	html_close(html);
	if (!verdict->repeated) {
		const char *key = arena_printf(&arena, "%u.%u", verdict->branch, verdict->command);
		if (store_text(report->store, &arena, report->run->id, key, &text, &missing)) {
			json_cleanup *tree = json_parse(text, &ignored); // no JSON: no findings
			add_findings(html, cJSON_GetObjectItemCaseSensitive(tree, "findings"), 0);
		} else if (missing.kind != ERROR_NONE) {
			*report->error = missing;
			return false;
		}
	}
	html_close(html);
	return true;
}

static void add_summary(struct report *report, size_t gate)
{
	struct html *html = &report->html;
	const struct summary_gate *known = &report->summary.gates[gate];
	bool holds = known->status && strcmp(known->status, "holds") == 0;
	buffer_cleanup words = {0};
	html_open(html, "summary", NULL);
	html_element(html, "span", known->status ? holds ? "badge good" : "badge bad" : "badge",
		known->status ? known->status : "never checked");
	html_string(html, " ");
	html_open(html, "b", NULL);
	html_line(html, text_of(known->name), REPORT_NAME);
	html_close(html);
	if (known->status) {
		buffer_add_string(&words, " passed ");
		words_add_count(&words, known->passed, "time", "times");
		if (known->refused) {
			buffer_add_string(&words, ", refused ");
			words_add_count(&words, known->refused, "time", "times");
		}
		html_element(html, "span", "dim", words.data);
	}
	html_close(html);
}

static bool add_gate(struct report *report, size_t gate)
{
	struct html *html = &report->html;
	const struct story *story = &report->story;
	const char *description = report->team->gates[gate].description;
	size_t count = 0;
	html_open(html, "details", "gate");
	if (report->summary.gates[gate].refused) {
		html_attribute(html, "open", TEXT(""));
	}
	add_summary(report, gate);
	if (description && description[0]) {
		html_open(html, "p", "dim");
		html_cut(html, text_of(description), REPORT_SENTENCE);
		html_close(html);
	}
	for (size_t i = 0; i < story->verdict_count; i++) {
		if (story->verdicts[i].gate == gate && count++ < GATE_VERDICTS &&
			!add_verdict(report, &story->verdicts[i])) {
			return false;
		}
	}
	if (count > GATE_VERDICTS) {
		report_left_out(report, count - GATE_VERDICTS, "more verdicts are left out");
	}
	html_close(html);
	return true;
}

bool report_gates(struct report *report)
{
	size_t count = report->team->gate_count, idle = 0;
	for (size_t i = 0; i < count; i++) {
		if (!report->summary.gates[i].status) {
			idle++;
		} else if (!add_gate(report, i)) {
			return false;
		}
	}
	if (idle) {
		html_open(&report->html, "p", "dim");
		html_string(&report->html, "Never checked: ");
		for (size_t i = 0, shown = 0; i < count; i++) {
			if (!report->summary.gates[i].status && shown++ < GATE_VERDICTS) {
				html_string(&report->html, shown > 1 ? ", " : "");
				html_line(&report->html, text_of(report->team->gates[i].name),
					REPORT_NAME);
			}
		}
		html_close(&report->html);
	}
	return true;
}
