#include <string.h>

#include "snapshot/parts.h"

// What stands in a history for a file that is too large for it, or that could not be read.
static bool is_pointer(struct text content)
{
	enum { POINTER_MOST = 200 };
	return content.length < POINTER_MOST && text_starts(content, "muster: a file of ") &&
		(text_find(content, TEXT("\nsha256 ")) < content.length ||
			text_find(content, TEXT("\nmodified ")) < content.length);
}

struct of_history {
	struct history *history;
	int64_t when; // nanoseconds since 1970
	struct snapshot_members list;
	struct snapshot_writer *writer;
};

// The folders on the way to a file that the one before did not lie in.
static void add_folders(struct of_history *making, struct text path, struct text before)
{
	for (size_t i = 0; i < path.length; i++) {
		bool known = i < before.length && memcmp(path.data, before.data, i + 1) == 0;
		if (path.data[i] != '/' || known) {
			continue;
		}
		struct snapshot_member folder = {
			.path = text_copy(making->list.arena, (struct text){path.data, i}),
			.type = TAR_FOLDER,
			.mode = 0755};
		snapshot_add(&making->list, &folder);
	}
}

static bool write_file(
	struct of_history *making, const struct history_file *file, struct error *error)
{
	arena_cleanup arena = {0};
	struct text content;
	if (!history_blob(making->history, &arena, file->blob, &content, error)) {
		return false;
	}
	if (!file->link && is_pointer(content)) {
		snapshot_leave_out(&making->list, file->path, "the history has not what was in it");
		return true;
	}
	struct snapshot_member member = {.path = file->path,
		.type = file->link ? TAR_LINK : TAR_FILE,
		.mode = file->executable ? 0755 : 0644,
		.size = (int64_t)content.length,
		.modified = making->when};
	if (file->link) {
		member.target = content;
	}
	// Looked at in the same way as what lies in a folder.
	size_t count = making->list.count;
	snapshot_add(&making->list, &member);
	if (making->list.count == count) {
		return true;
	}
	making->list.count = count;
	return snapshot_write_member(making->writer, &member, error) &&
		(file->link || content.length == 0 ||
			snapshot_write_bytes(making->writer, content, error));
}

static bool write_all(
	struct of_history *making, const struct history_files *files, struct error *error)
{
	struct text before = {0};
	for (size_t i = 0; i < files->count; i++) {
		add_folders(making, files->files[i].path, before);
		before = files->files[i].path;
	}
	// A folder comes before what is in it: all of them first, then the files, would be another
	// order than that of paths, so both lists are gone through together.
	size_t folder = 0, folders = making->list.count;
	snapshot_sort(&making->list);
	for (size_t i = 0; i < files->count; i++) {
		while (folder < folders &&
			strcmp(making->list.members[folder].path.data, files->files[i].path.data) <
				0) {
			if (!snapshot_write_member(
				    making->writer, &making->list.members[folder++], error)) {
				return false;
			}
		}
		if (!write_file(making, &files->files[i], error)) {
			return false;
		}
	}
	return true;
}

bool snapshot_make_of_history(const char *shelf, struct history *history,
	const struct history_step *step, struct arena *arena, struct snapshot_made *made,
	struct error *error)
{
	struct of_history making = {.history = history, .when = step ? step->when * 1000000 : 0};
	struct history_files files;
	*made = (struct snapshot_made){0};
	making.list = (struct snapshot_members){.arena = arena, .made = made};
	making.writer = snapshot_write_begin(shelf, error);
	bool fine = making.writer && history_files(history, arena, step, &files, error) &&
		write_all(&making, &files, error) &&
		snapshot_write_end(making.writer, &made->snapshot, error);
	snapshot_write_free(making.writer);
	snapshot_members_finish(&making.list);
	return fine;
}
