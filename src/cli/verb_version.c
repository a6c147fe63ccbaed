#include "cli/verb.h"

static int run(struct arguments *arguments, struct error *error)
{
	(void)arguments;
	buffer_cleanup line = {0};
	buffer_add_string(&line, "muster " MUSTER_VERSION "\n");
	output_write(&line, error);
	return EXIT_OK;
}

const struct verb verb_version = {
	.name = "version",
	.help = "print the version",
	.usage = "",
	.examples = (const char *const[]){"muster version", NULL},
	.run = run,
};
