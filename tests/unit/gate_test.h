/*
 * What the tests of gates share: a sandbox that is a plain folder without any namespaces, whose
 * commands are functions of the test, and which can be told to be gone or to hide what it can do.
 */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/gate.h"
#include "test.h"

struct folder_sandbox {
	struct sandbox_session session;
	int folder;
	bool gone;
	int64_t bytes_read;
	int reads;
	void (*before_read)(struct folder_sandbox *sandbox, struct text path);
	// What a command does; *result is zeroed.
	void (*command)(const struct sandbox_command *command, struct process_result *result);
};

static char folder[64]; // the workspace
static struct folder_sandbox plain;
static struct sandbox *sandbox;
static struct arena arena;
static struct error error;
static struct gate_verdict verdict;
static atomic_bool cancel;
static struct team *test_team;  // whose files and agents gates may name; NULL: none
static struct gate_place place; // what a test sets beside the sandbox

static inline struct folder_sandbox *folder_of(struct sandbox *session)
{
	return (struct folder_sandbox *)(void *)session;
}

static inline bool folder_gone(struct sandbox *session, struct error *failure)
{
	return folder_of(session)->gone &&
		!error_set(failure, ERROR_UNAVAILABLE, "the sandbox is gone");
}

static inline bool plain_read(struct sandbox *session, struct arena *memory, struct text path,
	size_t limit, struct text *content, struct error *failure)
{
	struct folder_sandbox *self = folder_of(session);
	if (folder_gone(session, failure)) {
		return false;
	}
	if (self->before_read) {
		self->before_read(self, path);
	}
	self->reads++;
	bool fine = folder_read(memory, self->folder, path, limit, content, failure);
	self->bytes_read += fine ? (int64_t)content->length : 0;
	return fine;
}

static inline struct folder_stat plain_stat(struct sandbox *session, struct text path)
{
	if (folder_of(session)->gone) {
		return (struct folder_stat){.kind = FOLDER_MISSING, .what = "missing"};
	}
	return folder_stat(folder_of(session)->folder, path);
}

static inline bool plain_scan(struct sandbox *session, struct arena *memory, struct text path,
	size_t limit, struct folder_list *list, struct error *failure)
{
	return !folder_gone(session, failure) &&
		folder_scan(
			memory, folder_of(session)->folder, path, limit, NULL, NULL, list, failure);
}

static inline bool plain_exec(struct sandbox *session, struct arena *memory,
	const struct sandbox_command *command, struct process_result *result, struct error *failure)
{
	(void)memory;
	if (folder_gone(session, failure)) {
		return false;
	}
	*result = (struct process_result){0};
	if (folder_of(session)->command) {
		folder_of(session)->command(command, result);
	}
	return true;
}

static const struct sandbox_driver plain_driver = {.name = "plain-folder",
	.flags = SANDBOX_HOST_FOLDER | SANDBOX_READ_ONLY_COMMANDS,
	.read = plain_read,
	.stat = plain_stat,
	.scan = plain_scan,
	.exec = plain_exec};

static inline int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/muster-test-gate-XXXXXX");
	if (!mkdtemp(folder)) {
		return -1;
	}
	plain = (struct folder_sandbox){
		.session = {&plain_driver}, .folder = folder_open(folder, &error)};
	sandbox = (struct sandbox *)(void *)&plain;
	atomic_store(&cancel, false);
	place = (struct gate_place){0};
	return plain.folder >= 0 ? 0 : -1;
}

static inline int end(void **state)
{
	(void)state;
	file_close(&plain.folder);
	arena_finish(&arena);
	return file_remove_tree(folder, &error) ? 0 : -1;
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)

static inline const char *full(const char *path)
{
	return arena_printf(&arena, "%s/%s", folder, path);
}

static inline void put(const char *path, struct text content)
{
	if (!folder_write(plain.folder, text_of(path), content, 0644, &error)) {
		fail_msg("%s", error.message);
	}
}

// `letter` repeated.
static inline void put_many(const char *path, char letter, size_t length)
{
	char *content = memory_alloc(length + 1);
	memset(content, letter, length);
	put(path, (struct text){content, length});
	free(content);
}

static inline void link_to(const char *target, const char *path)
{
	assert_int_equal(symlink(target, full(path)), 0);
}

static inline struct gate *compile(const char *require)
{
	struct team_gate *declaration = arena_new(&arena, struct team_gate);
	declaration->name = "test";
	declaration->require = yaml_parse(&arena, "test", text_of(require), &error);
	if (!declaration->require) {
		fail_msg("%s", error.message);
	}
	return gate_compile(&arena, test_team, declaration, &error);
}

static inline enum gate_status check(const char *require)
{
	struct gate *gate = compile(require);
	if (!gate) {
		fail_msg("%s", error.message);
	}
	place.sandbox = sandbox;
	place.cancel = &cancel;
	gate_check(gate, &place, &arena, &verdict);
	gate_finish(gate);
	return verdict.status;
}

// What the agent is told.
static inline const char *told(void)
{
	buffer_cleanup lines = {0};
	gate_verdict_lines(&lines, &verdict);
	return arena_string(&arena, lines.data ? lines.data : "");
}

static inline void holds(const char *require)
{
	if (check(require) != GATE_HOLDS) {
		fail_msg("%s does not hold: %s", require, told());
	}
	assert_string_equal(told(), "");
}

static inline void fails(const char *require, const char *sentence)
{
	enum gate_status status = check(require);
	if (status != GATE_FAILS || !strstr(told(), sentence)) {
		fail_msg("%s: %s, says: %s, not: %s", require, gate_status_name(status), told(),
			sentence);
	}
}

static inline void not_checked(const char *require, const char *sentence)
{
	enum gate_status status = check(require);
	if (status != GATE_NOT_CHECKED || !strstr(told(), sentence)) {
		fail_msg("%s: %s, says: %s, not: %s", require, gate_status_name(status), told(),
			sentence);
	}
}

static inline void refused(const char *require, const char *message)
{
	if (compile(require) || !strstr(error.message, message)) {
		fail_msg("%s is not refused with '%s', but '%s'", require, message, error.message);
	}
}

static inline void stands_at(unsigned line, unsigned column)
{
	assert_int_equal(verdict.findings[0].line, line);
	assert_int_equal(verdict.findings[0].column, column);
}
