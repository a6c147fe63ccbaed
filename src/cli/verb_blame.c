#include "cli/verb.h"

#include "base/path.h"
#include "cli/project.h"
#include "view/document.h"
#include "view/words.h"

static void print_lines(struct buffer *output, const struct history_lines *lines)
{
	size_t width = 0;
	for (size_t i = 0; i < lines->count; i++) {
		size_t agent = words_width(lines->lines[i].step->author);
		width = agent > width ? agent : width;
	}
	for (size_t i = 0; i < lines->count; i++) {
		const struct history_line *line = &lines->lines[i];
		words_add_padded(output, line->step->author, width);
		buffer_printf(output, "  %4lld  %5zu  ", (long long)line->step->turn, i + 1);
		buffer_add_terminal(output, line->text);
		buffer_add_char(output, '\n');
	}
}

static void lines_json(struct buffer *output, const struct project_run *opened, const char *path,
	const struct history_lines *lines)
{
	struct document document;
	document_begin(&document, output, "muster.blame/1");
	document_string(&document, "run", opened->run.id);
	document_string(&document, "path", path);
	document_array(&document, "lines");
	for (size_t i = 0; i < lines->count; i++) {
		const struct history_line *line = &lines->lines[i];
		document_object(&document, NULL);
		document_number(&document, "line", (int64_t)i + 1);
		document_string(&document, "agent", line->step->author);
		document_number(&document, "turn", line->step->turn);
		document_text(&document, "text", line->text);
		document_end_object(&document);
	}
	document_end_array(&document);
	document_end(&document);
}

static bool blame(struct arguments *arguments, struct project_run *opened, struct history *history,
	struct error *error)
{
	struct history_steps steps;
	struct history_lines lines;
	struct text clean;
	buffer_cleanup output = {0};
	int64_t turn = INT64_MAX;
	if (!path_clean(&opened->arena, text_of(arguments->operands[1]), &clean, error)) {
		error->kind = ERROR_USAGE;
		return false;
	}
	const char *path = text_string(&opened->arena, clean);
	if (!project_run_turn(opened, arguments, "at", &turn, error) ||
		!history_steps(history, &opened->arena, &steps, error)) {
		return false;
	}
	const struct history_step *last = history_step_at(&steps, turn);
	steps.count = last ? (size_t)(last - steps.steps) + 1 : 0;
	if (!history_blame(history, &opened->arena, &steps, path, &lines, error)) {
		return false;
	}
	if (arguments_has(arguments, "json")) {
		lines_json(&output, opened, path, &lines);
	} else {
		print_lines(&output, &lines);
	}
	return output_write(&output, error);
}

static int run(struct arguments *arguments, struct error *error)
{
	struct project_run opened;
	if (!project_run_open(&opened, arguments->operands[0], error)) {
		return EXIT_FAILED;
	}
	struct history *history = project_run_history(&opened, error);
	if (history) {
		blame(arguments, &opened, history, error);
	}
	history_close(history);
	project_run_close(&opened);
	return EXIT_OK;
}

static const struct option options[] = {
	{"at", 0, "TURN", false, COMPLETE_NOTHING, "the file as it was after this turn"},
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_blame = {
	.name = "blame",
	.help = "show who wrote each line of a file, and in which turn",
	.usage = "RUN PATH [--at TURN] [--json]",
	.details = "RUN is an id, a unique prefix of one, or -1 for the newest, -2 for the one "
		   "before.\n"
		   "Each line begins with its author, the turn and the line's number.",
	.examples = (const char *const[]){"muster blame -1 design.md", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 2,
	.maximum = 2,
	.run = run,
};
