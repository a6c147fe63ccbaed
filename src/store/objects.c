#include "store/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

enum {
	// Beyond this many files, syncing the whole file system is cheaper; below, it is not: it would
	// wait for what others write, too.
	SINGLE_SYNCS = 500,
};

void objects_finish(struct objects *objects)
{
	pack_destroy(objects->pack);
	git.odb_free(objects->database);
	free(objects->folder);
	free(objects->fresh);
	*objects = (struct objects){0};
}

bool objects_write(struct objects *objects, struct text content, git_object_t type, git_oid *id)
{
	const char *bytes = content.data ? content.data : "";
	if (objects->pack) {
		return git.odb_hash(id, bytes, content.length, type) == 0 &&
			(git.odb_exists(objects->database, id) ||
				pack_add(objects->pack, objects->database, content, type, id));
	}
	if (git.odb_write(id, objects->database, bytes, content.length, type) < 0) {
		return false;
	}
	objects_note(objects, id);
	return true;
}

void objects_note(struct objects *objects, const git_oid *id)
{
	if (objects->fresh_count == objects->fresh_capacity) {
		objects->fresh_capacity = objects->fresh_capacity * 2 + 64;
		objects->fresh = memory_resize(
			objects->fresh, objects->fresh_capacity * sizeof(*objects->fresh));
	}
	objects->fresh[objects->fresh_count++] = *id;
}

void objects_begin_many(struct objects *objects)
{
	objects->pack = objects->pack ? objects->pack : pack_create();
	objects->packed = true;
}

bool objects_end_many(struct objects *objects)
{
	struct pack *pack = objects->pack;
	objects->pack = NULL;
	bool fine = !pack || pack_write(pack, objects->database);
	pack_destroy(pack);
	return fine;
}

static int open_object(const struct objects *objects, const git_oid *id)
{
	arena_cleanup arena = {0};
	char digits[GIT_OID_HEXSZ + 1];
	git.oid_tostr(digits, sizeof(digits), id);
	return open(arena_printf(&arena, "%s/objects/%.2s/%s", objects->folder, digits, digits + 2),
		O_RDONLY | O_CLOEXEC);
}

static bool sync_each(const struct objects *objects)
{
	// All are on their way before the first is waited for: then one turn of the file system's
	// journal is enough for most.
	for (size_t i = 0; i < objects->fresh_count; i++) {
		file_cleanup fd = open_object(objects, &objects->fresh[i]);
		if (fd >= 0) {
			sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		}
	}
	for (size_t i = 0; i < objects->fresh_count; i++) {
		file_cleanup fd = open_object(objects, &objects->fresh[i]);
		// No such file: it was known already and lies in a pack.
		if (fd >= 0 ? fsync(fd) < 0 : errno != ENOENT) {
			return false;
		}
	}
	return true;
}

static bool sync_all(const struct objects *objects)
{
	file_cleanup fd = open(objects->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && syncfs(fd) == 0;
}

bool objects_sync(struct objects *objects, struct error *error)
{
	bool many = objects->packed || objects->fresh_count > SINGLE_SYNCS;
	if (!(many ? sync_all(objects) : sync_each(objects))) {
		return error_errno(error, ERROR_FAILED, "cannot write '%s'", objects->folder);
	}
	objects->fresh_count = 0;
	objects->packed = false;
	return true;
}
