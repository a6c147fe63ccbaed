#include "cli/project.h"

#include <string.h>

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
	const char *folder = store_run_folder(store, arena, run->id, &ignored);
	if (strcmp(run->state, "running") == 0 && folder && !run_is_driven(folder)) {
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

void project_run_close(struct project_run *opened)
{
	team_destroy(opened->team);
	store_close(opened->store);
	arena_finish(&opened->arena);
	*opened = (struct project_run){0};
}
