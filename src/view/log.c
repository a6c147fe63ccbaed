#include "view/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/event_json.h"
#include "view/document.h"
#include "view/log_texts.h"
#include "view/progress.h"
#include "view/words.h"

enum { LOG_FIELD = 200 };

struct printing {
	const struct log_settings *settings;
	struct progress progress;
	struct log_texts *texts;
	struct error *error;
	int64_t sequence; // of the last event
	bool stopped, failed;
};

static void hand_on(void *data, struct text line)
{
	struct printing *printing = data;
	const struct log_settings *settings = printing->settings;
	printing->stopped = printing->stopped || !settings->write(settings->data, line);
}

static void add_field(struct buffer *buffer, const cJSON *member)
{
	buffer_cleanup value = {0};
	if (cJSON_IsString(member)) {
		buffer_add_string(&value, member->valuestring);
	} else {
		json_print(&value, member);
	}
	buffer_add_string(buffer, "  ");
	buffer_add_line(buffer, text_of(member->string), LOG_FIELD);
	buffer_add_char(buffer, '=');
	buffer_add_line(buffer, buffer_text(&value), LOG_FIELD);
}

static void print_event(struct printing *printing, const struct store_event *event)
{
	struct error ignored = {0}; // shown without fields
	json_cleanup *body = json_parse(event->body, &ignored);
	buffer_cleanup line = {0};
	buffer_printf(&line, "%6" PRId64 "  ", event->sequence);
	words_add_clock(&line, (int64_t)json_number(body, "at", 0));
	buffer_add_string(&line, "  ");
	words_add_padded(&line, event->kind, 20);
	const cJSON *member;
	cJSON_ArrayForEach(member, body)
	{
		if (strcmp(member->string, "at") != 0) {
			add_field(&line, member);
		}
	}
	buffer_add_char(&line, '\n');
	hand_on(printing, buffer_text(&line));
}

static void print_json(struct printing *printing, const struct store_event *event)
{
	buffer_cleanup line = {0};
	struct document document = {.buffer = &line};
	document_object(&document, NULL);
	document_number(&document, "sequence", event->sequence);
	document_number(&document, "time_ms", event->at);
	document_string(&document, "kind", event->kind);
	document_json(&document, "body", event->body);
	document_end(&document);
	hand_on(printing, buffer_text(&line));
}

static bool tell(struct printing *printing, const struct store_event *row)
{
	arena_cleanup arena = {0};
	struct run_event event;
	if (!event_from_json(&arena, row->kind, row->body, &event, printing->error)) {
		printing->failed = true;
		return false;
	}
	log_texts_event(printing->texts, &event, row->sequence);
	progress_event(&printing->progress, &event);
	return true;
}

static bool take_row(void *data, const struct store_event *row)
{
	struct printing *printing = data;
	printing->sequence = row->sequence;
	switch (printing->settings->form) {
	case LOG_TOLD:
		return tell(printing, row) && !printing->stopped;
	case LOG_EVENTS:
		print_event(printing, row);
		break;
	case LOG_JSON:
		print_json(printing, row);
		break;
	}
	return !printing->stopped;
}

bool log_print(struct store *store, const struct store_run *run, const struct team *team,
	const struct log_settings *settings, struct error *error)
{
	struct printing printing = {.settings = settings, .error = error};
	if (settings->form == LOG_TOLD) {
		printing.texts = log_texts_create(store, run, error);
		if (!printing.texts) {
			return false;
		}
		progress_init(&printing.progress, team);
		printing.progress.source = log_texts_source(printing.texts);
		printing.progress.colours = settings->colours;
		printing.progress.write = hand_on;
		printing.progress.write_data = &printing;
	}
	bool fine = store_events(store, run->id, 0, take_row, &printing, error);
	while (fine && !printing.stopped && !printing.failed && settings->wait &&
		settings->wait(settings->data)) {
		fine = store_events(store, run->id, printing.sequence, take_row, &printing, error);
	}
	if (settings->form == LOG_TOLD) {
		progress_finish(&printing.progress);
		log_texts_destroy(printing.texts);
	}
	return fine && !printing.failed;
}
