#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "perform/performers.h"

// Is the file or folder there? -1 when nobody can tell, which is not the same as no.
static int is_there(const char *path, struct error *error)
{
	struct stat status;
	if (stat(path, &status) == 0) {
		return 1;
	}
	if (errno == ENOENT) {
		return 0;
	}
	error_errno(error, ERROR_UNAVAILABLE, "cannot look at '%s'", path);
	return -1;
}

// The session that the state tells of; NULL without an error: it is gone, or there was none, and a new
// one is to be made. A workspace with work in it, which cannot be used for the moment, is not begun anew.
static struct sandbox *attach(
	struct work *work, const struct sandbox_settings *settings, struct error *error)
{
	struct text state;
	struct error reason = {0};
	if (is_there(session_path(&work->arena, work->workshop), error) <= 0 ||
		!file_read(&work->arena, session_path(&work->arena, work->workshop), 1024 * 1024,
			&state, error)) {
		return NULL;
	}
	struct sandbox *sandbox = sandbox_attach(work->workshop->driver, settings, state, &reason);
	// Who begins with a session wants that one.
	if (!sandbox && (work->first || reason.kind != ERROR_FAILED)) {
		*error = reason;
		error->kind = ERROR_UNAVAILABLE;
	}
	return sandbox;
}

static struct manifest_place session_place(struct work *work)
{
	const struct workshop *workshop = work->workshop;
	return (struct manifest_place){.driver = workshop->driver,
		.team = workshop->team,
		.values = workshop->values,
		.arena = &work->arena,
		.tokens = workshop->tokens,
		.cancel = &work->cancel,
		.progress = workshop->filling,
		.progress_data = workshop->teller,
		.cache = manifest_cache(&work->arena, workshop->folder)};
}

static bool create(struct work *work, const struct sandbox_settings *settings, struct error *error)
{
	struct workshop *workshop = work->workshop;
	struct manifest_place place = session_place(work);
	if (!manifest_prepare(&place, error)) {
		return false;
	}
	// Until the workspace is whole nothing tells of it, so one that is half-made is never used.
	if (unlink(session_path(&work->arena, work->workshop)) < 0 && errno != ENOENT) {
		return error_errno(error, ERROR_UNAVAILABLE, "cannot remove '%s'",
			session_path(&work->arena, work->workshop));
	}
	workshop->sandbox = sandbox_create(workshop->driver, settings, error);
	place.sandbox = workshop->sandbox;
	return place.sandbox && fill_workspace(work, &place, error) &&
		record_reconcile(work, error);
}

// Our own temporary files, left by a process that was killed while it wrote for an agent.
static void remove_leftovers(struct work *work, const struct folder_list *list)
{
	struct error ignored = {0}; // then it is recorded like any other file
	for (size_t i = 0; i < list->count; i++) {
		const char *path = text_string(&work->arena, list->entries[i].path);
		const char *slash = strrchr(path, '/');
		if (list->entries[i].kind == FOLDER_FILE &&
			file_is_temporary(slash ? slash + 1 : path)) {
			folder_remove(sandbox_host_folder(work->workshop->sandbox),
				list->entries[i].path, &ignored);
		}
	}
}

// The workspace as the run's last process left it, and perhaps somebody else since. While calls are
// open that may have changed it, the next record tells who did.
static bool look_again(struct work *work, struct error *error)
{
	struct workshop *workshop = work->workshop;
	if (sandbox_host_folder(workshop->sandbox) >= 0) {
		struct folder_list list;
		if (!sandbox_scan(workshop->sandbox, &work->arena, TEXT(""), HISTORY_FILES, &list,
			    error)) {
			return false;
		}
		remove_leftovers(work, &list);
	}
	if (!workshop->restarted && work->candidates) {
		return true;
	}
	if (!record_changes(work, workshop->restarted ? "unknown" : "user", error)) {
		return false;
	}
	work->lost = workshop->restarted && work->change_count > 0;
	return true;
}

static bool finish(struct work *work, struct error *error)
{
	if (work->first) {
		// What a run begins with is no change.
		work->event.changes = 0;
		work->event.gate_count = 0;
	}
	buffer_cleanup state = {0};
	sandbox_state(work->workshop->sandbox, &state);
	return file_replace(
		session_path(&work->arena, work->workshop), buffer_text(&state), 0600, error);
}

// A session that somebody else made: what is in it stays, only ephemeral entries come to it.
static bool take_over(struct work *work, struct error *error)
{
	struct manifest_place place = session_place(work);
	place.sandbox = work->workshop->sandbox;
	place.ephemeral_only = true;
	return manifest_prepare(&place, error) && manifest_apply(&place, error) &&
		record_changes(work, "manifest", error) && record_reconcile(work, error) &&
		finish(work, error);
}

// *fresh: the session is a new one, without work in it.
static bool open(struct work *work, bool *fresh, struct error *error)
{
	struct workshop *workshop = work->workshop;
	struct sandbox_settings settings;
	const char *history = path_join(&work->arena, workshop->folder, "history.git");
	*fresh = false;
	workshop->history = session_settings(workshop, &work->arena, &settings, error)
		? history_open(history, workshop->untracked, error)
		: NULL;
	if (!workshop->history) {
		return false;
	}
	work->first = recorder_is_empty(workshop->recorder);
	workshop->sandbox = attach(work, &settings, error);
	if (workshop->sandbox) {
		return work->first ? take_over(work, error)
				   : look_again(work, error) && record_reconcile(work, error);
	}
	*fresh = true;
	return error->kind == ERROR_NONE && create(work, &settings, error) && finish(work, error);
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
	bool fresh;
	work->event.failed = !open(work, &fresh, &work->error);
	if (work->event.failed) {
		// Found again by the next one.
		work->change_count = 0;
		work->event.changes = 0;
	}
	if (work->event.failed && workshop->sandbox && fresh) {
		// Nothing half-made is used.
		struct error ignored = {0};
		sandbox_destroy(workshop->sandbox, &ignored);
	} else if (work->event.failed) {
		sandbox_detach(workshop->sandbox);
	}
	if (work->event.failed) {
		workshop->sandbox = NULL;
	}
	work->done(work);
}

const struct performer perform_open_sandbox = {COMMAND_OPEN_SANDBOX, run};
