/*
 * One game: a random team in a random world, played with the real core, looked at by the shadow. After
 * every event: the core decides the same twice and changes nothing by it; a result that is late,
 * doubled or nonsense changes nothing; a crash loses nothing; and at the end the whole log is folded
 * once more and gives the same bytes at every event.
 */
#pragma once

#include "shadow.h"

struct coverage;
struct mutant;

enum { PLAY_EVENTS = 12000 };

// An event of the log, with only those fields that the log keeps.
struct play_entry {
	struct run_event event;
	struct run_call_facts calls[SIM_CALLS];
	uint32_t gates[SIM_GATES];
	uint64_t digest; // of the serialised state after it
};

struct play {
	const struct mutant *mutant; // NULL: the core as it is
	struct choices *world;
	uint32_t slow;              // the kind of command that takes long
	bool flaky;                 // gates often cannot be checked
	struct sim_team team, told; // the team, and what the core is told about it
	struct run_state state;
	struct shadow shadow;
	struct run_bytes bytes,
		snapshot; // of the state now; of the state after `snapshot_at` events
	uint32_t snapshot_at;
	struct play_entry *log;
	uint32_t count;
};

struct play *play_create(void);
void play_destroy(struct play *play);
// The rule that was broken, or NULL. The log stays readable until the next game. Where `coverage` is
// not NULL, what occurred is counted.
const char *play_game(struct play *play, struct game *game, const struct mutant *mutant,
	struct coverage *coverage);
void play_print(const struct play *play); // team and log, for reading

// For the world.
void play_feed(struct play *play, const struct run_event *fact);
void play_crash(struct play *play);
void play_reload(struct play *play);
