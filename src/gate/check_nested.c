/* The kinds that hold other checks: any and not. */
#include <string.h>

#include "gate/kind.h"

enum { NAMED = 5 /* alternatives in the subject of `any` */ };

static bool compile(struct gate *gate, struct gate_check *check, struct error *error)
{
	const struct yaml_node *inner = yaml_get(check->node, check->kind->owner.name);
	bool asked = gate->asks;
	gate->asks = false;
	if (!gate_compile_list(gate, inner, &check->nested, &check->nested_count, error)) {
		return false;
	}
	// A person's yes makes the gate hold as a whole.
	if (gate->asks && check->kind == &check_not) {
		return error_set(error, ERROR_USAGE, "a person's yes cannot be turned round");
	}
	gate->asks = gate->asks || asked;
	buffer_cleanup subject = {0};
	for (size_t i = 0; i < check->nested_count && i < NAMED; i++) {
		const struct gate_check *nested = &check->nested[i];
		buffer_printf(&subject, "%s%s %s", i ? ", " : "", nested->kind->owner.name,
			nested->subject);
	}
	if (check->nested_count > NAMED) {
		buffer_printf(&subject, ", and %zu more", check->nested_count - NAMED);
	}
	check->subject = arena_string(gate->arena, subject.data);
	return true;
}

static bool reads(const struct gate_check *check, struct text path)
{
	for (size_t i = 0; i < check->nested_count; i++) {
		if (gate_check_reads(&check->nested[i], path)) {
			return true;
		}
	}
	return false;
}

// What the findings inside this one ask for, joined by a word.
static const char *nested_sentences(
	struct gate_look *look, const struct gate_finding *finding, const char *between)
{
	buffer_cleanup sentences = {0};
	size_t count = 0;
	for (size_t i = 0; i < finding->nested_count; i++) {
		const struct gate_finding *nested = &finding->nested[i];
		if (nested->status == GATE_HOLDS || !nested->sentence[0]) {
			continue;
		}
		if (count++ == NAMED) {
			buffer_add_string(&sentences, " And more.");
			break;
		}
		buffer_printf(&sentences, "%s%s", count > 1 ? between : " ", nested->sentence);
	}
	return arena_string(look->arena, count ? sentences.data : "");
}

static void look_any(const struct gate_check *check, struct gate_look *look)
{
	size_t first = look->count;
	enum gate_status best = GATE_FAILS;
	bool unclear = false;
	gate_find(look, check, check->subject, GATE_FAILS);
	for (size_t i = 0; i < check->nested_count && best != GATE_HOLDS; i++) {
		size_t from = look->count;
		gate_run_checks(&check->nested[i], 1, look);
		enum gate_status status = gate_worst(look, from);
		best = status == GATE_HOLDS || best == GATE_FAILS ? status : best;
		unclear = unclear || gate_unclear(look, from);
	}
	gate_nest(look, first);
	struct gate_finding *finding = &look->findings[first];
	finding->status = best;
	finding->expected = "one that holds";
	finding->found = best == GATE_HOLDS ? "one that holds" : "none that holds";
	finding->unclear = best == GATE_FAILS && unclear;
	if (best != GATE_HOLDS) {
		finding->sentence =
			arena_printf(look->arena, "One of these has to hold, and none does:%s",
				nested_sentences(look, finding, " Or: "));
	}
}

static void look_not(const struct gate_check *check, struct gate_look *look)
{
	size_t first = look->count;
	gate_find(look, check, check->subject, GATE_FAILS);
	gate_run_checks(check->nested, check->nested_count, look);
	enum gate_status inner = gate_worst(look, first + 1);
	bool unclear = inner == GATE_FAILS && gate_unclear(look, first + 1);
	gate_nest(look, first);
	struct gate_finding *finding = &look->findings[first];
	finding->status = inner == GATE_HOLDS || unclear ? GATE_FAILS
		: inner == GATE_FAILS                    ? GATE_HOLDS
							 : inner;
	finding->expected = "a check that does not hold";
	finding->found = unclear ? "a check that cannot be made" : gate_status_name(inner);
	finding->unclear = unclear;
	if (inner == GATE_HOLDS) {
		finding->sentence = arena_printf(
			look->arena, "'%s' must not hold, but it does.", check->subject);
	} else if (finding->status != GATE_HOLDS) {
		finding->sentence =
			arena_printf(look->arena, "'%s' must not hold, but that cannot be seen:%s",
				check->subject, nested_sentences(look, finding, " "));
	}
}

static const struct key any_keys[] = {
	{"any", KEY_CHECKS, "The checks, of which one has to hold.", .required = true},
	{0},
};

static const struct key not_keys[] = {
	{"not", KEY_CHECK, "The check that must not hold.", .required = true},
	{0},
};

const struct gate_kind check_any = {
	.owner = {.name = "any", .help = "One of several checks holds.", .keys = any_keys},
	.compile = compile,
	.check = look_any,
	.reads = reads,
};

const struct gate_kind check_not = {
	.owner = {.name = "not", .help = "A check does not hold.", .keys = not_keys},
	.compile = compile,
	.check = look_not,
	.reads = reads,
};
