#include "manifest/manifest.h"

#include "base/path.h"

const struct entry_kind *const entry_kinds[] = {
	&entry_file, &entry_dir, &entry_local_file, &entry_local_dir, NULL};

const struct key manifest_entry_keys[] = {
	{"type", KEY_STRING, "The kind of entry.", .required = true},
	{"description", KEY_STRING, "What it is; shown to agents and people."},
	{"ephemeral", KEY_BOOLEAN, "Left out of snapshots.", .later = "snapshots"},
	{"group", KEY_ANY, "The group that owns it.", .later = "users and groups"},
	{"permissions", KEY_ANY, "Its access rights.", .later = "users and groups"},
	{0},
};

// Entries whose feature comes later are refused by name.
#define LATER(entry_name, entry_help, what)                                                        \
	{                                                                                          \
		.name = entry_name, .help = entry_help, .later = what                              \
	}

struct owner_list manifest_vocabulary(void)
{
	static struct key_owner owners[] = {
		{0},
		{0},
		{0},
		{0},
		LATER("git_repo", "A git repository at a ref.", "git_repo entries"),
		LATER("s3_mount", "An S3 bucket.", "mounts"),
		LATER("gcs_mount", "A Google Cloud Storage bucket.", "mounts"),
		LATER("r2_mount", "A Cloudflare R2 bucket.", "mounts"),
		LATER("azure_blob_mount", "An Azure Blob container.", "mounts"),
		LATER("box_mount", "A Box folder.", "mounts"),
		LATER("s3_files_mount", "An S3 Files file system.", "mounts"),
	};
	for (size_t i = 0; entry_kinds[i]; i++) {
		owners[i] = entry_kinds[i]->owner;
	}
	return (struct owner_list){owners, sizeof(owners) / sizeof(owners[0])};
}

static const struct entry_kind *find_kind(struct text name)
{
	for (size_t i = 0; entry_kinds[i]; i++) {
		if (text_is(name, entry_kinds[i]->owner.name)) {
			return entry_kinds[i];
		}
	}
	return NULL;
}

bool manifest_apply_entry(const struct manifest_place *place, struct text path,
	const struct yaml_node *node, struct error *error)
{
	const struct yaml_node *type = yaml_get(node, "type");
	const struct entry_kind *kind = type ? find_kind(type->text) : NULL;
	if (!kind) {
		return error_set(error, ERROR_USAGE, "manifest entry '%.*s' has no known type",
			(int)path.length, path.data);
	}
	if (!kind->apply(place, path, node, error)) {
		return error_wrap(error, "%s:%u:%u: manifest entry '%.*s'", node->position.file,
			node->position.line, node->position.column, (int)path.length, path.data);
	}
	return true;
}

bool manifest_apply(const struct manifest_place *place, struct error *error)
{
	const struct team_manifest *manifest = &place->team->manifest;
	for (size_t i = 0; i < manifest->entry_count; i++) {
		if (!manifest_apply_entry(place, text_of(manifest->entries[i].path),
			    manifest->entries[i].node, error)) {
			return false;
		}
	}
	return true;
}
