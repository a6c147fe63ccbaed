#include "engine/engine.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "engine/job.h"
#include "engine/pool.h"
#include "engine/secrets.h"
#include "engine/start.h"
#include "perform/kept.h"

enum {
	TIMER_MOST = 60000,    // milliseconds that are waited at most when there is a deadline
	TIMER_REQUESTS = 1000, // and when requests have to be looked for
};

struct engine {
	struct store *store;
	struct engine_watcher watcher;
	struct pool *pool;
	struct secrets *secrets;
	int watch; // for requests
	struct job *jobs;
	struct job **jobs_last;
	atomic_bool interrupted; // set from a signal handler
	bool parking;            // the interrupt was taken in
};

struct engine *engine_create(
	struct store *store, const struct engine_watcher *watcher, struct error *error)
{
	struct engine *engine = memory_alloc(sizeof(*engine));
	engine->store = store;
	engine->watcher = watcher ? *watcher : (struct engine_watcher){0};
	engine->jobs_last = &engine->jobs;
	engine->pool = pool_create(ENGINE_THREADS, error);
	if (!engine->pool) {
		free(engine);
		return NULL;
	}
	engine->secrets = secrets_create(&engine->interrupted);
	engine->watch = requests_watch(store);
	return engine;
}

void engine_destroy(struct engine *engine)
{
	if (!engine) {
		return;
	}
	pool_destroy(engine->pool);
	file_close(&engine->watch);
	while (engine->jobs) {
		struct job *next = engine->jobs->next;
		job_destroy(engine->jobs);
		engine->jobs = next;
	}
	secrets_destroy(engine->secrets);
	free(engine);
}

struct store *engine_store(struct engine *engine)
{
	return engine->store;
}

struct secrets *engine_secrets(struct engine *engine)
{
	return engine->secrets;
}

void engine_show(struct engine *engine, struct job *job, const struct run_event *event)
{
	if (engine->watcher.event) {
		engine->watcher.event(engine->watcher.data, job, event);
	}
}

void engine_filling(void *data, const struct manifest_progress *progress)
{
	const struct engine *engine = data;
	if (engine->watcher.filling) {
		engine->watcher.filling(engine->watcher.data, progress->files, progress->bytes);
	}
}

void engine_said(void *data, const char *line)
{
	const struct engine *engine = data;
	if (engine->watcher.said) {
		engine->watcher.said(engine->watcher.data, line);
	}
}

void engine_remember(struct engine *engine, struct job *job, const struct run_event *event)
{
	if (engine->watcher.past) {
		engine->watcher.past(engine->watcher.data, job, event);
	}
}

static void pass_on_notice(void *data, const struct model_notice *notice)
{
	const struct work *work = data;
	const struct job *job = work->owner;
	const struct engine_watcher *watcher = &job->engine->watcher;
	watcher->notice(watcher->data, work->branch, work->agent, notice);
}

void engine_watch_model(struct engine *engine, struct work *work)
{
	if (engine->watcher.notice) {
		work->request.notice = pass_on_notice;
		work->request.notice_data = work;
		work->request.notice_text = engine->watcher.notice_text;
	}
}

void engine_done(struct work *work)
{
	struct job *job = work->owner;
	pool_done(job->engine->pool, work);
}

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// Two changes of threads would take longer than the work itself.
static bool is_quick(const struct job *job, const struct work *work)
{
	return work->kind == COMMAND_CALL_TOOL && work->call.tool && work->call.tool->quick &&
		job->workshop.driver->flags & SANDBOX_HOST_FOLDER;
}

static void start_work(struct engine *engine, struct job *job, struct work *work)
{
	work->next = NULL;
	job->under_way =
		memory_resize(job->under_way, (job->under_way_count + 1) * sizeof(struct work *));
	job->under_way[job->under_way_count++] = work;
	if (work->kind == COMMAND_CALL_MODEL || is_quick(job, work)) {
		perform(work); // a model's answer comes later, and holds no thread
	} else {
		pool_submit(engine->pool, work);
	}
}

// Starts what the wake-up scheduled: only now, when the journal says so. Models are asked first: they
// take longest, and what opens the sandbox would otherwise compete with the first request.
static void submit(struct engine *engine, struct job *job)
{
	struct work *ready = job->ready, *others = NULL, **last = &others;
	job->ready = NULL;
	job->ready_last = &job->ready;
	while (ready) {
		struct work *work = ready;
		ready = ready->next;
		if (work->kind == COMMAND_CALL_MODEL) {
			start_work(engine, job, work);
		} else {
			*last = work;
			last = &work->next;
		}
	}
	*last = NULL;
	while (others) {
		struct work *work = others;
		others = others->next;
		start_work(engine, job, work);
	}
}

static void forget(struct job *job, const struct work *work)
{
	for (size_t i = 0; i < job->under_way_count; i++) {
		if (job->under_way[i] == work) {
			job->under_way[i] = job->under_way[--job->under_way_count];
			return;
		}
	}
}

// Commits what a wake-up brought for all runs, then starts what was scheduled.
static bool commit(struct engine *engine, struct error *error)
{
	bool durable = false;
	for (struct job *job = engine->jobs; job; job = job->next) {
		durable = durable || job->durable;
		job->durable = false;
		if (!job_save(job, error)) {
			return false;
		}
	}
	if (!store_commit(engine->store, durable, error)) {
		return false;
	}
	for (struct job *job = engine->jobs; job; job = job->next) {
		submit(engine, job);
		job_cancel(job);
	}
	return true;
}

static bool start_job(
	struct job *job, struct store *store, const struct engine_start *start, struct error *error)
{
	struct run_event started = {.kind = RUN_STARTED};
	buffer_cleanup frozen = {0};
	buffer_cleanup greeting = {0};
	const struct team *team = job->team;
	team_freeze(&frozen, team);
	for (size_t i = 0; i < team->input_count; i++) {
		if (job->values.values[i]) {
			buffer_printf(&greeting, "%s%s:\n%s", greeting.length ? "\n\n" : "",
				team->inputs[i].name, job->values.values[i]);
		}
	}
	if (greeting.length == 0) {
		buffer_add_string(&greeting, "Begin.");
	}
	struct talk *root = words_talk(job, 0);
	size_t number = conversation_add_user(&root->conversation, buffer_text(&greeting));
	struct store_item item = {.branch = 0,
		.sequence = (int64_t)number,
		.event = job->sequence + 1,
		.json = conversation_item(&root->conversation, number)};
	started.bytes = (int64_t)item.json.length;
	return store_put_text(store, job->id, "team", 0, buffer_text(&frozen), error) &&
		start_save(job, start, error) && job_drives(job, &job->workshop.restarted, error) &&
		store_put_text(store, job->id, "input", 0, buffer_text(&greeting), error) &&
		job_save(job, error) && store_add_item(store, job->id, &item, error) &&
		job_feed(job, &started, NULL, error);
}

// What the run's workspace is, when it is not made from the manifest: as if it had been the run's.
static bool put_origin(const struct job *job, const struct engine_start *start, struct error *error)
{
	arena_cleanup arena = {0};
	struct kept_snapshot kept = {start->seed, "", NULL};
	return (!start->seed || kept_write(job->workshop.folder, &kept, error)) &&
		(!start->session_state ||
			file_replace(path_join(&arena, job->workshop.folder, "sandbox.json"),
				text_of(start->session_state), 0600, error));
}

struct job *engine_add(struct engine *engine, const struct engine_start *start, struct error *error)
{
	struct job *job = job_create(engine, engine->store, start, error);
	if (!job) {
		return NULL;
	}
	*engine->jobs_last = job;
	engine->jobs_last = &job->next;
	if (!put_origin(job, start, error)) {
		return NULL;
	}
	job->touched = true;
	if (!store_begin(engine->store, error)) {
		return NULL;
	}
	if (!start_job(job, engine->store, start, error) || !commit(engine, error)) {
		store_rollback(engine->store);
		return NULL;
	}
	return job;
}

static bool can_go_on(
	const struct store_run *row, const struct request *request, struct error *error)
{
	bool told = request && request->kind == REQUEST_TELL;
	if (strcmp(row->state, "parked") == 0 || strcmp(row->state, "running") == 0 ||
		(told && strcmp(row->state, "done") == 0)) {
		return true;
	}
	error_set(error, ERROR_USAGE, "run '%s' is %s; there is nothing to go on with", row->id,
		row->state);
	return error_hint(error, "'muster show %s' says what came of it", row->id);
}

// One request: what it means is fed to the run, and what came of it is said to whoever sent it. Both
// are in one transaction: it is taken in once.
static bool take_request(struct engine *engine, struct job *job, const struct store_request *row,
	struct error *error)
{
	struct request request;
	struct run_event event;
	struct error refusal = {0};
	char result[sizeof(refusal.message) + sizeof(refusal.hint) + 1] = "";
	if (request_read(row, &request, &refusal) &&
		request_event(job, &request, &event, &refusal)) {
		if (!job_ask(job, &event, request.text, error) || !job_decide(job, error)) {
			return false;
		}
		if (event.kind == PARK_REQUESTED) {
			job->grace = now() + ENGINE_GRACE;
		}
	} else {
		snprintf(result, sizeof(result), "%s\n%s", refusal.message, refusal.hint);
	}
	return store_settle_request(engine->store, row->id, result, error);
}

// Those of all runs here, or of one.
static bool take_requests(struct engine *engine, struct job *only, struct error *error)
{
	arena_cleanup arena = {0};
	struct store_request *requests;
	size_t count;
	if (!store_requests(
		    engine->store, &arena, only ? only->id : NULL, &requests, &count, error)) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		struct job *job = engine->jobs;
		while (job && strcmp(job->id, requests[i].run) != 0) {
			job = job->next;
		}
		// A run whose session is being removed is taken up by whoever asks, afterwards.
		if (job && !job->closed && !take_request(engine, job, &requests[i], error)) {
			return false;
		}
	}
	return true;
}

// The journal is read, then what goes on is said to it: that it is resumed, what is asked of it now,
// and what was asked of it when nobody was there. Only then something is decided.
static bool take_up(struct engine *engine, struct job *job, const struct store_run *row,
	const struct team_limits *raise, const struct request *request, struct error *error)
{
	struct run_event resumed = {.kind = RUN_RESUMED, .raise = *raise};
	struct run_event asked;
	if (!job_restore(job, row, error) || !job_drives(job, &job->workshop.restarted, error) ||
		(request && !request_event(job, request, &asked, error)) ||
		(!run_ended(&job->state) && !job_take(job, &resumed, error)) ||
		(request && !job_ask(job, &asked, request->text, error))) {
		return false;
	}
	return take_requests(engine, job, error) && job_decide(job, error) && commit(engine, error);
}

struct job *engine_resume(struct engine *engine, const char *id,
	const struct vocabulary *vocabulary, const struct team_limits *raise,
	const struct request *request, struct error *error)
{
	arena_cleanup arena = {0};
	struct restart again;
	if (!store_find(engine->store, &arena, id, &again.row, error) ||
		!can_go_on(&again.row, request, error) ||
		!start_read(engine, &arena, vocabulary, &again, error)) {
		return NULL;
	}
	struct job *job = job_create(engine, engine->store, &again.start, error);
	if (!job) {
		return NULL;
	}
	*engine->jobs_last = job;
	engine->jobs_last = &job->next;
	if (!store_begin(engine->store, error)) {
		return NULL;
	}
	if (!take_up(engine, job, &again.row, raise, request, error)) {
		store_rollback(engine->store);
		return NULL;
	}
	return job;
}

static bool take_done(struct engine *engine, struct work *done, struct error *error)
{
	bool fine = true;
	while (done) {
		struct work *work = done;
		struct job *job = work->owner;
		done = done->next;
		forget(job, work);
		fine = fine && (work->action || job_feed(job, &work->event, work, error));
		work_destroy(work);
	}
	(void)engine;
	return fine;
}

static bool take_interrupt(struct engine *engine, struct error *error)
{
	if (!atomic_load(&engine->interrupted) || engine->parking) {
		return true;
	}
	engine->parking = true;
	for (struct job *job = engine->jobs; job; job = job->next) {
		struct run_event park = {.kind = PARK_REQUESTED};
		job->grace = now() + ENGINE_GRACE;
		if (!job_feed(job, &park, NULL, error)) {
			return false;
		}
	}
	return true;
}

static bool take_time(struct engine *engine, struct error *error)
{
	for (struct job *job = engine->jobs; job; job = job->next) {
		struct run_event clock = {.kind = CLOCK_ADVANCED};
		if (job_now(job) >= run_deadline(&job->state, job->rules) &&
			!job_feed(job, &clock, NULL, error)) {
			return false;
		}
	}
	return true;
}

static bool is_at_rest(const struct job *job)
{
	return job_resting(job) && job->under_way_count == 0;
}

// Milliseconds until something has to be done without being woken; -1: never. *working: some run is
// neither at its end nor parked.
static int next_timer(const struct engine *engine, bool *working)
{
	int64_t wait = INT64_MAX;
	*working = false;
	for (const struct job *job = engine->jobs; job; job = job->next) {
		int64_t deadline = run_deadline(&job->state, job->rules);
		if (is_at_rest(job)) {
			continue;
		}
		*working = true;
		if (deadline != INT64_MAX && deadline - job_now(job) < wait) {
			wait = deadline - job_now(job);
		}
		if (job->grace && job->grace - now() < wait) {
			wait = job->grace - now();
		}
	}
	int64_t most = engine->watch >= 0 ? TIMER_MOST : TIMER_REQUESTS;
	if (wait == INT64_MAX && engine->watch >= 0) {
		return -1;
	}
	return wait < 1 ? 1 : wait > most ? (int)most : (int)wait;
}

// What is left to do for runs that have ended, before they rest.
static void close_ended(struct engine *engine)
{
	for (struct job *job = engine->jobs; job; job = job->next) {
		struct work *work = !job->closed && is_at_rest(job) ? job_close(job) : NULL;
		if (work) {
			job->closed = true;
			start_work(engine, job, work);
		}
	}
}

// Whoever is told may change the list: runs are added at its end, and the one told of may go.
static bool tell_rest(struct engine *engine, struct error *error)
{
	struct job *job = engine->watcher.rests ? engine->jobs : NULL;
	while (job) {
		struct job *next = job->next;
		if (!job->rested && is_at_rest(job)) {
			job->rested = true;
			if (!engine->watcher.rests(engine->watcher.data, job, error)) {
				return false;
			}
		}
		job = next;
	}
	return true;
}

bool engine_drive(struct engine *engine, struct error *error)
{
	for (;;) {
		bool working;
		close_ended(engine);
		if (!tell_rest(engine, error)) {
			return false;
		}
		int timeout = next_timer(engine, &working);
		if (!working) {
			return true;
		}
		struct pollfd pollers[] = {{.fd = pool_descriptor(engine->pool), .events = POLLIN},
			{.fd = engine->watch, .events = POLLIN}};
		if (poll(pollers, 2, timeout) < 0 && errno != EINTR) {
			return error_errno(error, ERROR_FAILED, "cannot wait for commands");
		}
		bool asked = engine->watch < 0 || pollers[1].revents != 0;
		requests_heard(asked ? engine->watch : -1);
		if (!store_begin(engine->store, error)) {
			return false;
		}
		if (!take_done(engine, pool_take(engine->pool), error) ||
			(asked && !take_requests(engine, NULL, error)) ||
			!take_interrupt(engine, error) || !take_time(engine, error) ||
			!commit(engine, error)) {
			store_rollback(engine->store);
			return false;
		}
	}
}

void engine_interrupt(struct engine *engine)
{
	atomic_store(&engine->interrupted, true);
	pool_wake(engine->pool);
}

bool engine_interrupted(const struct engine *engine)
{
	return atomic_load(&engine->interrupted);
}

void engine_release(struct engine *engine, struct job *job)
{
	struct job **at = &engine->jobs;
	while (*at != job) {
		at = &(*at)->next;
	}
	*at = job->next;
	if (!job->next) {
		engine->jobs_last = at;
	}
	job_destroy(job);
}
