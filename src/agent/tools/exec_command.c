#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "agent/tools/common.h"

// Each stream keeps this many bytes, half from its head and half from its tail: more than
// TOOL_OUTPUT_LIMIT takes of either end, so that what was left out never shows.
enum { STREAM_LIMIT = 64 * 1024, TOKEN_BYTES = 4 };
_Static_assert(STREAM_LIMIT / 2 >= TOOL_OUTPUT_LIMIT / 2, "a stream keeps what the model may see");

// Counts lines while output comes, as most of a long output is never kept.
struct listener {
	const struct tool_place *place;
	int64_t line_ends[2];
	char last[2];
};

static void listen(void *data, int stream, struct text bytes)
{
	struct listener *listener = data;
	int index = stream == 2;
	for (size_t i = 0; i < bytes.length; i++) {
		listener->line_ends[index] += bytes.data[i] == '\n';
	}
	if (bytes.length) {
		listener->last[index] = bytes.data[bytes.length - 1];
	}
	if (listener->place->output) {
		listener->place->output(listener->place->output_data, stream, bytes);
	}
}

static int64_t count_lines(struct text text)
{
	int64_t lines = text.length && text.data[text.length - 1] != '\n';
	for (size_t i = 0; i < text.length; i++) {
		lines += text.data[i] == '\n';
	}
	return lines;
}

// The output as one text: stdout, then stderr, on a line of its own.
struct joined {
	struct buffer text;
	int64_t bytes, lines; // of all that came
};

static void join_output(
	struct joined *joined, const struct process_result *process, const struct listener *heard)
{
	tool_add_text(&joined->text, process->out);
	bool cut = process->out_bytes > (int64_t)process->out.length ||
		process->err_bytes > (int64_t)process->err.length ||
		process->out_bytes > STREAM_LIMIT || process->err_bytes > STREAM_LIMIT;
	bool separate = process->out.length && process->err.length &&
		process->out.data[process->out.length - 1] != '\n';
	if (separate) {
		buffer_add_char(&joined->text, '\n');
	}
	tool_add_text(&joined->text, process->err);
	if (!cut) {
		joined->bytes = (int64_t)joined->text.length;
		joined->lines = count_lines(buffer_text(&joined->text));
		return;
	}
	joined->bytes = process->out_bytes + process->err_bytes + separate;
	joined->lines = heard->line_ends[0] + heard->line_ends[1] + separate;
	char last = process->err_bytes ? heard->last[1] : heard->last[0];
	joined->lines += last != '\n';
}

static void report(const struct process_result *process, const struct listener *heard,
	double seconds, size_t budget, struct buffer *report)
{
	unsigned char noise[3] = {0};
	if (getrandom(noise, sizeof(noise), 0) != sizeof(noise)) {
		noise[0] = 0; // the id only tells outputs apart
	}
	buffer_printf(report, "Chunk ID: %02x%02x%02x\nWall time: %.4f seconds\n", noise[0],
		noise[1], noise[2], seconds);
	if (!process->timed_out && !process->cancelled) {
		buffer_printf(report, "Process exited with code %d\n", process->status);
	}
	struct joined joined = {0};
	join_output(&joined, process, heard);
	buffer_cleanup shown = {0};
	int64_t tokens = tool_truncate(
		&shown, buffer_text(&joined.text), joined.bytes, joined.lines, budget);
	buffer_finish(&joined.text);
	if (tokens) {
		buffer_printf(report, "Original token count: %lld\n", (long long)tokens);
	}
	buffer_add_string(report, "Output:\n");
	if (process->timed_out) {
		buffer_printf(report, "Command timed out after %.3f seconds.%s",
			(double)process->milliseconds / 1000, shown.length ? "\n" : "");
	} else if (process->cancelled) {
		buffer_printf(report, "Command was cancelled.%s", shown.length ? "\n" : "");
	}
	buffer_add_text(report, buffer_text(&shown));
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static size_t output_budget(const cJSON *arguments)
{
	double tokens =
		json_number(arguments, "max_output_tokens", TOOL_OUTPUT_LIMIT / TOKEN_BYTES);
	return tokens < TOOL_OUTPUT_LIMIT / TOKEN_BYTES ? (size_t)tokens * TOKEN_BYTES
							: TOOL_OUTPUT_LIMIT;
}

// The folder to run in; fails when it is not there.
static bool choose_folder(const struct tool_place *place, struct arena *arena,
	const cJSON *arguments, const char **folder, struct error *error)
{
	const char *own = place->team->agents[place->agent].workdir;
	struct text wanted = text_trim(text_of(json_string(arguments, "workdir", "")));
	struct text clean;
	if (wanted.length == 0) {
		wanted = text_of(own);
	}
	if (!tool_path(arena, wanted, &clean, error)) {
		return false;
	}
	*folder = text_string(arena, clean);
	if (clean.length && sandbox_stat(place->sandbox, clean).kind != FOLDER_FOLDER) {
		error_set(error, ERROR_FAILED, "there is no folder '%s' in the workspace", *folder);
		return error_hint(error, "Make it first (mkdir -p), or leave out 'workdir'.");
	}
	return true;
}

static void run(const struct tool_place *place, struct arena *arena, const cJSON *arguments,
	struct tool_result *result)
{
	const struct team_agent *agent = &place->team->agents[place->agent];
	const char *text = json_string(arguments, "cmd", "");
	const char *shell = json_string(arguments, "shell", NULL);
	const char *login = json_boolean(arguments, "login", true) ? "-lc" : "-c";
	const char *const argv[] = {shell, login, text, NULL};
	struct listener listener = {.place = place};
	struct sandbox_command command = {
		.environment = place->environment,
		.user = agent->run_as,
		.timeout = place->team->sandbox.timeout,
		.output_limit = STREAM_LIMIT,
		.read_only_folders = tool_others_folders(arena, place->team, agent),
		.cancel = place->cancel,
		.output = listen,
		.output_data = &listener,
	};
	if (shell && shell[0]) {
		command.argv = argv;
	} else {
		command.shell = text;
	}
	if (json_boolean(arguments, "tty", false)) {
		tool_fail(result, arena,
			"Terminals are not available here. Call exec_command without 'tty'; give a "
			"program that asks questions its answers through a pipe, like "
			"printf 'yes\\n' | program.");
		return;
	}
	struct error error;
	struct process_result process = {0};
	if (!choose_folder(place, arena, arguments, &command.folder, &error)) {
		tool_fail_error(result, arena, &error);
		return;
	}
	double started = now();
	if (!sandbox_exec(place->sandbox, arena, &command, &process, &error)) {
		tool_fail_error(result, arena, &error);
		return;
	}
	buffer_cleanup text_shown = {0};
	report(&process, &listener, now() - started, output_budget(arguments), &text_shown);
	tool_answer(result, arena, buffer_text(&text_shown));
	result->failed = process.cancelled;
}

static const struct key parameters[] = {
	{"cmd", KEY_STRING, "The shell command to run.", .required = true, .minimum = 1,
		.maximum = INT64_MAX},
	{"workdir", KEY_PATH,
		"The folder to run it in, from the workspace's root; your own by default."},
	{"shell", KEY_STRING, "The shell program to use instead of sh, such as bash."},
	{"login", KEY_BOOLEAN,
		"Whether the given shell reads its login files (-l); true by default."},
	{"tty", KEY_BOOLEAN, "A terminal; not available here, leave it out."},
	{"yield_time_ms", KEY_INTEGER,
		"Accepted and without effect: the call returns when the "
		"command has ended.",
		.minimum = 0, .maximum = INT64_MAX},
	{"max_output_tokens", KEY_INTEGER,
		"Cut the output to this many tokens (of 4 bytes): its "
		"head and its tail are kept. 10240 at most.",
		.minimum = 1, .maximum = INT64_MAX},
	{0},
};

const struct tool tool_exec_command = {
	.name = "exec_command",
	.help = "Runs a shell command in the sandbox and waits for its end.",
	.description =
		"Runs a shell command in the workspace, waits until it has ended and returns "
		"its exit code and output. It is stopped only at the session's time limit: a "
		"server or another program that does not end by itself has to be started, used "
		"and stopped in one command.",
	.parameters = parameters,
	.effectful = true,
	.run = run,
};
