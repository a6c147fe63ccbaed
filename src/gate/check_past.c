/*
 * The kinds that compare with the workspace at the start of the assignment: changed, unchanged and
 * fresh. They judge by what the records found, not by times, which anything in the sandbox can set.
 */
#include <string.h>

#include "base/path.h"
#include "gate/kind.h"

enum { LISTED = 12 /* paths in a sentence */ };

struct comparison {
	const char *by; // an agent's name; NULL: anybody
	struct text than;
};

static bool know_agent(const struct gate *gate, const char *name, struct error *error)
{
	const struct team *team = gate->team;
	if (!team || team->agent_count == 0 || team_agent_index(team, name) != TEAM_NONE) {
		return true; // a gate file alone knows no agents
	}
	const char **names = arena_new_array(gate->arena, team->agent_count + 1, const char *);
	for (size_t i = 0; i < team->agent_count; i++) {
		names[i] = team->agents[i].name;
	}
	const char *nearest = text_nearest(text_of(name), names, team->agent_count);
	error_set(error, ERROR_USAGE, "there is no agent '%s'", name);
	return nearest && error_hint(error, "did you mean '%s'?", nearest);
}

static bool compile(struct gate *gate, struct gate_check *check, struct error *error)
{
	struct comparison *comparison = arena_new(gate->arena, struct comparison);
	const struct yaml_node *by = yaml_get(check->node, "by");
	const struct yaml_node *than = yaml_get(check->node, "than");
	check->data = comparison;
	gate->compares = true;
	if (by) {
		comparison->by = text_string(gate->arena, by->text);
		if (!know_agent(gate, comparison->by, error)) {
			return false;
		}
	}
	if (than) {
		if (!path_clean(gate->arena, than->text, &comparison->than, error)) {
			return false;
		}
		gate_name_path(gate, check, comparison->than);
	}
	if (!gate_compile_path(gate, check, error)) {
		return false;
	}
	gate_name_path(gate, check, check->path);
	return true;
}

static bool reads(const struct gate_check *check, struct text path)
{
	const struct comparison *comparison = check->data;
	return glob_match(check->path, path) ||
		(comparison->than.length && glob_match(comparison->than, path));
}

static bool is_author(const struct gate_write *write, const char *agent)
{
	return strcmp(write->author, agent) == 0;
}

// Somebody wrote it, but nobody can say who.
static bool is_doubtful(const struct gate_write *write)
{
	return is_author(write, "several") || is_author(write, "unknown");
}

enum authorship { NOT_THEIRS, DOUBTFUL, THEIRS };

static enum authorship written_by(const struct gate_change *change, const char *agent)
{
	enum authorship result = NOT_THEIRS;
	if (!agent) {
		return THEIRS;
	}
	for (size_t i = 0; i < change->write_count && result != THEIRS; i++) {
		const struct gate_write *write = &change->writes[i];
		result = is_author(write, agent) ? THEIRS : is_doubtful(write) ? DOUBTFUL : result;
	}
	return result;
}

// Without a run there is nothing to compare with.
static bool has_past(const struct gate_check *check, struct gate_look *look)
{
	if (!look->place->past) {
		gate_not_checked(look, check, check->subject,
			"what changed, and who wrote it, is known in a run only");
	}
	return look->place->past != NULL;
}

struct tally {
	size_t theirs, doubtful;
	struct buffer names; // of the first ones
};

static void count(const struct gate_check *check, struct gate_look *look, struct tally *tally)
{
	const struct gate_past *past = look->place->past;
	const struct comparison *comparison = check->data;
	for (size_t i = 0; i < past->count; i++) {
		const struct gate_change *change = &past->changes[i];
		if (!change->differs || !glob_match(check->path, change->path)) {
			continue;
		}
		enum authorship authorship = written_by(change, comparison->by);
		tally->theirs += authorship == THEIRS;
		tally->doubtful += authorship == DOUBTFUL;
		if (authorship != NOT_THEIRS && tally->theirs + tally->doubtful <= LISTED) {
			buffer_printf(&tally->names, "%s%s", tally->names.length ? ", " : "",
				gate_shown(look, change->path));
		}
	}
	if (tally->theirs + tally->doubtful > LISTED) {
		buffer_printf(
			&tally->names, " and %zu more", tally->theirs + tally->doubtful - LISTED);
	}
}

static const char *by_whom(const struct gate_check *check, struct gate_look *look)
{
	const struct comparison *comparison = check->data;
	return comparison->by ? arena_printf(look->arena, " by %s", comparison->by) : "";
}

static void say_doubtful(
	const struct gate_check *check, struct gate_look *look, const struct tally *tally)
{
	const struct comparison *comparison = check->data;
	gate_fails(look, check, check->subject, "changes whose author is known",
		"changes of several agents",
		"It cannot be proved whether %s changed %s: several agents were at work at the "
		"same time.",
		comparison->by, tally->names.data)
		->unclear = true;
}

static void look_changed(const struct gate_check *check, struct gate_look *look)
{
	struct tally tally = {0};
	if (!has_past(check, look)) {
		return;
	}
	count(check, look, &tally);
	if (tally.theirs) {
		gate_find(look, check, check->subject, GATE_HOLDS)->found =
			gate_amount(look, (int64_t)tally.theirs, "changed path");
	} else if (tally.doubtful) {
		say_doubtful(check, look, &tally);
	} else {
		const char *by = by_whom(check, look);
		gate_fails(look, check, check->subject, "a change", "none",
			"Nothing that matches %s was changed%s in this assignment; it has to be.",
			check->subject, by);
	}
	buffer_finish(&tally.names);
}

static void look_unchanged(const struct gate_check *check, struct gate_look *look)
{
	struct tally tally = {0};
	if (!has_past(check, look)) {
		return;
	}
	count(check, look, &tally);
	if (tally.theirs) {
		gate_fails(look, check, check->subject, "no change",
			gate_amount(look, (int64_t)tally.theirs, "changed path"),
			"Changed%s in this assignment, but it has to stay as it was: %s. Put it "
			"back.",
			by_whom(check, look), tally.names.data);
	} else if (tally.doubtful) {
		say_doubtful(check, look, &tally);
	} else {
		gate_find(look, check, check->subject, GATE_HOLDS)->found = "no change";
	}
	buffer_finish(&tally.names);
}

// --- fresh ---

static const struct gate_change *change_of(const struct gate_past *past, struct text path)
{
	for (size_t i = 0; i < past->count; i++) {
		if (text_equal(past->changes[i].path, path)) {
			return &past->changes[i];
		}
	}
	return NULL;
}

// The last write of the assignment's own agents; *doubtful: there is one that may be theirs.
static const struct gate_write *own_write(
	const struct gate_past *past, const struct gate_change *change, bool *doubtful)
{
	const struct gate_write *last = NULL;
	for (size_t i = 0; i < change->write_count; i++) {
		for (const char *const *own = past->own; *own; own++) {
			last = is_author(&change->writes[i], *own) ? &change->writes[i] : last;
		}
		*doubtful = *doubtful || is_doubtful(&change->writes[i]);
	}
	return last;
}

// The newest of the paths that it was made from.
static const struct gate_change *newest_source(
	const struct gate_past *past, const struct gate_change *of, struct text sources)
{
	const struct gate_change *newest = NULL;
	uint32_t record = 0;
	for (size_t i = 0; i < past->count; i++) {
		const struct gate_change *change = &past->changes[i];
		uint32_t last = change->writes[change->write_count - 1].record;
		if (change != of && last > record && glob_match(sources, change->path)) {
			newest = change;
			record = last;
		}
	}
	return newest;
}

static void judge_sources(const struct gate_check *check, struct gate_look *look,
	const struct gate_change *change, const struct gate_write *write)
{
	const struct comparison *comparison = check->data;
	const struct gate_change *source = comparison->than.length
		? newest_source(look->place->past, change, comparison->than)
		: NULL;
	// What one record found together was written in one go.
	if (source && source->writes[source->write_count - 1].record > write->record) {
		const char *name = gate_shown(look, source->path);
		gate_fails(look, check, check->subject,
			arena_printf(look->arena, "newer than %s", name), "older",
			"%s is older than %s, from which it is made; make it anew.", check->subject,
			name);
		return;
	}
	gate_find(look, check, check->subject, GATE_HOLDS)->found =
		arena_printf(look->arena, "written by %s", write->author);
}

static void look_fresh(const struct gate_check *check, struct gate_look *look)
{
	bool doubtful = false;
	const char *subject = check->subject;
	if (!has_past(check, look)) {
		return;
	}
	const struct gate_change *change = change_of(look->place->past, check->path);
	struct folder_stat stat = sandbox_stat(look->sandbox, check->path);
	const struct gate_write *write =
		change ? own_write(look->place->past, change, &doubtful) : NULL;
	if (stat.kind != FOLDER_FILE || (change && !change->there)) {
		gate_fails(look, check, subject, "a file written in this assignment", "no file",
			"%s is not there as a file; write it.", subject);
	} else if (write) {
		judge_sources(check, look, change, write);
	} else if (doubtful) {
		gate_fails(look, check, subject, "written in this assignment",
			"written by one of several agents",
			"It cannot be proved that %s was written in this assignment: several "
			"agents were at work at the same time. Write it anew.",
			subject)
			->unclear = true;
	} else {
		const char *author = change ? change->writes[change->write_count - 1].author : NULL;
		gate_fails(look, check, subject, "written in this assignment",
			author ? arena_printf(look->arena, "written by %s", author) : "not written",
			"%s is as it was%s%s; write it anew, with what is true now.", subject,
			author ? ", or was written by " : " when this assignment began",
			author ? author : "");
	}
}

#define BY "An agent: only what it wrote counts."

static const struct key changed_keys[] = {
	{"changed", KEY_GLOB, "A path or pattern.", .required = true},
	{"by", KEY_STRING, BY},
	{0},
};

static const struct key unchanged_keys[] = {
	{"unchanged", KEY_GLOB, "A path or pattern.", .required = true},
	{"by", KEY_STRING, BY},
	{0},
};

static const struct key fresh_keys[] = {
	{"fresh", KEY_PATH, "The file.", .required = true},
	{"than", KEY_GLOB, "What it was made from, a path or pattern: nothing of it may be newer."},
	{0},
};

const struct gate_kind check_changed = {
	.owner = {.name = "changed",
		.help = "Something that matches changed in this assignment.",
		.keys = changed_keys},
	.compile = compile,
	.check = look_changed,
	.reads = reads,
};

const struct gate_kind check_unchanged = {
	.owner = {.name = "unchanged",
		.help = "Nothing that matches changed in this assignment.",
		.keys = unchanged_keys},
	.compile = compile,
	.check = look_unchanged,
	.reads = reads,
};

const struct gate_kind check_fresh = {
	.owner = {.name = "fresh",
		.help = "A file was written in this assignment, by its agent or one that it sent.",
		.keys = fresh_keys},
	.compile = compile,
	.check = look_fresh,
	.reads = reads,
};
