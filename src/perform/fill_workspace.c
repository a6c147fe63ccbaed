/* What a session that was just made finds in its workspace: the manifest's entries when the run begins; a
 * snapshot that it was given; or, when its session is gone, what is on record of it. */
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "perform/kept.h"
#include "perform/performers.h"

static void say(struct work *work, const char *line)
{
	if (work->workshop->said) {
		work->workshop->said(work->workshop->teller, line);
	}
}

static void say_left_out(struct work *work, const struct snapshot_made *made)
{
	for (size_t i = 0; i < made->left_out_count && i < SNAPSHOT_TOLD; i++) {
		say(work, arena_printf(&work->arena, "not restored: %s", made->left_out[i]));
	}
	if (made->left_out_count > SNAPSHOT_TOLD) {
		say(work,
			arena_printf(&work->arena, "not restored: %zu files more",
				made->left_out_count - SNAPSHOT_TOLD));
	}
}

static bool restore(struct work *work, const char *shelf, const char *id, struct snapshot *found,
	struct error *error)
{
	struct snapshot_archive archive = {
		.fd = snapshot_open(shelf, id, error), .id = id, .cancel = &work->cancel};
	bool fine = archive.fd >= 0 &&
		snapshot_restore(work->workshop->sandbox, &archive, found, error);
	file_close(&archive.fd);
	return fine;
}

// By way of an archive that nobody else sees.
static bool restore_history(struct work *work, const struct history_step *step,
	struct snapshot *found, struct error *error)
{
	const char *shelf = path_join(&work->arena, work->workshop->folder, "restoring");
	struct snapshot_made made;
	bool fine = snapshot_make_of_history(
			    shelf, work->workshop->history, step, &work->arena, &made, error) &&
		restore(work, shelf, made.snapshot.id, found, error);
	struct error ignored = {0}; // it is in the run's folder, and goes with it
	file_remove_tree(shelf, &ignored);
	if (fine) {
		say_left_out(work, &made);
	}
	return fine;
}

// *whole: by a snapshot, and not by what the history has of it.
static bool restore_workspace(struct work *work, const struct history_step *step,
	const struct kept_snapshot *kept, bool *whole, struct error *error)
{
	struct snapshot found;
	*whole = kept->id && (work->first || strcmp(kept->commit, step ? step->commit : "") == 0);
	if (*whole ? !restore(work, work->workshop->shelf, kept->id, &found, error)
		   : !restore_history(work, step, &found, error)) {
		return error_wrap(error, "the workspace cannot be restored");
	}
	say(work,
		arena_printf(&work->arena,
			"the workspace is restored from %s: %lld files and folders, %lld bytes",
			*whole ? arena_printf(&work->arena, "snapshot %.12s", kept->id)
			       : "the run's history",
			(long long)found.entries, (long long)found.bytes));
	return true;
}

bool fill_workspace(struct work *work, struct manifest_place *place, struct error *error)
{
	struct history_steps steps;
	struct kept_snapshot kept;
	if (!history_last_steps(work->workshop->history, &work->arena, 1, &steps, error) ||
		!kept_read(work->workshop->folder, &work->arena, &kept, error)) {
		return false;
	}
	// A run that is at its beginning, whatever an attempt that was killed left in the history.
	const struct history_step *last = steps.count && !work->first ? &steps.steps[0] : NULL;
	bool whole = false;
	if (last || kept.id) {
		if (!manifest_begin(place, error) ||
			!restore_workspace(work, last, &kept, &whole, error)) {
			return false;
		}
		place->ephemeral_only = true;
	}
	if (!manifest_apply(place, error) ||
		!record_changes(work,
			!last           ? "manifest"
				: whole ? "user"
					: "unknown",
			error)) {
		return false;
	}
	work->lost = last && !whole && work->change_count > 0;
	return true;
}
