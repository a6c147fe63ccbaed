#include "cli/vocabulary.h"

#include <stdio.h>
#include <unistd.h>

#include "agent/tool.h"
#include "base/arena.h"
#include "cli/arguments.h"
#include "cli/content.h"
#include "gate/gate.h"
#include "manifest/manifest.h"
#include "model/model.h"
#include "sandbox/sandbox.h"

enum { VOCABULARY_SANDBOXES = 32, VOCABULARY_MODELS = 32 };

// Settings of models stand under `models`; the providers have no keys of their own.
static const struct key no_keys[] = {{NULL}};
static struct owner_list model_vocabulary(void)
{
	static struct key_owner owners[VOCABULARY_MODELS] = {
		{"anthropic", "Anthropic, in rehearsals", no_keys, NULL},
		{"rehearsal", "recorded answers (muster run --rehearse FILE)", no_keys, NULL}};
	struct owner_list list = {owners, 2};
	for (size_t i = 0; model_providers[i].name && list.count < VOCABULARY_MODELS; i++) {
		owners[list.count++] = (struct key_owner){
			model_providers[i].name, model_providers[i].help, no_keys, NULL};
	}
	return list;
}

static struct owner_list sandbox_vocabulary(void)
{
	static struct key_owner owners[VOCABULARY_SANDBOXES];
	struct owner_list list = {owners, 0};
	while (sandbox_drivers[list.count] && list.count < VOCABULARY_SANDBOXES) {
		const struct sandbox_driver *driver = sandbox_drivers[list.count];
		owners[list.count++] =
			(struct key_owner){driver->name, driver->help, driver->options, NULL};
	}
	return list;
}

const struct vocabulary *vocabulary(void)
{
	static struct vocabulary words;
	if (!words.checks.owners) {
		words = (struct vocabulary){.checks = gate_vocabulary(),
			.entries = manifest_vocabulary(),
			.entry_keys = manifest_entry_keys,
			.check_entry = manifest_check_entry,
			.tools = tool_vocabulary(),
			.sandboxes = sandbox_vocabulary(),
			.models = model_vocabulary()};
	}
	return &words;
}

void team_check_gates(const struct team *team, struct team_report *report)
{
	arena_cleanup arena = {0};
	size_t most = report->count + team->gate_count;
	struct team_message *messages = arena_new_array(&report->arena, most, struct team_message);
	for (size_t i = 0; i < report->count; i++) {
		messages[i] = report->messages[i];
	}
	report->messages = messages;
	for (size_t i = 0; i < team->gate_count; i++) {
		struct error error = {0};
		struct gate *gate = gate_compile(&arena, team, &team->gates[i], &error);
		if (!gate) {
			report->messages[report->count++] = (struct team_message){TEAM_MISTAKE,
				team->gates[i].position,
				arena_string(&report->arena, error.message),
				error.hint[0] ? arena_string(&report->arena, error.hint) : NULL};
			report->mistakes++;
		}
		gate_finish(gate);
	}
}

static void print_report(const struct team_report *report, bool quiet)
{
	if (report->mistakes || !quiet) {
		buffer_cleanup lines = {0};
		team_report_print(&lines, report);
		fwrite(lines.length ? lines.data : "", 1, lines.length, stderr);
	}
}

// Prints what was found; frees the report, and with mistakes the team.
static struct team *judge(struct team *team, struct team_report *report, const char *what,
	const char *word, bool quiet, struct error *error)
{
	if (team) {
		team_check_gates(team, report);
	}
	print_report(report, quiet);
	if (report->mistakes || !team) {
		arena_cleanup arena = {0};
		error_set(error, ERROR_USAGE, "%s '%s' has %zu mistake%s", what,
			arguments_shown(&arena, word), report->mistakes,
			report->mistakes == 1 ? "" : "s");
		team_destroy(team);
		team = NULL;
	}
	team_report_finish(report);
	return team;
}

struct team *team_open(const char *word, const struct team_choices *choices, bool rehearsal,
	bool quiet, struct error *error)
{
	struct vocabulary words = *vocabulary();
	words.rehearsal = rehearsal;
	arena_cleanup arena = {0};
	const char *path;
	struct team_report report = {0};
	if (!content_team(&arena, word, &path, error)) {
		return NULL;
	}
	return judge(team_load_chosen(path, &words, choices, &report), &report, "team", word, quiet,
		error);
}

struct team *defaults_open(const char *path, struct error *error)
{
	struct team_report report = {0};
	struct team *team = team_load_defaults(path, vocabulary(), &report);
	return judge(team, &report, "configuration", path, true, error);
}

// Who names a team file where a gate file belongs forgot which of its gates is meant.
static bool is_team(const char *path)
{
	struct team_report report = {0};
	struct team *team = team_load(path, vocabulary(), &report);
	bool fine = team && !report.mistakes;
	team_destroy(team);
	team_report_finish(&report);
	return fine;
}

struct team *gate_open(const char *path, struct error *error)
{
	arena_cleanup arena = {0};
	struct team_report report = {0};
	if (access(path, F_OK) != 0) {
		error_errno(error, ERROR_USAGE, "cannot read gate file '%s'",
			arguments_shown(&arena, path));
		return NULL;
	}
	struct team *gate = team_load_gate(path, vocabulary(), &report);
	if (report.mistakes && is_team(path)) {
		const char *shown = arguments_shown(&arena, path);
		error_set(error, ERROR_USAGE, "'%s' is a team file, not a gate file", shown);
		error_hint(error, "name one of its gates: '%s#NAME'", shown);
		team_destroy(gate);
		team_report_finish(&report);
		return NULL;
	}
	return judge(gate, &report, "gate file", path, true, error);
}
