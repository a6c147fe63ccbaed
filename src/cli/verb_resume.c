#include "cli/verb.h"

#include <stdlib.h>

#include "base/units.h"
#include "cli/driving.h"

// "+50" or "50": how much a limit is raised by.
static bool read_raise(
	struct arguments *arguments, const char *option, int64_t *raise, struct error *error)
{
	const char *value = arguments_value(arguments, option);
	char *end = NULL;
	if (!value) {
		return true;
	}
	long long number = strtoll(value, &end, 10);
	if (*end || end == value || number <= 0 || number > 1000000000000LL) {
		return error_set(error, ERROR_USAGE, "--%s takes a number above 0, not '%s'",
			       option, arguments_shown(&arguments->arena, value)) ||
			error_hint(error, "as in --%s +50", option);
	}
	*raise = number;
	return true;
}

static bool read_raises(struct arguments *arguments, struct team_limits *raise, struct error *error)
{
	const char *timeout = arguments_value(arguments, "timeout");
	if (timeout) {
		struct text length = text_of(timeout + (timeout[0] == '+'));
		if (!units_duration(length, &raise->timeout) || raise->timeout <= 0) {
			return error_set(error, ERROR_USAGE, "--timeout takes a length of time") ||
				error_hint(error, "as in --timeout +30m");
		}
	}
	return read_raise(arguments, "max-turns", &raise->max_turns, error) &&
		read_raise(arguments, "max-tokens", &raise->max_tokens, error) &&
		read_raise(arguments, "max-tool-calls", &raise->max_tool_calls, error) &&
		read_raise(arguments, "max-handoffs", &raise->max_handoffs, error);
}

static int run(struct arguments *arguments, struct error *error)
{
	struct driven driven = {0};
	if (!read_raises(arguments, &driven.raise, error)) {
		return EXIT_USAGE;
	}
	return go_on(arguments, &driven, error);
}

static const struct option options[] = {
	{"max-turns", 0, "+N", false, COMPLETE_NOTHING, "allow N turns more"},
	{"max-tokens", 0, "+N", false, COMPLETE_NOTHING, "allow N tokens more"},
	{"max-tool-calls", 0, "+N", false, COMPLETE_NOTHING, "allow N tool calls more"},
	{"max-handoffs", 0, "+N", false, COMPLETE_NOTHING, "allow N handoffs more"},
	{"timeout", 0, "+TIME", false, COMPLETE_NOTHING, "allow TIME more working time"},
	OPTION_VERBOSE,
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_resume = {
	.name = "resume",
	.help = "go on with a run that parked or was killed",
	.usage = "RUN [--max-turns +N] [--max-tokens +N] [--timeout +TIME]... [--json]",
	.details =
		"RUN is an id, a unique prefix of one, or -1 for the newest. The run goes on with "
		"the\n"
		"team, the inputs and the rehearsal that it was started with. What was under way "
		"is "
		"asked\n"
		"again; a tool call that may have changed something is not repeated: the agent is "
		"told\n"
		"that it was interrupted.",
	.examples = (const char *const[]){"muster resume -1",
		"muster resume web-app-k3 --max-turns +50   # after a limit was reached", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
