#include "agent/tools/common.h"

static void run(const struct tool_place *place, struct arena *arena, const cJSON *arguments,
	struct tool_result *result)
{
	(void)arguments;
	if (!place->check_outputs) {
		tool_answer(result, arena, TEXT("No outputs are required of you."));
		return;
	}
	buffer_cleanup text = {0};
	place->check_outputs(place->check_outputs_data, &text);
	tool_answer(result, arena, buffer_text(&text));
}

static const struct key parameters[] = {{0}};

const struct tool tool_check_outputs = {
	.name = "check_outputs",
	.help = "Says what the agent's own outputs would say now.",
	.description =
		"Says what is still missing from your work: the checks that will be made when "
		"you are done, made on the workspace as it is now. Costs no attempt.",
	.parameters = parameters,
	.run = run,
};
