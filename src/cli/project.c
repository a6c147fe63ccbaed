#include "cli/project.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "cli/vocabulary.h"
#include "engine/lock.h"

static bool thaw(struct project_run *opened, struct error *error)
{
	struct text frozen;
	struct team_report report = {0};
	const char *id = opened->run.id;
	struct vocabulary words = *vocabulary();
	words.rehearsal = opened->run.rehearsal;
	if (!store_text(opened->store, &opened->arena, id, "team", &frozen, error)) {
		return error->kind != ERROR_NONE ||
			error_set(error, ERROR_FAILED, "the team of run '%s' is not in the store",
				id);
	}
	opened->team = team_thaw(frozen, &words, &report);
	if (!opened->team) {
		error_set(error, ERROR_FAILED, "the team of run '%s' cannot be read: %s", id,
			report.count ? report.messages[0].what : "it is empty");
	}
	team_report_finish(&report);
	return opened->team != NULL;
}

void project_run_state(struct store *store, struct arena *arena, struct store_run *run)
{
	struct error ignored = {0}; // an id from the store is sound
	if (strcmp(run->state, "running") != 0) {
		return;
	}
	const char *folder = store_run_folder(store, arena, run->id, &ignored);
	if (folder && !run_is_driven(folder)) {
		run->state = "stopped";
		run->reason = arena_printf(
			arena, "its process ended; 'muster resume %s' goes on", run->id);
	}
}

bool project_run_open(struct project_run *opened, const char *name, struct error *error)
{
	*opened = (struct project_run){0};
	opened->store = store_open(".", STORE_READ, error);
	if (opened->store && store_find(opened->store, &opened->arena, name, &opened->run, error) &&
		thaw(opened, error)) {
		project_run_state(opened->store, &opened->arena, &opened->run);
		return true;
	}
	project_run_close(opened);
	return false;
}

struct history *project_run_history(struct project_run *opened, struct error *error)
{
	const char *folder = store_run_folder(opened->store, &opened->arena, opened->run.id, error);
	return folder ? history_open_read(path_join(&opened->arena, folder, "history.git"), error)
		      : NULL;
}

bool project_run_turn(const struct project_run *opened, struct arguments *arguments,
	const char *option, int64_t *turn, struct error *error)
{
	const char *value = arguments_value(arguments, option);
	char *end = NULL;
	if (!value) {
		return true;
	}
	long long number = strtoll(value, &end, 10);
	if (*end || end == value || number < 0 || number > opened->run.turns) {
		error_set(error, ERROR_USAGE, "run '%s' has no turn '%s'", opened->run.id,
			arguments_shown(&arguments->arena, value));
		return error_hint(error,
			"use a number from 0, before the first turn, to %lld (muster log RUN)",
			(long long)opened->run.turns);
	}
	*turn = number;
	return true;
}

const char *project_run_name(struct arguments *arguments, const char *operand, const char **agent)
{
	const char *slash = strchr(operand, '/');
	*agent = slash ? slash + 1 : "";
	return slash ? arena_copy(&arguments->arena, operand, (size_t)(slash - operand)) : operand;
}

void project_run_close(struct project_run *opened)
{
	team_destroy(opened->team);
	store_close(opened->store);
	arena_finish(&opened->arena);
	*opened = (struct project_run){0};
}
