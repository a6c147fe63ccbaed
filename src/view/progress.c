#include "view/progress.h"

#include <string.h>

#include "view/words.h"

enum {
	PROGRESS_SAID = 100,   // bytes of a text in a line
	PROGRESS_REASON = 300, // bytes of a reason
	PROGRESS_LINE = 4000,  // bytes of a line of what is said
	PROGRESS_CHANGES = 12, // lines per record
	PROGRESS_NAME = 24,    // widest column of names
};

// A line that is being made.
struct line {
	struct progress *progress;
	const struct run_event *event;
	struct buffer buffer;
};

void progress_init(struct progress *progress, const struct team *team)
{
	*progress = (struct progress){0};
	follow_init(&progress->follower, team);
	for (size_t i = 0; i < team->agent_count; i++) {
		size_t width = strlen(team->agents[i].name);
		progress->name_width = width > progress->name_width ? width : progress->name_width;
	}
	if (progress->name_width > PROGRESS_NAME) {
		progress->name_width = PROGRESS_NAME;
	}
}

void progress_finish(struct progress *progress)
{
	follow_finish(&progress->follower);
}

static void begin_at(struct line *line, int64_t at, const char *name, enum words_colour colour)
{
	bool colours = line->progress->colours;
	struct buffer *buffer = &line->buffer;
	buffer_clear(buffer);
	words_colour(buffer, colours, COLOUR_DIM);
	words_add_clock(buffer, at);
	words_colour(buffer, colours, COLOUR_PLAIN);
	buffer_add_string(buffer, "  ");
	words_add_padded(buffer, name, line->progress->name_width);
	buffer_add_string(buffer, "  ");
	words_colour(buffer, colours, colour);
	line->progress->words_start = buffer->length;
}

static void begin(struct line *line, const char *name, enum words_colour colour)
{
	begin_at(line, line->event->at, name, colour);
}

// A line about the agent that the event is about.
static void begin_agent(struct line *line, enum words_colour colour)
{
	const struct follower *follower = &line->progress->follower;
	bool known = follower->agent != RUN_NONE;
	begin(line, known ? follow_agent_name(follower, follower->agent) : "", colour);
}

static void add(struct line *line, const char *string)
{
	buffer_add_line(&line->buffer, text_of(string), PROGRESS_REASON);
}

static void end(struct line *line)
{
	struct progress *progress = line->progress;
	words_colour(&line->buffer, progress->colours, COLOUR_PLAIN);
	buffer_add_char(&line->buffer, '\n');
	if (progress->write) {
		progress->write(progress->write_data, buffer_text(&line->buffer));
	}
}

static void simple(struct line *line, enum words_colour colour, const char *words)
{
	begin_agent(line, colour);
	add(line, words);
	end(line);
}

// The first string among a call's arguments says most: the path, the command, the task. Works on a
// JSON object that was cut off, too.
static void add_argument(struct buffer *buffer, struct text json)
{
	size_t at = text_find(json, TEXT("\":"));
	if (at >= json.length) {
		return;
	}
	struct text rest = text_trim((struct text){json.data + at + 2, json.length - at - 2});
	if (rest.length == 0 || rest.data[0] != '"') {
		return;
	}
	buffer_cleanup value = {0};
	for (size_t i = 1; i < rest.length && rest.data[i] != '"'; i++) {
		if (rest.data[i] == '\\' && i + 1 < rest.length) {
			i++;
			buffer_add_char(&value,
				rest.data[i] == 'n' || rest.data[i] == 't' ? ' ' : rest.data[i]);
		} else {
			buffer_add_char(&value, rest.data[i]);
		}
	}
	if (value.length) {
		buffer_add_char(buffer, ' ');
		buffer_add_line(buffer, buffer_text(&value), PROGRESS_SAID);
	}
}

void progress_add_call(struct buffer *buffer, struct text call, bool named)
{
	size_t space = text_find(call, TEXT(" "));
	if (named) {
		buffer_add_line(buffer, (struct text){call.data, space}, PROGRESS_SAID);
	}
	if (space < call.length) {
		add_argument(buffer, (struct text){call.data + space, call.length - space});
	}
}

// "exec_command sh tests/test.sh"; only the argument when `named` is false.
static bool add_call(struct line *line, uint32_t branch, uint32_t call, bool named)
{
	const struct progress_source *source = &line->progress->source;
	buffer_cleanup text = {0};
	if (source->call) {
		source->call(source->data, branch, call, &text);
	}
	progress_add_call(&line->buffer, buffer_text(&text), named);
	return text.length > 0;
}

static void add_reason(struct line *line)
{
	const struct progress_source *source = &line->progress->source;
	buffer_cleanup text = {0};
	if (source->reason) {
		source->reason(source->data, &text);
	}
	if (text.length) {
		buffer_add_string(&line->buffer, ": ");
		buffer_add_line(&line->buffer, buffer_text(&text), PROGRESS_REASON);
	}
}

// One line per reason why a gate fails: "gate plan: AGENT_TASKS.md is missing".
static void tell_failure(struct line *line, const struct follow_failure *failure)
{
	const struct progress_source *source = &line->progress->source;
	buffer_cleanup text = {0};
	if (source->verdict) {
		source->verdict(
			source->data, failure->verdict_branch, failure->verdict_command, &text);
	}
	struct text rest = buffer_text(&text), reason;
	const char *gate = follow_gate_name(&line->progress->follower, failure->gate);
	do {
		reason = (struct text){0};
		text_next_line(&rest, &reason);
		begin_agent(line, COLOUR_BAD);
		if (text_starts(reason, "  ")) { // what a command said
			buffer_add_string(&line->buffer, "    ");
			buffer_add_line(&line->buffer, reason, PROGRESS_REASON);
			end(line);
			continue;
		}
		if (text_starts(reason, "- ")) {
			reason.data += 2;
			reason.length -= 2;
		}
		buffer_add_string(&line->buffer, "  gate ");
		buffer_add_line(&line->buffer, text_of(gate), PROGRESS_SAID);
		buffer_add_string(&line->buffer, reason.length ? ": " : " fails");
		buffer_add_line(&line->buffer, reason, PROGRESS_REASON);
		end(line);
	} while (rest.length);
}

static void tell_failures(struct line *line, uint32_t branch, uint32_t call)
{
	struct follower *follower = &line->progress->follower;
	for (size_t i = 0; i < follower->failure_count; i++) {
		const struct follow_failure *failure = &follower->failures[i];
		if (failure->branch == branch && (failure->call == call || call == FOLLOW_ALL)) {
			tell_failure(line, failure);
		}
	}
	follow_forget(follower, branch, call);
}

static void tell_change(struct line *line, const struct store_change *change)
{
	bool deleted = strcmp(change->status, "deleted") == 0;
	begin(line, change->agent, change->outside ? COLOUR_BAD : COLOUR_PLAIN);
	add(line, deleted ? "deletes " : "writes ");
	add(line, change->path);
	if (!deleted) {
		buffer_add_string(&line->buffer, " (");
		words_add_size(&line->buffer, change->size);
		buffer_add_char(&line->buffer, ')');
	}
	add(line, change->outside ? ", outside of what it may write" : "");
	end(line);
}

static void tell_changes(struct line *line)
{
	const struct progress_source *source = &line->progress->source;
	size_t count = 0;
	const struct store_change *changes =
		source->changes ? source->changes(source->data, &count) : NULL;
	for (size_t i = 0; i < count && i < PROGRESS_CHANGES; i++) {
		tell_change(line, &changes[i]);
	}
	if (count > PROGRESS_CHANGES) {
		begin(line, "", COLOUR_PLAIN);
		buffer_printf(&line->buffer, "and %zu more files", count - PROGRESS_CHANGES);
		end(line);
	}
}

static void run_started(struct line *line)
{
	const struct team *team = line->progress->follower.team;
	begin_agent(line, COLOUR_PLAIN);
	add(line, team->agent_count > 1 ? "begins with " : "begins as the only agent of the team ");
	if (team->agent_count > 1) {
		words_add_count(&line->buffer, (int64_t)team->agent_count - 1,
			"other agent of the team ", "other agents of the team ");
	}
	add(line, team->name);
	end(line);
}

static void sandbox_opened(struct line *line)
{
	const struct progress_source *source = &line->progress->source;
	size_t count = 0;
	if (source->changes) {
		source->changes(source->data, &count);
	}
	begin(line, "", line->event->failed ? COLOUR_BAD : COLOUR_DIM);
	if (line->event->failed) {
		add(line, "the sandbox could not be opened");
		add_reason(line);
	} else if (line->event->changes > 0) {
		add(line, "the sandbox is open again; meanwhile:");
	} else {
		add(line, "the sandbox is open, with ");
		words_add_count(&line->buffer, (int64_t)count, "file", "files");
	}
	end(line);
	if (line->event->changes > 0) {
		tell_changes(line);
	}
}

static void model_answered(struct line *line)
{
	const struct progress_source *source = &line->progress->source;
	buffer_cleanup text = {0};
	if (source->said && line->event->text_bytes > 0) {
		source->said(source->data, line->event->branch, &text);
	}
	struct text said = text_trim(buffer_text(&text));
	if (said.length) {
		begin_agent(line, COLOUR_DIM);
		add(line, "says: ");
		buffer_add_line(&line->buffer, said, PROGRESS_SAID);
		end(line);
	}
}

static void model_failed(struct line *line)
{
	begin_agent(line, COLOUR_BAD);
	add(line, line->event->interrupted ? "was interrupted" : "gets no answer from its model");
	add_reason(line);
	end(line);
}

static void command_scheduled(struct line *line)
{
	if (line->event->code == COMMAND_CALL_TOOL) {
		begin_agent(line, COLOUR_DIM);
		add(line, "calls ");
		if (!add_call(line, line->event->branch, line->event->call, true)) {
			add(line, "a tool");
		}
		end(line);
	}
}

static void tool_answered(struct line *line)
{
	if (line->event->failed || line->event->interrupted) {
		begin_agent(line, COLOUR_BAD);
		add(line, line->event->interrupted ? "was interrupted in: " : "failing call: ");
		add_call(line, line->event->branch, line->progress->follower.command.call, true);
		end(line);
	}
}

static void workspace_recorded(struct line *line)
{
	if (line->event->failed) {
		begin(line, "", COLOUR_BAD);
		add(line, "the workspace could not be recorded");
		add_reason(line);
		end(line);
	}
	tell_changes(line);
}

// What the gate was checked for: " for the handoff to designer".
static void add_occasion(struct line *line, uint32_t branch, uint32_t call)
{
	const struct follower *follower = &line->progress->follower;
	uint32_t target = follow_target(follower, branch, call);
	if (target != RUN_NONE) {
		add(line, ", for the handoff to ");
		add(line, follow_agent_name(follower, target));
	}
}

static void tell_gate(struct line *line, uint32_t gate, uint32_t call, const char *still)
{
	static const struct {
		enum words_colour colour;
		const char *words;
	} rows[] = {
		[CHECK_HOLDS] = {COLOUR_GOOD, " holds"},
		[CHECK_FAILS] = {COLOUR_PLAIN, NULL}, // told with what it refuses
		[CHECK_NOT_MADE] = {COLOUR_BAD, " could not be checked"},
		[CHECK_NEEDS_PERSON] = {COLOUR_PLAIN, " waits for a person"},
	};
	uint32_t code = line->event->code;
	if (code > CHECK_NEEDS_PERSON || !rows[code].words) {
		return;
	}
	begin_agent(line, rows[code].colour);
	add(line, "gate ");
	add(line, follow_gate_name(&line->progress->follower, gate));
	add(line, still);
	add(line, rows[code].words);
	add_occasion(line, line->event->branch, call);
	end(line);
}

static void gate_checked(struct line *line)
{
	const struct follow_command *command = &line->progress->follower.command;
	tell_gate(line, command->gate, command->call, "");
}

static void gate_repeated(struct line *line)
{
	tell_gate(line, line->event->gate, line->event->call, " still");
}

static void call_answered(struct line *line)
{
	static const char *const words[] = {[ANSWER_UNKNOWN_TOOL] = "unknown tool: ",
		[ANSWER_UNKNOWN_AGENT] = "may not hand over so: ",
		[ANSWER_MALFORMED] = "malformed call: ",
		[ANSWER_FORBIDDEN] = "forbidden call: ",
		[ANSWER_REJECTED] = "a person rejected: ",
		[ANSWER_NOT_PERFORMED] = "not performed beside other handoffs: ",
		[ANSWER_TOO_DEEP] = "delegation is too deep: ",
		[ANSWER_INTERRUPTED] = "was interrupted in: ",
		[ANSWER_CANCELLED] = "cancelled: "};
	const struct run_event *event = line->event;
	const struct follower *follower = &line->progress->follower;
	uint32_t target = follow_target(follower, event->branch, event->call);
	if (event->code == ANSWER_REFUSED || event->code == ANSWER_STILL_WRITTEN) {
		begin_agent(line, COLOUR_BAD);
		buffer_printf(&line->buffer, "handoff to %s is refused%s",
			follow_agent_name(follower, target),
			event->code == ANSWER_REFUSED ? "" : ": still being written by ");
		add(line,
			event->code == ANSWER_REFUSED ? ""
						      : follow_agent_name(follower, event->value));
		end(line);
		tell_failures(line, event->branch, event->call);
	} else if (event->code < sizeof(words) / sizeof(words[0]) && words[event->code]) {
		begin_agent(line, COLOUR_BAD);
		add(line, words[event->code]);
		add_call(line, event->branch, event->call, true);
		end(line);
	}
	if (event->code != ANSWER_CANCELLED) { // the end of its branch tells what failed
		follow_forget(&line->progress->follower, event->branch, event->call);
	}
}

static void completion_refused(struct line *line)
{
	static const char *const words[] = {
		[NOTE_OUTPUTS] = "wants to be done, refused by its outputs",
		[NOTE_OUTSIDE] = "wants to be done, refused: it wrote where it may not",
		[NOTE_EMPTY] = "gives an empty answer",
		[NOTE_CUT] = "gives an answer that is cut off",
		[NOTE_REFUSED] = "gives a refusal",
		[NOTE_REPEATED] = "makes the same failing call for the third time",
		[NOTE_MESSAGE] = "wants to be done, but a message came in"};
	uint32_t code = line->event->code;
	if (code < sizeof(words) / sizeof(words[0]) && words[code]) {
		simple(line, COLOUR_BAD, words[code]);
	}
	tell_failures(line, line->event->branch, RUN_NONE);
}

static void question_asked(struct line *line)
{
	begin_agent(line, COLOUR_STRONG);
	if (line->event->code == QUESTION_TOOL) {
		add(line, "waits for a person: may it call ");
		add_call(line, line->event->branch, line->event->call, true);
	} else if (line->event->code == QUESTION_TEXT) {
		add(line, "waits for a person's answer: ");
		add_call(line, line->event->branch, line->event->call, true);
	} else if (line->event->code == QUESTION_GATE) {
		add(line, "waits for a person to approve gate ");
		add(line, follow_gate_name(&line->progress->follower, line->event->gate));
	} else {
		add(line, "waits for a person: its retries are used up");
	}
	end(line);
	if (line->event->code == QUESTION_POLICY) { // a person has to know what to decide on
		tell_failures(line, line->event->branch, FOLLOW_ALL);
	}
}

static void person_answered(struct line *line)
{
	begin(line, "", COLOUR_STRONG);
	const struct progress_source *source = &line->progress->source;
	const struct run_event *event = line->event;
	const char *choice = run_code_name(event->kind, event->code);
	buffer_cleanup text = {0};
	if (source->answer && (event->code == CHOICE_TEXT || event->code == CHOICE_NO)) {
		source->answer(source->data, event->question, &text);
	}
	buffer_printf(&line->buffer, "a person answers question %u: ", event->question);
	if (event->code != CHOICE_TEXT || !text.length) {
		add(line, choice ? choice : "?");
		add(line, text.length ? ", " : "");
	}
	buffer_add_line(&line->buffer, text_trim(buffer_text(&text)), PROGRESS_SAID);
	end(line);
}

static void limit_reached(struct line *line)
{
	static const char *const names[] = {[LIMIT_NONE] = "a limit",
		[LIMIT_TURNS] = "max_turns",
		[LIMIT_TIME] = "timeout",
		[LIMIT_USD] = "max_usd",
		[LIMIT_TOKENS] = "max_tokens",
		[LIMIT_TOOL_CALLS] = "max_tool_calls",
		[LIMIT_HANDOFFS] = "max_handoffs"};
	bool of_run = line->event->branch == RUN_NONE;
	uint32_t code = line->event->code <= LIMIT_HANDOFFS ? line->event->code : LIMIT_NONE;
	begin_agent(line, COLOUR_BAD);
	buffer_printf(&line->buffer, "%s %s", of_run ? "the run reaches its" : "reaches its",
		names[code]);
	end(line);
}

static void branch_opened(struct line *line)
{
	begin_agent(line, COLOUR_STRONG);
	add(line, "hands over to ");
	add(line, follow_agent_name(&line->progress->follower, line->event->agent));
	words_colour(&line->buffer, line->progress->colours, COLOUR_PLAIN);
	add(line, ":");
	if (!add_call(line, line->event->parent, line->event->call, false)) {
		line->buffer.data[--line->buffer.length] = '\0';
	}
	end(line);
}

static void control_transferred(struct line *line)
{
	begin_agent(line, COLOUR_STRONG);
	add(line, "passes its work on to ");
	add(line, follow_agent_name(&line->progress->follower, line->event->agent));
	end(line);
}

static void branch_closed(struct line *line)
{
	static const char *const words[] = {[OUTCOME_OPEN] = "ends",
		[OUTCOME_COMPLETED] = "is done",
		[OUTCOME_GATE] = "ends: a gate failed for good",
		[OUTCOME_RETRIES] = "ends: too many useless answers",
		[OUTCOME_LIMIT] = "ends: its limit is reached",
		[OUTCOME_CANCELLED] = "ends: cancelled",
		[OUTCOME_ABORTED] = "ends: aborted"};
	uint32_t code = line->event->code <= OUTCOME_ABORTED ? line->event->code : OUTCOME_OPEN;
	simple(line, code == OUTCOME_COMPLETED ? COLOUR_GOOD : COLOUR_BAD, words[code]);
	tell_failures(line, line->event->branch, FOLLOW_ALL);
}

static void run_parked(struct line *line)
{
	static const char *const words[] = {[PARK_NONE] = "the run is parked",
		[PARK_PERSON] = "the run is parked: it waits for a person",
		[PARK_LIMIT] = "the run is parked: a limit is reached",
		[PARK_INTERRUPT] = "the run is parked: it was interrupted",
		[PARK_UNAVAILABLE] = "the run is parked: a provider is not available"};
	uint32_t code = line->event->code <= PARK_UNAVAILABLE ? line->event->code : PARK_NONE;
	begin(line, "", COLOUR_STRONG);
	add(line, words[code]);
	end(line);
}

static void run_finished(struct line *line)
{
	bool done = line->event->code == RUN_DONE;
	const char *status = run_code_name(line->event->kind, line->event->code);
	begin(line, "", done ? COLOUR_GOOD : COLOUR_BAD);
	buffer_printf(&line->buffer, "the run is %s", status ? status : "over");
	end(line);
}

static void message_received(struct line *line)
{
	const struct progress_source *source = &line->progress->source;
	buffer_cleanup text = {0};
	if (source->message) {
		source->message(source->data, &text);
	}
	begin_agent(line, COLOUR_STRONG);
	add(line, "is told: ");
	buffer_add_line(&line->buffer, text_trim(buffer_text(&text)), PROGRESS_SAID);
	end(line);
}

static void run_resumed(struct line *line)
{
	begin(line, "", COLOUR_STRONG);
	add(line, "the run goes on");
	end(line);
}

static void cancel_requested(struct line *line)
{
	begin(line, "", COLOUR_STRONG);
	add(line, "the run is being cancelled");
	end(line);
}

static void park_requested(struct line *line)
{
	begin(line, "", COLOUR_STRONG);
	add(line, "the run is being parked; what is under way may finish");
	end(line);
}

// Kinds without a function are told by what follows from them.
static void (*const tellers[RUN_EVENT_KINDS])(struct line *line) = {
	[RUN_STARTED] = run_started,
	[SANDBOX_OPENED] = sandbox_opened,
	[MODEL_ANSWERED] = model_answered,
	[MODEL_FAILED] = model_failed,
	[TOOL_ANSWERED] = tool_answered,
	[WORKSPACE_RECORDED] = workspace_recorded,
	[GATE_CHECKED] = gate_checked,
	[PERSON_ANSWERED] = person_answered,
	[MESSAGE_RECEIVED] = message_received,
	[PARK_REQUESTED] = park_requested,
	[CANCEL_REQUESTED] = cancel_requested,
	[RUN_RESUMED] = run_resumed,
	[COMMAND_SCHEDULED] = command_scheduled,
	[GATE_REPEATED] = gate_repeated,
	[CALL_ANSWERED] = call_answered,
	[COMPLETION_REFUSED] = completion_refused,
	[QUESTION_ASKED] = question_asked,
	[LIMIT_REACHED] = limit_reached,
	[BRANCH_OPENED] = branch_opened,
	[CONTROL_TRANSFERRED] = control_transferred,
	[BRANCH_CLOSED] = branch_closed,
	[RUN_PARKED] = run_parked,
	[RUN_FINISHED] = run_finished,
};

void progress_event(struct progress *progress, const struct run_event *event)
{
	if (!follow(&progress->follower, event) || !tellers[event->kind]) {
		return;
	}
	struct line line = {.progress = progress, .event = event};
	tellers[event->kind](&line);
	buffer_finish(&line.buffer);
}

void progress_notice(
	struct progress *progress, uint32_t agent, int64_t at, const struct model_notice *notice)
{
	struct line line = {.progress = progress};
	begin_at(&line, at, follow_agent_name(&progress->follower, agent), COLOUR_STRONG);
	buffer_add_line(&line.buffer, notice->text, PROGRESS_REASON);
	if (notice->kind == NOTICE_RETRY) {
		buffer_printf(&line.buffer, "; try %u of %u %s", notice->try_next, notice->tries,
			notice->wait > 0 ? "in " : "at once");
		if (notice->wait > 0) {
			words_add_duration(&line.buffer, (notice->wait + 99) / 100 * 100);
		}
	} else {
		add(&line, "; asking ");
		add(&line, notice->model);
	}
	end(&line);
	buffer_finish(&line.buffer);
}

void progress_said(struct progress *progress, uint32_t agent, int64_t at, struct text words)
{
	struct line line = {.progress = progress};
	begin_at(&line, at, follow_agent_name(&progress->follower, agent), COLOUR_DIM);
	buffer_add_line(&line.buffer, words, PROGRESS_LINE);
	end(&line);
	buffer_finish(&line.buffer);
}
