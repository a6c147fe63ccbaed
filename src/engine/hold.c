/* A run that nobody drives, held for a while by somebody who looks at it. */
#include "engine/job.h"
#include "engine/start.h"

struct job *engine_hold(struct engine *engine, const char *id, const struct vocabulary *vocabulary,
	struct error *error)
{
	arena_cleanup arena = {0};
	struct restart again;
	if (!store_find(engine_store(engine), &arena, id, &again.row, error) ||
		!start_read(engine, &arena, vocabulary, &again, error)) {
		return NULL;
	}
	again.start.held = true;
	struct job *job = job_create(engine, engine_store(engine), &again.start, error);
	if (job && !workshop_attach(&job->workshop, &job->arena, error)) {
		if (error->kind == ERROR_FAILED) {
			error_hint(
				error, "'muster resume %s' restores what is on record of it", id);
		}
		job_destroy(job);
		return NULL;
	}
	return job;
}

void engine_let_go(struct job *job)
{
	job_destroy(job);
}

struct sandbox *job_sandbox(struct job *job)
{
	return job->workshop.sandbox;
}

bool job_snapshot(
	struct job *job, struct arena *arena, struct snapshot_made *made, struct error *error)
{
	return workshop_snapshot(&job->workshop, arena, made, error);
}
