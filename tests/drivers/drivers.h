/*
 * One suite for every sandbox driver, through sandbox/sandbox.h and nothing else. A subject is a driver
 * with its options; its flags decide what is asked of it: what it can do, and that the rest is refused
 * with a clear error. Tests of a group share a session and use folders of their own in it.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/sandbox.h"
#include "test.h"

struct subject {
	const char *name;
	const struct sandbox_driver *driver;
	const char *options; // JSON; may be filled in by `prepare`
	const char *path;    // PATH of commands; NULL: the driver's
	// Starts what the driver needs. False, with the reason, where that cannot be had; may be NULL.
	bool (*prepare)(struct subject *subject, struct buffer *reason);
	void (*finish)(void); // may be NULL
	void (*opened)(void); // when the session of the suite is there; may be NULL
	// Another of the same, its network on and this port reachable: NULL where there is none.
	const char *port_options;
};

extern struct subject *subject;
extern struct subject subjects[]; // ends with a row without name

extern struct sandbox *sandbox; // of the group
extern struct arena arena;
extern struct process_result result; // of the last command
extern struct error error;           // of the last thing that should fail
extern char folder[];                // of this machine, for settings.folder and our own files

static inline bool has(unsigned flag)
{
	return subject->driver->flags & flag;
}

struct sandbox_settings usual_settings(void);
// Fails the test with the error's message.
void must(bool fine, const struct error *problem);
void run_command(struct sandbox_command command);
void run(const char *shell);
// The command's output is this, and it ended with 0.
void says(const char *shell, const char *output);
// It was not done, for that reason, and the message is a sentence.
void refused(bool fine, enum error_kind kind, const char *word);
// Refused because the driver cannot do it, by name.
void lacking(bool fine);
void write_file(const char *path, const char *content);
int64_t milliseconds(void);

// The groups; each ends with a row without name.
extern const struct CMUnitTest exec_tests[], file_tests[], archive_tests[], process_tests[],
	session_tests[], manifest_tests[];
// What the program does as the new process of a test: argv as given.
int be_another(char **argv);

extern const struct sandbox_driver bare_driver; // bare.c
