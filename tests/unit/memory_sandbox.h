/* A sandbox in memory for tests: it records commands and can be told to fail. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/sandbox.h"
#include "test.h"

enum { FILES = 32 };

struct memory_file {
	char path[128];
	char *content;
	size_t length;
	mode_t mode;
	enum folder_kind kind;
};

struct memory_sandbox {
	struct sandbox_session session;
	struct memory_file files[FILES];
	const char *failing_write; // this path cannot be written
	const char *failing_remove;
	int writes_until_broken; // counts down; then nothing can be written; 0: never
	// The command that was run last, and what it answers.
	char shell[256], argv[256], folder[128], user[32];
	bool has_shell;
	int64_t timeout;
	int64_t flood; // bytes of "x...\n" that the command prints, a line each 64 bytes
	struct process_result result;
	bool exec_fails;
};

static struct memory_file *find_file(struct memory_sandbox *memory, struct text path)
{
	for (size_t i = 0; i < FILES; i++) {
		if (memory->files[i].kind != FOLDER_MISSING &&
			text_is(path, memory->files[i].path)) {
			return &memory->files[i];
		}
	}
	return NULL;
}

static struct memory_file *add_file(
	struct memory_sandbox *memory, struct text path, enum folder_kind kind)
{
	struct memory_file *file = find_file(memory, path);
	for (size_t i = 0; !file && i < FILES; i++) {
		if (memory->files[i].kind == FOLDER_MISSING) {
			file = &memory->files[i];
		}
	}
	if (!file) {
		abort(); // more FILES are needed
	}
	snprintf(file->path, sizeof(file->path), "%.*s", (int)path.length, path.data);
	file->kind = kind;
	return file;
}

static void put_content(struct memory_file *file, struct text content)
{
	free(file->content);
	file->content = malloc(content.length + 1);
	memcpy(file->content, content.data ? content.data : "", content.length);
	file->length = content.length;
}

static bool memory_read(struct sandbox *sandbox, struct arena *arena, struct text path,
	size_t limit, struct text *content, struct error *error)
{
	struct memory_file *file = find_file((struct memory_sandbox *)sandbox, path);
	if (!file || file->kind != FOLDER_FILE || file->length > limit) {
		return error_set(
			error, ERROR_FAILED, "'%.*s' cannot be read", (int)path.length, path.data);
	}
	*content = text_copy(arena, (struct text){file->content, file->length});
	return true;
}

static bool memory_write(struct sandbox *sandbox, struct text path, struct text content,
	mode_t mode, struct error *error)
{
	struct memory_sandbox *memory = (struct memory_sandbox *)sandbox;
	struct memory_file *file = find_file(memory, path);
	bool fails = memory->failing_write && text_is(path, memory->failing_write);
	if (memory->writes_until_broken && --memory->writes_until_broken == 0) {
		memory->writes_until_broken = 1;
		fails = true;
	}
	if (fails || (file && file->kind != FOLDER_FILE)) {
		return error_set(error, ERROR_FAILED, "'%.*s' cannot be written", (int)path.length,
			path.data);
	}
	file = add_file(memory, path, FOLDER_FILE);
	put_content(file, content);
	file->mode = mode;
	return true;
}

static struct folder_stat memory_stat(struct sandbox *sandbox, struct text path)
{
	struct memory_file *file = find_file((struct memory_sandbox *)sandbox, path);
	if (!file) {
		return (struct folder_stat){.kind = FOLDER_MISSING};
	}
	return (struct folder_stat){.kind = file->kind,
		.mode = file->mode,
		.size = (int64_t)file->length,
		.what = file->kind == FOLDER_SPECIAL ? "a FIFO" : NULL};
}

static bool memory_remove(
	struct sandbox *sandbox, struct text path, bool recursive, struct error *error)
{
	struct memory_sandbox *memory = (struct memory_sandbox *)sandbox;
	struct memory_file *file = find_file(memory, path);
	(void)recursive;
	if (!file || (memory->failing_remove && text_is(path, memory->failing_remove))) {
		return error_set(error, ERROR_FAILED, "'%.*s' cannot be removed", (int)path.length,
			path.data);
	}
	file->kind = FOLDER_MISSING;
	return true;
}

static void flood(struct memory_sandbox *memory, const struct sandbox_command *command,
	struct arena *arena, struct process_result *result)
{
	static char chunk[1 << 20];
	memset(chunk, 'x', sizeof(chunk));
	for (size_t i = 63; i < sizeof(chunk); i += 64) {
		chunk[i] = '\n';
	}
	int64_t left = memory->flood;
	while (left > 0) {
		size_t length = left < (int64_t)sizeof(chunk) ? (size_t)left : sizeof(chunk);
		command->output(command->output_data, 1, (struct text){chunk, length});
		left -= (int64_t)length;
	}
	size_t half = command->output_limit / 2;
	const char *kept = arena_printf(
		arena, "%.*s\n... bytes left out ...\n%.*s", (int)half, chunk, (int)half, chunk);
	result->out = text_of(kept);
	result->out_bytes = memory->flood;
}

static bool memory_exec(struct sandbox *sandbox, struct arena *arena,
	const struct sandbox_command *command, struct process_result *result, struct error *error)
{
	struct memory_sandbox *memory = (struct memory_sandbox *)sandbox;
	if (memory->exec_fails) {
		error_set(error, ERROR_UNAVAILABLE, "the sandbox is gone");
		return error_hint(error, "Resume the run.");
	}
	memory->has_shell = command->shell != NULL;
	snprintf(memory->shell, sizeof(memory->shell), "%s", command->shell ? command->shell : "");
	memory->argv[0] = '\0';
	for (size_t i = 0; command->argv && command->argv[i]; i++) {
		size_t used = strlen(memory->argv);
		snprintf(
			memory->argv + used, sizeof(memory->argv) - used, "[%s]", command->argv[i]);
	}
	snprintf(memory->folder, sizeof(memory->folder), "%s",
		command->folder ? command->folder : "");
	snprintf(memory->user, sizeof(memory->user), "%s", command->user ? command->user : "");
	memory->timeout = command->timeout;
	*result = memory->result;
	if (memory->flood) {
		flood(memory, command, arena, result);
		return true;
	}
	result->out_bytes = (int64_t)result->out.length;
	result->err_bytes = (int64_t)result->err.length;
	command->output(command->output_data, 1, result->out);
	command->output(command->output_data, 2, result->err);
	return true;
}

static inline void memory_finish(struct memory_sandbox *memory)
{
	for (size_t i = 0; i < FILES; i++) {
		free(memory->files[i].content);
	}
}

static const struct sandbox_driver memory_driver = {
	.name = "memory",
	.flags = SANDBOX_USERS,
	.exec = memory_exec,
	.read = memory_read,
	.write = memory_write,
	.stat = memory_stat,
	.remove = memory_remove,
};
