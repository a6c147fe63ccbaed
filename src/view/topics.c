#include "view/topics.h"

#include <string.h>

// Built in by src/meson.build.
#define PAGE(name) extern const char page_##name[], page_##name##_end[];
PAGE(configuration)
PAGE(crash_safety)
PAGE(docker)
PAGE(environment)
PAGE(exit_codes)
PAGE(gates)
PAGE(json)
PAGE(manifest)
PAGE(models)
PAGE(rehearsal)
PAGE(run_semantics)
PAGE(snapshots)
PAGE(team_file)
PAGE(teams)
PAGE(testing_teams)
PAGE(troubleshooting)
PAGE(tutorial)
PAGE(unix_local)
#undef PAGE

#define PAGE(name) .start = page_##name, .end = page_##name##_end

const struct topic topics[] = {
	{"tutorial", "your first team, step by step", "tutorial.md", NULL, "muster-tutorial", 7,
		PAGE(tutorial)},
	{"teams", "the canned teams", "teams.md", NULL, "muster-teams", 7, PAGE(teams)},
	{"team-file", "every key of the team file", "team-file.md", NULL, "muster-team", 5,
		PAGE(team_file)},
	{"handoffs", "delegations and transfers", "team-file.md", "Handoffs", PAGE(team_file)},
	{"gates", "every check, with examples", "gates.md", NULL, "muster-gates", 5, PAGE(gates)},
	{"limits", "turns, tokens, dollars and time", "team-file.md", "Limits", PAGE(team_file)},
	{"models", "providers, keys, and what happens when a service fails", "models.md", NULL,
		"muster-models", 7, PAGE(models)},
	{"sandboxes", "where commands run: unix-local, its walls, network, limits", "unix-local.md",
		NULL, "muster-sandboxes", 7, PAGE(unix_local)},
	{"docker", "commands in containers of a Docker engine or podman", "docker.md", NULL,
		"muster-docker", 7, PAGE(docker)},
	{"manifests", "what lies in the workspace at the start", "manifest.md", NULL,
		"muster-manifests", 5, PAGE(manifest)},
	{"snapshots", "where a workspace comes from; snapshots and forks", "snapshots.md", NULL,
		"muster-snapshots", 7, PAGE(snapshots)},
	{"tools", "what agents can do", "team-file.md", "Tools", PAGE(team_file)},
	{"permissions", "what agents may do, and what a person is asked", "team-file.md",
		"Permissions", PAGE(team_file)},
	{"rehearsals", "recorded model answers", "rehearsal.md", NULL, "muster-rehearsals", 5,
		PAGE(rehearsal)},
	{"testing-teams", "tests of a team, without a model", "testing-teams.md", NULL,
		"muster-testing-teams", 7, PAGE(testing_teams)},
	{"runs", "what a run does, exactly", "run-semantics.md", NULL, "muster-runs", 7,
		PAGE(run_semantics)},
	{"crash-safety", "kills, failing disks, power loss", "crash-safety.md", NULL,
		"muster-crash-safety", 7, PAGE(crash_safety)},
	{"troubleshooting", "messages, what they mean, what to do", "troubleshooting.md", NULL,
		"muster-troubleshooting", 7, PAGE(troubleshooting)},
	{"configuration", "your own defaults, and what goes before what", "configuration.md", NULL,
		"muster-configuration", 5, PAGE(configuration)},
	{"environment", "variables that muster reads", "environment.md", NULL, "muster-environment",
		7, PAGE(environment)},
	{"exit-codes", "what the exit code says", "exit-codes.md", NULL, "muster-exit-codes", 7,
		PAGE(exit_codes)},
	{"json", "what --json prints", "json.md", NULL, "muster-json", 5, PAGE(json)},
	{NULL},
};

const struct topic *topic_find(const char *name)
{
	for (const struct topic *topic = topics; topic->name; topic++) {
		if (strcmp(topic->name, name) == 0) {
			return topic;
		}
	}
	return NULL;
}

const struct topic *topic_of_file(struct text file)
{
	for (const struct topic *topic = topics; topic->name; topic++) {
		if (!topic->section && text_is(file, topic->file)) {
			return topic;
		}
	}
	return NULL;
}

struct text topic_markdown(const struct topic *topic)
{
	struct text rest = {topic->start, (size_t)(topic->end - topic->start)}, line;
	struct text whole = rest;
	const char *start = NULL;
	while (topic->section && text_next_line(&rest, &line)) {
		bool heading = text_starts(line, "## ");
		if (start && heading) {
			return (struct text){start, (size_t)(line.data - start)};
		}
		if (heading &&
			text_is((struct text){line.data + 3, line.length - 3}, topic->section)) {
			start = line.data;
		}
	}
	return start ? (struct text){start, (size_t)(topic->end - start)} : whole;
}
