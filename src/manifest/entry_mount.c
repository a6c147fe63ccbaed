#include <string.h>

#include "base/path.h"
#include "manifest/kind.h"

// The Agents SDK's mounts: storage of a cloud made visible in the workspace. They are read and checked
// as it does; none of its strategies is carried out by a driver yet, so a run with one does not start.

static const char *const box_types[] = {"user", "enterprise", NULL};

// The keys of the maps inside a mount, as the SDK has them.
static const char *const strategy_names[] = {"type", "pattern", "driver", "driver_options",
	"secret_name", "secret_environment_name", NULL};
static const char *const pattern_names[] = {"type", "mode", "remote_name", "extra_args", "nfs_addr",
	"nfs_mount_options", "config_file_path", "options", "allow_other", "log_type", "log_level",
	"cache_type", "cache_path", "cache_size_mb", "block_cache_block_size_mb",
	"block_cache_disk_timeout_sec", "file_cache_timeout_sec", "file_cache_max_size_mb",
	"attr_cache_timeout_sec", "entry_cache_timeout_sec", "negative_entry_cache_timeout_sec",
	NULL};
static const char *const option_names[] = {"prefix", "region", "endpoint_url", "mount_target_ip",
	"access_point", "extra_options", NULL};
static const char *const strategy_types[] = {"in_container", "docker_volume", "blaxel_cloud_bucket",
	"daytona_cloud_bucket", "e2b_cloud_bucket", "runloop_cloud_bucket", "vercel_cloud_bucket",
	"cloudflare_bucket_mount", "modal_cloud_bucket", "blaxel_drive", NULL};

#define MOUNT_KEYS                                                                                 \
	{"mount_path", KEY_STRING, "Where it appears; its entry's path if not given."},            \
		{"read_only", KEY_BOOLEAN, "True if not given."},                                  \
	{                                                                                          \
		"mount_strategy", KEY_ANY, "How it is mounted: {type, pattern}.", .required = true \
	}
#define REQUIRED(key_name, key_help)                                                               \
	{                                                                                          \
		.name = key_name, .type = KEY_STRING, .help = key_help, .required = true           \
	}

// Keys that hold authority come from the SDK's redaction list; here only their form is checked.
static const struct key s3_keys[] = {
	REQUIRED("bucket", "The bucket."),
	{"access_key_id", KEY_STRING, "Of the key."},
	{"secret_access_key", KEY_STRING, "Of the key."},
	{"session_token", KEY_STRING, "Of a key for a while."},
	{"prefix", KEY_STRING, "Only what lies below it."},
	{"region", KEY_STRING, "The bucket's region."},
	{"endpoint_url", KEY_STRING, "Another server."},
	{"s3_provider", KEY_STRING, "Whose S3 it is; AWS if not given."},
	MOUNT_KEYS,
	{0},
};

static const struct key gcs_keys[] = {
	REQUIRED("bucket", "The bucket."),
	{"access_id", KEY_STRING, "Of an HMAC key."},
	{"secret_access_key", KEY_STRING, "Of an HMAC key."},
	{"prefix", KEY_STRING, "Only what lies below it."},
	{"region", KEY_STRING, "The bucket's region."},
	{"endpoint_url", KEY_STRING, "Another server."},
	{"service_account_file", KEY_STRING, "The file of a service account."},
	{"service_account_credentials", KEY_STRING, "The same as text."},
	{"access_token", KEY_STRING, "A token."},
	MOUNT_KEYS,
	{0},
};

static const struct key r2_keys[] = {
	REQUIRED("bucket", "The bucket."),
	REQUIRED("account_id", "The account."),
	{"access_key_id", KEY_STRING, "Of the key."},
	{"secret_access_key", KEY_STRING, "Of the key."},
	{"custom_domain", KEY_STRING, "The bucket's own domain."},
	MOUNT_KEYS,
	{0},
};

static const struct key azure_keys[] = {
	REQUIRED("account", "The storage account."),
	REQUIRED("container", "The container."),
	{"endpoint", KEY_STRING, "Another server."},
	{"identity_client_id", KEY_STRING, "A managed identity."},
	{"account_key", KEY_STRING, "The account's key."},
	MOUNT_KEYS,
	{0},
};

static const struct key box_keys[] = {
	{"path", KEY_STRING, "The folder."},
	{"client_id", KEY_STRING, "Of the application."},
	{"client_secret", KEY_STRING, "Of the application."},
	{"access_token", KEY_STRING, "A token."},
	{"token", KEY_STRING, "A token as rclone keeps it."},
	{"box_config_file", KEY_STRING, "The file of a JWT application."},
	{"config_credentials", KEY_STRING, "The same as text."},
	{"box_sub_type", KEY_CHOICE, "Whose account it is.", .choices = box_types},
	{"root_folder_id", KEY_STRING, "The folder's id."},
	{"impersonate", KEY_STRING, "As which user."},
	{"owned_by", KEY_STRING, "Only what this user owns."},
	MOUNT_KEYS,
	{0},
};

static const struct key s3_files_keys[] = {
	REQUIRED("file_system_id", "The file system."),
	{"subpath", KEY_STRING, "Only what lies below it."},
	{"mount_target_ip", KEY_STRING, "The address of the mount target."},
	{"access_point", KEY_STRING, "The access point."},
	{"region", KEY_STRING, "Its region."},
	{"extra_options", KEY_STRING_MAP, "More options of mount."},
	MOUNT_KEYS,
	{0},
};

// What fits a kind of storage.
struct storage {
	const char *type;
	const char *patterns[3], *drivers[3];
	const char *together[2]; // both or none
};

static const struct storage storages[] = {
	{"s3_mount", {"rclone", "mountpoint"}, {"mountpoint", "rclone"},
		{"access_key_id", "secret_access_key"}},
	{"gcs_mount", {"rclone", "mountpoint"}, {"mountpoint", "rclone"},
		{"access_id", "secret_access_key"}},
	{"r2_mount", {"rclone"}, {"rclone"}, {"access_key_id", "secret_access_key"}},
	{"azure_blob_mount", {"rclone", "fuse"}, {"rclone"}, {NULL}},
	{"box_mount", {"rclone"}, {"rclone"}, {NULL}},
	{"s3_files_mount", {"s3files"}, {NULL}, {NULL}},
};

static const struct storage *storage_of(const struct yaml_node *node)
{
	const struct yaml_node *type = yaml_get(node, "type");
	for (size_t i = 0; type && i < sizeof(storages) / sizeof(storages[0]); i++) {
		if (text_is(type->text, storages[i].type)) {
			return &storages[i];
		}
	}
	return NULL;
}

static bool is_one_of(struct text text, const char *const *names, struct buffer *known)
{
	for (size_t i = 0; names[i]; i++) {
		if (text_is(text, names[i])) {
			return true;
		}
		buffer_printf(known, "%s%s", i ? ", " : "", names[i]);
	}
	return false;
}

// A value that is not given is fine.
static bool check_choice(const struct yaml_node *node, const char *key, const char *const *names,
	const char *type, struct error *error)
{
	const struct yaml_node *value = entry_string(node, key);
	buffer_cleanup shown = {0};
	buffer_cleanup known = {0};
	if (!value || is_one_of(value->text, names, &known)) {
		return true;
	}
	buffer_add_line(&shown, value->text, 64);
	error_set(error, ERROR_USAGE, "a %s cannot be mounted with '%s'", type, shown.data);
	return known.length ? error_hint(error, "it is one of: %s", known.data)
			    : error_hint(error, "leave out '%s'", key);
}

// A map with known keys only. Missing is fine.
static bool check_map(const struct yaml_node *map, const char *name, const char *const *names,
	struct error *error)
{
	if (!map || map->kind == YAML_NULL) {
		return true;
	}
	if (map->kind != YAML_MAP) {
		return error_set(error, ERROR_USAGE, "'%s' must be a map, not %s", name,
			yaml_kind_name(map->kind));
	}
	for (size_t i = 0; i < map->count; i++) {
		buffer_cleanup shown = {0};
		buffer_cleanup known = {0};
		if (!is_one_of(map->pairs[i].key, names, &known)) {
			buffer_add_line(&shown, map->pairs[i].key, 64);
			error_set(error, ERROR_USAGE, "unknown key '%s' in '%s'", shown.data, name);
			return error_hint(error, "it is one of: %s", known.data);
		}
	}
	return true;
}

// Values end up in configuration files of other programs, where a line break begins another setting.
static bool check_values(const struct yaml_node *node, struct error *error)
{
	for (size_t i = 0; i < node->count && node->kind == YAML_MAP; i++) {
		const struct yaml_pair *pair = &node->pairs[i];
		struct text value = pair->value.text;
		bool scalar = pair->value.kind == YAML_STRING;
		if (scalar &&
			(text_trim(value).length == 0 ||
				text_find(value, TEXT("\n")) < value.length ||
				text_find(value, TEXT("\r")) < value.length)) {
			return error_set(error, ERROR_USAGE, "'%.*s' is %s", (int)pair->key.length,
				pair->key.data,
				text_trim(value).length ? "more than one line" : "empty");
		}
		if (pair->value.kind == YAML_MAP && !check_values(&pair->value, error)) {
			return false;
		}
	}
	return true;
}

static bool check_strategy(
	const struct yaml_node *strategy, const struct storage *storage, struct error *error)
{
	const struct yaml_node *pattern = yaml_get(strategy, "pattern");
	if (!entry_string(strategy, "type")) {
		return error_set(error, ERROR_USAGE, "'mount_strategy' has no 'type'") ||
			error_hint(error, "write mount_strategy: {type: in_container, ...}");
	}
	return check_map(strategy, "mount_strategy", strategy_names, error) &&
		check_map(pattern, "pattern", pattern_names, error) &&
		check_map(yaml_get(pattern, "options"), "options", option_names, error) &&
		check_choice(strategy, "type", strategy_types, storage->type, error) &&
		check_choice(pattern, "type", storage->patterns, storage->type, error) &&
		check_choice(strategy, "driver", storage->drivers, storage->type, error);
}

static bool check_keys(const struct yaml_node *node, struct error *error)
{
	arena_cleanup arena = {0};
	const struct storage *storage = storage_of(node);
	const struct yaml_node *path = entry_string(node, "mount_path");
	const char *const *together = storage->together;
	struct text clean;
	if (together[0] && !entry_string(node, together[0]) != !entry_string(node, together[1])) {
		error_set(error, ERROR_USAGE, "'%s' and '%s' belong together", together[0],
			together[1]);
		return error_hint(error, "give both or none");
	}
	return check_values(node, error) &&
		(!path || path_clean(&arena, path->text, &clean, error)) &&
		check_strategy(yaml_get(node, "mount_strategy"), storage, error);
}

static bool check(
	const struct manifest_place *place, const struct manifest_entry *entry, struct error *error)
{
	const struct yaml_node *strategy =
		entry_string(yaml_get(entry->node, "mount_strategy"), "type");
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, strategy ? strategy->text : TEXT("none"), 64);
	error_set(error, ERROR_UNAVAILABLE,
		"sandbox '%s' cannot carry out a %s with the strategy '%s'", place->driver->name,
		entry->kind->owner.name, shown.data);
	return error_hint(error, "copy what is needed with 'local_dir', or leave the entry out");
}

#define MOUNT(entry_name, text, key_table)                                                         \
	{                                                                                          \
		.owner = {.name = entry_name, .help = text, .keys = key_table}, .folder = true,    \
		.tree = true, .mount = true, .check_keys = check_keys, .check = check              \
	}

const struct entry_kind entry_s3_mount = MOUNT("s3_mount", "An S3 bucket.", s3_keys);
const struct entry_kind entry_gcs_mount =
	MOUNT("gcs_mount", "A Google Cloud Storage bucket.", gcs_keys);
const struct entry_kind entry_r2_mount = MOUNT("r2_mount", "A Cloudflare R2 bucket.", r2_keys);
const struct entry_kind entry_azure_blob_mount =
	MOUNT("azure_blob_mount", "An Azure Blob container.", azure_keys);
const struct entry_kind entry_box_mount = MOUNT("box_mount", "A Box folder.", box_keys);
const struct entry_kind entry_s3_files_mount =
	MOUNT("s3_files_mount", "An S3 Files file system.", s3_files_keys);
