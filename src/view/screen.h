/*
 * The lower end of a terminal, drawn again as things change: lines that stay scroll up above it. Drawn on a
 * thread of its own, at most SCREEN_RATE times a second, so that neither a slow terminal nor a busy run
 * waits for the other. Follows the size of the terminal.
 */
#pragma once

#include "base/error.h"
#include "base/text.h"

enum { SCREEN_RATE = 10 };

struct screen;

// Adds the lines, each with its LF: printable text and colours, at most `rows` of them, each narrower
// than `columns`. Called on the screen's thread.
typedef void screen_draw(void *data, struct buffer *lines, size_t columns, size_t rows);

// NULL if there can be none. One per process. A terminal that cannot move its cursor is the caller's
// business.
struct screen *screen_open(int fd, screen_draw *draw, void *data, struct error *error);
// Shows what is left to be shown, without what was drawn. NULL is fine.
void screen_close(struct screen *screen);
// Lines that stay, each with its LF. Any thread.
void screen_print(struct screen *screen, struct text lines);
// Something changed. Any thread; cheap.
void screen_touch(struct screen *screen);

// How many columns the text takes at most: wide characters count two, what stands in escape sequences
// of colours nothing.
size_t screen_width(struct text text);
// The longest start of a text that takes at most so many columns.
struct text screen_cut(struct text text, size_t columns);
