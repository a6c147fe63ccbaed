#include "perform/performers.h"

// What happened since the last record, taken for the agent's own work.
static void add_unrecorded(struct work *work, const struct past_span *span, struct gate_past *past)
{
	const struct workshop *workshop = work->workshop;
	struct history_changes found;
	struct error ignored = {0}; // then the preview is made of what is recorded
	past_hold_history(workshop->past);
	bool scanned =
		history_scan(workshop->history, workshop->sandbox, &work->arena, &found, &ignored);
	past_release_history(workshop->past);
	if (scanned) {
		past_add(workshop->past, &work->arena, span, &found,
			workshop->team->agents[work->agent].name, past);
	}
}

void look_at_gate(struct work *work, uint32_t index, bool preview, struct gate_verdict *verdict)
{
	const struct workshop *workshop = work->workshop;
	const struct gate *gate = workshop->gates[index];
	struct gate_past past;
	struct past_span span = {.since = work->since,
		.until = work->record,
		.team = workshop->team,
		.own = work->own};
	struct gate_place place = {.sandbox = workshop->sandbox,
		.environment = workshop->environment,
		.cancel = &work->cancel,
		.approved = work->approved};
	if (gate_compares(gate)) {
		past_compare(workshop->past, &work->arena, &span, &past);
		if (preview) {
			add_unrecorded(work, &span, &past);
		}
		place.past = &past;
	}
	if (gate_asks(gate)) {
		place.content = past_content(workshop->past, &work->arena, gate, work->record);
	}
	gate_check(gate, &place, &work->arena, verdict);
	work->content = place.content;
}

static void run(struct work *work)
{
	static const enum run_check_status statuses[] = {[GATE_HOLDS] = CHECK_HOLDS,
		[GATE_FAILS] = CHECK_FAILS,
		[GATE_NOT_CHECKED] = CHECK_NOT_MADE,
		[GATE_NEEDS_PERSON] = CHECK_NEEDS_PERSON};
	struct gate_verdict verdict;
	buffer_cleanup json = {0};
	buffer_cleanup lines = {0};
	look_at_gate(work, work->gate, false, &verdict);
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
