/*
 * What it costs to build a workspace of 20,000 files (80 MB): checked and put into a Unix-local sandbox
 * by its manifest, and by cp -r, in turns. Prints medians; the manifest is to cost at most 1.2 times
 * cp -r. Run with: meson test --benchmark -v manifest
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "cli/vocabulary.h"
#include "manifest/manifest.h"

enum { FOLDERS = 200, FILES = 100, ROUNDS = 7 };

static const double most_ratio = 1.2;
static char root[] = "/tmp/muster-bench-XXXXXX";

static const char *at(struct arena *arena, const char *name)
{
	return path_join(arena, root, name);
}

static double milliseconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int compare(const void *first, const void *second)
{
	double a = *(const double *)first, b = *(const double *)second;
	return (a > b) - (a < b);
}

static bool write_file(const char *path, const char *bytes, size_t length)
{
	file_cleanup fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return fd >= 0 && write(fd, bytes, length) == (ssize_t)length;
}

static bool make_source(struct arena *arena)
{
	struct error error = {0};
	static char bytes[8192];
	memset(bytes, 'x', sizeof(bytes));
	for (unsigned i = 0; i < FOLDERS; i++) {
		char *folder = arena_printf(arena, "%s/tree/d%02u/e%02u", root, i / 20, i % 20);
		if (!file_make_folders(folder, 0755, &error)) {
			return false;
		}
		for (unsigned k = 0; k < FILES; k++) {
			size_t length = 500 + (i * 7919 + k * 104729) % 7200;
			if (!write_file(arena_printf(arena, "%s/f%03u.txt", folder, k), bytes,
				    length)) {
				return false;
			}
		}
	}
	return true;
}

static bool by_cp(struct arena *arena)
{
	struct process_result result;
	struct error error = {0};
	const char *const argv[] = {"cp", "-r", at(arena, "tree"), at(arena, "run/copy"), NULL};
	struct process process = {.argv = argv};
	return process_run(arena, &process, &result, &error) && result.status == 0;
}

static bool by_manifest(struct arena *arena, const struct team *team, struct sandbox *sandbox)
{
	struct error error = {0};
	struct team_values values = {0};
	struct manifest_place place = {.team = team,
		.values = &values,
		.arena = arena,
		.driver = sandbox_driver_find("unix-local"),
		.sandbox = sandbox};
	if (!manifest_check(&place, &error) || !manifest_apply(&place, &error)) {
		fprintf(stderr, "%s\n", error.message);
		return false;
	}
	return true;
}

static struct team *load(struct arena *arena)
{
	static const char text[] =
		"version: 1\nname: b\nmodel: openai/m\nmanager: a\nagents: {a: {instructions: x}}\n"
		"manifest: {entries: {tree: {type: local_dir, src: tree}}}\n";
	struct team_report report = {0};
	struct team *team = write_file(at(arena, "team.yaml"), text, sizeof(text) - 1)
		? team_load(at(arena, "team.yaml"), vocabulary(), &report)
		: NULL;
	team_report_finish(&report);
	return team;
}

static bool measure(const struct team *team, double times[2][ROUNDS])
{
	for (int i = 0; i < ROUNDS; i++) {
		arena_cleanup arena = {0};
		struct error error = {0};
		struct sandbox_settings settings = {.run = "bench", .folder = at(&arena, "run")};
		file_make_folders(settings.folder, 0755, &error);
		struct sandbox *sandbox =
			sandbox_create(sandbox_driver_find("unix-local"), &settings, &error);
		if (!sandbox) {
			fprintf(stderr, "%s\n", error.message);
			return false;
		}
		double start = milliseconds();
		bool fine = by_manifest(&arena, team, sandbox);
		times[0][i] = milliseconds() - start;
		start = milliseconds();
		fine = fine && by_cp(&arena);
		times[1][i] = milliseconds() - start;
		sandbox_detach(sandbox);
		if (!fine || !file_remove_tree(settings.folder, &error)) {
			return false;
		}
	}
	return true;
}

int main(void)
{
	arena_cleanup arena = {0};
	struct error error = {0};
	double times[2][ROUNDS];
	struct team *team = NULL;
	bool fine = mkdtemp(root) && make_source(&arena) && (team = load(&arena)) &&
		measure(team, times);
	team_destroy(team);
	file_remove_tree(root, &error);
	if (!fine) {
		return 1;
	}
	for (int i = 0; i < 2; i++) {
		qsort(times[i], ROUNDS, sizeof(double), compare);
	}
	double mine = times[0][ROUNDS / 2], theirs = times[1][ROUNDS / 2];
	printf("manifest %.0f ms, cp -r %.0f ms, %.2f times\n", mine, theirs, mine / theirs);
	return mine <= theirs * most_ratio ? 0 : 1;
}
