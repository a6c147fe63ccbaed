/*
 * What a snapshot of 20,000 files (80 MB) costs, and restoring it into an empty workspace: by muster and
 * by tar --zstd, in turns. Prints medians; muster is to cost at most 1.2 times tar. With the argument
 * "large" it is one file of 1 GiB, and memory is looked at. Run with:
 * meson test --benchmark -v snapshot
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "snapshot/snapshot.h"

enum { FOLDERS = 200, FILES = 100, ROUNDS = 7, KINDS = 4, LARGE = 1024 };

static const double most_ratio = 1.2;
static const long most_memory = 64 * 1024; // KiB, with a file of 1 GiB
static char root[64];

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

// Words and numbers, as programs are: it shrinks to something like a third.
static void fill(char *bytes, size_t length, unsigned seed)
{
	static const char *const words[] = {"the", "quick", "return", "const",
		"int value = ", "func(x, y);", "// note\n", "over a lazy dog", "import", "static"};
	size_t done = 0;
	while (done < length) {
		char word[48];
		seed = seed * 1103515245 + 12345;
		int size = snprintf(
			word, sizeof(word), "%s %u ", words[(seed >> 16) % 10], seed >> 22);
		size_t part = length - done < (size_t)size ? length - done : (size_t)size;
		memcpy(bytes + done, word, part);
		done += part;
	}
}

static bool write_file(const char *path, const char *bytes, size_t length)
{
	file_cleanup fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return fd >= 0 && write(fd, bytes, length) == (ssize_t)length;
}

static bool make_tree(struct arena *arena)
{
	struct error error = {0};
	static char bytes[8192];
	for (unsigned i = 0; i < FOLDERS; i++) {
		char *folder = arena_printf(arena, "%s/tree/d%02u/e%02u", root, i / 20, i % 20);
		if (!file_make_folders(folder, 0755, &error)) {
			return false;
		}
		for (unsigned k = 0; k < FILES; k++) {
			size_t length = 500 + (i * 7919 + k * 104729) % 7200;
			fill(bytes, length, i * FILES + k);
			if (!write_file(arena_printf(arena, "%s/f%03u.txt", folder, k), bytes,
				    length)) {
				return false;
			}
		}
	}
	return true;
}

static bool make_large(struct arena *arena)
{
	enum { SIZE = 1024 * 1024 };
	struct error error = {0};
	char *bytes = memory_alloc(SIZE);
	bool fine = file_make_folders(at(arena, "tree"), 0755, &error);
	file_cleanup fd = open(at(arena, "tree/large"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	for (unsigned i = 0; fine && i < LARGE; i++) {
		fill(bytes, SIZE, i);
		fine = write(fd, bytes, SIZE) == SIZE;
	}
	free(bytes);
	return fine;
}

static bool by_tar(struct arena *arena, const char *const *argv)
{
	struct process_result result;
	struct error error = {0};
	static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
	struct process process = {.argv = argv, .environment = environment};
	return process_run(arena, &process, &result, &error) && result.status == 0;
}

static struct sandbox *open_sandbox(struct arena *arena, const char *workspace)
{
	struct error error = {0};
	struct sandbox_settings settings = {
		.run = "bench", .folder = root, .workspace = at(arena, workspace)};
	struct sandbox *sandbox = file_make_folders(settings.workspace, 0755, &error)
		? sandbox_create(sandbox_driver_find("unix-local"), &settings, &error)
		: NULL;
	if (!sandbox) {
		fprintf(stderr, "%s\n", error.message);
	}
	return sandbox;
}

static bool save(struct arena *arena, char *id)
{
	struct error error = {0};
	struct snapshot_made made;
	struct snapshot_source source = {.sandbox = open_sandbox(arena, "tree")};
	bool fine =
		source.sandbox && snapshot_make(at(arena, "shelf"), &source, arena, &made, &error);
	if (!fine) {
		fprintf(stderr, "%s\n", error.message);
	}
	sandbox_detach(source.sandbox);
	memcpy(id, made.snapshot.id, sizeof(made.snapshot.id));
	return fine;
}

static bool restore(struct arena *arena, const char *id)
{
	struct error error = {0};
	struct sandbox *sandbox = open_sandbox(arena, "mine");
	struct snapshot_archive archive = {
		.fd = snapshot_open(at(arena, "shelf"), id, &error), .id = id};
	bool fine = sandbox && archive.fd >= 0 && snapshot_restore(sandbox, &archive, NULL, &error);
	if (!fine) {
		fprintf(stderr, "%s\n", error.message);
	}
	file_close(&archive.fd);
	sandbox_detach(sandbox);
	return fine;
}

static bool measure(double times[KINDS][ROUNDS], int rounds, char *id)
{
	for (int i = 0; i < rounds; i++) {
		arena_cleanup arena = {0};
		struct error error = {0};
		const char *tree = at(&arena, "tree"), *file = at(&arena, "tar.zst"),
			   *theirs = at(&arena, "theirs");
		const char *const pack[] = {"tar", "-C", tree, "--zstd", "-cf", file, ".", NULL};
		const char *const unpack[] = {"tar", "-C", theirs, "--zstd", "-xf", file, NULL};
		double start = milliseconds();
		bool fine = save(&arena, id);
		times[0][i] = milliseconds() - start;
		start = milliseconds();
		fine = fine && by_tar(&arena, pack);
		times[1][i] = milliseconds() - start;
		start = milliseconds();
		fine = fine && restore(&arena, id);
		times[2][i] = milliseconds() - start;
		fine = fine && file_make_folders(theirs, 0755, &error);
		start = milliseconds();
		fine = fine && by_tar(&arena, unpack);
		times[3][i] = milliseconds() - start;
		if (!fine || !file_remove_tree(theirs, &error) ||
			!file_remove_tree(at(&arena, "mine"), &error) || unlink(file) < 0) {
			return false;
		}
	}
	return true;
}

static bool judge(const char *what, double mine, double theirs)
{
	printf("%s: muster %.0f ms, tar --zstd %.0f ms, %.2f times\n", what, mine, theirs,
		mine / theirs);
	return mine <= theirs * most_ratio;
}

int main(int argc, char **argv)
{
	arena_cleanup arena = {0};
	struct error error = {0};
	struct rusage usage;
	double times[KINDS][ROUNDS];
	char id[HASH_HEX_SIZE];
	bool large = argc > 1 && strcmp(argv[1], "large") == 0;
	int rounds = large ? 1 : ROUNDS;
	const char *base = getenv("TMPDIR");
	snprintf(root, sizeof(root), "%.40s/muster-bench-XXXXXX", base ? base : "/tmp");
	bool fine = mkdtemp(root) && (large ? make_large(&arena) : make_tree(&arena)) &&
		measure(times, rounds, id);
	file_remove_tree(root, &error);
	if (!fine) {
		return 1;
	}
	for (int i = 0; i < KINDS; i++) {
		qsort(times[i], (size_t)rounds, sizeof(double), compare);
	}
	int middle = rounds / 2;
	fine = judge("save", times[0][middle], times[1][middle]);
	fine = judge("restore", times[2][middle], times[3][middle]) && fine;
	getrusage(RUSAGE_SELF, &usage);
	printf("memory at most %ld MiB\n", usage.ru_maxrss / 1024);
	return fine && usage.ru_maxrss <= most_memory ? 0 : 1;
}
