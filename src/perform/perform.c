#include "perform/performers.h"

#include <stdlib.h>

const struct performer *const performers[] = {
	[COMMAND_OPEN_SANDBOX] = &perform_open_sandbox,
	[COMMAND_CALL_MODEL] = &perform_call_model,
	[COMMAND_CALL_TOOL] = &perform_call_tool,
	[COMMAND_RECORD] = &perform_record,
	[COMMAND_CHECK_GATE] = &perform_check_gate,
};

void perform(struct work *work)
{
	work->event.branch = work->branch;
	work->event.command = work->command;
	if (work->action) {
		work->action(work);
		return;
	}
	performers[work->kind]->perform(work);
}

void work_destroy(struct work *work)
{
	if (work) {
		model_answer_destroy(work->answer);
		tool_call_finish(&work->call);
		arena_finish(&work->arena);
		free(work);
	}
}
