#include "perform/performers.h"

// What the agent's own gates say now, for the tool check_outputs. Approvals are not asked for.
static void check_outputs(void *data, struct buffer *text)
{
	struct work *work = data;
	const struct workshop *workshop = work->workshop;
	const struct team_agent *agent = &workshop->team->agents[work->agent];
	if (agent->output_count == 0) {
		buffer_add_string(text, "Nothing is required of you.");
	}
	for (size_t i = 0; i < agent->output_count; i++) {
		struct gate_verdict verdict;
		int gate = agent->outputs[i];
		look_at_gate(work, (uint32_t)gate, true, &verdict);
		buffer_printf(text, "%s: %s\n", workshop->team->gates[gate].name,
			gate_status_name(verdict.status));
		gate_verdict_lines(text, &verdict);
	}
}

static void run(struct work *work)
{
	const struct workshop *workshop = work->workshop;
	struct tool_place place = {.sandbox = workshop->sandbox,
		.team = workshop->team,
		.agent = (int)work->agent,
		.cancel = &work->cancel,
		.environment = workshop->environment,
		.check_outputs = check_outputs,
		.check_outputs_data = work};
	work->call.tool->run(&place, &work->arena, work->call.arguments, &work->tool);
	work->text = work->tool.output;
	work->event.kind = TOOL_ANSWERED;
	work->event.failed = work->tool.failed;
	work->event.interrupted = atomic_load(&work->cancel);
	work->event.bytes = (int64_t)work->text.length;
	work->done(work);
}

const struct performer perform_call_tool = {COMMAND_CALL_TOOL, run};
