#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/path.h"
#include "perform/performers.h"

enum { STEPS_MOST = 16 /* commits that may not be in the journal */ };

// A write outside the agent's `writes:` that stands: until the path is again what it was.
struct violation {
	struct violation *next;
	char *path;
	uint32_t agent;
	char before[41]; // the blob before the write; "" if there was none
	bool there;      // there was one
};

struct blob {
	char *path;
	char id[41];
};

// The last known blob of each path, sorted by path, to tell when a write was undone.
struct recorder {
	const struct team *team;
	struct violation *violations;
	struct blob *blobs;
	size_t blob_count, blob_capacity;
};

struct recorder *recorder_create(const struct team *team)
{
	struct recorder *recorder = memory_alloc(sizeof(*recorder));
	recorder->team = team;
	return recorder;
}

void recorder_destroy(struct recorder *recorder)
{
	if (!recorder) {
		return;
	}
	while (recorder->violations) {
		struct violation *next = recorder->violations->next;
		free(recorder->violations->path);
		free(recorder->violations);
		recorder->violations = next;
	}
	for (size_t i = 0; i < recorder->blob_count; i++) {
		free(recorder->blobs[i].path);
	}
	free(recorder->blobs);
	free(recorder);
}

static size_t blob_place(const struct recorder *recorder, const char *path, bool *there)
{
	size_t low = 0, high = recorder->blob_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(recorder->blobs[middle].path, path);
		if (order == 0) {
			*there = true;
			return middle;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	*there = false;
	return low;
}

static void set_blob(struct recorder *recorder, const char *path, const char *id)
{
	bool there;
	size_t place = blob_place(recorder, path, &there);
	if (!there) {
		if (recorder->blob_count == recorder->blob_capacity) {
			recorder->blob_capacity = recorder->blob_capacity * 2 + 64;
			recorder->blobs = memory_resize(recorder->blobs,
				recorder->blob_capacity * sizeof(*recorder->blobs));
		}
		memmove(&recorder->blobs[place + 1], &recorder->blobs[place],
			(recorder->blob_count - place) * sizeof(*recorder->blobs));
		recorder->blob_count++;
		recorder->blobs[place].path = memory_string(path);
	}
	snprintf(recorder->blobs[place].id, sizeof(recorder->blobs[place].id), "%s", id);
}

static bool declared(const struct team_agent *agent, struct text path)
{
	for (size_t i = 0; i < agent->writes.count; i++) {
		if (glob_match(text_of(agent->writes.items[i]), path)) {
			return true;
		}
	}
	return false;
}

static uint64_t declared_by(const struct team *team, struct text path)
{
	uint64_t agents = 0;
	for (size_t i = 0; i < team->agent_count; i++) {
		if (team->agents[i].writes_declared && declared(&team->agents[i], path)) {
			agents |= run_agent_bit((uint32_t)i);
		}
	}
	return agents;
}

static void add_violation(struct recorder *recorder, const char *path, uint32_t agent)
{
	bool there;
	size_t place = blob_place(recorder, path, &there);
	struct violation *violation = memory_alloc(sizeof(*violation));
	violation->path = memory_string(path);
	violation->agent = agent;
	violation->there = there;
	if (there) {
		memcpy(violation->before, recorder->blobs[place].id, sizeof(violation->before));
	}
	violation->next = recorder->violations;
	recorder->violations = violation;
}

// Removes what is undone: the path is again what it was before. True if it was one.
static bool drop_undone(struct recorder *recorder, const char *path, const char *blob)
{
	bool undone = false;
	for (struct violation **at = &recorder->violations; *at;) {
		struct violation *violation = *at;
		if (strcmp(violation->path, path) == 0 && strcmp(violation->before, blob) == 0) {
			undone = true;
			*at = violation->next;
			free(violation->path);
			free(violation);
		} else {
			at = &violation->next;
		}
	}
	return undone;
}

static bool stands(const struct recorder *recorder, const char *path, uint32_t agent)
{
	for (const struct violation *at = recorder->violations; at; at = at->next) {
		if (at->agent == agent && strcmp(at->path, path) == 0) {
			return true;
		}
	}
	return false;
}

static void note_change(
	struct recorder *recorder, const struct store_change *change, uint32_t agent)
{
	bool undone = drop_undone(recorder, change->path, change->blob);
	if (change->outside && !undone && !stands(recorder, change->path, agent)) {
		add_violation(recorder, change->path, agent);
	}
	set_blob(recorder, change->path, change->blob);
}

void recorder_restore(struct recorder *recorder, const struct store_change *change)
{
	int agent = team_agent_index(recorder->team, change->agent);
	note_change(recorder, change, agent >= 0 ? (uint32_t)agent : RUN_NONE);
}

void recorder_outside(struct recorder *recorder, uint32_t agent, struct buffer *text)
{
	for (const struct violation *at = recorder->violations; at; at = at->next) {
		if (at->agent == agent) {
			buffer_add_string(text, "- ");
			buffer_add_line(text, text_of(at->path), PATH_LIMIT);
			buffer_add_string(text, "\n");
		}
	}
}

static uint64_t violators(const struct recorder *recorder)
{
	uint64_t agents = 0;
	for (const struct violation *at = recorder->violations; at; at = at->next) {
		agents |= at->agent < 64 ? run_agent_bit(at->agent) : 0;
	}
	return agents;
}

static uint32_t author_of(const struct work *work, struct text path)
{
	uint32_t wrote = RUN_NONE;
	for (size_t i = 0; i < work->written_count; i++) {
		if (text_equal(work->written[i].path, path)) {
			wrote = work->written[i].agent; // the last one counts
		}
	}
	return run_author(wrote, work->candidates, declared_by(work->workshop->team, path));
}

static const char *candidate_names(struct work *work)
{
	const struct team *team = work->workshop->team;
	buffer_cleanup names = {0};
	for (size_t i = 0; i < team->agent_count; i++) {
		if (work->candidates & run_agent_bit((uint32_t)i)) {
			buffer_printf(
				&names, "%s%s", names.length ? "," : "", team->agents[i].name);
		}
	}
	return arena_string(&work->arena, names.data ? names.data : "");
}

// One row for the store. *agent is the author's index, or RUN_NONE.
static void describe(struct work *work, const char *author, const struct history_change *found,
	struct store_change *change, uint32_t *agent)
{
	static const char *const statuses[] = {[HISTORY_ADDED] = "added",
		[HISTORY_CHANGED] = "changed",
		[HISTORY_DELETED] = "deleted"};
	const struct team *team = work->workshop->team;
	*agent = author ? RUN_NONE : author_of(work, found->path);
	*change = (struct store_change){.turn = work->turn,
		.path = text_string(&work->arena, found->path),
		.status = statuses[found->status],
		.agent = author,
		.candidates = "",
		.sha256 = found->sha256,
		.blob = found->blob,
		.size = found->size};
	if (author) {
		return;
	}
	if (*agent == RUN_NONE) {
		change->agent = work->candidates ? "several" : "unknown";
		change->candidates = candidate_names(work);
		return;
	}
	const struct team_agent *owner = &team->agents[*agent];
	change->agent = owner->name;
	change->outside = owner->writes_declared && !declared(owner, found->path);
}

// One commit per author, so that `git log` and `git blame` name the right one.
static bool commit(struct work *work, const struct history_changes *found,
	const struct store_change *rows, struct error *error)
{
	bool *done = arena_new_array(&work->arena, found->count, bool);
	struct history_changes part = {
		arena_new_array(&work->arena, found->count, struct history_change), 0};
	for (size_t i = 0; i < found->count; i++) {
		if (done[i]) {
			continue; // with an earlier one of the same author
		}
		part.count = 0;
		for (size_t j = i; j < found->count; j++) {
			if (!done[j] && strcmp(rows[i].agent, rows[j].agent) == 0) {
				done[j] = true;
				part.changes[part.count++] = found->changes[j];
			}
		}
		const char *id;
		buffer_cleanup message = {0};
		buffer_printf(&message, "Turn %u: %zu path%s by %s\n", work->turn, part.count,
			part.count == 1 ? "" : "s", rows[i].agent);
		if (rows[i].candidates[0]) {
			buffer_printf(&message, "\nCandidates: %s\n", rows[i].candidates);
		}
		if (!history_commit(work->workshop->history, &work->arena, rows[i].agent,
			    message.data, work->when, &part, &id, error)) {
			return false;
		}
	}
	return true;
}

static void note_gates(struct work *work)
{
	const struct workshop *workshop = work->workshop;
	uint32_t *gates = arena_new_array(&work->arena, workshop->team->gate_count, uint32_t);
	work->event.gate_count = 0;
	for (uint32_t gate = 0; gate < workshop->team->gate_count; gate++) {
		for (size_t i = 0; i < work->change_count; i++) {
			if (gate_reads(workshop->gates[gate], text_of(work->changes[i].path))) {
				gates[work->event.gate_count++] = gate;
				break;
			}
		}
	}
	work->event.gates = gates;
}

// What the core is told of the changes.
static void note_event(struct work *work)
{
	work->event.changes = (int64_t)work->change_count;
	work->event.agents = violators(work->workshop->recorder);
	note_gates(work);
}

static bool scan_and_commit(struct work *work, const char *author, struct error *error)
{
	struct workshop *workshop = work->workshop;
	struct history_changes found;
	if (!history_scan(workshop->history, workshop->sandbox, &work->arena, &found, error)) {
		return false;
	}
	work->changes = arena_new_array(&work->arena, found.count, struct store_change);
	work->change_count = found.count;
	for (size_t i = 0; i < found.count; i++) {
		uint32_t agent;
		describe(work, author, &found.changes[i], &work->changes[i], &agent);
		note_change(workshop->recorder, &work->changes[i], agent);
		past_note(workshop->past, work->record + !work->first, &work->changes[i]);
	}
	if (found.count && !commit(work, &found, work->changes, error)) {
		return false;
	}
	note_event(work);
	return true;
}

bool recorder_is_empty(const struct recorder *recorder)
{
	return recorder->blob_count == 0;
}

static const char *blob_in(const struct history_files *files, const char *path)
{
	size_t low = 0, high = files->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(files->files[middle].path.data, path);
		if (order == 0) {
			return files->files[middle].blob;
		}
		low = order < 0 ? middle + 1 : low;
		high = order < 0 ? high : middle;
	}
	return "";
}

// Whose commit made a path what it is now. Only the newest commits are not in the journal.
static const char *author_in(struct work *work, const struct history_steps *steps, const char *path,
	const char *blob, struct error *error)
{
	for (size_t i = steps->count; i-- > 0 && steps->count - i <= STEPS_MOST;) {
		struct history_files before = {0};
		if (i > 0 &&
			!history_files(work->workshop->history, &work->arena, &steps->steps[i - 1],
				&before, error)) {
			return NULL;
		}
		if (strcmp(blob_in(&before, path), blob) != 0) {
			return steps->steps[i].author;
		}
	}
	return "unknown";
}

// A row for the journal about a path that the last commit has as `blob` ("": it is gone there).
static bool add_known(struct work *work, const struct history_steps *steps, const char *path,
	const char *blob, struct error *error)
{
	struct workshop *workshop = work->workshop;
	struct text content = {0};
	bool there;
	size_t place = blob_place(workshop->recorder, path, &there);
	there = there && workshop->recorder->blobs[place].id[0];
	const char *author = author_in(work, steps, path, blob, error);
	if (!author ||
		(blob[0] &&
			!history_blob(workshop->history, &work->arena, blob, &content, error))) {
		return false;
	}
	struct hash hash = hash_text(content);
	struct store_change *change = &work->changes[work->change_count++];
	*change = (struct store_change){.turn = steps->steps[steps->count - 1].turn,
		.path = path,
		.status = !blob[0] ? "deleted"
			: there    ? "changed"
				   : "added",
		.agent = author,
		.candidates = "",
		.sha256 = blob[0] ? arena_string(&work->arena, hash.hex) : "",
		.blob = blob,
		.size = (int64_t)content.length};
	int agent = team_agent_index(workshop->team, author);
	if (agent >= 0) {
		const struct team_agent *owner = &workshop->team->agents[agent];
		change->outside = owner->writes_declared && !declared(owner, text_of(path));
	}
	note_change(workshop->recorder, change, agent >= 0 ? (uint32_t)agent : RUN_NONE);
	past_note(workshop->past, work->record + !work->first, change);
	return true;
}

bool record_reconcile(struct work *work, struct error *error)
{
	const struct recorder *recorder = work->workshop->recorder;
	struct history_steps steps;
	struct history_files files;
	// One more than whose authors are looked for: each is compared with the one before.
	if (!history_last_steps(
		    work->workshop->history, &work->arena, STEPS_MOST + 1, &steps, error) ||
		!history_files(work->workshop->history, &work->arena,
			steps.count ? &steps.steps[steps.count - 1] : NULL, &files, error)) {
		return false;
	}
	size_t most = work->change_count + files.count + recorder->blob_count;
	struct store_change *rows = arena_new_array(&work->arena, most, struct store_change);
	if (work->change_count) {
		memcpy(rows, work->changes, work->change_count * sizeof(*rows));
	}
	work->changes = rows;
	for (size_t i = 0; i < files.count; i++) {
		bool there;
		const char *path = text_string(&work->arena, files.files[i].path);
		size_t place = blob_place(recorder, path, &there);
		if ((!there || strcmp(recorder->blobs[place].id, files.files[i].blob) != 0) &&
			!add_known(work, &steps, path, files.files[i].blob, error)) {
			return false;
		}
	}
	for (size_t i = 0; i < recorder->blob_count; i++) {
		const char *path = recorder->blobs[i].path;
		if (recorder->blobs[i].id[0] && steps.count && !blob_in(&files, path)[0] &&
			!add_known(work, &steps, path, "", error)) {
			return false;
		}
	}
	note_event(work);
	return true;
}

bool record_changes(struct work *work, const char *author, struct error *error)
{
	past_hold_history(work->workshop->past);
	bool done = scan_and_commit(work, author, error);
	past_release_history(work->workshop->past);
	return done;
}

static void run(struct work *work)
{
	work->event.kind = WORKSPACE_RECORDED;
	work->event.failed = !record_changes(work, NULL, &work->error);
	if (work->event.failed) {
		work->change_count = 0; // found again by the next one
	}
	work->done(work);
}

const struct performer perform_record = {COMMAND_RECORD, run};
