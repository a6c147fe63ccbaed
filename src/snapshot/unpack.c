/* Archives are read once: each entry is checked as it comes, and what can only be known at the end is checked
 * before the first link is made. */
#include <stdlib.h>
#include <string.h>

#include "snapshot/parts.h"

struct unpack {
	const struct snapshot_archive *archive;
	const struct unpack_target *target;
	struct tar_check *check;
	struct tar_reader reader;
	struct arena arena; // of the links
	struct snapshot_members links;
	struct snapshot_made ignored; // of what is left out: nothing, it was refused before
	int64_t files, bytes, taken, expanded;
};

static bool refuse(struct error *error, struct text path, const char *why)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, path, 200);
	return error_set(error, ERROR_FAILED, "the archive is refused: '%s' %s", shown.data, why);
}

static bool too_much(struct error *error, const char *what)
{
	return error_set(error, ERROR_FAILED, "the archive is refused: it has more than %s", what);
}

static bool check_bounds(
	struct unpack *unpack, const struct tar_entry *entry, struct text path, struct error *error)
{
	size_t depth = 0;
	for (size_t i = 0; i < path.length; i++) {
		depth += path.data[i] == '/';
	}
	if (!snapshot_name_is_plain(path)) {
		return refuse(error, path, "has a control character in its name");
	}
	if (depth >= SNAPSHOT_DEPTH) {
		return refuse(error, path, "lies too deep");
	}
	if (++unpack->files > SNAPSHOT_ENTRIES) {
		return too_much(error, "500000 entries");
	}
	unpack->bytes += entry->size;
	return unpack->bytes <= SNAPSHOT_BYTES || too_much(error, "64 GiB of files");
}

// Without "./", doubled slashes and one at the end.
static struct text clean(struct arena *arena, struct text path)
{
	struct buffer clean = {0};
	for (size_t i = 0; i < path.length;) {
		size_t length = 0;
		while (i + length < path.length && path.data[i + length] != '/') {
			length++;
		}
		struct text part = {path.data + i, length};
		if (length && !text_is(part, ".")) {
			buffer_add_string(&clean, clean.length ? "/" : "");
			buffer_add_text(&clean, part);
		}
		i += length + 1;
	}
	struct text result = text_copy(arena, buffer_text(&clean));
	buffer_finish(&clean);
	return result;
}

static bool take_entry(void *data, const struct tar_entry *entry, struct error *error)
{
	struct unpack *unpack = data;
	arena_cleanup arena = {0};
	if (!tar_check_entry(unpack->check, entry, error)) {
		return false;
	}
	struct snapshot_member member = {.path = clean(&arena, entry->path),
		.target = entry->target,
		.type = entry->type,
		.mode = snapshot_mode(entry->type, entry->mode),
		.size = entry->type == TAR_FILE ? entry->size : 0,
		.modified = entry->modified};
	if (!check_bounds(unpack, entry, member.path, error)) {
		return false;
	}
	if (member.path.length == 0) {
		return true; // the root itself
	}
	if (member.type != TAR_LINK) {
		return !unpack->target->entry ||
			unpack->target->entry(unpack->target->data, &member, error);
	}
	member.path = text_copy(&unpack->arena, member.path);
	member.target = text_copy(&unpack->arena, member.target);
	snapshot_add(&unpack->links, &member);
	return true;
}

static bool take_content(void *data, struct text bytes, struct error *error)
{
	struct unpack *unpack = data;
	return !unpack->target->bytes || unpack->target->bytes(unpack->target->data, bytes, error);
}

// Who made our own snapshots is known; anything else must not grow without end.
static bool check_growth(struct unpack *unpack, const struct expand *expand, struct error *error)
{
	int64_t taken = expand_taken(expand);
	bool foreign = unpack->archive->id == NULL;
	return !foreign || unpack->expanded < SNAPSHOT_RATIO_FROM ||
		unpack->expanded / SNAPSHOT_RATIO <= taken ||
		error_set(error, ERROR_FAILED,
			"the archive is refused: it grows to more than %d times its size",
			SNAPSHOT_RATIO);
}

// Behind the mark of the end there are only zeros that fill the last block.
static bool check_rest(struct text bytes, struct error *error)
{
	for (size_t i = 0; i < bytes.length; i++) {
		if (bytes.data[i]) {
			return error_set(error, ERROR_FAILED,
				"the archive is refused: something stands behind its end");
		}
	}
	return true;
}

static bool feed(struct unpack *unpack, struct text bytes, struct error *error)
{
	int64_t before = unpack->expanded;
	unpack->expanded += (int64_t)bytes.length;
	const struct unpack_target *target = unpack->target;
	if (!tar_feed(&unpack->reader, bytes, error) ||
		(target->raw && !target->raw(target->data, bytes, error))) {
		return false;
	}
	if (!unpack->reader.ended) {
		return true;
	}
	int64_t end = unpack->reader.whole > before ? unpack->reader.whole - before : 0;
	struct text rest = {bytes.data + end, bytes.length - (size_t)end};
	return check_rest(rest, error);
}

static bool read_all(struct unpack *unpack, struct expand *expand, struct error *error)
{
	const atomic_bool *cancel = unpack->archive->cancel;
	struct text bytes;
	do {
		if (cancel && atomic_load(cancel)) {
			return error_set(error, ERROR_INTERRUPTED, "restoring was cut short");
		}
		if (!expand_next(expand, &bytes, error) ||
			(bytes.length && !feed(unpack, bytes, error)) ||
			!check_growth(unpack, expand, error)) {
			return false;
		}
	} while (bytes.length);
	return tar_end(&unpack->reader, error) && tar_check_whole(unpack->check, error);
}

static bool put_links(struct unpack *unpack, struct error *error)
{
	for (size_t i = 0; unpack->target->entry && i < unpack->links.count; i++) {
		if (!unpack->target->entry(
			    unpack->target->data, &unpack->links.members[i], error)) {
			return false;
		}
	}
	return true;
}

static bool check_id(
	struct unpack *unpack, struct hash hash, struct snapshot *found, struct error *error)
{
	if (found) {
		*found = (struct snapshot){
			.entries = unpack->files, .bytes = unpack->bytes, .stored = unpack->taken};
		memcpy(found->id, hash.hex, sizeof(hash.hex));
	}
	return !unpack->archive->id || strcmp(unpack->archive->id, hash.hex) == 0 ||
		error_set(error, ERROR_FAILED,
			"snapshot '%.12s' is damaged: it holds something else",
			unpack->archive->id);
}

bool snapshot_unpack(const struct snapshot_archive *archive, const struct unpack_target *target,
	struct snapshot *found, struct error *error)
{
	struct unpack unpack = {.archive = archive, .target = target, .check = tar_check_create()};
	struct expand *expand = expand_begin(archive->fd, error);
	unpack.reader =
		(struct tar_reader){.entry = take_entry, .content = take_content, .data = &unpack};
	unpack.links = (struct snapshot_members){.arena = &unpack.arena, .made = &unpack.ignored};
	bool fine = expand && read_all(&unpack, expand, error);
	if (fine) {
		unpack.taken = expand_taken(expand);
		fine = check_id(&unpack, expand_end(expand), found, error) &&
			put_links(&unpack, error);
	}
	expand_free(expand);
	tar_finish(&unpack.reader);
	tar_check_destroy(unpack.check);
	snapshot_members_finish(&unpack.links);
	arena_finish(&unpack.arena);
	return fine;
}

bool snapshot_check(
	const struct snapshot_archive *archive, struct snapshot *found, struct error *error)
{
	return snapshot_unpack(archive, &(struct unpack_target){0}, found, error);
}
