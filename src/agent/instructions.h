/*
 * The system text of an agent: its own instructions from the team file, then what muster adds so that
 * the agent knows the rules it works under: what it has to leave behind (its outputs), where it may
 * write, to whom it may hand work and what each handoff needs.
 */
#pragma once

#include "team/team.h"

void instructions_build(
	struct buffer *text, const struct team *team, const struct team_values *values, int agent);
