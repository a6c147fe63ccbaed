#include "agent/answers.h"

#include "agent/tool.h"

static const char *agent_name(const struct answer_source *source, uint32_t agent)
{
	return agent < source->team->agent_count ? source->team->agents[agent].name : "?";
}

static void add_failing(
	struct buffer *text, const struct answer_source *source, const struct run_checklist *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const struct run_check *check = &list->checks[i];
		if (check->progress == PROGRESS_FAILS) {
			source->verdict_lines(source->data, check->branch, check->command, text);
		}
	}
}

static void add_possible_tools(
	struct buffer *text, const struct answer_source *source, uint32_t agent)
{
	buffer_add_string(text, " You can call:");
	for (size_t i = 0; tools[i]; i++) {
		if (tool_allowed(source->team, (int)agent, tools[i])) {
			buffer_printf(text, " %s", tools[i]->name);
		}
	}
	buffer_add_string(text, ".");
}

static void add_possible_handoffs(
	struct buffer *text, const struct answer_source *source, uint32_t agent)
{
	size_t count = 0;
	for (size_t i = 0; i < source->team->edge_count; i++) {
		const struct team_edge *edge = &source->team->edges[i];
		if ((uint32_t)edge->from == agent) {
			buffer_printf(text, "%s%s_%s", count++ ? ", " : " Possible handoffs: ",
				edge->kind == EDGE_DELEGATE ? "delegate_to" : "transfer_to",
				source->team->agents[edge->to].name);
		}
	}
	buffer_add_string(text, count ? "." : " You cannot hand work to anybody.");
}

static void add_failed_report(
	struct buffer *text, const struct answer_source *source, uint32_t child)
{
	static const char *const reasons[] = {[OUTCOME_OPEN] = "did not finish",
		[OUTCOME_COMPLETED] = "finished",
		[OUTCOME_GATE] = "did not get its work through the gate",
		[OUTCOME_RETRIES] = "gave no usable answer too many times",
		[OUTCOME_LIMIT] = "reached a limit",
		[OUTCOME_CANCELLED] = "was cancelled",
		[OUTCOME_ABORTED] = "was aborted"};
	const struct run_branch *branch = &source->state->branches[child];
	buffer_printf(text, "Failed: %s %s. What it wrote is still in the workspace.",
		agent_name(source, branch->agent), reasons[branch->outcome]);
	buffer_cleanup report = {0};
	source->report(source->data, child, &report);
	if (report.length) {
		buffer_printf(text, "\nIts last words:\n%s", report.data);
	}
}

static void add_refusal(
	struct buffer *text, const struct answer_source *source, const struct run_call *call)
{
	const struct team_edge *edge = &source->team->edges[call->edge];
	buffer_printf(text, "Refused: the handoff to %s did not go through. What is missing:\n",
		source->team->agents[edge->to].name);
	add_failing(text, source, &call->checklist);
	buffer_add_string(text, "Put this right, then hand over again.");
}

static void add_rejection(
	struct buffer *text, const struct answer_source *source, const struct run_call *call)
{
	buffer_cleanup said = {0};
	buffer_add_string(text,
		call->kind == CALL_PERSON ? "The person did not answer. Go on as you think best."
					  : "A person did not approve this call; it was not made.");
	source->said(source->data, call->value, &said);
	if (said.length) {
		buffer_printf(text, " They said:\n%s", said.data);
	}
}

void answer_text(
	struct buffer *text, const struct answer_source *source, uint32_t branch, uint32_t index)
{
	const struct run_branch *at = &source->state->branches[branch];
	const struct run_call *call = &at->calls[index];
	switch (call->answer) {
	case ANSWER_REPORT:
		source->report(source->data, call->value, text);
		break;
	case ANSWER_FAILED_REPORT:
		add_failed_report(text, source, call->value);
		break;
	case ANSWER_TRANSFERRED:
		buffer_printf(text, "{\"assistant\":\"%s\"}", agent_name(source, call->value));
		break;
	case ANSWER_UNKNOWN_TOOL:
		buffer_add_string(text, "There is no such tool.");
		add_possible_tools(text, source, at->agent);
		add_possible_handoffs(text, source, at->agent);
		break;
	case ANSWER_UNKNOWN_AGENT:
		buffer_add_string(text, "There is no such agent, or you may not hand work to it.");
		add_possible_handoffs(text, source, at->agent);
		break;
	case ANSWER_MALFORMED:
		buffer_add_string(text, "The call could not be understood: ");
		source->problem(source->data, branch, index, text);
		buffer_add_string(text, ". Call again with arguments that fit the schema.");
		break;
	case ANSWER_FORBIDDEN:
		buffer_add_string(text, "This call is forbidden by the team's permissions: ");
		source->problem(source->data, branch, index, text);
		buffer_add_string(text, ".");
		break;
	case ANSWER_REJECTED:
		add_rejection(text, source, call);
		break;
	case ANSWER_REFUSED:
		add_refusal(text, source, call);
		break;
	case ANSWER_STILL_WRITTEN:
		buffer_printf(text,
			"Refused: what the handoff to %s needs is still being written by %s. Wait "
			"for its report, then hand over again.",
			source->team->agents[source->team->edges[call->edge].to].name,
			agent_name(source, call->value));
		break;
	case ANSWER_NOT_PERFORMED:
		buffer_add_string(text, "Not performed: other handoffs come first.");
		break;
	case ANSWER_TOO_DEEP:
		buffer_printf(text, "Refused: delegations may be at most %lld deep.",
			(long long)source->state->limits.max_depth);
		break;
	case ANSWER_INTERRUPTED:
		buffer_add_string(text,
			"Interrupted: the call was under way when the run stopped. "
			"It may have been done in part; look before you repeat it.");
		break;
	case ANSWER_CANCELLED:
		buffer_add_string(text, "Cancelled: the run or this branch is ending.");
		break;
	case ANSWER_PERSON:
		source->said(source->data, call->value, text);
		break;
	case ANSWER_NONE:
	case ANSWER_RESULT:
		break;
	}
}

void note_text(struct buffer *text, const struct answer_source *source, uint32_t branch)
{
	static const char *const texts[] = {
		[NOTE_EMPTY] =
			"Your answer was empty. Go on with your task: call a tool, hand over, or "
			"answer with your report.",
		[NOTE_CUT] = "Your answer was cut at the output limit. Go on in smaller steps.",
		[NOTE_REFUSED] =
			"Your answer was a refusal. If you cannot do the task, say in a report "
			"what stands in the way.",
		[NOTE_REPEATED] = "The same call failed three times in a row. Try something else.",
	};
	const struct run_branch *at = &source->state->branches[branch];
	if (at->note == NOTE_OUTPUTS) {
		buffer_add_string(text, "Not done yet. What is missing:\n");
		add_failing(text, source, &at->checklist);
		buffer_add_string(text, "Put this right, then answer with your report.");
	} else if (at->note == NOTE_OUTSIDE) {
		buffer_add_string(
			text, "Not done yet. You changed files that you may not write:\n");
		source->outside(source->data, at->agent, text);
		buffer_add_string(text, "Undo these changes, then answer with your report.");
	} else if (at->note < sizeof(texts) / sizeof(texts[0]) && texts[at->note]) {
		buffer_add_string(text, texts[at->note]);
	}
}
