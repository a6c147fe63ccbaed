/*
 * What the files of src/team share while a team is loaded. First the shape of the whole file is
 * checked against rows of keys (check.c); then the parts are read, which pass over in silence what
 * has the wrong shape, because that has been said. Nothing stops at the first mistake.
 */
#pragma once

#include "team/keys.h"
#include "team/team.h"

enum {
	LOADER_MESSAGES = 500,     // more are counted, not kept
	LOADER_FILE = 1024 * 1024, // bytes of a prompt, gate or schema
	LOADER_MODELS = 256,
	LOADER_INPUTS = 256,
	LOADER_ENTRIES = 4096,
	LOADER_USE = 256, // files that one `use` glob may name
};

struct loader {
	struct team *team;
	struct arena *arena; // the team's
	const struct vocabulary *vocabulary;
	struct team_report *report;
	const char *folder; // of the team file
	bool frozen;        // files come from `kept` alone, the disk is not looked at
	const struct team_file *kept;
	size_t kept_count;
	const struct yaml_node *defaults; // the configuration; NULL: none
	int default_model;                // it names; or TEAM_NONE
	const struct yaml_node *max_usd;  // the first one that was seen
	bool edges_unknown;               // a handoff was wrong, so nobody knows who is reached
};

// Where a map of keys stands, for messages and for the files that it names.
struct place {
	const char *path;   // "agents.designer"; "" for the file itself
	const char *folder; // relative files are found from here
	bool nulls;         // a key without a value counts as left out
};

// --- report.c: messages. Texts are copied; `remedy` may be NULL. ---

void mistake(const struct loader *loader, struct yaml_position position, const char *remedy,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
void warning(const struct loader *loader, struct yaml_position position, const char *remedy,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
// Messages are kept up to a limit; behind it none needs to be put together.
bool report_is_full(const struct loader *loader);
// From a message that starts with "file:line:column: ", as yaml_parse() gives it.
void mistake_from_yaml(const struct loader *loader, const char *file, const struct error *error);
void report_sort(struct team_report *report, const char *first_file);
// The text fit for a message: one line, escaped, not too long.
const char *shown(const struct loader *loader, struct text text);
// "did you mean 'x'?" for the nearest name, or NULL.
const char *nearest(
	const struct loader *loader, struct text name, const char *const *names, size_t count);
// "it is one of: a, b, c".
const char *one_of(const struct loader *loader, const char *const *names, size_t count);

// --- check.c: shapes ---

void check_table(const struct loader *loader, const struct yaml_node *node, const struct key *keys,
	const struct place *place);
void check_value(const struct loader *loader, const struct yaml_node *node, const struct key *key,
	const struct place *place);
// A gate check written out; its owner's row, or NULL after a mistake.
const struct key_owner *check_check(
	const struct loader *loader, const struct yaml_node *node, const struct place *place);
const struct key_owner *owner_find(const struct owner_list *owners, struct text name);
// The nearest name, or all that are available.
const char *owner_remedy(
	const struct loader *loader, struct text name, const struct owner_list *owners);
// "'name' must be a list, not a string"; false after the mistake.
bool expect_kind(const struct loader *loader, const struct yaml_node *node, enum yaml_kind kind,
	const char *name);

// --- spellings.c: what other tools call it ---

// How `name` is spelled among `keys`, as a sentence; NULL if it is no known spelling.
const char *spelling_of(const struct loader *loader, struct text name, const struct key *keys);
// Does the map have the key, or one that was probably meant to be it? Then the mistake has been
// said, and nothing more follows from the key's absence.
bool has_or_means(const struct loader *loader, const struct yaml_node *node, const struct key *keys,
	const char *name);

// --- load.c: values that were checked before; a wrong shape gives the default ---

const char *string_at(const struct loader *loader, const struct yaml_node *node, const char *key);
int64_t integer_at(const struct yaml_node *node, const char *key, int64_t otherwise);
double number_at(const struct yaml_node *node, const char *key, double otherwise);
bool boolean_at(const struct yaml_node *node, const char *key, bool otherwise);
int64_t duration_at(const struct yaml_node *node, const char *key, int64_t otherwise);
int64_t size_at(const struct yaml_node *node, const char *key, int64_t otherwise);
// A list of strings, or one.
struct team_strings strings_at(
	const struct loader *loader, const struct yaml_node *node, const char *key);
// Room for one more: the array, moved when its count is a power of two.
void *grown(struct arena *arena, void *items, size_t count, size_t size);
bool name_is(struct text name, const char *also, size_t limit); // [a-z][a-z0-9<also>]*

// --- files.c: files that the team pulls in ---

// Reads a text file and keeps it in team->files; false after a mistake at `position`.
bool pull_file(const struct loader *loader, struct yaml_position position, const char *path,
	struct text *content);
// Whether the file is there; always true for a frozen team.
bool file_is_there(const struct loader *loader, const char *path, bool folder);
// The files that a `use` entry names: one, or those that a glob matches, sorted.
size_t expand_files(const struct loader *loader, struct yaml_position position, const char *path,
	const char *const **paths);

// --- the parts ---

void load_inputs(struct loader *loader, const struct yaml_node *node);            // inputs.c
void check_references(const struct loader *loader, const struct yaml_node *node); // references.c
void check_text_references(
	const struct loader *loader, struct text text, struct yaml_position position);
void check_prompt_references(const struct loader *loader, struct text text, const char *file);
void check_url(const struct loader *loader, const struct yaml_node *node);
void load_defaults(struct loader *loader); // defaults.c
// Which of the two maps has the key; `defaults` if neither.
const struct yaml_node *said_in(
	const struct yaml_node *node, const struct yaml_node *defaults, const char *key);
void load_secrets(struct loader *loader, const struct yaml_node *node); // secrets.c
// The source that a map names; NULL if it names none, after a mistake. `name`: NULL when in place.
const struct team_secret *secret_of(
	struct loader *loader, const char *name, const struct yaml_node *node, const char *what);
void load_models(struct loader *loader, const struct yaml_node *node); // models.c
int model_of(struct loader *loader, const struct yaml_node *node);     // or TEAM_NONE
bool model_is_chosen(const struct loader *loader, const char *agent);  // choices.c
void choose_models(struct loader *loader);
void keep_choices(struct team *team, const struct team_choices *choices);
void check_prices(const struct loader *loader);
void load_gates(struct loader *loader, const struct yaml_node *node); // gates.c
// The gates that an `outputs` or `needs` value names, new ones added.
void load_requirements(struct loader *loader, const struct yaml_node *node, const char *what,
	int **gates, size_t *count);
void load_agents(struct loader *loader, const struct yaml_node *document); // agents.c
// settings.c: what `node` leaves out comes from `defaults` (may be NULL).
void load_limits(struct loader *loader, const struct yaml_node *node,
	const struct yaml_node *defaults, struct team_limits *limits);
void load_sandbox(
	struct loader *loader, const struct yaml_node *node, const struct yaml_node *defaults);
void load_permissions(const struct loader *loader, const struct yaml_node *node,
	struct team_permissions *permissions);
void check_tool_names(const struct loader *loader, const struct yaml_node *names);
void load_manifest(struct loader *loader, const struct yaml_node *node); // manifest.c
void check_links(struct loader *loader);                                 // links.c
bool load_document(struct loader *loader, const char *path);             // load.c
