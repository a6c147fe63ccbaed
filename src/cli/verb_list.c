#include "cli/verb.h"

#include <stdlib.h>
#include <string.h>

#include "cli/project.h"
#include "store/store.h"
#include "view/document.h"
#include "view/summary.h"
#include "view/words.h"

enum { LIST_RUNS = 50, LIST_MOST = 100000 };

static bool read_limit(struct arguments *arguments, size_t *limit, struct error *error)
{
	const char *value = arguments_value(arguments, "limit");
	char *end = NULL;
	*limit = LIST_RUNS;
	if (!value) {
		return true;
	}
	long number = strtol(value, &end, 10);
	if (!*value || *end || number < 1 || number > LIST_MOST) {
		error_set(error, ERROR_USAGE, "'%s' is no number of runs",
			arguments_shown(&arguments->arena, value));
		return error_hint(error, "use a number from 1 to %d", LIST_MOST);
	}
	*limit = (size_t)number;
	return true;
}

static void print_runs(struct buffer *output, const struct store_runs *runs, bool colours)
{
	size_t ids = 0;
	for (size_t i = 0; i < runs->count; i++) {
		size_t width = words_width(runs->runs[i].id);
		ids = width > ids ? width : ids;
	}
	for (size_t i = 0; i < runs->count; i++) {
		const struct store_run *run = &runs->runs[i];
		bool done = strcmp(run->state, "done") == 0;
		bool failed = strcmp(run->state, "failed") == 0;
		words_add_padded(output, run->id, ids);
		buffer_add_string(output, "  ");
		words_colour(output, colours && (done || failed), done ? COLOUR_GOOD : COLOUR_BAD);
		words_add_padded(output, run->state, strlen("cancelled"));
		words_colour(output, colours && (done || failed), COLOUR_PLAIN);
		buffer_add_string(output, "  ");
		words_add_time(output, run->created);
		buffer_add_string(output, "  ");
		words_add_clock(output, run->working);
		buffer_add_string(output, "  ");
		words_add_count(output, run->turns, "turn, ", "turns, ");
		words_add_count(output, run->gates_passed, "gate passed, ", "gates passed, ");
		words_add_number(output, run->gates_refused);
		buffer_add_string(output, " refused");
		if (run->reason[0]) {
			buffer_add_string(output, "  ");
			buffer_add_line(output, text_of(run->reason), 100);
		}
		buffer_add_char(output, '\n');
	}
}

static void print_names(struct buffer *output, const struct store_runs *runs)
{
	for (size_t i = 0; i < runs->count; i++) {
		buffer_add_line(output, text_of(runs->runs[i].id), 512);
		buffer_add_char(output, '\n');
	}
}

static void runs_json(struct buffer *output, const struct store_runs *runs)
{
	struct document document;
	document_begin(&document, output, "muster.list/1");
	document_array(&document, "runs");
	for (size_t i = 0; i < runs->count; i++) {
		document_object(&document, NULL);
		summary_run_json(&document, &runs->runs[i]);
		document_end_object(&document);
	}
	document_end_array(&document);
	document_end(&document);
}

static int run(struct arguments *arguments, struct error *error)
{
	size_t limit;
	if (!read_limit(arguments, &limit, error)) {
		return EXIT_USAGE;
	}
	struct store *store = store_open(".", STORE_READ, error);
	struct store_runs runs;
	buffer_cleanup output = {0};
	if (store && store_list(store, &arguments->arena, limit, &runs, error)) {
		for (size_t i = 0; i < runs.count; i++) {
			project_run_state(store, &arguments->arena, &runs.runs[i]);
		}
		if (arguments_has(arguments, "json")) {
			runs_json(&output, &runs);
		} else if (arguments_has(arguments, "names")) {
			print_names(&output, &runs);
		} else {
			print_runs(&output, &runs, output_colours(1));
		}
		output_write(&output, error);
	}
	store_close(store);
	return EXIT_OK;
}

static const struct option options[] = {
	OPTION_JSON,
	OPTION_NAMES,
	{"limit", 'n', "COUNT", false, COMPLETE_NOTHING, "at most so many, newest first (50)"},
	OPTION_END,
};

const struct verb verb_list = {
	.name = "list",
	.help = "list the runs of this project, newest first",
	.usage = "[-n COUNT] [--names|--json]",
	.examples = (const char *const[]){"muster list", "muster list -n 5 --json", NULL},
	.options = options,
	.run = run,
};
