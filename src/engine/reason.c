/* Why a run rests, in one sentence, and how it goes on. */
#include <stdio.h>

#include "engine/job.h"

enum { QUESTION_LIMIT = 1000 /* bytes of a line of what is asked */ };

static const char *limit_reason(const struct job *job)
{
	static const struct {
		const char *what, *option;
	} limits[] = {[LIMIT_NONE] = {"a limit", ""},
		[LIMIT_TURNS] = {"limit of turns", "--max-turns +50"},
		[LIMIT_TIME] = {"time", "--timeout +30m"},
		[LIMIT_USD] = {"limit of cost", ""},
		[LIMIT_TOKENS] = {"limit of tokens", "--max-tokens +500000"},
		[LIMIT_TOOL_CALLS] = {"limit of tool calls", "--max-tool-calls +100"},
		[LIMIT_HANDOFFS] = {"limit of handoffs", "--max-handoffs +20"}};
	static _Thread_local char reason[512];
	snprintf(reason, sizeof(reason), "the run's %s is reached; 'muster resume %s %s' goes on",
		limits[job->state.limit].what, job->id, limits[job->state.limit].option);
	return reason;
}

// What its approve checks ask, in one line.
static void add_gate_question(
	struct buffer *text, struct job *job, const struct run_question *question)
{
	const struct team_gate *gate = &job->team->gates[question->gate];
	const struct run_check *check = approval_check(job, question);
	struct text lines = text_of(check ? job_verdict(job, check->branch, check->command) : "");
	struct text line;
	const char *separator = "";
	if (gate->anonymous) {
		buffer_add_string(text, "a gate asks: ");
	} else {
		buffer_printf(text, "gate %s asks: ", gate->name);
	}
	while (text_next_line(&lines, &line)) {
		bool first = text_starts(line, "- ");
		buffer_add_string(text, first ? separator : " ");
		line = first ? (struct text){line.data + 2, line.length - 2} : line;
		buffer_add_line(text, line, QUESTION_LIMIT);
		separator = " / ";
	}
	buffer_printf(text, " 'muster approve %s' or 'muster reject %s'", job->id, job->id);
}

static void add_question(struct buffer *text, struct job *job, const struct run_question *question)
{
	const char *agent = job->team->agents[job->state.branches[question->branch].agent].name;
	if (question->kind == QUESTION_TOOL) {
		buffer_printf(text, "may %s call ", agent);
		job_call_text(job, question->branch, question->call, text);
		buffer_printf(
			text, "? 'muster approve %s' or 'muster reject %s'", job->id, job->id);
	} else if (question->kind == QUESTION_TEXT) {
		buffer_printf(text, "%s asks: ", agent);
		job_question_text(job, question->branch, question->call, text);
		buffer_printf(text, " 'muster answer %s TEXT'", job->id);
	} else if (question->kind == QUESTION_GATE) {
		add_gate_question(text, job, question);
	} else {
		buffer_printf(text,
			"the retries of %s are used up; 'muster answer %s retry', or skip, return, "
			"abort",
			agent, job->id);
	}
}

const char *job_reason(struct job *job)
{
	if (job->state.status != RUN_PARKED_STATUS) {
		return job->reason;
	}
	if (job->state.park == PARK_LIMIT) {
		return limit_reason(job);
	}
	if (job->state.park == PARK_INTERRUPT) {
		return "it was interrupted; 'muster resume' goes on";
	}
	if (job->state.park == PARK_PERSON && job->state.question_count) {
		buffer_cleanup text = {0};
		add_question(&text, job, &job->state.questions[0]);
		struct text cut = text_cut(buffer_text(&text), sizeof(job->reason) - 1);
		snprintf(job->reason, sizeof(job->reason), "%.*s", (int)cut.length, cut.data);
	}
	return job->reason;
}
