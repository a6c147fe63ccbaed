/* A game as a person reads it: the team, then the log, one event per line. */
#include <inttypes.h>
#include <stdio.h>

#include "play.h"

static void print_bits(const char *name, uint64_t bits)
{
	printf(" %s", name);
	for (uint32_t i = 0; i < 64; i++) {
		if (bits >> i & 1) {
			printf(" %u", i);
		}
	}
}

static void print_list(const char *name, const uint32_t *list, uint32_t count)
{
	printf("%s%s", count ? " " : "", count ? name : "");
	for (uint32_t i = 0; i < count; i++) {
		printf(" %u", list[i]);
	}
}

static void print_limits(const struct team_limits *limits)
{
	const struct {
		const char *name;
		int64_t value;
	} all[] = {{"turns", limits->max_turns}, {"time", limits->timeout},
		{"nano_usd", limits->max_nano_usd}, {"tokens", limits->max_tokens},
		{"tool_calls", limits->max_tool_calls}, {"handoffs", limits->max_handoffs},
		{"concurrency", limits->max_concurrency}, {"depth", limits->max_depth}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].value) {
			printf(" %s=%" PRId64, all[i].name, all[i].value);
		}
	}
}

static void print_team(const struct run_rules *rules)
{
	static const char *const policies[] = {"return", "ask", "abort"};
	printf("manager %u, limits", rules->manager);
	print_limits(&rules->limits);
	for (uint32_t i = 0; i < rules->agent_count; i++) {
		const struct run_agent *agent = &rules->agents[i];
		printf("\nagent %u:", i);
		print_list("outputs", agent->outputs, agent->output_count);
		print_bits("overlaps", agent->overlaps);
		print_limits(&agent->limits);
	}
	for (uint32_t i = 0; i < rules->gate_count; i++) {
		const struct run_gate *gate = &rules->gates[i];
		printf("\ngate %u: retries %d then %s%s", i, gate->retries, policies[gate->then],
			gate->per_assignment ? " per assignment" : "");
		print_bits("writers", gate->writers);
	}
	for (uint32_t i = 0; i < rules->edge_count; i++) {
		const struct run_edge *edge = &rules->edges[i];
		printf("\nedge %u: %u %s %u, retries %d", i, edge->from,
			edge->kind == EDGE_DELEGATE ? "delegates to" : "transfers to", edge->to,
			edge->retries);
		print_list("needs", edge->needs, edge->need_count);
	}
	printf("\n");
}

static void print_calls(const struct run_event *event)
{
	for (uint32_t i = 0; i < event->call_count; i++) {
		const struct run_call_facts *call = &event->calls[i];
		printf("\n          %u: %s", i, run_call_kind_name(call->kind));
		if (call->kind == CALL_DELEGATE || call->kind == CALL_TRANSFER) {
			printf(" edge %u", call->edge);
		}
		printf(" hash %" PRIu64 "%s%s%s", call->hash, call->effectful ? " effectful" : "",
			call->repeatable ? " repeatable" : "", call->ask ? " ask" : "");
	}
}

static void print_field(const struct run_event *event, const struct run_field *field)
{
	const char *at = (const char *)event + field->offset;
	uint32_t number = *(const uint32_t *)(const void *)at;
	switch (field->type) {
	case FIELD_NUMBER32:
		if (number != RUN_NONE) {
			printf(" %s=%u", field->name, number);
		}
		break;
	case FIELD_NUMBER64:
		printf(" %s=%" PRId64, field->name, *(const int64_t *)(const void *)at);
		break;
	case FIELD_BITS64:
		print_bits(field->name, *(const uint64_t *)(const void *)at);
		break;
	case FIELD_FLAG:
		printf("%s%s", *(const bool *)at ? " " : "", *(const bool *)at ? field->name : "");
		break;
	case FIELD_CODE:
		printf(" %s", run_code_name(event->kind, number));
		break;
	case FIELD_CALLS:
		print_calls(event);
		break;
	case FIELD_GATES:
		print_list("gates", event->gates, event->gate_count);
		break;
	case FIELD_LIMITS:
		print_limits((const struct team_limits *)(const void *)at);
		break;
	}
}

void play_print(const struct play *play)
{
	print_team(&play->team.rules);
	for (uint32_t i = 0; i < play->count; i++) {
		const struct run_event *event = &play->log[i].event;
		printf("%4u %5" PRId64 " %s", i, event->at, run_event_name(event->kind));
		for (const struct run_field *field = run_event_fields(event->kind); field->name;
			field++) {
			print_field(event, field);
		}
		printf("\n");
	}
}
