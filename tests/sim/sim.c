/*
 * The everyday simulation: bugs found so far (seeds.txt), 10,000 seeds, everything occurred, and every
 * deliberate fault is noticed. Prints TAP.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "mutants.h"
#include "shrink.h"

enum { SEEDS = 10000 };

static int tests, failures;

static void result(bool fine, const char *what, const char *more)
{
	printf("%s %d - %s%s\n", fine ? "ok" : "not ok", ++tests, what, more);
	fflush(stdout);
	failures += !fine;
}

static bool play_seed(struct play *play, uint64_t seed, struct coverage *coverage)
{
	struct game game;
	game_init(&game, seed);
	const char *broken = play_game(play, &game, NULL, coverage);
	if (broken) {
		shrink(play, &game, NULL, broken);
		play_print(play);
		printf("seed %" PRIu64 " breaks the rule: %s\n", seed, broken);
	}
	game_finish(&game);
	return !broken;
}

static void play_named_seeds(struct play *play, const char *path)
{
	char line[256];
	FILE *file = fopen(path, "r");
	result(file != NULL, "the named seeds can be read", "");
	while (file && fgets(line, sizeof(line), file)) {
		char *name = NULL;
		uint64_t seed = strtoull(line, &name, 10);
		if (name == line) {
			continue; // a comment
		}
		line[strcspn(line, "\n")] = '\0';
		result(play_seed(play, seed, NULL), "seed ", line);
	}
	if (file) {
		fclose(file);
	}
}

static void play_seeds(struct play *play)
{
	struct coverage coverage = {0};
	bool fine = true;
	for (uint64_t seed = 0; fine && seed < SEEDS; seed++) {
		fine = play_seed(play, seed, &coverage);
		coverage.games++;
	}
	result(fine, "10,000 random games keep all rules", "");
	result(coverage_missing(&coverage) == 0, "everything that can occur did", "");
}

static void notice_mutant(struct play *play, const struct mutant *mutant)
{
	char more[160] = " (not noticed)";
	bool noticed = false;
	for (uint64_t seed = 0; !noticed && seed < SEEDS; seed++) {
		struct game game;
		game_init(&game, seed);
		const char *broken = play_game(play, &game, mutant, NULL);
		game_finish(&game);
		if (broken) {
			noticed = true;
			snprintf(more, sizeof(more), " (seed %" PRIu64 ": %s)", seed, broken);
		}
	}
	char what[160];
	snprintf(what, sizeof(what), "it is noticed when %s", mutant->name);
	result(noticed, what, more);
}

int main(int argc, char **argv)
{
	struct play *play = play_create();
	play_named_seeds(play, argc > 1 ? argv[1] : "tests/sim/seeds.txt");
	play_seeds(play);
	for (size_t i = 0; i < mutant_count; i++) {
		notice_mutant(play, &mutants[i]);
	}
	printf("1..%d\n", tests);
	play_destroy(play);
	return failures != 0;
}
