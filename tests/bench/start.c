/*
 * What starting a command costs: posix_spawn of it, a warm session of the Unix-local sandbox, a
 * fresh bubblewrap. Prints medians and ratios; the warm session is to cost at most three times the
 * bare start. Run with: meson test --benchmark -v start
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

enum { ROUNDS = 300, MOST_RATIO = 3 };

static const char *const nothing[] = {"/usr/bin/true", NULL};

static bool start_bare(struct sandbox *sandbox)
{
	(void)sandbox;
	pid_t pid;
	int status;
	return posix_spawn(&pid, nothing[0], NULL, NULL, (char *const *)(uintptr_t)nothing,
		       environ) == 0 &&
		waitpid(pid, &status, 0) == pid && status == 0;
}

static bool start_inside(struct sandbox *sandbox)
{
	arena_cleanup arena = {0};
	struct error error = {0};
	struct process_result result;
	struct sandbox_command command = {.argv = nothing};
	if (!sandbox_exec(sandbox, &arena, &command, &result, &error)) {
		fprintf(stderr, "%s\n", error.message);
		return false;
	}
	return result.status == 0;
}

static double microseconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int compare(const void *first, const void *second)
{
	double a = *(const double *)first, b = *(const double *)second;
	return (a > b) - (a < b);
}

static struct {
	const char *name, *options; // no options: no sandbox
	bool (*start)(struct sandbox *sandbox);
	struct sandbox *sandbox;
	double times[ROUNDS];
} ways[] = {{"posix_spawn", NULL, start_bare},
	{"warm session", "{\"session\": \"warm\"}", start_inside},
	{"fresh bubblewrap", "{\"session\": \"per-command\"}", start_inside}};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

// The ways take turns, so that what else the machine does hits all of them.
static bool measure(const char *folder, struct error *error)
{
	for (size_t way = 0; way < WAYS; way++) {
		struct sandbox_settings settings = {.folder = folder, .options = ways[way].options};
		if (settings.options &&
			!(ways[way].sandbox = sandbox_create(
				  sandbox_driver_find("unix-local"), &settings, error))) {
			return false;
		}
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t way = 0; way < WAYS; way++) {
			double begun = microseconds();
			if (!ways[way].start(ways[way].sandbox)) {
				return error_set(error, ERROR_FAILED, "%s failed", ways[way].name);
			}
			ways[way].times[round] = microseconds() - begun;
		}
	}
	return true;
}

int main(void)
{
	char folder[] = "/tmp/muster-bench-XXXXXX";
	struct error error = {0}, ignored = {0};
	bool fine = mkdtemp(folder) && measure(folder, &error);
	for (size_t way = 0; way < WAYS && fine; way++) {
		double *times = ways[way].times;
		qsort(times, ROUNDS, sizeof(*times), compare);
		printf("%-18s %6.2f ms median, %6.2f ms of 10 the slowest, %5.2f times\n",
			ways[way].name, times[ROUNDS / 2] / 1000, times[ROUNDS * 9 / 10] / 1000,
			times[ROUNDS / 2] / ways[0].times[ROUNDS / 2]);
	}
	for (size_t way = 0; way < WAYS; way++) {
		sandbox_detach(ways[way].sandbox);
	}
	file_remove_tree(folder, &ignored);
	if (!fine) {
		fprintf(stderr, "%s\n%s\n", error.message, error.hint);
		return 2;
	}
	return ways[1].times[ROUNDS / 2] <= MOST_RATIO * ways[0].times[ROUNDS / 2] ? 0 : 1;
}
