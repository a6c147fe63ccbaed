#include <string.h>

#include "base/base64.h"
#include "manifest/kind.h"

// The Agents SDK writes every field, the common ones first, in the order of its classes.

struct field {
	const char *name;
	const char *otherwise; // JSON; NULL: left out
};

struct fields {
	const char *type;
	struct field fields[24];
};

#define MOUNT_FIELDS                                                                               \
	{"mount_path", "null"}, {"read_only", "true"},                                             \
	{                                                                                          \
		"mount_strategy", "null"                                                           \
	}

static const struct fields kinds[] = {
	{"local_file", {{"src", "null"}}},
	{"local_dir", {{"src", "null"}, {"gitignore", NULL}}},
	{"git_repo",
		{{"host", "\"github.com\""}, {"repo", "null"}, {"ref", "null"}, {"subpath", "null"},
			{"username", NULL}, {"token", NULL}}},
	{"s3_mount",
		{MOUNT_FIELDS, {"bucket", "null"}, {"access_key_id", "null"},
			{"secret_access_key", "null"}, {"session_token", "null"},
			{"prefix", "null"}, {"region", "null"}, {"endpoint_url", "null"},
			{"s3_provider", "\"AWS\""}}},
	{"gcs_mount",
		{MOUNT_FIELDS, {"bucket", "null"}, {"access_id", "null"},
			{"secret_access_key", "null"}, {"prefix", "null"}, {"region", "null"},
			{"endpoint_url", "null"}, {"service_account_file", "null"},
			{"service_account_credentials", "null"}, {"access_token", "null"}}},
	{"r2_mount",
		{MOUNT_FIELDS, {"bucket", "null"}, {"account_id", "null"},
			{"access_key_id", "null"}, {"secret_access_key", "null"},
			{"custom_domain", "null"}}},
	{"azure_blob_mount",
		{MOUNT_FIELDS, {"account", "null"}, {"container", "null"}, {"endpoint", "null"},
			{"identity_client_id", "null"}, {"account_key", "null"}}},
	{"box_mount",
		{MOUNT_FIELDS, {"path", "null"}, {"client_id", "null"}, {"client_secret", "null"},
			{"access_token", "null"}, {"token", "null"}, {"box_config_file", "null"},
			{"config_credentials", "null"}, {"box_sub_type", "\"user\""},
			{"root_folder_id", "null"}, {"impersonate", "null"}, {"owned_by", "null"}}},
	{"s3_files_mount",
		{MOUNT_FIELDS, {"file_system_id", "null"}, {"subpath", "null"},
			{"mount_target_ip", "null"}, {"access_point", "null"}, {"region", "null"},
			{"extra_options", "{}"}}},
};

static const struct fields *fields_of(const char *type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].type, type) == 0) {
			return &kinds[i];
		}
	}
	return NULL;
}

static void print_value(struct buffer *json, const struct yaml_node *node, const char *otherwise)
{
	if (node) {
		yaml_print_json(json, node);
	} else {
		buffer_add_string(json, otherwise);
	}
}

static void print_field(
	struct buffer *json, const struct yaml_node *node, const struct field *field)
{
	const struct yaml_node *value = yaml_get(node, field->name);
	if (value || field->otherwise) {
		buffer_printf(json, ",\"%s\":", field->name);
		print_value(json, value, field->otherwise);
	}
}

static long long bits(const struct yaml_node *permissions, const char *whose, int otherwise)
{
	const struct yaml_node *value = yaml_get(permissions, whose);
	return value && value->kind == YAML_INTEGER ? (long long)value->integer : otherwise;
}

// A file without them gets 0644 here, which the SDK would not give it by itself.
static void print_permissions(
	struct buffer *json, const struct yaml_node *node, const struct entry_kind *kind)
{
	const struct yaml_node *given = yaml_get(node, "permissions");
	bool none = !given || given->kind != YAML_MAP;
	bool file = none && kind == &entry_file;
	buffer_printf(json, "{\"owner\":%lld,\"group\":%lld,\"other\":%lld,\"directory\":%s}",
		bits(given, "owner", file ? 6 : 7),
		bits(given, "group",
			file           ? 4
				: none ? 5
				       : 0),
		bits(given, "other",
			file           ? 4
				: none ? 5
				       : 0),
		kind->folder ? "true" : "false");
}

static void print_group(struct buffer *json, const struct yaml_node *group)
{
	if (group && group->kind == YAML_STRING) { // our short form
		buffer_add_string(json, "{\"name\":");
		yaml_print_json(json, group);
		buffer_add_char(json, '}');
	} else {
		print_value(json, group, "null");
	}
}

static void print_entry(struct buffer *json, const struct yaml_node *node);

static void print_children(struct buffer *json, const struct yaml_node *children)
{
	buffer_add_char(json, '{');
	for (size_t i = 0; children && i < children->count; i++) {
		buffer_add_string(json, i ? "," : "");
		buffer_add_json(json, children->pairs[i].key);
		buffer_add_char(json, ':');
		print_entry(json, &children->pairs[i].value);
	}
	buffer_add_char(json, '}');
}

// The SDK has no form for bytes that are no text: those stay in ours.
static void print_content(struct buffer *json, const struct yaml_node *node)
{
	arena_cleanup arena = {0};
	const struct yaml_node *bytes = entry_string(node, "base64");
	struct text decoded;
	if (!bytes) {
		print_field(json, node, &(struct field){"content", "\"\""});
	} else if (base64_decode(&arena, bytes->text, &decoded) && text_is_utf8(decoded) &&
		!memchr(decoded.data ? decoded.data : "", '\0', decoded.length)) {
		buffer_add_string(json, ",\"content\":");
		buffer_add_json(json, decoded);
	} else {
		print_field(json, node, &(struct field){"base64", NULL});
	}
}

static void print_entry(struct buffer *json, const struct yaml_node *node)
{
	const struct entry_kind *kind = entry_kind_of(node);
	const struct fields *fields = kind ? fields_of(kind->owner.name) : NULL;
	if (!kind) {
		buffer_add_string(json, "null");
		return;
	}
	buffer_printf(json, "{\"type\":\"%s\",\"description\":", kind->owner.name);
	print_value(json, yaml_get(node, "description"), "null");
	buffer_printf(json, ",\"ephemeral\":%s,\"group\":",
		entry_boolean(node, "ephemeral", kind->mount) ? "true" : "false");
	print_group(json, yaml_get(node, "group"));
	buffer_printf(json, ",\"is_dir\":%s,\"permissions\":", kind->folder ? "true" : "false");
	print_permissions(json, node, kind);
	if (kind == &entry_file) {
		print_content(json, node);
	} else if (kind == &entry_dir) {
		buffer_add_string(json, ",\"children\":");
		print_children(json, yaml_get(node, "children"));
	}
	for (size_t i = 0; fields && fields->fields[i].name; i++) {
		print_field(json, node, &fields->fields[i]);
	}
	buffer_add_char(json, '}');
}

// In the team file variables may stand without the SDK's "value" around them, and numbers without quotes.
static void print_environment(struct buffer *json, const struct yaml_node *node)
{
	const struct yaml_node *inner = yaml_get(node, "value");
	if (inner && inner->kind == YAML_MAP && node->count == 1) {
		node = inner;
	}
	buffer_add_string(json, ",\"environment\":{\"value\":{");
	for (size_t i = 0; node && node->kind == YAML_MAP && i < node->count; i++) {
		const struct yaml_pair *pair = &node->pairs[i];
		buffer_add_string(json, i ? "," : "");
		buffer_add_json(json, pair->key);
		buffer_add_char(json, ':');
		if (pair->value.kind == YAML_MAP) {
			yaml_print_json(json, &pair->value);
		} else {
			buffer_add_json(json, pair->value.text);
		}
	}
	buffer_add_string(json, "}}");
}

static void print_grants(struct buffer *json, const struct yaml_node *grants)
{
	static const struct field fields[] = {
		{"read_only", "false"}, {"description", "null"}, {"host_path", NULL}};
	buffer_add_string(json, ",\"extra_path_grants\":[");
	for (size_t i = 0; grants && i < grants->count; i++) {
		const struct yaml_node *grant = &grants->items[i];
		buffer_printf(json, "%s{\"path\":", i ? "," : "");
		print_value(json, yaml_get(grant, "path"), "null");
		for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
			print_field(json, grant, &fields[k]);
		}
		buffer_add_char(json, '}');
	}
	buffer_add_char(json, ']');
}

static void print_groups(struct buffer *json, const struct yaml_node *groups)
{
	buffer_add_string(json, ",\"groups\":[");
	for (size_t i = 0; groups && i < groups->count; i++) {
		buffer_printf(json, "%s{\"name\":", i ? "," : "");
		print_value(json, yaml_get(&groups->items[i], "name"), "null");
		print_field(json, &groups->items[i], &(struct field){"users", "[]"});
		buffer_add_char(json, '}');
	}
	buffer_add_char(json, ']');
}

void manifest_print(struct buffer *json, const struct team *team)
{
	static const char commands[] =
		"[\"ls\",\"find\",\"stat\",\"cat\",\"less\",\"head\",\"tail\",\"du\",\"grep\","
		"\"rg\",\"wc\",\"sort\",\"cut\",\"cp\",\"tee\",\"echo\",\"mkdir\",\"rm\"]";
	const struct team_manifest *manifest = &team->manifest;
	const struct yaml_node *node = manifest->node, *entries = yaml_get(node, "entries");
	const struct yaml_node *users = yaml_get(node, "users"), *groups = yaml_get(node, "groups");
	const struct yaml_node *allowed = yaml_get(node, "remote_mount_command_allowlist");
	buffer_add_string(json, "{\"version\":1,\"root\":\"/workspace\",\"entries\":");
	print_children(json, entries && entries->kind == YAML_MAP ? entries : NULL);
	print_environment(json, yaml_get(node, "environment"));
	buffer_add_string(json, ",\"users\":");
	print_value(json, users && users->kind == YAML_LIST ? users : NULL, "[]");
	print_groups(json, groups && groups->kind == YAML_LIST ? groups : NULL);
	print_grants(json, yaml_get(node, "extra_path_grants"));
	buffer_add_string(json, ",\"remote_mount_command_allowlist\":");
	print_value(json, allowed && allowed->kind == YAML_LIST ? allowed : NULL, commands);
	buffer_add_char(json, '}');
}
