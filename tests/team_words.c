#include "team_words.h"

#define FILE_KEYS                                                                                  \
	{"min_bytes", KEY_SIZE, "At least.", .maximum = 1 << 30},                                  \
		{"max_bytes", KEY_SIZE, "At most.", .maximum = 1 << 30},                           \
		{"lines", KEY_COUNT, "Lines."},                                                    \
		{"contains", KEY_STRINGS, "Texts that must be there."},                            \
		{"headings", KEY_STRINGS, "Markdown headings."},                                   \
		{"matches", KEY_PATTERN, "A pattern that must be found."},                         \
	{                                                                                          \
		"not_matches", KEY_PATTERN, "A pattern that must not be found."                    \
	}

static const struct key file_keys[] = {
	{"file", KEY_PATH, "The file.", .required = true}, FILE_KEYS, {0}};
static const struct key dir_keys[] = {{"dir", KEY_PATH, "The folder.", .required = true},
	{"count", KEY_COUNT, "Files in it."}, FILE_KEYS, {0}};
static const struct key glob_keys[] = {{"glob", KEY_GLOB, "The files.", .required = true},
	{"count", KEY_COUNT, "How many."}, FILE_KEYS, {0}};
static const struct key json_keys[] = {{"json", KEY_PATH, "The file.", .required = true},
	{"at", KEY_POINTERS, "Values by JSON pointer."}, {"schema", KEY_FILE, "A JSON Schema."},
	{0}};
static const struct key run_keys[] = {{"run", KEY_ANY, "The command.", .required = true},
	{"exit", KEY_INTEGER, "Its status.", .maximum = 255},
	{"stdout_matches", KEY_PATTERN, "What it prints."},
	{"timeout", KEY_DURATION, "How long it may take.", .minimum = 1, .maximum = 3600000},
	{"read_only", KEY_BOOLEAN, "Is the workspace read-only?"}, {0}};
static const struct key any_keys[] = {
	{"any", KEY_CHECKS, "One of them holds.", .required = true}, {0}};
static const struct key not_keys[] = {
	{"not", KEY_CHECK, "It does not hold.", .required = true}, {0}};
static const struct key review_keys[] = {{"review", KEY_STRING, "Asks a model."}, {0}};

static const struct key_owner checks[] = {
	{"file", "A file.", file_keys, NULL},
	{"dir", "A folder.", dir_keys, NULL},
	{"glob", "Files.", glob_keys, NULL},
	{"json", "A JSON file.", json_keys, NULL},
	{"run", "A command.", run_keys, NULL},
	{"any", "One of several.", any_keys, NULL},
	{"not", "The contrary.", not_keys, NULL},
	{"review", "A model's judgement.", review_keys, "reviews"},
};

static const struct key entry_keys[] = {{"type", KEY_STRING, "The kind.", .required = true},
	{"description", KEY_STRING, "What it is."},
	{"ephemeral", KEY_BOOLEAN, "Left out of snapshots."}, {"group", KEY_ANY, "Its group."},
	{"permissions", KEY_ANY, "Its access rights."}, {0}};
static const struct key content_keys[] = {
	{"content", KEY_STRING, "The text.", .required = true}, {0}};
static const struct key children_keys[] = {{"children", KEY_ANY, "What is in it."}, {0}};
static const struct key file_source_keys[] = {
	{"src", KEY_FILE, "The file.", .required = true}, {0}};
static const struct key folder_source_keys[] = {
	{"src", KEY_FOLDER, "The folder.", .required = true}, {0}};

static const struct key_owner entries[] = {
	{"file", "A file.", content_keys, NULL},
	{"dir", "A folder.", children_keys, NULL},
	{"local_file", "A copy of a file.", file_source_keys, NULL},
	{"local_dir", "A copy of a folder.", folder_source_keys, NULL},
	{"git_repo", "A repository.", NULL, "git_repo entries"},
};

static const struct key_owner tools[] = {
	{"exec_command", "Runs a command.", NULL, NULL},
	{"apply_patch", "Changes files.", NULL, NULL},
	{"read_file", "Reads a file.", NULL, NULL},
	{"write_file", "Writes a file.", NULL, NULL},
};

static const struct key local_keys[] = {{"hide", KEY_STRINGS, "Hidden folders."}, {0}};
static const struct key_owner sandboxes[] = {
	{"unix-local", "On this machine.", local_keys, NULL},
	{"docker", "In a container.", NULL, "the Docker provider"},
};

static const struct key_owner models[] = {
	{"openai", "The OpenAI API.", NULL, NULL},
	{"anthropic", "The Anthropic API.", NULL, "the Anthropic API"},
	{"rehearsal", "A script.", NULL, NULL},
};

#define OWNERS(table)                                                                              \
	{                                                                                          \
		table, sizeof(table) / sizeof(table[0])                                            \
	}

const struct vocabulary *team_words(void)
{
	static const struct vocabulary words = {.checks = OWNERS(checks),
		.entries = OWNERS(entries),
		.entry_keys = entry_keys,
		.tools = OWNERS(tools),
		.sandboxes = OWNERS(sandboxes),
		.models = OWNERS(models)};
	return &words;
}
