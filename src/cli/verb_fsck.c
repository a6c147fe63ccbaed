#include "cli/verb.h"

#include <string.h>

#include "base/path.h"
#include "cli/project.h"
#include "engine/examine.h"
#include "view/document.h"
#include "view/words.h"

enum { PROBLEMS_MOST = 200 /* that are told */ };

struct found {
	struct arena *arena;
	const char *problems[PROBLEMS_MOST];
	size_t count;
};

static void note(void *data, const char *text)
{
	struct found *found = data;
	if (found->count < PROBLEMS_MOST) {
		found->problems[found->count++] = arena_string(found->arena, text);
	}
}

static void add_counts(struct buffer *output, const struct examination *examination)
{
	words_add_count(output, examination->events, "event", "events");
	buffer_add_string(output, ", ");
	words_add_count(output, examination->items, "item", "items");
	buffer_add_string(output, ", ");
	words_add_count(output, examination->changes, "change", "changes");
	buffer_add_string(output, ", ");
	words_add_count(output, examination->files, "file", "files");
}

static bool print(struct arguments *arguments, const struct examination *examination,
	const struct found *found, struct error *error)
{
	buffer_cleanup output = {0};
	if (arguments_has(arguments, "json")) {
		struct document document;
		document_begin(&document, &output, "muster.fsck/1");
		document_string(&document, "run", examination->run->id);
		document_array(&document, "problems");
		for (size_t i = 0; i < found->count; i++) {
			document_string(&document, NULL, found->problems[i]);
		}
		document_end_array(&document);
		document_end(&document);
		return output_write(&output, error);
	}
	for (size_t i = 0; i < found->count; i++) {
		buffer_add_line(&output, text_of(found->problems[i]), 1024);
		buffer_add_char(&output, '\n');
	}
	if (!found->count && !arguments_has(arguments, "quiet")) {
		buffer_printf(&output, "run %s is sound: ", examination->run->id);
		add_counts(&output, examination);
		buffer_add_char(&output, '\n');
	}
	return output_write(&output, error);
}

static int run(struct arguments *arguments, struct error *error)
{
	struct project_run opened;
	struct error no_history = {0};
	if (!project_run_open(&opened, arguments->operands[0], error)) {
		return EXIT_FAILED;
	}
	struct found found = {.arena = &opened.arena};
	struct store_run row = opened.run;
	if (strcmp(row.state, "stopped") == 0) {
		row.state = "running"; // as the journal has it: its process is gone
	}
	struct examination examination = {.store = opened.store,
		.run = &row,
		.team = opened.team,
		.history = project_run_history(&opened, &no_history),
		.problem = note,
		.data = &found};
	struct error damaged = {0};
	if (!store_check(opened.store, &damaged)) {
		note(&found, damaged.message);
	}
	run_examine(&examination);
	print(arguments, &examination, &found, error);
	history_close(examination.history);
	project_run_close(&opened);
	return found.count ? EXIT_FAILED : EXIT_OK;
}

static const struct option options[] = {
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_fsck = {
	.name = "fsck",
	.help = "look whether what is kept of a run fits together",
	.usage = "RUN [--json]",
	.details =
		"RUN is an id, a unique prefix of one, or -1 for the newest. Looks at the store's "
		"file,\n"
		"folds the journal anew, looks for what its events refer to, and compares the\n"
		"history of the workspace with the journal. Changes nothing. The exit code is 1 "
		"if\n"
		"something is wrong. 'git fsck' in the run's history.git says more of that.",
	.examples = (const char *const[]){"muster fsck -1", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
