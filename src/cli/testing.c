#include "cli/testing.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "base/file.h"
#include "base/path.h"
#include "cli/driving.h"
#include "cli/testing_variant.h"
#include "cli/vocabulary.h"
#include "run/state.h"
#include "view/summary.h"

enum { SHOWN = 400 /* bytes of a text from outside in a problem */ };

// --- What a run did ---

// A handoff, or one that was refused.
struct played_handoff {
	uint32_t branch, turn, call; // of whom handed over
	uint32_t from, to;           // agents
	bool refused;
};

// One run as it is watched.
struct played {
	struct played_handoff *handoffs;
	size_t handoff_count;
	uint32_t *agents; // per branch, before the event
	size_t agent_count;
};

static struct engine *volatile timed; // for the signal handler; NULL: nothing runs
static volatile sig_atomic_t timed_out;

static void time_is_up(int signal)
{
	(void)signal;
	timed_out = 1;
	if (timed) {
		engine_interrupt(timed);
	}
}

static void set_timer(struct engine *engine, int64_t milliseconds)
{
	struct sigaction action = {.sa_handler = time_is_up, .sa_flags = SA_RESTART};
	struct itimerval timer = {.it_value = {milliseconds / 1000, milliseconds % 1000 * 1000}};
	timed = engine;
	timed_out = engine ? 0 : timed_out;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

// Those of one answer are kept in the order of its calls, however their gates came to an end.
static void add_handoff(struct played *played, const struct played_handoff *handoff)
{
	size_t at = played->handoff_count++;
	played->handoffs =
		memory_resize(played->handoffs, played->handoff_count * sizeof(*played->handoffs));
	for (; at > 0; at--) {
		const struct played_handoff *other = &played->handoffs[at - 1];
		if (other->branch != handoff->branch || other->turn != handoff->turn ||
			other->call <= handoff->call) {
			break;
		}
		played->handoffs[at] = *other;
	}
	played->handoffs[at] = *handoff;
}

// One a line.
static void print_handoffs(
	struct buffer *lines, const struct played *played, const struct team *team)
{
	for (size_t i = 0; i < played->handoff_count; i++) {
		const struct played_handoff *handoff = &played->handoffs[i];
		buffer_printf(lines, "%s -> %s%s\n", team->agents[handoff->from].name,
			team->agents[handoff->to].name, handoff->refused ? " (refused)" : "");
	}
}

static void keep_agents(struct played *played, const struct run_state *state)
{
	if (played->agent_count < state->branch_count) {
		played->agents =
			memory_resize(played->agents, state->branch_count * sizeof(uint32_t));
		played->agent_count = state->branch_count;
	}
	for (uint32_t i = 0; i < state->branch_count; i++) {
		played->agents[i] = state->branches[i].agent;
	}
}

static void watch(void *data, struct job *job, const struct run_event *event)
{
	struct played *played = data;
	const struct run_state *state = job_state(job);
	const struct team *team = job_team(job);
	uint32_t branch = event->kind == BRANCH_OPENED ? event->parent : event->branch;
	if (branch < state->branch_count && branch < played->agent_count) {
		struct played_handoff handoff = {.branch = branch,
			.turn = state->branches[branch].turn,
			.call = event->call,
			.from = played->agents[branch],
			.to = event->agent};
		if (event->kind == BRANCH_OPENED || event->kind == CONTROL_TRANSFERRED) {
			add_handoff(played, &handoff);
		} else if (event->kind == CALL_ANSWERED && event->code == ANSWER_REFUSED &&
			event->call < state->branches[branch].call_count) {
			uint32_t edge = state->branches[branch].calls[event->call].edge;
			handoff.to = (uint32_t)team->edges[edge].to;
			handoff.refused = true;
			add_handoff(played, &handoff);
		}
	}
	keep_agents(played, state);
}

// --- Problems ---

static struct test_result *add_result(
	struct testing *testing, const char *name, struct yaml_position position)
{
	if ((testing->count & (testing->count - 1)) == 0) {
		size_t room = testing->count ? testing->count * 2 : 1;
		struct test_result *larger =
			arena_new_array(&testing->arena, room, struct test_result);
		if (testing->count) {
			memcpy(larger, testing->results, testing->count * sizeof(*larger));
		}
		testing->results = larger;
	}
	struct test_result *result = &testing->results[testing->count++];
	*result = (struct test_result){.name = name, .position = position};
	return result;
}

static void problem(struct testing *testing, struct test_result *result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void problem(struct testing *testing, struct test_result *result, const char *format, ...)
{
	va_list arguments;
	size_t count = result->problem_count;
	const char **larger = arena_new_array(&testing->arena, count + 1, const char *);
	for (size_t i = 0; i < count; i++) {
		larger[i] = result->problems[i];
	}
	va_start(arguments, format);
	larger[count] = arena_vprintf(&testing->arena, format, arguments);
	va_end(arguments);
	testing->failed += count == 0;
	result->problems = larger;
	result->problem_count++;
}

static const char *shown(struct testing *testing, struct text text)
{
	buffer_cleanup line = {0};
	buffer_add_line(&line, text, SHOWN);
	return arena_string(&testing->arena, line.data ? line.data : "");
}

// --- What was expected, and what was found ---

static void compare_handoffs(struct testing *testing, const struct test *test,
	struct test_result *result, struct text found)
{
	struct text line;
	for (size_t i = 0; i < test->handoffs.count; i++) {
		const char *expected = test->handoffs.items[i];
		if (!text_next_line(&found, &line)) {
			problem(testing, result, "handoff %zu has to be '%s', but there was none",
				i + 1, expected);
			return;
		}
		if (!text_is(line, expected)) {
			problem(testing, result, "handoff %zu has to be '%s', but was '%s'", i + 1,
				expected, shown(testing, line));
			return;
		}
	}
	if (test->handoffs_given && text_next_line(&found, &line)) {
		problem(testing, result, "there is one handoff more than expected: '%s'",
			shown(testing, line));
	}
}

static void compare_count(struct testing *testing, struct test_result *result, const char *gate,
	const char *what, int64_t expected, int64_t found)
{
	if (expected >= 0 && expected != found) {
		problem(testing, result, "gate '%s' has to have %s %lld times, but has %lld times",
			gate, what, (long long)expected, (long long)found);
	}
}

static void compare_artifact(struct testing *testing, struct test_result *result,
	const struct summary *summary, const struct test_artifact *expected)
{
	for (size_t i = 0; i < summary->artifact_count; i++) {
		const struct summary_artifact *artifact = &summary->artifacts[i];
		if (strcmp(artifact->path, expected->path) != 0 || artifact->size < 0) {
			continue;
		}
		if (strcmp(artifact->agent, expected->agent) != 0) {
			problem(testing, result, "'%s' has to be by %s, but is by %s",
				expected->path, expected->agent, artifact->agent);
		}
		return;
	}
	problem(testing, result, "'%s' has to be there, by %s, but is not", expected->path,
		expected->agent);
}

static void compare_text(struct testing *testing, struct test_result *result, const char *what,
	const struct pattern *pattern, struct text found)
{
	if (pattern && pattern_search(pattern, found, NULL, NULL) != PATTERN_MATCH) {
		problem(testing, result, "the %s does not match; it is: %s", what,
			shown(testing, found));
	}
}

static void compare(struct testing *testing, const struct test *test, struct test_result *result,
	const struct summary *summary, struct text handoffs)
{
	const struct store_run *run = &summary->run;
	if (run->exit_code != test->exit_code) {
		problem(testing, result, "the exit code has to be %lld, but is %d (%s)%s%s",
			(long long)test->exit_code, run->exit_code, run->state,
			run->reason[0] ? ": " : "", shown(testing, text_of(run->reason)));
	}
	compare_handoffs(testing, test, result, handoffs);
	for (size_t i = 0; i < test->gate_count; i++) {
		const struct test_gate *expected = &test->gates[i];
		const struct summary_gate *gate = &summary->gates[expected->gate];
		compare_count(testing, result, gate->name, "held", expected->passed, gate->passed);
		compare_count(
			testing, result, gate->name, "failed", expected->refused, gate->refused);
	}
	for (size_t i = 0; i < test->artifact_count; i++) {
		compare_artifact(testing, result, summary, &test->artifacts[i]);
	}
	compare_text(testing, result, "answer", test->answer, summary->answer);
	compare_text(testing, result, "reason", test->reason, text_of(run->reason));
}

static void play_variants(struct testing *testing, const struct test *test, const char *workspace)
{
	for (size_t i = 0; i < test->variant_count; i++) {
		const struct test_variant *variant = &test->variants[i];
		const char *gate = testing->team->gates[variant->gate].name;
		const char *name = arena_printf(&testing->arena, "%s: %s", gate,
			variant->name            ? variant->name
				: variant->finds ? "refuses a spoilt workspace"
						 : "holds when all is done");
		struct test_result *result = add_result(testing, name, variant->position);
		const char *found = NULL;
		struct error error = {0};
		if (!workspace) {
			problem(testing, result, "the run left no workspace");
		} else if (!testing_variant(testing, variant, workspace, &found, &error)) {
			problem(testing, result, "%s", error.message);
		} else if (found) {
			problem(testing, result, "%s", found);
		}
	}
}

static bool judge(struct testing *testing, const struct test *test, struct store *store,
	const char *id, struct text handoffs, struct error *error)
{
	struct store_run run;
	struct summary summary;
	struct test_result *result = &testing->results[testing->count - 1];
	if (!store_find(store, &testing->arena, id, &run, error) ||
		!summary_read(&summary, &testing->arena, store, &run, testing->team, error)) {
		return false;
	}
	if (timed_out) {
		problem(testing, result, "it takes longer than %lld ms", (long long)test->timeout);
		return true;
	}
	compare(testing, test, result, &summary, handoffs);
	play_variants(testing, test, summary.workspace);
	return true;
}

// --- One test ---

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static bool drive_one(struct testing *testing, const struct test *test, struct store *store,
	struct played *played, struct error *error)
{
	struct engine_watcher watcher = {.event = watch, .data = played};
	struct engine_start start = {.team = testing->team,
		.shared = true,
		.inputs = test->inputs.items,
		.input_count = test->inputs.count,
		.rehearsal = test->rehearsal,
		.sandbox = testing->sandbox};
	struct engine *engine = engine_create(store, &watcher, error);
	if (!engine) {
		return false;
	}
	int64_t began = now();
	driving_interruptible(engine);
	set_timer(engine, test->timeout);
	struct job *job = engine_add(engine, &start, error);
	bool fine = job && engine_drive(engine, error);
	set_timer(NULL, 0);
	driving_interruptible(NULL);
	testing->interrupted = engine_interrupted(engine) && !timed_out;
	if (!testing->interrupted) {
		struct test_result *result = add_result(testing, test->name, test->position);
		result->milliseconds = now() - began;
		if (!fine) { // a wrong input, a rehearsal with a mistake: of this test alone
			problem(testing, result, "%s", error->message);
			*error = (struct error){0};
			fine = true;
		} else {
			buffer_cleanup handoffs = {0};
			print_handoffs(&handoffs, played, testing->team);
			fine = judge(testing, test, store,
				arena_string(&testing->arena, job_id(job)), buffer_text(&handoffs),
				error);
		}
	}
	engine_destroy(engine);
	return fine;
}

bool testing_play(struct testing *testing, const struct test *test, struct error *error)
{
	struct played played = {0};
	struct store *store = store_open(testing->folder, STORE_WRITE, error);
	bool fine = store && drive_one(testing, test, store, &played, error);
	store_close(store);
	free(played.handoffs);
	free(played.agents);
	return fine;
}

void testing_finish(struct testing *testing)
{
	arena_finish(&testing->arena);
}
