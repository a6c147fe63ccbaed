#include "view/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"
#include "engine/event_json.h"
#include "view/follow.h"

// What is needed while a run is read.
struct reading {
	struct summary *summary;
	struct arena *arena;
	struct store *store;
	struct follower follower;
	int64_t turn; // artifacts of later turns are left out
	struct error *error;
	bool failed;
};

static struct summary_artifact *find_artifact(const struct summary *summary, const char *path)
{
	for (size_t i = 0; i < summary->artifact_count; i++) {
		if (strcmp(summary->artifacts[i].path, path) == 0) {
			return &summary->artifacts[i];
		}
	}
	return NULL;
}

static void grow(struct reading *reading, void **items, size_t count, size_t size)
{
	// Doubling at each power of two; the old room stays in the arena.
	if ((count & (count - 1)) == 0) {
		void *bigger = arena_array(reading->arena, count ? count * 2 : 1, size);
		if (count) {
			memcpy(bigger, *items, count * size);
		}
		*items = bigger;
	}
}

static bool take_change(void *data, const struct store_change *change)
{
	struct reading *reading = data;
	struct summary *summary = reading->summary;
	if (change->turn > reading->turn) {
		return true;
	}
	struct summary_artifact *artifact = find_artifact(summary, change->path);
	if (!artifact) {
		void *items = summary->artifacts;
		grow(reading, &items, summary->artifact_count, sizeof(*summary->artifacts));
		summary->artifacts = items;
		artifact = &summary->artifacts[summary->artifact_count++];
	}
	bool deleted = strcmp(change->status, "deleted") == 0;
	const char *maker = artifact->maker && artifact->size >= 0
		? artifact->maker
		: arena_string(reading->arena, change->agent);
	*artifact = (struct summary_artifact){.path = arena_string(reading->arena, change->path),
		.maker = maker,
		.agent = arena_string(reading->arena, change->agent),
		.size = deleted ? -1 : change->size,
		.turn = change->turn,
		.sha256 = arena_string(reading->arena, change->sha256),
		.outside = change->outside};
	return true;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct summary_artifact *)a)->path,
		((const struct summary_artifact *)b)->path);
}

static void order_artifacts(struct summary *summary)
{
	size_t kept = 0;
	for (size_t i = 0; i < summary->artifact_count; i++) {
		if (summary->artifacts[i].size >= 0) {
			summary->artifacts[kept++] = summary->artifacts[i];
		}
	}
	summary->artifact_count = kept;
	if (kept) {
		qsort(summary->artifacts, kept, sizeof(*summary->artifacts), by_path);
	}
}

static void mark_artifact(struct reading *reading, uint32_t gate, const cJSON *finding)
{
	const char *sha256 = json_string(finding, "sha256", "");
	struct summary_artifact *artifact =
		find_artifact(reading->summary, json_string(finding, "subject", ""));
	if (artifact && sha256[0] && strcmp(artifact->sha256, sha256) == 0) {
		artifact->gate = reading->summary->gates[gate].name;
		artifact->status = arena_string(reading->arena, json_string(finding, "status", ""));
	}
}

// A verdict speaks of the artifacts whose very content it saw; of those that an `any` looked at if
// they decided it.
static void mark_artifacts(struct reading *reading, uint32_t gate, struct text verdict)
{
	struct error ignored = {0}; // a verdict that is no JSON says nothing
	json_cleanup *tree = json_parse(verdict, &ignored);
	const cJSON *finding, *nested;
	cJSON_ArrayForEach(finding, cJSON_GetObjectItemCaseSensitive(tree, "findings"))
	{
		bool any = strcmp(json_string(finding, "check", ""), "any") == 0;
		const char *status = json_string(finding, "status", "");
		mark_artifact(reading, gate, finding);
		cJSON_ArrayForEach(nested, cJSON_GetObjectItemCaseSensitive(finding, "nested"))
		{
			if (any && strcmp(json_string(nested, "status", ""), status) == 0) {
				mark_artifact(reading, gate, nested);
			}
		}
	}
}

static void take_verdict(struct reading *reading, const struct run_event *event)
{
	const struct follow_command *command = &reading->follower.command;
	struct summary_gate *gate = &reading->summary->gates[command->gate];
	struct summary_agent *agent = &reading->summary->agents[command->agent];
	const char *status = run_code_name(event->kind, event->code);
	struct error missing = {0};
	char key[32];
	bool holds = event->code == CHECK_HOLDS, fails = event->code == CHECK_FAILS;
	gate->passed += holds;
	gate->refused += fails;
	agent->gates_passed += holds;
	agent->gates_refused += fails;
	gate->status = status ? status : "?";
	gate->verdict = (struct text){0};
	snprintf(key, sizeof(key), "%u.%u", event->branch, event->command);
	if (store_text(reading->store, reading->arena, reading->summary->run.id, key,
		    &gate->verdict, &missing)) {
		mark_artifacts(reading, command->gate, gate->verdict);
	} else if (missing.kind != ERROR_NONE) {
		*reading->error = missing;
		reading->failed = true;
	}
}

int64_t summary_price(const struct team *team, uint32_t agent, const struct run_event *event)
{
	// Rounded up to whole nano-dollars.
	const struct team_price *price = &team->models[team->agents[agent].model].price;
	int64_t sum = (event->input_tokens - event->cached_tokens) * price->input +
		event->cached_tokens * price->cached_input + event->output_tokens * price->output;
	return (sum + 999999) / 1000000;
}

static void take_answer(struct reading *reading, const struct run_event *event)
{
	uint32_t index = reading->follower.agent;
	struct summary_agent *agent = &reading->summary->agents[index];
	agent->turns++;
	agent->input_tokens += event->input_tokens;
	agent->cached_tokens += event->cached_tokens;
	agent->output_tokens += event->output_tokens;
	int64_t price = summary_price(reading->summary->team, index, event);
	const struct follow_branch *branch = follow_branch(&reading->follower, event->branch);
	agent->nano_usd += price;
	if (branch && branch->refused) {
		agent->retry_turns++;
		agent->retry_tokens += event->input_tokens + event->output_tokens;
		agent->retry_nano_usd += price;
	}
}

static void add_assignment(
	struct reading *reading, uint32_t branch, uint32_t agent, const char *from)
{
	struct summary *summary = reading->summary;
	void *items = summary->assignments;
	grow(reading, &items, summary->assignment_count, sizeof(*summary->assignments));
	summary->assignments = items;
	summary->assignments[summary->assignment_count++] = (struct summary_assignment){
		branch, follow_agent_name(&reading->follower, agent), from, "open"};
	summary->agents[agent].assignments++;
}

static void end_assignments(struct reading *reading, uint32_t branch, const char *outcome)
{
	for (size_t i = 0; i < reading->summary->assignment_count; i++) {
		struct summary_assignment *assignment = &reading->summary->assignments[i];
		if (assignment->branch == branch && strcmp(assignment->outcome, "open") == 0) {
			assignment->outcome = outcome ? outcome : "?";
		}
	}
}

static void take_event(struct reading *reading, const struct run_event *event)
{
	struct follower *follower = &reading->follower;
	switch (event->kind) {
	case RUN_STARTED:
		add_assignment(reading, 0, follower->agent, NULL);
		break;
	case MODEL_ANSWERED:
		take_answer(reading, event);
		break;
	case TOOL_ANSWERED:
		reading->summary->agents[follower->agent].tool_calls++;
		break;
	case GATE_CHECKED:
		take_verdict(reading, event);
		break;
	case BRANCH_OPENED:
		add_assignment(reading, event->branch, event->agent,
			follow_agent_name(follower, follower->agent));
		break;
	case CONTROL_TRANSFERRED:
		end_assignments(reading, event->branch, "transferred");
		add_assignment(reading, event->branch, event->agent,
			follow_agent_name(follower, follower->agent));
		break;
	case BRANCH_CLOSED:
		end_assignments(reading, event->branch, run_code_name(event->kind, event->code));
		break;
	default:
		break;
	}
}

static bool take_row(void *data, const struct store_event *row)
{
	struct reading *reading = data;
	arena_cleanup arena = {0};
	struct run_event event;
	if (!event_from_json(&arena, row->kind, row->body, &event, reading->error)) {
		reading->failed = true;
		return false;
	}
	if (follow(&reading->follower, &event)) {
		take_event(reading, &event);
	}
	return !reading->failed;
}

static bool read_answer(struct reading *reading)
{
	struct error missing = {0};
	bool found = store_text(reading->store, reading->arena, reading->summary->run.id,
		"report.0", &reading->summary->answer, &missing);
	if (!found && missing.kind != ERROR_NONE) {
		*reading->error = missing;
		return false;
	}
	return true;
}

static bool read_origin(struct reading *reading)
{
	struct error missing = {0};
	struct text start;
	if (!store_text(reading->store, reading->arena, reading->summary->run.id, "start", &start,
		    &missing)) {
		return missing.kind == ERROR_NONE || (*reading->error = missing, false);
	}
	json_cleanup *json = json_parse(start, reading->error);
	const char *from = json ? json_string(json, "forked_from", NULL) : NULL;
	if (from) {
		reading->summary->forked_from = arena_string(reading->arena, from);
		reading->summary->forked_at = (int64_t)json_number(json, "forked_at", 0);
	}
	return json != NULL;
}

static bool read_workspace(struct reading *reading)
{
	const char *run = reading->summary->run.id;
	const char *folder = store_run_folder(reading->store, reading->arena, run, reading->error);
	if (!folder) {
		return false;
	}
	const char *workspace = path_join(reading->arena, folder, "workspace");
	reading->summary->workspace = access(workspace, R_OK | X_OK) == 0 ? workspace : NULL;
	return true;
}

bool summary_read(struct summary *summary, struct arena *arena, struct store *store,
	const struct store_run *run, const struct team *team, struct error *error)
{
	return summary_read_at(summary, arena, store, run, team, INT64_MAX, error);
}

bool summary_read_at(struct summary *summary, struct arena *arena, struct store *store,
	const struct store_run *run, const struct team *team, int64_t turn, struct error *error)
{
	*summary = (struct summary){.run = *run, .team = team};
	summary->agents = arena_new_array(arena, team->agent_count, struct summary_agent);
	summary->gates = arena_new_array(arena, team->gate_count + 1, struct summary_gate);
	for (size_t i = 0; i < team->agent_count; i++) {
		summary->agents[i].name = team->agents[i].name;
	}
	for (size_t i = 0; i < team->gate_count; i++) {
		summary->gates[i].name = team->gates[i].name;
	}
	struct reading reading = {
		.summary = summary, .arena = arena, .store = store, .turn = turn, .error = error};
	follow_init(&reading.follower, team);
	bool fine = store_changes(store, run->id, take_change, &reading, error);
	order_artifacts(summary);
	fine = fine && store_events(store, run->id, 0, take_row, &reading, error) &&
		!reading.failed && read_answer(&reading) && read_origin(&reading) &&
		read_workspace(&reading);
	follow_finish(&reading.follower);
	return fine;
}
