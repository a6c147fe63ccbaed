/*
 * How a key of the team file is described, once: the loader checks files against these rows, and
 * `docs/schema/`, `--help` texts and error messages are made from them. The tables that own keys
 * (gate checks, manifest entries, tools, sandbox drivers) each publish their rows; the command line
 * collects them into a vocabulary (team/vocabulary.h). A list of keys ends with a row without name.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum key_type {
	KEY_STRING,
	KEY_INTEGER,
	KEY_NUMBER,
	KEY_BOOLEAN,
	KEY_DURATION, // "90s", "60m", "2h", "500ms", or seconds as an integer; kept as milliseconds
	KEY_SIZE,     // "10 MiB", "64KB", or bytes as an integer; kept as bytes
	KEY_CHOICE,   // one of `choices`
	KEY_PATTERN,  // a PCRE2 regular expression; compiled at load to find mistakes
	KEY_PATH,     // a path in the workspace (base/path.h)
	KEY_GLOB,     // a path in the workspace that may hold wildcards
	KEY_FILE,     // a file on this machine, relative to the file that names it; must exist
	KEY_FOLDER,   // the same for a folder
	KEY_STRINGS,  // a list of strings, or one string
	KEY_GLOBS,    // a list of globs, or one
	KEY_STRING_MAP, // any names, string values
	KEY_TABLE,      // a map with the keys in `keys`
	KEY_TABLES,     // a list of such maps
	KEY_TABLE_MAP,  // any names, each such a map
	KEY_POINTERS,   // a map: JSON pointer (RFC 6901) to a scalar, or a text "/pattern/"
	KEY_COUNT,      // an integer, or {min, max}
	KEY_CHECK,      // a gate check written out
	KEY_CHECKS,     // a list of them, or one
	KEY_ANY,        // its owner looks at it
};

struct key {
	const char *name;
	enum key_type type;
	const char *help; // one line, plain words
	bool required;
	int64_t minimum, maximum;   // of numbers, durations, sizes; both 0: no limit
	const char *const *choices; // KEY_CHOICE; ends with NULL
	const struct key *keys;     // KEY_TABLE*, ends with a row without name
	const char *later;          // not NULL: parsed, but refused as "not available yet"
};

// For checks (a map like {file: PATH, min_bytes: 1}) the first row is the key with the owner's name.
// A kind of thing that has a name and keys of its own: a check ("file"), an entry ("local_dir"),
// a provider ("unix-local"), a model provider ("openai").
struct key_owner {
	const char *name;
	const char *help;
	const struct key *keys;
	const char *later; // not NULL: refused by name as not available yet
};
