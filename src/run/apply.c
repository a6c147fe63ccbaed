#include "run/fold.h"

bool run_apply(
	struct run_state *state, const struct run_rules *rules, const struct run_event *event)
{
	if (event->kind >= RUN_EVENT_KINDS) {
		return false;
	}
	fold_function *fact = fold_facts[event->kind];
	fold_function *apply = fact ? fact : fold_decisions[event->kind];
	if (!apply(state, rules, event)) {
		return false;
	}
	state->now = event->at > state->now ? event->at : state->now;
	return true;
}
