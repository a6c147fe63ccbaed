#include <stdlib.h>
#include <string.h>

#include "snapshot/parts.h"

// Of what the file system gave, rwx for the owner and r-x for others stay. A folder that its owner could
// not write to could not be filled in every sandbox.
mode_t snapshot_mode(char type, mode_t mode)
{
	if (type == TAR_FOLDER) {
		return (mode & 0755) | 0700;
	}
	if (type == TAR_LINK) {
		return 0777;
	}
	return ((mode & 0100 ? mode : mode & ~(mode_t)0111) & 0755) | 0400;
}

bool snapshot_name_is_plain(struct text path)
{
	for (size_t i = 0; i < path.length; i++) {
		unsigned char byte = (unsigned char)path.data[i];
		if (byte < 0x20 || byte == 0x7f) {
			return false;
		}
	}
	return true;
}

void snapshot_leave_out(struct snapshot_members *list, struct text path, const char *why)
{
	struct snapshot_made *made = list->made;
	if (made->left_out_count < SNAPSHOT_TOLD) {
		buffer_cleanup line = {0};
		buffer_add_line(&line, path, 200);
		made->left_out[made->left_out_count] =
			arena_printf(list->arena, "%s (%s)", line.data, why);
	}
	made->left_out_count++;
}

void snapshot_add(struct snapshot_members *list, const struct snapshot_member *member)
{
	size_t depth = 0;
	for (size_t i = 0; i < member->path.length; i++) {
		depth += member->path.data[i] == '/';
	}
	if (!snapshot_name_is_plain(member->path)) {
		snapshot_leave_out(list, member->path, "a control character in its name");
		return;
	}
	if (depth >= SNAPSHOT_DEPTH) {
		snapshot_leave_out(list, member->path, "it lies too deep");
		return;
	}
	if (member->type == TAR_LINK && !tar_link_stays(member->path, member->target)) {
		snapshot_leave_out(list, member->path, "a link out of the workspace");
		return;
	}
	if (list->count == list->capacity) {
		list->capacity = list->capacity * 2 + 256;
		list->members =
			memory_resize(list->members, list->capacity * sizeof(*list->members));
	}
	list->members[list->count++] = *member;
}

static int compare(const void *a, const void *b)
{
	const struct snapshot_member *x = a, *y = b;
	return strcmp(x->path.data, y->path.data);
}

void snapshot_sort(struct snapshot_members *list)
{
	if (list->count) {
		qsort(list->members, list->count, sizeof(*list->members), compare);
	}
}

void snapshot_members_finish(struct snapshot_members *list)
{
	free(list->members);
	list->members = NULL;
	list->count = list->capacity = 0;
}
