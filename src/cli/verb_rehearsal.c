#include "cli/verb.h"

#include "cli/project.h"
#include "cli/recorded.h"

static int run(struct arguments *arguments, struct error *error)
{
	struct project_run opened;
	buffer_cleanup yaml = {0};
	const char *path = arguments_value(arguments, "out");
	if (path && !recording_check(path, error)) {
		return EXIT_USAGE;
	}
	if (!project_run_open(&opened, arguments->operands[0], error)) {
		return EXIT_FAILED;
	}
	if (recorded(&yaml, opened.store, &opened.run, opened.team, NULL, error)) {
		if (path) {
			recording_save(path, &yaml, error);
		} else {
			output_write(&yaml, error);
		}
	}
	project_run_close(&opened);
	return EXIT_OK;
}

static const struct option options[] = {
	{"out", 'o', "FILE", false, COMPLETE_FILE, "a new file, instead of standard output"},
	OPTION_END,
};

const struct verb verb_rehearsal = {
	.name = "rehearsal",
	.help = "write what the models of a run answered, to be played again",
	.usage = "RUN [--out FILE]",
	.details = "RUN is an id, a unique prefix of one, or -1 for the newest, -2 for the one "
		   "before.\n"
		   "'muster run TEAM --rehearse FILE' with the same inputs plays it, without any "
		   "model.\n"
		   "Keys of models that are set here are replaced; what else the run was told "
		   "is in it.",
	.examples = (const char *const[]){"muster rehearsal -1 --out rehearsal.yaml", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
