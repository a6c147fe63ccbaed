#include "cli/verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "cli/content.h"
#include "cli/vocabulary.h"
#include "gate/gate.h"
#include "view/document.h"
#include "view/words.h"

enum { GATE_WORD = 4096, SENTENCE_INDENT = 9 };

// The gate that a word of the command line means, and the team that owns it.
struct chosen_gate {
	struct team *team;
	const struct team_gate *declaration;
};

static bool no_gate(const struct team *team, const char *name, struct error *error)
{
	arena_cleanup arena = {0};
	const char **names = arena_new_array(&arena, team->gate_count + 1, const char *);
	size_t count = 0;
	for (size_t i = 0; i < team->gate_count; i++) {
		if (!team->gates[i].anonymous) {
			names[count++] = team->gates[i].name;
		}
	}
	const char *nearest = text_nearest(text_of(name), names, count);
	error_set(error, ERROR_USAGE, "team '%s' has no gate '%s'", team->name,
		arguments_shown(&arena, name));
	return nearest && error_hint(error, "did you mean '%s'?", nearest);
}

static bool choose_from_team(
	struct chosen_gate *chosen, const char *file, const char *name, struct error *error)
{
	chosen->team = team_open(file, NULL, false, true, error);
	if (!chosen->team) {
		return false;
	}
	int index = team_gate_index(chosen->team, name);
	if (index == TEAM_NONE) {
		return no_gate(chosen->team, name, error);
	}
	chosen->declaration = &chosen->team->gates[index];
	return true;
}

static bool choose_file(struct chosen_gate *chosen, const char *path, struct error *error)
{
	chosen->team = gate_open(path, error);
	chosen->declaration = chosen->team ? &chosen->team->gates[0] : NULL;
	return chosen->team != NULL;
}

static bool choose(struct arguments *arguments, struct chosen_gate *chosen, struct error *error)
{
	const char *word = arguments->operands[0], *team = arguments_value(arguments, "team");
	const char *mark = strrchr(word, '#');
	if (team) {
		return choose_from_team(chosen, team, word, error);
	}
	if (mark && access(word, F_OK) != 0) {
		const char *file = arena_copy(&arguments->arena, word, (size_t)(mark - word));
		return choose_from_team(chosen, file, mark + 1, error);
	}
	return choose_file(chosen, word, error);
}

static struct sandbox *open_folder(
	struct arguments *arguments, const char *scratch, struct error *error)
{
	const char *folder = arguments_value(arguments, "in");
	char *workspace = realpath(folder ? folder : ".", NULL);
	if (!workspace) {
		error_errno(error, ERROR_USAGE, "cannot look into folder '%s'",
			arguments_shown(&arguments->arena, folder ? folder : "."));
		return NULL;
	}
	struct sandbox_settings settings = {.run = "gate",
		.folder = scratch,
		.workspace = arena_string(&arguments->arena, workspace)};
	free(workspace);
	for (size_t i = 0; sandbox_drivers[i]; i++) {
		if (sandbox_drivers[i]->flags & SANDBOX_HOST_FOLDER) {
			return sandbox_create(sandbox_drivers[i], &settings, error);
		}
	}
	error_set(
		error, ERROR_UNAVAILABLE, "no sandbox provider works on a folder of this machine");
	return NULL;
}

static void print_finding(
	struct buffer *output, const struct gate_finding *finding, bool colours, bool quiet)
{
	bool holds = finding->status == GATE_HOLDS;
	if (holds && quiet) {
		return;
	}
	buffer_add_string(output, "  ");
	words_colour(output, colours, holds ? COLOUR_GOOD : COLOUR_BAD);
	words_add_padded(output, gate_status_name(finding->status), strlen("holds"));
	words_colour(output, colours, COLOUR_PLAIN);
	buffer_add_string(output, "  ");
	buffer_add_line(output, text_of(finding->check), GATE_WORD);
	buffer_add_char(output, ' ');
	buffer_add_line(output, text_of(finding->subject), GATE_WORD);
	if (!holds) {
		buffer_add_string(output, ": ");
		words_add_lines(output, text_of(finding->sentence), SENTENCE_INDENT, GATE_WORD);
	}
	buffer_add_char(output, '\n');
}

static void print_verdict(struct arguments *arguments, struct buffer *output,
	const struct team_gate *gate, const struct gate_verdict *verdict)
{
	bool colours = output_colours(STDOUT_FILENO), quiet = arguments_has(arguments, "quiet");
	bool holds = verdict->status == GATE_HOLDS;
	if (arguments_has(arguments, "json")) {
		struct document document;
		buffer_cleanup json = {0};
		gate_verdict_json(&json, verdict);
		document_begin(&document, output, "muster.gate/1");
		document_string(&document, "gate", gate->name);
		document_json(&document, "verdict", buffer_text(&json));
		document_end(&document);
		return;
	}
	if (holds && quiet) {
		return;
	}
	buffer_add_string(output, "gate ");
	buffer_add_line(output, text_of(gate->name), GATE_WORD);
	buffer_add_char(output, ' ');
	words_colour(output, colours, holds ? COLOUR_GOOD : COLOUR_BAD);
	buffer_add_string(output, gate_status_name(verdict->status));
	words_colour(output, colours, COLOUR_PLAIN);
	buffer_add_char(output, '\n');
	for (size_t i = 0; i < verdict->count; i++) {
		print_finding(output, &verdict->findings[i], colours, quiet);
	}
}

static int check(struct arguments *arguments, const struct chosen_gate *chosen, const char *scratch,
	struct error *error)
{
	static const int codes[] = {[GATE_HOLDS] = EXIT_OK,
		[GATE_FAILS] = EXIT_GATE,
		[GATE_NOT_CHECKED] = EXIT_UNAVAILABLE,
		[GATE_NEEDS_PERSON] = EXIT_WAITS};
	struct gate_verdict verdict;
	buffer_cleanup output = {0};
	struct gate *gate =
		gate_compile(&arguments->arena, chosen->team, chosen->declaration, error);
	struct sandbox *sandbox = gate ? open_folder(arguments, scratch, error) : NULL;
	int code = EXIT_FAILED;
	if (sandbox) {
		// Runs of the project keep their own files there.
		struct gate_place place = {.sandbox = sandbox, .skipped = ".muster"};
		gate_check(gate, &place, &arguments->arena, &verdict);
		print_verdict(arguments, &output, chosen->declaration, &verdict);
		code = codes[verdict.status];
		output_write(&output, error);
		// Not destroyed: the folder is the user's.
		sandbox_detach(sandbox);
	}
	gate_finish(gate);
	return code;
}

static int run(struct arguments *arguments, struct error *error)
{
	struct chosen_gate chosen = {0};
	const char *temporary = getenv("TMPDIR");
	char *scratch = path_join(&arguments->arena, temporary && temporary[0] ? temporary : "/tmp",
		"muster-gate-XXXXXX");
	int code = EXIT_USAGE;
	if (choose(arguments, &chosen, error)) {
		if (mkdtemp(scratch)) {
			struct error ignored = {0}; // a scratch folder that stays harms nobody
			code = check(arguments, &chosen, scratch, error);
			file_remove_tree(scratch, &ignored);
		} else {
			error_errno(error, ERROR_FAILED, "cannot make folder '%s'", scratch);
		}
	}
	team_destroy(chosen.team);
	return code;
}

static const struct option options[] = {
	{"in", 'i', "DIR", false, COMPLETE_FOLDER, "the folder to look at (the current one)"},
	{"team", 't', "TEAM", false, COMPLETE_TEAM, "GATE is the name of a gate of this team"},
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_gate = {
	.name = "gate",
	.help = "check a gate on any folder, without a run",
	.usage = "GATE [--in DIR] [--team TEAM] [--json]",
	.details = "GATE is a gate file, TEAMFILE#NAME, or with --team the name of a gate. Exit "
		   "code 0 if\n"
		   "it holds, 3 if it fails, 6 if it could not be checked. Commands of the gate "
		   "run in\n"
		   "the sandbox and cannot write to the folder.",
	.examples = (const char *const[]){"muster gate gates/design-spec.yaml --in .",
		"muster gate team.yaml#draft --in build --json",
		"muster gate --team web-app design-spec", NULL},
	.options = options,
	.completion = COMPLETE_FILE,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
