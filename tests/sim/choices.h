/*
 * Where all chance comes from: a string of bytes that a seed fills in. Each draw takes one byte; after
 * the last one every draw is 0, and 0 is always the calmest choice (the first command is answered,
 * the model is content, the gate holds). So every game ends, and cutting or zeroing bytes makes a
 * failing game smaller.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct choices {
	unsigned char *bytes;
	size_t count, used;
};

// A game: the team's bytes and the world's.
struct game {
	struct choices team, world;
};

void game_init(struct game *game, uint64_t seed);
void game_copy(struct game *to, const struct game *from);
void game_finish(struct game *game);

uint32_t draw(struct choices *choices, uint32_t count); // 0 .. count - 1; at most 256
bool chance(struct choices *choices, uint32_t percent); // false when the bytes are used up
