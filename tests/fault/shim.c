/*
 * Stands before the C library (LD_PRELOAD) and makes one kind of call fail: what a failing disk, a full
 * one, a signal or a lack of memory does to muster. Only the process that it was loaded into is
 * meant: not what that starts, and not a child that still shares its memory.
 *
 *   MUSTER_FAULT=GROUP:N:WHAT   the N-th call of a group (from 1) fails with WHAT; "N+": it and all after
 *   MUSTER_FAULT_COUNT=FILE     at the end, how many calls of each group there were: "GROUP COUNT"
 *
 * Groups: open, read, write, sync, name (what changes names and sizes), memory, thread.
 * WHAT: EIO, ENOSPC, EINTR, "short": a write (or read) takes half of what was asked, or "kill": the
 * process is killed before the call.
 */
#undef _FILE_OFFSET_BITS // both names of each function are wanted
#undef _FORTIFY_SOURCE

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum group { OPEN, READ, WRITE, SYNC, NAME, MEMORY, THREAD, GROUPS };
enum { KILLED = -1 }; // for an error number
enum fault { FAULT_NONE, FAULT_ERROR, FAULT_SHORT };

static const char *const names[GROUPS] = {
	"open", "read", "write", "sync", "name", "memory", "thread"};
static const struct {
	const char *name;
	int number;
} errors[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EINTR", EINTR}, {"EAGAIN", EAGAIN},
	{"ENOMEM", ENOMEM}, {"short", 0}, {"kill", KILLED}};

static atomic_ulong counts[GROUPS];
static enum group chosen = GROUPS;
static unsigned long chosen_call;
static bool chosen_on; // and all calls after it
static int chosen_error;
static pid_t owner; // 0: not ready
static char *count_file;

// The C library's own allocator, for which no look-up is needed.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static enum fault next(enum group group)
{
	if (owner == 0 || (pid_t)syscall(SYS_getpid) != owner) {
		return FAULT_NONE;
	}
	unsigned long call = atomic_fetch_add(&counts[group], 1) + 1;
	if (group != chosen || (chosen_on ? call < chosen_call : call != chosen_call)) {
		return FAULT_NONE;
	}
	if (chosen_error == 0) {
		return FAULT_SHORT;
	}
	if (chosen_error == KILLED) {
		syscall(SYS_kill, owner, SIGKILL);
		pause();
	}
	errno = chosen_error;
	return FAULT_ERROR;
}

static bool fails(enum group group)
{
	return next(group) == FAULT_ERROR;
}

static void write_counts(void)
{
	int fd = count_file && (pid_t)syscall(SYS_getpid) == owner
		? (int)syscall(SYS_openat, AT_FDCWD, count_file, O_WRONLY | O_CREAT | O_TRUNC, 0644)
		: -1;
	for (int i = 0; fd >= 0 && i < GROUPS; i++) {
		char line[64];
		int length =
			snprintf(line, sizeof(line), "%s %lu\n", names[i], atomic_load(&counts[i]));
		syscall(SYS_write, fd, line, (size_t)length);
	}
	if (fd >= 0) {
		syscall(SYS_close, fd);
	}
}

static _Noreturn void refuse(const char *what)
{
	fprintf(stderr, "shim: MUSTER_FAULT=%s is not understood\n", what);
	_exit(99);
}

static void choose(const char *what)
{
	const char *colon = strchr(what, ':');
	for (int i = 0; colon && i < GROUPS; i++) {
		size_t length = strlen(names[i]);
		if ((size_t)(colon - what) == length && strncmp(what, names[i], length) == 0) {
			chosen = (enum group)i;
		}
	}
	if (chosen == GROUPS) {
		refuse(what);
	}
	char *end;
	chosen_call = strtoul(colon + 1, &end, 10);
	chosen_on = *end == '+';
	const char *error = end + chosen_on;
	for (size_t i = 0; *error == ':' && i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (strcmp(error + 1, errors[i].name) == 0) {
			chosen_error = errors[i].number;
			return;
		}
	}
	refuse(what);
}

__attribute__((constructor)) static void begin(void)
{
	const char *what = getenv("MUSTER_FAULT");
	const char *file = getenv("MUSTER_FAULT_COUNT");
	if (what) {
		choose(what);
	}
	count_file = file ? strdup(file) : NULL;
	if (count_file) {
		atexit(write_counts);
	}
	unsetenv("LD_PRELOAD");
	unsetenv("MUSTER_FAULT");
	unsetenv("MUSTER_FAULT_COUNT");
	owner = getpid();
}

// The function that stands behind ours.
static void *behind(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);
	if (!function) {
		_exit(98);
	}
	return function;
}

#define REAL(name)                                                                                 \
	static __typeof__(&name) real;                                                             \
	if (!real) {                                                                               \
		*(void **)&real = behind(#name);                                                   \
	}

static int mode_of(int flags, va_list arguments)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, int) : 0;
}

#define OPEN_FUNCTION(name, ...)                                                                   \
	{                                                                                          \
		REAL(name)                                                                         \
		va_list arguments;                                                                 \
		va_start(arguments, flags);                                                        \
		int mode = mode_of(flags, arguments);                                              \
		va_end(arguments);                                                                 \
		return fails(OPEN) ? -1 : real(__VA_ARGS__, flags, mode);                          \
	}

int open(const char *path, int flags, ...)
	OPEN_FUNCTION(open, path) int open64(const char *path, int flags, ...)
		OPEN_FUNCTION(open64, path) int openat(int folder, const char *path, int flags, ...)
			OPEN_FUNCTION(openat, folder, path) int openat64(
				int folder, const char *path, int flags, ...)
				OPEN_FUNCTION(openat64, folder, path)

					long syscall(long number, ...)
{
	REAL(syscall)
	long values[6];
	va_list arguments;
	va_start(arguments, number);
	for (int i = 0; i < 6; i++) {
		values[i] = va_arg(arguments, long);
	}
	va_end(arguments);
	if (number == SYS_openat2 && fails(OPEN)) {
		return -1;
	}
	return real(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

#define FAILING(group, type, name, parameters, failure, ...)                                       \
	type name parameters                                                                       \
	{                                                                                          \
		REAL(name)                                                                         \
		return fails(group) ? failure : real(__VA_ARGS__);                                 \
	}

// Half of what was asked for, but not nothing: that would be the end of a file.
static size_t half(size_t size)
{
	return size > 1 ? size / 2 : size;
}

// Disks fail; pipes and what wakes a thread do not. Nor do the standard streams, if they are files:
// there it is told what went wrong.
static bool is_file(int fd)
{
	struct stat status;
	return fd > STDERR_FILENO && syscall(SYS_fstat, fd, &status) == 0 &&
		S_ISREG(status.st_mode);
}

#define MOVING(group, name, parameters, fd, ...)                                                   \
	ssize_t name parameters                                                                    \
	{                                                                                          \
		REAL(name)                                                                         \
		enum fault fault = is_file(fd) ? next(group) : FAULT_NONE;                         \
		size = fault == FAULT_SHORT ? half(size) : size;                                   \
		return fault == FAULT_ERROR ? -1 : real(__VA_ARGS__);                              \
	}

MOVING(READ, read, (int fd, void *bytes, size_t size), fd, fd, bytes, size)
MOVING(READ, pread, (int fd, void *bytes, size_t size, off_t at), fd, fd, bytes, size, at)
MOVING(READ, pread64, (int fd, void *bytes, size_t size, off64_t at), fd, fd, bytes, size, at)
MOVING(WRITE, write, (int fd, const void *bytes, size_t size), fd, fd, bytes, size)
MOVING(WRITE, pwrite, (int fd, const void *bytes, size_t size, off_t at), fd, fd, bytes, size, at)
MOVING(WRITE, pwrite64, (int fd, const void *bytes, size_t size, off64_t at), fd, fd, bytes, size,
	at)

FAILING(READ, struct dirent *, readdir, (DIR * folder), NULL, folder)
FAILING(READ, struct dirent64 *, readdir64, (DIR * folder), NULL, folder)
FAILING(OPEN, DIR *, opendir, (const char *path), NULL, path)
FAILING(OPEN, DIR *, fdopendir, (int fd), NULL, fd)
FAILING(OPEN, int, memfd_create, (const char *name, unsigned flags), -1, name, flags)
FAILING(OPEN, int, pipe2, (int ends[2], int flags), -1, ends, flags)

FAILING(SYNC, int, fsync, (int fd), -1, fd)
FAILING(SYNC, int, fdatasync, (int fd), -1, fd)
FAILING(SYNC, int, syncfs, (int fd), -1, fd)

FAILING(NAME, int, ftruncate, (int fd, off_t size), -1, fd, size)
FAILING(NAME, int, ftruncate64, (int fd, off64_t size), -1, fd, size)
FAILING(NAME, int, rename, (const char *from, const char *to), -1, from, to)
FAILING(NAME, int, renameat, (int a, const char *from, int b, const char *to), -1, a, from, b, to)
FAILING(NAME, int, link, (const char *from, const char *to), -1, from, to)
FAILING(NAME, int, linkat, (int a, const char *from, int b, const char *to, int flags), -1, a, from,
	b, to, flags)
FAILING(NAME, int, symlinkat, (const char *target, int folder, const char *path), -1, target,
	folder, path)
FAILING(NAME, int, mkdir, (const char *path, mode_t mode), -1, path, mode)
FAILING(NAME, int, mkdirat, (int folder, const char *path, mode_t mode), -1, folder, path, mode)
FAILING(NAME, int, unlink, (const char *path), -1, path)
FAILING(NAME, int, unlinkat, (int folder, const char *path, int flags), -1, folder, path, flags)
FAILING(NAME, int, fchmod, (int fd, mode_t mode), -1, fd, mode)

int pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *data)
{
	REAL(pthread_create)
	return fails(THREAD) ? EAGAIN : real(thread, attributes, start, data);
}

// libseccomp 2.5 crashes or goes round in circles when memory runs out in it. muster makes sure
// beforehand that there is enough, which is tried with a real limit.
static bool is_asked_by(const void *caller, const char *library)
{
	Dl_info about;
	return dladdr(caller, &about) && about.dli_fname && strstr(about.dli_fname, library);
}

static bool runs_out(const void *caller)
{
	return !is_asked_by(caller, "libseccomp") && fails(MEMORY);
}

void *malloc(size_t size)
{
	return runs_out(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return runs_out(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return runs_out(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}
