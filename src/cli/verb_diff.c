#include "cli/verb.h"

#include <string.h>
#include <unistd.h>

#include "cli/project.h"
#include "view/diff.h"
#include "view/words.h"

// What a diff is made of, and where it goes: out at once as text, or into one document.
struct showing {
	struct history *history;
	struct history_steps steps;
	int64_t from, to;
	const struct history_step
		*step; // whose differences they are; NULL: several may have made them
	bool json, terminal, colours;
	struct buffer output;
	struct document document;
	struct error *error;
};

static bool show_difference(void *data, const struct history_difference *difference)
{
	struct showing *showing = data;
	if (showing->json) {
		diff_json(&showing->document, difference, showing->step);
		return true;
	}
	buffer_clear(&showing->output);
	diff_print(&showing->output, difference, showing->colours);
	// What is coloured is for a terminal, and its contents are escaped already.
	return showing->terminal && !showing->colours
		? output_content(buffer_text(&showing->output), showing->error)
		: output_write(&showing->output, showing->error);
}

static bool show_between(struct showing *showing, const struct history_step *before,
	const struct history_step *after)
{
	return history_diff(
		       showing->history, before, after, show_difference, showing, showing->error) &&
		showing->error->kind == ERROR_NONE;
}

static bool show_title(struct showing *showing, const struct history_step *step)
{
	if (showing->json) {
		return true;
	}
	buffer_clear(&showing->output);
	words_colour(&showing->output, showing->colours, COLOUR_DIM);
	buffer_printf(&showing->output, "Turn %lld: ", (long long)step->turn);
	buffer_add_line(&showing->output, text_of(step->author), 256);
	words_colour(&showing->output, showing->colours, COLOUR_PLAIN);
	buffer_add_char(&showing->output, '\n');
	return output_write(&showing->output, showing->error);
}

// Each step of one author by itself: what others wrote in between is none of its work.
static bool show_author(struct showing *showing, const char *author)
{
	const struct history_step *steps = showing->steps.steps;
	for (size_t i = 0; i < showing->steps.count; i++) {
		if (strcmp(steps[i].author, author) != 0 || steps[i].turn <= showing->from ||
			steps[i].turn > showing->to) {
			continue;
		}
		showing->step = &steps[i];
		if (!show_title(showing, &steps[i]) ||
			!show_between(showing, i ? &steps[i - 1] : NULL, &steps[i])) {
			return false;
		}
	}
	return true;
}

static bool show_turns(struct showing *showing, struct arguments *arguments)
{
	const struct history_step *from = arguments_has(arguments, "from")
		? history_step_at(&showing->steps, showing->from)
		: history_start(&showing->steps);
	return show_between(showing, from, history_step_at(&showing->steps, showing->to));
}

// Authors are agents, and a few who are none.
static bool check_author(struct showing *showing, struct arguments *arguments,
	const struct team *team, const char *author)
{
	const char *names[TEAM_AGENTS + 4];
	size_t count = 0;
	if (team_agent_index(team, author) != TEAM_NONE) {
		return true;
	}
	for (size_t i = 0; i < showing->steps.count; i++) {
		const char *name = showing->steps.steps[i].author;
		if (strcmp(name, author) == 0) {
			return true;
		}
		bool known = false;
		for (size_t j = 0; j < count; j++) {
			known = known || strcmp(names[j], name) == 0;
		}
		if (!known && count < sizeof(names) / sizeof(names[0])) {
			names[count++] = name;
		}
	}
	const char *nearest = text_nearest(text_of(author), names, count);
	error_set(showing->error, ERROR_USAGE, "'%s' wrote nothing in this run",
		arguments_shown(&arguments->arena, author));
	return nearest && error_hint(showing->error, "did you mean '%s'?", nearest);
}

static void begin_document(struct showing *showing, const char *run, const char *agent)
{
	document_begin(&showing->document, &showing->output, "muster.diff/1");
	document_string(&showing->document, "run", run);
	document_string(&showing->document, "agent", agent);
	document_number(&showing->document, "from", showing->from < 0 ? 0 : showing->from);
	document_number(&showing->document, "to", showing->to);
	document_array(&showing->document, "changes");
}

static bool end_document(struct showing *showing)
{
	document_end_array(&showing->document);
	document_end(&showing->document);
	return output_write(&showing->output, showing->error);
}

static bool show(struct arguments *arguments, struct project_run *opened, struct showing *showing)
{
	const char *agent = arguments_value(arguments, "agent");
	struct error *error = showing->error;
	if (!project_run_turn(opened, arguments, "from", &showing->from, error) ||
		!project_run_turn(opened, arguments, "to", &showing->to, error)) {
		return false;
	}
	if (showing->from > showing->to) {
		error_set(error, ERROR_USAGE, "turn %lld comes behind turn %lld",
			(long long)showing->from, (long long)showing->to);
		return error_hint(error, "give the earlier one as --from");
	}
	showing->history = project_run_history(opened, error);
	if (!showing->history ||
		!history_steps(showing->history, &opened->arena, &showing->steps, error) ||
		(agent && !check_author(showing, arguments, opened->team, agent))) {
		return false;
	}
	if (showing->json) {
		begin_document(showing, opened->run.id, agent);
	}
	return (agent ? show_author(showing, agent) : show_turns(showing, arguments)) &&
		(!showing->json || end_document(showing));
}

static int run(struct arguments *arguments, struct error *error)
{
	struct project_run opened;
	if (!project_run_open(&opened, arguments->operands[0], error)) {
		return EXIT_FAILED;
	}
	struct showing showing = {.from = -1,
		.to = opened.run.turns,
		.json = arguments_has(arguments, "json"),
		.terminal = isatty(STDOUT_FILENO),
		.colours = output_colours(STDOUT_FILENO),
		.error = error};
	show(arguments, &opened, &showing);
	history_close(showing.history);
	buffer_finish(&showing.output);
	project_run_close(&opened);
	return EXIT_OK;
}

static const struct option options[] = {
	{"agent", 'a', "NAME", false, COMPLETE_AGENT, "only what this agent wrote, step by step"},
	{"from", 0, "TURN", false, COMPLETE_NOTHING,
		"compare with how things were after this turn (what the manifest put there)"},
	{"to", 0, "TURN", false, COMPLETE_NOTHING, "how things were after this turn (the last)"},
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_diff = {
	.name = "diff",
	.help = "show what a run changed, line by line",
	.usage = "RUN [--agent NAME] [--from TURN] [--to TURN] [--json]",
	.details = "RUN is an id, a unique prefix of one, or -1 for the newest, -2 for the one "
		   "before.\n"
		   "The output is a patch as 'git apply' takes it; with --agent one for each time "
		   "that\n"
		   "the agent wrote. What is no text, or too long to compare, is told as such.",
	.examples = (const char *const[]){"muster diff -1",
		"muster diff -1 --agent designer   # only what it wrote",
		"muster diff -1 --from 3 --to 5    # what turns 4 and 5 changed", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
