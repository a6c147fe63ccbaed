#include "agent/tools/common.h"

// The question is put, and answered, by who drives the run; a call never gets here.
static void run(const struct tool_place *place, struct arena *arena, const cJSON *arguments,
	struct tool_result *result)
{
	(void)place;
	(void)arguments;
	tool_fail(result, arena, "There is nobody here to be asked.");
}

static const struct key parameters[] = {
	{"question", KEY_STRING, "What you want to know, with all that is needed to answer it.",
		.required = true, .minimum = 1, .maximum = 4096},
	{"choices", KEY_STRINGS, "Possible answers, if there are only a few."},
	{0},
};

const struct tool tool_ask_user = {
	.name = "ask_user",
	.help = "Asks a person, and waits for the answer.",
	.description =
		"Asks a person a question and waits for the answer, which may take long. Ask only "
		"what you can neither find out nor decide yourself.",
	.parameters = parameters,
	.asks_person = true,
	.run = run,
};
