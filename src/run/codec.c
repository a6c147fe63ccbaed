/*
 * The serialised state. One walk over all fields serves both directions, so that what is written is
 * what is read. Integers are little-endian varints (zigzag for signed ones).
 */
#include <stdlib.h>
#include <string.h>

#include "run/fold.h"

struct codec {
	unsigned char *data;
	size_t size, capacity, offset;
	bool writing;
	bool failed;
};

static void write_byte(struct codec *codec, unsigned char byte)
{
	if (codec->size == codec->capacity) {
		codec->capacity = codec->capacity ? codec->capacity * 2 : 1024;
		codec->data = fold_resize(codec->data, codec->capacity, 1);
	}
	codec->data[codec->size++] = byte;
}

static void code_bits(struct codec *codec, uint64_t *value)
{
	if (codec->writing) {
		uint64_t rest = *value;
		while (rest >= 0x80) {
			write_byte(codec, (unsigned char)(rest | 0x80));
			rest >>= 7;
		}
		write_byte(codec, (unsigned char)rest);
		return;
	}
	*value = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (codec->failed || codec->offset >= codec->size) {
			break;
		}
		unsigned char byte = codec->data[codec->offset++];
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			return;
		}
	}
	codec->failed = true;
	*value = 0;
}

static void code_i64(struct codec *codec, int64_t *value)
{
	uint64_t bits = (uint64_t)*value << 1 ^ (uint64_t)(*value >> 63);
	code_bits(codec, &bits);
	*value = (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
}

// A number from 0 to `most`; RUN_NONE is allowed as well if it is `most`'s upper bound.
static void code_u32(struct codec *codec, uint32_t *value, uint32_t most)
{
	uint64_t bits = *value;
	code_bits(codec, &bits);
	if (bits > UINT32_MAX || (bits > most && bits != RUN_NONE)) {
		codec->failed = true;
		bits = 0;
	}
	*value = (uint32_t)bits;
}

// A number below `count`, or RUN_NONE where that is allowed.
static void code_index(struct codec *codec, uint32_t *value, uint32_t count, bool none)
{
	code_u32(codec, value, RUN_NONE);
	if (*value >= count && !(none && *value == RUN_NONE)) {
		codec->failed = true;
		*value = 0;
	}
}

static void code_flag(struct codec *codec, bool *flag)
{
	uint64_t bits = *flag;
	code_bits(codec, &bits);
	codec->failed = codec->failed || bits > 1;
	*flag = bits == 1;
}

#define CODE_ENUM(codec, field, most)                                                              \
	do {                                                                                       \
		uint64_t code_enum_bits = (uint64_t)(field);                                       \
		code_bits(codec, &code_enum_bits);                                                 \
		if (code_enum_bits > (most)) {                                                     \
			(codec)->failed = true;                                                    \
			code_enum_bits = 0;                                                        \
		}                                                                                  \
		(field) = (unsigned)code_enum_bits;                                                \
	} while (0)

// The length of an array; when reading, its memory is made (zeroed). Every element takes at least one
// byte, so a length beyond what is left is refused before any memory is taken.
static void *code_array(struct codec *codec, void *array, uint32_t *count, size_t size)
{
	code_u32(codec, count, RUN_NONE - 1);
	if (codec->writing) {
		return array;
	}
	if (codec->failed || *count > codec->size - codec->offset) {
		codec->failed = true;
		*count = 0;
	}
	void *memory = *count ? fold_resize(NULL, *count, size) : NULL;
	if (memory) {
		memset(memory, 0, *count * size);
	}
	return memory;
}

static void code_use(struct codec *codec, struct run_use *use)
{
	code_i64(codec, &use->turns);
	code_i64(codec, &use->tokens);
	code_i64(codec, &use->nano_usd);
	code_i64(codec, &use->tool_calls);
	code_i64(codec, &use->handoffs);
}

static void code_limits(struct codec *codec, struct team_limits *limits)
{
	int64_t *fields[] = {&limits->max_turns, &limits->timeout, &limits->max_nano_usd,
		&limits->max_tokens, &limits->max_tool_calls, &limits->max_handoffs,
		&limits->max_concurrency, &limits->max_depth};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		code_i64(codec, fields[i]);
	}
}

static void code_checklist(
	struct codec *codec, struct run_checklist *list, const struct run_rules *rules)
{
	list->checks = code_array(codec, list->checks, &list->count, sizeof(*list->checks));
	for (uint32_t i = 0; i < list->count; i++) {
		struct run_check *check = &list->checks[i];
		code_index(codec, &check->gate, rules->gate_count, false);
		CODE_ENUM(codec, check->progress, PROGRESS_SKIPPED);
		code_u32(codec, &check->branch, RUN_NONE);
		code_u32(codec, &check->command, RUN_NONE);
		code_u32(codec, &check->record, RUN_NONE);
		code_u32(codec, &check->tries, RUN_NONE);
	}
}

static void code_call(struct codec *codec, struct run_call *call, const struct run_state *state,
	const struct run_rules *rules)
{
	CODE_ENUM(codec, call->kind, CALL_PERSON);
	code_u32(codec, &call->edge, RUN_NONE);
	if (run_is_handoff(call->kind) && call->edge >= rules->edge_count) {
		codec->failed = true;
	}
	code_flag(codec, &call->effectful);
	code_flag(codec, &call->repeatable);
	code_flag(codec, &call->ask);
	code_flag(codec, &call->approved);
	code_bits(codec, &call->hash);
	code_i64(codec, &call->bytes);
	code_u32(codec, &call->command, RUN_NONE);
	code_index(codec, &call->child, state->branch_count, true);
	CODE_ENUM(codec, call->answer, ANSWER_PERSON);
	code_u32(codec, &call->value, RUN_NONE);
	code_flag(codec, &call->failed);
	code_checklist(codec, &call->checklist, rules);
}

static void code_refusals(
	struct codec *codec, struct run_branch *branch, const struct run_rules *rules)
{
	bool there = branch->refusals != NULL;
	code_flag(codec, &there);
	if (there && !branch->refusals) {
		size_t size = rules->edge_count * sizeof(*branch->refusals);
		branch->refusals = fold_resize(NULL, size, 1);
		memset(branch->refusals, 0, size);
	}
	for (uint32_t i = 0; there && i < rules->edge_count; i++) {
		uint32_t count = branch->refusals[i];
		code_u32(codec, &count, UINT16_MAX);
		branch->refusals[i] = (uint16_t)count;
	}
}

static void code_branch(struct codec *codec, struct run_branch *branch,
	const struct run_state *state, const struct run_rules *rules)
{
	code_index(codec, &branch->parent, state->branch_count, true);
	code_u32(codec, &branch->parent_call, RUN_NONE);
	code_u32(codec, &branch->depth, RUN_NONE);
	code_index(codec, &branch->assignee, rules->agent_count, false);
	code_index(codec, &branch->agent, rules->agent_count, false);
	code_index(codec, &branch->remembers, state->branch_count, true);
	CODE_ENUM(codec, branch->phase, PHASE_CLOSED);
	CODE_ENUM(codec, branch->ending, OUTCOME_ABORTED);
	CODE_ENUM(codec, branch->outcome, OUTCOME_ABORTED);
	CODE_ENUM(codec, branch->limit, LIMIT_HANDOFFS);
	code_u32(codec, &branch->next_command, RUN_NONE);
	code_u32(codec, &branch->outstanding, RUN_NONE);
	code_u32(codec, &branch->open_children, RUN_NONE);
	code_u32(codec, &branch->turn, RUN_NONE);
	code_u32(codec, &branch->assignment, RUN_NONE);
	code_i64(codec, &branch->started);
	code_u32(codec, &branch->first_record, RUN_NONE);
	code_u32(codec, &branch->attempts, RUN_NONE);
	code_u32(codec, &branch->allowance, RUN_NONE);
	code_refusals(codec, branch, rules);
	code_use(codec, &branch->used);
	code_use(codec, &branch->reserved);
	branch->calls =
		code_array(codec, branch->calls, &branch->call_count, sizeof(*branch->calls));
	for (uint32_t i = 0; i < branch->call_count; i++) {
		code_call(codec, &branch->calls[i], state, rules);
	}
	code_checklist(codec, &branch->checklist, rules);
	CODE_ENUM(codec, branch->note, NOTE_MESSAGE);
	code_u32(codec, &branch->messages, RUN_NONE);
	code_bits(codec, &branch->failing_hash);
	code_u32(codec, &branch->failing_count, RUN_NONE);
	code_u32(codec, &branch->opened_record, RUN_NONE);
	code_bits(codec, &branch->agents);
	code_flag(codec, &branch->dirty);
	code_i64(codec, &branch->bytes);
	code_i64(codec, &branch->report_bytes);
}

static void code_command(
	struct codec *codec, struct run_command *command, const struct run_state *state)
{
	code_index(codec, &command->branch, state->branch_count, false);
	code_u32(codec, &command->number, RUN_NONE);
	CODE_ENUM(codec, command->kind, COMMAND_CHECK_GATE);
	code_u32(codec, &command->call, RUN_NONE);
	code_index(codec, &command->gate, state->gate_count, true);
	code_u32(codec, &command->record, RUN_NONE);
	code_flag(codec, &command->effectful);
	code_i64(codec, &command->reserved_tokens);
	code_i64(codec, &command->reserved_nano_usd);
	code_i64(codec, &command->at);
}

static void code_lists(struct codec *codec, struct run_state *state, const struct run_rules *rules)
{
	state->branches =
		code_array(codec, state->branches, &state->branch_count, sizeof(*state->branches));
	for (uint32_t i = 0; i < state->branch_count; i++) {
		code_branch(codec, &state->branches[i], state, rules);
	}
	state->open = code_array(codec, state->open, &state->open_count, sizeof(*state->open));
	for (uint32_t i = 0; i < state->open_count; i++) {
		code_index(codec, &state->open[i], state->branch_count, false);
	}
	state->commands =
		code_array(codec, state->commands, &state->command_count, sizeof(*state->commands));
	for (uint32_t i = 0; i < state->command_count; i++) {
		code_command(codec, &state->commands[i], state);
	}
	state->questions = code_array(
		codec, state->questions, &state->question_count, sizeof(*state->questions));
	for (uint32_t i = 0; i < state->question_count; i++) {
		struct run_question *question = &state->questions[i];
		code_u32(codec, &question->number, RUN_NONE);
		CODE_ENUM(codec, question->kind, QUESTION_TEXT);
		code_index(codec, &question->branch, state->branch_count, false);
		code_u32(codec, &question->call, RUN_NONE);
		code_index(codec, &question->gate, state->gate_count, true);
		code_u32(codec, &question->record, RUN_NONE);
	}
	for (uint32_t i = 0; i < state->gate_count; i++) {
		struct run_gate_state *gate = &state->gates[i];
		code_flag(codec, &gate->known);
		code_flag(codec, &gate->holds);
		code_u32(codec, &gate->record, RUN_NONE);
		code_u32(codec, &gate->touched, RUN_NONE);
		code_u32(codec, &gate->branch, RUN_NONE);
		code_u32(codec, &gate->command, RUN_NONE);
	}
	for (uint32_t i = 0; i < state->agent_count; i++) {
		code_index(codec, &state->finished[i], state->branch_count, true);
	}
}

static void code_state(struct codec *codec, struct run_state *state, const struct run_rules *rules)
{
	CODE_ENUM(codec, state->status, RUN_CANCELLED);
	CODE_ENUM(codec, state->park, PARK_UNAVAILABLE);
	CODE_ENUM(codec, state->limit, LIMIT_HANDOFFS);
	code_flag(codec, &state->stopping);
	code_flag(codec, &state->unavailable);
	CODE_ENUM(codec, state->sandbox, SANDBOX_OPEN);
	code_i64(codec, &state->now);
	code_u32(codec, &state->turns, RUN_NONE);
	code_u32(codec, &state->record, RUN_NONE);
	code_flag(codec, &state->recording);
	code_bits(codec, &state->unrecorded);
	code_bits(codec, &state->violators);
	code_use(codec, &state->used);
	code_use(codec, &state->reserved);
	code_i64(codec, &state->input_tokens);
	code_i64(codec, &state->cached_tokens);
	code_i64(codec, &state->output_tokens);
	code_limits(codec, &state->limits);
	code_u32(codec, &state->assignments, RUN_NONE);
	code_u32(codec, &state->next_question, RUN_NONE);
	code_lists(codec, state, rules);
}

// What points from one list into another has to fit, too.
static bool references_fit(const struct run_state *state)
{
	for (uint32_t i = 0; i < state->branch_count; i++) {
		const struct run_branch *branch = &state->branches[i];
		if (branch->parent == RUN_NONE) {
			continue;
		}
		if (branch->parent >= i ||
			(branch->phase != PHASE_CLOSED &&
				branch->parent_call >=
					state->branches[branch->parent].call_count)) {
			return false;
		}
	}
	for (uint32_t i = 0; i < state->command_count; i++) {
		const struct run_command *command = &state->commands[i];
		uint32_t calls = state->branches[command->branch].call_count;
		// A check may outlive the call that it was made for.
		if ((command->call >= calls && command->kind == COMMAND_CALL_TOOL) ||
			(command->kind == COMMAND_CHECK_GATE && command->gate == RUN_NONE)) {
			return false;
		}
	}
	for (uint32_t i = 0; i < state->question_count; i++) {
		const struct run_question *question = &state->questions[i];
		uint32_t calls = state->branches[question->branch].call_count;
		if (question->call >= calls &&
			(question->call != RUN_NONE || question->kind == QUESTION_TOOL ||
				question->kind == QUESTION_TEXT)) {
			return false;
		}
	}
	return true;
}

struct run_bytes run_state_save(const struct run_state *state)
{
	struct codec codec = {.writing = true};
	// The walk writes back what it reads, so the state stays as it is.
	struct run_state *walked = (struct run_state *)(uintptr_t)state;
	const struct run_rules counts = {.agent_count = state->agent_count,
		.gate_count = state->gate_count,
		.edge_count = state->edge_count};
	uint64_t version = RUN_STATE_VERSION;
	code_bits(&codec, &version);
	code_state(&codec, walked, &counts);
	return (struct run_bytes){codec.data, codec.size};
}

bool run_state_load(struct run_state *state, const struct run_rules *rules,
	const unsigned char *data, size_t size)
{
	struct codec codec = {.data = (unsigned char *)(uintptr_t)data, .size = size};
	uint64_t version = 0;
	code_bits(&codec, &version);
	if (codec.failed || version != RUN_STATE_VERSION) {
		return false;
	}
	run_state_init(state, rules);
	code_state(&codec, state, rules);
	if (codec.failed || codec.offset != size || !references_fit(state)) {
		run_state_finish(state);
		return false;
	}
	return true;
}
