/*
 * What a hostile program tries inside a sandbox: a test program copies itself into the workspace
 * and is run there with the name of an attack.
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int connect_to(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int connected = fd < 0 ? -1 : connect(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return connected;
}

static int listen_on(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 5) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
		return -1;
	}
	*port = ntohs(address.sin_port);
	return fd;
}

static void report(const char *name, long outcome, int expected)
{
	int found = outcome < 0 ? errno : 0;
	if (found != expected) {
		printf("%s: %s\n", name, strerror(found));
	}
}

#define DENIED(name, ...) report(name, syscall(__VA_ARGS__), EPERM)

// Runs inside. Prints what was not denied.
static void attack_calls(void)
{
	static const int families[] = {AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK, AF_BLUETOOTH};
	DENIED("ptrace", SYS_ptrace, PTRACE_ATTACH, 1, 0, 0);
	DENIED("process_vm_readv", SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0);
	DENIED("pidfd_getfd", SYS_pidfd_getfd, 0, 0, 0);
	DENIED("keyctl", SYS_keyctl, 0, 0, 0, 0, 0);
	DENIED("add_key", SYS_add_key, "user", "name", "x", 1, -2);
	DENIED("unshare", SYS_unshare, CLONE_NEWUSER);
	DENIED("clone", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	report("clone3", syscall(SYS_clone3, NULL, 0), ENOSYS);
	DENIED("setns", SYS_setns, 0, 0);
	DENIED("mount", SYS_mount, "none", "/tmp", "tmpfs", 0, NULL);
	DENIED("umount", SYS_umount2, "/tmp", 0);
	DENIED("remount", SYS_mount, NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL);
	DENIED("pivot_root", SYS_pivot_root, ".", ".");
	DENIED("chroot", SYS_chroot, ".");
	DENIED("fsopen", SYS_fsopen, "tmpfs", 0);
	DENIED("open_tree", SYS_open_tree, 0, ".", 0);
	DENIED("bpf", SYS_bpf, 0, NULL, 0);
	DENIED("perf_event_open", SYS_perf_event_open, NULL, 0, 0, 0, 0);
	DENIED("userfaultfd", SYS_userfaultfd, 0);
	DENIED("io_uring_setup", SYS_io_uring_setup, 1, NULL);
	DENIED("open_by_handle_at", SYS_open_by_handle_at, 0, NULL, 0);
	DENIED("syslog", SYS_syslog, 3, NULL, 0);
	DENIED("reboot", SYS_reboot, 0, 0, 0, NULL);
	DENIED("mknod", SYS_mknod, "/tmp/device", S_IFBLK | 0600, 0);
	DENIED("sethostname", SYS_sethostname, "x", 1);
	DENIED("terminal input", SYS_ioctl, 0, TIOCSTI, "x");
	DENIED("terminal input, upper bits", SYS_ioctl, 0, TIOCSTI | 1UL << 32, "x");
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		char name[32];
		snprintf(name, sizeof(name), "socket family %d", families[i]);
		DENIED(name, SYS_socket, families[i], SOCK_RAW, 0);
		DENIED(name, SYS_socket, (unsigned long)families[i] | 1UL << 32, SOCK_RAW, 0);
	}
	report("unix socket", syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0), 0);
}

static int attack(char **arguments)
{
	int port = arguments[1] ? atoi(arguments[1]) : 0;
	errno = 0;
	if (strcmp(arguments[0], "calls") == 0) {
		attack_calls();
	} else if (strcmp(arguments[0], "x32") == 0) {
		syscall(0x40000000 | 39); // getpid by its other number
	} else if (strcmp(arguments[0], "connect") == 0) {
		printf("%s\n", connect_to(port) == 0 ? "Success" : strerror(errno));
	} else if (strcmp(arguments[0], "loopback") == 0) {
		int fd = listen_on(&port);
		printf("%s\n", fd >= 0 && connect_to(port) == 0 ? "Success" : strerror(errno));
	}
	fflush(NULL);
	_exit(0); // what checks for leaks at the end would need ptrace
}
