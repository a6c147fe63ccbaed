/*
 * A person says yes. The check itself only asks; who drives the run puts the question, once all
 * else in the gate holds. A yes belongs to what the gate's paths hold at that time.
 */
#include <string.h>

#include "gate/kind.h"

enum { QUESTION_LIMIT = 1000 };

static bool compile(struct gate *gate, struct gate_check *check, struct error *error)
{
	const struct yaml_node *question = yaml_get(check->node, "approve");
	if (question->kind != YAML_STRING || question->text.length == 0) {
		return error_set(error, ERROR_USAGE, "it needs a question");
	}
	if (question->text.length > QUESTION_LIMIT) {
		return error_set(
			error, ERROR_USAGE, "a question has at most %d bytes", QUESTION_LIMIT);
	}
	gate->asks = true;
	check->data = gate;
	return true;
}

static bool reads(const struct gate_check *check, struct text path)
{
	return gate_names(check->data, path);
}

static void look_at(const struct gate_check *check, struct gate_look *look)
{
	const struct gate_place *place = look->place;
	for (const char *const *yes = place->approved; place->content && yes && *yes; yes++) {
		if (strcmp(*yes, place->content) == 0) {
			struct gate_finding *finding =
				gate_find(look, check, check->subject, GATE_HOLDS);
			finding->found = "a yes";
			finding->sha256 = place->content;
			return;
		}
	}
	struct gate_finding *finding = gate_find(look, check, check->subject, GATE_NEEDS_PERSON);
	finding->expected = "a person's yes";
	finding->found = "no answer yet";
	finding->sentence = check->subject;
	finding->sha256 = place->content;
}

static const struct key keys[] = {
	{"approve", KEY_STRING, "The question.", .required = true},
	{0},
};

const struct gate_kind check_approve = {
	.owner = {.name = "approve",
		.help = "A person says yes to what the gate's paths hold, once all else holds.",
		.keys = keys},
	.compile = compile,
	.check = look_at,
	.reads = reads,
};
