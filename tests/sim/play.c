#include "play.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "mutants.h"
#include "world.h"

enum { DECISIONS_IN_A_ROW = 3000, SNAPSHOT_EVERY = 23 };

struct play *play_create(void)
{
	struct play *play = calloc(1, sizeof(*play));
	if (!play || !(play->log = calloc(PLAY_EVENTS, sizeof(*play->log)))) {
		abort();
	}
	return play;
}

static void forget_bytes(struct run_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct run_bytes){0};
}

void play_destroy(struct play *play)
{
	forget_bytes(&play->bytes);
	forget_bytes(&play->snapshot);
	free(play->log);
	free(play);
}

static uint64_t digest(const struct run_bytes *bytes)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325) ^ bytes->size, word;
	for (size_t i = 0; i < bytes->size; i += sizeof(word)) {
		size_t rest = bytes->size - i;
		word = 0;
		memcpy(&word, bytes->data + i, rest < sizeof(word) ? rest : sizeof(word));
		sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 29;
	}
	return sum;
}

static bool same_bytes(const struct run_bytes *a, const struct run_bytes *b)
{
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

// Is the state still what it was after the last event?
static void must_be_unchanged(struct play *play, const char *rule)
{
	struct run_bytes now = run_state_save(&play->state);
	shadow_must(&play->shadow, same_bytes(&now, &play->bytes), rule);
	forget_bytes(&now);
}

static size_t field_size(enum run_field_type type)
{
	static const size_t sizes[] = {[FIELD_NUMBER32] = sizeof(uint32_t),
		[FIELD_NUMBER64] = sizeof(int64_t),
		[FIELD_BITS64] = sizeof(uint64_t),
		[FIELD_FLAG] = sizeof(bool),
		[FIELD_CODE] = sizeof(uint32_t),
		[FIELD_LIMITS] = sizeof(struct team_limits)};
	return sizes[type];
}

// What a log keeps of an event: the fields that its kind uses.
static void keep(struct play_entry *entry, const struct run_event *event)
{
	entry->event = (struct run_event){.kind = event->kind, .at = event->at};
	for (const struct run_field *field = run_event_fields(event->kind); field->name; field++) {
		if (field->type == FIELD_CALLS) {
			for (uint32_t i = 0; i < event->call_count; i++) {
				entry->calls[i] = event->calls[i];
			}
			entry->event.calls = event->call_count ? entry->calls : NULL;
			entry->event.call_count = event->call_count;
		} else if (field->type == FIELD_GATES) {
			for (uint32_t i = 0; i < event->gate_count; i++) {
				entry->gates[i] = event->gates[i];
			}
			entry->event.gates = event->gate_count ? entry->gates : NULL;
			entry->event.gate_count = event->gate_count;
		} else {
			memcpy((char *)&entry->event + field->offset,
				(const char *)event + field->offset, field_size(field->type));
		}
	}
}

static bool same_event(const struct run_event *a, const struct run_event *b)
{
	if (a->kind != b->kind || a->at != b->at) {
		return false;
	}
	for (const struct run_field *field = run_event_fields(a->kind); field->name; field++) {
		if (field->type != FIELD_CALLS && field->type != FIELD_GATES &&
			memcmp((const char *)a + field->offset, (const char *)b + field->offset,
				field_size(field->type)) != 0) {
			return false;
		}
	}
	return true;
}

// An event was applied: into the log, into the books.
static void take(struct play *play, const struct run_event *event)
{
	shadow_must(&play->shadow, play->count < PLAY_EVENTS, "every run ends");
	if (play->shadow.broken) {
		return;
	}
	struct play_entry *entry = &play->log[play->count++];
	keep(entry, event);
	forget_bytes(&play->bytes);
	play->bytes = run_state_save(&play->state);
	entry->digest = digest(&play->bytes);
	shadow_take(&play->shadow, event, &play->state);
	if (play->count % SNAPSHOT_EVERY == 0) {
		forget_bytes(&play->snapshot);
		play->snapshot = run_state_save(&play->state);
		play->snapshot_at = play->count;
	}
}

static bool decide(struct play *play, struct run_event *event)
{
	struct run_event again;
	bool decided = mutant_decide(play->mutant, &play->state, &play->told.rules, event);
	bool twice = mutant_decide(play->mutant, &play->state, &play->told.rules, &again);
	shadow_must(&play->shadow, decided == twice && (!decided || same_event(event, &again)),
		"the same state gives the same decision");
	// Between decisions that is seen by folding the log again, where nothing is decided.
	if (!decided) {
		must_be_unchanged(play, "deciding changes nothing");
	}
	return decided;
}

// Takes decisions until there is none; false: the machine stopped in between.
static bool settle(struct play *play)
{
	struct run_event event;
	for (uint32_t i = 0; !play->shadow.broken && decide(play, &event); i++) {
		shadow_must(&play->shadow, i < DECISIONS_IN_A_ROW, "decisions come to an end");
		if (play->shadow.broken) {
			return true;
		}
		bool applied = mutant_apply(play->mutant, &play->state, &play->told.rules, &event);
		shadow_must(&play->shadow, applied, "what is decided can be done");
		take(play, &event);
		if (!play->shadow.broken && world_stops_machine(play->world)) {
			return false;
		}
	}
	if (!play->shadow.broken) {
		shadow_settled(&play->shadow, &play->state);
	}
	return true;
}

void play_feed(struct play *play, const struct run_event *fact)
{
	bool expected = shadow_expects(&play->shadow, fact);
	bool applied = mutant_apply(play->mutant, &play->state, &play->told.rules, fact);
	shadow_must(&play->shadow, applied || !expected, "a fact that fits is taken");
	shadow_must(&play->shadow, !applied || expected,
		"a fact that is late, doubled or nonsense is not taken");
	if (!applied && !play->shadow.broken) {
		must_be_unchanged(play, "what is not taken changes nothing");
	}
	if (!applied || play->shadow.broken) {
		return;
	}
	take(play, fact);
	if (!settle(play)) {
		play_crash(play);
	}
}

static void fold(struct play *play, struct run_state *state, uint32_t from)
{
	for (uint32_t i = from; i < play->count && !play->shadow.broken; i++) {
		bool applied =
			mutant_apply(play->mutant, state, &play->told.rules, &play->log[i].event);
		struct run_bytes bytes = run_state_save(state);
		shadow_must(&play->shadow, applied && digest(&bytes) == play->log[i].digest,
			"folding the log gives the same state at every event");
		forget_bytes(&bytes);
	}
}

static void load(struct play *play, struct run_state *state, const struct run_bytes *bytes)
{
	bool loaded = run_state_load(state, &play->told.rules, bytes->data, bytes->size);
	shadow_must(&play->shadow, loaded, "a state that was saved can be loaded");
	if (!loaded) {
		run_state_init(state, &play->told.rules);
		return;
	}
	mutant_loaded(play->mutant, state);
	struct run_bytes again = run_state_save(state);
	shadow_must(&play->shadow, same_bytes(&again, bytes), "a state is loaded as it was saved");
	forget_bytes(&again);
}

// The state goes through its serialised form, unnoticed.
void play_reload(struct play *play)
{
	struct run_state state;
	load(play, &state, &play->bytes);
	run_state_finish(&play->state);
	play->state = state;
}

// Everything but the log (and, every other time, an old snapshot) is gone; the run goes on.
void play_crash(struct play *play)
{
	struct run_event resumed = {.kind = RUN_RESUMED, .at = play->shadow.now};
	struct run_state state;
	bool snapshot = play->snapshot.data && play->count % 2;
	if (snapshot) {
		load(play, &state, &play->snapshot);
	} else {
		run_state_init(&state, &play->told.rules);
	}
	fold(play, &state, snapshot ? play->snapshot_at : 0);
	run_state_finish(&play->state);
	play->state = state;
	if (!play->shadow.broken && !shadow_ended(&play->shadow)) {
		play_feed(play, &resumed);
	}
}

const char *play_game(struct play *play, struct game *game, const struct mutant *mutant,
	struct coverage *coverage)
{
	game->team.used = 0;
	game->world.used = 0;
	play->mutant = mutant;
	play->world = &game->world;
	play->count = 0;
	sim_team_make(&play->team, &game->team);
	sim_team_copy(&play->told, &play->team);
	mutant_tells(mutant, &play->told);
	run_state_init(&play->state, &play->told.rules);
	shadow_init(&play->shadow, &play->team.rules);
	forget_bytes(&play->bytes);
	forget_bytes(&play->snapshot);
	play->bytes = run_state_save(&play->state);
	world_play(play);
	if (!play->shadow.broken) {
		struct run_state state;
		run_state_init(&state, &play->told.rules);
		fold(play, &state, 0);
		run_state_finish(&state);
	}
	run_state_finish(&play->state);
	for (uint32_t i = 0; coverage && i < play->count; i++) {
		coverage_count(coverage, &play->log[i].event);
	}
	return play->shadow.broken;
}
