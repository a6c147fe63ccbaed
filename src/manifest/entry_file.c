#include "base/base64.h"
#include "manifest/kind.h"

static bool check_keys(const struct yaml_node *node, struct error *error)
{
	const struct yaml_node *content = yaml_get(node, "content");
	const struct yaml_node *bytes = entry_string(node, "base64");
	arena_cleanup arena = {0};
	struct text decoded;
	bool given = content && content->kind == YAML_STRING;
	if (given == (bytes != NULL)) {
		error_set(error, ERROR_USAGE, "%s",
			given ? "a file has either 'content' or 'base64', not both"
			      : "a file needs 'content' (text) or 'base64' (bytes)");
		return error_hint(error,
			given ? "leave out one of them" : "for an empty file write content: \"\"");
	}
	return !bytes || base64_decode(&arena, bytes->text, &decoded) ||
		error_set(error, ERROR_USAGE, "'base64' is not in base64") ||
		error_hint(error, "write what 'base64 FILE' prints");
}

static bool put(const struct manifest_place *place, const struct manifest_entry *entry,
	struct sink *sink, const char *name, struct error *error)
{
	const struct yaml_node *content = yaml_get(entry->node, "content");
	const struct yaml_node *bytes = entry_string(entry->node, "base64");
	struct sink_file file = {.fd = -1, .mode = entry->has_mode ? entry->mode : 0644};
	if (bytes && !base64_decode(place->arena, bytes->text, &file.content)) {
		return error_set(error, ERROR_USAGE, "'base64' is not in base64");
	}
	if (!bytes) {
		file.content = team_substitute(place->arena, place->team, place->values,
			content ? content->text : (struct text){0});
	}
	return sink_file(sink, name, &file, error);
}

static const struct key keys[] = {
	{"content", KEY_STRING, "The file's text; ${inputs.NAME} is replaced."},
	{"base64", KEY_STRING, "Instead: its bytes in base64, for what is no text."},
	{0},
};

const struct entry_kind entry_file = {
	.owner = {.name = "file", .help = "A file with the content given here.", .keys = keys},
	.check_keys = check_keys,
	.put = put,
};
