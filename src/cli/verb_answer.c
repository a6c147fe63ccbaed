/* What a person says to a run that waits: approve and reject (yes and no), and answer. */
#include <string.h>

#include "cli/driving.h"
#include "cli/verb.h"

static int say(
	struct arguments *arguments, enum run_choice choice, struct text text, struct error *error)
{
	struct request request = {.kind = REQUEST_ANSWER, .choice = choice, .text = text};
	struct driven driven = {.request = &request};
	return go_on(arguments, &driven, error);
}

static int approve(struct arguments *arguments, struct error *error)
{
	return say(arguments, CHOICE_YES, (struct text){0}, error);
}

static int reject(struct arguments *arguments, struct error *error)
{
	struct text text = {0};
	if (arguments->operand_count > 1 && !said_text(arguments, &text, error)) {
		return EXIT_USAGE;
	}
	return say(arguments, CHOICE_NO, text, error);
}

static int answer(struct arguments *arguments, struct error *error)
{
	static const struct {
		const char *word;
		enum run_choice choice;
	} choices[] = {{"retry", CHOICE_RETRY}, {"skip", CHOICE_SKIP}, {"return", CHOICE_RETURN},
		{"abort", CHOICE_ABORT}};
	const char *word = arguments->operands[1];
	struct text text;
	if (!said_text(arguments, &text, error)) {
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		if (strcmp(choices[i].word, word) == 0) {
			return say(arguments, choices[i].choice, text, error);
		}
	}
	return say(arguments, CHOICE_TEXT, text, error);
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
	.usage = "RUN [TEXT|@FILE] [--json]",
	.details = DETAILS "\nThe text tells the agent why.",
	.examples = (const char *const[]){"muster reject -1   # the agent is told that it may not",
		"muster reject -1 \"Too long; one page will do.\"", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 2,
	.run = reject,
};

const struct verb verb_answer = {
	.name = "answer",
	.help = "answer an agent's question, or say what to do when its retries are used up",
	.usage = "RUN TEXT|@FILE|retry|skip|return|abort [--json]",
	.details = DETAILS
	"\n"
	"An agent that asks gets the text, or what the file holds. When retries are used up, "
	"retry\nallows one more attempt; skip goes on without the gates that fail "
	"(recorded);\n"
	"return hands the failure to whoever waits for the work; abort ends the run.",
	.examples = (const char *const[]){"muster answer -1 \"Blue, like the logo.\"",
		"muster answer -1 retry", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 2,
	.maximum = 2,
	.run = answer,
};
