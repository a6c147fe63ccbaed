#include <string.h>

#include "perform/performers.h"

static enum run_call_kind call_kind(enum tool_call_kind kind)
{
	static const enum run_call_kind kinds[] = {[TOOL_CALL_TOOL] = CALL_TOOL,
		[TOOL_CALL_DELEGATE] = CALL_DELEGATE,
		[TOOL_CALL_TRANSFER] = CALL_TRANSFER,
		[TOOL_CALL_UNKNOWN_TOOL] = CALL_UNKNOWN_TOOL,
		[TOOL_CALL_UNKNOWN_AGENT] = CALL_UNKNOWN_AGENT,
		[TOOL_CALL_MALFORMED] = CALL_MALFORMED,
		[TOOL_CALL_FORBIDDEN] = CALL_FORBIDDEN};
	return kinds[kind];
}

static struct run_call_facts *understand(struct work *work, const struct model_answer *answer)
{
	struct run_call_facts *facts =
		arena_new_array(&work->arena, answer->call_count, struct run_call_facts);
	for (size_t i = 0; i < answer->call_count; i++) {
		const struct model_call *made = &answer->calls[i];
		struct tool_call call;
		tool_understand(
			work->workshop->team, (int)work->agent, made->name, made->arguments, &call);
		bool asks = call.kind == TOOL_CALL_TOOL && call.tool->asks_person;
		facts[i] =
			(struct run_call_facts){.kind = asks ? CALL_PERSON : call_kind(call.kind),
				.edge = call.edge >= 0 ? (uint32_t)call.edge : RUN_NONE,
				.effectful = call.kind == TOOL_CALL_TOOL && call.tool->effectful,
				.repeatable = call.kind == TOOL_CALL_TOOL && call.tool->repeatable,
				.ask = call.permission == PERMISSION_ASK && !asks,
				.hash = call.hash,
				.bytes = (int64_t)made->arguments.length};
		tool_call_finish(&call);
	}
	return facts;
}

static void answered(void *data, struct model_answer *answer, const struct error *error)
{
	static const enum run_finish finishes[] = {[MODEL_TEXT] = FINISH_TEXT,
		[MODEL_CALLS] = FINISH_CALLS,
		[MODEL_EMPTY] = FINISH_EMPTY,
		[MODEL_CUT] = FINISH_CUT,
		[MODEL_REFUSED] = FINISH_REFUSED};
	struct work *work = data;
	struct run_event *event = &work->event;
	work->answer = answer;
	if (!answer) {
		work->error = *error;
		event->kind = MODEL_FAILED;
		event->interrupted = atomic_load(&work->cancel);
		work->done(work);
		return;
	}
	event->kind = MODEL_ANSWERED;
	event->code = answer->call_count ? FINISH_CALLS : finishes[answer->finish];
	event->call_count = (uint32_t)answer->call_count;
	event->calls = answer->call_count ? understand(work, answer) : NULL;
	event->input_tokens = answer->usage.input;
	event->cached_tokens = answer->usage.cached;
	event->output_tokens = answer->usage.output;
	event->text_bytes = (int64_t)answer->text.length;
	event->source = answer->source;
	for (size_t i = 0; i < answer->item_count; i++) {
		event->bytes += (int64_t)answer->items[i].length;
	}
	work->done(work);
}

static void run(struct work *work)
{
	model_ask(work->workshop->model, &work->request, answered, work);
}

const struct performer perform_call_model = {COMMAND_CALL_MODEL, run};
