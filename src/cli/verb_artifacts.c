#include "cli/verb.h"

#include <string.h>

#include "base/hash.h"
#include "base/path.h"
#include "cli/project.h"
#include "view/summary.h"

// Artifacts are written by agents, and by a few who are none.
static bool check_agent(struct arguments *arguments, const struct team *team, const char *agent,
	struct error *error)
{
	const char *names[TEAM_AGENTS + 4] = {"manifest", "several", "user", "unknown"};
	size_t count = 4;
	for (size_t i = 0; i < team->agent_count && i < TEAM_AGENTS; i++) {
		names[count++] = team->agents[i].name;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], agent) == 0) {
			return true;
		}
	}
	const char *nearest = text_nearest(text_of(agent), names, count);
	error_set(error, ERROR_USAGE, "there is no agent '%s' in team '%s'",
		arguments_shown(&arguments->arena, agent), team->name);
	return nearest && error_hint(error, "did you mean '%s'?", nearest);
}

static bool list(
	struct arguments *arguments, struct project_run *opened, int64_t turn, struct error *error)
{
	struct summary summary;
	const char *agent = arguments_value(arguments, "agent");
	bool all = arguments_has(arguments, "all");
	buffer_cleanup output = {0};
	if ((agent && !check_agent(arguments, opened->team, agent, error)) ||
		!summary_read_at(&summary, &opened->arena, opened->store, &opened->run,
			opened->team, turn, error)) {
		return false;
	}
	if (arguments_has(arguments, "json")) {
		struct document document;
		document_begin(&document, &output, "muster.artifacts/1");
		document_string(&document, "run", opened->run.id);
		summary_artifacts_json(&document, &summary, agent, all);
		document_end(&document);
	} else {
		summary_print_artifacts(&output, &summary, agent, all);
	}
	return output_write(&output, error);
}

// The last change of a path until a turn.
struct search {
	struct arena *arena;
	const char *path;
	int64_t turn;
	bool found, deleted;
	struct store_change change;
};

static bool look_at(void *data, const struct store_change *change)
{
	struct search *search = data;
	if (change->turn <= search->turn && strcmp(change->path, search->path) == 0) {
		search->found = true;
		search->deleted = strcmp(change->status, "deleted") == 0;
		search->change = *change;
		search->change.blob = arena_string(search->arena, change->blob);
		search->change.sha256 = arena_string(search->arena, change->sha256);
	}
	return true;
}

static bool missing(const struct search *search, struct error *error)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text_of(search->path), 256);
	if (search->found) {
		error_set(error, ERROR_USAGE, "'%s' was deleted in turn %lld", shown.data,
			(long long)search->change.turn);
		return error_hint(error, "--at %lld shows an earlier state",
			(long long)search->change.turn - 1);
	}
	error_set(error, ERROR_USAGE, "there is no artifact '%s'", shown.data);
	return error_hint(error, "'muster artifacts RUN --all' lists what there is");
}

// The history holds a pointer instead of what was too large for it, or could not be read.
static bool check_whole(const struct search *search, struct text content, struct error *error)
{
	buffer_cleanup shown = {0};
	if (strcmp(hash_text(content).hex, search->change.sha256) == 0) {
		return true;
	}
	buffer_add_line(&shown, text_of(search->path), 256);
	error_set(error, ERROR_FAILED, "the history does not hold the content of '%s'", shown.data);
	return error_hint(error, "it may still be in the run's workspace");
}

static bool get(
	struct arguments *arguments, struct project_run *opened, int64_t turn, struct error *error)
{
	struct text path, content;
	const char *word = arguments_value(arguments, "get");
	if (arguments_has(arguments, "json") || arguments_has(arguments, "all") ||
		arguments_has(arguments, "agent")) {
		return error_set(error, ERROR_USAGE,
			"--get prints one file; --json, --all and --agent belong to the list");
	}
	if (!path_clean(&opened->arena, text_of(word), &path, error)) {
		error->kind = ERROR_USAGE;
		return false;
	}
	struct search search = {
		.arena = &opened->arena, .path = text_string(&opened->arena, path), .turn = turn};
	if (!store_changes(opened->store, opened->run.id, look_at, &search, error)) {
		return false;
	}
	if (!search.found || search.deleted) {
		return missing(&search, error);
	}
	struct history *history = project_run_history(opened, error);
	bool fine = history &&
		history_blob(history, &opened->arena, search.change.blob, &content, error) &&
		check_whole(&search, content, error) && output_content(content, error);
	history_close(history);
	return fine;
}

static int run(struct arguments *arguments, struct error *error)
{
	struct project_run opened;
	int64_t turn = INT64_MAX;
	if (!project_run_open(&opened, arguments->operands[0], error)) {
		return EXIT_FAILED;
	}
	if (project_run_turn(&opened, arguments, "at", &turn, error)) {
		if (arguments_has(arguments, "get")) {
			get(arguments, &opened, turn, error);
		} else {
			list(arguments, &opened, turn, error);
		}
	}
	project_run_close(&opened);
	return EXIT_OK;
}

static const struct option options[] = {
	{"agent", 'a', "NAME", false, COMPLETE_AGENT, "only those that this agent wrote last"},
	{"all", 0, NULL, false, COMPLETE_NOTHING, "also what the manifest put there"},
	{"at", 0, "TURN", false, COMPLETE_NOTHING, "as they were after this turn"},
	{"get", 0, "PATH", false, COMPLETE_NOTHING, "print the content of this one"},
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_artifacts = {
	.name = "artifacts",
	.help = "list what a run made: who wrote it, its size, what the gates said",
	.usage = "RUN [--agent NAME] [--all] [--at TURN] [--get PATH] [--json]",
	.details = "RUN is an id, a unique prefix of one, or -1 for the newest, -2 for the one "
		   "before.\n"
		   "With --get the bytes of one artifact go to standard output as they are.",
	.examples = (const char *const[]){"muster artifacts -1",
		"muster artifacts -1 --agent designer",
		"muster artifacts -1 --get design.md --at 3   # as it was after turn 3", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
