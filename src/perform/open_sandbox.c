#include <unistd.h>

#include "base/path.h"
#include "perform/performers.h"

// How the session was left (a file in the run's folder), so that a resumed run finds it again.
static const char *state_path(struct work *work)
{
	return path_join(&work->arena, work->workshop->folder, "sandbox.json");
}

static struct sandbox *attach(struct work *work, const struct sandbox_settings *settings)
{
	struct text state;
	struct error ignored = {0}; // no session to go on with: a fresh one is made
	if (!file_read(&work->arena, state_path(work), 1024 * 1024, &state, &ignored)) {
		return NULL;
	}
	return sandbox_attach(work->workshop->driver, settings, state, &ignored);
}

static bool materialise(struct work *work, struct error *error)
{
	struct workshop *workshop = work->workshop;
	struct manifest_place place = {.sandbox = workshop->sandbox,
		.team = workshop->team,
		.values = workshop->values,
		.arena = &work->arena};
	return manifest_apply(&place, error) && record_changes(work, "manifest", error);
}

// The hosts that are allowed as a list that ends with NULL; NULL: the team names none.
static const char *const *hosts(struct work *work)
{
	const struct team_strings *named = &work->workshop->team->sandbox.hosts;
	if (named->count == 0) {
		return NULL;
	}
	const char **list = arena_new_array(&work->arena, named->count + 1, const char *);
	for (size_t i = 0; i < named->count; i++) {
		list[i] = named->items[i];
	}
	list[named->count] = NULL;
	return list;
}

static bool open(struct work *work, struct error *error)
{
	struct workshop *workshop = work->workshop;
	const struct team_sandbox *wanted = &workshop->team->sandbox;
	struct sandbox_settings settings = {.run = workshop->run,
		.folder = workshop->folder,
		.environment = workshop->environment,
		.network = wanted->network,
		.hosts = hosts(work),
		.cpu = wanted->cpu,
		.memory = wanted->memory,
		.disk = wanted->disk,
		.processes = wanted->processes,
		.options = workshop->sandbox_options};
	const char *history = path_join(&work->arena, workshop->folder, "history.git");
	workshop->history = history_open(history, workshop->untracked, error);
	if (!workshop->history) {
		return false;
	}
	workshop->sandbox = attach(work, &settings);
	if (workshop->sandbox) {
		return true;
	}
	workshop->sandbox = sandbox_create(workshop->driver, &settings, error);
	if (!workshop->sandbox || !materialise(work, error)) {
		return false;
	}
	buffer_cleanup state = {0};
	sandbox_state(workshop->sandbox, &state);
	return file_replace(state_path(work), buffer_text(&state), 0600, error);
}

static void run(struct work *work)
{
	struct workshop *workshop = work->workshop;
	work->event.kind = SANDBOX_OPENED;
	// A resumed run opens anew what it held before.
	sandbox_detach(workshop->sandbox);
	history_close(workshop->history);
	workshop->sandbox = NULL;
	workshop->history = NULL;
	work->event.failed = !open(work, &work->error);
	if (work->event.failed && workshop->sandbox) {
		// Nothing half-made is used.
		struct error ignored = {0};
		sandbox_destroy(workshop->sandbox, &ignored);
		workshop->sandbox = NULL;
	}
	work->done(work);
}

const struct performer perform_open_sandbox = {COMMAND_OPEN_SANDBOX, run};
