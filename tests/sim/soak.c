/*
 * soak [-q] [COUNT [FIRST]]: plays COUNT seeds from FIRST on (default: a million from 10000). Prints
 * what occurred and how fast it was, or the first game that broke a rule, shrunk (-q: not shrunk and
 * not printed). soak SEED - prints one game.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "coverage.h"
#include "shrink.h"

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool quiet;

static int show_failure(struct play *play, struct game *game, uint64_t seed, const char *rule)
{
	if (!quiet) {
		shrink(play, game, NULL, rule);
		play_print(play);
	}
	printf("seed %" PRIu64 " breaks the rule: %s\n", seed, rule);
	return 1;
}

static int show_game(struct play *play, uint64_t seed)
{
	struct game game;
	game_init(&game, seed);
	const char *broken = play_game(play, &game, NULL, NULL);
	play_print(play);
	game_finish(&game);
	printf("%s\n", broken ? broken : "no rule is broken");
	return broken != NULL;
}

static int soak(struct play *play, uint64_t count, uint64_t first)
{
	struct coverage coverage = {0};
	double start = seconds();
	for (uint64_t seed = first; seed < first + count; seed++) {
		struct game game;
		game_init(&game, seed);
		const char *broken = play_game(play, &game, NULL, &coverage);
		coverage.games++;
		int status = broken ? show_failure(play, &game, seed, broken) : 0;
		game_finish(&game);
		if (status) {
			return status;
		}
	}
	coverage_print(&coverage);
	printf("%.0f seeds per second\n", (double)count / (seconds() - start));
	return 0;
}

int main(int argc, char **argv)
{
	quiet = argc > 1 && strcmp(argv[1], "-q") == 0;
	argc -= quiet;
	argv += quiet;
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	uint64_t second = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000;
	struct play *play = play_create();
	int status = argc > 2 && strcmp(argv[2], "-") == 0 ? show_game(play, first)
							   : soak(play, first, second);
	play_destroy(play);
	return status;
}
