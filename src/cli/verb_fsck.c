#include "base/file.h"
#include "cli/project.h"
#include "cli/verb.h"
#include "cli/vocabulary.h"
#include "engine/check_journal.h"
#include "engine/lock.h"
#include "view/document.h"

enum { RUNS_MOST = 100000 };

static bool check_parts(
	struct check *check, const struct store_run *run, bool driven, struct error *error)
{
	return check_run_rows(check, run->id, error) &&
		check_journal(check, run, vocabulary(), error) &&
		check_run_folder(check, run, driven, error);
}

// What is under way is looked at, but not mended.
static bool check_run(struct check *check, const struct store_run *run, struct error *error)
{
	arena_cleanup arena = {0};
	const char *folder = store_run_folder(check->store, &arena, run->id, error);
	if (!folder) {
		return false;
	}
	bool repair = check->repair;
	bool driven = run_is_driven(folder);
	file_cleanup lock = repair && !driven ? run_lock(folder, run->id, error) : -1;
	if (repair && !driven && lock < 0) {
		return false;
	}
	check->repair = repair && !driven;
	bool fine = check_parts(check, run, driven, error);
	check->repair = repair;
	return fine;
}

// With `repair` nobody else writes meanwhile: a text that no run has now is needed by none.
static bool check_whole_store(struct check *check, struct error *error)
{
	if (check->repair && !store_begin(check->store, error)) {
		return false;
	}
	bool fine = check_store(check, error);
	store_rollback(check->store);
	return fine;
}

static bool check_all(struct arguments *arguments, struct check *check, struct error *error)
{
	struct store_runs runs;
	struct store_run one;
	if (arguments->operand_count) {
		return store_find(check->store, &arguments->arena, arguments->operands[0], &one,
			       error) &&
			check_run(check, &one, error);
	}
	bool fine = check_whole_store(check, error) &&
		store_list(check->store, &arguments->arena, RUNS_MOST, &runs, error);
	for (size_t i = 0; fine && i < runs.count; i++) {
		fine = check_run(check, &runs.runs[i], error);
	}
	return fine;
}

static void print_json(struct buffer *output, const struct check *check, bool sound)
{
	struct document document;
	document_begin(&document, output, "muster.fsck/1");
	document_flag(&document, "sound", sound);
	document_array(&document, "problems");
	for (size_t i = 0; i < check->count; i++) {
		const struct check_problem *problem = &check->problems[i];
		document_object(&document, NULL);
		document_string(&document, "run", problem->run[0] ? problem->run : NULL);
		document_string(&document, "what", problem->what);
		document_flag(&document, "mendable", problem->mendable);
		document_flag(&document, "mended", problem->mended);
		document_end_object(&document);
	}
	document_end_array(&document);
	document_number(&document, "more", (int64_t)check->more);
	document_end(&document);
}

static void print(struct buffer *output, const struct check *check, bool sound, bool quiet)
{
	for (size_t i = 0; i < check->count; i++) {
		const struct check_problem *problem = &check->problems[i];
		buffer_add_line(output, text_of(problem->run[0] ? problem->run : "store"), 256);
		buffer_add_string(output, ": ");
		buffer_add_line(output, text_of(problem->what), 2048);
		buffer_add_string(output,
			problem->mended             ? " (mended)"
				: problem->mendable ? " ('muster fsck --repair' mends it)"
						    : "");
		buffer_add_char(output, '\n');
	}
	if (check->more) {
		buffer_printf(output, "and %zu more\n", check->more);
	}
	if (sound && !quiet) {
		buffer_add_string(
			output, check->count ? "All else is sound.\n" : "All is sound.\n");
	}
}

static int run(struct arguments *arguments, struct error *error)
{
	bool repair = arguments_has(arguments, "repair");
	buffer_cleanup output = {0};
	// A folder without runs gets no store from being asked.
	struct store *store = store_open(".", STORE_READ, error);
	if (store && repair) {
		store_close(store);
		store = store_open(".", STORE_WRITE, error);
	}
	if (!store) {
		return EXIT_FAILED;
	}
	struct check check = {.store = store, .repair = repair};
	bool sound = check_all(arguments, &check, error) && check.more == 0;
	for (size_t i = 0; i < check.count; i++) {
		sound = sound && check.problems[i].mended;
	}
	if (arguments_has(arguments, "json")) {
		print_json(&output, &check, sound);
	} else {
		print(&output, &check, sound, arguments_has(arguments, "quiet"));
	}
	if (error->kind == ERROR_NONE) {
		output_write(&output, error);
	}
	check_finish(&check);
	store_close(store);
	return sound ? EXIT_OK : EXIT_FAILED;
}

static const struct option options[] = {
	{"repair", 0, NULL, false, COMPLETE_NOTHING, "remove what killed processes left behind"},
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_fsck = {
	.name = "fsck",
	.help = "look whether the store, or one run in it, is sound",
	.usage = "[RUN] [--repair] [--json]",
	.details =
		"Looks at the database, at each run's events (they are read and folded), at what "
		"they\n"
		"refer to, at the history of its workspace (every file of every commit is read), "
		"and\n"
		"for files that killed processes left behind. Nothing is changed, unless --repair "
		"is\n"
		"given, which removes such files and nothing else; a run that a process drives is "
		"left\n"
		"alone. The exit code is 0 if all is sound or was mended, and 1 otherwise.",
	.examples = (const char *const[]){"muster fsck              # all runs, and the store",
		"muster fsck -1 --json", "muster fsck --repair", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.maximum = 1,
	.run = run,
};
