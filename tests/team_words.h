/*
 * The words that team files of the loader's tests may use: those of the design, kept apart from the
 * program's own, so that a new check or entry does not change what these tests say.
 */
#pragma once

#include "team/vocabulary.h"

const struct vocabulary *team_words(void);
