#include "engine/start.h"

#include <stdlib.h>

#include "base/json.h"

static void add(struct buffer *json, const char *name, const char *value)
{
	if (value) {
		buffer_printf(json, "\"%s\":", name);
		buffer_add_json(json, text_of(value));
		buffer_add_char(json, ',');
	}
}

bool start_save(struct job *job, const struct engine_start *start, struct error *error)
{
	buffer_cleanup json = {0};
	char *path = start->rehearsal ? realpath(start->rehearsal, NULL) : NULL;
	const char *separator = "";
	buffer_printf(&json, "{\"sandbox\":\"%s\",", job->workshop.driver->name);
	add(&json, "sandbox_options", start->sandbox_options);
	add(&json, "keep", start->keep);
	add(&json, "snapshot", start->snapshot);
	buffer_add_string(&json, "\"rehearsal\":");
	buffer_add_json(&json, text_of(path));
	buffer_add_string(&json, ",\"inputs\":{");
	for (size_t i = 0; i < job->team->input_count; i++) {
		if (job->values.values[i]) {
			buffer_add_string(&json, separator);
			buffer_add_json(&json, text_of(job->team->inputs[i].name));
			buffer_add_char(&json, ':');
			buffer_add_json(&json, text_of(job->values.values[i]));
			separator = ",";
		}
	}
	buffer_add_string(&json, "}}");
	free(path);
	return store_put_text(
		engine_store(job->engine), job->id, "start", 0, buffer_text(&json), error);
}

static const char *member(struct arena *arena, const cJSON *json, const char *name)
{
	const char *value = json_string(json, name, NULL);
	return value ? arena_string(arena, value) : NULL;
}

// The values, the rehearsal and the sandbox that the run was started with.
static bool read_start(struct engine *engine, struct arena *arena, const char *id,
	struct engine_start *start, struct team_values *values, struct error *error)
{
	struct text text;
	if (!store_text(engine_store(engine), arena, id, "start", &text, error)) {
		return error->kind != ERROR_NONE ||
			error_set(error, ERROR_FAILED, "the journal of run '%s' has no beginning",
				id);
	}
	json_cleanup *json = json_parse(text, error);
	if (!json) {
		return error_wrap(error, "the beginning of run '%s'", id);
	}
	const cJSON *inputs = cJSON_GetObjectItemCaseSensitive(json, "inputs");
	const char *rehearsal = json_string(json, "rehearsal", "");
	start->rehearsal = rehearsal[0] ? arena_string(arena, rehearsal) : NULL;
	start->sandbox = arena_string(arena, json_string(json, "sandbox", "unix-local"));
	start->sandbox_options = member(arena, json, "sandbox_options");
	start->keep = member(arena, json, "keep");
	start->snapshot = member(arena, json, "snapshot");
	values->values = arena_new_array(arena, start->team->input_count + 1, const char *);
	for (size_t i = 0; i < start->team->input_count; i++) {
		const char *value = json_string(inputs, start->team->inputs[i].name, NULL);
		values->values[i] = value ? arena_string(arena, value) : NULL;
	}
	start->values = values;
	return true;
}

static struct team *thaw(struct engine *engine, const struct store_run *row,
	const struct vocabulary *vocabulary, struct error *error)
{
	const char *id = row->id;
	struct vocabulary words = *vocabulary;
	words.rehearsal = row->rehearsal;
	arena_cleanup arena = {0};
	struct text frozen;
	struct team_report report = {0};
	if (!store_text(engine_store(engine), &arena, id, "team", &frozen, error)) {
		error_set(error, ERROR_FAILED, "the journal of run '%s' has no team", id);
		return NULL;
	}
	struct team *team = team_thaw(frozen, &words, &report);
	if (!team) {
		error_set(error, ERROR_FAILED,
			"the team that run '%s' was started with cannot be read: %s", id,
			report.count ? report.messages[0].what : "no reason given");
	}
	team_report_finish(&report);
	return team;
}

bool start_read(struct engine *engine, struct arena *arena, const struct vocabulary *vocabulary,
	struct restart *again, struct error *error)
{
	again->start = (struct engine_start){.id = again->row.id};
	again->start.team = thaw(engine, &again->row, vocabulary, error);
	if (!again->start.team) {
		return false;
	}
	if (!read_start(engine, arena, again->row.id, &again->start, &again->values, error)) {
		team_destroy(again->start.team);
		return false;
	}
	return true;
}
