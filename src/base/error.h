/*
 * Errors as values. A function that can fail returns false (or NULL) and fills in a struct error;
 * callers add context on the way up with error_wrap(); the command line prints it once.
 * A message is one sentence in plain words: the thing's name, the reason; the hint is the remedy.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

// What kind of failure it is decides the exit code (docs: exit codes).
enum error_kind {
	ERROR_NONE,
	ERROR_FAILED,      // exit 1: the run, or what was asked for, failed
	ERROR_USAGE,       // exit 2: wrong usage, wrong file
	ERROR_UNAVAILABLE, // exit 6: the sandbox or the model provider is not available
	ERROR_INTERRUPTED, // exit 130
};

struct error {
	enum error_kind kind;
	char message[1024]; // cut at a character's border; from outside only when escaped
	char hint[512];     // empty: none
};

// Both return false, so that a function can say: return error_set(...).
bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
// With ": " and the text of errno at the end.
bool error_errno(struct error *error, enum error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool error_hint(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Puts "CONTEXT: " in front of the message.
bool error_wrap(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
int error_exit_code(const struct error *error);
