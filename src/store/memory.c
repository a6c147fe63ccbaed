/*
 * The libraries of the store get their memory where we do. Where it runs out, SQLite in the middle of
 * reading a row gives an empty text, and libgit2 1.5 crashes; with our allocator the process ends
 * with a message.
 */
#include <git2.h>
#include <git2/sys/alloc.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/history_parts.h"
#include "store/internal.h"

static void *resize(void *old, int size)
{
	return memory_resize(old, (size_t)size);
}

static void *take(int size)
{
	return memory_resize(NULL, (size_t)size);
}

static int size_of(void *memory)
{
	return (int)malloc_usable_size(memory);
}

static int round_up(int size)
{
	return (size + 7) & ~7;
}

static int begin(void *data)
{
	(void)data;
	return SQLITE_OK;
}

static void end(void *data)
{
	(void)data;
}

static void set_memory(void)
{
	static const sqlite3_mem_methods methods = {.xMalloc = take,
		.xFree = free,
		.xRealloc = resize,
		.xSize = size_of,
		.xRoundup = round_up,
		.xInit = begin,
		.xShutdown = end};
	sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

void store_set_memory(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, set_memory);
}

static void *git_take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return memory_resize(NULL, size);
}

static void *git_resize(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return memory_resize(old, size);
}

#if LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR < 7
static void *git_resize_array(void *old, size_t count, size_t size, const char *file, int line)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total)) {
		memory_exhausted();
	}
	return git_resize(old, total, file, line);
}

static void *git_take_array(size_t count, size_t size, const char *file, int line)
{
	return git_resize_array(NULL, count, size, file, line);
}

static void *git_take_zeroed(size_t count, size_t size, const char *file, int line)
{
	return memset(git_take_array(count, size, file, line), 0, count * size);
}

static char *git_copy(const char *string, size_t length, const char *file, int line)
{
	char *copy = git_take(length + 1, file, line);
	memcpy(copy, string, length);
	copy[length] = '\0';
	return copy;
}

static char *git_copy_most(const char *string, size_t most, const char *file, int line)
{
	return git_copy(string, strnlen(string, most), file, line);
}

static char *git_copy_string(const char *string, const char *file, int line)
{
	return git_copy(string, strlen(string), file, line);
}
#endif

void history_set_memory(void)
{
	static git_allocator allocator = {
		.gmalloc = git_take,
		.grealloc = git_resize,
		.gfree = free,
#if LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR < 7
		.gcalloc = git_take_zeroed,
		.gmallocarray = git_take_array,
		.greallocarray = git_resize_array,
		.gstrdup = git_copy_string,
		.gstrndup = git_copy_most,
		.gsubstrdup = git_copy,
#endif
	};
	git.libgit2_opts(GIT_OPT_SET_ALLOCATOR, &allocator);
}
