/* How a verdict is told: to agents as a list, to everything else as JSON. */
#include "gate/gate.h"

const char *gate_status_name(enum gate_status status)
{
	static const char *const names[] = {[GATE_HOLDS] = "holds",
		[GATE_FAILS] = "fails",
		[GATE_NOT_CHECKED] = "not_checked",
		[GATE_NEEDS_PERSON] = "needs_person"};
	return names[status];
}

// One item of a list: the lines behind its first cannot be taken for items.
static void add_item(struct buffer *buffer, const struct gate_finding *finding)
{
	struct text rest = text_of(finding->sentence), line;
	for (bool first = true; text_next_line(&rest, &line); first = false) {
		buffer_add_string(buffer, first ? "- " : "  ");
		buffer_add_text(buffer, line);
		buffer_add_char(buffer, '\n');
	}
}

void gate_verdict_lines(struct buffer *buffer, const struct gate_verdict *verdict)
{
	for (size_t i = 0; i < verdict->count; i++) {
		enum gate_status status = verdict->findings[i].status;
		// A person is asked once all else holds; before that an agent has no part in it.
		bool asked = status == GATE_NEEDS_PERSON && verdict->status != status;
		if (status != GATE_HOLDS && !asked) {
			add_item(buffer, &verdict->findings[i]);
		}
	}
}

static void add_member(struct buffer *json, const char *name, const char *value)
{
	buffer_printf(json, ",\"%s\":", name);
	buffer_add_json(json, text_of(value));
}

static void add_findings(struct buffer *json, const struct gate_finding *findings, size_t count);

static void add_finding(struct buffer *json, const struct gate_finding *finding)
{
	buffer_printf(json, "{\"check\":\"%s\",\"status\":\"%s\"", finding->check,
		gate_status_name(finding->status));
	add_member(json, "subject", finding->subject);
	add_member(json, "expected", finding->expected);
	add_member(json, "found", finding->found);
	add_member(json, "sentence", finding->sentence);
	add_member(json, "reader", finding->reader);
	if (finding->line) {
		buffer_printf(json, ",\"line\":%u,\"column\":%u", finding->line, finding->column);
	}
	if (finding->size >= 0) {
		buffer_printf(json, ",\"size\":%lld", (long long)finding->size);
	}
	if (finding->sha256) {
		add_member(json, "sha256", finding->sha256);
	}
	if (finding->unclear) {
		buffer_add_string(json, ",\"unclear\":true");
	}
	if (finding->nested_count) {
		buffer_add_string(json, ",\"nested\":");
		add_findings(json, finding->nested, finding->nested_count);
	}
	buffer_add_char(json, '}');
}

static void add_findings(struct buffer *json, const struct gate_finding *findings, size_t count)
{
	buffer_add_char(json, '[');
	for (size_t i = 0; i < count; i++) {
		buffer_add_string(json, i ? "," : "");
		add_finding(json, &findings[i]);
	}
	buffer_add_char(json, ']');
}

void gate_verdict_json(struct buffer *json, const struct gate_verdict *verdict)
{
	buffer_printf(json, "{\"status\":\"%s\",\"findings\":", gate_status_name(verdict->status));
	add_findings(json, verdict->findings, verdict->count);
	buffer_add_char(json, '}');
}
