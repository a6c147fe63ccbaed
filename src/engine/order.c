/* A scheduled command becomes work: what it needs is taken from the run's state. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "engine/job.h"

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_REALTIME, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void request_of(struct job *job, struct work *work)
{
	const struct talk *talk = words_talk(job, work->branch);
	int model = job->team->agents[work->agent].model;
	size_t first = talk->conversation.first;
	work->request = (struct model_request){.agent = job->team->agents[work->agent].name,
		.settings = &job->models[model],
		.instructions = job->instructions[work->agent],
		.items = talk->conversation.items + first,
		.item_count = talk->conversation.count - first,
		.tools = job->tools[work->agent],
		.max_output_tokens = job->team->models[model].max_output_tokens,
		.mixed = talk->model != model && talk->model != TALK_NOBODY,
		.cancel = &work->cancel};
	engine_watch_model(job->engine, work);
}

// The record takes over who wrote what since the last one.
static void hand_over_written(struct job *job, struct work *work)
{
	work->written = arena_new_array(&work->arena, job->written_count, struct written);
	work->written_count = job->written_count;
	for (size_t i = 0; i < job->written_count; i++) {
		work->written[i] = (struct written){
			text_copy(&work->arena, job->written[i].path), job->written[i].agent};
		free((char *)(uintptr_t)job->written[i].path.data);
	}
	job->written_count = 0;
}

static bool is_output_of(const struct job *job, uint32_t agent, uint32_t gate)
{
	const struct run_agent *found = &job->rules->agents[agent];
	for (uint32_t i = 0; i < found->output_count; i++) {
		if (found->outputs[i] == gate) {
			return true;
		}
	}
	return false;
}

// The assignment that a gate or a tool looks back on. What only the assignee was asked for, and is
// looked at when another agent completes the branch, counts from where the branch began.
static void stay_of(const struct job *job, const struct run_event *event, struct work *work)
{
	const struct run_branch *branch = &job->state.branches[event->branch];
	bool earlier = work->kind == COMMAND_CHECK_GATE && event->call == RUN_NONE &&
		!is_output_of(job, branch->agent, event->gate);
	work->since = earlier ? branch->opened_record : branch->first_record;
	for (uint32_t i = 0; i < job->state.branch_count; i++) {
		uint32_t above = i;
		while (above != RUN_NONE && above != event->branch) {
			above = job->state.branches[above].parent;
		}
		work->own |= above == RUN_NONE ? 0 : job->state.branches[i].agents;
	}
}

// Agents whose calls may have changed what is not recorded yet.
static uint64_t unrecorded(const struct run_state *state)
{
	uint64_t agents = state->unrecorded;
	for (uint32_t i = 0; i < state->open_count; i++) {
		const struct run_branch *branch = &state->branches[state->open[i]];
		agents |= branch->dirty ? run_agent_bit(branch->agent) : 0;
	}
	return agents;
}

// A scheduled command becomes work; it is submitted once the journal is written.
void job_order(struct job *job, const struct run_event *event)
{
	const struct run_branch *branch = &job->state.branches[event->branch];
	struct work *work = memory_alloc(sizeof(*work));
	work->workshop = &job->workshop;
	work->kind = event->code;
	work->branch = event->branch;
	work->command = event->command;
	work->agent = branch->agent;
	work->turn = branch->turn;
	work->candidates = event->agents;
	work->gate = event->gate;
	work->record = job->state.record;
	work->when = now();
	work->done = engine_done;
	work->owner = job;
	if (work->kind == COMMAND_CALL_MODEL) {
		request_of(job, work);
	} else if (work->kind == COMMAND_CALL_TOOL) {
		const struct model_call *call =
			&words_talk(job, event->branch)->answer->calls[event->call];
		tool_understand(
			job->team, (int)work->agent, call->name, call->arguments, &work->call);
		stay_of(job, event, work);
	} else if (work->kind == COMMAND_RECORD) {
		hand_over_written(job, work);
	} else if (work->kind == COMMAND_OPEN_SANDBOX) {
		work->candidates = unrecorded(&job->state);
	} else if (work->kind == COMMAND_CHECK_GATE) {
		stay_of(job, event, work);
		work->approved = approvals_of(job, &work->arena, event->gate);
	}
	*job->ready_last = work;
	job->ready_last = &work->next;
}

// Also one that the run did not come to use this time.
static bool has_session(const struct workshop *workshop)
{
	arena_cleanup arena = {0};
	return workshop->sandbox ||
		access(path_join(&arena, workshop->folder, "sandbox.json"), F_OK) == 0;
}

struct work *job_close(struct job *job)
{
	const struct workshop *workshop = &job->workshop;
	bool done = job->state.status == RUN_DONE;
	if (!run_ended(&job->state) || !has_session(workshop)) {
		return NULL;
	}
	// A folder of this machine stays: it costs nothing, and goes with the run.
	bool stays = workshop->driver->flags & SANDBOX_HOST_FOLDER ||
		strcmp(job->keep, "always") == 0 || (strcmp(job->keep, "failed") == 0 && !done);
	bool snapshot = job->snapshot ? strcmp(job->snapshot, "none") != 0 : !stays;
	if (stays && !snapshot) {
		return NULL;
	}
	struct work *work = memory_alloc(sizeof(*work));
	work->workshop = &job->workshop;
	work->action = work_close;
	work->snapshots = snapshot;
	work->removes = !stays;
	work->done = engine_done;
	work->owner = job;
	return work;
}
