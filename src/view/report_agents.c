/* What each agent did: its figures, its changes, what was said in its branches. */
#include <string.h>

#include "base/json.h"
#include "view/report_parts.h"
#include "view/words.h"

enum {
	AGENTS_ITEMS = 400,    // of one branch
	AGENTS_STAYS = 100,    // of one agent
	AGENTS_ARGUMENTS = 20, // of one call
	AGENTS_SHORT = 90,     // bytes of a call in its heading
	AGENTS_BYTES = 10 * 1024 * 1024,
};

// A branch that is being told.
struct telling {
	struct report *report;
	uint32_t branch;
	size_t shown, left_out;
	size_t next_span; // where the next answer of the branch is looked for
	bool given;       // the last item came from the model
};

static void add_fact(struct html *html, const char *label, const struct buffer *words)
{
	html_open(html, "span", "fact");
	html_element(html, "span", "label", label);
	html_string(html, " ");
	html_text(html, buffer_text(words));
	html_close(html);
}

// The heading of an answer: which turn it was, and what it took.
static void add_turn(struct telling *telling)
{
	const struct story *story = &telling->report->story;
	struct html *html = &telling->report->html;
	for (; telling->next_span < story->span_count; telling->next_span++) {
		const struct story_span *span = &story->spans[telling->next_span];
		buffer_cleanup words = {0};
		if (span->branch != telling->branch || !span->said) {
			continue;
		}
		telling->next_span++;
		buffer_printf(&words, "Turn %u: ", span->turn);
		words_add_number(&words, span->input_tokens);
		buffer_add_string(&words, " tokens in, ");
		words_add_number(&words, span->output_tokens);
		buffer_add_string(&words, " out, ");
		if (span->nano_usd) {
			words_add_money(&words, span->nano_usd);
			buffer_add_string(&words, ", ");
		}
		words_add_duration(&words, span->ended - span->began);
		html_element(html, "div", "turn", words.data);
		return;
	}
}

static void add_message(struct html *html, const char *class, const char *label, struct text text)
{
	html_open(html, "div", class);
	html_element(html, "span", "label", label);
	html_open(html, "div", "text");
	html_cut(html, text, REPORT_TEXT);
	html_close(html);
	html_close(html);
}

static void add_content(struct telling *telling, const cJSON *item)
{
	struct html *html = &telling->report->html;
	buffer_cleanup text = {0};
	const cJSON *part;
	bool told = strcmp(json_string(item, "role", "assistant"), "user") == 0;
	cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(item, "content"))
	{
		buffer_add_string(&text, json_string(part, "text", ""));
	}
	cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(item, "summary"))
	{
		buffer_add_string(&text, json_string(part, "text", ""));
	}
	if (strcmp(json_string(item, "type", "message"), "reasoning") == 0) {
		if (text.length) {
			add_message(html, "item thinks", "thinks", buffer_text(&text));
		}
	} else if (text.length) {
		add_message(html, told ? "item told" : "item says", told ? "is told" : "says",
			buffer_text(&text));
	}
}

static void add_argument(struct html *html, const cJSON *argument)
{
	buffer_cleanup value = {0};
	if (cJSON_IsString(argument)) {
		buffer_add_string(&value, argument->valuestring);
	} else {
		json_print(&value, argument);
	}
	html_open(html, "div", "argument");
	html_open(html, "span", "label");
	html_line(html, text_of(argument->string ? argument->string : ""), REPORT_NAME);
	html_close(html);
	html_open(html, "pre", NULL);
	html_cut(html, buffer_text(&value), REPORT_TEXT);
	html_close(html);
	html_close(html);
}

static void add_call(struct html *html, const cJSON *item)
{
	const char *text = json_string(item, "arguments", "");
	struct error ignored = {0}; // what is no JSON is shown as it is
	json_cleanup *arguments = json_parse(text_of(text), &ignored);
	const cJSON *argument;
	int count = 0;
	html_open(html, "details", "item calls");
	html_open(html, "summary", NULL);
	html_element(html, "span", "label", "calls ");
	html_open(html, "code", NULL);
	html_line(html, text_of(json_string(item, "name", "")), REPORT_NAME);
	html_close(html);
	html_string(html, " ");
	html_open(html, "span", "dim");
	const cJSON *first = arguments ? arguments->child : NULL;
	html_line(html, text_of(cJSON_IsString(first) ? first->valuestring : text), AGENTS_SHORT);
	html_close(html);
	html_close(html);
	cJSON_ArrayForEach(argument, arguments)
	{
		if (count++ < AGENTS_ARGUMENTS) {
			add_argument(html, argument);
		}
	}
	if (!cJSON_IsObject(arguments) || count > AGENTS_ARGUMENTS) {
		html_open(html, "pre", NULL);
		html_cut(html, text_of(text), REPORT_TEXT);
		html_close(html);
	}
	html_close(html);
}

static void add_result(struct html *html, const cJSON *item)
{
	struct text output = text_of(json_string(item, "output", ""));
	struct text trimmed = text_trim(output);
	bool refused = text_starts(trimmed, "Refused");
	if (trimmed.length <= AGENTS_SHORT && text_find(trimmed, TEXT("\n")) == trimmed.length) {
		html_open(html, "div", refused ? "item gets bad" : "item gets");
		html_element(html, "span", "label", "gets ");
		html_text(html, trimmed);
		html_close(html);
		return;
	}
	html_open(html, "details", refused ? "item gets bad" : "item gets");
	if (refused) {
		html_attribute(html, "open", TEXT(""));
	}
	html_open(html, "summary", NULL);
	html_element(html, "span", "label", "gets ");
	html_open(html, "span", "dim");
	html_line(html, trimmed, AGENTS_SHORT);
	html_close(html);
	html_close(html);
	html_open(html, "pre", NULL);
	html_cut(html, output, REPORT_TEXT);
	html_close(html);
	html_close(html);
}

static bool take_item(void *data, const struct store_item *row)
{
	struct telling *telling = data;
	struct report *report = telling->report;
	struct error ignored = {0}; // what is no JSON is not shown
	if (telling->shown >= AGENTS_ITEMS || report->html.buffer->length > report->items_end) {
		telling->left_out++;
		return true;
	}
	json_cleanup *item = json_parse(row->json, &ignored);
	const char *type = json_string(item, "type", "message");
	bool result = strcmp(type, "function_call_output") == 0;
	bool given = !result && strcmp(json_string(item, "role", "assistant"), "user") != 0;
	if (given && !telling->given) {
		add_turn(telling);
	}
	telling->given = given;
	telling->shown++;
	if (strcmp(type, "function_call") == 0) {
		add_call(&report->html, item);
	} else if (result) {
		add_result(&report->html, item);
	} else {
		add_content(telling, item);
	}
	return true;
}

static bool is_first(const struct report *report, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (report->story.stays[i].branch == report->story.stays[index].branch) {
			return false;
		}
	}
	return true;
}

static bool add_stay(struct report *report, size_t index)
{
	const struct story_stay *stay = &report->story.stays[index];
	struct html *html = &report->html;
	struct telling telling = {.report = report, .branch = stay->branch};
	buffer_cleanup words = {0};
	bool fine = true;
	words_add_count(&words, (int64_t)stay->turns, "turn", "turns");
	buffer_add_string(&words, ", ");
	words_add_duration(&words, stay->ended - stay->began);
	html_open(html, "details", "stay");
	html_open(html, "summary", NULL);
	html_format(html, "Branch %u, from %s: ", stay->branch,
		stay->from == RUN_NONE ? "the user" : report->team->agents[stay->from].name);
	html_element(html, "span",
		strcmp(stay->outcome, "completed") == 0 ? "good"
			: strcmp(stay->outcome, "transferred") == 0 ||
				strcmp(stay->outcome, "open") == 0
			? "dim"
			: "bad",
		stay->outcome);
	html_element(html, "span", "dim", ", ");
	html_element(html, "span", "dim", words.data);
	html_close(html);
	if (is_first(report, index)) {
		fine = store_items(report->store, report->run->id, stay->branch, 0, take_item,
			&telling, report->error);
		if (telling.left_out) {
			report_left_out(report, telling.left_out,
				"more messages are left out; muster show RUN/AGENT has them");
		}
	} else {
		html_element(html, "p", "dim",
			"The work was passed on: what was said stands with the agent that began "
			"this branch.");
	}
	html_close(html);
	return fine;
}

static void add_facts(struct report *report, uint32_t index)
{
	const struct summary_agent *agent = &report->summary.agents[index];
	const struct story *story = &report->story;
	struct html *html = &report->html;
	int64_t thinking = 0, tools = 0;
	for (size_t i = 0; i < story->span_count; i++) {
		const struct story_span *span = &story->spans[i];
		if (story->stays[span->stay].agent == index) {
			*(span->model ? &thinking : &tools) += span->ended - span->began;
		}
	}
	const struct {
		const char *label;
		int64_t number;
		void (*add)(struct buffer *buffer, int64_t number);
		bool shown;
	} facts[] = {
		{"assignments", agent->assignments, words_add_number, true},
		{"turns", agent->turns, words_add_number, true},
		{"tool calls", agent->tool_calls, words_add_number, true},
		{"tokens in", agent->input_tokens, words_add_number, true},
		{"of them cached", agent->cached_tokens, words_add_number, agent->cached_tokens},
		{"tokens out", agent->output_tokens, words_add_number, true},
		{"cost", agent->nano_usd, words_add_money, agent->nano_usd},
		{"thinking", thinking, words_add_duration, true},
		{"tools at work", tools, words_add_duration, true},
		{"gates passed", agent->gates_passed, words_add_number, true},
		{"refused", agent->gates_refused, words_add_number, agent->gates_refused},
	};
	html_open(html, "p", "facts");
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		buffer_cleanup words = {0};
		if (facts[i].shown) {
			facts[i].add(&words, facts[i].number);
			add_fact(html, facts[i].label, &words);
		}
	}
	html_close(html);
}

static bool add_stays(struct report *report, uint32_t index)
{
	const struct story *story = &report->story;
	size_t count = 0;
	html_element(&report->html, "h4", "part", "What was said and done");
	for (size_t i = 0; i < story->stay_count; i++) {
		if (story->stays[i].agent == index && count++ < AGENTS_STAYS &&
			!add_stay(report, i)) {
			return false;
		}
	}
	if (count > AGENTS_STAYS) {
		report_left_out(report, count - AGENTS_STAYS, "more assignments are left out");
	}
	return true;
}

static bool wrote(const struct report *report, const char *author)
{
	for (size_t i = 0; i < report->steps.count; i++) {
		if (strcmp(report->steps.steps[i].author, author) == 0) {
			return true;
		}
	}
	return false;
}

static bool add_changes(struct report *report, const char *author)
{
	if (!wrote(report, author)) {
		return true;
	}
	html_element(&report->html, "h4", "part", "What it changed");
	return report_changes(report, author);
}

static bool add_agent(struct report *report, uint32_t index)
{
	const struct team_agent *agent = &report->team->agents[index];
	struct html *html = &report->html;
	bool worked = report->summary.agents[index].assignments > 0;
	html_open(html, "article", report_colour(report, index));
	html_attribute_format(html, "id", "agent-%u", index);
	html_open(html, "h3", NULL);
	html_element(html, "span", "chip", "");
	html_line(html, text_of(agent->name), REPORT_NAME);
	html_element(html, "span", "model", report->team->models[agent->model].name);
	html_close(html);
	html_open(html, "p", "dim");
	html_cut(html, text_of(agent->description), REPORT_SENTENCE);
	html_close(html);
	if (!worked) {
		html_element(html, "p", "dim", "Did not work in this run.");
	} else {
		add_facts(report, index);
	}
	bool fine = add_changes(report, agent->name) && (!worked || add_stays(report, index));
	html_close(html);
	return fine;
}

// Who is no agent, but changed files.
static bool add_others(struct report *report)
{
	static const char *const others[][2] = {
		{"several", "Several at once, so that nobody is charged with it"},
		{"user", "Found changed when the run went on"}, {"unknown", "Not known"}};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (team_agent_index(report->team, others[i][0]) != TEAM_NONE ||
			!wrote(report, others[i][0])) {
			continue;
		}
		html_open(&report->html, "article", "c");
		html_element(&report->html, "h3", NULL, others[i][0]);
		html_element(&report->html, "p", "dim", others[i][1]);
		if (!report_changes(report, others[i][0])) {
			return false;
		}
		html_close(&report->html);
	}
	return true;
}

bool report_agents(struct report *report)
{
	report->items_end = report->html.buffer->length + AGENTS_BYTES;
	for (uint32_t i = 0; i < report->team->agent_count; i++) {
		if (!add_agent(report, i)) {
			return false;
		}
	}
	return add_others(report);
}
