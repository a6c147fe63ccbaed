#include "sandbox/seccomp.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum {
	FILTER_MEMORY = 4 * 1024 * 1024, // several times what building the filter takes
};

enum { TERMINAL_INJECT = 0x5412 /* TIOCSTI */, TERMINAL_LINUX = 0x541c /* TIOCLINUX */ };

static const int denied[] = {SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise), SCMP_SYS(pidfd_getfd),
	SCMP_SYS(kcmp), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(mount),
	SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(move_mount),
	SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fspick),
	SCMP_SYS(fsmount), SCMP_SYS(mount_setattr), SCMP_SYS(setns), SCMP_SYS(unshare),
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register), SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load), SCMP_SYS(init_module), SCMP_SYS(finit_module),
	SCMP_SYS(delete_module), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(reboot),
	SCMP_SYS(syslog), SCMP_SYS(acct), SCMP_SYS(quotactl), SCMP_SYS(open_by_handle_at)};

// A program in the workspace that runs as its owner would be a present for whoever finds it there.
static bool deny_run_as_owner(scmp_filter_ctx filter)
{
	enum { FCHMODAT2 = 452 }; // newer than some of the libraries that name system calls
	static const struct {
		int call;
		unsigned argument; // the mode
	} calls[] = {{SCMP_SYS(chmod), 1}, {SCMP_SYS(fchmod), 1}, {SCMP_SYS(fchmodat), 2},
		{FCHMODAT2, 2}};
	static const unsigned bits[] = {S_ISUID, S_ISGID};
	for (size_t i = 0; i < 2 * sizeof(calls) / sizeof(calls[0]); i++) {
		const scmp_datum_t bit = bits[i % 2];
		if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i / 2].call, 1,
			    SCMP_CMP(calls[i / 2].argument, SCMP_CMP_MASKED_EQ, bit, bit)) < 0) {
			return false;
		}
	}
	return true;
}

static bool add_rules(scmp_filter_ctx filter)
{
	const uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		if (seccomp_rule_add(filter, refuse, denied[i], 0) < 0) {
			return false;
		}
	}
	// clone3 hides its flags behind a pointer: without it libraries fall back to clone.
	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) < 0 ||
		seccomp_rule_add(filter, refuse, SCMP_SYS(clone), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER)) < 0) {
		return false;
	}
	static const unsigned terminals[] = {TERMINAL_INJECT, TERMINAL_LINUX};
	for (size_t i = 0; i < 2; i++) {
		if (seccomp_rule_add(filter, refuse, SCMP_SYS(ioctl), 1,
			    SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffU, terminals[i])) < 0) {
			return false;
		}
	}
	// Socket families: AF_UNIX (1), AF_INET (2), AF_INET6 (10); the gaps and the rest are denied.
	static const unsigned between[] = {0, 3, 4, 5, 6, 7, 8, 9};
	for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
		if (seccomp_rule_add(filter, refuse, SCMP_SYS(socket), 1,
			    SCMP_A0(SCMP_CMP_EQ, between[i])) < 0) {
			return false;
		}
	}
	return seccomp_rule_add(
		       filter, refuse, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, AF_INET6)) == 0 &&
		deny_run_as_owner(filter);
}

int seccomp_filter(struct error *error)
{
	// libseccomp 2.5 crashes or never returns when memory runs out in it; this ends with a message.
	free(memory_alloc(FILTER_MEMORY));
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	file_cleanup fd = memfd_create("seccomp", MFD_CLOEXEC);
	bool fine = filter && fd >= 0 && add_rules(filter) && seccomp_export_bpf(filter, fd) == 0;
	if (filter) {
		seccomp_release(filter);
	}
	if (!fine || lseek(fd, 0, SEEK_SET) < 0) {
		error_set(error, ERROR_UNAVAILABLE, "the system call filter cannot be built");
		return -1;
	}
	int result = fd;
	fd = -1;
	return result;
}
