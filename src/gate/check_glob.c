/* The kinds that look at many files: dir (all files below a folder) and glob. */
#include <string.h>

#include "base/path.h"
#include "gate/kind.h"

struct range {
	int64_t least, most;
};

static bool compile(struct gate *gate, struct gate_check *check, struct error *error)
{
	const struct yaml_node *count = yaml_get(check->node, "count");
	struct range *range = arena_new(gate->arena, struct range);
	bool folder = check->kind == &check_dir;
	gate_count_range(count, &range->least, &range->most);
	if (range->least < 0 && range->most < 0 && !folder) {
		range->least = 1; // a glob that nothing is said of has to match something
	}
	check->data = range;
	check->is_glob = true;
	if (!path_clean(gate->arena, text_of(check->subject), &check->path, error)) {
		return false;
	}
	if (folder) {
		const char *below =
			path_join(gate->arena, text_string(gate->arena, check->path), "**");
		check->is_glob = false;
		return gate_name_path(gate, text_of(below));
	}
	return gate_name_path(gate, check->path);
}

static bool inside(struct text folder, struct text path)
{
	return folder.length == 0 ||
		(path.length > folder.length && path.data[folder.length] == '/' &&
			memcmp(path.data, folder.data, folder.length) == 0);
}

static bool counts(const struct gate_check *check, struct text path)
{
	return check->is_glob ? glob_match(check->path, path) : inside(check->path, path);
}

static bool reads(const struct gate_check *check, struct text path)
{
	return counts(check, path);
}

static void judge_count(const struct gate_check *check, struct gate_look *look, int64_t count)
{
	const struct range *range = check->data;
	const char *found = arena_printf(look->arena, "%lld files", (long long)count);
	if (range->least >= 0 && count < range->least) {
		gate_fails(look, check, check->subject,
			arena_printf(look->arena, "at least %lld files", (long long)range->least),
			found, "%s has %s; at least %lld %s needed.", check->subject, found,
			(long long)range->least, range->least == 1 ? "is" : "are");
	} else if (range->most >= 0 && count > range->most) {
		gate_fails(look, check, check->subject,
			arena_printf(look->arena, "at most %lld files", (long long)range->most),
			found, "%s has %s; there may be at most %lld.", check->subject, found,
			(long long)range->most);
	} else {
		gate_find(look, check, check->subject, GATE_HOLDS)->found = found;
	}
}

// False after a finding: the folder is not there.
static bool folder_there(const struct gate_check *check, struct gate_look *look)
{
	struct folder_stat stat = sandbox_stat(look->sandbox, check->path);
	if (check->is_glob || stat.kind == FOLDER_FOLDER) {
		return true;
	}
	gate_fails(look, check, check->subject, "a folder", stat.what,
		stat.kind == FOLDER_MISSING ? "The folder %s is missing; make it."
					    : "%s is not a folder; replace it with one.",
		check->subject);
	return false;
}

static void look_at(const struct gate_check *check, struct gate_look *look)
{
	struct error error = {0};
	struct folder_list list;
	int64_t count = 0;
	if (!folder_there(check, look)) {
		return;
	}
	if (!sandbox_scan(look->sandbox, look->arena, TEXT(""), GATE_FILES, &list, &error)) {
		struct gate_finding *finding =
			gate_find(look, check, check->subject, GATE_NOT_CHECKED);
		finding->found = arena_string(look->arena, error.message);
		finding->sentence = finding->found;
		return;
	}
	if (list.cut) {
		gate_fails(look, check, check->subject, "a workspace that can be looked through",
			"too many files",
			"The workspace has more than %d files; remove what is not "
			"needed.",
			GATE_FILES);
		return;
	}
	bool examine = conditions_any(&check->conditions);
	for (size_t i = 0; i < list.count; i++) {
		const struct folder_entry *entry = &list.entries[i];
		// Links count like files if they lead to one inside.
		bool file = entry->kind == FOLDER_FILE ||
			(entry->kind == FOLDER_LINK &&
				sandbox_stat(look->sandbox, entry->path).kind == FOLDER_FILE);
		if (!counts(check, entry->path) || !file) {
			continue;
		}
		count++;
		if (examine) {
			conditions_check(check, look, entry->path);
		}
	}
	judge_count(check, look, count);
}

static const struct key dir_keys[] = {
	{"dir", KEY_PATH, "The folder.", .required = true},
	{"count", KEY_COUNT, "How many files lie below it: a number, or {min, max}."},
	CONDITION_KEYS,
	{0},
};

static const struct key glob_keys[] = {
	{"glob", KEY_GLOB, "The pattern; '**' stands for any folders.", .required = true},
	{"count", KEY_COUNT,
		"How many files match: a number, or {min, max}; at least 1 if not given."},
	CONDITION_KEYS,
	{0},
};

const struct gate_kind check_dir = {
	.owner = {.name = "dir",
		.help = "A folder is there; its files may have conditions.",
		.keys = dir_keys},
	.compile = compile,
	.check = look_at,
	.reads = reads,
};

const struct gate_kind check_glob = {
	.owner = {.name = "glob",
		.help = "Files match a pattern; each may have conditions.",
		.keys = glob_keys},
	.compile = compile,
	.check = look_at,
	.reads = reads,
};
