#include "cli/verb.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/project.h"
#include "view/report.h"

// A run that could not even be begun has no history; the report says so by having no changes.
static bool make(struct buffer *output, struct project_run *opened, struct error *error)
{
	struct error missing = {0};
	struct history *history = project_run_history(opened, &missing);
	bool fine = report_write(output, opened->store, &opened->run, opened->team, history, error);
	history_close(history);
	return fine;
}

static bool write_report(struct arguments *arguments, const char *id, const struct buffer *output,
	struct error *error)
{
	const char *path = arguments_value(arguments, "out");
	if (path && strcmp(path, "-") == 0) {
		return output_write(output, error);
	}
	if (!path) {
		path = arena_printf(&arguments->arena, "%s.html", id);
	}
	if (!file_replace(path, buffer_text(output), 0644, error)) {
		return false;
	}
	buffer_cleanup line = {0};
	buffer_add_line(&line, text_of(path), 4096);
	buffer_add_char(&line, '\n');
	return arguments_has(arguments, "quiet") || output_write(&line, error);
}

static int run(struct arguments *arguments, struct error *error)
{
	struct project_run opened;
	buffer_cleanup output = {0};
	if (!project_run_open(&opened, arguments->operands[0], error)) {
		return EXIT_FAILED;
	}
	if (make(&output, &opened, error)) {
		write_report(arguments, opened.run.id, &output, error);
	}
	project_run_close(&opened);
	return EXIT_OK;
}

static const struct option options[] = {
	{"out", 'o', "FILE", false, COMPLETE_FILE,
		"the file to write, instead of RUN.html; - for standard output"},
	OPTION_END,
};

const struct verb verb_report = {
	.name = "report",
	.help = "write a run as one HTML page",
	.usage = "RUN [--out FILE]",
	.details = "RUN is an id, a unique prefix of one, or -1 for the newest, -2 for the one "
		   "before.\n"
		   "The page has the team with the path that the work took, a timeline, the gates "
		   "with\n"
		   "their evidence, and per agent its artifacts, changes, messages and figures. It "
		   "needs\n"
		   "no other file and no network, and runs no script. It holds what the agents "
		   "read and\n"
		   "wrote: think of that before you hand it on.",
	.examples = (const char *const[]){"muster report -1", "muster report -1 --out review.html",
		NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
