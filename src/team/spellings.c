#include "team/loader.h"

// What other tools (and people in a hurry) call a key. `here` must be among the keys of the map in
// which the foreign name stands; `shown` is what to write if that is more than the key.
static const struct {
	const char *foreign, *here, *shown;
} spellings[] = {
	{"instruction", "instructions", NULL},
	{"prompt", "instructions", NULL},
	{"system", "instructions", NULL},
	{"system_prompt", "instructions", NULL},
	{"system_message", "instructions", NULL},
	{"backstory", "instructions", NULL},
	{"goal", "instructions", NULL},
	{"prompt_file", "instructions_file", NULL},
	{"instruction_file", "instructions_file", NULL},
	{"instructions_path", "instructions_file", NULL},
	{"role", "description", NULL},
	{"summary", "description", NULL},
	{"handoff_description", "description", NULL},
	{"entry", "manager", NULL},
	{"entry_agent", "manager", NULL},
	{"entrypoint", "manager", NULL},
	{"entry_point", "manager", NULL},
	{"root", "manager", NULL},
	{"root_agent", "manager", NULL},
	{"manager_agent", "manager", NULL},
	{"start", "manager", NULL},
	{"start_agent", "manager", NULL},
	{"main", "manager", NULL},
	{"lead", "manager", NULL},
	{"coordinator", "manager", NULL},
	{"supervisor", "manager", NULL},
	{"handoff", "handoffs", NULL},
	{"transfers", "handoffs", NULL},
	{"transfer_to", "handoffs", NULL},
	{"subagents", "sub_agents", NULL},
	{"delegates", "sub_agents", NULL},
	{"delegates_to", "sub_agents", NULL},
	{"delegation", "sub_agents", NULL},
	{"children", "sub_agents", NULL},
	{"workers", "sub_agents", NULL},
	{"agent", "to", NULL},
	{"name", "to", NULL},
	{"target", "to", NULL},
	{"agent", "agents", NULL},
	{"members", "agents", NULL},
	{"roles", "agents", NULL},
	{"team", "agents", NULL},
	{"requires", "needs", NULL},
	{"require", "needs", NULL},
	{"depends_on", "needs", NULL},
	{"dependencies", "needs", NULL},
	{"when", "needs", NULL},
	{"gate", "needs", NULL},
	{"gates", "needs", NULL},
	{"requires", "sub_agents", "needs' in an entry of 'sub_agents"},
	{"depends_on", "sub_agents", "needs' in an entry of 'sub_agents"},
	{"needs", "sub_agents", "needs' in an entry of 'sub_agents"},
	{"requires", "require", NULL},
	{"checks", "require", NULL},
	{"check", "require", NULL},
	{"conditions", "require", NULL},
	{"on_failure", "then", NULL},
	{"on_fail", "then", NULL},
	{"otherwise", "then", NULL},
	{"retry", "retries", NULL},
	{"max_retries", "retries", NULL},
	{"attempts", "retries", NULL},
	{"output", "outputs", NULL},
	{"output_file", "outputs", NULL},
	{"output_files", "outputs", NULL},
	{"artifacts", "outputs", NULL},
	{"produces", "outputs", NULL},
	{"expected_output", "outputs", NULL},
	{"write", "writes", NULL},
	{"read", "reads", NULL},
	{"cwd", "workdir", NULL},
	{"working_dir", "workdir", NULL},
	{"working_directory", "workdir", NULL},
	{"user", "run_as", NULL},
	{"llm", "model", NULL},
	{"model_name", "model", NULL},
	{"model_settings", "models", NULL},
	{"llms", "models", NULL},
	{"model", "use", NULL},
	{"max_tokens", "max_output_tokens", NULL},
	{"max_completion_tokens", "max_output_tokens", NULL},
	{"api_base", "base_url", NULL},
	{"endpoint", "base_url", NULL},
	{"api_key_env", "api_key", "api_key: {env: NAME}"},
	{"token_key", "api_key", "api_key: {env: NAME}"},
	{"reasoning_effort", "reasoning", "reasoning: {effort: ...}"},
	{"thinking", "reasoning", NULL},
	{"max_iterations", "max_turns", NULL},
	{"max_iter", "max_turns", NULL},
	{"max_steps", "max_turns", NULL},
	{"max_rounds", "max_turns", NULL},
	{"max_turn", "max_turns", NULL},
	{"max_iterations", "limits", "limits: {max_turns: ...}"},
	{"max_iter", "limits", "limits: {max_turns: ...}"},
	{"max_steps", "limits", "limits: {max_turns: ...}"},
	{"max_rounds", "limits", "limits: {max_turns: ...}"},
	{"max_turns", "limits", "limits: {max_turns: ...}"},
	{"max_tokens", "limits", "limits: {max_tokens: ...}"},
	{"max_usd", "limits", "limits: {max_usd: ...}"},
	{"max_tool_calls", "limits", "limits: {max_tool_calls: ...}"},
	{"max_handoffs", "limits", "limits: {max_handoffs: ...}"},
	{"max_concurrency", "limits", "limits: {max_concurrency: ...}"},
	{"max_depth", "limits", "limits: {max_depth: ...}"},
	{"timeout", "limits", "limits: {timeout: ...}"},
	{"budget", "limits", NULL},
	{"max_cost", "max_usd", NULL},
	{"max_budget", "max_usd", NULL},
	{"max_parallel", "max_concurrency", NULL},
	{"parallelism", "max_concurrency", NULL},
	{"max_execution_time", "timeout", NULL},
	{"time_limit", "timeout", NULL},
	{"mcp", "mcp_servers", NULL},
	{"toolset", "tools", NULL},
	{"toolsets", "tools", NULL},
	{"allowed_tools", "tools", "tools: {allow: [...]}"},
	{"disallowed_tools", "tools", "tools: {deny: [...]}"},
	{"variables", "inputs", NULL},
	{"vars", "inputs", NULL},
	{"params", "inputs", NULL},
	{"parameters", "inputs", NULL},
	{"input", "inputs", NULL},
	{"choices", "enum", NULL},
	{"options", "enum", NULL},
	{"env", "environment", NULL},
	{"env", "manifest", "manifest: {environment: ...}"},
	{"environment", "manifest", "manifest: {environment: ...}"},
	{"entries", "manifest", "manifest: {entries: ...}"},
	{"files", "entries", NULL},
	{"workspace", "manifest", NULL},
	{"runtime", "sandbox", NULL},
	{"type", "provider", NULL},
	{"backend", "provider", NULL},
	{"source", "src", NULL},
	{"path", "src", NULL},
	{"text", "content", NULL},
	{"contents", "content", NULL},
	{"min_size", "min_bytes", NULL},
	{"max_size", "max_bytes", NULL},
	{"regex", "matches", NULL},
	{"pattern", "matches", NULL},
	{"exit_code", "exit", NULL},
	{"exit_status", "exit", NULL},
	{"tracing", "trace", NULL},
	{"policies", "permissions", NULL},
};

static bool has_key(const struct key *keys, const char *name)
{
	for (; keys->name; keys++) {
		if (text_is(text_of(keys->name), name)) {
			return true;
		}
	}
	return false;
}

// subAgents, SubAgents and sub-agents as sub_agents.
static const char *snake_case(const struct loader *loader, struct text name)
{
	buffer_cleanup result = {0};
	for (size_t i = 0; i < name.length; i++) {
		char byte = name.data[i];
		bool capital = byte >= 'A' && byte <= 'Z';
		bool small_before = i && name.data[i - 1] >= 'a' && name.data[i - 1] <= 'z';
		if (capital && small_before) {
			buffer_add_char(&result, '_');
		}
		buffer_add_char(&result, capital ? (char)(byte + 32) : byte == '-' ? '_' : byte);
	}
	return arena_copy(loader->arena, result.data ? result.data : "", result.length);
}

// The key that a foreign name stands for, and in *write what to write; NULL if it is not known.
static const char *find_spelling(
	const struct loader *loader, struct text name, const struct key *keys, const char **write)
{
	const char *snake = snake_case(loader, text_cut(name, 64));
	*write = snake;
	if (has_key(keys, snake)) {
		return snake;
	}
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		if (text_is(text_of(snake), spellings[i].foreign) &&
			has_key(keys, spellings[i].here)) {
			*write = spellings[i].shown ? spellings[i].shown : spellings[i].here;
			return spellings[i].here;
		}
	}
	return NULL;
}

const char *spelling_of(const struct loader *loader, struct text name, const struct key *keys)
{
	const char *write;
	if (!find_spelling(loader, name, keys, &write)) {
		return NULL;
	}
	return arena_printf(loader->arena, "'%s' is spelled '%s' here", shown(loader, name), write);
}

bool has_or_means(const struct loader *loader, const struct yaml_node *node, const struct key *keys,
	const char *name)
{
	for (size_t i = 0; node->kind == YAML_MAP && i < node->count; i++) {
		struct text given = node->pairs[i].key;
		const char *write, *string = text_string(loader->arena, given);
		if (text_is(given, name)) {
			return true;
		}
		if (has_key(keys, string)) {
			continue;
		}
		const char *meant = find_spelling(loader, given, keys, &write);
		if (meant ? text_is(text_of(meant), name) : text_nearest(given, &name, 1) != NULL) {
			return true;
		}
	}
	return false;
}
