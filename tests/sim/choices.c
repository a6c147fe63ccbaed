#include "choices.h"

#include <stdlib.h>
#include <string.h>

enum { TEAM_BYTES = 400, WORLD_BYTES_LEAST = 40, WORLD_BYTES_MORE = 3000 };

static uint64_t next_random(uint64_t *state)
{
	uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);
	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ mixed >> 31;
}

static unsigned char *bytes_new(size_t count)
{
	unsigned char *bytes = malloc(count ? count : 1);
	if (!bytes) {
		abort();
	}
	return bytes;
}

static void fill(struct choices *choices, size_t count, uint64_t *random)
{
	*choices = (struct choices){.bytes = bytes_new(count), .count = count};
	for (size_t i = 0; i < count; i++) {
		choices->bytes[i] = (unsigned char)(next_random(random) >> 56);
	}
}

void game_init(struct game *game, uint64_t seed)
{
	uint64_t random = seed;
	fill(&game->team, TEAM_BYTES, &random);
	// Short games are as likely as long ones: they are the ones that can be understood.
	size_t most = WORLD_BYTES_MORE >> (next_random(&random) % 4);
	fill(&game->world, WORLD_BYTES_LEAST + next_random(&random) % most, &random);
}

static void copy(struct choices *to, const struct choices *from)
{
	*to = (struct choices){.bytes = bytes_new(from->count), .count = from->count};
	memcpy(to->bytes, from->bytes, from->count);
}

void game_copy(struct game *to, const struct game *from)
{
	copy(&to->team, &from->team);
	copy(&to->world, &from->world);
}

void game_finish(struct game *game)
{
	free(game->team.bytes);
	free(game->world.bytes);
	*game = (struct game){0};
}

uint32_t draw(struct choices *choices, uint32_t count)
{
	return choices->used < choices->count ? choices->bytes[choices->used++] % count : 0;
}

bool chance(struct choices *choices, uint32_t percent)
{
	return draw(choices, 256) >= 256 - percent * 256 / 100;
}
