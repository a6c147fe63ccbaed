#include "cli/verb.h"

#include <stdio.h>
#include <string.h>

#include "cli/taking.h"

// What is not done has not passed all of its gates.
static void warn(struct arguments *arguments, const struct store_run *run)
{
	if (strcmp(run->state, "done") != 0 && !arguments_has(arguments, "quiet")) {
		fprintf(stderr, "run %s is %s: this is its work so far\n", run->id, run->state);
	}
}

static int run(struct arguments *arguments, struct error *error)
{
	struct project_run opened;
	const char *to = arguments_value(arguments, "to");
	const char *branch = arguments_value(arguments, "branch");
	if (branch && (to || arguments_has(arguments, "all"))) {
		error_set(error, ERROR_USAGE, "--branch does not go together with --to or --all");
		return EXIT_USAGE;
	}
	struct taking taking = {.to = to ? to : ".",
		.branch = branch,
		.all = arguments_has(arguments, "all"),
		.force = arguments_has(arguments, "force"),
		.dry_run = arguments_has(arguments, "dry-run"),
		.json = arguments_has(arguments, "json"),
		.quiet = arguments_has(arguments, "quiet")};
	if (!project_run_open(&opened, arguments->operands[0], error)) {
		return EXIT_FAILED;
	}
	warn(arguments, &opened.run);
	take_out(&opened, &taking, error);
	project_run_close(&opened);
	return EXIT_OK;
}

static const struct option options[] = {
	{"to", 0, "DIR", false, COMPLETE_FOLDER, "into this folder (the project folder)"},
	{"branch", 'b', "NAME", false, COMPLETE_NOTHING,
		"as a commit on a new branch of the project's git repository"},
	{"all", 0, NULL, false, COMPLETE_NOTHING, "also what the run did not change"},
	{"force", 'f', NULL, false, COMPLETE_NOTHING, "overwrite what differs"},
	{"dry-run", 'n', NULL, false, COMPLETE_NOTHING, "say what would be done, and do nothing"},
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_apply = {
	.name = "apply",
	.help = "take the work of a run out into a folder",
	.usage = "RUN [--to DIR | --branch NAME] [--all] [--dry-run] [--force] [--json]",
	.details = "RUN is an id, a unique prefix of one, or -1 for the newest, -2 for the one "
		   "before.\n"
		   "What the run added or changed is written, what it deleted is deleted. When a\n"
		   "file is neither as the run found it nor as it left it, nothing at all is "
		   "written\n"
		   "and the conflicts are listed; --force overwrites them. Links that could lead "
		   "out\n"
		   "of the folder, and names that belong to git or muster, are left out. In a "
		   "git\n"
		   "repository only the files are touched: look at them with 'git diff', then "
		   "commit.\n"
		   "With --branch the files stay as they are: the work becomes a commit on top of\n"
		   "what is checked out, on a new branch. As a patch: 'muster diff RUN'.",
	.examples = (const char *const[]){"muster apply -1 --to site",
		"muster apply -1 --branch new-game   # then look: git diff ...new-game",
		"muster apply -1 --dry-run   # what it would do to this folder", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
