#include "view/screen.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
	SCREEN_PAUSE = 1000 / SCREEN_RATE, // milliseconds between two drawings
	SCREEN_TICK = 1000,                // until it is drawn though nothing changed: clocks go on
	SCREEN_COLUMNS = 80,               // of a terminal that does not say
	SCREEN_ROWS = 24,
};

struct screen {
	int fd, wake;
	screen_draw *draw;
	void *data;
	pthread_t thread;
	pthread_mutex_t lock;
	struct buffer printed; // that was not shown yet
	atomic_bool touched, closing;
	// The thread's own:
	int64_t drawn_at;
	size_t drawn;                        // lines
	struct sigaction resized, continued; // what was there before
};

// For the signal handlers.
static struct {
	atomic_int wake;
	atomic_bool resized, continued;
} signalled = {.wake = -1};

static void take_signal(int number)
{
	int saved = errno;
	int wake = atomic_load(&signalled.wake);
	const uint64_t one = 1;
	atomic_store(number == SIGCONT ? &signalled.continued : &signalled.resized, true);
	if (wake >= 0 && write(wake, &one, sizeof(one)) < 0) {
		// It is awake already.
	}
	errno = saved;
}

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void wake(struct screen *screen)
{
	const uint64_t one = 1;
	while (write(screen->wake, &one, sizeof(one)) < 0 && errno == EINTR) {
	}
}

// --- Widths ---

// Takes a character or a whole escape sequence off; its width.
static size_t take_width(struct text *rest)
{
	const unsigned char *at = (const unsigned char *)rest->data;
	size_t length = 1, width = 1;
	if (at[0] == 0x1b) {
		while (length < rest->length && at[length] != 'm') {
			length++;
		}
		length += length < rest->length;
		width = 0;
	} else if (at[0] >= 0x80) {
		length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
		length = length < rest->length ? length : rest->length;
		width = at[0] < 0xe1 || (at[0] == 0xe2 && length == 3 && at[1] < 0x8c) ? 1 : 2;
	}
	rest->data += length;
	rest->length -= length;
	return width;
}

size_t screen_width(struct text text)
{
	size_t width = 0;
	while (text.length) {
		width += take_width(&text);
	}
	return width;
}

struct text screen_cut(struct text text, size_t columns)
{
	struct text rest = text;
	size_t width = 0, fits = 0;
	while (rest.length) {
		width += take_width(&rest);
		if (width > columns) {
			break;
		}
		fits = text.length - rest.length;
	}
	return (struct text){text.data, fits};
}

// --- Drawing ---

static void measure(const struct screen *screen, size_t *columns, size_t *rows)
{
	struct winsize size = {0};
	bool known = ioctl(screen->fd, TIOCGWINSZ, &size) == 0;
	*columns = known && size.ws_col ? size.ws_col : SCREEN_COLUMNS;
	*rows = known && size.ws_row ? size.ws_row : SCREEN_ROWS;
}

// Some terminals break lines anew when they become narrower, some do not, and none says so. Going up as
// if it did not may leave a piece of what was drawn, but never takes a line that is to stay.
static void erase(struct screen *screen, struct buffer *output)
{
	if (screen->drawn) {
		buffer_printf(output, "\033[%zuA\r\033[J", screen->drawn);
	}
	screen->drawn = 0;
}

static size_t count_lines(struct text lines)
{
	struct text line;
	size_t count = 0;
	while (text_next_line(&lines, &line)) {
		count++;
	}
	return count;
}

// A terminal that does not take it now is waited for, here and nowhere else.
static void show(const struct screen *screen, struct text output)
{
	while (output.length) {
		ssize_t written = write(screen->fd, output.data, output.length);
		if (written < 0 && errno == EAGAIN) {
			struct pollfd poller = {.fd = screen->fd, .events = POLLOUT};
			poll(&poller, 1, SCREEN_TICK);
		} else if (written < 0 && errno != EINTR) {
			return; // it is gone
		} else if (written > 0) {
			output.data += written;
			output.length -= (size_t)written;
		}
	}
}

static void render(struct screen *screen, bool last)
{
	buffer_cleanup output = {0}, lines = {0};
	size_t columns, rows;
	measure(screen, &columns, &rows);
	if (atomic_exchange(&signalled.continued, false)) {
		screen->drawn = 0; // others have written meanwhile
	}
	if (screen->drawn >= rows) { // what went out of the window cannot be reached
		screen->drawn = rows - 1;
	}
	erase(screen, &output);
	atomic_store(&screen->touched, false);
	pthread_mutex_lock(&screen->lock);
	buffer_add_text(&output, buffer_text(&screen->printed));
	buffer_clear(&screen->printed);
	pthread_mutex_unlock(&screen->lock);
	size_t room = rows > 3 ? rows - 2 : 0;
	if (!last && room) {
		screen->draw(screen->data, &lines, columns, room);
		buffer_add_text(&output, buffer_text(&lines));
		screen->drawn = count_lines(buffer_text(&lines));
	}
	show(screen, buffer_text(&output));
	screen->drawn_at = now();
}

// Milliseconds until it is to be drawn; 0: now.
static int wait_for(const struct screen *screen)
{
	bool changed = atomic_load(&screen->touched) || atomic_load(&signalled.continued);
	int64_t pause = changed ? SCREEN_PAUSE : SCREEN_TICK;
	int64_t left = screen->drawn_at + pause - now();
	return atomic_load(&signalled.resized) || left < 0 ? 0 : (int)left;
}

static void *work(void *data)
{
	struct screen *screen = data;
	while (!atomic_load(&screen->closing)) {
		struct pollfd poller = {.fd = screen->wake, .events = POLLIN};
		uint64_t count;
		if (poll(&poller, 1, wait_for(screen)) > 0 &&
			read(screen->wake, &count, sizeof(count)) < 0) {
			continue;
		}
		if (atomic_exchange(&signalled.resized, false)) {
			// A window that is being drawn larger sends many.
			int64_t left = screen->drawn_at + SCREEN_PAUSE - now();
			if (left > 0) {
				poll(NULL, 0, (int)left);
			}
			render(screen, false);
		} else if (!atomic_load(&screen->closing) && wait_for(screen) == 0) {
			render(screen, false);
		}
	}
	render(screen, true);
	return NULL;
}

// --- From outside ---

static bool start_thread(struct screen *screen)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = pthread_create(&screen->thread, NULL, work, screen) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

struct screen *screen_open(int fd, screen_draw *draw, void *data, struct error *error)
{
	struct screen *screen = memory_alloc(sizeof(*screen));
	struct sigaction action = {.sa_handler = take_signal, .sa_flags = SA_RESTART};
	screen->fd = fd;
	screen->draw = draw;
	screen->data = data;
	screen->drawn_at = now() - SCREEN_TICK;
	screen->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&screen->lock, NULL);
	if (screen->wake < 0 || !start_thread(screen)) {
		error_errno(error, ERROR_FAILED, "cannot draw on the terminal");
		if (screen->wake >= 0) {
			close(screen->wake);
		}
		pthread_mutex_destroy(&screen->lock);
		free(screen);
		return NULL;
	}
	atomic_store(&signalled.wake, screen->wake);
	sigaction(SIGWINCH, &action, &screen->resized);
	sigaction(SIGCONT, &action, &screen->continued);
	return screen;
}

void screen_close(struct screen *screen)
{
	if (!screen) {
		return;
	}
	sigaction(SIGWINCH, &screen->resized, NULL);
	sigaction(SIGCONT, &screen->continued, NULL);
	atomic_store(&signalled.wake, -1);
	atomic_store(&screen->closing, true);
	wake(screen);
	pthread_join(screen->thread, NULL);
	close(screen->wake);
	pthread_mutex_destroy(&screen->lock);
	buffer_finish(&screen->printed);
	free(screen);
}

void screen_touch(struct screen *screen)
{
	if (!atomic_exchange(&screen->touched, true)) {
		wake(screen);
	}
}

void screen_print(struct screen *screen, struct text lines)
{
	pthread_mutex_lock(&screen->lock);
	buffer_add_text(&screen->printed, lines);
	pthread_mutex_unlock(&screen->lock);
	screen_touch(screen);
}
