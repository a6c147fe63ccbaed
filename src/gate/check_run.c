#include "base/units.h"
#include "gate/kind.h"

enum { DEFAULT_TIMEOUT = 60 * 1000, OUTPUT_LIMIT = 64 * 1024, TAIL = 600 };

struct run_check {
	const char *shell;
	const char **argv; // instead of shell
	int status;
	int64_t timeout;
	bool read_only;
	struct pattern *stdout_matches;
};

static bool compile(struct gate *gate, struct gate_check *check, struct error *error)
{
	const struct yaml_node *command = yaml_get(check->node, "run");
	const struct yaml_node *status = yaml_get(check->node, "exit");
	const struct yaml_node *timeout = yaml_get(check->node, "timeout");
	const struct yaml_node *read_only = yaml_get(check->node, "read_only");
	const struct yaml_node *matches = yaml_get(check->node, "stdout_matches");
	struct run_check *run = arena_new(gate->arena, struct run_check);
	check->data = run;
	gate->runs = true;
	run->status = status ? (int)status->integer : 0;
	run->read_only = !read_only || read_only->boolean;
	run->timeout = DEFAULT_TIMEOUT;
	if (timeout && !units_duration(timeout->text, &run->timeout)) {
		return error_set(error, ERROR_USAGE, "the timeout is no length of time");
	}
	if (command->kind == YAML_LIST) {
		buffer_cleanup shown = {0};
		run->argv = gate_strings(gate, command);
		for (size_t i = 0; run->argv[i]; i++) {
			buffer_printf(&shown, "%s%s", i ? " " : "", run->argv[i]);
		}
		check->subject = arena_string(gate->arena, shown.data ? shown.data : "");
	} else {
		run->shell = check->subject;
	}
	if (matches) {
		run->stdout_matches = gate_pattern(gate, matches->text, error);
	}
	return !matches || run->stdout_matches;
}

// A command may look at anything.
static bool reads(const struct gate_check *check, struct text path)
{
	(void)check;
	(void)path;
	return true;
}

// The end of what the command said, for the agent: errors first, else output.
static const char *tail(struct gate_look *look, const struct process_result *result)
{
	struct text text = text_trim(result->err.length ? result->err : result->out);
	if (text.length > TAIL) {
		text.data += text.length - TAIL;
		text.length = TAIL;
	}
	buffer_cleanup shown = {0};
	buffer_add_terminal(&shown, text);
	return arena_string(look->arena, shown.data ? shown.data : "");
}

static void judge(
	const struct gate_check *check, struct gate_look *look, const struct process_result *result)
{
	const struct run_check *run = check->data;
	const char *expected = arena_printf(look->arena, "exit status %d", run->status);
	const char *found = arena_printf(look->arena, "exit status %d", result->status);
	struct gate_finding *finding;
	if (result->timed_out) {
		finding = gate_fails(look, check, check->subject, expected, "no end in time",
			"'%s' did not end within %lld seconds.\n%s", check->subject,
			(long long)(run->timeout / 1000), tail(look, result));
	} else if (result->status != run->status) {
		finding = gate_fails(look, check, check->subject, expected, found,
			"'%s' ended with %s, not %d. It said:\n%s", check->subject, found,
			run->status, tail(look, result));
	} else if (run->stdout_matches &&
		pattern_search(run->stdout_matches, result->out, NULL, NULL) != PATTERN_MATCH) {
		const struct yaml_node *node = yaml_get(check->node, "stdout_matches");
		finding = gate_fails(look, check, check->subject, gate_shown(look, node->text),
			"output that does not match", "The output of '%s' does not match /%s/:\n%s",
			check->subject, gate_shown(look, node->text), tail(look, result));
	} else {
		finding = gate_find(look, check, check->subject, GATE_HOLDS);
		finding->expected = expected;
		finding->found = found;
	}
	finding->reader = "sandbox"; // the agent may have replaced the tools
}

static void look_at(const struct gate_check *check, struct gate_look *look)
{
	const struct run_check *run = check->data;
	struct process_result result = {0};
	struct error error = {0};
	struct sandbox_command command = {.argv = run->argv,
		.shell = run->shell,
		.environment = look->environment,
		.timeout = run->timeout,
		.output_limit = OUTPUT_LIMIT,
		.read_only = run->read_only,
		.cancel = look->cancel};
	if (sandbox_exec(look->sandbox, look->arena, &command, &result, &error) &&
		!result.cancelled) {
		judge(check, look, &result);
		return;
	}
	struct gate_finding *finding = gate_find(look, check, check->subject, GATE_NOT_CHECKED);
	finding->found = result.cancelled ? "cancelled" : arena_string(look->arena, error.message);
	finding->sentence = arena_printf(
		look->arena, "'%s' could not be run: %s.", check->subject, finding->found);
}

static const struct key keys[] = {
	{"run", KEY_ANY, "The command: a text for sh, or a list of arguments.", .required = true},
	{"exit", KEY_INTEGER, "The exit status that it has to end with; 0 if not given.",
		.minimum = 0, .maximum = 255},
	{"stdout_matches", KEY_PATTERN, "A PCRE2 pattern that its output has to match."},
	{"timeout", KEY_DURATION, "How long it may take; 60s if not given.", .minimum = 1,
		.maximum = 86400000},
	{"read_only", KEY_BOOLEAN, "Whether the workspace is read-only for it; true if not given."},
	{0},
};

const struct gate_kind check_run = {
	.owner = {.name = "run", .help = "A command ends well in the sandbox.", .keys = keys},
	.compile = compile,
	.check = look_at,
	.reads = reads,
};
