/*
 * One run in the engine's hands: its folded state, its conversations, its workshop. Everything here
 * happens on the scheduler thread, inside the transaction that the engine opened. Private to
 * src/engine/.
 */
#pragma once

#include "agent/conversation.h"
#include "engine/engine.h"
#include "perform/perform.h"

enum { TALK_NOBODY = -1, TALK_SEVERAL = -2 };

// What is said in a branch.
struct talk {
	struct conversation conversation;
	struct model_answer *answer; // the last one: its calls, its text
	char *report;                // the last visible text
	int model;                   // which has spoken: of the team's, TALK_NOBODY, TALK_SEVERAL
	struct buffer paths;         // what it changed, one line per record and path
	char **messages;             // told, and not yet passed on
	size_t message_count;
	size_t left_behind; // items of its own that a transfer did not pass on
};

struct job {
	struct engine *engine;
	struct job *next;
	struct arena arena; // of what lives as long as the job
	const char *id;
	struct team *team;
	bool shared; // the team is not ours
	bool rested; // the watcher was told that it rests
	bool closed; // the run has ended, and what is to come of its session was begun
	const char *keep, *snapshot; // as in team_sandbox
	struct team_values values;
	const struct run_rules *rules;
	struct gate **gates;
	struct text *instructions, *tools; // per agent
	struct model_settings *models;     // as team->models
	struct workshop workshop;
	struct run_state state;
	struct talk **talks; // per branch
	size_t talk_count;
	struct written *written; // since the last record; paths are malloc'd
	size_t written_count;
	struct work **under_way; // submitted, not done
	size_t under_way_count;
	struct work *ready; // scheduled in this wake-up, to be submitted after the commit
	struct work **ready_last;
	int lock;                // the descriptor of lock.h
	int64_t sequence;        // of the last event
	int64_t event;           // of the one that is being taken in
	int64_t created;         // milliseconds since 1970
	int64_t worked, resumed; // working time up to `resumed` (monotonic); while it runs
	int64_t gates_passed, gates_refused;
	bool rehearsal;
	bool durable;        // something in this wake-up has to be on disk before it is acted on
	bool touched;        // its line in the list has to be written
	const char *message; // the last one, while its event is shown
	const struct work *shown; // whose event is being shown to the watcher
	char reason[2048];
	struct buffer verdict; // holds the last answer of job_verdict()
	int64_t grace;         // monotonic time at which calls under way are cut; 0: none
};

struct job *job_create(struct engine *engine, struct store *store, const struct engine_start *start,
	struct error *error);
void job_destroy(struct job *job);
const char *job_make_id(struct arena *arena, const char *team);
// Puts a run that was created with the id of an earlier one back to where its journal ends.
bool job_restore(struct job *job, const struct store_run *row, struct error *error);
// Takes an event in (journal, fold, conversations), then all decisions that follow from it. Returns
// false only when the journal cannot be written. `work` may be NULL.
bool job_feed(struct job *job, struct run_event *event, struct work *work, struct error *error);
// The two halves of it.
bool job_take(struct job *job, struct run_event *event, struct error *error);
bool job_decide(struct job *job, struct error *error);
// As job_take, for what a person asks; `text` is that of a message.
bool job_ask(struct job *job, struct run_event *event, struct text text, struct error *error);
// order.c: a scheduled command becomes work, which is submitted once the journal is written.
void job_order(struct job *job, const struct run_event *event);
// The run has ended: work that does with its session what the team says; NULL: nothing is to be done.
struct work *job_close(struct job *job);
// Writes the run's line in the list, if it changed.
bool job_save(struct job *job, struct error *error);
// Notes in the journal which process drives the run, on which start of the machine. *restarted: it was
// another start, last time.
bool job_drives(struct job *job, bool *restarted, struct error *error);
int64_t job_now(const struct job *job); // working time, milliseconds
// Cuts short what works for branches that are ending, or everything once the grace is over.
void job_cancel(struct job *job);
bool job_resting(const struct job *job); // ended, or parked

// The engine's.
void engine_show(struct engine *engine, struct job *job, const struct run_event *event);
// As the performers tell (workshop.filling, workshop.said), with the engine as teller.
void engine_said(void *engine, const char *line);
void engine_filling(void *engine, const struct manifest_progress *progress);
void engine_remember(struct engine *engine, struct job *job, const struct run_event *event);
struct store *engine_store(struct engine *engine);
struct secrets *engine_secrets(struct engine *engine);
void engine_done(struct work *work);
void engine_watch_model(struct engine *engine, struct work *work); // a call that is being ordered

// approvals.c: what a person said yes to, by what the gate's paths held.
struct approval {
	bool given, yes;
	uint32_t question;
	uint32_t gate, branch, command; // of the verdict that asked
};
// The check that a question of a gate is about; NULL: there is none.
const struct run_check *approval_check(const struct job *job, const struct run_question *question);
struct approval approval_before(const struct job *job, const struct run_event *event);
bool approval_after(struct job *job, const struct approval *approval, struct error *error);
// Ends with NULL.
const char *const *approvals_of(struct job *job, struct arena *arena, uint32_t gate);

// words.c: what is said in the branches. Before an event is folded, and after.
bool words_before(struct job *job, const struct run_event *event, struct error *error);
bool words_after(
	struct job *job, const struct run_event *event, struct work *work, struct error *error);
// Notes what a record found for the report of the branch that made it.
void words_changes(struct job *job, const struct run_event *event, const struct work *work);
struct talk *words_talk(struct job *job, uint32_t branch); // made if missing
// Its agent's model has spoken.
void words_spoken(struct job *job, uint32_t branch);
// Messages wait in the branch that gets them, until its next model call; what a branch that ends has
// not read, the one above gets. For an event that was folded; `sequence` is its number.
bool words_messages(
	struct job *job, const struct run_event *event, int64_t sequence, struct error *error);
void words_finish(struct job *job);
