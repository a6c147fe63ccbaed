/*
 * What a driver leaves NULL, done by commands in the sandbox: POSIX sh, the utilities that every
 * system with it has (cat, chmod, cksum, find, grep, head, ls, mkdir, mv, rm, wc), and tar for archives.
 * Where there is a `stat` that knows -c (GNU, busybox, toybox), times are exact and a scan is quick;
 * elsewhere a checksum stands where the time of the last change would. The functions are those of struct sandbox_driver, with its meanings: links that stay in
 * the workspace are followed, others are not.
 *
 * They see what the sandbox's user may see, and believe the sandbox's programs.
 *
 * This header is for sandbox.c and the drivers.
 */
#pragma once

#include "sandbox/sandbox.h"

bool fallback_read(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct text *content, struct error *error);
bool fallback_write(struct sandbox *sandbox, struct text path, struct text content, mode_t mode,
	struct error *error);
struct folder_stat fallback_stat(struct sandbox *sandbox, struct text path);
bool fallback_scan(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct folder_list *list, struct error *error);
bool fallback_make_folder(struct sandbox *sandbox, struct text path, struct error *error);
bool fallback_remove(
	struct sandbox *sandbox, struct text path, bool recursive, struct error *error);
// An archive is looked at as a whole before anything of it is unpacked (sandbox/tar.h).
bool fallback_put_archive(struct sandbox *sandbox, struct text folder, int fd, struct error *error);
bool fallback_get_archive(
	struct sandbox *sandbox, const char *const *paths, int fd, struct error *error);

/* For the fallbacks' own files. */

// What a script of ours ends with, when all is not well.
enum fallback_status {
	FALLBACK_MISSING = 90,
	FALLBACK_OUTSIDE, // a link that leaves the workspace
	FALLBACK_CIRCLE,
	FALLBACK_KIND,   // something of another kind is there; what it is stands in the output
	FALLBACK_FAILED, // a program failed; the error stream says why
};

// The start of each script: `follow PATH` sets $p to where the path leads and ends with 0 (what it
// leads to may be missing, but not the folder it is in), or a status of those above; `folder PATH`
// makes a folder; `what` prints what $p is.
extern const char fallback_functions[];

// Runs a script with arguments; ends with NULL. True if it was run, however it ended. `command` has
// the rest: input, output, output_limit.
bool fallback_run(struct sandbox *sandbox, struct arena *arena, const char *script,
	const char *const *arguments, struct sandbox_command command, struct process_result *result,
	struct error *error);
// What its status says of `path`, as an error; true for 0. `what` is like "read".
bool fallback_judge(const struct process_result *result, const char *what, struct text path,
	struct error *error);
// "rwxr-sr-t" as ls prints it.
mode_t fallback_mode(const char *letters);
// "1700000000.123456789" or whole seconds, in nanoseconds.
int64_t fallback_time(const char *digits, char **rest);
