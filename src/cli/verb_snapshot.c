/* Snapshots by hand: of a run's workspace, and what is on the project's shelf. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cli/verb.h"
#include "cli/vocabulary.h"
#include "engine/engine.h"
#include "view/document.h"
#include "view/words.h"

struct shelf {
	struct arguments *arguments;
	struct store *store;
	const char *folder;
	struct buffer output;
	bool json, quiet;
	struct error *error;
};

static void add_snapshot(struct shelf *shelf, const struct snapshot *snapshot, bool unchanged)
{
	if (shelf->json) {
		struct document document;
		document_begin(&document, &shelf->output, "muster.snapshot/1");
		document_string(&document, "id", snapshot->id);
		document_flag(&document, "unchanged", unchanged);
		if (!unchanged) {
			document_number(&document, "entries", snapshot->entries);
			document_number(&document, "bytes", snapshot->bytes);
			document_number(&document, "stored", snapshot->stored);
		}
		document_end(&document);
		return;
	}
	buffer_printf(&shelf->output, "%s\n", snapshot->id);
	if (!shelf->quiet && unchanged) {
		fprintf(stderr, "nothing changed since that snapshot\n");
	} else if (!shelf->quiet) {
		fprintf(stderr, "%lld files and folders, %lld bytes, stored as %lld\n",
			(long long)snapshot->entries, (long long)snapshot->bytes,
			(long long)snapshot->stored);
	}
}

static bool make(struct shelf *shelf, const char *name)
{
	struct arguments *arguments = shelf->arguments;
	struct store_run run;
	struct snapshot_made made;
	struct engine *engine = engine_create(shelf->store, NULL, shelf->error);
	struct job *held =
		engine && store_find(shelf->store, &arguments->arena, name, &run, shelf->error)
		? engine_hold(engine, run.id, vocabulary(), shelf->error)
		: NULL;
	bool fine = held && job_snapshot(held, &arguments->arena, &made, shelf->error);
	engine_let_go(held);
	engine_destroy(engine);
	for (size_t i = 0; fine && !shelf->quiet && i < made.left_out_count && i < SNAPSHOT_TOLD;
		i++) {
		fprintf(stderr, "left out: %s\n", made.left_out[i]);
	}
	if (fine) {
		add_snapshot(shelf, &made.snapshot, made.unchanged);
	}
	return fine;
}

static bool import(struct shelf *shelf, const char *path)
{
	struct snapshot found;
	struct snapshot_archive archive = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
	if (archive.fd < 0) {
		return error_errno(shelf->error, ERROR_USAGE, "cannot open '%s'",
			arguments_shown(&shelf->arguments->arena, path));
	}
	bool fine = snapshot_import(shelf->folder, &archive, &found, shelf->error);
	file_close(&archive.fd);
	if (fine) {
		add_snapshot(shelf, &found, false);
	}
	return fine;
}

static bool remove_from(struct shelf *shelf, const char *beginning)
{
	const char *id =
		snapshot_find(shelf->folder, &shelf->arguments->arena, beginning, shelf->error);
	return id && snapshot_remove(shelf->folder, id, shelf->error);
}

static void add_row(struct shelf *shelf, const struct snapshot_row *row)
{
	buffer_printf(&shelf->output, "%.12s  %12lld bytes  ", row->id, (long long)row->stored);
	words_add_time(&shelf->output, row->made);
	buffer_add_char(&shelf->output, '\n');
}

static bool list(struct shelf *shelf)
{
	struct snapshot_rows rows;
	struct document document;
	if (!snapshot_list(shelf->folder, &shelf->arguments->arena, &rows, shelf->error)) {
		return false;
	}
	if (shelf->json) {
		document_begin(&document, &shelf->output, "muster.snapshots/1");
		document_string(&document, "folder", shelf->folder);
		document_array(&document, "snapshots");
	}
	for (size_t i = 0; i < rows.count; i++) {
		if (!shelf->json) {
			add_row(shelf, &rows.rows[i]);
			continue;
		}
		document_object(&document, NULL);
		document_string(&document, "id", rows.rows[i].id);
		document_number(&document, "stored", rows.rows[i].stored);
		document_number(&document, "made", rows.rows[i].made);
		document_end_object(&document);
	}
	if (shelf->json) {
		document_end_array(&document);
		document_end(&document);
	} else if (rows.count == 0 && !shelf->quiet) {
		fprintf(stderr, "there are no snapshots yet\n");
	}
	return true;
}

static bool act(struct shelf *shelf)
{
	const struct arguments *arguments = shelf->arguments;
	const char *imported = arguments_value(arguments, "import");
	const char *removed = arguments_value(arguments, "remove");
	if ((imported != NULL) + (removed != NULL) + (arguments->operand_count > 0) > 1) {
		return error_set(shelf->error, ERROR_USAGE,
			"give a run, or --import, or --remove: one of them");
	}
	return arguments->operand_count ? make(shelf, arguments->operands[0])
		: imported              ? import(shelf, imported)
		: removed               ? remove_from(shelf, removed)
					: list(shelf);
}

static int run(struct arguments *arguments, struct error *error)
{
	struct shelf shelf = {.arguments = arguments,
		.json = arguments_has(arguments, "json"),
		.quiet = arguments_has(arguments, "quiet"),
		.error = error};
	// A folder without runs gets no store from being asked.
	struct store *reader =
		arguments_value(arguments, "import") ? NULL : store_open(".", STORE_READ, error);
	store_close(reader);
	shelf.store = error->kind == ERROR_NONE ? store_open(".", STORE_WRITE, error) : NULL;
	if (!shelf.store) {
		return EXIT_USAGE;
	}
	shelf.folder = store_snapshot_folder(shelf.store, &arguments->arena);
	if (act(&shelf)) {
		output_write(&shelf.output, error);
	}
	buffer_finish(&shelf.output);
	store_close(shelf.store);
	return EXIT_OK;
}

static const struct option options[] = {
	{"import", 0, "FILE", false, COMPLETE_FILE,
		"put an archive (tar; plain, gzip, bzip2, xz, zstd) on the shelf"},
	{"remove", 0, "ID", false, COMPLETE_NOTHING, "take a snapshot from the shelf"},
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_snapshot = {
	.name = "snapshot",
	.help = "make a snapshot of a run's workspace, or list those there are",
	.usage = "[RUN | --import FILE | --remove ID] [--json]",
	.details =
		"RUN is an id, a unique prefix of one, or -1 for the newest; nobody may be driving "
		"it.\n"
		"The snapshot's id is printed: 'muster run TEAM --snapshot ID' begins with it, and "
		"RUN\n"
		"is restored from it should its sandbox be lost. Mounts and ephemeral entries are "
		"left\n"
		"out (docs/snapshots.md).",
	.examples = (const char *const[]){"muster snapshot            # what is on the shelf",
		"muster snapshot -1", "muster snapshot --import site.tar.gz", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.maximum = 1,
	.run = run,
};
