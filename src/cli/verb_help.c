#include "cli/verb.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "view/manual.h"
#include "view/topics.h"

enum { NARROWEST = 60, WIDEST = 100 };

// What a line of the terminal takes, within what reads well.
static size_t width_of_output(void)
{
	struct winsize size = {0};
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 ||
		size.ws_col > WIDEST) {
		return WIDEST;
	}
	return size.ws_col > NARROWEST ? size.ws_col : NARROWEST;
}

static void list_names(struct buffer *help)
{
	for (size_t i = 0; verbs[i]; i++) {
		buffer_printf(help, "%s\n", verbs[i]->name);
	}
	for (const struct topic *topic = topics; topic->name; topic++) {
		buffer_printf(help, "%s\n", topic->name);
	}
}

static bool explain(struct buffer *help, const char *name)
{
	const struct verb *verb = verb_find(name);
	const struct topic *topic = verb ? NULL : topic_find(name);
	if (verb) {
		verb_help(help, verb);
	} else if (topic) {
		manual_text(help, topic_markdown(topic), width_of_output(),
			output_colours(STDOUT_FILENO));
	}
	return verb || topic;
}

static bool unknown(const char *name, struct error *error)
{
	enum { NAMES = 100 };
	const char *names[NAMES];
	size_t count = 0;
	for (size_t i = 0; verbs[i] && count < NAMES; i++) {
		names[count++] = verbs[i]->name;
	}
	for (const struct topic *topic = topics; topic->name && count < NAMES; topic++) {
		names[count++] = topic->name;
	}
	arena_cleanup arena = {0};
	const char *nearest = text_nearest(text_of(name), names, count);
	error_set(error, ERROR_USAGE, "there is no verb or topic '%s'",
		arguments_shown(&arena, name));
	if (nearest) {
		return error_hint(error, "did you mean '%s'?", nearest);
	}
	return error_hint(error, "'muster help' lists the verbs and topics");
}

static int run(struct arguments *arguments, struct error *error)
{
	buffer_cleanup help = {0};
	if (arguments_has(arguments, "names")) {
		list_names(&help);
	} else if (arguments->operand_count == 0) {
		verb_help_all(&help);
	} else if (!explain(&help, arguments->operands[0])) {
		unknown(arguments->operands[0], error);
		return EXIT_USAGE;
	}
	output_write(&help, error);
	return EXIT_OK;
}

const struct verb verb_help_verb = {
	.name = "help",
	.help = "list the verbs and topics, or explain one",
	.usage = "[VERB|TOPIC]",
	.examples = (const char *const[]){"muster help", "muster help run",
		"muster help limits              # a topic: what limits a run", NULL},
	.options = (const struct option[]){OPTION_NAMES, OPTION_END},
	.completion = COMPLETE_TOPIC,
	.maximum = 1,
	.run = run,
};
