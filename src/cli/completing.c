#include "cli/completing.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "cli/content.h"
#include "cli/project.h"
#include "cli/verb.h"
#include "sandbox/sandbox.h"
#include "view/topics.h"

enum { RUNS_MOST = 100, WORDS_MOST = 1000, DESCRIPTION_MOST = 80 };

struct completing {
	struct arena arena;
	struct buffer *output;
	const char *const *words;
	size_t count; // without the last one
	const char *word;
	const char *before; // in front of each candidate: "--format=", or ""
	const struct verb *verb;
	const char *operand; // the first, or NULL
	size_t operands;
};

static void offer(struct completing *completing, const char *value, const char *description)
{
	size_t length = strlen(completing->word);
	if (strncmp(value, completing->word, length) != 0) {
		return;
	}
	struct buffer *output = completing->output;
	buffer_add_string(output, completing->before);
	buffer_add_line(output, text_of(value), 1000);
	if (description && description[0]) {
		buffer_add_char(output, '\t');
		buffer_add_line(output, text_of(description), DESCRIPTION_MOST);
	}
	buffer_add_char(output, '\n');
}

static void offer_verbs(struct completing *completing)
{
	for (size_t i = 0; verbs[i]; i++) {
		offer(completing, verbs[i]->name, verbs[i]->help);
	}
}

static void offer_options(struct completing *completing, const struct option *options)
{
	for (const struct option *option = options; option && option->name; option++) {
		const char *name = arena_printf(&completing->arena, "--%s", option->name);
		offer(completing, name, option->help);
		if (option->letter && completing->word[1] != '-') {
			offer(completing, arena_printf(&completing->arena, "-%c", option->letter),
				option->help);
		}
	}
}

static void offer_teams(struct completing *completing)
{
	struct content_teams teams;
	content_teams(&completing->arena, &teams);
	for (size_t i = 0; i < teams.count; i++) {
		offer(completing, teams.teams[i].name, "canned team");
	}
}

static void offer_agents(struct completing *completing, const char *run, const char *prefix)
{
	struct project_run opened;
	struct error ignored = {0};
	if (!project_run_open(&opened, run, &ignored)) {
		return;
	}
	for (size_t i = 0; i < opened.team->agent_count; i++) {
		const struct team_agent *agent = &opened.team->agents[i];
		offer(completing, arena_printf(&completing->arena, "%s%s", prefix, agent->name),
			agent->description);
	}
	project_run_close(&opened);
}

// RUN, or RUN/AGENT once there is a slash.
static void offer_runs(struct completing *completing)
{
	const char *slash = strchr(completing->word, '/');
	struct error ignored = {0};
	struct store_runs runs;
	if (slash) {
		size_t length = (size_t)(slash - completing->word);
		const char *run = arena_copy(&completing->arena, completing->word, length);
		offer_agents(completing, run, arena_printf(&completing->arena, "%s/", run));
		return;
	}
	struct store *store = store_open(".", STORE_READ, &ignored);
	if (store && store_list(store, &completing->arena, RUNS_MOST, &runs, &ignored)) {
		for (size_t i = 0; i < runs.count; i++) {
			const struct store_run *run = &runs.runs[i];
			offer(completing, run->id,
				arena_printf(&completing->arena, "%s, %lld turns", run->state,
					(long long)run->turns));
		}
	}
	store_close(store);
}

static void offer_topics(struct completing *completing)
{
	offer_verbs(completing);
	for (const struct topic *topic = topics; topic->name; topic++) {
		offer(completing, topic->name, "topic");
	}
}

static void offer_sandboxes(struct completing *completing)
{
	for (size_t i = 0; sandbox_drivers[i]; i++) {
		offer(completing, sandbox_drivers[i]->name, sandbox_drivers[i]->help);
	}
}

static void offer_agents_of_run(struct completing *completing)
{
	offer_agents(completing, completing->operand ? completing->operand : "-1", "");
}

static void offer_formats(struct completing *completing)
{
	offer(completing, "mermaid", NULL);
	offer(completing, "dot", "Graphviz");
}

static void offer_shells(struct completing *completing)
{
	offer(completing, "bash", NULL);
	offer(completing, "zsh", NULL);
	offer(completing, "fish", NULL);
}

static const struct {
	const char *else_; // what the shell offers beside
	void (*offer)(struct completing *completing);
} kinds[] = {[COMPLETE_NOTHING] = {"none", NULL},
	[COMPLETE_FILE] = {"files", NULL},
	[COMPLETE_FOLDER] = {"folders", NULL},
	[COMPLETE_TEAM] = {"yaml", offer_teams},
	[COMPLETE_RUN] = {"none", offer_runs},
	[COMPLETE_AGENT] = {"none", offer_agents_of_run},
	[COMPLETE_TOPIC] = {"none", offer_topics},
	[COMPLETE_SANDBOX] = {"none", offer_sandboxes},
	[COMPLETE_FORMAT] = {"none", offer_formats},
	[COMPLETE_SHELL] = {"none", offer_shells}};

static void offer_kind(struct completing *completing, enum completion kind)
{
	buffer_printf(completing->output, "%s\n", kinds[kind].else_);
	if (kinds[kind].offer) {
		kinds[kind].offer(completing);
	}
}

// "never|failed|always": words to choose from; what is in capitals is to be filled in.
static void offer_choices(struct completing *completing, const char *value)
{
	for (struct text rest = text_of(value); rest.length;) {
		size_t length = text_find(rest, TEXT("|"));
		if (islower((unsigned char)rest.data[0]) && length < strlen(value)) {
			offer(completing, arena_copy(&completing->arena, rest.data, length), NULL);
		}
		length += length < rest.length;
		rest = (struct text){rest.data + length, rest.length - length};
	}
}

static void offer_value(struct completing *completing, const struct option *option)
{
	offer_kind(completing, option->completion);
	if (strchr(option->value, '|')) {
		offer_choices(completing, option->value);
	}
}

static const struct option *find_in(
	const struct option *options, const char *name, size_t length, char letter)
{
	for (const struct option *option = options; option && option->name; option++) {
		bool same = letter ? option->letter == letter
				   : strlen(option->name) == length &&
				strncmp(option->name, name, length) == 0;
		if (same) {
			return option;
		}
	}
	return NULL;
}

// The option that a word begins with; NULL: none.
static const struct option *find_option(const struct completing *completing, const char *word)
{
	const struct option *own = completing->verb ? completing->verb->options : NULL;
	bool named = word[0] == '-' && word[1] == '-';
	if (word[0] != '-' || !word[1] || (!named && word[2])) {
		return NULL;
	}
	const char *name = named ? word + 2 : NULL;
	size_t length = named ? strcspn(name, "=") : 0;
	const struct option *found = find_in(own, name, length, named ? 0 : word[1]);
	return found ? found : find_in(common_options, name, length, named ? 0 : word[1]);
}

// Goes through what stands before the word: verb, operands, folder. The option that still waits for its
// value, or NULL. *closed: options have ended.
static const struct option *read_before(struct completing *completing, bool *closed)
{
	const struct option *waiting = NULL;
	*closed = false;
	for (size_t i = 0; i < completing->count; i++) {
		const char *word = completing->words[i];
		const struct option *option = *closed ? NULL : find_option(completing, word);
		if (waiting) {
			bool moved = strcmp(waiting->name, "directory") != 0 || chdir(word) == 0;
			waiting = NULL;
			if (!moved) {
				completing->verb = NULL;
			}
		} else if (option) {
			waiting = option->value && !strchr(word, '=') ? option : NULL;
		} else if (!*closed && strcmp(word, "--") == 0) {
			*closed = true;
		} else if (word[0] == '-' && word[1] && !isdigit((unsigned char)word[1])) {
			continue; // several short options, or one that there is not
		} else if (!completing->verb) {
			completing->verb = verb_find(word);
		} else {
			completing->operand = completing->operand ? completing->operand : word;
			completing->operands++;
		}
	}
	return waiting;
}

void completing_words(struct buffer *output, const char *const *words, size_t count)
{
	struct completing completing = {.output = output,
		.words = words,
		.count = count ? count - 1 : 0,
		.word = count ? words[count - 1] : "",
		.before = ""};
	bool closed;
	const struct option *option = read_before(&completing, &closed);
	const char *equals = strchr(completing.word, '=');
	if (option) {
		offer_value(&completing, option);
	} else if (!closed && completing.word[0] == '-' && equals &&
		(option = find_option(&completing, completing.word)) && option->value) {
		size_t length = (size_t)(equals + 1 - completing.word);
		completing.before = arena_copy(&completing.arena, completing.word, length);
		completing.word = equals + 1;
		offer_value(&completing, option);
	} else if (!closed && completing.word[0] == '-') {
		buffer_add_string(output, "none\n");
		offer_options(&completing, completing.verb ? completing.verb->options : NULL);
		offer_options(&completing, common_options);
	} else if (!completing.verb) {
		buffer_add_string(output, "none\n");
		offer_verbs(&completing);
	} else {
		bool more = completing.operands < completing.verb->maximum;
		// Behind a run stand texts and commands of anybody's.
		enum completion kind = completing.verb->completion;
		bool other = kind == COMPLETE_RUN && completing.operands > 0 &&
			completing.verb->minimum + 1 >= completing.verb->maximum;
		offer_kind(&completing, more && !other ? kind : COMPLETE_NOTHING);
	}
	arena_finish(&completing.arena);
}

// The next word as a shell would read it, in the arena; *more: something ends it.
static const char *next_word(struct arena *arena, const char **at, bool *more)
{
	buffer_cleanup word = {0};
	char quote = 0;
	while (!quote && isspace((unsigned char)**at)) {
		(*at)++;
	}
	for (; **at && (quote || !isspace((unsigned char)**at)); (*at)++) {
		char c = **at;
		if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
		} else if (c == '\\' && quote != '\'' && (*at)[1]) {
			buffer_add_char(&word, *++*at);
		} else {
			buffer_add_char(&word, c);
		}
	}
	*more = **at != '\0';
	return arena_string(arena, word.data ? word.data : "");
}

void completing_line(struct buffer *output, const char *line)
{
	arena_cleanup arena = {0};
	const char *words[WORDS_MOST];
	size_t count = 0;
	bool more = true;
	while (more && count < WORDS_MOST) {
		words[count++] = next_word(&arena, &line, &more);
	}
	completing_words(output, words + 1, count > 1 ? count - 1 : 0);
}
