#include "view/summary.h"

#include <string.h>

#include "base/json.h"
#include "view/words.h"

enum { SUMMARY_ANSWER = 4000, SUMMARY_LINE = 300 };

static bool is_agent(const struct summary *summary, const char *name)
{
	return team_agent_index(summary->team, name) != TEAM_NONE;
}

static bool chosen(const struct summary_artifact *artifact, const char *agent, bool all)
{
	if (agent) {
		return strcmp(artifact->agent, agent) == 0;
	}
	return all || strcmp(artifact->agent, "manifest") != 0;
}

static size_t path_width(const struct summary *summary)
{
	size_t widest = 0;
	for (size_t i = 0; i < summary->artifact_count; i++) {
		size_t width = words_width(summary->artifacts[i].path);
		widest = width > widest && width <= 60 ? width : widest;
	}
	return widest;
}

static void add_artifact(
	struct buffer *buffer, const struct summary_artifact *artifact, size_t width, bool colours)
{
	buffer_cleanup size = {0};
	words_add_size(&size, artifact->size);
	words_add_padded(buffer, artifact->path, width);
	buffer_printf(buffer, "  %9s", size.data);
	if (artifact->gate) {
		bool holds = strcmp(artifact->status, "holds") == 0;
		buffer_add_string(buffer, "  ");
		words_colour(buffer, colours, holds ? COLOUR_GOOD : COLOUR_BAD);
		buffer_add_string(buffer, "gate ");
		buffer_add_line(buffer, text_of(artifact->gate), SUMMARY_LINE);
		buffer_add_char(buffer, ' ');
		buffer_add_line(buffer, text_of(artifact->status), SUMMARY_LINE);
		words_colour(buffer, colours, COLOUR_PLAIN);
	}
	if (artifact->outside) {
		buffer_add_string(buffer, "  outside of what it may write");
	}
}

static void add_state(struct buffer *buffer, const struct store_run *run, bool colours)
{
	bool done = strcmp(run->state, "done") == 0;
	buffer_add_line(buffer, text_of(run->id), SUMMARY_LINE);
	buffer_add_string(buffer, ": ");
	words_colour(buffer, colours, done ? COLOUR_GOOD : COLOUR_BAD);
	buffer_add_line(buffer, text_of(run->state), SUMMARY_LINE);
	words_colour(buffer, colours, COLOUR_PLAIN);
	if (run->reason[0]) {
		buffer_add_string(buffer, ", ");
		buffer_add_line(buffer, text_of(run->reason), 2048);
	}
	buffer_add_string(buffer, "\n  ");
	if (run->working < 60000) {
		buffer_printf(buffer, "%.1f s", (double)run->working / 1000);
	} else {
		words_add_clock(buffer, run->working);
	}
	buffer_add_string(buffer, " of work, ");
	words_add_count(buffer, run->turns, "turn", "turns");
	buffer_add_string(buffer, ", ");
	words_add_number(buffer, run->input_tokens);
	buffer_add_string(buffer, " tokens in (");
	words_add_number(buffer, run->cached_tokens);
	buffer_add_string(buffer, " cached), ");
	words_add_number(buffer, run->output_tokens);
	buffer_add_string(buffer, " out");
	if (run->nano_usd) {
		buffer_add_string(buffer, ", ");
		words_add_money(buffer, run->nano_usd);
	}
	buffer_add_string(buffer, run->rehearsal ? ", rehearsed\n  " : "\n  ");
	words_add_count(buffer, run->gates_passed, "gate passed, ", "gates passed, ");
	words_add_count(buffer, run->gates_refused, "refused", "refused");
	buffer_add_char(buffer, '\n');
}

// Which gates refused something, and how often.
static void add_refusals(struct buffer *buffer, const struct summary *summary)
{
	const char *separator = "  refused by ";
	size_t start = buffer->length;
	for (size_t i = 0; i < summary->team->gate_count; i++) {
		const struct summary_gate *gate = &summary->gates[i];
		if (gate->refused) {
			buffer_add_string(buffer, separator);
			buffer_add_line(buffer, text_of(gate->name), SUMMARY_LINE);
			buffer_add_string(buffer, gate->refused > 1 ? " (" : "");
			if (gate->refused > 1) {
				words_add_count(buffer, gate->refused, "time)", "times)");
			}
			separator = ", ";
		}
	}
	buffer_add_string(buffer, buffer->length > start ? "\n" : "");
}

// What refusals cost: it is part of what stands above.
static void add_retries(struct buffer *buffer, const struct summary_agent *agent)
{
	if (!agent->retry_turns) {
		return;
	}
	buffer_add_string(buffer, "  of that after refusals: ");
	words_add_count(buffer, agent->retry_turns, "turn, ", "turns, ");
	words_add_count(buffer, agent->retry_tokens, "token", "tokens");
	if (agent->retry_nano_usd) {
		buffer_add_string(buffer, ", ");
		words_add_money(buffer, agent->retry_nano_usd);
	}
	buffer_add_char(buffer, '\n');
}

static void add_agent(struct buffer *buffer, const struct summary_agent *agent)
{
	buffer_add_line(buffer, text_of(agent->name), SUMMARY_LINE);
	if (agent->assignments == 0) {
		buffer_add_string(buffer, ": did not work\n");
		return;
	}
	buffer_add_string(buffer, ": ");
	words_add_count(buffer, agent->assignments, "assignment", "assignments");
	buffer_add_string(buffer, ", ");
	words_add_count(buffer, agent->turns, "turn", "turns");
	buffer_add_string(buffer, ", ");
	words_add_count(buffer, agent->tool_calls, "tool call", "tool calls");
	buffer_add_string(buffer, ", ");
	words_add_number(buffer, agent->input_tokens);
	buffer_add_string(buffer, " tokens in, ");
	words_add_number(buffer, agent->output_tokens);
	buffer_add_string(buffer, " out");
	if (agent->nano_usd) {
		buffer_add_string(buffer, ", ");
		words_add_money(buffer, agent->nano_usd);
	}
	buffer_add_string(buffer, ", ");
	words_add_count(buffer, agent->gates_passed, "gate passed", "gates passed");
	if (agent->gates_refused) {
		buffer_add_string(buffer, ", ");
		words_add_number(buffer, agent->gates_refused);
		buffer_add_string(buffer, " refused");
	}
	buffer_add_char(buffer, '\n');
	add_retries(buffer, agent);
}

static void add_agent_artifacts(
	struct buffer *buffer, const struct summary *summary, const char *agent, bool colours)
{
	size_t width = path_width(summary);
	for (size_t i = 0; i < summary->artifact_count; i++) {
		const struct summary_artifact *artifact = &summary->artifacts[i];
		if (strcmp(artifact->agent, agent) == 0) {
			buffer_add_string(buffer, "  ");
			add_artifact(buffer, artifact, width, colours);
			buffer_add_char(buffer, '\n');
		}
	}
}

void summary_print_agent_line(
	struct buffer *buffer, const struct summary *summary, const char *agent, bool colours)
{
	int index = team_agent_index(summary->team, agent);
	if (index != TEAM_NONE) {
		add_agent(buffer, &summary->agents[index]);
		add_agent_artifacts(buffer, summary, agent, colours);
	}
}

// Who is no agent, but changed files: several at once, or the user.
static void add_others(struct buffer *buffer, const struct summary *summary, bool colours)
{
	static const char *const others[] = {"several", "user", "unknown"};
	for (size_t o = 0; o < sizeof(others) / sizeof(others[0]); o++) {
		size_t start = buffer->length;
		if (!is_agent(summary, others[o])) {
			add_agent_artifacts(buffer, summary, others[o], colours);
		}
		if (buffer->length > start) {
			buffer_printf(buffer, "  (by %s)\n", others[o]);
		}
	}
}

void summary_print(struct buffer *buffer, const struct summary *summary, bool colours)
{
	add_state(buffer, &summary->run, colours);
	add_refusals(buffer, summary);
	if (summary->forked_from) {
		buffer_add_string(buffer, "  forked from ");
		buffer_add_line(buffer, text_of(summary->forked_from), SUMMARY_LINE);
		buffer_printf(buffer, " at turn %lld\n", (long long)summary->forked_at);
	}
	for (size_t i = 0; i < summary->team->agent_count; i++) {
		buffer_add_char(buffer, '\n');
		summary_print_agent_line(buffer, summary, summary->agents[i].name, colours);
	}
	add_others(buffer, summary, colours);
	if (summary->workspace) {
		buffer_add_string(buffer, "\nFiles: ");
		buffer_add_line(buffer, text_of(summary->workspace), 4096);
		buffer_add_char(buffer, '\n');
	}
	if (summary->answer.length) {
		buffer_add_string(buffer, "\nAnswer:\n");
		buffer_add_terminal(buffer, text_cut(summary->answer, SUMMARY_ANSWER));
		buffer_add_string(buffer, summary->answer.length > SUMMARY_ANSWER ? "...\n" : "\n");
	}
}

static void add_part(struct buffer *buffer, const char *label, const char *words)
{
	if (words[0]) {
		buffer_printf(buffer, "      %s: ", label);
		buffer_add_line(buffer, text_of(words), SUMMARY_LINE);
		buffer_add_char(buffer, '\n');
	}
}

static void add_findings(struct buffer *buffer, struct text verdict)
{
	struct error ignored = {0}; // a verdict that is no JSON has no findings
	json_cleanup *tree = json_parse(verdict, &ignored);
	const cJSON *finding;
	cJSON_ArrayForEach(finding, cJSON_GetObjectItemCaseSensitive(tree, "findings"))
	{
		if (strcmp(json_string(finding, "status", ""), "holds") != 0) {
			buffer_add_string(buffer, "    - ");
			buffer_add_line(buffer, text_of(json_string(finding, "sentence", "")),
				SUMMARY_LINE);
			buffer_add_char(buffer, '\n');
			add_part(buffer, "expected", json_string(finding, "expected", ""));
			add_part(buffer, "found", json_string(finding, "found", ""));
		}
	}
}

void summary_print_gates(struct buffer *buffer, const struct summary *summary, bool colours)
{
	buffer_add_string(buffer, summary->team->gate_count ? "\nGates:\n" : "");
	for (size_t i = 0; i < summary->team->gate_count; i++) {
		const struct summary_gate *gate = &summary->gates[i];
		bool holds = gate->status && strcmp(gate->status, "holds") == 0;
		buffer_add_string(buffer, "  ");
		buffer_add_line(buffer, text_of(gate->name), SUMMARY_LINE);
		buffer_add_string(buffer, ": ");
		words_colour(buffer, colours, holds ? COLOUR_GOOD : COLOUR_BAD);
		buffer_add_string(buffer, gate->status ? gate->status : "never checked");
		words_colour(buffer, colours, COLOUR_PLAIN);
		if (gate->refused) {
			buffer_add_string(buffer, ", refused ");
			words_add_count(buffer, gate->refused, "time", "times");
		}
		buffer_add_char(buffer, '\n');
		if (gate->status && !holds) {
			add_findings(buffer, gate->verdict);
		}
	}
}

void summary_print_artifacts(
	struct buffer *buffer, const struct summary *summary, const char *agent, bool all)
{
	size_t paths = path_width(summary), agents = strlen("manifest");
	for (size_t i = 0; i < summary->team->agent_count; i++) {
		size_t width = strlen(summary->team->agents[i].name);
		agents = width > agents ? width : agents;
	}
	for (size_t i = 0; i < summary->artifact_count; i++) {
		const struct summary_artifact *artifact = &summary->artifacts[i];
		if (chosen(artifact, agent, all)) {
			words_add_padded(buffer, artifact->agent, agents);
			buffer_add_string(buffer, "  ");
			add_artifact(buffer, artifact, paths, false);
			buffer_add_char(buffer, '\n');
		}
	}
}

void summary_run_json(struct document *document, const struct store_run *run)
{
	document_string(document, "id", run->id);
	document_string(document, "team", run->team);
	document_string(document, "file", run->file);
	document_string(document, "state", run->state);
	document_string(document, "reason", run->reason[0] ? run->reason : NULL);
	document_number(document, "exit_code", run->exit_code);
	document_number(document, "created_ms", run->created);
	document_number(document, "updated_ms", run->updated);
	document_number(document, "working_ms", run->working);
	document_number(document, "turns", run->turns);
	document_number(document, "input_tokens", run->input_tokens);
	document_number(document, "cached_tokens", run->cached_tokens);
	document_number(document, "output_tokens", run->output_tokens);
	document_number(document, "nano_usd", run->nano_usd);
	document_number(document, "gates_passed", run->gates_passed);
	document_number(document, "gates_refused", run->gates_refused);
	document_flag(document, "rehearsal", run->rehearsal);
	document_string(document, "sandbox", run->sandbox);
}

void summary_artifacts_json(
	struct document *document, const struct summary *summary, const char *agent, bool all)
{
	document_array(document, "artifacts");
	for (size_t i = 0; i < summary->artifact_count; i++) {
		const struct summary_artifact *artifact = &summary->artifacts[i];
		if (!chosen(artifact, agent, all)) {
			continue;
		}
		document_object(document, NULL);
		document_string(document, "path", artifact->path);
		document_string(document, "maker", artifact->maker);
		document_string(document, "agent", artifact->agent);
		document_number(document, "size", artifact->size);
		document_number(document, "turn", artifact->turn);
		document_string(document, "sha256", artifact->sha256);
		document_flag(document, "outside", artifact->outside);
		document_string(document, "gate", artifact->gate);
		document_string(document, "status", artifact->status);
		document_end_object(document);
	}
	document_end_array(document);
}

static void agent_json(struct document *document, const struct summary_agent *agent)
{
	document_object(document, NULL);
	document_string(document, "name", agent->name);
	document_number(document, "assignments", agent->assignments);
	document_number(document, "turns", agent->turns);
	document_number(document, "tool_calls", agent->tool_calls);
	document_number(document, "input_tokens", agent->input_tokens);
	document_number(document, "cached_tokens", agent->cached_tokens);
	document_number(document, "output_tokens", agent->output_tokens);
	document_number(document, "nano_usd", agent->nano_usd);
	document_number(document, "gates_passed", agent->gates_passed);
	document_number(document, "gates_refused", agent->gates_refused);
	document_number(document, "retry_turns", agent->retry_turns);
	document_number(document, "retry_tokens", agent->retry_tokens);
	document_number(document, "retry_nano_usd", agent->retry_nano_usd);
	document_end_object(document);
}

static void gate_json(struct document *document, const struct summary_gate *gate)
{
	document_object(document, NULL);
	document_string(document, "name", gate->name);
	document_string(document, "status", gate->status);
	document_number(document, "passed", gate->passed);
	document_number(document, "refused", gate->refused);
	if (gate->verdict.length) {
		document_json(document, "verdict", gate->verdict);
	} else {
		document_null(document, "verdict");
	}
	document_end_object(document);
}

void summary_json(struct document *document, const struct summary *summary)
{
	document_object(document, "run");
	summary_run_json(document, &summary->run);
	document_end_object(document);
	document_string(document, "forked_from", summary->forked_from);
	if (summary->forked_from) {
		document_number(document, "forked_at", summary->forked_at);
	}
	document_string(document, "workspace", summary->workspace);
	document_array(document, "agents");
	for (size_t i = 0; i < summary->team->agent_count; i++) {
		agent_json(document, &summary->agents[i]);
	}
	document_end_array(document);
	summary_artifacts_json(document, summary, NULL, false);
	document_array(document, "gates");
	for (size_t i = 0; i < summary->team->gate_count; i++) {
		gate_json(document, &summary->gates[i]);
	}
	document_end_array(document);
	document_array(document, "assignments");
	for (size_t i = 0; i < summary->assignment_count; i++) {
		const struct summary_assignment *assignment = &summary->assignments[i];
		document_object(document, NULL);
		document_number(document, "branch", assignment->branch);
		document_string(document, "agent", assignment->agent);
		document_string(document, "from", assignment->from);
		document_string(document, "outcome", assignment->outcome);
		document_end_object(document);
	}
	document_end_array(document);
	document_text(document, "answer", summary->answer);
}
