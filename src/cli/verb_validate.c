#include "cli/verb.h"

#include <stdio.h>
#include <string.h>

#include "cli/content.h"
#include "cli/vocabulary.h"
#include "view/document.h"

static void message_json(struct document *document, const struct team_message *message)
{
	document_object(document, NULL);
	document_string(
		document, "severity", message->severity == TEAM_MISTAKE ? "mistake" : "warning");
	document_string(document, "file", message->position.file);
	document_number(document, "line", message->position.line);
	document_number(document, "column", message->position.column);
	document_string(document, "what", message->what);
	document_string(document, "remedy", message->remedy);
	document_end_object(document);
}

static void file_json(struct document *document, const char *path, const struct team_report *report)
{
	document_object(document, NULL);
	document_string(document, "file", path);
	document_flag(document, "valid", report->mistakes == 0);
	document_array(document, "messages");
	for (size_t i = 0; i < report->count; i++) {
		message_json(document, &report->messages[i]);
	}
	document_end_array(document);
	document_end_object(document);
}

static void print_plain(
	struct buffer *output, const char *path, const struct team_report *report, bool quiet)
{
	buffer_cleanup lines = {0};
	if (report->mistakes || !quiet) {
		team_report_print(&lines, report);
		fwrite(lines.length ? lines.data : "", 1, lines.length, stderr);
	}
	if (report->mistakes == 0 && !quiet) {
		buffer_add_line(output, text_of(path), 4096);
		buffer_add_string(output, ": valid");
		if (report->count) {
			buffer_printf(output, ", %zu warning%s", report->count,
				report->count == 1 ? "" : "s");
		}
		buffer_add_char(output, '\n');
	}
}

static bool print_schema(const char *name, struct error *error)
{
	buffer_cleanup json = {0};
	if (strcmp(name, "team") == 0) {
		team_schema(&json, vocabulary());
	} else if (strcmp(name, "gate") == 0) {
		gate_schema(&json, vocabulary());
	} else {
		arena_cleanup arena = {0};
		error_set(error, ERROR_USAGE, "there is no schema '%s'",
			arguments_shown(&arena, name));
		return error_hint(error, "there are 'team' and 'gate'");
	}
	return output_write(&json, error);
}

static int validate(struct arguments *arguments, struct error *error)
{
	bool json = arguments_has(arguments, "json"), quiet = arguments_has(arguments, "quiet");
	buffer_cleanup output = {0};
	struct document document;
	bool valid = true;
	if (json) {
		document_begin(&document, &output, "muster.validate/1");
		document_array(&document, "files");
	}
	for (size_t i = 0; i < arguments->operand_count; i++) {
		const char *path;
		struct team_report report = {0};
		if (!content_team(&arguments->arena, arguments->operands[i], &path, error)) {
			return EXIT_USAGE;
		}
		struct team *team = team_load(path, vocabulary(), &report);
		if (team) {
			team_check_gates(team, &report);
		}
		valid = valid && report.mistakes == 0;
		if (json) {
			file_json(&document, path, &report);
		} else {
			print_plain(&output, path, &report, quiet);
		}
		team_destroy(team);
		team_report_finish(&report);
	}
	if (json) {
		document_end_array(&document);
		document_end(&document);
	}
	output_write(&output, error);
	return valid ? EXIT_OK : EXIT_USAGE;
}

static int run(struct arguments *arguments, struct error *error)
{
	const char *schema = arguments_value(arguments, "schema");
	if (schema) {
		print_schema(schema, error);
		return EXIT_OK;
	}
	if (arguments->operand_count == 0) {
		error_set(error, ERROR_USAGE, "no team file given");
		error_hint(error, "usage: muster validate TEAM...");
		return EXIT_USAGE;
	}
	return validate(arguments, error);
}

static const struct option options[] = {
	OPTION_JSON,
	{"schema", 0, "team|gate", false, COMPLETE_NOTHING,
		"print the editor schema of team or gate files"},
	OPTION_END,
};

const struct verb verb_validate = {
	.name = "validate",
	.help = "find every mistake in team files without running them",
	.usage = "TEAM...",
	.details = "TEAM is a file or the name of a canned team. Each mistake is one line\n"
		   "FILE:LINE:COLUMN: what is wrong; the remedy. Exit code 2 if there is one.",
	.examples = (const char *const[]){"muster validate team.yaml",
		"muster validate --json teams/*.yaml", NULL},
	.options = options,
	.completion = COMPLETE_TEAM,
	.maximum = 1000,
	.run = run,
};
