/* Makes a failing game smaller: fewer bytes, more zeros, the same rule broken. */
#pragma once

#include "play.h"

void shrink(struct play *play, struct game *game, const struct mutant *mutant, const char *rule);
