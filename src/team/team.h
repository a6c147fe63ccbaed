/*
 * A team as its file declares it: loaded once, checked, then never changed. Everything is owned by
 * team.arena; other rooms refer to agents, edges and gates by their index in the arrays here.
 * Substitution of ${inputs.NAME} happens when a run starts (team_substitute), so the texts here
 * still hold the references. The format is described in docs/team-file.md.
 */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/yaml.h"
#include "team/vocabulary.h"

enum { TEAM_AGENTS = 64, TEAM_GATES = 1024, TEAM_EDGES = 4096, TEAM_NONE = -1 };

// 0 stands for "no limit". The run's and an agent's have the same shape.
struct team_limits {
	int64_t max_turns;
	int64_t timeout; // milliseconds of working time
	int64_t max_nano_usd;
	int64_t max_tokens;
	int64_t max_tool_calls;
	int64_t max_handoffs;
	int64_t max_concurrency; // the run's only; the loader sets 4 when the file is silent
	int64_t max_depth;       // of delegations; the loader sets 8 when the file is silent
};

// The value of INPUT_FILE is the file's text, of INPUT_FOLDER the folder's absolute path.
enum team_input_type { INPUT_STRING, INPUT_FILE, INPUT_NUMBER, INPUT_BOOLEAN, INPUT_FOLDER };

struct team_input {
	const char *name;
	enum team_input_type type;
	bool required;
	const char *default_value; // NULL: none
	const char **choices;      // ends with NULL; NULL: any
	const char *example; // for files and folders the path as found from the working folder
	const char *description;
	struct yaml_position position;
};

struct team_price { // nano-dollars per million tokens
	int64_t input, cached_input, output;
	bool known;
};

struct team_strings {
	const char **items;
	size_t count;
};

// Where a secret comes from: one of the three. The value is nowhere in a team.
struct team_secret {
	const char *name;            // its name under `secrets`; NULL: written in place
	const char *env;             // a variable
	const char *file;            // as found from the working folder
	struct team_strings command; // which prints it; its words
	struct yaml_position position;
};

struct team_model {
	const char *name;     // its name under `models`, or "provider/model" when used directly
	const char *provider; // "openai"
	const char *model;    // "gpt-5.4"
	const char *base_url, *wire;       // NULL: the provider's default
	const struct team_secret *api_key; // NULL: the provider's default
	double temperature, top_p;         // negative: not set
	int64_t max_output_tokens;         // 0: not set; reservations then assume 4096
	int64_t context_window;            // tokens; 0: not known
	const char *reasoning_effort, *reasoning_summary, *tool_choice; // NULL: not set
	int parallel_tool_calls;                                        // -1: not set
	const char *const *fallback; // ends with NULL; may be NULL
	struct team_price price;
	struct yaml_position position;
};

enum team_policy { POLICY_RETURN, POLICY_ASK, POLICY_ABORT }; // in order of strictness

// A gate: named in the file, from a `use` file, or standing for one item of an `outputs` or `needs`
// list that is a path or a check written out (then `name` is that path, or "kind: value").
struct team_gate {
	const char *name;
	const char *description;
	const struct yaml_node *require; // a list of checks (or one), compiled by gate/gate.h
	const char *folder;              // relative files in it (schemas) are found from here
	int retries;                     // default 3
	enum team_policy then;
	bool anonymous;
	struct yaml_position position;
};

enum team_edge_kind { EDGE_DELEGATE, EDGE_TRANSFER };
enum team_transfer_input { TRANSFER_ALL, TRANSFER_LAST, TRANSFER_TASK };

struct team_edge {
	enum team_edge_kind kind;
	int from, to; // agents
	int *needs;   // gates
	size_t need_count;
	const char *description; // NULL: the target's
	int retries;             // -1: the gates' own
	enum team_transfer_input input;
	struct yaml_position position;
};

struct team_permissions { // patterns "tool" or "tool:argument-glob"; deny before ask before allow
	struct team_strings allow, ask, deny;
};

struct team_agent {
	const char *name; // [a-z][a-z0-9_]*
	const char *description;
	const char *instructions;      // the text, also when it came from a file
	const char *instructions_file; // NULL: written in place; found from the working folder
	int model;
	int *outputs; // gates
	size_t output_count;
	bool writes_declared;
	struct team_strings writes, reads; // globs
	const char *workdir, *run_as;      // NULL: the workspace root; the sandbox's user
	bool tools_restricted;             // `tools` given
	struct team_strings tools_allow, tools_deny;
	struct team_permissions permissions;
	struct team_limits limits;
	bool remembers; // `remember: own`, the default
	const struct yaml_node *output_schema;
	struct yaml_position position;
};

struct team_sandbox {
	const char *provider;
	const struct yaml_node *options; // the provider's own; may be NULL
	bool network;
	struct team_strings hosts; // allowed hosts when network is a list
	double cpu;                // processors; 0: the provider's default
	int64_t memory, disk;      // bytes; 0: the provider's default
	int64_t processes;
	int64_t timeout;      // milliseconds, of one command; the loader sets 10 minutes
	const char *keep;     // "never", "failed", "always": its session, after the run
	const char *snapshot; // "none", "local"; NULL: one is made before a session goes
};

// The words for them; end with NULL.
extern const char *const team_keeps[], *const team_snapshots[];

struct team_entry {
	const char *path; // clean (base/path.h)
	const struct yaml_node *node;
};

struct team_variable {
	const char *name;
	const char *value;
};

// The login of an entry that has one (git_repo).
struct team_token {
	const struct yaml_node *entry;
	const struct team_secret *secret;
};

struct team_manifest {
	const char *folder; // relative `src` are found from here
	struct team_entry
		*entries; // in the order of the file; children of `dir` stay inside its node
	size_t entry_count;
	struct team_variable *environment;
	size_t variable_count;
	struct team_strings untracked; // folder names left out of the history
	struct team_token *tokens;
	size_t token_count;
	const struct yaml_node *node; // all of it, for what has no field here; may be NULL
};

// A file that the team's file pulled in: its own text, prompts, gates, schemas.
struct team_file {
	const char *path; // as it was opened
	struct text content;
	const char *sha256;
};

// What is said beside the team file of how the team runs.
struct team_choices {
	const char *const *models; // "NAME" for every agent, "AGENT=NAME" for one, which goes first
	size_t model_count;
	const char *defaults; // the path of a configuration file; NULL: none
};

// What the configuration says of a provider of models.
struct team_provider {
	const char *name;
	const char *base_url, *wire;       // NULL: the provider's own
	const struct team_secret *api_key; // likewise
};

struct team {
	struct arena arena;
	const char *path; // of the file
	const char *name, *description;
	struct team_input *inputs;
	size_t input_count;
	struct team_secret *secrets;
	size_t secret_count;
	struct team_provider *providers;
	size_t provider_count;
	struct team_model *models;
	size_t model_count;
	struct team_agent *agents;
	size_t agent_count;
	struct team_edge *edges; // grouped by `from`, in the order of the file
	size_t edge_count;
	struct team_gate *gates;
	size_t gate_count;
	int manager;
	struct team_limits limits;
	struct team_sandbox sandbox;
	struct team_manifest manifest;
	struct team_permissions permissions;
	struct team_file *files;
	size_t file_count;
	const struct yaml_node *document; // the whole file, for what has no field here
	struct team_choices choices;      // with which it was loaded
	const char *colours, *progress;   // as the configuration says; NULL: it does not
};

enum team_severity { TEAM_WARNING, TEAM_MISTAKE };

struct team_message {
	enum team_severity severity;
	struct yaml_position position; // line 0: of no place in the file
	const char *what;              // one sentence
	const char *remedy;            // NULL: none
};

struct team_report { // every mistake found, in the order of the file
	struct arena arena;
	struct team_message *messages;
	size_t count;
	size_t mistakes;
};

// NULL if there is a mistake; warnings alone do not stop it. The report is filled in either way.
// To be freed with team_destroy() and team_report_finish().
struct team *team_load(
	const char *path, const struct vocabulary *vocabulary, struct team_report *report);
// The same, with choices (copied; NULL: none). They are kept when the team is frozen.
struct team *team_load_chosen(const char *path, const struct vocabulary *vocabulary,
	const struct team_choices *choices, struct team_report *report);
// A gate file alone (`muster gate`): a team that holds nothing but its gate, not to be run. NULL if
// there is a mistake.
struct team *team_load_gate(
	const char *path, const struct vocabulary *vocabulary, struct team_report *report);
// The configuration file alone: a team that holds nothing but what it says, not to be run. NULL if
// there is a mistake.
struct team *team_load_defaults(
	const char *path, const struct vocabulary *vocabulary, struct team_report *report);
// NULL: the configuration says nothing of it.
const struct team_provider *team_provider_find(const struct team *team, const char *name);
void team_destroy(struct team *team); // NULL is fine
void team_report_finish(struct team_report *report);
// "file:line:column: [warning: ]what; remedy" and a newline for each message.
void team_report_print(struct buffer *buffer, const struct team_report *report);

// The team with all files it pulled in as one JSON text, and back without touching the disk: what a
// run keeps, so that it goes on with the team it was started with.
void team_freeze(struct buffer *json, const struct team *team);
struct team *team_thaw(
	struct text json, const struct vocabulary *vocabulary, struct team_report *report);

int team_agent_index(const struct team *team, const char *name); // TEAM_NONE: no such agent
int team_gate_index(const struct team *team, const char *name);  // named gates only

// Where an entry of the manifest lies: its key, below the path of the `dir` that it is in ("": none).
// Backslashes count as '/', as in the Agents SDK; a leading "/workspace/" is left out. Other absolute
// paths and ".." are refused.
bool team_entry_path(struct arena *arena, struct text parent, struct text key, struct text *clean,
	struct error *error);

// Values of the inputs of one run, in the order of team->inputs; NULL: not given.
struct team_values {
	const char **values;
};

// `given` are "name=value" or "name=@file" texts; checks types, required ones and choices, fills in
// defaults. A file input's value is the file's content.
bool team_inputs(struct arena *arena, const struct team *team, const char *const *given,
	size_t given_count, struct team_values *values, struct error *error);
// The text with every ${inputs.NAME} replaced; "$${" stands for a literal "${".
struct text team_substitute(struct arena *arena, const struct team *team,
	const struct team_values *values, struct text text);
// Environment variable names of inputs are INPUT_NAME in capitals (commands see inputs only so).

// The editor schemas (docs/schema/), made from the same tables that check files.
void team_schema(struct buffer *json, const struct vocabulary *vocabulary);
void gate_schema(struct buffer *json, const struct vocabulary *vocabulary);
