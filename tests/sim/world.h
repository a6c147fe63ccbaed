/* The made-up world: models, tools, gates, people, power failures. */
#pragma once

#include "play.h"

// Plays from the start of a run until it has ended.
void world_play(struct play *play);
bool world_stops_machine(struct choices *world);
