#include "base/arena.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_SIZE = 16 * 1024, ALIGNMENT = 16, MEMORY_EXIT_CODE = 1 };

struct arena_block {
	struct arena_block *older;
	size_t size;
	_Alignas(ALIGNMENT) char data[];
};

_Noreturn void memory_exhausted(void)
{
	static const char message[] =
		"muster: out of memory; a run that was under way can be resumed\n";
	// Two threads may come here at once.
	static atomic_flag told = ATOMIC_FLAG_INIT;
	if (!atomic_flag_test_and_set(&told)) {
		ssize_t written = write(STDERR_FILENO, message, sizeof(message) - 1);
		(void)written; // there is nobody else to tell
		_exit(MEMORY_EXIT_CODE);
	}
	for (;;) {
		pause();
	}
}

void *memory_alloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);
	if (!memory) {
		memory_exhausted();
	}
	return memory;
}

void *memory_resize(void *old, size_t size)
{
	void *memory = realloc(old, size ? size : 1);
	if (!memory) {
		memory_exhausted();
	}
	return memory;
}

char *memory_string(const char *string)
{
	size_t size = strlen(string) + 1;
	return memcpy(memory_alloc(size), string, size);
}

void arena_finish(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *older = arena->blocks->older;
		free(arena->blocks);
		arena->blocks = older;
	}
	*arena = (struct arena){0};
}

static void add_block(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX - sizeof(struct arena_block)) {
		memory_exhausted();
	}
	struct arena_block *block = malloc(sizeof(*block) + size);
	if (!block) {
		memory_exhausted();
	}
	block->older = arena->blocks;
	block->size = size;
	arena->blocks = block;
	arena->next = block->data;
	arena->room = size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX - ALIGNMENT) {
		memory_exhausted();
	}
	// Nothing at all takes room, too, so that there is always something to point to.
	size_t rounded = size ? (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
	if (rounded > arena->room) {
		add_block(arena, rounded > BLOCK_SIZE ? rounded : BLOCK_SIZE);
	}
	char *memory = arena->next;
	arena->next += rounded;
	arena->room -= rounded;
	return memset(memory, 0, rounded);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total)) {
		memory_exhausted();
	}
	return arena_alloc(arena, total);
}

char *arena_copy(struct arena *arena, const void *data, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);
	if (length) {
		memcpy(copy, data, length);
	}
	return copy;
}

char *arena_string(struct arena *arena, const char *string)
{
	return arena_copy(arena, string, strlen(string));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
{
	va_list again;
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0) {
		memory_exhausted(); // our formats are sound
	}
	char *string = arena_alloc(arena, (size_t)length + 1);
	vsnprintf(string, (size_t)length + 1, format, arguments);
	return string;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *string = arena_vprintf(arena, format, arguments);
	va_end(arguments);
	return string;
}
