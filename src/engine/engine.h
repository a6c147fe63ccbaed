/*
 * The local engine: drives runs to their end, or until they park. One scheduler thread (the caller of
 * engine_drive) applies events and takes decisions for all runs; commands are performed on a pool of
 * threads; model calls are answered on any thread. What is decided is in the journal (one
 * transaction per wake-up over all runs) before it is performed.
 */
#pragma once

#include "engine/request.h"
#include "model/model.h"
#include "run/state.h"
#include "snapshot/snapshot.h"
#include "store/store.h"
#include "team/team.h"

enum {
	ENGINE_THREADS = 8,
	ENGINE_GRACE = 10000 /* ms that calls under way get when a run parks */
};

struct engine;
struct job; // one run in the engine's hands

// Who wants to see what happens; called on the scheduler thread, after the event was applied.
struct engine_watcher {
	void (*event)(void *data, struct job *job, const struct run_event *event);
	// The events of a run that is taken up again, as they are read from its journal; may be NULL.
	void (*past)(void *data, struct job *job, const struct run_event *event);
	// A run has ended or parked, and nothing of it is under way; it is on record. Called once per
	// run, while the engine drives; may add runs and let this one go. False stops the engine; may
	// be NULL.
	bool (*rests)(void *data, struct job *job, struct error *error);
	// What happens while an agent's model is awaited; on any thread, until engine_drive() returns.
	// Must not block. May be NULL.
	void (*notice)(
		void *data, uint32_t branch, uint32_t agent, const struct model_notice *notice);
	bool notice_text; // also text as it comes
	// The workspace of a run takes a while to be filled: so much of it is done. Called now and then,
	// on another thread, while the scheduler's may be in the others; may be NULL.
	void (*filling)(void *data, int64_t files, int64_t bytes);
	// What people should know of a run's sandbox, a line each (an image that is fetched, what was
	// restored); on another thread, as above; may be NULL.
	void (*said)(void *data, const char *line);
	void *data;
};

struct engine_start {
	struct team *team;         // becomes the engine's, unless `shared`
	bool shared;               // the team is of several runs and outlives the engine
	const char *const *inputs; // "name=value", "name=@file"
	size_t input_count;
	const struct team_values *values; // instead of inputs: checked before, copied
	const char *rehearsal;            // path of a rehearsal script; NULL: real models
	const char *sandbox;              // provider instead of the team's; NULL: the team's
	const char *sandbox_options;      // its options as a JSON object; NULL: the team's, if the
					  // provider is
	const char *seed;                 // id of the snapshot that the workspace begins with; NULL
	const char *session_state;        // of a session that it takes over, as JSON; NULL
	const char *keep, *snapshot;      // instead of what the team says of its sandbox; NULL
	const char *id;                   // NULL: one is made
	bool held;                        // no model will be asked
};

// `store` must be open for writing and outlive the engine.
struct engine *engine_create(
	struct store *store, const struct engine_watcher *watcher, struct error *error);
void engine_destroy(struct engine *engine); // NULL is fine

// A new run; NULL on error (the team is freed all the same).
struct job *engine_add(
	struct engine *engine, const struct engine_start *start, struct error *error);
// Takes a run up again from its journal, with the team and the rehearsal that it was started with:
// what was under way is asked again, or (a tool that may have changed something) answered as
// interrupted. `raise` is added to its limits; `request` (may be NULL) is what a person asks of it at
// the same time. A run that another process drives is refused (ERROR_USAGE), one that has ended, too,
// unless it is done and is told something; and a request that does not fit what the run waits for:
// then nothing has happened.
struct job *engine_resume(struct engine *engine, const char *id,
	const struct vocabulary *vocabulary, const struct team_limits *raise,
	const struct request *request, struct error *error);
// What a run was up to some turn becomes a run of its own, with its history and its conversations.
struct engine_fork {
	const char *run; // id
	int64_t turn; // the last one that it takes along; -1: all of it, with its workspace as it is
		      // now, which nobody may be driving
	const char *sandbox,
		*sandbox_options; // where it goes on, as in engine_start; NULL: as before
};
// The id of the new run, in the arena, which waits to be resumed; NULL on error. What cannot be taken
// along of the workspace is told to the watcher.
const char *engine_fork(struct engine *engine, const struct engine_fork *fork,
	const struct vocabulary *vocabulary, struct arena *arena, struct error *error);

// Holds a run that nobody drives, with its live session, so that nobody else takes it up meanwhile;
// NULL on error. No model is asked.
struct job *engine_hold(struct engine *engine, const char *id, const struct vocabulary *vocabulary,
	struct error *error);
void engine_let_go(struct job *job); // NULL is fine
struct sandbox *job_sandbox(struct job *job);
// Puts a snapshot of a held run's workspace on the project's shelf, from which it is restored should
// its session be lost. Texts are in the arena.
bool job_snapshot(
	struct job *job, struct arena *arena, struct snapshot_made *made, struct error *error);
// Until all runs have ended or parked. False when the journal cannot be written: then nothing more
// was performed, and what the journal holds is what happened.
bool engine_drive(struct engine *engine, struct error *error);
// From a signal handler: parks all runs, calls under way may finish for ENGINE_GRACE.
void engine_interrupt(struct engine *engine);
bool engine_interrupted(const struct engine *engine);
// Forgets a run that rests, and frees what it holds; its record stays.
void engine_release(struct engine *engine, struct job *job);

const char *job_id(const struct job *job);
const struct team *job_team(const struct job *job);
const struct run_state *job_state(const struct job *job);
// The secrets that the run uses: keys of models, tokens of repositories. For hiding them, not for
// showing them; NULL: none was needed in this place.
size_t job_secret_count(const struct job *job);
const char *job_secret(const struct job *job, size_t index);
// Why the run parked as unavailable, or failed to start a command: one sentence, or "".
const char *job_reason(struct job *job);
// The failing lines of a verdict ("- ..." each), as an agent gets them; "" if there are none.
const char *job_verdict(struct job *job, uint32_t branch, uint32_t command);
// For an answered or scheduled tool call: its name and a short form of its arguments.
void job_call_text(struct job *job, uint32_t branch, uint32_t call, struct buffer *text);
// For a call that asks a person: the question and the choices, in one line.
void job_question_text(struct job *job, uint32_t branch, uint32_t call, struct buffer *text);
// What a person said with the answer to a question; nothing is added if it was none.
void job_answer_text(struct job *job, uint32_t question, struct buffer *text);
// The message that came in last, while its event is shown.
const char *job_message(const struct job *job);
// What a record found: valid while its event is shown.
const struct store_change *job_changes(struct job *job, size_t *count);
// The last text of a branch; the root's is the run's answer.
struct text job_report(const struct job *job, uint32_t branch);
