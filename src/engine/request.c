#include "engine/request.h"

#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "engine/job.h"
#include "engine/lock.h"

enum { LISTEN_PAUSE = 20 /* milliseconds between two looks at what came of a request */ };

static const char *const kinds[] = {[REQUEST_TELL] = "tell",
	[REQUEST_ANSWER] = "answer",
	[REQUEST_PAUSE] = "pause",
	[REQUEST_STOP] = "stop"};
static const char *const choices[] = {[CHOICE_YES] = "yes",
	[CHOICE_NO] = "no",
	[CHOICE_RETRY] = "retry",
	[CHOICE_SKIP] = "skip",
	[CHOICE_RETURN] = "return",
	[CHOICE_ABORT] = "abort",
	[CHOICE_TEXT] = "text"};

static size_t find(const char *const *names, size_t count, const char *name)
{
	size_t found = 0;
	while (found < count && strcmp(names[found], name) != 0) {
		found++;
	}
	return found;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool request_read(const struct store_request *row, struct request *request, struct error *error)
{
	size_t kind = find(kinds, COUNT(kinds), row->kind);
	size_t choice = find(choices, COUNT(choices), row->value);
	if (kind == COUNT(kinds) || (kind == REQUEST_ANSWER && choice == COUNT(choices))) {
		return error_set(error, ERROR_USAGE,
			"a request '%s' is not known to the muster "
			"that drives the run",
			row->kind);
	}
	*request = (struct request){.kind = (enum request_kind)kind,
		.agent = kind == REQUEST_TELL ? row->value : "",
		.choice = kind == REQUEST_ANSWER ? (enum run_choice)choice : CHOICE_YES,
		.text = row->text};
	return true;
}

// --- Sending ---

static bool put(struct store *store, const char *run, const struct request *request, int64_t *id,
	struct error *error)
{
	struct store_request row = {.run = run,
		.kind = kinds[request->kind],
		.value = request->kind == REQUEST_ANSWER ? choices[request->choice]
			: request->agent                 ? request->agent
							 : "",
		.text = request->text};
	if (!store_begin(store, error)) {
		return false;
	}
	if (!store_add_request(store, &row, id, error) || !store_commit(store, true, error)) {
		store_rollback(store);
		return false;
	}
	store_ring(store);
	return true;
}

// Takes the request back unless somebody has taken it in meanwhile; *result says so.
static bool take_back(struct store *store, struct arena *arena, int64_t id, const char **result,
	struct error *error)
{
	if (!store_begin(store, error)) {
		return false;
	}
	if (store_request_result(store, arena, id, result, error) &&
		store_drop_request(store, id, error) && store_commit(store, false, error)) {
		return true;
	}
	store_rollback(store);
	return false;
}

enum request_fate request_send(struct store *store, const char *folder, const char *run,
	const struct request *request, struct error *error)
{
	static const struct timespec pause = {0, LISTEN_PAUSE * 1000000L};
	arena_cleanup arena = {0};
	int64_t id;
	const char *result = NULL;
	if (!run_is_driven(folder) || !put(store, run, request, &id, error)) {
		return REQUEST_UNHEARD;
	}
	while (!result && run_is_driven(folder)) {
		nanosleep(&pause, NULL);
		if (!store_request_result(store, &arena, id, &result, error)) {
			return REQUEST_UNHEARD;
		}
	}
	if (!take_back(store, &arena, id, &result, error) || !result) {
		return REQUEST_UNHEARD;
	}
	if (!result[0]) {
		return REQUEST_TAKEN;
	}
	// The reason, and on a line of its own the remedy.
	size_t length = strcspn(result, "\n");
	error_set(error, ERROR_USAGE, "%.*s", (int)length, result);
	error_hint(error, "%s", result + length + (result[length] == '\n'));
	return REQUEST_REFUSED;
}

// --- Taking in ---

int requests_watch(struct store *store)
{
	arena_cleanup arena = {0};
	struct error ignored = {0}; // without a bell the store is asked now and then
	const char *bell = store_request_bell(store, &arena, &ignored);
	int watch = bell ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
	if (watch >= 0 && inotify_add_watch(watch, bell, IN_ATTRIB) < 0) {
		close(watch);
		return -1;
	}
	return watch;
}

void requests_heard(int watch)
{
	_Alignas(struct inotify_event) char events[4096];
	while (watch >= 0 && read(watch, events, sizeof(events)) > 0) {
		continue;
	}
}

// The newest open branch in which the agent is at work.
static uint32_t branch_of(const struct job *job, const char *agent)
{
	const struct run_state *state = &job->state;
	for (uint32_t i = state->open_count; i-- > 0;) {
		uint32_t at = state->branches[state->open[i]].agent;
		if (strcmp(job->team->agents[at].name, agent) == 0 &&
			!run_branch_ending(state, state->open[i])) {
			return state->open[i];
		}
	}
	return RUN_NONE;
}

static bool tell(const struct job *job, const struct request *request, struct run_event *event,
	struct error *error)
{
	event->kind = MESSAGE_RECEIVED;
	event->bytes = (int64_t)request->text.length;
	event->branch = request->agent[0] ? branch_of(job, request->agent) : 0;
	if (event->branch == RUN_NONE) {
		error_set(error, ERROR_USAGE, "agent '%s' is not at work in run '%s'",
			request->agent, job->id);
		return error_hint(error, "'muster tell %s' tells the manager", job->id);
	}
	if ((run_ended(&job->state) && job->state.status != RUN_DONE) ||
		run_branch_ending(&job->state, 0)) {
		error_set(error, ERROR_USAGE, "run '%s' has ended: nobody is there to be told",
			job->id);
		return error_hint(error, "'muster show %s' says what came of it", job->id);
	}
	return true;
}

static const struct {
	const char *verb, *rest;
} remedies[] = {[QUESTION_TOOL] = {"approve", "', or reject"},
	[QUESTION_GATE] = {"approve", "', or reject"},
	[QUESTION_POLICY] = {"answer", " retry|skip|return|abort'"},
	[QUESTION_TEXT] = {"answer", " TEXT', or reject"}};

static bool choice_fits(enum run_question_kind kind, enum run_choice choice)
{
	if (choice == CHOICE_NO) {
		return kind != QUESTION_POLICY;
	}
	bool policy = choice >= CHOICE_RETRY && choice <= CHOICE_ABORT;
	return (kind == QUESTION_POLICY) == policy &&
		(kind == QUESTION_TEXT) == (choice == CHOICE_TEXT);
}

static bool answer(const struct job *job, const struct request *request, struct run_event *event,
	struct error *error)
{
	const struct run_state *state = &job->state;
	event->kind = PERSON_ANSWERED;
	event->code = request->choice;
	if (state->question_count == 0) {
		error_set(error, ERROR_USAGE, "run '%s' asks nothing", job->id);
		return error_hint(error, "'muster resume %s' goes on", job->id);
	}
	enum run_question_kind kind = state->questions[0].kind;
	if (kind == QUESTION_TEXT && request->text.length && event->code != CHOICE_NO) {
		event->code = CHOICE_TEXT; // a text is an answer, even if it is one of our words
	}
	if (!choice_fits(kind, event->code)) {
		error_set(error, ERROR_USAGE, "this is no answer to what run '%s' asks", job->id);
		return error_hint(error, "answer with 'muster %s %s%s", remedies[kind].verb,
			job->id, remedies[kind].rest);
	}
	bool said = event->code == CHOICE_TEXT || event->code == CHOICE_NO;
	event->bytes = said ? (int64_t)request->text.length : 0;
	event->question = state->questions[0].number;
	return true;
}

static bool stop(const struct job *job, struct run_event *event, struct error *error)
{
	event->kind = CANCEL_REQUESTED;
	if (run_ended(&job->state) || run_branch_ending(&job->state, 0)) {
		error_set(error, ERROR_USAGE, "run '%s' has ended, or is ending", job->id);
		return error_hint(error, "'muster show %s' says what came of it", job->id);
	}
	return true;
}

static bool pause_run(const struct job *job, struct run_event *event, struct error *error)
{
	event->kind = PARK_REQUESTED;
	return (job->state.status == RUN_RUNNING && !job->state.stopping) ||
		error_set(error, ERROR_USAGE, "run '%s' is not at work", job->id);
}

bool request_event(const struct job *job, const struct request *request, struct run_event *event,
	struct error *error)
{
	*event = (struct run_event){0};
	switch (request->kind) {
	case REQUEST_TELL:
		return tell(job, request, event, error);
	case REQUEST_ANSWER:
		return answer(job, request, event, error);
	case REQUEST_PAUSE:
		return pause_run(job, event, error);
	case REQUEST_STOP:
		return stop(job, event, error);
	}
	return false;
}
