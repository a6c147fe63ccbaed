#include <stdlib.h>
#include <string.h>

#include "model/wire.h"

const struct model_provider model_providers[] = {
	{"openai", "OpenAI, and services with its interface (OPENAI_BASE_URL)",
		"https://api.openai.com/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY", "responses"},
	{"openrouter", "OpenRouter, a gateway to many providers", "https://openrouter.ai/api/v1",
		NULL, "OPENROUTER_API_KEY", "chat"},
	{"ollama", "Ollama on this machine", "http://127.0.0.1:11434/v1", "OLLAMA_BASE_URL", NULL,
		"chat"},
	{"llama-cpp", "llama.cpp's server on this machine (start it with --jinja)",
		"http://127.0.0.1:8080/v1", "LLAMA_CPP_BASE_URL", NULL, "chat"},
	{"vllm", "vLLM on this machine", "http://127.0.0.1:8000/v1", "VLLM_BASE_URL", NULL, "chat"},
	{"lm-studio", "LM Studio on this machine", "http://127.0.0.1:1234/v1", "LM_STUDIO_BASE_URL",
		NULL, "chat"},
	{"custom", "any server with one of the wire formats: 'base_url' and 'wire' say which", NULL,
		NULL, NULL, "chat"},
	{NULL},
};

const struct model_provider *model_provider_find(const char *name)
{
	for (size_t i = 0; model_providers[i].name; i++) {
		if (strcmp(model_providers[i].name, name) == 0) {
			return &model_providers[i];
		}
	}
	return NULL;
}

static const char *from_environment(const char *name)
{
	const char *value = name ? getenv(name) : NULL;
	return value && value[0] ? value : NULL;
}

static const char *without_slash(struct arena *arena, const char *url)
{
	size_t length = strlen(url);
	while (length > 0 && url[length - 1] == '/') {
		length--;
	}
	return arena_copy(arena, url, length);
}

// A key becomes a header: what could end the header is no key.
static bool check_key(const struct model_settings *settings, struct error *error)
{
	for (const char *at = settings->key; at && *at; at++) {
		if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 127) {
			error_set(error, ERROR_USAGE,
				"the key for model '%s' has a character that no key has",
				settings->name);
			return error_hint(error, "look for a space or a line break in it");
		}
	}
	return true;
}

bool model_settings_complete(
	struct arena *arena, struct model_settings *settings, struct error *error)
{
	const struct model_provider *provider = model_provider_find(settings->provider);
	if (!provider) {
		error_set(error, ERROR_UNAVAILABLE, "model provider '%s' cannot be called",
			settings->provider);
		return error_hint(error,
			"run with --rehearse FILE to play recorded model answers, or use another "
			"provider");
	}
	const char *url =
		settings->base_url ? settings->base_url : from_environment(provider->base_env);
	url = url ? url : provider->base_url;
	if (!url) {
		error_set(error, ERROR_USAGE, "model '%s' needs a 'base_url'", settings->name);
		return error_hint(error, "as in base_url: http://127.0.0.1:8080/v1");
	}
	if (!text_starts(text_of(url), "http://") && !text_starts(text_of(url), "https://")) {
		error_set(error, ERROR_USAGE, "'%s' is no address of a model service", url);
		return error_hint(error, "it starts with https:// or http://");
	}
	settings->base_url = without_slash(arena, url);
	settings->wire = settings->wire ? settings->wire : provider->wire;
	if (!wire_find(settings->wire)) {
		error_set(error, ERROR_UNAVAILABLE, "the wire format '%s' is not available yet",
			settings->wire);
		return error_hint(error, "use 'responses' or 'chat'");
	}
	const char *key = settings->key ? settings->key : from_environment(provider->key_env);
	settings->key = key ? arena_string(arena, key) : NULL;
	if (!settings->key && provider->key_env) {
		error_set(error, ERROR_UNAVAILABLE, "model '%s' needs a key, and %s is not set",
			settings->name, provider->key_env);
		return error_hint(error,
			"export %s=..., say with 'api_key' where it comes from, or run with "
			"--rehearse FILE to play recorded answers",
			provider->key_env);
	}
	return check_key(settings, error);
}
