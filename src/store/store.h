/*
 * What is kept: one SQLite database per project (.muster/store.db) with the journal of every run
 * (events, conversation items, texts, changes of the workspace), texts over STORE_TEXT_LIMIT bytes
 * as files beside it, and a folder per run (.muster/runs/ID: workspace, history, lock, inbox).
 * Written by one thread per process, in transactions: nothing is visible before store_commit() has
 * returned true. Readers may run in other processes at the same time (WAL).
 *
 * What the journal says is hostile to no one, but its texts come from models and tools: escape them.
 */
#pragma once

#include "base/error.h"
#include "base/text.h"

enum { STORE_VERSION = 3, STORE_TEXT_LIMIT = 64 * 1024 };

struct store;

enum store_mode { STORE_READ, STORE_WRITE };

// `project` is the folder that holds (or will hold) .muster. STORE_WRITE creates what is missing,
// with a .gitignore that keeps .muster out of the project's own git; STORE_READ fails with a hint
// when there is no store. A store of a newer version is refused with both version numbers; an older
// one is brought up to date, in one transaction, after a copy of it was put beside it
// (store.db.version-N).
struct store *store_open(const char *project, enum store_mode mode, struct error *error);
void store_close(struct store *store); // NULL is fine
// The folder of a run, made if missing when the store is writable. In the arena.
const char *store_run_folder(
	struct store *store, struct arena *arena, const char *run, struct error *error);

// The folder of the project's snapshots, which may not be there yet. In the arena.
const char *store_snapshot_folder(struct store *store, struct arena *arena);

// One transaction at a time. `durable` means: on disk (fsync) when store_commit returns true. False
// means that nothing more may be done on the strength of the transaction: it is undone by
// store_rollback, or it is written and perhaps not on disk (then the disk is failing).
bool store_begin(struct store *store, struct error *error);
bool store_commit(struct store *store, bool durable, struct error *error);
void store_rollback(struct store *store);

// Is the file what SQLite made of it? False with the first thing that is wrong.
bool store_check(struct store *store, struct error *error);

// The line of a run in lists; kept up to date by whoever drives the run.
struct store_run {
	const char *id, *team, *file; // file: the team file's path as given
	const char *state;            // "running", "parked", "done", "failed", "cancelled"
	const char *reason;           // why it is parked or failed, one sentence; "" otherwise
	int exit_code;                // once it ended or parked
	int64_t created, updated;     // milliseconds since 1970
	int64_t turns, input_tokens, cached_tokens, output_tokens, nano_usd;
	int64_t working; // milliseconds of working time
	int64_t gates_passed, gates_refused;
	bool rehearsal;
	const char *sandbox; // provider
};

struct store_event {
	int64_t sequence; // from 1, without gaps
	int64_t at;       // milliseconds since 1970
	const char *kind; // "model.answered"
	struct text body; // JSON object
};

// A conversation item of a branch, ready-made JSON.
struct store_item {
	int64_t branch, sequence; // sequence from 1, without gaps, per branch
	struct text json;
	int64_t event; // the sequence of the event that it came with
};

// A change of one path of the workspace, as recorded.
struct store_change {
	int64_t turn, record; // the record's number in the run, from 1
	const char *path;
	const char *status;     // "added", "changed", "deleted"
	const char *agent;      // who wrote it: an agent's name, "several", "user", "unknown",
				// "manifest"
	const char *candidates; // for "several": names with commas; "" otherwise
	const char *sha256;     // "" when deleted
	const char *blob;       // git object id in the history; ""
	int64_t size;
	bool outside; // outside the agent's `writes:`
};

// All of these belong into a transaction. Texts have a key that is unique in the run ("0.12",
// "team", "input.brief"); writing the same key again replaces it. `event` is the sequence of the event
// that a text came with; 0: it is of the run as a whole.
bool store_put_run(struct store *store, const struct store_run *run, struct error *error);
bool store_add_event(
	struct store *store, const char *run, const struct store_event *event, struct error *error);
bool store_add_item(
	struct store *store, const char *run, const struct store_item *item, struct error *error);
bool store_put_text(struct store *store, const char *run, const char *key, int64_t event,
	struct text text, struct error *error);
bool store_add_change(struct store *store, const char *run, const struct store_change *change,
	struct error *error);

// Reading; results are in the arena.
struct store_runs {
	struct store_run *runs; // newest first
	size_t count;
};
bool store_list(struct store *store, struct arena *arena, size_t limit, struct store_runs *runs,
	struct error *error);
// The run named by its id, a unique prefix of it, or "-1" (newest), "-2", ...; fails with the
// nearest or the matching ids in the hint (ERROR_USAGE).
bool store_find(struct store *store, struct arena *arena, const char *name, struct store_run *run,
	struct error *error);
// Events after `after`; `each` returns false to stop.
bool store_events(struct store *store, const char *run, int64_t after,
	bool (*each)(void *data, const struct store_event *event), void *data, struct error *error);
// Items of a branch after `after`.
bool store_items(struct store *store, const char *run, int64_t branch, int64_t after,
	bool (*each)(void *data, const struct store_item *item), void *data, struct error *error);
bool store_text(struct store *store, struct arena *arena, const char *run, const char *key,
	struct text *text,
	struct error *error); // false without a message (ERROR_NONE): no such text
bool store_changes(struct store *store, const char *run,
	bool (*each)(void *data, const struct store_change *change), void *data,
	struct error *error);

// What a run was up to some point becomes another run. The rest of it (its row, its folder, what it was
// started with) is the caller's.
struct store_cut {
	const char *from, *to; // ids
	int64_t events;        // sequence of the last event that it takes along
	int64_t records;       // number of the last record
};
// Fails (ERROR_USAGE) for a run that was recorded before items and texts said which event they belong
// to, unless all of it is taken along.
bool store_fork(struct store *store, const struct store_cut *cut, struct error *error);

// With the run's folder and the long texts that no other run has. What lies in files is gone even if
// the transaction is rolled back.
bool store_delete(struct store *store, const char *run, struct error *error);

// What other processes ask of the one that drives a run: rows that the driver takes in, each once, in
// the transaction that holds what came of it.
struct store_request {
	int64_t id;
	const char *run;
	const char *kind;  // "tell", "answer", "pause", "stop"
	const char *value; // of the kind: an agent, a choice; ""
	struct text text;
};
bool store_add_request(
	struct store *store, const struct store_request *request, int64_t *id, struct error *error);
// Wakes every process that watches the store's requests: touches the file that
// store_request_bell() names, once the transaction is committed.
void store_ring(struct store *store);
// The file that is touched; made if missing. In the arena.
const char *store_request_bell(struct store *store, struct arena *arena, struct error *error);
// Requests that nobody took in yet, oldest first; `run` NULL: of all runs.
bool store_requests(struct store *store, struct arena *arena, const char *run,
	struct store_request **requests, size_t *count, struct error *error);
// Says what came of it: "" it was done, else why not.
bool store_settle_request(struct store *store, int64_t id, const char *result, struct error *error);
// *result is NULL as long as nobody took it in.
bool store_request_result(struct store *store, struct arena *arena, int64_t id, const char **result,
	struct error *error);
bool store_drop_request(struct store *store, int64_t id, struct error *error);
