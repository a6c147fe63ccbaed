#include "world.h"

enum { MOST_FACTS = 4000, NEW_TIME = 6, MACHINE_STOPS = 0xfd };

bool world_stops_machine(struct choices *world)
{
	// Looks at the next byte and takes it only if it says so: a decision costs no choice.
	bool stops = world->used < world->count && world->bytes[world->used] == MACHINE_STOPS;
	world->used += stops;
	return stops;
}

static struct run_event fact_of(struct play *play, enum run_event_kind kind)
{
	return (struct run_event){
		.kind = kind, .at = play->shadow.now + (int64_t)draw(play->world, NEW_TIME)};
}

static void make_handoff(struct play *play, struct run_call_facts *call, uint32_t agent)
{
	const struct run_rules *rules = &play->team.rules;
	uint32_t edges[SIM_EDGES], count = 0;
	for (uint32_t i = 0; i < rules->edge_count; i++) {
		if (rules->edges[i].from == agent) {
			edges[count++] = i;
		}
	}
	if (count == 0) {
		call->kind = CALL_UNKNOWN_AGENT;
		return;
	}
	call->edge = edges[draw(play->world, count)];
	call->kind = rules->edges[call->edge].kind == EDGE_DELEGATE ? CALL_DELEGATE : CALL_TRANSFER;
}

static void make_call(struct play *play, struct run_call_facts *call, uint32_t agent)
{
	struct choices *world = play->world;
	uint32_t dice = draw(world, 100);
	*call = (struct run_call_facts){.kind = CALL_TOOL,
		.edge = RUN_NONE,
		.hash = draw(world, 4),
		.bytes = draw(world, 60)};
	if (dice < 42) {
		call->effectful = chance(world, 55);
		call->repeatable = call->effectful && chance(world, 25);
	} else if (dice < 90) {
		make_handoff(play, call, agent);
	} else if (dice < 97) {
		call->kind = CALL_UNKNOWN_TOOL + draw(world, 4);
	} else {
		call->kind = CALL_PERSON;
	}
	bool may_ask = call->kind <= CALL_TRANSFER;
	call->ask = may_ask && chance(world, 12);
}

static void answer_model(
	struct play *play, const struct shadow_command *command, struct play_entry *entry)
{
	struct choices *world = play->world;
	struct run_event *event = &entry->event;
	uint32_t agent = play->shadow.branches[command->branch].agent;
	uint32_t dice = draw(world, 100);
	if (dice >= 98) {
		event->kind = MODEL_FAILED;
		event->interrupted = chance(world, 50);
		return;
	}
	// The root is seldom content at once: its completion is the end of the game.
	event->code = dice < (command->branch ? 28u : 12u) ? FINISH_TEXT
		: dice < 91                                ? FINISH_CALLS
							   : FINISH_EMPTY + draw(world, 3);
	if (event->code == FINISH_CALLS) {
		event->call_count = 1 + draw(world, chance(world, 30) ? SIM_CALLS : 3);
		event->calls = entry->calls;
	}
	for (uint32_t i = 0; i < event->call_count; i++) {
		make_call(play, &entry->calls[i], agent);
	}
	// A model may well use more than was reserved for it.
	event->input_tokens = draw(world, 50);
	event->cached_tokens = event->input_tokens / (1 + (int64_t)draw(world, 4));
	event->output_tokens = draw(world, 30);
	event->bytes = draw(world, 200);
	event->text_bytes = draw(world, 40);
	event->source = draw(world, 3);
}

static void answer_record(struct play *play, struct play_entry *entry)
{
	struct choices *world = play->world;
	struct run_event *event = &entry->event;
	event->failed = chance(world, 4);
	event->changes = draw(world, 3);
	event->gates = entry->gates;
	for (uint32_t gate = 0; event->changes && gate < play->team.rules.gate_count; gate++) {
		if (chance(world, 35)) {
			entry->gates[event->gate_count++] = gate;
		}
	}
	for (uint32_t i = 0; chance(world, 18) && i < 2; i++) {
		event->agents |= run_agent_bit(draw(world, play->team.rules.agent_count));
	}
}

static void answer_gate(struct play *play, struct run_event *event)
{
	uint32_t dice = draw(play->world, 100);
	if (play->flaky && dice % 2) {
		event->code = CHECK_NOT_MADE;
		return;
	}
	event->code = dice < 48 ? CHECK_HOLDS
		: dice < 82     ? CHECK_FAILS
		: dice < 90     ? CHECK_NOT_MADE
				: CHECK_NEEDS_PERSON;
	event->bytes = draw(play->world, 90);
}

// What the world says to a command.
static void make_answer(
	struct play *play, const struct shadow_command *command, struct play_entry *entry)
{
	static const enum run_event_kind kinds[] = {[COMMAND_OPEN_SANDBOX] = SANDBOX_OPENED,
		[COMMAND_CALL_MODEL] = MODEL_ANSWERED,
		[COMMAND_CALL_TOOL] = TOOL_ANSWERED,
		[COMMAND_RECORD] = WORKSPACE_RECORDED,
		[COMMAND_CHECK_GATE] = GATE_CHECKED};
	entry->event = fact_of(play, kinds[command->kind]);
	entry->event.branch = command->branch;
	entry->event.command = command->number;
	switch (command->kind) {
	case COMMAND_OPEN_SANDBOX:
		if (play->shadow.record && chance(play->world, 30)) {
			answer_record(play, entry); // somebody was there while the run was not
		}
		entry->event.failed = chance(play->world, 5);
		break;
	case COMMAND_CALL_MODEL:
		answer_model(play, command, entry);
		break;
	case COMMAND_CALL_TOOL:
		entry->event.failed = chance(play->world, 25);
		entry->event.interrupted = chance(play->world, 5);
		entry->event.bytes = draw(play->world, 80);
		break;
	case COMMAND_RECORD:
		answer_record(play, entry);
		break;
	case COMMAND_CHECK_GATE:
		answer_gate(play, &entry->event);
		break;
	}
}

static void answer_command(struct play *play)
{
	struct play_entry entry = {0};
	const struct shadow *shadow = &play->shadow;
	if (shadow->command_count) {
		uint32_t count = shadow->command_count < 256 ? shadow->command_count : 256;
		uint32_t index = draw(play->world, count);
		// In some games one kind of command is slow: it is overtaken by all others.
		for (int i = 0; i < 3 && shadow->commands[index].kind == play->slow; i++) {
			index = draw(play->world, count);
		}
		make_answer(play, &play->shadow.commands[index], &entry);
		play_feed(play, &entry.event);
	}
}

// Something that was in the log once comes again, or the answer to a command that was lost.
static void answer_late(struct play *play)
{
	uint32_t back = 1 + draw(play->world, 256);
	if (back > play->count) {
		return;
	}
	struct play_entry entry = play->log[play->count - back];
	struct run_event *event = &entry.event;
	if (event->kind == COMMAND_SCHEDULED) {
		struct shadow_command command = {
			.branch = event->branch, .number = event->command, .kind = event->code};
		struct play_entry answer = {0};
		make_answer(play, &command, &answer);
		play_feed(play, &answer.event);
	} else if (event->kind < CLOCK_ADVANCED) {
		event->calls = event->calls ? entry.calls : NULL;
		event->gates = event->gates ? entry.gates : NULL;
		event->at = play->shadow.now;
		play_feed(play, event);
	}
}

// An answer to a command, but damaged.
static void answer_nonsense(struct play *play)
{
	struct play_entry entry = {0};
	struct run_event *event = &entry.event;
	if (play->shadow.command_count == 0) {
		return;
	}
	make_answer(play, &play->shadow.commands[0], &entry);
	switch (draw(play->world, 7)) {
	case 0:
		event->branch += play->shadow.branch_count;
		break;
	case 1:
		event->code += 5;
		break;
	case 2:
		event->command += 100;
		break;
	case 3:
		event->kind = SANDBOX_OPENED + draw(play->world, 6);
		break;
	case 4:
		event->call_count = event->call_count ? 0 : 1;
		event->calls = entry.calls;
		break;
	case 5:
		entry.calls[0].kind = draw(play->world, 11);
		entry.calls[0].edge = draw(play->world, SIM_EDGES);
		break;
	default:
		event->gate_count = event->kind == WORKSPACE_RECORDED;
		entry.gates[0] = play->team.rules.gate_count;
		event->gates = entry.gates;
		break;
	}
	play_feed(play, event);
}

static void answer_question(struct play *play)
{
	static const enum run_choice choices[] = {
		CHOICE_SKIP, CHOICE_RETRY, CHOICE_RETURN, CHOICE_ABORT};
	struct run_event event = fact_of(play, PERSON_ANSWERED);
	const struct shadow *shadow = &play->shadow;
	if (shadow->question_count == 0 || chance(play->world, 8)) {
		// Nobody asks, or nobody asks any more.
		event.question = draw(play->world, 256) % (shadow->next_question + 1);
		event.code = draw(play->world, 8);
		play_feed(play, &event);
		return;
	}
	const struct shadow_question *question =
		&shadow->questions[draw(play->world, shadow->question_count)];
	event.question = question->number;
	if (question->kind == QUESTION_POLICY) {
		event.code = choices[draw(play->world, 4)];
	} else if (question->kind == QUESTION_TEXT) {
		event.code = chance(play->world, 80) ? CHOICE_TEXT : CHOICE_NO;
		event.bytes = draw(play->world, 90);
	} else {
		event.code = (uint32_t)chance(play->world, 35);
	}
	play_feed(play, &event);
}

static void send_message(struct play *play)
{
	struct run_event event = fact_of(play, MESSAGE_RECEIVED);
	event.branch = draw(play->world, play->shadow.branch_count + 1);
	event.bytes = draw(play->world, 100);
	play_feed(play, &event);
}

static void advance_clock(struct play *play)
{
	struct run_event event = fact_of(play, CLOCK_ADVANCED);
	int64_t deadline = run_deadline(&play->state, &play->told.rules);
	event.at += (int64_t)draw(play->world, 40);
	event.at = deadline != INT64_MAX && chance(play->world, 25) ? deadline : event.at;
	event.at = event.at < play->shadow.now ? play->shadow.now : event.at;
	play_feed(play, &event);
}

static void resume(struct play *play)
{
	struct run_event event = fact_of(play, RUN_RESUMED);
	bool calm = play->world->used >= play->world->count;
	int64_t more = calm ? 1000000000 : (int64_t)draw(play->world, 5);
	if (calm || chance(play->world, 60)) {
		event.raise = (struct team_limits){.max_turns = more,
			.timeout = more,
			.max_nano_usd = more * 100,
			.max_tokens = more * 30,
			.max_tool_calls = more,
			.max_handoffs = more};
	}
	play_feed(play, &event);
}

static void interrupt(struct play *play)
{
	struct run_event event = fact_of(play, PARK_REQUESTED);
	play_feed(play, &event);
}

static void cancel(struct play *play)
{
	struct run_event event = fact_of(play, CANCEL_REQUESTED);
	play_feed(play, &event);
}

// What may happen besides the answers to commands; weights are of 256.
static const struct {
	uint32_t weight;
	void (*happen)(struct play *);
} disturbances[] = {{8, send_message}, {5, interrupt}, {2, cancel}, {8, advance_clock},
	{10, answer_late}, {6, answer_nonsense}, {10, answer_question}, {4, play_crash},
	{8, play_reload}};

static bool disturb(struct play *play)
{
	uint32_t dice = draw(play->world, 256), from = 256;
	for (size_t i = 0; i < sizeof(disturbances) / sizeof(disturbances[0]); i++) {
		from -= disturbances[i].weight;
		if (dice >= from) {
			disturbances[i].happen(play);
			return true;
		}
	}
	return false;
}

static void step(struct play *play)
{
	const struct shadow *shadow = &play->shadow;
	if (disturb(play)) {
		return;
	}
	if (shadow->status != RUN_PARKED_STATUS) {
		answer_command(play);
	} else if (shadow->park == PARK_PERSON && !chance(play->world, 10)) {
		answer_question(play);
	} else {
		resume(play);
	}
}

void world_play(struct play *play)
{
	struct run_event event = {.kind = RUN_STARTED, .bytes = draw(play->world, 200)};
	uint32_t facts = 0;
	play->slow = draw(play->world, COMMAND_CHECK_GATE + 4);
	play->flaky = chance(play->world, 15);
	play_feed(play, &event);
	while (!play->shadow.broken) {
		shadow_must(&play->shadow, facts++ < MOST_FACTS, "every run ends");
		if (shadow_full(&play->shadow)) {
			play->world->used = play->world->count;
		}
		if (!shadow_ended(&play->shadow)) {
			step(play);
			continue;
		}
		// After the end only a message changes something, and only if the run is done.
		bool on = play->shadow.status == RUN_DONE && chance(play->world, 20);
		if (on) {
			send_message(play);
		} else if (!disturb(play) || play->world->used >= play->world->count) {
			return;
		}
	}
}
