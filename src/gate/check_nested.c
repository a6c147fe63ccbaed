/* The kinds that hold other checks: any and not. */
#include <string.h>

#include "base/path.h"
#include "gate/kind.h"

static bool compile(struct gate *gate, struct gate_check *check, struct error *error)
{
	const struct yaml_node *inner = yaml_get(check->node, check->kind->owner.name);
	return gate_compile_list(gate, inner, &check->nested, &check->nested_count, error);
}

static bool reads(const struct gate_check *check, struct text path)
{
	for (size_t i = 0; i < check->nested_count; i++) {
		const struct gate_check *inner = &check->nested[i];
		if (inner->kind->reads           ? inner->kind->reads(inner, path)
				: inner->is_glob ? glob_match(inner->path, path)
						 : text_equal(inner->path, path)) {
			return true;
		}
	}
	return false;
}

// The findings of nested checks are evidence: their own status counts no more, the parent's does.
static void settle(struct gate_look *look, size_t first, enum gate_status status)
{
	look->findings[first].status = status;
	for (size_t i = first + 1; i < look->count; i++) {
		if (look->findings[i].status != status) {
			look->findings[i].status = status == GATE_FAILS ? GATE_FAILS : GATE_HOLDS;
		}
	}
}

static void look_any(const struct gate_check *check, struct gate_look *look)
{
	size_t first = look->count;
	enum gate_status best = GATE_FAILS;
	gate_find(look, check, check->subject, GATE_FAILS);
	for (size_t i = 0; i < check->nested_count && best != GATE_HOLDS; i++) {
		size_t from = look->count;
		gate_run_checks(&check->nested[i], 1, look);
		enum gate_status status = gate_worst(look, from);
		best = status == GATE_HOLDS || best == GATE_FAILS ? status : best;
	}
	settle(look, first, best);
	look->findings[first].expected = "one of several";
	look->findings[first].found = best == GATE_HOLDS ? "one that holds" : "none that holds";
	look->findings[first].sentence =
		best == GATE_HOLDS ? "" : "One of these has to hold, and none does:";
}

static void look_not(const struct gate_check *check, struct gate_look *look)
{
	size_t first = look->count;
	gate_find(look, check, check->subject, GATE_FAILS);
	gate_run_checks(check->nested, check->nested_count, look);
	enum gate_status inner = gate_worst(look, first + 1);
	enum gate_status status = inner == GATE_HOLDS ? GATE_FAILS
		: inner == GATE_FAILS                 ? GATE_HOLDS
						      : inner;
	const char *subject = check->nested_count ? check->nested[0].subject : "";
	settle(look, first, status);
	for (size_t i = first + 1; i < look->count && status == GATE_HOLDS; i++) {
		look->findings[i].sentence = "";
	}
	look->findings[first].expected = "something that does not hold";
	look->findings[first].found = gate_status_name(inner);
	look->findings[first].sentence = status == GATE_HOLDS
		? ""
		: arena_printf(look->arena, "'%s' must not hold (%s), but it does.", subject,
			  check->nested_count ? check->nested[0].kind->owner.name : "");
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
