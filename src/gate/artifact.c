#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/path.h"
#include "gate/kind.h"

static const char not_looked_at[] = "it cannot be looked at, as the disk or this machine fails";

enum { HINT_FILES = 2000 /* looked through for a file that was perhaps meant */ };

static struct text name_of(struct text path)
{
	const char *slash = path.length ? memrchr(path.data, '/', path.length) : NULL;
	if (slash) {
		size_t skipped = (size_t)(slash + 1 - path.data);
		return (struct text){slash + 1, path.length - skipped};
	}
	return path;
}

static bool same_but_case(struct text a, struct text b)
{
	return a.length == b.length && a.length && strncasecmp(a.data, b.data, a.length) == 0;
}

// A file that was perhaps written instead: the path in another case, or the name in another folder.
static const char *written_instead(struct gate_look *look, struct text path)
{
	arena_cleanup arena = {0};
	struct folder_list list;
	struct error ignored = {0}; // then there is no hint
	const char *best = NULL;
	if (!sandbox_scan(look->sandbox, &arena, TEXT(""), HINT_FILES, &list, &ignored)) {
		return NULL;
	}
	for (size_t i = 0; i < list.count; i++) {
		struct text found = list.entries[i].path;
		if (list.entries[i].kind != FOLDER_FILE) {
			continue;
		}
		if (same_but_case(found, path)) {
			return gate_shown(look, found);
		}
		if (!best && same_but_case(name_of(found), name_of(path))) {
			best = gate_shown(look, found);
		}
	}
	return best;
}

static void say_missing(
	const struct gate_check *check, struct gate_look *look, const struct artifact *artifact)
{
	const char *instead = written_instead(look, artifact->path);
	if (instead) {
		gate_fails(look, check, artifact->shown, "a file", "nothing",
			"%s is missing; there is %s, but the path has to be exactly the one asked "
			"for.",
			artifact->shown, instead);
	} else {
		gate_fails(look, check, artifact->shown, "a file", "nothing",
			"%s is missing; write it.", artifact->shown);
	}
}

static bool say_unfit(
	const struct gate_check *check, struct gate_look *look, const struct artifact *artifact)
{
	const struct folder_stat *stat = &artifact->stat;
	const char *what = stat->what ? stat->what : "something else";
	struct gate_finding *finding;
	if (stat->kind == FOLDER_FILE) {
		finding = gate_fails(look, check, artifact->shown, "a file of at most 16 MiB",
			gate_amount(look, stat->size, "byte"),
			"%s is too large to be checked; it may have at most 16 MiB.",
			artifact->shown);
		finding->size = stat->size;
	} else {
		finding = gate_fails(look, check, artifact->shown, "a regular file", what,
			"%s is %s, not a regular file; replace it with a file.", artifact->shown,
			what);
	}
	finding->unclear = stat->kind != FOLDER_FOLDER;
	return false;
}

bool artifact_read(const struct gate_check *check, struct gate_look *look, struct arena *arena,
	struct text path, struct artifact *artifact)
{
	struct error error = {0};
	*artifact = (struct artifact){.path = path,
		.shown = gate_shown(look, path),
		.stat = sandbox_stat(look->sandbox, path)};
	if (!gate_goes_on(look, check, artifact->shown)) {
		return false;
	}
	bool missing = artifact->stat.kind == FOLDER_MISSING;
	if (artifact->stat.unknown) {
		gate_not_checked(look, check, artifact->shown, not_looked_at);
		return false;
	}
	if (!missing &&
		(artifact->stat.kind != FOLDER_FILE || artifact->stat.size > GATE_READ_LIMIT)) {
		return say_unfit(check, look, artifact);
	}
	// What is missing is read, too: a sandbox that is gone has no files either, but says so here.
	if (sandbox_read(look->sandbox, arena, path, GATE_READ_LIMIT, &artifact->content, &error)) {
		struct hash hash = hash_text(artifact->content);
		artifact->sha256 = arena_string(look->arena, hash.hex);
		look->bytes_read += (int64_t)artifact->content.length;
		return true;
	}
	if (error.kind == ERROR_UNAVAILABLE) {
		gate_not_checked(look, check, artifact->shown, error.message);
	} else if (missing) {
		say_missing(check, look, artifact);
	} else {
		gate_fails(look, check, artifact->shown, "a file that can be read", "none",
			"%s cannot be read: %s.", artifact->shown, error.message)
			->unclear = true;
	}
	return false;
}

// The folders of a glob that come before its first wildcard, and never its last component.
static struct text fixed_folder(struct text glob)
{
	size_t length = 0;
	for (size_t i = 0; i < glob.length && !memchr("*?[", glob.data[i], 3); i++) {
		length = glob.data[i] == '/' ? i : length;
	}
	return (struct text){glob.data, length};
}

// False: it cannot be told what stands there.
static bool walk_entry(struct gate_walk *walk, const struct folder_entry *entry)
{
	enum { READABLE = 0500 };
	struct folder_stat target = {.kind = entry->kind, .what = "a FIFO, a socket or a device"};
	if (entry->kind == FOLDER_FOLDER) {
		arena_cleanup arena = {0};
		const char *below = path_join(&arena, text_string(&arena, entry->path), "**");
		if ((entry->mode & READABLE) != READABLE &&
			glob_overlap(text_of(below), walk->glob)) {
			walk->hidden(walk, entry->path, "a folder that cannot be looked into");
		}
		return true;
	}
	if (!glob_match(walk->glob, entry->path)) {
		return true;
	}
	if (entry->kind != FOLDER_FILE) {
		target = sandbox_stat(walk->look->sandbox, entry->path);
	}
	if (target.unknown) {
		return false;
	}
	if (target.kind == FOLDER_FILE) {
		walk->file(walk, entry);
	} else if (target.kind == FOLDER_LINK || target.kind == FOLDER_SPECIAL) {
		walk->hidden(walk, entry->path, target.what);
	}
	return true;
}

static bool lies_in(struct text path, const char *folder)
{
	size_t length = strlen(folder);
	return text_starts(path, folder) && (path.length == length || path.data[length] == '/');
}

// Does it lie in the folder that is passed over, though the glob does not name that one?
static bool is_skipped(const struct gate_walk *walk, struct text from, struct text path)
{
	const char *skipped = walk->look->place->skipped;
	return skipped && lies_in(path, skipped) && !lies_in(from, skipped);
}

enum gate_walk_result gate_walk(struct gate_walk *walk, struct error *error)
{
	arena_cleanup arena = {0};
	struct folder_list list;
	struct text folder = fixed_folder(walk->glob);
	struct folder_stat stat = sandbox_stat(walk->look->sandbox, folder);
	if (!sandbox_scan(walk->look->sandbox, &arena, folder, GATE_FILES, &list, error)) {
		if (error->kind == ERROR_UNAVAILABLE || stat.unknown) {
			return WALK_UNAVAILABLE;
		}
		if (stat.kind == FOLDER_LINK || stat.kind == FOLDER_SPECIAL) {
			walk->hidden(walk, folder, stat.what);
		}
		return stat.kind == FOLDER_FOLDER ? WALK_FAILED : WALK_DONE;
	}
	for (size_t i = 0; i < list.count; i++) {
		if (!is_skipped(walk, folder, list.entries[i].path) &&
			!walk_entry(walk, &list.entries[i])) {
			error_set(error, ERROR_UNAVAILABLE, "%s", not_looked_at);
			return WALK_UNAVAILABLE;
		}
	}
	return list.cut ? WALK_CUT : WALK_DONE;
}
