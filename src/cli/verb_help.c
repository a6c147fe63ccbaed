#include "cli/verb.h"

static int run(struct arguments *arguments, struct error *error)
{
	buffer_cleanup help = {0};
	if (arguments->operand_count == 0) {
		verb_help_all(&help);
	} else {
		const struct verb *verb = verb_find(arguments->operands[0]);
		if (!verb) {
			verb_unknown(arguments->operands[0], error);
			return EXIT_USAGE;
		}
		verb_help(&help, verb);
	}
	output_write(&help, error);
	return EXIT_OK;
}

const struct verb verb_help_verb = {
	.name = "help",
	.help = "list the verbs, or explain one",
	.usage = "[VERB]",
	.examples = (const char *const[]){"muster help", "muster help run", NULL},
	.completion = COMPLETE_VERB,
	.maximum = 1,
	.run = run,
};
