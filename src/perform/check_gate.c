#include "perform/performers.h"

static void run(struct work *work)
{
	static const enum run_check_status statuses[] = {[GATE_HOLDS] = CHECK_HOLDS,
		[GATE_FAILS] = CHECK_FAILS,
		[GATE_NOT_CHECKED] = CHECK_NOT_MADE,
		[GATE_NEEDS_PERSON] = CHECK_NEEDS_PERSON};
	const struct workshop *workshop = work->workshop;
	struct gate_verdict verdict;
	buffer_cleanup json = {0};
	buffer_cleanup lines = {0};
	gate_check(workshop->gates[work->gate], workshop->sandbox, &work->arena,
		workshop->environment, &work->cancel, &verdict);
	gate_verdict_json(&json, &verdict);
	gate_verdict_lines(&lines, &verdict);
	work->text = text_copy(&work->arena, buffer_text(&json));
	work->lines = text_copy(&work->arena, buffer_text(&lines));
	work->event.kind = GATE_CHECKED;
	work->event.code = statuses[verdict.status];
	work->event.bytes = (int64_t)work->lines.length;
	work->done(work);
}

const struct performer perform_check_gate = {COMMAND_CHECK_GATE, run};
