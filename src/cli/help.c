#include "cli/verb.h"

#include <string.h>

#include "view/topics.h"

enum { HELP_COLUMN = 28 };

static void add_row(struct buffer *buffer, const char *left, const char *right)
{
	int padding = HELP_COLUMN - (int)strlen(left) - 2;
	buffer_printf(buffer, "  %s%*s%s\n", left, padding > 1 ? padding : 2, "", right);
}

static void add_options(struct buffer *buffer, const struct option *options)
{
	for (const struct option *option = options; option && option->name; option++) {
		buffer_cleanup left = {0};
		if (option->letter) {
			buffer_printf(&left, "-%c, --%s", option->letter, option->name);
		} else {
			buffer_printf(&left, "    --%s", option->name);
		}
		if (option->value) {
			buffer_printf(&left, " %s", option->value);
		}
		add_row(buffer, left.data, option->help);
	}
}

void verb_help(struct buffer *buffer, const struct verb *verb)
{
	buffer_printf(buffer, "muster %s: %s\n\nUsage:\n  muster %s%s%s\n", verb->name, verb->help,
		verb->name, verb->usage[0] ? " " : "", verb->usage);
	if (verb->details) {
		buffer_printf(buffer, "\n%s\n", verb->details);
	}
	buffer_add_string(buffer, "\nOptions:\n");
	add_options(buffer, verb->options);
	add_options(buffer, common_options);
	buffer_add_string(buffer, "\nExamples:\n");
	for (size_t i = 0; verb->examples[i]; i++) {
		buffer_printf(buffer, "  %s\n", verb->examples[i]);
	}
}

void verb_help_all(struct buffer *buffer)
{
	buffer_add_string(buffer,
		"muster runs a team of AI agents from one YAML file; no handoff goes through until "
		"a\n"
		"gate has checked the artifacts in the sandbox.\n\n"
		"Usage:\n  muster VERB [options]\n\nVerbs:\n");
	for (size_t i = 0; verbs[i]; i++) {
		add_row(buffer, verbs[i]->name, verbs[i]->help);
	}
	buffer_add_string(buffer, "\nTopics:\n");
	for (const struct topic *topic = topics; topic->name; topic++) {
		add_row(buffer, topic->name, topic->about);
	}
	buffer_add_string(buffer, "\nOptions of all verbs:\n");
	add_options(buffer, common_options);
	buffer_add_string(buffer,
		"\nFirst steps:\n"
		"  muster new my-team             # writes my-team.yaml to start from\n"
		"  muster validate my-team.yaml   # finds every mistake without running\n"
		"  muster plan my-team.yaml       # who hands over to whom, and what each needs\n"
		"\n'muster help VERB' explains a verb, with examples, 'muster help TOPIC' a "
		"topic.\n");
}
