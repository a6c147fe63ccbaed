/* Deleting runs: those that are named, and those that ended long ago. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/project.h"
#include "cli/verb.h"
#include "engine/lock.h"
#include "perform/kept.h"
#include "view/document.h"
#include "view/words.h"

enum { DELETE_MOST = 100000, PRUNE_DAYS = 30, PRUNE_DAYS_MOST = 36500 };

// What is deleted, and what is said of it.
struct deleting {
	struct arguments *arguments;
	struct store *store;
	struct store_runs runs;
	bool force, dry_run;
	const char **snapshots; // of the runs that went; NULL for those that had none
	size_t snapshot_count;
	const char **sessions; // of runs of this project that are not there any more: their ids
	size_t session_count, session_capacity;
	struct error *error;
};

static bool has_ended(const struct store_run *run)
{
	static const char *const ends[] = {"done", "failed", "cancelled"};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcmp(run->state, ends[i]) == 0) {
			return true;
		}
	}
	return false;
}

static bool delete_rows(struct deleting *deleting, const char *run)
{
	if (!store_begin(deleting->store, deleting->error)) {
		return false;
	}
	if (store_delete(deleting->store, run, deleting->error) &&
		store_commit(deleting->store, true, deleting->error)) {
		return true;
	}
	store_rollback(deleting->store);
	return false;
}

// What a provider holds for the run goes first: a run that is still there can be deleted again.
static bool discard_sandbox(struct deleting *deleting, const char *folder)
{
	struct arena *arena = &deleting->arguments->arena;
	enum { STATE_MOST = 1024 * 1024 };
	struct text state;
	struct error missing = {0}; // there was no sandbox yet
	return !file_read(arena, path_join(arena, folder, "sandbox.json"), STATE_MOST, &state,
		       &missing) ||
		sandbox_discard(state, deleting->error) || deleting->force;
}

// Nobody drives the run while it goes: we have its lock.
static bool delete_run(struct deleting *deleting, const struct store_run *run)
{
	struct arena *arena = &deleting->arguments->arena;
	const char *folder = store_run_folder(deleting->store, arena, run->id, deleting->error);
	file_cleanup lock = folder ? run_lock(folder, run->id, deleting->error) : -1;
	struct kept_snapshot kept = {0};
	struct error damaged = {0}; // then its snapshot stays
	if (lock >= 0) {
		kept_read(folder, arena, &kept, &damaged);
	}
	if (lock < 0 || !discard_sandbox(deleting, folder) || !delete_rows(deleting, run->id)) {
		return false;
	}
	deleting->snapshots[deleting->snapshot_count++] = kept.id;
	return true;
}

// Snapshots that only the runs which went could be restored from.
static bool delete_snapshots(struct deleting *deleting)
{
	struct arena *arena = &deleting->arguments->arena;
	struct store_runs left;
	const char *shelf = store_snapshot_folder(deleting->store, arena);
	if (!store_list(deleting->store, arena, DELETE_MOST, &left, deleting->error)) {
		return false;
	}
	for (size_t i = 0; i < left.count; i++) {
		struct kept_snapshot kept;
		const char *folder =
			store_run_folder(deleting->store, arena, left.runs[i].id, deleting->error);
		if (!folder || !kept_read(folder, arena, &kept, deleting->error)) {
			return false;
		}
		for (size_t j = 0; kept.id && j < deleting->snapshot_count; j++) {
			const char **gone = &deleting->snapshots[j];
			*gone = *gone && strcmp(*gone, kept.id) == 0 ? NULL : *gone;
		}
	}
	for (size_t j = 0; j < deleting->snapshot_count; j++) {
		if (deleting->snapshots[j] &&
			!snapshot_remove(shelf, deleting->snapshots[j], deleting->error)) {
			return false;
		}
	}
	return true;
}

static bool any_snapshot(const struct deleting *deleting)
{
	size_t i = 0;
	while (i < deleting->snapshot_count && !deleting->snapshots[i]) {
		i++;
	}
	return i < deleting->snapshot_count;
}

static bool check_ended(struct deleting *deleting, const struct store_run *run)
{
	if (has_ended(run) || deleting->force) {
		return true;
	}
	error_set(deleting->error, ERROR_USAGE, "run '%s' is %s: it has not ended", run->id,
		run->state);
	return error_hint(deleting->error, "--force deletes it all the same");
}

static bool say(struct deleting *deleting, size_t done)
{
	buffer_cleanup output = {0};
	bool json = arguments_has(deleting->arguments, "json");
	if (json) {
		struct document document;
		document_begin(&document, &output, "muster.delete/1");
		document_flag(&document, "dry_run", deleting->dry_run);
		document_array(&document, "runs");
		for (size_t i = 0; i < done; i++) {
			document_string(&document, NULL, deleting->runs.runs[i].id);
		}
		document_end_array(&document);
		document_array(&document, "sessions");
		for (size_t i = 0; i < deleting->session_count; i++) {
			document_string(&document, NULL, deleting->sessions[i]);
		}
		document_end_array(&document);
		document_end(&document);
	}
	bool quiet = arguments_has(deleting->arguments, "quiet");
	for (size_t i = 0; !json && !quiet && i < done; i++) {
		const struct store_run *run = &deleting->runs.runs[i];
		buffer_add_string(&output, deleting->dry_run ? "would delete " : "deleted ");
		buffer_add_line(&output, text_of(run->id), 256);
		buffer_printf(&output, " (%s, ", run->state);
		words_add_time(&output, run->updated);
		buffer_add_string(&output, ")\n");
	}
	for (size_t i = 0; !json && !quiet && i < deleting->session_count; i++) {
		buffer_add_string(&output, deleting->dry_run ? "would remove" : "removed");
		buffer_add_string(&output, " the session that is left of ");
		buffer_add_line(&output, text_of(deleting->sessions[i]), 256);
		buffer_add_char(&output, '\n');
	}
	return output_write(&output, deleting->error);
}

// What was deleted before something went wrong is told, too.
static void delete_all(struct deleting *deleting)
{
	size_t done = 0;
	struct error problem = {0};
	struct error *error = deleting->error;
	deleting->error = &problem;
	deleting->snapshots = arena_new_array(
		&deleting->arguments->arena, deleting->runs.count + 1, const char *);
	while (done < deleting->runs.count &&
		(deleting->dry_run || delete_run(deleting, &deleting->runs.runs[done]))) {
		done++;
	}
	struct error more = {0};
	deleting->error = problem.kind == ERROR_NONE ? &problem : &more;
	if (any_snapshot(deleting)) {
		delete_snapshots(deleting);
	}
	deleting->error = error;
	if ((done || problem.kind == ERROR_NONE) && !say(deleting, done)) {
		return;
	}
	if (problem.kind != ERROR_NONE) {
		*error = problem;
	}
}

// A folder without runs gets no store from being asked.
static bool open_store(struct deleting *deleting)
{
	struct store *reader = store_open(".", STORE_READ, deleting->error);
	store_close(reader);
	deleting->store = reader ? store_open(".", STORE_WRITE, deleting->error) : NULL;
	return deleting->store != NULL;
}

// All names are looked at before anything goes: "-1 -2" are two runs, and a mistake costs nothing.
static bool find_named(struct deleting *deleting)
{
	struct arguments *arguments = deleting->arguments;
	struct store_runs *runs = &deleting->runs;
	runs->runs = arena_new_array(&arguments->arena, arguments->operand_count, struct store_run);
	for (size_t i = 0; i < arguments->operand_count; i++) {
		struct store_run *run = &runs->runs[runs->count];
		if (!store_find(deleting->store, &arguments->arena, arguments->operands[i], run,
			    deleting->error)) {
			return false;
		}
		project_run_state(deleting->store, &arguments->arena, run);
		if (!check_ended(deleting, run)) {
			return false;
		}
		bool again = false;
		for (size_t j = 0; j < runs->count; j++) {
			again = again || strcmp(runs->runs[j].id, run->id) == 0;
		}
		runs->count += !again;
	}
	return true;
}

static int delete_named(struct arguments *arguments, struct error *error)
{
	struct deleting deleting = {
		.arguments = arguments, .force = arguments_has(arguments, "force"), .error = error};
	if (open_store(&deleting) && find_named(&deleting)) {
		delete_all(&deleting);
	}
	store_close(deleting.store);
	return EXIT_OK;
}

static bool read_days(struct arguments *arguments, long *days, struct error *error)
{
	const char *value = arguments_value(arguments, "older-than");
	char *end = NULL;
	*days = value ? strtol(value, &end, 10) : PRUNE_DAYS;
	if (value && (!*value || *end || *days < 0 || *days > PRUNE_DAYS_MOST)) {
		error_set(error, ERROR_USAGE, "'%s' is no number of days",
			arguments_shown(&arguments->arena, value));
		return error_hint(error, "as in --older-than 7");
	}
	return true;
}

// Is it the folder of a run of this project? Who else uses the engine has other ones.
static bool is_ours(const struct deleting *deleting, const char *folder)
{
	char runs[PATH_MAX];
	size_t length;
	(void)deleting;
	return realpath(".muster/runs", runs) && (length = strlen(runs)) &&
		strncmp(folder, runs, length) == 0 && folder[length] == '/' &&
		!strchr(folder + length + 1, '/');
}

static bool remove_orphan(struct deleting *deleting, struct text line)
{
	struct arena *arena = &deleting->arguments->arena;
	json_cleanup *tree = json_parse(line, deleting->error);
	if (!tree) {
		return false;
	}
	buffer_cleanup state = {0};
	if (!is_ours(deleting, json_string(tree, "folder", ""))) {
		return true;
	}
	json_print(&state, cJSON_GetObjectItemCaseSensitive(tree, "state"));
	if (!deleting->dry_run && !sandbox_discard(buffer_text(&state), deleting->error)) {
		return false;
	}
	if (deleting->session_count == deleting->session_capacity) {
		deleting->session_capacity = deleting->session_capacity * 2 + 16;
		deleting->sessions = memory_resize(deleting->sessions,
			deleting->session_capacity * sizeof(*deleting->sessions));
	}
	deleting->sessions[deleting->session_count++] =
		arena_string(arena, json_string(tree, "run", ""));
	return true;
}

// Sessions whose run was removed without them. A provider that is not there now has none to tell of.
static bool remove_orphans(struct deleting *deleting)
{
	for (size_t i = 0; sandbox_drivers[i]; i++) {
		struct error not_there = {0};
		buffer_cleanup lines = {0};
		if (!sandbox_orphans(sandbox_drivers[i], &lines, &not_there)) {
			continue;
		}
		struct text rest = buffer_text(&lines), line;
		while (text_next_line(&rest, &line)) {
			if (!remove_orphan(deleting, line)) {
				return false;
			}
		}
	}
	return true;
}

static bool find_old(struct deleting *deleting, int64_t before)
{
	struct arguments *arguments = deleting->arguments;
	struct store_runs all;
	if (!store_list(deleting->store, &arguments->arena, DELETE_MOST, &all, deleting->error)) {
		return false;
	}
	deleting->runs.runs = arena_new_array(&arguments->arena, all.count, struct store_run);
	for (size_t i = 0; i < all.count; i++) {
		struct store_run *run = &all.runs[i];
		project_run_state(deleting->store, &arguments->arena, run);
		bool driven = strcmp(run->state, "running") == 0;
		if (run->updated < before && (has_ended(run) || (deleting->force && !driven))) {
			deleting->runs.runs[deleting->runs.count++] = *run;
		}
	}
	return true;
}

static int prune(struct arguments *arguments, struct error *error)
{
	struct deleting deleting = {.arguments = arguments,
		.force = arguments_has(arguments, "force"),
		.dry_run = arguments_has(arguments, "dry-run"),
		.error = error};
	long days;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (!read_days(arguments, &days, error)) {
		return EXIT_USAGE;
	}
	int64_t before =
		((int64_t)now.tv_sec - days * INT64_C(86400)) * 1000 + now.tv_nsec / 1000000;
	if (open_store(&deleting) && remove_orphans(&deleting) && find_old(&deleting, before)) {
		delete_all(&deleting);
	}
	store_close(deleting.store);
	free(deleting.sessions);
	return EXIT_OK;
}

static const struct option delete_options[] = {
	{"force", 'f', NULL, false, COMPLETE_NOTHING, "also one that has not ended"},
	OPTION_JSON,
	OPTION_END,
};

static const struct option prune_options[] = {
	{"older-than", 0, "DAYS", false, COMPLETE_NOTHING, "that ended so many days ago (30)"},
	{"dry-run", 'n', NULL, false, COMPLETE_NOTHING, "say what would be deleted"},
	{"force", 'f', NULL, false, COMPLETE_NOTHING, "also those that are parked or stopped"},
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_delete = {
	.name = "delete",
	.help = "delete runs, with their journal, workspace and history",
	.usage = "RUN... [--force] [--json]",
	.details =
		"RUN is an id, a unique prefix of one, or -1 for the newest, -2 for the one "
		"before.\n"
		"Runs that have not ended, but wait or can be resumed, are deleted with --force\n"
		"only; one that a process drives is not deleted at all. What 'muster apply' took\n"
		"out stays.",
	.examples = (const char *const[]){"muster delete -1", "muster delete hello-4q0t hello-jsxg",
		NULL},
	.options = delete_options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = DELETE_MOST,
	.run = delete_named,
};

const struct verb verb_prune = {
	.name = "prune",
	.help = "delete the runs that ended long ago",
	.usage = "[--older-than DAYS] [--dry-run] [--force] [--json]",
	.details =
		"Runs that wait, or can be resumed, are kept unless --force is given; one that "
		"a\n"
		"process drives is kept in any case. Containers of this project's runs that are\n"
		"not there any more are removed, too.",
	.examples = (const char *const[]){"muster prune --dry-run   # what it would delete",
		"muster prune --older-than 7", NULL},
	.options = prune_options,
	.run = prune,
};
