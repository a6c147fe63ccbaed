#include "cli/taking.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "cli/verb.h"
#include "store/take.h"
#include "view/document.h"
#include "view/words.h"

static const char *const statuses[] = {
	[HISTORY_ADDED] = "added", [HISTORY_CHANGED] = "changed", [HISTORY_DELETED] = "deleted"};

// As a person reads it, and as a program does.
static const struct {
	const char *words, *name;
} verdicts[] = {
	[TAKE_DUE] = {"would be", "due"},
	[TAKE_DONE] = {"there already:", "done"},
	[TAKE_CONFLICT] = {"conflict:", "conflict"},
	[TAKE_BLOCKED] = {"blocked:", "blocked"},
	[TAKE_LEFT_OUT] = {"left out:", "left_out"},
	[TAKE_TAKEN] = {"", "taken"},
};

static const char *status_of(const struct take_item *item)
{
	return item->given ? "given" : statuses[item->status];
}

bool taking_check(const char *to, struct error *error)
{
	arena_cleanup arena = {0};
	struct stat status;
	if (stat(to, &status) == 0 && S_ISDIR(status.st_mode)) {
		return true;
	}
	const char *shown = arguments_shown(&arena, to);
	if (stat(to, &status) == 0) {
		return error_set(error, ERROR_USAGE, "'%s' is no folder", shown);
	}
	return (errno == ENOENT && to[0]) ||
		error_errno(error, ERROR_USAGE, "cannot use the folder '%s'", shown);
}

// One line: what was done, the path, who wrote it, and why not.
static void print_item(struct buffer *output, const struct take_item *item)
{
	const char *words = verdicts[item->verdict].words;
	buffer_printf(output, "%s%s", words, words[0] ? " " : "");
	if (item->verdict == TAKE_DUE || item->verdict == TAKE_TAKEN) {
		buffer_printf(output, "%s ", status_of(item));
	}
	buffer_add_line(output, text_of(item->path), PATH_LIMIT);
	if (item->agent[0]) {
		buffer_add_string(output, " (");
		buffer_add_line(output, text_of(item->agent), 256);
		buffer_add_char(output, ')');
	}
	if (item->reason) {
		buffer_add_string(output, ": ");
		buffer_add_line(output, text_of(item->reason), PATH_LIMIT);
	}
	buffer_add_char(output, '\n');
}

static void items_json(struct buffer *output, const struct project_run *opened,
	const struct taking *taking, const struct take *take, bool applied)
{
	struct document document;
	document_begin(&document, output, "muster.apply/1");
	document_string(&document, "run", opened->run.id);
	document_string(&document, "to", taking->branch ? NULL : taking->to);
	document_string(&document, "branch", taking->branch);
	document_flag(&document, "dry_run", taking->dry_run);
	document_flag(&document, "applied", applied);
	document_array(&document, "files");
	for (size_t i = 0; i < take->count; i++) {
		const struct take_item *item = &take->items[i];
		document_object(&document, NULL);
		document_string(&document, "path", item->path);
		document_string(&document, "status", status_of(item));
		document_string(&document, "agent", item->agent[0] ? item->agent : NULL);
		document_string(&document, "verdict", verdicts[item->verdict].name);
		document_string(&document, "reason", item->reason);
		document_end_object(&document);
	}
	document_end_array(&document);
	document_end(&document);
}

static bool tell(struct project_run *opened, const struct taking *taking, const struct take *take,
	bool applied, struct error *error)
{
	buffer_cleanup output = {0};
	if (taking->json) {
		items_json(&output, opened, taking, take, applied);
		return output_write(&output, error);
	}
	for (size_t i = 0; i < take->count; i++) {
		enum take_verdict verdict = take->items[i].verdict;
		// In a folder that has nearly everything, what is new must be seen.
		if (verdict != TAKE_DONE &&
			!(taking->quiet && (verdict == TAKE_DUE || verdict == TAKE_TAKEN))) {
			print_item(&output, &take->items[i]);
		}
	}
	size_t there = take_count(take, TAKE_DONE);
	if (!taking->quiet && (there || !take->count)) {
		words_add_count(&output, (int64_t)there, "path was there already",
			"paths were there already");
		buffer_add_char(&output, '\n');
	}
	if (taking->aside) {
		fwrite(output.length ? output.data : "", 1, output.length, stderr);
		return true;
	}
	return output_write(&output, error);
}

// All that could be was done, but is it all?
static bool is_complete(const struct take *take, struct error *error)
{
	size_t left = take_count(take, TAKE_LEFT_OUT);
	return !left ||
		error_set(error, ERROR_FAILED, "%zu path%s left out", left,
			left == 1 ? " was" : "s were");
}

// The folder is made only when something is going to be written into it.
static bool make_target(const struct taking *taking, struct take *take, struct error *error)
{
	if (take->folder >= 0 || !take->count) {
		return true;
	}
	if (!file_make_folders(taking->to, 0755, error)) {
		return false;
	}
	take->folder = folder_open(taking->to, error);
	return take->folder >= 0;
}

static bool plan(struct project_run *opened, const struct taking *taking, struct take *take,
	struct error *error)
{
	struct error gone = {0}; // the workspace is needed for few files only
	const char *run = store_run_folder(opened->store, &opened->arena, opened->run.id, error);
	take->history = run ? project_run_history(opened, error) : NULL;
	if (!take->history) {
		return false;
	}
	take->workspace = folder_open(path_join(&opened->arena, run, "workspace"), &gone);
	if (access(taking->to, F_OK) == 0) {
		take->folder = folder_open(taking->to, error);
		if (take->folder < 0) {
			return false;
		}
	}
	return take_plan(take, opened->store, opened->run.id, taking->all, error);
}

// "Work of run ID (team)", and who wrote how much of it.
static void add_message(
	struct buffer *message, const struct project_run *opened, const struct take *take)
{
	buffer_printf(message, "Take over the work of the team %s\n\nRun %s", opened->run.team,
		opened->run.id);
	buffer_printf(message, " (%s).\n\n", opened->run.state);
	for (size_t i = 0; i < take->count; i++) {
		const struct take_item *item = &take->items[i];
		if (item->verdict == TAKE_DUE || item->verdict == TAKE_CONFLICT) {
			buffer_printf(message, "%s ", status_of(item));
			buffer_add_line(message, text_of(item->path), PATH_LIMIT);
			buffer_printf(message, " (%s)\n", item->agent[0] ? item->agent : "?");
		}
	}
}

static bool perform_branch(struct project_run *opened, const struct taking *taking,
	struct take *take, struct take_branch *branch, struct error *error)
{
	buffer_cleanup message = {0};
	add_message(&message, opened, take);
	if (!take_count(take, TAKE_DUE) && !take_count(take, TAKE_CONFLICT)) {
		return error_set(
			error, ERROR_FAILED, "there is nothing to take: no branch was made");
	}
	return take_branch_perform(take, branch, taking->force, message.data, error);
}

static bool take_into_branch(
	struct project_run *opened, const struct taking *taking, struct error *error)
{
	struct take take = {.arena = &opened->arena, .folder = -1, .workspace = -1};
	struct error problem = {0};
	struct error gone = {0}; // the workspace is needed for few files only
	struct take_branch *branch = take_branch_open(".", taking->branch, error);
	const char *run = store_run_folder(opened->store, &opened->arena, opened->run.id, error);
	take.history = branch && run ? project_run_history(opened, error) : NULL;
	bool fine = take.history &&
		take_branch_plan(&take, branch, opened->store, opened->run.id, error);
	if (fine) {
		take.workspace = folder_open(path_join(&opened->arena, run, "workspace"), &gone);
		bool applied = take_check(&take, taking->force, &problem) && !taking->dry_run &&
			perform_branch(opened, taking, &take, branch, &problem);
		fine = tell(opened, taking, &take, applied, error);
	}
	if (fine && problem.kind != ERROR_NONE) {
		*error = problem;
		fine = false;
	}
	fine = fine && is_complete(&take, error);
	history_close(take.history);
	take_branch_close(branch);
	file_close(&take.workspace);
	return fine;
}

bool take_out(struct project_run *opened, const struct taking *taking, struct error *error)
{
	if (taking->branch) {
		return take_into_branch(opened, taking, error);
	}
	struct take take = {.arena = &opened->arena, .folder = -1, .workspace = -1};
	struct error problem = {0};
	bool fine = taking_check(taking->to, error) && plan(opened, taking, &take, error);
	if (fine) {
		bool applied = take_check(&take, taking->force, &problem) && !taking->dry_run &&
			make_target(taking, &take, &problem) &&
			take_perform(&take, taking->force, &problem);
		fine = tell(opened, taking, &take, applied, error);
	}
	if (fine && problem.kind != ERROR_NONE) {
		*error = problem;
		fine = false;
	}
	fine = fine && is_complete(&take, error);
	history_close(take.history);
	file_close(&take.folder);
	file_close(&take.workspace);
	return fine;
}
