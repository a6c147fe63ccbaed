/* What a person says to a run that waits: approve and reject (yes and no), and answer. */
#include <string.h>

#include "cli/driving.h"
#include "cli/verb.h"

static int say(struct arguments *arguments, enum run_choice choice, struct error *error)
{
	struct request request = {.kind = REQUEST_ANSWER, .choice = choice};
	struct driven driven = {.request = &request};
	return go_on(arguments, &driven, error);
}

static int approve(struct arguments *arguments, struct error *error)
{
	return say(arguments, CHOICE_YES, error);
}

static int reject(struct arguments *arguments, struct error *error)
{
	return say(arguments, CHOICE_NO, error);
}

static int answer(struct arguments *arguments, struct error *error)
{
	static const struct {
		const char *word;
		enum run_choice choice;
	} choices[] = {{"retry", CHOICE_RETRY}, {"skip", CHOICE_SKIP}, {"return", CHOICE_RETURN},
		{"abort", CHOICE_ABORT}};
	const char *word = arguments->operands[1];
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		if (strcmp(choices[i].word, word) == 0) {
			return say(arguments, choices[i].choice, error);
		}
	}
	error_set(
		error, ERROR_USAGE, "'%s' is no answer", arguments_shown(&arguments->arena, word));
	error_hint(error, "answer retry, skip, return or abort");
	return EXIT_USAGE;
}

static const struct option options[] = {
	OPTION_JSON,
	OPTION_END,
};

#define DETAILS                                                                                    \
	"RUN is an id, a unique prefix of one, or -1 for the newest. 'muster show RUN' says what " \
	"it\nwaits for. The run then goes on, as with 'muster resume'; if another process drives " \
	"it\nstill, that one gets the answer."

const struct verb verb_approve = {
	.name = "approve",
	.help = "say yes to what a run waits for, and go on",
	.usage = "RUN [--json]",
	.details = DETAILS,
	.examples =
		(const char *const[]){
			"muster approve -1   # the call that it asks about is made", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = approve,
};

const struct verb verb_reject = {
	.name = "reject",
	.help = "say no to what a run waits for, and go on",
	.usage = "RUN [--json]",
	.details = DETAILS,
	.examples = (const char *const[]){"muster reject -1   # the agent is told that it may not",
		NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = reject,
};

const struct verb verb_answer = {
	.name = "answer",
	.help = "say what to do when an agent's retries are used up, and go on",
	.usage = "RUN retry|skip|return|abort [--json]",
	.details = DETAILS
	"\n"
	"retry allows one more attempt; skip goes on without the gates that fail "
	"(recorded);\n"
	"return hands the failure to whoever waits for the work; abort ends the run.",
	.examples = (const char *const[]){"muster answer -1 retry", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 2,
	.maximum = 2,
	.run = answer,
};
