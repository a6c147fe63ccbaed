#include "base/units.h"
#include "gate/kind.h"

enum { DEFAULT_TIMEOUT = 60 * 1000, OUTPUT_LIMIT = 64 * 1024, TAIL = 600, SHOWN_COMMAND = 200 };

struct run_check {
	const char *shell;
	const char **argv; // instead of shell
	int status;
	int64_t timeout;
	bool read_only;
	struct pattern *stdout_matches;
};

// A script of several lines that begins with a remark is called by it: "# the links resolve".
static void find_remark(struct text word, struct text *remark)
{
	struct text rest = text_trim(word), line;
	if (!text_next_line(&rest, &line) || rest.length == 0 || !text_starts(line, "# ")) {
		return;
	}
	*remark = text_trim((struct text){line.data + 1, line.length - 1});
}

// A text for sh, or a list of arguments.
static bool compile_command(struct gate *gate, struct gate_check *check,
	const struct yaml_node *command, struct error *error)
{
	struct run_check *run = check->data;
	bool list = command->kind == YAML_LIST;
	bool fits = list ? command->count > 0 : command->kind != YAML_NULL;
	struct text remark = {0};
	buffer_cleanup shown = {0};
	for (size_t i = 0; fits && i < (list ? command->count : 1); i++) {
		const struct yaml_node *word = list ? &command->items[i] : command;
		bool scalar = word->kind != YAML_LIST && word->kind != YAML_MAP;
		bool named = i > 0 || text_trim(word->text).length > 0;
		fits = scalar && named && text_find(word->text, TEXT("\0")) == word->text.length;
		if (remark.length == 0) {
			find_remark(word->text, &remark);
		}
		buffer_printf(&shown, "%s%.*s", i ? " " : "", (int)word->text.length,
			word->text.data ? word->text.data : "");
	}
	if (!fits) {
		error_set(error, ERROR_USAGE, "this is no command");
		return error_hint(error, "write a text for sh, or a list of arguments");
	}
	if (list) {
		run->argv = gate_strings(gate, command);
	} else {
		run->shell = check->subject;
	}
	buffer_cleanup line = {0};
	buffer_add_line(&line, remark.length ? remark : buffer_text(&shown), SHOWN_COMMAND);
	check->subject = arena_string(gate->arena, line.data);
	return true;
}

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
	if (!compile_command(gate, check, command, error)) {
		return false;
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
	enum { CONTINUES = 0x80, CONTINUES_MASK = 0xc0 };
	struct text error = text_trim(result->err);
	struct text text = error.length ? error : text_trim(result->out);
	if (text.length == 0) {
		return "It said nothing.";
	}
	size_t skipped = text.length > TAIL ? text.length - TAIL : 0;
	while (skipped && skipped < text.length &&
		((unsigned char)text.data[skipped] & CONTINUES_MASK) == CONTINUES) {
		skipped++;
	}
	buffer_cleanup shown = {0};
	buffer_add_string(&shown, skipped ? "It said at the end:\n" : "It said:\n");
	buffer_add_terminal(&shown, (struct text){text.data + skipped, text.length - skipped});
	return arena_string(look->arena, shown.data);
}

static const char *in_words(struct gate_look *look, int64_t milliseconds)
{
	buffer_cleanup duration = {0};
	buffer_add_duration(&duration, milliseconds);
	return arena_string(look->arena, duration.data);
}

static void judge_output(
	const struct gate_check *check, struct gate_look *look, const struct process_result *result)
{
	const struct run_check *run = check->data;
	struct gate_finding *finding;
	enum pattern_result match = run->stdout_matches
		? pattern_search(run->stdout_matches, result->out, NULL, NULL)
		: PATTERN_MATCH;
	if (match == PATTERN_MATCH) {
		finding = gate_find(look, check, check->subject, GATE_HOLDS);
		finding->expected = arena_printf(look->arena, "exit status %d", run->status);
		finding->found = finding->expected;
	} else {
		const char *pattern =
			gate_shown(look, yaml_get(check->node, "stdout_matches")->text);
		bool costly = match == PATTERN_TOO_COSTLY;
		bool cut = result->out_bytes > OUTPUT_LIMIT;
		finding = gate_fails(look, check, check->subject,
			arena_printf(look->arena, "output that matches /%s/", pattern),
			costly ? "a match that takes too long" : "output that does not match",
			"The output of '%s' %s /%s/%s. %s", check->subject,
			costly ? "takes too long to be matched against" : "does not match", pattern,
			cut ? " (only its first and last 32 KiB are looked at)" : "",
			tail(look, result));
		finding->unclear = costly;
	}
	finding->reader = "sandbox"; // the agent may have replaced the tools
}

static void judge(
	const struct gate_check *check, struct gate_look *look, const struct process_result *result)
{
	const struct run_check *run = check->data;
	const char *expected = arena_printf(look->arena, "exit status %d", run->status);
	const char *found = arena_printf(look->arena, "exit status %d", result->status);
	struct gate_finding *finding;
	if (result->timed_out) {
		const char *time = in_words(look, run->timeout);
		finding = gate_fails(look, check, check->subject, expected,
			arena_printf(look->arena, "no end within %s", time),
			"'%s' did not end within %s. %s", check->subject, time, tail(look, result));
		finding->unclear = true;
	} else if (result->status != run->status) {
		finding = gate_fails(look, check, check->subject, expected, found,
			"'%s' ended with %s, not %d. %s", check->subject, found, run->status,
			tail(look, result));
	} else {
		judge_output(check, look, result);
		return;
	}
	finding->reader = "sandbox";
}

static void look_at(const struct gate_check *check, struct gate_look *look)
{
	const struct run_check *run = check->data;
	arena_cleanup arena = {0};
	struct process_result result = {0};
	struct error error = {0};
	struct sandbox_command command = {.argv = run->argv,
		.shell = run->shell,
		.environment = look->environment,
		.timeout = run->timeout,
		.output_limit = OUTPUT_LIMIT,
		.read_only = run->read_only,
		.cancel = look->cancel};
	if (!gate_goes_on(look, check, check->subject)) {
		return;
	}
	if (!sandbox_exec(look->sandbox, &arena, &command, &result, &error)) {
		gate_not_checked(look, check, check->subject, error.message);
	} else if (result.cancelled) {
		gate_not_checked(look, check, check->subject, "cancelled");
	} else {
		look->deadline += result.milliseconds;
		judge(check, look, &result);
	}
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
