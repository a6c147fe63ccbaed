/*
 * What the tools share: their rows, and the few things each of them does with paths and results.
 * Only src/agent/tool*.c and the tools include this.
 */
#pragma once

#include "agent/tool.h"

extern const struct tool tool_exec_command;
extern const struct tool tool_apply_patch;
extern const struct tool tool_read_file;
extern const struct tool tool_write_file;
extern const struct tool tool_check_outputs;
extern const struct tool tool_ask_user;

enum { TOOL_FILE_LIMIT = 16 * 1024 * 1024 /* bytes of a file that a tool reads or writes */ };

// The workspace path that an agent means. It is always taken from the workspace's root, as gates
// and reports do, whatever the agent's `workdir`; a leading "/" is that root, too. The error tells
// the model what it may do instead.
bool tool_path(struct arena *arena, struct text path, struct text *clean, struct error *error);

// The folders that others of the team declare as theirs ("folder/**" in `writes`) and in which this
// agent declares nothing: a list that ends with NULL, or NULL.
const char *const *tool_others_folders(
	struct arena *arena, const struct team *team, const struct team_agent *agent);

// The results of a call. Whatever the texts hold, the output is valid UTF-8 without zero bytes.
void tool_answer(struct tool_result *result, struct arena *arena, struct text output);
void tool_fail(struct tool_result *result, struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void tool_fail_error(struct tool_result *result, struct arena *arena, const struct error *error);
// Adds a path that the harness wrote or removed; `room` paths were set aside by tool_expect_paths.
void tool_expect_paths(struct tool_result *result, struct arena *arena, size_t room);
void tool_wrote(struct tool_result *result, struct text path);

// As buffer_add_utf8, and zero bytes become U+FFFD, too: readers of JSON that keep strings the way C
// does would lose what follows.
void tool_add_text(struct buffer *buffer, struct text text);

// A text cut to `budget` bytes the way the Agents SDK does it: head and tail are kept, a marker
// between them says how many tokens (of 4 bytes) are gone. `bytes` and `lines` are those of the
// whole, of which `text` may hold only the head and the tail. Returns the number of tokens of the
// whole, or 0 if nothing was cut.
int64_t tool_truncate(
	struct buffer *buffer, struct text text, int64_t bytes, int64_t lines, size_t budget);
