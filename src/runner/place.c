#include "runner/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner/runner.h"

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool fine = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	int saved = errno;
	if (fd >= 0) {
		close(fd);
	}
	errno = saved;
	return fine;
}

// We stay whom we were: nobody else can be mapped without being root. The files of a process that
// cannot be looked into, as the runner is one, belong to root.
static bool map_user(void)
{
	char map[64];
	snprintf(map, sizeof(map), "%d %d 1", RUNNER_USER, RUNNER_USER);
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 &&
		write_file("/proc/self/setgroups", "deny") &&
		write_file("/proc/self/uid_map", map) && write_file("/proc/self/gid_map", map);
}

static bool make_read_only(const char *path)
{
	struct statvfs status;
	if (statvfs(path, &status) < 0) {
		return false;
	}
	unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV;
	flags |= status.f_flag & ST_NOEXEC ? MS_NOEXEC : 0; // what is locked must be said again
	return mount(NULL, path, NULL, flags, NULL) == 0;
}

// The kernel's settings cannot be changed by us, but it costs little to put them out of reach.
// Namespaces of users must not be made in ours: with all rights in one, more of the kernel is open.
static bool make_processes(void)
{
	return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0 &&
		write_file("/proc/sys/user/max_user_namespaces", "0") &&
		mount("/proc/sys", "/proc/sys", NULL, MS_BIND | MS_REC, NULL) == 0 &&
		mount(NULL, "/proc/sys", NULL,
			MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			NULL) == 0;
}

static bool make_memory_folder(const char *path, int size)
{
	char options[64];
	snprintf(options, sizeof(options), "mode=1777,size=%d", size);
	return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0;
}

// By descriptors, so that nobody can exchange the folder for a link on the way.
static bool cover(int workspace, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
	int folder = (int)syscall(SYS_openat2, workspace, path, &how, sizeof(how));
	if (folder < 0) {
		return errno == ENOENT || errno == ELOOP || errno == ENOTDIR;
	}
	int copy = (int)syscall(SYS_open_tree, folder, "",
		OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (unsigned)AT_EMPTY_PATH);
	bool fine = copy >= 0 &&
		syscall(SYS_mount_setattr, copy, "", AT_EMPTY_PATH, &attributes,
			sizeof(attributes)) == 0 &&
		syscall(SYS_move_mount, copy, "", folder, "",
			MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0;
	int saved = errno;
	close(copy);
	close(folder);
	errno = saved;
	return fine;
}

static bool cover_all(char *const *folders)
{
	int workspace = open("/workspace", O_PATH | O_CLOEXEC);
	for (size_t i = 0; workspace >= 0 && folders[i]; i++) {
		if (!cover(workspace, folders[i])) {
			close(workspace);
			return false;
		}
	}
	close(workspace);
	return workspace >= 0;
}

const char *place_make(bool read_only, char *const *read_only_folders)
{
	const char *step = NULL;
	if (!map_user()) {
		step = "its user";
	} else if (!write_file("/proc/self/oom_score_adj", "500") && errno != EACCES) {
		step = "its order when memory runs out";
	} else if (!make_processes()) {
		step = "its /proc";
	} else if (!make_memory_folder("/dev/shm", RUNNER_SHARED_SIZE) ||
		!make_memory_folder("/tmp", RUNNER_TEMPORARY_SIZE)) {
		step = "its private folders";
	} else if (!cover_all(read_only_folders) || (read_only && !make_read_only("/workspace"))) {
		step = "its read-only folders";
	}
	return step;
}
