#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/take_parts.h"

static bool is_kept_apart(struct text name)
{
	static const char *const names[] = {".git", ".muster"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (name.length == strlen(names[i]) &&
			strncasecmp(name.data, names[i], name.length) == 0) {
			return true;
		}
	}
	return false;
}

// Takes one component off the front; false at the end.
static bool next_name(struct text *rest, struct text *name)
{
	if (!rest->length) {
		return false;
	}
	const char *slash = memchr(rest->data, '/', rest->length);
	name->data = rest->data;
	name->length = slash ? (size_t)(slash - rest->data) : rest->length;
	size_t taken = name->length + (slash ? 1 : 0);
	rest->data += taken;
	rest->length -= taken;
	return true;
}

const char *take_unsafe_name(const char *path)
{
	struct text rest = text_of(path), name;
	while (next_name(&rest, &name)) {
		if (is_kept_apart(name)) {
			return "the name belongs to git or to muster";
		}
	}
	return NULL;
}

// ".." only at the front and no further than the root: behind a name, which may be a link itself,
// it leads anywhere.
const char *take_unsafe_link(const char *path, struct text target)
{
	static const char out[] = "it is a link that could lead outside";
	size_t depth = 0;
	struct text rest = text_of(path), name;
	while (next_name(&rest, &name)) {
		depth++;
	}
	depth -= depth > 0; // the link's own name
	if (!target.length || target.data[0] == '/' || memchr(target.data, '\0', target.length)) {
		return out;
	}
	bool descended = false;
	while (next_name(&target, &name)) {
		bool up = text_is(name, "..");
		if (up && (descended || depth == 0)) {
			return out;
		}
		if (is_kept_apart(name)) {
			return "it is a link into what belongs to git or to muster";
		}
		depth -= up;
		descended = descended || (!up && !text_is(name, ".") && name.length);
	}
	return NULL;
}

static struct take_side side_of(const struct history_file *file)
{
	struct take_side side = {.size = -1, .whole = true};
	if (file) {
		side.blob = file->blob;
		side.executable = file->executable;
		side.link = file->link;
	}
	return side;
}

static bool same(const struct history_file *before, const struct history_file *after)
{
	return before && after && strcmp(before->blob, after->blob) == 0 &&
		before->executable == after->executable && before->link == after->link;
}

static void add_item(
	struct take *take, const struct history_file *before, const struct history_file *after)
{
	take->items[take->count++] =
		(struct take_item){.path = after ? after->path.data : before->path.data,
			.status = !before ? HISTORY_ADDED
				: after   ? HISTORY_CHANGED
					  : HISTORY_DELETED,
			.given = same(before, after),
			.agent = "",
			.before = side_of(before),
			.after = side_of(after)};
}

static void merge(struct take *take, const struct history_files *before,
	const struct history_files *after, bool all)
{
	size_t i = 0, j = 0;
	take->items = arena_new_array(take->arena, before->count + after->count, struct take_item);
	while (i < before->count || j < after->count) {
		const struct history_file *old = i < before->count ? &before->files[i] : NULL;
		const struct history_file *new = j < after->count ? &after->files[j] : NULL;
		int order = !old ? 1 : !new ? -1 : strcmp(old->path.data, new->path.data);
		old = order <= 0 ? old : NULL;
		new = order >= 0 ? new : NULL;
		if (all || !same(old, new)) {
			add_item(take, old, new);
		}
		i += order <= 0;
		j += order >= 0;
	}
}

static int by_path(const void *path, const void *item)
{
	return strcmp(path, ((const struct take_item *)item)->path);
}

// The journal knows what the history has only a pointer to.
static void describe(struct take *take, struct take_side *side, const struct store_change *change)
{
	if (!side->blob || strcmp(side->blob, change->blob) != 0) {
		return;
	}
	side->size = change->size;
	side->sha256 = change->sha256[0] ? arena_string(take->arena, change->sha256) : NULL;
	side->whole = side->sha256 && change->size <= HISTORY_FILE_LIMIT;
}

static bool take_row(void *data, const struct store_change *change)
{
	struct take *take = data;
	struct take_item *item = take->count
		? bsearch(change->path, take->items, take->count, sizeof(*item), by_path)
		: NULL;
	if (item) {
		item->agent = arena_string(take->arena, change->agent);
		describe(take, &item->before, change);
		describe(take, &item->after, change);
	}
	return true;
}

bool take_list(
	struct take *take, struct store *store, const char *run, bool all, struct error *error)
{
	struct history_steps steps;
	struct history_files before, after;
	take->count = 0;
	if (!history_steps(take->history, take->arena, &steps, error)) {
		return false;
	}
	const struct history_step *last = steps.count ? &steps.steps[steps.count - 1] : NULL;
	if (!history_files(take->history, take->arena, history_start(&steps), &before, error) ||
		!history_files(take->history, take->arena, last, &after, error)) {
		return false;
	}
	merge(take, &before, &after, all);
	return store_changes(store, run, take_row, take, error);
}
