#include "cli/verb.h"

#include "cli/doctor.h"
#include "view/document.h"
#include "view/words.h"

enum { DOCTOR_NAMES = 20 /* width of the first column */ };

static void print_check(struct buffer *output, const struct doctor_check *check,
	const struct doctor_finding *finding, bool colours)
{
	static const enum words_colour looks[] = {[DOCTOR_FINE] = COLOUR_GOOD,
		[DOCTOR_LIMITED] = COLOUR_STRONG,
		[DOCTOR_MISSING] = COLOUR_BAD};
	words_add_padded(output, check->name, DOCTOR_NAMES);
	words_colour(output, colours, looks[finding->status]);
	words_add_padded(output, doctor_status_name(finding->status), 9);
	words_colour(output, colours, COLOUR_PLAIN);
	buffer_add_line(output, text_of(finding->found), 1024);
	buffer_add_char(output, '\n');
	if (finding->remedy) {
		words_add_padded(output, "", DOCTOR_NAMES + 9);
		buffer_add_line(output, text_of(finding->remedy), 1024);
		buffer_add_char(output, '\n');
	}
}

static void check_json(struct document *document, const struct doctor_check *check,
	const struct doctor_finding *finding)
{
	document_object(document, NULL);
	document_string(document, "name", check->name);
	document_string(document, "status", doctor_status_name(finding->status));
	document_string(document, "found", finding->found);
	document_string(document, "remedy", finding->remedy);
	document_end_object(document);
}

static int run(struct arguments *arguments, struct error *error)
{
	bool json = arguments_has(arguments, "json"), colours = output_colours(1);
	size_t counts[DOCTOR_MISSING + 1] = {0};
	buffer_cleanup output = {0};
	struct document document;
	if (json) {
		document_begin(&document, &output, "muster.doctor/1");
		document_array(&document, "checks");
	}
	for (const struct doctor_check *check = doctor_checks; check->name; check++) {
		struct doctor_finding finding = {0};
		check->look(&finding, &arguments->arena);
		counts[finding.status]++;
		if (json) {
			check_json(&document, check, &finding);
		} else if (finding.status == DOCTOR_MISSING || !arguments_has(arguments, "quiet")) {
			print_check(&output, check, &finding, colours);
		}
	}
	bool works = counts[DOCTOR_MISSING] == 0;
	if (json) {
		document_end_array(&document);
		document_flag(&document, "works", works);
		document_end(&document);
	} else if (!works) {
		buffer_add_string(
			&output, "\nTeams cannot be run here until what is missing is there.\n");
	} else if (!arguments_has(arguments, "quiet")) {
		buffer_add_string(&output, "\nTeams can be run here.\n");
	}
	output_write(&output, error);
	return works ? EXIT_OK : EXIT_UNAVAILABLE;
}

static const struct option options[] = {OPTION_JSON, OPTION_END};

const struct verb verb_doctor = {
	.name = "doctor",
	.help = "say what works on this machine, and how to get the rest",
	.usage = "[--json]",
	.details =
		"Looks at the sandbox, the libraries, the keys of models (only whether they are "
		"set), the\n"
		"terminal, the store of this folder and its disk, and changes nothing. 'limited' "
		"is what\n"
		"muster can do without. The exit code is 6 if something is missing that it needs.",
	.examples = (const char *const[]){"muster doctor",
		"muster doctor --quiet && muster run team.yaml", NULL},
	.options = options,
	.run = run,
};
