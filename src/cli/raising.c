/* How much the limits of a run that is taken up again are raised by. */
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

bool driving_raises(struct arguments *arguments, struct team_limits *raise, struct error *error)
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
