#include "view/live.h"

#include <stdlib.h>
#include <string.h>

#include "view/screen.h"
#include "view/summary.h"
#include "view/words.h"

enum {
	LIVE_NAME = 24,  // widest column of names
	LIVE_WHAT = 300, // bytes of what an agent does
	LIVE_TAIL = 200, // bytes that are kept of what it says
};

// A branch that is open, and the agent at work in it.
struct live_agent {
	uint32_t branch, agent;
	uint32_t under_way; // its commands; without any it waits, and is not shown
	struct buffer what; // it does
	struct buffer tail; // of what its model says
	int64_t since;      // it does that (monotonic)
	int64_t retry_at;   // its model is asked again then; 0: it is not waited for
	unsigned try_next, tries;
	int64_t turns, tokens, nano_usd, gates_passed, gates_refused;
};

void live_init(struct live *live, const struct team *team, const char *run,
	struct follower *follower, bool colours)
{
	*live = (struct live){.team = team, .run = run, .follower = follower, .colours = colours};
	for (size_t i = 0; i < team->model_count; i++) {
		live->priced = live->priced || team->models[i].price.known;
	}
}

static void forget(struct live *live, struct live_agent *agent)
{
	buffer_finish(&agent->what);
	buffer_finish(&agent->tail);
	*agent = live->agents[--live->count];
}

void live_finish(struct live *live)
{
	while (live->count) {
		forget(live, &live->agents[live->count - 1]);
	}
	free(live->agents);
	*live = (struct live){0};
}

static struct live_agent *find(struct live *live, uint32_t branch)
{
	for (size_t i = 0; i < live->count; i++) {
		if (live->agents[i].branch == branch) {
			return &live->agents[i];
		}
	}
	return NULL;
}

static struct live_agent *find_or_add(struct live *live, uint32_t branch, uint32_t agent)
{
	struct live_agent *found = find(live, branch);
	if (!found) {
		live->agents =
			memory_resize(live->agents, (live->count + 1) * sizeof(*live->agents));
		found = &live->agents[live->count++];
		*found = (struct live_agent){.branch = branch, .agent = agent};
	}
	if (found->agent != agent) { // it passed its work on
		buffer_clear(&found->what);
		found->agent = agent;
		found->turns = found->tokens = found->nano_usd = 0;
		found->gates_passed = found->gates_refused = 0;
	}
	return found;
}

static void add_call(struct live_agent *agent, const struct run_event *event,
	const struct progress_source *source)
{
	buffer_cleanup call = {0};
	if (source->call) {
		source->call(source->data, event->branch, event->call, &call);
	}
	progress_add_call(&agent->what, buffer_text(&call), true);
}

static void scheduled(struct live *live, struct live_agent *agent, const struct run_event *event,
	const struct progress_source *source)
{
	static const char *const words[] = {[COMMAND_OPEN_SANDBOX] = "the sandbox is being opened",
		[COMMAND_CALL_MODEL] = "thinks",
		[COMMAND_RECORD] = "its work is being recorded"};
	agent->under_way++;
	buffer_clear(&agent->what);
	buffer_clear(&agent->tail);
	if (event->code == COMMAND_CALL_TOOL) {
		add_call(agent, event, source);
	} else if (event->code == COMMAND_CHECK_GATE) {
		buffer_add_string(&agent->what, "gate ");
		buffer_add_string(&agent->what, follow_gate_name(live->follower, event->gate));
		buffer_add_string(&agent->what, " is being checked");
	} else if (event->code < sizeof(words) / sizeof(words[0]) && words[event->code]) {
		buffer_add_string(&agent->what, words[event->code]);
	}
}

static void count(struct live *live, struct live_agent *agent, const struct run_event *event)
{
	if (event->kind == MODEL_ANSWERED) {
		int64_t tokens = event->input_tokens + event->output_tokens;
		int64_t price = summary_price(live->team, agent->agent, event);
		agent->turns++;
		live->turns++;
		agent->tokens += tokens;
		live->tokens += tokens;
		agent->nano_usd += price;
		live->nano_usd += price;
	} else if (event->kind == GATE_CHECKED) {
		agent->gates_passed += event->code == CHECK_HOLDS;
		live->gates_passed += event->code == CHECK_HOLDS;
		agent->gates_refused += event->code == CHECK_FAILS;
		live->gates_refused += event->code == CHECK_FAILS;
	}
}

static bool is_answer(enum run_event_kind kind)
{
	return kind == SANDBOX_OPENED || kind == MODEL_ANSWERED || kind == MODEL_FAILED ||
		kind == TOOL_ANSWERED || kind == WORKSPACE_RECORDED || kind == GATE_CHECKED;
}

void live_event(struct live *live, const struct run_event *event,
	const struct progress_source *source, int64_t now)
{
	if (event->branch == RUN_NONE) {
		return;
	}
	if (event->kind == BRANCH_CLOSED) {
		struct live_agent *closed = find(live, event->branch);
		if (closed) {
			forget(live, closed);
		}
		return;
	}
	bool begins = event->kind == COMMAND_SCHEDULED;
	uint32_t works = follow_agent(live->follower, event->branch);
	if ((!begins && !is_answer(event->kind)) || works == RUN_NONE) {
		return;
	}
	struct live_agent *agent = find_or_add(live, event->branch, works);
	if (begins) {
		agent->since = now;
		scheduled(live, agent, event, source);
		return;
	}
	agent->under_way -= agent->under_way > 0;
	if (event->kind == MODEL_ANSWERED || event->kind == MODEL_FAILED) {
		agent->retry_at = 0;
	}
	count(live, agent, event);
}

// The end of it is what is shown; whole lines before it are gone.
static void add_tail(struct buffer *tail, struct text text)
{
	buffer_add_text(tail, text);
	if (tail->length > LIVE_TAIL) {
		size_t drop = tail->length - LIVE_TAIL;
		while (drop < tail->length && ((unsigned char)tail->data[drop] & 0xc0) == 0x80) {
			drop++;
		}
		memmove(tail->data, tail->data + drop, tail->length - drop + 1);
		tail->length -= drop;
	}
}

void live_notice(struct live *live, uint32_t branch, const struct model_notice *notice, int64_t now)
{
	struct live_agent *agent = find(live, branch);
	if (!agent) {
		return;
	}
	if (notice->kind == NOTICE_TEXT) {
		agent->retry_at = 0;
		add_tail(&agent->tail, notice->text);
		return;
	}
	buffer_clear(&agent->tail);
	agent->since = now;
	agent->retry_at = notice->kind == NOTICE_RETRY ? now + notice->wait : 0;
	agent->try_next = notice->try_next;
	agent->tries = notice->tries;
}

// --- Drawing ---

static void add_seconds(struct buffer *line, int64_t milliseconds)
{
	int64_t seconds = milliseconds < 0 ? 0 : milliseconds / 1000;
	if (seconds < 60) {
		buffer_printf(line, "%lld s", (long long)seconds);
	} else {
		buffer_printf(
			line, "%lld:%02lld", (long long)(seconds / 60), (long long)(seconds % 60));
	}
}

static void add_figure(struct buffer *line, int64_t number, const char *one, const char *many)
{
	if (number) {
		buffer_add_string(line, line->length ? ", " : "");
		words_add_count(line, number, one, many);
	}
}

static void add_figures(const struct live *live, struct buffer *line, const struct live_agent *of)
{
	add_figure(line, of->gates_passed, "gate passed", "gates passed");
	add_figure(line, of->gates_refused, "refused", "refused");
	add_figure(line, of->turns, "turn", "turns");
	add_figure(line, of->tokens, "token", "tokens");
	if (live->priced) {
		buffer_add_string(line, line->length ? ", " : "");
		words_add_money(line, of->nano_usd);
	}
}

static void add_what(struct buffer *line, const struct live_agent *agent, int64_t now)
{
	if (agent->retry_at > now) {
		buffer_printf(line, "the model service does not answer; try %u of %u in ",
			agent->try_next, agent->tries);
		add_seconds(line, agent->retry_at - now + 999);
		return;
	}
	struct text tail = text_trim(buffer_text(&agent->tail));
	struct text rest = tail, newest = tail;
	while (text_next_line(&rest, &tail)) {
		newest = text_trim(tail).length ? tail : newest;
	}
	if (newest.length) {
		buffer_add_string(line, "says: ");
		buffer_add_line(line, newest, LIVE_TAIL);
	} else {
		buffer_add_text(line, buffer_text(&agent->what));
	}
}

static void add_spaces(struct buffer *line, size_t spaces)
{
	while (spaces--) {
		buffer_add_char(line, ' ');
	}
}

// What it does on the left, what it used on the right: all of it, or (`brief`) the last part, where
// there is no room for both.
static void add_sides(const struct live *live, struct buffer *lines, struct text left,
	struct text right, struct text brief, size_t columns)
{
	struct text side = right;
	if (screen_width(left) + screen_width(side) + 2 > columns) {
		side = brief;
	}
	size_t figures = screen_width(side);
	if (figures + 2 > columns) {
		figures = 0;
	}
	struct text cut = screen_cut(left, columns - (figures ? figures + 2 : 0));
	buffer_add_text(lines, cut);
	if (figures) {
		add_spaces(lines, columns - figures - screen_width(cut));
		words_colour(lines, live->colours, COLOUR_DIM);
		buffer_add_text(lines, side);
		words_colour(lines, live->colours, COLOUR_PLAIN);
	}
}

static void draw_agent(const struct live *live, struct buffer *lines,
	const struct live_agent *agent, size_t columns, int64_t now)
{
	buffer_cleanup left = {0}, right = {0}, elapsed = {0};
	size_t width = 0;
	for (size_t i = 0; i < live->team->agent_count; i++) {
		size_t name = words_width(live->team->agents[i].name);
		width = name > width ? name : width;
	}
	words_add_padded(&left, follow_agent_name(live->follower, agent->agent),
		width < LIVE_NAME ? width : LIVE_NAME);
	buffer_add_string(&left, "  ");
	add_what(&left, agent, now);
	add_figures(live, &right, agent);
	buffer_add_string(&right, right.length ? ", " : "");
	add_seconds(&elapsed, now - agent->since);
	buffer_add_text(&right, buffer_text(&elapsed));
	add_sides(live, lines, buffer_text(&left), buffer_text(&right), buffer_text(&elapsed),
		columns);
	buffer_add_char(lines, '\n');
}

static void draw_run(
	const struct live *live, struct buffer *lines, size_t hidden, size_t columns, int64_t at)
{
	buffer_cleanup left = {0}, right = {0};
	const struct live_agent all = {.turns = live->turns,
		.tokens = live->tokens,
		.nano_usd = live->nano_usd,
		.gates_passed = live->gates_passed,
		.gates_refused = live->gates_refused};
	buffer_add_line(&left, text_of(live->run), LIVE_WHAT);
	buffer_add_string(&left, "  ");
	words_add_clock(&left, at);
	left.data[left.length -= 2] = '\0'; // without tenths, which would only flicker
	if (hidden) {
		buffer_printf(&left, "  and %zu more at work", hidden);
	}
	add_figures(live, &right, &all);
	words_colour(lines, live->colours, COLOUR_STRONG);
	add_sides(live, lines, buffer_text(&left), buffer_text(&right), TEXT(""), columns);
	words_colour(lines, live->colours, COLOUR_PLAIN);
	buffer_add_char(lines, '\n');
}

void live_draw(const struct live *live, struct buffer *lines, size_t columns, size_t rows,
	int64_t at, int64_t now)
{
	size_t working = 0, shown = 0;
	// The last column is left alone: some terminals break the line there.
	columns = columns > 1 ? columns - 1 : 1;
	for (size_t i = 0; i < live->count; i++) {
		working += live->agents[i].under_way > 0;
	}
	for (size_t i = 0; i < live->count && shown + 1 < rows; i++) {
		if (live->agents[i].under_way) {
			draw_agent(live, lines, &live->agents[i], columns, now);
			shown++;
		}
	}
	draw_run(live, lines, working - shown, columns, at);
}
