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
	if (!count && !folder) {
		range->least = 1; // a glob that nothing is said of has to match something
	}
	check->data = range;
	if (!gate_compile_path(gate, check, error)) {
		return false;
	}
	const char *path = text_string(gate->arena, check->path);
	gate_name_path(
		gate, check, folder ? text_of(path_join(gate->arena, path, "**")) : check->path);
	return true;
}

// Is anything asked about the files?
static bool asks(const struct gate_check *check)
{
	const struct range *range = check->data;
	return range->least >= 0 || range->most >= 0 || conditions_any(&check->conditions);
}

// What a walk over the files has found so far.
struct tally {
	int64_t count;       // of files
	size_t failed, held; // of those that were examined
	int64_t left_out;    // not examined, as enough others failed
	const char *hidden;  // the first thing that files may hide in
	const char *hidden_what;
	bool stopped; // a finding says why
};

// Keeps the verdict small: what failed first and what held first is told in full.
static void examine(struct gate_walk *walk, const struct folder_entry *entry)
{
	struct tally *tally = walk->data;
	struct gate_look *look = walk->look;
	tally->count++;
	if (tally->stopped || !conditions_any(&walk->check->conditions)) {
		return;
	}
	if (tally->failed == GATE_LISTED_FAILURES) {
		tally->left_out++;
		return;
	}
	if (!gate_goes_on(look, walk->check, walk->check->subject)) {
		tally->stopped = true;
		return;
	}
	size_t first = look->count;
	conditions_check(walk->check, look, entry->path);
	enum gate_status status = look->findings[first].status;
	tally->stopped = status == GATE_NOT_CHECKED;
	tally->failed += status == GATE_FAILS;
	tally->held += status == GATE_HOLDS;
	if (status == GATE_HOLDS && tally->held > GATE_LISTED) {
		look->count = first;
	}
}

static void note_hidden(struct gate_walk *walk, struct text path, const char *what)
{
	struct tally *tally = walk->data;
	if (!tally->hidden) {
		tally->hidden = gate_shown(walk->look, path);
		tally->hidden_what = what;
	}
}

static void judge_count(
	const struct gate_check *check, struct gate_look *look, const struct tally *tally)
{
	const struct range *range = check->data;
	const char *found = gate_amount(look, tally->count, "file");
	bool few = range->least >= 0 && tally->count < range->least;
	bool many = range->most >= 0 && tally->count > range->most;
	struct gate_finding *finding;
	if (few || many) {
		const char *expected =
			gate_expected_count(look, range->least, range->most, tally->count, "file");
		finding = gate_fails(look, check, check->subject, expected, found,
			"%s has %s; it has to have %s.", check->subject, found, expected);
		// What is hidden could be more files.
		finding->unclear = few && tally->hidden;
	} else {
		finding = gate_find(look, check, check->subject, GATE_HOLDS);
		finding->found = found;
	}
	if (tally->left_out) {
		const char *more = gate_amount(look, tally->left_out, "more file");
		gate_fails(look, check, check->subject, "files that are fit", more,
			"%s of %s: not looked at, as the ones above fail.", more, check->subject);
	}
}

static void judge(const struct gate_check *check, struct gate_look *look, const struct tally *tally,
	enum gate_walk_result result, const char *reason)
{
	const char *subject = check->subject;
	const struct range *range = check->data;
	if (!asks(check)) {
		gate_find(look, check, subject, GATE_HOLDS);
		return;
	}
	if (result == WALK_FAILED) {
		gate_fails(look, check, subject, "a folder that can be looked through", "none",
			"%s cannot be looked through: %s.", subject, reason)
			->unclear = true;
	} else if (result == WALK_CUT) {
		gate_fails(look, check, subject, "a folder that can be looked through",
			"too many files",
			"%s means looking through more than %d files or 64 folders deep; remove "
			"what is not needed.",
			subject, GATE_FILES)
			->unclear = true;
	} else if (tally->hidden && (range->most >= 0 || conditions_any(&check->conditions))) {
		gate_fails(look, check, tally->hidden, "regular files", tally->hidden_what,
			"%s is %s, so %s cannot be checked; replace it or remove it.",
			tally->hidden, tally->hidden_what, subject)
			->unclear = true;
	}
	if (result == WALK_DONE) {
		judge_count(check, look, tally);
	}
}

// False after a finding: the folder is not there.
static bool folder_there(const struct gate_check *check, struct gate_look *look)
{
	struct folder_stat stat = sandbox_stat(look->sandbox, check->path);
	if (stat.kind == FOLDER_FOLDER) {
		return true;
	}
	if (stat.unknown) {
		gate_not_checked(look, check, check->subject, stat.what);
		return false;
	}
	bool missing = stat.kind == FOLDER_MISSING;
	const char *what = missing ? "nothing" : stat.what ? stat.what : "something else";
	struct gate_finding *finding = missing
		? gate_fails(look, check, check->subject, "a folder", what,
			  "The folder %s is missing; make it.", check->subject)
		: gate_fails(look, check, check->subject, "a folder", what,
			  "%s is %s, not a folder; replace it with one.", check->subject, what);
	finding->unclear = !missing && stat.kind != FOLDER_FILE;
	return false;
}

static void look_at(const struct gate_check *check, struct gate_look *look)
{
	struct error error = {0};
	struct tally tally = {0};
	struct gate_walk walk = {.look = look,
		.check = check,
		.glob = check->names,
		.file = examine,
		.hidden = note_hidden,
		.data = &tally};
	if (!gate_goes_on(look, check, check->subject)) {
		return;
	}
	// First the walk: a sandbox that is gone says so there.
	enum gate_walk_result result = gate_walk(&walk, &error);
	if (result == WALK_UNAVAILABLE) {
		gate_not_checked(look, check, check->subject, error.message);
	} else if (check->kind != &check_dir || folder_there(check, look)) {
		judge(check, look, &tally, result, error.message);
	}
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
};

const struct gate_kind check_glob = {
	.owner = {.name = "glob",
		.help = "Files match a pattern; each may have conditions.",
		.keys = glob_keys},
	.compile = compile,
	.check = look_at,
};
