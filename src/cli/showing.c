#include "cli/showing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/verb.h"

enum { SPOKEN_LINE = 2000 /* bytes of a line, before it is broken */ };

// What an agent's model is saying.
struct spoken {
	uint32_t branch;
	struct buffer line; // that is not at its end yet
	bool begun;         // something of this answer was shown
};

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// The run's working time, as the events have it.
static int64_t working_time(const struct showing *showing)
{
	return showing->at + now() - showing->seen;
}

// --- The texts beside the events come from the engine ---

static void verdict(void *data, uint32_t branch, uint32_t command, struct buffer *text)
{
	struct showing *showing = data;
	buffer_add_string(text, job_verdict(showing->job, branch, command));
}

static void call(void *data, uint32_t branch, uint32_t number, struct buffer *text)
{
	struct showing *showing = data;
	job_call_text(showing->job, branch, number, text);
}

static void said(void *data, uint32_t branch, struct buffer *text)
{
	struct showing *showing = data;
	buffer_add_text(text, job_report(showing->job, branch));
}

static void answer(void *data, uint32_t question, struct buffer *text)
{
	struct showing *showing = data;
	job_answer_text(showing->job, question, text);
}

static void message(void *data, struct buffer *text)
{
	struct showing *showing = data;
	buffer_add_string(text, job_message(showing->job));
}

static void reason(void *data, struct buffer *text)
{
	struct showing *showing = data;
	buffer_add_string(text, job_reason(showing->job));
}

static const struct store_change *changes(void *data, size_t *count)
{
	struct showing *showing = data;
	return job_changes(showing->job, count);
}

// --- Lines ---

static void write_line(void *data, struct text line)
{
	struct showing *showing = data;
	if (showing->silent) {
		return;
	}
	if (showing->screen) {
		screen_print(showing->screen, line);
	} else {
		fwrite(line.data, 1, line.length, stderr);
	}
}

static void draw(void *data, struct buffer *lines, size_t columns, size_t rows)
{
	struct showing *showing = data;
	pthread_mutex_lock(&showing->lock);
	live_draw(&showing->live, lines, columns, rows, working_time(showing), now());
	pthread_mutex_unlock(&showing->lock);
}

// A terminal that can move its cursor, and a person who wants that.
static bool is_drawn(const struct showing *showing)
{
	const char *terminal = getenv("TERM"), *said_so = showing->config->progress;
	return isatty(STDERR_FILENO) && terminal && terminal[0] && strcmp(terminal, "dumb") != 0 &&
		!(said_so && strcmp(said_so, "lines") == 0);
}

// The first events come while the run is being added.
static void begin(struct showing *showing, struct job *job, const char *words)
{
	bool colours = config_colours(showing->config, STDERR_FILENO);
	struct error ignored = {0}; // then there are plain lines
	showing->job = job;
	fprintf(stderr, "run %s%s\n", job_id(job), words);
	progress_init(&showing->progress, job_team(job));
	showing->progress.source = (struct progress_source){.data = showing,
		.verdict = verdict,
		.call = call,
		.said = showing->verbose ? NULL : said,
		.message = message,
		.answer = answer,
		.reason = reason,
		.changes = changes};
	showing->progress.colours = colours;
	showing->progress.write = write_line;
	showing->progress.write_data = showing;
	live_init(&showing->live, job_team(job), job_id(job), &showing->progress.follower, colours);
	showing->seen = now();
	if (is_drawn(showing)) {
		showing->screen = screen_open(STDERR_FILENO, draw, showing, &ignored);
	}
}

// --- What is being said ---

static struct spoken *spoken_in(struct showing *showing, uint32_t branch)
{
	for (size_t i = 0; i < showing->spoken_count; i++) {
		if (showing->spoken[i].branch == branch) {
			return &showing->spoken[i];
		}
	}
	showing->spoken = memory_resize(
		showing->spoken, (showing->spoken_count + 1) * sizeof(*showing->spoken));
	struct spoken *spoken = &showing->spoken[showing->spoken_count++];
	*spoken = (struct spoken){.branch = branch};
	return spoken;
}

static void say_line(struct showing *showing, uint32_t agent, struct text line)
{
	if (text_trim(line).length) {
		progress_said(&showing->progress, agent, working_time(showing), line);
	}
}

static void hear(struct showing *showing, struct spoken *spoken, uint32_t agent, struct text text)
{
	spoken->begun = true;
	while (text.length) {
		size_t length = text_find(text, TEXT("\n"));
		bool ends = length < text.length;
		buffer_add(&spoken->line, text.data, length);
		text.data += length + ends;
		text.length -= length + ends;
		if (ends || spoken->line.length > SPOKEN_LINE) {
			say_line(showing, agent, buffer_text(&spoken->line));
			buffer_clear(&spoken->line);
		}
	}
}

static void end_of_speech(struct showing *showing, struct spoken *spoken, uint32_t agent)
{
	say_line(showing, agent, buffer_text(&spoken->line));
	buffer_clear(&spoken->line);
	spoken->begun = false;
}

static void forget_spoken(struct showing *showing, uint32_t branch)
{
	struct spoken *spoken = spoken_in(showing, branch);
	buffer_finish(&spoken->line);
	*spoken = showing->spoken[--showing->spoken_count];
}

// An answer that did not come in pieces is shown as a whole.
static void say_answer(struct showing *showing, const struct run_event *event)
{
	struct spoken *spoken = spoken_in(showing, event->branch);
	uint32_t agent = showing->progress.follower.agent;
	if (!spoken->begun && event->text_bytes > 0) {
		hear(showing, spoken, agent, job_report(showing->job, event->branch));
	}
	end_of_speech(showing, spoken, agent);
}

// --- From the engine ---

static void take(struct showing *showing, const struct run_event *event, bool silent)
{
	pthread_mutex_lock(&showing->lock);
	showing->silent = silent;
	showing->at = event->at;
	showing->seen = now();
	progress_event(&showing->progress, event);
	live_event(&showing->live, event, &showing->progress.source, showing->seen);
	if (showing->verbose && !showing->silent && event->kind == MODEL_ANSWERED) {
		say_answer(showing, event);
	} else if (showing->verbose && event->kind == BRANCH_CLOSED) {
		forget_spoken(showing, event->branch);
	}
	if (showing->screen) {
		screen_touch(showing->screen);
	}
	pthread_mutex_unlock(&showing->lock);
}

static void watch(void *data, struct job *job, const struct run_event *event)
{
	struct showing *showing = data;
	if (!showing->job) {
		begin(showing, job, "");
	}
	take(showing, event, false);
}

// What happened before the run was taken up again has to be known, but not told.
static void remember(void *data, struct job *job, const struct run_event *event)
{
	struct showing *showing = data;
	if (!showing->job) {
		begin(showing, job, " goes on");
	}
	take(showing, event, true);
}

static void notice(void *data, uint32_t branch, uint32_t agent, const struct model_notice *notice)
{
	struct showing *showing = data;
	pthread_mutex_lock(&showing->lock);
	live_notice(&showing->live, branch, notice, now());
	if (showing->verbose) {
		struct spoken *spoken = spoken_in(showing, branch);
		if (notice->kind == NOTICE_TEXT) {
			hear(showing, spoken, agent, notice->text);
		} else {
			end_of_speech(showing, spoken, agent);
		}
	}
	if (notice->kind != NOTICE_TEXT) {
		progress_notice(&showing->progress, agent, working_time(showing), notice);
	}
	if (showing->screen) {
		screen_touch(showing->screen);
	}
	pthread_mutex_unlock(&showing->lock);
}

// On the thread that fills the workspace.
static void filling(void *data, int64_t files, int64_t bytes)
{
	struct showing *showing = data;
	buffer_cleanup line = {0};
	buffer_printf(&line, "filling the workspace: %lld files, %lld MB so far\n",
		(long long)files, (long long)(bytes / 1000000));
	pthread_mutex_lock(&showing->lock);
	write_line(showing, buffer_text(&line));
	pthread_mutex_unlock(&showing->lock);
}

static void sandbox_said(void *data, const char *text)
{
	struct showing *showing = data;
	buffer_cleanup line = {0};
	buffer_add_line(&line, text_of(text), 1000);
	buffer_add_char(&line, '\n');
	pthread_mutex_lock(&showing->lock);
	write_line(showing, buffer_text(&line));
	pthread_mutex_unlock(&showing->lock);
}

void showing_init(struct showing *showing, const struct config *config, bool quiet, bool verbose)
{
	bool none = config->progress && strcmp(config->progress, "none") == 0;
	*showing = (struct showing){
		.config = config, .quiet = quiet || none, .verbose = verbose && !quiet};
	pthread_mutex_init(&showing->lock, NULL);
}

struct engine_watcher showing_watcher(struct showing *showing)
{
	if (showing->quiet) {
		return (struct engine_watcher){0};
	}
	return (struct engine_watcher){.event = watch,
		.past = remember,
		.notice = notice,
		.filling = filling,
		.said = sandbox_said,
		.notice_text = showing->verbose || is_drawn(showing),
		.data = showing};
}

void showing_end(struct showing *showing)
{
	pthread_mutex_lock(&showing->lock);
	struct screen *screen = showing->screen;
	showing->screen = NULL;
	pthread_mutex_unlock(&showing->lock);
	screen_close(screen); // its thread may wait for the lock
}

void showing_finish(struct showing *showing)
{
	showing_end(showing);
	for (size_t i = 0; i < showing->spoken_count; i++) {
		buffer_finish(&showing->spoken[i].line);
	}
	free(showing->spoken);
	if (showing->job) {
		live_finish(&showing->live);
		progress_finish(&showing->progress);
	}
	pthread_mutex_destroy(&showing->lock);
}
