/* The guest: see guest.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/parts.h"

bool guest_send(uint32_t type, const void *bytes, size_t length)
{
	const struct guest_frame frame = {type, (uint32_t)length};
	const struct {
		const char *bytes;
		size_t length;
	} parts[] = {{(const char *)&frame, sizeof(frame)}, {bytes, length}};
	for (int i = 0; i < 2; i++) {
		for (size_t sent = 0; sent < parts[i].length;) {
			ssize_t count = write(1, parts[i].bytes + sent, parts[i].length - sent);
			if (count < 0 && errno != EINTR) {
				return false;
			}
			sent += count > 0 ? (size_t)count : 0;
		}
	}
	return true;
}

bool guest_receive(void *bytes, size_t length)
{
	for (size_t got = 0; got < length;) {
		ssize_t count = read(0, (char *)bytes + got, length - got);
		if (count == 0 || (count < 0 && errno != EINTR)) {
			return false;
		}
		got += count > 0 ? (size_t)count : 0;
	}
	return true;
}

bool guest_receive_header(struct guest_frame *frame)
{
	return guest_receive(frame, sizeof(*frame)) && frame->length <= GUEST_FRAME_MOST;
}

bool guest_say_hello(void)
{
	struct guest_hello hello = {.version = GUEST_VERSION,
		.no_new_rights = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
		.filter = (uint32_t)prctl(PR_GET_SECCOMP, 0, 0, 0, 0),
		.user = getuid(),
		.group = getgid()};
	for (unsigned right = 0; right < 64; right++) {
		if (prctl(PR_CAPBSET_READ, right, 0, 0, 0) == 1) {
			hello.rights |= UINT64_C(1) << right;
		}
	}
	return guest_send(GUEST_HELLO, &hello, sizeof(hello));
}

static void nothing(int number)
{
	(void)number;
}

static _Noreturn void init(void)
{
	sigset_t children, old;
	// A mount there has the mode of the image's own folder.
	chmod("/tmp", 01777);
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	signal(SIGCHLD, nothing);
	sigprocmask(SIG_BLOCK, &children, &old);
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0) {
		}
		sigsuspend(&old);
	}
}

static int sweep(void)
{
	return kill(-1, SIGKILL) == 0 || errno == ESRCH ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	// Not to be traced or looked into by commands of the same user.
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(mode, "init") == 0) {
		init();
	}
	if (strcmp(mode, "run") == 0) {
		return guest_run();
	}
	if (strcmp(mode, "files") == 0 && argc > 2) {
		return guest_files(argv[2]);
	}
	if (strcmp(mode, "sweep") == 0) {
		return sweep();
	}
	return strcmp(mode, "who") == 0 && guest_say_hello() ? 0 : 2;
}
