/*
 * Prints the source (scdoc) of a man page: man-page muster-run.1. A program of the build only; all
 * that it knows is in the tables of verbs and topics, from which the help texts come, too.
 */
#include <stdio.h>
#include <string.h>

#include "cli/verb.h"
#include "view/manual.h"
#include "view/topics.h"

static void add_escaped(struct buffer *buffer, const char *string)
{
	manual_scdoc_escape(buffer, text_of(string));
}

static void add_title(struct buffer *page, const char *name, unsigned section)
{
	buffer_printf(page, "%s(%u) \"\" \"muster " MUSTER_VERSION "\"\n\n", name, section);
}

static void add_name(struct buffer *page, const char *name, const char *about)
{
	buffer_printf(page, "# NAME\n\n%s - ", name);
	add_escaped(page, about);
	buffer_add_string(page, "\n\n");
}

static void add_options(struct buffer *page, const struct option *options)
{
	for (const struct option *option = options; option && option->name; option++) {
		if (option->letter) {
			buffer_printf(page, "*-%c*, ", option->letter);
		}
		buffer_printf(page, "*--%s*", option->name);
		if (option->value) {
			buffer_add_char(page, ' ');
			add_escaped(page, option->value);
		}
		buffer_add_string(page, "\n\t");
		add_escaped(page, option->help);
		buffer_add_string(page, "\n\n");
	}
}

static void add_row(struct buffer *page, const char *name, unsigned section, const char *about)
{
	buffer_printf(page, "*%s*(%u)\n\t", name, section);
	add_escaped(page, about);
	buffer_add_string(page, "\n\n");
}

static void print_muster(struct buffer *page)
{
	add_title(page, "muster", 1);
	add_name(page, "muster", "run a team of AI agents from one YAML file");
	buffer_add_string(page,
		"# SYNOPSIS\n\n*muster* VERB [options]\n\n"
		"# DESCRIPTION\n\n"
		"muster runs a team of AI agents from one YAML file; no handoff goes through until "
		"a "
		"gate has checked the artifacts in the sandbox.\n\n"
		"# VERBS\n\n");
	for (size_t i = 0; verbs[i]; i++) {
		buffer_cleanup name = {0};
		buffer_printf(&name, "muster-%s", verbs[i]->name);
		add_row(page, name.data, 1, verbs[i]->help);
	}
	buffer_add_string(page, "# OPTIONS OF ALL VERBS\n\n");
	add_options(page, common_options);
	buffer_add_string(page, "# TOPICS\n\n");
	for (const struct topic *topic = topics; topic->name; topic++) {
		if (topic->page) {
			add_row(page, topic->page, topic->page_section, topic->about);
		}
	}
	buffer_add_string(page, "_muster help_ shows them, too.\n");
}

// Paragraphs as they are; lines that are set off by spaces, as a block.
static void add_details(struct buffer *page, const char *details)
{
	struct text rest = text_of(details), line;
	bool block = false;
	while (text_next_line(&rest, &line)) {
		bool indented = text_starts(line, " ");
		if (indented != block) {
			buffer_add_string(page, "\n```\n");
			block = indented;
		}
		if (block) {
			buffer_add_text(page, line);
		} else {
			manual_scdoc_escape(page, line);
		}
		buffer_add_char(page, '\n');
	}
	buffer_add_string(page, block ? "```\n\n" : "\n");
}

// A usage is aligned by spaces for `muster help`; lines that begin with "muster" are further forms.
static void add_usage(struct buffer *page, const struct verb *verb)
{
	struct text rest = text_of(verb->usage), line;
	buffer_printf(page, "*muster %s* ", verb->name);
	for (bool first = true; text_next_line(&rest, &line); first = false) {
		line = text_trim(line);
		buffer_add_string(page, first ? "" : text_starts(line, "muster ") ? "++\n" : "\n");
		manual_scdoc_escape(page, line);
	}
	buffer_add_string(page, "\n\n");
}

static void print_verb(struct buffer *page, const char *name, const struct verb *verb)
{
	add_title(page, name, 1);
	add_name(page, name, verb->help);
	buffer_add_string(page, "# SYNOPSIS\n\n");
	add_usage(page, verb);
	if (verb->details) {
		buffer_add_string(page, "# DESCRIPTION\n\n");
		add_details(page, verb->details);
	}
	buffer_add_string(page, "# OPTIONS\n\n");
	add_options(page, verb->options);
	add_options(page, common_options);
	buffer_add_string(page, "# EXAMPLES\n\n```\n");
	for (size_t i = 0; verb->examples[i]; i++) {
		buffer_printf(page, "%s\n", verb->examples[i]);
	}
	buffer_add_string(page,
		"```\n\n# EXIT STATUS\n\nSee *muster-exit-codes*(7).\n\n"
		"# SEE ALSO\n\n*muster*(1), *muster-team*(5)\n");
}

static void print_topic(struct buffer *page, const struct topic *topic)
{
	add_title(page, topic->page, topic->page_section);
	add_name(page, topic->page, topic->about);
	buffer_add_string(page, "# DESCRIPTION\n\n");
	manual_scdoc(page, topic_markdown(topic));
	buffer_add_string(page, "\n# SEE ALSO\n\n*muster*(1)\n");
}

// Is the file, as "muster-run.1", the page of this name and section?
static bool is_page(const char *file, const char *name, unsigned section)
{
	buffer_cleanup expected = {0};
	buffer_printf(&expected, "%s.%u", name, section);
	return strcmp(expected.data, file) == 0;
}

static bool print_page(struct buffer *page, const char *file)
{
	if (is_page(file, "muster", 1)) {
		print_muster(page);
		return true;
	}
	for (size_t i = 0; verbs[i]; i++) {
		buffer_cleanup name = {0};
		buffer_printf(&name, "muster-%s", verbs[i]->name);
		if (is_page(file, name.data, 1)) {
			print_verb(page, name.data, verbs[i]);
			return true;
		}
	}
	for (const struct topic *topic = topics; topic->name; topic++) {
		if (topic->page && is_page(file, topic->page, topic->page_section)) {
			print_topic(page, topic);
			return true;
		}
	}
	return false;
}

int main(int argc, char **argv)
{
	buffer_cleanup page = {0};
	if (argc != 2 || !print_page(&page, argv[1])) {
		fprintf(stderr, "man-page: there is no page '%s'\n", argc == 2 ? argv[1] : "");
		return 2;
	}
	return fwrite(page.data, 1, page.length, stdout) == page.length && !fflush(stdout) ? 0 : 1;
}
