#include "team/keys.h"

#include <stddef.h>

#define LARGE INT64_C(1000000000000)

static const char *const input_types[] = {"string", "file", "number", "boolean", "folder", NULL};
static const char *const wires[] = {"responses", "chat", "anthropic", NULL};
const char *const team_keeps[] = {"never", "failed", "always", NULL};
const char *const team_snapshots[] = {"none", "local", NULL};
static const char *const policies[] = {"return", "ask", "abort", NULL};
static const char *const transfer_inputs[] = {"all", "last", "task", NULL};
static const char *const remembers[] = {"own", "nothing", NULL};
static const char *const places[] = {"sandbox", "harness", NULL};
static const char *const colour_choices[] = {"auto", "always", "never", NULL};
static const char *const progress_choices[] = {"auto", "lines", "none", NULL};
static const char *const switches[] = {"on", "off", NULL};

const struct key input_keys[] = {
	{"type", KEY_CHOICE, "What kind of value; string if not given.", .choices = input_types},
	{"required", KEY_BOOLEAN, "A run is refused without it."},
	{"default", KEY_ANY, "The value if none is given; of a file input the file."},
	{"enum", KEY_ANY, "The values that are allowed."},
	{"example", KEY_ANY, "An example for people; of a file input the path of one."},
	{"description", KEY_STRING, "One line for people."},
	{0},
};

static const struct key reasoning_keys[] = {
	{"effort", KEY_STRING, "How much the model thinks: low, medium, high, ..."},
	{"summary", KEY_STRING, "Which summary of its thoughts it gives: auto, concise, ..."},
	{0},
};

#define SOURCE_KEYS                                                                                \
	{"env", KEY_STRING, "The environment variable that holds it."},                            \
		{"file", KEY_STRING, "The file that holds it; ~/ is the home folder."},            \
	{                                                                                          \
		"command", KEY_STRINGS,                                                            \
			"The command that prints it: its words, or a line for the shell."          \
	}

static const struct key api_key_keys[] = {
	SOURCE_KEYS,
	{"secret", KEY_STRING, "Its name under 'secrets'."},
	{0},
};

static const struct key price_keys[] = {
	{"input", KEY_NUMBER, "Dollars per million input tokens.", .required = true,
		.maximum = LARGE},
	{"cached_input", KEY_NUMBER, "Dollars per million input tokens from the cache.",
		.maximum = LARGE},
	{"output", KEY_NUMBER, "Dollars per million output tokens.", .required = true,
		.maximum = LARGE},
	{0},
};

const struct key model_keys[] = {
	{"use", KEY_STRING, "The model as provider/model.", .required = true},
	{"temperature", KEY_NUMBER, "Of sampling.", .maximum = 10},
	{"top_p", KEY_NUMBER, "Of sampling.", .maximum = 1},
	{"max_output_tokens", KEY_INTEGER, "Of one answer; also what a call reserves.",
		.minimum = 1, .maximum = LARGE},
	{"reasoning", KEY_TABLE, "How much the model thinks.", .keys = reasoning_keys},
	{"parallel_tool_calls", KEY_BOOLEAN, "May it call several tools in one answer?"},
	{"tool_choice", KEY_STRING, "auto, required, none, or a tool."},
	{"base_url", KEY_STRING, "Another server with the same interface."},
	{"api_key", KEY_TABLE, "Where the key comes from; never the key itself.",
		.keys = api_key_keys},
	{"wire", KEY_CHOICE, "How to talk to the server.", .choices = wires},
	{"context_window", KEY_INTEGER, "In tokens.", .minimum = 1, .maximum = LARGE},
	{"fallback", KEY_STRINGS, "Models to use when this one is not available, in order."},
	{"retry", KEY_ANY, "When a request is tried again.", .later = "retry settings"},
	{"price", KEY_TABLE, "Dollars per million tokens.", .keys = price_keys},
	{0},
};

#define LIMITS_OF_RUN_AND_AGENT                                                                    \
	{"max_turns", KEY_INTEGER, "Answers of models.", .minimum = 1, .maximum = LARGE},          \
		{"timeout", KEY_DURATION, "Working time; waiting for a person does not count.",    \
			.minimum = 1, .maximum = LARGE},                                           \
		{"max_usd", KEY_NUMBER, "Dollars; needs a price for every model used.",            \
			.maximum = 1000000000},                                                    \
		{"max_tokens", KEY_INTEGER, "Tokens in and out.", .minimum = 1, .maximum = LARGE}, \
		{"max_tool_calls", KEY_INTEGER, "Calls of tools.", .minimum = 1,                   \
			.maximum = LARGE},                                                         \
	{                                                                                          \
		"max_handoffs", KEY_INTEGER, "Handoffs that went through.", .minimum = 1,          \
									    .maximum = LARGE       \
	}

static const struct key run_limit_keys[] = {
	LIMITS_OF_RUN_AND_AGENT,
	{"max_concurrency", KEY_INTEGER, "Branches at work at once; 4 if not given.", .minimum = 1,
		.maximum = 64},
	{"max_depth", KEY_INTEGER, "Delegations inside delegations; 8 if not given.", .minimum = 1,
		.maximum = 64},
	{0},
};

static const struct key agent_limit_keys[] = {LIMITS_OF_RUN_AND_AGENT, {0}};

#define SANDBOX_KEYS                                                                               \
	{"provider", KEY_ANY, "Where commands run."},                                              \
		{"options", KEY_ANY, "The provider's own settings."},                              \
		{"cpu", KEY_NUMBER, "Processors.", .maximum = 4096},                               \
		{"memory", KEY_SIZE, "Of all processes together.", .minimum = 1024 * 1024,         \
			.maximum = INT64_C(1) << 50},                                              \
		{"disk", KEY_SIZE, "Of the workspace.", .minimum = 1024 * 1024,                    \
			.maximum = INT64_C(1) << 60},                                              \
		{"processes", KEY_INTEGER, "At once.", .minimum = 1, .maximum = 1000000},          \
		{"timeout", KEY_DURATION, "Of one command; 10 minutes if not given.",              \
			.minimum = 1, .maximum = LARGE},                                           \
		{"snapshot", KEY_CHOICE, "Where the workspace goes as a snapshot at the end.",     \
			.choices = team_snapshots},                                                \
	{                                                                                          \
		"keep", KEY_CHOICE, "When the session stays after the run.", .choices = team_keeps \
	}

static const struct key sandbox_keys[] = {
	SANDBOX_KEYS,
	{"network", KEY_ANY, "off, on, or a list of the hosts that are allowed."},
	{0},
};

static const struct key user_keys[] = {
	{"name", KEY_STRING, "The user's name.", .required = true},
	{0},
};

static const struct key group_keys[] = {
	{"name", KEY_STRING, "The group's name.", .required = true},
	{"users", KEY_TABLES, "Who is in it.", .keys = user_keys},
	{0},
};

static const struct key grant_keys[] = {
	{"path", KEY_STRING, "The folder, absolute; commands see it there.", .required = true},
	{"read_only", KEY_BOOLEAN, "Whether commands can write there; false if not given."},
	{"description", KEY_STRING, "What it is, for people."},
	{"host_path", KEY_STRING, "Where it lies on this machine, if elsewhere."},
	{0},
};
// What a team needs of the network it says itself.
static const struct key default_sandbox_keys[] = {SANDBOX_KEYS, {0}};

const struct key manifest_keys[] = {
	{"version", KEY_INTEGER, "The version of the manifest format.", .minimum = 1, .maximum = 1},
	{"root", KEY_STRING, "The workspace root; always /workspace."},
	{"entries", KEY_ANY, "What lies in the workspace at the start: path to entry."},
	{"environment", KEY_ANY, "Set for every command: name to value."},
	{"untracked", KEY_STRINGS, "Names of folders that the history leaves out."},
	{"users", KEY_TABLES, "Accounts in the sandbox.", .keys = user_keys},
	{"groups", KEY_TABLES, "Groups in the sandbox.", .keys = group_keys},
	{"extra_path_grants", KEY_TABLES, "Folders of this machine, outside the workspace.",
		.keys = grant_keys},
	{"remote_mount_command_allowlist", KEY_STRINGS, "Commands for use on mounts."},
	{0},
};

static const struct key tools_keys[] = {
	{"allow", KEY_STRINGS, "The only ones it has."},
	{"deny", KEY_STRINGS, "The ones it does not have."},
	{0},
};

static const struct key permission_keys[] = {
	{"allow", KEY_STRINGS, "Calls that are allowed: tool, or tool:argument-glob."},
	{"ask", KEY_STRINGS, "Calls that a person is asked about."},
	{"deny", KEY_STRINGS, "Calls that are refused."},
	{0},
};

const struct key agent_keys[] = {
	{"description", KEY_STRING, "One line: who may hand work to the agent reads it."},
	{"instructions", KEY_STRING, "What the agent is told."},
	{"instructions_file", KEY_FILE, "The file with what the agent is told."},
	{"model", KEY_ANY, "Instead of the team's."},
	{"sub_agents", KEY_ANY, "To whom it may delegate; the work comes back."},
	{"handoffs", KEY_ANY, "To whom it may transfer; control moves on."},
	{"outputs", KEY_ANY, "What must hold before its work counts as done."},
	{"writes", KEY_GLOBS, "What it may write."},
	{"reads", KEY_GLOBS, "What it is expected to read."},
	{"workdir", KEY_PATH, "The folder in which its commands start."},
	{"run_as", KEY_STRING, "The user of its commands."},
	{"tools", KEY_TABLE, "Which tools it has; all if not given.", .keys = tools_keys},
	{"permissions", KEY_TABLE, "Goes before the team's.", .keys = permission_keys},
	{"limits", KEY_TABLE, "Of one assignment.", .keys = agent_limit_keys},
	{"remember", KEY_CHOICE, "What it knows of its earlier assignments.", .choices = remembers},
	{"capabilities", KEY_ANY, "Sets of tools with instructions.", .later = "capabilities"},
	{"mcp_servers", KEY_STRINGS, "The MCP servers it uses.", .later = "MCP servers"},
	{"skills", KEY_ANY, "Skills it can load.", .later = "skills"},
	{"memory", KEY_ANY, "What it keeps between runs.", .later = "memory"},
	{"compaction", KEY_ANY, "How long conversations are shortened.", .later = "compaction"},
	{"output_schema", KEY_ANY, "The form of its report.", .later = "output schemas"},
	{"guardrails", KEY_ANY, "Checks of what goes in and out.", .later = "guardrails"},
	{0},
};

#define EDGE_KEYS                                                                                  \
	{"to", KEY_STRING, "The agent.", .required = true},                                        \
		{"needs", KEY_ANY, "What must hold before the handoff goes through."},             \
		{"description", KEY_STRING, "Instead of the agent's own."},                        \
	{                                                                                          \
		"retries", KEY_INTEGER, "Instead of the gates' own.", .maximum = 1000              \
	}

const struct key delegate_keys[] = {EDGE_KEYS, {0}};

const struct key transfer_keys[] = {
	EDGE_KEYS,
	{"input", KEY_CHOICE, "What the next agent sees of the conversation.",
		.choices = transfer_inputs},
	{0},
};

#define GATE_KEYS                                                                                  \
	{"description", KEY_STRING, "One line for people."},                                       \
		{"require", KEY_CHECKS, "The checks; all must hold.", .required = true},           \
		{"retries", KEY_INTEGER, "Further attempts after the first; 3 if not given.",      \
			.maximum = 1000},                                                          \
	{                                                                                          \
		"then", KEY_CHOICE, "When they are used up; return if not given.",                 \
			.choices = policies                                                        \
	}

const struct key gate_keys[] = {GATE_KEYS, {0}};

const struct key gate_file_keys[] = {
	{"name", KEY_STRING, "The gate's name.", .required = true},
	GATE_KEYS,
	{0},
};

static const struct key codex_keys[] = {
	{"model", KEY_STRING, "The model that Codex uses."},
	{0},
};

static const struct key mcp_server_keys[] = {
	{"command", KEY_STRING, "The program to start."},
	{"args", KEY_STRINGS, "Its arguments."},
	{"env", KEY_STRING_MAP, "Its environment."},
	{"cwd", KEY_STRING, "Its working folder."},
	{"run_in", KEY_CHOICE, "Where it runs.", .choices = places},
	{"url", KEY_STRING, "The address of a server that runs already."},
	{"headers", KEY_STRING_MAP, "Sent with each request."},
	{"auth", KEY_ANY, "How to log in."},
	{"tools", KEY_TABLE, "Which of its tools are used.", .keys = tools_keys},
	{"approval", KEY_ANY, "Which calls a person is asked about."},
	{"timeout", KEY_DURATION, "Of one call.", .minimum = 1, .maximum = LARGE},
	{"codex", KEY_TABLE, "Codex CLI, ready-made.", .keys = codex_keys},
	{0},
};

static const struct key provider_keys[] = {
	{"base_url", KEY_STRING, "Its address."},
	{"api_key", KEY_TABLE, "Where the key comes from; never the key itself.",
		.keys = api_key_keys},
	{"wire", KEY_CHOICE, "How to talk to it.", .choices = wires},
	{0},
};

static const struct key secret_keys[] = {
	SOURCE_KEYS,
	{"expose", KEY_ANY, "Where it may go.", .later = "secrets in the sandbox"},
	{0},
};

static const struct key trace_keys[] = {
	{"otlp", KEY_ANY, "OpenTelemetry."},
	{"openai", KEY_ANY, "The OpenAI dashboard."},
	{"sensitive", KEY_CHOICE, "Whether texts are sent, too.", .choices = switches},
	{0},
};

const struct key team_keys[] = {
	{"version", KEY_INTEGER, "The version of the format: 1.", .required = true, .minimum = 1,
		.maximum = 1},
	{"name", KEY_STRING, "Shown in lists and reports.", .required = true},
	{"description", KEY_STRING, "One line for people."},
	{"metadata", KEY_ANY, "Anything; kept, not used."},
	{"inputs", KEY_TABLE_MAP, "What a run is given, by name.", .keys = input_keys},
	{"model", KEY_ANY, "For every agent that names no other: provider/model or a name."},
	{"models", KEY_TABLE_MAP, "Models with settings, by name.", .keys = model_keys},
	{"limits", KEY_TABLE, "Of the whole run.", .keys = run_limit_keys},
	{"sandbox", KEY_TABLE, "Where commands run.", .keys = sandbox_keys},
	{"manifest", KEY_ANY, "What is in the workspace at the start."},
	{"manager", KEY_STRING, "The first agent.", .required = true},
	{"agents", KEY_TABLE_MAP, "The team, by name.", .required = true, .keys = agent_keys},
	{"gates", KEY_ANY, "Gates by name, and files with gates under 'use'."},
	{"permissions", KEY_TABLE, "For every agent.", .keys = permission_keys},
	{"mcp_servers", KEY_TABLE_MAP, "MCP servers, by name.", .keys = mcp_server_keys,
		.later = "MCP servers"},
	{"secrets", KEY_TABLE_MAP, "Secrets, by name.", .keys = secret_keys},
	{"hooks", KEY_ANY, "Commands at events of the run.", .later = "hooks"},
	{"trace", KEY_TABLE, "Where traces go.", .keys = trace_keys, .later = "traces"},
	{0},
};

const struct key config_keys[] = {
	{"version", KEY_INTEGER, "The version of the format: 1.", .minimum = 1, .maximum = 1},
	{"model", KEY_ANY, "Where a team names none: provider/model or a name."},
	{"models", KEY_TABLE_MAP, "Models with settings, by name.", .keys = model_keys},
	{"providers", KEY_TABLE_MAP, "Providers of models, by name.", .keys = provider_keys},
	{"secrets", KEY_TABLE_MAP, "Secrets, by name.", .keys = secret_keys},
	{"sandbox", KEY_TABLE, "What a team does not say of it.", .keys = default_sandbox_keys},
	{"limits", KEY_TABLE, "What a team does not say of them.", .keys = run_limit_keys},
	{"colours", KEY_CHOICE, "On terminals; auto if not given.", .choices = colour_choices},
	{"progress", KEY_CHOICE, "How a run is shown; auto if not given.",
		.choices = progress_choices},
	{0},
};
