/* Is the journal of a run sound? Its events are decoded and folded, and what they refer to is there. */
#pragma once

#include "store/check.h"
#include "team/team.h"

// False only when looking was not possible.
bool check_journal(struct check *check, const struct store_run *run,
	const struct vocabulary *vocabulary, struct error *error);
