#include "shrink.h"

#include <stdlib.h>
#include <string.h>

struct search {
	struct play *play;
	struct game *game; // the smallest so far
	const struct mutant *mutant;
	const char *rule;
};

// Keeps the candidate if it breaks the same rule; else it is thrown away.
static bool try_game(struct search *search, struct game *candidate)
{
	const char *broken = play_game(search->play, candidate, search->mutant, NULL);
	if (!broken || strcmp(broken, search->rule) != 0) {
		game_finish(candidate);
		return false;
	}
	game_finish(search->game);
	*search->game = *candidate;
	// What was not drawn is not needed.
	search->game->team.count = search->game->team.used;
	search->game->world.count = search->game->world.used;
	return true;
}

static struct choices *part(struct game *game, bool world)
{
	return world ? &game->world : &game->team;
}

static bool cut(struct search *search, bool world, size_t from, size_t count)
{
	struct game candidate;
	game_copy(&candidate, search->game);
	struct choices *choices = part(&candidate, world);
	memmove(choices->bytes + from, choices->bytes + from + count,
		choices->count - from - count);
	choices->count -= count;
	return try_game(search, &candidate);
}

static bool set(struct search *search, bool world, size_t at, unsigned char byte)
{
	struct game candidate;
	game_copy(&candidate, search->game);
	part(&candidate, world)->bytes[at] = byte;
	return try_game(search, &candidate);
}

static bool cut_pieces(struct search *search, bool world)
{
	bool better = false;
	for (size_t size = part(search->game, world)->count / 2; size > 0; size /= 2) {
		for (size_t from = 0; from + size <= part(search->game, world)->count;) {
			bool smaller = cut(search, world, from, size);
			better = better || smaller;
			from += smaller ? 0 : size;
		}
	}
	return better;
}

static bool calm_bytes(struct search *search, bool world)
{
	bool better = false;
	for (size_t i = 0; i < part(search->game, world)->count; i++) {
		unsigned char byte = part(search->game, world)->bytes[i];
		better = (byte && set(search, world, i, 0)) ||
			(byte > 1 && set(search, world, i, byte / 2)) || better;
	}
	return better;
}

void shrink(struct play *play, struct game *game, const struct mutant *mutant, const char *rule)
{
	struct search search = {play, game, mutant, rule};
	bool better = true;
	for (int round = 0; better && round < 8; round++) {
		better = cut_pieces(&search, true);
		better = cut_pieces(&search, false) || better;
		better = calm_bytes(&search, true) || better;
		better = calm_bytes(&search, false) || better;
	}
	play_game(play, game, mutant, NULL); // leaves its log to be read
}
