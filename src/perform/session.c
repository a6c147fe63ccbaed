/* A run's session: what it is made with, how it is found again, and its workspace as a snapshot. */
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "perform/kept.h"
#include "perform/performers.h"

enum { STATE_MOST = 1024 * 1024 };

const char *session_path(struct arena *arena, const struct workshop *workshop)
{
	return path_join(arena, workshop->folder, "sandbox.json");
}

// The hosts that are allowed as a list that ends with NULL; NULL: the team names none.
static const char *const *hosts(const struct workshop *workshop, struct arena *arena)
{
	const struct team_strings *named = &workshop->team->sandbox.hosts;
	if (named->count == 0) {
		return NULL;
	}
	const char **list = arena_new_array(arena, named->count + 1, const char *);
	for (size_t i = 0; i < named->count; i++) {
		list[i] = named->items[i];
	}
	list[named->count] = NULL;
	return list;
}

bool session_settings(const struct workshop *workshop, struct arena *arena,
	struct sandbox_settings *settings, struct error *error)
{
	const struct team_sandbox *wanted = &workshop->team->sandbox;
	struct manifest_place place = {
		.team = workshop->team, .values = workshop->values, .arena = arena};
	*settings = (struct sandbox_settings){.run = workshop->run,
		.folder = workshop->folder,
		.environment = workshop->environment,
		.network = wanted->network,
		.hosts = hosts(workshop, arena),
		.cpu = wanted->cpu,
		.memory = wanted->memory,
		.disk = wanted->disk,
		.processes = wanted->processes,
		.options = workshop->sandbox_options,
		.progress = workshop->said,
		.progress_data = workshop->teller};
	return manifest_grants(&place, &settings->grants, error);
}

bool workshop_attach(struct workshop *workshop, struct arena *arena, struct error *error)
{
	struct sandbox_settings settings;
	struct text state;
	struct error missing = {0};
	if (!session_settings(workshop, arena, &settings, error)) {
		return false;
	}
	if (!file_read(arena, session_path(arena, workshop), STATE_MOST, &state, &missing)) {
		return error_set(error, ERROR_FAILED, "run '%s' has no session", workshop->run);
	}
	workshop->sandbox = sandbox_attach(workshop->driver, &settings, state, error);
	return workshop->sandbox != NULL;
}

// What is put in anew each time, or lies elsewhere.
static void leave_out(
	const struct workshop *workshop, struct arena *arena, struct snapshot_source *source)
{
	struct manifest manifest = manifest_read(arena, workshop->team);
	struct text *paths = arena_new_array(arena, manifest.count + 1, struct text);
	for (size_t i = 0; i < manifest.count; i++) {
		if (manifest.entries[i].ephemeral) {
			paths[source->excluded_count++] = manifest.entries[i].path;
		}
	}
	source->excluded = paths;
}

// The newest commit of the run's history, "" if there is none; NULL on error.
static const char *newest_commit(
	const struct workshop *workshop, struct arena *arena, struct error *error)
{
	struct history_steps steps;
	const char *path = path_join(arena, workshop->folder, "history.git");
	struct history *history = history_open_read(path, error);
	bool fine = history && history_last_steps(history, arena, 1, &steps, error);
	const char *commit = !fine ? NULL : steps.count ? steps.steps[0].commit : "";
	history_close(history);
	return commit;
}

bool workshop_snapshot(struct workshop *workshop, struct arena *arena, struct snapshot_made *made,
	struct error *error)
{
	struct kept_snapshot kept;
	struct snapshot_source source = {.sandbox = workshop->sandbox};
	const char *commit = newest_commit(workshop, arena, error);
	if (!commit || !kept_read(workshop->folder, arena, &kept, error)) {
		return false;
	}
	leave_out(workshop, arena, &source);
	source.known = kept.id && strcmp(kept.commit, commit) == 0 ? kept.fingerprint : NULL;
	if (!snapshot_make(workshop->shelf, &source, arena, made, error)) {
		return error_wrap(error, "no snapshot of run '%s' could be made", workshop->run);
	}
	if (made->unchanged) {
		memcpy(made->snapshot.id, kept.id, sizeof(made->snapshot.id));
		return true;
	}
	kept = (struct kept_snapshot){made->snapshot.id, commit, made->fingerprint};
	return kept_write(workshop->folder, &kept, error);
}

static void say_made(
	const struct workshop *workshop, struct arena *arena, const struct snapshot_made *made)
{
	if (!workshop->said) {
		return;
	}
	workshop->said(workshop->teller,
		made->unchanged
			? arena_printf(arena, "snapshot %.12s still holds", made->snapshot.id)
			: arena_printf(arena, "snapshot %.12s: %lld files and folders, %lld bytes",
				  made->snapshot.id, (long long)made->snapshot.entries,
				  (long long)made->snapshot.bytes));
	for (size_t i = 0; i < made->left_out_count && i < SNAPSHOT_TOLD; i++) {
		workshop->said(workshop->teller,
			arena_printf(arena, "not in the snapshot: %s", made->left_out[i]));
	}
}

static bool remove_session(struct work *work)
{
	struct workshop *workshop = work->workshop;
	bool gone = sandbox_destroy(workshop->sandbox, &work->error);
	workshop->sandbox = NULL; // the handle is gone in any case
	return gone &&
		(unlink(session_path(&work->arena, workshop)) == 0 ||
			error_errno(&work->error, ERROR_FAILED, "cannot forget the session"));
}

void work_close(struct work *work)
{
	struct workshop *workshop = work->workshop;
	struct snapshot_made made;
	if (!workshop->sandbox && !workshop_attach(workshop, &work->arena, &work->error)) {
		work->done(work); // gone already, or not to be had: then `muster delete` removes it
		return;
	}
	bool fine =
		!work->snapshots || workshop_snapshot(workshop, &work->arena, &made, &work->error);
	if (fine && work->snapshots) {
		say_made(workshop, &work->arena, &made);
	}
	fine = fine && (!work->removes || remove_session(work));
	if (!fine && workshop->said) {
		workshop->said(workshop->teller,
			arena_printf(&work->arena, "the session stays: %s", work->error.message));
	}
	work->done(work);
}
