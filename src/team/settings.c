#include <string.h>

#include "team/loader.h"

static int64_t limit_at(
	const struct yaml_node *node, const struct yaml_node *defaults, const char *key)
{
	return integer_at(said_in(node, defaults, key), key, 0);
}

void load_limits(struct loader *loader, const struct yaml_node *node,
	const struct yaml_node *defaults, struct team_limits *limits)
{
	const struct yaml_node *usd = yaml_get(said_in(node, defaults, "max_usd"), "max_usd");
	double dollars = number_at(said_in(node, defaults, "max_usd"), "max_usd", 0);
	limits->max_turns = limit_at(node, defaults, "max_turns");
	limits->timeout = duration_at(said_in(node, defaults, "timeout"), "timeout", 0);
	limits->max_tokens = limit_at(node, defaults, "max_tokens");
	limits->max_tool_calls = limit_at(node, defaults, "max_tool_calls");
	limits->max_handoffs = limit_at(node, defaults, "max_handoffs");
	limits->max_concurrency = limit_at(node, defaults, "max_concurrency");
	limits->max_depth = limit_at(node, defaults, "max_depth");
	if (usd && dollars > 0 && dollars <= 1e9) {
		limits->max_nano_usd = (int64_t)(dollars * 1e9 + 0.5);
	} else if (usd && dollars == 0 && usd->kind != YAML_STRING) {
		mistake(loader, usd->position, "leave it out for no limit",
			"'max_usd' must be more than 0");
	}
	if (dollars > 0 && dollars <= 1e9 && !loader->max_usd) {
		loader->max_usd = usd;
	}
}

// --- Tools and permissions ---

static bool is_handoff_tool(const struct team *team, struct text name)
{
	static const char *const prefixes[] = {"delegate_to_", "transfer_to_"};
	const struct yaml_node *agents = yaml_get(team->document, "agents");
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t length = strlen(prefixes[i]);
		if (!text_starts(name, prefixes[i])) {
			continue;
		}
		struct text agent = {name.data + length, name.length - length};
		for (size_t j = 0; agents && agents->kind == YAML_MAP && j < agents->count; j++) {
			if (text_equal(agent, agents->pairs[j].key)) {
				return true;
			}
		}
	}
	return false;
}

static void check_tool_name(
	const struct loader *loader, struct text name, struct yaml_position position)
{
	const struct owner_list *tools = &loader->vocabulary->tools;
	bool wildcard = name.length && memchr(name.data, '*', name.length);
	if (wildcard || tools->count == 0 || owner_find(tools, name) ||
		is_handoff_tool(loader->team, name)) {
		return;
	}
	mistake(loader, position, owner_remedy(loader, name, tools), "there is no tool '%s'",
		shown(loader, name));
}

// Names, or patterns "tool:argument-glob".
void check_tool_names(const struct loader *loader, const struct yaml_node *names)
{
	if (!names) {
		return;
	}
	bool list = names->kind == YAML_LIST;
	for (size_t i = 0; i < (list ? names->count : 1); i++) {
		const struct yaml_node *item = list ? &names->items[i] : names;
		if (item->kind == YAML_STRING) {
			const char *colon = item->text.length
				? memchr(item->text.data, ':', item->text.length)
				: NULL;
			size_t length =
				colon ? (size_t)(colon - item->text.data) : item->text.length;
			check_tool_name(
				loader, (struct text){item->text.data, length}, item->position);
		}
	}
}

void load_permissions(const struct loader *loader, const struct yaml_node *node,
	struct team_permissions *permissions)
{
	permissions->allow = strings_at(loader, node, "allow");
	permissions->ask = strings_at(loader, node, "ask");
	permissions->deny = strings_at(loader, node, "deny");
	check_tool_names(loader, yaml_get(node, "allow"));
	check_tool_names(loader, yaml_get(node, "ask"));
	check_tool_names(loader, yaml_get(node, "deny"));
}

// --- Sandbox ---

static void check_host(const struct loader *loader, const struct yaml_node *node)
{
	static const char also[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.*:[]";
	struct text text = node->text;
	bool good = node->kind == YAML_STRING && text.length && text.length < 256;
	for (size_t i = 0; good && i < text.length; i++) {
		good = text.data[i] && strchr(also, text.data[i]);
	}
	if (!good) {
		mistake(loader, node->position, "write a name like example.org, without https://",
			"'network' takes names of hosts, not '%s'", shown(loader, text));
	}
}

static void load_network(struct loader *loader, const struct yaml_node *node)
{
	struct team_sandbox *sandbox = &loader->team->sandbox;
	if (!node || (node->kind == YAML_NULL && node->plain)) {
		return;
	}
	if (node->kind == YAML_LIST) {
		for (size_t i = 0; i < node->count; i++) {
			check_host(loader, &node->items[i]);
		}
		sandbox->hosts =
			strings_at(loader, yaml_get(loader->team->document, "sandbox"), "network");
		sandbox->network = sandbox->hosts.count > 0;
	} else if (text_is(node->text, "on") && node->kind == YAML_STRING) {
		sandbox->network = true;
	} else if (!(text_is(node->text, "off") && node->kind == YAML_STRING)) {
		mistake(loader, node->position, "write on, off, or a list of hosts",
			"'network' cannot be '%s'", shown(loader, node->text));
	}
}

static void load_provider(struct loader *loader, const struct yaml_node *node)
{
	const struct owner_list *known = &loader->vocabulary->sandboxes;
	const struct yaml_node *provider = yaml_get(node, "provider");
	const struct yaml_node *options = yaml_get(node, "options");
	if (!provider || (provider->kind == YAML_NULL && provider->plain) ||
		!expect_kind(loader, provider, YAML_STRING, "provider") || known->count == 0) {
		return;
	}
	const struct key_owner *owner = owner_find(known, provider->text);
	if (!owner) {
		mistake(loader, provider->position, owner_remedy(loader, provider->text, known),
			"unknown sandbox provider '%s'", shown(loader, provider->text));
	} else if (owner->later) {
		mistake(loader, provider->position, "use another provider",
			"the sandbox provider '%s' is not available yet", owner->name);
	} else if (options) {
		static const struct key none[] = {{0}};
		struct place place = {"sandbox.options", loader->folder, false};
		check_table(loader, options, owner->keys ? owner->keys : none, &place);
	}
}

void load_sandbox(
	struct loader *loader, const struct yaml_node *node, const struct yaml_node *defaults)
{
	struct team_sandbox *sandbox = &loader->team->sandbox;
	// Options belong to their provider: both come from the same place.
	const struct yaml_node *chosen =
		yaml_get(node, "provider") || yaml_get(node, "options") ? node : defaults;
	const char *provider = string_at(loader, chosen, "provider");
	const char *keep = string_at(loader, said_in(node, defaults, "keep"), "keep");
	sandbox->provider = provider ? provider : "unix-local";
	sandbox->options = yaml_get(chosen, "options");
	sandbox->cpu = number_at(said_in(node, defaults, "cpu"), "cpu", 0);
	sandbox->memory = size_at(said_in(node, defaults, "memory"), "memory", 0);
	sandbox->disk = size_at(said_in(node, defaults, "disk"), "disk", 0);
	sandbox->processes = integer_at(said_in(node, defaults, "processes"), "processes", 0);
	sandbox->timeout =
		duration_at(said_in(node, defaults, "timeout"), "timeout", 10 * 60 * 1000);
	sandbox->keep = keep ? keep : "never";
	sandbox->snapshot = string_at(loader, said_in(node, defaults, "snapshot"), "snapshot");
	load_network(loader, yaml_get(node, "network"));
	load_provider(loader, chosen);
}
