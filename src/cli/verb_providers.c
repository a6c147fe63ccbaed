#include "cli/verb.h"

#include <string.h>

#include "sandbox/sandbox.h"
#include "view/document.h"

struct flag_row {
	enum sandbox_flag flag;
	const char *name;
	const char *heading;
};

static const struct flag_row rows[] = {
	{SANDBOX_NETWORK_OFF, "network_off", "without network"},
	{SANDBOX_NETWORK_HOSTS, "network_hosts", "network to chosen hosts"},
	{SANDBOX_READ_ONLY_COMMANDS, "read_only_commands", "read-only commands"},
	{SANDBOX_READ_ONLY_FOLDERS, "read_only_folders", "others' folders read-only"},
	{SANDBOX_PROCESS, "processes", "processes that go on"},
	{SANDBOX_TERMINAL, "terminal", "terminals"},
	{SANDBOX_SCAN, "scan", "fast scan of the workspace"},
	{SANDBOX_ARCHIVE, "archive", "archives in and out"},
	{SANDBOX_PORTS, "ports", "exposed ports"},
	{SANDBOX_PAUSE, "pause", "pause"},
	{SANDBOX_SNAPSHOT, "snapshot", "native snapshots"},
	{SANDBOX_USERS, "users", "users (run_as)"},
	{SANDBOX_HOST_FOLDER, "host_folder", "workspace on this machine"},
	{SANDBOX_GRANTS, "path_grants", "folders beside it"},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void print_notes(struct buffer *output, const struct sandbox_driver *driver)
{
	buffer_cleanup lines = {0};
	if (!driver->notes) {
		return;
	}
	driver->notes(&lines);
	for (size_t i = 0; i < lines.length; i++) {
		if (i == 0 || lines.data[i - 1] == '\n') {
			buffer_add_string(output, "  - ");
		}
		buffer_add_char(output, lines.data[i]);
	}
}

static void print_driver(struct buffer *output, const struct sandbox_driver *driver)
{
	struct error reason = {0};
	bool usable = !driver->usable || driver->usable(&reason);
	buffer_printf(output, "%s: %s\n  %-28s%s", driver->name, driver->help, "usable here",
		usable ? "yes" : "no: ");
	if (!usable) {
		buffer_add_line(output, text_of(reason.message), sizeof(reason.message));
		if (reason.hint[0]) {
			buffer_add_string(output, "; ");
			buffer_add_line(output, text_of(reason.hint), sizeof(reason.hint));
		}
	}
	buffer_add_char(output, '\n');
	for (size_t i = 0; i < ROWS; i++) {
		buffer_printf(output, "  %-28s%s\n", rows[i].heading,
			driver->flags & rows[i].flag ? "yes" : "no");
	}
	print_notes(output, driver);
}

static void driver_json(struct document *document, const struct sandbox_driver *driver)
{
	struct error reason = {0};
	bool usable = !driver->usable || driver->usable(&reason);
	document_object(document, NULL);
	document_string(document, "name", driver->name);
	document_string(document, "help", driver->help);
	document_flag(document, "usable", usable);
	document_string(document, "reason", usable ? NULL : reason.message);
	document_string(document, "remedy", usable || !reason.hint[0] ? NULL : reason.hint);
	buffer_cleanup notes = {0};
	if (driver->notes) {
		driver->notes(&notes);
	}
	document_string(document, "notes", notes.length ? notes.data : NULL);
	document_object(document, "can");
	for (size_t i = 0; i < ROWS; i++) {
		document_flag(document, rows[i].name, driver->flags & rows[i].flag);
	}
	document_end_object(document);
	document_end_object(document);
}

static int run(struct arguments *arguments, struct error *error)
{
	bool json = arguments_has(arguments, "json");
	buffer_cleanup output = {0};
	struct document document;
	if (json) {
		document_begin(&document, &output, "muster.providers/1");
		document_array(&document, "sandboxes");
	}
	for (size_t i = 0; sandbox_drivers[i]; i++) {
		if (json) {
			driver_json(&document, sandbox_drivers[i]);
		} else if (arguments_has(arguments, "names")) {
			buffer_printf(&output, "%s\n", sandbox_drivers[i]->name);
		} else {
			buffer_add_string(&output, i ? "\n" : "");
			print_driver(&output, sandbox_drivers[i]);
		}
	}
	if (json) {
		document_end_array(&document);
		document_end(&document);
	}
	output_write(&output, error);
	return EXIT_OK;
}

static const struct option options[] = {OPTION_JSON, OPTION_NAMES, OPTION_END};

const struct verb verb_providers = {
	.name = "providers",
	.help = "list the sandbox providers and what each can do",
	.usage = "[--names|--json]",
	.examples = (const char *const[]){"muster providers", NULL},
	.options = options,
	.run = run,
};
