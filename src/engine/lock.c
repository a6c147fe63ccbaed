#include "engine/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"

enum { LOCK_TRIES = 10, LOCK_PAUSE = 10 * 1000 /* microseconds */ };

// Whoever asks run_is_driven() holds the lock for a moment, too: that is no driver.
static bool take_lock(int fd)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			return true;
		}
		if (errno != EWOULDBLOCK && errno != EINTR) {
			return false;
		}
		usleep(LOCK_PAUSE);
	}
	errno = EWOULDBLOCK;
	return false;
}

int run_lock(const char *folder, const char *run, struct error *error)
{
	arena_cleanup arena = {0};
	const char *path = path_join(&arena, folder, "lock");
	char pid[32] = {0};
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		error_errno(error, ERROR_FAILED, "cannot open '%s'", path);
		return -1;
	}
	if (!take_lock(fd)) {
		bool driven = errno == EWOULDBLOCK;
		ssize_t length = pread(fd, pid, sizeof(pid) - 1, 0);
		if (driven) {
			error_set(error, ERROR_USAGE, "run '%s' is being driven by process %d", run,
				length > 0 ? atoi(pid) : 0);
			error_hint(error, "wait for it to end, or end it first");
		} else {
			error_set(error, ERROR_FAILED, "cannot lock '%s'", path);
			error_hint(error, "keep the project on a file system that has locks");
		}
		file_close(&fd);
		return -1;
	}
	int length = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)length, 0) != length) {
		error_errno(error, ERROR_FAILED, "cannot write '%s'", path);
		file_close(&fd);
		return -1;
	}
	return fd;
}

bool run_is_driven(const char *folder)
{
	arena_cleanup arena = {0};
	file_cleanup fd =
		open(path_join(&arena, folder, "lock"), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;
}
