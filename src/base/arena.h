/*
 * Memory for what lives together: a team, a run's state, one turn. Everything taken from an arena
 * is freed at once by arena_finish(). Running out of memory ends the process with a message and exit
 * code 1, as suddenly as a kill would: what is in the journal is what happened, and a run can be
 * resumed. So no caller checks for NULL; sizes that come from outside are limited before they get
 * here.
 * An arena belongs to one thread at a time.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; // newest first
	char *next;                 // free room in the newest block
	size_t room;
};

#define arena_cleanup __attribute__((cleanup(arena_finish))) struct arena

void arena_finish(struct arena *arena); // frees everything; the arena is empty and usable again

// Zeroed, aligned for any type.
void *arena_alloc(struct arena *arena, size_t size);
// As arena_alloc(count * size); a product that overflows ends the process.
void *arena_array(struct arena *arena, size_t count, size_t size);
#define arena_new(arena, type) ((type *)arena_alloc(arena, sizeof(type)))
#define arena_new_array(arena, count, type) ((type *)arena_array(arena, count, sizeof(type)))

// Copies with a zero byte behind them.
char *arena_copy(struct arena *arena, const void *data, size_t length);
char *arena_string(struct arena *arena, const char *string);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

// malloc family that ends the process when memory runs out.
void *memory_alloc(size_t size); // zeroed
void *memory_resize(void *old, size_t size);
char *memory_string(const char *string);
_Noreturn void memory_exhausted(void); // for those who find out themselves
