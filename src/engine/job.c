#include "engine/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "agent/instructions.h"
#include "base/path.h"
#include "engine/event_json.h"
#include "engine/lock.h"
#include "engine/models.h"
#include "engine/rules.h"

enum {
	INPUT_VARIABLE_LIMIT = 16 * 1024, // longer inputs are no environment variables
	QUESTION_LIMIT = 1000,            // bytes that are shown
	CHOICE_LIMIT = 100,
};

static int64_t clock_milliseconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t job_now(const struct job *job)
{
	return job->resumed ? job->worked + clock_milliseconds(CLOCK_MONOTONIC) - job->resumed
			    : job->worked;
}

static void run_clock(struct job *job, bool runs)
{
	job->worked = job_now(job);
	job->resumed = runs ? clock_milliseconds(CLOCK_MONOTONIC) : 0;
}

const char *job_make_id(struct arena *arena, const char *team)
{
	static const char letters[] = "abcdefghjkmnpqrstvwxyz0123456789";
	unsigned char random[8];
	char id[sizeof(random) + 1] = {0};
	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		abort(); // cannot happen for so few bytes
	}
	for (size_t i = 0; i < sizeof(random); i++) {
		id[i] = letters[random[i] % 32];
	}
	return arena_printf(arena, "%s-%s", team, id);
}

static const char **environment(struct job *job)
{
	struct arena *arena = &job->arena;
	const struct team *team = job->team;
	size_t most = team->manifest.variable_count + team->input_count + 1;
	const char **variables = arena_new_array(arena, most, const char *);
	size_t count = 0;
	for (size_t i = 0; i < team->manifest.variable_count; i++) {
		const struct team_variable *variable = &team->manifest.environment[i];
		struct text value =
			team_substitute(arena, team, &job->values, text_of(variable->value));
		variables[count++] = arena_printf(
			arena, "%s=%.*s", variable->name, (int)value.length, value.data);
	}
	for (size_t i = 0; i < team->input_count; i++) {
		const char *value = job->values.values[i];
		// Where this machine keeps a folder is of no use to a command in the sandbox.
		if (!value || team->inputs[i].type == INPUT_FOLDER ||
			strlen(value) > INPUT_VARIABLE_LIMIT) {
			continue;
		}
		char *variable = arena_printf(arena, "INPUT_%s=%s", team->inputs[i].name, value);
		for (char *at = variable; *at != '='; at++) {
			*at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A')
				: *at == '-'           ? '_'
						       : *at;
		}
		variables[count++] = variable;
	}
	return variables;
}

static bool compile_gates(struct job *job, struct error *error)
{
	job->gates = arena_new_array(&job->arena, job->team->gate_count + 1, struct gate *);
	for (size_t i = 0; i < job->team->gate_count; i++) {
		job->gates[i] = gate_compile(&job->arena, job->team, &job->team->gates[i], error);
		if (!job->gates[i]) {
			return error_wrap(error, "gate '%s'", job->team->gates[i].name);
		}
	}
	return true;
}

static void prepare_agents(struct job *job)
{
	size_t count = job->team->agent_count;
	int64_t *bytes = arena_new_array(&job->arena, count, int64_t);
	job->instructions = arena_new_array(&job->arena, count, struct text);
	job->tools = arena_new_array(&job->arena, count, struct text);
	for (size_t i = 0; i < count; i++) {
		buffer_cleanup text = {0};
		buffer_cleanup tool_list = {0};
		instructions_build(&text, job->team, &job->values, (int)i);
		tool_list_json(&tool_list, job->team, (int)i);
		job->instructions[i] = text_copy(&job->arena, buffer_text(&text));
		job->tools[i] = text_copy(&job->arena, buffer_text(&tool_list));
		bytes[i] = (int64_t)(job->instructions[i].length + job->tools[i].length);
	}
	job->rules = rules_make(&job->arena, job->team, job->gates, bytes);
}

static struct model_client *open_model(struct job *job, const char *rehearsal, struct error *error)
{
	struct secrets *secrets = rehearsal ? NULL : engine_secrets(job->engine);
	if (!models_prepare(&job->arena, job->team, secrets, &job->models, error)) {
		return NULL;
	}
	return rehearsal ? rehearsal_open(rehearsal, error) : remote_open();
}

// Only a run that begins is refused for a token: one that goes on may have all that it needs.
static bool read_tokens(struct job *job, bool begins, struct error *error)
{
	const struct team_manifest *manifest = &job->team->manifest;
	const char **tokens = arena_new_array(&job->arena, manifest->token_count + 1, const char *);
	for (size_t i = 0; i < manifest->token_count; i++) {
		struct error reason = {0};
		tokens[i] = secrets_read(engine_secrets(job->engine), manifest->tokens[i].secret,
			"an entry of the manifest", &reason);
		if (!tokens[i] && begins) {
			*error = reason;
			return false;
		}
	}
	job->workshop.tokens = tokens;
	return true;
}

// Before there is anything of the run: what cannot be put into its workspace is the user's to know now.
static bool check_manifest(struct job *job, struct error *error)
{
	arena_cleanup arena = {0};
	struct manifest_place place = {.team = job->team,
		.values = &job->values,
		.driver = job->workshop.driver,
		.arena = &arena};
	return manifest_check(&place, error);
}

static bool prepare_workshop(
	struct job *job, struct store *store, const struct engine_start *start, struct error *error)
{
	struct workshop *workshop = &job->workshop;
	const char *provider = start->sandbox ? start->sandbox : job->team->sandbox.provider;
	workshop->driver = sandbox_driver_find(provider);
	if (!workshop->driver) {
		return error_set(
			       error, ERROR_USAGE, "there is no sandbox provider '%s'", provider) ||
			error_hint(error, "'muster providers' lists what there is");
	}
	if (!read_tokens(job, !start->id, error) || (!start->id && !check_manifest(job, error))) {
		return false;
	}
	if (!start->held) {
		workshop->model = open_model(job, start->rehearsal, error);
		if (!workshop->model) {
			return false;
		}
	}
	workshop->run = job->id;
	workshop->folder = store_run_folder(store, &job->arena, job->id, error);
	job->lock = workshop->folder ? run_lock(workshop->folder, job->id, error) : -1;
	if (job->lock < 0) {
		return false;
	}
	job->keep = arena_string(&job->arena, start->keep ? start->keep : job->team->sandbox.keep);
	const char *snapshot = start->snapshot ? start->snapshot : job->team->sandbox.snapshot;
	job->snapshot = snapshot ? arena_string(&job->arena, snapshot) : NULL;
	workshop->team = job->team;
	workshop->values = &job->values;
	workshop->gates = job->gates;
	workshop->environment = environment(job);
	workshop->filling = engine_filling;
	workshop->said = engine_said;
	workshop->teller = job->engine;
	workshop->shelf = store_snapshot_folder(store, &job->arena);
	workshop->recorder = recorder_create(job->team);
	workshop->past = past_create();
	const struct team_strings *untracked = &job->team->manifest.untracked;
	const char **names = arena_new_array(&job->arena, untracked->count + 1, const char *);
	for (size_t i = 0; i < untracked->count; i++) {
		names[i] = untracked->items[i];
	}
	workshop->untracked = names;
	bool same = strcmp(provider, job->team->sandbox.provider) == 0;
	workshop->sandbox_options =
		start->sandbox_options ? arena_string(&job->arena, start->sandbox_options) : NULL;
	if (!workshop->sandbox_options && same && job->team->sandbox.options) {
		buffer_cleanup options = {0};
		yaml_print_json(&options, job->team->sandbox.options);
		workshop->sandbox_options = arena_string(&job->arena, options.data);
	}
	return workshop->folder != NULL;
}

static bool take_values(struct job *job, const struct engine_start *start, struct error *error)
{
	if (!start->values) {
		return team_inputs(&job->arena, job->team, start->inputs, start->input_count,
			&job->values, error);
	}
	job->values.values = arena_new_array(&job->arena, job->team->input_count + 1, const char *);
	for (size_t i = 0; i < job->team->input_count; i++) {
		const char *value = start->values->values[i];
		job->values.values[i] = value ? arena_string(&job->arena, value) : NULL;
	}
	return true;
}

struct job *job_create(struct engine *engine, struct store *store, const struct engine_start *start,
	struct error *error)
{
	struct job *job = memory_alloc(sizeof(*job));
	job->engine = engine;
	job->team = start->team;
	job->shared = start->shared;
	job->rehearsal = start->rehearsal != NULL;
	job->ready_last = &job->ready;
	job->lock = -1;
	job->id = start->id ? arena_string(&job->arena, start->id)
			    : job_make_id(&job->arena, start->team->name);
	job->created = clock_milliseconds(CLOCK_REALTIME);
	if (!take_values(job, start, error) || !compile_gates(job, error) ||
		!prepare_workshop(job, store, start, error)) {
		job_destroy(job);
		return NULL;
	}
	prepare_agents(job);
	run_state_init(&job->state, job->rules);
	return job;
}

// Nobody drives the run from now on: what it has costs as little as can be until somebody does.
static void rest(struct sandbox *sandbox)
{
	struct error ignored = {0}; // it only costs more
	if (sandbox && ((struct sandbox_session *)(void *)sandbox)->driver->pause) {
		sandbox_pause(sandbox, &ignored);
	}
}

void job_destroy(struct job *job)
{
	if (!job) {
		return;
	}
	words_finish(job);
	run_state_finish(&job->state);
	rest(job->workshop.sandbox);
	sandbox_detach(job->workshop.sandbox);
	history_close(job->workshop.history);
	recorder_destroy(job->workshop.recorder);
	past_destroy(job->workshop.past);
	model_client_destroy(job->workshop.model);
	for (size_t i = 0; job->gates && i < job->team->gate_count; i++) {
		gate_finish(job->gates[i]);
	}
	for (size_t i = 0; i < job->written_count; i++) {
		free((char *)(uintptr_t)job->written[i].path.data);
	}
	while (job->ready) {
		struct work *next = job->ready->next;
		work_destroy(job->ready);
		job->ready = next;
	}
	file_close(&job->lock);
	buffer_finish(&job->verdict);
	free(job->written);
	free(job->under_way);
	if (!job->shared) {
		team_destroy(job->team);
	}
	arena_finish(&job->arena);
	free(job);
}

bool job_resting(const struct job *job)
{
	return job->state.status != RUN_RUNNING;
}

static void note_written(struct job *job, const struct work *work)
{
	for (size_t i = 0; i < work->tool.written_count; i++) {
		job->written = memory_resize(
			job->written, (job->written_count + 1) * sizeof(*job->written));
		struct text path = work->tool.written[i];
		char *copy = memory_alloc(path.length + 1);
		memcpy(copy, path.data, path.length);
		job->written[job->written_count++] =
			(struct written){{copy, path.length}, work->agent};
	}
}

static bool save_verdict(struct job *job, const struct work *work, struct error *error)
{
	struct store *store = engine_store(job->engine);
	char key[64];
	snprintf(key, sizeof(key), "%u.%u", work->branch, work->command);
	if (!store_put_text(store, job->id, key, job->sequence, work->text, error)) {
		return false;
	}
	snprintf(key, sizeof(key), "%u.%u.lines", work->branch, work->command);
	if (!store_put_text(store, job->id, key, job->sequence, work->lines, error)) {
		return false;
	}
	snprintf(key, sizeof(key), "%u.%u.content", work->branch, work->command);
	return !work->content ||
		store_put_text(store, job->id, key, job->sequence, text_of(work->content), error);
}

static bool save_changes(struct job *job, const struct work *work, struct error *error)
{
	for (size_t i = 0; i < work->change_count; i++) {
		struct store_change change = work->changes[i];
		change.record = job->state.record;
		if (!store_add_change(engine_store(job->engine), job->id, &change, error)) {
			return false;
		}
	}
	return true;
}

// What came with the result of a command, beside its event.
static bool take_result(
	struct job *job, const struct run_event *event, struct work *work, struct error *error)
{
	if (!work) {
		return true;
	}
	if (work->error.kind != ERROR_NONE) {
		snprintf(job->reason, sizeof(job->reason), "%s%s%s", work->error.message,
			work->error.hint[0] ? "; " : "", work->error.hint);
	}
	switch (event->kind) {
	case TOOL_ANSWERED:
		note_written(job, work);
		return true;
	case GATE_CHECKED:
		job->gates_passed += event->code == CHECK_HOLDS;
		job->gates_refused += event->code == CHECK_FAILS;
		return save_verdict(job, work, error);
	case SANDBOX_OPENED:
	case WORKSPACE_RECORDED:
		return save_changes(job, work, error);
	default:
		return true;
	}
}

// What has to be on disk before it is acted on: effectful commands, verdicts, handoffs, ends.
static bool needs_disk(const struct run_event *event)
{
	switch (event->kind) {
	case COMMAND_SCHEDULED:
		return event->effectful;
	case GATE_CHECKED:
	case PERSON_ANSWERED:
	case BRANCH_OPENED:
	case CONTROL_TRANSFERRED:
	case RUN_PARKED:
	case RUN_FINISHED:
		return true;
	default:
		return false;
	}
}

static bool append(struct job *job, const struct run_event *event, struct error *error)
{
	buffer_cleanup json = {0};
	event_to_json(&json, event);
	struct store_event row = {.sequence = ++job->sequence,
		.at = clock_milliseconds(CLOCK_REALTIME),
		.kind = run_event_name(event->kind),
		.body = buffer_text(&json)};
	return store_add_event(engine_store(job->engine), job->id, &row, error);
}

// Does it change what the list of runs says? Working time alone is told with what comes next.
static bool shows_in_list(const struct run_event *event)
{
	switch (event->kind) {
	case COMMAND_SCHEDULED:
	case CALL_ANSWERED:
	case TOOL_ANSWERED:
	case WORKSPACE_RECORDED:
	case CLOCK_ADVANCED:
		return false;
	default:
		return true;
	}
}

// One event: into the journal, into the state, into the conversations.
static bool take_event(
	struct job *job, struct run_event *event, struct work *work, struct error *error)
{
	struct approval approval = approval_before(job, event);
	job->event = job->sequence + 1;
	if (!words_before(job, event, error)) {
		return false;
	}
	if (!run_apply(&job->state, job->rules, event)) {
		return true; // late or doubled: it is not part of what happened
	}
	job->durable = job->durable || needs_disk(event);
	job->touched = job->touched || shows_in_list(event);
	if (!append(job, event, error) || !take_result(job, event, work, error) ||
		!approval_after(job, &approval, error) || !words_after(job, event, work, error)) {
		return false;
	}
	if ((job->state.status == RUN_RUNNING) != (job->resumed != 0)) {
		run_clock(job, job->resumed == 0);
	}
	job->shown = work;
	engine_show(job->engine, job, event);
	job->shown = NULL;
	job->message = NULL;
	if (event->kind == COMMAND_SCHEDULED) {
		job_order(job, event);
	}
	return true;
}

bool job_take(struct job *job, struct run_event *event, struct error *error)
{
	event->at = job_now(job);
	return take_event(job, event, NULL, error);
}

bool job_decide(struct job *job, struct error *error)
{
	struct run_event decision;
	while (run_decide(&job->state, job->rules, &decision)) {
		if (!take_event(job, &decision, NULL, error)) {
			return false;
		}
	}
	return true;
}

// All who are at work are told what the restart of the machine did to the workspace.
static bool tell_of_loss(struct job *job, const struct work *work, struct error *error)
{
	enum { PATHS_MOST = 50 };
	buffer_cleanup text = {0};
	size_t count = 0;
	buffer_add_string(&text,
		"The machine was restarted while the run was under way. These files are not as "
		"they were recorded; some may have been lost or written in part. Look before you "
		"go on:\n");
	for (size_t i = 0; i < work->change_count; i++) {
		const struct store_change *change = &work->changes[i];
		if (strcmp(change->agent, "unknown") == 0 && count++ < PATHS_MOST) {
			buffer_add_string(&text, "- ");
			buffer_add_line(&text, text_of(change->path), PATH_LIMIT);
			buffer_printf(&text, " (%s)\n", change->status);
		}
	}
	if (count > PATHS_MOST) {
		buffer_printf(&text, "and %zu more\n", count - PATHS_MOST);
	}
	for (uint32_t id = 0; id < job->state.branch_count; id++) {
		struct run_event message = {
			.kind = MESSAGE_RECEIVED, .branch = id, .bytes = (int64_t)text.length};
		if (job->state.branches[id].phase != PHASE_CLOSED &&
			!job_ask(job, &message, buffer_text(&text), error)) {
			return false;
		}
	}
	return true;
}

bool job_feed(struct job *job, struct run_event *event, struct work *work, struct error *error)
{
	event->at = job_now(job);
	return take_event(job, event, work, error) &&
		(!work || !work->lost || tell_of_loss(job, work, error)) && job_decide(job, error);
}

bool job_ask(struct job *job, struct run_event *event, struct text text, struct error *error)
{
	char key[64];
	bool answer = event->kind == PERSON_ANSWERED && text.length &&
		(event->code == CHOICE_TEXT || event->code == CHOICE_NO);
	if (answer) {
		snprintf(key, sizeof(key), "answer.%u", event->question);
	} else {
		// The text lies under the number that the event is about to get.
		snprintf(key, sizeof(key), "message.%lld", (long long)job->sequence + 1);
	}
	return ((event->kind != MESSAGE_RECEIVED && !answer) ||
		       store_put_text(engine_store(job->engine), job->id, key, job->sequence + 1,
			       text, error)) &&
		job_take(job, event, error);
}

bool job_save(struct job *job, struct error *error)
{
	static const char *const states[] = {[RUN_RUNNING] = "running",
		[RUN_PARKED_STATUS] = "parked",
		[RUN_DONE] = "done",
		[RUN_FAILED] = "failed",
		[RUN_CANCELLED] = "cancelled"};
	if (!job->touched) {
		return true;
	}
	job->touched = false;
	struct store_run row = {.id = job->id,
		.team = job->team->name,
		.file = job->team->path,
		.state = states[job->state.status],
		.reason = job_resting(job) ? job_reason(job) : "",
		.exit_code = run_exit_code(&job->state),
		.created = job->created,
		.updated = clock_milliseconds(CLOCK_REALTIME),
		.turns = job->state.turns,
		.input_tokens = job->state.input_tokens,
		.cached_tokens = job->state.cached_tokens,
		.output_tokens = job->state.output_tokens,
		.nano_usd = job->state.used.nano_usd,
		.working = job_now(job),
		.gates_passed = job->gates_passed,
		.gates_refused = job->gates_refused,
		.rehearsal = job->rehearsal,
		.sandbox = job->workshop.driver->name};
	return store_put_run(engine_store(job->engine), &row, error);
}

void job_cancel(struct job *job)
{
	bool over = job->grace && clock_milliseconds(CLOCK_MONOTONIC) >= job->grace;
	bool wake = false;
	for (size_t i = 0; i < job->under_way_count; i++) {
		struct work *work = job->under_way[i];
		if (over || run_branch_ending(&job->state, work->branch)) {
			wake = wake || work->kind == COMMAND_CALL_MODEL;
			atomic_store(&work->cancel, true);
		}
	}
	if (wake) {
		model_wake(job->workshop.model);
	}
}

const char *job_id(const struct job *job)
{
	return job->id;
}

const struct team *job_team(const struct job *job)
{
	return job->team;
}

const struct run_state *job_state(const struct job *job)
{
	return &job->state;
}

const char *job_verdict(struct job *job, uint32_t branch, uint32_t command)
{
	arena_cleanup arena = {0};
	struct error ignored = {0}; // a verdict without failing lines has no text
	struct text text = {0};
	char key[64];
	snprintf(key, sizeof(key), "%u.%u.lines", branch, command);
	buffer_clear(&job->verdict);
	if (store_text(engine_store(job->engine), &arena, job->id, key, &text, &ignored)) {
		buffer_add_text(&job->verdict, text);
	}
	return job->verdict.data ? job->verdict.data : "";
}

void job_call_text(struct job *job, uint32_t branch, uint32_t call, struct buffer *text)
{
	const struct model_answer *answer =
		branch < job->talk_count ? job->talks[branch]->answer : NULL;
	if (answer && call < answer->call_count) {
		buffer_add_line(text, answer->calls[call].name, 64);
		buffer_add_char(text, ' ');
		buffer_add_line(text, answer->calls[call].arguments, 160);
	}
}

const char *job_message(const struct job *job)
{
	return job->message ? job->message : "";
}

void job_question_text(struct job *job, uint32_t branch, uint32_t call, struct buffer *text)
{
	const struct model_answer *answer =
		branch < job->talk_count ? job->talks[branch]->answer : NULL;
	struct error ignored = {0}; // the arguments were valid when the call was taken
	if (!answer || call >= answer->call_count) {
		return;
	}
	json_cleanup *arguments = json_parse(answer->calls[call].arguments, &ignored);
	const cJSON *choices = cJSON_GetObjectItemCaseSensitive(arguments, "choices"), *choice;
	const char *separator = " (";
	buffer_add_line(text, text_of(json_string(arguments, "question", "")), QUESTION_LIMIT);
	cJSON_ArrayForEach(choice, choices)
	{
		buffer_add_string(text, separator);
		buffer_add_line(text, text_of(cJSON_GetStringValue(choice)), CHOICE_LIMIT);
		separator = ", ";
	}
	buffer_add_string(text, cJSON_GetArraySize(choices) ? ")" : "");
}

const struct store_change *job_changes(struct job *job, size_t *count)
{
	*count = job->shown ? job->shown->change_count : 0;
	return job->shown ? job->shown->changes : NULL;
}

struct text job_report(const struct job *job, uint32_t branch)
{
	return branch < job->talk_count ? text_of(job->talks[branch]->report) : (struct text){0};
}

size_t job_secret_count(const struct job *job)
{
	return job->team->model_count + job->team->manifest.token_count;
}

const char *job_secret(const struct job *job, size_t index)
{
	size_t models = job->team->model_count;
	if (index < models) {
		return job->models ? job->models[index].key : NULL;
	}
	return job->workshop.tokens ? job->workshop.tokens[index - models] : NULL;
}
